#ifndef KERNEL_WIRE_ENVELOPE_H
#define KERNEL_WIRE_ENVELOPE_H

#include <stdint.h>

#include "core/base/buf.h"

/* envelope: what every message of this process has in common: one version, one session, a
 * number of its own. Clients refuse a message id that they have seen, and take a new session
 * for a restart. */

#define ENVELOPE_VERSION "5.5"

struct envelope {
    char session[37]; /* a random UUID (RFC 9562, version 4) */
    uint64_t sent;
};

void envelope_init(struct envelope *envelope);

/* Writes the next message's header: msg_id, session, username, date, msg_type, version. */
void envelope_header(struct envelope *envelope, struct buf *out, const char *type);

/* The id of the last one. */
enum { ENVELOPE_ID = 64 };
const char *envelope_id(const struct envelope *envelope, char out[ENVELOPE_ID]);

/* Now, "2026-01-01T00:00:00.123456Z". */
enum { ENVELOPE_DATE = 32 };
const char *envelope_date(char out[ENVELOPE_DATE]);

#endif
