#ifndef TESTS_LARGE_H
#define TESTS_LARGE_H

#include "core/base/arena.h"

/* large: models of billions of weights that take kilobytes on the disk: sparse files, all zero
 * but for their headers. */

struct large {
    int64_t layers, heads, width, inner, vocab;
};

/* Llama-2-7B: 6,738,415,616 parameters. */
extern const struct large large_llama7b;

/* A folder with config.json and that many shards in F16, about equally large. */
void large_folder(const char *folder, const struct large *large, int shards);

/* A GGUF file in Q4_K. */
void large_gguf(const char *path, const struct large *large);

#endif
