#ifndef KERNEL_WIRE_SIGN_H
#define KERNEL_WIRE_SIGN_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "kernel/wire/frames.h"

/* sign: HMAC (RFC 2104) over the JSON frames of a message, as lower-case hex digits.
 *
 * The check comes before anything in a message is read as JSON, takes the same time whatever
 * the digits are, and holds for exactly these lower-case digits, nothing else. */

enum {
    SIGN_MOST = 128,  /* hex digits of the longest digest, SHA-512 */
    SIGN_DIGEST = 32, /* bytes that tell one digest from all others */
};

struct sign;

/* `scheme` is "hmac-sha256" or another digest that OpenSSL has. With an empty key nothing is
 * signed and every message passes. The key may be wiped afterwards; what OpenSSL keeps of it is
 * wiped when the arena ends. NULL with ERR_IO if there is no such HMAC. */
struct sign *sign_new(struct arena *arena, const char *scheme, const char *key, size_t length,
                      struct err *err);

/* The digits and a NUL; "" without a key. Returns their number. */
size_t sign_make(const struct sign *sign, const struct frame *parts, int count,
                 char hex[SIGN_MOST + 1]);

/* Whether the signature holds; then `digest` is the HMAC's beginning, zeros
 * after a shorter one. */
bool sign_holds(const struct sign *sign, struct frame signature, const struct frame *parts,
                int count, unsigned char digest[SIGN_DIGEST]);

#endif
