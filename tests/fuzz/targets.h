#ifndef TESTS_FUZZ_TARGETS_H
#define TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "kernel/wire/frames.h"

/* targets: what takes bytes from strangers, each as a function that is given any bytes at all.
 * replay.c runs them over seeds, corpus and seeded changes of both; hunt.c lets libFuzzer look
 * for bytes that lead where none led before. A crash, a sanitizer's report or a broken promise
 * (must) ends the process. */

struct target {
    const char *name; /* of its folders seeds/NAME and corpus/NAME */
    void (*run)(const uint8_t *bytes, size_t length);
};

extern const struct target targets[]; /* ends with name NULL */

void target_cell(const uint8_t *bytes, size_t length);
void target_connection(const uint8_t *bytes, size_t length);
void target_frames(const uint8_t *bytes, size_t length);
void target_journal(const uint8_t *bytes, size_t length);
void target_relay(const uint8_t *bytes, size_t length);
void target_request(const uint8_t *bytes, size_t length);

/* A promise that must hold for all bytes. */
#define must(condition) ((condition) ? (void)0 : targets_broken(#condition, __FILE__, __LINE__))
_Noreturn void targets_broken(const char *what, const char *file, int line);

/* A copy in a block of its own: one byte read too far is seen by AddressSanitizer. */
char *targets_copy(struct arena *arena, const void *bytes, size_t length);

/* The next piece of `rest`, which ends at `mark` or at the end; `rest` moves behind it. Returns
 * 0 when none is left. */
int targets_piece(struct frame *rest, char mark, struct frame *piece);

/* Whether it is a JSON object to libjansson, or would be but for what JSON allows and it does
 * not: numbers beyond its types, NUL in a key, half of a character. */
bool targets_json(struct frame frame);

/* A number that depends on all bytes alone. */
uint64_t targets_number(const void *bytes, size_t length);

#endif
