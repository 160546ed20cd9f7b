/* golden DATA OUT [PREFIX]: for every fixture folder below DATA (with PREFIX those whose path
 * begins so) writes to OUT what golden/README.md asks a program to write, with the engine as it
 * is. What cannot be done yet is left out and named on stderr. */
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/catch.h"
#include "core/base/cpu.h"
#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "core/model/capture.h"
#include "core/tensor/quant.h"
#include "tests/parity/maps.h"
#include "tests/parity/parity_gradients.h"
#include "tests/parity/readings.h"

enum { FOLDERS_MOST = 10000, GREEDY = 8, SMOLLM2_GREEDY = 20, DEPTH = 16 /* open folders */ };

/* One fixture folder. */
struct fixture {
    struct arena *arena;
    const char *name; /* its path below DATA, "models/bert_cls" */
    const char *in, *out;
    struct err err;
};

/* Makes a folder and those above it. */
static void make_folders(struct arena *arena, const char *path) {
    char *copy = arena_copy(arena, path);
    for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(copy, 0777);
        *slash = '/';
    }
    mkdir(copy, 0777);
}

static bool has(const struct fixture *f, const char *name) {
    return file_exists(file_join(f->arena, f->in, name));
}

static struct json *read_json(struct fixture *f, const char *name) {
    struct file *file = file_map(f->arena, file_join(f->arena, f->in, name), &f->err);
    return file ? json_parse(f->arena, file->bytes, (size_t)file->size, file->path, &f->err)
                : NULL;
}

static int write_capture(struct fixture *f, const struct capture *capture) {
    make_folders(f->arena, f->out);
    return capture_write(capture, file_join(f->arena, f->out, "actual.safetensors"), &f->err);
}

/* ---- cases ---- */

/* A list of numbers; NULL if there is none. */
static int32_t *numbers(struct arena *arena, const struct json *list, int64_t *n) {
    if (!list || list->kind != JSON_ARRAY) {
        return NULL;
    }
    int32_t *values = arena_array(arena, list->count + 1, sizeof *values);
    *n = 0;
    for (const struct json *item = list->first; item; item = item->next) {
        values[(*n)++] = (int32_t)strtol(item->text.bytes, NULL, 10);
    }
    return values;
}

static int32_t *encode(struct fixture *f, const struct tokenizer *tokenizer,
                       const struct json *text, int64_t *n) {
    struct encoding *encoding = tokenizer_encode(f->arena, tokenizer, text->text.bytes,
                                                 text->text.length, NULL, 0, true, &f->err);
    if (!encoding) {
        return NULL;
    }
    int32_t *ids = arena_array(f->arena, encoding->count + 1, sizeof *ids);
    *n = encoding->count;
    for (int64_t i = 0; i < *n; i++) {
        ids[i] = encoding->tokens[i].id;
    }
    return ids;
}

/* The text as the program itself sees it: tokenised, cut (but for those that continue
 * a text, models keep its last token),
 * masked with the token that the case has at its masked places. */
static int32_t *case_ids(struct fixture *f, const struct model *model, const struct json *one,
                         int64_t *n) {
    int64_t given = 0, masks = 0, most = json_int_at(one, "truncated_to", INT32_MAX);
    int32_t *wanted = numbers(f->arena, json_at(one, "input_ids"), &given);
    const struct json *text = json_at(one, "text");
    if (!model->tokenizer || !text) {
        *n = given;
        return wanted;
    }
    int32_t *ids = encode(f, model->tokenizer, text, n);
    if (ids && *n > most) {
        bool goes_on = model->arch->causal && strcmp(model->task, "classification") != 0;
        ids[most - 1] = goes_on ? ids[most - 1] : ids[*n - 1];
        *n = most;
    }
    int32_t *places = numbers(f->arena, json_at(one, "mask_positions"), &masks);
    for (int64_t i = 0; ids && i < masks; i++) {
        if (places[i] >= 0 && places[i] < *n && places[i] < given) {
            ids[places[i]] = wanted[places[i]];
        }
    }
    return ids;
}

