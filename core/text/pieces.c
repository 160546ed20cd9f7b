#include "core/text/pieces.h"

#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/text/label.h"

/* The first token after i that shares no character with the one before it. */
static int64_t run_end(const struct encoding *encoding, int64_t i) {
    const struct token *tokens = encoding->tokens;
    int64_t end = i + 1;
    while (end < encoding->count && !tokens[end].special &&
           tokens[end].type == tokens[i].type && tokens[end].begin < tokens[end - 1].end) {
        end++;
    }
    return tokens[i].special ? i + 1 : end;
}

static bool shows_bytes(const char *label) {
    return strstr(label, "<0x") != NULL;
}

enum { LONG = 4096 /* tokens of a text from which on labels are remembered */ };

/* Labels by id, each made once: a long text has few tokens many times. */
struct labels {
    struct arena *arena;
    const struct tokenizer *tokenizer;
    const char **of; /* NULL: not worth its room */
};

static const char *label_of(const struct labels *labels, int32_t id) {
    if (!labels->of || id < 0 || id >= tokenizer_size(labels->tokenizer)) {
        return tokenizer_label(labels->arena, labels->tokenizer, id);
    }
    if (!labels->of[id]) {
        labels->of[id] = tokenizer_label(labels->arena, labels->tokenizer, id);
    }
    return labels->of[id];
}

/* Whether one of the tokens is no whole character by itself. Tokens that share a character only
 * because a blank was put in front of it are shown as they are. */
static bool is_cut(const struct labels *labels, const struct encoding *encoding, int64_t begin,
                   int64_t end) {
    for (int64_t t = begin; t < end; t++) {
        if (shows_bytes(label_of(labels, encoding->tokens[t].id))) {
            return true;
        }
    }
    return false;
}

static const char *piece(struct arena *arena, const char *bytes, size_t length,
                         int64_t number) {
    char digits[24], below[3 * sizeof digits], *at = below;
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    for (const char *digit = digits; *digit; digit++, at += 3) {
        memcpy(at, (char[]){ '\xe2', '\x82', (char)(*digit - '0' + '\x80') }, 3); /* U+2080.. */
    }
    *at = '\0';
    return arena_printf(arena, "%s%s", label(arena, bytes, length), below);
}

const char **pieces_labels(struct arena *arena, const struct tokenizer *tokenizer,
                           const struct encoding *encoding, const char *text) {
    const char **labels = arena_array(arena, encoding->count, sizeof *labels);
    struct labels known = { .arena = arena, .tokenizer = tokenizer };
    if (encoding->count > LONG) {
        known.of = arena_array(arena, tokenizer_size(tokenizer), sizeof *known.of);
    }
    int64_t runs = 0;
    for (int64_t i = 0; i < encoding->count;) {
        int64_t end = run_end(encoding, i);
        if (++runs % 4096 == 0) {
            stop_check();
        }
        bool pieces =
            end - i > 1 && encoding->tokens[i].type == 0 && is_cut(&known, encoding, i, end);
        stop_check();
        for (int64_t t = i; t < end; t++) {
            const struct token *token = &encoding->tokens[t];
            labels[t] = pieces ? piece(arena, text + token->begin,
                                       (size_t)(token->end - token->begin), t - i + 1)
                               : label_of(&known, token->id);
        }
        i = end;
    }
    return labels;
}

/* ---- what was written ---- */

enum { PIECES_MOST = 4 /* of a character: it has no more bytes */ };

/* The text of `last` behind the n tokens, at most PIECES_MOST - 1, if that is whole characters;
 * else NULL. */
static const char *whole(struct arena *arena, const struct tokenizer *tokenizer,
                         const int32_t *ids, int64_t n, int32_t last, size_t *length) {
    int32_t run[PIECES_MOST];
    memcpy(run, ids, (size_t)n * sizeof *run);
    run[n] = last;
    const char *text = tokenizer_decode(arena, tokenizer, run, n + 1, false, length);
    return *length > 0 && !strstr(text, "\xEF\xBF\xBD") ? text : NULL;
}

/* A token that was written or might have been, behind the pieces of a character that begin at
 * `open`. */
static const char *next(struct arena *arena, const struct tokenizer *tokenizer,
                        const int32_t *open, int64_t n, int32_t id) {
    const char *alone = tokenizer_label(arena, tokenizer, id), *text = NULL;
    size_t length;
    if (n > 0 && shows_bytes(alone)) {
        text = whole(arena, tokenizer, open, n, id, &length);
    }
    return text ? piece(arena, text, length, n + 1) : alone;
}

void pieces_written(struct arena *arena, const struct tokenizer *tokenizer,
                    const int32_t *taken, int64_t n, const int32_t *others, int64_t k,
                    const char **labels, const char **names) {
    int64_t open = 0; /* where the character that is not finished begins */
    for (int64_t t = 0; t < n; t++) {
        size_t length;
        for (int64_t i = t * k; i < (t + 1) * k; i++) {
            names[i] = next(arena, tokenizer, taken + open, t - open, others[i]);
        }
        labels[t] = tokenizer_label(arena, tokenizer, taken[t]);
        const char *text = NULL;
        bool bytes = shows_bytes(labels[t]);
        if (bytes) {
            text = whole(arena, tokenizer, taken + open, t - open, taken[t], &length);
        }
        for (int64_t i = open; i <= t && text && t > open; i++) {
            labels[i] = piece(arena, text, length, i - open + 1);
        }
        open = !bytes || text || t - open + 1 == PIECES_MOST ? t + 1 : open;
    }
    for (int64_t i = 0; i < n * k; i++) {
        names[i] = others[i] == taken[i / k] ? labels[i / k] : names[i];
    }
}
