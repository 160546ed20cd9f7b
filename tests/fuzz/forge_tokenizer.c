#include "tests/fuzz/forge_tokenizer.h"

#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/text/words.h"
#include "tests/fuzz/damage.h"

/* ---- vocabularies: small ones whose merges can be made ---- */

/* Spellings in order; each behind the single characters is the sum of two before it. */
static const char *const byte_level[] = {
    "!",
    "'",
    ",",
    ".",
    "0",
    "1",
    "2",
    "a",
    "b",
    "c",
    "d",
    "e",
    "h",
    "l",
    "n",
    "o",
    "r",
    "s",
    "t",
    "w",
    "\xc4\xa0",
    "\xc4\x8a",
    "th",
    "he",
    "the",
    "\xc4\xa0t",
    "\xc4\xa0the",
    "ll",
    "llo",
    "10",
    "\xc4\xa0\xc4\xa0",
};
static const char *const byte_merges[] = {
    "t h", "h e",  "th e", "\xc4\xa0 t",        "\xc4\xa0t he",
    "l l", "ll o", "1 0",  "\xc4\xa0 \xc4\xa0",
};
static const char *const sentence[] = {
    "<unk>",
    "<s>",
    "</s>",
    "<0x0A>",
    "<0x41>",
    "<0xE4>",
    "<0xF0>",
    "<0x9F>",
    "<0x98>",
    "\xe2\x96\x81",
    "a",
    "b",
    "e",
    "h",
    "t",
    "th",
    "he",
    "the",
    "\xe2\x96\x81t",
    "\xe2\x96\x81the",
    "\xe4\xb8\xad",
    "\xe2\x96\x81\xe2\x96\x81",
};
static const char *const sentence_merges[] = {
    "t h", "h e", "th e", "\xe2\x96\x81 t", "\xe2\x96\x81t he", "\xe2\x96\x81 \xe2\x96\x81",
};
static const char *const wordpieces[] = {
    "[PAD]", "[UNK]", "[CLS]", "[SEP]",  "[MASK]", "the", "th", "a",   "##e",
    "##a",   "##the", "un",    "##able", ",",      ".",   "1",  "##1", "\xe4\xb8\xad",
};

struct words_list {
    const char *const *words, *const *merges;
    size_t count, merge_count;
};
#define LIST(words, merges) \
    { words, merges, sizeof words / sizeof *words, sizeof merges / sizeof *merges }

static const struct words_list vocabularies[] = {
    LIST(byte_level, byte_merges),
    LIST(sentence, sentence_merges),
    LIST(wordpieces, sentence_merges),
};
enum { BYTE_LEVEL, SENTENCE, WORDPIECES };

static void put_vocab(struct buf *out, const struct words_list *list) {
    buf_text(out, "\"vocab\":{");
    for (size_t i = 0; i < list->count; i++) {
        buf_text(out, i ? "," : "");
        json_escape(out, list->words[i], strlen(list->words[i]));
        buf_printf(out, ":%zu", i);
    }
    buf_text(out, "}");
}

static void put_merges(struct buf *out, struct dice *dice, const struct words_list *list) {
    bool pairs = dice_once(dice, 2);
    buf_text(out, ",\"merges\":[");
    for (size_t i = 0; i < list->merge_count; i++) {
        const char *merge = list->merges[i], *blank = strchr(merge, ' ');
        buf_text(out, i ? "," : "");
        if (pairs) {
            buf_printf(out, "[\"%.*s\",\"%s\"]", (int)(blank - merge), merge, blank + 1);
        } else {
            buf_printf(out, "\"%s\"", merge);
        }
    }
    buf_text(out, "]");
}

static void put_unigram(struct buf *out, struct dice *dice, const struct words_list *list) {
    buf_text(out, "{\"type\":\"Unigram\",\"unk_id\":0,");
    buf_printf(out, "\"byte_fallback\":%s,\"vocab\":[", dice_once(dice, 2) ? "true" : "false");
    for (size_t i = 0; i < list->count; i++) {
        buf_text(out, i ? ",[" : "[");
        json_escape(out, list->words[i], strlen(list->words[i]));
        buf_printf(out, ",-%zu.5]", dice_below(dice, 12));
    }
    buf_text(out, "]}");
}

