#include "kernel/wire/seen.h"

#include <string.h>

enum { CHAINS = 4096, BLOCK = 4096, BLOCKS = SEEN_MOST / BLOCK };

/* A place in the ring is written as its number and 1; 0 ends a chain. */
struct block {
    unsigned char digests[BLOCK][SEEN_DIGEST];
    uint32_t next[BLOCK]; /* the one that came before in its chain */
};

struct seen {
    struct block *blocks[BLOCKS]; /* as many as there were digests for */
    uint32_t newest[CHAINS];      /* where the chains begin */
    uint64_t count;               /* of digests ever taken */
};

static void seen_close(void *what) {
    struct seen *seen = what;
    for (int i = 0; i < BLOCKS && seen->blocks[i]; i++) {
        arena_release(seen->blocks[i], sizeof(struct block));
    }
}

struct seen *seen_new(struct arena *arena) {
    struct seen *seen = arena_alloc(arena, sizeof *seen);
    arena_defer(arena, seen_close, seen);
    return seen;
}

static unsigned char *digest_at(const struct seen *seen, uint32_t at) {
    return seen->blocks[at / BLOCK]->digests[at % BLOCK];
}

static uint32_t *next_at(const struct seen *seen, uint32_t at) {
    return &seen->blocks[at / BLOCK]->next[at % BLOCK];
}

static uint32_t *chain_of(struct seen *seen, const unsigned char *digest) {
    return &seen->newest[digest[0] << 4 | digest[1] >> 4];
}

/* Takes the ring's oldest digest out of its chain, where it is the last. */
static void forget(struct seen *seen, uint32_t at) {
    uint32_t *link = chain_of(seen, digest_at(seen, at));
    while (*link != at + 1) {
        link = next_at(seen, *link - 1);
    }
    *link = 0;
}

bool seen_first(struct seen *seen, const unsigned char digest[SEEN_DIGEST]) {
    uint32_t *chain = chain_of(seen, digest), at = (uint32_t)(seen->count % SEEN_MOST);
    for (uint32_t i = *chain; i != 0; i = *next_at(seen, i - 1)) {
        if (memcmp(digest_at(seen, i - 1), digest, SEEN_DIGEST) == 0) {
            return false;
        }
    }
    if (seen->count >= SEEN_MOST) {
        forget(seen, at);
    } else if (at % BLOCK == 0) {
        seen->blocks[at / BLOCK] = arena_resize(NULL, 0, sizeof(struct block));
    }
    memcpy(digest_at(seen, at), digest, SEEN_DIGEST);
    *next_at(seen, at) = *chain;
    *chain = at + 1;
    seen->count++;
    return true;
}
