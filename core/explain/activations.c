#include "core/explain/activations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"

/* ---- sites by name ---- */

/* What users call a site; `shift` of the residual stream: what leaves block l enters l + 1. */
struct called {
    const char *name;
    enum site site;
    int shift;
};

static const struct called names[] = {
    { "resid_pre", SITE_RESIDUAL, 0 },
    { "resid_post", SITE_RESIDUAL, 1 },
    { "resid_mid", SITE_MIDDLE, 0 },
    { "attn_out", SITE_ATTENTION_OUT, 0 },
    { "mlp_out", SITE_MLP_OUT, 0 },
    { "post", SITE_NEURONS, 0 },
    { "q", SITE_QUERY, 0 },
    { "k", SITE_KEY, 0 },
    { "v", SITE_VALUE, 0 },
    { "z", SITE_MIXED, 0 },
    { "output", SITE_OUTPUT, 0 },
    { "cell", SITE_CELL, 0 },
};

/* Passes "blocks.3." or "layers.3."; the number goes to *layer. */
static const char *pass_layer(const char *name, int64_t *layer) {
    char *end;
    bool has = strncmp(name, "blocks.", 7) == 0 || strncmp(name, "layers.", 7) == 0;
    if (!has || name[7] < '0' || name[7] > '9') {
        return name;
    }
    *layer = strtoll(name + 7, &end, 10);
    return *end == '.' ? end + 1 : name;
}

static const char *pass_part(const char *name, const char *part) {
    size_t n = strlen(part);
    return strncmp(name, part, n) == 0 ? name + n : name;
}

static const struct called *called_of(const char *name, int64_t *layer) {
    name = pass_layer(name, layer);
    name = pass_part(pass_part(name, "attn."), "mlp.");
    name = pass_part(name, "hook_");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return &names[i];
        }
    }
    return NULL;
}

static int64_t layers_of(const struct model *model) {
    return model->config->layers;
}

int activations_site(const struct model *model, const char *name,
                     struct activations_request *request, int64_t *layer, struct err *err) {
    char shown[80];
    bool stream = model_has(model, SITE_RESIDUAL);
    *layer = -1;
    request->first = 0;
    request->columns = layers_of(model);
    if (!name || strcmp(name, "resid") == 0) {
        request->site = stream ? SITE_RESIDUAL : SITE_OUTPUT;
        request->columns += stream;
        return 0;
    }
    const struct called *called = called_of(name, layer);
    if (!called) {
        return err_set(err, ERR_OPTION,
                       "there is no place called %s: there are resid, resid_pre, resid_mid, "
                       "resid_post, attn_out, mlp_out, post (neurons), q, k, v, z, and of "
                       "recurrent nets output and cell, also in full as "
                       "blocks.3.mlp.hook_post",
                       err_quote(shown, sizeof shown, name, strlen(name)));
    }
    if (!model_has(model, called->site)) {
        return err_set(err, ERR_OPTION, "a model of the kind %s has no place called %s",
                       model->arch->name, called->name);
    }
    if (*layer >= request->columns) {
        return err_set(err, ERR_OPTION, "%s: the model has layers 0 to %lld",
                       err_quote(shown, sizeof shown, name, strlen(name)),
                       (long long)request->columns - 1);
    }
    request->site = called->site;
    request->first = called->shift;
    return 0;
}

/* ---- numbers ---- */

/* The bits of a magnitude grow as it does. */
static uint32_t magnitude_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x7fffffffU;
}

enum { HALF = 1 << 16, NOT_NAN = 0x7f800000 };

/* The magnitude of rank k (from 0) of those that are numbers: first its upper 16 bits, then the
 * lower ones among those that share them. */
static float select_magnitude(const float *values, int64_t n, int64_t k) {
    int64_t counts[HALF] = { 0 };
    uint32_t upper = 0, lower = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = magnitude_bits(values[i]);
        counts[bits >> 16] += bits <= NOT_NAN;
    }
    while (k >= counts[upper]) {
        k -= counts[upper++];
    }
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = magnitude_bits(values[i]);
        counts[bits & 0xffff] += bits >> 16 == upper && bits <= NOT_NAN;
    }
    while (k >= counts[lower]) {
        k -= counts[lower++];
    }
    uint32_t bits = upper << 16 | lower;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double activations_median(const float *values, int64_t n) {
    int64_t good = 0;
    for (int64_t i = 0; i < n; i++) {
        good += !isnan(values[i]);
    }
    if (good == 0) {
        return (double)NAN;
    }
    double low = (double)select_magnitude(values, n, (good - 1) / 2);
    return good % 2 ? low : (low + (double)select_magnitude(values, n, good / 2)) / 2;
}

/* One vector's norm, and its value of largest magnitude; NaN where it has one. */
static void measure(const float *vector, int64_t width, float *norm, float *largest,
                    int64_t *dimension) {
    double square = 0;
    int64_t best = 0;
    for (int64_t i = 0; i < width; i++) {
        square += (double)vector[i] * (double)vector[i];
        bool more = fabsf(vector[i]) > fabsf(vector[best]) || isnan(vector[i]);
        best = more && !isnan(vector[best]) ? i : best;
    }
    *norm = (float)sqrt(square);
    *largest = vector[best];
    *dimension = best;
}

