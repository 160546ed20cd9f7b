#include "kernel/front/stream.h"

#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"

struct side {
    struct buf *held;
    size_t shown; /* bytes of this cell taken so far */
    size_t cut;   /* bytes left out */
};

struct stream {
    stream_emit *emit;
    void *arg;
    struct side sides[STREAM_KINDS];
    int64_t due;
    int64_t second; /* of `switches` */
    int switches;
};

struct stream *stream_new(struct arena *arena, stream_emit *emit, void *arg) {
    struct stream *stream = arena_alloc(arena, sizeof *stream);
    stream->emit = emit;
    stream->arg = arg;
    for (int i = 0; i < STREAM_KINDS; i++) {
        stream->sides[i].held = buf_new(arena);
    }
    return stream;
}

void stream_begin(struct stream *stream) {
    for (int i = 0; i < STREAM_KINDS; i++) {
        stream->sides[i].shown = stream->sides[i].held->length;
        stream->sides[i].cut = 0;
    }
}

/* Sends one side, keeping `keep` bytes at its end. */
static void send(struct stream *stream, int side, size_t keep) {
    struct buf *held = stream->sides[side].held;
    size_t length = held->length - keep;
    if (length > 0) {
        char tail[4];
        for (size_t i = 0; i < keep; i++) {
            tail[i] = held->data[length + i];
        }
        stream->emit(stream->arg, side == STREAM_ERROR, held->data, length);
        buf_clear(held);
        buf_add(held, tail, keep);
    }
}

static size_t tail_of(const struct stream *stream, int side) {
    const struct buf *held = stream->sides[side].held;
    return utf8_tail(held->data, held->length);
}

void stream_flush(struct stream *stream) {
    for (int i = 0; i < STREAM_KINDS; i++) {
        send(stream, i, tail_of(stream, i));
    }
    stream->due = 0;
}

/* The other side's text is older and must go first, unless the two alternate in a flood. */
static void side_switch(struct stream *stream, int other, int64_t now) {
    size_t tail = tail_of(stream, other);
    if (stream->sides[other].held->length == tail) {
        return;
    }
    if (now / 1000 != stream->second) {
        stream->second = now / 1000;
        stream->switches = 0;
    }
    if (stream->switches++ < STREAM_SWITCHES) {
        send(stream, other, tail);
    }
}

void stream_add(struct stream *stream, bool is_error, const char *text, size_t length,
                int64_t now) {
    struct side *side = &stream->sides[is_error ? STREAM_ERROR : STREAM_OUT];
    size_t room = STREAM_MOST - (side->shown < STREAM_MOST ? side->shown : STREAM_MOST);
    if (length > room || side->cut > 0) { /* once something is missing, nothing follows */
        size_t kept = side->cut > 0 ? 0 : room;
        while (kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80) {
            kept--;
        }
        side->cut += length - kept;
        length = kept;
    }
    if (length == 0) {
        return;
    }
    side_switch(stream, is_error ? STREAM_OUT : STREAM_ERROR, now);
    buf_add(side->held, text, length);
    side->shown += length;
    if (stream->due == 0) {
        stream->due = now + STREAM_WAIT_MS;
    }
}

int64_t stream_due(const struct stream *stream) {
    return stream->due;
}

void stream_end(struct stream *stream, bool zh) {
    stream_flush(stream);
    for (int i = 0; i < STREAM_KINDS; i++) {
        struct side *side = &stream->sides[i];
        send(stream, i, 0);
        if (side->cut > 0) {
            char note[160];
            int n = snprintf(note, sizeof note,
                             zh ? "\n[有 %zu 字节的 %s 没有显示：一个单元格最多显示 %d KiB]\n"
                                : "\n[%zu bytes of %s are left out: a cell shows at most %d "
                                  "KiB]\n",
                             side->cut, i == STREAM_ERROR ? "stderr" : "stdout",
                             STREAM_MOST / 1024);
            stream->emit(stream->arg, i == STREAM_ERROR, note, (size_t)n);
        }
        side->cut = 0;
        side->shown = 0;
    }
}
