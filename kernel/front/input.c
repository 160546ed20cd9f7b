#include "kernel/front/input.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/answer.h"
#include "kernel/front/minder.h"
#include "kernel/front/stream.h"
#include "kernel/relay/relay.h"

static void answer_send(struct front *front, enum relay_answered what, const char *text,
                        size_t length) {
    struct running *running = &front->running;
    struct buf *out = buf_new(running->message->arena);
    running->question = NULL;
    running->asked[0] = '\0';
    running->ask_at = 0;
    buf_char(out, (char)what);
    buf_add(out, text, length);
    minder_send(front->minder, RELAY_ANSWER, out->data, out->length);
}

static void refuse(struct front *front, const char *en, const char *zh) {
    const char *why = minder_zh(front->minder) ? zh : en;
    answer_send(front, RELAY_REFUSED, why, strlen(why));
}

/* A client connects its sockets in any order, so its stdin may be there a moment later. */
static void question_send(struct front *front, int64_t now) {
    struct running *running = &front->running;
    struct frame content = { running->question->data, running->question->length };
    running->ask_at = 0;
    if (sockets_ask(front->sockets, running->message, "input_request", content,
                    running->asked) == 0) {
        return;
    }
    running->asked[0] = '\0';
    if (now < running->ask_until) {
        running->ask_at = now + INPUT_AGAIN_MS;
    } else {
        refuse(front, "the front end that sent the cell does not listen on stdin",
               "发送此单元格的前端没有监听 stdin，无法提问");
    }
}

int64_t input_due(const struct front *front) {
    return front->running.ask_at;
}

void input_tick(struct front *front, int64_t now) {
    if (input_due(front) != 0 && input_due(front) <= now) {
        question_send(front, now);
    }
}

void input_ask(struct front *front, const char *bytes, size_t length) {
    enum { STALE_MOST = 10000 };
    struct running *running = &front->running;
    if (length == 0 || !frames_flag(running->message, "allow_stdin", false)) {
        refuse(front, "the cell was sent by a front end that cannot be asked (allow_stdin)",
               "发送此单元格的前端不接受提问（allow_stdin）");
        return;
    }
    struct buf *out = buf_new(running->message->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "prompt");
    json_bytes(&w, bytes + 1, length - 1);
    json_key(&w, "password");
    json_bool(&w, bytes[0] == 1);
    json_close(&w, '}');
    stream_flush(front->stream); /* what was written before the question stands above it */
    answer_channel(front, CHANNEL_STDIN, STALE_MOST); /* nothing that is there answers it */
    running->question = out;
    running->ask_until = front_now() + INPUT_PATIENCE_MS;
    question_send(front, front_now());
}

static bool same(struct frame a, struct frame b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static bool same_client(const struct message *a, const struct message *b) {
    bool alike = a->id_count == b->id_count;
    for (int i = 0; alike && i < a->id_count; i++) {
        alike = same(a->ids[i], b->ids[i]);
    }
    return alike;
}

/* Whether its parent is that question, or not given. */
static bool same_question(const struct message *message, const char *asked) {
    const char *id = json_string_value(json_object_get(message->parent, "msg_id"));
    return !id || strcmp(id, asked) == 0;
}

/* Why the message answers nothing; NULL: it does. */
static const char *idle_because(const struct front *front, const struct message *message) {
    const struct running *running = &front->running;
    return strcmp(message->type, "input_reply") != 0 ? "it is no input_reply"
           : !running->message || !running->asked[0] ? "nobody was asked"
           : !same_client(message, running->message) ? "another client was asked"
           : message->bad                            ? message->bad
           : !same_question(message, running->asked) ? "something else was asked"
           : !json_is_string(json_object_get(message->content, "value"))
               ? "its \"value\" is no text"
               : NULL;
}

static void answer_pass(struct front *front, struct message *message) {
    size_t length;
    const char *text = frames_text(message, "value", &length);
    if (length == 1 && text[0] == '\x04') {
        answer_send(front, RELAY_END, NULL, 0);
        return;
    }
    if (length > INPUT_MOST) {
        refuse(front,
               arena_printf(message->arena, "the answer has %zu bytes; at most %d are taken",
                            length, INPUT_MOST),
               arena_printf(message->arena, "回答有 %zu 字节，最多接受 %d 字节", length,
                            INPUT_MOST));
        return;
    }
    struct buf *whole = buf_new(message->arena);
    for (size_t i = 0, n; i <= length; i += n + 1) {
        n = strnlen(text + i, length - i);
        buf_add(whole, text + i, n);
        buf_text(whole, i + n < length ? "\xef\xbf\xbd" : "");
    }
    answer_send(front, RELAY_TEXT, whole->data, whole->length);
}

void input_answer(struct front *front, struct message *message) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        const char *why = idle_because(front, message);
        if (why) {
            front_log("ignored a message on stdin: %s", why);
        } else {
            answer_pass(front, message);
        }
    } else {
        front_log("a message on stdin could not be read: %s", here.err.text);
    }
    catch_end(&here);
    frames_free(message);
}
