#include <stdlib.h>
#include <string.h>

#include "core/draw/picture.h"
#include "core/result/column.h"
#include "tests/check.h"

/* A text as two tokenizers cut it, by where their tokens begin and end. */
static struct result *tracks_of(struct arena *arena, const char *text, const int *ends[2],
                                const int64_t counts[2]) {
    static const char *const names[][2] = { { "id 0", "span 0" }, { "id 1", "span 1" } };
    struct result *result = result_new(arena, "tracks", 5);
    struct axis models = { "model", 2, arena_array(arena, 2, sizeof(char *)) };
    models.labels[0] = "first";
    models.labels[1] = "second";
    column_new(arena, result, 0, "tokens", "", &models);
    for (int k = 0; k < 2; k++) {
        struct axis axis = { "token", counts[k],
                             arena_array(arena, counts[k], sizeof(char *)) };
        struct series *series = &result->series[1 + 2 * k];
        series[0] = (struct series){ .name = names[k][0],
                                     .unit = "id",
                                     .values = tensor_new(arena, 1, &counts[k]),
                                     .axes = { axis } };
        series[1] =
            (struct series){ .name = names[k][1],
                             .values = tensor_new(arena, 2, (int64_t[]){ counts[k], 2 }),
                             .axes = { axis, { "byte", 2, NULL } } };
        for (int64_t i = 0; i < counts[k]; i++) {
            axis.labels[i] = arena_printf(arena, "%c%lld", 'a' + k, (long long)i);
            series[1].values->data[2 * i] = i ? (float)ends[k][i - 1] : 0;
            series[1].values->data[2 * i + 1] = (float)ends[k][i];
        }
    }
    result->text = text;
    result->title = "Two";
    result->finding = "Two tokenizers.";
    return result;
}

/* Left edge and width of the box with that title. */
static bool box_of(const struct bundle *bundle, const char *title, double *left,
                   double *width) {
    const char *at = strstr(bundle->html, title);
    while (at && at > bundle->html && strncmp(at, "<i ", 3) != 0) {
        at--;
    }
    const char *x = at ? strstr(at, "left:") : NULL, *w = at ? strstr(at, "width:") : NULL;
    if (!check(x && w)) {
        return false;
    }
    *left = strtod(x + 5, NULL);
    *width = strtod(w + 6, NULL);
    return true;
}

/* One track cuts "abcdef" in 2 + 4 bytes, the other in 2 + 1 + 3: what begins at the same byte
 * stands below each other, and two tokens are as wide as the one they make. */
TEST(tracks_are_aligned) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const int first[] = { 2, 6 }, second[] = { 2, 3, 6 };
    const struct bundle *bundle = picture_bundle(
        arena, NULL,
        tracks_of(arena, "abcdef", (const int *[]){ first, second }, (const int64_t[]){ 2, 3 }),
        NULL, &err);
    check_same(err.text, "");
    double a0, a1, b0, b1, b2, w, wide, w1, w2;
    if (bundle && box_of(bundle, "first: a0", &a0, &w) &&
        box_of(bundle, "first: a1", &a1, &wide) && box_of(bundle, "second: b0", &b0, &w) &&
        box_of(bundle, "second: b1", &b1, &w1) && box_of(bundle, "second: b2", &b2, &w2)) {
        check_near(a0, b0, 1e-3);
        check_near(a1, b1, 1e-3);
        check_near(b2, b1 + w1, 1e-3);
        check_near(wide, w1 + w2, 1e-3);
        check_text(bundle->json, "\"tokens\":[\"b0\",\"b1\",\"b2\"]");
        check_text(bundle->json, /* 0 2, 2 3, 3 6 */
                   "\"shape\":[3,2],\"base64\":\"AAAAAAAAAEAAAABAAABAQAAAQEAAAMBA\"");
    }
}

TEST(tracks_of_hostile_spans_are_drawn) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const int first[] = { 900, 3, 3, -7 }, second[] = { 0, 0, 6, 2 };
    struct result *result =
        tracks_of(arena, "abcdef", (const int *[]){ first, second }, (const int64_t[]){ 4, 4 });
    check(picture_bundle(arena, NULL, result, NULL, &err));
    result->text = "";
    check(picture_bundle(arena, NULL, result, NULL, &err));
}

TEST(tracks_of_long_texts_stay_small) {
    enum { N = 20000 };
    struct arena *arena = check_arena();
    struct err err = { 0 };
    int *ends = arena_array(arena, N, sizeof *ends);
    char *text = arena_alloc(arena, 3 * N + 1);
    for (int i = 0; i < N; i++) {
        ends[i] = 3 * i + 3;
        memcpy(text + 3 * i, "ab ", 3);
    }
    const struct bundle *bundle = picture_bundle(
        arena, NULL,
        tracks_of(arena, text, (const int *[]){ ends, ends }, (const int64_t[]){ N, N }), NULL,
        &err);
    if (check(bundle)) {
        check(bundle->height < 2500 && strlen(bundle->html) < 700000);
    }
}

TEST(tracks_need_tokenizers) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct axis axis = { "model", 2, NULL };
    struct result *result = result_new(arena, "tracks", 1);
    column_new(arena, result, 0, "tokens", "", &axis);
    check(!picture_bundle(arena, NULL, result, NULL, &err));
    check(err.kind == ERR_OPTION);
}
