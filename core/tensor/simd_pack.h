/* simd_pack: the part of simd_lanes.h that turns weights into float32 panels. */

ALWAYS float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#ifndef HALVES
/* F16 by integers: the exponent is rebiased by a multiplication, which also mends subnormals.
 */
ALWAYS vec halves(const void *p) {
    words h = __builtin_convertvector(*(const shorts *)p, words);
    vec x = (vec)((h & 0x7fff) << 13) * float_of_bits(0x77800000); /* 2^112 */
    x = choose((ints)((h & 0x7c00) == 0x7c00), (vec)((words)x | 0x7f800000), x);
    return (vec)((words)x | ((h & 0x8000) << 16));
}

ALWAYS float half_of(uint16_t half) {
    uint16_t many[LANES] = { half };
    return halves(many)[0];
}
#define HALVES(p)  halves(p)
#define HALF(half) half_of(half)
#endif

#ifndef OCTETS
#define OCTETS(p) __builtin_convertvector(*(const octets *)(p), ints)
#endif

typedef int8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef int32_t quad __attribute__((vector_size(16), may_alias));

ALWAYS float half_at(const uint8_t *p) {
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return HALF(half);
}

/* Each fetch_ gives values k .. k + LANES of a row; k is a multiple of LANES. */
ALWAYS vec fetch_f32(const uint8_t *row, int64_t k) {
    return load(row + k * 4);
}

ALWAYS vec fetch_f16(const uint8_t *row, int64_t k) {
    return HALVES(row + k * 2);
}

ALWAYS vec fetch_bf16(const uint8_t *row, int64_t k) {
    return (vec)(__builtin_convertvector(*(const shorts *)(row + k * 2), words) << 16);
}

typedef double doubles __attribute__((vector_size(8 * LANES), aligned(1), may_alias));

ALWAYS vec fetch_f64(const uint8_t *row, int64_t k) {
    return __builtin_convertvector(*(const doubles *)(row + k * 8), vec);
}

/* One value of a plain type, for the ends of rows. */
ALWAYS float one_f32(const uint8_t *p) {
    float x;
    memcpy(&x, p, sizeof x);
    return x;
}

ALWAYS float one_f64(const uint8_t *p) {
    double x;
    memcpy(&x, p, sizeof x);
    return (float)x;
}

ALWAYS float one_bf16(const uint8_t *p) {
    uint16_t brain;
    memcpy(&brain, p, sizeof brain);
    return float_of_bits((uint32_t)brain << 16);
}

/* Exchanges lanes between a and b where `bit` of the lane's index tells them apart. */
#if LANES == 4
#define LOW1  0, 4, 2, 6
#define HIGH1 1, 5, 3, 7
#define LOW2  0, 1, 4, 5
#define HIGH2 2, 3, 6, 7
#elif LANES == 8
#define LOW1  0, 8, 2, 10, 4, 12, 6, 14
#define HIGH1 1, 9, 3, 11, 5, 13, 7, 15
#define LOW2  0, 1, 8, 9, 4, 5, 12, 13
#define HIGH2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW4  0, 1, 2, 3, 8, 9, 10, 11
#define HIGH4 4, 5, 6, 7, 12, 13, 14, 15
#else
#define LOW1  0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW2  0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW4  0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW8  0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#endif
#define EXCHANGE(v, n, bit)                                            \
    for (int i = 0; i < (n); i++) {                                    \
        if (!(i & (bit))) {                                            \
            vec a = (v)[i], b = (v)[i + (bit)];                        \
            (v)[i] = __builtin_shufflevector(a, b, LOW##bit);          \
            (v)[i + (bit)] = __builtin_shufflevector(a, b, HIGH##bit); \
        }                                                              \
    }

/* LANES x LANES transposed in registers. */
ALWAYS void turn(vec *v) {
#pragma GCC unroll 16
    EXCHANGE(v, LANES, 1)
#pragma GCC unroll 16
    EXCHANGE(v, LANES, 2)
#if LANES >= 8
#pragma GCC unroll 16
    EXCHANGE(v, LANES, 4)
#endif
#if LANES >= 16
#pragma GCC unroll 16
    EXCHANGE(v, LANES, 8)
#endif
}

typedef vec fetch_function(const uint8_t *row, int64_t k);
typedef float one_function(const uint8_t *p);

/* Values begin .. begin + k of n <= LANES rows into LANES of the panel's columns; columns past
 * the rows are 0. */
ALWAYS void pack_rows(fetch_function *fetch, one_function *one, int64_t size,
                      const uint8_t *rows, int64_t row_bytes, int n, int64_t begin, int64_t k,
                      float *panel) {
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES) {
        vec v[LANES];
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            v[r] = all(0.0F);
            if (r < n) {
                v[r] = fetch(rows + r * row_bytes, begin + i);
            }
        }
        turn(v);
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            store(panel + (i + r) * COLUMNS, v[r]);
        }
    }
    for (; i < k; i++) {
        for (int r = 0; r < LANES; r++) {
            panel[i * COLUMNS + r] =
                r < n ? one(rows + r * row_bytes + (begin + i) * size) : 0.0F;
        }
    }
}

