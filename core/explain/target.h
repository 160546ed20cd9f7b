#ifndef CORE_EXPLAIN_TARGET_H
#define CORE_EXPLAIN_TARGET_H

#include "core/model/model.h"

/* target: how what a user writes becomes the token or class that is asked about.
 *
 *     auto         the most probable one
 *     #262         the token or class of that number
 *     Paris        a token; in most vocabularies there are two, with the blank before the word
 *                  and without: of these the one that the model finds more probable. Written
 *                  with a blank (" Paris" or "␣Paris"), only that one
 *     LABEL_1      of a classifier: a class's name, whatever its capitals
 *
 * A text of several tokens stands for its first, and target_note says so. */

enum { TARGET_MOST = 4 };

struct target {
    int64_t count; /* tokens it may mean; 0: the most probable of all */
    int32_t ids[TARGET_MOST];
    int64_t pieces;    /* tokens that the text takes; 1 but where only the first is meant */
    const char *typed; /* borrowed */
};

/* ERR_OPTION: no such class (the nearest, or all), no such token, nothing written. */
int target_find(struct arena *arena, const struct model *model, const char *typed,
                struct target *target, struct err *err);

/* The token or class among `n` logits. */
int64_t target_choose(const struct target *target, const float *logits, int64_t n);

/* How a person should see it: "␣Paris", "LABEL_1". */
const char *target_label(struct arena *arena, const struct model *model, int64_t id);

/* What the user should know about how the text was understood; "" if there is nothing. */
const char *target_note(struct arena *arena, const struct model *model,
                        const struct target *target, int64_t id, bool zh);

#endif
