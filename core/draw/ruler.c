#include "core/draw/ruler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/draw/colour.h"
#include "core/draw/page.h"

enum { LABEL = 10, GAP = 5, TITLE = 16 };

static const double round_steps[] = { 1, 2, 2.5, 5, 10 };

/* ---- numbers ---- */

/* 7 as "⁷": what stands above. */
static void add_raised(struct buf *out, int number) {
    static const char *const digits[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    for (const char *c = text; *c; c++) {
        buf_text(out, *c == '-' ? "⁻" : digits[*c - '0']);
    }
}

static const char *power(struct arena *arena, const char *before, int exponent) {
    struct buf *out = buf_new(arena);
    buf_text(out, before);
    buf_text(out, "10");
    add_raised(out, exponent);
    return out->data;
}

const char *ruler_count(struct arena *arena, int64_t count) {
    char digits[32];
    struct buf *out = buf_new(arena);
    int n = snprintf(digits, sizeof digits, "%lld", (long long)(count < 0 ? -count : count));
    buf_text(out, count < 0 ? "-" : "");
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            buf_char(out, ',');
        }
        buf_char(out, digits[i]);
    }
    return out->data;
}

const char *ruler_number(struct arena *arena, double value) {
    if (!isfinite(value)) {
        return isnan(value) ? "NaN" : value > 0 ? "∞" : "-∞";
    }
    double size = fabs(value);
    if (value == 0) {
        return "0";
    }
    if (size >= 999.5 && size < 999999.5) {
        return ruler_count(arena, (int64_t)llround(value));
    }
    if (size >= 1e-3 && size < 999.5) {
        return arena_printf(arena, "%.3g", value);
    }
    char text[32];
    snprintf(text, sizeof text, "%.1e", value);
    int exponent = 0;
    sscanf(strchr(text, 'e') + 1, "%d", &exponent);
    *strchr(text, 'e') = '\0';
    char *tail = strstr(text, ".0");
    if (tail) {
        *tail = '\0';
    }
    const char *before = strcmp(text, "1") == 0    ? ""
                         : strcmp(text, "-1") == 0 ? "-"
                                                   : arena_printf(arena, "%s×", text);
    return power(arena, before, exponent);
}

/* ---- ticks ---- */

static void add_tick(struct ruler *ruler, double value, const char *label) {
    if (ruler->count < RULER_TICKS) {
        ruler->ticks[ruler->count] = value;
        ruler->labels[ruler->count++] = label;
    }
}

static double step_for(double range, double most) {
    double ten = pow(10, floor(log10(range / most)));
    for (int i = 0; i < 5; i++) {
        if (range / (round_steps[i] * ten) <= most * (1 + 1e-9)) {
            return round_steps[i] * ten;
        }
    }
    return 10 * ten;
}

/* All labels have the same number of decimals, and a common factor where they would be long. */
static void label_linear(struct arena *arena, struct ruler *ruler, double step) {
    double far = fmax(fabs(ruler->low), fabs(ruler->high));
    int exponent = (int)floor(log10(far) + 1e-9);
    int lift = exponent >= 6 || exponent <= -4 ? exponent : 0;
    double unit = step / pow(10, lift);
    int decimals = 0;
    while (decimals < 9 &&
           fabs(unit * pow(10, decimals) - round(unit * pow(10, decimals))) > 1e-6) {
        decimals++;
    }
    ruler->factor = lift ? power(arena, "×", lift) : "";
    for (int i = 0; i < ruler->count; i++) {
        double value = ruler->ticks[i] / pow(10, lift);
        bool whole = decimals == 0 && lift == 0;
        ruler->labels[i] = whole ? ruler_count(arena, (int64_t)llround(value))
                                 : arena_printf(arena, "%.*f", decimals, value + 0.0);
    }
}

static void ticks_linear(struct arena *arena, struct ruler *ruler, bool round, double most) {
    double step = step_for(ruler->high - ruler->low, most);
    if (round) {
        ruler->low = floor(ruler->low / step + 1e-9) * step;
        ruler->high = ceil(ruler->high / step - 1e-9) * step;
    }
    for (double k = ceil(ruler->low / step - 1e-9);
         k * step <= ruler->high + step * 1e-6 && ruler->count < RULER_TICKS; k++) {
        add_tick(ruler, k * step, "");
    }
    label_linear(arena, ruler, step);
}

/* 0.01, 1, 1,000; 10⁻⁸ where some would be long. */
static const char *label_log(struct arena *arena, int digit, int exponent, bool plain) {
    if (plain) {
        double value = digit * pow(10, exponent);
        return value >= 1000 ? ruler_count(arena, (int64_t)llround(value))
                             : arena_printf(arena, "%g", value);
    }
    return power(arena, digit > 1 ? arena_printf(arena, "%d×", digit) : "", exponent);
}

