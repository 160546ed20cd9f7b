#include "core/model/config.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/model/arch.h"
#include "core/model/gguf.h"
#include "core/model/kinship.h"

enum { CONFIG_MOST = 4 << 20 /* bytes of a config.json */, LABELS_MOST = 20000 };

static const double BASE_LEAST = 1e-6, BASE_MOST = 1e18; /* of rotary positions */

/* Whole numbers with their names in config.json (unless the architecture has another) and
 * (behind "TYPE.") in GGUF, and their bounds. */
struct field {
    const char *json, *gguf;
    size_t offset, renamed; /* in struct config; in struct config_form, 0: never */
    int64_t least, most;
};

#define AT(member)      offsetof(struct config, member)
#define RENAMED(member) offsetof(struct config_form, member)
static const struct field fields[] = {
    { "num_hidden_layers", "block_count", AT(layers), RENAMED(layers), 1, 10000 },
    { "hidden_size", "embedding_length", AT(width), RENAMED(width), 1, 1 << 20 },
    { "vocab_size", "vocab_size", AT(vocab), 0, 1, 1 << 22 },
    { "num_attention_heads", "attention.head_count", AT(heads), RENAMED(heads), 1, 4096 },
    { "intermediate_size", "feed_forward_length", AT(inner), RENAMED(inner), 1, 1 << 22 },
    { "max_position_embeddings", "context_length", AT(context), RENAMED(context), 1, 1 << 26 },
    { "num_key_value_heads", "attention.head_count_kv", AT(kv_heads), RENAMED(kv_heads), 1,
      4096 },
    { "head_dim", "attention.key_length", AT(head_width), RENAMED(head_width), 1, 1 << 16 },
    { "type_vocab_size", "token_type_count", AT(types), 0, 0, 1 << 16 },
};
#undef AT
#undef RENAMED
/* The first fields have no other source. */
enum { NEEDED = 6, NEEDED_ENDLESS = 5, NEEDED_HEADLESS = 3 };

static const char *field_json(const struct field *field, const struct config_form *form) {
    const char *name = NULL;
    if (field->renamed) {
        name = *(const char *const *)(const void *)((const char *)form + field->renamed);
    }
    return name ? name : field->json;
}

/* The file that is read: its name for messages, and either of its two forms. */
struct source {
    struct arena *arena;
    const char *file;
    const struct json *json;
    const struct gguf *gguf;
    const char *type;
    const struct config_form *form;
    struct err *err;
};

/* ---- one value ---- */

/* A value as either file gives it, and how to show it. */
struct given {
    enum { ABSENT, NUMBER, TEXT, FLAG, OTHER } kind;
    double number; /* a flag's too */
    const char *text, *key, *shown;
};

static struct given given_json(const struct source *s, const struct json *value) {
    char quoted[60];
    if (!value || value->kind == JSON_NULL) {
        return (struct given){ .kind = ABSENT };
    }
    switch (value->kind) {
    case JSON_NUMBER:
        return (struct given){ .kind = NUMBER,
                               .number = strtod(value->text.bytes, NULL),
                               .shown = value->text.bytes };
    case JSON_STRING:
        err_quote(quoted, sizeof quoted, value->text.bytes, value->text.length);
        return (struct given){ .kind = TEXT,
                               .text = value->text.bytes,
                               .shown = arena_printf(s->arena, "\"%s\"", quoted) };
    case JSON_TRUE:
    case JSON_FALSE:
        return (struct given){ .kind = FLAG,
                               .number = value->kind == JSON_TRUE,
                               .shown = value->kind == JSON_TRUE ? "true" : "false" };
    default:
        return (struct given){ .kind = OTHER,
                               .shown = value->kind == JSON_ARRAY ? "a list" : "an object" };
    }
}

