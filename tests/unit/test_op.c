#include "tests/check.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

static struct tensor *numbers(struct arena *arena, int64_t rows, int64_t columns,
                              uint32_t seed) {
    struct tensor *tensor = tensor_new(arena, 2, (int64_t[]){ rows, columns });
    for (int64_t i = 0; i < rows * columns; i++) {
        uint32_t mixed = ((uint32_t)i + seed) * 2654435761U;
        tensor->data[i] = (float)(mixed >> 9 & 0xffff) / 16384.0F - 2.0F;
    }
    return tensor;
}

static struct tape *tape_of(struct arena *arena) {
    return tape_new(arena, op_attention_room(600, 600, 64, false));
}

TEST(op_embed_takes_rows_of_any_type) {
    struct arena *arena = check_arena();
    struct tensor table = { .dtype = DTYPE_Q8_0, .rank = 2, .shape = { 2, 32 } };
    unsigned char bytes[68] = { 0 };
    bytes[35] = 0x40; /* second row: d = 2 */
    bytes[36] = 3;
    bytes[67] = 0xff;
    table.bytes = bytes;
    struct tensor *x = op_embed(tape_of(arena), &table, (int32_t[]){ 1, 0, 1 }, 3);
    check(x->shape[0] == 3 && x->shape[1] == 32);
    check(x->data[0] == 6 && x->data[31] == -2 && x->data[32] == 0 && x->data[64] == 6);
}

TEST(op_add_adds) {
    struct arena *arena = check_arena();
    struct tensor *a = numbers(arena, 300, 70, 1), *b = numbers(arena, 300, 70, 2);
    struct tensor *sum = op_add(tape_of(arena), a, b, NULL);
    check(sum->data[0] == a->data[0] + b->data[0]);
    check(sum->data[20999] == a->data[20999] + b->data[20999]);
}

TEST(op_norm_goes_row_by_row) {
    struct arena *arena = check_arena();
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ 2, 2 });
    memcpy(x->data, (float[]){ 3, 5, 3, 4 }, 4 * sizeof(float));
    struct tensor *gain = tensor_new(arena, 1, (int64_t[]){ 2 });
    struct tensor *bias = tensor_new(arena, 1, (int64_t[]){ 2 });
    memcpy(gain->data, (float[]){ 1, 10 }, 2 * sizeof(float));
    memcpy(bias->data, (float[]){ 0, 1 }, 2 * sizeof(float));
    struct op_norm layer = { .gain = gain, .bias = bias }, rms = { .gain = gain, .rms = true };
    struct tensor *y = op_norm(tape_of(arena), x, &layer, NULL);
    check_near(y->data[0], -1, 1e-6);
    check_near(y->data[1], 11, 1e-5);
    check_near(y->data[2], -1, 1e-6);
    y = op_norm(tape_of(arena), x, &rms, NULL);
    check_near(y->data[2], 3 / sqrt(12.5), 1e-6);
    check_near(y->data[3], 40 / sqrt(12.5), 1e-5);
}

/* Two heads of four at positions 0, 1, 2 of two texts; base 100 turns by 1 and by 1/10. */
static void check_rope(bool adjacent) {
    struct arena *arena = check_arena();
    struct tape *tape = tape_of(arena);
    struct tensor *x = numbers(arena, 6, 8, 3);
    float before[48];
    memcpy(before, x->data, sizeof before);
    double turns[2] = { 1, 0.1 };
    op_rope(tape, (struct op_heads){ .x = x, .apart = 4 }, 2,
            op_rope_angles(tape, 0, 3, 4, turns, 1, adjacent));
    for (int r = 0; r < 6; r++) {
        for (int head = 0; head < 2; head++) {
            for (int i = 0; i < 2; i++) {
                int at = r * 8 + head * 4;
                int a = at + (adjacent ? 2 * i : i), b = at + (adjacent ? 2 * i + 1 : i + 2);
                double angle = r % 3 * (i ? 0.1 : 1.0), re = (double)before[a];
                double im = (double)before[b];
                check_near(x->data[a], re * cos(angle) - im * sin(angle), 1e-6);
                check_near(x->data[b], re * sin(angle) + im * cos(angle), 1e-6);
            }
        }
    }
}

TEST(op_rope_turns_pairs_by_the_closed_form) {
    check_rope(false);
    check_rope(true);
}

/* Heads side by side in every row. */
static struct tensor *attention(struct arena *arena, struct tensor *q, struct tensor *k,
                                struct tensor *v, const struct op_attention *how,
                                struct tensor *pattern) {
    int64_t apart = how->width;
    return op_attention(tape_of(arena), (struct op_heads){ q, 0, apart },
                        (struct op_heads){ k, 0, apart }, (struct op_heads){ v, 0, apart }, how,
                        pattern);
}

