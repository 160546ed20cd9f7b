#include "core/draw/shrink.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"

enum {
    LITERALS = 286, /* bytes, the end (256), lengths (257 .. 285) */
    DISTANCES = 30,
    LENGTHS = 19, /* symbols that tell code lengths */
    END = 256,
    LONGEST = 258,
    WINDOW = 32768,
    TOKENS = 32768, /* of a block */
    HASHES = 1 << 15,
    WAYS = 4,
    RUN = 24, /* a run of so many is taken without looking for other repeats */
    CODE = 15 /* bits of the longest code; 7 for those of lengths */
};

/* A byte, or `length` bytes from `distance` ago. */
struct token {
    uint16_t length; /* 0: a byte */
    uint16_t value;  /* the byte, or the distance less 1 */
};

/* Places plus 1 where the same four bytes stood, the last first. */
typedef int32_t places __attribute__((vector_size(WAYS * sizeof(int32_t))));

struct shrinking {
    struct buf *out;
    uint64_t bits; /* not written yet, the first lowest */
    int held;
    int64_t count;
    struct token tokens[TOKENS];
    places heads[HASHES];
};

/* ---- bits ---- */

static void put(struct shrinking *d, uint32_t value, int bits) {
    d->bits |= (uint64_t)value << d->held;
    d->held += bits;
    if (d->held >= 32) {
        uint32_t word = (uint32_t)d->bits;
        unsigned char bytes[] = { (unsigned char)word, (unsigned char)(word >> 8),
                                  (unsigned char)(word >> 16), (unsigned char)(word >> 24) };
        buf_add(d->out, bytes, 4);
        d->bits >>= 32;
        d->held -= 32;
    }
}

static void put_rest(struct shrinking *d) {
    for (; d->held > 0; d->held -= 8) {
        buf_char(d->out, (char)(unsigned char)d->bits);
        d->bits >>= 8;
    }
    d->held = 0;
}

/* ---- Huffman codes ---- */

struct code {
    int count;
    uint32_t weights[LITERALS];
    unsigned char lengths[LITERALS]; /* bits; 0: does not occur */
    uint16_t codes[LITERALS];        /* first bit lowest */
};

struct leaf {
    uint32_t weight;
    int symbol;
};

static int lighter(const void *a, const void *b) {
    const struct leaf *x = a, *y = b;
    return x->weight != y->weight ? (x->weight > y->weight) - (x->weight < y->weight)
                                  : x->symbol - y->symbol;
}

/* Joins the two lightest until one is left; since both queues ascend, these are at their heads.
 * Returns the depth of the deepest leaf and fills the lengths. */
static int join(const struct leaf *leaves, int n, unsigned char *lengths) {
    uint32_t weights[LITERALS];
    int parent[2 * LITERALS], depth[2 * LITERALS], deepest = 0;
    for (int leaf = 0, inner = 0, made = 0; made < n - 1; made++) {
        weights[made] = 0;
        for (int k = 0; k < 2; k++) {
            bool take_leaf =
                leaf < n && (inner == made || leaves[leaf].weight <= weights[inner]);
            weights[made] += take_leaf ? leaves[leaf].weight : weights[inner];
            parent[take_leaf ? leaf++ : n + inner++] = n + made;
        }
    }
    depth[2 * n - 2] = 0;
    for (int node = 2 * n - 3; node >= 0; node--) {
        depth[node] = depth[parent[node]] + 1;
        if (node < n) {
            lengths[leaves[node].symbol] = (unsigned char)depth[node];
            deepest = depth[node] > deepest ? depth[node] : deepest;
        }
    }
    return deepest;
}

/* Weights are halved until no code is too long. */
static void find_lengths(struct code *code, int longest) {
    struct leaf leaves[LITERALS];
    int n = 0;
    memset(code->lengths, 0, sizeof code->lengths);
    for (int i = 0; i < code->count; i++) {
        if (code->weights[i] > 0) {
            leaves[n++] = (struct leaf){ code->weights[i], i };
        }
    }
    if (n == 1) {
        code->lengths[leaves[0].symbol] = 1;
    }
    if (n < 2) {
        return;
    }
    qsort(leaves, (size_t)n, sizeof *leaves, lighter);
    while (join(leaves, n, code->lengths) > longest) {
        for (int i = 0; i < n; i++) {
            leaves[i].weight = (leaves[i].weight + 1) / 2; /* keeps their order */
        }
    }
}

/* Codes in the order that RFC 1951, 3.2.2 sets, turned round. */
static void find_codes(struct code *code, int longest) {
    uint32_t next[CODE + 2] = { 0 }, counts[CODE + 1] = { 0 };
    find_lengths(code, longest);
    for (int i = 0; i < code->count; i++) {
        counts[code->lengths[i]]++;
    }
    counts[0] = 0;
    for (int bits = 1; bits <= CODE; bits++) {
        next[bits] = (next[bits - 1] + counts[bits - 1]) << 1;
    }
    for (int i = 0; i < code->count; i++) {
        uint32_t straight = next[code->lengths[i]]++, turned = 0;
        for (int bit = 0; bit < code->lengths[i]; bit++) {
            turned = turned << 1 | (straight >> bit & 1);
        }
        code->codes[i] = (uint16_t)turned;
    }
}

