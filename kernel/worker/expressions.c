#include "kernel/worker/expressions.h"

#include <string.h>

static void write_ok(struct jsonwrite *w, const char *text) {
    json_open(w, '{');
    json_key(w, "status");
    json_string(w, "ok");
    json_key(w, "data");
    json_open(w, '{');
    json_key(w, "text/plain");
    json_string(w, text);
    json_close(w, '}');
    json_key(w, "metadata");
    json_open(w, '{');
    json_close(w, '}');
    json_close(w, '}');
}

static void write_error(struct jsonwrite *w, const struct err *err, bool zh) {
    json_open(w, '{');
    json_key(w, "status");
    json_string(w, "error");
    json_key(w, "ename");
    json_string(w, err_name(err->kind));
    json_key(w, "evalue");
    json_string(w, err_said(err, zh));
    json_key(w, "traceback");
    json_open(w, '[');
    json_close(w, ']');
    json_close(w, '}');
}

/* What of the model in use is asked, as text in the arena; NULL and an error if there is none.
 */
static const char *of_model(struct arena *arena, const struct loaded *one, const char *what) {
    const struct config *config = one->model->config;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        { "layers", config->layers },   { "heads", config->heads },
        { "width", config->width },     { "vocab", config->vocab },
        { "context", config->context }, { "parameters", one->model->parameters },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i].name, what) == 0) {
            return arena_printf(arena, "%lld", (long long)numbers[i].value);
        }
    }
    return strcmp(what, "arch") == 0    ? one->model->arch->name
           : strcmp(what, "dtype") == 0 ? one->model->dtype
                                        : NULL;
}

static const char *join_models(struct arena *arena, struct session *session) {
    struct buf *out = buf_new(arena);
    int64_t count, in_use;
    const struct loaded *list = session_models(session, &count, &in_use);
    for (int64_t i = 0; i < count; i++) {
        buf_printf(out, "%s%s", i ? ", " : "", list[i].handle);
    }
    return out->data;
}

static const char *join_results(struct arena *arena, struct session *session) {
    struct buf *out = buf_new(arena);
    int64_t count;
    const char *const *names = session_results(session, arena, &count);
    for (int64_t i = 0; i < count; i++) {
        buf_printf(out, "%s%s", i ? ", " : "", names[i]);
    }
    return out->data;
}

static const char *value_of(struct session *session, const char *text, struct err *err) {
    struct arena *arena = session_arena(session);
    if (strcmp(text, "models") == 0) {
        return join_models(arena, session);
    }
    if (strcmp(text, "results") == 0) {
        return join_results(arena, session);
    }
    if (strcmp(text, "seed") == 0 || strcmp(text, "language") == 0) {
        return session_setting(session, text);
    }
    if (strcmp(text, "model") == 0 || strncmp(text, "model.", 6) == 0) {
        const struct loaded *one = session_model(session, NULL, err);
        if (!one) {
            err_pass(err);
            return NULL;
        }
        const char *value = text[5] ? of_model(arena, one, text + 6) : one->handle;
        if (value) {
            return value;
        }
    }
    char shown[100];
    err_set(
        err, ERR_OPTION,
        "there is no expression %s: possible are models, model, model.layers, model.heads, "
        "model.width, model.vocab, model.context, model.parameters, model.arch, model.dtype, "
        "results, seed and language",
        err_quote(shown, sizeof shown, text, strlen(text)));
    return NULL;
}

void expressions_write(struct jsonwrite *w, struct session *session, const char *text) {
    struct err err = { 0 };
    const char *value = value_of(session, text, &err);
    if (value) {
        write_ok(w, value);
    } else {
        write_error(w, &err, strcmp(session_setting(session, "language"), "zh") == 0);
    }
}
