#include "tests/fuzz/forge_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/model/arch.h"
#include "core/tensor/quant.h"
#include "tests/fuzz/forge_tokenizer.h"
#include "tests/fuzz/memfile.h"

enum { TRIES = 400, LEARNED_MOST = 400 };

/* ---- configurations ---- */

struct sizes {
    int layers, heads, kv_heads, head_width, width, inner, vocab, context, labels;
};

static struct sizes sizes_of(struct dice *dice, bool gguf) {
    static const int heads[] = { 1, 2, 4 };
    static const int widths[] = { 2, 4, 6, 8 }, wide[] = { 32, 32, 32, 64, 256 };
    struct sizes s = { .layers = 1 + (int)dice_below(dice, 2),
                       .heads = dice_of(dice, heads),
                       .vocab = 5 + (int)dice_below(dice, 40),
                       .context = 6 + (int)dice_below(dice, 10),
                       .labels = 1 + (int)dice_below(dice, 4) };
    s.kv_heads = dice_once(dice, 2) ? s.heads : s.heads > 2 && dice_once(dice, 2) ? 2 : 1;
    s.width = gguf ? dice_of(dice, wide) : s.heads * dice_of(dice, widths);
    s.head_width = s.width / s.heads;
    s.inner = gguf ? dice_of(dice, wide) : 2 + (int)dice_below(dice, 20);
    return s;
}

/* The sizes under every name that some configuration has for them. */
static void put_sizes(struct buf *out, const struct sizes *s) {
    const struct {
        const char *names;
        int value;
    } list[] = {
        { "num_hidden_layers n_layer n_layers num_layers num_decoder_layers", s->layers },
        { "num_attention_heads n_head n_heads num_heads encoder_attention_heads", s->heads },
        { "num_key_value_heads", s->kv_heads },
        { "hidden_size n_embd dim d_model word_embed_proj_dim embedding_size", s->width },
        { "intermediate_size n_inner hidden_dim d_ff ffn_dim", s->inner },
        { "head_dim d_kv", s->head_width },
        { "query_pre_attn_scalar", s->head_width },
        { "max_position_embeddings n_positions n_ctx", s->context },
        { "vocab_size", s->vocab },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        for (const char *name = list[i].names; *name;) {
            int n = (int)strcspn(name, " ");
            buf_printf(out, ",\"%.*s\":%d", n, name, list[i].value);
            name += n + (name[n] == ' ');
        }
    }
}

/* What a configuration may say beside its sizes. Those that an architecture does not take are
 * not in the models that open; the damage puts them back. */
static const char *const options[] = {
    "\"tie_word_embeddings\":true",
    "\"tie_word_embeddings\":false",
    "\"type_vocab_size\":2",
    "\"hidden_act\":\"gelu\",\"activation_function\":\"relu\",\"activation\":\"gelu\"",
    "\"hidden_act\":\"silu\",\"hidden_activation\":\"gelu_pytorch_tanh\"",
    "\"layer_norm_eps\":1e-5,\"layer_norm_epsilon\":1e-5",
    "\"rms_norm_eps\":1e-6",
    "\"rope_theta\":10000.0",
    "\"rope_parameters\":{\"rope_theta\":500.0,\"rope_type\":\"default\"}",
    "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0}",
    "\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2.0}",
    "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,"
    "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":16}",
    "\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4.0,"
    "\"original_max_position_embeddings\":8}",
    "\"sliding_window\":3",
    "\"use_sliding_window\":true,\"max_window_layers\":1",
    "\"layer_types\":[\"sliding_attention\",\"full_attention\"]",
    "\"sliding_window_pattern\":2",
    "\"final_logit_softcapping\":30.0,\"attn_logit_softcapping\":50.0",
    "\"global_attn_every_n_layers\":2,\"local_attention\":4",
    "\"global_rope_theta\":1000.0,\"local_rope_theta\":100.0",
    "\"rope_local_base_freq\":100.0",
    "\"norm_bias\":true,\"attention_bias\":true,\"mlp_bias\":true",
    "\"partial_rotary_factor\":0.5,\"rotary_pct\":0.5",
    "\"use_parallel_residual\":false",
    "\"qk_layernorm\":true",
    "\"do_layer_norm_before\":false",
    "\"layer_norm_elementwise_affine\":false",
    "\"enable_bias\":false",
    "\"relative_attention_num_buckets\":8,\"relative_attention_max_distance\":16",
    "\"feed_forward_proj\":\"gated-gelu\"",
    "\"feed_forward_proj\":\"relu\"",
    "\"pad_token_id\":0,\"bos_token_id\":1,\"eos_token_id\":[2,3]",
    "\"pad_token_id\":null",
    "\"is_encoder_decoder\":true,\"decoder_start_token_id\":0",
    "\"bidirectional\":false",
    "\"classifier_pooling\":\"mean\"",
    "\"classifier_activation\":\"gelu\"",
};

