/* seen: exactly the last 65,536 digests are known. */
#include <string.h>

#include "kernel/wire/seen.h"
#include "tests/check.h"

/* The n-th digest of a series in which 16 at a time begin alike. */
static bool fresh(struct seen *seen, uint32_t n) {
    unsigned char digest[SEEN_DIGEST] = { 0 };
    digest[0] = (unsigned char)n;
    digest[1] = (unsigned char)(n >> 8 << 4);
    memcpy(digest + 8, &n, sizeof n);
    return seen_first(seen, digest);
}

TEST(seen_knows_the_last_65536_digests) {
    struct seen *seen = seen_new(check_arena());
    for (uint32_t n = 0; n < SEEN_MOST; n++) {
        check(fresh(seen, n));
        check(!fresh(seen, n));
    }
    check(!fresh(seen, 0));
    check(fresh(seen, SEEN_MOST)); /* the oldest makes way */
    check(fresh(seen, 0));         /* and the next */
    check(fresh(seen, 1));
    check(!fresh(seen, SEEN_MOST));
    check(!fresh(seen, 3));
}

TEST(seen_forgets_in_the_order_of_arrival) {
    enum { ROUNDS = 3 };
    struct seen *seen = seen_new(check_arena());
    for (uint32_t n = 0; n < ROUNDS * SEEN_MOST; n++) {
        check(fresh(seen, n));
        uint32_t oldest = n < SEEN_MOST ? 0 : n - SEEN_MOST + 1;
        check(!fresh(seen, oldest));
    }
}

TEST(seen_tells_digests_apart_by_every_byte) {
    struct seen *seen = seen_new(check_arena());
    unsigned char digest[SEEN_DIGEST] = { 0 };
    check(seen_first(seen, digest));
    for (int i = 0; i < SEEN_DIGEST; i++) {
        digest[i] = 1;
        check(seen_first(seen, digest));
        digest[i] = 0;
        check(!seen_first(seen, digest));
    }
}
