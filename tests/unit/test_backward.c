#include "tests/check.h"
#include "tests/fixture.h"

#include <math.h>
#include <string.h>

#include "core/model/model.h"

/* model_backward: gradients at any site, several targets at once, blocks computed again. */

enum { T = 9, B = 2 };
static const int32_t ids[B * T] = { 12, 17,  300, 41, 5, 6, 77, 13, 21,
                                    9,  100, 4,   8,  3, 2, 55, 66, 31 };
static const uint8_t mask[B * T] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 };

static struct pass pass_of(struct arena *arena, const struct model *model) {
    struct pass pass = { .arena = arena, .batch = B, .tokens = T, .ids = ids, .mask = mask };
    for (int site = 0; site < SITE_COUNT; site++) {
        pass.keep[site] = model_has(model, (enum site)site);
    }
    if (model->config->decoder_layers > 0) { /* the decoder reads the same tokens */
        pass.decoder_tokens = T;
        pass.decoder_ids = ids;
    }
    pass.record = true;
    return pass;
}

/* S seeds of [S, ...] at the logits, with numbers that no symmetry helps. */
static struct tensor *seeds_of(struct arena *arena, const struct tensor *logits,
                               int64_t seeds) {
    int64_t shape[TENSOR_RANK] = { seeds };
    memcpy(shape + 1, logits->shape, (size_t)logits->rank * sizeof *shape);
    struct tensor *seed = tensor_new(arena, logits->rank + 1, shape);
    for (int64_t i = 0; i < tensor_count(seed); i++) {
        seed->data[i] = (float)((uint32_t)(i + 1) * 2654435761U >> 16) / 32768 - 1;
    }
    return seed;
}

struct gone {
    struct trace *trace;
    const struct tensor *seed;
};

/* A recorded run and gradients at all of its sites. */
static struct gone go_back(struct arena *arena, const struct model *model, int64_t budget,
                           int64_t seeds) {
    struct err err = { 0 };
    struct pass pass = pass_of(arena, model);
    struct backward ask = { .seeds = seeds, .count = 1 };
    struct gone gone = { 0 };
    pass.budget = budget;
    gone.trace = model_run(model, &pass, &err);
    gone.seed = seeds_of(arena, trace_at(gone.trace, SITE_LOGITS, 0), seeds);
    struct seed from = { .site = SITE_LOGITS, .gradient = gone.seed };
    ask.from = &from;
    memcpy(ask.want, pass.keep, sizeof ask.want);
    if (!check(model_backward(gone.trace, &ask, &err) == 0)) {
        check_text(err.text, "no error");
    }
    return gone;
}

static void check_same_gradients(const struct trace *a, const struct trace *b) {
    int64_t compared = 0;
    for (int site = 0; site < SITE_COUNT; site++) {
        for (int64_t l = 0; trace_gradient(a, (enum site)site, l); l++) {
            const struct tensor *x = trace_gradient(a, (enum site)site, l);
            const struct tensor *y = trace_gradient(b, (enum site)site, l);
            check(y && memcmp(x->data, y->data, (size_t)tensor_bytes(x)) == 0);
            compared++;
        }
    }
    check(compared > 3);
}

/* The last two have no blocks to resume at, nor patterns. */
static const char *const models[] = { "gpt2",       "bert_mlm", "llama3",  "gpt_neox",
                                      "modernbert", "t5",       "lstm_lm", "gru_lm" };
enum { MODELS = sizeof models / sizeof *models, TRANSFORMERS = MODELS - 2 };

TEST(backward_computes_blocks_again_to_the_same_bytes) {
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        check_same_gradients(go_back(arena, model, 0, 1).trace,
                             go_back(arena, model, 1, 1).trace);
    }
}

