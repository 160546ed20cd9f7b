#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/head.h"

/* With the formula's letters, for one head (P probabilities, Y result):
 *
 *     dV = P^T dY     dP = dY V^T (+ what the pattern itself receives)
 *     dS = P (dP - sum_j P dP)     dQ = scale dS K     dK = scale dS^T Q
 *
 * A task is one head of one text, for all seeds. It goes through its queries a block at a time,
 * in order, so that a key's sum over queries has one order. The heads of a group meet
 * afterwards, in the order of their numbers. */
enum { BLOCK = 48 };

/* What attention remembers. */
struct step {
    struct tape_step step;
    struct op_attention how;
    struct op_heads q, k, v;
    const struct tensor *pattern; /* the caller's, or NULL */
    const float *kept;            /* probabilities; NULL: they are computed again */
};

/* The gradient of one head's rows: of row r and seed s at data + s * seed + r * stride. */
struct slot {
    float *data;
    int64_t stride, seed; /* floats */
};

struct job {
    const struct step *at;
    const struct tape *tape;
    int64_t seeds;
    const float *dy;     /* NULL: only the pattern has a gradient */
    float *dpattern;     /* NULL: it has none and nobody wants one */
    float *dq, *dk, *dv; /* of q.x, k.x, v.x; NULL: nobody needs it */
    float *shares;       /* of dk, then dv: [S, B, heads, S, D] each; NULL: one head a group */
    float *dtable;       /* [B, heads, buckets], or NULL */
};

struct task {
    const struct job *job;
    struct head head;
    int64_t text, h;
    struct slot q, k, v;
    struct head_span packed, packed_values;
    /* In the thread's room: panels of k for S and for dQ, of v for dP, of a block's q and dY.
     */
    float *keys_turned, *keys, *values_turned, *q_panels, *dy_panels;
    float *p, *ds, *slopes, *far;
};

int64_t op_attention_back_room(int64_t queries, int64_t keys, int64_t width) {
    int64_t panels = 2 * head_whole(keys) * width + keys * head_whole(width);
    return 2 * (queries + keys) + simd()->columns * width + panels +
           BLOCK * (2 * head_whole(width) + 3 * head_stride((struct head_span){ 0, keys }));
}

/* ---- one head ---- */

/* `gradient` NULL: there is no such slot. */
static struct slot slot_at(float *gradient, struct op_heads heads, int64_t row, int64_t h) {
    int64_t stride = heads.x->shape[1], at = row * stride + heads.first + h * heads.apart;
    return (struct slot){ .data = gradient ? gradient + at : NULL,
                          .stride = stride,
                          .seed = heads.x->shape[0] * stride };
}

/* A head's own share of the gradient of its group, zeroed. */
static struct slot share_at(const struct job *job, float *shares, int64_t text, int64_t h) {
    const struct op_attention *how = &job->at->how;
    int64_t size = how->keys * how->width;
    struct slot slot = { .data = shares + (text * how->heads + h) * size,
                         .stride = how->width,
                         .seed = how->batch * how->heads * size };
    for (int64_t s = 0; s < job->seeds; s++) {
        memset(slot.data + s * slot.seed, 0, (size_t)size * sizeof *slot.data);
    }
    return slot;
}

static int64_t shares_size(const struct job *job) {
    const struct op_attention *how = &job->at->how;
    return job->seeds * how->batch * how->heads * how->keys * how->width;
}

/* Whether anything behind the probabilities is to be computed. */
static bool goes_on(const struct job *job) {
    return job->dq || job->dk || job->dtable;
}

static bool scores_again(const struct step *at) {
    return !at->kept || at->how.cap > 0;
}

/* Parts of the thread's room; see op_attention_back_room. Returns what head_pack_turned needs.
 */
static float *room_cut(struct task *task) {
    const struct op_attention *how = &task->job->at->how;
    int64_t all = how->past + how->keys, length = how->queries + all;
    task->far = tape_room(task->job->tape) + length; /* first comes the bias by distance */
    float *spare = task->far + length;
    task->keys_turned = spare + simd()->columns * how->width;
    task->values_turned = task->keys_turned + head_whole(all) * how->width;
    task->keys = task->values_turned + head_whole(all) * how->width;
    task->q_panels = task->keys + all * head_whole(how->width);
    task->dy_panels = task->q_panels + BLOCK * head_whole(how->width);
    task->p = task->dy_panels + BLOCK * head_whole(how->width);
    int64_t scores = BLOCK * head_stride((struct head_span){ 0, all });
    task->ds = task->p + scores;
    task->slopes = task->ds + scores;
    return spare;
}

