#ifndef CORE_RESULT_COLUMN_H
#define CORE_RESULT_COLUMN_H

#include "core/result/result.h"

/* column: filling results whose series all stand along one axis, like the columns of a table.
 */

/* Makes series `index` a column of `axis`, its numbers all 0. They are returned, [count]. */
float *column_new(struct arena *arena, struct result *result, int64_t index, const char *name,
                  const char *unit, const struct axis *axis);

/* The same with room for a name of every value ([count], all ""). */
const char **column_named(struct arena *arena, struct result *result, int64_t index,
                          const char *name, const struct axis *axis);

/* What stands at `row`: its name, or the number; "" where there is no such series. */
const char *column_text(struct arena *arena, const struct result *result, const char *name,
                        int64_t row);

/* "30522", "0.4213", "–" for NaN: a number as tables show it. */
const char *column_number(struct arena *arena, double value);

/* "384 × 1536" */
const char *column_shape(struct arena *arena, const struct tensor *tensor);

/* "22,713,216" */
const char *column_whole(struct arena *arena, int64_t n);

#endif
