#include <string.h>

#include "core/base/buf.h"
#include "core/base/jsontree.h"
#include "kernel/session/reply.h"
#include "tests/check.h"

static struct buf *heard; /* what the sink was told, a line each */

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    (void)arg;
    buf_printf(heard, "%s:%.*s|", is_error ? "stderr" : "stdout", (int)length, text);
}

static void on_message(void *arg, const char *type, const char *content, size_t length) {
    (void)arg;
    buf_printf(heard, "%s %.*s|", type, (int)length, content);
}

static struct reply *reply_here(bool silent) {
    static const struct reply_sink sink = { .stream = on_stream, .message = on_message };
    heard = buf_new(check_arena());
    return reply_new(check_arena(), &sink, 5, silent);
}

TEST(reply_tells_streams_in_order) {
    struct reply *reply = reply_here(false);
    reply_printf(reply, "%d 猫", 3);
    reply_error_text(reply, "x", 1);
    reply_text(reply, "", 0); /* nothing is nothing */
    check_same(heard->data, "stdout:3 猫|stderr:x|");
}

TEST(reply_writes_messages_as_jupyter_wants_them) {
    struct reply *reply = reply_here(false);
    reply_result(reply, "a\"b", NULL);
    reply_clear(reply, true);
    check_same(heard->data,
               "execute_result {\"execution_count\":5,\"data\":{\"text/plain\":\"a\\\"b\"},"
               "\"metadata\":{}}|clear_output {\"wait\":true}|");
}

TEST(reply_bundle_has_every_form) {
    struct err err = { 0 };
    struct reply *reply = reply_here(false);
    const struct bundle bundle = { .text = "t",
                                   .png = (const unsigned char *)"Man",
                                   .png_length = 3,
                                   .width = 7,
                                   .height = 9,
                                   .alt = "猫",
                                   .html = "<p>",
                                   .mime = "application/vnd.cutaway.x.v1+json",
                                   .json = "{\"v\":[1]}" };
    reply_bundle(reply, &bundle, "id1", true);
    const char *json = strchr(heard->data, '{');
    check_int(strncmp(heard->data, "update_display_data ", 20), 0);
    const struct json *tree =
        json_parse(check_arena(), json, strlen(json) - 1, "message", &err);
    const struct json *data = json_at(tree, "data");
    const struct json *png = json_at(json_at(tree, "metadata"), "image/png");
    check_same(json_text_at(data, "text/plain", ""), "t");
    check_same(json_text_at(data, "image/png", ""), "TWFu");
    check_same(json_text_at(data, "text/html", ""), "<p>");
    check(json_at(json_at(data, "application/vnd.cutaway.x.v1+json"), "v"));
    check_int(json_int_at(png, "width", 0), 7);
    check_int(json_int_at(png, "height", 0), 9);
    check_same(json_text_at(png, "alt", ""), "猫");
    check_same(json_text_at(json_at(tree, "transient"), "display_id", ""), "id1");
}

TEST(reply_pages_become_payloads) {
    struct reply *reply = reply_here(false);
    check_same(reply_payloads(reply), "[]");
    reply_page(reply, "long help");
    reply_page(reply, "more");
    check_same(reply_payloads(reply),
               "[{\"source\":\"page\",\"data\":{\"text/plain\":\"long help\"},\"start\":0},"
               "{\"source\":\"page\",\"data\":{\"text/plain\":\"more\"},\"start\":0}]");
}

TEST(reply_that_is_silent_tells_nothing) {
    struct reply *reply = reply_here(true);
    reply_printf(reply, "x");
    reply_display(reply, "x", NULL);
    reply_result(reply, "x", NULL);
    reply_clear(reply, false);
    check_same(heard->data, "");
}

TEST(reply_without_anybody_to_ask_says_so) {
    struct err err = { 0 };
    const char *answer = "as before";
    check_int(reply_ask(reply_here(false), "Who?", false, &answer, &err), -1);
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "nobody can be asked");
}