static struct given given_gguf(const struct source *s, const char *key) {
    int64_t whole, length;
    double number;
    bool flag;
    const char *bytes;
    char quoted[60];
    if (!gguf_kind(s->gguf, key)) {
        return (struct given){ .kind = ABSENT };
    }
    if (gguf_int(s->gguf, key, &whole)) {
        return (struct given){ .kind = NUMBER,
                               .number = (double)whole,
                               .shown = arena_printf(s->arena, "%lld", (long long)whole) };
    }
    if (gguf_float(s->gguf, key, &number)) {
        return (struct given){ .kind = NUMBER,
                               .number = number,
                               .shown = arena_printf(s->arena, "%g", number) };
    }
    if (gguf_bool(s->gguf, key, &flag)) {
        return (struct given){ .kind = FLAG, .number = flag, .shown = flag ? "true" : "false" };
    }
    if (gguf_string(s->gguf, key, &bytes, &length)) {
        err_quote(quoted, sizeof quoted, bytes, (size_t)length);
        return (struct given){ .kind = TEXT,
                               .text = arena_text(s->arena, bytes, (size_t)length),
                               .shown = arena_printf(s->arena, "\"%s\"", quoted) };
    }
    return (struct given){ .kind = OTHER,
                           .shown =
                               arena_printf(s->arena, "of type %s", gguf_kind(s->gguf, key)) };
}

/* The value of a field by its name in the form at hand; a GGUF name that begins with '.' stands
 * behind the type ("llama.block_count"). NULL for a name: that form has no such field. */
static struct given look(const struct source *s, const char *json, const char *gguf) {
    struct given given = { .kind = ABSENT };
    const char *key = s->json ? json : gguf;
    if (key && s->json) {
        given = given_json(s, json_at(s->json, key));
    } else if (key) {
        key = key[0] == '.' ? arena_printf(s->arena, "%s%s", s->type, key) : key;
        given = given_gguf(s, key);
    }
    given.key = key;
    return given;
}

/* A whole number within bounds; absent, *value stays. */
static int read_whole(const struct source *s, struct given given, int64_t least, int64_t most,
                      int64_t *value) {
    if (given.kind == ABSENT) {
        return 0;
    }
    if (given.kind != NUMBER || given.number != floor(given.number) ||
        given.number < (double)least || given.number > (double)most) {
        return err_set(s->err, ERR_FORMAT,
                       "%s: %s is %s; a whole number from %lld to %lld is wanted", s->file,
                       given.key, given.shown, (long long)least, (long long)most);
    }
    *value = (int64_t)given.number;
    return 0;
}

static int read_field(const struct source *s, struct config *config,
                      const struct field *field) {
    char *gguf = arena_printf(s->arena, ".%s", field->gguf);
    return read_whole(s, look(s, field_json(field, s->form), gguf), field->least, field->most,
                      (int64_t *)(void *)((char *)config + field->offset));
}

static int refuse_kind(const struct source *s, struct given given, const char *wanted) {
    return err_set(s->err, ERR_FORMAT, "%s: %s is %s; %s is wanted", s->file, given.key,
                   given.shown, wanted);
}

/* Leaves `*value` as it is if the file does not say it. */
static int read_positive(const struct source *s, struct given given, double *value) {
    if (given.kind == ABSENT) {
        return 0;
    }
    if (given.kind != NUMBER || !(given.number > 0) || !(given.number < 1e18)) {
        return refuse_kind(s, given, "a positive number");
    }
    *value = given.number;
    return 0;
}

/* A token's id (of a list, its first); negative ones mean none. */
static int read_id(const struct source *s, const char *json, const char *gguf, int64_t *id) {
    struct given given = look(s, json, gguf);
    const struct json *list = s->json ? json_at(s->json, json) : NULL;
    if (list && list->kind == JSON_ARRAY && list->first) {
        given = given_json(s, list->first);
        given.key = json;
    }
    if (given.kind == ABSENT) {
        return 0;
    }
    if (given.kind != NUMBER || given.number != floor(given.number) ||
        given.number > INT32_MAX || given.number < INT32_MIN) {
        return refuse_kind(s, given, "a token's id");
    }
    *id = given.number < 0 ? -1 : (int64_t)given.number;
    return 0;
}

/* ---- the architecture ---- */

