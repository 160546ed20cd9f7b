#include "core/model/inventory.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/model/recurrent.h"
#include "core/model/transformer.h"

/* ---- what parts are called ---- */

static const struct {
    const char *name, *zh;
    enum part_kind kind;
} known[PART_COUNT] = {
    [PART_WORDS] = { "word embeddings", "词嵌入", PART_OF_EMBEDDING },
    [PART_TYPES] = { "token types", "词元类型", PART_OF_EMBEDDING },
    [PART_POSITIONS] = { "positions", "位置", PART_OF_EMBEDDING },
    [PART_EMBEDDED_NORM] = { "norm of the embeddings", "嵌入的归一化", PART_OF_NORM },
    [PART_INTO] = { "projection in", "输入投影", PART_OF_EMBEDDING },
    [PART_DISTANCES] = { "bias by distance", "距离偏置", PART_OF_ATTENTION },
    [PART_BEFORE_ATTENTION] = { "norm before attention", "注意力之前的归一化", PART_OF_NORM },
    [PART_QUERY] = { "attention query", "注意力：查询", PART_OF_ATTENTION },
    [PART_KEY] = { "attention key", "注意力：键", PART_OF_ATTENTION },
    [PART_VALUE] = { "attention value", "注意力：值", PART_OF_ATTENTION },
    [PART_QUERY_KEY_VALUE] = { "attention query, key, value", "注意力：查询、键、值",
                               PART_OF_ATTENTION },
    [PART_QUERY_NORM] = { "norm of queries", "查询的归一化", PART_OF_NORM },
    [PART_KEY_NORM] = { "norm of keys", "键的归一化", PART_OF_NORM },
    [PART_OUTPUT] = { "attention output", "注意力：输出", PART_OF_ATTENTION },
    [PART_AFTER_ATTENTION] = { "norm after attention", "注意力之后的归一化", PART_OF_NORM },
    [PART_BEFORE_CROSS] = { "norm before cross-attention", "交叉注意力之前的归一化",
                            PART_OF_NORM },
    [PART_CROSS_QUERY] = { "cross-attention query", "交叉注意力：查询", PART_OF_ATTENTION },
    [PART_CROSS_KEY] = { "cross-attention key", "交叉注意力：键", PART_OF_ATTENTION },
    [PART_CROSS_VALUE] = { "cross-attention value", "交叉注意力：值", PART_OF_ATTENTION },
    [PART_CROSS_OUTPUT] = { "cross-attention output", "交叉注意力：输出", PART_OF_ATTENTION },
    [PART_BEFORE_MLP] = { "norm before feed-forward", "前馈之前的归一化", PART_OF_NORM },
    [PART_GATE] = { "feed-forward gate", "前馈：门", PART_OF_MLP },
    [PART_UP] = { "feed-forward up", "前馈：升维", PART_OF_MLP },
    [PART_GATE_AND_UP] = { "feed-forward gate, up", "前馈：门与升维", PART_OF_MLP },
    [PART_DOWN] = { "feed-forward down", "前馈：降维", PART_OF_MLP },
    [PART_AFTER_MLP] = { "norm after feed-forward", "前馈之后的归一化", PART_OF_NORM },
    [PART_INPUT] = { "from the layer below", "来自下一层", PART_OF_RECURRENCE },
    [PART_STATE] = { "from the token before", "来自前一个词元", PART_OF_RECURRENCE },
    [PART_FINAL_NORM] = { "final norm", "最后的归一化", PART_OF_NORM },
    [PART_OUT_OF] = { "projection out", "输出投影", PART_OF_HEAD },
    [PART_HEAD_HIDDEN] = { "head, hidden layer", "输出头：隐藏层", PART_OF_HEAD },
    [PART_HEAD_NORM] = { "norm of the head", "输出头的归一化", PART_OF_NORM },
    [PART_HEAD] = { "head", "输出头", PART_OF_HEAD },
    [PART_UNREAD] = { "not read by runs", "运行时不读", PART_OF_NOTHING },
};

enum part_kind part_kind(enum part part) {
    return known[part].kind;
}

const char *part_name(enum part part, const char *language) {
    bool zh = language && strncmp(language, "zh", 2) == 0;
    return zh ? known[part].zh : known[part].name;
}

/* ---- walking through the network ---- */

struct walk {
    const struct model *model;
    struct buf *items;
    bool *seen; /* [tensors of the file] */
    bool decoder;
    int64_t layer;
};

static void take(struct walk *walk, enum part part, bool bias, const struct tensor *read) {
    const struct weights *weights = walk->model->weights;
    const struct tensor *tensor = read && read->name ? weights_at(weights, read->name) : NULL;
    if (!tensor) {
        return; /* absent, or made by the architecture itself */
    }
    bool *seen = &walk->seen[tensor - weights->tensors];
    struct item item = { .tensor = tensor,
                         .part = part,
                         .decoder = walk->decoder,
                         .bias = bias,
                         .tied = *seen,
                         .counts = !*seen && model_counts(walk->model, tensor),
                         .layer = walk->layer };
    *seen = true;
    buf_add(walk->items, &item, sizeof item);
}

