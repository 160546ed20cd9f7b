#include "core/model/transformer.h"

#include <math.h>
#include <string.h>

const enum site transformer_sites[] = { SITE_EMBED,   SITE_RESIDUAL,      SITE_QUERY,
                                        SITE_KEY,     SITE_VALUE,         SITE_ATTENTION,
                                        SITE_MIXED,   SITE_ATTENTION_OUT, SITE_MIDDLE,
                                        SITE_NEURONS, SITE_MLP_OUT,       SITE_FINAL,
                                        SITE_LOGITS,  SITE_COUNT };

const enum site transformer_parallel_sites[] = {
    SITE_EMBED,     SITE_RESIDUAL, SITE_QUERY,         SITE_KEY,     SITE_VALUE,
    SITE_ATTENTION, SITE_MIXED,    SITE_ATTENTION_OUT, SITE_NEURONS, SITE_MLP_OUT,
    SITE_FINAL,     SITE_LOGITS,   SITE_COUNT
};

struct transformer_head transformer_score(struct parts *parts, const struct config *config,
                                          int64_t width) {
    return (struct transformer_head){
        .output.weight = parts_matrix(parts, config->labels, width, "score.weight"),
        .classifies = true,
        .place = HEAD_LAST,
        .pad = config->pad,
    };
}

struct transformer *transformer_new(struct arena *arena, const struct config *config) {
    struct transformer *t = arena_alloc(arena, sizeof *t);
    t->stack = (struct stack){ .layers = config->layers,
                               .heads = config->heads,
                               .groups = config->kv_heads,
                               .head_width = config->head_width,
                               .width = config->width,
                               .inner = config->inner,
                               .scale = 1.0F / sqrtf((float)config->head_width),
                               .pad = -1 };
    t->stack.blocks = arena_array(arena, config->layers, sizeof *t->stack.blocks);
    return t;
}

/* One stack of one run. Tensors are [B T, ...]. */
struct run {
    struct pass *pass;
    struct tape *tape;
    const struct stack *stack;
    enum site of;          /* 0, or SITE_DECODER */
    int64_t tokens;        /* T of this stack */
    struct prefix *prefix; /* of this stack; NULL: none */
    int64_t past;          /* its tokens, which may have grown when blocks run again */
    const int32_t *ids;
    const uint8_t *mask;
    struct op_rope_angles *angles[2];
    const int32_t *distance;     /* T5: bucket of key - query + P + T - 1 */
    const struct tensor *memory; /* what cross-attention looks at: [B S, C]; NULL: its keys and
                                    values are in the prefix */
    int64_t memory_tokens;
    const uint8_t *memory_mask;
    /* The rows that the head reads; NULL: all. Where nobody else asks for the others, the last
     * block goes on with these alone after its attention (narrow), or only these look at the
     * others at all (narrow_look). */
    const int64_t *rows;
    int64_t count;
    bool narrow, narrow_look;
};

/* ---- before the blocks ---- */

/* The row of the table of positions for each token. */
static int32_t *places(const struct run *run) {
    const struct pass *pass = run->pass;
    const struct stack *stack = run->stack;
    int32_t *place = arena_array(run->tape->arena, pass->batch * run->tokens, sizeof *place);
    for (int64_t b = 0; b < pass->batch; b++) {
        int64_t next = run->past + stack->first_position;
        for (int64_t t = 0; t < run->tokens; t++) {
            int64_t at = b * run->tokens + t;
            bool counts = stack->count_mask ? !pass->mask || pass->mask[at]
                                            : stack->pad < 0 || run->ids[at] != stack->pad;
            place[at] = (int32_t)(counts ? next++ : stack->first_position - 1);
        }
    }
    return place;
}

