#include "core/text/bpe.h"

#include <stdio.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"

enum { SHORT = 32 }; /* symbols of a piece that are merged by scanning */

/* The byte alphabet of GPT-2: printable Latin-1 stands for itself, the other bytes follow from
 * U+0100 on, in order. */
uint32_t bpe_letter(unsigned char byte) {
    if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173)) {
        return byte;
    }
    return byte <= 32 ? 256U + byte : byte == 173 ? 256 + 67 : 256U + 33 + (byte - 127U);
}

int bpe_byte(uint32_t letter) {
    if (letter < 256) {
        return bpe_letter((unsigned char)letter) == letter ? (int)letter : -1;
    }
    letter -= 256;
    return letter <= 32   ? (int)letter
           : letter <= 66 ? (int)letter - 33 + 127
           : letter == 67 ? 173
                          : -1;
}

static uint32_t pair_hash(int32_t left, int32_t right) {
    return (uint32_t)vocab_mix(0, (uint64_t)(uint32_t)left << 32 | (uint32_t)right);
}

static struct bpe_pair *pair_at(const struct bpe *bpe, int32_t left, int32_t right) {
    for (uint32_t i = pair_hash(left, right) & bpe->mask;; i = (i + 1) & bpe->mask) {
        struct bpe_pair *pair = &bpe->pairs[i];
        if (pair->left < 0 || (pair->left == left && pair->right == right)) {
            return pair;
        }
    }
}

void bpe_reserve(struct arena *arena, struct bpe *bpe, int64_t count) {
    uint32_t room = 64;
    while (room < 2 * (uint64_t)count) {
        room *= 2;
    }
    bpe->mask = room - 1;
    bpe->pairs = arena_raw(arena, room * sizeof *bpe->pairs);
    memset(bpe->pairs, 0xff, room * sizeof *bpe->pairs);
}

int bpe_add(struct bpe *bpe, const struct vocab_word *left, const struct vocab_word *right,
            int32_t rank, char *spelled, const char *file, struct err *err) {
    size_t skip = strlen(bpe->prefix);
    skip = skip <= right->length ? skip : right->length;
    size_t length = left->length + right->length - skip;
    int32_t joined = -1;
    if (length <= bpe->vocab->longest) {
        memcpy(spelled, left->bytes, left->length);
        memcpy(spelled + left->length, right->bytes + skip, right->length - skip);
        joined = vocab_find(bpe->vocab, spelled, length);
    }
    if (joined < 0) {
        char a[60], b[60];
        return err_set(err, ERR_FORMAT,
                       "%s: merge %d joins %s and %s to a token that is not in vocab", file,
                       rank, err_quote(a, sizeof a, left->bytes, left->length),
                       err_quote(b, sizeof b, right->bytes, right->length));
    }
    *pair_at(bpe, left->id, right->id) = (struct bpe_pair){ left->id, right->id, rank, joined };
    return 0;
}

static int32_t byte_id(const struct bpe *bpe, unsigned char byte) {
    char spelled[8];
    int n = bpe->byte_level ? utf8_encode(spelled, bpe_letter(byte))
                            : snprintf(spelled, sizeof spelled, "<0x%02X>", byte);
    return vocab_find(bpe->vocab, spelled, (size_t)n);
}

void bpe_bytes(struct bpe *bpe) {
    for (int byte = 0; byte < 256; byte++) {
        bpe->bytes[byte] = byte_id(bpe, (unsigned char)byte);
    }
}

/* ---- first symbols ---- */

/* The id of one character, with the prefix and suffix that its place asks for. */
static int32_t character_id(const struct bpe *bpe, const char *at, size_t n, bool first,
                            bool last, char *spelled) {
    size_t prefix = first ? 0 : strlen(bpe->prefix);
    size_t suffix = last ? strlen(bpe->suffix) : 0;
    if (prefix + suffix == 0) {
        return vocab_find(bpe->vocab, at, n);
    }
    if (prefix + n + suffix > bpe->vocab->longest) {
        return -1;
    }
    memcpy(spelled, bpe->prefix, prefix);
    memcpy(spelled + prefix, at, n);
    memcpy(spelled + prefix + n, bpe->suffix, suffix);
    return vocab_find(bpe->vocab, spelled, prefix + n + suffix);
}

static bool has_bytes(const struct bpe *bpe, const char *at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bpe->bytes[(unsigned char)at[i]] < 0) {
            return false;
        }
    }
    return true;
}

