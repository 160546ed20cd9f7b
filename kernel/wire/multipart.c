#include "kernel/wire/multipart.h"

#include <errno.h>

#include <zmq.h>

#include "core/base/catch.h"

/* The next frame, if there is one. */
static bool part_take(zmq_msg_t *part, void *socket) {
    int got;
    zmq_msg_init(part);
    do {
        got = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got >= 0;
}

/* Copies it. false: there is no memory for that. */
static bool part_keep(struct arena *arena, zmq_msg_t *part, struct frame *frame) {
    struct catch here;
    volatile bool kept = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        size_t length = zmq_msg_size(part);
        *frame = (struct frame){ arena_text(arena, zmq_msg_data(part), length), length };
        kept = true;
    }
    catch_end(&here);
    return kept;
}

int multipart_take(struct arena *arena, void *socket, struct frame frames[FRAMES_MOST],
                   bool *cut) {
    size_t bytes = 0;
    int count = 0;
    zmq_msg_t part;
    bool more = part_take(&part, socket), kept = true;
    while (more) {
        bytes += zmq_msg_size(&part);
        if (count < FRAMES_MOST && bytes <= FRAMES_MESSAGE_MOST) {
            kept = kept && part_keep(arena, &part, &frames[count]);
            count++;
        } else {
            *cut = true;
        }
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
        more = more && part_take(&part, socket);
    }
    if (!kept) { /* all of it is taken: its rest must not be read as another message */
        catch_throw(ERR_MEMORY, "a message of %zu bytes, for which there is no memory", bytes);
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