static int unknown_type(const struct source *s, const char *key, struct given given,
                        const struct weights *weights) {
    const struct arch *const *all = arch_all();
    char list[300] = "";
    for (int i = 0; all[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", all[i]->name);
    }
    const char *near =
        kinship_tell(s->arena, given.kind == TEXT ? given.text : "", s->json, weights);
    return err_set(
        s->err, ERR_UNSUPPORTED,
        "%s: the architecture (%s) is %s, which is not known here%s%s; known are: %s", s->file,
        key, given.shown, *near ? "; " : "", near, list);
}

static int read_type(struct source *s, const struct weights *weights, struct config *config) {
    struct given given = look(s, "model_type", "general.architecture");
    if (given.kind == ABSENT) {
        return err_set(s->err, ERR_FORMAT,
                       "%s: %s is missing, so the architecture is not known", s->file,
                       given.key);
    }
    if (given.kind != TEXT || !arch_find(given.text)) {
        return unknown_type(s, given.key, given, weights);
    }
    s->type = given.text; /* GGUF's keys begin with it */
    s->form = &arch_find(given.text)->form;
    config->type = arch_find(given.text)->name;
    config->class_name = "";
    const struct json *classes = s->json ? json_at(s->json, "architectures") : NULL;
    if (classes && classes->kind == JSON_ARRAY && classes->first &&
        classes->first->kind == JSON_STRING) {
        config->class_name = classes->first->text.bytes;
    }
    return 0;
}

/* ---- the parts of a configuration ---- */

/* GGUF need not say the size of its vocabulary: the embedding's rows, or the tokens, do. */
static void vocab_of_gguf(const struct source *s, const struct weights *weights,
                          struct config *config) {
    const struct tensor *embedding = weights_at(weights, "token_embd.weight");
    struct gguf_strings strings;
    int64_t n;
    if (config->vocab == 0 && embedding && embedding->rank == 2) {
        config->vocab = embedding->shape[0];
    } else if (config->vocab == 0 &&
               gguf_array_strings(s->gguf, "tokenizer.ggml.tokens", &strings, &n)) {
        config->vocab = n;
    }
}

static int read_decoder(const struct source *s, struct config *config) {
    config->decoder_layers = s->form->decodes ? config->layers : 0;
    return s->form->decodes ? read_whole(s, look(s, "num_decoder_layers", NULL), 1, 10000,
                                         &config->decoder_layers)
                            : 0;
}

static int read_sizes(const struct source *s, const struct weights *weights,
                      struct config *config) {
    size_t count = s->form->headless ? NEEDED_HEADLESS : sizeof fields / sizeof *fields;
    for (size_t i = 0; i < count; i++) {
        if (read_field(s, config, &fields[i]) < 0) {
            return -1;
        }
    }
    if (s->gguf) {
        vocab_of_gguf(s, weights, config);
    }
    config->vocab = config->vocab ? config->vocab : s->form->vocab_of;
    config->heads = config->heads ? config->heads : s->form->heads_of;
    if (config->inner == 0) {
        config->inner = s->form->inner_by * config->width;
    }
    int needed = s->form->headless  ? NEEDED_HEADLESS
                 : s->form->endless ? NEEDED_ENDLESS
                                    : NEEDED;
    for (int i = 0; i < needed; i++) {
        if (*(int64_t *)(void *)((char *)config + fields[i].offset) == 0) {
            return err_set(s->err, ERR_FORMAT, "%s: %s%s%s is missing", s->file,
                           s->json ? "" : s->type, s->json ? "" : ".",
                           s->json ? field_json(&fields[i], s->form) : fields[i].gguf);
        }
    }
    if (read_decoder(s, config) < 0) {
        return -1;
    }
    if (config->heads == 0) {
        return 0;
    }
    if (config->kv_heads == 0) { /* GGUF and null: each head has its own */
        bool silent = s->json && !json_at(s->json, "num_key_value_heads");
        config->kv_heads =
            silent && s->form->kv_heads_of ? s->form->kv_heads_of : config->heads;
    }
    if (config->heads % config->kv_heads != 0) {
        return err_set(s->err, ERR_FORMAT,
                       "%s: %lld attention heads cannot share %lld key-value heads evenly",
                       s->file, (long long)config->heads, (long long)config->kv_heads);
    }
    if (config->head_width == 0 && s->json) {
        config->head_width = s->form->head_width_of;
    }
    if (config->head_width == 0 && config->width % config->heads != 0) {
        return err_set(s->err, ERR_FORMAT, "%s: a width of %lld does not divide by %lld heads",
                       s->file, (long long)config->width, (long long)config->heads);
    }
    config->head_width =
        config->head_width ? config->head_width : config->width / config->heads;
    return 0;
}

/* One rope for all layers; an architecture whose layers have several reads them itself. */
static int read_rope(const struct source *s, struct config *config) {
    double base = s->form->rope_base > 0 ? s->form->rope_base : 10000;
    struct rope_place place = { .base = "rope_theta", .scaled = true, .usual = base };
    config->context_said = config->context;
    if (rope_read(config, &place, &config->rope, s->err) < 0) {
        return -1;
    }
    config->context = rope_context(&config->rope, config->context);
    return 0;
}

static const char *or_usual(const char *name, const char *usual) {
    return name ? name : usual;
}

static int read_norms(const struct source *s, const struct weights *weights,
                      struct config *config) {
    const struct config_form *form = s->form;
    char *eps =
        arena_printf(s->arena, ".%s", or_usual(form->eps_gguf, "attention.layer_norm_epsilon"));
    config->eps = form->eps > 0 ? form->eps : 1e-5;
    if (read_positive(s, look(s, or_usual(form->eps_name, "layer_norm_eps"), eps),
                      &config->eps) < 0) {
        return -1;
    }
    struct given activation = look(s, or_usual(form->act_name, "hidden_act"), NULL);
    if (activation.kind != TEXT && activation.kind != ABSENT) {
        return refuse_kind(s, activation, "a name");
    }
    config->activation =
        activation.kind == TEXT ? activation.text : or_usual(form->act, "gelu");
    struct given tied = look(s, "tie_word_embeddings", NULL);
    if (tied.kind != FLAG && tied.kind != ABSENT) {
        return refuse_kind(s, tied, "true or false");
    }
    config->tied = tied.kind == FLAG ? tied.number != 0 : form->tied;
    if (s->gguf) {
        config->tied = !weights_at(weights, "output.weight");
    }
    return 0;
}

/* The classes' names, if id2label gives each number from 0 one. */
static void read_label_names(const struct source *s, struct config *config) {
    const struct json *table = json_at(s->json, "id2label");
    const char **names = arena_array(s->arena, config->labels, sizeof *names);
    for (int64_t i = 0; i < config->labels; i++) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)i);
        names[i] = json_text_at(table, number, NULL);
        if (!names[i]) {
            return;
        }
    }
    config->label_names = names;
}