/* How far the case is continued: an encoder-decoder from its start token, a causal model as far
 * as its context reaches. */
static int64_t case_greedy(const struct model *model, const struct json *one, int64_t tokens) {
    bool decodes = strcmp(model->task, "seq2seq-lm") == 0;
    bool causal = strcmp(model->task, "causal-lm") == 0;
    int64_t greedy = json_int_at(one, "greedy_tokens", decodes || causal ? GREEDY : 0);
    return decodes || (causal && config_fits(model->config, tokens + greedy)) ? greedy : 0;
}

static int run_case(struct fixture *f, const struct model *model, struct capture *capture,
                    const struct json *one) {
    int64_t labels = 0;
    struct capture_input input = { .name = json_text_at(one, "name", "?") };
    input.ids = case_ids(f, model, one, &input.tokens);
    if (!input.ids) {
        return err_pass(&f->err);
    }
    input.decoder_ids =
        numbers(f->arena, json_at(one, "decoder_input_ids"), &input.decoder_tokens);
    input.labels = numbers(f->arena, json_at(one, "labels"), &labels);
    int64_t rows = input.decoder_tokens > 0 ? input.decoder_tokens : input.tokens;
    input.position = json_int_at(one, "target_position", rows - 1);
    input.greedy = case_greedy(model, one, input.tokens);
    bool fits = input.position < rows;
    if (input.tokens > 0 && (!fits || (input.labels && labels != 1 && labels != rows))) {
        return err_set(&f->err, ERR_FORMAT, "case %s: its text has %lld tokens here",
                       input.name, (long long)input.tokens);
    }
    if (capture_run(capture, model, &input, &f->err) < 0) {
        return -1;
    }
    return parity_gradients_of_case(capture, model, one, &input, &f->err);
}

/* Rows of numbers, each as long as the first. */
static int32_t *table(struct fixture *f, const struct json *rows, int64_t n, int64_t *width) {
    int64_t got = 0, at = 0;
    if (!rows || rows->count != n || n == 0) {
        err_set(&f->err, ERR_FORMAT, "the batch has no rows");
        return NULL;
    }
    *width = rows->first->count;
    int32_t *all = arena_array(f->arena, n * *width, sizeof *all);
    for (const struct json *row = rows->first; row; row = row->next, at++) {
        if (row->count != *width) {
            err_set(&f->err, ERR_FORMAT, "row %lld of the batch has another length",
                    (long long)at);
            return NULL;
        }
        memcpy(all + at * *width, numbers(f->arena, row, &got), (size_t)*width * sizeof *all);
    }
    return all;
}

static uint8_t *flags(struct fixture *f, const struct json *rows, int64_t n, int64_t wanted) {
    int64_t width;
    int32_t *values = table(f, rows, n, &width);
    if (values && width != wanted) {
        err_set(&f->err, ERR_FORMAT, "the batch and its mask are not of one size");
        return NULL;
    }
    uint8_t *flags = arena_array(f->arena, n * wanted, sizeof *flags);
    for (int64_t i = 0; values && i < n * wanted; i++) {
        flags[i] = values[i] != 0;
    }
    return values ? flags : NULL;
}

static int run_batch(struct fixture *f, const struct model *model, struct capture *capture,
                     const struct json *batch) {
    const struct json *decoder = json_at(batch, "decoder_input_ids"),
                      *ids = json_at(batch, "input_ids");
    struct capture_rows rows = { .batch = ids ? ids->count : 0 };
    rows.ids = table(f, ids, rows.batch, &rows.tokens);
    rows.mask =
        rows.ids ? flags(f, json_at(batch, "attention_mask"), rows.batch, rows.tokens) : NULL;
    if (rows.mask && decoder) {
        rows.decoder_ids = table(f, decoder, rows.batch, &rows.decoder_tokens);
        rows.decoder_mask = rows.decoder_ids ? flags(f, json_at(batch, "decoder_mask"),
                                                     rows.batch, rows.decoder_tokens)
                                             : NULL;
    }
    if (!rows.mask || (decoder && !rows.decoder_mask)) {
        return err_pass(&f->err);
    }
    return capture_batch(capture, model, &rows, &f->err);
}

