#ifndef CORE_MODEL_NEED_H
#define CORE_MODEL_NEED_H

#include "core/model/model.h"

/* need: what a pass holds in memory, found by arithmetic before anything is computed.
 *
 * Every kept site has its shape (core/model/model.h); the scratch of one block is about
 * 10 C + 2 F floats a token; recorded passes say what they remember. Weights are mapped, but a
 * pass reads them all: where they do not fit beside the rest, it would wait for the disk at
 * every block. */

struct need {
    double kept, scratch, recorded, weights; /* bytes */
};

struct need need_of(const struct model *model, const struct pass *pass, double recorded);

/* Refuses (ERR_MEMORY, with need and have) what would not fit into what is left of the arenas'
 * budget, or into the memory that is free now. */
int need_check(const struct model *model, const struct pass *pass, double recorded,
               struct err *err);

#endif