static struct tensor *words(const struct run *run) {
    const struct pass *pass = run->pass;
    const struct stack *stack = run->stack;
    int64_t rows = pass->batch * run->tokens;
    struct tensor *x;
    if (pass->embeddings && pass->stack == 0) {
        x = tape_tensor(run->tape, 2, (int64_t[]){ rows, stack->words->shape[1] });
        memcpy(x->data, pass->embeddings->data, (size_t)tensor_bytes(x));
        return x;
    }
    x = op_embed(run->tape, stack->words, run->ids, rows);
    return stack->words_scale != 0 ? op_scale(run->tape, x, stack->words_scale) : x;
}

static struct tensor *embed(const struct run *run) {
    struct pass *pass = run->pass;
    struct tape *tape = run->tape;
    const struct stack *stack = run->stack;
    int64_t rows = pass->batch * run->tokens;
    struct tensor *x = words(run);
    visit_rows(pass, SITE_EMBED, 0, x);
    if (stack->types) {
        int32_t *none = arena_array(tape->arena, rows, sizeof *none);
        struct tensor *types =
            op_embed(tape, stack->types, pass->types ? pass->types : none, rows);
        x = op_add(tape, x, types, NULL);
    }
    if (stack->into.weight) {
        x = op_linear(tape, x, &stack->into, NULL, NULL);
    }
    if (stack->positions) {
        x = op_add(tape, x, op_embed(tape, stack->positions, places(run), rows), NULL);
    }
    return stack->embedded.gain ? op_norm(tape, x, &stack->embedded, NULL) : x;
}

/* ---- attention ---- */

static struct op_heads heads_at(struct tensor *x, struct slots at, const struct stack *stack) {
    return (struct op_heads){ .x = x,
                              .first = at.first,
                              .apart = at.apart ? at.apart : stack->head_width };
}

/* Queries, keys and values as attention uses them. */
struct looked {
    struct op_heads q, k, v;
};

static struct op_heads normed(const struct run *run, struct op_heads heads, int64_t n,
                              const struct op_norm *norm) {
    if (!norm->gain) {
        return heads;
    }
    int64_t width = run->stack->head_width;
    return (struct op_heads){ .x = op_heads_norm(run->tape, heads, n, width, norm),
                              .apart = width };
}

/* `from` is where queries come from, `at` what is looked at. */
static struct looked look(const struct run *run, const struct attention_part *part,
                          const struct tensor *from, const struct tensor *at,
                          const struct op_rope_angles *angles) {
    const struct stack *stack = run->stack;
    struct tensor *q = op_linear(run->tape, from, &part->query, NULL, NULL), *k = q, *v = q;
    if (part->key.weight) {
        k = op_linear(run->tape, at, &part->key, NULL, NULL);
        v = op_linear(run->tape, at, &part->value, NULL, NULL);
    }
    struct looked looked = { .q = heads_at(q, part->at[0], stack),
                             .k = heads_at(k, part->at[1], stack),
                             .v = heads_at(v, part->at[2], stack) };
    looked.q = normed(run, looked.q, stack->heads, &part->query_norm);
    looked.k = normed(run, looked.k, stack->groups, &part->key_norm);
    if (angles) {
        op_rope(run->tape, looked.q, stack->heads, angles);
        op_rope(run->tape, looked.k, stack->groups, angles);
    }
    return looked;
}

/* Says visit for heads wherever they lie; what lies scattered is gathered first. */
static void heads_visit(const struct run *run, enum site site, int64_t layer,
                        struct op_heads *heads, int64_t n) {
    int64_t width = run->stack->head_width;
    if (!visit_wants(run->pass, site)) {
        return;
    }
    if (heads->x->shape[1] != n * width || heads->apart != width) {
        heads->x = op_heads_copy(run->tape, *heads, n, width);
        heads->first = 0;
        heads->apart = width;
    }
    visit_rows(run->pass, site, layer, heads->x);
}

