#ifndef TESTS_FUZZ_TRIAL_H
#define TESTS_FUZZ_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

/* trial: one input from its number. A small valid file is made, damaged by changes that know
 * its format (one in eight stays whole and must work), opened as a user would, and used:
 * tokens, words, a pass over a few tokens with all that it keeps. */

enum trial_kind { TRIAL_SAFETENSORS, TRIAL_GGUF, TRIAL_TOKENIZER, TRIAL_CONFIG, TRIAL_KINDS };

struct trial {
    bool whole; /* not damaged */
    bool opened, ran;
    int64_t size;    /* bytes of the damaged file */
    struct err err;  /* why it was refused */
    const char *bad; /* what the engine did wrong: success with an error, a refusal without one
                        or without the file's name, more memory than the file accounts for.
                        NULL: nothing */
};

const char *trial_name(enum trial_kind kind);

/* Makes and reads input `number`. A wrong access ends the process. */
struct trial trial_run(enum trial_kind kind, uint64_t number);

#endif
