#ifndef CORE_BASE_GUARD_H
#define CORE_BASE_GUARD_H

#include "core/base/arena.h"

/* guard: an arena that is freed with `outer` where the work on it ends early, however that
 * happens. When all is well its owner frees it, or takes it for what shall live on and sets it
 * to NULL. */
struct arena **guard_arena(struct arena *outer);

/* Frees it now. */
void guard_free(struct arena **guard);

#endif
