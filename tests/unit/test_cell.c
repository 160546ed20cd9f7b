#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "kernel/cell/cell.h"
#include "tests/check.h"
#include "tests/looks.h"

static const struct cell *parse(const char *text, struct err *err) {
    *err = (struct err){ 0 };
    return cell_parse(check_arena(), text, strlen(text), NULL, err);
}

static void check_word(const struct cell_word *word, const char *text, int64_t line,
                       int64_t column, int64_t length) {
    check_same(word->text, text);
    check_int(word->line, line);
    check_int(word->column, column);
    check_int(word->length, length);
}

TEST(cell_cuts_lines_words_and_flags) {
    struct err err;
    const struct cell *cell =
        parse("# set up\n\n  %model load minilm --as lm\n%seed 7\n", &err);
    if (!check(cell && cell->count == 2)) {
        return;
    }
    const struct cell_line *line = &cell->lines[0];
    check_word(&line->command, "model", 3, 3, 6);
    check_int(line->word_count, 2);
    check_word(&line->words[0], "load", 3, 10, 4);
    check_word(&line->words[1], "minilm", 3, 15, 6);
    check_int(line->flag_count, 1);
    check_same(line->flags[0].name, "as");
    check_int(line->flags[0].at.column, 22);
    check_word(&line->flags[0].value_at, "lm", 3, 27, 2);
    check_same(line->source, "  %model load minilm --as lm");
    check(!line->body && !line->whole && !line->asks);
    check_word(&cell->lines[1].command, "seed", 4, 1, 5);
}

TEST(cell_counts_columns_in_code_points) {
    struct err err;
    const struct cell *cell = parse("%echo 猫 \"🐱 狗\" --as=名字 x", &err);
    if (!check(cell)) {
        return;
    }
    const struct cell_line *line = &cell->lines[0];
    check_word(&line->words[0], "猫", 1, 7, 1);
    check_word(&line->words[1], "🐱 狗", 1, 9, 5);
    check_int(line->flags[0].at.column, 15);
    check_int(line->flags[0].at.length, 4);
    check_word(&line->flags[0].value_at, "名字", 1, 20, 2);
    check_word(&line->words[2], "x", 1, 23, 1);
}

/* 600,000 characters; if each = counted from the line's beginning this would not end today. */
TEST(cell_counts_a_long_line_once) {
    enum { FLAGS = 100000 };
    struct buf *text = buf_new(check_arena());
    struct err err;
    buf_text(text, "%x");
    for (int i = 0; i < FLAGS; i++) {
        buf_text(text, " --a=b");
    }
    const struct cell *cell = parse(text->data, &err);
    if (check(cell && cell->lines[0].flag_count == FLAGS)) {
        check_int(cell->lines[0].flags[FLAGS - 1].at.column, 6 * FLAGS - 2);
        check_int(cell->lines[0].flags[FLAGS - 1].value_at.column, 6 * FLAGS + 2);
    }
}

TEST(cell_unquotes_as_a_shell) {
    struct err err;
    const struct cell *cell = parse(
        "%echo 'a \"b\" \\n' \"c \\\"d\\\" \\\\ \\n\" e\\ f g'h i'j '' --x='y z'=w", &err);
    if (!check(cell && cell->lines[0].word_count == 5)) {
        return;
    }
    check_same(cell->lines[0].words[0].text, "a \"b\" \\n");
    check_same(cell->lines[0].words[1].text, "c \"d\" \\ \\n");
    check_same(cell->lines[0].words[2].text, "e f");
    check_same(cell->lines[0].words[3].text, "gh ij");
    check_same(cell->lines[0].words[4].text, "");
    check_same(cell->lines[0].flags[0].value, "y z=w");
}

TEST(cell_ends_flags_at_two_dashes) {
    struct err err;
    const struct cell *cell = parse("%echo --a 1 -- --b=c -2", &err);
    if (!check(cell && cell->lines[0].word_count == 2)) {
        return;
    }
    check_same(cell->lines[0].flags[0].value, "1");
    check_same(cell->lines[0].words[0].text, "--b=c");
    check_same(cell->lines[0].words[1].text, "-2");
}

