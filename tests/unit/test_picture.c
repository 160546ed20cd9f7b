#include "core/draw/picture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsontree.h"
#include "core/base/pool.h"
#include "core/base/utf8.h"
#include "core/draw/figure_drawn.h"
#include "tests/any_result.h"
#include "tests/check.h"
#include "tests/hostile.h"
#include "tests/xml_read.h"

/* Every picture, of any texts and any numbers: what holds for all of them. */

enum { FORMS_MOST = 1000000 }; /* bytes of one figure in all its forms together */

/* ---- what holds for all ---- */

/* Whether a tag is one of ours with attributes of ours; `at` stands behind "<" and is moved
 * behind ">". */
static bool is_ours(const char **at) {
    static const char *const tags[] = { "div",     "img", "i",     "p",     "details",
                                        "summary", "b",   "table", "thead", "tbody",
                                        "tr",      "th",  "td" };
    static const char *const attributes[] = { " style=\"", " title=\"", " alt=\"",
                                              " class=\"", " width=\"", " src=\"",
                                              " height=\"" };
    const char *p = *at + (**at == '/');
    size_t name = strcspn(p, " >"), known = 0;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        known += strlen(tags[i]) == name && strncmp(p, tags[i], name) == 0;
    }
    for (p += name; known && *p != '>'; p++) {
        size_t length = 0;
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
            length = strncmp(p, attributes[i], strlen(attributes[i])) ? length
                                                                      : strlen(attributes[i]);
        }
        p = length ? strchr(p + length, '"') : NULL;
        known = p != NULL;
        if (!known) {
            return false;
        }
    }
    *at = p + 1;
    return known;
}

static bool has_our_tags_only(const char *html) {
    int64_t open = 0;
    for (const char *at = html; (at = strpbrk(at, "<>"));) {
        if (*at++ == '>') {
            return false; /* outside a tag */
        }
        open += *at == '/' ? -1 : strncmp(at, "img ", 4) == 0 ? 0 : 1;
        if (!is_ours(&at)) {
            return false;
        }
    }
    return open == 0;
}

/* Text that neither moves a terminal's cursor nor turns what stands beside it round. */
static bool is_plain(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int n = utf8_decode(text + i, length - i, &code);
        if (n <= 0 || (code < 0x20 && code != '\n') || utf8_is_hidden(code)) {
            return false;
        }
        i += (size_t)n;
    }
    return true;
}

static struct bundle *examine(const struct result *result, const char *language) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct picture_options options = { .scale = 0.5, .language = language };
    struct bundle *bundle = picture_bundle(arena, NULL, result, &options, &err);
    check_same(err.text, "");
    if (check(bundle)) {
        check(has_our_tags_only(bundle->html));
        check(is_plain(bundle->text));
        check(is_plain(bundle->alt) && strlen(bundle->alt) > 0);
        check(strlen(bundle->text) <= 2048);
        check(strlen(bundle->html) + strlen(bundle->json) + bundle->png_length < FORMS_MOST);
        check(json_parse(arena, bundle->json, strlen(bundle->json), "figure", &err));
        check_same(err.text, "");
    }
    return bundle;
}

TEST(picture_of_hostile_words_has_our_tags_only) {
    struct arena *arena = check_arena();
    for (int first = 0; first < HOSTILE; first++) { /* each is a title of some kinds */
        const char *turned[HOSTILE];
        for (int i = 0; i < HOSTILE; i++) {
            turned[i] = hostile[(first + i) % HOSTILE];
        }
        for (int kind = first % 4; kind < ANY_KINDS; kind += 4) {
            const struct any_words words = { turned, HOSTILE };
            examine(any_result(arena, kind, &words, HOSTILE), first % 8 > 3 ? "zh" : "en");
        }
    }
}

