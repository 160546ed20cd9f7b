#include "core/text/words.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/text/label.h"
#include "core/text/pieces.h"
#include "tests/check.h"
#include "tests/looks.h"

static struct tokenizer *tokenizer_of(struct arena *arena, const char *name) {
    struct err err = { 0 };
    const char *path = check_fixture(
        arena, arena_printf(arena, "golden/data/tokenizers/%s/tokenizer.json", name));
    struct file *file = file_map(arena, path, &err);
    return file ? tokenizer_read(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
}

/* Labels joined by '|'. Checks on the way that the words part the tokens, in order. */
static const char *words_as_text(const char *name, const char *text) {
    struct arena *arena = check_arena();
    struct err err;
    struct tokenizer *tokenizer = tokenizer_of(arena, name);
    if (!check(tokenizer != NULL)) {
        return "";
    }
    struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, text, strlen(text), NULL, 0, true, &err);
    struct words *words = words_of(arena, tokenizer, encoding, text, strlen(text));
    struct buf *out = buf_new(arena);
    int64_t token = 0;
    for (int64_t w = 0; w < words->count; w++) {
        buf_printf(out, "%s%s", w ? "|" : "", words->labels[w]);
        check_int(words->begin[w], token);
        check(words->end[w] > words->begin[w]);
        for (; token < words->end[w]; token++) {
            check_int(words->of[token], w);
        }
    }
    check_int(token, encoding->count);
    return out->data;
}

TEST(words_of_english) {
    const char *text = "Well-known e-mails don't cost $3.14, O'Neill’s U.S.A. said.";
    const char *words = "Well-known|e-mails|don't|cost|$|3.14|,|O'Neill’s|U.S.A|.|said|.";
    check_same(words_as_text("wordpiece_uncased", text),
               arena_printf(check_arena(), "[CLS]|%s|[SEP]", words));
    check_same(words_as_text("bpe_smollm2", text), words);
}

TEST(words_of_marks_at_the_border) {
    check_same(words_as_text("wordpiece_uncased", "'a' -b- c. ... x-"),
               "[CLS]|'|a|'|-|b|-|c|.|.|.|.|x|-|[SEP]");
}

TEST(words_of_chinese_and_mixed_text) {
    const char *words = "我|爱|model|语|言|2024|年|，|カ|タ|ー|は|한국어|！";
    check_same(words_as_text("bpe_smollm2", "我爱model语言2024年，カターは한국어！"), words);
    check_same(words_as_text("wordpiece_uncased", "我爱model语言2024年，好！"),
               "[CLS]|我|爱|model|语|言|2024|年|，|好|！|[SEP]");
}

TEST(words_of_accents) {
    check_same(words_as_text("bpe_smollm2", "café cafe\u0301 Việt naïve"),
               "café|cafe\u0301|Việt|naïve");
    check_same(words_as_text("wordpiece_uncased", "cafe\u0301 नमस्ते"),
               "[CLS]|cafe\u0301|नमस्ते|[SEP]");
}

TEST(words_of_emoji_are_whole) {
    const char *text = "hi👩🏿\u200d🚀🇨🇳🇬🇧1\ufe0f\u20e3❤\ufe0f!";
    check_same(words_as_text("bpe_smollm2", text),
               "hi|👩🏿\u200d🚀|🇨🇳|🇬🇧|1\ufe0f\u20e3|❤\ufe0f|!");
}

TEST(words_of_blanks_and_added_tokens) {
    check_same(words_as_text("bpe_smollm2", "a  b\n\nc"), "a|\u2423|b|\u23ce|\u23ce|c");
    check_same(words_as_text("bpe_smollm2", "<|im_start|>user hi<|im_end|>"),
               "<|im_start|>|user|hi|<|im_end|>");
    check_same(words_as_text("wordpiece_cased", "a[MASK] b"), "[CLS]|a|[MASK]|b|[SEP]");
    check_same(words_as_text("bpe_smollm2", ""), "");
    check_same(words_as_text("bpe_smollm2", "\u200b"), "<U+200B>");
}

TEST(words_of_what_is_unknown) {
    check_same(words_as_text("wordpiece_cased", "x 🙂🙂 y"), "[CLS]|x|🙂🙂|y|[SEP]");
    /* One [UNK] for a whole word of Katakana makes its characters one. */
    check_same(words_as_text("wordpiece_cased", "カタは"), "[CLS]|カタは|[SEP]");
}

/* Where a blank was put in front of a word, or taken away before it was cut off, the token for
 * it has the place of the word's first character. */
TEST(words_of_blanks_that_were_put_in) {
    check_same(words_as_text("unigram_t5", "Zebra quick fox."), "Zebra|quick|fox|.|</s>");
    check_same(words_as_text("unigram_t5", "a  b 猫 (x)"), "a|b|猫|(|x|)|</s>");
    check_same(words_as_text("unigram_xlnet", "Zebra fox"), "Zebra|fox|<sep>|<cls>");
    check_same(words_as_text("spbpe_llama2", "Zebra fox"), "<s>|Zebra|fox");
    check_same(words_as_text("spbpe_mistral", "a  b"), "<s>|a|␣|b");
}

