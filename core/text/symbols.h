#ifndef CORE_TEXT_SYMBOLS_H
#define CORE_TEXT_SYMBOLS_H

#include <stdint.h>

#include "core/base/buf.h"

/* symbols: what a model makes of one piece of text: ids and the bytes of the piece they stand
 * for. */

struct symbol {
    int32_t id;
    uint32_t begin, end; /* bytes of the piece */
};

struct symbols {
    struct arena *arena; /* for scratch, which is rewound */
    struct buf *buf;
    int64_t count;
    char *spelled; /* room for the longest spelling of the vocabulary */
};

static inline struct symbol *symbols_all(const struct symbols *symbols) {
    return (struct symbol *)(void *)symbols->buf->data;
}

/* Room for n more, of which the caller counts those that it fills. */
static inline struct symbol *symbols_room(struct symbols *symbols, int64_t n) {
    size_t used = (size_t)symbols->count * sizeof(struct symbol);
    if (symbols->buf->room <= used + (size_t)n * sizeof(struct symbol)) {
        symbols->buf->length = used;
        buf_more(symbols->buf, (size_t)n * sizeof(struct symbol));
    }
    return symbols_all(symbols) + symbols->count;
}

static inline void symbols_add(struct symbols *symbols, int32_t id, int64_t begin,
                               int64_t end) {
    *symbols_room(symbols, 1) = (struct symbol){ id, (uint32_t)begin, (uint32_t)end };
    symbols->count++;
}

#endif
