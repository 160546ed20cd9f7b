#ifndef KERNEL_DOCTOR_H
#define KERNEL_DOCTOR_H

#include <stdbool.h>

#include "core/base/buf.h"

/* doctor: what keeps Cutaway from working here, and how to mend it.
 *
 * Looks at the kernelspecs that Jupyter would find (none, one whose program has moved, one that
 * starts another program), the extension for JupyterLab, the libraries and fonts that pictures
 * need, the default models, the folders it writes to, and a port on loopback. One line for
 * each, "ok" or "BAD" with the remedy. */

/* `cutaway doctor`. Returns the exit status: 0 all is well, 1 something is to be mended, 2
 * usage. */
int doctor_main(int argc, char **argv);

/* The single looks; each adds its lines to `out` and returns whether all is well. */
bool doctor_kernelspec(struct arena *arena, struct buf *out);
bool doctor_extension(struct arena *arena, struct buf *out);
bool doctor_pictures(struct arena *arena, struct buf *out);
bool doctor_models(struct arena *arena, struct buf *out);
bool doctor_folders(struct arena *arena, struct buf *out);
bool doctor_loopback(struct arena *arena, struct buf *out);

#endif
