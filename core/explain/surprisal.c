#include "core/explain/surprisal.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/explain/broken.h"
#include "core/explain/lens.h"
#include "core/tensor/logsumexp.h"

enum {
    LOGITS_BYTES = 1 << 26, /* of the rows of logits that are held at once */
    PREFIX_BYTES = 1 << 29, /* of the keys and values of what a window has read */
    PIECE = 512,            /* tokens of a window that are read at once */
    MASKED_TOKENS = 1024    /* of the copies of a masked text that run at once */
};

double surprisal_perplexity(double nats, int64_t count) {
    return count > 0 ? exp(nats / (double)count) : (double)NAN;
}

double surprisal_bits(double nats) {
    return nats / log(2);
}

double surprisal_bits_per_byte(double nats, int64_t bytes) {
    return bytes > 0 ? surprisal_bits(nats) / (double)bytes : (double)NAN;
}

int surprisal_check(const struct model *model, struct err *err) {
    bool causal = strcmp(model->task, "causal-lm") == 0;
    if (causal || strcmp(model->task, "masked-lm") == 0) {
        return 0;
    }
    return err_set(err, ERR_UNSUPPORTED,
                   "this model (%s, %s) gives no probabilities of a text's own tokens: "
                   "surprisal needs one that continues texts (causal-lm) or fills gaps "
                   "(masked-lm)",
                   model->arch->name, model->task);
}

/* A text on its way. */
struct reading {
    struct surprisal *to;
    const struct model *model;
    const int32_t *ids;
    int64_t tokens;
    const struct surprisal_request *request;
    struct arena *scratch;
    int64_t ahead; /* tokens that the run under way will make known */
    /* What a run leaves: the last residual stream from row `first` on. */
    float *states;
    int64_t first, rows;
    struct err *err;
    bool failed;
};

static void on_progress(void *arg, int64_t layer, int64_t layers) {
    const struct reading *reading = arg;
    if (reading->request->progress) {
        reading->request->progress(reading->request->progress_arg,
                                   reading->to->known + reading->ahead * layer / layers,
                                   reading->tokens);
    }
}

static void count(struct reading *reading, int64_t token, const float *logits, int64_t n) {
    struct surprisal *to = reading->to;
    to->nats[token] = logsumexp(logits, n) - (double)logits[reading->ids[token]];
    to->counted[token] = true;
    to->total += to->nats[token];
    to->count++;
}

/* ---- models that continue texts ---- */

static void take_last(void *arg, enum site site, int64_t layer, const struct tensor *value) {
    struct reading *reading = arg;
    int64_t width = value->shape[2];
    (void)site; /* the residual stream is all that the pass keeps */
    if (layer == reading->model->config->layers && reading->rows > 0) {
        memcpy(reading->states, value->data + reading->first * width,
               (size_t)(reading->rows * width) * sizeof *reading->states);
    }
}

/* Logits of the window's rows, some at a time, from its last states. */
static int count_states(struct reading *reading, int64_t from) {
    int64_t width = reading->model->config->width, vocab = reading->model->config->vocab;
    int64_t most = LOGITS_BYTES / (4 * (vocab > 0 ? vocab : 1)) + 1;
    for (int64_t done = 0; done < reading->rows; done += most) {
        int64_t n = reading->rows - done < most ? reading->rows - done : most;
        struct arena_mark mark = arena_mark(reading->scratch);
        const struct tensor *logits = lens(reading->scratch, reading->model,
                                           reading->states + done * width, n, reading->err);
        if (!logits) {
            return -1;
        }
        for (int64_t i = 0; i < n; i++) {
            stop_check();
            count(reading, from + done + i, logits->data + i * logits->shape[1],
                  logits->shape[1]);
        }
        arena_rewind(reading->scratch, mark);
    }
    return 0;
}

/* Recurrent nets have no residual stream to go on from: all rows of logits at once. */
static int count_logits(struct reading *reading, int64_t from, const struct trace *trace) {
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    int64_t n = logits->shape[logits->rank - 1];
    for (int64_t i = 0; i < reading->rows; i++) {
        stop_check();
        count(reading, from + i, logits->data + (reading->first + i) * n, n);
    }
    return 0;
}

/* Reads tokens begin .. end behind the prefix and counts those from `from` on that they, and
 * the token before each, tell of. */