static void task_pack(struct task *task, float *spare) {
    const struct job *job = task->job;
    const struct op_attention *how = &job->at->how;
    struct head *head = &task->head;
    struct head_span every = { 0, how->past + how->keys };
    task->packed = head_span(head, 0, how->queries);
    task->packed_values = job->dpattern ? every : task->packed;
    head_pack(&head->k, how->width, task->packed, task->keys);
    if (scores_again(job->at)) {
        head_pack_turned(&head->k, how->width, task->packed, task->keys_turned, spare);
    }
    if (job->dy) {
        head_pack_turned(&head->v, how->width, task->packed_values, task->values_turned, spare);
    }
}

static struct task task_at(const struct job *job, int64_t text, int64_t h) {
    const struct step *at = job->at;
    const struct op_attention *how = &at->how;
    int64_t group = h * how->groups / how->heads, row = text * how->keys;
    struct task task = { .job = job,
                         .text = text,
                         .h = h,
                         .head =
                             head_at(how, at->q, at->k, at->v, text, h, tape_room(job->tape)),
                         .q = slot_at(job->dq, at->q, text * how->queries, h) };
    if (job->shares) {
        task.k = share_at(job, job->shares, text, h);
        task.v = share_at(job, job->shares + shares_size(job), text, h);
    } else {
        task.k = slot_at(job->dk, at->k, row, group);
        task.v = slot_at(job->dv, at->v, row, group);
    }
    task_pack(&task, room_cut(&task));
    if (job->dtable) {
        memset(task.far, 0, (size_t)(how->past + how->queries + how->keys) * sizeof *task.far);
    }
    return task;
}

/* ---- a block of queries ---- */

struct block {
    int64_t first, rows;
    struct head_span span;
    int64_t stride; /* of ds and slopes */
    const float *p;
    int64_t p_stride;
};

static void scores(const struct task *task, const struct block *block, float *y) {
    const struct head *head = &task->head;
    head_multiply_turned(head->q + block->first * head->q_stride, head->q_stride, block->rows,
                         head->how->width, block->span, task->packed, task->keys_turned, y,
                         block->stride, false);
}

/* The derivative of capped scores by q k, 1 - tanh^2 times the scale. */
static void slopes_make(const struct task *task, const struct block *block) {
    const struct simd *table = simd();
    const struct op_attention *how = task->head.how;
    scores(task, block, task->slopes);
    for (int64_t r = 0; r < block->rows; r++) {
        float *row = task->slopes + r * block->stride;
        int64_t n = block->span.end - block->span.begin;
        table->scale(row, how->scale / how->cap, row, n);
        table->act(row, row, n, SIMD_TANH);
        for (int64_t j = 0; j < n; j++) {
            row[j] = (1.0F - row[j] * row[j]) * how->scale;
        }
    }
}

/* The block's rows of q or dy as panels: a product with them sums over the block's queries. */
static void block_pack(const float *rows, int64_t stride, const struct block *block,
                       int64_t width, float *panels) {
    struct head_rows own = { .own = rows + block->first * stride, .stride = stride };
    head_pack(&own, width, (struct head_span){ 0, block->rows }, panels);
}

static struct block block_at(const struct task *task, int64_t first, int64_t rows) {
    const struct head *head = &task->head;
    const struct op_attention *how = head->how;
    const struct step *at = task->job->at;
    int64_t all = how->past + how->keys;
    struct block block = { .first = first, .rows = rows, .span = head_span(head, first, rows) };
    block.stride = head_stride(block.span);
    if (at->kept) {
        int64_t row = (task->text * how->heads + task->h) * how->queries + first;
        block.p = at->kept + row * all + block.span.begin;
        block.p_stride = all;
    } else {
        scores(task, &block, task->p);
        head_weigh(head, first, rows, block.span, task->p, block.stride);
        block.p = task->p;
        block.p_stride = block.stride;
    }
    if (how->cap > 0) {
        slopes_make(task, &block);
    }
    block_pack(head->q, head->q_stride, &block, how->width, task->q_panels);
    return block;
}

