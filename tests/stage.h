#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include "core/base/err.h"
#include "kernel/session/session.h"

/* stage: cells as a user types them, and what comes of them. */

/* A session in English with a cache folder of its own; it ends with the test. */
struct session *stage_session(void);

/* Runs a cell. What it says: its streams, "[type] text" for each figure, and of a cell that
 * fails why. */
const char *stage_run(struct session *session, const char *code);

/* The same in front of a reader who gives this answer to every question; NULL ends the input.
 */
const char *stage_answered(struct session *session, const char *answer, const char *code);

extern struct err stage_err; /* of the last cell; ERR_NONE if it ran */

#endif
