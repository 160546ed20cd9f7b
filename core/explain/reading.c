#include "core/explain/reading.h"

#include <string.h>

static bool is_task(const struct model *model, const char *task) {
    return strcmp(model->task, task) == 0;
}

bool reading_classifies(const struct model *model) {
    return is_task(model, "classification");
}

int reading_check(const struct model *model, const char *handle, struct err *err) {
    if (is_task(model, "causal-lm") || is_task(model, "seq2seq-lm") ||
        is_task(model, "masked-lm") || reading_classifies(model)) {
        return 0;
    }
    return err_set(err, ERR_UNSUPPORTED,
                   "%s (%s, %s) has no head that predicts words or classes: it makes hidden "
                   "states; load a language model or a classifier",
                   handle, model->arch->name, model->task);
}

static int32_t mask_token(const struct tokenizer *tokenizer, const char **spelling) {
    static const char *const masks[] = { "[MASK]", "<mask>" };
    for (int i = 0; i < 2; i++) {
        int32_t id = tokenizer_id(tokenizer, masks[i]);
        *spelling = masks[i];
        if (id >= 0) {
            return id;
        }
    }
    return -1;
}

static int find_masks(struct arena *arena, const struct model *model, struct reading *reading,
                      struct err *err) {
    const char *spelling;
    int32_t mask = mask_token(model->tokenizer, &spelling);
    if (mask < 0) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the model fills masks, but its tokenizer has no mask token");
    }
    reading->places = arena_array(arena, reading->count, sizeof *reading->places);
    for (int64_t i = 0; i < reading->count; i++) {
        if (reading->ids[i] == mask) {
            reading->places[reading->place_count++] = i;
        }
    }
    if (reading->place_count == 0) {
        return err_set(err, ERR_TEXT,
                       "there is no %s in the text: this model guesses masked words; write %s "
                       "where it shall guess",
                       spelling, spelling);
    }
    return 0;
}

/* What the decoder reads: its start token and the text behind ">>". */
static int read_decoder(struct arena *arena, const struct model *model, const char *text,
                        size_t length, struct reading *reading, struct err *err) {
    struct encoding *encoding =
        tokenizer_encode(arena, model->tokenizer, text, length, NULL, 0, false, err);
    if (!encoding) {
        return err_pass(err);
    }
    reading->decoder_count = encoding->count + 1;
    reading->decoder_ids = arena_array(arena, reading->decoder_count, sizeof(int32_t));
    reading->decoder_ids[0] = (int32_t)model->config->decoder_start;
    for (int64_t i = 0; i < encoding->count; i++) {
        reading->decoder_ids[i + 1] = encoding->tokens[i].id;
    }
    return 0;
}

static int read_ids(struct arena *arena, const struct model *model, const char *text,
                    size_t length, bool special, struct reading *reading, struct err *err) {
    struct encoding *encoding =
        tokenizer_encode(arena, model->tokenizer, text, length, NULL, 0, special, err);
    if (!encoding) {
        return err_pass(err);
    }
    int64_t own = 0, n = encoding->count;
    const struct token *tokens = encoding->tokens;
    for (int64_t i = 0; i < n; i++) {
        own += !tokens[i].special;
    }
    if (own == 0) {
        return err_set(err, ERR_TEXT, "the text is empty: write at least one word");
    }
    bool ends = is_task(model, "causal-lm") && tokens[n - 1].special &&
                tokens[n - 1].id == model->config->eos;
    reading->count = n - ends;
    reading->ids = arena_array(arena, n, sizeof *reading->ids);
    for (int64_t i = 0; i < n; i++) {
        reading->ids[i] = tokens[i].id;
    }
    return 0;
}

static size_t trimmed(const char *text, size_t length) {
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    return length;
}

struct reading *reading_of(struct arena *arena, const struct model *model, const char *text,
                           size_t length, bool special, struct err *err) {
    struct reading *reading = arena_alloc(arena, sizeof *reading);
    const char *sign = model_decodes(model) ? memmem(text, length, ">>", 2) : NULL;
    size_t source = sign ? trimmed(text, (size_t)(sign - text)) : length;
    const char *target = sign ? sign + 2 : text + length;
    while (target < text + length && *target == ' ') {
        target++;
    }
    bool good = model_reads_text(model, err) == 0 &&
                read_ids(arena, model, text, source, special, reading, err) == 0;
    if (good && model_decodes(model)) {
        good = read_decoder(arena, model, target, (size_t)(text + length - target), reading,
                            err) == 0;
    }
    if (good && is_task(model, "masked-lm")) {
        good = find_masks(arena, model, reading, err) == 0;
    } else if (good) {
        int64_t last = model_decodes(model) ? reading->decoder_count - 1 : reading->count - 1;
        reading->places = arena_alloc(arena, sizeof *reading->places);
        reading->places[0] = reading_classifies(model) ? 0 : last;
        reading->place_count = 1;
    }
    if (!good) {
        err_pass(err);
        return NULL;
    }
    return reading;
}

const char *reading_quote(struct arena *arena, const char *text, size_t length) {
    char shown[64];
    return arena_copy(arena, err_quote(shown, sizeof shown, text, length));
}