/* Row `r` of dP, and its stride: in the pattern's gradient if that is asked for. */
static const float *dp_make(const struct task *task, const struct block *block, int64_t seed,
                            const float *dy, int64_t *stride) {
    const struct job *job = task->job;
    const struct op_attention *how = task->head.how;
    int64_t all = how->past + how->keys, width = how->width;
    struct head_span span = block->span;
    float *dp = task->ds;
    *stride = block->stride;
    if (job->dpattern) { /* every key's, as if the probabilities were free */
        int64_t head = (seed * how->batch + task->text) * how->heads + task->h;
        dp = job->dpattern + (head * how->queries + block->first) * all;
        *stride = all;
        span = task->packed_values;
    }
    if (dy) {
        int64_t dy_stride = how->heads * width;
        head_multiply_turned(dy + block->first * dy_stride, dy_stride, block->rows, width, span,
                             task->packed_values, task->values_turned, dp, *stride,
                             job->dpattern);
    }
    return job->dpattern ? dp + block->span.begin : dp;
}

/* ds [rows, span], the gradient of the products q k. */
static void ds_make(const struct task *task, const struct block *block, const float *dp,
                    int64_t dp_stride) {
    const struct simd *table = simd();
    const struct op_attention *how = task->head.how;
    bool bends = how->cap > 0 || task->job->dtable;
    int64_t n = block->span.end - block->span.begin;
    for (int64_t r = 0; r < block->rows; r++) {
        float *ds = task->ds + r * block->stride;
        int64_t before = how->queries - 1 - block->first - r + block->span.begin;
        table->softmax_back(ds, block->p + r * block->p_stride, dp + r * dp_stride, n,
                            bends ? 1.0F : how->scale);
        if (task->job->dtable) {
            table->add(task->far + before, task->far + before, ds, n);
        }
        if (how->cap > 0) {
            table->mul(ds, ds, task->slopes + r * block->stride, n);
        } else if (bends) {
            table->scale(ds, how->scale, ds, n);
        }
    }
}

/* Adds x^T rows to the gradient of the keys (or values) in the span; the past has none. */
static void keys_add(const struct task *task, const struct block *block, const float *x,
                     int64_t x_stride, const float *panels, float *to, int64_t stride) {
    int64_t columns = simd()->columns, past = task->head.how->past;
    int64_t width = task->head.how->width, span = block->span.begin;
    int64_t begin = span > past ? span : past, keys = block->span.end - begin;
    for (int64_t c = 0; c < width && keys > 0; c += columns) {
        int n = (int)(width - c < columns ? width - c : columns);
        simd()->multiply_turned(keys, block->rows, x + (begin - span), x_stride,
                                panels + c * block->rows, n, to + (begin - past) * stride + c,
                                stride, true);
    }
}

static void block_run(const struct task *task, const struct block *block, int64_t seed) {
    const struct job *job = task->job;
    const struct op_attention *how = task->head.how;
    const struct slot *q = &task->q, *k = &task->k, *v = &task->v;
    const float *dy = NULL;
    int64_t dy_stride = how->heads * how->width, dp_stride;
    if (job->dy) {
        int64_t row = (seed * how->batch + task->text) * how->queries;
        dy = job->dy + row * dy_stride + task->h * how->width;
    }
    if (dy && job->dv) {
        block_pack(dy, dy_stride, block, how->width, task->dy_panels);
        keys_add(task, block, block->p, block->p_stride, task->dy_panels,
                 v->data + seed * v->seed, v->stride);
    }
    if (!job->dpattern && !goes_on(job)) {
        return;
    }
    const float *dp = dp_make(task, block, seed, dy, &dp_stride);
    if (goes_on(job)) {
        ds_make(task, block, dp, dp_stride);
    }
    if (job->dq) {
        float *to = q->data + seed * q->seed + block->first * q->stride;
        head_multiply(task->ds, block->stride, block->rows, how->width, block->span,
                      task->packed, task->keys, to, q->stride, true);
    }
    if (job->dk) {
        keys_add(task, block, task->ds, block->stride, task->q_panels, k->data + seed * k->seed,
                 k->stride);
    }
}

/* ---- everything ---- */

static int64_t buckets(const struct op_attention *how) {
    return how->table->shape[0];
}

