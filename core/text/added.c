#include "core/text/added.h"

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"

/* ---- tries ---- */

static int32_t child_of(const struct added_trie *trie, int32_t node, unsigned char byte) {
    int32_t child = trie->nodes[node].child;
    while (child && trie->nodes[child].byte != byte) {
        child = trie->nodes[child].sibling;
    }
    return child;
}

static void trie_add(struct added_trie *trie, const char *bytes, int64_t length,
                     int32_t token) {
    int32_t node = 0;
    for (int64_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        int32_t child = child_of(trie, node, byte);
        if (!child) {
            child = trie->count++;
            trie->nodes[child] = (struct added_node){ .sibling = trie->nodes[node].child,
                                                      .token = -1,
                                                      .byte = byte };
            trie->nodes[node].child = child;
            if (i == 0) {
                trie->first[byte] = child;
            }
        }
        node = child;
    }
    if (trie->nodes[node].token < 0) {
        trie->nodes[node].token = token;
    }
}

static void trie_new(struct arena *arena, struct added_trie *trie, const struct run *spelled,
                     const struct added_token *tokens, int64_t count, bool normalized) {
    int64_t nodes = 1;
    for (int64_t i = 0; i < count; i++) {
        nodes += tokens[i].normalized == normalized ? spelled[i].length : 0;
    }
    trie->nodes = arena_array(arena, nodes, sizeof *trie->nodes);
    trie->nodes[0].token = -1;
    trie->count = 1;
    for (int64_t i = 0; i < count; i++) {
        if (tokens[i].normalized == normalized && spelled[i].length > 0) {
            trie_add(trie, spelled[i].text, spelled[i].length, (int32_t)i);
        }
    }
}

struct added *added_new(struct arena *arena, struct added_token *tokens, int64_t count,
                        const struct normalizer *normalizer) {
    struct added *added = arena_alloc(arena, sizeof *added);
    struct run *spelled = arena_array(arena, count, sizeof *spelled);
    added->tokens = tokens;
    added->spelled = spelled;
    added->count = count;
    for (int64_t i = 0; i < count; i++) {
        spelled[i] =
            (struct run){ .text = tokens[i].bytes, .length = (int64_t)tokens[i].length };
        if (tokens[i].normalized) {
            spelled[i] = normalize_run(arena, normalizer, spelled[i]);
        }
    }
    trie_new(arena, &added->plain, spelled, tokens, count, false);
    trie_new(arena, &added->normalized, spelled, tokens, count, true);
    return added;
}

/* ---- finding ---- */

void added_begin(struct added_walk *walk, const struct added *added, bool normalized,
                 const char *text, int64_t length) {
    *walk = (struct added_walk){ .added = added, .text = text, .length = length };
    walk->trie = normalized ? &added->normalized : &added->plain;
}

enum { STEPS = 500 /* a byte */, STEPS_LEAST = 100000 };

static void count_steps(struct added_walk *walk, int64_t steps) {
    walk->steps += steps;
    if (walk->steps > STEPS_LEAST + STEPS * walk->length) {
        catch_throw(ERR_TEXT,
                    "looking for the added tokens takes more than %d steps a byte on a text of "
                    "%lld bytes: some are long and nearly begin everywhere in it",
                    STEPS, (long long)walk->length);
    }
}

/* The longest token that begins at the first byte where any does; *at is that byte. */
static const struct added_token *find(struct added_walk *walk, int64_t *at, int64_t *end) {
    const struct added_trie *trie = walk->trie;
    for (; trie->count > 1 && *at < walk->length; ++*at) {
        int32_t node = trie->first[(unsigned char)walk->text[*at]], token = -1;
        int64_t i = *at + 1;
        for (; node; i++) {
            if (trie->nodes[node].token >= 0) {
                token = trie->nodes[node].token;
                *end = i;
            }
            node = i < walk->length ? child_of(trie, node, (unsigned char)walk->text[i]) : 0;
        }
        count_steps(walk, i - *at);
        if (token >= 0) {
            return &walk->added->tokens[token];
        }
    }
    return NULL;
}

static int64_t before(const char *text, int64_t at, uint32_t *code) {
    int64_t begin = at - 1;
    while (begin > 0 && ((unsigned char)text[begin] & 0xc0) == 0x80) {
        begin--;
    }
    utf8_decode(text + begin, (size_t)(at - begin), code);
    return begin;
}

static bool touches_word(const struct added_walk *walk, int64_t begin, int64_t end) {
    uint32_t code = ' ';
    if (begin > 0) {
        before(walk->text, begin, &code);
    }
    bool touches = classes_is_word(code);
    code = ' ';
    utf8_decode(walk->text + end, (size_t)(walk->length - end), &code);
    return touches || classes_is_word(code);
}

/* Of the tokens of blanks in a long run of blanks each may take them all, so the end of the run
 * is kept. */
static void take_blanks(struct added_walk *walk, const struct added_token *token,
                        int64_t *begin, int64_t *end) {
    int64_t next = *end;
    for (uint32_t code; token->lstrip && *begin > walk->given;) {
        int64_t to = before(walk->text, *begin, &code);
        if (!classes_is_blank(code)) {
            break;
        }
        *begin = to;
    }
    if (token->lstrip && *begin < walk->given) {
        *begin = walk->given;
    }
    if (token->rstrip && *end >= walk->blank && *end < walk->blanks_end) {
        *end = walk->blanks_end;
    }
    while (token->rstrip && *end < walk->length &&
           classes_at(walk->text, *end, walk->length, &next) == CLASS_BLANK) {
        *end = next;
    }
}

/* The next token, with its blanks, that has anything left; NULL at the end. */
static const struct added_token *next_token(struct added_walk *walk, int64_t *begin,
                                            int64_t *end) {
    const struct added_token *token;
    while (true) {
        *begin = *end = walk->at;
        token = find(walk, begin, end);
        if (!token) {
            return NULL;
        }
        walk->at = *end;
        if (token->single_word && touches_word(walk, *begin, *end)) {
            continue;
        }
        int64_t match = *end;
        take_blanks(walk, token, begin, end);
        if (token->rstrip) {
            walk->blank = match;
            walk->blanks_end = *end;
        }
        if (*begin < *end) {
            return token;
        }
        walk->given = *end > walk->given ? *end : walk->given;
    }
}

bool added_next(struct added_walk *walk, struct added_part *part) {
    int64_t begin, end;
    if (!walk->held.token) {
        const struct added_token *token = next_token(walk, &begin, &end);
        if (!token) {
            walk->at = begin = end = walk->length;
        }
        walk->held = (struct added_part){ begin, end, token };
        if (walk->given < begin) { /* it may also begin in blanks that the last one took */
            *part = (struct added_part){ walk->given, begin, NULL };
            walk->given = begin;
            return true;
        }
    }
    *part = walk->held;
    walk->given = walk->held.end;
    walk->held.token = NULL;
    return part->token != NULL;
}
