#ifndef CORE_EXPLAIN_SURPRISAL_H
#define CORE_EXPLAIN_SURPRISAL_H

#include "core/model/model.h"

/* surprisal: how little a model expected each token of a text.
 *
 *     surprisal of token t = -log p(token t | the tokens before it)
 *
 * In bits (log to base 2) it is how many yes-or-no answers the model lacked. Source: Shannon
 * 1948; as a measure of reading Hale 2001 and Levy 2008, doi:10.1016/j.cognition.2007.05.006.
 * The first token of a text has nothing before it and does not count, unless the tokenizer, or
 * the user, puts the model's beginning-of-text token (BOS) in front.
 *
 * Texts longer than a window of tokens are read in windows that begin every `stride` tokens; in
 * each only the tokens that no window before it has reached count. Every token but the first
 * window's then has at least window - stride tokens before it. Where stride is the window, the
 * first token of each window does not count.
 * A long window is read in pieces of 512 tokens, each from the keys and values of those before
 * it (512 MB of them at most; else at once): the same numbers, less of which an interrupt
 * loses.
 *
 * A masked model sees both sides: token t is masked and guessed from all others. The sum is the
 * pseudo-log-likelihood of Salazar and others 2020, arXiv:1910.14659, which is no probability
 * of the text; pieces of one word help to guess each other (Kauf and Ivanova 2023,
 * arXiv:2305.10588). It takes one run a token, and texts as long as the model's context.
 *
 *     perplexity     exp(nats / tokens that count): depends on how the tokenizer cuts
 *     bits per byte  bits / bytes of the whole text: compares models whatever their tokenizers
 */

struct surprisal_request {
    int64_t window; /* tokens; 0: the model's context, or all tokens where it has none */
    int64_t stride; /* tokens; 0: half a window */
    bool bos;       /* put the BOS token in front where the tokenizer does not */
    void (*progress)(void *arg, int64_t done, int64_t of); /* tokens; NULL: nobody asks */
    void *progress_arg;
};

struct surprisal {
    const char *text; /* the caller's */
    size_t length;
    struct encoding *encoding; /* BOS included where it was put in front */
    double *nats;              /* [tokens]; 0 where it does not count */
    bool *counted;             /* [tokens] */
    int64_t count;             /* tokens that count */
    double total;              /* their nats */
    int64_t known;             /* tokens looked at; less than all after an interrupt */
    int64_t bytes;             /* of the text up to there */
    int64_t window, stride;    /* as used; stride 0: one window held the whole text */
    bool masked, bos;          /* a masked model; BOS was put in front */
};

/* Refuses, with the reason, a model that gives no probabilities of a text's tokens. */
int surprisal_check(const struct model *model, struct err *err);

/* Everything is in the arena. ERR_TEXT: no text, no token that counts, too long for a masked
 * model. ERR_OPTION: a window or stride that cannot be, or no BOS token. ERR_FORMAT: the model
 * says NaN (and the tensor that has it). An interrupt ends the reading: what was read by then
 * is returned, with known < tokens; one before anything counts goes on to the catch point. */
struct surprisal *surprisal(struct arena *arena, const struct model *model, const char *text,
                            size_t length, const struct surprisal_request *request,
                            struct err *err);

/* The same over given tokens, whatever they are: nats, counted, count, total, known. */
struct surprisal *surprisal_of_ids(struct arena *arena, const struct model *model,
                                   const int32_t *ids, int64_t tokens,
                                   const struct surprisal_request *request, struct err *err);

double surprisal_perplexity(double nats, int64_t count);
double surprisal_bits(double nats);
double surprisal_bits_per_byte(double nats, int64_t bytes);

#endif
