#include "tests/check.h"
#include "tests/fixture.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/model/arch.h"
#include "core/model/model.h"

static struct model *bert(void) {
    return fixture_model("bert_mlm");
}

static struct model *llama(void) {
    return fixture_model("llama_smollm2");
}

static struct pass everything(struct arena *arena, int64_t batch, int64_t tokens,
                              const int32_t *ids) {
    struct pass pass = { .arena = arena, .batch = batch, .tokens = tokens, .ids = ids };
    memset(pass.keep, true, sizeof pass.keep);
    return pass;
}

static const int32_t words[12] = { 2, 17, 300, 41, 5, 6, 77, 3, 1, 9, 100, 4 };

TEST(arch_find_knows_what_is_built_in) {
    check(arch_find("bert") && !arch_find("bert")->causal);
    check(arch_find("llama") && arch_find("llama")->causal);
    check(!arch_find("") && !arch_find("bertx"));
    check(arch_all()[0] != NULL);
}

TEST(site_name_follows_transformer_lens) {
    struct arena *arena = check_arena();
    check_same(site_name(arena, SITE_ATTENTION, 3), "blocks.3.attn.hook_pattern");
    check_same(site_name(arena, SITE_RESIDUAL, 0), "blocks.0.hook_resid_pre");
    check_same(site_name(arena, SITE_EMBED, 0), "hook_embed");
}

/* ---- against PyTorch ---- */

/* One stored tensor against the trace's values of a site, which lie layer by layer. */
static void check_site(const struct weights *expected, const struct trace *trace,
                       const char *name, enum site site) {
    const struct tensor *wanted = weights_at(expected, name);
    if (!check(wanted != NULL)) {
        return;
    }
    int64_t begin = 0, wrong = 0;
    for (int64_t l = 0; begin < tensor_count(wanted); l++) {
        const struct tensor *seen = trace_at(trace, site, l);
        if (!check(seen != NULL)) {
            return;
        }
        for (int64_t i = 0; i < tensor_count(seen); i++) {
            double value = (double)wanted->data[begin + i];
            wrong += !(fabs((double)seen->data[i] - value) <= 1e-4 + 1e-3 * fabs(value));
        }
        begin += tensor_count(seen);
    }
    check_int(wrong, 0);
    check_int(begin, tensor_count(wanted));
}

static void check_golden(const char *folder, const char *model_path, const char *const *cases) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct model *model = fixture_open(model_path);
    const char *path = arena_printf(arena, "golden/data/%s/expected.safetensors", folder);
    struct weights *expected = weights_open(arena, check_fixture(arena, path), &err);
    for (; model && expected && *cases; cases++) {
        const struct tensor *ids =
            weights_at(expected, arena_printf(arena, "%s.input_ids", *cases));
        if (!check(ids != NULL)) {
            return;
        }
        int32_t *list = arena_array(arena, ids->shape[0], sizeof *list);
        for (int64_t i = 0; i < ids->shape[0]; i++) {
            list[i] = ids->dtype == DTYPE_I64 ? (int32_t)ids->ints[i]
                                              : ((const int32_t *)ids->bytes)[i];
        }
        struct pass pass = everything(arena, 1, ids->shape[0], list);
        struct trace *trace = model_run(model, &pass, &err);
        if (!check(trace != NULL)) {
            return;
        }
        static const struct {
            enum site site;
            const char *name;
        } states[] = { { SITE_EMBED, "embeddings" },
                       { SITE_RESIDUAL, "hidden_states" },
                       { SITE_ATTENTION, "attentions" },
                       { SITE_FINAL, "last_hidden_state" },
                       { SITE_LOGITS, "logits" } };
        for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
            check_site(expected, trace, arena_printf(arena, "%s.%s", *cases, states[i].name),
                       states[i].site);
        }
    }
}

