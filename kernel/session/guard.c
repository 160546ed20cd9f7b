#include "kernel/session/guard.h"

static void guard_close(void *what) {
    arena_free(*(struct arena **)what);
}

struct arena **guard_arena(struct arena *scratch) {
    struct arena **guard = arena_alloc(scratch, sizeof *guard);
    arena_defer(scratch, guard_close, guard);
    *guard = arena_new();
    return guard;
}