/* 猫 is three bytes that this vocabulary has only one by one; the emoji is four. */
TEST(pieces_of_one_character_show_it) {
    struct arena *arena = check_arena();
    struct err err;
    struct tokenizer *tokenizer = tokenizer_of(arena, "bpe_smollm2");
    const char *text = "a 🙂猫 b";
    struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, text, strlen(text), NULL, 0, true, &err);
    if (!check(encoding != NULL)) {
        return;
    }
    const char **labels = pieces_labels(arena, tokenizer, encoding, text);
    struct buf *out = buf_new(arena);
    for (int64_t i = 0; i < encoding->count; i++) {
        buf_printf(out, "%s%s", i ? "|" : "", labels[i]);
    }
    check_same(out->data, "a|␣|🙂₁|🙂₂|🙂₃|🙂₄|猫₁|猫₂|猫₃|␣b");
}

/* 猫 is three bytes here, of which the first was expected; what would have ended another
 * character is told as that, what begins one nobody knows cannot be. */
TEST(pieces_of_what_was_written_show_the_character) {
    struct arena *arena = check_arena();
    struct err err;
    struct tokenizer *tokenizer = tokenizer_of(arena, "bpe_smollm2");
    int32_t ids[5];
    struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, "a猫狫", 7, NULL, 0, false, &err);
    if (!check(encoding != NULL && encoding->count == 7)) {
        return;
    }
    for (int i = 0; i < 5; i++) { /* a, 猫, and the first byte of 狫, which is not finished */
        ids[i] = encoding->tokens[i].id;
    }
    int32_t others[5];
    memcpy(others, ids, sizeof ids);
    others[3] = encoding->tokens[6].id; /* the last of 狫: e7 8c ab, 猫, and e7 8b ab */
    const char *labels[5], *names[5];
    pieces_written(arena, tokenizer, ids, 5, others, 1, labels, names);
    check_same(labels[0], "a");
    check_same(labels[1], "猫₁");
    check_same(labels[3], "猫₃");
    check_same(labels[4], "<0xE7>");
    check_same(names[1], "猫₁");
    check_same(names[3], "猫₃");
    others[3] = encoding->tokens[2].id; /* e7 8c 8c is 猌 */
    pieces_written(arena, tokenizer, ids, 5, others, 1, labels, names);
    check_same(names[3], "猌₃");
}

TEST(words_of_a_long_text_are_interrupted) {
    struct arena *arena = check_arena();
    struct err err;
    struct tokenizer *tokenizer = tokenizer_of(arena, "bpe_smollm2");
    if (!check(tokenizer != NULL)) {
        return;
    }
    struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, "a b", 3, NULL, 0, false, &err);
    struct catch here;
    stop_request();
    if (setjmp(catch_set(&here)->place) == 0) {
        words_of(arena, tokenizer, encoding, "a b", 3);
        check(!"an interrupt went unseen");
    }
    catch_end(&here);
    stop_clear();
    check_int(here.err.kind, ERR_STOP);
}

/* One character of many marks, and a word as long as the text. */
TEST(words_look_for_an_interrupt_within_a_word) {
    enum { MARKS = 100000 };
    struct arena *arena = check_arena();
    struct err err;
    struct tokenizer *tokenizer = tokenizer_of(arena, "bpe_smollm2");
    struct buf *text = buf_new(arena);
    if (!check(tokenizer != NULL)) {
        return;
    }
    buf_char(text, 'a');
    for (int i = 0; i < MARKS; i++) {
        buf_text(text, "\u0301");
    }
    const struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, "a", 1, NULL, 0, false, &err);
    int64_t before = looks_count();
    const struct words *words = words_of(arena, tokenizer, encoding, text->data, text->length);
    check(looks_count() - before >= MARKS);
    check_same(words->labels[0], text->data);
    before = looks_count();
    check_same(label(arena, text->data, text->length), text->data);
    check(looks_count() - before >= (int64_t)text->length / STOP_EVERY - 1);
}

/* A label for each token takes as many bytes as it has, wherever it is shown otherwise. */
TEST(labels_are_as_long_as_they_are) {
    struct arena *arena = check_arena();
    check_same(label(arena, "", 0), "<empty>");
    check_same(label(arena, " a\n\0\x7f\xff", 6), "␣a⏎<0x00><0x7F><0xFF>");
    check_same(label(arena, "\u200b", 3), "<U+200B>");
    check_same(label(arena, "\u200d", 3), "<U+200D>");
    check_same(label(arena, "猫\u200d", 6), "猫\u200d"); /* it joins */
    check_same(label(arena, "猫\u200b", 6), "猫<U+200B>");
}

/* From so many tokens on the labels are remembered: they stay what they were. */
TEST(pieces_of_a_long_text_are_those_of_a_short_one) {
    enum { TIMES = 3000 };
    struct arena *arena = check_arena();
    struct err err;
    struct tokenizer *tokenizer = tokenizer_of(arena, "bpe_smollm2");
    struct buf *text = buf_new(arena);
    if (!check(tokenizer != NULL)) {
        return;
    }
    for (int i = 0; i < TIMES; i++) {
        buf_text(text, "a 狫\n");
    }
    struct encoding *all =
        tokenizer_encode(arena, tokenizer, text->data, text->length, NULL, 0, false, &err);
    struct encoding first = *all;
    first.count = all->count / TIMES;
    const char **some = pieces_labels(arena, tokenizer, &first, text->data);
    const char **labels = pieces_labels(arena, tokenizer, all, text->data);
    check(all->count > 4096 && all->count % TIMES == 0);
    for (int64_t i = 0; i < all->count; i++) {
        if (!check_same(labels[i], some[i % first.count])) {
            return;
        }
    }
}
