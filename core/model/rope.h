#ifndef CORE_MODEL_ROPE_H
#define CORE_MODEL_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* rope: which angle each pair of a head's numbers is turned by at a position.
 *
 * Plain: position * base^(-2i / width) (Su et al. 2021, arXiv:2104.09864). Scaled so that
 * longer texts can be read than the model was trained on, as transformers' modeling_rope_utils
 * computes it (5.23):
 *
 *     linear    frequencies divided by the factor
 *     dynamic   base * (factor tokens / original - (factor - 1))^(width / (width - 2)) for a
 *               text of more tokens than `original`
 *     llama3    waves longer than original / low divided by the factor, those shorter than
 *               original / high kept, between them mixed
 *     yarn      pairs that turn less than `slow` times within `original` divided by the factor,
 *               those that turn more than `fast` times kept, between them mixed; cosines and
 *               sines multiplied by `attention` (Peng et al. 2023, arXiv:2309.00071)
 *     long      each frequency divided by its own number: one list for texts up to `original`
 *               tokens, another for longer ones (Ding et al. 2024, arXiv:2402.13753) */
enum rope_kind { ROPE_PLAIN, ROPE_LINEAR, ROPE_DYNAMIC, ROPE_LLAMA3, ROPE_YARN, ROPE_LONG };

struct rope {
    int64_t width; /* how many of a head's numbers are turned; 0: there is no rope */
    int64_t span;  /* what exponents are divided by: width, or one less (a part of a head that
                      is an odd count is turned with one number more); 0: width */
    bool adjacent; /* pairs (2i, 2i + 1), not (i, i + width/2) */
    bool by_layer; /* config.json has one for each kind of layers: this one is none of them */
    double base;
    enum rope_kind kind;
    double factor;
    double original;      /* context that the model was trained on */
    double low, high;     /* llama3: frequency factors */
    double fast, slow;    /* yarn: beta_fast, beta_slow */
    double attention;     /* cosines and sines are multiplied by this; 0: 1 */
    bool truncate;        /* yarn: bounds rounded to whole pairs */
    const float *factors; /* [width/2] that frequencies are divided by (GGUF's rope_freqs,
                             long's list for short texts); NULL: none */
    const float *longer;  /* long: the list for longer texts */
};

struct config;

/* Which of a configuration's ropes. */
struct rope_place {
    const char *type; /* its object within rope_parameters ("full_attention"); NULL: there is
                         one rope for all layers */
    const char *base; /* the base's name beside these objects: "rope_theta" */
    bool scaled;      /* rope_scaling, of files older than rope_parameters, speaks of it */
    double usual;     /* the base if the file says none */
};

/* Reads a rope as config.json or GGUF's metadata describe it. Its width is that of the heads,
 * or the part of them that the file says (partial_rotary_factor, rope.dimension_count). A kind
 * that is not known, or lacks one of its numbers, is refused by name. */
int rope_read(const struct config *config, const struct rope_place *place, struct rope *rope,
              struct err *err);

/* The longest text, in tokens, that a rope is made for in a model of that context: dynamic and
 * yarn are added to a model as it was trained, the others come with a context made longer. */
int64_t rope_context(const struct rope *rope, int64_t context);

/* Whether frequencies depend on how long the whole text is: what was computed for the beginning
 * of a text is then not what a longer text has there. */
bool rope_stretches(const struct rope *rope);

/* turns [width/2]: radians that pair i turns from one position to the next, for a text of
 * `tokens` positions in all. */
void rope_turns(const struct rope *rope, int64_t tokens, double *turns);

#endif
