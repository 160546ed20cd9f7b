#ifndef CORE_DRAW_RULER_H
#define CORE_DRAW_RULER_H

#include <stdbool.h>

#include "core/draw/canvas.h"

/* ruler: a numeric axis: which place a value has on a length, and round ticks with labels, as
 * many as the length has room for. Linear ticks are 1, 2, 2.5 or 5 times a power of ten apart;
 * logarithmic ones are powers of ten, with their multiples by 2 and 5 where these are few. */

enum { RULER_TICKS = 24 };

struct ruler {
    double low, high; /* values at the two ends */
    bool log;
    double length; /* CSS pixels */
    int count;
    double ticks[RULER_TICKS];
    const char *labels[RULER_TICKS];
    const char *factor; /* "×10⁻⁷" that all labels are to be multiplied by; "" */
};

/* From low to high, in any order, with ticks at least `apart` pixels from each other; `round`
 * moves the ends outwards to ticks. Equal or unusable ends get room; a logarithmic ruler starts
 * above 0. Labels are in the arena. */
void ruler_init(struct arena *arena, struct ruler *ruler, double low, double high, bool log,
                bool round, double length, double apart);

/* Pixels from the low end; clamped to the length, NaN for NaN, and on a logarithmic ruler 0 for
 * what is not positive. */
double ruler_at(const struct ruler *ruler, double value);

/* Draws it along the bottom (ticks and labels below y) or the left (left of x) of a plot, with
 * hairlines `across` the plot's other length, and its title, "" for none. */
void ruler_bottom(struct canvas *canvas, const struct ruler *ruler, double x, double y,
                  double across, const char *title);
void ruler_left(struct canvas *canvas, const struct ruler *ruler, double x, double y,
                double across, const char *title);

/* What they take below and left of the plot. */
double ruler_bottom_room(const char *title);
double ruler_left_room(struct canvas *probe, const struct ruler *ruler, const char *title);

/* "0.42", "1,234", "3.1×10⁻⁷": a value with about three digits, wherever it lies. */
const char *ruler_number(struct arena *arena, double value);

/* "1,234,567" */
const char *ruler_count(struct arena *arena, int64_t count);

#endif