bool activations_massive(const struct activations *of, int64_t token, int64_t column) {
    double value = fabs((double)of->largest[token * of->columns + column]);
    return value > 100 && value >= 1000 * (double)of->medians[column];
}

double activations_z(const struct activations *of, int64_t layer, int64_t index) {
    double away = (double)of->peak[layer * of->inner + index] - of->mean[layer];
    return of->sd[layer] > 0 ? away / of->sd[layer] : 0;
}

int64_t activations_top(const struct activations *of, bool by_z, int64_t top,
                        struct activations_neuron *out) {
    int64_t found = 0;
    double least = -1;
    for (int64_t i = 0; top > 0 && i < of->layers * of->inner; i++) {
        struct activations_neuron one = { i / of->inner, i % of->inner };
        double value =
            fabs(by_z ? activations_z(of, one.layer, one.index) : (double)of->peak[i]);
        if ((of->ranked && !of->ranked[one.layer]) || isnan(value) ||
            (found == top && value <= least)) {
            continue;
        }
        int64_t at = found < top ? found++ : top - 1;
        for (; at > 0; at--) {
            const struct activations_neuron *before = &out[at - 1];
            double other =
                fabs(by_z ? activations_z(of, before->layer, before->index)
                          : (double)of->peak[before->layer * of->inner + before->index]);
            if (value <= other) {
                break;
            }
            out[at] = *before;
        }
        out[at] = one;
        const struct activations_neuron *last = &out[found - 1];
        least = fabs(by_z ? activations_z(of, last->layer, last->index)
                          : (double)of->peak[last->layer * of->inner + last->index]);
    }
    return found;
}

/* ---- the run ---- */

struct taking {
    struct activations *of;
    const struct activations_request *request;
};

static void take_site(struct activations *of, int64_t layer, const struct tensor *value) {
    int64_t column = layer - of->first, t = of->tokens, width = of->width;
    if (column < 0 || column >= of->columns) {
        return;
    }
    for (int64_t i = 0; i < t; i++) {
        int64_t at = i * of->columns + column;
        measure(value->data + i * width, width, &of->norms[at], &of->largest[at],
                &of->dimension[at]);
    }
    of->medians[column] = (float)activations_median(value->data, t * width);
    if (of->values) {
        memcpy(of->values + column * t * width, value->data,
               (size_t)(t * width) * sizeof(float));
    }
}

/* Peaks, mean and standard deviation of a layer's neurons over the tokens looked at. */
static void take_neurons(struct activations *of, int64_t layer, const struct tensor *value) {
    int64_t n = 0, inner = of->inner;
    float *peak = of->peak + layer * inner;
    int64_t *at = of->peak_at + layer * inner;
    double sum = 0, square = 0;
    for (int64_t t = 0; t < of->tokens; t++) {
        const float *row = value->data + t * inner;
        for (int64_t i = 0; of->looked[t] && i < inner; i++) {
            bool first = n == 0;
            if (first || fabsf(row[i]) > fabsf(peak[i])) {
                peak[i] = row[i];
                at[i] = t;
            }
            sum += (double)row[i];
        }
        n += of->looked[t];
    }
    double mean = n > 0 ? sum / (double)(n * inner) : 0;
    for (int64_t t = 0; t < of->tokens; t++) {
        for (int64_t i = 0; of->looked[t] && i < inner; i++) {
            double away = (double)value->data[t * inner + i] - mean;
            square += away * away;
        }
    }
    of->mean[layer] = mean;
    of->sd[layer] = n > 0 ? sqrt(square / (double)(n * inner)) : 0;
}

static void take(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    struct taking *taking = arg;
    struct activations *of = taking->of;
    const struct activations_request *request = taking->request;
    if (site == of->site) {
        take_site(of, layer, value);
    }
    if (site != of->neuron_site) {
        return;
    }
    take_neurons(of, layer, value);
    for (int64_t k = 0; k < request->neuron_count; k++) {
        for (int64_t t = 0; request->neurons[k].layer == layer && t < of->tokens; t++) {
            of->strips[k * of->tokens + t] =
                value->data[t * of->inner + request->neurons[k].index];
        }
    }
}

/* Numbers in a vector at the site. */
static int64_t width_of(const struct model *model, enum site site) {
    const struct config *c = model->config;
    switch (site) {
    case SITE_NEURONS:
        return c->inner;
    case SITE_QUERY:
    case SITE_MIXED:
        return c->heads * c->head_width;
    case SITE_KEY:
    case SITE_VALUE:
        return c->kv_heads * c->head_width;
    default:
        return c->width;
    }
}

static void mark_looked(struct activations *of, const struct activations_request *request) {
    for (int64_t i = 0; i < request->position_count; i++) {
        of->looked[request->positions[i]] = true;
    }
    bool causal = of->model->arch->causal;
    int64_t left = 0;
    for (int64_t t = 0; !request->positions && t < of->tokens; t++) {
        of->looked[t] = !of->encoding->tokens[t].special && !(causal && t == 0);
        left += of->looked[t];
    }
    if (!request->positions && left == 0) { /* one token: it is all there is */
        memset(of->looked, 1, (size_t)of->tokens);
    }
}

