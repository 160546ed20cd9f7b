#ifndef CORE_DRAW_CHART_H
#define CORE_DRAW_CHART_H

#include "core/base/jsonwrite.h"
#include "core/draw/figure.h"
#include "core/draw/ruler.h"

/* chart: what the pictures with numeric axes (bars, histogram, lines, scatter) have in common.
 */

/* Text whose part x_share, y_share (0 left or top .. 1) stands at x, y. */
void chart_write(struct canvas *canvas, struct canvas_style style, double x_share,
                 double y_share, double x, double y, const char *text);
struct canvas_style chart_label_style(void); /* of bars, points, ticks */
struct canvas_style chart_title_style(void); /* of one plot of several */

/* What the colours stand for: swatches with words, in lines of `width`. Fewer than two keys
 * take no room. */
struct chart_key {
    uint32_t colour;
    const char *text;
};
double chart_keys_height(struct canvas *probe, const struct chart_key *keys, int64_t n,
                         double width);
void chart_keys(struct canvas *canvas, const struct chart_key *keys, int64_t n, double width,
                double x, double y);

/* The least and the largest finite value; 0, 0 where there is none. */
struct chart_span {
    double low, high;
    int64_t finite;
};
struct chart_span chart_span(const float *values, int64_t n);

/* "probability", or "gradient (nats)": a series' name with its unit. */
const char *chart_measure(struct arena *arena, const char *language, const char *name,
                          const char *unit);

/* Columns that each of `count` titles over a picture may have, so that all together stay below
 * HOVER_BYTES whatever characters they are of. */
int64_t chart_hover_columns(int64_t count);

/* "key": {"encoding": "f32", "shape": [..], "base64": ".."}, row-major, little endian. */
void chart_json_floats(struct jsonwrite *w, struct arena *arena, const char *key,
                       const float *values, int rank, const int64_t *shape);
void chart_json_bytes(struct jsonwrite *w, struct arena *arena, const char *key,
                      const unsigned char *values, int rank, const int64_t *shape);
/* The same as "u16": where a value lies between the ends that the figure tells of, 0 .. 65534;
 * 65535 is no number. */
void chart_json_steps(struct jsonwrite *w, struct arena *arena, const char *key,
                      const uint16_t *values, int rank, const int64_t *shape);
/* "colours": the ramp of values from the least to the largest, in equal steps. */
void chart_json_ramp(struct jsonwrite *w, const struct figure *figure);
/* "key": ["..", ..], figure_brief of them; nothing where texts is NULL. */
void chart_json_texts(struct jsonwrite *w, struct arena *arena, const char *key,
                      const char *const *texts, int64_t n);
/* How many of the first rows, of `each` texts, take at most `room` bytes as they are sent. */
int64_t chart_json_fitting(struct arena *arena, const char *const *texts, int64_t rows,
                           int64_t each, size_t room);

/* The series of that name (NULL: the first) as floats of lowest .. highest rank with at least
 * one value. NULL with ERR_OPTION, which says what `picture` wants. */
const struct series *chart_series(const struct result *result, const char *name, int lowest,
                                  int highest, const char *picture, const char *wanted,
                                  struct err *err);

/* The keys of two that are compared, from the result's notes "this" and "other". */
void chart_pair(struct arena *arena, const struct result *result, const char *language,
                struct chart_key *keys);

/* A table with room for so many rows, of `heads` up to NULL. */
void chart_table(struct figure *figure, int64_t rows, const char *const *heads);

#endif
