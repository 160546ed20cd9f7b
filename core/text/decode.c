#include "core/text/decode.h"

#include <string.h>

#include "core/base/utf8.h"
#include "core/text/bpe.h"

enum kind { WORDPIECE, BYTES };

struct decoder {
    enum kind kind;
    const char *prefix; /* of a continuation */
    bool cleanup;       /* blanks before punctuation go */
};

struct decoder *decode_bytes(struct arena *arena) {
    struct decoder *decoder = arena_alloc(arena, sizeof *decoder);
    decoder->kind = BYTES;
    return decoder;
}

struct decoder *decode_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err) {
    if (!section || section->kind == JSON_NULL) {
        return NULL;
    }
    const char *type = json_text_at(section, "type", "");
    if (strcmp(type, "ByteLevel") == 0) {
        return decode_bytes(arena);
    }
    if (strcmp(type, "WordPiece") == 0) {
        struct decoder *decoder = arena_alloc(arena, sizeof *decoder);
        decoder->kind = WORDPIECE;
        decoder->prefix = json_text_at(section, "prefix", "##");
        decoder->cleanup = json_bool_at(section, "cleanup", true);
        return decoder;
    }
    char shown[60];
    err_set(err, ERR_UNSUPPORTED,
            "%s: the decoder type %s is not known; known are WordPiece and ByteLevel", file,
            err_quote(shown, sizeof shown, type, strlen(type)));
    return NULL;
}

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

void decode_add(struct decode *decode, const char *spelling, size_t length) {
    const struct decoder *decoder = decode->decoder;
    size_t begin = decode->out->length;
    if (decoder && decoder->kind == BYTES) {
        if (!decode_letters(decode->out, spelling, length)) {
            buf_add(decode->out, spelling, length);
        }
        return;
    }
    size_t prefix = decoder ? strlen(decoder->prefix) : 0;
    if (decode->count++ > 0) {
        if (prefix && length >= prefix && memcmp(spelling, decoder->prefix, prefix) == 0) {
            spelling += prefix;
            length -= prefix;
        } else {
            buf_char(decode->out, ' ');
        }
    }
    buf_add(decode->out, spelling, length);
    if (decoder && decoder->cleanup) {
        clean_up(decode->out, begin);
    }
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

/* Bytes that are no characters become U+FFFD, one for each mistake. */
void decode_end(struct arena *arena, struct decode *decode) {
    struct buf *out = decode->out;
    size_t good = utf8_bad(out->data, out->length), length = out->length - good;
    if (length == 0) {
        return;
    }
    const char *rest = arena_text(arena, out->data + good, length);
    out->length = good;
    for (size_t i = 0; i < length;) {
        size_t n = utf8_bad(rest + i, length - i);
        buf_add(out, rest + i, n);
        i += n;
        if (i < length) {
            buf_text(out, "\xef\xbf\xbd");
            i += bad_length((const unsigned char *)rest + i, length - i);
        }
    }
}
