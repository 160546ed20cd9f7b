#ifndef CORE_TEXT_POST_H
#define CORE_TEXT_POST_H

#include "core/base/jsontree.h"
#include "core/text/tokenizer.h"

/* post: what is put around the tokens of a text or of a pair ([CLS] ... [SEP] ...), their type
 * ids, and the blanks that byte-level offsets leave out.
 *
 * Types known: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence.
 */

struct post_item {
    int32_t id;   /* of a special token; -1: a text */
    int32_t type; /* type id of what stands here */
    bool second;  /* the text is the pair's */
};

struct post_template {
    struct post_item *items;
    int64_t count;
};

/* Offsets leave out blanks at both ends of a token; `prefix_space`: but not the one that was
 * put in front of everything. */
struct post_trim {
    bool prefix_space;
};

enum { POST_TRIMS = 4 };

struct post {
    struct post_template single, pair;
    struct post_trim trims[POST_TRIMS]; /* one after the other */
    int trim_count;
};

/* From the "post_processor" section; of null or absent, the one that only joins. */
struct post *post_read(struct arena *arena, const struct json *section, const char *file,
                       struct err *err);

/* The one that puts `begin` in front and `end` behind every text, -1: nothing. */
struct post *post_around(struct arena *arena, int32_t begin, int32_t end, bool trim);

/* BERT's: `begin` is not put in front of the second text. */
struct post *post_bert(struct arena *arena, int32_t begin, int32_t end);

/* Joins the tokens of a text and of its pair (NULL: there is none). */
struct encoding *post_join(struct arena *arena, const struct post *post,
                           const struct encoding *text, const struct encoding *pair,
                           bool special);

#endif