static const char *class_of(struct dice *dice, const char *type) {
    static const char *const heads[] = { "",
                                         "Model",
                                         "ForCausalLM",
                                         "LMHeadModel",
                                         "ForMaskedLM",
                                         "ForSequenceClassification",
                                         "ForConditionalGeneration",
                                         "EncoderModel" };
    static char name[80];
    snprintf(name, sizeof name, "%c%s%s", type[0] - ('a' - 'A'), type + 1,
             dice_of(dice, heads));
    return name;
}

/* Fewer options from try to try, none in the end. */
static char *config_json(struct arena *arena, struct dice *dice, const char *type,
                         const struct sizes *s, int attempt) {
    struct buf *out = buf_new(arena);
    size_t n = sizeof options / sizeof *options;
    buf_printf(out, "{\"model_type\":\"%s\"", type);
    if (!dice_once(dice, 8)) {
        buf_printf(out, ",\"architectures\":[\"%s\"]", class_of(dice, type));
    }
    put_sizes(out, s);
    if (dice_once(dice, 2)) {
        buf_text(out, ",\"id2label\":{");
        for (int i = 0; i < s->labels; i++) {
            buf_printf(out, "%s\"%d\":\"L%d\"", i ? "," : "", i, i);
        }
        buf_text(out, "}");
    }
    for (size_t i = 0; attempt < TRIES * 3 / 4 && i < n; i++) {
        /* one of a kind: a key twice is refused */
        if (dice_once(dice, 4 + (size_t)attempt / 20)) {
            char key[40];
            int length = (int)strcspn(options[i] + 1, "\"");
            snprintf(key, sizeof key, "\"%.*s\"", length, options[i] + 1);
            if (!strstr(out->data, key)) {
                buf_printf(out, ",%s", options[i]);
            }
        }
    }
    buf_text(out, "}");
    return out->data;
}

static struct forge_gguf *config_gguf(struct arena *arena, struct dice *dice, const char *type,
                                      const struct sizes *s) {
    struct forge_gguf *g = forge_gguf_new(arena);
    const struct {
        const char *name;
        int value;
    } list[] = {
        { "block_count", s->layers },
        { "context_length", s->context },
        { "embedding_length", s->width },
        { "feed_forward_length", s->inner },
        { "attention.head_count", s->heads },
        { "vocab_size", s->vocab },
        { "attention.head_count_kv", s->kv_heads },
        { "attention.key_length", s->head_width },
        { "attention.value_length", s->head_width },
        { "rope.dimension_count", s->head_width },
        { "attention.sliding_window", 3 },
    };
    forge_gguf_string(g, "general.architecture", type);
    forge_gguf_string(g, "general.name", "forged");
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        bool window = i + 1 == sizeof list / sizeof *list;
        if (i < 7 || dice_once(dice, window ? 4 : 2)) {
            forge_gguf_u32(g, arena_printf(arena, "%s.%s", type, list[i].name),
                           (uint32_t)list[i].value);
        }
    }
    forge_gguf_f32(g, arena_printf(arena, "%s.rope.freq_base", type), 1e4F);
    forge_gguf_f32(g, arena_printf(arena, "%s.attention.layer_norm_rms_epsilon", type), 1e-5F);
    if (dice_once(dice, 4)) {
        g->alignment = dice_once(dice, 2) ? 64 : 8;
        forge_gguf_u32(g, "general.alignment", (uint32_t)g->alignment);
    }
    return g;
}

