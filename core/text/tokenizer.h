#ifndef CORE_TEXT_TOKENIZER_H
#define CORE_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* tokenizer: text to token ids and back, equal to the Hugging Face `tokenizers` library to the
 * id and to the offset, in time linear in the text.
 *
 * Reads tokenizer.json (normalizer, pre_tokenizer, model, post_processor, decoder, added
 * tokens; its truncation and padding settings are ignored). Const after reading; may be used by
 * threads. */

struct tokenizer;

struct token {
    int32_t id;
    int32_t
        type; /* the post-processor's type id: mostly 0, and 1 in the second text of a pair */
    int64_t begin,
        end;      /* bytes of the text it came from, whole characters (of the pair's own text
                     where `second`); begin == end for special tokens that were added */
    bool special; /* added by the post-processor: [CLS], [SEP], <s> */
    bool added;   /* found in the text as an added token: a typed [MASK], <|im_start|> */
    bool second;  /* from the second text of a pair */
};

struct encoding {
    int64_t count;
    struct token *tokens; /* [count] */
};

/* From the bytes of a tokenizer.json; `file` is its name for messages. */
struct tokenizer *tokenizer_read(struct arena *arena, const void *bytes, size_t length,
                                 const char *file, struct err *err);

/* From the arrays of a GGUF file's metadata (core/model/gguf_tokenizer.c fills this). */
struct tokenizer_piece {
    const char *bytes; /* not terminated; lives as long as the tokenizer */
    size_t length;
};
struct tokenizer_parts {
    const char *model; /* tokenizer.ggml.model: "gpt2", "llama", "t5" or "bert" */
    const char
        *pre; /* tokenizer.ggml.pre: the pre-tokeniser's name, "smollm" ...; "" if absent */
    int64_t count;
    const struct tokenizer_piece *pieces; /* [count] spellings */
    const int32_t
        *types; /* [count] 1 normal, 2 unknown, 3 control, 4 user, 6 byte; NULL: all 1 */
    const float *scores; /* [count] or NULL */
    int64_t merge_count;
    const struct tokenizer_piece *merges; /* "left right" */
    int32_t bos, eos, unknown;            /* -1: none */
    bool add_bos, add_eos;
    bool add_space_prefix; /* of "llama" and "t5": a blank is put in front of every text */
    bool remove_blanks;    /* of "t5": all but one of several blanks, and those at the ends */
    const void *charsmap;  /* of "t5": what becomes what (core/text/charsmap.h) */
    size_t charsmap_size;  /* bytes; 0: there is none */
};
struct tokenizer *tokenizer_make(struct arena *arena, const struct tokenizer_parts *parts,
                                 const char *file, struct err *err);

/* `pair` may be NULL. `special`: whether the post-processor adds its tokens. Text must be UTF-8
 * (ERR_TEXT names the byte otherwise). */
struct encoding *tokenizer_encode(struct arena *arena, const struct tokenizer *tokenizer,
                                  const char *text, size_t length, const char *pair,
                                  size_t pair_length, bool special, struct err *err);

/* Terminated; *length may be NULL. Unknown ids are left out. */
char *tokenizer_decode(struct arena *arena, const struct tokenizer *tokenizer,
                       const int32_t *ids, int64_t n, bool skip_special, size_t *length);

int64_t
tokenizer_size(const struct tokenizer *tokenizer); /* largest id + 1, added tokens included */

/* The vocabulary's own spelling ("Ġcat", "##ing"); NULL if there is no such id. */
const char *tokenizer_spelling(const struct tokenizer *tokenizer, int32_t id);

/* The id of a spelling, -1 if there is none. */
int32_t tokenizer_id(const struct tokenizer *tokenizer, const char *spelling);

/* How a person should see a token in a label: "cat", "##ing", "␣the" with a leading space shown
 * as U+2423, newlines as ⏎, bytes that are no whole character as <0xE7>. Never empty. */
const char *tokenizer_label(struct arena *arena, const struct tokenizer *tokenizer, int32_t id);

/* "WordPiece" or "BPE" ...; for %model info. */
const char *tokenizer_kind(const struct tokenizer *tokenizer);

#endif
