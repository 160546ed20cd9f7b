#ifndef TESTS_ANY_RESULT_H
#define TESTS_ANY_RESULT_H

#include "core/result/result.h"

/* any_result: results of every kind that has a picture, made of any texts. */

/* What texts a result is made of: the first is its title, finding, model ...; they repeat as
 * often as is needed. */
struct any_words {
    const char *const *list;
    int64_t count;
};

enum any_kind {
    ANY_HEATMAP,
    ANY_LINES,
    ANY_BARS,
    ANY_HISTOGRAM,
    ANY_SCATTER,
    ANY_TOKENS,
    ANY_CHOICES,
    ANY_TABLE,
    ANY_TRACKS,
    ANY_ARCHITECTURE,
    ANY_HEADGRID,
    ANY_KINDS
};

/* One of `n` tokens, bars, points, rows ... with every text it can
 * have. */
struct result *any_result(struct arena *arena, enum any_kind kind,
                          const struct any_words *words, int64_t n);

#endif
