#ifndef KERNEL_SESSION_JOURNAL_H
#define KERNEL_SESSION_JOURNAL_H

#include "core/base/err.h"
#include "core/result/result.h"

/* journal: kept results in a file that outlives the process, so that the next one has them
 * again. The file has no name: the supervisor opened it and gives its descriptor to each worker
 * (RELAY_KEEP_FD); it is gone with the last of them.
 *
 * A record is a packed result (core/result/result_pack.h) anywhere behind the first page. An
 * index says which there are: number, place, length, checksum. At the file's beginning stand
 * two roots, each with a generation, the place of an index and a checksum; the newer good one
 * counts. Records and index are written into room that nothing uses, then the other root is
 * written over. So whenever a process dies, the file holds what it held before or what it was
 * to hold, and what was half written is room again. What is left goes back to the system, so
 * the file never takes more than what it holds. */

struct journal;

struct journal_item {
    uint64_t serial; /* not 0; no two results of a session have the same */
    const struct result *result;
    int64_t weight; /* what the session says that it weighs; comes back unchanged */
    bool named;     /* it goes before those that are not, and may have any size */
};

enum { JOURNAL_UNNAMED = 16 << 20 }; /* bytes of a result without a name, at most */

/* What the file holds that `fd` is open for, all checked; it holds at most `most` bytes of
 * records. NULL: `fd` is no file. In the arena; the descriptor stays the caller's. */
struct journal *journal_open(struct arena *arena, int fd, int64_t most);

/* The highest number in it; 0: it is empty. */
uint64_t journal_last(const struct journal *journal);

/* Number of the i-th record, the newest first; 0: there are no more. */
uint64_t journal_serial(const struct journal *journal, int64_t i);

/* The result of that number and its weight, whole in `arena`. NULL: there is none, it cannot be
 * read or its checksum is wrong. */
const struct result *journal_read(const struct journal *journal, struct arena *arena,
                                  uint64_t serial, int64_t *weight, struct err *err);

/* Makes the file hold these, the newest first; what it holds already stays where it is. What
 * has no room (first those without a name, then the oldest) or cannot be written is left out.
 * An item's result is not touched where its number is known already. */
void journal_write(struct journal *journal, struct arena *scratch,
                   const struct journal_item *items, int64_t n);

#endif