ALWAYS void pack_plain(fetch_function *fetch, one_function *one, int64_t size,
                       const uint8_t *rows, int64_t row_bytes, int n, int64_t begin, int64_t k,
                       float *panel) {
    for (int c = 0; c < COLUMNS; c += LANES, n -= LANES) {
        const uint8_t *at = rows + c * row_bytes;
        if (n >= LANES) {
            pack_rows(fetch, one, size, at, row_bytes, LANES, begin, k, panel + c);
        } else if (n > 0) {
            pack_rows(fetch, one, size, at, row_bytes, n, begin, k, panel + c);
        } else {
            for (int64_t i = 0; i < k; i++) {
                store(panel + i * COLUMNS + c, all(0.0F));
            }
        }
    }
}

/* The same panel from weights that lie the other way: its row i is a piece of their row i. */
ALWAYS void pack_across(fetch_function *fetch, one_function *one, int64_t size,
                        const uint8_t *rows, int64_t row_bytes, int n, int64_t column,
                        int64_t k, float *panel) {
    for (int64_t i = 0; i < k; i++, rows += row_bytes, panel += COLUMNS) {
        for (int c = 0; c < COLUMNS; c += LANES) {
            if (n - c >= LANES) {
                store(panel + c, fetch(rows, column + c));
                continue;
            }
            for (int j = c; j < c + LANES; j++) {
                panel[j] = j < n ? one(rows + (column + j) * size) : 0.0F;
            }
        }
    }
}

ALWAYS void read_plain(fetch_function *fetch, one_function *one, int64_t size,
                       const uint8_t *row, int64_t begin, int64_t n, float *out) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        store(out + i, fetch(row, begin + i));
    }
    for (; i < n; i++) {
        out[i] = one(row + (begin + i) * size);
    }
}

