#include "tests/check.h"

#include <math.h>
#include <string.h>

#include "core/model/weights.h"
#include "core/tensor/quant.h"

TEST(quant_f16_by_hand) {
    check(quant_f16(0x3c00) == 1.0F);
    check(quant_f16(0xc000) == -2.0F);
    check(quant_f16(0x7bff) == 65504.0F);
    check(quant_f16(0x0001) == 0x1p-24F); /* the smallest subnormal */
    check(quant_f16(0x03ff) == 0x1.ff8p-15F);
    check(quant_f16(0x0400) == 0x1p-14F); /* the smallest normal */
    check(quant_f16(0x0000) == 0 && !signbit(quant_f16(0x0000)));
    check(quant_f16(0x8000) == 0 && signbit(quant_f16(0x8000)));
    check(isinf(quant_f16(0x7c00)) && quant_f16(0xfc00) < 0);
    check(isnan(quant_f16(0x7e00)));
}

TEST(quant_bf16_is_the_upper_half) {
    check(quant_bf16(0x3f80) == 1.0F);
    check(quant_bf16(0xc040) == -3.0F);
    check(isinf(quant_bf16(0x7f80)));
}

/* d = 2, m = -1; byte 0 holds 3 (value 0) and 12 (value 16). */
TEST(quant_q4_1_by_hand) {
    unsigned char block[20] = { 0x00, 0x40, 0x00, 0xbc, 0xc3 };
    float out[32];
    quant_row(DTYPE_Q4_1, block, 0, 32, out);
    check(out[0] == 5.0F && out[16] == 23.0F && out[1] == -1.0F);
}

/* d = 0.5, m = 1; the fifth bits of values 0 and 17 are set. */
TEST(quant_q5_1_by_hand) {
    unsigned char block[24] = { 0x00, 0x38, 0x00, 0x3c, 0x01, 0x00, 0x02, 0x00, 0x01, 0x20 };
    float out[32];
    quant_row(DTYPE_Q5_1, block, 0, 32, out);
    check(out[0] == 0.5F * 17 + 1);
    check(out[16] == 1.0F);
    check(out[17] == 0.5F * 18 + 1);
}

TEST(quant_row_begins_at_any_block) {
    unsigned char row[68] = { 0 };
    float out[32];
    row[35] = 0x3c; /* second block: d = 1 */
    row[36] = 0xfe; /* -2 */
    quant_row(DTYPE_Q8_0, row, 32, 32, out);
    check(out[0] == -2.0F && out[1] == 0.0F);
}

TEST(quant_f64_rounds_to_nearest) {
    double row[2] = { 1.0 / 3, -1e300 };
    float out[2];
    quant_row(DTYPE_F64, row, 0, 2, out);
    check(out[0] == 1.0F / 3 && isinf(out[1]));
}

TEST(quant_known_says_what_can_be_computed) {
    check(quant_known(DTYPE_Q4_1) && quant_known(DTYPE_BF16));
    check(!quant_known(DTYPE_I64) && !quant_known(DTYPE_Q4_K));
}

/* Each type of the fixture that is known, compared bit by bit with the reference library. */
TEST(quant_equals_the_reference_exactly) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct weights *blocks =
        weights_open(arena, check_fixture(arena, "golden/data/gguf/blocks/blocks.gguf"), &err);
    struct weights *expected = weights_open(
        arena, check_fixture(arena, "golden/data/gguf/blocks/expected.safetensors"), &err);
    if (!check(blocks && expected)) {
        return;
    }
    int compared = 0;
    for (int64_t i = 0; i < blocks->count; i++) {
        const struct tensor *tensor = &blocks->tensors[i];
        const struct tensor *truth = weights_at(expected, tensor->name);
        float out[512];
        if (!check(truth != NULL) || !quant_known(tensor->dtype)) {
            continue;
        }
        for (int64_t row = 0; row < 3; row++) {
            const char *at = tensor->bytes;
            quant_row(tensor->dtype, at + row * dtype_row_bytes(tensor->dtype, 512), 0, 512,
                      out);
            check(memcmp(out, truth->data + row * 512, sizeof out) == 0);
        }
        compared++;
    }
    check_int(compared, 8);
}