/* ---- blocks ---- */

static int log_of(uint32_t value) {
    return 31 - __builtin_clz(value);
}

/* A length 3 .. 258 or a distance has a symbol and further bits that tell it exactly. */
struct symbol {
    int symbol, bits;
    uint32_t rest;
};

static struct symbol length_symbol(uint32_t length) {
    if (length == LONGEST) {
        return (struct symbol){ 285, 0, 0 };
    }
    uint32_t at = length - 3;
    if (at < 8) {
        return (struct symbol){ (int)(257 + at), 0, 0 };
    }
    int bits = log_of(at) - 2;
    return (struct symbol){ 257 + 4 * bits + (int)(at >> bits), bits, at & ((1U << bits) - 1) };
}

static struct symbol distance_symbol(uint32_t less) { /* the distance less 1 */
    if (less < 4) {
        return (struct symbol){ (int)less, 0, 0 };
    }
    int bits = log_of(less) - 1;
    return (struct symbol){ 2 * bits + (int)(less >> bits), bits, less & ((1U << bits) - 1) };
}

static void weigh(const struct shrinking *d, struct code *literals, struct code *distances) {
    literals->weights[END] = 1;
    for (int64_t i = 0; i < d->count; i++) {
        const struct token *token = &d->tokens[i];
        if (token->length == 0) {
            literals->weights[token->value]++;
        } else {
            literals->weights[length_symbol(token->length).symbol]++;
            distances->weights[distance_symbol(token->value).symbol]++;
        }
    }
    if (literals->weights[END] && d->count == 0) {
        literals->weights[0] = 1; /* a code has two symbols at least */
    }
    distances->weights[0] += distances->weights[0] == 0;
    distances->weights[1] += distances->weights[1] == 0;
}

/* The symbol's code and its further bits, which together are 28 at most. */
static void put_symbol(struct shrinking *d, const struct code *code, struct symbol symbol) {
    int bits = code->lengths[symbol.symbol];
    put(d, code->codes[symbol.symbol] | symbol.rest << bits, bits + symbol.bits);
}

/* The lengths of both codes as RFC 1951, 3.2.7 tells them: runs of zeros shortened. */
static void put_lengths(struct shrinking *d, const struct code *literals,
                        const struct code *distances) {
    static const unsigned char order[LENGTHS] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                  11, 4,  12, 3, 13, 2, 14, 1, 15 };
    unsigned char all[LITERALS + DISTANCES], told[LITERALS + DISTANCES],
        rest[LITERALS + DISTANCES];
    struct code code = { .count = LENGTHS };
    int n = 0;
    memcpy(all, literals->lengths, LITERALS);
    memcpy(all + LITERALS, distances->lengths, DISTANCES);
    for (int i = 0, run; i < LITERALS + DISTANCES; i += run) {
        for (run = 1; i + run < LITERALS + DISTANCES && all[i + run] == all[i]; run++) {
        }
        bool shorten = all[i] == 0 && run >= 3;
        run = !shorten ? 1 : run > 138 ? 138 : run;
        told[n] = !shorten ? all[i] : run < 11 ? 17 : 18;
        rest[n] = (unsigned char)(!shorten ? 0 : run < 11 ? run - 3 : run - 11);
        code.weights[told[n++]]++;
    }
    find_codes(&code, 7);
    put(d, LITERALS - 257, 5);
    put(d, DISTANCES - 1, 5);
    put(d, LENGTHS - 4, 4);
    for (int i = 0; i < LENGTHS; i++) {
        put(d, code.lengths[order[i]], 3);
    }
    for (int i = 0; i < n; i++) {
        int bits = told[i] == 17 ? 3 : told[i] == 18 ? 7 : 0;
        put_symbol(d, &code, (struct symbol){ told[i], bits, rest[i] });
    }
}

static void put_block(struct shrinking *d, bool last) {
    struct code literals = { .count = LITERALS }, distances = { .count = DISTANCES };
    weigh(d, &literals, &distances);
    find_codes(&literals, CODE);
    find_codes(&distances, CODE);
    put(d, last, 1);
    put(d, 2, 2); /* codes of its own */
    put_lengths(d, &literals, &distances);
    for (int64_t i = 0; i < d->count; i++) {
        const struct token *token = &d->tokens[i];
        if (token->length == 0) {
            put_symbol(d, &literals, (struct symbol){ .symbol = token->value });
            continue;
        }
        put_symbol(d, &literals, length_symbol(token->length));
        put_symbol(d, &distances, distance_symbol(token->value));
    }
    put_symbol(d, &literals, (struct symbol){ .symbol = END });
    d->count = 0;
}

static void add_token(struct shrinking *d, size_t length, size_t value) {
    if (d->count == TOKENS) {
        stop_check();
        put_block(d, false);
    }
    d->tokens[d->count++] = (struct token){ (uint16_t)length, (uint16_t)value };
}

/* ---- repeats ---- */

static uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* How many bytes are the same, at most `most`. */
static size_t same(const unsigned char *a, const unsigned char *b, size_t most) {
    size_t n = 0;
    for (; n + 8 <= most; n += 8) {
        uint64_t differ = word_at(a + n) ^ word_at(b + n);
        if (differ != 0) { /* the first byte is the lowest, as everywhere here */
            return n + (size_t)__builtin_ctzll(differ) / 8;
        }
    }
    while (n < most && a[n] == b[n]) {
        n++;
    }
    return n;
}

/* The last places of the four bytes at `at`, the last first; then `at` is before them. They are
 * read and written in one piece: a read of what was just written in two has to wait for both.
 */
static places remember(struct shrinking *d, const unsigned char *bytes, size_t at) {
    uint32_t four;
    memcpy(&four, bytes + at, sizeof four);
    places *heads = &d->heads[four * 2654435761U >> 17], before = *heads;
    *heads = (places){ (int32_t)at + 1, before[0], before[1], before[2] };
    return before;
}

/* A repeat and about what it saves, in bits: bytes cost 6, lengths 6, distances 3 and their
 * further bits. */
struct repeat {
    size_t length, distance;
    int saves;
};

static struct repeat repeat_of(size_t length, size_t distance) {
    int far = distance > 1 ? 3 + log_of((uint32_t)distance) : 1;
    return (struct repeat){ length, distance, 6 * (int)length - 6 - far };
}

static struct repeat better(struct repeat a, struct repeat b) {
    return b.saves > a.saves ? b : a;
}

/* The best repeat at `at`. */
static struct repeat find_repeat(struct shrinking *d, const unsigned char *bytes, size_t at,
                                 size_t n) {
    size_t most = n - at < LONGEST ? n - at : LONGEST;
    struct repeat best = { 0 };
    if (at > 0) {
        size_t length = same(bytes + at, bytes + at - 1, most);
        best = length >= 3 ? repeat_of(length, 1) : best;
    }
    if (best.length >= RUN || n - at < 4) {
        return best;
    }
    places before = remember(d, bytes, at);
    for (int i = 0; i < WAYS && before[i] > 0; i++) {
        size_t ago = at - (size_t)(before[i] - 1);
        size_t length = ago <= WINDOW ? same(bytes + at, bytes + at - ago, most) : 0;
        best = length >= 4 ? better(best, repeat_of(length, ago)) : best;
    }
    return best;
}

/* Whether it is better to tell one byte, since the run behind it is nearly as long. */
static bool run_follows(const unsigned char *bytes, size_t at, size_t n, struct repeat found) {
    if (found.distance == 1 || at + 1 >= n) {
        return false;
    }
    size_t most = n - at - 1 < LONGEST ? n - at - 1 : LONGEST;
    size_t run = same(bytes + at + 1, bytes + at, most);
    return run >= 3 && 6 * (int)(run + 1) - 13 >= found.saves;
}

static void find_tokens(struct shrinking *d, const unsigned char *bytes, size_t n) {
    for (size_t at = 0; at < n;) {
        struct repeat found = find_repeat(d, bytes, at, n);
        if (found.length == 0 || run_follows(bytes, at, n, found)) {
            add_token(d, 0, bytes[at++]);
            continue;
        }
        add_token(d, found.length, found.distance - 1);
        for (size_t i = 1; found.distance > 1 && i < found.length && i < RUN && at + i + 4 <= n;
             i++) {
            remember(d, bytes, at + i);
        }
        at += found.length;
    }
}

/* Adler-32; words of zeros, of which pictures are full, are added at once. */
static uint32_t checksum(const unsigned char *bytes, size_t n) {
    enum { PRIME = 65521, SAFE = 5552 }; /* bytes before a sum can overflow */
    uint32_t a = 1, b = 0;
    for (size_t at = 0; at < n;) {
        size_t end = n - at < SAFE ? n : at + SAFE;
        for (; at + 8 <= end; at += 8) {
            if (word_at(bytes + at) == 0) {
                b += 8 * a;
                continue;
            }
            uint32_t sum = 0,
                     weighted = 0; /* of their own, so that no byte waits for the one before */
            for (uint32_t i = 0; i < 8; i++) {
                sum += bytes[at + i];
                weighted += (8 - i) * bytes[at + i];
            }
            b += 8 * a + weighted;
            a += sum;
        }
        for (; at < end; at++) {
            a += bytes[at];
            b += a;
        }
        a %= PRIME;
        b %= PRIME;
    }
    return b << 16 | a;
}

void shrink(struct arena *arena, struct buf *out, const unsigned char *bytes, size_t n) {
    struct arena **scratch = guard_arena(arena);
    struct shrinking *d = arena_alloc(*scratch, sizeof *d);
    d->out = out;
    buf_add(out, "\x78\x9c", 2);
    find_tokens(d, bytes, n);
    put_block(d, true);
    put_rest(d);
    uint32_t sum = checksum(bytes, n);
    for (int shift = 24; shift >= 0; shift -= 8) {
        buf_char(out, (char)(unsigned char)(sum >> shift));
    }
    guard_free(scratch);
}