/* ---- what an architecture looks for ---- */

/* While `learning`, the engine's weights_need and weights_at come here: what is asked for is
 * there, all zeros, and is noted. */
static struct learned {
    bool on;
    struct arena *arena;
    struct dice *dice;
    bool optional; /* tensors that need not be there sometimes are */
    int64_t count;
    struct tensor tensors[LEARNED_MOST];
} learning;

const struct tensor *__real_weights_need(const struct weights *weights, const char *name,
                                         int rank, const int64_t *shape, struct err *err);
const struct tensor *__wrap_weights_need(const struct weights *weights, const char *name,
                                         int rank, const int64_t *shape, struct err *err);
const struct tensor *__real_weights_at(const struct weights *weights, const char *name);
const struct tensor *__wrap_weights_at(const struct weights *weights, const char *name);

static struct tensor *learned_at(const char *name) {
    for (int64_t i = 0; i < learning.count; i++) {
        if (strcmp(learning.tensors[i].name, name) == 0) {
            return &learning.tensors[i];
        }
    }
    return NULL;
}

const struct tensor *__wrap_weights_need(const struct weights *weights, const char *name,
                                         int rank, const int64_t *shape, struct err *err) {
    if (!learning.on) {
        return __real_weights_need(weights, name, rank, shape, err);
    }
    struct tensor *tensor = learned_at(name);
    if (!tensor) {
        int64_t sizes[TENSOR_RANK];
        for (int i = 0; i < rank; i++) {
            sizes[i] = shape[i] < 0 ? 8 : shape[i];
        }
        if (learning.count == LEARNED_MOST) {
            return __real_weights_need(weights, name, rank, shape, err);
        }
        tensor = &learning.tensors[learning.count++];
        *tensor = *tensor_new(learning.arena, rank, sizes);
        tensor->name = arena_copy(learning.arena, name);
    }
    return tensor;
}

const struct tensor *__wrap_weights_at(const struct weights *weights, const char *name) {
    static const int64_t one[] = { 1 };
    if (!learning.on || !learning.optional || learned_at(name) ||
        !dice_once(learning.dice, 3)) {
        return learning.on ? learned_at(name) : __real_weights_at(weights, name);
    }
    struct tensor *tensor = tensor_new(learning.arena, 1, one);
    tensor->name = arena_copy(learning.arena, name);
    return tensor;
}

/* ---- files ---- */

const void *forge_model_data(void) {
    static unsigned char data[FORGE_DATA + 16];
    if (!data[0]) {
        struct dice dice = { 1 };
        for (size_t i = 0; i < FORGE_DATA / 4; i++) {
            uint32_t bits = (uint32_t)dice_next(&dice);
            float small = (float)(bits >> 8) / 0x1p24F - 0.5F;
            memcpy(&bits, &small, i / 64 % 2 ? 4 : 0);
            memcpy(data + 4 * i, &bits, 4);
        }
        data[0] |= 1;
    }
    return data;
}

/* Types by GGUF's numbers, the plain ones first. */
static const struct {
    int number;
    enum dtype dtype;
} types[] = {
    { 0, DTYPE_F32 },   { 1, DTYPE_F16 },   { 30, DTYPE_BF16 },   { 28, DTYPE_F64 },
    { 2, DTYPE_Q4_0 },  { 3, DTYPE_Q4_1 },  { 6, DTYPE_Q5_0 },    { 7, DTYPE_Q5_1 },
    { 8, DTYPE_Q8_0 },  { 10, DTYPE_Q2_K }, { 11, DTYPE_Q3_K },   { 12, DTYPE_Q4_K },
    { 13, DTYPE_Q5_K }, { 14, DTYPE_Q6_K }, { 20, DTYPE_IQ4_NL },
};

/* A type that the tensor's rows allow; vectors and the like mostly stay F32. */
static enum dtype type_of(struct dice *dice, const struct tensor *tensor, bool gguf) {
    int64_t row = tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
    size_t most = gguf && tensor->rank == 2 ? sizeof types / sizeof *types : 4;
    size_t i = tensor->rank < 2 && !dice_once(dice, 6) ? 0 : dice_below(dice, most);
    bool fits = row % dtype_block(types[i].dtype) == 0 && quant_known(types[i].dtype);
    return fits ? types[i].dtype : DTYPE_F32;
}

