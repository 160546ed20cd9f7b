#include "tests/check.h"

#include <string.h>

#include "core/tensor/tensor.h"

TEST(tensor_new_is_zeroed_and_keeps_its_shape) {
    struct tensor *t = tensor_new(check_arena(), 2, (int64_t[]){ 2, 3 });
    char text[100];
    check(t->rank == 2 && t->shape[0] == 2 && t->shape[1] == 3);
    check_int(tensor_count(t), 6);
    check_int(tensor_bytes(t), 24);
    check(t->data[0] == 0 && t->data[5] == 0);
    check_same(tensor_shape_text(t, text), "[2, 3]");
}

TEST(tensor_of_rank_0_is_one_number) {
    struct tensor *t = tensor_new_of(check_arena(), DTYPE_I64, 0, (int64_t[]){ 0 });
    char text[100];
    check_int(tensor_count(t), 1);
    check_int(tensor_bytes(t), 8);
    check_same(tensor_shape_text(t, text), "[]");
}

TEST(tensor_shape_text_fits_the_largest_sizes) {
    struct tensor t = { .rank = 5 };
    char text[100];
    for (int i = 0; i < 5; i++) {
        t.shape[i] = INT64_MAX;
    }
    check(strlen(tensor_shape_text(&t, text)) < sizeof text);
    check_text(text, "[9223372036854775807, 9223372036854775807");
    check(text[strlen(text) - 1] == ']');
}

TEST(dtype_row_bytes_counts_blocks) {
    check_int(dtype_row_bytes(DTYPE_F32, 10), 40);
    check_int(dtype_row_bytes(DTYPE_Q4_1, 64), 40);
    check_int(dtype_row_bytes(DTYPE_Q8_0, 96), 102);
    check_int(dtype_row_bytes(DTYPE_Q6_K, 512), 420);
    check_int(dtype_row_bytes(DTYPE_Q4_1, 33), -1);
    check_int(dtype_row_bytes(DTYPE_F32, -1), -1);
    check_int(dtype_row_bytes(DTYPE_F32, INT64_MAX), -1);
    check_int(dtype_row_bytes(DTYPE_Q8_0, INT64_MAX / 32 * 32), -1);
}

TEST(dtype_names_are_those_of_the_formats) {
    check_same(dtype_name(DTYPE_BF16), "BF16");
    check_same(dtype_name(DTYPE_Q5_1), "Q5_1");
    for (int i = 0; i < DTYPE_COUNT; i++) {
        check(dtype_name((enum dtype)i) && dtype_block((enum dtype)i) > 0 &&
              dtype_block_bytes((enum dtype)i) > 0);
    }
}
