#include "core/model/model.h"

#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/utf8.h"
#include "core/model/arch.h"
#include "core/model/gguf.h"
#include "core/model/template.h"
#include "core/model/transformer.h"
#include "core/tensor/quant.h"

static bool ends_with_any(const char *name, const char *const *ends) {
    size_t n = strlen(name);
    for (; *ends; ends++) {
        size_t m = strlen(*ends);
        if (n >= m && strcmp(name + n - m, *ends) == 0) {
            return true;
        }
    }
    return false;
}

/* The head is the embedding once more, under its own name. */
static bool is_tied_copy(const struct config *config, const struct tensor *tensor) {
    static const char *const heads[] = { "lm_head.weight",
                                         "lm_head.decoder.weight",
                                         "lm_head.decoder.bias",
                                         "embed_out.weight",
                                         "vocab_projector.weight",
                                         "cls.predictions.decoder.weight",
                                         "cls.predictions.decoder.bias",
                                         NULL };
    return config->tied &&
           (ends_with_any(tensor->name, heads) || strcmp(tensor->name, "decoder.weight") == 0);
}

/* What files hold beside parameters: masks and frequencies. */
static bool is_buffer(const struct tensor *tensor) {
    static const char *const buffers[] = { ".attn.bias", ".attention.bias", ".masked_bias",
                                           ".inv_freq", NULL };
    return ends_with_any(tensor->name, buffers) ||
           strcmp(tensor->name, "rope_freqs.weight") == 0;
}

bool model_counts(const struct model *model, const struct tensor *tensor) {
    return quant_known(tensor->dtype) && !is_tied_copy(model->config, tensor) &&
           !is_buffer(tensor);
}

/* Parameters, and the type that most of them have. Buffers of whole numbers are none. */
static void count(struct model *model) {
    int64_t of[DTYPE_COUNT] = { 0 };
    int most = DTYPE_F32;
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct tensor *tensor = &model->weights->tensors[i];
        if (model_counts(model, tensor)) {
            of[tensor->dtype] += tensor_count(tensor);
        }
    }
    for (int i = 0; i < DTYPE_COUNT; i++) {
        model->parameters += of[i];
        most = of[i] > of[most] ? i : most;
    }
    model->dtype = dtype_name((enum dtype)most);
}

/* From the class that config.json names. A file that names none holds the bare network of an
 * encoder, or a decoder that goes on with words (as GGUF files do). */
static const char *task_of(const struct model *model) {
    const char *class_name = model->config->class_name;
    if (strstr(class_name, "ForSequenceClassification")) {
        return "classification";
    }
    if (strstr(class_name, "ForMaskedLM") || strstr(class_name, "ForPreTraining")) {
        return "masked-lm";
    }
    bool words = !*class_name || strstr(class_name, "ForCausalLM") ||
                 strstr(class_name, "LMHead") || strstr(class_name, "DoubleHeads") ||
                 weights_at(model->weights, "lm_head.weight");
    return !model->arch->causal ? "encoder" : words ? "causal-lm" : "decoder";
}

static int read_tokenizer(struct arena *arena, struct model *model, struct err *err) {
    struct err why = { 0 };
    if (model->weights->gguf) {
        model->tokenizer = gguf_tokenizer(arena, model->weights->gguf, model->path, &why);
    } else {
        const char *path = weights_beside(arena, model->path, "tokenizer.json");
        if (!file_exists(path)) {
            return 0;
        }
        struct file *file = file_map(arena, path, &why);
        model->tokenizer =
            file ? tokenizer_read(arena, file->bytes, (size_t)file->size, path, &why) : NULL;
    }
    if (!model->tokenizer && why.kind != ERR_NONE) {
        *err = why;
        return err_pass(err);
    }
    return 0;
}

enum { PATH_SHOWN = 200 /* bytes of it in a sentence */ };

/* Whatever an architecture refuses, the sentence says which model it is. */
static void *refuse(const char *path, struct err *err) {
    struct err inner = *err;
    if (!strstr(err->text, path)) {
        size_t length = strlen(path);
        int shown = (int)(length > PATH_SHOWN ? utf8_cut(path, PATH_SHOWN) : length);
        err_set(err, inner.kind, "%.*s: %s", shown, path, inner.text);
        if (inner.zh[0]) {
            err_zh(err, "%.*s：%s", shown, path, inner.zh);
        }
        memcpy(err->trail, inner.trail, sizeof err->trail);
    }
    return NULL;
}

bool model_decodes(const struct model *model) {
    return strcmp(model->task, "seq2seq-lm") == 0 ||
           strcmp(model->task, "encoder-decoder") == 0;
}

int model_reads_text(const struct model *model, struct err *err) {
    if (model->tokenizer) {
        return 0;
    }
    return model->weights->gguf
               ? err_set(
                     err, ERR_UNSUPPORTED,
                     "%s holds no tokenizer (tokenizer.ggml.model), so it cannot read text; "
                     "take a GGUF file that was made together with its tokenizer",
                     model->path)
               : err_set(err, ERR_UNSUPPORTED,
                         "%s has no tokenizer.json beside its weights, so it cannot read text; "
                         "put the one there that the model was trained with",
                         model->path);
}

/* Before rooms are made for them. */
static int layers_check(const struct model *model, struct err *err) {
    const struct config *c = model->config;
    int64_t most = c->layers > c->decoder_layers ? c->layers : c->decoder_layers;
    if (most > model->weights->count) {
        return err_set(err, ERR_FORMAT,
                       "%s: %lld layers are asked for, but there are only %lld tensors",
                       model->path, (long long)most, (long long)model->weights->count);
    }
    return 0;
}

struct model *model_open(struct arena *arena, const char *path, struct err *err) {
    struct model *model = arena_alloc(arena, sizeof *model);
    model->path = arena_copy(arena, path);
    model->weights = weights_open(arena, path, err);
    if (!model->weights) {
        return NULL;
    }
    const char *json = model->weights->gguf ? NULL : weights_beside(arena, path, "config.json");
    model->config = config_read(arena, model->weights, json, err);
    if (!model->config) {
        return NULL;
    }
    if (layers_check(model, err) < 0) {
        return NULL;
    }
    model->arch = arch_find(model->config->type);
    if (model->arch->causal && config_only(model->config, "is_causal", true, err) < 0) {
        return NULL; /* decoders turned into encoders of sentences see what is ahead, too */
    }
    model->task = task_of(model);
    count(model);
    model->endings = endings_read(arena, model->config, path, err);
    if (!model->endings || read_tokenizer(arena, model, err) < 0 ||
        model->arch->open(arena, model, err) < 0) {
        return refuse(path, err);
    }
    struct err why = { 0 };
    model->chat = template_read(arena, model->weights->gguf, path, model->tokenizer, &why);
    model->no_chat = why.kind != ERR_NONE ? arena_copy(arena, why.text) : NULL;
    return model;
}

const struct tensor *model_words(const struct model *model) {
    if (model->arch->words) {
        return model->arch->words(model);
    }
    const struct transformer *transformer = model->parts;
    return transformer->stack.words;
}

int64_t model_final_width(const struct model *model) {
    if (model->arch->forward != transformer_forward) {
        return model->config->width;
    }
    const struct transformer *transformer = model->parts;
    const struct tensor *back = transformer->stack.out_of.weight;
    return back ? back->shape[0] : model->config->width;
}
