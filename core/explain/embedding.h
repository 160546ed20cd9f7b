#ifndef CORE_EXPLAIN_EMBEDDING_H
#define CORE_EXPLAIN_EMBEDDING_H

#include "core/model/model.h"

/* embedding: vectors that a model has for tokens, words and texts, each a row, to be mapped or
 * compared.
 *
 * A token's is its row of the table of word embeddings, before any layer. A word's or text's
 * `state` is read from the residual stream while the model reads it: the input of block l, or
 * what its head gets (after the final norm) where no layer is given. A text's is pooled from
 * those of its tokens, special ones included, as sentence-transformers does (Reimers and
 * Gurevych 2019, arXiv:1908.10084). */

enum { EMBEDDING_LAST = -1 }; /* the layer: what the head gets */

enum embedding_pool {
    EMBEDDING_MEAN,  /* of all tokens */
    EMBEDDING_FIRST, /* [CLS] */
    EMBEDDING_END,   /* the last token */
    EMBEDDING_MOST   /* the largest of each dimension */
};

struct embedding_text {
    const char *bytes; /* UTF-8 */
    size_t length;
};

struct embedding {
    int64_t n;
    struct tensor *vectors; /* [n, C] */
    const char **labels;    /* [n] what each row is of, as a person reads it */
    int32_t *of;            /* [n] which text a row belongs to */
    int32_t *ids;           /* [n] of tokens; NULL of texts */
    int64_t cut;            /* texts longer than what is read of one, which lost their end */
    int64_t most;           /* tokens that are read of a text; 0: all */
};

/* How vectors are read. */
struct embedding_reading {
    int64_t layer; /* 0 .. layers, or EMBEDDING_LAST */
    enum embedding_pool pool;
    int64_t most; /* tokens of a text, special ones included; 0: as many as the context holds */
    void (*progress)(void *arg, int64_t done, int64_t of); /* in texts; NULL: nobody asks */
    void *arg;
};

/* Sets `pool` and `most` to what the model's folder says of its sentences, as
 * sentence-transformers reads it: 1_Pooling/config.json, else the mean; max_seq_length of
 * sentence_bert_config.json, else the context. ERR_UNSUPPORTED for a pooling that is not among
 * those above, ERR_FORMAT for a length that is none. */
int embedding_recipe(struct arena *arena, const struct model *model,
                     struct embedding_reading *how, struct err *err);

/* Whole words of the vocabulary that begin with a letter and have at least two characters (or,
 * in a Chinese vocabulary, one), the first `most` in its order, which in most vocabularies is
 * by frequency; `most` 0: all. Rows of the table. */
struct embedding *embedding_vocabulary(struct arena *arena, const struct model *model,
                                       int64_t most, struct err *err);

/* A vector for each text without any context: the mean of its tokens' rows of the table,
 * special tokens left out. A word is read as it stands inside a text (behind a blank) where
 * that makes it fewer tokens. */
struct embedding *embedding_words(struct arena *arena, const struct model *model,
                                  const struct embedding_text *texts, int64_t n,
                                  struct err *err);

/* One vector of length 1 for each text. Of one that is too long its end is not read, but for
 * the special tokens that close it. ERR_OPTION for a layer that is not there. */
struct embedding *embedding_texts(struct arena *arena, const struct model *model,
                                  const struct embedding_text *texts, int64_t n,
                                  const struct embedding_reading *how, struct err *err);

/* The state of every token of the texts, special ones left out; `pool` is not asked for. */
struct embedding *embedding_states(struct arena *arena, const struct model *model,
                                   const struct embedding_text *texts, int64_t n,
                                   const struct embedding_reading *how, struct err *err);

/* The finding, and behind it how many texts were cut and where; itself if none was. */
const char *embedding_cut_told(struct arena *arena, const struct embedding *embedding,
                               const char *finding, bool zh);

/* a b / (|a| |b|), in float64; 0 where one is the zero vector. */
double embedding_cosine(const float *a, const float *b, int64_t width);

#endif