/* The run's own keys and values join the prefix. */
static void prefix_extend(const struct run *run, int64_t layer, const struct looked *looked) {
    struct prefix *prefix = run->prefix;
    const struct stack *stack = run->stack;
    int64_t width = stack->head_width, row = stack->groups * width;
    for (int64_t t = 0; t < run->tokens; t++) {
        float *key = prefix->keys[layer] + (run->past + t) * row;
        float *value = prefix->values[layer] + (run->past + t) * row;
        const float *k = looked->k.x->data + t * looked->k.x->shape[1] + looked->k.first;
        const float *v = looked->v.x->data + t * looked->v.x->shape[1] + looked->v.first;
        for (int64_t g = 0; g < stack->groups; g++) {
            memcpy(key + g * width, k + g * looked->k.apart, (size_t)width * sizeof *key);
            memcpy(value + g * width, v + g * looked->v.apart, (size_t)width * sizeof *value);
        }
    }
}

static struct tensor *mix(const struct run *run, enum site site, int64_t layer,
                          const struct looked *looked, const struct op_attention *how) {
    struct tensor *pattern =
        visit_place(run->pass, site, layer, 4,
                    (int64_t[]){ how->batch, how->heads, how->queries, how->past + how->keys });
    struct tensor *mixed =
        op_attention(run->tape, looked->q, looked->k, looked->v, how, pattern);
    if (pattern) {
        visit(run->pass, site, layer, pattern);
    }
    return mixed;
}

static struct op_attention attention_how(const struct run *run) {
    const struct stack *stack = run->stack;
    return (struct op_attention){ .batch = run->pass->batch,
                                  .queries = run->tokens,
                                  .keys = run->tokens,
                                  .heads = stack->heads,
                                  .groups = stack->groups,
                                  .width = stack->head_width,
                                  .scale = stack->scale,
                                  .cap = stack->cap,
                                  .left = -1,
                                  .right = -1 };
}

/* What attention within the stack gives, before its output layer, to the rows of `from`: x, or
 * one row of each text. */
static struct tensor *attend(const struct run *run, int64_t layer, const struct tensor *from,
                             const struct tensor *x) {
    const struct stack *stack = run->stack;
    const struct block *block = &stack->blocks[layer];
    const struct prefix *prefix = run->prefix;
    struct looked looked = look(run, &block->attention, from, x,
                                block->rope >= 0 ? run->angles[block->rope] : NULL);
    struct op_attention how = attention_how(run);
    how.queries = from->shape[0] / how.batch;
    heads_visit(run, SITE_QUERY, layer, &looked.q, stack->heads);
    heads_visit(run, SITE_KEY, layer, &looked.k, stack->groups);
    heads_visit(run, SITE_VALUE, layer, &looked.v, stack->groups);
    how.causal = stack->causal;
    how.left = block->left;
    how.right = block->right;
    how.scale *= block->scale != 0 ? block->scale : 1;
    how.mask = run->mask;
    how.table = stack->distances;
    how.distance = run->distance;
    if (prefix) {
        how.past = run->past;
        how.past_keys = prefix->keys[layer];
        how.past_values = prefix->values[layer];
    }
    struct tensor *mixed = mix(run, SITE_ATTENTION, layer, &looked, &how);
    if (prefix && run->pass->extend && !run->tape->repeats) {
        prefix_extend(run, layer, &looked);
    }
    visit_rows(run->pass, SITE_MIXED, layer, mixed);
    return mixed;
}

static struct tensor *copy_of(struct arena *arena, const struct tensor *x) {
    struct tensor *copy = tensor_new(arena, x->rank, x->shape);
    memcpy(copy->data, x->data, (size_t)tensor_bytes(copy));
    return copy;
}

/* Keys and values of the source, which the first run that joins the prefix leaves there. */
static struct looked look_across(const struct run *run, int64_t layer, const struct tensor *x) {
    const struct attention_part *part = &run->stack->blocks[layer].cross;
    const struct prefix *prefix = run->prefix;
    if (run->memory) {
        struct looked looked = look(run, part, x, run->memory, NULL);
        if (prefix && run->pass->extend) {
            prefix->across[layer] = (struct across){ copy_of(prefix->arena, looked.k.x),
                                                     copy_of(prefix->arena, looked.v.x) };
        }
        return looked;
    }
    struct tensor *q = op_linear(run->tape, x, &part->query, NULL, NULL);
    return (
        struct looked){ .q = heads_at(q, part->at[0], run->stack),
                        .k = heads_at(prefix->across[layer].key, part->at[1], run->stack),
                        .v = heads_at(prefix->across[layer].value, part->at[2], run->stack) };
}