/* Two targets that start at every site of every layer, and wants at all of them. */
static struct trace *go_back_from_everywhere(struct arena *arena, const struct model *model,
                                             int64_t budget) {
    struct err err = { 0 };
    struct pass pass = pass_of(arena, model);
    struct seed from[SITE_COUNT * 8];
    struct backward ask = { .seeds = 2, .from = from };
    pass.budget = budget;
    struct trace *trace = model_run(model, &pass, &err);
    for (int site = 0; site < SITE_COUNT; site++) {
        for (int64_t l = 0; trace_at(trace, (enum site)site, l); l++) {
            from[ask.count++] = (struct seed){
                .site = (enum site)site,
                .layer = l,
                .gradient = seeds_of(arena, trace_at(trace, (enum site)site, l), 2),
            };
        }
    }
    memcpy(ask.want, pass.keep, sizeof ask.want);
    if (!check(model_backward(trace, &ask, &err) == 0)) {
        check_text(err.text, "no error");
    }
    return trace;
}

TEST(backward_starts_within_blocks_that_run_again) {
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        check_same_gradients(go_back_from_everywhere(arena, model, 0),
                             go_back_from_everywhere(arena, model, 1));
    }
}

/* Values that are handed over have gradients like those that are kept. */
static void let_go(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    int64_t *seen = arg;
    (void)site, (void)layer, (void)value;
    ++*seen;
}

TEST(backward_goes_through_values_that_were_taken) {
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        struct err err = { 0 };
        const struct model *model = fixture_model(models[m]);
        struct gone kept = go_back(arena, model, 0, 1);
        struct pass pass = pass_of(arena, model);
        int64_t seen = 0;
        pass.take = let_go;
        pass.take_arg = &seen;
        struct trace *taken = model_run(model, &pass, &err);
        struct seed from = { .site = SITE_LOGITS, .gradient = kept.seed };
        struct backward ask = { .from = &from, .count = 1 };
        memcpy(ask.want, pass.keep, sizeof ask.want);
        check(model_backward(taken, &ask, &err) == 0);
        check(seen > 3 && !trace_at(taken, SITE_LOGITS, 0));
        check_same_gradients(kept.trace, taken);
    }
}

/* Each of several seeds gives what it gives alone. */
TEST(backward_takes_several_seeds_at_once) {
    for (int m = 0; m < MODELS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        struct gone all = go_back(arena, model, 0, 3);
        int64_t n = tensor_count(all.seed) / 3;
        for (int64_t s = 0; s < 3; s++) {
            struct tensor one = *all.seed;
            struct err err = { 0 };
            struct pass pass = pass_of(arena, model);
            struct trace *trace = model_run(model, &pass, &err);
            one.data += s * n;
            one.shape[0] = 1;
            struct seed from = { .site = SITE_LOGITS, .gradient = &one };
            struct backward ask = { .from = &from, .count = 1 };
            memcpy(ask.want, pass.keep, sizeof ask.want);
            check(model_backward(trace, &ask, &err) == 0);
            for (int site = 0; site < SITE_COUNT; site++) {
                for (int64_t l = 0; trace_gradient(trace, (enum site)site, l); l++) {
                    const struct tensor *x = trace_gradient(trace, (enum site)site, l);
                    const struct tensor *y = trace_gradient(all.trace, (enum site)site, l);
                    double worst = 0, size = 1e-6;
                    for (int64_t i = 0; i < tensor_count(x); i++) {
                        double a = (double)x->data[i];
                        double b = (double)y->data[s * tensor_count(x) + i];
                        worst = fmax(worst, fabs(a - b));
                        size = fmax(size, fabs(a));
                    }
                    check_near(worst / size, 0, 1e-5);
                }
            }
        }
    }
}

/* ---- the residual stream by central differences, of runs resumed there ---- */

