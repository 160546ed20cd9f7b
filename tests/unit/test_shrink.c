#include "core/draw/shrink.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "tests/check.h"

/* What zlib reads of it is the same again; returns the compressed length. */
static size_t there_and_back(const unsigned char *bytes, size_t n) {
    struct buf *out = buf_new(check_arena());
    unsigned char *back = arena_alloc(check_arena(), n + 1);
    uLongf length = n + 1;
    shrink(check_arena(), out, bytes, n);
    check(uncompress(back, &length, (const Bytef *)out->data, out->length) == Z_OK);
    check(length == n && memcmp(back, bytes, n) == 0);
    return out->length;
}

TEST(shrink_is_read_back_by_zlib) {
    check(there_and_back((const unsigned char *)"", 0) < 100);
    check(there_and_back((const unsigned char *)"a", 1) < 100);
    check(there_and_back((const unsigned char *)"abcabcabcabcabcabc", 18) < 100);
    const char *text = "It was the best of times, it was the worst of times, it was the age";
    there_and_back((const unsigned char *)text, strlen(text));
}

/* Of kinds that pictures are made of, and of those that they are not. */
TEST(shrink_bears_any_bytes) {
    enum { N = 300000 };
    unsigned char *bytes = arena_alloc(check_arena(), N);
    uint32_t state = 1;
    for (int kind = 0; kind < 6; kind++) {
        for (size_t i = 0; i < N; i++) {
            state = state * 1664525U + 1013904223U;
            uint32_t draw = state >> 16;
            bytes[i] =
                (unsigned char)(kind == 0   ? 0
                                : kind == 1 ? draw
                                : kind == 2 ? (draw % 50 ? 0 : draw >> 8)
                                : kind == 3 ? i / 700 % 7
                                : kind == 4 ? (i % 1301 < 600 ? i % 1301 % 97 : draw & 1)
                                            : (size_t)__builtin_ctz(draw | 1U << 15) * 16);
        }
        size_t length = there_and_back(bytes, N);
        uLongf most = compressBound(N);
        Bytef *theirs = arena_alloc(check_arena(), most);
        check(compress2(theirs, &most, bytes, N, 6) == Z_OK);
        check(length < most + most / 3 + 200);
    }
}

/* Weights like Fibonacci's numbers ask for codes longer than the format has. */
TEST(shrink_keeps_codes_short) {
    struct buf *bytes = buf_new(check_arena());
    uint32_t a = 1, b = 1, state = 9;
    for (int symbol = 0; symbol < 24; symbol++) {
        for (uint32_t i = 0; i < a; i++) {
            buf_char(bytes, (char)(symbol * 5));
        }
        uint32_t next = a + b;
        a = b;
        b = next;
    }
    for (size_t i = bytes->length; i-- > 1;) { /* shuffled, or runs would be found */
        state = state * 1664525U + 1013904223U;
        size_t other = (size_t)((uint64_t)state * (i + 1) >> 32);
        char swap = bytes->data[i];
        bytes->data[i] = bytes->data[other];
        bytes->data[other] = swap;
    }
    there_and_back((const unsigned char *)bytes->data, bytes->length);
}
