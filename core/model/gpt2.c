/* GPT-2: a decoder with norms before each part, learned positions and one layer for queries,
 * keys and values, whose weights lie across (Radford et al. 2019). With or without the prefix
 * "transformer."; the masks that old files hold (attn.bias) are passed over. */

#include <string.h>

#include "core/model/transformer.h"

static const char *const prefixes[] = { "transformer.", "", NULL };

static void block_find(struct parts *parts, const struct config *c, const char *name,
                       struct block *block) {
    int64_t width = c->width;
    *block = (struct block){
        .before_attention = parts_norm(parts, width, false, c->eps, "%s.ln_1", name),
        .attention = {
            .query = parts_conv1d(parts, 3 * width, width, "%s.attn.c_attn", name),
            .at = { { .first = 0 }, { .first = width }, { .first = 2 * width } },
            .output = parts_conv1d(parts, width, width, "%s.attn.c_proj", name),
        },
        .before_mlp = parts_norm(parts, width, false, c->eps, "%s.ln_2", name),
        .up = parts_conv1d(parts, c->inner, width, "%s.mlp.c_fc", name),
        .down = parts_conv1d(parts, width, c->inner, "%s.mlp.c_proj", name),
        .rope = -1,
        .left = -1,
        .right = -1,
    };
}

/* Scores are divided by sqrt(head_width) unless the file says no, and in block l by l + 1 if it
 * says so. */
static int scales_read(const struct config *c, struct stack *stack, struct err *err) {
    bool scaled = true, by_layer = false;
    if (config_flag(c, "scale_attn_weights", NULL, &scaled, err) < 0 ||
        config_flag(c, "scale_attn_by_inverse_layer_idx", NULL, &by_layer, err) < 0) {
        return -1;
    }
    stack->scale = scaled ? stack->scale : 1;
    for (int64_t l = 0; l < c->layers && by_layer; l++) {
        stack->blocks[l].scale = (float)(1 / (double)(l + 1));
    }
    return 0;
}

static void head_find(struct parts *parts, const struct model *model,
                      struct transformer *gpt2) {
    const struct config *c = model->config;
    if (strcmp(model->task, "classification") == 0) {
        gpt2->head = transformer_score(parts, c, c->width);
    } else if (strcmp(model->task, "causal-lm") == 0) {
        bool own = parts_has(parts, "lm_head.weight") || !c->tied;
        gpt2->head.output.weight =
            own ? parts_matrix(parts, c->vocab, c->width, "lm_head.weight") : gpt2->stack.words;
    }
}

static int open(struct arena *arena, struct model *model, struct err *err) {
    const struct config *c = model->config;
    struct transformer *gpt2 = transformer_new(arena, c);
    struct stack *stack = &gpt2->stack;
    struct parts parts = { .arena = arena, .weights = model->weights, .err = err };
    if (config_classic(c, err) < 0 || config_only(c, "add_cross_attention", false, err) < 0 ||
        parts_act(c->activation, &stack->act, err) < 0) {
        return err_pass(err);
    }
    const char *prefix = parts_prefix(&parts, prefixes, "wte.weight");
    stack->causal = true;
    stack->words = parts_matrix(&parts, c->vocab, c->width, "%swte.weight", prefix);
    stack->positions = parts_matrix(&parts, c->context, c->width, "%swpe.weight", prefix);
    for (int64_t l = 0; l < c->layers; l++) {
        const char *name = arena_printf(arena, "%sh.%lld", prefix, (long long)l);
        block_find(&parts, c, name, &stack->blocks[l]);
    }
    parts_none(&parts, c->layers, "%sh.%lld.ln_1.weight", prefix, (long long)c->layers);
    stack->final = parts_norm(&parts, c->width, false, c->eps, "%sln_f", prefix);
    head_find(&parts, model, gpt2);
    model->parts = gpt2;
    return parts.failed || scales_read(c, stack, err) < 0 ? err_pass(err) : 0;
}

const struct arch gpt2_arch = {
    .name = "gpt2",
    .summary = "GPT-2 and what was trained in its form",
    .causal = true,
    .sites = transformer_sites,
    .form = { .layers = "n_layer",
              .heads = "n_head",
              .width = "n_embd",
              .inner = "n_inner",
              .context = "n_positions",
              .inner_by = 4,
              .context_of = 1024,
              .eps_name = "layer_norm_epsilon",
              .act_name = "activation_function",
              .act = "gelu_new",
              .tied = true,
              .parts = "ln_1 attn.c_attn attn.c_proj ln_2 mlp.c_fc mlp.c_proj",
              .settings = "n_positions n_ctx n_embd n_layer n_head n_inner activation_function "
                          "layer_norm_epsilon scale_attn_weights "
                          "scale_attn_by_inverse_layer_idx reorder_and_upcast_attn" },
    .open = open,
    .forward = transformer_forward,
};
