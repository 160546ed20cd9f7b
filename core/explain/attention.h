#ifndef CORE_EXPLAIN_ATTENTION_H
#define CORE_EXPLAIN_ATTENTION_H

#include "core/model/model.h"
#include "core/result/result.h"
#include "core/text/words.h"

/* attention: where each head looks: the attention pattern (softmax weights) itself.
 *
 * Source: Vaswani and others 2017, arXiv:1706.03762, section 3.2. What it shows is where a head
 * reads from, not why the model answers as it does (Jain and Wallace 2019, arXiv:1902.10186).
 *
 * Between words: the weight from word a to word b is the sum over b's tokens of the mean over
 * a's tokens (Clark and others 2019, arXiv:1906.04341, section 4.1), so that rows still sum
 * to 1.
 *
 *     result "attention" [layers, heads, T, T], axes layer, head, query, key; then the scores
 *     of every head [layers, heads] (headscores.h).
 *
 * An encoder-decoder has three kinds: its encoder's, its decoder's among the tokens written so
 * far [layers, heads, U, U], and the decoder's on the source [layers, heads, U, T]. The decoder
 * reads its start token and then the target. */

enum attention_of { ATTENTION_OF_TEXT, ATTENTION_OF_DECODER, ATTENTION_OF_CROSS };

struct attention_request {
    const int64_t *layers, *heads; /* indices to show */
    int64_t layer_count, head_count;
    bool words;           /* --unit word */
    const char *language; /* of title, finding and caption: "zh"; else English */
    enum attention_of of;
    const char *target; /* what the decoder reads; NULL: its start token alone */
    size_t target_length;
};

/* Refuses, with the reason, a model that has no such attention. */
int attention_check(const struct model *model, enum attention_of of, struct err *err);

/* Runs the model on the text (special tokens added). Labels are tokens as people read them, or
 * words. ERR_TEXT: empty, no UTF-8, longer than the model's context (both numbers). Everything
 * is in the arena; beside the result only one layer's patterns are held at a time. */
struct result *attention(struct arena *arena, const struct model *model, const char *handle,
                         const char *text, size_t length,
                         const struct attention_request *request, struct err *err);

/* A part of such a result, with what is said about it said anew. The request's indices are
 * positions on the result's own axes. Borrows from `whole`. */
struct result *attention_narrow(struct arena *arena, const struct result *whole,
                                const struct attention_request *request);

/* The rule for words above, for one head: [tokens of `from`, tokens of `to`] -> [words, words].
 */
void attention_join(const float *tokens, const struct words *from, const struct words *to,
                    float *joined);

/* Mean weight that a head [n, n] puts where a well-known kind of head looks, over the rows that
 * have such a place: the token before (rows 1..), the token after (rows ..n-2), itself and the
 * first token (rows 1..; in a causal model row 0 has no choice). */
enum attention_kind { ATTENTION_PREVIOUS, ATTENTION_NEXT, ATTENTION_SELF, ATTENTION_FIRST };
double attention_pattern(const float *head, int64_t n, enum attention_kind kind);

#endif
