#ifndef CORE_TENSOR_TAPE_H
#define CORE_TENSOR_TAPE_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/tensor/tensor.h"

/* tape: what the operations of one run share, and what they remember for gradients.
 *
 * Each op_ function (core/tensor/op.h) takes it first, computes at once and returns its output,
 * which lives in the tape's arena. While the tape records, an operation also leaves a step:
 * how to bring the gradient of its output to its inputs (reverse-mode differentiation).
 *
 * The arena is scratch. A run that does not record may mark it before a layer and rewind it
 * after; one that records keeps all (tape_mark and tape_rewind know). The room for threads is
 * made once, before any mark. */
struct tape {
    struct arena *arena;
    float *room;  /* [pool_threads()][each]; a task takes the part of its pool_self() */
    int64_t each; /* floats */
    struct record *record; /* NULL: nothing is remembered */
    bool repeats;          /* this run is one of tape_again's, made again for gradients: whoever
                              looks at its values has seen them; may want and seed them */
};

/* `each`: the most floats that one thread of any operation to come needs; the ops say how many
 * (op_attention_room); products are provided for. */
struct tape *tape_new(struct arena *arena, int64_t each);

/* A float32 tensor in the tape's arena; its numbers are not set. */
struct tensor *tape_tensor(struct tape *tape, int rank, const int64_t *shape);

/* The part of the room that belongs to the thread asking. */
float *tape_room(const struct tape *tape);

/* arena_mark and arena_rewind of the scratch; while the tape records nothing is given back. */
struct arena_mark tape_mark(struct tape *tape);
void tape_rewind(struct tape *tape, struct arena_mark mark);

/* ---- recording: for whoever runs a network ----
 *
 * Gradients are kept by the address of a value's numbers, so views of one block (another rank,
 * heads within rows) share one gradient, and an operation in place turns it in place. S seeds
 * go backward at once: the gradient of a value [...] is [S, ...], each as if it were alone. */

void tape_record(struct tape *tape); /* from now on */

/* run(arg, tape), remembered as one step: its inside is forgotten and run again when gradients
 * come by, so that between nothing but its output is kept (Chen et al. 2016, arXiv:1604.06174).
 * It must give the same bytes again and return a new tensor; whatever it reads (but for what it
 * makes itself) must outlive the tape. Not recording: just run(arg, tape). */
struct tensor *tape_again(struct tape *tape, struct tensor *(*run)(void *arg, struct tape *),
                          void *arg);
/* Whether what runs now is inside of such a run, the first time or again. */
bool tape_inside(const struct tape *tape);

/* Of the next tape_backward (while a run repeats: of this one): adds `gradient` [S, value's
 * shape], which is read when that begins, to that of `value`. */
void tape_seed(struct tape *tape, const struct tensor *value, const float *gradient);
/* Likewise: the gradient of `value` is to be written to `into` [S, value's shape] when it is
 * complete; zeros if nothing depends on the value. Where an operation in place changed the
 * value, what is meant is the value as it lies there in the end. */
void tape_want(struct tape *tape, const struct tensor *value, float *into);

struct tape_ask {
    int64_t seeds; /* S, at least 1 */
    /* NULL: no parameter's gradient is computed. Else handed over as soon as it is complete,
     * and gone when this returns; a parameter used in several places comes once, one that no
     * seed depends on never. S must be 1. Called between steps, by the thread that goes
     * backward while the pool rests: it may use pool_for and change the gradient. */
    void (*parameter)(void *arg, const struct tensor *parameter, const struct tensor *gradient);
    bool (*asks)(void *arg, const struct tensor *parameter); /* NULL: all are asked for */
    void *arg;
    bool
        within; /* values inside of tape_again's runs will be wanted or seeded as they repeat */
};

/* Goes through the steps backward, as far as anything is wanted. May be called again, with
 * other seeds. Looks at the interrupt (stop_check) between steps. Gradients of values between
 * live only from the first use to the last (their room is used again). */
void tape_backward(struct tape *tape, const struct tape_ask *ask);

/* ---- recording: for operations ---- */

/* The first member of what an operation remembers. `back` may take scratch from tape->arena,
 * which is given back after it; tensors that a step points to live as long as the tape. */
struct tape_step {
    void (*back)(struct tape *tape, struct tape_step *step);
    const struct tensor *out;  /* its gradient is dead after back, which may change it; NULL:
                                  the step looks after its outputs itself */
    const struct tensor *also; /* another output, or NULL (attention's pattern); needed only if
                                  it is wanted itself */
    bool in_place;             /* `out` is also the input, and back turns its gradient */
    struct tape_step *before;
    struct tape_use *uses;
    int64_t at; /* counted from the record's beginning */
};

/* A new step of `bytes` bytes, zeroed, joined to the record; call only if tape->record. */
void *tape_step(struct tape *tape, size_t bytes,
                void (*back)(struct tape *tape, struct tape_step *step),
                const struct tensor *out);

/* That the step just made uses a parameter (a weight), whose gradient may be asked for. */
void tape_uses(struct tape *tape, const struct tensor *parameter);

/* While going backward: S; whether a value's gradient matters to anybody (what does not may be
 * left out); the gradient so far, or NULL if none came (then there is nothing to bring back);
 * the gradient to add to, zeroed when first asked for; the same for a parameter, NULL if nobody
 * asks for it. */
int64_t tape_seeds(const struct tape *tape);
bool tape_needs(struct tape *tape, const struct tensor *value);
float *tape_gradient(struct tape *tape, const struct tensor *value);
float *tape_gradient_add(struct tape *tape, const struct tensor *value);
float *tape_parameter_add(struct tape *tape, const struct tensor *parameter);

/* The same, not zeroed: if *add comes back false, every number is still to be set. */
float *tape_gradient_set(struct tape *tape, const struct tensor *value, bool *add);
float *tape_parameter_set(struct tape *tape, const struct tensor *parameter, bool *add);

/* Adds the gradient of a step's output, as it is now, to that of an input of the same size.
 * `give` is the last thing that a back does with it: often no number moves. */
void tape_gradient_join(struct tape *tape, const struct tensor *out,
                        const struct tensor *input);
void tape_gradient_give(struct tape *tape, const struct tensor *out,
                        const struct tensor *input);

#endif