static double value_of(const struct model *model, const struct tensor *stream, int64_t layer,
                       const struct tensor *seed) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct pass pass = pass_of(arena, model);
    double value = 0;
    pass.record = false;
    pass.stream = stream;
    pass.from = layer;
    struct trace *trace = model_run(model, &pass, &err);
    const struct tensor *logits = trace ? trace_at(trace, SITE_LOGITS, 0) : NULL;
    for (int64_t i = 0; logits && i < tensor_count(logits); i++) {
        value += (double)logits->data[i] * (double)seed->data[i];
    }
    return logits ? value : (double)NAN;
}

static void check_stream(const struct model *model, const struct gone *gone, int64_t layer) {
    struct arena *arena = check_arena();
    const struct tensor *x = trace_at(gone->trace, SITE_RESIDUAL, layer);
    const struct tensor *dx = trace_gradient(gone->trace, SITE_RESIDUAL, layer);
    int64_t n = tensor_count(x);
    double slope = 0, square = 0;
    struct tensor *up = tensor_new(arena, 3, x->shape), *down = tensor_new(arena, 3, x->shape);
    const float h = 2e-3F;
    for (int64_t i = 0; i < n; i++) {
        float d = (float)((uint32_t)(i + 7) * 2246822519U >> 16) / 32768 - 1;
        up->data[i] = x->data[i] + h * d;
        down->data[i] = x->data[i] - h * d;
        slope += (double)d * (double)dx->data[i];
        square += (double)dx->data[i] * (double)dx->data[i];
    }
    double difference =
        (value_of(model, up, layer, gone->seed) - value_of(model, down, layer, gone->seed)) /
        (2 * (double)h);
    check_near(difference, slope, 1e-2 * sqrt(square) + 1e-2);
}

TEST(backward_at_every_layer_is_a_central_difference) {
    for (int m = 0; m < TRANSFORMERS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        struct gone gone = go_back(arena, model, 0, 1);
        for (int64_t l = 0; l <= model->config->layers; l++) {
            check_stream(model, &gone, l);
        }
    }
}

/* A pattern's rows of queries sum with z: d/d pattern . pattern = d/d z . z, head by head (z is
 * linear in the pattern), as long as every probability counts. */
TEST(backward_at_the_pattern_agrees_with_what_it_mixes) {
    for (int m = 0; m < TRANSFORMERS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        struct gone gone = go_back(arena, model, 0, 1);
        for (int64_t l = 0; l < model->config->layers; l++) {
            double by_pattern = 0, by_mixed = 0, size = 0;
            const struct tensor *p = trace_at(gone.trace, SITE_ATTENTION, l);
            const struct tensor *dp = trace_gradient(gone.trace, SITE_ATTENTION, l);
            const struct tensor *z = trace_at(gone.trace, SITE_MIXED, l);
            const struct tensor *dz = trace_gradient(gone.trace, SITE_MIXED, l);
            for (int64_t i = 0; i < tensor_count(p); i++) {
                by_pattern += (double)p->data[i] * (double)dp->data[i];
            }
            for (int64_t i = 0; i < tensor_count(z); i++) {
                by_mixed += (double)z->data[i] * (double)dz->data[i];
                size += fabs((double)z->data[i] * (double)dz->data[i]);
            }
            check_near(by_pattern, by_mixed, 1e-5 * size + 1e-6);
        }
    }
}

static double product(const struct trace *trace, enum site site, int64_t layer, double *size) {
    const struct tensor *x = trace_at(trace, site, layer);
    const struct tensor *dx = trace_gradient(trace, site, layer);
    double sum = 0;
    for (int64_t i = 0; i < tensor_count(x); i++) {
        sum += (double)x->data[i] * (double)dx->data[i];
        *size += fabs((double)x->data[i] * (double)dx->data[i]);
    }
    return sum;
}

/* Scores are linear in queries and in keys, and what is mixed is in values; so the sums over
 * x dx agree, wherever the heads lie: q with k, and v with z. */