static int read_piece(struct reading *reading, struct prefix *prefix, int64_t begin,
                      int64_t from, int64_t end, int64_t window_end) {
    const struct model *model = reading->model;
    bool resumes = model_has(model, SITE_RESIDUAL);
    int64_t to = end + 1 < window_end ? end + 1 : window_end;
    from = from > begin + 1 ? from : begin + 1;
    reading->first = from - 1 - begin;
    reading->rows = to > from ? to - from : 0;
    reading->ahead = to > reading->to->known ? to - reading->to->known : 0;
    if (reading->rows == 0 && !prefix) {
        reading->to->known += reading->ahead;
        return 0;
    }
    struct pass pass = { .arena = reading->scratch,
                         .batch = 1,
                         .tokens = end - begin,
                         .ids = reading->ids + begin,
                         .prefix = prefix,
                         .extend = prefix != NULL,
                         .progress = on_progress,
                         .progress_arg = reading };
    pass.keep[resumes ? SITE_RESIDUAL : SITE_LOGITS] = true;
    if (resumes) {
        pass.take = take_last;
        pass.take_arg = reading;
        reading->states =
            arena_array(reading->scratch, reading->rows * model->config->width, sizeof(float));
    }
    const struct trace *trace = model_run(model, &pass, reading->err);
    if (!trace ||
        (resumes ? count_states(reading, from) : count_logits(reading, from, trace))) {
        return -1;
    }
    reading->to->known += reading->ahead;
    return 0;
}

/* Keys and values of what a window has read, where it is long and the model can go on from
 * them: the same bytes as in one run, but an interrupt keeps the pieces before it. */
static struct prefix *prefix_of(struct reading *reading, int64_t tokens) {
    const struct config *c = reading->model->config;
    double bytes = 8 * (double)tokens * (double)(c->layers * c->kv_heads * c->head_width);
    return tokens > PIECE && model_takes_prefix(reading->model) && bytes <= PREFIX_BYTES
               ? prefix_new(reading->scratch, reading->model, tokens)
               : NULL;
}

/* Tokens `from` .. end of the window that begins at `begin`. */
static int read_window(struct reading *reading, int64_t begin, int64_t from, int64_t end) {
    struct prefix *prefix = prefix_of(reading, end - begin);
    int64_t piece = prefix ? PIECE : end - begin;
    for (int64_t at = begin; at < end; at += piece) {
        struct arena_mark mark = arena_mark(reading->scratch);
        int64_t to = at + piece < end ? at + piece : end;
        if (read_piece(reading, prefix, at, from, to, end) < 0) {
            return -1;
        }
        arena_rewind(reading->scratch, mark);
    }
    return 0;
}

static int read_windows(struct reading *reading) {
    struct surprisal *to = reading->to;
    int64_t window = to->window, stride = to->stride > 0 ? to->stride : reading->tokens;
    for (int64_t begin = 0; to->known < reading->tokens; begin += stride) {
        int64_t end = begin + window < reading->tokens ? begin + window : reading->tokens;
        int64_t from = to->known > begin + 1 ? to->known : begin + 1;
        struct arena_mark mark = arena_mark(reading->scratch);
        if (read_window(reading, begin, from, end) < 0) {
            return -1;
        }
        arena_rewind(reading->scratch, mark);
    }
    return 0;
}

/* ---- models that fill gaps ---- */

static int32_t mask_of(const struct model *model) {
    int32_t mask = model->tokenizer ? tokenizer_id(model->tokenizer, "[MASK]") : -1;
    return mask >= 0 || !model->tokenizer ? mask : tokenizer_id(model->tokenizer, "<mask>");
}

/* Runs one copy of the text for each of the n places, which is masked there. */
static int read_masked(struct reading *reading, const int64_t *places, int64_t n,
                       int32_t mask) {
    int64_t t = reading->tokens;
    int32_t *ids = arena_array(reading->scratch, n * t, sizeof *ids);
    int64_t *rows = arena_array(reading->scratch, n, sizeof *rows);
    for (int64_t i = 0; i < n; i++) {
        memcpy(ids + i * t, reading->ids, (size_t)t * sizeof *ids);
        rows[i] = i * t + places[i];
        ids[rows[i]] = mask;
    }
    struct pass pass = { .arena = reading->scratch,
                         .batch = n,
                         .tokens = t,
                         .ids = ids,
                         .wanted_rows = rows,
                         .wanted = n,
                         .progress = on_progress,
                         .progress_arg = reading };
    pass.keep[SITE_LOGITS] = true;
    const struct trace *trace = model_run(reading->model, &pass, reading->err);
    if (!trace) {
        return -1;
    }
    const struct tensor *logits = trace_at(trace, SITE_LOGITS, 0);
    for (int64_t i = 0; i < n; i++) {
        count(reading, places[i], logits->data + i * logits->shape[1], logits->shape[1]);
    }
    return 0;
}

