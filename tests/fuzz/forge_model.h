#ifndef TESTS_FUZZ_FORGE_MODEL_H
#define TESTS_FUZZ_FORGE_MODEL_H

#include "core/model/model.h"
#include "tests/fuzz/dice.h"
#include "tests/fuzz/forge_gguf.h"
#include "tests/fuzz/forge_safetensors.h"

/* forge_model: small whole models of every architecture in the table (ARCHES), made by asking.
 *
 * A configuration with random sizes and options is opened together with weights that are not
 * there yet: each tensor that the architecture then looks for is noted with its shape, and that
 * list is the model. So an architecture that joins the table joins the fuzzing. */

enum { FORGE_DATA = 400000 }; /* bytes of a model's data at most */

struct forge_model {
    const char *type; /* "bert" */
    bool gguf;
    const char *config; /* config.json; NULL for GGUF */
    int64_t vocab;
    int64_t count;
    struct tensor *tensors;  /* names, types and shapes, no data */
    struct forge_gguf *keys; /* a GGUF file's metadata */
};

/* Numbers for tensors: half of them small floats, half any bytes. [FORGE_DATA + 16] */
const void *forge_model_data(void);

/* A model that opens and runs; `number` says which. Without an architecture that can be had in
 * this form, or if none of many tries opens, the process ends with a sentence. */
const struct forge_model *forge_model(struct arena *arena, bool gguf, uint64_t number);

/* A copy with one change in its list of tensors: one is missing, renamed, there twice, of
 * another type or shape. A file made of it is in order; the model is not. */
const struct forge_model *forge_model_damaged(struct arena *arena, struct dice *dice,
                                              const struct forge_model *model);

/* Its file, to be damaged further. */
struct forge_safetensors *forge_model_header(struct arena *arena,
                                             const struct forge_model *model);
struct forge_gguf *forge_model_gguf(struct arena *arena, const struct forge_model *model);

/* What a user does with a model that opened: tokenizes, and runs a pass over a few tokens with
 * all that it has to show, as the dice have it. */
bool forge_model_use(struct arena *arena, struct dice *dice, const struct model *model,
                     struct err *err);

#endif
