#ifndef CORE_RESULT_RESULT_ID_H
#define CORE_RESULT_RESULT_ID_H

#include "core/result/result.h"

/* result_id: a number by which a figure can ask for the result behind it: 16 hex digits, the
 * beginning of a SHA-256 over title, text, provenance without the time, the series' names and
 * shapes, and at most 4,096 of their values, taken in even steps. The same cell run again gives
 * the same number. In the arena. Cost: some tens of microseconds, however large the result. */

enum { RESULT_ID_VALUES = 4096 };

const char *result_id(struct arena *arena, const struct result *result);

#endif
