#include <string.h>

#include "core/draw/picture.h"
#include "core/explain/anatomy.h"
#include "core/result/column.h"
#include "tests/check.h"

static struct result *anatomy_of(const char *name, const char *language) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    const struct model *model = model_open(arena, check_fixture(arena, name), &err);
    check_same(err.text, "");
    return model ? anatomy(arena, model, "m", language) : NULL;
}

/* The row of a part in the section of that name. */
static int64_t row_of(const struct result *result, const char *section, const char *part) {
    const struct axis *axis = &result->series[0].axes[0];
    for (int64_t i = 0; i < axis->count; i++) {
        if (strcmp(axis->labels[i], part) == 0 &&
            strcmp(column_text(check_arena(), result, "section", i), section) == 0) {
            return i;
        }
    }
    return -1;
}

static double total(const struct result *result) {
    double n = 0;
    for (int64_t i = 0; i < result->series[0].axes[0].count; i++) {
        n += (double)result_at(result, "parameters")->values->data[i] *
             (double)result_at(result, "copies")->values->data[i];
    }
    return n;
}

TEST(anatomy_folds_equal_blocks) {
    struct arena *arena = check_arena();
    const struct result *result = anatomy_of("golden/data/models/bert_mlm", "en");
    int64_t at = row_of(result, "blocks 0–2", "attention query");
    if (!check(at >= 0)) {
        return;
    }
    check_near(result_at(result, "copies")->values->data[at], 3, 0);
    check_same(column_text(arena, result, "type", at), "F32");
    check_same(column_text(arena, result, "tensor", at),
               "bert.encoder.layer.*.attention.self.query.weight");
    check_near(total(result), 92416, 0);
    at = row_of(result, "head", "head");
    check_same(column_text(arena, result, "tied", at), "word embeddings");
    check_text(result->finding, "92,416 parameters");
    check_text(result->finding, "tied");
}

/* ModernBERT's first block has no norm before its attention. */
TEST(anatomy_keeps_blocks_apart_that_differ) {
    const struct result *result = anatomy_of("golden/data/models/modernbert", "en");
    check_int(row_of(result, "block 0", "norm before attention"), -1);
    check(row_of(result, "blocks 1–3", "norm before attention") >= 0);
    check_near(total(result), 100081, 0);
}

TEST(anatomy_tells_encoder_from_decoder) {
    const struct result *result = anatomy_of("golden/data/models/t5", "zh");
    check(row_of(result, "编码器第 0–1 层", "注意力：查询") >= 0);
    check(row_of(result, "解码器第 0–1 层", "交叉注意力：查询") >= 0);
    check_near(total(result), 136192, 0);
}

/* The blocks of this file have one shape, but parts are stored as several types. */
TEST(anatomy_tells_mixed_types_of_one_part) {
    struct arena *arena = check_arena();
    const struct result *result = anatomy_of("golden/data/gguf/llama/model.gguf", "en");
    struct buf *types = buf_new(arena);
    for (int64_t i = 0; i < result->series[0].axes[0].count; i++) {
        buf_printf(types, "%s; ", column_text(arena, result, "type", i));
    }
    check_text(types->data, "F32");
    check_text(types->data, "Q4_1");
}

TEST(anatomy_is_drawn_of_every_architecture) {
    const char *const names[] = {
        "bert_cls", "distilbert", "gpt_neox", "lstm_lm", "opt", "phi"
    };
    struct err err = { 0 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena *arena = check_arena();
        const struct result *result =
            anatomy_of(arena_printf(arena, "golden/data/models/%s", names[i]), "en");
        const struct bundle *bundle =
            result ? picture_bundle(arena, NULL, result, NULL, &err) : NULL;
        check_same(err.text, "");
        if (check(bundle)) {
            check_text(bundle->html, "title=\"");
            check_text(bundle->json, "\"sections\"");
            check(strlen(bundle->text) <= 2048 && bundle->width < 900);
        }
    }
}

TEST(architecture_refuses_other_results) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    struct axis axis = { "part", 2, NULL };
    struct result *result = result_new(arena, "architecture", 1);
    column_new(arena, result, 0, "numbers", "", &axis);
    check(!picture_bundle(arena, NULL, result, NULL, &err));
    check(err.kind == ERR_OPTION);
    check_text(err.text, "%info");
}