static void task_run(const struct job *job, int64_t text, int64_t h) {
    const struct op_attention *how = &job->at->how;
    struct task task = task_at(job, text, h);
    for (int64_t first = 0; first < how->queries; first += BLOCK) {
        int64_t left = how->queries - first;
        struct block block = block_at(&task, first, left < BLOCK ? left : BLOCK);
        for (int64_t s = 0; s < job->seeds; s++) {
            block_run(&task, &block, s);
        }
    }
    for (int64_t i = 0; job->dtable && i < how->past + how->queries + how->keys - 1; i++) {
        float *sums = job->dtable + (text * how->heads + h) * buckets(how);
        sums[how->distance[i]] += task.far[i];
    }
}

static void tasks_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    for (int64_t i = begin; i < end; i++) {
        task_run(job, i / job->at->how.heads, i % job->at->how.heads);
    }
}

/* Adds the shares of a group's heads, at `from`, to its gradient. */
static void group_add(const struct job *job, const float *shares, struct slot to, int64_t seed,
                      int64_t text, int64_t group) {
    const struct op_attention *how = &job->at->how;
    int64_t each = how->heads / how->groups, size = how->keys * how->width;
    int64_t first = (seed * how->batch + text) * how->heads + group * each;
    for (int64_t h = first; to.data && h < first + each; h++) {
        for (int64_t j = 0; j < how->keys; j++) {
            float *row = to.data + seed * to.seed + j * to.stride;
            simd()->add(row, row, shares + h * size + j * how->width, how->width);
        }
    }
}

static void groups_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct step *at = job->at;
    const struct op_attention *how = &at->how;
    for (int64_t i = begin; i < end; i++) {
        int64_t group = i % how->groups, text = i / how->groups % how->batch;
        int64_t seed = i / how->groups / how->batch, row = text * how->keys;
        group_add(job, job->shares, slot_at(job->dk, at->k, row, group), seed, text, group);
        group_add(job, job->shares + shares_size(job), slot_at(job->dv, at->v, row, group),
                  seed, text, group);
    }
}

/* The table's gradient is the sum over texts. */
static void table_add(const struct job *job, float *to) {
    const struct op_attention *how = &job->at->how;
    for (int64_t i = 0; i < how->batch * how->heads; i++) {
        for (int64_t b = 0; b < buckets(how); b++) {
            to[b * how->heads + i % how->heads] += job->dtable[i * buckets(how) + b];
        }
    }
}

static float *gradient_if_needed(struct tape *tape, const struct tensor *value) {
    return tape_needs(tape, value) ? tape_gradient_add(tape, value) : NULL;
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *at = (const struct step *)step;
    const struct op_attention *how = &at->how;
    struct job job = {
        .at = at, .tape = tape, .seeds = tape_seeds(tape), .dy = tape_gradient(tape, step->out)
    };
    if (at->pattern && (tape_gradient(tape, at->pattern) || tape_needs(tape, at->pattern))) {
        job.dpattern = tape_gradient_add(tape, at->pattern);
    }
    if (!job.dy && !job.dpattern) {
        return;
    }
    float *dtable = how->table ? tape_parameter_add(tape, how->table) : NULL;
    job.dq = gradient_if_needed(tape, at->q.x);
    job.dk = gradient_if_needed(tape, at->k.x);
    job.dv = gradient_if_needed(tape, at->v.x);
    if (how->heads > how->groups && (job.dk || job.dv)) {
        job.shares = arena_raw(tape->arena, 2 * (size_t)shares_size(&job) * sizeof(float));
    }
    if (dtable) {
        job.dtable =
            arena_array(tape->arena, how->batch * how->heads * buckets(how), sizeof(float));
    }
    pool_for(how->batch * how->heads, 1, tasks_run, &job);
    if (job.shares) {
        pool_for(job.seeds * how->batch * how->groups, 1, groups_run, &job);
    }
    if (dtable) {
        table_add(&job, dtable);
    }
}

void op_attention_record(struct tape *tape, const struct tensor *out, struct op_heads q,
                         struct op_heads k, struct op_heads v, const struct op_attention *how,
                         const struct tensor *pattern, const float *kept) {
    struct step *step = tape_step(tape, sizeof *step, back, out);
    step->how = *how;
    step->q = q;
    step->k = k;
    step->v = v;
    step->pattern = step->step.also = pattern;
    step->kept = kept;
    if (how->table) {
        tape_uses(tape, how->table);
    }
}
