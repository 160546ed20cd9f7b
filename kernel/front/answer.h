#ifndef KERNEL_FRONT_ANSWER_H
#define KERNEL_FRONT_ANSWER_H

#include "kernel/front/front.h"

/* answer: which request is answered by whom. */

/* Answers one message and takes it over. */
void answer(struct front *front, struct message *message);

/* The last words (front_safely) to a request that there is no memory to answer: an error, if it
 * has no reply yet, and idle. */
void answer_last(struct front *front, struct message *message);

/* Answers all that has come on shell. */
void answer_shell(struct front *front);

/* Answers what has come on a channel, at most `most` messages. */
void answer_channel(struct front *front, enum channel channel, int most);

#endif
