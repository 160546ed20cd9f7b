#ifndef KERNEL_WIRE_FRAMES_H
#define KERNEL_WIRE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "kernel/wire/connection.h"

/* frames: a Jupyter message as it lies on the wire,
 *
 *     identity* "<IDS|MSG>" signature header parent_header metadata content buffer*
 *
 * cut into its parts, and its JSON read. Everything here is foreign: counts, sizes and depth
 * are limited before a parser sees a byte. */

enum {
    FRAMES_MOST = 256,                           /* frames in one message */
    FRAMES_BYTES_MOST = 64 << 20,                /* bytes in one frame */
    FRAMES_MESSAGE_MOST = 2 * FRAMES_BYTES_MOST, /* bytes in one message */
    FRAMES_DEPTH_MOST = 100,                     /* open brackets in one frame */
    FRAMES_HEADER_MOST = 64 << 10, /* bytes in a header, which every answer repeats */
};

struct frame {
    const char *bytes;
    size_t length;
};

struct json_t;

struct message {
    struct arena *arena; /* holds all of this message; frames_free ends it */
    enum channel channel;
    int id_count;
    const struct frame *ids; /* every leading frame, given back on the reply */
    struct frame signature;
    struct frame parts[4]; /* header, parent_header, metadata, content, as received */
    int buffer_count;
    const struct frame *buffers; /* what follows; not signed */
    bool cut;                    /* there were more, or larger ones: they are dropped */

    const char *type; /* the header's msg_type */
    struct json_t *parent,
        *content;    /* parent_header and content; NULL if they cannot be read */
    const char *bad; /* a sentence: why the request is answered by an error; NULL: it is not */

    struct message *next; /* in a queue */
};

/* Finds the parts; `frames` stays where it is. ERR_FORMAT: what is missing or too much. */
int frames_split(struct message *message, const struct frame *frames, int count,
                 struct err *err);

/* Reads the four parts of a message whose signature holds. What cannot be read is remembered in
 * `bad`, so that the request gets an error reply under its right parent: of a header that
 * cannot be read, parts[0] becomes what can (kernel/wire/glean.h). Only a header without so
 * much as a msg_type is an error: it does not say what it asks for, and a reply has to be of a
 * type. */
int frames_read(struct message *message, struct err *err);

/* One JSON object. Lone surrogates, which JavaScript sends for half of a character, become
 * U+FFFD. NULL with the reason. The caller drops it with json_decref. */
struct json_t *frames_object(struct arena *arena, struct frame frame, struct err *err);

/* Deepest nesting of brackets outside strings. */
int frames_depth(struct frame frame);

/* A member of the content, or `otherwise` where it is absent or of another kind. */
const char *frames_text(const struct message *message, const char *key, size_t *length);
bool frames_flag(const struct message *message, const char *key, bool otherwise);
long long frames_number(const struct message *message, const char *key, long long otherwise);

void frames_free(struct message *message);

#endif