/* Symbols so far; positions are sums of lengths, so a character that is left out shifts what
 * follows, and an unknown one waits until it is known whether its neighbour is unknown too. */
struct first {
    const struct bpe *bpe;
    struct symbols *out;
    int64_t at;      /* bytes given out */
    int64_t waiting; /* bytes of unknown characters not given out yet */
    bool lacks;      /* there is no unknown token though one is named */
};

static void give(struct first *first, int32_t id, int64_t n) {
    symbols_add(first->out, id, first->at, first->at + n);
    first->at += n;
}

static void give_unknown(struct first *first) {
    if (first->waiting) {
        give(first, first->bpe->unknown, first->waiting);
        first->waiting = 0;
    }
}

static void give_bytes(struct first *first, const char *at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        give(first, first->bpe->bytes[(unsigned char)at[i]], 1);
    }
}

/* Its bytes, with those of the prefix and the suffix; false if they are not all there. */
static bool fall_back(struct first *first, const char *at, size_t n, bool begin, bool end) {
    const struct bpe *bpe = first->bpe;
    size_t prefix = begin ? 0 : strlen(bpe->prefix), suffix = end ? strlen(bpe->suffix) : 0;
    if (!bpe->byte_fallback || !has_bytes(bpe, bpe->prefix, prefix) || !has_bytes(bpe, at, n) ||
        !has_bytes(bpe, bpe->suffix, suffix)) {
        return false;
    }
    give_bytes(first, bpe->prefix, prefix);
    give_bytes(first, at, n);
    give_bytes(first, bpe->suffix, suffix);
    return true;
}

static void give_character(struct first *first, const char *at, int n, bool begin, bool end) {
    const struct bpe *bpe = first->bpe;
    int32_t id = character_id(bpe, at, (size_t)n, begin, end, first->out->spelled);
    if (id >= 0) {
        give_unknown(first);
        give(first, id, n);
    } else if (!fall_back(first, at, (size_t)n, begin, end) && bpe->unknown != BPE_DROP) {
        if (!bpe->fuse_unknown) {
            give_unknown(first);
        }
        first->lacks |= bpe->unknown == BPE_LACKS;
        first->waiting += n;
    }
}

static bool first_characters(const struct bpe *bpe, struct symbols *out, const char *piece,
                             int64_t length) {
    struct first first = { .bpe = bpe, .out = out };
    for (int64_t i = 0, n; i < length; i += n) {
        uint32_t code;
        n = utf8_decode(piece + i, (size_t)(length - i), &code);
        n = n > 0 ? n : 1;
        give_character(&first, piece + i, (int)n, i == 0, i + n == length);
    }
    give_unknown(&first);
    return !first.lacks;
}

/* By score every character is a symbol, known or not, since it may be known with its neighbour.
 */
static void first_slices(const struct bpe *bpe, struct symbols *out, const char *piece,
                         int64_t length) {
    for (int64_t i = 0, n; i < length; i += n) {
        uint32_t code;
        n = utf8_decode(piece + i, (size_t)(length - i), &code);
        n = n > 0 ? n : 1;
        symbols_add(out, vocab_find(bpe->vocab, piece + i, (size_t)n), i, i + n);
    }
}

/* What is no token in the end becomes bytes, or the unknown token. The symbols from `from` on
 * are written again behind themselves and then moved down. */
static void last_slices(const struct bpe *bpe, struct symbols *out, int64_t from,
                        const char *piece) {
    int64_t n = out->count - from;
    for (int64_t i = 0; i < n; i++) {
        struct symbol symbol = symbols_all(out)[from + i];
        size_t length = symbol.end - symbol.begin;
        if (symbol.id >= 0 || !has_bytes(bpe, piece + symbol.begin, length)) {
            if (symbol.id >= 0 || bpe->unknown >= 0) {
                symbols_add(out, symbol.id < 0 ? bpe->unknown : symbol.id, symbol.begin,
                            symbol.end);
            }
            continue;
        }
        for (uint32_t k = symbol.begin; k < symbol.end; k++) {
            symbols_add(out, bpe->bytes[(unsigned char)piece[k]], k, k + 1);
        }
    }
    out->count -= n;
    struct symbol *all = symbols_all(out) + from;
    memmove(all, all + n, (size_t)(out->count - from) * sizeof *all);
}

/* Every byte has its letter. */
static void first_bytes(const struct bpe *bpe, struct symbols *out, const char *piece,
                        int64_t length) {
    struct symbol *symbol = symbols_room(out, length);
    for (int64_t i = 0; i < length; i++) {
        int32_t id = bpe->bytes[(unsigned char)piece[i]];
        symbol[i] = (struct symbol){ id, (uint32_t)i, (uint32_t)i + 1 };
    }
    out->count += length;
}

