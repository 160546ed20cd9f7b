#include "core/model/template.h"

#include "core/base/file.h"
#include "core/base/jsonread.h"
#include "core/model/gguf.h"
#include "core/model/weights.h"
#include "core/text/tokenizer.h"

/* What the files say. */
struct said {
    struct json_text template; /* bytes NULL: none */
    bool others;               /* there are some, but none is called "default" */
    const char *begin, *end;
};

/* ---- tokenizer_config.json ---- */

/* {"name": "default", "template": "..."}; templates of other names are for other uses. */
static void read_named(struct jsonread *r, struct arena *arena, struct said *said) {
    struct json_text key, name = { 0 }, template = { 0 };
    for (jsonread_object(r); jsonread_key(r, arena, &key);) {
        if (json_is(key, "name")) {
            name = jsonread_string(r, arena);
        } else if (json_is(key, "template")) {
            template = jsonread_string(r, arena);
        } else {
            jsonread_skip(r);
        }
    }
    if (json_is(name, "default")) {
        said->template = template;
    }
    said->others = true;
}

static void read_template(struct jsonread *r, struct arena *arena, struct said *said) {
    enum json_kind kind = jsonread_peek(r);
    if (kind == JSON_STRING) {
        said->template = jsonread_string(r, arena);
    } else if (kind == JSON_ARRAY) {
        for (jsonread_array(r); jsonread_item(r);) {
            read_named(r, arena, said);
        }
    } else {
        jsonread_skip(r);
    }
}

/* "<s>", or {"content": "<s>", ...}; null is none. */
static const char *read_token(struct jsonread *r, struct arena *arena) {
    enum json_kind kind = jsonread_peek(r);
    const char *token = "";
    struct json_text key;
    if (kind == JSON_STRING) {
        return jsonread_text(r, arena);
    }
    if (kind != JSON_OBJECT) {
        jsonread_skip(r);
        return token;
    }
    for (jsonread_object(r); jsonread_key(r, arena, &key);) {
        if (json_is(key, "content")) {
            token = jsonread_text(r, arena);
        } else {
            jsonread_skip(r);
        }
    }
    return token;
}

/* Its other members, megabytes of added tokens among them, are passed over. */
static int read_config(struct arena *arena, const char *path, struct said *said,
                       struct err *err) {
    struct jsonread r;
    struct json_text key;
    struct file *file = file_map(arena, path, err);
    if (!file) {
        return err_pass(err);
    }
    jsonread_init(&r, file->bytes, (size_t)file->size, path);
    for (jsonread_object(&r); jsonread_key(&r, arena, &key);) {
        if (json_is(key, "chat_template")) {
            read_template(&r, arena, said);
        } else if (json_is(key, "bos_token")) {
            said->begin = read_token(&r, arena);
        } else if (json_is(key, "eos_token")) {
            said->end = read_token(&r, arena);
        } else {
            jsonread_skip(&r);
        }
    }
    jsonread_end(&r);
    return jsonread_failed(&r, err) ? -1 : 0;
}

/* Both files; *path becomes the one that holds the template. */
static int read_folder(struct arena *arena, const char **path, struct said *said,
                       struct err *err) {
    const char *config = weights_beside(arena, *path, "tokenizer_config.json");
    const char *jinja = weights_beside(arena, *path, "chat_template.jinja");
    if (file_exists(config) && read_config(arena, config, said, err) < 0) {
        return err_pass(err);
    }
    *path = config;
    if (file_exists(jinja)) {
        struct file *file = file_map(arena, jinja, err);
        if (!file) {
            return err_pass(err);
        }
        said->template = (struct json_text){ (const char *)file->bytes, (size_t)file->size };
        *path = jinja;
    }
    return 0;
}

/* ---- GGUF ---- */

static const char *spelled(const struct gguf *gguf, const struct tokenizer *tokenizer,
                           const char *key) {
    int64_t id;
    const char *spelling = NULL;
    if (tokenizer && gguf_int(gguf, key, &id) && id >= 0 && id < tokenizer_size(tokenizer)) {
        spelling = tokenizer_spelling(tokenizer, (int32_t)id);
    }
    return spelling ? spelling : "";
}

static void read_gguf(const struct gguf *gguf, const struct tokenizer *tokenizer,
                      struct said *said) {
    int64_t length = 0;
    if (gguf_string(gguf, "tokenizer.chat_template", &said->template.bytes, &length)) {
        said->template.length = (size_t)length;
    }
    said->begin = spelled(gguf, tokenizer, "tokenizer.ggml.bos_token_id");
    said->end = spelled(gguf, tokenizer, "tokenizer.ggml.eos_token_id");
}

struct chat *template_read(struct arena *arena, const struct gguf *gguf, const char *path,
                           const struct tokenizer *tokenizer, struct err *err) {
    struct said said = { .begin = "", .end = "" };
    if (gguf) {
        read_gguf(gguf, tokenizer, &said);
    } else if (read_folder(arena, &path, &said, err) < 0) {
        return NULL;
    }
    if (!said.template.bytes && said.others) {
        err_set(err, ERR_UNSUPPORTED, "%s: none of its chat templates is called \"default\"",
                path);
    }
    if (!said.template.bytes) {
        return NULL;
    }
    struct chat *chat = arena_alloc(arena, sizeof *chat);
    chat->format = chat_find(arena, said.template.bytes, said.template.length, path, err);
    chat->begin = said.begin;
    chat->end = said.end;
    return chat->format ? chat : NULL;
}
