#include "core/model/rope.h"

#include <math.h>

void rope_turns(const struct rope *rope, int64_t tokens, double *turns) {
    (void)tokens;
    double span = (double)(rope->span ? rope->span : rope->width);
    for (int64_t i = 0; i < rope->width / 2; i++) {
        turns[i] = pow(rope->base, -2.0 * (double)i / span);
    }
}
