#ifndef TESTS_FUZZ_FORGE_SAFETENSORS_H
#define TESTS_FUZZ_FORGE_SAFETENSORS_H

#include "core/base/buf.h"
#include "core/base/jsontree.h"
#include "tests/fuzz/dice.h"

/* forge_safetensors: safetensors files, with a header that may lie. */

struct forge_safetensors {
    struct arena *arena;
    struct json *header;
    int64_t data_size; /* bytes */
};

struct forge_safetensors *forge_safetensors_new(struct arena *arena);

/* A tensor behind the last one; `dtype` as the format spells it, `bytes` of its data. */
void forge_safetensors_tensor(struct forge_safetensors *s, const char *name, const char *dtype,
                              int rank, const int64_t *shape, int64_t bytes);

/* One change that knows the format. */
void forge_safetensors_damage(struct forge_safetensors *s, struct dice *dice);

/* The file; its data are the first data_size bytes of `data`. */
struct buf *forge_safetensors_bytes(const struct forge_safetensors *s, const void *data);

/* Makes the header's length true again for a file whose last `data_size` bytes are data. */
void forge_safetensors_mend(struct buf *bytes, int64_t data_size);

#endif
