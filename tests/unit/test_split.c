#include "core/text/split.h"

#include <string.h>

#include "core/base/buf.h"
#include "tests/check.h"

static struct splitter *splitter_of(struct arena *arena, const char *section, struct err *err) {
    struct json *tree = json_parse(arena, section, strlen(section), "x", err);
    return split_read(arena, tree, "x", err);
}

static const char *joined(const struct splitter *splitter, const char *text) {
    struct arena *arena = check_arena();
    struct run run = { .text = text, .length = (int64_t)strlen(text) };
    struct split split = split_run(arena, splitter, run);
    struct buf *out = buf_new(arena);
    for (int64_t i = 0; i < split.count; i++) {
        buf_text(out, i ? "|" : "");
        buf_add(out, split.run.text + split.pieces[i].begin,
                split.pieces[i].end - split.pieces[i].begin);
    }
    return out->data;
}

static const char *pieces(const char *section, const char *text) {
    struct err err = { 0 };
    struct splitter *splitter = splitter_of(check_arena(), section, &err);
    check_same(err.text, "");
    return joined(splitter, text);
}

static const char gpt2[] =
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}";

TEST(split_gpt2_pattern) {
    check_same(pieces(gpt2, "Hello world, it's 2024!"), "Hello| world|,| it|'s| 2024|!");
    check_same(pieces(gpt2, "a  b   "), "a| | b|   ");
    check_same(pieces(gpt2, "a\n\n b\n"), "a|\n\n| b|\n");
    check_same(pieces(gpt2, "'S 'll'x"), "'|S| '|ll|'|x");
    check_same(pieces(gpt2, "we'll I'd've"), "we|'ll| I|'d|'ve");
    check_same(pieces(gpt2, "中文 12½ a\u0301"), "中文| 12½| a|\u0301");
    check_same(pieces(gpt2, "\u00a0 x\u3000y"), "\u00a0| x|\u3000|y");
    check_same(pieces(gpt2, ""), "");
    check_same(pieces(gpt2, " "), " ");
}

TEST(split_puts_a_blank_in_front) {
    check_same(pieces("{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", "a b"), " a| b");
    check_same(pieces("{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", " a"), " a");
}

#define MODERN(digits)                                                               \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"     \
    "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" digits "| ?[^\\\\s\\\\p{L}\\\\p{N}]+" \
    "[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},"                   \
    "\"behavior\":\"Isolated\",\"invert\":false}"

TEST(split_llama3_and_qwen2_patterns) {
    const char *llama3 = MODERN("\\\\p{N}{1,3}"), *qwen2 = MODERN("\\\\p{N}");
    check_same(pieces(llama3, "it'S 12345 (word) \n\n  x"),
               "it|'S| |123|45| (|word|)| \n\n| | x");
    check_same(pieces(qwen2, "a12 \t\r\nb"), "a|1|2| \t\r\n|b");
    check_same(pieces(llama3, "x'\u017fy ... \nz"), "x|'\u017f|y| ...| \n|z");
    check_same(pieces(llama3, "!?\r\n\r\nNo"), "!?\r\n\r\n|No");
    check_same(pieces(qwen2, "\u3000中  "), "\u3000中|  ");
}

TEST(split_digits_then_gpt2) {
    struct err err;
    check_same(joined(split_named(check_arena(), "smollm", "x", &err), "a 12\n 3b"),
               "a| |1|2|\n |3|b");
    check_same(pieces("{\"type\":\"Digits\",\"individual_digits\":false}", "a12b3"),
               "a|12|b|3");
}

#define PLAIN(behavior) \
    "{\"type\":\"Split\",\"pattern\":{\"String\":\"--\"},\"behavior\":\"" behavior "\"}"

