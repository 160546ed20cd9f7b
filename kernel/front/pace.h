#ifndef KERNEL_FRONT_PACE_H
#define KERNEL_FRONT_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* pace: how many messages a cell may show in a time.
 *
 * A Jupyter server stops passing messages on where more come than it allows: by its
 * documentation 1,000 a second, measured over 3 s, status and execute_input not counted. A cell
 * may show PACE_BURST messages at once and PACE_RATE a second from then on, so that any 3 s
 * hold fewer than 1,000. What the worker has to say beyond that stays with the worker, which
 * waits; nothing is lost. */

enum { PACE_BURST = 250, PACE_RATE = 240 };

struct pace {
    int64_t credit; /* thousandths of a message; negative: overdrawn */
    int64_t at;     /* ms, when that was so */
};

void pace_begin(struct pace *pace, int64_t now); /* a cell begins: a server counts from there */
void pace_spend(struct pace *pace, int64_t now); /* a message was sent */

/* When the next message may be sent, ms; 0: now. */
int64_t pace_due(struct pace *pace, int64_t now);

#endif