static int wait_is_a_switch(const char *command, const char *flag) {
    return strcmp(command, "clear") == 0 && strcmp(flag, "wait") == 0 ? 0 : 1;
}

TEST(cell_asks_which_flags_take_values) {
    struct err err = { 0 };
    const char *text = "%clear --wait now --layer -1 --head --view grid";
    const struct cell *cell =
        cell_parse(check_arena(), text, strlen(text), wait_is_a_switch, &err);
    if (!check(cell && cell->lines[0].flag_count == 4)) {
        return;
    }
    check(!cell_flag_at(&cell->lines[0], "wait")->value);
    check_same(cell->lines[0].words[0].text, "now");
    check_same(cell_flag_at(&cell->lines[0], "layer")->value, "-1");
    check(!cell_flag_at(&cell->lines[0], "head")->value); /* a flag is never a value */
    check_same(cell_flag_at(&cell->lines[0], "view")->value, "grid");
    check(!cell_flag_at(&cell->lines[0], "pos"));
}

TEST(cell_keeps_a_body_as_it_is) {
    struct err err;
    const struct cell *cell =
        parse("%%tokens --model lm\r\n\r\n  一 line\r\n%not a command\n\n", &err);
    if (!check(cell && cell->count == 1)) {
        return;
    }
    check(cell->lines[0].whole);
    check_same(cell->lines[0].body, "\n  一 line\n%not a command\n\n");
    check_int(cell->lines[0].body_line, 2);
    check_same(cell->lines[0].source, "%%tokens --model lm");
    check_same(parse("%%tokens", &err)->lines[0].body, "");
    check_int(parse("\n# why\n%%tokens\nx", &err)->lines[0].body_line, 4);
}

TEST(cell_knows_what_asks_for_help) {
    struct err err;
    check(parse("%attention?", &err)->lines[0].asks);
    check_same(parse("%%attention?", &err)->lines[0].command.text, "attention");
    check(!parse("%echo what?", &err)->lines[0].asks);
}

TEST(cell_takes_wide_blanks) {
    struct err err;
    const struct cell *cell = parse("\xe3\x80\x80%echo\xe3\x80\x80猫\xc2\xa0狗", &err);
    check(cell && cell->lines[0].word_count == 2);
}

static void check_refused(const char *text, const char *part, int64_t line, int64_t column,
                          int64_t length) {
    struct err err;
    if (!check(!parse(text, &err))) {
        return;
    }
    check_int(err.kind, ERR_CELL);
    check_text(err.text, part);
    check_int(err.line, line);
    check_int(err.column, column);
    check_int(err.length, length);
}

TEST(cell_refuses_with_the_place) {
    check_refused("The cat sat", "text needs a command above it", 1, 1, 11);
    check_refused("%seed 7\n狗 text", "this line is no command", 2, 1, 6);
    check_refused("%seed 7\n %%tokens\nx", "must be the cell's first line", 2, 2, 2);
    check_refused("%seed 7\n %%tokens a b\nx", "must be the cell's first line", 2, 2, 2);
    check_refused("%echo 猫 \"a b", "does not close", 1, 9, 4);
    check_refused("%echo don't", "does not close", 1, 10, 2);
    check_refused("%echo \"a\\", "does not close", 1, 7, 3);
    check_refused("%echo a\\", "at the end of the line", 1, 8, 1);
    check_refused("% echo", "must follow the % at once", 1, 1, 1);
    check_refused("%", "must follow the % at once", 1, 1, 1);
    check_refused("%%\ntext", "must follow the % at once", 1, 1, 1);
    check_refused("%?", "must follow the % at once", 1, 1, 1);
    check_refused("%%%x", "not with more", 1, 1, 3);
    check_refused("\xef\xbc\x85seed 7", "full-width", 1, 1, 1);
    check_refused("%seed\n猫\xff", "0xff", 2, 2, 1);
}

