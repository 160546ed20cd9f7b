#ifndef KERNEL_FRONT_QUEUE_H
#define KERNEL_FRONT_QUEUE_H

#include "kernel/wire/frames.h"

/* queue: execute_requests that wait for the running cell, in the order in which they came. The
 * queue owns its messages. */

struct queue {
    struct message *first, *last;
};

void queue_push(struct queue *queue, struct message *message);
struct message *queue_pop(struct queue *queue); /* the oldest; NULL: empty */

#endif