static int check_neurons(const struct activations *of,
                         const struct activations_request *request, struct err *err) {
    if (request->neuron_count > 0 && of->neuron_site == SITE_COUNT) {
        return err_set(err, ERR_OPTION, "a model of the kind %s has no neurons to look at",
                       of->model->arch->name);
    }
    for (int64_t i = 0; i < request->neuron_count; i++) {
        const struct activations_neuron *one = &request->neurons[i];
        if (one->layer < 0 || one->layer >= of->layers || one->index < 0 ||
            one->index >= of->inner) {
            return err_set(err, ERR_OPTION,
                           "there is no neuron %lld.%lld: the model has layers 0 to %lld of "
                           "neurons 0 to %lld",
                           (long long)one->layer, (long long)one->index,
                           (long long)of->layers - 1, (long long)of->inner - 1);
        }
    }
    return 0;
}

static void rank_layers(struct arena *arena, struct activations *of,
                        const struct activations_request *request) {
    of->ranked = request->ranked ? arena_array(arena, of->layers, sizeof *of->ranked) : NULL;
    for (int64_t i = 0; of->ranked && i < request->ranked_count; i++) {
        int64_t last = of->layers - 1;
        of->ranked[request->ranked[i] < last ? request->ranked[i] : last] = true;
    }
}

static void make_room(struct arena *arena, struct activations *of,
                      const struct activations_request *request) {
    const struct model *model = of->model;
    int64_t cells = of->tokens * of->columns;
    of->norms = arena_array(arena, cells, sizeof *of->norms);
    of->largest = arena_array(arena, cells, sizeof *of->largest);
    of->dimension = arena_array(arena, cells, sizeof *of->dimension);
    of->medians = arena_array(arena, of->columns, sizeof *of->medians);
    of->looked = arena_array(arena, of->tokens, sizeof *of->looked);
    if (request->values) {
        of->values =
            tensor_new(arena, 3, (int64_t[]){ of->columns, of->tokens, of->width })->data;
    }
    of->neuron_site = model_has(model, SITE_NEURONS)  ? SITE_NEURONS
                      : model_has(model, SITE_OUTPUT) ? SITE_OUTPUT
                                                      : SITE_COUNT;
    if (of->neuron_site == SITE_COUNT) {
        return;
    }
    of->layers = layers_of(model);
    of->inner = width_of(model, of->neuron_site);
    rank_layers(arena, of, request);
    of->peak = tensor_new(arena, 2, (int64_t[]){ of->layers, of->inner })->data;
    of->peak_at = arena_array(arena, of->layers * of->inner, sizeof *of->peak_at);
    of->mean = arena_array(arena, of->layers, sizeof *of->mean);
    of->sd = arena_array(arena, of->layers, sizeof *of->sd);
    of->strips = arena_array(arena, request->neuron_count * of->tokens + 1, sizeof(float));
}

struct activations *activations_of(struct arena *arena, const struct model *model,
                                   const char *text, size_t length, struct err *err) {
    struct activations *of = arena_alloc(arena, sizeof *of);
    of->model = model;
    of->text = text;
    of->length = length;
    of->encoding =
        model_reads_text(model, err) < 0
            ? NULL
            : tokenizer_encode(arena, model->tokenizer, text, length, NULL, 0, true, err);
    if (!of->encoding) {
        err_pass(err);
        return NULL;
    }
    of->tokens = of->encoding->count;
    if (of->tokens == 0) {
        err_set(err, ERR_TEXT, "the text has no token: write at least one word");
        return NULL;
    }
    if (!config_fits(model->config, of->tokens)) {
        err_set(err, ERR_TEXT,
                "the text has %lld tokens, but the model reads at most %lld: shorten it",
                (long long)of->tokens, (long long)model->config->context);
        return NULL;
    }
    return of;
}

int activations_run(struct arena *arena, struct activations *of,
                    const struct activations_request *request, struct err *err) {
    of->site = request->site;
    of->first = request->first;
    of->columns = request->columns;
    of->width = width_of(of->model, of->site);
    make_room(arena, of, request);
    mark_looked(of, request);
    if (check_neurons(of, request, err) < 0) {
        return -1;
    }
    struct arena **scratch = guard_arena(arena);
    struct taking taking = { of, request };
    int32_t *ids = arena_array(*scratch, of->tokens, sizeof *ids);
    for (int64_t t = 0; t < of->tokens; t++) {
        ids[t] = of->encoding->tokens[t].id;
    }
    struct pass pass = { .arena = *scratch,
                         .batch = 1,
                         .tokens = of->tokens,
                         .ids = ids,
                         .take = take,
                         .take_arg = &taking };
    pass.keep[of->site] = true;
    pass.keep[of->neuron_site == SITE_COUNT ? of->site : of->neuron_site] = true;
    const struct trace *trace = model_run(of->model, &pass, err);
    guard_free(scratch);
    return trace ? 0 : err_pass(err);
}
