#ifndef KERNEL_RUN_MAIN_H
#define KERNEL_RUN_MAIN_H

#include <stdint.h>

/* run_main: `cutaway run`: cells without Jupyter, by the worker's half in this process.
 *
 *     cutaway run FILE.ipynb [-o OUT.ipynb]   runs a notebook, writes its outputs into it (or
 * OUT) cutaway run FILE.cut|- [--out DIR]      runs a script: see kernel/run_script.h
 *
 * argv[0] is the subcommand. Returns the exit status: 0, 1 when a cell failed or a file could
 * not be read or written (said on stderr), 2 for wrong usage. */
int run_main(int argc, char **argv);

/* Says a cell's failure on stderr, in colour if that is a terminal. `n` is the cell's number.
 */
void run_complain(const char *path, int64_t n, const char *traceback);

#endif
