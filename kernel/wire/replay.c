#include "kernel/wire/replay.h"

#include <string.h>

/* A place in the ring is written as its number and 1; 0 ends a chain. */
struct replay {
    unsigned char (*digests)[REPLAY_DIGEST]; /* [REPLAY_MOST] */
    uint32_t *next;   /* [REPLAY_MOST] the one that came before in its chain */
    uint32_t *newest; /* [REPLAY_MOST] where the chains begin */
    uint64_t count;   /* of digests ever taken */
};

struct replay *replay_new(struct arena *arena) {
    struct replay *replay = arena_alloc(arena, sizeof *replay);
    replay->digests = arena_raw(arena, REPLAY_MOST * sizeof *replay->digests);
    replay->next = arena_raw(arena, REPLAY_MOST * sizeof *replay->next);
    replay->newest = arena_array(arena, REPLAY_MOST, sizeof *replay->newest);
    return replay;
}

static uint32_t *chain_of(const struct replay *replay, const unsigned char *digest) {
    return &replay->newest[digest[0] << 8 | digest[1]];
}

/* Takes the ring's oldest digest out of its chain, where it is the last. */
static void forget(struct replay *replay, uint32_t at) {
    uint32_t *link = chain_of(replay, replay->digests[at]);
    while (*link != at + 1) {
        link = &replay->next[*link - 1];
    }
    *link = 0;
}

bool replay_fresh(struct replay *replay, const unsigned char digest[REPLAY_DIGEST]) {
    uint32_t *chain = chain_of(replay, digest), at = (uint32_t)(replay->count % REPLAY_MOST);
    for (uint32_t i = *chain; i != 0; i = replay->next[i - 1]) {
        if (memcmp(replay->digests[i - 1], digest, REPLAY_DIGEST) == 0) {
            return false;
        }
    }
    if (replay->count >= REPLAY_MOST) {
        forget(replay, at);
    }
    memcpy(replay->digests[at], digest, REPLAY_DIGEST);
    replay->next[at] = *chain;
    *chain = at + 1;
    replay->count++;
    return true;
}
