#ifndef CORE_TEXT_PIPELINE_H
#define CORE_TEXT_PIPELINE_H

#include "core/text/added.h"
#include "core/text/bpe.h"
#include "core/text/charsmap.h"
#include "core/text/decode.h"
#include "core/text/normalize.h"
#include "core/text/post.h"
#include "core/text/split.h"
#include "core/text/unigram.h"
#include "core/text/wordpiece.h"

/* pipeline: what a tokenizer is made of, for the files of this room. A text goes through added
 * tokens, normalizer, splitter, model and post, ids come back through the decoder. */

enum pipeline_model { PIPELINE_WORDPIECE, PIPELINE_BPE, PIPELINE_WORDLEVEL, PIPELINE_UNIGRAM };

struct tokenizer {
    enum pipeline_model model;
    struct vocab *vocab; /* the model's own */
    struct wordpiece wordpiece;
    struct bpe bpe;
    struct unigram unigram;
    int32_t unknown; /* WordLevel's token for a piece that is not in the vocabulary; -1: none */
    bool parts;      /* whether bpe_parts_at_marks */
    struct added *added;
    struct vocab *added_vocab; /* spellings of added tokens */
    struct normalizer *normalizer;
    struct splitter *splitter;
    struct post *post;
    struct decoder *decoder;
    struct vocab_word *words;   /* [size] all spellings by id, id -1: none */
    struct vocab_word *decoded; /* [size] the same as decoding sees them */
    bool *special; /* [size] by id: left out when decoding without special tokens */
    int64_t size;
};

/* Joins vocabulary and added tokens (in any order; those with id -1 get the next free ids) once
 * all else is set. */
int pipeline_finish(struct arena *arena, struct tokenizer *tokenizer, struct added_token *added,
                    int64_t count, const char *file, struct err *err);

/* Fills bpe.bytes and bpe.byte_level, once the splitter and the rest of bpe are set. Pieces
 * stay the text's own bytes where every byte has its letter in the vocabulary and nothing is
 * put around letters; else the splitter spells them. */
void pipeline_bytes(struct tokenizer *tokenizer);

/* Whether the id is an added token's. */
bool pipeline_is_added(const struct tokenizer *tokenizer, int32_t id);

#endif
