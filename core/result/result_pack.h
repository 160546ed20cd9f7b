#ifndef CORE_RESULT_RESULT_PACK_H
#define CORE_RESULT_RESULT_PACK_H

#include "core/base/file.h"
#include "core/result/result.h"

/* result_pack: a result as bytes and back, with everything that struct result says: what is
 * taken back draws, saves and answers to the same bytes, and has the same result_id.
 *
 * First comes a head: how long it is, then texts and numbers in the order of the struct, in the
 * machine's byte order (it is read on the same machine). Then come the values of each series.
 * All of these parts begin at multiples of 64 bytes, with zeros between. */

enum { RESULT_PACK_ALIGN = 64 };

/* The parts, one behind the other, in the arena but for the values, which stay where they are.
 * Every part begins at a multiple of RESULT_PACK_ALIGN, so a reader of pieces may take what is
 * missing at the end of one for zeros. */
struct file_piece *result_pack(struct arena *arena, const struct result *result,
                               int64_t *pieces);

/* Bytes that it would take so; where they are more than `most`, some number above that, found
 * without looking at all of it. A label may be as long as a text, and each token have it. */
int64_t result_pack_bytes(const struct result *result, int64_t most);

/* Bytes that these pieces take, with the zeros between and behind them. */
int64_t result_pack_size(const struct file_piece *pieces, int64_t n);

/* The result in `bytes`, which lie at a multiple of 64 and live as long as it does: texts and
 * values stay in them. They may be anything: every length is compared with what remains, and
 * shapes with labels. ERR_FORMAT: they are no result. */
const struct result *result_unpack(struct arena *arena, const void *bytes, int64_t length,
                                   struct err *err);

#endif