/* False if that makes a larger model than is wanted. */
static bool take_learned(struct arena *arena, struct dice *dice, struct forge_model *model,
                         bool plain) {
    int64_t bytes = 0;
    model->count = learning.count;
    model->tensors = arena_array(arena, learning.count, sizeof *model->tensors);
    for (int64_t i = 0; i < learning.count; i++) {
        struct tensor *tensor = &model->tensors[i];
        *tensor = learning.tensors[i];
        tensor->name = arena_copy(arena, tensor->name);
        tensor->bytes = NULL;
        tensor->dtype = plain ? DTYPE_F32 : type_of(dice, tensor, model->gguf);
        bytes += tensor_bytes(tensor) + 64;
    }
    return bytes <= FORGE_DATA;
}

struct forge_gguf *forge_model_gguf(struct arena *arena, const struct forge_model *model) {
    struct forge_gguf *g = forge_gguf_copy(arena, model->keys);
    for (int64_t i = 0; i < model->count; i++) {
        const struct tensor *tensor = &model->tensors[i];
        int type = 0;
        for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
            type = types[k].dtype == tensor->dtype ? types[k].number : type;
        }
        forge_gguf_tensor(g, tensor->name, tensor->rank, tensor->shape, type,
                          tensor_bytes(tensor));
    }
    return g;
}

struct forge_safetensors *forge_model_header(struct arena *arena,
                                             const struct forge_model *model) {
    struct forge_safetensors *s = forge_safetensors_new(arena);
    for (int64_t i = 0; i < model->count; i++) {
        const struct tensor *tensor = &model->tensors[i];
        forge_safetensors_tensor(s, tensor->name, dtype_name(tensor->dtype), tensor->rank,
                                 tensor->shape, tensor_bytes(tensor));
    }
    return s;
}

/* One size of a shape changes, or two change places, or one comes or goes. */
static void change_shape(struct dice *dice, struct tensor *tensor) {
    static const int64_t sizes[] = { 1, 1, 2, 3, 32, 256 };
    int i = (int)dice_below(dice, (size_t)tensor->rank);
    int64_t size = tensor->shape[i];
    switch (dice_below(dice, 4)) {
    case 0:
        tensor->shape[i] = tensor->shape[0];
        tensor->shape[0] = size;
        break;
    case 1:
        tensor->rank -= tensor->rank > 1;
        break;
    case 2:
        tensor->shape[tensor->rank++] = 1;
        break;
    default:
        tensor->shape[i] = dice_once(dice, 2) ? size + 1 : dice_of(dice, sizes);
    }
}

const struct forge_model *forge_model_damaged(struct arena *arena, struct dice *dice,
                                              const struct forge_model *model) {
    struct forge_model *other = arena_alloc(arena, sizeof *other);
    int64_t n = model->count, bytes = 0;
    *other = *model;
    other->tensors = arena_array(arena, n + 1, sizeof *other->tensors);
    memcpy(other->tensors, model->tensors, (size_t)n * sizeof *other->tensors);
    struct tensor *one = &other->tensors[dice_below(dice, (size_t)n)];
    struct tensor *two = &other->tensors[dice_below(dice, (size_t)n)];
    switch (dice_below(dice, 6)) {
    case 0:
        *one = other->tensors[--other->count];
        break;
    case 1:
        other->tensors[other->count++] = *one;
        two->name = dice_once(dice, 2) ? two->name : "of.no.use";
        break;
    case 2: {
        const char *name = one->name;
        one->name = two->name;
        two->name = name;
        break;
    }
    case 3:
        change_shape(dice, one);
        break;
    default:
        one->dtype = type_of(dice, one, model->gguf);
    }
    for (int64_t i = 0; i < other->count; i++) {
        const struct tensor *tensor = &other->tensors[i];
        int64_t row = tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
        if (row % dtype_block(tensor->dtype) != 0) {
            return model;
        }
        bytes += tensor_bytes(tensor) + 64;
    }
    return bytes <= FORGE_DATA ? other : model;
}

