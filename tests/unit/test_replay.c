/* replay: exactly the last 65,536 digests are known. */
#include <string.h>

#include "kernel/wire/replay.h"
#include "tests/check.h"

/* The n-th digest of a series in which 64 at a time begin alike. */
static bool fresh(struct replay *replay, uint32_t n) {
    unsigned char digest[REPLAY_DIGEST] = { 0 };
    digest[0] = (unsigned char)n;
    digest[1] = (unsigned char)(n >> 8 & 3);
    memcpy(digest + 8, &n, sizeof n);
    return replay_fresh(replay, digest);
}

TEST(replay_knows_the_last_65536_digests) {
    struct replay *replay = replay_new(check_arena());
    for (uint32_t n = 0; n < REPLAY_MOST; n++) {
        check(fresh(replay, n));
        check(!fresh(replay, n));
    }
    check(!fresh(replay, 0));
    check(fresh(replay, REPLAY_MOST)); /* the oldest makes way */
    check(fresh(replay, 0)); /* and the next */
    check(fresh(replay, 1));
    check(!fresh(replay, REPLAY_MOST));
    check(!fresh(replay, 3));
}

TEST(replay_forgets_in_the_order_of_arrival) {
    enum { ROUNDS = 3 };
    struct replay *replay = replay_new(check_arena());
    for (uint32_t n = 0; n < ROUNDS * REPLAY_MOST; n++) {
        check(fresh(replay, n));
        uint32_t oldest = n < REPLAY_MOST ? 0 : n - REPLAY_MOST + 1;
        check(!fresh(replay, oldest));
    }
}

TEST(replay_tells_digests_apart_by_every_byte) {
    struct replay *replay = replay_new(check_arena());
    unsigned char digest[REPLAY_DIGEST] = { 0 };
    check(replay_fresh(replay, digest));
    for (int i = 0; i < REPLAY_DIGEST; i++) {
        digest[i] = 1;
        check(replay_fresh(replay, digest));
        digest[i] = 0;
        check(!replay_fresh(replay, digest));
    }
}
