#ifndef CORE_TEXT_SPLIT_H
#define CORE_TEXT_SPLIT_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/jsontree.h"
#include "core/text/run.h"

/* split: text cut into the pieces that the model looks at one by one (pre-tokenizers).
 *
 * Types known: BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace,
 * Punctuation, Split, UnicodeScripts, Whitespace, WhitespaceSplit and Sequence of them. The
 * patterns of most models are functions (core/text/ends.h) that find a piece in one pass, so a
 * run of a million blanks or letters takes no longer than other text; the others are regular
 * expressions (core/text/pattern.h). */

struct split_piece {
    uint32_t begin, end; /* bytes of the run */
};

struct split {
    struct run run; /* what the pieces are of; a pre-tokenizer may have changed it */
    struct split_piece *pieces;
    int64_t count;
};

struct splitter;

/* From the "pre_tokenizer" section; NULL without an error if it is null or absent. */
struct splitter *split_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err);

/* By the name that GGUF files give ("smollm", "gpt-2" ...); NULL with ERR_UNSUPPORTED. */
struct splitter *split_named(struct arena *arena, const char *name, const char *file,
                             struct err *err);

/* BERT's, for GGUF. */
struct splitter *split_bert(struct arena *arena);

/* Whether one of its steps is ByteLevel: the vocabulary is spelled with the byte alphabet. */
bool split_is_byte_level(const struct splitter *splitter);

/* Whether the last step leaves the alphabet's letters, or no ByteLevel at all. */
bool split_spells(const struct splitter *splitter);

/* After ByteLevel as the last step pieces are the text's own bytes, and the model is to think
 * of the alphabet itself. This makes such a step spell the letters instead. */
void split_spell(struct splitter *splitter);

/* Cuts the run; NULL makes one piece. No piece is empty. */
struct split split_run(struct arena *arena, const struct splitter *splitter, struct run run);

#endif
