#include "kernel/wire/seen.h"

#include <string.h>

/* A place in the ring is written as its number and 1; 0 ends a chain. */
struct seen {
    unsigned char (*digests)[SEEN_DIGEST]; /* [SEEN_MOST] */
    uint32_t *next;   /* [SEEN_MOST] the one that came before in its chain */
    uint32_t *newest; /* [SEEN_MOST] where the chains begin */
    uint64_t count;   /* of digests ever taken */
};

struct seen *seen_new(struct arena *arena) {
    struct seen *seen = arena_alloc(arena, sizeof *seen);
    seen->digests = arena_raw(arena, SEEN_MOST * sizeof *seen->digests);
    seen->next = arena_raw(arena, SEEN_MOST * sizeof *seen->next);
    seen->newest = arena_array(arena, SEEN_MOST, sizeof *seen->newest);
    return seen;
}

static uint32_t *chain_of(const struct seen *seen, const unsigned char *digest) {
    return &seen->newest[digest[0] << 8 | digest[1]];
}

/* Takes the ring's oldest digest out of its chain, where it is the last. */
static void forget(struct seen *seen, uint32_t at) {
    uint32_t *link = chain_of(seen, seen->digests[at]);
    while (*link != at + 1) {
        link = &seen->next[*link - 1];
    }
    *link = 0;
}

bool seen_first(struct seen *seen, const unsigned char digest[SEEN_DIGEST]) {
    uint32_t *chain = chain_of(seen, digest), at = (uint32_t)(seen->count % SEEN_MOST);
    for (uint32_t i = *chain; i != 0; i = seen->next[i - 1]) {
        if (memcmp(seen->digests[i - 1], digest, SEEN_DIGEST) == 0) {
            return false;
        }
    }
    if (seen->count >= SEEN_MOST) {
        forget(seen, at);
    }
    memcpy(seen->digests[at], digest, SEEN_DIGEST);
    seen->next[at] = *chain;
    *chain = at + 1;
    seen->count++;
    return true;
}
