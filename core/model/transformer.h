#ifndef CORE_MODEL_TRANSFORMER_H
#define CORE_MODEL_TRANSFORMER_H

#include "core/model/model.h"
#include "core/model/parts.h"
#include "core/model/rope.h"

/* transformer: one forward run for every transformer. An architecture's file finds its weights
 * and says in a struct transformer what is done with them; the run itself, with its sites,
 * gradients, prefixes, resumption and wanted logits, is written once, here.
 *
 * A part whose weight (or gain) is NULL is absent. */

/* Where a block's norms stand. x is the residual stream, A attention, F feed-forward. */
enum block_order {
    BLOCK_PRE,     /* x += A(norm x); x += F(norm x) */
    BLOCK_POST,    /* x = norm(x + A(x)); x = norm(x + F(x)) */
    BLOCK_PARALLEL /* x += A(norm x) + F(norm' x) */
};

/* Heads within the rows that a linear layer gives: see struct op_heads. */
struct slots {
    int64_t first, apart;
};

struct attention_part {
    /* Three layers, or one (query) whose rows hold all: the slots say where. */
    struct op_dense query, key, value;
    struct slots at[3]; /* query, key, value; apart 0: head_width (heads side by side) */
    struct op_norm query_norm, key_norm; /* of each head, before turning (Qwen3, Gemma 3) */
    struct op_dense output;
};

struct block {
    struct op_norm before_attention, before_mlp; /* BLOCK_PRE, BLOCK_PARALLEL */
    struct op_norm after_attention, after_mlp;   /* BLOCK_POST: of the sum; else of the part's
                                                    own output, before it is added (Gemma) */
    struct attention_part attention;
    struct op_norm before_cross;
    struct attention_part cross; /* over the encoder's final states (T5's decoder) */
    /* down(act(gate x) * up x); without gate down(act(up x)). One layer (gate) may hold both:
     * gate_and_up, then down(act(first half) * second half). */
    struct op_dense gate, up, gate_and_up, down;
    int rope;            /* which of the stack's ropes; -1: none */
    int64_t left, right; /* how far attention sees; -1: no limit */
    float scale;         /* of attention's scores, beside the stack's; 0: 1 */
};

/* The blocks and what is around them: a decoder, an encoder, or one half of both. */
struct stack {
    const struct tensor *words; /* [V, E] */
    float words_scale;          /* 0: 1 */
    /* Added to the words, each [n, E]: the row of the position + first_position; of the type.
     */
    const struct tensor *positions, *types;
    int64_t first_position;
    int64_t pad;     /* RoBERTa: positions count tokens that are not this id, which stands at
                        position pad itself; -1: they count all */
    bool count_mask; /* OPT: positions count tokens that the mask does not hide; those it hides
                        stand before the first */
    struct op_norm embedded;
    struct op_dense into, out_of; /* OPT: E to C before the blocks; C to E after all */
    enum block_order order;
    struct block *blocks;
    int64_t layers, heads, groups, head_width, width, inner;
    enum simd_act act;
    float scale, cap; /* of attention's scores; see struct op_attention */
    bool causal;
    struct rope ropes[2]; /* see core/model/rope.h */
    /* T5: bias by distance, shared by all blocks. */
    const struct tensor *distances; /* [buckets, heads] float32 */
    int64_t buckets, distance_most;
    struct op_norm final;
};

/* What a classifier reads of a text: its first token, its last that is neither padding nor the
 * head's `pad`, or the mean of all that are no padding. */
enum head_place { HEAD_FIRST, HEAD_LAST, HEAD_MEAN };

/* From the final states to logits: norm(act(hidden x)) where there is a hidden layer, then the
 * output layer, scaled, capped. */
struct transformer_head {
    struct op_dense hidden;
    enum simd_act act;
    struct op_norm norm;
    struct op_dense output;
    float scale, cap; /* scale 0: 1; cap 0: none */
    bool classifies;
    enum head_place place;
    int64_t pad; /* HEAD_LAST: a token's id; -1: none */
};

struct transformer {
    struct stack stack;
    struct stack *decoder; /* NULL: there is one stack */
    struct transformer_head head;
};

/* A transformer with the sizes of the configuration, its blocks empty, positions of all tokens,
 * and scores divided by sqrt(head_width); the rest is the architecture's to fill in. */
struct transformer *transformer_new(struct arena *arena, const struct config *config);

/* arch->forward of every transformer: model->parts is a struct transformer. */
int transformer_forward(const struct model *model, struct pass *pass, struct err *err);

/* The head of a decoder that classifies: one layer "score" without bias, as wide as `width`,
 * read at the last token. */
struct transformer_head transformer_score(struct parts *parts, const struct config *config,
                                          int64_t width);

/* arch->sites of those with one stack; of those whose blocks are BLOCK_PARALLEL, where nothing
 * lies between attention and feed-forward. */
extern const enum site transformer_sites[], transformer_parallel_sites[];

#endif
