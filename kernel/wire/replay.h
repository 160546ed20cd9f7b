#ifndef KERNEL_WIRE_REPLAY_H
#define KERNEL_WIRE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

/* replay: the last 65,536 messages, known by their digests, so that none is obeyed twice.
 *
 * Who can listen on the wire cannot sign a message, but could send one again that was signed.
 * The record is exact: a digest is found as long as 65,535 or fewer others came after it, and
 * forgotten with the 65,536th. A ring holds the digests in their order, chains find them. Only
 * digests whose message was verified belong here: they look random to all who lack the key, so
 * that nobody can make a chain long.
 *
 * Memory: 2.5 MB, touched only as digests come, but for 256 KB. */

enum { REPLAY_MOST = 65536, REPLAY_DIGEST = 32 };

struct replay;

struct replay *replay_new(struct arena *arena);

/* Remembers the digest. False: it is remembered already. */
bool replay_fresh(struct replay *replay, const unsigned char digest[REPLAY_DIGEST]);

#endif
