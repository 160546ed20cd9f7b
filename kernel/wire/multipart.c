#include "kernel/wire/multipart.h"

#include <errno.h>

#include <zmq.h>

/* The next frame, if there is one. */
static bool part_take(zmq_msg_t *part, void *socket) {
    int got;
    zmq_msg_init(part);
    do {
        got = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got >= 0;
}

int multipart_take(struct arena *arena, void *socket, struct frame frames[FRAMES_MOST],
                   bool *cut) {
    size_t bytes = 0;
    int count = 0;
    zmq_msg_t part;
    bool more = part_take(&part, socket);
    while (more) {
        size_t length = zmq_msg_size(&part);
        bytes += length;
        if (count < FRAMES_MOST && bytes <= FRAMES_MESSAGE_MOST) {
            frames[count++] =
                (struct frame){ arena_text(arena, zmq_msg_data(&part), length), length };
        } else {
            *cut = true;
        }
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
        more = more && part_take(&part, socket);
    }
    return count;
}

int multipart_begin(void *socket, const struct frame *frames, int count) {
    for (int i = 0; i < count; i++) {
        while (zmq_send(socket, frames[i].bytes, frames[i].length, ZMQ_SNDMORE) < 0) {
            if (errno != EINTR) {
                return -1;
            }
        }
    }
    return 0;
}
