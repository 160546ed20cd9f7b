#ifndef CORE_EXPLAIN_EXAMPLES_H
#define CORE_EXPLAIN_EXAMPLES_H

#include "core/model/model.h"

/* examples: texts as a model is trained on them: ids, and at every row of logits the label that
 * the loss compares it with.
 *
 *     causal-lm       the next token of the same text
 *     masked-lm       the token itself at places that are replaced by the mask: 15 % of them,
 *                     drawn with the seed, at least one in a text (Devlin et al. 2019,
 *                     arXiv:1810.04805, without their random and unchanged tokens); in a text
 *                     that has masks none is scored, as its right words are not known
 *     seq2seq-lm      "source >> target": the target's tokens, one by one
 *     classification  "text >> class": the class, by name or number; without one none is scored
 *
 * The same texts serve a target in place of the loss: `at` is the row that it is read from.
 * Texts are padded on the right into batches of a size that depends on the texts and the
 * vocabulary alone. */

struct example_text {
    const char *bytes;
    size_t length;
};

struct examples {
    int64_t batch, tokens;
    int32_t *ids, *types;   /* [batch, tokens]; types NULL: all 0 */
    uint8_t *mask;          /* [batch, tokens]; NULL: nothing is padding */
    int64_t decoder_tokens; /* 0: no decoder */
    int32_t *decoder_ids;   /* [batch, decoder_tokens] */
    int64_t rows;           /* of logits */
    int32_t *labels;        /* [rows]; QUESTION_NONE: not scored */
    int64_t scored;         /* labels that are some */
    int64_t *at;            /* [batch] row of each text's last token, or of its mask; a
                               classifier's own row */
    int64_t *lengths;       /* [batch] tokens of each text */
    const char **pieces;    /* [lengths[0]] the first text's tokens, as people read them */
};

struct examples_request {
    const struct example_text *texts;
    int64_t count;
    uint64_t seed;
    bool target; /* for a logit: nothing is masked */
};

/* Batches of all texts; *count of them. NULL with ERR_TEXT, whose *bad is the text meant (-1:
 * none): empty, too long, a class that is not there, no target after >>, no mask for --target.
 * ERR_UNSUPPORTED for a model that has no loss: what to do instead. */
struct examples *examples_read(struct arena *arena, const struct model *model,
                               const struct examples_request *request, int64_t *count,
                               int64_t *bad, struct err *err);

/* The token (or class) that a word means, as core/explain/target.h reads it; of a token with
 * and without a blank before it the one with. A class's number needs no #. -1 with ERR_OPTION:
 * what it is instead; a word of several tokens is none. */
int64_t examples_target(struct arena *arena, const struct model *model, const char *word,
                        struct err *err);

#endif