/* Places of the text's own tokens: neither added ones nor a gap that the user wrote. */
static int64_t masked_places(const struct reading *reading, int32_t mask, int64_t *places) {
    const struct encoding *encoding = reading->to->encoding;
    int64_t n = 0;
    for (int64_t t = 0; t < reading->tokens; t++) {
        bool own = !encoding || !encoding->tokens[t].special;
        if (own && reading->ids[t] != mask) {
            places[n++] = t;
        }
    }
    return n;
}

static int read_gaps(struct reading *reading) {
    const struct config *config = reading->model->config;
    int32_t mask = mask_of(reading->model);
    int64_t *places = arena_array(reading->scratch, reading->tokens, sizeof *places);
    int64_t n = masked_places(reading, mask, places);
    int64_t batch = MASKED_TOKENS / reading->tokens + 1;
    if (mask < 0) {
        return err_set(reading->err, ERR_UNSUPPORTED,
                       "this masked model's tokenizer has no [MASK] or <mask> to put in a "
                       "token's place");
    }
    if (!config_fits(config, reading->tokens)) {
        return err_set(reading->err, ERR_TEXT,
                       "the text has %lld tokens, and a masked model reads all at once, this "
                       "one at most %lld: cut it into lines",
                       (long long)reading->tokens, (long long)config->context);
    }
    for (int64_t done = 0; done < n; done += batch) {
        int64_t some = n - done < batch ? n - done : batch;
        reading->ahead = places[done + some - 1] + 1 - reading->to->known;
        struct arena_mark mark = arena_mark(reading->scratch);
        if (read_masked(reading, places + done, some, mask) < 0) {
            return -1;
        }
        arena_rewind(reading->scratch, mark);
        reading->to->known = places[done + some - 1] + 1;
    }
    reading->to->known = reading->tokens;
    return 0;
}

/* ---- both ---- */

/* Reads until the end or an interrupt, which leaves what was read by then. */
static int read_caught(struct arena *arena, struct reading *reading) {
    struct arena **scratch = guard_arena(arena);
    struct catch here;
    reading->scratch = *scratch;
    if (setjmp(catch_set(&here)->place) == 0) {
        reading->failed =
            (reading->to->masked ? read_gaps(reading) : read_windows(reading)) < 0;
    }
    catch_end(&here);
    guard_free(scratch);
    if (here.err.kind != ERR_NONE && (here.err.kind != ERR_STOP || reading->to->known == 0)) {
        catch_throw(here.err.kind, "%s", here.err.text);
    }
    if (here.err.kind == ERR_STOP) {
        stop_settle(); /* so that what there is can be shown */
    }
    return reading->failed ? err_pass(reading->err) : 0;
}

/* A piece that was half read when the interrupt came does not count. */
static void forget_half(struct surprisal *to, int64_t tokens) {
    for (int64_t t = to->known; t < tokens; t++) {
        to->count -= to->counted[t];
        to->counted[t] = false;
        to->nats[t] = 0;
    }
    to->total = 0;
    for (int64_t t = 0; t < to->known; t++) {
        to->total += to->nats[t];
    }
}

static int set_windows(struct surprisal *to, const struct model *model, int64_t tokens,
                       const struct surprisal_request *request, struct err *err) {
    int64_t context = model->config->context;
    int64_t window = request->window > 0 ? request->window : context > 0 ? context : tokens;
    int64_t stride = request->stride > 0 ? request->stride : window > 1 ? window / 2 : 1;
    if (window == 1 && tokens > 1) {
        return err_set(err, ERR_OPTION,
                       "a window of 1 token has nothing before it: it takes 2 at least");
    }
    if (context > 0 && window > context) {
        return err_set(err, ERR_OPTION,
                       "a window of %lld tokens is more than this model reads at once, %lld",
                       (long long)window, (long long)context);
    }
    if (request->stride > window) {
        return err_set(err, ERR_OPTION,
                       "a stride of %lld leaves out what lies between windows of %lld tokens: "
                       "it can be %lld at most",
                       (long long)request->stride, (long long)window, (long long)window);
    }
    to->window = window;
    to->stride = tokens > window ? stride : 0;
    return 0;
}

