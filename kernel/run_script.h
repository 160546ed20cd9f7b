#ifndef KERNEL_RUN_SCRIPT_H
#define KERNEL_RUN_SCRIPT_H

#include "kernel/session/session.h"

/* run_script: cells in a text file, parted by lines that begin with `# %%`. What stands before
 * the first such line is a cell if it is not blank.
 *
 * Without `out` streams go to stdout and stderr, and of figures the text. With it, output k of
 * cell n (both from 1) goes to the files n-k.png, n-k.html, n-k.txt and n-k.json in that
 * folder, those that the output has; text of one stream in a row is one output. The folder is
 * made if need be. */

/* Runs cells until one fails. Returns 0, or -1 with the error: a cell's is already on stderr.
 */
int run_script(struct session *session, const char *path, const char *text, size_t length,
               const char *out, struct err *err);

#endif
