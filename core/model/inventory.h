#ifndef CORE_MODEL_INVENTORY_H
#define CORE_MODEL_INVENTORY_H

#include "core/model/model.h"

/* inventory: what a model is made of: every tensor of its file, which part of the network it is
 * and in which layer.
 *
 * The parts are those that the architecture's own file joined when the model was opened, so
 * nothing is guessed from names. What no run reads (a pooler, masks of old files, a second copy
 * of a tied head) stands at the end. */

enum part {
    PART_WORDS,
    PART_TYPES,
    PART_POSITIONS,
    PART_EMBEDDED_NORM,
    PART_INTO,      /* OPT: from the words' width to the stream's */
    PART_DISTANCES, /* T5: bias of the scores by distance */

    PART_BEFORE_ATTENTION, /* norms */
    PART_QUERY,
    PART_KEY,
    PART_VALUE,
    PART_QUERY_KEY_VALUE, /* all three in one */
    PART_QUERY_NORM,
    PART_KEY_NORM,
    PART_OUTPUT,
    PART_AFTER_ATTENTION,
    PART_BEFORE_CROSS, /* of a decoder that looks at an encoder */
    PART_CROSS_QUERY,
    PART_CROSS_KEY,
    PART_CROSS_VALUE,
    PART_CROSS_OUTPUT,
    PART_BEFORE_MLP,
    PART_GATE,
    PART_UP,
    PART_GATE_AND_UP,
    PART_DOWN,
    PART_AFTER_MLP,

    PART_INPUT, /* recurrent: from the layer below */
    PART_STATE, /* and from the token before */

    PART_FINAL_NORM,
    PART_OUT_OF,
    PART_HEAD_HIDDEN,
    PART_HEAD_NORM,
    PART_HEAD,
    PART_UNREAD, /* in the file, but no run reads it */
    PART_COUNT
};

/* Parts of a kind have one colour. */
enum part_kind {
    PART_OF_EMBEDDING,
    PART_OF_ATTENTION,
    PART_OF_MLP,
    PART_OF_NORM,
    PART_OF_RECURRENCE,
    PART_OF_HEAD,
    PART_OF_NOTHING,
};
enum part_kind part_kind(enum part part);

/* "attention query", "注意力的查询"; `language` "zh", else English. */
const char *part_name(enum part part, const char *language);

struct item {
    const struct tensor *tensor; /* the file's own */
    enum part part;
    bool decoder;  /* of the decoder of an encoder-decoder */
    bool bias;     /* else a weight or a gain */
    bool tied;     /* an item before this one is the same tensor */
    bool counts;   /* among the parameters; see model_counts */
    int64_t layer; /* -1: not in a block */
};

struct inventory {
    int64_t count;
    struct item *items; /* in the order in which a run reads them, block after block */
};

struct inventory *inventory_of(struct arena *arena, const struct model *model);

#endif