/* Words as long as a file can make them; marks take no column. */
TEST(picture_of_long_words_stays_small) {
    struct arena *arena = check_arena();
    static const char *const parts[] = { "W", "<", "a\xcc\x81\xcc\x81", "\xe2\x80\xae" };
    static const int64_t counts[ANY_KINDS] = { 60,  300,  60,  300, 5000, 3000,
                                               120, 5000, 500, 200, 4 };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct buf *word = buf_new(arena);
        while (word->length < 1000) {
            buf_text(word, parts[i]);
        }
        const char *list[] = { word->data, parts[i] };
        const struct any_words words = { list, 2 };
        for (int kind = 0; kind < ANY_KINDS; kind++) {
            struct bundle *bundle =
                examine(any_result(arena, kind, &words, counts[kind]), i % 2 ? "zh" : "en");
            check(bundle && bundle->width < 4000 && bundle->height < 6000);
        }
    }
}

/* ---- as SVG and PDF ---- */

static struct picture_file *file_of(const struct result *result, enum picture_form form,
                                    const char *theme) {
    struct err err = { 0 };
    const struct picture_options options = { .theme = theme };
    struct picture_file *file = picture_file(check_arena(), NULL, result, &options, form, &err);
    check_same(err.text, "");
    return file;
}

/* Each line of `lines` up to `=` or its end is among the words. */
static bool are_among(const char *lines, const char *words) {
    for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
        const char *name = arena_printf(check_arena(), " %.*s ", (int)strcspn(at, "=\n"), at);
        if (!strstr(words, name)) {
            return false;
        }
    }
    return true;
}

/* Nothing that acts or comes from elsewhere; pictures within it are its own bytes. */
static void check_harmless(const struct xml_read *svg) {
    static const char image[] = "\nxlink:href=data:image/png;base64,";
    static const char image_style[] = "\nstyle=image-rendering:pixelated\n";
    static const char rim_style[] = "\nstyle=user-select:none\n";
    check(are_among(svg->elements, " svg title desc rect path circle text image "));
    check(
        are_among(svg->attributes,
                  " xmlns xmlns:xlink version role width height viewBox font-family xml:space "
                  "xml:lang x y fill shape-rendering d stroke stroke-width stroke-linecap "
                  "stroke-linejoin cx cy r font-size textLength lengthAdjust font-weight "
                  "direction text-anchor aria-hidden transform preserveAspectRatio "
                  "image-rendering style xlink:href "));
    for (const char *at = svg->attributes; (at = strstr(at, "\nxlink:href=")); at++) {
        check(strncmp(at, image, strlen(image)) == 0);
    }
    for (const char *at = svg->attributes; (at = strstr(at, "\nstyle=")); at++) {
        check(strncmp(at, image_style, strlen(image_style)) == 0 ||
              strncmp(at, rim_style, strlen(rim_style)) == 0);
    }
    check(is_plain(svg->texts) && is_plain(svg->title) && is_plain(svg->desc));
}

static const struct xml_read *svg_of(const struct result *result, const char *theme) {
    const struct picture_file *file = file_of(result, PICTURE_SVG, theme);
    const char *why = "not drawn";
    const struct xml_read *svg =
        file ? xml_read(check_arena(), file->bytes, file->length, &why) : NULL;
    check_same(why, "");
    check(file && file->length < 1000000);
    return svg;
}

TEST(picture_as_svg_of_hostile_words_is_harmless) {
    for (int first = 0; first < HOSTILE; first++) {
        const char *turned[HOSTILE];
        for (int i = 0; i < HOSTILE; i++) {
            turned[i] = hostile[(first + i) % HOSTILE];
        }
        for (int kind = first % ANY_KINDS; kind < ANY_KINDS; kind += 5) {
            const struct any_words words = { turned, HOSTILE };
            const struct xml_read *svg = svg_of(any_result(check_arena(), kind, &words, 12),
                                                first % 2 ? "dark" : "light");
            if (check(svg)) {
                check_harmless(svg);
            }
        }
    }
}

static const char *const plain_words[] = { "the", "cat", "sat", "on", "mat" };
static const struct any_words plain = { plain_words, 5 };