static int read_labels(const struct source *s, struct config *config) {
    if (!s->json || !strstr(config->class_name, "ForSequenceClassification")) {
        return 0;
    }
    const struct json *table = json_at(s->json, "id2label");
    struct given count = look(s, "num_labels", NULL);
    double labels = table && table->kind == JSON_OBJECT ? (double)table->count
                    : count.kind == ABSENT              ? 2
                                                        : count.number;
    if (labels != floor(labels) || labels < 1 || labels > LABELS_MOST) {
        return err_set(s->err, ERR_FORMAT,
                       "%s: the classifier has %g classes; 1 to %d are possible", s->file,
                       labels, LABELS_MOST);
    }
    config->labels = (int64_t)labels;
    read_label_names(s, config);
    return 0;
}

static int read_ids(const struct source *s, struct config *config) {
    config->bos = config->eos = -1;
    config->pad = s->form->has_pad ? s->form->pad : -1;
    if (read_id(s, "bos_token_id", "tokenizer.ggml.bos_token_id", &config->bos) < 0 ||
        read_id(s, "eos_token_id", "tokenizer.ggml.eos_token_id", &config->eos) < 0) {
        return -1;
    }
    if (read_id(s, "pad_token_id", "tokenizer.ggml.padding_token_id", &config->pad) < 0) {
        return -1;
    }
    config->decoder_start = config->pad >= 0 ? config->pad : 0;
    return s->form->decodes ? read_id(s, "decoder_start_token_id", NULL, &config->decoder_start)
                            : 0;
}

