#include <math.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

struct op_rope_angles *op_rope_angles(struct tape *tape, int64_t tokens, int64_t width,
                                      double base, bool adjacent) {
    struct op_rope_angles *angles = arena_alloc(tape->arena, sizeof *angles);
    int64_t half = width / 2;
    *angles = (struct op_rope_angles){ .tokens = tokens, .width = width, .adjacent = adjacent };
    angles->cosines = arena_array(tape->arena, tokens * half, sizeof(float));
    angles->sines = arena_array(tape->arena, tokens * half, sizeof(float));
    for (int64_t i = 0; i < half; i++) {
        double turn = pow(base, -2.0 * (double)i / (double)width);
        for (int64_t t = 0; t < tokens; t++) {
            angles->cosines[t * half + i] = (float)cos((double)t * turn);
            angles->sines[t * half + i] = (float)sin((double)t * turn);
        }
    }
    return angles;
}

struct job {
    const struct op_rope_angles *angles;
    float *x;
    int64_t heads;
};

static void head_turn(float *x, const float *cosines, const float *sines, int64_t half,
                      bool adjacent) {
    int64_t step = adjacent ? 2 : 1, apart = adjacent ? 1 : half;
    for (int64_t i = 0; i < half; i++) {
        float a = x[i * step], b = x[i * step + apart];
        x[i * step] = a * cosines[i] - b * sines[i];
        x[i * step + apart] = b * cosines[i] + a * sines[i];
    }
}

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct op_rope_angles *angles = job->angles;
    int64_t half = angles->width / 2;
    for (int64_t r = begin; r < end; r++) {
        int64_t at = r % angles->tokens * half;
        for (int64_t h = 0; h < job->heads; h++) {
            head_turn(job->x + (r * job->heads + h) * angles->width, angles->cosines + at,
                      angles->sines + at, half, angles->adjacent);
        }
    }
}

struct tensor *op_rope(struct tape *tape, struct tensor *x,
                       const struct op_rope_angles *angles) {
    (void)tape; /* has nothing to remember: turning back needs the angles alone */
    struct job job = { .angles = angles, .x = x->data, .heads = x->shape[1] / angles->width };
    pool_for(x->shape[0], 16, rows_run, &job);
    return x;
}