static struct tensor *attend_across(const struct run *run, int64_t layer,
                                    const struct tensor *x) {
    struct looked looked = look_across(run, layer, x);
    struct op_attention how = attention_how(run);
    how.keys = run->memory_tokens;
    how.mask = run->memory_mask;
    return mix(run, SITE_CROSS_ATTENTION, layer, &looked, &how);
}

/* ---- a block ---- */

/* y = layer(x) joined to the stream: `after` normalises the part's output, `site` is visited,
 * the sum may be made at `place`. Where nobody looks at the part alone, one product does all.
 */
static struct tensor *join(const struct run *run, const struct op_dense *layer,
                           const struct tensor *x, const struct op_norm *after, enum site site,
                           int64_t at, const struct tensor *stream, struct tensor *place) {
    struct tape *tape = run->tape;
    bool apart = (after && after->gain) || visit_wants(run->pass, site);
    if (!apart) {
        return op_linear(tape, x, layer, &(struct op_finish){ .residual = stream }, place);
    }
    struct tensor *part = op_linear(tape, x, layer, NULL, NULL);
    if (after && after->gain) {
        part = op_norm(tape, part, after, NULL);
    }
    visit_rows(run->pass, site, at, part);
    return op_add(tape, stream, part, place);
}

static struct tensor *neurons(const struct run *run, const struct block *block,
                              const struct tensor *x) {
    struct tape *tape = run->tape;
    enum simd_act act = run->stack->act;
    if (block->gate_and_up.weight) {
        return op_gate(tape, op_linear(tape, x, &block->gate_and_up, NULL, NULL), act);
    }
    struct tensor *up = NULL;
    if (!block->gate.weight) {
        return op_linear(tape, x, &block->up, &(struct op_finish){ .act = act }, NULL);
    }
    up = op_linear(tape, x, &block->up, NULL, NULL);
    return op_linear(tape, x, &block->gate, &(struct op_finish){ .act = act, .factor = up },
                     NULL);
}

static struct tensor *norm_or_not(const struct run *run, const struct tensor *x,
                                  const struct op_norm *norm) {
    return norm->gain ? op_norm(run->tape, x, norm, NULL) : (struct tensor *)(uintptr_t)x;
}

static bool is_last(const struct run *run, int64_t layer) {
    return layer == run->stack->layers - 1;
}

/* The stream after attention (and cross-attention). */
static struct tensor *attention_half(const struct run *run, int64_t layer,
                                     const struct tensor *stream) {
    const struct block *block = &run->stack->blocks[layer];
    bool post = run->stack->order == BLOCK_POST;
    const struct tensor *x = post ? stream : norm_or_not(run, stream, &block->before_attention);
    const struct tensor *from = x;
    if (run->narrow_look && is_last(run, layer)) {
        from = op_rows(run->tape, x, run->rows, run->count);
        stream = post ? from : op_rows(run->tape, stream, run->rows, run->count);
    }
    struct tensor *y =
        join(run, &block->attention.output, attend(run, layer, from, x),
             post ? NULL : &block->after_attention, SITE_ATTENTION_OUT, layer, stream, NULL);
    y = post ? op_norm(run->tape, y, &block->after_attention, NULL) : y;
    if (block->cross.query.weight) {
        x = norm_or_not(run, y, &block->before_cross);
        y = op_linear(run->tape, attend_across(run, layer, x), &block->cross.output,
                      &(struct op_finish){ .residual = y }, NULL);
    }
    return y;
}

/* Whether both layers of a block's second half can be one: nobody looks at what is between, nor
 * at their outcome alone. */
