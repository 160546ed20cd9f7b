#ifndef CORE_MODEL_ROPE_H
#define CORE_MODEL_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

/* rope: which angle each pair of a head's numbers is turned by at a position.
 *
 * Plain: position * base^(-2i / width) (Su et al. 2021, arXiv:2104.09864). Scaled so that
 * longer texts can be read than the model was trained on: linear (positions divided), dynamic
 * (base grows with the text), llama3 and yarn (low frequencies divided, high ones kept; Peng et
 * al. 2023, arXiv:2309.00071), as transformers computes them. */
enum rope_kind { ROPE_PLAIN, ROPE_LINEAR, ROPE_DYNAMIC, ROPE_LLAMA3, ROPE_YARN };

struct rope {
    int64_t width; /* how many of a head's numbers are turned; 0: there is no rope */
    int64_t span;  /* what exponents are divided by: width, or one less (a part of a head that
                      is an odd count is turned with one number more); 0: width */
    bool adjacent; /* pairs (2i, 2i + 1), not (i, i + width/2) */
    double base;
    enum rope_kind kind;
    double factor;
    double original;      /* context that the model was trained on */
    double low, high;     /* llama3: frequency factors */
    double fast, slow;    /* yarn: beta_fast, beta_slow */
    double attention;     /* yarn: cosines and sines are multiplied by this */
    bool truncate;        /* yarn: bounds rounded to whole pairs */
    const float *factors; /* [width/2] that frequencies are divided by (GGUF's
                             rope_freqs); NULL: none */
};

/* turns [width/2]: radians that pair i turns from one position to the next, for a text of
 * `tokens` positions in all. */
void rope_turns(const struct rope *rope, int64_t tokens, double *turns);

#endif
