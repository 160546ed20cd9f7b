#ifndef KERNEL_SESSION_PROGRESS_H
#define KERNEL_SESSION_PROGRESS_H

#include "kernel/session/reply.h"

/* progress: one display that says how far long work is and, where the work converges, shows the
 * partial picture; at last the finished picture takes its place. Work of under half a second
 * shows no progress, and there are at most five updates a second, so it may be called as often
 * as one likes. Where outputs go to files only the last picture is written.
 *
 *     struct progress *p = progress_new(reply, "t-SNE of 5000 points", 750, zh);
 *     while (...) { progress_at(p, iteration); }
 *     progress_end(p, bundle);
 *
 * An interrupted cell keeps what the display showed last. Everything lives in the reply's
 * arena. */

struct progress;

/* `what` is shown as it is; `total` 0: not known. */
struct progress *progress_new(struct reply *reply, const char *what, int64_t total,
                              bool is_chinese);

/* What comes next, in the same display. */
void progress_stage(struct progress *progress, const char *what, int64_t total);

/* Whether an update would be shown now: ask before drawing a partial picture. */
bool progress_due(const struct progress *progress);

/* `done` of the total. Says how long the rest will take at the rate so far. */
void progress_at(struct progress *progress, int64_t done);

/* The same as a method calls it; `arg` is the progress, which knows the total. */
void progress_done(void *arg, int64_t done, int64_t of);

/* The same with the picture as it is now, under the words. */
void progress_figure(struct progress *progress, int64_t done, const struct bundle *bundle);

/* The finished picture, in the display's place. */
void progress_end(struct progress *progress, const struct bundle *bundle);

#endif
