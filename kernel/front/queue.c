#include "kernel/front/queue.h"

void queue_push(struct queue *queue, struct message *message) {
    message->next = NULL;
    if (queue->last) {
        queue->last->next = message;
    } else {
        queue->first = message;
    }
    queue->last = message;
}

struct message *queue_pop(struct queue *queue) {
    struct message *message = queue->first;
    if (message) {
        queue->first = message->next;
        queue->last = queue->first ? queue->last : NULL;
        message->next = NULL;
    }
    return message;
}
