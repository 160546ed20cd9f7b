#include "core/model/bert_stack.h"

static void block_find(struct parts *parts, const struct config *c, const char *name,
                       struct block *block) {
    int64_t width = c->width;
    *block = (struct block){
        .attention = {
            .query = parts_dense(parts, width, width, true, "%s.attention.self.query", name),
            .key = parts_dense(parts, width, width, true, "%s.attention.self.key", name),
            .value = parts_dense(parts, width, width, true, "%s.attention.self.value", name),
            .output = parts_dense(parts, width, width, true, "%s.attention.output.dense", name),
        },
        .after_attention = parts_norm(parts, width, false, c->eps,
                                      "%s.attention.output.LayerNorm", name),
        .up = parts_dense(parts, c->inner, width, true, "%s.intermediate.dense", name),
        .down = parts_dense(parts, width, c->inner, true, "%s.output.dense", name),
        .after_mlp = parts_norm(parts, width, false, c->eps, "%s.output.LayerNorm", name),
        .rope = -1,
        .left = -1,
        .right = -1,
    };
}

void bert_stack_find(struct parts *parts, const struct config *config, const char *prefix,
                     struct stack *stack) {
    int64_t width = config->width;
    const char *at = arena_printf(parts->arena, "%sembeddings", prefix);
    stack->order = BLOCK_POST;
    stack->words = parts_matrix(parts, config->vocab, width, "%s.word_embeddings.weight", at);
    stack->positions =
        parts_matrix(parts, config->context, width, "%s.position_embeddings.weight", at);
    stack->types =
        parts_matrix(parts, config->types, width, "%s.token_type_embeddings.weight", at);
    stack->embedded = parts_norm(parts, width, false, config->eps, "%s.LayerNorm", at);
    for (int64_t l = 0; l < config->layers; l++) {
        const char *name =
            arena_printf(parts->arena, "%sencoder.layer.%lld", prefix, (long long)l);
        block_find(parts, config, name, &stack->blocks[l]);
    }
    parts_none(parts, config->layers, "%sencoder.layer.%lld.output.dense.weight", prefix,
               (long long)config->layers);
}

int bert_stack_check(const struct config *config, struct err *err) {
    if (config_classic(config, err) < 0 || config_only(config, "is_decoder", false, err) < 0 ||
        config_only(config, "add_cross_attention", false, err) < 0 ||
        config_absolute(config, err) < 0) {
        return -1;
    }
    if (config->types < 1) {
        return err_set(err, ERR_FORMAT, "%s: type_vocab_size is 0; %s has at least 1",
                       config->file, config->type);
    }
    return 0;
}

struct op_dense bert_stack_decoder(struct parts *parts, const struct config *config,
                                   const struct stack *stack, const char *name) {
    bool own = parts_has(parts, "%s.decoder.weight", name) || !config->tied;
    /* The two names mean one vector where the head is tied; else the decoder's own counts. */
    bool decoders = parts_has(parts, "%s.decoder.bias", name) &&
                    (!config->tied || !parts_has(parts, "%s.bias", name));
    return (struct op_dense){
        .weight =
            own ? parts_matrix(parts, config->vocab, config->width, "%s.decoder.weight", name)
                : stack->words,
        .bias =
            parts_vector(parts, config->vocab, decoders ? "%s.decoder.bias" : "%s.bias", name),
    };
}