/* ---- merging ---- */

/* What two neighbours of the piece would become, and how soon. */
static int32_t rank_of(const struct bpe *bpe, const char *piece, const struct symbol *left,
                       const struct symbol *right, int32_t *joined) {
    if (bpe->ranks) {
        *joined = vocab_find(bpe->vocab, piece + left->begin, right->end - left->begin);
        return *joined < 0 ? INT32_MAX : bpe->ranks[*joined];
    }
    const struct bpe_pair *pair = pair_at(bpe, left->id, right->id);
    *joined = pair->joined;
    return pair->left < 0 ? INT32_MAX : pair->rank;
}

/* At most SHORT symbols: the best pair is found by looking at all ranks. A pair is at the place
 * of its left symbol; where one was joined to its left neighbour, nothing is best. */
static int64_t merge_short(const struct bpe *bpe, const char *piece, struct symbol *symbols,
                           int64_t n) {
    int32_t rank[SHORT], joined[SHORT];
    int8_t before[SHORT + 1], next[SHORT + 1];
    for (int8_t i = 0; i < n; i++) {
        before[i] = (int8_t)(i - 1);
        next[i] = (int8_t)(i + 1);
        rank[i] = INT32_MAX;
    }
    for (int64_t i = 0; i + 1 < n; i++) {
        rank[i] = rank_of(bpe, piece, &symbols[i], &symbols[i + 1], &joined[i]);
    }
    for (;;) {
        int best = 0;
        for (int i = 1; i < n; i++) {
            best = rank[i] < rank[best] ? i : best;
        }
        if (rank[best] == INT32_MAX) {
            break;
        }
        int gone = next[best], behind = next[gone];
        symbols[best].id = joined[best];
        symbols[best].end = symbols[gone].end;
        rank[gone] = rank[best] = INT32_MAX;
        next[best] = (int8_t)behind;
        before[behind] = (int8_t)best;
        if (behind < n) {
            rank[best] = rank_of(bpe, piece, &symbols[best], &symbols[behind], &joined[best]);
        }
        if (best > 0) {
            int left = before[best];
            rank[left] = rank_of(bpe, piece, &symbols[left], &symbols[best], &joined[left]);
        }
    }
    int64_t left = 0;
    for (int i = 0; i < n; i = next[i]) {
        symbols[left++] = symbols[i];
    }
    return left;
}

/* Many symbols: a heap of rank and place; a linked list of what is left. An entry is stale when
 * the pair at its place has another rank by now. */
struct merge {
    const char *piece;
    struct symbol *symbols;
    int32_t *rank, *joined, *next, *before; /* by place */
    uint64_t *heap;                         /* rank << 32 | place, the least one first */
    int64_t heaped;
};

static void heap_push(struct merge *merge, uint64_t key) {
    int64_t i = merge->heaped++;
    for (; i > 0 && merge->heap[(i - 1) / 2] > key; i = (i - 1) / 2) {
        merge->heap[i] = merge->heap[(i - 1) / 2];
    }
    merge->heap[i] = key;
}

static uint64_t heap_pop(struct merge *merge) {
    uint64_t least = merge->heap[0], key = merge->heap[--merge->heaped];
    int64_t i = 0, child;
    for (; (child = 2 * i + 1) < merge->heaped; i = child) {
        if (child + 1 < merge->heaped && merge->heap[child + 1] < merge->heap[child]) {
            child++;
        }
        if (merge->heap[child] >= key) {
            break;
        }
        merge->heap[i] = merge->heap[child];
    }
    merge->heap[i] = key;
    return least;
}

static void pair_up(const struct bpe *bpe, struct merge *merge, int32_t place) {
    int32_t next = merge->next[place];
    merge->rank[place] = INT32_MAX;
    if (next >= 0) {
        merge->rank[place] = rank_of(bpe, merge->piece, &merge->symbols[place],
                                     &merge->symbols[next], &merge->joined[place]);
    }
    if (merge->rank[place] != INT32_MAX) {
        heap_push(merge, (uint64_t)merge->rank[place] << 32 | (uint32_t)place);
    }
}

