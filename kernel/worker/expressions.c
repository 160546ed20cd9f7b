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

static void write_error(struct jsonwrite *w, const struct err *err) {
    json_open(w, '{');
    json_key(w, "status");
    json_string(w, "error");
    json_key(w, "ename");
    json_string(w, err_name(err->kind));
    json_key(w, "evalue");
    json_string(w, err->text);
    json_key(w, "traceback");
    json_open(w, '[');
    json_close(w, ']');
    json_close(w, '}');
}

static const char *value_of(struct session *session, const char *text, struct err *err) {
    if (strcmp(text, "seed") == 0 || strcmp(text, "language") == 0) {
        return session_setting(session, text);
    }
    char shown[100];
    err_set(err, ERR_OPTION, "there is no expression %s: possible are seed and language",
            err_quote(shown, sizeof shown, text, strlen(text)));
    return NULL;
}

void expressions_write(struct jsonwrite *w, struct session *session, const char *text) {
    struct err err = { 0 };
    const char *value = value_of(session, text, &err);
    if (value) {
        write_ok(w, value);
    } else {
        write_error(w, &err);
    }
}
