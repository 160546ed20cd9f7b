#include "core/draw/figure_text.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "tests/check.h"

static struct figure figure_of(int64_t rows, const char **cells) {
    static const char *heads[] = { "query", "key", "probability" };
    return (struct figure){ .title = "Attention",
                            .finding = "One looks.",
                            .table = { 3, rows, heads, cells } };
}

TEST(figure_text_aligns_wide_characters) {
    const char *cells[] = { "今天", "cat", "0.42", "a", "antelope", "0.1" };
    struct figure figure = figure_of(2, cells);
    check_same(figure_text(check_arena(), &figure), "One looks.\n"
                                                    "query  key       probability\n"
                                                    "今天   cat              0.42\n"
                                                    "a      antelope          0.1");
}

TEST(figure_text_tells_heads_whole) {
    const char *cells[] = { "a", "1.5", "a word that is longer than its head" };
    static const char *heads[] = { "", "z-score (standard deviations)", "word" };
    struct figure figure = { .title = "Neurons",
                             .finding = "",
                             .table = { 3, 1, heads, cells } };
    const char *text = figure_text(check_arena(), &figure);
    check_text(text, "z-score (standard deviations)");
    check_text(text, "a word that is longer t…");
}

/* A terminal must not obey a text that somebody else wrote, nor a row break in two. */
TEST(figure_text_shows_control_characters) {
    const char *cells[] = { "a\x1b[31m\nb", "cat", "0.42" };
    struct figure figure = figure_of(1, cells);
    check_same(figure_text(check_arena(), &figure), "One looks.\n"
                                                    "query     key  probability\n"
                                                    "a␛[31m↵b  cat         0.42");
}

TEST(figure_text_without_rows_is_the_finding) {
    struct figure figure = figure_of(0, NULL);
    check_same(figure_text(check_arena(), &figure), "One looks.");
    figure.finding = "";
    check_same(figure_text(check_arena(), &figure), "Attention");
}

TEST(figure_text_stays_within_two_kibibytes) {
    struct arena *arena = check_arena();
    const char **cells = arena_array(arena, 600, sizeof *cells);
    for (int i = 0; i < 600; i++) {
        cells[i] = "很长的词元很长的词元很长的词元";
    }
    struct figure figure = figure_of(200, cells);
    const char *text = figure_text(arena, &figure);
    check(strlen(text) <= FIGURE_TEXT_BYTES && strlen(text) > 1500);
    check(utf8_bad(text, strlen(text)) == strlen(text));
    check(text[strlen(text) - 1] != '\n');

    struct buf *finding = buf_new(arena);
    for (int i = 0; i < 2000; i++) {
        buf_text(finding, "猫");
    }
    figure.finding = finding->data;
    text = figure_text(arena, &figure);
    check(strlen(text) <= FIGURE_TEXT_BYTES);
    check(utf8_bad(text, strlen(text)) == strlen(text));
    check_text(text, "猫…\n");
}