/* ---- the file ---- */

static int open_json(struct source *s, const char *path) {
    if (!file_exists(path)) {
        return err_set(
            s->err, ERR_MODEL,
            "%s is missing; the config.json that came with the weights must lie beside "
            "them",
            path);
    }
    struct file *file = file_map(s->arena, path, s->err);
    if (!file) {
        return -1;
    }
    if (file->size > CONFIG_MOST) {
        return err_set(s->err, ERR_FORMAT, "%s has %lld bytes; a config.json has at most %d",
                       path, (long long)file->size, CONFIG_MOST);
    }
    s->json = json_parse(s->arena, file->bytes, (size_t)file->size, path, s->err);
    if (s->json && s->json->kind != JSON_OBJECT) {
        return err_set(s->err, ERR_FORMAT, "%s does not hold a JSON object", path);
    }
    return s->json ? 0 : -1;
}

struct config *config_read(struct arena *arena, const struct weights *weights,
                           const char *json_path, struct err *err) {
    struct config *config = arena_alloc(arena, sizeof *config);
    struct source s = { .arena = arena, .file = json_path, .err = err };
    if (json_path && open_json(&s, json_path) < 0) {
        return NULL;
    }
    if (!json_path) {
        s.file = weights->path;
        s.gguf = weights->gguf;
    }
    if (read_type(&s, weights, config) < 0) {
        return NULL;
    }
    const struct json *inner = s.form->inside ? json_at(s.json, s.form->inside) : NULL;
    if (inner && inner->kind == JSON_OBJECT) {
        s.json = inner;
    }
    config->context = s.form->context_of;
    config->types = s.form->types;
    config->arena = arena;
    config->gguf_type = s.type;
    config->json = s.json;
    config->gguf = s.gguf;
    config->file = s.file;
    bool good = read_sizes(&s, weights, config) == 0 && read_rope(&s, config) == 0 &&
                read_norms(&s, weights, config) == 0 && read_labels(&s, config) == 0 &&
                read_ids(&s, config) == 0;
    return good ? config : NULL;
}

bool config_fits(const struct config *config, int64_t tokens) {
    return config->context == 0 || tokens <= config->context;
}

/* ---- what one architecture asks for ---- */

/* The value, and where it is looked for in `s`. */
static struct given ask(const struct config *config, struct source *s, const char *json,
                        const char *gguf, struct err *err) {
    *s = (struct source){ .arena = config->arena,
                          .file = config->file,
                          .json = config->json,
                          .gguf = config->gguf,
                          .type = config->gguf_type,
                          .err = err };
    return look(s, json, gguf);
}

int config_real(const struct config *config, const char *json, const char *gguf, double least,
                double most, double *value, struct err *err) {
    struct source s;
    struct given given = ask(config, &s, json, gguf, err);
    if (given.kind == ABSENT) {
        return 0;
    }
    if (given.kind != NUMBER || !(given.number >= least && given.number <= most)) {
        return err_set(err, ERR_FORMAT, "%s: %s is %s; a number from %g to %g is wanted",
                       s.file, given.key, given.shown, least, most);
    }
    *value = given.number;
    return 0;
}

int config_whole(const struct config *config, const char *json, const char *gguf, int64_t least,
                 int64_t most, int64_t *value, struct err *err) {
    struct source s;
    struct given given = ask(config, &s, json, gguf, err);
    return read_whole(&s, given, least, most, value);
}

int config_flag(const struct config *config, const char *json, const char *gguf, bool *value,
                struct err *err) {
    struct source s;
    struct given given = ask(config, &s, json, gguf, err);
    if (given.kind != FLAG && given.kind != ABSENT) {
        return refuse_kind(&s, given, "true or false");
    }
    *value = given.kind == FLAG ? given.number != 0 : *value;
    return 0;
}

