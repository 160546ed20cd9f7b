#include "core/base/guard.h"

static void guard_close(void *what) {
    guard_free(what);
}

struct arena **guard_arena(struct arena *outer) {
    struct arena **guard = arena_alloc(outer, sizeof *guard);
    arena_defer(outer, guard_close, guard);
    *guard = arena_new();
    return guard;
}

void guard_free(struct arena **guard) {
    arena_free(*guard);
    *guard = NULL;
}