/* The same size as in pixels, and the words as text. */
TEST(picture_as_svg_keeps_words_and_layout) {
    for (int kind = 0; kind < ANY_KINDS; kind++) {
        const struct result *result = any_result(check_arena(), kind, &plain, 8);
        const struct bundle *bundle = examine(result, "en");
        const struct xml_read *svg = svg_of(result, NULL);
        if (check(svg && bundle)) {
            check_text(svg->attributes,
                       arena_printf(check_arena(), "viewBox=0 0 %lld %lld\n",
                                    (long long)bundle->width, (long long)bundle->height));
            check_text(svg->texts, "the\n");
            check_text(svg->texts, kind == 9 || kind == 10 ? "the" : "cat\n");
            check_same(svg->desc, bundle->alt);
        }
    }
}

/* One page, the letters with it, the same bytes however many threads there are. */
TEST(picture_as_pdf_is_one_page) {
    int threads = pool_threads();
    for (int kind = 0; kind < ANY_KINDS; kind++) {
        const struct result *result = any_result(check_arena(), kind, &plain, 8);
        const struct picture_file *one = file_of(result, PICTURE_PDF, "dark"), *two;
        pool_set_threads(kind % 8 + 1);
        two = file_of(result, PICTURE_PDF, "dark");
        if (check(one && two)) {
            check(memcmp(one->bytes, "%PDF-1.", 7) == 0);
            check(memmem(one->bytes, one->length, "/Count 1\n", 9) != NULL);
            check(memmem(one->bytes, one->length, "/ToUnicode", 10) != NULL);
            check(one->length < 200000);
            check(one->length == two->length &&
                  memcmp(one->bytes, two->bytes, one->length) == 0);
        }
    }
    pool_set_threads(threads);
}

/* One of 7 by 7 inches has 282 million dots at 2,400 an inch. */
TEST(picture_of_too_many_pixels_is_refused) {
    struct err err = { 0 };
    struct picture_options options = { .scale = 25 };
    const struct result *result = any_result(check_arena(), 0, &plain, 60);
    check(!picture_file(check_arena(), NULL, result, &options, PICTURE_PNG, &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "million");
    check_text(err.text, "at most");
    options.scale = 25.1;
    check(!picture_file(check_arena(), NULL, result, &options, PICTURE_PNG, &err));
    options = (struct picture_options){ .theme = "blue" };
    check(!picture_file(check_arena(), NULL, result, &options, PICTURE_PNG, &err));
    check_text(err.text, "light or dark, not");
    options = (struct picture_options){ .colours = "jet" };
    check(!picture_file(check_arena(), NULL, result, &options, PICTURE_PNG, &err));
    check_text(err.text, "cutaway, viridis or grey");
}

/* Fills all series but those whose numbers are places. */
static void fill(struct result *result, const float *odd, int64_t count) {
    static const char *const places[] = {
        "edges", "span", "span 0", "section", "kind", "copies"
    };
    for (int64_t i = 0; i < result->count; i++) {
        struct series *series = &result->series[i];
        bool keep = false;
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            keep = keep || strcmp(series->name, places[k]) == 0;
        }
        for (int64_t k = 0; !keep && k < tensor_count(series->values); k++) {
            series->values->data[k] = odd[k % count];
        }
    }
}

TEST(picture_of_any_numbers_is_drawn) {
    struct arena *arena = check_arena();
    static const float odd[][4] = { { NAN, NAN, NAN, NAN },
                                    { INFINITY, -INFINITY, NAN, 1 },
                                    { 3e38F, -3e38F, 3e38F, 3e38F },
                                    { 1e-45F, 0, 1e-45F, 0 },
                                    { 7, 7, 7, 7 },
                                    { 0, 0, 0, 0 },
                                    { -1e30F, -1, -1e-30F, -5 } };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        for (int kind = 0; kind < ANY_KINDS; kind++) {
            for (int64_t n = 1; n <= 20; n += 19) {
                struct result *result = any_result(arena, kind, &plain, n);
                fill(result, odd[i], 4);
                result->series[0].log = i % 2;
                result->series[0].is_signed = n > 1 && i % 3 == 0;
                examine(result, "en");
            }
        }
    }
}