TEST(pass_equals_pytorch) {
    static const char *const cases[] = { "en", "zh", "one", NULL };
    check_golden("models/bert_mlm", "models/bert_mlm", cases);
    check_golden("models/bert_cls", "models/bert_cls", cases);
    check_golden("models/llama_smollm2", "models/llama_smollm2", cases);
    check_golden("gguf/llama", "gguf/llama/model.gguf", cases);
}

/* ---- determinism ---- */

/* Whether all that text `b` of one trace says of its first n tokens is in another's only text.
 */
static void check_twins(const struct trace *one, const struct trace *many, int64_t b,
                        int64_t n) {
    for (int site = 0; site < SITE_COUNT; site++) {
        for (int64_t l = 0; trace_at(one, (enum site)site, l); l++) {
            const struct tensor *x = trace_at(one, (enum site)site, l);
            const struct tensor *y = trace_at(many, (enum site)site, l);
            int64_t heads = site == SITE_ATTENTION ? x->shape[1] : 1;
            int64_t inner = site == SITE_ATTENTION ? n : x->shape[x->rank - 1];
            int64_t x_row = x->shape[x->rank - 1], y_row = y->shape[y->rank - 1];
            for (int64_t i = 0; i < heads * n; i++) {
                int64_t h = i / n, t = i % n;
                const float *p = x->data + (h * one->tokens + t) * x_row;
                const float *q = y->data + ((b * heads + h) * many->tokens + t) * y_row;
                check(memcmp(p, q, (size_t)inner * sizeof *p) == 0);
            }
        }
    }
}

static void check_threads(struct arena *arena, const struct model *model) {
    struct err err = { 0 };
    int before = pool_threads();
    struct pass pass = everything(arena, 1, 12, words);
    pool_set_threads(1);
    struct trace *one = model_run(model, &pass, &err);
    for (int threads = 2; threads <= 8; threads++) {
        pool_set_threads(threads);
        struct pass again = everything(arena, 1, 12, words);
        struct trace *many = model_run(model, &again, &err);
        if (check(one && many)) {
            check_twins(one, many, 0, 12);
        }
    }
    pool_set_threads(before);
}

TEST(pass_gives_the_same_bytes_with_any_threads) {
    struct arena *arena = check_arena();
    check_threads(arena, bert());
    check_threads(arena, llama());
}

static void check_batch(struct arena *arena, const struct model *model) {
    static const uint8_t mask[24] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    struct err err = { 0 };
    int32_t ids[24] = { 0 };
    memcpy(ids, words, 12 * sizeof *ids);
    memcpy(ids + 12, words + 3, 5 * sizeof *ids);
    struct pass both = everything(arena, 2, 12, ids);
    both.mask = mask; /* 12 tokens and 5 */
    struct pass first = everything(arena, 1, 12, words);
    struct pass second = everything(arena, 1, 5, words + 3);
    struct trace *all = model_run(model, &both, &err);
    if (check(all != NULL)) {
        check_twins(model_run(model, &first, &err), all, 0, 12);
        check_twins(model_run(model, &second, &err), all, 1, 5);
        check(trace_at(all, SITE_ATTENTION, 0)->data[12 * 12 * model->config->heads + 5] == 0);
    }
}

TEST(pass_gives_a_text_the_same_bytes_alone_and_padded_in_a_batch) {
    struct arena *arena = check_arena();
    check_batch(arena, bert());
    check_batch(arena, llama());
}

/* ---- what is kept ---- */

TEST(pass_keeps_only_what_is_wanted) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct model *model = llama();
    struct pass pass = { .arena = arena, .batch = 1, .tokens = 4, .ids = words };
    pass.keep[SITE_ATTENTION] = true;
    struct trace *trace = model_run(model, &pass, &err);
    if (!check(trace != NULL)) {
        return;
    }
    check(trace_at(trace, SITE_ATTENTION, 0) && trace_at(trace, SITE_ATTENTION, 2));
    check(!trace_at(trace, SITE_ATTENTION, 3) && !trace_at(trace, SITE_ATTENTION, -1));
    check(!trace_at(trace, SITE_RESIDUAL, 0) && !trace_at(trace, SITE_LOGITS, 0));
    const struct tensor *pattern = trace_at(trace, SITE_ATTENTION, 1);
    check(pattern->rank == 4 && pattern->shape[1] == model->config->heads);
    check(pattern->data[0] == 1 && pattern->data[1] == 0 && pattern->data[3] == 0);
}