static bool feeds(const struct run *run, const struct block *block, int64_t n) {
    bool post = run->stack->order == BLOCK_POST;
    return !run->tape->record && !block->gate.weight && !block->gate_and_up.weight &&
           (post || !block->after_mlp.gain) && !visit_wants(run->pass, SITE_NEURONS) &&
           !visit_wants(run->pass, SITE_MLP_OUT) && op_feeds(n, &block->up, &block->down);
}

static struct tensor *feed_half(const struct run *run, int64_t layer, const struct tensor *x,
                                const struct tensor *stream, struct tensor *place) {
    const struct block *block = &run->stack->blocks[layer];
    bool post = run->stack->order == BLOCK_POST;
    struct tensor *y;
    if (feeds(run, block, x->shape[0])) {
        y = op_feed(run->tape, x, &block->up, run->stack->act, &block->down, stream,
                    post ? NULL : place);
    } else {
        struct tensor *inner = neurons(run, block, x);
        visit_rows(run->pass, SITE_NEURONS, layer, inner);
        y = join(run, &block->down, inner, post ? NULL : &block->after_mlp, SITE_MLP_OUT, layer,
                 stream, post ? NULL : place);
    }
    return post ? op_norm(run->tape, y, &block->after_mlp, place) : y;
}

/* The rows of x that go on from the attention of a block. */
static const struct tensor *going_on(const struct run *run, int64_t layer,
                                     const struct tensor *x) {
    bool some = run->narrow && !run->narrow_look && is_last(run, layer);
    return some ? op_rows(run->tape, x, run->rows, run->count) : x;
}

/* Both halves read the same stream. */
static struct tensor *parallel_run(const struct run *run, int64_t layer,
                                   const struct tensor *stream, struct tensor *place) {
    const struct block *block = &run->stack->blocks[layer];
    const struct tensor *x = norm_or_not(run, stream, &block->before_attention);
    const struct tensor *fed =
        block->before_mlp.gain ? op_norm(run->tape, stream, &block->before_mlp, NULL) : x;
    struct tensor *middle = join(run, &block->attention.output, attend(run, layer, x, x), NULL,
                                 SITE_ATTENTION_OUT, layer, stream, NULL);
    return feed_half(run, layer, going_on(run, layer, fed), going_on(run, layer, middle),
                     place);
}

/* The next value of the stream, at `place` if that is not NULL. */
static struct tensor *block_run(const struct run *run, int64_t layer,
                                const struct tensor *stream, struct tensor *place) {
    const struct block *block = &run->stack->blocks[layer];
    if (run->stack->order == BLOCK_PARALLEL) {
        return parallel_run(run, layer, stream, place);
    }
    const struct tensor *middle = attention_half(run, layer, stream);
    visit_rows(run->pass, SITE_MIDDLE, layer, middle);
    middle = going_on(run, layer, middle);
    const struct tensor *fed =
        run->stack->order == BLOCK_PRE ? norm_or_not(run, middle, &block->before_mlp) : middle;
    return feed_half(run, layer, fed, middle, place);
}

/* ---- a stack ---- */

static void angles_make(struct run *run) {
    for (int i = 0; i < 2; i++) {
        const struct rope *rope = &run->stack->ropes[i];
        if (rope->width > 0) {
            double *turns = arena_array(run->tape->arena, rope->width / 2, sizeof *turns);
            rope_turns(rope, run->past + run->tokens, turns);
            run->angles[i] =
                op_rope_angles(run->tape, run->past, run->tokens, rope->width, turns,
                               rope->attention != 0 ? rope->attention : 1, rope->adjacent);
        }
    }
}

/* T5's bucket of the distance from a query to a key: half of them for each direction where both
 * are seen, half of those for one distance each, the rest ever wider up to the longest. */
