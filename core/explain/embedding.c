#include "core/explain/embedding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"
#include "core/text/pieces.h"

enum {
    BATCH = 32,          /* texts in one run at most, */
    BATCH_TOKENS = 4096, /* padding counted */
    ROWS = 256           /* of the table that are expanded together */
};

double embedding_cosine(const float *a, const float *b, int64_t width) {
    double dot = 0, aa = 0, bb = 0;
    for (int64_t i = 0; i < width; i++) {
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? dot / (sqrt(aa) * sqrt(bb)) : 0;
}

static struct embedding *embedding_new(struct arena *arena, int64_t n, int64_t width) {
    struct embedding *made = arena_alloc(arena, sizeof *made);
    *made = (struct embedding){ .n = n,
                                .vectors = tensor_new(arena, 2, (int64_t[]){ n, width }),
                                .labels = arena_array(arena, n, sizeof *made->labels),
                                .of = arena_array(arena, n, sizeof *made->of) };
    return made;
}

/* ---- what the model's folder says of its sentences ---- */

/* The file's JSON; NULL without an error if the model has no such file. */
static const struct json *beside(struct arena *arena, const struct model *model,
                                 const char *name, const char **path, struct err *err) {
    *path = file_join(arena, model->path, name);
    if (!file_is_folder(model->path) || !file_exists(*path)) {
        return NULL;
    }
    const struct file *file = file_map(arena, *path, err);
    const struct json *json =
        file ? json_parse(arena, file->bytes, (size_t)file->size, *path, err) : NULL;
    if (!json) {
        err_pass(err);
    }
    return json;
}

static int pooling_read(struct arena *arena, const struct model *model,
                        enum embedding_pool *pool, struct err *err) {
    static const struct {
        const char *name;
        enum embedding_pool pool;
    } known[] = { { "pooling_mode_mean_tokens", EMBEDDING_MEAN },
                  { "pooling_mode_cls_token", EMBEDDING_FIRST },
                  { "pooling_mode_lasttoken", EMBEDDING_END },
                  { "pooling_mode_max_tokens", EMBEDDING_MOST } };
    const char *path;
    const struct json *json = beside(arena, model, "1_Pooling/config.json", &path, err);
    *pool = EMBEDDING_MEAN;
    if (!json) {
        return err->kind == ERR_NONE ? 0 : -1;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (json_bool_at(json, known[i].name, false)) {
            *pool = known[i].pool;
            return 0;
        }
    }
    return err_set(err, ERR_UNSUPPORTED,
                   "%s asks for a pooling that is not known here; there are the mean, the "
                   "largest, the first and the last token's",
                   path);
}

/* Beyond the context nothing can be read, whatever the file says. */
static int most_read(struct arena *arena, const struct model *model, int64_t *most,
                     struct err *err) {
    const char *path;
    const struct json *json = beside(arena, model, "sentence_bert_config.json", &path, err);
    const struct json *said = json ? json_at(json, "max_seq_length") : NULL;
    *most = 0;
    if (!said || said->kind == JSON_NULL) {
        return err->kind == ERR_NONE ? 0 : -1;
    }
    int64_t tokens = json_int_at(json, "max_seq_length", 0);
    double exactly = json_number_at(json, "max_seq_length", 0);
    if (tokens < 1 || (double)tokens != exactly) {
        char quoted[40] = "no number";
        if (said->kind == JSON_NUMBER) {
            err_quote(quoted, sizeof quoted, said->text.bytes, said->text.length);
        }
        return err_set(err, ERR_FORMAT,
                       "%s: max_seq_length is %s; a whole number of tokens, 1 or more, is "
                       "wanted",
                       path, quoted);
    }
    *most = config_fits(model->config, tokens) ? tokens : 0;
    return 0;
}

int embedding_recipe(struct arena *arena, const struct model *model,
                     struct embedding_reading *how, struct err *err) {
    bool read = pooling_read(arena, model, &how->pool, err) == 0 &&
                most_read(arena, model, &how->most, err) == 0;
    return read ? 0 : err_pass(err);
}

const char *embedding_cut_told(struct arena *arena, const struct embedding *embedding,
                               const char *finding, bool zh) {
    long long cut = embedding->cut, most = embedding->most;
    if (cut == 0) {
        return finding;
    }
    return arena_printf(arena,
                        zh ? "%s有 %lld 段文本超过 %lld 个词元，只读了开头。"
                        : cut == 1 ? "%s %lld text has more than the %lld tokens that are read "
                                     "of one: its end was not read."
                                   : "%s %lld texts have more than the %lld tokens that are "
                                     "read of one: their ends were not read.",
                        finding, cut, most);
}

/* ---- from the table ---- */

/* Rows of the table of word embeddings, as SITE_EMBED has them. */
static int look_up(struct arena *arena, const struct model *model, const int32_t *ids,
                   int64_t n, float *out, struct err *err) {
    for (int64_t at = 0; at < n; at += ROWS) {
        struct arena_mark mark = arena_mark(arena);
        int64_t count = at + ROWS < n ? ROWS : n - at;
        struct pass pass = { .arena = arena, .batch = count, .tokens = 1, .ids = ids + at };
        pass.keep[SITE_EMBED] = true;
        struct trace *trace = model_run(model, &pass, err);
        if (!trace) {
            return err_pass(err);
        }
        const struct tensor *rows = trace_at(trace, SITE_EMBED, 0);
        int64_t width = rows->shape[rows->rank - 1];
        memcpy(out + at * width, rows->data, (size_t)tensor_bytes(rows));
        arena_rewind(arena, mark);
    }
    return 0;
}

static int64_t table_width(const struct model *model) {
    return model_words(model)->shape[1];
}

/* What a word's first token begins with where the vocabulary tells it from others: a blank, as
 * byte-level BPE and SentencePiece write it. */
static const char *const openings[] = { "Ġ", "▁" };

/* The opening that this vocabulary's words have; "" if they have none. */
static const char *opening_of(const struct tokenizer *tokenizer) {
    int64_t size = tokenizer_size(tokenizer), begun[2] = { 0 };
    for (int64_t id = 0; id < size; id++) {
        const char *spelling = tokenizer_spelling(tokenizer, (int32_t)id);
        for (int k = 0; spelling && k < 2; k++) {
            begun[k] += strncmp(spelling, openings[k], strlen(openings[k])) == 0;
        }
    }
    for (int k = 0; k < 2; k++) {
        if (begun[k] > size / 20) {
            return openings[k];
        }
    }
    return "";
}

/* A whole word that begins with a letter: its text, else NULL. One character is a word in
 * Chinese alone. */
static const char *whole_word(struct arena *arena, const struct tokenizer *tokenizer,
                              int32_t id, const char *opening, bool chinese) {
    const char *spelling = tokenizer_spelling(tokenizer, id);
    if (!spelling || strncmp(spelling, opening, strlen(opening)) != 0 ||
        strncmp(spelling, "##", 2) == 0) {
        return NULL;
    }
    const char *text = tokenizer_decode(arena, tokenizer, &id, 1, true, NULL);
    text += strspn(text, " ");
    uint32_t code = 0;
    int first = utf8_decode(text, strlen(text), &code);
    bool letter = first > 0 && classes_of(code) == CLASS_LETTER;
    bool longer = letter && text[first] != '\0';
    return letter && (longer || (chinese && classes_is_chinese(code))) && !strchr(text, ' ')
               ? text
               : NULL;
}

/* Whether more of its words are single Chinese characters than are not. */
static bool is_chinese(struct arena *arena, const struct tokenizer *tokenizer, int64_t size,
                       const char *opening) {
    int64_t balance = 0;
    for (int64_t id = 0; id < size; id++) {
        struct arena_mark mark = arena_mark(arena);
        stop_check();
        const char *word = whole_word(arena, tokenizer, (int32_t)id, opening, true);
        balance += !word ? 0 : utf8_count(word, strlen(word)) == 1 ? 1 : -1;
        arena_rewind(arena, mark);
    }
    return balance > 0;
}

struct embedding *embedding_vocabulary(struct arena *arena, const struct model *model,
                                       int64_t most, struct err *err) {
    if (model_reads_text(model, err) < 0) {
        err_pass(err);
        return NULL;
    }
    const struct tokenizer *tokenizer = model->tokenizer;
    int64_t size = tokenizer_size(tokenizer), rows = model_words(model)->shape[0], n = 0;
    size = size < rows ? size : rows;
    most = most > 0 && most < size ? most : size;
    const char *opening = opening_of(tokenizer);
    bool chinese = is_chinese(arena, tokenizer, size, opening);
    int32_t *ids = arena_array(arena, most, sizeof *ids);
    const char **labels = arena_array(arena, most, sizeof *labels);
    for (int64_t id = 0; id < size && n < most; id++) {
        stop_check();
        const char *word = whole_word(arena, tokenizer, (int32_t)id, opening, chinese);
        if (word) {
            labels[n] = word;
            ids[n++] = (int32_t)id;
        }
    }
    if (n == 0) {
        err_set(
            err, ERR_UNSUPPORTED,
            "no token of this vocabulary is a whole word; give the words on the lines below");
        return NULL;
    }
    struct embedding *made = embedding_new(arena, n, table_width(model));
    made->labels = labels;
    made->ids = ids;
    return look_up(arena, model, ids, n, made->vectors->data, err) < 0 ? NULL : made;
}

/* The ids of a word, special tokens left out, with a blank in front if `inside`. */
static const struct encoding *encode_word(struct arena *arena, const struct model *model,
                                          const struct embedding_text *text, bool inside,
                                          struct err *err) {
    const char *read =
        arena_printf(arena, "%s%.*s", inside ? " " : "", (int)text->length, text->bytes);
    return tokenizer_encode(arena, model->tokenizer, read, strlen(read), NULL, 0, false, err);
}

static int one_word(struct arena *arena, const struct model *model,
                    const struct embedding_text *text, float *out, struct err *err) {
    const struct encoding *alone = encode_word(arena, model, text, false, err);
    const struct encoding *inside = alone ? encode_word(arena, model, text, true, err) : NULL;
    if (!inside) {
        return err_pass(err);
    }
    const struct encoding *chosen =
        inside->count > 0 && inside->count <= alone->count ? inside : alone;
    int64_t n = chosen->count, width = table_width(model);
    if (n == 0) {
        return err_set(err, ERR_TEXT, "\"%.*s\" has no token in this vocabulary",
                       (int)(text->length < 60 ? text->length : 60), text->bytes);
    }
    int32_t *ids = arena_array(arena, n, sizeof *ids);
    float *rows = arena_array(arena, n * width, sizeof *rows);
    for (int64_t i = 0; i < n; i++) {
        ids[i] = chosen->tokens[i].id;
    }
    if (look_up(arena, model, ids, n, rows, err) < 0) {
        return err_pass(err);
    }
    for (int64_t k = 0; k < width; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += (double)rows[i * width + k];
        }
        out[k] = (float)(sum / (double)n);
    }
    return 0;
}