static int read_ids(struct arena *arena, struct surprisal *to, const struct model *model,
                    const int32_t *ids, int64_t tokens, const struct surprisal_request *request,
                    struct err *err) {
    struct reading reading = {
        .to = to, .model = model, .ids = ids, .tokens = tokens, .request = request, .err = err
    };
    to->nats = arena_array(arena, tokens + 1, sizeof *to->nats);
    to->counted = arena_array(arena, tokens + 1, sizeof *to->counted);
    to->masked = strcmp(model->task, "masked-lm") == 0;
    if (surprisal_check(model, err) < 0 || set_windows(to, model, tokens, request, err) < 0 ||
        (tokens > 0 && read_caught(arena, &reading) < 0)) {
        return err_pass(err);
    }
    forget_half(to, tokens);
    return isnan(to->total) ? broken_refuse(arena, model, err) : 0;
}

struct surprisal *surprisal_of_ids(struct arena *arena, const struct model *model,
                                   const int32_t *ids, int64_t tokens,
                                   const struct surprisal_request *request, struct err *err) {
    struct surprisal *to = arena_alloc(arena, sizeof *to);
    return read_ids(arena, to, model, ids, tokens, request, err) < 0 ? NULL : to;
}

/* The text's tokens; the BOS token in front where it is asked for and not there. */
static int encode(struct arena *arena, struct surprisal *to, const struct model *model,
                  bool bos, struct err *err) {
    struct encoding *encoding =
        tokenizer_encode(arena, model->tokenizer, to->text, to->length, NULL, 0, true, err);
    to->encoding = encoding;
    if (!encoding) {
        return err_pass(err);
    }
    bool has = encoding->count > 0 && encoding->tokens[0].special;
    if (!bos || has) {
        return 0;
    }
    if (model->config->bos < 0 || strcmp(model->task, "causal-lm") != 0) {
        return err_set(err, ERR_OPTION,
                       "--bos: this model (%s, %s) has no beginning-of-text token",
                       model->arch->name, model->task);
    }
    struct token *tokens = arena_array(arena, encoding->count + 1, sizeof *tokens);
    tokens[0] = (struct token){ .id = (int32_t)model->config->bos, .special = true };
    memcpy(tokens + 1, encoding->tokens, (size_t)encoding->count * sizeof *tokens);
    encoding->tokens = tokens;
    encoding->count++;
    to->bos = true;
    return 0;
}

static int refuse_short(const struct surprisal *to, const struct model *model,
                        struct err *err) {
    if (to->masked || to->encoding->count == 0) {
        return err_set(err, ERR_TEXT,
                       "the text has no token to be surprised at: write at least one word");
    }
    return err_set(err, ERR_TEXT,
                   "the text is one token, and a first token has nothing before it that could "
                   "lead to expect it: write a longer text%s",
                   model->config->bos >= 0 ? ", or add --bos" : "");
}

struct surprisal *surprisal(struct arena *arena, const struct model *model, const char *text,
                            size_t length, const struct surprisal_request *request,
                            struct err *err) {
    struct surprisal *to = arena_alloc(arena, sizeof *to);
    to->text = text;
    to->length = length;
    if (model_reads_text(model, err) < 0 || surprisal_check(model, err) < 0 ||
        encode(arena, to, model, request->bos, err) < 0) {
        err_pass(err);
        return NULL;
    }
    const struct encoding *encoding = to->encoding;
    int32_t *ids = arena_array(arena, encoding->count + 1, sizeof *ids);
    for (int64_t t = 0; t < encoding->count; t++) {
        ids[t] = encoding->tokens[t].id;
    }
    if (read_ids(arena, to, model, ids, encoding->count, request, err) < 0) {
        err_pass(err);
        return NULL;
    }
    if (to->count == 0) {
        refuse_short(to, model, err);
        return NULL;
    }
    bool whole = to->known == encoding->count;
    to->bytes = whole ? (int64_t)length : encoding->tokens[to->known].begin;
    return to;
}
