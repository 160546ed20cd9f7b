#ifndef KERNEL_SESSION_GUARD_H
#define KERNEL_SESSION_GUARD_H

#include "core/base/arena.h"

/* guard: a new arena for what shall outlive the cell, freed with `scratch` if the work on it
 * ends early, however that happens. When all is well the caller takes the arena and sets it to
 * NULL. */
struct arena **guard_arena(struct arena *scratch);

#endif
