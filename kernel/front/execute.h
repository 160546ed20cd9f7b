#ifndef KERNEL_FRONT_EXECUTE_H
#define KERNEL_FRONT_EXECUTE_H

#include "kernel/front/front.h"

/* execute: one cell after another, from request to idle:
 *
 *     busy · execute_input · (streams, displays)* · [error] · execute_reply · idle
 *
 * After an error in a cell with stop_on_error (and not silent), the execute_requests that had
 * come by then are answered "aborted", each with its own busy and idle. */

enum { EXECUTE_GRACE_MS = 2000 }; /* from an interrupt to the end by force */

/* Runs the cell, or lets it wait for the one that runs. Takes the message over. */
void execute_arrive(struct front *front, struct message *message);

/* What the worker says (see minder_listener); `arg` is the front. */
void execute_frame(void *arg, uint32_t kind, const char *bytes, size_t length, void **base);
void execute_text(void *arg, bool is_error, const char *text, size_t length);

/* Takes what the worker has said, as much as may be shown now. */
void execute_read(struct front *front);

/* A worker has begun. */
void execute_started(void *arg);

/* What the streams say; `arg` is the front. */
void execute_emit(void *arg, bool is_error, const char *text, size_t length);

/* The worker is gone: fails the running cell with the cause and starts another worker. */
void execute_died(struct front *front);

/* Interrupts the running cell, if there is one. */
void execute_interrupt(struct front *front);

/* Does what is due: streams to send, a cell to end by force. */
void execute_tick(struct front *front, int64_t now);

/* When execute_tick is due; 0: nothing is. */
int64_t execute_due(struct front *front);

#endif
