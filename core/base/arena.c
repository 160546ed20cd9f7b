#include "core/base/arena.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/base/memory.h"

/* With AddressSanitizer a block is followed by bytes that belong to nobody, and what is not
 * given out is out of bounds; else an overflow would only meet the next block. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
/* A leak checker looks for pointers in allocations, and in maps that it is told of. */
#define ROOTS_ADD(at, size)  __lsan_register_root_region(at, size)
#define ROOTS_DROP(at, size) __lsan_unregister_root_region(at, size)
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ROOTS_ADD(at, size)                   ((void)(at), (void)(size))
#define ROOTS_DROP(at, size)                  ((void)(at), (void)(size))
enum { GAP = 0 };
#endif

enum { ALIGN = 64, MAP_FROM = 128 * 1024, HUGE_FROM = 2 * 1024 * 1024 };
/* Chunks for small blocks, in bytes: each is twice the one before, so that what a recording or
 * a gradient needs is faulted in, and shelved, in large pieces. */
enum { CHUNK_FIRST = 4096, CHUNK_MOST = 4 * 1024 * 1024 };

struct chunk {
    struct chunk *before;
    size_t size; /* of the whole block, this head included */
    size_t used;
    size_t touched; /* beyond this offset the memory is known to be zero */
    int mapped;     /* from mmap, so that freeing gives it back to the system */
};

struct closing {
    struct closing *before;
    void (*close)(void *what);
    void *what;
};

struct arena {
    struct chunk *chunk;
    struct closing *closings;
    struct chunk
        *spare; /* the largest mapped chunk that a rewind set free: scratch memory that is
                   rewound per layer should not fault its pages in again each time */
};

static atomic_llong held;
static atomic_llong budget;

int64_t arena_held(void) {
    return atomic_load(&held);
}

void arena_budget(int64_t bytes) {
    atomic_store(&budget, bytes);
}

int64_t arena_left(void) {
    long long limit = atomic_load(&budget), left = limit - atomic_load(&held);
    return limit == 0 ? INT64_MAX : left > 0 ? left : 0;
}

static _Thread_local struct {
    void (*release)(void *arg);
    void *arg;
    bool works; /* it is being called: what it allocates gets no more */
} shortage;     /* of one thread: another must not free what it works with */

void arena_on_shortage(void (*release)(void *arg), void *arg) {
    shortage.release = release;
    shortage.arg = arg;
}

bool arena_relieve(void) {
    long long before = atomic_load(&held);
    if (shortage.release && !shortage.works) {
        shortage.works = true;
        shortage.release(shortage.arg);
        shortage.works = false;
    }
    return atomic_load(&held) < before;
}

