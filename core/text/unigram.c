#include "core/text/unigram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/catch.h"

enum { UNKNOWN_PENALTY = 10 };

/* ---- the trie ---- */

static int by_bytes(const void *left, const void *right) {
    const struct vocab_word *const *a = left, *const *b = right;
    uint32_t least = (*a)->length < (*b)->length ? (*a)->length : (*b)->length;
    int order = memcmp((*a)->bytes, (*b)->bytes, least);
    return order ? order : (*a)->length < (*b)->length ? -1 : 1;
}

/* All spellings in order; of one that stands twice only the id that vocab_find gives. */
static const struct vocab_word **sorted_words(struct arena *arena, const struct vocab *vocab,
                                              const bool *ignored, int64_t *count) {
    const struct vocab_word **words = arena_array(arena, vocab->size, sizeof *words);
    *count = 0;
    for (int64_t i = 0; i < vocab->size; i++) {
        const struct vocab_word *word = &vocab->words[i];
        if (word->length > 0 && !(ignored && ignored[i]) &&
            vocab_find(vocab, word->bytes, word->length) == i) {
            words[(*count)++] = word;
        }
    }
    qsort(words, (size_t)*count, sizeof *words, by_bytes);
    return words;
}

static int64_t count_nodes(const struct vocab_word **words, int64_t count) {
    int64_t nodes = 1;
    for (int64_t i = 0; i < count; i++) {
        uint32_t same = 0;
        while (i > 0 && same < words[i - 1]->length && same < words[i]->length &&
               words[i - 1]->bytes[same] == words[i]->bytes[same]) {
            same++;
        }
        nodes += words[i]->length - same;
    }
    return nodes;
}

/* The words that begin with what leads to a node. */
struct range {
    int64_t begin, end;
    uint32_t depth;
};

/* Puts the children of a node behind all nodes so far. */
static void add_children(struct unigram_node *nodes, struct range *ranges, int64_t node,
                         int64_t *count, const struct vocab_word **words) {
    struct range range = ranges[node];
    nodes[node].token = -1;
    if (range.begin < range.end && words[range.begin]->length == range.depth) {
        nodes[node].token = words[range.begin++]->id;
    }
    nodes[node].child = (int32_t)*count;
    for (int64_t begin = range.begin, end; begin < range.end; begin = end) {
        char byte = words[begin]->bytes[range.depth];
        for (end = begin; end < range.end && words[end]->bytes[range.depth] == byte; end++) {
        }
        ranges[*count] = (struct range){ begin, end, range.depth + 1 };
        nodes[(*count)++].byte = (unsigned char)byte;
        nodes[node].children++;
    }
}

static void build_trie(struct arena *arena, struct unigram *unigram, const bool *ignored) {
    int64_t words, nodes = 1;
    struct arena *scratch = arena_new();
    const struct vocab_word **sorted = sorted_words(scratch, unigram->vocab, ignored, &words);
    int64_t most = count_nodes(sorted, words);
    struct range *ranges = arena_array(scratch, most, sizeof *ranges);
    unigram->nodes = arena_array(arena, most, sizeof *unigram->nodes);
    ranges[0] = (struct range){ 0, words, 0 };
    for (int64_t node = 0; node < nodes; node++) {
        add_children(unigram->nodes, ranges, node, &nodes, sorted);
    }
    const struct unigram_node *root = unigram->nodes;
    for (int32_t i = root->child; i < root->child + root->children; i++) {
        unigram->first[root[i].byte] = i;
    }
    arena_free(scratch);
}

static int32_t child_of(const struct unigram *unigram, int32_t node, unsigned char byte) {
    int32_t child = unigram->nodes[node].child;
    for (int32_t end = child + unigram->nodes[node].children; child < end; child++) {
        if (unigram->nodes[child].byte == byte) {
            return child;
        }
    }
    return 0;
}

static void find_bytes(struct unigram *unigram) {
    for (int byte = 0; byte < 256; byte++) {
        char spelled[8];
        int n = snprintf(spelled, sizeof spelled, "<0x%02X>", (unsigned)byte);
        unigram->bytes[byte] = vocab_find(unigram->vocab, spelled, (size_t)n);
    }
}

void unigram_build(struct arena *arena, struct unigram *unigram, const bool *ignored) {
    double least = INFINITY;
    for (int64_t i = 0; i < unigram->vocab->size; i++) {
        if (unigram->vocab->words[i].bytes && unigram->scores[i] < least) {
            least = unigram->scores[i];
        }
    }
    unigram->unknown_score = least - UNKNOWN_PENALTY;
    build_trie(arena, unigram, ignored);
    find_bytes(unigram);
}

