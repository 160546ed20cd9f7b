#ifndef KERNEL_WIRE_CURVE_H
#define KERNEL_WIRE_CURVE_H

#include "core/base/err.h"
#include "kernel/wire/connection.h"

/* curve: encryption of all that goes over the kernel's sockets (CurveZMQ, rfc.zeromq.org/26),
 * where the connection file has a pair of keys for it. Only who knows the public key can
 * connect; others get not a byte. libzmq keeps copies of the keys for as long as it listens. */

/* Whether the keys are a pair and libzmq can encrypt; 0 also without keys. ERR_FORMAT, ERR_IO.
 */
int curve_check(const struct connection *connection, struct err *err);

/* Makes a socket that is not bound yet encrypt, if there are keys. */
void curve_serve(void *socket, const struct connection *connection);

#endif