/* models/NAME and gguf/NAME. */
static int run_model(struct fixture *f, const char *path) {
    struct model *model = model_open(f->arena, path, &f->err);
    const struct json *cases = model ? read_json(f, "cases.json") : NULL;
    struct capture *capture = capture_new(f->arena);
    if (!cases) {
        return err_pass(&f->err);
    }
    const struct json *list = json_at(cases, "cases"), *batch = json_at(cases, "batch");
    for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
        if (run_case(f, model, capture, one) < 0) {
            return err_pass(&f->err);
        }
    }
    if (batch && run_batch(f, model, capture, batch) < 0) {
        return err_pass(&f->err);
    }
    return write_capture(f, capture);
}

/* ---- gguf/blocks ---- */

/* The first `rows` rows (a vector is one) as numbers. */
static struct tensor *dequantised(struct arena *arena, const struct tensor *tensor,
                                  int64_t rows) {
    int64_t width = tensor->shape[tensor->rank - 1], all = tensor_count(tensor) / width;
    int64_t row_bytes = dtype_row_bytes(tensor->dtype, width);
    rows = rows < all ? rows : all;
    struct tensor *values = tensor_new(arena, 2, (int64_t[]){ rows, width });
    for (int64_t i = 0; i < rows; i++) {
        quant_row(tensor->dtype, (const char *)tensor->bytes + i * row_bytes, 0, width,
                  values->data + i * width);
    }
    return values;
}

static int run_blocks(struct fixture *f) {
    struct weights *weights =
        weights_open(f->arena, file_join(f->arena, f->in, "blocks.gguf"), &f->err);
    struct capture *capture = capture_new(f->arena);
    if (!weights) {
        return err_pass(&f->err);
    }
    for (int64_t i = 0; i < weights->count; i++) {
        const struct tensor *tensor = &weights->tensors[i];
        if (quant_known(tensor->dtype)) {
            capture_add(capture, NULL, tensor->name, dequantised(f->arena, tensor, INT64_MAX));
        } else {
            fprintf(stderr, "%s: %s is left out: its type cannot be computed yet\n", f->name,
                    dtype_name(tensor->dtype));
        }
    }
    return write_capture(f, capture);
}

/* ---- tokenizers ---- */

static void write_ids(struct jsonwrite *w, const char *key, const struct encoding *encoding,
                      bool types) {
    json_key(w, key);
    json_open(w, '[');
    for (int64_t i = 0; i < encoding->count; i++) {
        json_int(w, types ? encoding->tokens[i].type : encoding->tokens[i].id);
    }
    json_close(w, ']');
}