#define PACK(type, one, size)                                                             \
    static void pack_##type(const void *rows, int64_t row_bytes, int n, int64_t begin,    \
                            int64_t k, float *panel) {                                    \
        pack_plain(fetch_##type, one, size, rows, row_bytes, n, begin, k, panel);         \
    }                                                                                     \
    static void across_##type(const void *rows, int64_t row_bytes, int n, int64_t column, \
                              int64_t k, float *panel) {                                  \
        pack_across(fetch_##type, one, size, rows, row_bytes, n, column, k, panel);       \
    }                                                                                     \
    static void read_##type(const void *row, int64_t begin, int64_t n, float *out) {      \
        read_plain(fetch_##type, one, size, row, begin, n, out);                          \
    }
PACK(f32, one_f32, 4)
PACK(f16, half_at, 2)
PACK(bf16, one_bf16, 2)
PACK(f64, one_f64, 8)

/* The inverse of packing floats: y[j * stride + i] is panel[i * COLUMNS + j], for i < k and
 * j < n. The panel is read up to the next whole LANES rows. */
static void unpack(const float *panel, int64_t k, int n, float *y, int64_t stride) {
    for (int64_t i = 0; i < k; i += LANES) {
        for (int c = 0; c < n; c += LANES) {
            vec v[LANES];
#pragma GCC unroll 16
            for (int r = 0; r < LANES; r++) {
                v[r] = load(panel + (i + r) * COLUMNS + c);
            }
            turn(v);
            if (c + LANES <= n && i + LANES <= k) { /* v stays in registers */
#pragma GCC unroll 16
                for (int r = 0; r < LANES; r++) {
                    store(y + (c + r) * stride + i, v[r]);
                }
                continue;
            }
            for (int r = 0; r < LANES && c + r < n; r++) {
                store_some(y + (c + r) * stride + i, v[r], k - i);
            }
        }
    }
}

/* ---- block-quantised weights ----
 * Sixteen neighbouring numbers of a block are 16 signed bytes, whatever the type, and share a
 * scale and a least value: value = number * scale + least. A number times its scale is exact
 * in float32, so that fused and unfused are the same. In a panel of rows, sixteens of LANES
 * rows are turned as bytes, before they become floats: so scales and least values are vectors
 * over the rows, as the panel wants them. `type` is a constant wherever these are inlined. */

enum { SIXTEEN = 16 };

/* F16 scale and least value of the block: where they lie; -1: there is none. */
ALWAYS int scale_offset(enum dtype type) {
    return type == DTYPE_Q6_K ? 208 : type == DTYPE_Q3_K ? 108 : type == DTYPE_Q2_K ? 80 : 0;
}

ALWAYS int least_offset(enum dtype type) {
    switch (type) {
    case DTYPE_Q4_1:
    case DTYPE_Q5_1:
    case DTYPE_Q4_K:
    case DTYPE_Q5_K:
        return 2;
    case DTYPE_Q2_K:
        return 82;
    default:
        return -1;
    }
}

/* Whether the parts of a block have scales of their own. */
ALWAYS bool has_parts(enum dtype type) {
    return type >= DTYPE_Q2_K && type != DTYPE_IQ4_NL;
}

/* Scale (or, with `least`, least value) of part j of Q4_K and Q5_K: six bits of twelve bytes.
 */
ALWAYS int six_bits(const uint8_t *s, int j, bool least) {
    s += least ? 4 : 0;
    if (j < 4) {
        return s[j] & 63;
    }
    return (s[j + (least ? 0 : 4)] >> (least ? 4 : 0) & 15) | s[j - 4] >> 6 << 4;
}

/* Whole-number scale of the part of a block that holds value i. */
ALWAYS int part_scale(enum dtype type, const uint8_t *block, int i) {
    const uint8_t *s;
    switch (type) {
    case DTYPE_Q2_K:
        return block[i / 16] & 15;
    case DTYPE_Q3_K: /* low halves of 8 bytes, then the high; upper bits likewise in 4 */
        s = block + 96;
        return ((s[i / 16 % 8] >> i / 128 * 4 & 15) | (s[8 + i / 16 % 4] >> i / 64 * 2 & 3)
                                                          << 4) -
               32;
    case DTYPE_Q4_K:
    case DTYPE_Q5_K:
        return six_bits(block + 4, i / 32, false);
    case DTYPE_Q6_K:
        return (int8_t)block[192 + i / 16];
    case DTYPE_IQ4_XS:
        return ((block[4 + i / 64] >> i / 32 % 2 * 4 & 15) |
                (block[2 + i / 128] >> i / 32 % 4 * 2 & 3) << 4) -
               32;
    default:
        return 1;
    }
}

ALWAYS int part_least(enum dtype type, const uint8_t *block, int i) {
    switch (type) {
    case DTYPE_Q2_K:
        return block[i / 16] >> 4;
    case DTYPE_Q4_K:
    case DTYPE_Q5_K:
        return six_bits(block + 4, i / 32, true);
    default:
        return 1;
    }
}

typedef uint8_t plain16 __attribute__((vector_size(16), aligned(1), may_alias));

ALWAYS plain16 bytes_at(const uint8_t *p) {
    return *(const plain16 *)p;
}

/* 16 where a bit of the 16 bits at p is set: byte r has bit r. */
ALWAYS plain16 fifth_bits(const uint8_t *p) {
    const plain16 bit = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
    uint8_t a = p[0], b = p[1];
    plain16 v = { a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b };
    return (plain16)((v & bit) != 0) & 16;
}

/* Numbers i .. i + 16 of a block. */
ALWAYS bytes16 numbers(enum dtype type, const uint8_t *block, int i) {
    const plain16 steps = { 129, 152, 173, 191, 207, 221, 234, 246,
                            1,   13,  25,  38,  53,  69,  89,  113 }; /* of IQ4, signed */
    int half = i / 16 % 2 * 4, pair = i / 32 % 2 * 4, two = i / 32 % 4 * 2, in = i % 32;
    plain16 v;
    switch (type) {
    case DTYPE_Q4_0:
        return (bytes16)((bytes_at(block + 2) >> half & 15) - 8);
    case DTYPE_Q4_1:
        return (bytes16)(bytes_at(block + 4) >> half & 15);
    case DTYPE_Q5_0:
        v = (bytes_at(block + 6) >> half & 15) | fifth_bits(block + 2 + i / 8);
        return (bytes16)(v - 16);
    case DTYPE_Q5_1:
        return (bytes16)((bytes_at(block + 8) >> half & 15) | fifth_bits(block + 4 + i / 8));
    case DTYPE_Q8_0:
        return (bytes16)bytes_at(block + 2 + i);
    case DTYPE_Q2_K:
        return (bytes16)(bytes_at(block + 16 + i / 128 * 32 + in) >> two & 3);
    case DTYPE_Q3_K:
        v = (bytes_at(block + in) >> i / 32 & 1) << 2;
        v |= bytes_at(block + 32 + i / 128 * 32 + in) >> two & 3;
        return (bytes16)(v - 4);
    case DTYPE_Q4_K:
        return (bytes16)(bytes_at(block + 16 + i / 64 * 32 + in) >> pair & 15);
    case DTYPE_Q5_K:
        v = (bytes_at(block + 16 + in) >> i / 32 & 1) << 4;
        return (bytes16)(v | (bytes_at(block + 48 + i / 64 * 32 + in) >> pair & 15));
    case DTYPE_Q6_K:
        v = (bytes_at(block + 128 + i / 128 * 32 + in) >> two & 3) << 4;
        v |= bytes_at(block + i / 128 * 64 + i % 64) >> i / 64 % 2 * 4 & 15;
        return (bytes16)(v - 32);
    case DTYPE_IQ4_NL:
        return (bytes16)__builtin_shuffle(steps, bytes_at(block + 2) >> half & 15);
    default: /* IQ4_XS */
        return (bytes16)__builtin_shuffle(steps,
                                          bytes_at(block + 8 + i / 32 * 16) >> half & 15);
    }
}

/* Sixteens of LANES rows turned: out[16][LANES]. Interleaving the two halves of all bytes moves
 * one bit of the row's number from the top of each byte's index to its bottom. */
ALWAYS void bytes_turn(bytes16 *v, int8_t *out) {
    bytes16 w[LANES];
#pragma GCC unroll 4
    for (int bit = 1; bit < LANES; bit *= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < LANES / 2; i++) {
            w[2 * i] = __builtin_shufflevector(v[i], v[i + LANES / 2], 0, 16, 1, 17, 2, 18, 3,
                                               19, 4, 20, 5, 21, 6, 22, 7, 23);
            w[2 * i + 1] = __builtin_shufflevector(v[i], v[i + LANES / 2], 8, 24, 9, 25, 10, 26,
                                                   11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
            v[i] = w[i];
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
        *(bytes16 *)(out + 16 * i) = v[i];
    }
}

/* The halves at `at` of each row's block. */
ALWAYS vec halves_at(const uint8_t *const *blocks, int at) {
    shorts half = { 0 }; /* put together in a register: memory would wait for sixteen writes */
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) {
        uint16_t one;
        memcpy(&one, blocks[r] + at, sizeof one);
        half[r] = one;
    }
    return HALVES(&half);
}

/* Scale and least value of LANES rows, for the part that holds value i. */
ALWAYS void scales_at(enum dtype type, const uint8_t *const *blocks, int i, vec *scale,
                      vec *least) {
    int8_t part[LANES];
    *scale = halves_at(blocks, scale_offset(type));
    *least = all(-0.0F); /* -0 added changes nothing */
    if (least_offset(type) >= 0) {
        *least = halves_at(blocks, least_offset(type));
    }
    if (has_parts(type)) {
        for (int r = 0; r < LANES; r++) {
            part[r] = (int8_t)part_scale(type, blocks[r], i);
        }
        *scale *= __builtin_convertvector(OCTETS(part), vec);
    }
    if (has_parts(type) && least_offset(type) >= 0) {
        for (int r = 0; r < LANES; r++) {
            part[r] = (int8_t)part_least(type, blocks[r], i);
        }
        *least *=
            -__builtin_convertvector(OCTETS(part), vec); /* -0 stays a zero that adds nothing */
    }
}

/* Values i .. i + 32 of each row's block, into LANES of the panel's columns. */
ALWAYS void pack_part(enum dtype type, const uint8_t *const *blocks, int i, float *panel) {
    vec scale, least;
    for (int end = i + 2 * SIXTEEN; i < end; i += SIXTEEN) {
        int8_t turned[SIXTEEN * LANES];
        bytes16 v[LANES];
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            v[r] = numbers(type, blocks[r], i);
        }
        bytes_turn(v, turned);
        scales_at(type, blocks, i, &scale, &least);
#pragma GCC unroll 16
        for (int j = 0; j < SIXTEEN; j++, panel += COLUMNS) {
            vec x = __builtin_convertvector(OCTETS(turned + j * LANES), vec);
            store(panel, MULTIPLY_ADD(x, scale, least));
        }
    }
}

