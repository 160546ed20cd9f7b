#ifndef CORE_TEXT_RUN_H
#define CORE_TEXT_RUN_H

#include <stdint.h>

/* run: a stretch of text on its way through the tokenizer, and where each of its bytes came
 * from.
 *
 * What a normalizer made carries a span per byte, all bytes of one character the same. What is
 * still the original text carries none: there a byte comes from the character it belongs to.
 * Offsets are 32 bits wide; tokenizer_encode refuses texts that would need more. */

struct span {
    uint32_t begin, end; /* bytes of the original text */
};

struct run {
    const char *text;
    int64_t length;           /* bytes */
    const struct span *spans; /* [length]; NULL: text is the original from byte `base` on */
    int64_t base;             /* of the original: where this stretch begins */
};

/* Where bytes begin..end (not empty) of the run came from, as whole characters. */
struct span run_span(const struct run *run, int64_t begin, int64_t end);

/* The part begin..end, which must lie on character borders. */
struct run run_part(const struct run *run, int64_t begin, int64_t end);

#endif
