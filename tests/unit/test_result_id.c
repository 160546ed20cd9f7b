/* result_id: the same for the same cell, another for anything that differs. */
#include "core/result/result_id.h"

#include <string.h>

#include "tests/check.h"
#include "tests/sample.h"

static struct result *one(void) {
    return sample_attention(check_arena(), 2, 3, 16, sample_english, 16);
}

static const char *id_of(const struct result *result) {
    return result_id(check_arena(), result);
}

TEST(result_id_is_16_digits_and_knows_no_time) {
    struct result *first = one(), *again = one();
    again->seconds = first->seconds + 1;
    const char *id = id_of(first);
    check_int(strlen(id), 16);
    check_int(strspn(id, "0123456789abcdef"), 16);
    check_same(id_of(again), id);
    check_same(id_of(result_copy(check_arena(), first)), id);
}

TEST(result_id_changes_with_what_it_is_of) {
    struct result *of[7];
    for (int i = 0; i < 7; i++) {
        of[i] = one();
    }
    of[1]->title = "Another";
    of[2]->text = "another";
    of[3]->method = "another";
    of[4]->series[0].name = "another";
    of[5]->series[0].values->data[7] += 1e-6F;
    of[6]->series[0].values->shape[0] = 3; /* the same values in another shape */
    of[6]->series[0].values->shape[1] = 2;
    for (int i = 0; i < 7; i++) {
        for (int k = 0; k < i; k++) {
            check(strcmp(id_of(of[i]), id_of(of[k])) != 0);
        }
    }
}

/* 144 heads of 512 tokens: only some values are read, the last stretch among them. */
TEST(result_id_reads_few_of_many_values) {
    struct arena *arena = check_arena();
    struct result *result = result_new(arena, "heatmap", 1);
    const int64_t n = 1 << 20;
    float *values = arena_array(arena, n, sizeof *values);
    struct tensor tensor = { .rank = 1, .shape = { n }, .data = values };
    result->series[0] = (struct series){ .name = "x", .values = &tensor };
    const char *id = id_of(result);
    values[1] = 1; /* between two steps of 256 */
    check_same(id_of(result), id);
    values[n - 256] = 1;
    check(strcmp(id_of(result), id) != 0);
}

TEST(result_id_takes_any_type_and_none) {
    struct arena *arena = check_arena();
    struct result *result = result_new(arena, "table", 1);
    result->series[0] =
        (struct series){ .name = "n",
                         .values = tensor_new_of(arena, DTYPE_I64, 1, (int64_t[]){ 2 }) };
    const char *id = id_of(result);
    result->series[0].values->ints[1] = INT64_C(1) << 40;
    check(strcmp(id_of(result), id) != 0);
    result->series[0].values = tensor_new(arena, 2, (int64_t[]){ 0, 5 });
    check_int(strlen(id_of(result)), 16);
    check_int(strlen(id_of(result_new(arena, "table", 0))), 16);
}