static int32_t bucket(const struct stack *stack, int64_t distance) {
    int64_t buckets = stack->causal ? stack->buckets : stack->buckets / 2;
    int64_t first = !stack->causal && distance > 0 ? buckets : 0, own = buckets / 2;
    int64_t far = stack->causal && distance > 0 ? 0 : distance < 0 ? -distance : distance;
    if (far < own) {
        return (int32_t)(first + far);
    }
    /* in float32, as where the models were trained */
    float share =
        logf((float)far / (float)own) / (float)log((double)stack->distance_most / (double)own);
    int64_t wide = own + (int64_t)(share * (float)(buckets - own));
    return (int32_t)(first + (wide < buckets ? wide : buckets - 1));
}

static void distances_make(struct run *run) {
    int64_t before = run->past + run->tokens - 1, n = before + run->tokens;
    int32_t *distance = arena_array(run->tape->arena, n, sizeof *distance);
    for (int64_t i = 0; i < n; i++) {
        distance[i] = bucket(run->stack, i - before);
    }
    run->distance = distance;
}

/* Where block `layer` puts the stream: into the trace if that keeps it, else by turns into one
 * of two buffers; NULL, a new tensor, while the tape records. */
static struct tensor *next_place(const struct run *run, int64_t layer,
                                 struct tensor *const *spare, struct tensor *view) {
    struct pass *pass = run->pass;
    if (visit_wants(pass, SITE_RESIDUAL) && !pass->take && !pass->again) {
        int64_t shape[3] = { pass->batch, run->tokens, run->stack->width };
        *view = *visit_place(pass, SITE_RESIDUAL, layer + 1, 3, shape);
        view->rank = 2;
        view->shape[0] = pass->batch * run->tokens;
        view->shape[1] = run->stack->width;
        return view;
    }
    if (run->tape->record) {
        return NULL;
    }
    *view = *spare[layer % 2];
    if (run->narrow && is_last(run, layer)) {
        view->shape[0] = run->count;
    }
    return view;
}

/* Whether the last block can go on with the head's rows alone: they are fewer, and nobody asks
 * for what it makes of the others. */
static bool is_narrow(const struct run *run) {
    static const enum site beyond[] = { SITE_RESIDUAL, SITE_MIDDLE, SITE_NEURONS, SITE_MLP_OUT,
                                        SITE_FINAL };
    bool narrow = run->rows && run->count < run->pass->batch * run->tokens;
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        narrow = narrow && !visit_wants(run->pass, beyond[i]);
    }
    return narrow;
}

/* Whether, besides, only those rows need look: one of each text, where it matters nowhere in
 * attention at which position a query stands, and nobody asks for the others' part in it. */
static bool is_narrow_look(const struct run *run) {
    static const enum site there[] = { SITE_QUERY, SITE_ATTENTION, SITE_MIXED,
                                       SITE_ATTENTION_OUT };
    const struct stack *stack = run->stack;
    const struct block *last = &stack->blocks[stack->layers - 1];
    bool narrow = run->narrow && run->count == run->pass->batch && !run->prefix &&
                  stack->order != BLOCK_PARALLEL && !stack->causal && !stack->distances &&
                  last->rope < 0 && last->left < 0 && last->right < 0 &&
                  last->attention.key.weight && !last->cross.query.weight;
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        narrow = narrow && !visit_wants(run->pass, there[i]);
    }
    for (int64_t b = 0; narrow && b < run->count; b++) {
        narrow = run->rows[b] / run->tokens == b;
    }
    return narrow;
}

/* A block that is run again when gradients come by. */
struct repeat {
    struct run run; /* as it was */
    int64_t layer;
    struct tensor *stream;
};

static struct tensor *repeat_run(void *arg, struct tape *tape) {
    struct repeat *repeat = arg;
    struct pass *pass = repeat->run.pass;
    struct run run = repeat->run;
    struct tape *before = pass->tape;
    enum site stack = pass->stack;
    run.tape = pass->tape = tape;
    pass->stack = run.of;
    struct tensor *out = block_run(&run, repeat->layer, repeat->stream, NULL);
    pass->tape = before;
    pass->stack = stack;
    return out;
}

