#ifndef CORE_TEXT_NORMALIZE_H
#define CORE_TEXT_NORMALIZE_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/jsontree.h"
#include "core/text/run.h"

/* normalize: the text as the vocabulary spells it, each byte knowing where it came from.
 *
 * Types known: BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled,
 * Prepend, Replace, Strip, StripAccents and Sequence of them. A character that became
 * several hands its origin to all of them; several that became one hand on the first one's, as
 * the tokenizers library has it. */

struct normalizer;

/* From the "normalizer" section; NULL without an error if it is null or absent. */
struct normalizer *normalize_read(struct arena *arena, const struct json *section,
                                  const char *file, struct err *err);

/* SentencePiece's, for GGUF: `map` (may be NULL), then, if `remove_blanks`, the blanks at both
 * ends go and of several in a row one stays. */
struct charsmap;
struct normalizer *normalize_sentencepiece(struct arena *arena, const struct charsmap *map,
                                           bool remove_blanks, const char *file,
                                           struct err *err);

/* The run itself if nothing changes; else a new one in the arena. NULL is allowed. */
struct run normalize_run(struct arena *arena, const struct normalizer *normalizer,
                         struct run run);

#endif
