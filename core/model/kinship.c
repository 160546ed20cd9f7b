#include "core/model/kinship.h"

#include <stdio.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/model/arch.h"

enum {
    WORDS_MOST = 96,      /* different parts that are looked at */
    TENSORS_MOST = 20000, /* tensors that are looked at for them */
    WORD_MOST = 80,       /* bytes of one */
    TELL_MOST = 400,      /* bytes */
    SHOWN_MOST = 3        /* words of a kind that are named */
};

struct words {
    const char *at[WORDS_MOST];
    int n;
};

static bool has(const struct words *words, const char *word) {
    for (int i = 0; i < words->n; i++) {
        if (strcmp(words->at[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct words *words, const char *word) {
    if (words->n < WORDS_MOST && *word && !has(words, word)) {
        words->at[words->n++] = word;
    }
}

/* Words between blanks; NULL: none. */
static struct words split(struct arena *arena, const char *text) {
    struct words words = { 0 };
    for (const char *end; text && *text; text = end + (*end == ' ')) {
        end = text + strcspn(text, " ");
        add(&words, arena_text(arena, text, (size_t)(end - text)));
    }
    return words;
}

/* ---- what a file has ---- */

/* Masks and angles that old files hold beside their weights. */
static bool is_buffer(const char *part) {
    static const char *const buffers[] = { "attn.bias", "attn.masked_bias", "attention.bias",
                                           "attention.masked_bias", "rotary_emb.inv_freq" };
    size_t length = strlen(part);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        size_t n = strlen(buffers[i]);
        if (length >= n && strcmp(part + length - n, buffers[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "self_attn.q_proj" of "model.layers.3.self_attn.q_proj.weight": what follows the block's
 * number, further numbers as '*'. NULL if it is no part of a block, or none to tell of. */
static const char *part_of(struct arena *arena, const char *name) {
    static const char *const ends[] = { ".weight", ".bias", ".gamma", ".beta" };
    char part[WORD_MOST] = "";
    size_t used = 0;
    bool inside = false;
    while (*name) {
        size_t n = strcspn(name, "."), digits = strspn(name, "0123456789");
        bool is_number = n > 0 && digits == n;
        if (inside && used + n + 2 < sizeof part) {
            used += (size_t)snprintf(part + used, sizeof part - used, "%s%.*s", used ? "." : "",
                                     is_number ? 1 : (int)n, is_number ? "*" : name);
        }
        inside = inside || is_number;
        name += n + (name[n] == '.');
    }
    inside = inside && !is_buffer(part);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(ends[i]);
        if (used > length && strcmp(part + used - length, ends[i]) == 0) {
            part[used - length] = '\0';
        }
    }
    return inside ? arena_copy(arena, part) : NULL;
}

static struct words parts_of(struct arena *arena, const struct weights *weights) {
    struct words words = { 0 };
    for (int64_t i = 0; i < weights->count && i < TENSORS_MOST; i++) {
        struct arena_mark mark = arena_mark(arena);
        const char *part = part_of(arena, weights->tensors[i].name);
        int before = words.n;
        if (part) {
            add(&words, part);
        }
        if (words.n == before) {
            arena_rewind(arena, mark);
        }
    }
    return words;
}

/* Settings that say nothing of the network, or that config.h reads of all. */
static bool is_common(const char *key) {
    static const char common[] =
        " architectures model_type torch_dtype dtype transformers_version auto_map "
        "_name_or_path "
        "use_cache initializer_range initializer_factor pretraining_tp id2label label2id "
        "num_labels problem_type num_hidden_layers hidden_size vocab_size num_attention_heads "
        "intermediate_size max_position_embeddings num_key_value_heads head_dim "
        "type_vocab_size hidden_act layer_norm_eps rms_norm_eps tie_word_embeddings rope_theta "
        "rope_scaling rope_parameters partial_rotary_factor is_decoder add_cross_attention "
        "attention_bias mlp_bias output_attentions output_hidden_states return_dict "
        "chunk_size_feed_forward quantization_config unsloth_version sliding_window "
        "layer_types ";
    char word[WORD_MOST];
    snprintf(word, sizeof word, " %.60s ", key);
    return strstr(common, word) || strstr(key, "dropout") || strstr(key, "drop_") ||
           strstr(key, "pdrop") || strstr(key, "token_id") || strstr(key, "token_index");
}

static struct words settings_of(struct arena *arena, const struct json *json) {
    struct words words = { 0 };
    const struct json *one = json ? json->first : NULL;
    for (; one && words.n < WORDS_MOST; one = one->next) {
        bool says = one->kind != JSON_NULL && one->key.length < WORD_MOST;
        if (says && !is_common(one->key.bytes)) {
            char quoted[WORD_MOST];
            err_quote(quoted, sizeof quoted, one->key.bytes, one->key.length);
            add(&words, arena_copy(arena, quoted));
        }
    }
    return words;
}

/* ---- how near an architecture is ---- */

static int common_words(const struct words *a, const struct words *b) {
    int n = 0;
    for (int i = 0; i < a->n; i++) {
        n += has(b, a->at[i]);
    }
    return n;
}

/* 0..1: twice what both have, of all. */
static double likeness(const struct words *a, const struct words *b) {
    return a->n + b->n == 0 ? 0 : 2.0 * common_words(a, b) / (a->n + b->n);
}

/* 0..1: how far two names begin alike, or 0.8 if they are a slip of the pen apart. */
static double names_likeness(const char *a, const char *b) {
    size_t n = 0, longer = strlen(a) > strlen(b) ? strlen(a) : strlen(b);
    while (a[n] && a[n] == b[n]) {
        n++;
    }
    double begin = longer > 0 && n >= 3 ? (double)n / (double)longer : 0;
    return nearest_name(a, (const char *const[]){ b, NULL }) && begin < 0.8 ? 0.8 : begin;
}

/* What one architecture has, as a file of that kind would have it. */
struct kin {
    const struct arch *arch;
    struct words parts, settings;
    double nearness;
};

static struct kin kin_of(struct arena *arena, const struct arch *arch, const char *type,
                         bool gguf, const struct words *parts, const struct words *settings) {
    const struct config_form *form = &arch->form;
    struct kin kin = { .arch = arch };
    kin.parts = split(arena, gguf ? form->parts_gguf : form->parts);
    kin.settings = split(arena, gguf ? NULL : form->settings);
    kin.nearness = 4 * likeness(parts, &kin.parts) + likeness(settings, &kin.settings) +
                   names_likeness(type, arch->name);
    return kin;
}

/* ---- in words ---- */

static const char *hint(const char *word) {
    static const struct {
        const char *part, *hint;
    } hints[] = { { "expert", " (experts)" },    { "exps", " (experts)" },
                  { "moe", " (experts)" },       { "ssm", " (state space)" },
                  { "mamba", " (state space)" }, { "lora", " (low rank)" },
                  { "vision", " (pictures)" },   { "audio", " (sound)" } };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (strstr(word, hints[i].part)) {
            return hints[i].hint;
        }
    }
    return "";
}

/* Adds "LABEL a, b, c and 4 more" with the words of `these` that `those` lack, if there are
 * any, behind what `text` has. */
static void differ(char *text, const char *label, const struct words *these,
                   const struct words *those) {
    int n = 0;
    for (int i = 0; i < these->n; i++) {
        size_t used = strlen(text);
        if (has(those, these->at[i]) || used > TELL_MOST - 90) {
            continue;
        }
        if (n++ < SHOWN_MOST) {
            char shown[44];
            err_quote(shown, sizeof shown, these->at[i], strlen(these->at[i]));
            snprintf(text + used, TELL_MOST - used, "%s%s%s%s", n > 1 || !used ? "" : "; ",
                     n == 1 ? label : ", ", shown, hint(these->at[i]));
        }
    }
    if (n > SHOWN_MOST) {
        size_t used = strlen(text);
        snprintf(text + used, TELL_MOST - used, " and %d more", n - SHOWN_MOST);
    }
}

const char *kinship_tell(struct arena *arena, const char *type, const struct json *json,
                         const struct weights *weights) {
    const struct arch *const *all = arch_all();
    struct words parts = parts_of(arena, weights), settings = settings_of(arena, json);
    struct kin best = { 0 };
    for (int i = 0; all[i]; i++) {
        struct kin kin = kin_of(arena, all[i], type, !json, &parts, &settings);
        if (kin.nearness > best.nearness) {
            best = kin;
        }
    }
    if (best.nearness < 0.6) {
        return "none that is known resembles it";
    }
    char *text = arena_alloc(arena, TELL_MOST);
    differ(text, "it has ", &parts, &best.parts);
    if (parts.n > 0) {
        differ(text, "it lacks ", &best.parts, &parts);
    }
    differ(text, "it asks for ", &settings, &best.settings);
    return arena_printf(arena, "the nearest is %s%s%s", best.arch->name,
                        *text ? "; differs: " : "", text);
}
