#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/draw/picture.h"
#include "core/result/column.h"
#include "tests/check.h"

/* A result of these tokens, each with where it stands in the text; begin == end: nowhere. */
struct place {
    const char *label;
    int begin, end;
};

static struct result *tokens_of(struct arena *arena, const char *text,
                                const struct place *places, int64_t n, const char *unit) {
    struct result *result = result_new(arena, "tokens", 2);
    struct axis axis = { "token", n, arena_array(arena, n, sizeof(char *)) };
    float *values = column_new(arena, result, 0, "value", unit, &axis);
    result->series[1] = (struct series){ .name = "span",
                                         .values = tensor_new(arena, 2, (int64_t[]){ n, 2 }),
                                         .axes = { axis, { "byte", 2, NULL } } };
    for (int64_t i = 0; i < n; i++) {
        values[i] = (float)i;
        axis.labels[i] = places[i].label;
        result->series[1].values->data[2 * i] = (float)places[i].begin;
        result->series[1].values->data[2 * i + 1] = (float)places[i].end;
    }
    result->text = text;
    result->title = "Tokens";
    result->finding = "Some tokens.";
    return result;
}

static struct bundle *bundle_of(const struct result *result) {
    struct err err = { 0 };
    struct bundle *bundle = picture_bundle(check_arena(), NULL, result, NULL, &err);
    check_same(err.text, "");
    return bundle;
}

/* Left edge and top of the box with that title's beginning, in CSS pixels. */
static bool box_of(const struct bundle *bundle, const char *title, double *left, double *top) {
    char wanted[100];
    snprintf(wanted, sizeof wanted, "title=\"%s", title);
    const char *at = strstr(bundle->html, wanted);
    while (at && at > bundle->html && strncmp(at, "<i ", 3) != 0) {
        at--;
    }
    const char *x = at ? strstr(at, "left:") : NULL, *y = at ? strstr(at, "top:") : NULL;
    if (!check(x && y)) {
        return false;
    }
    *left = strtod(x + 5, NULL);
    *top = strtod(y + 4, NULL);
    return true;
}

TEST(tokens_flow_as_their_text_stands) {
    static const struct place places[] = {
        { "[CLS]", 0, 0 }, { "one", 0, 3 }, { "two", 4, 7 }, { "three", 8, 13 }
    };
    const struct bundle *bundle =
        bundle_of(tokens_of(check_arena(), "one two\nthree", places, 4, "id"));
    double x[4], y[4];
    for (int i = 0; bundle && i < 4; i++) {
        char title[40];
        snprintf(title, sizeof title, "%s: value %d", places[i].label, i);
        box_of(bundle, title, &x[i], &y[i]);
    }
    check(x[0] < x[1] && x[1] < x[2] && x[3] < x[2]);
    check(y[0] == y[1] && y[1] == y[2] && y[3] > y[2]); /* the text's own line end */
}

/* "abc אבג דהו 12": Hebrew runs from right to left inside a line that begins at the left; a
 * line that begins with Hebrew runs from the right altogether, but its digits do not. */
TEST(tokens_turn_where_the_script_does) {
    static const struct place mixed[] = {
        { "abc", 0, 3 }, { "alef", 4, 10 }, { "dalet", 11, 17 }, { "z", 18, 19 }
    };
    const struct bundle *bundle = bundle_of(
        tokens_of(check_arena(), "abc \xd7\x90\xd7\x91\xd7\x92 \xd7\x93\xd7\x94\xd7\x95 z",
                  mixed, 4, "id"));
    double x[4], y;
    for (int i = 0; bundle && i < 4; i++) {
        box_of(bundle, mixed[i].label, &x[i], &y);
    }
    check(x[0] < x[2] && x[2] < x[1] && x[1] < x[3]);

    static const struct place turned[] = {
        { "alef", 0, 6 }, { "one", 7, 8 }, { "two", 8, 9 }, { "dalet", 10, 16 }
    };
    bundle = bundle_of(tokens_of(check_arena(),
                                 "\xd7\x90\xd7\x91\xd7\x92 12 \xd7\x93\xd7\x94\xd7\x95", turned,
                                 4, "id"));
    for (int i = 0; bundle && i < 4; i++) {
        box_of(bundle, turned[i].label, &x[i], &y);
    }
    check(x[3] < x[1] && x[1] < x[2] && x[2] < x[0]);
}

TEST(tokens_without_spans_stand_in_a_row) {
    struct arena *arena = check_arena();
    static const struct place places[] = { { " a", 0, 0 }, { "<b>", 0, 0 }, { "\xff", 9, 99 } };
    struct result *result = tokens_of(arena, "", places, 3, "bits");
    result->count = 1;
    result->series[0].values->data[1] = NAN;
    const struct bundle *bundle = bundle_of(result);
    if (check(bundle)) {
        check_text(bundle->html, "&lt;b&gt;");
        check_text(bundle->json, "\"named\":false");
        check_text(bundle->json, "\"shape\":[3],\"base64\":\"AAAAAAAAwH8AAABA\""); /* 0 NaN 2 */
        check_text(bundle->json, "\"adds\":\"mean\"");
        check_text(bundle->text, "1  <b>");
    }
    result->count = 2; /* spans that reach beyond the text */
    result->text = "ab";
    check(bundle_of(result));
}

TEST(tokens_of_long_texts_are_cut_and_say_so) {
    enum { N = 50000 };
    struct arena *arena = check_arena();
    struct place *places = arena_array(arena, N, sizeof *places);
    char *text = arena_alloc(arena, 5 * N + 1);
    for (int i = 0; i < N; i++) {
        memcpy(text + 5 * i, i % 40 == 39 ? "lin\n " : "word ", 5);
        places[i] = (struct place){ "word", 5 * i, 5 * i + 4 };
    }
    const struct bundle *bundle = bundle_of(tokens_of(arena, text, places, N, "bits"));
    if (check(bundle)) {
        check(bundle->height < 1800 && strlen(bundle->html) < 400000);
        check(strlen(bundle->json) < 200000 && strlen(bundle->text) <= 2048);
    }
    struct err err = { 0 };
    static const struct picture_options chinese = { .language = "zh" };
    bundle =
        picture_bundle(arena, NULL, tokens_of(arena, text, places, N, "bits"), &chinese, &err);
    check(bundle != NULL);
}

TEST(tokens_need_a_value_each) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = result_new(arena, "tokens", 1);
    result->series[0] = (struct series){ .name = "m",
                                         .values = tensor_new(arena, 2, (int64_t[]){ 2, 2 }),
                                         .axes = { { "a", 2, NULL }, { "b", 2, NULL } } };
    check(!picture_bundle(arena, NULL, result, NULL, &err));
    check(err.kind == ERR_OPTION);
    check(!picture_bundle(arena, NULL, result_new(arena, "tokens", 0), NULL, &err));
    check_text(err.text, "no numbers");
}
