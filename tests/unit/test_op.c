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
    return tape_new(arena, 0);
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
