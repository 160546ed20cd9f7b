#ifndef KERNEL_DOCTOR_PLACES_H
#define KERNEL_DOCTOR_PLACES_H

#include <stdbool.h>

#include "core/base/buf.h"

/* doctor_places: what lies on disks, and whether they take what Cutaway writes. */

/* The folders for connection files, Jupyter's data, the history, temporary files, and the one
 * that `cutaway doctor` was called in: each takes a small file, that is taken away at once. */
bool doctor_places_folders(struct arena *arena, struct buf *out);

/* The history file: whole, not locked by a program that keeps it, its owner's alone, not on a
 * network drive. */
bool doctor_places_history(struct arena *arena, struct buf *out);

/* The models that are found; the two default ones among them. */
bool doctor_places_models(struct arena *arena, struct buf *out);

#endif
