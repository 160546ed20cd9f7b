/* complete, inspect: what could stand at the cursor, and help on what stands there. */
#include <string.h>

#include "core/base/buf.h"
#include "kernel/front/complete.h"
#include "kernel/front/inspect.h"
#include "tests/check.h"

static const char names[] = "model\tminilm\nmodel\tsmollm2\nhandle\tlm\nresult\ta b\nodd line\n"
                            "site\tblocks.0.attn.hook_q\nsite\tblocks.0.attn.hook_z\n";

/* Matches at | in `code`, blanks between; the bytes they replace before them: "0-4 %echo". */
static const char *at(const char *code) {
    struct arena *arena = check_arena();
    const char *bar = strchr(code, '|');
    char *text = arena_printf(arena, "%.*s%s", (int)(bar - code), code, bar + 1);
    size_t length = strlen(text);
    struct completion *found = complete_at(arena, check_guarded(arena, text, length), length,
                                           (size_t)(bar - code), names);
    struct buf *out = buf_new(arena);
    buf_printf(out, "%zu-%zu", found->start, found->end);
    for (int64_t i = 0; i < found->count; i++) {
        check(found->types[i] != NULL);
        buf_printf(out, " %s", found->matches[i]);
    }
    return out->data;
}

TEST(complete_commands) {
    check_same(at("%ech|"), "0-4 %echo");
    check_same(at("ech|"), "0-3 %echo");
    check_same(at("%ec|ho x"), "0-3 %echo");
    check_same(at("  %ech|"), "2-6 %echo");
    check_same(at("# 猫\n%ech|"), "6-10 %echo");
    check_same(at("%%ech|"), "0-5"); /* takes no body */
    check_same(at("%_te|"), "0-4");  /* hidden */
    check_same(at("%nosuch|"), "0-7");
    check_text(at("|"), " %echo ");
}

TEST(complete_leaves_a_body_alone) {
    check_same(at("%%tokens\n%ech|"), "13-13");
    check_same(at("\n\n%%tokens --x\ntext|"), "19-19");
}

TEST(complete_options_and_their_values) {
    check_same(at("%echo --st|"), "6-10 --stderr");
    check_same(at("%echo -|"), "6-7 --stderr");
    check_same(at("%echo --stderr --st|"), "15-19"); /* given already */
    check_same(at("%help --lang z|"), "13-14 zh");
    check_same(at("%help --lang=e|"), "13-14 en");
    check_same(at("%help --lang |"), "13-13 en zh");
    check_same(at("%nosuch --x|"), "8-11");
}

TEST(complete_sites) {
    check_same(at("%info blocks.0.attn.hook_q|"), "6-26 blocks.0.attn.hook_q");
    check_same(at("%info bl|"), "6-8 blocks.0.attn.hook_q blocks.0.attn.hook_z");
}

TEST(complete_plain_words) {
    check_same(at("%time o|"), "6-7 off on");
    check_same(at("%time on o|"), "9-10");
    check_same(at("%help --lang zh ech|"), "16-19 echo");
    check_same(at("%help %ech|"), "6-10 %echo");
}

TEST(complete_values_of_a_setting) {
    check_same(at("%set th|"), "5-7 theme");
    check_same(at("%set theme |"), "11-11 dark light");
    check_same(at("%set colours v|"), "13-14 viridis");
    check_same(at("%set seed |"), "10-10");
    check_same(at("%set nothing |"), "13-13");
    check_same(at("%set theme dark |"), "16-16");
}

TEST(complete_after_a_wide_blank) {
    check_same(at("%time\xe3\x80\x80o|"), "8-9 off on");
    check_same(at("%time\xc2\xa0o|"), "7-8 off on");
    check_same(at("\xe3\x80\x80%ech|"), "3-7 %echo");
}