ALWAYS void pack_blocks(enum dtype type, int values, int bytes, const uint8_t *rows,
                        int64_t row_bytes, int n, int64_t begin, int64_t k, float *panel) {
    for (int c = 0; c < COLUMNS; c += LANES) {
        for (int64_t i = begin; i < begin + k; i += 2 * SIXTEEN) {
            const uint8_t *blocks[LANES];
            for (int r = 0; r < LANES; r++) { /* past the last row comes the last again */
                blocks[r] = rows + (c + r < n ? c + r : n - 1) * row_bytes + i / values * bytes;
            }
            pack_part(type, blocks, (int)(i % values), panel + (i - begin) * COLUMNS + c);
        }
    }
    for (int64_t i = 0; n < COLUMNS && i < k; i++) {
        memset(panel + i * COLUMNS + n, 0, (size_t)(COLUMNS - n) * sizeof *panel);
    }
}

/* ---- one row of x: no panel ---- */

/* LANES rows of weights, from the block at hand on. */
struct rows {
    const uint8_t *at;
    int64_t apart, three; /* bytes from a row to the next, and to the third after it */
    int count;            /* past the last row comes the last again */
};

/* The block at hand of each row. A pointer for every four and what lies between rows are enough
 * for all; GCC would keep a pointer for each, in more registers than there are. */
