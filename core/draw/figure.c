#include "core/draw/figure.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/result/result_id.h"

static void add_code(struct buf *out, uint32_t code) {
    char bytes[4];
    buf_add(out, bytes, (size_t)utf8_encode(bytes, code));
}

/* One character of foreign text; `edge`: a blank here would not be seen. */
static void add_visible(struct buf *out, uint32_t code, bool edge) {
    if (code == ' ' && edge) {
        buf_text(out, "·");
    } else if (code == '\n' || code == '\r') {
        buf_text(out, "↵");
    } else if (code == '\t') {
        buf_text(out, "⇥");
    } else if (code < 0x20 || code == 0x7f) {
        add_code(out, code == 0x7f ? 0x2421 : 0x2400 + code);
    } else if (utf8_is_hidden(code)) {
        buf_printf(out, "[U+%04X]", code);
    } else {
        add_code(out, code);
    }
}

static bool is_emoji(uint32_t code) {
    return (code >= 0x2600 && code <= 0x27bf) || (code >= 0x1f000 && code <= 0x1faff);
}

/* Whether `code`, at the end of what was read, joins two emoji to one that people know. */
static bool joins_emoji(uint32_t before, uint32_t code, const char *rest, size_t length) {
    uint32_t next = 0;
    return code == 0x200d && (is_emoji(before) || before == 0xfe0f) &&
           utf8_decode(rest, length, &next) > 0 && is_emoji(next);
}

enum { LONGEST = 1 << 16 /* bytes of a text; beyond, nobody reads it */ };

static const char *visible(struct arena *arena, const char *text, bool edges) {
    struct buf *out = buf_new(arena);
    size_t length = strlen(text), first = strspn(text, " "), last = length;
    while (last > 0 && text[last - 1] == ' ') {
        last--;
    }
    for (size_t i = 0, before = 0; i < length;) {
        if (i >= LONGEST) {
            buf_text(out, "…");
            break;
        }
        uint32_t code = 0;
        int n = utf8_decode(text + i, length - i, &code);
        if (n > 0 &&
            joins_emoji((uint32_t)before, code, text + i + n, length - i - (size_t)n)) {
            add_code(out, code);
        } else if (n > 0) {
            add_visible(out, code, edges && (i < first || i >= last));
        } else {
            buf_printf(out, "\\x%02X", (unsigned char)text[i]);
        }
        i += n > 0 ? (size_t)n : 1;
        before = code;
    }
    return out->data;
}

/* A sentence that nobody would read is cut. */
static const char *sentence(struct arena *arena, const char *text, int64_t columns) {
    return figure_short(arena, figure_sentence(arena, text), columns);
}

struct figure *figure_new(struct arena *arena, const struct result *result,
                          const struct picture_options *options) {
    enum { LINES = 300, PAGE = 4000 }; /* columns of what stands in the picture, and beside */
    struct figure *figure = arena_alloc(arena, sizeof *figure);
    struct result timeless = *result;
    timeless.seconds = 0;
    *figure = (struct figure){
        .arena = arena,
        .language = options->language ? options->language : "en",
        .dark = options->theme && strcmp(options->theme, "dark") == 0,
        .colours = (enum colour_map)colour_map_find(options->colours),
        .title = sentence(arena, result->title, LINES),
        .note = "",
        .finding = sentence(arena, result->finding, PAGE),
        .caption = sentence(arena, result->caption, PAGE),
        .provenance = sentence(arena, result_provenance(arena, &timeless), LINES),
        .time = result_duration(arena, result->seconds),
        .result = result_id(arena, result),
    };
    figure->alt = figure->finding;
    return figure;
}

bool figure_is_chinese(const struct figure *figure) {
    return strncmp(figure->language, "zh", 2) == 0;
}

const char *figure_visible(struct arena *arena, const char *text) {
    stop_check(); /* all names of rows and columns come by */
    return *text ? visible(arena, text, true) : "∅";
}

const char *figure_sentence(struct arena *arena, const char *text) {
    return visible(arena, text ? text : "", false);
}

const char *figure_short(struct arena *arena, const char *text, int64_t columns) {
    size_t length = strlen(text), end = 0, most = 8 * (size_t)columns;
    stop_check(); /* all that is written down in rows comes by */
    if (length <= most && utf8_columns(text, length) <= columns) {
        return text;
    }
    for (int64_t used = 0; end < length;) {
        size_t n = utf8_offset(text + end, length - end, 1);
        used += utf8_columns(text + end, n);
        if (used > columns - 1 || end + n > most) {
            break;
        }
        end += n;
    }
    return arena_printf(arena, "%.*s…", (int)end, text);
}

/* Letters, digits and _, with two dots at least. */
static bool is_name(const char *text) {
    int64_t dots = 0;
    for (; *text == '.' || *text == '_' || isalnum((unsigned char)*text); text++) {
        dots += *text == '.';
    }
    return *text == '\0' && dots >= 2;
}

const char *figure_short_name(struct arena *arena, const char *text, int64_t columns) {
    int64_t length = (int64_t)strlen(text), most = 2 * columns, end = (most - 1) / 2;
    if (!is_name(text) || length <= most) {
        return is_name(text) ? text : figure_short(arena, text, columns);
    }
    return arena_printf(arena, "%.*s…%s", (int)(most - 1 - end), text, text + length - end);
}

const char *figure_brief(struct arena *arena, const char *text, int64_t count) {
    enum { ALL = 100000, LEAST = 20, MOST = 400 };
    int64_t each = ALL / (count > 0 ? count : 1);
    return figure_short(arena, text, each < LEAST ? LEAST : each > MOST ? MOST : each);
}

const char *figure_label(struct arena *arena, const struct figure_axis *axis, int64_t i) {
    return axis->labels ? figure_visible(arena, axis->labels[i])
                        : arena_printf(arena, "%lld", (long long)i);
}

const char *figure_place(struct arena *arena, const struct figure_axis *axis, int64_t i) {
    if (axis->block == 1) {
        return figure_label(arena, axis, i);
    }
    int64_t first = i * axis->block, last = first + axis->block - 1;
    last = last < axis->source ? last : axis->source - 1;
    return arena_printf(arena, "%lld–%lld", (long long)first, (long long)last);
}

const char *figure_number(struct arena *arena, double value, double range) {
    if (!isfinite(value)) {
        return isnan(value) ? "–" : value > 0 ? "∞" : "−∞";
    }
    /* About three digits: 0.42 of 1, 4.2 of 10, 42 of 100; from 0.5 to 1 two decimals do. */
    double ten = range > 0 ? log10(range < 1 ? 2 * range : range) : 0;
    int decimals = 2 - (int)floor(ten + 1e-9);
    decimals = decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
    char *text = arena_printf(arena, "%.*f", decimals, value);
    return strspn(text, "-0.") == strlen(text) && *text == '-' ? text + 1 : text; /* no -0.00 */
}
