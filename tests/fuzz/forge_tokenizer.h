#ifndef TESTS_FUZZ_FORGE_TOKENIZER_H
#define TESTS_FUZZ_FORGE_TOKENIZER_H

#include "core/base/jsontree.h"
#include "core/text/tokenizer.h"
#include "tests/fuzz/dice.h"
#include "tests/fuzz/forge_gguf.h"

/* forge_tokenizer: small tokenizer.json files of every kind, and the same in GGUF metadata. */

/* A tree of one tokenizer.json: any model, with normalizers, pre-tokenizers, post-processors,
 * decoders and added tokens as the dice have them. */
struct json *forge_tokenizer_json(struct arena *arena, struct dice *dice);

/* Metadata of a tokenizer with `count` tokens. */
void forge_tokenizer_gguf(struct forge_gguf *g, struct dice *dice, int64_t count);

/* What a user does with it: encodes texts (and pairs) of all kinds, looks at words, labels and
 * offsets, decodes them and ids that nobody gave it. False with an error if something that must
 * hold does not: ids within the size, offsets within the text. */
bool forge_tokenizer_use(struct arena *arena, struct dice *dice,
                         const struct tokenizer *tokenizer, struct err *err);

#endif