/* As the tokenizers library 0.23.3 cuts the same text. */
TEST(split_at_a_plain_string) {
    const char *text = "--a--b----c--";
    check_same(pieces(PLAIN("Isolated"), text), "--|a|--|b|--|--|c|--");
    check_same(pieces(PLAIN("Removed"), text), "a|b|c");
    check_same(pieces(PLAIN("MergedWithPrevious"), text), "--|a--|b--|--|c--");
    check_same(pieces(PLAIN("MergedWithNext"), text), "--a|--b|--|--c|--");
}

TEST(split_metaspace) {
    check_same(pieces("{\"type\":\"Metaspace\"}", "a b  c"), "\u2581a|\u2581b|\u2581|\u2581c");
    check_same(pieces("{\"type\":\"Metaspace\"}", " a"), "\u2581a");
    check_same(pieces("{\"type\":\"Metaspace\",\"prepend_scheme\":\"never\"}", "a b"),
               "a|\u2581b");
    check_same(pieces("{\"type\":\"Metaspace\",\"split\":false}", "a b"), "\u2581a\u2581b");
}

TEST(split_bert_words) {
    check_same(pieces("{\"type\":\"BertPreTokenizer\"}", " it's  (a)$x。"),
               "it|'|s|(|a|)|$|x|。");
    check_same(pieces("{\"type\":\"WhitespaceSplit\"}", " it's\u3000 (a) "), "it's|(a)");
}

/* Every pattern covers its text without a gap, whatever the text, and runs of a million
 * characters of any class are one pass. */
TEST(split_covers_long_runs) {
    static const char *const units[] = { "a", " ", "\n", "1",      "!",
                                         "'", "é", "中", "\u0301", "🙂" };
    const char *const sections[] = { gpt2, MODERN("\\\\p{N}"), MODERN("\\\\p{N}{1,3}") };
    for (size_t k = 0; k < 3; k++) {
        struct err err;
        struct splitter *splitter = splitter_of(check_arena(), sections[k], &err);
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            struct arena *arena = arena_new();
            size_t n = strlen(units[u]), count = 300000 / n;
            char *text = arena_raw(arena, count * n);
            for (size_t i = 0; i < count; i++) {
                memcpy(text + i * n, units[u], n);
            }
            struct run run = { .text = text, .length = (int64_t)(count * n) };
            struct split split = split_run(arena, splitter, run);
            uint32_t end = 0;
            bool covered = true;
            for (int64_t i = 0; i < split.count; i++) {
                covered = covered && split.pieces[i].begin == end && split.pieces[i].end > end;
                end = split.pieces[i].end;
            }
            check(covered && end == count * n);
            arena_free(arena);
        }
    }
}

TEST(split_refuses_what_it_does_not_know) {
    static const struct {
        const char *section, *says;
    } cases[] = {
        { "{\"type\":\"Magic\"}", "pre-tokenizer type Magic is not known" },
        { "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a)\\\\1\"},\"behavior\":\"Isolated\"}",
          "pattern (a)\\1 cannot be read: it has an escape" },
        { "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x\"},\"behavior\":\"Sideways\"}",
          "Sideways" },
        { "[1]", "not known" },
        { "{\"type\":\"CharDelimiterSplit\"}", "delimiter of CharDelimiterSplit" },
        { "{\"type\":\"FixedLength\",\"length\":0}", "at least 1" },
        { "{\"type\":\"Split\",\"behavior\":\"Isolated\"}", "neither a String nor a Regex" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = { 0 };
        check(!splitter_of(check_arena(), cases[i].section, &err));
        check(err.kind == ERR_UNSUPPORTED || err.kind == ERR_FORMAT);
        check_text(err.text, cases[i].says);
    }
    struct err err = { 0 };
    check(!split_named(check_arena(), "no-such", "x.gguf", &err));
    check_text(err.text, "smollm");
}

/* Such a text is empty to C, and would be found for ever. */
TEST(split_at_a_text_that_begins_with_nul_ends) {
    check_same(pieces("{\"type\":\"Split\",\"pattern\":{\"String\":\"\\u0000\"},"
                      "\"behavior\":\"Isolated\"}",
                      "ab"),
               "ab");
}