/* ---- using ---- */

static void put_model(struct arena *arena, const struct forge_model *model) {
    struct buf *bytes =
        model->gguf
            ? forge_gguf_bytes(forge_model_gguf(arena, model), forge_model_data())
            : forge_safetensors_bytes(forge_model_header(arena, model), forge_model_data());
    memfile_clear();
    memfile_put(model->gguf ? "model.gguf" : "model.safetensors", bytes->data, bytes->length);
    if (!model->gguf) {
        memfile_put("config.json", model->config, strlen(model->config));
    }
}

static void parameter_seen(void *arg, const char *name, const struct tensor *gradient) {
    *(int64_t *)arg += (int64_t)strlen(name) + tensor_count(gradient);
}

/* Gradients of up to two targets from any value that the run kept. */
static bool go_back(struct arena *arena, struct dice *dice, struct trace *trace,
                    struct err *err) {
    struct seed from = { .site = (enum site)dice_below(dice, SITE_COUNT) };
    int64_t seen = 0, shape[TENSOR_RANK] = { 1 + (int64_t)dice_below(dice, 2) };
    struct backward ask = { .seeds = shape[0], .from = &from, .count = 1, .arg = &seen };
    const struct tensor *value = NULL;
    for (int i = 0; !value && i < SITE_COUNT; i++) {
        from.site = (from.site + 1) % SITE_COUNT;
        from.layer = (int64_t)dice_below(dice, (size_t)trace->layers + 1);
        value = trace_at(trace, from.site, from.layer);
    }
    if (!value || value->rank == TENSOR_RANK) {
        return true;
    }
    memcpy(shape + 1, value->shape, (size_t)value->rank * sizeof *shape);
    struct tensor *gradient = tensor_new(arena, value->rank + 1, shape);
    for (int64_t i = 0; i < tensor_count(gradient); i++) {
        gradient->data[i] = (float)dice_below(dice, 3) - 1;
    }
    from.gradient = gradient;
    for (int site = 0; site < SITE_COUNT; site++) {
        ask.want[site] =
            trace->values[site] && trace_at(trace, (enum site)site, 0) && !dice_once(dice, 3);
    }
    ask.parameter = ask.seeds == 1 ? parameter_seen : NULL;
    return model_backward(trace, &ask, err) == 0;
}

/* The run once more, behind a prefix of one or two of its own tokens; that of a decoder is its
 * text's own, and goes on without gradients. */
static bool run_behind(struct arena *arena, struct dice *dice, const struct model *model,
                       const struct pass *pass, struct err *err) {
    int64_t picked = 1 + (int64_t)dice_below(dice, 2);
    int64_t count = picked < pass->tokens ? picked : pass->tokens;
    struct pass first = {
        .arena = arena, .batch = 1, .tokens = count, .ids = pass->ids, .extend = true
    };
    struct pass second = *pass;
    if (!model_takes_prefix(model) || !config_fits(model->config, count + pass->tokens)) {
        return true;
    }
    if (model_decodes(model)) {
        first.tokens = second.tokens;
        first.mask = second.mask;
        first.decoder_ids = second.decoder_ids = pass->ids;
        first.decoder_tokens = count;
        second.decoder_tokens = pass->tokens;
        second.batch = 1;
        second.record = false;
    }
    first.prefix = second.prefix = prefix_new(arena, model, count);
    return model_run(model, &first, err) && model_run(model, &second, err) &&
           (!second.record || go_back(arena, dice, second.trace, err));
}

