#ifndef CORE_MODEL_RECORDING_H
#define CORE_MODEL_RECORDING_H

#include "core/model/model.h"

/* recording: what a recorded run leaves for model_backward; between pass.c, which makes it,
 * visit.c, which fills it, and backward.c, which uses it. */

/* A value that was visited while the tape recorded. */
struct passed {
    struct tensor value; /* its bytes are what its gradient is known by */
    bool seen;
    bool inside; /* of a block that is run again: only then there to be wanted */
};

struct recording {
    struct arena **scratch; /* emptied when the run is forgotten */
    struct pass *pass;      /* its own copy, for blocks that run again */
    struct passed *passed[SITE_COUNT];
    const struct backward *ask; /* while going backward: visits are repeats */
    bool within;                /* something is asked of values inside */
};

#endif
