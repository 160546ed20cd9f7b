#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "core/result/result.h"

/* sample: an attention result as the engine makes them: rows sum to 1, some heads look at the
 * neighbour, some at the first token, some everywhere. layers = 0: one matrix [tokens, tokens].
 * The labels repeat as often as is needed; NULL: none. */
struct result *sample_attention(struct arena *arena, int64_t layers, int64_t heads,
                                int64_t tokens, const char *const *labels, int64_t label_count);

/* 16 tokens of English; 8 of Chinese. */
extern const char *const sample_english[16], *const sample_chinese[8];

#endif
