#ifndef CORE_BASE_RANDOM_H
#define CORE_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* random: the only source of random numbers, so that the same seed gives the same bytes.
 *
 * The generator is xoshiro256++, its state filled from the seed by splitmix64 (Blackman and
 * Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS 47; Steele, Lea and
 * Flood 2014). Not for secrets.
 *
 * A generator is a value: copy it to draw the same numbers again. Work that is cut into parts
 * (samples, threads, texts) takes one stream for each part, so that neither the order of the
 * parts nor how much another one drew changes a number:
 *
 *     struct random all = random_new(seed);
 *     struct random mine = random_split(&all, part);
 */

struct random {
    uint64_t state[4];
    uint64_t key; /* what splitting starts from: the seed, and the streams taken since */
    double spare; /* random_normal makes two at a time */
    bool has_spare;
};

struct random random_new(uint64_t seed);

/* Stream number `stream` of a generator. Depends on the seed and the streams that led here, not
 * on what was drawn; other numbers give other streams, also of streams. */
struct random random_split(const struct random *random, uint64_t stream);

uint64_t random_u64(struct random *random);  /* 64 random bits */
double random_unit(struct random *random);   /* in [0, 1), a multiple of 2^-53 */
double random_normal(struct random *random); /* mean 0, variance 1 (Marsaglia's polar method) */

/* One of 0 .. n-1, each equally likely; n is at least 1 (Lemire 2019, arXiv:1805.10941). */
uint64_t random_below(struct random *random, uint64_t n);

#endif