int config_text(const struct config *config, const char *json, const char *gguf,
                const char **value, struct err *err) {
    struct source s;
    struct given given = ask(config, &s, json, gguf, err);
    if (given.kind != TEXT && given.kind != ABSENT) {
        return refuse_kind(&s, given, "a text");
    }
    *value = given.kind == TEXT ? given.text : *value;
    return 0;
}

struct config *config_inside(const struct config *config, const char *name,
                             const char *within) {
    const struct json *object = config->json ? json_at(config->json, name) : NULL;
    if (within && object) {
        object = object->kind == JSON_OBJECT ? json_at(object, within) : NULL;
    }
    if (!object || object->kind != JSON_OBJECT) {
        return NULL;
    }
    struct config *inside = arena_alloc(config->arena, sizeof *inside);
    *inside = *config;
    inside->json = object;
    return inside;
}

int config_rope_part(const struct config *config, const char *base_name, const char *part_name,
                     double part, struct rope *rope, struct err *err) {
    const struct config *inside = config_inside(config, "rope_scaling", NULL);
    if (!inside || inside->json->count == 0) {
        inside = config_inside(config, "rope_parameters", NULL);
    }
    *rope = config->rope;
    if (rope->by_layer) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: rope_parameters differ from layer to layer, which is not known here "
            "for %s",
            config->file, config->type);
    }
    if (config_real(config, base_name, NULL, BASE_LEAST, BASE_MOST, &rope->base, err) < 0 ||
        config_real(config, part_name, NULL, 0, 1, &part, err) < 0) {
        return -1;
    }
    if (inside &&
        (config_real(inside, "rope_theta", NULL, BASE_LEAST, BASE_MOST, &rope->base, err) < 0 ||
         config_real(inside, "partial_rotary_factor", NULL, 0, 1, &part, err) < 0)) {
        return -1;
    }
    rope->span = (int64_t)((double)config->head_width * part);
    rope->width = (rope->span + 1) / 2 * 2;
    if (rope->factors && rope->width != config->rope.width) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %s and partial_rotary_factor differ, so that the lists of longrope "
                       "do not fit",
                       config->file, part_name);
    }
    if (rope->kind == ROPE_DYNAMIC && rope->span <= 2) {
        return err_set(err, ERR_FORMAT,
                       "%s: dynamic rotary positions need more than 2 numbers of a head; these "
                       "turn %lld",
                       config->file, (long long)rope->span);
    }
    if (rope->width > config->head_width) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: rotary positions turn all of a head's %lld numbers, an odd count",
                       config->file, (long long)config->head_width);
    }
    return 0;
}

int config_only(const struct config *config, const char *json, bool known, struct err *err) {
    bool value = known;
    if (config_flag(config, json, NULL, &value, err) < 0) {
        return -1;
    }
    if (value != known) {
        return err_set(err, ERR_UNSUPPORTED, "%s: %s is %s; only %s can be computed for %s",
                       config->file, json, value ? "true" : "false", known ? "true" : "false",
                       config->type);
    }
    return 0;
}

int config_absolute(const struct config *config, struct err *err) {
    const char *kind = "absolute";
    if (config_text(config, "position_embedding_type", NULL, &kind, err) < 0) {
        return -1;
    }
    if (strcmp(kind, "absolute") != 0) {
        char quoted[60];
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: position_embedding_type is \"%s\"; only \"absolute\" is known",
                       config->file, err_quote(quoted, sizeof quoted, kind, strlen(kind)));
    }
    return 0;
}

int config_classic(const struct config *config, struct err *err) {
    if (!config->json) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %s is read from Hugging Face folders, not from GGUF", config->file,
                       config->type);
    }
    if (config->kv_heads != config->heads) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %lld key-value heads for %lld heads; in %s each head has its own",
                       config->file, (long long)config->kv_heads, (long long)config->heads,
                       config->type);
    }
    if (config->heads * config->head_width != config->width) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: %lld heads of %lld numbers do not make up the width of %lld; in %s "
                       "they do",
                       config->file, (long long)config->heads, (long long)config->head_width,
                       (long long)config->width, config->type);
    }
    return 0;
}
