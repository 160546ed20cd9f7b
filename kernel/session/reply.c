#include "kernel/session/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonwrite.h"

struct reply {
    struct arena *arena;
    struct reply_sink sink;
    int64_t count;
    bool silent;
    struct buf *payloads; /* JSON, without the outer brackets */
    struct buf *content;  /* of the message being written: a cell may send very many */
};

struct reply *reply_new(struct arena *arena, const struct reply_sink *sink, int64_t count,
                        bool silent) {
    struct reply *reply = arena_alloc(arena, sizeof *reply);
    *reply = (struct reply){ .arena = arena,
                             .sink = *sink,
                             .count = count,
                             .silent = silent,
                             .payloads = buf_new(arena),
                             .content = buf_new(arena) };
    return reply;
}

/* Begins a message; what the last one said is gone. */
static struct jsonwrite content_begin(struct reply *reply) {
    buf_clear(reply->content);
    return (struct jsonwrite){ .out = reply->content };
}

struct arena *reply_arena(struct reply *reply) {
    return reply->arena;
}

bool reply_follows(const struct reply *reply) {
    return reply->sink.follows && !reply->silent;
}

void reply_progress(struct reply *reply, const struct reply_progress *progress) {
    if (reply->sink.progress) {
        reply->sink.progress(reply->sink.arg, progress);
    }
}

static void stream(struct reply *reply, bool is_error, const char *text, size_t length) {
    if (!reply->silent && length > 0) {
        reply->sink.stream(reply->sink.arg, is_error, text, length);
    }
}

void reply_text(struct reply *reply, const char *text, size_t length) {
    stream(reply, false, text, length);
}

void reply_error_text(struct reply *reply, const char *text, size_t length) {
    stream(reply, true, text, length);
}

void reply_printf(struct reply *reply, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_raw(reply->arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    stream(reply, false, text, (size_t)length);
}

static void send(struct reply *reply, const char *type, const struct buf *content) {
    if (!reply->silent) {
        reply->sink.message(reply->sink.arg, type, content->data, content->length);
    }
}

static void add_text(struct jsonwrite *w, const char *mime, const char *text) {
    if (text) {
        json_key(w, mime);
        json_string(w, text);
    }
}

static void add_png(struct jsonwrite *w, const struct bundle *bundle) {
    if (!bundle->png) {
        return;
    }
    json_key(w, "image/png");
    json_open(w, '"'); /* base64 needs no escapes */
    buf_base64(w->out, bundle->png, bundle->png_length);
    json_close(w, '"');
}

static void add_metadata(struct jsonwrite *w, const struct bundle *bundle) {
    json_key(w, "metadata");
    json_open(w, '{');
    if (bundle->png) {
        json_key(w, "image/png");
        json_open(w, '{');
        json_key(w, "width");
        json_int(w, bundle->width);
        json_key(w, "height");
        json_int(w, bundle->height);
        add_text(w, "alt", bundle->alt);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void add_transient(struct jsonwrite *w, const char *display_id) {
    json_key(w, "transient");
    json_open(w, '{');
    add_text(w, "display_id", display_id);
    json_close(w, '}');
}

void reply_bundle(struct reply *reply, const struct bundle *bundle, const char *display_id,
                  bool update) {
    if (reply->silent) {
        return;
    }
    if (reply->sink.bundle) {
        reply->sink.bundle(reply->sink.arg, bundle);
        return;
    }
    struct jsonwrite w = content_begin(reply);
    json_open(&w, '{');
    json_key(&w, "data");
    json_open(&w, '{');
    add_text(&w, "text/plain", bundle->text);
    add_png(&w, bundle);
    add_text(&w, "text/html", bundle->html);
    if (bundle->mime) {
        json_key(&w, bundle->mime);
        json_raw(&w, bundle->json, strlen(bundle->json));
    }
    json_close(&w, '}');
    add_metadata(&w, bundle);
    add_transient(&w, display_id);
    json_close(&w, '}');
    send(reply, update ? "update_display_data" : "display_data", w.out);
}

void reply_display(struct reply *reply, const char *text, const char *html) {
    struct bundle bundle = { .text = text, .html = html };
    reply_bundle(reply, &bundle, NULL, false);
}

void reply_result(struct reply *reply, const char *text, const char *html) {
    if (reply->sink.bundle) {
        reply_display(reply, text, html);
        return;
    }
    struct jsonwrite w = content_begin(reply);
    json_open(&w, '{');
    json_key(&w, "execution_count");
    json_int(&w, reply->count);
    json_key(&w, "data");
    json_open(&w, '{');
    add_text(&w, "text/plain", text);
    add_text(&w, "text/html", html);
    json_close(&w, '}');
    json_key(&w, "metadata");
    json_open(&w, '{');
    json_close(&w, '}');
    json_close(&w, '}');
    send(reply, "execute_result", w.out);
}

void reply_clear(struct reply *reply, bool wait) {
    struct jsonwrite w = content_begin(reply);
    json_open(&w, '{');
    json_key(&w, "wait");
    json_bool(&w, wait);
    json_close(&w, '}');
    send(reply, "clear_output", w.out);
}

void reply_page(struct reply *reply, const char *text) {
    if (reply->sink.page && !reply->silent) {
        reply->sink.page(reply->sink.arg, text);
        return;
    }
    struct jsonwrite w = { .out = reply->payloads, .comma = reply->payloads->length > 0 };
    json_open(&w, '{');
    json_key(&w, "source");
    json_string(&w, "page");
    json_key(&w, "data");
    json_open(&w, '{');
    add_text(&w, "text/plain", text);
    json_close(&w, '}');
    json_key(&w, "start");
    json_int(&w, 0);
    json_close(&w, '}');
}

int reply_ask(struct reply *reply, const char *prompt, bool secret, const char **answer,
              struct err *err) {
    struct buf *text = buf_new(reply->arena);
    if (!reply->sink.ask) {
        return err_set(err, ERR_UNSUPPORTED,
                       "nobody can be asked here: that takes a notebook or console that lets "
                       "a cell ask (allow_stdin)");
    }
    int got = reply->sink.ask(reply->sink.arg, prompt, secret, text, err);
    *answer = got > 0 ? text->data : NULL;
    return got < 0 ? err_pass(err) : 0;
}

const char *reply_payloads(struct reply *reply) {
    return arena_printf(reply->arena, "[%s]", reply->payloads->data);
}
