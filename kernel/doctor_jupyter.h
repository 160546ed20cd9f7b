#ifndef KERNEL_DOCTOR_JUPYTER_H
#define KERNEL_DOCTOR_JUPYTER_H

#include <stdbool.h>

#include "core/base/buf.h"

/* doctor_jupyter: does Jupyter find this program, and is it what it would start?
 *
 * Jupyter looks for kernels/cutaway in several folders, and the first it finds wins. Which
 * folders those are is asked of each `jupyter` at hand: one in an environment `venv` beside the
 * program, and the first on PATH. Without any they are taken from the environment as Jupyter
 * does it (install_places). */

/* No kernelspec; one that Jupyter does not find, or another that it finds first; one that
 * cannot be read or starts no program, another one or another version, or starts it wrongly. */
bool doctor_jupyter_kernelspec(struct arena *arena, struct buf *out);

/* The same for the extension for JupyterLab: none, an old one, one that is switched off. */
bool doctor_jupyter_extension(struct arena *arena, struct buf *out);

/* Where Jupyter puts connection files, NULL if nothing says it. */
const char *doctor_jupyter_runtime(struct arena *arena);

#endif
