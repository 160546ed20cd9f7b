#include "core/text/charsmap.h"

#include <string.h>

#include "core/base/utf8.h"

/* ---- base64 ---- */

static int sextet(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Decodes into out[length / 4 * 3]; returns the bytes, -1 if it is no base64. */
static int64_t decode(const char *text, size_t length, unsigned char *out) {
    int64_t n = 0;
    size_t end = length;
    while (end > 0 && length - end < 2 && text[end - 1] == '=') {
        end--;
    }
    if (length % 4 != 0) {
        return -1;
    }
    uint32_t bits = 0;
    for (size_t i = 0; i < end; i++) {
        int value = sextet(text[i]);
        if (value < 0) {
            return -1;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 > 0) {
            out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return n;
}

/* ---- the table ---- */

static uint32_t word_at(const unsigned char *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

struct charsmap *charsmap_of(struct arena *arena, const void *bytes, size_t size,
                             const char *file, struct err *err) {
    struct charsmap *map = arena_alloc(arena, sizeof *map);
    const unsigned char *at = bytes;
    uint32_t trie = size >= 4 ? word_at(at) : 0;
    if (size < 8 || trie > size - 4 || trie < 4 || trie % 4 != 0) {
        err_set(err, ERR_FORMAT,
                "%s: precompiled_charsmap has %zu bytes, which do not hold a trie of %u bytes",
                file, size, trie);
        return NULL;
    }
    uint32_t *units = arena_raw(arena, trie);
    map->count = trie / 4;
    for (int64_t i = 0; i < map->count; i++) {
        units[i] = word_at(at + 4 + 4 * i);
    }
    map->units = units;
    map->texts = (const char *)at + 4 + trie;
    map->length = (int64_t)(size - 4 - trie);
    size_t bad = utf8_bad(map->texts, (size_t)map->length);
    if (bad < (size_t)map->length) {
        err_set(err, ERR_FORMAT,
                "%s: precompiled_charsmap: byte %zu of its replacements is not UTF-8", file,
                bad);
        return NULL;
    }
    return map;
}

struct charsmap *charsmap_read(struct arena *arena, const char *base64, size_t length,
                               const char *file, struct err *err) {
    unsigned char *bytes = arena_raw(arena, length / 4 * 3 + 3);
    int64_t size = decode(base64, length, bytes);
    if (size < 0) {
        err_set(err, ERR_FORMAT, "%s: precompiled_charsmap is not base64", file);
        return NULL;
    }
    return charsmap_of(arena, bytes, (size_t)size, file, err);
}

int64_t charsmap_longest(const struct charsmap *map) {
    int64_t longest = 0, length = 0;
    for (int64_t i = 0; i < map->length; i++) {
        length = map->texts[i] ? length + 1 : 0;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* ---- walking ---- */

/* A unit: the byte that leads to it in bits 0-7 (with bit 31, which marks values), whether it
 * has a value in bit 8, and the way to its children in bits 9-31. */
static int64_t children_of(uint32_t unit) {
    return (int64_t)(unit >> 10) << ((unit & 1U << 9) >> 6);
}

static const char *text_at(const struct charsmap *map, int64_t at, int64_t *length) {
    if (at > map->length ||
        (at < map->length && ((unsigned char)map->texts[at] & 0xc0) == 0x80)) {
        return NULL;
    }
    const char *text = map->texts + at, *end = memchr(text, '\0', (size_t)(map->length - at));
    *length = end ? end - text : map->length - at;
    return text;
}

const char *charsmap_at(const struct charsmap *map, const char *bytes, size_t length,
                        int64_t *to_length) {
    int64_t place = children_of(map->units[0]);
    for (size_t i = 0; i < length && bytes[i]; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        place ^= byte;
        if (place >= map->count || (map->units[place] & (1U << 31 | 0xff)) != byte) {
            return NULL;
        }
        uint32_t unit = map->units[place];
        place ^= children_of(unit);
        if (unit >> 8 & 1) {
            return place < map->count ? text_at(map, map->units[place] & 0x7fffffff, to_length)
                                      : NULL;
        }
    }
    return NULL;
}
