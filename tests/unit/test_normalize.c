#include "core/text/normalize.h"

#include <string.h>

#include "core/base/buf.h"
#include "tests/check.h"

static struct normalizer *normalizer_of(struct arena *arena, const char *section,
                                        struct err *err) {
    struct json *tree = json_parse(arena, section, strlen(section), "x", err);
    return normalize_read(arena, tree, "x", err);
}

/* The normalised text, then begin-end of the origin of each of its bytes. */
static const char *normalized(const char *section, const char *text, bool origins) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct normalizer *normalizer = normalizer_of(arena, section, &err);
    struct run run = { .text = text, .length = (int64_t)strlen(text) };
    run = normalize_run(arena, normalizer, run);
    struct buf *out = buf_new(arena);
    buf_add(out, run.text, (size_t)run.length);
    for (int64_t i = 0; origins && i < run.length; i++) {
        struct span span = run_span(&run, i, i + 1);
        buf_printf(out, " %u-%u", span.begin, span.end);
    }
    return out->data;
}

static const char bert[] =
    "{\"type\":\"BertNormalizer\",\"clean_text\":true,"
    "\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}";

TEST(normalize_bert_lowers_strips_and_parts) {
    check_same(normalized(bert, "Héllo\tWÖRLD", false), "hello world");
    check_same(normalized(bert, "a中b", true), "a 中 b 0-1 1-4 1-4 1-4 1-4 1-4 4-5");
    check_same(normalized(bert, "\u00c9x", true), "ex 0-2 2-3");
    check_same(normalized(bert, "E\u0301x", true), "ex 0-1 3-4"); /* the mark is gone */
    check_same(normalized(bert, "a\x01\u200b\ufffd\u00a0b", true), "a b 0-1 8-10 10-11");
    check_same(normalized(bert, "\u0130", true), "i 0-2"); /* I with a dot: its dot is a mark */
    check_same(normalized(bert, "\ud55c", false),
               "\u1112\u1161\u11ab"); /* Hangul falls apart */
}

TEST(normalize_bert_cased_keeps_accents) {
    const char *cased = "{\"type\":\"BertNormalizer\",\"lowercase\":false}";
    check_same(normalized(cased, "Héllo中", false), "Héllo 中 ");
}

TEST(normalize_unicode_forms) {
    check_same(normalized("{\"type\":\"NFC\"}", "e\u0301x", true), "éx 0-1 0-1 3-4");
    check_same(normalized("{\"type\":\"NFD\"}", "\u00e9x", true), "e\u0301x 0-2 0-2 0-2 2-3");
    check_same(normalized("{\"type\":\"NFKC\"}", "\ufb01\uff21", false), "fiA");
    check_same(normalized("{\"type\":\"NFKD\"}", "\u00bd", false), "1\u20442");
    /* Marks are put in order: below (220) before above (230), equal ones as they were. */
    check_same(normalized("{\"type\":\"NFD\"}", "a\u0301\u0300\u0323", false),
               "a\u0323\u0301\u0300");
    check_same(normalized("{\"type\":\"NFC\"}", "a\u0301\u0323", false), "\u1ea1\u0301");
    check_same(normalized("{\"type\":\"NFC\"}", "\u1112\u1161\u11ab", false), "\ud55c");
    check_same(normalized("{\"type\":\"NFC\"}", "plain", true), "plain 0-1 1-2 2-3 3-4 4-5");
}

TEST(normalize_sequences) {
    check_same(normalized("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFD\"},"
                          "{\"type\":\"Lowercase\"},{\"type\":\"StripAccents\"}]}",
                          "É\u0301A", true),
               "ea 0-2 4-5");
}

TEST(normalize_prepend_and_replace) {
    check_same(normalized("{\"type\":\"Prepend\",\"prepend\":\"__\"}", "ab", true),
               "__ab 0-1 0-1 0-1 1-2");
    check_same(normalized("{\"type\":\"Prepend\",\"prepend\":\"_\"}", "", true), "");
    check_same(normalized("{\"type\":\"Replace\",\"pattern\":{\"String\":\"ab\"},"
                          "\"content\":\"xyz\"}",
                          "ababa", true),
               "xyzxyza 1-2 1-2 1-2 3-4 3-4 3-4 4-5");
    check_same(normalized("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},"
                          "\"content\":\" \"}",
                          "a b   c", true),
               "a b c 0-1 1-2 2-3 5-6 6-7");
}

TEST(normalize_of_many_marks_is_linear) {
    struct arena *arena = check_arena();
    struct err err;
    char *text = arena_raw(arena, 1000001);
    for (int i = 0; i < 500000; i++) { /* classes 230 and 220 by turns: all must move */
        memcpy(text + 2 * i, i % 2 ? "\u0323" : "\u0301", 2);
    }
    struct run run = { .text = text, .length = 1000000 };
    run = normalize_run(arena, normalizer_of(arena, "{\"type\":\"NFC\"}", &err), run);
    check_int(run.length, 1000000);
    check(memcmp(run.text, "\u0323\u0323", 4) == 0);
    check(memcmp(run.text + 999996, "\u0301\u0301", 4) == 0);
}

TEST(normalize_refuses_what_it_does_not_know) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    check(!normalizer_of(arena, "{\"type\":\"Magic\"}", &err));
    check(err.kind == ERR_UNSUPPORTED);
    check_text(err.text, "Magic");
    check_text(err.text, "known are BertNormalizer");
    check(!normalizer_of(arena, "[]", &err));
    check(!normalizer_of(arena, "{\"type\":7}", &err));
    err = (struct err){ 0 };
    check(!normalizer_of(arena, "null", &err) && err.kind == ERR_NONE);
}

/* Sixteen steps that double each make 65,536 bytes of one. */
TEST(normalize_refuses_steps_that_swell_a_text) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct buf *json = buf_new(arena);
    buf_text(json, "{\"type\":\"Sequence\",\"normalizers\":[");
    for (int i = 0; i < 16; i++) {
        buf_text(json, i ? "," : "");
        buf_text(json, "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},"
                       "\"content\":\"aa\"}");
    }
    buf_text(json, "]}");
    check(!normalizer_of(arena, json->data, &err));
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "512 bytes of one; at most 256");
}
