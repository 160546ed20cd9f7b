#include "core/draw/html.h"

#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/draw/cells.h"
#include "core/draw/figure_drawn.h"
#include "core/draw/picture.h"
#include "core/draw/table.h"
#include "tests/check.h"
#include "tests/hostile.h"
#include "tests/sample.h"

static int count(const char *text, const char *part) {
    int n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) {
        n++;
    }
    return n;
}

TEST(html_escape_leaves_nothing_that_acts) {
    for (int i = 0; i < HOSTILE; i++) {
        struct buf *out = buf_new(check_arena());
        html_escape(out, hostile[i]);
        check(strpbrk(out->data, "<>\"'\r\n\t\x01\x1b") == NULL);
        check(strstr(out->data, "\xe2\x80\xae") == NULL);
        check(strstr(out->data, "\xe2\x80\x8b") == NULL);
        for (const char *at = out->data; (at = strchr(at, '&')); at++) {
            check(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) ||
                  !strncmp(at, "&gt;", 4) || !strncmp(at, "&quot;", 6) ||
                  !strncmp(at, "&#39;", 5));
        }
    }
}

TEST(html_escape_keeps_the_meaning) {
    struct buf *out = buf_new(check_arena());
    html_escape(out, "a<b & \"c\" 'd' 猫 \xe2\x80\xae!");
    check_same(out->data, "a&lt;b &amp; &quot;c&quot; &#39;d&#39; 猫 [U+202E]!");
}

#define MARK "\xe2\x80\x8e" /* from left to right */

/* What stands behind Arabic or Hebrew stays behind it; within their own texts nothing changes.
 */
TEST(html_escape_keeps_values_behind_arabic) {
    static const char *const texts[][2] = {
        { "ت (0.18), <x> (0.12)", "ت" MARK " (0.18), &lt;x&gt; (0.12)" },
        { "ت 18 %", "ت" MARK " 18 %" },
        { "شكرا 18", "شكرا" MARK " 18" },
        { "ر: 0.5 · שלום", "ر" MARK ": 0.5 · שלום" },
        { "في 2024 كان هناك", "في 2024 كان هناك" },
        { "مرحبا", "مرحبا" },
        { "مرحبا ", "مرحبا " },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf *out = buf_new(check_arena());
        html_escape(out, texts[i][0]);
        check_same(out->data, texts[i][1]);
    }
}

/* With every hostile string as a token, as title, finding, caption, model and note, the tags
 * are still ours alone. */
TEST(html_of_hostile_texts_has_our_tags_only) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct picture_options small = { .scale = 0.5 };
    struct result *plain = sample_attention(arena, 0, 0, HOSTILE, sample_english, 16);
    int tags = count(picture_bundle(arena, NULL, plain, &small, &err)->html, "<");
    for (int i = 0; i < HOSTILE; i++) {
        struct result *result = sample_attention(arena, 0, 0, HOSTILE, hostile, HOSTILE);
        result->title = result->model = hostile[i];
        result->finding = result->caption = arena_printf(arena, "seen: %s", hostile[i]);
        result_note(arena, result, hostile[i], hostile[i]);
        struct bundle *bundle = picture_bundle(arena, NULL, result, &small, &err);
        check(bundle != NULL);
        check_int(count(bundle->html, "<"), tags);
        check_int(count(bundle->html, ">"), tags);
        check_int(count(bundle->html, "<script"), 0);
        check(strstr(bundle->html, "\xe2\x80\xae") == NULL);
        check(strchr(bundle->json, '\n') == NULL);
    }
}

TEST(html_uses_what_an_untrusted_notebook_keeps) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = sample_attention(arena, 2, 3, 8, sample_chinese, 8);
    const char *html = picture_bundle(arena, NULL, result, NULL, &err)->html;
    static const char *const never[] = { "<script", "<style",  "<svg",   " id=",      "var(",
                                         "hsl(",    "<iframe", "data-",  " role=",    " aria-",
                                         "http:",   "https:",  "<input", "transform", "rgb(" };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        check_int(count(html, never[i]), 0);
    }
    check(strncmp(html, "<div class=\"mathjax_ignore tex2jax_ignore cutaway-", 50) == 0);
    check_text(html, "<img alt=\"Grid of 2 × 3 heat maps");
    check_text(html, "src=\"data:image/png;base64,iVBORw0KGgo");
    check_text(html, "<details><summary>values</summary><table>");
    check_text(html, "minilm 3f2a91c0 · attention pattern · F32 · 4.1 ms");
    check_text(html, "<p style=\"margin:4px 0\">Each row says where one token looks");
}

/* The transparent grid lies exactly on the cells of the PNG. */
TEST(html_grid_lies_on_the_cells) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct picture_options options = { .scale = 2 };
    struct result *result = sample_attention(arena, 0, 0, 16, sample_english, 16);
    struct figure *figure = picture_find("heatmap")->draw(arena, result, &options, &err);
    struct figure_drawn *drawn = figure_drawn_pixels(arena, figure, 2, &err);
    const char *html = picture_bundle(arena, NULL, result, &options, &err)->html;
    double left, top, width, height;
    const char *grid = strstr(html, "display:grid;");
    check(grid && sscanf(grid,
                         "display:grid;left:%lfpx;top:%lfpx;grid-template-columns:repeat(16,"
                         "%lfpx);grid-auto-rows:%lfpx",
                         &left, &top, &width, &height) == 4);
    check_near(left, drawn->page.x + cells_of(figure)->layout.left, 1e-3);
    check_near(top, drawn->page.y + cells_of(figure)->layout.top, 1e-3);
    check_near(width, cells_of(figure)->layout.cell, 1e-3);
    check_near(height, cells_of(figure)->layout.cell, 1e-3);
    check_int(count(html, "<i title="), 256);
    check_text(html, "<i title=\"[CLS] → the: ");
}

TEST(html_of_many_cells_has_strips_or_panels) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *large = sample_attention(arena, 0, 0, 100, sample_english, 16);
    check_int(count(picture_bundle(arena, NULL, large, NULL, &err)->html, "<i title="), 100);
    struct result *grid = sample_attention(arena, 12, 12, 16, sample_english, 16);
    const char *html = picture_bundle(arena, NULL, grid, NULL, &err)->html;
    check_int(count(html, "<i title="), 144);
    check_text(html, "<i title=\"layer 11 head 11: ");
}

/* Time that grows with the square of the rows would make this take an hour. */
TEST(html_table_of_very_many_rows) {
    static const char *const heads[] = { "n" };
    struct figure_table *rows = table_new(check_arena(), 1, 200000, heads);
    struct catch here;
    for (int64_t r = 0; r < rows->rows; r++) {
        table_set(rows, r, 0, "17");
    }
    check_text(html_table(check_arena(), "f", rows, ""), "right");
    stop_request();
    if (setjmp(catch_set(&here)->place) == 0) {
        html_table(check_arena(), "f", rows, "");
        check(!"an interrupt went unseen");
    }
    catch_end(&here);
    stop_clear();
    check_int(here.err.kind, ERR_STOP);
}