static void ticks_log(struct arena *arena, struct ruler *ruler, bool round, double most) {
    static const int digits[] = { 1, 2, 5 };
    if (round) {
        ruler->low = pow(10, floor(log10(ruler->low) + 1e-9));
        ruler->high = pow(10, ceil(log10(ruler->high) - 1e-9));
    }
    int first = (int)floor(log10(ruler->low) + 1e-9);
    int last = (int)ceil(log10(ruler->high) - 1e-9);
    bool plain = first >= -3 && last <= 6, fine = 3 * (last - first) <= most;
    int every = (int)fmax(1, step_for(last - first, fmax(1, most)));
    for (int e = first; e <= last; e++) {
        for (int i = 0; i < (fine ? 3 : 1); i++) {
            double value = digits[i] * pow(10, e);
            bool inside = value >= ruler->low * (1 - 1e-9) && value <= ruler->high * (1 + 1e-9);
            if (inside && (fine || e % every == 0)) {
                add_tick(ruler, value, label_log(arena, digits[i], e, plain));
            }
        }
    }
}

/* Ends that can be used. */
static void settle(struct ruler *ruler, double low, double high) {
    low = isfinite(low) ? low : isfinite(high) ? high : 0;
    high = isfinite(high) ? high : low;
    if (low > high) {
        double swap = low;
        low = high;
        high = swap;
    }
    if (ruler->log) {
        high = high > 0 ? high : 1;
        low = low > 0 ? low : fmin(high, 1) / 10;
        if (low > high / 1.01) {
            low /= 2;
            high *= 2;
        }
    } else if (high - low <= fmax(fabs(low), fabs(high)) * 1e-12) {
        double room = low == 0 ? 1 : fabs(low) / 2;
        low -= room;
        high += room;
    }
    ruler->low = low;
    ruler->high = high;
}

void ruler_init(struct arena *arena, struct ruler *ruler, double low, double high, bool log,
                bool round, double length, double apart) {
    *ruler = (struct ruler){ .log = log, .length = length, .factor = "" };
    settle(ruler, low, high);
    double most = fmin(fmax(2, floor(length / apart)), RULER_TICKS - 2);
    if (log) {
        ticks_log(arena, ruler, round, most);
    }
    if (ruler->count < 2) { /* too small a part of a decade: its plain numbers */
        ruler->count = 0;
        ticks_linear(arena, ruler, round && !log, most);
    }
}

double ruler_at(const struct ruler *ruler, double value) {
    double share = (value - ruler->low) / (ruler->high - ruler->low);
    if (ruler->log) {
        share = value > 0 ? log(value / ruler->low) / log(ruler->high / ruler->low) : 0;
    }
    if (isnan(value)) {
        return (double)NAN;
    }
    return ruler->length * (share < 0 ? 0 : share > 1 ? 1 : share);
}

/* ---- drawing ---- */

static void write_at(struct canvas *canvas, struct canvas_style style, double x_share,
                     double y_share, double x, double y, const char *text) {
    style.x = x_share;
    style.y = y_share;
    canvas_write(canvas, &style, x, y, text);
}

static const struct canvas_style label_style = { .size = LABEL, .colour = COLOUR_INK };

static const char *full_title(struct canvas *canvas, const struct ruler *ruler,
                              const char *title) {
    return *ruler->factor
               ? arena_printf(canvas->arena, "%s%s%s", title, *title ? "  " : "", ruler->factor)
               : title;
}

void ruler_bottom(struct canvas *canvas, const struct ruler *ruler, double x, double y,
                  double across, const char *title) {
    double line = canvas_hairline(canvas);
    for (int i = 0; i < ruler->count; i++) {
        double at = x + ruler_at(ruler, ruler->ticks[i]);
        canvas_rect(canvas, at - line / 2, y - across, line, across, COLOUR_GRID);
        canvas_rect(canvas, at - line / 2, y, line, 4, COLOUR_QUIET);
        write_at(canvas, label_style, 0.5, 0, at, y + GAP, ruler->labels[i]);
    }
    write_at(canvas, page_axis_style(), 0.5, 0, x + ruler->length / 2, y + GAP + TITLE - 1,
             full_title(canvas, ruler, title));
}

void ruler_left(struct canvas *canvas, const struct ruler *ruler, double x, double y,
                double across, const char *title) {
    double line = canvas_hairline(canvas);
    for (int i = 0; i < ruler->count; i++) {
        double at = y + ruler->length - ruler_at(ruler, ruler->ticks[i]);
        canvas_rect(canvas, x, at - line / 2, across, line, COLOUR_GRID);
        canvas_rect(canvas, x - 4, at - line / 2, 4, line, COLOUR_QUIET);
        write_at(canvas, label_style, 1, 0.5, x - GAP - 2, at, ruler->labels[i]);
    }
    struct canvas_style style = page_axis_style();
    style.angle = 90;
    write_at(canvas, style, 0.5, 0, x - ruler_left_room(canvas, ruler, title),
             y + ruler->length / 2, full_title(canvas, ruler, title));
}

double ruler_bottom_room(const char *title) {
    return GAP + LABEL * 1.4 + (*title ? TITLE : 0);
}

double ruler_left_room(struct canvas *probe, const struct ruler *ruler, const char *title) {
    double widest = 0;
    for (int i = 0; i < ruler->count; i++) {
        widest = fmax(widest, canvas_measure(probe, &label_style, ruler->labels[i]).width);
    }
    return widest + GAP + 2 + (*full_title(probe, ruler, title) ? TITLE + 2 : 0);
}
