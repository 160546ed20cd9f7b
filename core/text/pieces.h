#ifndef CORE_TEXT_PIECES_H
#define CORE_TEXT_PIECES_H

#include "core/text/tokenizer.h"

/* pieces: how a person should see the tokens of one text, in pictures and tables.
 *
 * As tokenizer_label, but tokens that are pieces of one character show that character with a
 * small number: a byte-level vocabulary that cuts 猫 into three tokens gives 猫₁ 猫₂ 猫₃, where
 * the tokens alone could only say <0xE7>, <0x8C>, <0xAB>. Returns [encoding->count] terminated
 * texts in the arena. `text` is the encoding's (its first text, of a pair). */
const char **pieces_labels(struct arena *arena, const struct tokenizer *tokenizer,
                           const struct encoding *encoding, const char *text);

/* The same of tokens that a model wrote one after another, `taken` [n], and of what it might
 * have written in place of each, `others` [n, k]: of those the ones that finish the character
 * which the tokens before them began. `labels` [n] and `names` [n, k] are filled. */
void pieces_written(struct arena *arena, const struct tokenizer *tokenizer,
                    const int32_t *taken, int64_t n, const int32_t *others, int64_t k,
                    const char **labels, const char **names);

#endif