TEST(backward_at_queries_agrees_with_keys_and_at_values_with_what_is_mixed) {
    for (int m = 0; m < TRANSFORMERS; m++) {
        struct arena *arena = check_arena();
        const struct model *model = fixture_model(models[m]);
        const struct trace *trace = go_back(arena, model, 0, 1).trace;
        for (int stack = 0; stack <= (model_decodes(model) ? SITE_DECODER : 0);
             stack += SITE_DECODER) {
            for (int64_t l = 0; trace_at(trace, (enum site)(SITE_QUERY + stack), l); l++) {
                double size = 0;
                double q = product(trace, (enum site)(SITE_QUERY + stack), l, &size);
                double k = product(trace, (enum site)(SITE_KEY + stack), l, &size);
                check_near(q, k, 1e-5 * size + 1e-6);
                double v = product(trace, (enum site)(SITE_VALUE + stack), l, &size);
                double z = product(trace, (enum site)(SITE_MIXED + stack), l, &size);
                check(size > 0);
                check_near(v, z, 1e-5 * size + 1e-6);
            }
        }
    }
}

TEST(backward_refuses_what_was_not_kept) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct model *model = fixture_model("gpt2");
    struct pass pass = { .arena = arena, .batch = B, .tokens = T, .ids = ids };
    pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(model, &pass, &err);
    struct seed from = { .site = SITE_LOGITS,
                         .gradient = seeds_of(arena, trace_at(trace, SITE_LOGITS, 0), 1) };
    struct backward ask = { .from = &from, .count = 1 };
    check(model_backward(trace, &ask, &err) < 0);
    check_text(err.text, "did not record");
    pass.record = true;
    trace = model_run(model, &pass, &err);
    ask.want[SITE_RESIDUAL] = true;
    check(model_backward(trace, &ask, &err) < 0);
    check_text(err.text, "hook_resid_pre");
    ask.want[SITE_RESIDUAL] = false;
    from.site = SITE_FINAL;
    check(model_backward(trace, &ask, &err) < 0);
    check_text(err.text, "ln_final");
    from.site = SITE_LOGITS;
    ask.seeds = 2;
    check(model_backward(trace, &ask, &err) < 0);
    check_text(err.text, "2 times [2, 9, 512]");
}

/* What was asked for before the refusal is not owed any more: the tensors made for one seed
 * would not hold those of two. */
TEST(backward_forgets_what_it_refused) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct model *model = fixture_model("gpt2");
    struct pass pass = { .arena = arena, .batch = B, .tokens = T, .ids = ids, .record = true };
    pass.keep[SITE_EMBED] = pass.keep[SITE_LOGITS] = true;
    struct trace *trace = model_run(model, &pass, &err);
    struct seed from = { .site = SITE_LOGITS,
                         .gradient = seeds_of(arena, trace_at(trace, SITE_LOGITS, 0), 1) };
    struct backward ask = { .from = &from, .count = 1, .want = { [SITE_EMBED] = true } };
    check(model_backward(trace, &ask, &err) == 0);
    const struct tensor *before = trace_gradient(trace, SITE_EMBED, 0);
    struct tensor *copy = tensor_new(arena, before->rank, before->shape);
    memcpy(copy->data, before->data, (size_t)tensor_bytes(before));
    ask.want[SITE_FINAL] = true;
    check(model_backward(trace, &ask, &err) < 0);
    const struct tensor *after = trace_gradient(trace, SITE_EMBED, 0);
    check(after == before);
    ask.want[SITE_FINAL] = false;
    ask.seeds = 2;
    from.gradient = seeds_of(arena, trace_at(trace, SITE_LOGITS, 0), 2);
    check(model_backward(trace, &ask, &err) == 0);
    check(memcmp(copy->data, after->data, (size_t)tensor_bytes(copy)) == 0);
    check(memcmp(copy->data, trace_gradient(trace, SITE_EMBED, 0)->data,
                 (size_t)tensor_bytes(copy)) == 0);
}

/* ---- behind a prefix ---- */

