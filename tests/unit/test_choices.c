#include <math.h>
#include <string.h>

#include "core/draw/picture.h"
#include "core/result/column.h"
#include "tests/check.h"

static struct result *choices_of(struct arena *arena, int64_t steps, int64_t k) {
    struct result *result = result_new(arena, "choices", 2);
    struct axis axis = { "step", steps, arena_array(arena, steps, sizeof(char *)) };
    struct series *series = &result->series[0];
    *series = (struct series){ .name = "probability",
                               .high = 1,
                               .values = tensor_new(arena, 2, (int64_t[]){ steps, k }),
                               .axes = { axis, { "alternative", k, NULL } },
                               .names = arena_array(arena, steps * k, sizeof(char *)) };
    float *chosen = column_new(arena, result, 1, "chosen", "", &axis);
    for (int64_t i = 0; i < steps * k; i++) {
        series->names[i] = arena_printf(arena, " <t%lld>", (long long)i);
        series->values->data[i] = .5F / (float)(1 + i % k);
    }
    for (int64_t s = 0; s < steps; s++) {
        axis.labels[s] = s == 1 ? "猫" : " cat";
        chosen[s] = s == 1 ? -1 : (float)(s % 2);
    }
    result->title = "Steps";
    result->finding = "Some steps.";
    return result;
}

static struct bundle *bundle_of(const struct result *result, int64_t top) {
    struct err err = { 0 };
    const struct picture_options options = { .top = top };
    struct bundle *bundle = picture_bundle(check_arena(), NULL, result, &options, &err);
    check_same(err.text, "");
    return bundle;
}

TEST(choices_tell_every_alternative) {
    const struct bundle *bundle = bundle_of(choices_of(check_arena(), 3, 4), 0);
    if (check(bundle)) {
        check_same(bundle->mime, "application/vnd.cutaway.choices.v1+json");
        check_text(bundle->html, "title=\"1:  &lt;t3&gt; 12 % (0.125)\"");
        check_text(bundle->text, "2  猫");
        check_text(bundle->text, "·<t8> 50 %");
        check_text(bundle->json, "\"steps\":[\" cat\",\"猫\",\" cat\"]");
        check_text(bundle->json, "\"share\":true");
        check_text(bundle->json, /* 0.5, 0.25 .. */
                   "\"values\":{\"encoding\":\"f32\",\"shape\":[3,4],\"base64\":\"AAAAPwAAgD6");
        check_text(
            bundle->json, /* 0 -1 0 */
            "\"chosen\":{\"encoding\":\"f32\",\"shape\":[3],\"base64\":\"AAAAAAAAgL8AAAAA");
    }
}

TEST(choices_of_many_steps_stay_small) {
    const struct bundle *few = bundle_of(choices_of(check_arena(), 10, 50), 0);
    const struct bundle *many = bundle_of(choices_of(check_arena(), 5000, 50), 0);
    if (check(few && many)) {
        check(few->width < 900 && few->height < 900);
        check(many->width < 900 && many->height < 3200);
        check(strlen(many->html) < 900000 && strlen(many->json) < 600000);
        check(strlen(many->text) <= 2048);
    }
    const struct bundle *two = bundle_of(choices_of(check_arena(), 10, 50), 2);
    check(two && few && two->height < few->height);
}

TEST(choices_may_hold_values_that_are_no_shares) {
    struct arena *arena = check_arena();
    struct result *result = choices_of(arena, 2, 3);
    result->series[0].high = 0;
    result->series[0].values->data[0] = NAN;
    result->series[0].values->data[1] = -7;
    result->count = 1;
    const struct bundle *bundle = bundle_of(result, 0);
    check(bundle && strstr(bundle->text, "–") && strstr(bundle->json, "\"share\":false"));
    check_text(bundle->json, "\"base64\":\"AADAfwAA4MCrqio+"); /* NaN, -7 */
}

TEST(choices_need_names) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = choices_of(arena, 2, 3);
    result->series[0].names = NULL;
    check(!picture_bundle(arena, NULL, result, NULL, &err));
    check(err.kind == ERR_OPTION);
}

/* The widest letters: no name runs into its number, no head into the next one. */
TEST(choices_end_before_what_stands_beside) {
    struct arena *arena = check_arena();
    struct result *result = choices_of(arena, 3, 2);
    result->series[0].axes[0].labels[0] = "WWWWWWWWWWWWWWWWWW";
    const struct bundle *bundle = bundle_of(result, 0);
    struct err err = { 0 };
    const struct picture_file *svg = picture_file(arena, NULL, result, NULL, PICTURE_SVG, &err);
    check_text(svg->bytes, "WWWW…<");
    check_text(bundle->alt, "Alternatives of each step, Steps: steps 3, of each the first 2; ");
}