TEST(picture_of_very_many_numbers_stays_small) {
    struct arena *arena = check_arena();
    static const int64_t counts[ANY_KINDS] = { 2000,  1500,   5000, 1000, 100000, 50000,
                                               20000, 100000, 3000, 2000, 200 };
    for (int kind = 0; kind < ANY_KINDS; kind++) {
        struct result *result = any_result(arena, kind, &plain, counts[kind]);
        struct buf *text = buf_new(arena);
        while (text->length < 300000) {
            buf_text(text, "the cat sat ");
        }
        result->text = text->data;
        struct bundle *bundle = examine(result, "en");
        check(bundle && bundle->width < 4000 && bundle->height < 6000);
    }
}

/* ---- what hovering tells lies over what is seen ---- */

struct area {
    double left, top, right, bottom; /* CSS pixels */
};

/* Where the box with this in its title lies: by itself, or in a grid. */
static struct area box_of(const char *html, const char *title) {
    struct area area = { 0 };
    double x = 0, y = 0, width = 0, height = 0;
    const char *at = strstr(html, title), *grid = NULL;
    while (at && at > html && strncmp(at, "<i ", 3) != 0) {
        at--;
    }
    if (!check(at && at > html)) {
        return area;
    }
    if (sscanf(at, "<i style=\"position:absolute;left:%lfpx;top:%lfpx;width:%lfpx;height:%lfpx",
               &x, &y, &width, &height) != 4) {
        int columns = 1, place = 0;
        for (const char *next = html; (next = strstr(next, "display:grid;")) && next < at;) {
            grid = next++;
        }
        check(grid && sscanf(grid,
                             "display:grid;left:%lfpx;top:%lfpx;grid-template-columns:repeat("
                             "%d,%lfpx);grid-auto-rows:%lfpx",
                             &x, &y, &columns, &width, &height) == 5);
        for (const char *next = grid; (next = strstr(next, "<i title=")) && next < at; next++) {
            place++;
        }
        x += width * (place % columns);
        y += height * (double)(place / columns);
    }
    return (struct area){ x, y, x + width, y + height };
}

static struct canvas *drawn(const struct result *result) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct picture_options options = { 0 };
    struct figure *figure = picture_find(result->kind)->draw(arena, result, &options, &err);
    return figure_drawn_pixels(arena, figure, 2, &err)->canvas;
}

/* What differs between two drawings of one size. */
static struct area difference(const struct canvas *a, const struct canvas *b) {
    struct area area = { INFINITY, INFINITY, -INFINITY, -INFINITY };
    check_int(a->width, b->width);
    check_int(a->height, b->height);
    for (int64_t i = 0; i < a->width * a->height; i++) {
        double x = (double)(i % a->width) / a->scale, y = (double)(i / a->width) / a->scale;
        if (a->palette[a->pixels[i]] != b->palette[b->pixels[i]]) {
            area.left = fmin(area.left, x);
            area.top = fmin(area.top, y);
            area.right = fmax(area.right, x + 1 / a->scale);
            area.bottom = fmax(area.bottom, y + 1 / a->scale);
        }
    }
    return area;
}

/* Changes one number of a result: all that changes in its picture lies in the box that tells
 * it, and takes most of it where it is a `surface`. */
static void check_over(struct result *result, int64_t i, float value, const char *title,
                       bool surface) {
    struct err err = { 0 };
    const struct picture_options options = { 0 };
    struct bundle *bundle = picture_bundle(check_arena(), NULL, result, &options, &err);
    struct area box = box_of(bundle->html, title);
    struct canvas *before = drawn(result);
    result->series[0].values->data[i] = value;
    struct area seen = difference(before, drawn(result));
    bool inside = seen.left >= box.left - 0.75 && seen.right <= box.right + 0.75 &&
                  seen.top >= box.top - 0.75 && seen.bottom <= box.bottom + 0.75;
    bool filled = seen.right - seen.left > 0.8 * (box.right - box.left) - 2 &&
                  seen.bottom - seen.top > 0.8 * (box.bottom - box.top) - 4;
    if (!check(seen.left < seen.right && inside && (filled || !surface))) {
        fprintf(stderr, "  %s: %g..%g x %g..%g outside %g..%g x %g..%g\n", result->kind,
                seen.left, seen.right, seen.top, seen.bottom, box.left, box.right, box.top,
                box.bottom);
    }
}