bool forge_model_use(struct arena *arena, struct dice *dice, const struct model *model,
                     struct err *err) {
    int64_t context = model->config->context;
    struct pass pass = { .arena = arena,
                         .batch = 1 + (int64_t)dice_below(dice, 2),
                         .tokens = 1 + (int64_t)dice_below(dice, context > 0 && context < 5
                                                                     ? (size_t)context
                                                                     : 5) };
    int64_t count = pass.batch * pass.tokens;
    int32_t *ids = arena_array(arena, count, sizeof *ids);
    uint8_t *mask = arena_array(arena, count, 1);
    if (model->tokenizer && !forge_tokenizer_use(arena, dice, model->tokenizer, err)) {
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        ids[i] = (int32_t)dice_below(dice, (size_t)model->config->vocab);
        mask[i] = i % pass.tokens == 0 || !dice_once(dice, 4);
    }
    pass.ids = ids;
    pass.mask = dice_once(dice, 2) ? mask : NULL;
    if (model->config->decoder_layers > 0 && !dice_once(dice, 4)) {
        pass.decoder_ids = ids;
        pass.decoder_tokens = pass.tokens;
    }
    for (int site = 0; site < SITE_COUNT; site++) {
        pass.keep[site] = !dice_once(dice, 8);
    }
    pass.record = dice_once(dice, 2);
    pass.budget = dice_once(dice, 3); /* one byte: blocks run again */
    return model_run(model, &pass, err) &&
           (!pass.record || go_back(arena, dice, pass.trace, err)) &&
           (!dice_once(dice, 2) || run_behind(arena, dice, model, &pass, err));
}

/* ---- one model ---- */

static const char *path_of(bool gguf) {
    return gguf ? MEMFILE_FOLDER "/model.gguf" : MEMFILE_FOLDER;
}

/* Opens the configuration beside a file that holds two tensors of no use, so that two layers
 * can be thought to be there. */
static bool learn(struct arena *arena, struct forge_model *model, struct dice *dice,
                  struct err *err) {
    struct forge_model alone = *model;
    struct tensor tensors[] = { { .name = "token_embd.weight", .rank = 1, .shape = { 1 } },
                                { .name = "output_norm.weight", .rank = 1, .shape = { 1 } } };
    alone.count = 2;
    alone.tensors = tensors;
    put_model(arena, &alone);
    learning.on = true;
    learning.arena = arena;
    learning.dice = dice;
    learning.count = 0;
    learning.optional = dice_once(dice, 2);
    bool good = model_open(arena, path_of(model->gguf), err) != NULL;
    learning.on = false;
    return good;
}

/* NULL if this draw does not open and run. */
static struct forge_model *attempt(struct arena *arena, struct dice *dice, const char *type,
                                   bool gguf, int number, struct err *err) {
    struct forge_model *model = arena_alloc(arena, sizeof *model);
    struct sizes sizes = sizes_of(dice, gguf);
    model->type = type;
    model->gguf = gguf;
    model->vocab = sizes.vocab;
    if (gguf) {
        model->keys = config_gguf(arena, dice, type, &sizes);
    } else {
        model->config = config_json(arena, dice, type, &sizes, number);
    }
    if (!learn(arena, model, dice, err)) {
        return NULL;
    }
    if (gguf && dice_once(dice, 2)) {
        forge_tokenizer_gguf(model->keys, dice, model->vocab);
    }
    if (!take_learned(arena, dice, model, number > TRIES / 2)) {
        return NULL;
    }
    put_model(arena, model);
    *err = (struct err){ 0 };
    const struct model *opened = model_open(arena, path_of(gguf), err);
    return opened && forge_model_use(arena, dice, opened, err) ? model : NULL;
}

static const char *type_named(bool gguf, uint64_t number) {
    static const char *const families[] = { "llama", "qwen2", "qwen3", "gemma2", "gemma3" };
    const struct arch *const *all = arch_all();
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; !gguf && all[i] && n < 64; i++) {
        names[n++] = all[i]->name;
    }
    for (size_t i = 0; gguf && i < sizeof families / sizeof *families; i++) {
        if (arch_find(families[i])) {
            names[n++] = families[i];
        }
    }
    return names[number % n];
}

const struct forge_model *forge_model(struct arena *arena, bool gguf, uint64_t number) {
    const char *type = type_named(gguf, number);
    struct dice dice = { number * 2 + gguf };
    struct err err = { 0 };
    for (int i = 0; i < TRIES; i++) {
        struct arena_mark mark = arena_mark(arena);
        struct forge_model *model = attempt(arena, &dice, type, gguf, i, &err);
        if (model) {
            return model;
        }
        arena_rewind(arena, mark);
    }
    fprintf(stderr, "no %s of the architecture %s opens: %s\n", gguf ? "GGUF" : "folder", type,
            err.text);
    exit(2);
}