static size_t round_up(size_t bytes) {
    return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static size_t round_to(size_t bytes, size_t align) {
    return (bytes + align - 1) & ~(align - 1);
}

/* Counts bytes that are about to be taken; throws if they are more than the budget has. */
static void count(size_t size) {
    long long limit = atomic_load(&budget);
    long long now = atomic_fetch_add(&held, (long long)size) + (long long)size;
    if (limit != 0 && now > limit) {
        atomic_fetch_sub(&held, (long long)size);
        if (arena_relieve()) {
            count(size); /* each time less is held, so this ends */
            return;
        }
        catch_throw(ERR_MEMORY,
                    "%.1f MB more are needed; %.1f of the %.1f MB allowed are in use%s",
                    (double)size / 1e6, (double)(now - (long long)size) / 1e6,
                    (double)limit / 1e6, memory_advice());
    }
}

static void uncount(size_t size) {
    atomic_fetch_sub(&held, (long long)size);
}

_Noreturn static void none_left(size_t size) {
    uncount(size);
    catch_throw(ERR_MEMORY,
                "%.1f MB more are needed and the system has none left; %.1f MB are in use",
                (double)size / 1e6, (double)atomic_load(&held) / 1e6);
}

void *arena_resize(void *block, size_t before, size_t size) {
    if (size > before) {
        count(size - before);
    }
    void *resized = realloc(block, size);
    if (!resized && arena_relieve()) {
        resized = realloc(block, size);
    }
    if (!resized) {
        none_left(size - before);
    }
    if (size < before) {
        uncount(before - size);
    }
    return resized;
}

void arena_release(void *block, size_t size) {
    uncount(size);
    free(block);
}

/* Whatever lies behind `used` is out of bounds. */
static void close_rest(struct chunk *chunk) {
    ASAN_POISON_MEMORY_REGION((char *)chunk + chunk->used, chunk->size - chunk->used);
}

/* Whatever comes to lie there next is in bounds again. */
static void unmap(void *at, size_t size) {
    ASAN_UNPOISON_MEMORY_REGION(at, size);
    munmap(at, size);
}

/* ---- large chunks that were given back ----
 * The next arena that needs as much takes them as they are: what a pass keeps would otherwise
 * be faulted in anew for each cell, a tenth of its time. Never so many that all memory
 * together is more than was once held at the same time; and the system may take back what is
 * in them while nobody uses them. */

enum { SHELF_MOST = 512 * 1024 * 1024 };

static struct {
    pthread_mutex_t lock;
    struct chunk *first;
    long long bytes;
    long long most; /* that was ever held */
} shelf = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Cuts off what lies behind `size` bytes. */
static void chunk_shorten(struct chunk *chunk, size_t size) {
    if (chunk->size > size) {
        unmap((char *)chunk + size, chunk->size - size);
        chunk->size = size;
        chunk->touched = chunk->touched < size ? chunk->touched : size;
    }
}

/* A chunk of `size` from the shelf, or NULL; then `now` bytes will be held and the shelf
 * keeps no more than leaves room for them. */
static struct chunk *shelf_take(size_t size, long long now) {
    struct chunk **best = NULL, *found = NULL;
    pthread_mutex_lock(&shelf.lock);
    for (struct chunk **at = &shelf.first; *at; at = &(*at)->before) {
        if ((*at)->size >= size && (*at)->size / 2 <= size &&
            (!best || (*at)->size < (*best)->size)) {
            best = at;
        }
    }
    if (best) {
        found = *best;
        *best = found->before;
        shelf.bytes -= (long long)found->size;
        chunk_shorten(found, size);
    }
    shelf.most = now > shelf.most ? now : shelf.most;
    while (shelf.first && now + shelf.bytes > shelf.most) {
        struct chunk *chunk = shelf.first;
        shelf.first = chunk->before;
        shelf.bytes -= (long long)chunk->size;
        unmap(chunk, chunk->size);
    }
    pthread_mutex_unlock(&shelf.lock);
    return found;
}

static void shelf_put(struct chunk *chunk) {
    pthread_mutex_lock(&shelf.lock);
    if (shelf.bytes + (long long)chunk->size > SHELF_MOST) {
        unmap(chunk, chunk->size);
    } else {
        if (chunk->size > HUGE_FROM) { /* not its head */
            madvise((char *)chunk + HUGE_FROM, chunk->size - HUGE_FROM, MADV_FREE);
        }
        chunk->before = shelf.first;
        shelf.first = chunk;
        shelf.bytes += (long long)chunk->size;
    }
    pthread_mutex_unlock(&shelf.lock);
}

static struct chunk *chunk_map(size_t size) {
    struct chunk *chunk =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) {
        return NULL;
    }
    if (size >= HUGE_FROM) {
        madvise(chunk, size, MADV_HUGEPAGE); /* a fault for 2 MB instead of 4 kB */
    }
    chunk->size = size;
    chunk->touched = round_up(sizeof *chunk);
    return chunk;
}

_Noreturn static void refuse(size_t size, long long now, long long limit) {
    double more = (double)size / 1e6, held_before = (double)(now - (long long)size) / 1e6;
    atomic_fetch_sub(&held, (long long)size);
    if (limit) {
        catch_throw(ERR_MEMORY,
                    "%.1f MB more are needed; %.1f of the %.1f MB allowed are in use%s", more,
                    held_before, (double)limit / 1e6, memory_advice());
    }
    catch_throw(ERR_MEMORY,
                "%.1f MB more are needed and the system has none left; %.1f MB are in use",
                more, held_before);
}

static struct chunk *chunk_new(size_t size) {
    long long limit = atomic_load(&budget);
    long long now = atomic_fetch_add(&held, (long long)size) + (long long)size;
    struct chunk *chunk = NULL;
    bool fits = limit == 0 || now <= limit;
    if (fits && size >= MAP_FROM) {
        chunk = shelf_take(size, now);
        chunk = chunk ? chunk : chunk_map(size);
    } else if (fits && (chunk = aligned_alloc(ALIGN, size))) {
        chunk->size = chunk->touched = size;
    }
    if (!chunk && arena_relieve()) {
        atomic_fetch_sub(&held, (long long)size);
        return chunk_new(size); /* each time less is held, so this ends */
    }
    if (!chunk) {
        refuse(size, now, fits ? 0 : limit);
    }
    chunk->used = round_up(sizeof *chunk);
    chunk->mapped = size >= MAP_FROM;
    if (chunk->mapped) {
        ROOTS_ADD(chunk, chunk->size);
    }
    return chunk;
}

static void chunk_free(struct chunk *chunk) {
    atomic_fetch_sub(&held, (long long)chunk->size);
    if (chunk->mapped) {
        ROOTS_DROP(chunk, chunk->size);
        shelf_put(chunk);
    } else {
        free(chunk);
    }
}

struct arena *arena_new(void) {
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena) {
        catch_throw(ERR_MEMORY, "no memory for an arena");
    }
    return arena;
}

/* Bytes of the chunk that follows `before`, at least. */
static size_t chunk_least(const struct chunk *before) {
    size_t twice = before ? 2 * before->size : CHUNK_FIRST;
    return twice < CHUNK_MOST ? twice : CHUNK_MOST;
}

/* A block of `bytes` at a multiple of `align`; *dirty says how many of its first bytes may not
 * be zero. */