/* Any model; returns which vocabulary it has. */
static int put_model(struct buf *out, struct dice *dice) {
    static const char *const bpe[] = { "", ",\"fuse_unk\":true", ",\"byte_fallback\":true",
                                       ",\"ignore_merges\":true",
                                       ",\"dropout\":null,\"unk_token\":null" };
    size_t which = dice_below(dice, 6);
    int list = which < 2 ? BYTE_LEVEL : which < 4 ? SENTENCE : WORDPIECES;
    if (which == 3) {
        put_unigram(out, dice, &vocabularies[list]);
    } else if (list != WORDPIECES) {
        buf_printf(out, "{\"type\":\"BPE\"%s,", dice_of(dice, bpe));
        put_vocab(out, &vocabularies[list]);
        put_merges(out, dice, &vocabularies[list]);
        buf_text(out, "}");
    } else {
        buf_printf(out, "{\"type\":\"%s\",\"unk_token\":\"[UNK]\",",
                   which == 4 ? "WordPiece" : "WordLevel");
        buf_text(out,
                 which == 4 && dice_once(dice, 2)
                     ? "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":9,"
                     : "");
        put_vocab(out, &vocabularies[list]);
        buf_text(out, "}");
    }
    return list;
}

/* ---- the other sections ---- */

static const char *const normalizers[] = {
    "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
    "\"strip_accents\":null,\"lowercase\":true}",
    "{\"type\":\"NFC\"}",
    "{\"type\":\"NFD\"}",
    "{\"type\":\"NFKC\"}",
    "{\"type\":\"NFKD\"}",
    "{\"type\":\"Nmt\"}",
    "{\"type\":\"Lowercase\"}",
    "{\"type\":\"StripAccents\"}",
    "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}",
    "{\"type\":\"Prepend\",\"prepend\":\"\xe2\x96\x81\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xe2\x96\x81\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}",
    "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"EAAAAACAAQBhCQAAAAAAAAAAAIB0aAA=\"}",
    "{\"type\":\"ByteLevel\"}",
};
static const char *const pre_tokenizers[] = {
    "{\"type\":\"BertPreTokenizer\"}",
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,"
    "\"use_regex\":true}",
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}",
    "{\"type\":\"Whitespace\"}",
    "{\"type\":\"WhitespaceSplit\"}",
    "{\"type\":\"Digits\",\"individual_digits\":true}",
    "{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"}",
    "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"always\","
    "\"split\":true}",
    "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"add_prefix_space\":true}",
    "{\"type\":\"UnicodeScripts\"}",
    "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"t\"}",
    "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithPrevious\","
    "\"invert\":false}",
    "{\"type\":\"Split\",\"pattern\":{\"String\":\"e\"},\"behavior\":\"Contiguous\","
    "\"invert\":false}",
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n"
    "\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|"
    "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false}",
};
static const char *const post_processors[] = {
    "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"[CLS]\","
    "\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"Sequence\":"
    "{\"id\":\"A\",\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],"
    "\"special_tokens\":{\"[CLS]\":{\"id\":\"[CLS]\",\"ids\":[2],\"tokens\":[\"[CLS]\"]}}}",
    "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}",
    "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",1],"
    "\"trim_offsets\":true,\"add_prefix_space\":false}",
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":false}",
};
static const char *const decoders[] = {
    "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}",
    "{\"type\":\"ByteLevel\"}",
    "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"first\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xe2\x96\x81\"},\"content\":\" \"}",
    "{\"type\":\"ByteFallback\"}",
    "{\"type\":\"Fuse\"}",
    "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}",
    "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}",
    "{\"type\":\"CTC\",\"pad_token\":\"[PAD]\",\"word_delimiter_token\":\"|\",\"cleanup\":"
    "true}",
};

/* One of the kind, or a Sequence of several, or null. */
static void put_section(struct buf *out, struct dice *dice, const char *name, const char *list,
                        const char *const *kinds, size_t n) {
    buf_printf(out, ",\"%s\":", name);
    size_t count = dice_below(dice, 5);
    if (count == 0) {
        buf_text(out, "null");
    } else if (count < 3) {
        buf_text(out, kinds[dice_below(dice, n)]);
    } else {
        buf_printf(out, "{\"type\":\"Sequence\",\"%s\":[", list);
        for (size_t i = 0; i < count - 1; i++) {
            buf_text(out, i ? "," : "");
            buf_text(out, kinds[dice_below(dice, n)]);
        }
        buf_text(out, "]}");
    }
}
#define SECTION(out, dice, name, list, kinds) \
    put_section(out, dice, name, list, kinds, sizeof kinds / sizeof *kinds)

/* Byte-level vocabularies mean nothing without ByteLevel, nor the others with it. */
static void put_sections(struct buf *out, struct dice *dice, int vocabulary) {
    if (vocabulary == BYTE_LEVEL && !dice_once(dice, 4)) {
        buf_printf(out, ",\"pre_tokenizer\":%s,\"decoder\":%s",
                   pre_tokenizers[1 + dice_below(dice, 2)], decoders[1]);
        SECTION(out, dice, "normalizer", "normalizers", normalizers);
        buf_printf(out, ",\"post_processor\":%s", post_processors[3]);
        return;
    }
    SECTION(out, dice, "normalizer", "normalizers", normalizers);
    SECTION(out, dice, "pre_tokenizer", "pretokenizers", pre_tokenizers);
    SECTION(out, dice, "post_processor", "processors", post_processors);
    SECTION(out, dice, "decoder", "decoders", decoders);
}

