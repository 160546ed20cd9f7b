#include "core/text/words.h"

#include <string.h>
#include <utf8proc.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"
#include "core/text/label.h"
#include "core/text/pipeline.h"

/* ---- the words of the text ---- */

struct stretch {
    int64_t begin, end; /* bytes */
};

struct stretches {
    struct stretch *all;
    int64_t count;
};

/* What a grapheme cluster is to a word. */
enum role { BLANK, LETTERS, ALONE, INNER };

static bool is_alone_letter(uint32_t code) {
    return classes_is_chinese(code) || (code >= 0x3005 && code <= 0x3007) ||
           (code >= 0x3040 && code <= 0x30ff) || (code >= 0x31f0 && code <= 0x31ff) ||
           (code >= 0xff66 && code <= 0xff9f) || (code >= 0x2ceb0 && code <= 0x323af);
}

/* The cluster that begins at `at`: its end and its role. */
static int64_t cluster(const char *text, int64_t at, int64_t length, enum role *role) {
    uint32_t first = 0, last, code;
    utf8proc_int32_t state = 0;
    bool keycap = false;
    int whole = utf8_decode(text + at, (size_t)(length - at), &first);
    int64_t end = at + (whole > 0 ? whole : 1);
    for (last = first; end < length; last = code) {
        stop_check();
        int n = utf8_decode(text + end, (size_t)(length - end), &code);
        if (n <= 0 || utf8proc_grapheme_break_stateful((utf8proc_int32_t)last,
                                                       (utf8proc_int32_t)code, &state)) {
            break;
        }
        keycap = keycap || code == 0x20e3;
        end += n;
    }
    if (classes_is_blank(first)) {
        *role = BLANK;
    } else if (first == '\'' || first == 0x2019 || first == '-' || first == '.' ||
               first == 0xad) {
        *role = INNER;
    } else {
        bool letters = classes_is_word(first) && !classes_is_punctuation(first);
        *role = letters && !keycap && !is_alone_letter(first) ? LETTERS : ALONE;
    }
    return end;
}

/* The end of the word that begins at `at`, a cluster of letters up to `end`. */
static int64_t letters_end(const char *text, int64_t end, int64_t length) {
    enum role role;
    while (end < length) {
        int64_t next = cluster(text, end, length, &role);
        if (role == INNER && next < length) {
            next = cluster(text, next, length, &role);
        } else if (role == INNER) {
            break;
        }
        if (role != LETTERS) {
            break;
        }
        end = next;
    }
    return end;
}

static struct stretches stretches_of(struct arena *arena, const char *text, int64_t length) {
    struct buf *all = buf_new(arena);
    enum role role;
    for (int64_t at = 0, end; at < length; at = end) {
        end = cluster(text, at, length, &role);
        end = role == LETTERS ? letters_end(text, end, length) : end;
        if (role != BLANK) {
            struct stretch stretch = { at, end };
            buf_add(all, &stretch, sizeof stretch);
        }
    }
    return (struct stretches){ (void *)all->data,
                               (int64_t)(all->length / sizeof(struct stretch)) };
}

/* The first stretch that ends behind byte `at`; count if there is none. */
static int64_t stretch_after(const struct stretches *stretches, int64_t at) {
    int64_t low = 0, high = stretches->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (stretches->all[middle].end > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* ---- tokens to words ---- */

/* The stretches that a token touches: first..last, or first -1 if it is a word of its own. */
struct reach {
    int64_t first, last;
};

/* Whether the token stands for one blank; its offsets may have left that out. */
static bool is_one_blank(const struct tokenizer *tokenizer, int32_t id) {
    const char *spelling = tokenizer_spelling(tokenizer, id);
    bool bytes = split_is_byte_level(tokenizer->splitter);
    return spelling && strcmp(spelling, bytes ? "\u0120" : "\u2581") == 0;
}

/* A blank that stands right before a word goes with it, as it does where both are one token; so
 * does one that was put in front of a word and has that word's first character for its place.
 */
static struct reach reach_of_blank(const struct stretches *stretches, const struct token *token,
                                   const char *text) {
    int64_t end = token->end, next = stretch_after(stretches, token->begin);
    if (token->begin < end && next < stretches->count &&
        stretches->all[next].begin <= token->begin) {
        return (struct reach){ next, next };
    }
    end += end == 0 && text[0] == ' ';
    next = stretch_after(stretches, end);
    bool touches = next < stretches->count && stretches->all[next].begin == end;
    return touches ? (struct reach){ next, next } : (struct reach){ -1, -1 };
}

static struct reach reach_of(const struct tokenizer *tokenizer,
                             const struct stretches *stretches, const struct token *token,
                             const char *text) {
    struct reach none = { -1, -1 };
    if (token->special || token->second || token->added) {
        return none;
    }
    if (is_one_blank(tokenizer, token->id)) {
        return reach_of_blank(stretches, token, text);
    }
    if (token->begin >= token->end) {
        return none;
    }
    struct reach reach = { stretch_after(stretches, token->begin),
                           stretch_after(stretches, token->end - 1) };
    if (reach.first == stretches->count || stretches->all[reach.first].begin >= token->end) {
        return none; /* nothing but blanks */
    }
    if (reach.last == stretches->count || stretches->all[reach.last].begin >= token->end) {
        reach.last--;
    }
    return reach;
}

/* Labels of the words, each of which reaches over some stretches or is a token of its own. */
static void put_labels(struct arena *arena, const struct tokenizer *tokenizer,
                       const struct encoding *encoding, struct words *words,
                       const struct reach *reaches, const struct stretches *stretches,
                       const char *text) {
    for (int64_t w = 0; w < words->count; w++) {
        stop_check();
        if (reaches[w].first < 0) {
            int32_t id = encoding->tokens[words->begin[w]].id;
            words->labels[w] = tokenizer_label(arena, tokenizer, id);
        } else {
            int64_t begin = stretches->all[reaches[w].first].begin;
            int64_t end = stretches->all[reaches[w].last].end;
            words->labels[w] = label(arena, text + begin, (size_t)(end - begin));
        }
    }
}

static bool goes_on(struct reach word, struct reach token) {
    return word.first >= 0 && token.first >= word.first && token.first <= word.last;
}

struct words *words_of(struct arena *arena, const struct tokenizer *tokenizer,
                       const struct encoding *encoding, const char *text, size_t length) {
    struct stretches stretches = stretches_of(arena, text, (int64_t)length);
    struct words *words = arena_alloc(arena, sizeof *words);
    int64_t n = encoding->count;
    words->begin = arena_array(arena, n, sizeof *words->begin);
    words->end = arena_array(arena, n, sizeof *words->end);
    words->labels = arena_array(arena, n, sizeof *words->labels);
    words->of = arena_array(arena, n, sizeof *words->of);
    stop_check(); /* clearing these takes some milliseconds in a long text */
    struct reach *reaches = arena_array(arena, n, sizeof *reaches);
    for (int64_t t = 0; t < n; t++) {
        stop_check();
        struct reach reach = reach_of(tokenizer, &stretches, &encoding->tokens[t], text);
        int64_t last = words->count - 1;
        if (last >= 0 && goes_on(reaches[last], reach)) {
            reaches[last].last =
                reach.last > reaches[last].last ? reach.last : reaches[last].last;
        } else {
            last = words->count++;
            reaches[last] = reach;
            words->begin[last] = t;
        }
        words->end[last] = t + 1;
        words->of[t] = last;
    }
    put_labels(arena, tokenizer, encoding, words, reaches, &stretches, text);
    return words;
}
