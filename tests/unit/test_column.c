#include <string.h>

#include "core/draw/picture.h"
#include "core/draw/table.h"
#include "core/result/column.h"
#include "tests/check.h"

TEST(column_writes_whole_numbers_in_groups) {
    struct arena *arena = check_arena();
    check_same(column_whole(arena, 0), "0");
    check_same(column_whole(arena, 999), "999");
    check_same(column_whole(arena, 1000), "1,000");
    check_same(column_whole(arena, 134515008), "134,515,008");
    check_same(column_whole(arena, -1234567), "-1,234,567");
}

static struct result *table_result(struct arena *arena, int64_t rows) {
    struct result *result = result_new(arena, "table", 2);
    struct axis axis = { "tensor", rows, arena_array(arena, rows, sizeof(char *)) };
    float *numbers = column_new(arena, result, 0, "mean", "", &axis);
    const char **names = column_named(arena, result, 1, "shape", &axis);
    for (int64_t i = 0; i < rows; i++) {
        axis.labels[i] = arena_printf(arena, "row%lld", (long long)i);
        numbers[i] = (float)i / 4;
        names[i] = "<2 × 3>";
    }
    result->title = "Some rows";
    result->finding = "A table.";
    return result;
}

TEST(column_texts_are_names_or_numbers) {
    struct arena *arena = check_arena();
    const struct result *result = table_result(arena, 3);
    check_same(column_text(arena, result, "mean", 1), "0.25");
    check_same(column_text(arena, result, "shape", 2), "<2 × 3>");
    check_same(column_text(arena, result, "none", 2), "");
    check_same(column_text(arena, result, "mean", 9), "");
}

TEST(table_is_a_picture_of_columns) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct bundle *bundle =
        picture_bundle(arena, "table", table_result(arena, 3), NULL, &err);
    if (check(bundle)) {
        check_text(bundle->text, "row1    0.25  <2 × 3>");
        check_text(bundle->html, "&lt;2 × 3&gt;");
        check_text(bundle->json, "\"texts\":[\"row0\",\"row1\",\"row2\"]}");
        check_text(bundle->json, "\"texts\":[\"0\",\"0.25\",\"0.5\"],\"values\":{");
        check_text(bundle->json, "\"AAAAAAAAgD4AAAA/\"");
        check_same(bundle->mime, "application/vnd.cutaway.table.v1+json");
    }
}

TEST(table_says_what_it_leaves_out) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct picture_options options = { .language = "zh" };
    const struct bundle *large =
        picture_bundle(arena, "table", table_result(arena, 3000), &options, &err);
    if (check(large)) {
        check(large->height < 1500 && strlen(large->html) < 250000);
    }
    struct figure *figure =
        picture_find("table")->draw(arena, table_result(arena, 3000), &options, &err);
    check_same(figure->note, "共 3000 行，画出前 60 行");
}

TEST(table_refuses_matrices) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = result_new(arena, "table", 1);
    result->series[0] = (struct series){ .name = "m",
                                         .values = tensor_new(arena, 2, (int64_t[]){ 2, 2 }),
                                         .axes = { { "a", 2, NULL }, { "b", 2, NULL } } };
    check(!picture_bundle(arena, "table", result, NULL, &err));
    check(err.kind == ERR_OPTION);
}
