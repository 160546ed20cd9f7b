#ifndef KERNEL_FRONT_FIELDS_H
#define KERNEL_FRONT_FIELDS_H

#include "core/base/err.h"
#include "kernel/wire/frames.h"

/* fields: whether what a request's content says is of the kind that the protocol names, so that
 * a cell whose code is a number, or whose "silent" is a word, is refused rather than run as if
 * nothing had been said. Absent fields have their defaults; null is absent, since that is how
 * clients write a None or nil. Unknown fields are let be. Comm messages are not looked at here:
 * they have no reply, and a comm that cannot be is closed (kernel/front/comm.h). */

/* -1 with ERR_FORMAT: the first field that is of another kind. */
int fields_check(const struct message *message, struct err *err);

#endif
