#ifndef TESTS_FUZZ_DICE_H
#define TESTS_FUZZ_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dice: random numbers that a seed determines (splitmix64: Steele, Lea and Flood 2014). */

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice) {
    uint64_t z = dice->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* 0 .. n-1; 0 for n = 0. */
static inline size_t dice_below(struct dice *dice, size_t n) {
    return n ? (size_t)(dice_next(dice) % n) : 0;
}

/* True once in n times. */
static inline bool dice_once(struct dice *dice, size_t n) {
    return dice_below(dice, n) == 0;
}

/* One element of an array. */
#define dice_of(dice, array) ((array)[dice_below((dice), sizeof(array) / sizeof *(array))])

#endif
