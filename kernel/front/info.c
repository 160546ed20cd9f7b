#include "kernel/front/info.h"

#include <string.h>

#include "config.h"
#include "core/base/jsonwrite.h"
#include "kernel/cell/cell.h"
#include "kernel/wire/envelope.h"

static void member(struct jsonwrite *w, const char *key, const char *text) {
    json_key(w, key);
    json_string(w, text);
}

static void language_write(struct jsonwrite *w) {
    json_key(w, "language_info");
    json_open(w, '{');
    member(w, "name", "cutaway");
    member(w, "version", PACKAGE_VERSION);
    member(w, "mimetype", "text/x-cutaway");
    member(w, "file_extension", ".cut");
    member(w, "pygments_lexer", "text");
    member(w, "codemirror_mode", "cutaway");
    member(w, "nbconvert_exporter", "script");
    json_close(w, '}');
}

void info_answer(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    member(&w, "status", "ok");
    member(&w, "protocol_version", ENVELOPE_VERSION);
    member(&w, "implementation", "cutaway");
    member(&w, "implementation_version", PACKAGE_VERSION);
    member(&w, "banner",
           "Cutaway " PACKAGE_VERSION
           " opens up language models: what they read, where they look, "
           "why they answer so. %help lists the commands.");
    json_key(&w, "debugger");
    json_bool(&w, false);
    json_key(&w, "help_links");
    json_open(&w, '[');
    json_open(&w, '{');
    member(&w, "text", "Jupyter messaging protocol");
    member(&w, "url", "https://jupyter-client.readthedocs.io/en/stable/messaging.html");
    json_close(&w, '}');
    json_close(&w, ']');
    json_key(&w, "supported_features");
    json_open(&w, '[');
    json_string(&w, "iopub_welcome");
    json_close(&w, ']');
    language_write(&w);
    json_close(&w, '}');
    front_reply(front, request, "kernel_info_reply", out);
}

void info_is_complete(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    size_t length;
    const char *code = frames_text(request, "code", &length);
    const char *status = cell_completeness(code, length);
    json_open(&w, '{');
    member(&w, "status", status);
    if (strcmp(status, "incomplete") == 0) {
        member(&w, "indent", "");
    }
    json_close(&w, '}');
    front_reply(front, request, "is_complete_reply", out);
}