static void take_dense(struct walk *walk, enum part part, const struct op_dense *dense) {
    take(walk, part, false, dense->weight);
    take(walk, part, true, dense->bias);
}

static void take_norm(struct walk *walk, enum part part, const struct op_norm *norm) {
    take(walk, part, false, norm->gain);
    take(walk, part, true, norm->bias);
}

static void take_attention(struct walk *walk, const struct attention_part *part) {
    bool fused = part->query.weight && !part->key.weight;
    take_dense(walk, fused ? PART_QUERY_KEY_VALUE : PART_QUERY, &part->query);
    take_dense(walk, PART_KEY, &part->key);
    take_dense(walk, PART_VALUE, &part->value);
    take_norm(walk, PART_QUERY_NORM, &part->query_norm);
    take_norm(walk, PART_KEY_NORM, &part->key_norm);
    take_dense(walk, PART_OUTPUT, &part->output);
}

static void take_block(struct walk *walk, const struct block *block) {
    take_norm(walk, PART_BEFORE_ATTENTION, &block->before_attention);
    take_attention(walk, &block->attention);
    take_norm(walk, PART_AFTER_ATTENTION, &block->after_attention);
    take_norm(walk, PART_BEFORE_CROSS, &block->before_cross);
    take_dense(walk, PART_CROSS_QUERY, &block->cross.query);
    take_dense(walk, PART_CROSS_KEY, &block->cross.key);
    take_dense(walk, PART_CROSS_VALUE, &block->cross.value);
    take_dense(walk, PART_CROSS_OUTPUT, &block->cross.output);
    take_norm(walk, PART_BEFORE_MLP, &block->before_mlp);
    take_dense(walk, PART_GATE, &block->gate);
    take_dense(walk, PART_UP, &block->up);
    take_dense(walk, PART_GATE_AND_UP, &block->gate_and_up);
    take_dense(walk, PART_DOWN, &block->down);
    take_norm(walk, PART_AFTER_MLP, &block->after_mlp);
}

static void take_stack(struct walk *walk, const struct stack *stack, bool decoder) {
    walk->decoder = decoder;
    walk->layer = -1;
    take(walk, PART_WORDS, false, stack->words);
    take(walk, PART_TYPES, false, stack->types);
    take_dense(walk, PART_INTO, &stack->into);
    take(walk, PART_POSITIONS, false, stack->positions);
    take_norm(walk, PART_EMBEDDED_NORM, &stack->embedded);
    take(walk, PART_DISTANCES, false, stack->distances);
    for (int64_t l = 0; l < stack->layers; l++) {
        walk->layer = l;
        take_block(walk, &stack->blocks[l]);
    }
    walk->layer = -1;
    take_norm(walk, PART_FINAL_NORM, &stack->final);
    take_dense(walk, PART_OUT_OF, &stack->out_of);
}

static void take_transformer(struct walk *walk, const struct transformer *transformer) {
    take_stack(walk, &transformer->stack, false);
    if (transformer->decoder) {
        take_stack(walk, transformer->decoder, true);
    }
    take_dense(walk, PART_HEAD_HIDDEN, &transformer->head.hidden);
    take_norm(walk, PART_HEAD_NORM, &transformer->head.norm);
    take_dense(walk, PART_HEAD, &transformer->head.output);
}

static void take_recurrent(struct walk *walk, const struct recurrent *net) {
    take(walk, PART_WORDS, false, net->words);
    for (int64_t l = 0; l < walk->model->config->layers; l++) {
        walk->layer = l;
        take_dense(walk, PART_INPUT, &net->layers[l].input);
        take_dense(walk, PART_STATE, &net->layers[l].state);
    }
    walk->layer = -1;
    take_dense(walk, PART_HEAD, &net->decoder);
}

struct inventory *inventory_of(struct arena *arena, const struct model *model) {
    const struct weights *weights = model->weights;
    struct walk walk = { .model = model, .items = buf_new(arena), .layer = -1 };
    walk.seen = arena_array(arena, weights->count, sizeof *walk.seen);
    if (model->arch->forward == transformer_forward) {
        take_transformer(&walk, model->parts);
    } else {
        take_recurrent(&walk, model->parts);
    }
    walk.decoder = false;
    for (int64_t i = 0; i < weights->count; i++) {
        if (!walk.seen[i]) {
            take(&walk, PART_UNREAD, false, &weights->tensors[i]);
        }
    }
    struct inventory *inventory = arena_alloc(arena, sizeof *inventory);
    inventory->items = (void *)walk.items->data;
    inventory->count = (int64_t)(walk.items->length / sizeof(struct item));
    return inventory;
}
