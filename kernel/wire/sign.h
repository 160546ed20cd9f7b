#ifndef KERNEL_WIRE_SIGN_H
#define KERNEL_WIRE_SIGN_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "kernel/wire/frames.h"

/* sign: HMAC-SHA256 (RFC 2104) over the four JSON frames of a message, as 64 lower-case hex
 * digits.
 *
 * The check comes before anything in a message is read as JSON, takes the same time whatever
 * the digits are, and holds for exactly 64 lower-case digits, nothing else. */

enum { SIGN_LENGTH = 64 };

struct sign;

/* With an empty key nothing is signed and every message passes. The key may be wiped
 * afterwards; what OpenSSL keeps of it is wiped when the arena ends. NULL with ERR_BUG if there
 * is no HMAC. */
struct sign *sign_new(struct arena *arena, const char *key, size_t length, struct err *err);

/* The digits and a NUL; "" without a key. Returns their number. */
size_t sign_make(const struct sign *sign, const struct frame parts[4],
                 char hex[SIGN_LENGTH + 1]);

bool sign_holds(const struct sign *sign, struct frame signature, const struct frame parts[4]);

#endif
