#include "core/text/decode.h"

#include <string.h>

#include "core/base/utf8.h"
#include "core/text/bpe.h"
#include "core/text/pattern.h"

enum kind { WORDPIECE, BYTES, METASPACE, REPLACE, FALLBACK, FUSE, STRIP, SUFFIX, CTC };

struct step {
    enum kind kind;
    const char *text; /* WORDPIECE: before continuations; METASPACE, REPLACE, STRIP, SUFFIX:
                         what goes; CTC: the padding */
    const char *to;   /* REPLACE: what comes; CTC: what becomes a blank */
    const struct pattern *pattern; /* REPLACE: what goes, NULL: `text` */
    bool cleanup;                  /* WORDPIECE, CTC: blanks before punctuation go */
    bool prefix;                   /* METASPACE: the first token's marks are no blanks */
    int64_t start, stop;           /* STRIP: how many at the beginning and the end of a token */
};

enum { STEPS = 16 };

struct decoder {
    struct step steps[STEPS];
    int count;
};

struct texts {
    struct decode_text *all;
    int64_t count;
};

bool decode_letters(struct buf *out, const char *spelling, size_t length) {
    size_t before = out->length;
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int n = utf8_decode(spelling + i, length - i, &code);
        int byte = n > 0 ? bpe_byte(code) : -1;
        if (byte < 0) {
            out->length = before;
            return false;
        }
        buf_char(out, (char)byte);
        i += (size_t)n;
    }
    return true;
}

/* How many bytes at `at` are one mistake: the longest beginning of a character that goes wrong
 * later, else one byte (Unicode 15.0, section 3.9, "maximal subparts"). */
