#ifndef KERNEL_FRONT_INPUT_H
#define KERNEL_FRONT_INPUT_H

#include <stddef.h>

#include "kernel/front/front.h"

/* input: a cell asks its reader. The question goes on stdin to the client that sent the cell,
 * and to no other; the answer is taken from that client alone, and for that question: an
 * input_reply with another parent, or one that came before it was asked, is dropped. (Clients
 * that give no parent are believed.) What cannot be read is dropped too: the question stands.
 *
 * "\x04" alone is an end of file, as a terminal's Ctrl-D. A NUL in an answer becomes U+FFFD. */

enum {
    INPUT_MOST = 1 << 20,    /* bytes of an answer; a longer one fails the cell */
    INPUT_AGAIN_MS = 20,     /* until a client that is not there is tried again */
    INPUT_PATIENCE_MS = 5000 /* until the cell fails for it */
};

/* The worker asks: an INPUT frame of relay.h. */
void input_ask(struct front *front, const char *bytes, size_t length);

/* What came on stdin. Takes the message over. */
void input_answer(struct front *front, struct message *message);

/* Asks again who was not there; when that is due, 0: never. */
int64_t input_due(const struct front *front);
void input_tick(struct front *front, int64_t now);

#endif
