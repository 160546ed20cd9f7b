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

/* d = 1, least 2; part 5 (values 160..191): scale 4 + 16 of byte 12 and 4, least 3. */
TEST(quant_q4_k_by_hand) {
    unsigned char block[144] = { 0x00, 0x3c, 0x00, 0x40 };
    float out[32];
    block[4 + 1] = 0x40;       /* part 1's scale lends its upper bits to part 5's */
    block[4 + 9] = 0x34;       /* least 3, scale 4 */
    block[16 + 64 + 7] = 0x9f; /* value 167: 9 */
    quant_row(DTYPE_Q4_K, block, 160, 32, out);
    check(out[7] == 20 * 9 - 2 * 3 && out[8] == -6);
}

/* d = 1/2; value 200: low bits 13 in the upper half of byte 64 + 8, high bits 2: 45 - 32. */
TEST(quant_q6_k_by_hand) {
    unsigned char block[210] = { 0 };
    float out[64];
    block[209] = 0x38;
    block[64 + 8] = 0xd0;
    block[128 + 32 + 8] = 0x20;
    block[192 + 12] = 0xfe; /* the scale of values 192..207: -2 */
    quant_row(DTYPE_Q6_K, block, 192, 64, out);
    check(out[8] == -13 && out[9] == 32 && out[16] == 0);
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
    check(quant_known(DTYPE_Q4_K) && quant_known(DTYPE_IQ4_XS));
    check(!quant_known(DTYPE_I64) && !quant_known(DTYPE_U8));
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
    check_int(compared, 15);
}
