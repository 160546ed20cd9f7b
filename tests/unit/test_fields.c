/* fields: content of the wrong kind is said, not taken for absent. */
#include <string.h>

#include "kernel/front/fields.h"
#include "tests/check.h"

/* What is wrong with such a request; "": nothing. */
static const char *wrong(const char *type, const char *content) {
    struct arena *arena = check_arena();
    struct message *message = arena_alloc(arena, sizeof *message);
    struct err err = { 0 };
    const char *header = arena_printf(arena, "{\"msg_id\":\"1\",\"msg_type\":\"%s\"}", type);
    message->arena = arena;
    message->parts[0] = (struct frame){ header, strlen(header) };
    message->parts[1] = message->parts[2] = (struct frame){ "{}", 2 };
    message->parts[3] = (struct frame){ content, strlen(content) };
    check(frames_read(message, &err) == 0 && !message->bad);
    int status = fields_check(message, &err);
    check_int(status, err.kind == ERR_NONE ? 0 : -1);
    return arena_copy(arena, err.text);
}

TEST(fields_of_the_right_kind_pass) {
    static const char *const good[][2] = {
        { "execute_request", "{}" },
        { "execute_request", "{\"code\":\"\",\"silent\":true,\"store_history\":false,"
                             "\"user_expressions\":{\"a\":\"b\"},\"allow_stdin\":false,"
                             "\"stop_on_error\":true,\"unknown\":[]}" },
        { "execute_request", "{\"code\":null,\"silent\":null,\"user_expressions\":null}" },
        { "execute_request", "{\"user_expressions\":{}}" },
        { "complete_request", "{\"code\":\"a\",\"cursor_pos\":1e300}" },
        { "inspect_request", "{\"code\":\"a\",\"cursor_pos\":-1,\"detail_level\":1}" },
        { "history_request",
          "{\"output\":false,\"raw\":true,\"hist_access_type\":\"tail\",\"n\":3,"
          "\"session\":0,\"start\":1,\"stop\":2,\"pattern\":\"*\",\"unique\":true}" },
        { "shutdown_request", "{\"restart\":false}" },
        { "no_such_request", "{\"code\":7}" },
        { "comm_open", "{\"comm_id\":7}" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        check_same(wrong(good[i][0], good[i][1]), "");
    }
}

TEST(fields_of_a_wrong_kind_are_named) {
    static const char *const bad[][3] = {
        { "execute_request", "{\"code\":5}",
          "\"code\" of this execute_request is a number; a text is wanted" },
        { "execute_request", "{\"silent\":\"x\"}",
          "\"silent\" of this execute_request is a text; true or false is wanted" },
        { "execute_request", "{\"user_expressions\":[1]}",
          "\"user_expressions\" of this execute_request is a list; an object is wanted" },
        { "execute_request", "{\"user_expressions\":{\"a\":\"b\",\"c\\u202e\":{}}}",
          "\"c\\u{202e}\" in \"user_expressions\" of this execute_request is an object; a text "
          "is "
          "wanted" },
        { "execute_request", "{\"stop_on_error\":0}", "\"stop_on_error\"" },
        { "complete_request", "{\"cursor_pos\":\"3\"}",
          "\"cursor_pos\" of this complete_request is a text; a number is wanted" },
        { "inspect_request", "{\"detail_level\":true}", "is true; a number is wanted" },
        { "is_complete_request", "{\"code\":1.5}", "is a number; a text is wanted" },
        { "history_request", "{\"pattern\":false}", "is false; a text is wanted" },
        { "history_request", "{\"session\":{}}", "is an object; a number is wanted" },
        { "comm_info_request", "{\"target_name\":[]}", "is a list; a text is wanted" },
        { "shutdown_request", "{\"restart\":\"no\"}", "is a text; true or false is wanted" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_text(wrong(bad[i][0], bad[i][1]), bad[i][2]);
    }
}