static void put_added(struct buf *out, struct dice *dice, const struct words_list *list) {
    static const char *const contents[] = { "<|im_start|>", "[MASK]",           "the",    "<s>",
                                            " x ",          "\xf0\x9f\x98\x80", "<0x41>", "t" };
    static const char *const flags[] = { "lstrip", "rstrip", "single_word", "normalized",
                                         "special" };
    buf_text(out, ",\"added_tokens\":[");
    for (size_t i = 0, n = dice_below(dice, 4); i < n; i++) {
        const char *content = contents[(i * 3 + n) % (sizeof contents / sizeof *contents)];
        size_t id = list->count + i;
        for (size_t k = 0; k < list->count; k++) {
            id = strcmp(content, list->words[k]) == 0 ? k : id;
        }
        buf_printf(out, "%s{\"id\":%zu,\"content\":\"%s\"", i ? "," : "", id, content);
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) {
            buf_printf(out, ",\"%s\":%s", flags[k], dice_once(dice, 2) ? "true" : "false");
        }
        buf_text(out, "}");
    }
    buf_text(out, "]");
}

struct json *forge_tokenizer_json(struct arena *arena, struct dice *dice) {
    struct buf *out = buf_new(arena);
    struct err err = { 0 };
    buf_text(out, "{\"version\":\"1.0\",\"truncation\":null,\"model\":");
    int vocabulary = put_model(out, dice);
    put_sections(out, dice, vocabulary);
    put_added(out, dice, &vocabularies[vocabulary]);
    buf_text(out, "}");
    return json_parse(arena, out->data, out->length, "forged tokenizer.json", &err);
}

/* ---- in GGUF ---- */

static void put_tokens(struct forge_gguf *g, const struct words_list *list, int64_t count) {
    forge_gguf_array(g, "tokenizer.ggml.tokens", FORGE_STRING, count);
    for (int64_t i = 0; i < count; i++) {
        char other[40];
        int n = snprintf(other, sizeof other, "<token %lld>", (long long)i);
        bool known = (size_t)i < list->count;
        forge_gguf_text(g, known ? list->words[i] : other,
                        known ? strlen(list->words[i]) : (size_t)n);
    }
}

static void put_numbers(struct forge_gguf *g, struct dice *dice, int64_t count) {
    static const uint64_t kinds[] = { 1, 1, 1, 1, 2, 3, 4, 5, 6 };
    forge_gguf_array(g, "tokenizer.ggml.token_type", FORGE_I32, count);
    for (int64_t i = 0; i < count; i++) {
        forge_gguf_number(g, dice_of(dice, kinds), 4);
    }
    forge_gguf_array(g, "tokenizer.ggml.scores", FORGE_F32, count);
    for (int64_t i = 0; i < count; i++) {
        float score = -(float)i;
        uint32_t bits;
        memcpy(&bits, &score, 4);
        forge_gguf_number(g, bits, 4);
    }
}

void forge_tokenizer_gguf(struct forge_gguf *g, struct dice *dice, int64_t count) {
    static const char *const pres[] = { "default", "gpt-2", "llama-bpe", "qwen2", "smollm" };
    static const char *const models[] = { "gpt2", "gpt2", "llama", "t5", "bert" };
    const char *model = dice_of(dice, models);
    const struct words_list *list = &vocabularies[model[0] == 'g'   ? BYTE_LEVEL
                                                  : model[0] == 'b' ? WORDPIECES
                                                                    : SENTENCE];
    forge_gguf_string(g, "tokenizer.ggml.model", model);
    forge_gguf_string(g, "tokenizer.ggml.pre", dice_of(dice, pres));
    put_tokens(g, list, count);
    put_numbers(g, dice, count);
    if (model[0] == 'g' && (size_t)count >= list->count) {
        forge_gguf_array(g, "tokenizer.ggml.merges", FORGE_STRING, (int64_t)list->merge_count);
        for (size_t i = 0; i < list->merge_count; i++) {
            forge_gguf_text(g, list->merges[i], strlen(list->merges[i]));
        }
    }
    forge_gguf_u32(g, "tokenizer.ggml.bos_token_id", 1);
    forge_gguf_u32(g, "tokenizer.ggml.eos_token_id", 2);
    forge_gguf_u32(g, "tokenizer.ggml.unknown_token_id", 0);
    forge_gguf_flag(g, "tokenizer.ggml.add_bos_token", dice_once(dice, 2));
    forge_gguf_flag(g, "tokenizer.ggml.add_space_prefix", dice_once(dice, 2));
    forge_gguf_string(g, "tokenizer.chat_template", "{{ 7 * 7 }}{% for x in y %}");
}