/* One head of width 1: scores 0, ln 3 for query 1; values 4 and 8: (4 + 3 * 8) / 4 = 7. */
TEST(op_attention_by_hand) {
    struct arena *arena = check_arena();
    struct tensor *q = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    struct tensor *k = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    struct tensor *v = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    struct tensor *pattern = tensor_new(arena, 4, (int64_t[]){ 1, 1, 2, 2 });
    memcpy(q->data, (float[]){ 0, 2 }, 2 * sizeof(float));
    memcpy(k->data, (float[]){ 0, 1.09861229F }, 2 * sizeof(float));
    memcpy(v->data, (float[]){ 4, 8 }, 2 * sizeof(float));
    struct op_attention how = { .batch = 1,
                                .queries = 2,
                                .keys = 2,
                                .heads = 1,
                                .groups = 1,
                                .width = 1,
                                .scale = 0.5F,
                                .left = -1,
                                .right = -1 };
    struct tensor *y = attention(arena, q, k, v, &how, pattern);
    check_near(y->data[0], 6, 1e-6);
    check_near(y->data[1], 7, 1e-6);
    check_near(pattern->data[2], 0.25, 1e-7);
    check_near(pattern->data[3], 0.75, 1e-7);
    how.causal = true;
    y = attention(arena, q, k, v, &how, pattern);
    check(pattern->data[0] == 1 && pattern->data[1] == 0 && y->data[0] == 4);
    check_near(y->data[1], 7, 1e-6);
}

struct shape {
    int64_t batch, tokens, heads, groups, width;
    bool causal;
    const uint8_t *mask;
};

/* Attention straight from its formula, in double. */
static void check_formula(struct shape s) {
    struct arena *arena = check_arena();
    int64_t rows = s.batch * s.tokens;
    struct tensor *q = numbers(arena, rows, s.heads * s.width, 1);
    struct tensor *k = numbers(arena, rows, s.groups * s.width, 2);
    struct tensor *v = numbers(arena, rows, s.groups * s.width, 3);
    struct tensor *pattern =
        tensor_new(arena, 4, (int64_t[]){ s.batch, s.heads, s.tokens, s.tokens });
    struct op_attention how = { .batch = s.batch,
                                .queries = s.tokens,
                                .keys = s.tokens,
                                .left = -1,
                                .right = -1,
                                .heads = s.heads,
                                .groups = s.groups,
                                .width = s.width,
                                .scale = 0.3F,
                                .causal = s.causal,
                                .mask = s.mask };
    struct tensor *y = attention(arena, q, k, v, &how, pattern);
    struct tensor *unkept = attention(arena, q, k, v, &how, NULL);
    check(memcmp(y->data, unkept->data, (size_t)tensor_bytes(y)) == 0);
    double *p = arena_array(arena, s.tokens, sizeof *p), worst = 0;
    int64_t masked = 0;
    for (int64_t i = 0; i < s.batch * s.heads * s.tokens; i++) {
        int64_t b = i / (s.heads * s.tokens), h = i / s.tokens % s.heads, t = i % s.tokens;
        int64_t g = h / (s.heads / s.groups);
        const float *query = q->data + ((b * s.tokens + t) * s.heads + h) * s.width;
        double sum = 0;
        for (int64_t j = 0; j < s.tokens; j++) {
            const float *key = k->data + ((b * s.tokens + j) * s.groups + g) * s.width;
            double score = 0;
            for (int64_t d = 0; d < s.width; d++) {
                score += (double)query[d] * (double)key[d];
            }
            bool out = (s.causal && j > t) || (s.mask && !s.mask[b * s.tokens + j]);
            p[j] = out ? 0 : exp(score * 0.3);
            sum += p[j];
        }
        for (int64_t j = 0; j < s.tokens; j++) {
            float seen = pattern->data[i * s.tokens + j];
            masked += p[j] == 0 && seen != 0;
            worst = fmax(worst, fabs((double)seen - p[j] / sum));
        }
        for (int64_t d = 0; d < s.width; d++) {
            double mixed = 0;
            for (int64_t j = 0; j < s.tokens; j++) {
                int64_t row = (b * s.tokens + j) * s.groups + g;
                mixed += p[j] / sum * (double)v->data[row * s.width + d];
            }
            int64_t at = ((b * s.tokens + t) * s.heads + h) * s.width + d;
            worst = fmax(worst, fabs(mixed - (double)y->data[at]));
        }
    }
    check_int(masked, 0);       /* what is masked is exactly 0 */
    check_near(worst, 0, 2e-5); /* scores reach 40, so their last digit is 4e-6 */
}

TEST(op_attention_equals_its_formula) {
    static const uint8_t mask[2 * 40] = {
        1, 1, 1, 1, 1, 0, 0, 0, 0, 0, [40] = 1, 1, 1, 0, 1, 1
    };
    check_formula((struct shape){ 1, 1, 1, 1, 8, false, NULL });
    check_formula((struct shape){ 2, 40, 4, 4, 8, false, mask });
    check_formula((struct shape){ 2, 40, 6, 2, 10, true, mask });
    check_formula((struct shape){ 1, 199, 3, 1, 64, true, NULL }); /* two blocks of queries */
    check_formula((struct shape){ 1, 33, 2, 2, 33, false, NULL });
}

TEST(op_attention_of_padding_alone_is_zero) {
    struct arena *arena = check_arena();
    struct tensor *x = numbers(arena, 3, 8, 1);
    struct tensor *pattern = tensor_new(arena, 4, (int64_t[]){ 1, 2, 3, 3 });
    static const uint8_t mask[3] = { 0, 0, 0 };
    struct op_attention how = { .batch = 1,
                                .queries = 3,
                                .keys = 3,
                                .heads = 2,
                                .groups = 2,
                                .width = 4,
                                .scale = 1,
                                .left = -1,
                                .right = -1,
                                .mask = mask };
    memset(pattern->data, 1, 18 * sizeof(float));
    struct tensor *y = attention(arena, x, x, x, &how, pattern);
    for (int i = 0; i < 18; i++) {
        check(pattern->data[i] == 0);
    }
    check(y->data[0] == 0 && y->data[23] == 0);
}
