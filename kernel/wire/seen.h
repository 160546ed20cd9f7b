#ifndef KERNEL_WIRE_SEEN_H
#define KERNEL_WIRE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

/* seen: the last 65,536 messages, known by their digests, so that none is obeyed twice.
 *
 * Who can listen on the wire cannot sign a message, but could send one again that was signed.
 * The record is exact: a digest is found as long as 65,535 or fewer others came after it, and
 * forgotten with the 65,536th. A ring holds the digests in their order, chains find them. Only
 * digests whose message was verified belong here: they look random to all who lack the key, so
 * that nobody can make a chain long.
 *
 * Memory: 16 KB, and 36 bytes for each digest, 2.4 MB when all are there. Time: 16 comparisons.
 */

enum { SEEN_MOST = 65536, SEEN_DIGEST = 32 };

struct seen;

struct seen *seen_new(struct arena *arena);

/* Remembers the digest. False: it is remembered already. */
bool seen_first(struct seen *seen, const unsigned char digest[SEEN_DIGEST]);

#endif