/* ---- using ---- */

/* Bytes: a normalizer may make 256 of one, and each may be unknown, whose label and decoded
 * text may be 10,000. */
enum { TEXT_MOST = 300 };

static const char *const texts[] = {
    "the the",
    "",
    " ",
    "Hello, the w\xc3\xb6rld's 1024!\n\n  tell 'll",
    "\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    "a\xcc\x81\xcc\x82 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xef\xac\x81 \xe2\x84\xab",
    "<|im_start|>the[MASK] <s>t</s>",
    "un\xe2\x96\x81the\xe2\x96\x81",
    "\xef\xbf\xbd\xe2\x80\xae \x01 \xc2\xa0\xe2\x80\xa8",
    "ab\xff\xfe",
    "\xed\xa0\x80",
    "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt",
};

static int refuse(struct err *err, const char *what, int64_t seen) {
    return err_set(err, ERR_BUG, "the tokenizer broke its word: %s is %lld", what,
                   (long long)seen);
}

static int check_tokens(struct arena *arena, const struct tokenizer *tokenizer,
                        const struct encoding *encoding, size_t length, size_t pair_length,
                        struct err *err) {
    for (int64_t i = 0; i < encoding->count; i++) {
        const struct token *token = &encoding->tokens[i];
        int64_t most = (int64_t)(token->second ? pair_length : length);
        if (token->begin < 0 || token->end < token->begin || token->end > most) {
            return refuse(err, "the end of a token", token->end);
        }
        if (token->id < 0 || (!token->special && token->id >= tokenizer_size(tokenizer))) {
            return refuse(err, "an id", token->id);
        }
        if (!*tokenizer_label(arena, tokenizer, token->id)) {
            return refuse(err, "the length of a label", 0);
        }
    }
    return 0;
}

static void decode(struct arena *arena, struct dice *dice, const struct tokenizer *tokenizer,
                   const struct encoding *encoding) {
    int64_t n = encoding->count + 3;
    int32_t *ids = arena_array(arena, n, sizeof *ids);
    for (int64_t i = 0; i < encoding->count; i++) {
        ids[i] = encoding->tokens[i].id;
    }
    ids[n - 3] = (int32_t)dice_below(dice, (size_t)tokenizer_size(tokenizer));
    ids[n - 2] = (int32_t)damage_number(dice);
    ids[n - 1] = -1;
    tokenizer_decode(arena, tokenizer, ids, n, dice_once(dice, 2), NULL);
    tokenizer_label(arena, tokenizer, ids[n - 2]);
    tokenizer_spelling(tokenizer, ids[n - 2]);
}

static int use_text(struct arena *arena, struct dice *dice, const struct tokenizer *tokenizer,
                    struct json_text text, const char *pair, struct err *err) {
    struct err refused = { 0 };
    size_t pair_length = pair ? strlen(pair) : 0;
    struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, text.bytes, text.length, pair, pair_length,
                         !dice_once(dice, 4), &refused);
    if (!encoding) {
        if (refused.kind != ERR_TEXT) {
            *err = refused;
            return refused.kind == ERR_NONE ? refuse(err, "an error's kind", 0) : -1;
        }
        return 0;
    }
    if (check_tokens(arena, tokenizer, encoding, text.length, pair_length, err) < 0) {
        return -1;
    }
    words_of(arena, tokenizer, encoding, text.bytes, text.length);
    decode(arena, dice, tokenizer, encoding);
    return 0;
}

bool forge_tokenizer_use(struct arena *arena, struct dice *dice,
                         const struct tokenizer *tokenizer, struct err *err) {
    for (int i = 0; i < 3; i++) {
        const char *plain = dice_of(dice, texts);
        struct json_text text = { plain, strlen(plain) };
        const char *pair = dice_once(dice, 4) ? dice_of(dice, texts) : NULL;
        if (dice_once(dice, 3)) { /* its own spelling */
            int32_t id = (int32_t)dice_below(dice, (size_t)tokenizer_size(tokenizer));
            const char *own = tokenizer_spelling(tokenizer, id);
            text = own ? (struct json_text){ own, strlen(own) } : text;
        } else if (dice_once(dice, 6)) {
            text = damage_text(arena, dice);
        }
        text.length = text.length < TEXT_MOST ? text.length : TEXT_MOST;
        struct arena_mark mark = arena_mark(arena);
        int refused = use_text(arena, dice, tokenizer, text, pair, err);
        arena_rewind(arena, mark);
        if (refused < 0) {
            return false;
        }
    }
    return true;
}