TEST(cell_refuses_a_nul) {
    struct err err;
    check(!cell_parse(check_arena(), "%seed\0 7", 8, NULL, &err));
    check_int(err.column, 6);
    check_text(err.text, "NUL");
}

TEST(cell_completeness_waits_for_text) {
    static const char *const cases[][2] = {
        { "", "complete" },
        { "%seed 7", "complete" },
        { "%%tokens", "incomplete" },
        { "%%tokens\n", "incomplete" },
        { "%%tokens\n\n", "incomplete" },
        { "%%tokens\nThe cat", "incomplete" },
        { "%%tokens\nThe cat\n", "complete" },
        { "%%tokens\nThe cat\n \t", "complete" },
        { "%%tokens\nThe cat \t", "incomplete" },
        { "%%tokens\r\nThe cat\r", "complete" },
        { "%%tokens?", "complete" },
        { "%echo \"a", "invalid" },
        { "The cat", "invalid" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_same(cell_completeness(cases[i][0], strlen(cases[i][0])), cases[i][1]);
    }
}

/* Of a line of many words or of one that is long: a notebook's cell may be anything. */
TEST(cell_parse_looks_for_an_interrupt) {
    enum { WORDS = 1000, LONG = 20 * STOP_EVERY };
    struct buf *words = buf_new(check_arena()), *quoted = buf_new(check_arena());
    buf_text(words, "%echo");
    for (int i = 0; i < WORDS; i++) {
        buf_text(words, " a");
    }
    buf_text(quoted, "%echo \"");
    for (int i = 0; i < LONG; i++) {
        buf_text(quoted, "\\\"");
    }
    buf_text(quoted, "\"");
    int64_t before = looks_count();
    struct err err;
    const struct cell *cell = cell_parse(check_arena(), words->data, words->length, NULL, &err);
    check(cell && cell->lines[0].word_count == WORDS);
    check(looks_count() - before >= WORDS);
    before = looks_count();
    cell = cell_parse(check_arena(), quoted->data, quoted->length, NULL, &err);
    check(cell && strlen(cell->lines[0].words[0].text) == LONG);
    check(looks_count() - before >= LONG / STOP_EVERY);
}

/* Seeded mutations of cells: whatever is made of them, nothing is read outside the text. */
TEST(cell_survives_any_text) {
    static const char *const seeds[] = {
        "%model load minilm --as lm\n# c\n%seed 7\n",
        "%%attention --layer 0,3-5 --head=-1 --view 'grid'\nThe cat 猫🐱\n\nsat\n",
        "%echo \"a \\\" b\" 'c' d\\ e -- --f=g \xe3\x80\x80?",
    };
    static const char alphabet[] = "%\"'\\-=#? \n\r\t\0\xe7\x8c\xab\xf0\x9f\xff\xef\xbc\x85"
                                   "azAZ09";
    uint64_t state = 20240601;
    int parsed = 0;
    for (int round = 0; round < 6000; round++) {
        char text[160];
        const char *seed = seeds[round % 3];
        size_t length = strlen(seed);
        memcpy(text, seed, length);
        for (int change = 0; change < 1 + round % 7; change++) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            size_t at = (size_t)(state >> 33) % length;
            char c = alphabet[(state >> 20) % (sizeof alphabet - 1)];
            if ((state >> 50) % 3 == 0 && length > 1) {
                memmove(text + at, text + at + 1, --length - at);
            } else {
                text[at] = c;
            }
        }
        struct arena *arena = arena_new();
        struct err err = { 0 };
        const struct cell *cell =
            cell_parse(arena, check_guarded(arena, text, length), length, NULL, &err);
        parsed += cell != NULL;
        if (!cell && !check(err.kind == ERR_CELL && err.line > 0 && err.column > 0)) {
            printf("  in round %d\n", round);
        }
        arena_free(arena);
    }
    check(parsed > 100 && parsed < 5900);
}