ALWAYS void rows_blocks(const struct rows *rows, const uint8_t **blocks) {
    const uint8_t *at = rows->at;
    if (rows->count < LANES) {
        for (int r = 0; r < LANES; r++) {
            blocks[r] = at + (r < rows->count ? r : rows->count - 1) * rows->apart;
        }
        return;
    }
#pragma GCC unroll 4
    for (int r = 0; r < LANES; r += 4) {
        blocks[r] = at;
        blocks[r + 1] = at + rows->apart;
        blocks[r + 2] = at + 2 * rows->apart;
        blocks[r + 3] = at + rows->three;
        at += 4 * rows->apart;
        __asm__("" : "+r"(at));
    }
}

/* Of every four lanes of a and b, i and j: in turn, or those of a before those of b. */
#if LANES == 4
#define EACH_QUAD(a, b, c, d) a, b, c, d
#elif LANES == 8
#define EACH_QUAD(a, b, c, d) a, b, c, d, a + 4, b + 4, c + 4, d + 4
#else
#define EACH_QUAD(a, b, c, d)                                                           \
    a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, \
        c + 12, d + 12
#endif
#define MIX(a, b, i, j)  __builtin_shufflevector(a, b, EACH_QUAD(i, LANES + i, j, LANES + j))
#define PAIR(a, b, i, j) __builtin_shufflevector(a, b, EACH_QUAD(i, j, LANES + i, LANES + j))

/* Sixteen bytes of LANES rows turned as words: lane r of out[j] is word j of row r. */
ALWAYS void quads_turn(const bytes16 *v, words *out) {
    vec w[4];
#pragma GCC unroll 4
    for (int e = 0; e < 4; e++) {
#if LANES == 4
        w[e] = (vec)v[e];
#elif LANES == 8
        w[e] = (vec)__builtin_shufflevector((quad)v[e], (quad)v[e + 4], 0, 1, 2, 3, 4, 5, 6, 7);
#else
        w[e] = (vec)QUADS(v[e], v[e + 4], v[e + 8], v[e + 12]);
#endif
    }
    vec low = MIX(w[0], w[1], 0, 1), high = MIX(w[0], w[1], 2, 3);
    vec low2 = MIX(w[2], w[3], 0, 1), high2 = MIX(w[2], w[3], 2, 3);
    out[0] = (words)PAIR(low, low2, 0, 1);
    out[1] = (words)PAIR(low, low2, 2, 3);
    out[2] = (words)PAIR(high, high2, 0, 1);
    out[3] = (words)PAIR(high, high2, 2, 3);
}

/* Bytes `at` of LANES rows' blocks, turned. */
ALWAYS void quads_at(const struct rows *rows, int at, words *out) {
    const uint8_t *blocks[LANES];
    bytes16 v[LANES];
    rows_blocks(rows, blocks);
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) {
        v[r] = (bytes16)bytes_at(blocks[r] + at);
    }
    quads_turn(v, out);
}

/* Whether numbers i and i + 16 of a part lie in the two halves of the same sixteen bytes, which
 * begin at the block's byte `halves_begin`. */
ALWAYS bool in_halves(enum dtype type) {
    return type == DTYPE_Q4_0 || type == DTYPE_Q4_1;
}

ALWAYS int halves_begin(enum dtype type) {
    return type == DTYPE_Q4_1 ? 4 : 2;
}

