#include "core/model/recurrent.h"

#include <string.h>

#include "core/model/parts.h"

const enum site recurrent_sites[] = { SITE_EMBED, SITE_OUTPUT, SITE_LOGITS, SITE_COUNT };

/* ---- opening ---- */

/* What PyTorch's layers can do besides, and this file cannot. */
static int settings_check(const struct model *model, struct err *err) {
    const struct config *c = model->config;
    bool both = false;
    int64_t projection = 0;
    if (!c->json) {
        return err_set(err, ERR_UNSUPPORTED, "%s: a recurrent model is read from safetensors",
                       model->path);
    }
    if (config_flag(c, "bidirectional", NULL, &both, err) < 0 ||
        config_whole(c, "proj_size", NULL, 0, 1 << 20, &projection, err) < 0) {
        return -1;
    }
    if (both || weights_at(model->weights, "rnn.weight_ih_l0_reverse")) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the layers read in both directions (bidirectional); those that go "
                       "forward only are known here",
                       c->file);
    }
    if (projection || weights_at(model->weights, "rnn.weight_hr_l0")) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the states are projected (proj_size); those that are as wide as "
                       "hidden_size are known here",
                       c->file);
    }
    return 0;
}

static int kind_find(const struct config *c, enum op_recurrence *kind, struct err *err) {
    const char *act = "tanh";
    char quoted[40];
    if (*kind != OP_RNN_TANH) {
        return 0;
    }
    if (config_text(c, "nonlinearity", NULL, &act, err) < 0) {
        return -1;
    }
    *kind = strcmp(act, "relu") == 0 ? OP_RNN_RELU : OP_RNN_TANH;
    if (*kind == OP_RNN_TANH && strcmp(act, "tanh") != 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: nonlinearity is \"%s\"; \"tanh\" and \"relu\" are known", c->file,
                       err_quote(quoted, sizeof quoted, act, strlen(act)));
    }
    return 0;
}

/* What config.json says; if it does not, what the file has. */
static int embedding_size(const struct model *model, int64_t *size, struct err *err) {
    const struct tensor *table = weights_at(model->weights, "embedding.weight");
    *size = table && table->rank == 2 ? table->shape[1] : model->config->width;
    return config_whole(model->config, "embedding_size", NULL, 1, 1 << 20, size, err);
}

/* Weights and bias of one of a layer's two products: "ih" from below, "hh" from before. */
static struct op_dense product_find(struct parts *parts, int64_t rows, int64_t columns,
                                    const char *which, int64_t layer) {
    struct op_dense dense = { .weight =
                                  parts_matrix(parts, rows, columns, "rnn.weight_%s_l%lld",
                                               which, (long long)layer) };
    if (parts_has(parts, "rnn.bias_ih_l%lld", (long long)layer) ||
        parts_has(parts, "rnn.bias_hh_l%lld", (long long)layer)) {
        dense.bias = parts_vector(parts, rows, "rnn.bias_%s_l%lld", which, (long long)layer);
    }
    return dense;
}

static void decoder_find(struct parts *parts, const struct config *c, int64_t size,
                         struct recurrent *net) {
    bool own = !c->tied || size != c->width || parts_has(parts, "decoder.weight");
    net->decoder.weight =
        own ? parts_matrix(parts, c->vocab, c->width, "decoder.weight") : net->words;
    if (parts_has(parts, "decoder.bias")) {
        net->decoder.bias = parts_vector(parts, c->vocab, "decoder.bias");
    }
}

int recurrent_open(struct arena *arena, struct model *model, enum op_recurrence kind,
                   struct err *err) {
    const struct config *c = model->config;
    struct recurrent *net = arena_alloc(arena, sizeof *net);
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    int64_t size, gates = kind == OP_LSTM ? 4 : kind == OP_GRU ? 3 : 1;
    net->kind = kind;
    if (settings_check(model, err) < 0 || kind_find(c, &net->kind, err) < 0 ||
        embedding_size(model, &size, err) < 0) {
        return err_pass(err);
    }
    model->task = "causal-lm";
    net->words = parts_matrix(&parts, c->vocab, size, "embedding.weight");
    net->layers = arena_array(arena, c->layers, sizeof *net->layers);
    for (int64_t l = 0; l < c->layers && !parts.failed; l++) {
        int64_t below = l == 0 ? size : c->width;
        net->layers[l] = (struct recurrent_layer){
            .input = product_find(&parts, gates * c->width, below, "ih", l),
            .state = product_find(&parts, gates * c->width, c->width, "hh", l),
        };
    }
    parts_none(&parts, c->layers, "rnn.weight_ih_l%lld", (long long)c->layers);
    decoder_find(&parts, c, size, net);
    model->parts = net;
    return parts.failed ? err_pass(err) : 0;
}

/* ---- running ---- */

const struct tensor *recurrent_words(const struct model *model) {
    const struct recurrent *net = model->parts;
    return net->words;
}

static struct tensor *words(const struct recurrent *net, struct pass *pass) {
    int64_t rows = pass->batch * pass->tokens;
    if (!pass->embeddings) {
        return op_embed(pass->tape, net->words, pass->ids, rows);
    }
    struct tensor *x = tape_tensor(pass->tape, 2, (int64_t[]){ rows, net->words->shape[1] });
    memcpy(x->data, pass->embeddings->data, (size_t)tensor_bytes(x));
    return x;
}

