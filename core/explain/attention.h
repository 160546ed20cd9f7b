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
 * Between words: the weight from word a to word b is the sum over b's tokens of the mean over a's
 * tokens (Clark and others 2019, arXiv:1906.04341, section 4.1), so that rows still sum to 1.
 *
 *     result "attention" [layers, heads, T, T], axes layer, head, query, key. */

struct attention_request {
    const int64_t *layers, *heads; /* indices to show */
    int64_t layer_count, head_count;
    bool words;                    /* --unit word */
};

struct result *attention(struct arena *arena, const struct model *model, const char *handle,
                         const char *text, size_t length,
                         const struct attention_request *request, struct err *err);

#endif
