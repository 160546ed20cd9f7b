#ifndef KERNEL_WORKER_TILE_H
#define KERNEL_WORKER_TILE_H

#include "kernel/relay/relay.h"
#include "kernel/session/session.h"

/* tile: exact numbers of a result that was shown: a series with its first axes fixed, the head
 * 3 of layer 5 of [layer, head, query, key] for one. They are told from where they lie. */

enum { TILE_MOST = 64 << 20 }; /* bytes of one tile */

/* Finds them. On success `answer` has the shape that is left and `*numbers` points into the
 * result; `answer->ticket` is the caller's. -1 with one sentence: no such result, series or
 * place, or more than TILE_MOST. */
int tile_find(struct session *session, const struct relay_tile *asked, const char *result,
              const char *series, struct relay_tiled *answer, const float **numbers,
              struct err *err);

#endif
