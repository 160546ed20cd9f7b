#ifndef TESTS_CHART_SAMPLE_H
#define TESTS_CHART_SAMPLE_H

#include "core/draw/picture.h"
#include "core/result/result.h"

/* chart_sample: results to draw and what comes of them, for the tests of pictures. */

/* A result of that kind with room for some series. */
struct result *chart_sample(struct arena *arena, const char *kind, int64_t series);

/* Fills a series: [n], or [rows, n] where rows > 0. Values may be NULL: zeros. */
struct series *chart_sample_series(struct arena *arena, struct result *result, int64_t i,
                                   const char *name, int64_t rows, int64_t n,
                                   const float *values);

/* Draws it; a failure fails the test and says why. */
struct bundle *chart_sample_draw(struct arena *arena, const struct result *result,
                                 const char *language);

/* The sentence with which it is refused; fails the test where it is not. */
const char *chart_sample_refused(struct arena *arena, const struct result *result);

/* How often a text occurs in another. */
int64_t chart_sample_count(const char *text, const char *part);

#endif