/* The numbers of a part [32] of LANES rows, turned; [4] words where they lie in halves. */
ALWAYS void part_turn(enum dtype type, const struct rows *rows, int i, words *out) {
    if (in_halves(type)) {
        quads_at(rows, halves_begin(type), out);
        return;
    }
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
        const uint8_t *blocks[LANES];
        bytes16 v[LANES];
        rows_blocks(rows, blocks);
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) {
            v[r] = numbers(type, blocks[r], i + half * SIXTEEN);
        }
        quads_turn(v, out + 4 * half);
    }
}

/* Whether numbers in halves are left where they lie in their words: the scale is by so much
 * less, which is exact, being powers of two. It takes a shift less and some registers more. */
ALWAYS bool stays(enum dtype type) {
    return in_halves(type) && LANES == 16;
}

/* Number j of a part of LANES rows, by 1 / times_of(type, j). */
ALWAYS vec number_at(enum dtype type, const words *turned, int j) {
    int high = j / 16 * 4, shift = j % 2 * 8 + high;
    int zero = type == DTYPE_Q4_0 ? 8 : 0;
    if (stays(type)) {
        words v = j % 4 < 2 ? turned[j % 16 / 4] : turned[j % 16 / 4] >> 16;
        return __builtin_convertvector((ints)(v & (15U << shift)) - (zero << shift), vec);
    }
    if (in_halves(type)) {
        words v = turned[j % 16 / 4] >> (j % 4 * 8 + high) & 15;
        return __builtin_convertvector((ints)v - zero, vec);
    }
    words top = turned[j / 4] << (24 - j % 4 * 8) & 0xff000000;
    return __builtin_convertvector((ints)top, vec);
}

/* It is one of two in each sixteen, for even j and for odd j. */
ALWAYS float times_of(enum dtype type, int j) {
    int shift = stays(type) ? j % 2 * 8 + j / 16 * 4 : in_halves(type) ? 0 : 24;
    return 1.0F / (float)(1 << shift);
}

/* scales_at; if a block has no parts, its two numbers are its first word. */
ALWAYS void scales_first(enum dtype type, const struct rows *rows, int i, vec *scale,
                         vec *least) {
    if (has_parts(type)) {
        const uint8_t *blocks[LANES];
        rows_blocks(rows, blocks);
        scales_at(type, blocks, i, scale, least);
        return;
    }
    words first[4];
    quads_at(rows, 0, first);
    shorts low = __builtin_convertvector(first[0], shorts);
    shorts high = __builtin_convertvector(first[0] >> 16, shorts);
    *scale = HALVES(&low);
    *least = least_offset(type) == 2 ? HALVES(&high) : all(-0.0F);
}

/* A part of LANES rows, ready to be multiplied. */
struct part {
    words turned[8];
    vec scale[2][2], least[2]; /* for each sixteen, the scale by number_at's times */
};

ALWAYS void part_ready(enum dtype type, const struct rows *rows, int i, struct part *part) {
    vec scale, least;
    part_turn(type, rows, i, part->turned);
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) { /* some have a scale for each sixteen */
        if (half == 0 || has_parts(type)) {
            scales_first(type, rows, i + half * SIXTEEN, &scale, &least);
        }
        part->scale[half][0] = scale * times_of(type, half * SIXTEEN);
        part->scale[half][1] = scale * times_of(type, half * SIXTEEN + 1);
        part->least[half] = least;
    }
}

/* sums[g] += value by value of x [32] what a part of each of `groups` times LANES rows holds:
 * several sums, because each is a chain. */
ALWAYS void part_apply(enum dtype type, int groups, const struct rows *rows, int i,
                       const float *x, vec *sums) {
    struct part parts[GROUPS];
#pragma GCC unroll 3
    for (int g = 0; g < groups; g++) {
        struct rows group = *rows;
        group.at += g * LANES * rows->apart;
        part_ready(type, &group, i, &parts[g]);
        __asm__ volatile("" ::: "memory"); /* or GCC readies all at once: registers run out */
    }
#pragma GCC unroll 32
    for (int j = 0; j < 2 * SIXTEEN; j++) {
        int half = j / SIXTEEN;
#pragma GCC unroll 3
        for (int g = 0; g < groups; g++) {
            vec w = MULTIPLY_ADD(number_at(type, parts[g].turned, j),
                                 parts[g].scale[half][j % 2], parts[g].least[half]);
            sums[g] = MULTIPLY_ADD(all(x[j]), w, sums[g]);
        }
    }
}

