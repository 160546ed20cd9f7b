#include <math.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

struct op_rope_angles *op_rope_angles(struct tape *tape, int64_t first, int64_t tokens,
                                      int64_t width, const double *turns, double scale,
                                      bool adjacent) {
    struct op_rope_angles *angles = arena_alloc(tape->arena, sizeof *angles);
    int64_t half = width / 2;
    *angles = (struct op_rope_angles){ .tokens = tokens, .width = width, .adjacent = adjacent };
    angles->cosines = arena_array(tape->arena, tokens * half, sizeof(float));
    angles->sines = arena_array(tape->arena, tokens * half, sizeof(float));
    for (int64_t t = 0; t < tokens; t++) {
        for (int64_t i = 0; i < half; i++) {
            double angle = (double)(first + t) * turns[i];
            angles->cosines[t * half + i] = (float)(cos(angle) * scale);
            angles->sines[t * half + i] = (float)(sin(angle) * scale);
        }
    }
    return angles;
}

/* Turned by the angles, or back by them (`sign` -1), keeping the scale in both. */
struct job {
    const struct op_rope_angles *angles;
    float *x; /* the first head of the first row */
    int64_t stride, heads, apart;
    float sign;
};

static void head_turn(float *x, const float *cosines, const float *sines, float sign,
                      int64_t half, bool adjacent) {
    int64_t step = adjacent ? 2 : 1, apart = adjacent ? 1 : half;
    for (int64_t i = 0; i < half; i++) {
        float a = x[i * step], b = x[i * step + apart], sine = sign * sines[i];
        x[i * step] = a * cosines[i] - b * sine;
        x[i * step + apart] = b * cosines[i] + a * sine;
    }
}

static void rows_run(void *arg, int64_t begin, int64_t end) {
    const struct job *job = arg;
    const struct op_rope_angles *angles = job->angles;
    int64_t half = angles->width / 2;
    for (int64_t r = begin; r < end; r++) {
        int64_t at = r % angles->tokens * half;
        for (int64_t h = 0; h < job->heads; h++) {
            head_turn(job->x + r * job->stride + h * job->apart, angles->cosines + at,
                      angles->sines + at, job->sign, half, angles->adjacent);
        }
    }
}

struct step {
    struct tape_step step;
    struct op_heads of;
    int64_t heads;
    const struct op_rope_angles *angles;
};

/* Turns `rows` rows of x that lie as those of `of`. */
static void turn(const struct step *what, float *x, int64_t rows, float sign) {
    struct job job = { .angles = what->angles,
                       .x = x + what->of.first,
                       .stride = what->of.x->shape[1],
                       .heads = what->heads,
                       .apart = what->of.apart,
                       .sign = sign };
    pool_for(rows, 16, rows_run, &job);
}

static void back(struct tape *tape, struct tape_step *step) {
    const struct step *self = (const struct step *)step;
    float *gradient = tape_gradient(tape, step->out);
    if (gradient) {
        turn(self, gradient, tape_seeds(tape) * step->out->shape[0], -1);
    }
}

void op_rope(struct tape *tape, struct op_heads of, int64_t heads,
             const struct op_rope_angles *angles) {
    struct step what = { .of = of, .heads = heads, .angles = angles };
    turn(&what, of.x->data, of.x->shape[0], 1);
    if (tape->record) {
        struct step *step = tape_step(tape, sizeof *step, back, of.x);
        step->step.in_place = true;
        step->of = of;
        step->heads = heads;
        step->angles = angles;
    }
}
