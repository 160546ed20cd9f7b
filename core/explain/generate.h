#ifndef CORE_EXPLAIN_GENERATE_H
#define CORE_EXPLAIN_GENERATE_H

#include "core/explain/reading.h"
#include "core/explain/sampler.h"
#include "core/result/result.h"

/* generate: a text that a model writes on, token by token, and what else it might have said.
 *
 * Each step's alternatives are told with the model's own probabilities (temperature 1, nothing
 * left out), whatever they were drawn with:
 *
 *     result "choices": "probability" [steps, k], names: tokens, rows labelled by the token
 *     taken; "chosen" [steps] its place in the row (-1: not among them), "chosen probability"
 *     [steps] and "id" [steps].
 */

enum generate_end { GENERATE_MOST, GENERATE_END, GENERATE_STOP, GENERATE_FULL, GENERATE_HALT };

struct generate_request {
    struct sampler sampler;
    int64_t seed;
    int64_t most;     /* tokens */
    int64_t top;      /* alternatives to tell, at most */
    const char *stop; /* writing ends before this text; NULL: nowhere */
    bool turn;        /* a chat: writing ends where the model's turn does */
    const char *language;
    /* Told the text as it grows, whole characters of UTF-8. */
    void (*write)(void *arg, const char *bytes, size_t length);
    void *write_arg;
};

/* Refuses, in one sentence, what does not write. */
int generate_check(const struct model *model, const char *handle, struct err *err);

/* Writes on from `reading` (of `text`, for the result). At an interrupt what is written so far
 * is the result (before the first token the interrupt goes on); one that comes later is held
 * until the result is there. *end says why it ended. Everything is in the arena. */
struct result *generate(struct arena *arena, const struct model *model, const char *handle,
                        const char *text, const struct reading *reading,
                        const struct generate_request *request, enum generate_end *end,
                        struct err *err);

#endif
