#ifndef CORE_EXPLAIN_ALIKE_H
#define CORE_EXPLAIN_ALIKE_H

#include "core/explain/embedding.h"
#include "core/result/result.h"

/* alike: which vectors lie nearest, by the cosine of the angle between them.
 *
 * The result (kind "bars") has "cosine" [queries, top], the nearest first, with what each is as
 * `names`; unused places of a short list are NaN. */

struct alike_query {
    const char *title;   /* as it was asked */
    const float *vector; /* [C] */
    const char *const
        *inputs;         /* labels that are not to be found again (letters' case does not */
    int64_t input_count; /* count), */
    int64_t self;        /* and this candidate; -1: none */
};

struct alike_request {
    int64_t top;
    const char *what, *what_zh; /* what the candidates are: "words", "词" */
    const char *language;
};

/* ERR_TEXT where no candidate is left for some query. */
struct result *alike(struct arena *arena, const struct alike_query *queries, int64_t n,
                     const struct embedding *among, const struct alike_request *request,
                     struct err *err);

/* "king - man + woman": terms between signs with blanks on both sides. */
struct alike_term {
    const char *bytes;
    size_t length;
    int sign; /* 1 or -1 */
};
struct alike_term *alike_terms(struct arena *arena, const char *text, size_t length,
                               int64_t *count, struct err *err);

/* The sum of the terms' vectors [n, C], each at length 1, by their signs (3CosAdd: Mikolov, Yih
 * and Zweig 2013; Levy and Goldberg 2014). ERR_TEXT where they cancel: zeros point nowhere. */
float *alike_sum(struct arena *arena, const struct embedding *terms,
                 const struct alike_term *signs, struct err *err);

#endif
