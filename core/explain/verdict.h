#ifndef CORE_EXPLAIN_VERDICT_H
#define CORE_EXPLAIN_VERDICT_H

#include <stdbool.h>

#include "core/base/arena.h"

/* verdict: whether gradients shrink or grow on their way back, through layers or through time.
 *
 * Through a network of n places the norm of a gradient goes about as factor^n (Hochreiter 1991;
 * Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063). The
 * factor is that of a straight line through log10 of the norms, from each place to the one
 * before; the ratio is the line's own, first place to last. Norms below 1.2e-38, which float32
 * rounds coarsely and never lets die away, count as 0; these are left out of the line, and if
 * the first is one of them nothing arrives, whatever the line says. So are norms that are
 * NaN or infinite; where some are, only "exploding" can be told from the others.
 *
 *     layers  vanishing: ratio below 1/1000      exploding: above 1000     from 3 layers on
 *     time    vanishing: factor below 0.8 (after 20 steps 1 % is left)
 *             exploding: factor above 1.25 (after 20 steps 87 times as much)  from 8 steps on
 *
 * Fewer places are too few to tell. */

enum verdict_way { VERDICT_LAYERS, VERDICT_TIME };
enum verdict_kind {
    VERDICT_HEALTHY,
    VERDICT_VANISHING,
    VERDICT_EXPLODING,
    VERDICT_SHORT,   /* too few places */
    VERDICT_NOTHING, /* every norm is 0 */
    VERDICT_BROKEN   /* norms are NaN or infinite */
};

struct verdict {
    enum verdict_way way;
    enum verdict_kind kind;
    const char *where; /* whose norms they are: "layer 0"; NULL: there is one of that kind */
    int64_t places;
    int64_t broken;     /* norms that are NaN or infinite */
    bool faded;         /* some are positive, but less than float32 holds whole */
    double first, last; /* norms at both ends */
    double factor;      /* from one place to the one before */
    double ratio;       /* first to last: factor^(places - 1); 0 if nothing arrives */
    double fit;         /* r^2 of the line */
};

#define VERDICT_RATIO  1000.0
#define VERDICT_SHRINK 0.8
#define VERDICT_GROW   1.25
enum { VERDICT_LEAST_LAYERS = 3, VERDICT_LEAST_STEPS = 8 };

/* Norms from the first layer (or step) to the last. `where` is the caller's to set. */
struct verdict verdict_of(enum verdict_way way, const double *norms, int64_t n);

/* "Vanishing", "exploding" ...: one word; and a sentence with the numbers. */
const char *verdict_word(enum verdict_kind kind, bool zh);
const char *verdict_text(struct arena *arena, const struct verdict *verdict, bool zh);

#endif