static size_t bad_length(const unsigned char *at, size_t length) {
    unsigned char low = 0x80, high = 0xbf;
    size_t need = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : 1;
    if (at[0] < 0xc2 || at[0] > 0xf4) {
        return 1;
    }
    if (at[0] == 0xe0) {
        low = 0xa0;
    } else if (at[0] == 0xed) {
        high = 0x9f;
    } else if (at[0] == 0xf0) {
        low = 0x90;
    } else if (at[0] == 0xf4) {
        high = 0x8f;
    }
    size_t n = 1;
    while (n <= need && n < length && at[n] >= low && at[n] <= high) {
        n++;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

/* Adds bytes; those that are no characters become U+FFFD, one for each mistake. */
static void add_lossy(struct buf *out, const char *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t n = utf8_bad(bytes + i, length - i);
        buf_add(out, bytes + i, n);
        i += n;
        if (i < length) {
            buf_text(out, "\xef\xbf\xbd");
            i += bad_length((const unsigned char *)bytes + i, length - i);
        }
    }
}

/* ---- the steps ---- */

/* All become one text. */
static void one_text(struct texts *texts, const struct buf *buf) {
    texts->count = 1;
    texts->all[0] = (struct decode_text){ buf->data, buf->length };
}

static void join_bytes(struct arena *arena, struct texts *texts) {
    struct buf *raw = buf_new(arena), *out = buf_new(arena);
    for (int64_t i = 0; i < texts->count; i++) {
        const struct decode_text *text = &texts->all[i];
        if (!decode_letters(raw, text->bytes, text->length)) {
            buf_add(raw, text->bytes, text->length);
        }
    }
    add_lossy(out, raw->data, raw->length);
    one_text(texts, out);
}

static void fuse(struct arena *arena, struct texts *texts) {
    struct buf *out = buf_new(arena);
    for (int64_t i = 0; i < texts->count; i++) {
        buf_add(out, texts->all[i].bytes, texts->all[i].length);
    }
    one_text(texts, out);
}

/* Replaces every `from` in out[begin..] by `to`, which is not longer, from left to right. */
static void replace(struct buf *out, size_t begin, const char *from, const char *to) {
    size_t n = strlen(from), m = strlen(to), put = begin;
    for (size_t i = begin; i < out->length;) {
        if (out->length - i >= n && memcmp(out->data + i, from, n) == 0) {
            memcpy(out->data + put, to, m);
            put += m;
            i += n;
        } else {
            out->data[put++] = out->data[i++];
        }
    }
    out->length = put;
    out->data[put] = '\0';
}

/* What BERT's own decoder does for English, one token at a time. */
static void clean_up(struct buf *out, size_t begin) {
    static const char *const pairs[][2] = {
        { " .", "." },   { " ?", "?" },     { " !", "!" },     { " ,", "," },
        { " ' ", "'" },  { " n't", "n't" }, { " 'm", "'m" },   { " do not", " don't" },
        { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        replace(out, begin, pairs[i][0], pairs[i][1]);
    }
}

/* A text of its own in the buffer's arena. */
static struct decode_text copy_of(struct arena *arena, const struct buf *buf) {
    return (struct decode_text){ arena_text(arena, buf->data, buf->length), buf->length };
}

static void join_wordpieces(struct arena *arena, const struct step *step, struct texts *texts) {
    struct buf *out = buf_new(arena);
    size_t prefix = strlen(step->text);
    for (int64_t i = 0; i < texts->count; i++) {
        struct decode_text *text = &texts->all[i];
        buf_clear(out);
        if (i > 0 && text->length >= prefix && memcmp(text->bytes, step->text, prefix) == 0) {
            text->bytes += prefix;
            text->length -= prefix;
        } else if (i > 0) {
            buf_char(out, ' ');
        }
        buf_add(out, text->bytes, text->length);
        if (step->cleanup) {
            clean_up(out, 0);
        }
        *text = copy_of(arena, out);
    }
}

/* Replaces step->text in one text, which stays where it is if that is not in it. */
static struct decode_text replaced(struct arena *arena, const char *from, const char *to,
                                   struct decode_text text) {
    size_t n = strlen(from), m = strlen(to);
    const char *end = text.bytes + text.length, *found;
    if (n == 0 || text.length == 0 || !memmem(text.bytes, text.length, from, n)) {
        return text;
    }
    char *out = arena_raw(arena, text.length / n * (m > n ? m - n : 0) + text.length + 1);
    size_t length = 0;
    for (const char *at = text.bytes; at < end; at = found + n) {
        found = memmem(at, (size_t)(end - at), from, n);
        size_t before = (size_t)((found ? found : end) - at);
        memcpy(out + length, at, before);
        length += before;
        if (!found) {
            break;
        }
        memcpy(out + length, to, m);
        length += m;
    }
    return (struct decode_text){ out, length };
}

static struct decode_text replaced_pattern(struct arena *arena, const struct step *step,
                                           struct decode_text text) {
    struct buf *out = buf_new(arena);
    struct pattern_search search;
    int64_t last = 0, begin, end;
    pattern_begin(&search, arena, step->pattern, text.bytes, (int64_t)text.length);
    while (text.length > 0 && pattern_next(&search, &begin, &end)) {
        buf_add(out, text.bytes + last, (size_t)(begin - last));
        buf_text(out, step->to);
        last = end;
    }
    buf_add(out, text.bytes + last, text.length - (size_t)last);
    return (struct decode_text){ out->data, out->length };
}

static void replace_all(struct arena *arena, const struct step *step, struct texts *texts) {
    for (int64_t i = 0; i < texts->count; i++) {
        struct decode_text *text = &texts->all[i];
        bool first = step->kind == METASPACE && step->prefix && i == 0;
        bool last = step->kind == SUFFIX && i + 1 == texts->count;
        *text = step->pattern
                    ? replaced_pattern(arena, step, *text)
                    : replaced(arena, step->text, first || last ? "" : step->to, *text);
    }
}

static bool same_text(struct decode_text a, struct decode_text b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* Of equal neighbours one stays, without its padding; what is empty then goes. */
static void join_ctc(struct arena *arena, const struct step *step, struct texts *texts) {
    struct buf *clean = buf_new(arena);
    struct decode_text before = { "", 0 };
    int64_t out = 0;
    for (int64_t i = 0; i < texts->count; i++) {
        struct decode_text text = texts->all[i];
        bool again = i > 0 && same_text(text, before);
        before = text;
        text = replaced(arena, step->text, "", text);
        if (step->cleanup) {
            buf_clear(clean);
            buf_add(clean, text.bytes, text.length);
            clean_up(clean, 0);
            text = replaced(arena, step->to, " ", copy_of(arena, clean));
        }
        if (!again && text.length > 0) {
            texts->all[out++] = text;
        }
    }
    texts->count = out;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* The byte of "<0x41>"; -1 if the text is none. */
static int fallback_byte(struct decode_text text) {
    if (text.length != 6 || memcmp(text.bytes, "<0x", 3) != 0 || text.bytes[5] != '>') {
        return -1;
    }
    int high = hex_digit(text.bytes[3]), low = hex_digit(text.bytes[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static struct decode_text spelled_byte(struct arena *arena, struct decode_text text) {
    int byte = fallback_byte(text);
    if (byte < 0) {
        return text;
    }
    char one = (char)byte;
    return (struct decode_text){ arena_text(arena, &one, 1), 1 };
}

struct decode_text decode_alone(struct arena *arena, const struct decoder *decoder,
                                struct decode_text spelling) {
    for (int i = 0; decoder && i < decoder->count; i++) {
        const struct step *step = &decoder->steps[i];
        bool marks = step->kind == METASPACE || (step->kind == REPLACE && !step->pattern);
        if (marks && strcmp(step->to, " ") == 0) {
            spelling = replaced(arena, step->text, " ", spelling);
        } else if (step->kind == FALLBACK) {
            spelling = spelled_byte(arena, spelling);
        }
    }
    return spelling;
}

/* Neighbouring "<0x..>" become their characters; if they are no UTF-8, each becomes U+FFFD. */
static void join_fallbacks(struct arena *arena, struct texts *texts) {
    int64_t out = 0;
    for (int64_t i = 0, end; i < texts->count; i = end) {
        for (end = i; end < texts->count && fallback_byte(texts->all[end]) >= 0; end++) {
        }
        if (end == i) {
            texts->all[out++] = texts->all[end++];
            continue;
        }
        size_t n = (size_t)(end - i);
        char *bytes = arena_raw(arena, n + 1);
        for (size_t k = 0; k < n; k++) {
            bytes[k] = (char)fallback_byte(texts->all[i + (int64_t)k]);
        }
        bool good = utf8_bad(bytes, n) == n;
        for (size_t k = 0; k < (good ? 1 : n); k++) {
            texts->all[out++] = good ? (struct decode_text){ bytes, n }
                                     : (struct decode_text){ "\xef\xbf\xbd", 3 };
        }
    }
    texts->count = out;
}

static void strip_all(const struct step *step, struct texts *texts) {
    size_t n = strlen(step->text);
    for (int64_t i = 0; i < texts->count; i++) {
        struct decode_text *text = &texts->all[i];
        for (int64_t k = 0; k < step->start && text->length >= n; k++) {
            if (memcmp(text->bytes, step->text, n) != 0) {
                break;
            }
            text->bytes += n;
            text->length -= n;
        }
        for (int64_t k = 0; k < step->stop && text->length >= n; k++) {
            if (memcmp(text->bytes + text->length - n, step->text, n) != 0) {
                break;
            }
            text->length -= n;
        }
    }
}

static void apply(struct arena *arena, const struct step *step, struct texts *texts) {
    switch (step->kind) {
    case WORDPIECE:
        join_wordpieces(arena, step, texts);
        break;
    case BYTES:
        join_bytes(arena, texts);
        break;
    case METASPACE:
    case REPLACE:
    case SUFFIX:
        replace_all(arena, step, texts);
        break;
    case CTC:
        join_ctc(arena, step, texts);
        break;
    case FALLBACK:
        join_fallbacks(arena, texts);
        break;
    case FUSE:
        fuse(arena, texts);
        break;
    case STRIP:
        strip_all(step, texts);
        break;
    }
}

struct buf *decode_join(struct arena *arena, const struct decoder *decoder,
                        const struct decode_text *spellings, int64_t n) {
    struct texts texts = { .all = arena_array(arena, n + 1, sizeof *texts.all), .count = n };
    struct buf *out = buf_new(arena);
    memcpy(texts.all, spellings, (size_t)n * sizeof *spellings);
    for (int i = 0; decoder && i < decoder->count; i++) {
        apply(arena, &decoder->steps[i], &texts);
    }
    for (int64_t i = 0; i < texts.count; i++) {
        buf_text(out, i > 0 && !decoder ? " " : "");
        buf_add(out, texts.all[i].bytes, texts.all[i].length);
    }
    return out;
}

/* ---- reading ---- */

struct decoder *decode_bytes(struct arena *arena) {
    struct decoder *decoder = arena_alloc(arena, sizeof *decoder);
    decoder->steps[decoder->count++] = (struct step){ .kind = BYTES };
    return decoder;
}

static const char *wanted(const struct json *section, const char *key, const char *file,
                          struct err *err) {
    const char *text = json_text_at(section, key, "");
    if (!*text) {
        err_set(err, ERR_FORMAT, "%s: decoder: %s is no text", file, key);
        return NULL;
    }
    return text;
}

static int read_replace(struct arena *arena, struct step *step, const struct json *section,
                        const char *file, struct err *err) {
    const struct json *regex = json_at(json_at(section, "pattern"), "Regex");
    step->kind = REPLACE;
    step->text = json_text_at(json_at(section, "pattern"), "String", "");
    step->to = json_text_at(section, "content", "");
    if (regex && regex->kind == JSON_STRING) {
        step->pattern = pattern_read(arena, regex->text.bytes, regex->text.length, file, err);
        return step->pattern ? 0 : err_pass(err);
    }
    if (!*step->text) {
        return err_set(err, ERR_FORMAT,
                       "%s: decoder: the pattern of Replace is neither a String nor a Regex",
                       file);
    }
    return 0;
}

/* Metaspace says it by prepend_scheme, in older files by add_prefix_space. */
static int read_metaspace(struct step *step, const struct json *section, const char *file,
                          struct err *err) {
    step->kind = METASPACE;
    step->to = " ";
    step->prefix = strcmp(json_text_at(section, "prepend_scheme", "always"), "never") != 0 &&
                   json_bool_at(section, "add_prefix_space", true);
    step->text = wanted(section, "replacement", file, err);
    return step->text ? 0 : -1;
}

static int read_strip(struct step *step, const struct json *section, const char *file,
                      struct err *err) {
    step->kind = STRIP;
    step->start = json_int_at(section, "start", 0);
    step->stop = json_int_at(section, "stop", 0);
    step->text = wanted(section, "content", file, err);
    return step->text ? 0 : -1;
}

static int read_step(struct arena *arena, struct step *step, const struct json *section,
                     const char *type, const char *file, struct err *err) {
    if (strcmp(type, "WordPiece") == 0) {
        step->kind = WORDPIECE;
        step->text = json_text_at(section, "prefix", "##");
        step->cleanup = json_bool_at(section, "cleanup", true);
    } else if (strcmp(type, "ByteLevel") == 0) {
        step->kind = BYTES;
    } else if (strcmp(type, "ByteFallback") == 0) {
        step->kind = FALLBACK;
    } else if (strcmp(type, "Fuse") == 0) {
        step->kind = FUSE;
    } else if (strcmp(type, "Metaspace") == 0) {
        return read_metaspace(step, section, file, err);
    } else if (strcmp(type, "Replace") == 0) {
        return read_replace(arena, step, section, file, err);
    } else if (strcmp(type, "BPEDecoder") == 0) {
        step->kind = SUFFIX;
        step->to = " ";
        step->text = json_text_at(section, "suffix", "</w>");
    } else if (strcmp(type, "CTC") == 0) {
        step->kind = CTC;
        step->text = json_text_at(section, "pad_token", "<pad>");
        step->to = json_text_at(section, "word_delimiter_token", "|");
        step->cleanup = json_bool_at(section, "cleanup", true);
    } else if (strcmp(type, "Strip") == 0) {
        return read_strip(step, section, file, err);
    } else {
        char shown[60];
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the decoder type %s is not known; known are WordPiece, ByteLevel, "
                       "Metaspace, Replace, ByteFallback, Fuse, Strip, BPEDecoder, CTC and "
                       "Sequence",
                       file, err_quote(shown, sizeof shown, type, strlen(type)));
    }
    return 0;
}

static int read_section(struct arena *arena, struct decoder *decoder,
                        const struct json *section, int depth, const char *file,
                        struct err *err) {
    const char *type = json_text_at(section, "type", "");
    if (strcmp(type, "Sequence") == 0 && depth < 4) {
        const struct json *list = json_at(section, "decoders");
        for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
            if (read_section(arena, decoder, one, depth + 1, file, err) < 0) {
                return err_pass(err);
            }
        }
        return 0;
    }
    if (decoder->count == STEPS) {
        return err_set(err, ERR_FORMAT, "%s: more than %d decoders", file, STEPS);
    }
    return read_step(arena, &decoder->steps[decoder->count++], section, type, file, err);
}

struct decoder *decode_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err) {
    if (!section || section->kind == JSON_NULL) {
        return NULL;
    }
    struct decoder *decoder = arena_alloc(arena, sizeof *decoder);
    return read_section(arena, decoder, section, 0, file, err) < 0 ? NULL : decoder;
}