/* ---- the best way ---- */

/* For each byte of the piece and its end: the best way there. */
struct way {
    double score;
    uint32_t begin; /* of its last token; the place itself where no way leads */
    int32_t id;
};

static int64_t character_length(const char *piece, int64_t at, int64_t length) {
    int64_t end = at + 1;
    while (end < length && ((unsigned char)piece[end] & 0xc0) == 0x80) {
        end++;
    }
    return end - at;
}

static void offer(struct way *ways, int64_t from, int64_t to, double score, int32_t id) {
    score += ways[from].score;
    if (ways[to].begin == to || score > ways[to].score) {
        ways[to] = (struct way){ score, (uint32_t)from, id };
    }
}

/* Offers all tokens that begin at `at`; whether the character there is one by itself. *steps
 * grows by the bytes looked at. */
static bool offer_tokens(const struct unigram *unigram, struct way *ways, const char *piece,
                         int64_t at, int64_t length, int64_t character, int64_t *steps) {
    bool single = false;
    int32_t node = unigram->first[(unsigned char)piece[at]];
    for (int64_t end = at + 1; node; end++, ++*steps) {
        int32_t id = unigram->nodes[node].token;
        if (id >= 0) {
            offer(ways, at, end, unigram->scores[id], id);
            single |= end == character;
        }
        if (end == length) {
            break;
        }
        node = child_of(unigram, node, (unsigned char)piece[end]);
    }
    return single;
}

enum { STEPS = 500 /* a byte */, STEPS_LEAST = 100000 };

static bool find_ways(const struct unigram *unigram, struct way *ways, const char *piece,
                      int64_t length) {
    int64_t steps = 0;
    for (int64_t i = 0; i <= length; i++) {
        ways[i].begin = (uint32_t)i;
    }
    ways[0].score = 0;
    for (int64_t at = 0, end; at < length; at = end) {
        end = at + character_length(piece, at, length);
        stop_check();
        if (steps > STEPS_LEAST + STEPS * length) {
            catch_throw(ERR_TEXT,
                        "the Unigram model takes more than %d steps a byte on a piece of %lld "
                        "bytes: it has long tokens that nearly begin everywhere in it",
                        STEPS, (long long)length);
        }
        if (!offer_tokens(unigram, ways, piece, at, length, end, &steps)) {
            if (unigram->unknown < 0) {
                return false;
            }
            offer(ways, at, end, unigram->unknown_score, unigram->unknown);
        }
    }
    return true;
}

/* ---- the tokens along it ---- */

static bool has_bytes(const struct unigram *unigram, const char *piece, int64_t begin,
                      int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        if (unigram->bytes[(unsigned char)piece[i]] < 0) {
            return false;
        }
    }
    return true;
}

/* What is unknown may still be a token once it is joined. */
static void put_unknown(const struct unigram *unigram, struct symbols *out, const char *piece,
                        int64_t begin, int64_t end) {
    int32_t id = vocab_find(unigram->vocab, piece + begin, (size_t)(end - begin));
    if (id < 0 && unigram->byte_fallback && has_bytes(unigram, piece, begin, end)) {
        for (int64_t i = begin; i < end; i++) {
            symbols_add(out, unigram->bytes[(unsigned char)piece[i]], begin, end);
        }
    } else {
        symbols_add(out, id < 0 ? unigram->unknown : id, begin, end);
    }
}

/* Turns the links round, so that the way can be walked from its beginning. */
static void turn(struct way *ways, int64_t length) {
    uint32_t to = (uint32_t)length;
    int32_t id = -1;
    for (uint32_t at = to; at > 0;) {
        struct way way = ways[at];
        ways[at].begin = to; /* now: where the token that begins here ends */
        ways[at].id = id;
        to = at;
        id = way.id;
        at = way.begin;
    }
    ways[0].begin = to;
    ways[0].id = id;
}

bool unigram_split(const struct unigram *unigram, struct symbols *out, const char *piece,
                   int64_t length) {
    struct arena_mark mark = arena_mark(out->arena);
    struct way *ways = arena_raw(out->arena, (size_t)(length + 1) * sizeof *ways);
    bool found = find_ways(unigram, ways, piece, length);
    if (found) {
        turn(ways, length);
    }
    for (int64_t at = 0, end; found && at < length; at = end) {
        end = ways[at].begin;
        if (ways[at].id != unigram->unknown) {
            symbols_add(out, ways[at].id, at, end);
            continue;
        }
        while (end < length && ways[end].id == unigram->unknown) {
            end = ways[end].begin;
        }
        put_unknown(unigram, out, piece, at, end);
    }
    arena_rewind(out->arena, mark);
    return found;
}
