#ifndef CORE_TENSOR_TAPE_H
#define CORE_TENSOR_TAPE_H

#include "core/base/arena.h"
#include "core/tensor/tensor.h"

/* tape: what the operations of one run share. Each op_ function (core/tensor/op.h) takes it
 * first, computes at once and returns its output, which lives in the tape's arena.
 *
 * The arena is scratch: an architecture marks it before a layer and rewinds it after. The room
 * for threads is made once, before any mark. */
struct tape {
    struct arena *arena;
    float *room;  /* [pool_threads()][each]; a task takes the part of its pool_self() */
    int64_t each; /* floats */
};

/* `each`: the most floats that one thread of any operation to come needs; the ops say how many
 * (op_attention_room); products are provided for. */
struct tape *tape_new(struct arena *arena, int64_t each);

/* A float32 tensor in the tape's arena; its numbers are not set. */
struct tensor *tape_tensor(struct tape *tape, int rank, const int64_t *shape);

/* The part of the room that belongs to the thread asking. */
float *tape_room(const struct tape *tape);

#endif