static const struct any_words letters = {
    (const char *const[]){ "aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "jj" }, 10
};

TEST(picture_hovers_over_what_it_tells) {
    struct arena *arena = check_arena();
    struct result *map = any_result(arena, ANY_HEATMAP, &letters, 10);
    check_over(map, 34, 0.5F, "\"dd → ee: ", true);
    struct result *large = any_result(arena, ANY_HEATMAP, &plain, 70); /* a strip a row */
    large->series[0].axes[0].labels[33] = "here";
    check_over(large, 33 * 70 + 5, 0.5F, "\"here → ", false);
    struct result *bars = any_result(arena, ANY_BARS, &letters, 10);
    bars->series[0].names[14] = "here";
    check_over(bars, 14, 0.25F, "\"here: ", false);
    struct result *counts = any_result(arena, ANY_HISTOGRAM, &letters, 2);
    for (int64_t i = 0; i < 80; i++) {
        counts->series[0].values->data[i] = 100;
    }
    counts->series[0].values->data[7] = 50;
    check_over(counts, 7, 5, "\"7 … 8: 50", false);
    struct result *line = any_result(arena, ANY_LINES, &letters, 10);
    line->series[0].values->shape[0] = 1; /* the first line alone */
    line->series[0].axes[0].count = 1;
    line->series[0].axes[0].labels = NULL; /* no name, which would move with the end */
    line->series[0].values->data[2] = 0.9F;
    line->series[0].values->data[8] = NAN; /* so that the last point is a dot by itself */
    check_over(line, 9, 0.5F, "\"jj: ", false);
    struct result *points = any_result(arena, ANY_SCATTER, &letters, 10);
    points->series[0].axes[0].labels = NULL;
    points->series[0].values->data[0] = -1;
    points->series[0].values->data[19] = 2;
    check_over(points, 8, points->series[0].values->data[8] + 0.001F, "\"4: ", false);
    struct result *text = any_result(arena, ANY_TOKENS, &letters, 10);
    check_over(text, 6, 0.1F, "\"gg: ", false);
    struct result *steps = any_result(arena, ANY_CHOICES, &letters, 7);
    steps->series[0].names[3 * 12 + 5] = "here";
    check_over(steps, 3 * 12 + 5, 0.9F, "\"4: here ", true);
}

static int64_t pixels_of(const struct result *result, uint32_t rgb) {
    const struct canvas *canvas = drawn(result);
    int64_t n = 0;
    for (int64_t i = 0; i < canvas->width * canvas->height; i++) {
        n += canvas->palette[canvas->pixels[i]] == rgb;
    }
    return n;
}

/* What is infinite has no length that could be drawn. */
TEST(picture_of_infinite_bars_has_none) {
    struct arena *arena = check_arena();
    struct result *result = any_result(arena, ANY_BARS, &letters, 3);
    result->count = 1;
    fill(result, (const float[]){ INFINITY, -INFINITY, NAN }, 3);
    check_int(pixels_of(result, 0x0068a8), 0);
    result->series[0].values->data[0] = 1;
    check(pixels_of(result, 0x0068a8) > 1000);
}

/* All values the same, so that the bins have no width: their counts are seen. */
TEST(picture_of_bins_without_width_shows_their_counts) {
    struct arena *arena = check_arena();
    struct result *result = any_result(arena, ANY_HISTOGRAM, &letters, 1);
    result->count = 2;
    fill(result, (const float[]){ 9 }, 1);
    for (int i = 0; i < 41; i++) {
        result->series[1].values->data[i] = 5;
    }
    check(pixels_of(result, 0x0068a8) > 100);
}