static struct tensor *block_again(const struct run *run, int64_t layer, struct tensor *stream) {
    struct repeat *repeat = arena_alloc(run->tape->arena, sizeof *repeat);
    *repeat = (struct repeat){ .run = *run, .layer = layer, .stream = stream };
    return tape_again(run->tape, repeat_run, repeat);
}

/* The stream after the last block. */
static struct tensor *blocks_run(struct run *run, struct tensor *stream) {
    struct pass *pass = run->pass;
    const struct stack *stack = run->stack;
    int64_t first = pass->stream && pass->stack == 0 ? pass->from : 0;
    struct tensor *spare[2] = { 0 };
    struct tensor *views = arena_array(run->tape->arena, stack->layers + 1, sizeof *views);
    for (int i = 0; i < 2 && !run->tape->record; i++) {
        spare[i] = tape_tensor(run->tape, 2, stream->shape);
    }
    run->narrow = first < stack->layers && is_narrow(run);
    run->narrow_look = is_narrow_look(run);
    for (int64_t l = first; l < stack->layers; l++) {
        visit_rows(pass, SITE_RESIDUAL, l, stream);
        struct tensor *place = next_place(run, l, spare, &views[l]);
        struct arena_mark mark = tape_mark(run->tape);
        stream = pass->again ? block_again(run, l, stream) : block_run(run, l, stream, place);
        tape_rewind(run->tape, mark);
    }
    visit_rows(pass, SITE_RESIDUAL, stack->layers, stream);
    return stream;
}

/* What the head, or a decoder, gets. */
static struct tensor *stack_run(struct run *run) {
    struct pass *pass = run->pass;
    struct tensor *x;
    angles_make(run);
    if (run->stack->distances) {
        distances_make(run);
    }
    if (pass->stream && pass->stack == 0) {
        x = tape_tensor(run->tape, 2,
                        (int64_t[]){ pass->batch * run->tokens, run->stack->width });
        memcpy(x->data, pass->stream->data, (size_t)tensor_bytes(x));
    } else {
        x = embed(run);
    }
    return blocks_run(run, x);
}

static struct tensor *stack_end(const struct run *run, struct tensor *x) {
    const struct stack *stack = run->stack;
    x = norm_or_not(run, x, &stack->final);
    if (stack->out_of.weight) {
        x = op_linear(run->tape, x, &stack->out_of, NULL, NULL);
    }
    visit_rows(run->pass, SITE_FINAL, 0, x);
    return x;
}

/* ---- the head ---- */

/* Whether a classifier passes over the token when it looks for the last. */
static bool is_padding(const struct run *run, const struct transformer_head *head, int64_t at) {
    return (run->mask && !run->mask[at]) ||
           (head->pad >= 0 && run->ids && run->ids[at] == head->pad);
}

/* The row that a classifier reads of each text. */
static int64_t *class_rows(const struct run *run, const struct transformer_head *head) {
    int64_t batch = run->pass->batch,
            *rows = arena_array(run->tape->arena, batch, sizeof *rows);
    for (int64_t b = 0; b < batch; b++) {
        int64_t at = head->place == HEAD_LAST ? run->tokens - 1 : 0;
        while (at > 0 && is_padding(run, head, b * run->tokens + at)) {
            at--;
        }
        rows[b] = b * run->tokens + at;
    }
    return rows;
}

/* Says which rows the head will read of the stack that it stands on. */
static void rows_find(struct run *run, const struct transformer_head *head) {
    const struct pass *pass = run->pass;
    if (head->classifies && head->place != HEAD_MEAN) {
        run->rows = class_rows(run, head);
        run->count = pass->batch;
    } else if (!head->classifies && pass->wanted > 0) {
        run->rows = pass->wanted_rows;
        run->count = pass->wanted;
    }
}

/* Those rows of the final states; of a classifier that reads all their mean. */
static struct tensor *head_reads(const struct run *run, const struct transformer_head *head,
                                 struct tensor *x) {
    if (head->classifies && head->place == HEAD_MEAN) {
        return op_mean(run->tape, x, run->pass->batch, run->mask);
    }
    return run->rows && !run->narrow ? op_rows(run->tape, x, run->rows, run->count) : x;
}

