#include "core/base/random.h"

#include <assert.h>
#include <math.h>

/* Every bit of the result depends on every bit of x: splitmix64's finisher. */
static uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

static uint64_t rotated(uint64_t x, int by) {
    return (x << by) | (x >> (64 - by));
}

struct random random_new(uint64_t seed) {
    struct random random = { .key = seed };
    for (int i = 0; i < 4; i++) {
        seed += 0x9E3779B97F4A7C15U;
        random.state[i] = mixed(seed);
    }
    return random;
}

struct random random_split(const struct random *random, uint64_t stream) {
    /* The key is mixed before the stream is added: seeds that are neighbours do not share
     * streams shifted by one. */
    return random_new(mixed(mixed(random->key + 0xD1B54A32D192ED03U) + stream));
}

uint64_t random_u64(struct random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotated(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

double random_unit(struct random *random) {
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

double random_normal(struct random *random) {
    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    double x;
    double y;
    double square;
    do { /* a point in the unit disc; four tries of five hit it */
        x = 2 * random_unit(random) - 1;
        y = 2 * random_unit(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double scale = sqrt(-2 * log(square) / square);
    random->spare = y * scale;
    random->has_spare = true;
    return x * scale;
}

uint64_t random_below(struct random *random, uint64_t n) {
    assert(n > 0);
    unsigned __int128 product = (unsigned __int128)random_u64(random) * n;
    if ((uint64_t)product < n) {
        uint64_t uneven = -n % n; /* 2^64 mod n: so many draws would favour small numbers */
        while ((uint64_t)product < uneven) {
            product = (unsigned __int128)random_u64(random) * n;
        }
    }
    return (uint64_t)(product >> 64);
}
