#include <math.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/draw/figure.h"
#include "tests/check.h"

TEST(figure_visible_shows_what_hides) {
    struct arena *arena = check_arena();
    check_same(figure_visible(arena, "cat"), "cat");
    check_same(figure_visible(arena, " the"), "·the");
    check_same(figure_visible(arena, "a b "), "a b·");
    check_same(figure_visible(arena, "  "), "··");
    check_same(figure_visible(arena, "a\nb\tc\x01\x7f"), "a↵b⇥c␁␡");
    check_same(figure_visible(arena, "a\u202eb\u200b"), "a[U+202E]b[U+200B]");
    check_same(figure_visible(arena, "👩‍🚀"),
               "👩‍🚀"); /* one emoji of two, joined */
    check_same(figure_visible(arena, "a\u200d🚀\u200d"), "a[U+200D]🚀[U+200D]");
    check_same(figure_visible(arena, "\xff\xc3"), "\\xFF\\xC3");
    check_same(figure_visible(arena, ""), "∅");
    check_same(figure_sentence(arena, " a \n"), " a ↵");
    check_same(figure_sentence(arena, NULL), "");
}

/* The ends of tensors' names tell them apart. */
TEST(figure_short_name_keeps_both_ends) {
    struct arena *arena = check_arena();
    check_same(figure_short_name(arena, "h.0.mlp.weight", 7), "h.0.mlp.weight");
    check_same(figure_short_name(arena, "h.0.mlp.c_weight", 7), "h.0.mlp…weight");
    check_same(figure_short_name(arena, "h.0.mlp.c_proj.weight", 7), "h.0.mlp…weight");
    check_same(figure_short_name(arena, "It was. So. It is", 7), "It was…");
    check_same(figure_short_name(arena, "so.many", 4), "so.…");
}

TEST(figure_short_counts_columns) {
    struct arena *arena = check_arena();
    check_same(figure_short(arena, "abcdef", 6), "abcdef");
    check_same(figure_short(arena, "abcdefg", 6), "abcde…");
    check_same(figure_short(arena, "今天天气", 8), "今天天气");
    check_same(figure_short(arena, "今天天气很好", 8), "今天天…");
}

TEST(figure_number_has_about_three_digits) {
    struct arena *arena = check_arena();
    check_same(figure_number(arena, 0.4249, 1), "0.42");
    check_same(figure_number(arena, 0.4249, 0.8), "0.42");
    check_same(figure_number(arena, 0.0424, 0.1), "0.042");
    check_same(figure_number(arena, -4.25, 10), "-4.2");
    check_same(figure_number(arena, 425, 1000), "425");
    check_same(figure_number(arena, -0.001, 1), "0.00");
    check_same(figure_number(arena, NAN, 1), "–");
    check_same(figure_number(arena, -INFINITY, 1), "−∞");
    check_same(figure_number(arena, 1, 0), "1.00");
}

TEST(figure_place_names_a_pool_by_its_ends) {
    struct arena *arena = check_arena();
    static const char *labels[] = { "a", "b", "c", "d", "e" };
    struct figure_axis axis = { "key", "key", 3, 5, 2, labels };
    check_same(figure_place(arena, &axis, 0), "0–1");
    check_same(figure_place(arena, &axis, 2), "4–4");
    axis.block = 1;
    check_same(figure_place(arena, &axis, 2), "c");
    axis.labels = NULL;
    check_same(figure_place(arena, &axis, 2), "2");
}

/* A word without an end, which each row of a table may have. */
TEST(figure_cuts_what_nobody_reads) {
    enum { LONG = 1 << 20, SHOWN = 1 << 16 };
    struct arena *arena = check_arena();
    char *text = arena_raw(arena, LONG + 1);
    memset(text, 'a', LONG);
    text[LONG] = '\0';
    check_int(strlen(figure_sentence(arena, text)), SHOWN + strlen("…"));
    check_same(figure_sentence(arena, text) + SHOWN, "…");
    check_int(strlen(figure_visible(arena, text)), SHOWN + strlen("…"));
    text[SHOWN] = '\0';
    check_same(figure_visible(arena, text), text);
}
