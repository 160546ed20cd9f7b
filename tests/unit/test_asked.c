#include <string.h>

#include "core/base/file.h"
#include "kernel/command/asked.h"
#include "tests/check.h"

static void close_session(void *what) {
    session_free(what);
}

static struct session *session_here(void) {
    struct session *session = session_new();
    arena_defer(check_arena(), close_session, session);
    session_begin(session);
    return session;
}

static const struct cell_line *line_of(const char *code) {
    struct err err = { 0 };
    const struct cell *cell =
        cell_parse(check_arena(), code, strlen(code), command_takes_value, &err);
    check_same(err.text, "");
    return &cell->lines[0];
}

static void add_data(struct session *session, const char *name, const char *file,
                     const char *text) {
    struct err err = { 0 };
    const char *path = file_join(check_arena(), check_folder(check_arena()), file);
    check_int(file_write(path, text, strlen(text), &err), 0);
    check(session_data_add(session, name, path, NULL, 0, &err) != NULL);
    check_same(err.text, "");
}

TEST(asked_texts_are_the_bodys_lines_or_datas) {
    struct err err = { 0 };
    int64_t count;
    struct session *session = session_here();
    add_data(session, "news", "n.csv", "text\n\"a\nb\"\n\nc\n");
    const struct asked_text *texts =
        asked_texts(session, line_of("%%tokens\none\n\n two"), &count, &err);
    check(texts && count == 2 && texts[1].at.line == 4 && !texts[1].from);
    texts = asked_texts(session, line_of("%%tokens --data news"), &count, &err);
    if (!check(texts && count == 2)) {
        return;
    }
    check_int(texts[0].length, 3);
    check(memcmp(texts[0].bytes, "a\nb", 3) == 0);
    check_same(texts[1].from, "news");
    check_int(texts[1].from_line, 5);
    check_int(texts[1].at.line, 1);
    err_set(&err, ERR_TEXT, "it is odd");
    err_zh(&err, "很怪");
    asked_point(&err, &texts[1]);
    check_same(err.text, "news, line 5: it is odd");
    check_same(err_said(&err, true), "news 第 5 行：很怪");
    check_int(err.column, 17);
}

TEST(asked_texts_takes_a_file_as_one_text) {
    struct err err = { 0 };
    int64_t count;
    struct session *session = session_here();
    add_data(session, "news", "n.txt", "\xef\xbb\xbf\r\na\r\n\r\nb\rc\r\n");
    const struct asked_text *texts =
        asked_texts(session, line_of("%%tokens --data news --whole"), &count, &err);
    if (check(texts && count == 1)) {
        check_same(arena_text(check_arena(), texts[0].bytes, texts[0].length), "a\n\nb\rc");
        err_set(&err, ERR_TEXT, "it is odd");
        asked_point(&err, &texts[0]);
        check_same(err_said(&err, true), "news: it is odd");
    }
    check(!asked_texts(session, line_of("%%tokens --data news\n\ntext"), &count, &err));
    check_text(err.text, "--data news brings its own texts");
}

TEST(asked_texts_refuses_what_no_cell_can_take) {
    struct err err = { 0 };
    int64_t count;
    struct session *session = session_here();
    add_data(session, "news", "n.txt", "a\n");
    check(!asked_texts(session, line_of("%%tokens --data news\ntext"), &count, &err));
    check_text(err.text, "--data news brings its own texts");
    check_int(err.line, 2);
    check(!asked_texts(session, line_of("%%tokens --data nwes"), &count, &err));
    check_text(err.text, "did you mean news?");
    check(!asked_texts(session, line_of("%%tokens\n \n"), &count, &err));
    check_text(err.text, "there is no text to look at");

    char *large = arena_alloc(check_arena(), ASKED_BYTES + 2);
    memset(large, 'x', ASKED_BYTES + 1);
    add_data(session, "large", "l.txt", large);
    check(!asked_texts(session, line_of("%%tokens --data large"), &count, &err));
    check_text(err.text, "a text of 4000001 bytes and a command takes at most 4000000");
    char *many = arena_alloc(check_arena(), 2 * (ASKED_TEXTS + 1) + 1);
    for (int i = 0; i <= ASKED_TEXTS; i++) {
        memcpy(many + 2 * (int64_t)i, "x\n", 2);
    }
    add_data(session, "many", "m.txt", many);
    check(!asked_texts(session, line_of("%%tokens --data many"), &count, &err));
    check_text(err.text, "many has 100001 texts and a command takes at most 100000: %data many "
                         "FILE --first 100000");
}
