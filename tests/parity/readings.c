#include "tests/parity/readings.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/explain/lens.h"
#include "core/explain/rollout.h"
#include "core/explain/surprisal.h"

/* A case's model and tokens. */
struct one {
    const char *name; /* "gpt2" */
    const struct model *model;
    int32_t *ids;
    int64_t tokens;
};

static int open_case(struct arena *arena, const char *data, const struct json *item,
                     struct one *one, struct err *err) {
    const char *path = json_text_at(item, "model", "");
    const struct json *ids = json_at(item, "input_ids");
    *one = (struct one){ .name = file_name(path),
                         .model = model_open(arena, file_join(arena, data, path), err) };
    if (!one->model || !ids) {
        return err_pass(err);
    }
    one->ids = arena_array(arena, ids->count + 1, sizeof *one->ids);
    for (const struct json *id = ids->first; id; id = id->next) {
        one->ids[one->tokens++] = (int32_t)strtol(id->text.bytes, NULL, 10);
    }
    return 0;
}

static void add_number(struct capture *capture, const char *name, double value) {
    struct tensor *tensor = tensor_new(capture->arena, 1, (int64_t[]){ 1 });
    tensor->data[0] = (float)value;
    capture_add(capture, NULL, name, tensor);
}

/* Windows of the case's context every `stride` tokens; 0: one pass over all. */
static int add_stride(struct capture *capture, const struct one *one, int64_t context,
                      int64_t stride, int64_t bytes, struct err *err) {
    struct arena *arena = capture->arena;
    const struct surprisal_request request = { .window = stride ? context : one->tokens,
                                               .stride = stride };
    const struct surprisal *read =
        surprisal_of_ids(arena, one->model, one->ids, one->tokens, &request, err);
    if (!read) {
        return err_pass(err);
    }
    const char *name = arena_printf(arena, "%s.stride%lld", one->name, (long long)stride);
    add_number(capture, arena_printf(arena, "%s_nll", name), read->total);
    capture_ints(capture, NULL, arena_printf(arena, "%s_count", name),
                 &(int32_t){ (int32_t)read->count }, 1);
    add_number(capture, arena_printf(arena, "%s_perplexity", name),
               surprisal_perplexity(read->total, read->count));
    add_number(capture, arena_printf(arena, "%s_bits_per_byte", name),
               surprisal_bits_per_byte(read->total, bytes));
    return 0;
}

int readings_perplexity(struct capture *capture, const char *data, const struct json *cases,
                        struct err *err) {
    for (const struct json *item = cases->first; item; item = item->next) {
        struct one one;
        const struct json *strides = json_at(item, "strides"), *text = json_at(item, "text");
        if (open_case(capture->arena, data, item, &one, err) < 0) {
            return -1;
        }
        for (const struct json *stride = strides->first; stride; stride = stride->next) {
            if (add_stride(capture, &one, json_int_at(item, "context", 0),
                           strtoll(stride->text.bytes, NULL, 10), (int64_t)text->text.length,
                           err) < 0) {
                return err_pass(err);
            }
        }
    }
    return 0;
}

/* Every layer's value of a site in one tensor, [layers, ...] of [1, ...]. */
static struct tensor *stacked(struct arena *arena, const struct trace *trace, enum site site,
                              int64_t layers) {
    const struct tensor *first = trace_at(trace, site, 0);
    int64_t shape[TENSOR_RANK] = { layers }, size = tensor_count(first);
    memcpy(shape + 1, first->shape + 1, (size_t)(first->rank - 1) * sizeof *shape);
    struct tensor *all = tensor_new(arena, first->rank, shape);
    for (int64_t l = 0; l < layers; l++) {
        memcpy(all->data + l * size, trace_at(trace, site, l)->data,
               (size_t)size * sizeof(float));
    }
    return all;
}

static int add_rollout(struct capture *capture, const struct one *one,
                       const struct tensor *attention, struct err *err) {
    static const char *const names[] = { "rollout_mean", "rollout_max" };
    for (int fuse = ROLLOUT_MEAN; fuse <= ROLLOUT_MAX; fuse++) {
        struct tensor *steps = rollout(capture->arena, attention, (enum rollout_fuse)fuse, err);
        if (!steps) {
            return err_pass(err);
        }
        capture_add(capture, one->name, names[fuse], steps);
    }
    return 0;
}

static int32_t largest(const float *row, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return (int32_t)best;
}

static int add_lens(struct capture *capture, const struct one *one, const struct tensor *states,
                    struct err *err) {
    struct arena *arena = capture->arena;
    int64_t layers = states->shape[0], t = states->shape[1], width = states->shape[2];
    int64_t vocab = one->model->config->vocab;
    struct tensor *all = tensor_new(arena, 3, (int64_t[]){ layers, t, vocab });
    struct tensor *best = tensor_new_of(arena, DTYPE_I32, 2, (int64_t[]){ layers, t });
    for (int64_t l = 0; l < layers; l++) {
        const struct tensor *logits =
            lens(arena, one->model, states->data + l * t * width, t, err);
        if (!logits || logits->shape[1] != vocab) {
            return err_pass(err);
        }
        memcpy(all->data + l * t * vocab, logits->data, (size_t)tensor_bytes(logits));
        for (int64_t i = 0; i < t; i++) {
            ((int32_t *)best->bytes)[l * t + i] = largest(logits->data + i * vocab, vocab);
        }
    }
    capture_add(capture, one->name, "logit_lens", all);
    capture_add(capture, one->name, "logit_lens_top1", best);
    return 0;
}

static bool asks(const struct json *item, const char *what) {
    const struct json *list = json_at(item, "what");
    for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
        if (strcmp(one->text.bytes, what) == 0) {
            return true;
        }
    }
    return false;
}

int readings_inside(struct capture *capture, const char *data, const struct json *cases,
                    struct err *err) {
    struct arena *arena = capture->arena;
    for (const struct json *item = cases->first; item; item = item->next) {
        struct one one;
        if (open_case(arena, data, item, &one, err) < 0) {
            return -1;
        }
        int64_t layers = one.model->config->layers;
        struct pass pass = { .arena = arena, .batch = 1, .tokens = one.tokens, .ids = one.ids };
        pass.keep[SITE_ATTENTION] = pass.keep[SITE_RESIDUAL] = true;
        const struct trace *trace = model_run(one.model, &pass, err);
        if (!trace) {
            return err_pass(err);
        }
        const struct tensor *looked = stacked(arena, trace, SITE_ATTENTION, layers);
        const struct tensor *states = stacked(arena, trace, SITE_RESIDUAL, layers + 1);
        if ((asks(item, "rollout") && add_rollout(capture, &one, looked, err) < 0) ||
            (asks(item, "lens") && add_lens(capture, &one, states, err) < 0)) {
            return -1;
        }
    }
    return 0;
}