enum { P = 4, OWN = T - P }; /* of the T tokens of both texts, which begin alike */

/* Gradients at every kept site of two texts behind a prefix of P tokens, or of all T. */
static struct trace *behind(struct arena *arena, const struct model *model,
                            const struct pass *how, const struct tensor *seed) {
    struct err err = { 0 };
    struct pass pass = *how;
    pass.arena = arena;
    pass.record = true;
    pass.keep[SITE_EMBED] = pass.keep[SITE_RESIDUAL] = pass.keep[SITE_LOGITS] = true;
    pass.keep[SITE_QUERY] = pass.keep[SITE_KEY] = pass.keep[SITE_VALUE] = true;
    struct trace *trace = model_run(model, &pass, &err);
    if (!check(trace != NULL)) {
        check_text(err.text, "no error");
    }
    struct seed from = { .site = SITE_LOGITS, .gradient = seed };
    struct backward ask = { .from = &from, .count = 1 };
    memcpy(ask.want, pass.keep, sizeof ask.want);
    check(model_backward(trace, &ask, &err) == 0);
    return trace;
}

/* Of [1, B, T, ...] the last OWN tokens against [1, B, OWN, ...]. */
static void check_last(const struct tensor *all, const struct tensor *own) {
    int64_t width = own->shape[3];
    double worst = 0, size = 1e-6;
    for (int64_t i = 0; i < tensor_count(own); i++) {
        int64_t b = i / (OWN * width), at = (b * T + P) * width + i % (OWN * width);
        worst = fmax(worst, fabs((double)all->data[at] - (double)own->data[i]));
        size = fmax(size, fabs((double)own->data[i]));
    }
    check_near(worst / size, 0, 1e-5);
}

/* Tokens see those before, not after: what comes after the prefix has the gradient that it has
 * in the full run. The first run's own tokens join a prefix, which a budget must not mislead
 * when blocks run again. */
static void check_behind(const struct model *model) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    int32_t all[B * T], own[B * OWN];
    uint8_t all_mask[B * T], own_mask[B * OWN];
    for (int i = 0; i < B * T; i++) {
        all[i] = i % T < P ? ids[i % T] : ids[i];
        all_mask[i] = i != B * T - 1;
    }
    for (int i = 0; i < B * OWN; i++) {
        own[i] = all[i / OWN * T + P + i % OWN];
        own_mask[i] = i != B * OWN - 1;
    }
    struct pass begin = { .arena = arena, .batch = 1, .tokens = P, .ids = ids };
    struct pass full = { .batch = B, .tokens = T, .ids = all, .mask = all_mask };
    struct pass rest = { .batch = B, .tokens = OWN, .ids = own, .mask = own_mask };
    begin.prefix = rest.prefix = prefix_new(arena, model, T);
    begin.extend = true;
    check(model_run(model, &begin, &err) != NULL);
    int64_t shape[] = { 1, B, OWN, model->config->vocab }, longer[] = { 1, B, T, shape[3] };
    struct tensor *seed = tensor_new(arena, 4, shape), *wide = tensor_new(arena, 4, longer);
    for (int64_t i = 0; i < tensor_count(seed); i++) {
        int64_t row = i / shape[3];
        seed->data[i] = row == B * OWN - 1 ? 0 : (float)(i * 7919 % 1000) / 500 - 1;
        wide->data[(row / OWN * T + P + row % OWN) * shape[3] + i % shape[3]] = seed->data[i];
    }
    const struct trace *whole = behind(arena, model, &full, wide);
    const struct trace *part = behind(arena, model, &rest, seed);
    rest.budget = 1;
    check_same_gradients(part, behind(arena, model, &rest, seed));
    for (int site = 0; site < SITE_LOGITS; site++) {
        for (int64_t l = 0; trace_gradient(part, (enum site)site, l); l++) {
            check_last(trace_gradient(whole, (enum site)site, l),
                       trace_gradient(part, (enum site)site, l));
        }
    }

    struct pass joins = { .batch = 1, .tokens = OWN, .ids = own, .prefix = begin.prefix };
    struct tensor one = *seed;
    one.shape[1] = 1;
    const struct trace *alone = behind(arena, model, &joins, &one);
    joins.extend = true;
    joins.budget = 1;
    check_same_gradients(alone, behind(arena, model, &joins, &one));
    check_int(begin.prefix->tokens, T);
}

