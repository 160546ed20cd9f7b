#ifndef KERNEL_RUN_NOTEBOOK_H
#define KERNEL_RUN_NOTEBOOK_H

#include "kernel/session/session.h"

/* run_notebook: runs the code cells of a notebook (nbformat 4) in order and writes it, with
 * outputs and execution counts, to `out`. Stops after the first cell that fails, unless that
 * cell has the tag raises-exception; what ran before is written all the same. Everything else
 * in the file is kept as it is. As Jupyter does, cells run in the notebook's own folder. */

/* Returns 0, or -1 with the error: a cell's is already on stderr. */
int run_notebook(struct session *session, const char *path, const char *out, struct err *err);

#endif