/* Joins the pair at `place` with its right neighbour, which is out of the list afterwards. */
static void join(const struct bpe *bpe, struct merge *merge, int32_t place) {
    int32_t gone = merge->next[place], next = merge->next[gone];
    merge->symbols[place].id = merge->joined[place];
    merge->symbols[place].end = merge->symbols[gone].end;
    merge->rank[gone] = INT32_MAX;
    merge->next[place] = next;
    if (next >= 0) {
        merge->before[next] = place;
    }
    pair_up(bpe, merge, place);
    if (merge->before[place] >= 0) {
        pair_up(bpe, merge, merge->before[place]);
    }
}

static int64_t merge_long(const struct bpe *bpe, struct arena *arena, const char *piece,
                          struct symbol *symbols, int64_t n) {
    struct arena_mark mark = arena_mark(arena);
    struct merge merge = { .piece = piece, .symbols = symbols };
    size_t bytes = (size_t)n * sizeof(int32_t);
    merge.rank = arena_raw(arena, bytes);
    merge.joined = arena_raw(arena, bytes);
    merge.next = arena_raw(arena, bytes);
    merge.before = arena_raw(arena, bytes);
    merge.heap = arena_raw(arena, 3 * (size_t)n * sizeof *merge.heap); /* n, and two a merge */
    for (int64_t i = 0; i < n; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        merge.next[i] = i + 1 < n ? (int32_t)i + 1 : -1;
        merge.before[i] = (int32_t)i - 1;
    }
    for (int64_t i = 0; i < n; i++) {
        stop_check();
        pair_up(bpe, &merge, (int32_t)i);
    }
    while (merge.heaped > 0) {
        stop_check();
        uint64_t best = heap_pop(&merge);
        int32_t place = (int32_t)(uint32_t)best;
        if (merge.rank[place] == (int32_t)(best >> 32)) {
            join(bpe, &merge, place);
        }
    }
    int64_t left = 0;
    for (int32_t i = 0; i >= 0; i = merge.next[i]) {
        symbols[left++] = symbols[i];
    }
    arena_rewind(arena, mark);
    return left;
}

/* The id of a whole piece, in the vocabulary's spelling; -1: none. */
static int32_t whole(const struct bpe *bpe, const char *piece, int64_t length, char *spelled) {
    if (!bpe->byte_level) {
        return vocab_find(bpe->vocab, piece, (size_t)length);
    }
    size_t n = 0;
    for (int64_t i = 0; i < length; i++) {
        if (n > bpe->vocab->longest) {
            return -1;
        }
        n += (size_t)utf8_encode(spelled + n, bpe_letter((unsigned char)piece[i]));
    }
    return vocab_find(bpe->vocab, spelled, n);
}

bool bpe_split(const struct bpe *bpe, struct symbols *out, const char *piece, int64_t length) {
    int32_t id = bpe->ignore_merges ? whole(bpe, piece, length, out->spelled) : -1;
    if (id >= 0) {
        symbols_add(out, id, 0, length);
        return true;
    }
    int64_t before = out->count;
    bool well = true;
    if (bpe->byte_level) {
        first_bytes(bpe, out, piece, length);
    } else if (bpe->ranks) {
        first_slices(bpe, out, piece, length);
    } else {
        well = first_characters(bpe, out, piece, length);
    }
    struct symbol *symbols = symbols_all(out) + before;
    int64_t n = out->count - before;
    if (n > 1 && well) {
        n = n <= SHORT ? merge_short(bpe, piece, symbols, n)
                       : merge_long(bpe, out->arena, piece, symbols, n);
        out->count = before + n;
    }
    if (bpe->ranks) {
        last_slices(bpe, out, before, piece);
    }
    return well;
}

/* ---- marks ---- */

/* Whether a mark follows another character in the spelling. */
static bool crosses(const struct vocab_word *word) {
    bool mark, before = true;
    for (uint32_t i = 0; i < word->length; i += mark ? 3 : 1, before = mark) {
        mark = word->length - i >= 3 && memcmp(word->bytes + i, "\u2581", 3) == 0;
        if (mark && !before) {
            return true;
        }
    }
    return false;
}

bool bpe_parts_at_marks(const struct bpe *bpe) {
    bool keeps = bpe->unknown >= 0 || bpe->ranks;
    if (bpe->byte_level || bpe->ignore_merges || *bpe->prefix || *bpe->suffix || !keeps ||
        vocab_find(bpe->vocab, "\u2581", 3) < 0) {
        return false;
    }
    for (int64_t i = 0; i < bpe->vocab->size; i++) {
        if (bpe->vocab->words[i].bytes && crosses(&bpe->vocab->words[i])) {
            return false;
        }
    }
    return true;
}