TEST(backward_behind_a_prefix_is_that_of_the_full_run) {
    static const char *const causal[] = { "gpt2", "llama3", "gpt_neox", "opt", "mistral" };
    for (size_t m = 0; m < sizeof causal / sizeof *causal; m++) {
        check_behind(fixture_model(causal[m]));
    }
}

/* ---- budgets ---- */

static bool runs_again(const char *name, int64_t decoder_tokens, int64_t budget) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct pass pass = { .arena = arena, .batch = 1, .tokens = 1, .ids = ids, .record = true };
    pass.decoder_tokens = decoder_tokens;
    pass.decoder_ids = ids;
    pass.budget = budget;
    check(model_run(fixture_model(name), &pass, &err) != NULL);
    return pass.again;
}

TEST(backward_counts_what_a_decoder_keeps) {
    check(!runs_again("t5", 0, 20000));
    check(runs_again("t5", T, 20000));
    check(!runs_again("t5", T, 2000000));
    check(!runs_again("lstm_lm", 0, 1)); /* has no blocks to run again */
}

/* ---- parameters ---- */

struct handed {
    const struct weights *weights;
    const char *names[2000];
    int64_t count;
};

static void hand(void *arg, const char *name, const struct tensor *gradient) {
    struct handed *handed = arg;
    const struct tensor *of = weights_at(handed->weights, name);
    bool same = of && of->rank == gradient->rank && gradient->dtype == DTYPE_F32 &&
                memcmp(of->shape, gradient->shape, (size_t)of->rank * sizeof *of->shape) == 0;
    if (!check(same)) {
        check_same(name, "a name and a shape of the file's");
    }
    for (int64_t i = 0; i < handed->count; i++) {
        check(strcmp(handed->names[i], name) != 0);
    }
    handed->names[handed->count++] = name;
}

/* The gradient of every tensor of a file comes once, in its shape. */
static void check_parameters(const char *name, int64_t budget) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct model *model = fixture_model(name);
    struct pass pass = pass_of(arena, model);
    struct handed handed = { .weights = model->weights };
    pass.budget = budget;
    struct trace *trace = model_run(model, &pass, &err);
    struct seed from = { .site = SITE_LOGITS,
                         .gradient = seeds_of(arena, trace_at(trace, SITE_LOGITS, 0), 1) };
    struct backward ask = { .from = &from, .count = 1, .parameter = hand, .arg = &handed };
    check(model_backward(trace, &ask, &err) == 0);
    for (int64_t i = 0; i < model->weights->count; i++) {
        const char *tensor = model->weights->tensors[i].name;
        bool found = strstr(tensor, ".attn.bias"); /* GPT-2's mask: no parameter */
        for (int64_t h = 0; h < handed.count && !found; h++) {
            found = strcmp(handed.names[h], tensor) == 0;
        }
        if (!check(found)) {
            check_same(tensor, name);
        }
    }
}

TEST(backward_hands_over_every_parameter_of_every_architecture) {
    static const char *const names[] = { "bert_cls", "bert_mlm", "distilbert", "gemma3",
                                         "gpt2",     "gpt_neox", "llama2",     "llama_smollm2",
                                         "llama3",   "mistral",  "modernbert", "opt",
                                         "phi",      "qwen2",    "qwen3",      "roberta",
                                         "t5",       "gru_lm",   "lstm_lm",    "rnn_lm" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_parameters(names[i], 0);
        check_parameters(names[i], 1);
    }
}