static void *block_new(struct arena *arena, size_t bytes, size_t align, size_t *dirty) {
    if (bytes > (size_t)1 << 46) {
        catch_throw(ERR_MEMORY, "%zu bytes in one block is more than any machine has", bytes);
    }
    size_t need = bytes ? bytes : 1;
    struct chunk *chunk = arena->chunk;
    if (!chunk || chunk->size < round_to(chunk->used + GAP, align) + need) {
        size_t size = round_up(round_up(sizeof *chunk) + GAP) + round_up(need);
        if (size < chunk_least(chunk)) {
            size = chunk_least(chunk);
        }
        if (size >= MAP_FROM) {
            size_t page = size >= HUGE_FROM ? HUGE_FROM : 4096;
            size = (size + page - 1) & ~(page - 1);
        }
        struct chunk *fresh = arena->spare;
        if (fresh && fresh->size >= size) {
            arena->spare = NULL;
            fresh->used = round_up(sizeof *fresh);
            close_rest(fresh);
        } else {
            fresh = chunk_new(size);
        }
        fresh->before = chunk;
        arena->chunk = chunk = fresh;
    }
    size_t at = round_to(chunk->used + GAP, align);
    void *block = (char *)chunk + at;
    ASAN_UNPOISON_MEMORY_REGION(block, need);
    *dirty = chunk->touched > at ? chunk->touched - at : 0;
    chunk->used = at + need;
    if (chunk->touched < chunk->used) {
        chunk->touched = chunk->used;
    }
    return block;
}

void *arena_raw(struct arena *arena, size_t bytes) {
    size_t dirty;
    return block_new(arena, bytes, ALIGN, &dirty);
}

static void *zeroed(struct arena *arena, size_t bytes, size_t align) {
    size_t dirty;
    void *block = block_new(arena, bytes, align, &dirty);
    return memset(block, 0, dirty < bytes ? dirty : bytes);
}

void *arena_alloc(struct arena *arena, size_t bytes) {
    return zeroed(arena, bytes, ALIGN);
}

void *arena_small(struct arena *arena, size_t bytes) {
    return zeroed(arena, bytes, alignof(max_align_t));
}

void *arena_array(struct arena *arena, int64_t n, size_t bytes) {
    int64_t total;
    if (!ck_mul(n, (int64_t)bytes, &total)) {
        catch_throw(ERR_MEMORY,
                    "an array of %lld elements of %zu bytes is more than any machine has",
                    (long long)n, bytes);
    }
    return arena_alloc(arena, (size_t)total);
}

char *arena_text(struct arena *arena, const char *bytes, size_t length) {
    size_t dirty;
    char *text = block_new(arena, length + 1, 1, &dirty);
    if (length) {
        memcpy(text, bytes, length);
    }
    text[length] = '\0';
    return text;
}

char *arena_copy(struct arena *arena, const char *text) {
    return arena_text(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t dirty;
    char *text = block_new(arena, (size_t)(n < 0 ? 0 : n) + 1, 1, &dirty);
    text[0] = '\0';
    vsnprintf(text, (size_t)(n < 0 ? 0 : n) + 1, format, again);
    va_end(again);
    return text;
}

void arena_defer(struct arena *arena, void (*close)(void *what), void *what) {
    struct closing *closing = arena_raw(arena, sizeof *closing);
    *closing = (struct closing){ .before = arena->closings, .close = close, .what = what };
    arena->closings = closing;
}

struct arena_mark arena_mark(struct arena *arena) {
    return (struct arena_mark){ .chunk = arena->chunk,
                                .used = arena->chunk ? arena->chunk->used : 0,
                                .closings = arena->closings };
}

/* Keeps the chunk as the spare one if it is larger than that, else gives it back. */
static void chunk_spare(struct arena *arena, struct chunk *chunk) {
    if (chunk->mapped && (!arena->spare || arena->spare->size < chunk->size)) {
        struct chunk *smaller = arena->spare;
        arena->spare = chunk;
        chunk = smaller;
    }
    if (chunk) {
        chunk_free(chunk);
    }
}

void arena_rewind(struct arena *arena, struct arena_mark mark) {
    while (arena->closings != mark.closings) {
        struct closing *closing = arena->closings;
        arena->closings = closing->before;
        closing->close(closing->what);
    }
    while (arena->chunk != mark.chunk) {
        struct chunk *chunk = arena->chunk;
        arena->chunk = chunk->before;
        chunk_spare(arena, chunk);
    }
    if (arena->chunk) {
        arena->chunk->used = mark.used;
        close_rest(arena->chunk);
    }
}

int64_t arena_size(const struct arena *arena) {
    int64_t bytes = arena->spare ? (int64_t)arena->spare->size : 0;
    for (const struct chunk *chunk = arena->chunk; chunk; chunk = chunk->before) {
        bytes += (int64_t)chunk->size;
    }
    return bytes;
}

void arena_free(struct arena *arena) {
    if (arena) {
        arena_rewind(arena, (struct arena_mark){ 0 });
        if (arena->spare) {
            chunk_free(arena->spare);
        }
        free(arena);
    }
}