/* For each byte of a text and its end: how many characters begin before it. */
static int64_t *characters(struct arena *arena, const char *text, size_t length) {
    int64_t *before = arena_array(arena, (int64_t)length + 1, sizeof *before), n = 0;
    for (size_t i = 0; i < length; i++) {
        before[i] = n;
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    before[length] = n;
    return before;
}

/* [begin, end) in characters: those that a token has any byte of. */
static void write_offsets(struct arena *arena, struct jsonwrite *w,
                          const struct encoding *encoding, const struct json *text,
                          const struct json *pair) {
    int64_t *first = characters(arena, text->text.bytes, text->text.length);
    int64_t *second = pair ? characters(arena, pair->text.bytes, pair->text.length) : NULL;
    json_key(w, "offsets");
    json_open(w, '[');
    for (int64_t i = 0; i < encoding->count; i++) {
        const struct token *token = &encoding->tokens[i];
        const int64_t *before = token->second ? second : first;
        json_open(w, '[');
        json_int(w, before[token->begin]);
        json_int(w, before[token->end]);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void write_decoded(struct arena *arena, struct jsonwrite *w,
                          const struct tokenizer *tokenizer, const char *key,
                          const int32_t *ids, int64_t n, bool skip) {
    size_t length;
    const char *text = tokenizer_decode(arena, tokenizer, ids, n, skip, &length);
    json_key(w, key);
    json_bytes(w, text, length);
}

static int32_t *ids_of(struct arena *arena, const struct encoding *encoding) {
    int32_t *ids = arena_array(arena, encoding->count + 1, sizeof *ids);
    for (int64_t i = 0; i < encoding->count; i++) {
        ids[i] = encoding->tokens[i].id;
    }
    return ids;
}

static int write_encode(struct fixture *f, struct jsonwrite *w,
                        const struct tokenizer *tokenizer, const struct json *row) {
    const struct json *text = json_at(row, "text"), *pair = json_at(row, "pair");
    const char *second = pair ? pair->text.bytes : NULL;
    size_t length = pair ? pair->text.length : 0;
    struct encoding *full = tokenizer_encode(f->arena, tokenizer, text->text.bytes,
                                             text->text.length, second, length, true, &f->err);
    struct encoding *plain =
        tokenizer_encode(f->arena, tokenizer, text->text.bytes, text->text.length, second,
                         length, false, &f->err);
    if (!full || !plain) {
        return err_pass(&f->err);
    }
    write_ids(w, "ids", full, false);
    write_offsets(f->arena, w, full, text, pair);
    if (pair) {
        write_ids(w, "type_ids", full, true);
        return 0;
    }
    write_ids(w, "plain_ids", plain, false);
    write_decoded(f->arena, w, tokenizer, "decoded", ids_of(f->arena, plain), plain->count,
                  false);
    write_decoded(f->arena, w, tokenizer, "decoded_skip", ids_of(f->arena, full), full->count,
                  true);
    return 0;
}

static int write_row(struct fixture *f, struct jsonwrite *w, const struct tokenizer *tokenizer,
                     const struct json *row) {
    if (json_at(row, "text")) {
        return write_encode(f, w, tokenizer, row);
    }
    int64_t n = 0;
    int32_t *ids = numbers(f->arena, json_at(row, "ids"), &n);
    write_decoded(f->arena, w, tokenizer, "decoded", ids, n, false);
    write_decoded(f->arena, w, tokenizer, "decoded_skip", ids, n, true);
    return 0;
}

static int run_tokens(struct fixture *f, const struct tokenizer *tokenizer) {
    const struct json *asked = read_json(f, "expected_tokens.json");
    struct buf *out = buf_new(f->arena);
    struct jsonwrite w = { .out = out };
    if (!asked) {
        return err_pass(&f->err);
    }
    json_open(&w, '{');
    for (const struct json *section = asked->first; section; section = section->next) {
        json_key(&w, section->key.bytes);
        json_open(&w, '[');
        for (const struct json *row = section->first; row; row = row->next) {
            json_open(&w, '{');
            if (write_row(f, &w, tokenizer, row) < 0) {
                return err_pass(&f->err);
            }
            json_close(&w, '}');
        }
        json_close(&w, ']');
    }
    json_close(&w, '}');
    make_folders(f->arena, f->out);
    return file_write(file_join(f->arena, f->out, "actual_tokens.json"), out->data, out->length,
                      &f->err);
}

static int run_tokenizer(struct fixture *f) {
    const char *path = file_join(f->arena, f->in, "tokenizer.json");
    struct file *file = file_map(f->arena, path, &f->err);
    struct tokenizer *tokenizer =
        file ? tokenizer_read(f->arena, file->bytes, (size_t)file->size, path, &f->err) : NULL;
    return tokenizer ? run_tokens(f, tokenizer) : err_pass(&f->err);
}

/* ---- minilm, smollm2: real weights, found by name ---- */

static struct model *named_model(struct fixture *f) {
    const char *path = find_model(f->arena, f->name, &f->err);
    struct model *model = path ? model_open(f->arena, path, &f->err) : NULL;
    if (model && !model->tokenizer) {
        err_set(&f->err, ERR_MODEL, "%s has no tokenizer", path);
        return NULL;
    }
    return model;
}

/* The mean over all tokens of the last state, to length 1. */
static void sentence_embedding(const struct tensor *last, float *out) {
    int64_t tokens = last->shape[0], width = last->shape[1];
    double square = 0, *sum = calloc((size_t)width, sizeof *sum);
    for (int64_t i = 0; i < tokens * width; i++) {
        sum[i % width] += (double)last->data[i];
    }
    for (int64_t i = 0; i < width; i++) {
        square += sum[i] * sum[i];
    }
    for (int64_t i = 0; i < width; i++) {
        out[i] = (float)(sum[i] / sqrt(square));
    }
    free(sum);
}

static void add_cosines(struct capture *capture, struct tensor *embeddings) {
    int64_t n = embeddings->shape[0], width = embeddings->shape[1];
    struct tensor *cosine = tensor_new(capture->arena, 2, (int64_t[]){ n, n });
    for (int64_t i = 0; i < n * n; i++) {
        const float *a = embeddings->data + i / n * width,
                    *b = embeddings->data + i % n * width;
        double dot = 0;
        for (int64_t k = 0; k < width; k++) {
            dot += (double)a[k] * (double)b[k];
        }
        cosine->data[i] = (float)dot;
    }
    capture_add(capture, NULL, "sentence_embeddings", embeddings);
    capture_add(capture, NULL, "cosine", cosine);
}

static int run_minilm(struct fixture *f) {
    struct model *model = named_model(f);
    const struct json *cases = model ? read_json(f, "cases.json") : NULL;
    const struct json *texts = json_at(cases, "sentences");
    struct capture *capture = capture_new(f->arena);
    if (!texts) {
        return err_pass(&f->err);
    }
    struct tensor *embeddings =
        tensor_new(f->arena, 2, (int64_t[]){ texts->count, model->config->width });
    int i = 0;
    for (const struct json *text = texts->first; text; text = text->next, i++) {
        struct capture_input input = { .name = arena_printf(f->arena, "s%d", i) };
        input.ids = encode(f, model->tokenizer, text, &input.tokens);
        if (!input.ids || capture_run(capture, model, &input, &f->err) < 0) {
            return err_pass(&f->err);
        }
        char *last = arena_printf(f->arena, "s%d.last_hidden_state", i);
        sentence_embedding(capture_at(capture, last),
                           embeddings->data + i * model->config->width);
        if (parity_gradients_of_cosine(capture, model, &input, embeddings->data, &f->err) < 0) {
            return err_pass(&f->err);
        }
    }
    add_cosines(capture, embeddings);
    return write_capture(f, capture) < 0 ? -1 : run_tokens(f, model->tokenizer);
}

static int run_smollm2(struct fixture *f) {
    struct model *model = named_model(f);
    const struct json *cases = model ? read_json(f, "cases.json") : NULL;
    const struct json *list = json_at(cases, "cases");
    struct capture *capture = capture_new(f->arena);
    if (!list) {
        return err_pass(&f->err);
    }
    for (const struct json *one = list->first; one; one = one->next) {
        struct capture_input input = { .name = json_text_at(one, "name", "?"),
                                       .position = CAPTURE_EVERY,
                                       .greedy = SMOLLM2_GREEDY };
        input.ids = encode(f, model->tokenizer, json_at(one, "text"), &input.tokens);
        if (!input.ids || capture_run(capture, model, &input, &f->err) < 0 ||
            parity_gradients_of_case(capture, model, one, &input, &f->err) < 0) {
            return err_pass(&f->err);
        }
    }
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct tensor *tensor = &model->weights->tensors[i];
        if (quant_known(tensor->dtype)) {
            capture_add(capture, "dequantised", tensor->name, dequantised(f->arena, tensor, 2));
        }
    }
    return write_capture(f, capture) < 0 ? -1 : run_tokens(f, model->tokenizer);
}

/* ---- methods ---- */

typedef int methods_run(struct capture *capture, const char *inputs, const struct json *cases,
                        struct err *err);

static int run_method(struct fixture *f, methods_run *run) {
    const struct json *cases = read_json(f, "expected.json");
    struct capture *capture = capture_new(f->arena);
    const char *inputs = file_join(f->arena, f->in, "inputs.safetensors");
    if (!cases || run(capture, inputs, cases, &f->err) < 0) {
        return err_pass(&f->err);
    }
    return write_capture(f, capture);
}

/* Of the models beside the fixture. */
static int run_readings(struct fixture *f, methods_run *read) {
    const struct json *cases = read_json(f, "cases.json");
    struct capture *capture = capture_new(f->arena);
    if (!cases || read(capture, file_join(f->arena, f->in, "../.."), json_at(cases, "cases"),
                       &f->err) < 0) {
        return err_pass(&f->err);
    }
    return write_capture(f, capture);
}

/* ---- all folders ---- */

static int run_fixture(struct fixture *f) {
    if (strcmp(f->name, "minilm") == 0) {
        return run_minilm(f);
    }
    if (strcmp(f->name, "smollm2") == 0) {
        return run_smollm2(f);
    }
    if (strcmp(f->name, "methods/tables") == 0) {
        return run_method(f, maps_of_table);
    }
    if (strcmp(f->name, "methods/tsne") == 0) {
        return run_method(f, maps_of_tsne);
    }
    if (has(f, "blocks.gguf")) {
        return run_blocks(f);
    }
    if (has(f, "model.gguf")) {
        return run_model(f, file_join(f->arena, f->in, "model.gguf"));
    }
    if (strncmp(f->name, "tokenizers/", 11) == 0) {
        return run_tokenizer(f);
    }
    if (strncmp(f->name, "models/", 7) == 0) {
        return run_model(f, f->in);
    }
    if (strcmp(f->name, "methods/perplexity") == 0) {
        return run_readings(f, readings_perplexity);
    }
    if (strcmp(f->name, "methods/inside") == 0) {
        return run_readings(f, readings_inside);
    }
    return err_set(&f->err, ERR_UNSUPPORTED, "nothing here computes this yet");
}

static void run_guarded(struct fixture *f) {
    struct catch here;
    volatile int done = -1; /* set between setjmp and a jump */
    if (setjmp(catch_set(&here)->place) == 0) {
        done = run_fixture(f);
    } else {
        f->err = here.err;
    }
    catch_end(&here);
    if (done < 0) {
        fprintf(stderr, "%s is left out: %s\n", f->name, f->err.text);
    }
}

static const char *folders[FOLDERS_MOST];
static int folder_count;
static struct arena *folder_arena;

static int note_folder(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)walk;
    if (kind == FTW_D && folder_count < FOLDERS_MOST &&
        (file_exists(file_join(folder_arena, path, "cases.json")) ||
         file_exists(file_join(folder_arena, path, "expected.json")) ||
         file_exists(file_join(folder_arena, path, "expected_tokens.json")))) {
        folders[folder_count++] = arena_copy(folder_arena, path);
    }
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The instruction sets that this machine and this build run, a line each. */
static void print_isas(void) {
    for (int isa = CPU_GENERIC; isa <= CPU_AVX512; isa++) {
        if (cpu_runs((enum cpu_isa)isa)) {
            printf("%s\n", cpu_name((enum cpu_isa)isa));
        }
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--isas") == 0) {
        print_isas();
        return 0;
    }
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: golden DATA OUT [PREFIX]\n");
        return 2;
    }
    folder_arena = arena_new();
    char *data = realpath(argv[1], NULL);
    if (!data || nftw(data, note_folder, DEPTH, FTW_PHYS) < 0) {
        fprintf(stderr, "golden: cannot read %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    qsort(folders, (size_t)folder_count, sizeof *folders, by_text);
    make_folders(folder_arena, argv[2]);
    for (int i = 0; i < folder_count; i++) {
        const char *name = folders[i] + strlen(data) + (folders[i][strlen(data)] == '/');
        if (argc == 4 && strncmp(name, argv[3], strlen(argv[3])) != 0) {
            continue;
        }
        struct arena *arena = arena_new();
        struct fixture fixture = { .arena = arena,
                                   .name = name,
                                   .in = folders[i],
                                   .out = file_join(arena, argv[2], name) };
        run_guarded(&fixture);
        arena_free(arena);
    }
    free(data);
    arena_free(folder_arena);
    return 0;
}