struct embedding *embedding_words(struct arena *arena, const struct model *model,
                                  const struct embedding_text *texts, int64_t n,
                                  struct err *err) {
    if (model_reads_text(model, err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct embedding *made = embedding_new(arena, n, table_width(model));
    for (int64_t i = 0; i < n; i++) {
        stop_check();
        struct arena_mark mark = arena_mark(arena);
        if (one_word(arena, model, &texts[i], made->vectors->data + i * made->vectors->shape[1],
                     err) < 0) {
            err_pass(err);
            return NULL;
        }
        arena_rewind(arena, mark);
        made->labels[i] = arena_text(arena, texts[i].bytes, texts[i].length);
        made->of[i] = (int32_t)i;
    }
    return made;
}

/* ---- read by the model ---- */

/* One text as the model reads it. */
struct reading {
    const struct encoding *encoding;
    int64_t tokens;
    int64_t text, row;
};

/* A run of the texts and what it is for. */
struct run {
    struct arena *arena;
    const struct model *model;
    const struct embedding_text *texts;
    const struct embedding_reading *how;
    struct reading *readings; /* [n], longest first */
    int64_t n, cut, most;
    struct embedding *made;
    bool states;
    /* of the batch at hand */
    const struct reading *batch;
    int64_t count, tokens;
};

static bool is_shown(const struct run *run, const struct token *token) {
    return !run->states || !token->special;
}

/* By length, so that texts of one batch need little padding. */
static int by_length(const void *a, const void *b) {
    const struct reading *x = a, *y = b;
    return x->tokens != y->tokens ? (x->tokens < y->tokens) - (x->tokens > y->tokens)
                                  : (x->text > y->text) - (x->text < y->text);
}

/* Leaves `most` tokens: the first, and those that were added to close the text. */
static void cut(struct encoding *encoding, int64_t most) {
    struct token *tokens = encoding->tokens;
    int64_t closing = 0;
    while (closing < most && tokens[encoding->count - 1 - closing].special) {
        closing++;
    }
    memmove(tokens + most - closing, tokens + encoding->count - closing,
            (size_t)closing * sizeof *tokens);
    encoding->count = most;
}

static int read_texts(struct run *run, struct err *err) {
    run->most = run->how->most > 0 ? run->how->most : run->model->config->context;
    run->readings = arena_array(run->arena, run->n, sizeof *run->readings);
    for (int64_t i = 0; i < run->n; i++) {
        const struct embedding_text *text = &run->texts[i];
        struct encoding *encoding = tokenizer_encode(
            run->arena, run->model->tokenizer, text->bytes, text->length, NULL, 0, true, err);
        if (!encoding) {
            return err_pass(err);
        }
        if (encoding->count == 0) {
            return err_set(err, ERR_TEXT, "text %lld has no tokens for this model",
                           (long long)i + 1);
        }
        if (run->most > 0 && encoding->count > run->most) {
            cut(encoding, run->most);
            run->cut++;
        }
        run->readings[i] =
            (struct reading){ .encoding = encoding, .tokens = encoding->count, .text = i };
    }
    return 0;
}

/* Where each text's first row lies, in the order in which they were given. */
static int64_t place_rows(struct run *run) {
    int64_t rows = 0;
    for (int64_t i = 0; i < run->n; i++) {
        struct reading *r = &run->readings[i];
        r->row = rows;
        for (int64_t t = 0; run->states && t < r->tokens; t++) {
            rows += is_shown(run, &r->encoding->tokens[t]);
        }
        rows += !run->states;
    }
    return rows;
}

/* A text's vector, of length 1, from its tokens' states. */
static void pool_text(const float *states, int64_t tokens, int64_t width,
                      enum embedding_pool pool, float *out) {
    double square = 0;
    for (int64_t k = 0; k < width; k++) {
        const float *at = states + k;
        double value = pool == EMBEDDING_FIRST  ? (double)at[0]
                       : pool == EMBEDDING_END  ? (double)at[(tokens - 1) * width]
                       : pool == EMBEDDING_MOST ? -(double)INFINITY
                                                : 0;
        for (int64_t t = 0; t < tokens && pool == EMBEDDING_MEAN; t++) {
            value += (double)at[t * width];
        }
        for (int64_t t = 0; t < tokens && pool == EMBEDDING_MOST; t++) {
            value = fmax(value, (double)at[t * width]);
        }
        out[k] = (float)(pool == EMBEDDING_MEAN ? value / (double)tokens : value);
        square += (double)out[k] * (double)out[k];
    }
    for (int64_t k = 0; k < width && square > 0; k++) {
        out[k] = (float)((double)out[k] / sqrt(square));
    }
}

/* The state at the wanted layer, as it is born. */
static void take(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    struct run *run = arg;
    if (site == SITE_RESIDUAL && layer != run->how->layer) {
        return;
    }
    int64_t width = value->shape[2];
    for (int64_t b = 0; b < run->count; b++) {
        const struct reading *r = &run->batch[b];
        const float *states = value->data + b * run->tokens * width;
        float *out = run->made->vectors->data + r->row * width;
        if (!run->states) {
            pool_text(states, r->tokens, width, run->how->pool, out);
            continue;
        }
        for (int64_t t = 0; t < r->tokens; t++) {
            if (is_shown(run, &r->encoding->tokens[t])) {
                stop_check();
                memcpy(out, states + t * width, (size_t)width * sizeof *out);
                out += width;
            }
        }
    }
}

static int run_batch(struct run *run, struct err *err) {
    int64_t cells = run->count * run->tokens;
    int32_t *ids = arena_array(run->arena, cells, sizeof *ids);
    int32_t *types = arena_array(run->arena, cells, sizeof *types);
    uint8_t *mask = arena_array(run->arena, cells, sizeof *mask);
    for (int64_t b = 0; b < run->count; b++) {
        const struct reading *r = &run->batch[b];
        for (int64_t t = 0; t < run->tokens; t++) {
            int64_t i = b * run->tokens + t;
            mask[i] = t < r->tokens;
            ids[i] = r->encoding->tokens[mask[i] ? t : 0].id;
            types[i] = mask[i] ? r->encoding->tokens[t].type : 0;
        }
    }
    struct pass pass = { .arena = run->arena,
                         .batch = run->count,
                         .tokens = run->tokens,
                         .ids = ids,
                         .types = types,
                         .mask = mask,
                         .take = take,
                         .take_arg = run };
    pass.keep[run->how->layer == EMBEDDING_LAST ? SITE_FINAL : SITE_RESIDUAL] = true;
    return model_run(run->model, &pass, err) ? 0 : err_pass(err);
}

static int run_batches(struct run *run, struct err *err) {
    for (int64_t at = 0; at < run->n; at += run->count) {
        struct arena_mark mark = arena_mark(run->arena);
        run->batch = run->readings + at;
        run->tokens = run->batch[0].tokens;
        int64_t room = BATCH_TOKENS / run->tokens;
        room = room < 1 ? 1 : room < BATCH ? room : BATCH;
        run->count = run->n - at < room ? run->n - at : room;
        if (run_batch(run, err) < 0) {
            return err_pass(err);
        }
        if (run->how->progress) {
            run->how->progress(run->how->arg, at + run->count, run->n);
        }
        arena_rewind(run->arena, mark);
    }
    return 0;
}

static void label_rows(struct run *run) {
    struct embedding *made = run->made;
    for (int64_t i = 0; i < run->n; i++) {
        const struct reading *r = &run->readings[i];
        const struct embedding_text *text = &run->texts[r->text];
        const char *whole = arena_text(run->arena, text->bytes, text->length);
        const char **pieces =
            run->states ? pieces_labels(run->arena, run->model->tokenizer, r->encoding, whole)
                        : NULL;
        int64_t row = r->row;
        for (int64_t t = 0; run->states && t < r->tokens; t++) {
            if (is_shown(run, &r->encoding->tokens[t])) {
                made->labels[row] = pieces[t];
                made->of[row++] = (int32_t)r->text;
            }
        }
        if (!run->states) {
            made->labels[row] = whole;
            made->of[row] = (int32_t)r->text;
        }
    }
}

static int check_layer(const struct model *model, int64_t layer, struct err *err) {
    enum site site = layer == EMBEDDING_LAST ? SITE_FINAL : SITE_RESIDUAL;
    if (!model_has(model, site)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a recurrent model: texts cannot be read as vectors from it, only "
                       "words and tokens, from its table of embeddings (--of words)",
                       model->arch->name);
    }
    if (layer > model->config->layers || layer < EMBEDDING_LAST) {
        return err_set(err, ERR_OPTION,
                       "there is no layer %lld: 0 is the input of the first block, %lld what "
                       "the last one gives",
                       (long long)layer, (long long)model->config->layers);
    }
    return 0;
}

static struct embedding *read_all(struct run *run, struct err *err) {
    if (model_reads_text(run->model, err) < 0 ||
        check_layer(run->model, run->how->layer, err) < 0 || read_texts(run, err) < 0) {
        err_pass(err);
        return NULL;
    }
    int64_t rows = place_rows(run);
    if (rows == 0) {
        err_set(err, ERR_TEXT, "these texts have no tokens but special ones");
        return NULL;
    }
    bool final = run->how->layer == EMBEDDING_LAST;
    run->made = embedding_new(
        run->arena, rows, final ? model_final_width(run->model) : run->model->config->width);
    run->made->cut = run->cut;
    run->made->most = run->most;
    label_rows(run);
    qsort(run->readings, (size_t)run->n, sizeof *run->readings, by_length);
    return run_batches(run, err) < 0 ? NULL : run->made;
}

struct embedding *embedding_texts(struct arena *arena, const struct model *model,
                                  const struct embedding_text *texts, int64_t n,
                                  const struct embedding_reading *how, struct err *err) {
    struct run run = { .arena = arena, .model = model, .texts = texts, .how = how, .n = n };
    return read_all(&run, err);
}

struct embedding *embedding_states(struct arena *arena, const struct model *model,
                                   const struct embedding_text *texts, int64_t n,
                                   const struct embedding_reading *how, struct err *err) {
    struct run run = {
        .arena = arena, .model = model, .texts = texts, .how = how, .n = n, .states = true
    };
    return read_all(&run, err);
}