static void head_run(const struct run *run, const struct transformer_head *head,
                     struct tensor *x) {
    struct pass *pass = run->pass;
    struct tape *tape = run->tape;
    int64_t shape[3] = { pass->batch, run->tokens, head->output.weight->shape[0] };
    bool every = !head->classifies && pass->wanted == 0;
    float cap = head->classifies ? 0 : head->cap; /* of the words' logits alone */
    x = head_reads(run, head, x);
    if (head->hidden.weight) {
        x = op_linear(tape, x, &head->hidden, &(struct op_finish){ .act = head->act }, NULL);
    }
    x = norm_or_not(run, x, &head->norm);
    x = head->scale != 0 ? op_scale(tape, x, head->scale) : x;
    if (!every) {
        shape[0] = x->shape[0];
        shape[1] = shape[2];
    }
    struct tensor *place = visit_place(pass, SITE_LOGITS, 0, every ? 3 : 2, shape);
    struct tensor *logits = op_linear(tape, x, &head->output, NULL, cap != 0 ? NULL : place);
    logits = cap != 0 ? op_cap(tape, logits, cap, place) : logits;
    visit(pass, SITE_LOGITS, 0, logits);
}

/* The decoder's final states; its run, for the head. */
static struct tensor *decoder_run(const struct run *encoder, const struct transformer *t,
                                  const struct tensor *memory, bool head, struct run *run) {
    struct pass *pass = encoder->pass;
    *run = (struct run){ .pass = pass,
                         .tape = encoder->tape,
                         .stack = t->decoder,
                         .of = SITE_DECODER,
                         .tokens = pass->decoder_tokens,
                         .prefix = pass->prefix,
                         .past = pass->prefix ? pass->prefix->tokens : 0,
                         .ids = pass->decoder_ids,
                         .memory = memory,
                         .memory_tokens = encoder->tokens,
                         .memory_mask = encoder->mask };
    if (head) {
        rows_find(run, &t->head);
    }
    pass->stack = SITE_DECODER;
    struct tensor *x = stack_end(run, stack_run(run));
    pass->stack = 0;
    return x;
}

/* Whether nothing is asked for but the words' embeddings. */
static bool only_words(const struct pass *pass) {
    bool only = pass->keep[SITE_EMBED] && !pass->stream && !pass->extend;
    for (int site = 0; site < SITE_COUNT; site++) {
        only = only && (site == SITE_EMBED || !pass->keep[site]);
    }
    return only;
}

int transformer_forward(const struct model *model, struct pass *pass, struct err *err) {
    const struct transformer *t = model->parts;
    struct prefix *prefix = t->decoder ? NULL : pass->prefix;
    struct run run = { .pass = pass,
                       .tape = pass->tape,
                       .stack = &t->stack,
                       .tokens = pass->tokens,
                       .prefix = prefix,
                       .past = prefix ? prefix->tokens : 0,
                       .ids = pass->ids,
                       .mask = pass->mask };
    bool decodes = pass->decoder_tokens > 0;
    if (decodes && !t->decoder) {
        return err_set(err, ERR_UNSUPPORTED, "%s has no decoder to read the second text",
                       model->path);
    }
    if (only_words(pass)) {
        embed(&run);
        return 0;
    }
    bool head = t->head.output.weight && visit_wants(pass, SITE_LOGITS);
    head = head && decodes == (t->decoder != NULL);
    if (head && !decodes) {
        rows_find(&run, &t->head);
    }
    bool known = decodes && pass->prefix && pass->prefix->tokens > 0;
    struct tensor *x = known ? NULL : stack_run(&run);
    if (x && (head || decodes || visit_wants(pass, SITE_FINAL))) {
        x = stack_end(&run, x);
    }
    if (decodes) {
        struct run encoder = run;
        x = decoder_run(&encoder, t, x, head, &run);
    }
    if (head) {
        head_run(&run, &t->head, x);
    }
    return 0;
}