TEST(complete_inside_quotes) {
    check_same(at("%show 'a |"), "7-9 a b");
    check_same(at("%show \"a |"), "7-9 a b");
    check_same(at("%show a\" |"), "6-9 a\\ b"); /* the quote goes with what is replaced */
    check_same(at("%help --lang=\"z|"), "14-15 zh");
    check_same(at("%help --lang=z\"h|"), "13-16 zh");
}

TEST(complete_words_are_cut_as_cells_are) {
    static const struct {
        const char *line;
        int64_t count;
        const char *last;
        char open;
    } cases[] = {
        { "", 1, "", 0 },
        { "%a ", 2, "", 0 },
        { "%a 'b c", 2, "b c", '\'' },
        { "%a 'b c'd", 2, "b cd", 0 },
        { "%a b\\ c", 2, "b c", 0 },
        { "%a \"b\\\" c", 2, "b\" c", '"' },
        { "%a b\\", 2, "b\\", 0 },
        { "%a \"b\\c", 2, "b\\c", '"' },
        { "%a \"b\\\\c", 2, "b\\c", '"' },
        { "\t%a\tb", 2, "b", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t count;
        size_t length = strlen(cases[i].line);
        struct complete_word *words = complete_words(
            check_arena(), check_guarded(check_arena(), cases[i].line, length), length, &count);
        check_int(count, cases[i].count);
        check_same(words[count - 1].text, cases[i].last);
        check_int(words[count - 1].open, cases[i].open);
    }
}

TEST(complete_survives_every_byte) {
    char text[3] = { 0 };
    for (int a = 1; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            text[0] = (char)a;
            text[1] = (char)b;
            struct arena *arena = arena_new();
            complete_at(arena, text, 2, 2, names);
            inspect_at(arena, text, 2, 2, "en");
            arena_free(arena);
        }
    }
}

/* A line changed at random, always the same way, asked about at every place. */
TEST(complete_survives_damage) {
    static const char line[] =
        "%help --lang=zh 'a b' \"c\\\" d\" e\\ f ~/x --lang en %echo\n\xe7\x8c\xab";
    uint64_t luck = 1;
    for (int i = 0; i < 300; i++) {
        char text[sizeof line];
        memcpy(text, line, sizeof line);
        for (int change = 0; change < 4; change++) {
            luck = luck * 6364136223846793005U + 1442695040888963407U;
            text[(luck >> 40) % (sizeof line - 1)] = (char)(luck >> 56);
        }
        struct arena *arena = arena_new();
        size_t length = (size_t)(luck >> 48) % sizeof line;
        const char *code = check_guarded(arena, text, length);
        for (size_t cursor = 0; cursor <= length; cursor++) {
            struct completion *found = complete_at(arena, code, length, cursor, names);
            check(found->start <= cursor && found->end == cursor);
            inspect_at(arena, code, length, cursor, "zh");
        }
        arena_free(arena);
    }
}

static const char *help(const char *code, size_t cursor, const char *language) {
    struct inspection *found = inspect_at(check_arena(), code, strlen(code), cursor, language);
    return found ? found->text : "nothing";
}

TEST(inspect_finds_the_line_s_command) {
    check_text(help("%seed\n%echo x", 8, "en"), "%echo");
    check_text(help("%seed\n%echo x", 2, "en"), "%seed");
    check_text(help("%echo?", 3, "en"), "%echo");
    check(strcmp(help("%echo", 5, "en"), help("%echo", 5, "zh")) != 0);
    check_same(help("echo", 2, "en"), "nothing");
    check_same(help("%nosuch", 2, "en"), "nothing");
    check_same(help("", 0, "en"), "nothing");
    check_same(help("%%echo", 99, "en"), help("%echo", 2, "en"));
}

TEST(inspect_says_the_option_first) {
    check(strncmp(help("%echo --stderr x", 10, "en"), "--stderr: ", 10) == 0);
    check(strncmp(help("%echo --stderr x", 2, "en"), "--stderr: ", 10) != 0);
}
