#ifndef CORE_EXPLAIN_TOKENIZATION_H
#define CORE_EXPLAIN_TOKENIZATION_H

#include "core/model/model.h"
#include "core/result/result.h"

/* tokenization: how a model cuts a text into tokens.
 *
 *     result "tokens", along the axis "token" (labels: as people read them)
 *     id        in the vocabulary
 *     span      [tokens, 2] first byte and the one behind the last; equal for added tokens
 *     spelling  names: the vocabulary's own
 *     word      which word a token belongs to (core/text/words.h); names: the words
 *     special   1 for tokens that were added to the text ([CLS])
 *
 * `language` "zh", else English. ERR_TEXT: not UTF-8; ERR_UNSUPPORTED: no tokenizer. */
struct result *tokenization(struct arena *arena, const struct model *model, const char *handle,
                            const char *text, size_t length, const char *language,
                            struct err *err);

/* Several models' tokenizers on one text. Tokens of two tokenizers cannot be compared one by
 * one, bytes a token can: fewer tokens for the same bytes is a better fit of vocabulary to text
 * (Rust and others 2021, arXiv:2012.15613, call tokens a word "fertility").
 *
 *     result "tracks", along the axis "model"
 *     tokens, special, bytes per token (without special ones), tokens per word, vocabulary
 *
 * and for model number i "id i" [tokens] and "span i" [tokens, 2] as above. */
struct tokenization_reader {
    const struct model *model;
    const char *handle;
};
struct result *tokenization_compare(struct arena *arena,
                                    const struct tokenization_reader *readers, int64_t count,
                                    const char *text, size_t length, const char *language,
                                    struct err *err);

#endif