static void head_run(const struct recurrent *net, struct pass *pass, struct tensor *x) {
    int64_t vocab = net->decoder.weight->shape[0];
    int64_t every[] = { pass->batch, pass->tokens, vocab }, some[] = { pass->wanted, vocab };
    bool few = pass->wanted > 0;
    if (few) {
        x = op_rows(pass->tape, x, pass->wanted_rows, pass->wanted);
    }
    struct tensor *place = visit_place(pass, SITE_LOGITS, 0, few ? 2 : 3, few ? some : every);
    visit(pass, SITE_LOGITS, 0, op_linear(pass->tape, x, &net->decoder, NULL, place));
}

/* The states, or cells, that the prefix's last token left; NULL: it is the text's first. */
static const float *kept(const struct prefix *prefix, bool cells, int64_t layer,
                         int64_t width) {
    if (!prefix || prefix->tokens == 0) {
        return NULL;
    }
    return (cells ? prefix->values : prefix->keys)[layer] + prefix->runs % 2 * width;
}

/* The run's own last states and cells go beside those it began with. */
static void keep_last(struct pass *pass, int64_t layer, const struct tensor *x,
                      const struct tensor *cells) {
    struct prefix *prefix = pass->prefix;
    int64_t width = x->shape[1], row = (pass->tokens - 1) * width;
    int64_t place = prefix ? (prefix->runs + 1) % 2 * width : 0;
    if (!prefix || !pass->extend) {
        return;
    }
    memcpy(prefix->keys[layer] + place, x->data + row, (size_t)width * sizeof(float));
    if (cells) {
        memcpy(prefix->values[layer] + place, cells->data + row, (size_t)width * sizeof(float));
    }
}

int recurrent_forward(const struct model *model, struct pass *pass, struct err *err) {
    const struct recurrent *net = model->parts;
    if (pass->decoder_tokens > 0) {
        return err_set(err, ERR_UNSUPPORTED, "a recurrent model has no decoder of its own");
    }
    int64_t width = model->config->width;
    struct tensor *x = words(net, pass), *cells;
    visit_rows(pass, SITE_EMBED, 0, x);
    for (int64_t l = 0; l < model->config->layers; l++) {
        struct op_recurrent how = { .kind = net->kind,
                                    .batch = pass->batch,
                                    .tokens = pass->tokens,
                                    .width = width,
                                    .input = net->layers[l].input,
                                    .state = net->layers[l].state,
                                    .first = kept(pass->prefix, false, l, width),
                                    .first_cells = kept(pass->prefix, true, l, width) };
        x = op_recurrent(pass->tape, x, &how, &cells);
        keep_last(pass, l, x, cells);
        visit_rows(pass, SITE_OUTPUT, l, x);
        if (cells) {
            visit_rows(pass, SITE_CELL, l, cells);
        }
        if (pass->progress) {
            pass->progress(pass->progress_arg, l + 1, model->config->layers);
        }
    }
    if (visit_wants(pass, SITE_LOGITS)) {
        head_run(net, pass, x);
    }
    return 0;
}

/* ---- gates ---- */

/* The states that each token's product began with: h one token later, zeros at the first. */
static struct tensor *states_before(struct tape *tape, const struct tensor *h, int64_t tokens) {
    int64_t width = h->shape[h->rank - 1], rows = tensor_count(h) / width;
    struct tensor *before = tape_tensor(tape, 2, (int64_t[]){ rows, width });
    for (int64_t r = 0; r < rows; r++) {
        float *to = before->data + r * width;
        if (r % tokens == 0) {
            memset(to, 0, (size_t)width * sizeof *to);
        } else {
            memcpy(to, h->data + (r - 1) * width, (size_t)width * sizeof *to);
        }
    }
    return before;
}

static void gates_squash(enum op_recurrence kind, float *row, const float *state, int64_t h) {
    const struct simd *table = simd();
    if (kind == OP_LSTM) {
        table->add(row, row, state, 4 * h);
        table->act(row, row, 2 * h, SIMD_SIGMOID);
        table->act(row + 2 * h, row + 2 * h, h, SIMD_TANH);
        table->act(row + 3 * h, row + 3 * h, h, SIMD_SIGMOID);
        return;
    }
    table->add(row, row, state, 2 * h);
    table->act(row, row, 2 * h, SIMD_SIGMOID);
    table->mul_add(row + 2 * h, row, state + 2 * h, h);
    table->act(row + 2 * h, row + 2 * h, h, SIMD_TANH);
}

struct tensor *recurrent_gates(struct arena *arena, const struct model *model, int64_t layer,
                               const struct tensor *x, const struct tensor *h, int64_t tokens) {
    const struct recurrent *net = model->parts;
    const struct recurrent_layer *of = &net->layers[layer];
    int64_t width = model->config->width, gates = net->kind == OP_LSTM ? 4 : 3;
    int64_t rows = tensor_count(h) / width, inputs = tensor_count(x) / rows;
    if (net->kind != OP_LSTM && net->kind != OP_GRU) {
        return NULL;
    }
    struct tape *tape = tape_new(arena, 0);
    struct tensor *flat = tape_tensor(tape, 2, (int64_t[]){ rows, inputs });
    memcpy(flat->data, x->data, (size_t)tensor_bytes(flat));
    struct tensor *sums = op_linear(tape, flat, &of->input, NULL, NULL);
    struct tensor *states =
        op_linear(tape, states_before(tape, h, tokens), &of->state, NULL, NULL);
    for (int64_t r = 0; r < rows; r++) {
        gates_squash(net->kind, sums->data + r * gates * width,
                     states->data + r * gates * width, width);
    }
    return sums;
}
