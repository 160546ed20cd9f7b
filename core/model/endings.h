#ifndef CORE_MODEL_ENDINGS_H
#define CORE_MODEL_ENDINGS_H

#include "core/model/config.h"

/* endings: the tokens with which a model ends what it writes.
 *
 * In folders they are eos_token_id of generation_config.json, a number or a list of them, else
 * that of config.json; in GGUF the tokens eos, eot and eom that tokenizer.ggml names. */

enum { ENDINGS_MOST = 64 };

struct endings {
    int64_t count; /* 0: it never ends by itself */
    int32_t ids[ENDINGS_MOST];
};

/* `path` is the model's. ERR_FORMAT: a generation_config.json that is none, ids that are no
 * whole numbers, more than ENDINGS_MOST of them. */
struct endings *endings_read(struct arena *arena, const struct config *config, const char *path,
                             struct err *err);

bool endings_hold(const struct endings *endings, int64_t id);

#endif