/* What apply_blocks is asked for. */
struct apply {
    int values, bytes; /* of a block */
    int64_t k;
    const float *x;
    bool add;
    const char *soon;
    int64_t soon_bytes;
};

/* `groups` times LANES rows; or one time with fewer rows. */
ALWAYS void groups_apply(enum dtype type, int groups, const struct apply *how, struct rows rows,
                         float *y) {
    int64_t asked = 0, parts = how->k / (2 * SIXTEEN);
    vec sums[GROUPS];
    for (int g = 0; g < groups; g++) {
        sums[g] = how->add ? load_some(y + g * LANES, rows.count) : all(0.0F);
    }
    for (int64_t i = 0; i < how->k; i += 2 * SIXTEEN) {
        int64_t upto = how->soon_bytes * (i / (2 * SIXTEEN) + 1) / parts;
        for (; asked < upto; asked += LINE) {
            __builtin_prefetch(how->soon + asked, 0, 2);
        }
        part_apply(type, groups, &rows, (int)(i % how->values), how->x + i, sums);
        rows.at += (i + 2 * SIXTEEN) % how->values == 0 ? how->bytes : 0;
    }
    for (int g = 0; g < groups; g++) {
        store_some(y + g * LANES, sums[g], rows.count);
    }
}

/* y[0..n) = sum over i < k of x[i] times value i of each row, n at most GROUPS * LANES. */
ALWAYS void apply_blocks(enum dtype type, const struct apply *how, const uint8_t *at,
                         int64_t row_bytes, int n, float *y) {
    struct rows rows = { .at = at, .apart = row_bytes, .three = 3 * row_bytes, .count = LANES };
    __asm__("" : "+r"(rows.three)); /* or GCC makes it anew for every row */
    if (n == GROUPS * LANES) {
        groups_apply(type, GROUPS, how, rows, y);
        return;
    }
    for (int done = 0; done < n; done += LANES) {
        rows.at = at + done * row_bytes;
        rows.count = n - done < LANES ? n - done : LANES;
        groups_apply(type, 1, how, rows, y + done);
    }
}

/* Scale and least value of one block's part that holds value i. */
ALWAYS void scale_at(enum dtype type, const uint8_t *block, int i, float *scale, float *least) {
    *scale = half_at(block + scale_offset(type));
    *least = -0.0F;
    if (has_parts(type)) {
        *scale *= (float)part_scale(type, block, i);
    }
    if (least_offset(type) >= 0) {
        *least = half_at(block + least_offset(type));
        *least *= has_parts(type) ? -(float)part_least(type, block, i) : 1.0F;
    }
}

/* LANES values of one row, from value i on: they lie in one sixteen. */
ALWAYS vec fetch_block(enum dtype type, const uint8_t *block, int i) {
    bytes16 v = numbers(type, block, i / SIXTEEN * SIXTEEN);
    float scale, least;
    scale_at(type, block, i, &scale, &least);
    vec x = __builtin_convertvector(OCTETS((const int8_t *)&v + i % SIXTEEN), vec);
    return MULTIPLY_ADD(x, all(scale), all(least));
}

/* Sixteen values of one block, from value i on. */
ALWAYS void fetch_sixteen(enum dtype type, const uint8_t *block, int i, vec *out) {
    bytes16 v = numbers(type, block, i);
    float scale, least;
    scale_at(type, block, i, &scale, &least);
#pragma GCC unroll 4
    for (int j = 0; j < SIXTEEN / LANES; j++) {
        vec x = __builtin_convertvector(OCTETS((const int8_t *)&v + j * LANES), vec);
        out[j] = MULTIPLY_ADD(x, all(scale), all(least));
    }
}

/* Values begin .. begin + n of one row. Two sixteens a turn: where a block has no more, their
 * places in it are constants, and what they share is read once. */
ALWAYS void read_blocks(enum dtype type, int values, int bytes, const uint8_t *row,
                        int64_t begin, int64_t n, float *out) {
    enum { EACH = SIXTEEN / LANES };
    for (int64_t i = begin; i < begin + n; i += 2 * SIXTEEN) {
        const uint8_t *block = row + i / values * bytes;
        int at = values > 2 * SIXTEEN ? (int)(i % values) : 0;
        vec v[2 * EACH];
        fetch_sixteen(type, block, at, v);
        fetch_sixteen(type, block, at + SIXTEEN, v + EACH);
#pragma GCC unroll 8
        for (int j = 0; j < 2 * EACH; j++, out += LANES) {
            store(out, v[j]);
        }
    }
}

