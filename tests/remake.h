#ifndef TESTS_REMAKE_H
#define TESTS_REMAKE_H

#include "core/model/model.h"

/* remake: a fixture's weights (float32), some of them changed, with another configuration: to
 * see what one setting does. */

enum { REMAKE_MOST = 200 };

struct remake {
    struct arena *arena;
    int64_t count;
    const struct tensor *tensors[REMAKE_MOST]; /* each with its name */
};

/* The weights of golden/data/models/NAME. */
struct remake *remake_new(struct arena *arena, const char *name);

/* A copy of that tensor to write into, in the file's place; the first call of a name counts. */
struct tensor *remake_own(struct remake *remake, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A new tensor of zeros; `columns` 0: a vector. Takes the place of one of that name. */
struct tensor *remake_add(struct remake *remake, int64_t rows, int64_t columns,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Without all tensors whose names hold that part. */
void remake_drop(struct remake *remake, const char *part);
void remake_fill(struct tensor *tensor, float value);

/* Writes the model with that config.json into a folder and opens it. */
struct model *remake_open(const struct remake *remake, const char *config, struct err *err);

/* The same where nothing may go wrong, run on ids (batch 1) with all values kept. */
const struct trace *remake_run(const struct remake *remake, const char *config,
                               const int32_t *ids, int64_t tokens);

/* The fixture NAME with that config.json is refused, by a sentence that holds both parts. */
void remake_refused(const char *name, const char *config, enum err_kind kind, const char *part,
                    const char *other);

/* That two runs gave the same at a site of a layer, but for rounding: |a - b| <= 1e-4 + 1e-4
 * |b|; and that they did not. */
void remake_same(const struct trace *a, const struct trace *b, enum site site, int64_t layer);
void remake_differs(const struct trace *a, const struct trace *b, enum site site,
                    int64_t layer);

#endif
