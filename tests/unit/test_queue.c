/* queue: first come, first served. */
#include "kernel/front/queue.h"
#include "tests/check.h"

TEST(queue_keeps_order_and_empties) {
    struct queue queue = { 0 };
    struct message a = { 0 }, b = { 0 }, c = { 0 };
    check(!queue_pop(&queue));
    queue_push(&queue, &a);
    queue_push(&queue, &b);
    check(queue_pop(&queue) == &a);
    queue_push(&queue, &c);
    check(queue_pop(&queue) == &b);
    check(queue_pop(&queue) == &c);
    check(!queue_pop(&queue) && !queue.last);
    queue_push(&queue, &b);
    check(queue_pop(&queue) == &b && !b.next);
}
