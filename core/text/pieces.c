#include "core/text/pieces.h"

#include <string.h>

#include "core/base/buf.h"
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

/* Whether one of the tokens is no whole character by itself. Tokens that share a character only
 * because a blank was put in front of it are shown as they are. */
static bool is_cut(struct arena *arena, const struct tokenizer *tokenizer,
                   const struct encoding *encoding, int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
        if (strstr(tokenizer_label(arena, tokenizer, encoding->tokens[t].id), "<0x")) {
            return true;
        }
    }
    return false;
}

static const char *piece(struct arena *arena, const struct token *token, const char *text,
                         int64_t number) {
    struct buf *out = buf_new(arena);
    buf_text(out, label(arena, text + token->begin, (size_t)(token->end - token->begin)));
    for (const char *digit = arena_printf(arena, "%lld", (long long)number); *digit; digit++) {
        buf_add(out, (char[]){ '\xe2', '\x82', (char)(*digit - '0' + '\x80') },
                3); /* U+2080.. */
    }
    return out->data;
}

const char **pieces_labels(struct arena *arena, const struct tokenizer *tokenizer,
                           const struct encoding *encoding, const char *text) {
    const char **labels = arena_array(arena, encoding->count, sizeof *labels);
    for (int64_t i = 0; i < encoding->count;) {
        int64_t end = run_end(encoding, i);
        bool pieces = end - i > 1 && encoding->tokens[i].type == 0 &&
                      is_cut(arena, tokenizer, encoding, i, end);
        for (int64_t t = i; t < end; t++) {
            labels[t] = pieces ? piece(arena, &encoding->tokens[t], text, t - i + 1)
                               : tokenizer_label(arena, tokenizer, encoding->tokens[t].id);
        }
        i = end;
    }
    return labels;
}
