#ifndef CORE_TEXT_SPLIT_H
#define CORE_TEXT_SPLIT_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/jsontree.h"
#include "core/text/run.h"

/* split: text cut into the pieces that the model looks at one by one (pre-tokenizers).
 *
 * Types known: BertPreTokenizer, ByteLevel, Digits, Metaspace, Split by a plain string or by
 * the patterns named in split.c, WhitespaceSplit and Sequence of them. Patterns are not run by
 * a regular-expression engine: each known one is a function that finds the end of the piece
 * that begins at a place, in one pass and without going back, so a run of a million blanks or
 * letters takes no longer than other text. */

struct split_piece {
    uint32_t begin, end; /* bytes of the run */
};

struct split {
    struct run run; /* what the pieces are of; a pre-tokenizer may have changed it */
    struct split_piece *pieces;
    int64_t count;
    bool byte_level; /* the pieces are raw bytes that ByteLevel would spell with its alphabet */
};

struct splitter;

/* From the "pre_tokenizer" section; NULL without an error if it is null or absent. */
struct splitter *split_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err);

/* By the name that GGUF files give ("smollm", "gpt-2" ...); NULL with ERR_UNSUPPORTED. */
struct splitter *split_named(struct arena *arena, const char *name, const char *file,
                             struct err *err);

/* Whether one of its steps is ByteLevel. */
bool split_is_byte_level(const struct splitter *splitter);

/* Cuts the run; NULL makes one piece. No piece is empty. */
struct split split_run(struct arena *arena, const struct splitter *splitter, struct run run);

#endif