/* ---- what is refused ---- */

static void check_refused(const struct model *model, int64_t tokens, const int32_t *ids,
                          const int32_t *types, const char *part) {
    struct err err = { 0 };
    struct pass pass = everything(check_arena(), 1, tokens, ids);
    pass.types = types;
    check(!model_run(model, &pass, &err));
    check(err.kind == ERR_TEXT);
    check_text(err.text, part);
}

TEST(pass_refuses_what_the_model_cannot_read) {
    struct arena *arena = check_arena();
    struct model *model = bert();
    int32_t *many = arena_array(arena, 33, sizeof *many);
    check_refused(model, 0, words, NULL, "no tokens");
    check_refused(model, 33, many, NULL, "33 tokens and this model reads at most 32");
    check_refused(model, 2, (int32_t[]){ 2, 640 }, NULL, "id 640 at position 1");
    check_refused(model, 2, (int32_t[]){ -1, 2 }, NULL, "vocabulary of 640");
    check_refused(model, 2, words, (int32_t[]){ 0, 2 }, "token type 2");
    check_refused(llama(), 1, words, (int32_t[]){ 1 }, "token type 1");
}

static void stop_at_second(void *arg, int64_t done, int64_t of) {
    int64_t *last = arg;
    check_int(of, 3);
    *last = done;
    if (done == 1) {
        stop_request();
    }
}

TEST(pass_stops_between_layers_when_interrupted) {
    struct arena *kept = arena_new();
    struct model *model = llama();
    int64_t held = arena_held();
    volatile bool stopped = false;
    int64_t last = -1;
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        struct err err = { 0 };
        struct pass pass = everything(kept, 1, 12, words);
        pass.progress = stop_at_second;
        pass.progress_arg = &last;
        model_run(model, &pass, &err);
    } else {
        stopped = here.err.kind == ERR_STOP;
    }
    catch_end(&here);
    stop_clear();
    check(stopped);
    check_int(last, 1); /* the third layer was never begun */
    arena_free(kept);   /* and with it the scratch that the run left behind */
    check(arena_held() <= held);
}

/* ---- values that are taken as they are born ---- */

struct taken {
    const struct trace *kept;
    const void *place; /* of the first pattern */
    int64_t patterns, streams, moved;
};

static void take(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    struct taken *taken = arg;
    const struct tensor *kept = trace_at(taken->kept, site, layer);
    check(kept && tensor_bytes(kept) == tensor_bytes(value) &&
          memcmp(kept->data, value->data, (size_t)tensor_bytes(value)) == 0);
    if (site == SITE_ATTENTION) {
        taken->place = taken->patterns++ ? taken->place : value->data;
        taken->moved += taken->place != value->data;
    }
    taken->streams += site == SITE_RESIDUAL;
}

static void check_taken(struct arena *arena, const struct model *model) {
    struct err err = { 0 };
    struct pass keeping = everything(arena, 1, 12, words), taking = keeping;
    struct taken taken = { .kept = model_run(model, &keeping, &err) };
    taking.take = take;
    taking.take_arg = &taken;
    const struct trace *trace = taken.kept ? model_run(model, &taking, &err) : NULL;
    check(trace && !trace_at(trace, SITE_ATTENTION, 0) && !trace_at(trace, SITE_LOGITS, 0));
    check_int(taken.patterns, model->config->layers);
    check_int(taken.streams, model->config->layers + 1);
    check_int(taken.moved, 0); /* each layer's pattern lies where the one before lay */
}

TEST(pass_hands_over_each_layer_and_keeps_none) {
    struct arena *arena = check_arena();
    check_taken(arena, bert());
    check_taken(arena, llama());
}
