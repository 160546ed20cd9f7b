#include "core/tensor/tape.h"

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/base/pool.h"
#include "core/tensor/gemm.h"

struct tape *tape_new(struct arena *arena, int64_t each) {
    struct tape *tape = arena_alloc(arena, sizeof *tape);
    int64_t line = 16; /* floats in a cache line: threads share none */
    tape->arena = arena;
    tape->each = each > gemm_room() ? (each + line - 1) / line * line : gemm_room();
    tape->room = arena_raw(arena, (size_t)(pool_threads() * tape->each) * sizeof(float));
    return tape;
}

struct tensor *tape_tensor(struct tape *tape, int rank, const int64_t *shape) {
    struct tensor *tensor = arena_alloc(tape->arena, sizeof *tensor);
    int64_t count, bytes;
    if (!ck_product(shape, rank, &count) || !ck_mul(count, sizeof(float), &bytes)) {
        catch_throw(ERR_MEMORY, "a tensor of that shape is more than any machine holds");
    }
    tensor->dtype = DTYPE_F32;
    tensor->rank = rank;
    for (int i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
    }
    tensor->bytes = arena_raw(tape->arena, (size_t)bytes);
    return tensor;
}

float *tape_room(const struct tape *tape) {
    return tape->room + pool_self() * tape->each;
}

struct arena_mark tape_mark(struct tape *tape) {
    return arena_mark(tape->arena);
}

void tape_rewind(struct tape *tape, struct arena_mark mark) {
    if (!tape->record) {
        arena_rewind(tape->arena, mark);
    }
}

struct tensor *tape_again(struct tape *tape, struct tensor *(*run)(void *arg, struct tape *),
                          void *arg) {
    return run(arg, tape);
}
