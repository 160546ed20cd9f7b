#include "core/text/wordpiece.h"

#include "core/base/utf8.h"

static int64_t character_before(const char *word, int64_t end) {
    do {
        end--;
    } while (end > 0 && ((unsigned char)word[end] & 0xc0) == 0x80);
    return end;
}

/* The end of the longest piece that begins at `begin`, and its id; -1: none. */
static int64_t longest(const struct wordpiece *model, const char *word, int64_t begin,
                       int64_t length, char *spelled, int32_t *id) {
    size_t prefix = begin > 0 ? strlen(model->prefix) : 0;
    int64_t most = (int64_t)model->vocab->longest - (int64_t)prefix;
    int64_t end = length;
    if (end - begin > most) {
        end = begin + (most > 0 ? most : 0);
        while (end > begin && ((unsigned char)word[end] & 0xc0) == 0x80) {
            end--;
        }
    }
    if (end == begin) {
        return -1;
    }
    memcpy(spelled, model->prefix, prefix);
    memcpy(spelled + prefix, word + begin, (size_t)(end - begin));
    while (end > begin) {
        *id = vocab_find(model->vocab, spelled, prefix + (size_t)(end - begin));
        if (*id >= 0) {
            return end;
        }
        end = character_before(word, end);
    }
    return -1;
}

static bool pieces(const struct wordpiece *model, struct symbols *out, const char *word,
                   int64_t length) {
    for (int64_t begin = 0, end; begin < length; begin = end) {
        int32_t id;
        end = longest(model, word, begin, length, out->spelled, &id);
        if (end < 0) {
            return false;
        }
        symbols_add(out, id, begin, end);
    }
    return true;
}

bool wordpiece_split(const struct wordpiece *model, struct symbols *out, const char *word,
                     int64_t length) {
    int64_t before = out->count;
    bool tried = length <= model->most || utf8_count(word, (size_t)length) <= model->most;
    if (!tried || !pieces(model, out, word, length)) {
        out->count = before;
        symbols_add(out, model->unknown, 0, length);
        return model->unknown >= 0;
    }
    return true;
}
