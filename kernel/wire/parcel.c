#include "kernel/wire/parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

struct parcel {
    atomic_llong *backlog;
    long long cost;
    struct frame frame;
    void *base;  /* where the frame lies; NULL: behind this */
    size_t size; /* bytes of this block */
    char copy[];
};

struct parcel *parcel_new(struct frame frame, void *base, long long cost,
                          atomic_llong *backlog) {
    size_t size = sizeof(struct parcel) + (base ? 0 : frame.length);
    struct parcel *parcel = arena_resize(NULL, 0, size);
    *parcel = (struct parcel){ backlog, cost, frame, base, size };
    if (!base) {
        memcpy(parcel->copy, frame.bytes, frame.length);
        parcel->frame.bytes = parcel->copy;
    }
    return parcel;
}

/* libzmq calls it once, from the thread that sent the frame last. */
static void parcel_free(void *bytes, void *what) {
    struct parcel *parcel = what;
    (void)bytes;
    atomic_fetch_sub(parcel->backlog, parcel->cost);
    free(parcel->base);
    arena_release(parcel, parcel->size);
}

void parcel_send(struct parcel *parcel, void *socket) {
    zmq_msg_t part;
    atomic_fetch_add(parcel->backlog, parcel->cost);
    zmq_msg_init_data(&part, (void *)(uintptr_t)parcel->frame.bytes, parcel->frame.length,
                      parcel_free, parcel);
    while (socket && zmq_msg_send(&part, socket, 0) < 0 && errno == EINTR) {
    }
    zmq_msg_close(&part); /* empty, unless the socket is closing */
}
