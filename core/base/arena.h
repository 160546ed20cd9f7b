#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* arena: the memory of one lifetime, freed as a whole, and the closings that belong to it.
 *
 * Three lifetimes: the model's (until %model unload), the cell's (until its reply is out),
 * scratch (marked and rewound per layer or step). A function that makes something takes the
 * arena in which it shall live as its first parameter. Memory is always there: when it is not
 * to be had, or the budget is spent, the command ends at its catch point (core/base/catch.h),
 * so nobody checks.
 *
 * Blocks are aligned to 64 bytes and zeroed, but for texts, which lie one behind another. An
 * arena belongs to one thread. */

struct arena;

struct arena_mark {
    void *chunk;
    size_t used;
    void *closings;
};

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* runs what was deferred, last first; NULL is allowed */

void *arena_alloc(struct arena *arena, size_t bytes); /* zeroed, 64-byte aligned */
void *arena_small(struct arena *arena,
                  size_t bytes); /* zeroed, aligned for any type: for nodes that are many */
void *arena_raw(struct arena *arena, size_t bytes); /* the same, not zeroed */
void *arena_array(struct arena *arena, int64_t n,
                  size_t bytes); /* n * bytes, checked, zeroed */
char *arena_text(struct arena *arena, const char *bytes, size_t length); /* terminated copy */
char *arena_copy(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Calls close(what) when the arena is freed, or rewound to a mark set before. */
void arena_defer(struct arena *arena, void (*close)(void *what), void *what);

struct arena_mark arena_mark(struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* For memory that moves as it grows (buf): realloc and free, counted with the arenas' own. A
 * block that is not there yet is NULL of size 0; `size` is not 0. */
void *arena_resize(void *block, size_t before, size_t size);
void arena_release(void *block, size_t size);

/* Bytes that all arenas of this process hold; the budget they may hold together (0: no limit).
 */
int64_t arena_held(void);
void arena_budget(int64_t bytes);
int64_t arena_left(void); /* of the budget; INT64_MAX without one */

/* Bytes that this arena holds. */
int64_t arena_size(const struct arena *arena);

/* What is kept for convenience alone makes way: `release(arg)` is called when memory is not to
 * be had, before the command ends for it, and may free other arenas. NULL takes it away.
 * arena_relieve calls it; whether memory was freed. */
void arena_on_shortage(void (*release)(void *arg), void *arg);
bool arena_relieve(void);

#endif
