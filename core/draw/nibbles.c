#include "core/draw/nibbles.h"

enum { SMALL = 13, BYTE, ZEROS, ZEROS_LEAST = 3, ZEROS_MOST = ZEROS_LEAST + 255 };

/* Half bytes on their way into a buffer. */
struct writer {
    unsigned char *to;
    int64_t count;
};

static void put(struct writer *w, int value) {
    unsigned char *at = w->to + w->count / 2;
    *at = (unsigned char)(w->count % 2 == 0 ? value << 4 : *at | value);
    w->count++;
}

static void put_three(struct writer *w, int code, int value) {
    put(w, code);
    put(w, value >> 4);
    put(w, value & 15);
}

struct buf *nibbles(struct arena *arena, const unsigned char *bytes, int64_t n) {
    struct buf *out = buf_new(arena);
    struct writer w = { (unsigned char *)buf_more(out, (size_t)(n + n / 2 + 1)), 0 };
    for (int64_t i = 0; i < n;) {
        int64_t run = 0;
        while (i + run < n && run < ZEROS_MOST && bytes[i + run] == 0) {
            run++;
        }
        if (run >= ZEROS_LEAST) {
            put_three(&w, ZEROS, (int)run - ZEROS_LEAST);
            i += run;
        } else if (bytes[i] <= SMALL) {
            put(&w, bytes[i++]);
        } else {
            put_three(&w, BYTE, bytes[i++]);
        }
    }
    out->length = (size_t)(w.count + 1) / 2;
    return out;
}
