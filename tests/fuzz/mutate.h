#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <stdint.h>

#include "core/base/arena.h"

/* mutate: damaged model files, made from small good ones by changes that know the format:
 * numbers become boundary values, texts are swapped for others that stand in the file, parts
 * are cut, doubled or exchanged, bytes flipped. The same number makes the same file. */

enum mutate_kind { MUTATE_SAFETENSORS, MUTATE_GGUF, MUTATE_CONFIG, MUTATE_KINDS };

const char *mutate_name(enum mutate_kind kind);

/* Makes damaged file number `number` (0: the good one), reads it with its bytes at the end of a
 * page that must not be touched, and looks at all that was read. A wrong access ends the
 * process. Returns NULL if the reader kept its word, or what it did wrong: success for number 0
 * alone is required; a refusal must have a kind and a sentence that names the file. `folder`:
 * for files that are read by path. */
const char *mutate_try(struct arena *arena, const char *folder, enum mutate_kind kind,
                       uint64_t number);

#endif