/* A panel is as wide as a whole part of a block, or lies within one. */
ALWAYS void across_blocks(enum dtype type, int values, int bytes, const uint8_t *rows,
                          int64_t row_bytes, int64_t column, int64_t k, float *panel) {
    const uint8_t *block = rows + column / values * bytes;
    int at = (int)(column % values);
    for (int64_t i = 0; i < k; i++, block += row_bytes, panel += COLUMNS) {
        for (int c = 0; c < COLUMNS; c += LANES) {
            store(panel + c, fetch_block(type, block, at + c));
        }
    }
}

#define PACK_BLOCKS(type, which, values, bytes)                                           \
    static void pack_##type(const void *rows, int64_t row_bytes, int n, int64_t begin,    \
                            int64_t k, float *panel) {                                    \
        pack_blocks(which, values, bytes, rows, row_bytes, n, begin, k, panel);           \
    }                                                                                     \
    static void across_##type(const void *rows, int64_t row_bytes, int n, int64_t column, \
                              int64_t k, float *panel) {                                  \
        (void)n; /* rows are whole blocks, and so are panels */                           \
        across_blocks(which, values, bytes, rows, row_bytes, column, k, panel);           \
    }                                                                                     \
    static void read_##type(const void *row, int64_t begin, int64_t n, float *out) {      \
        read_blocks(which, values, bytes, row, begin, n, out);                            \
    }                                                                                     \
    static void apply_##type(const void *rows, int64_t row_bytes, int n, int64_t k,       \
                             const float *x, float *y, bool add, const void *soon,        \
                             int64_t soon_bytes) {                                        \
        struct apply how = { values, bytes, k, x, add, soon, soon_bytes };                \
        apply_blocks(which, &how, rows, row_bytes, n, y);                                 \
    }
PACK_BLOCKS(q4_0, DTYPE_Q4_0, 32, 18)
PACK_BLOCKS(q4_1, DTYPE_Q4_1, 32, 20)
PACK_BLOCKS(q5_0, DTYPE_Q5_0, 32, 22)
PACK_BLOCKS(q5_1, DTYPE_Q5_1, 32, 24)
PACK_BLOCKS(q8_0, DTYPE_Q8_0, 32, 34)
PACK_BLOCKS(q2_k, DTYPE_Q2_K, 256, 84)
PACK_BLOCKS(q3_k, DTYPE_Q3_K, 256, 110)
PACK_BLOCKS(q4_k, DTYPE_Q4_K, 256, 144)
PACK_BLOCKS(q5_k, DTYPE_Q5_K, 256, 176)
PACK_BLOCKS(q6_k, DTYPE_Q6_K, 256, 210)
PACK_BLOCKS(iq4_nl, DTYPE_IQ4_NL, 32, 18)
PACK_BLOCKS(iq4_xs, DTYPE_IQ4_XS, 256, 136)

#define PACKS(kind)                                                                         \
    {                                                                                       \
        [DTYPE_F32] = kind##_f32, [DTYPE_F64] = kind##_f64, [DTYPE_F16] = kind##_f16,       \
        [DTYPE_BF16] = kind##_bf16, [DTYPE_Q4_0] = kind##_q4_0, [DTYPE_Q4_1] = kind##_q4_1, \
        [DTYPE_Q5_0] = kind##_q5_0, [DTYPE_Q5_1] = kind##_q5_1, [DTYPE_Q8_0] = kind##_q8_0, \
        [DTYPE_Q2_K] = kind##_q2_k, [DTYPE_Q3_K] = kind##_q3_k, [DTYPE_Q4_K] = kind##_q4_k, \
        [DTYPE_Q5_K] = kind##_q5_k, [DTYPE_Q6_K] = kind##_q6_k,                             \
        [DTYPE_IQ4_NL] = kind##_iq4_nl, [DTYPE_IQ4_XS] = kind##_iq4_xs,                     \
    }

#define APPLIES                                                                          \
    {                                                                                    \
        [DTYPE_Q4_0] = apply_q4_0, [DTYPE_Q4_1] = apply_q4_1, [DTYPE_Q5_0] = apply_q5_0, \
        [DTYPE_Q5_1] = apply_q5_1, [DTYPE_Q8_0] = apply_q8_0, [DTYPE_Q2_K] = apply_q2_k, \
        [DTYPE_Q3_K] = apply_q3_k, [DTYPE_Q4_K] = apply_q4_k, [DTYPE_Q5_K] = apply_q5_k, \
        [DTYPE_Q6_K] = apply_q6_k, [DTYPE_IQ4_NL] = apply_iq4_nl,                        \
        [DTYPE_IQ4_XS] = apply_iq4_xs,                                                   \
    }
