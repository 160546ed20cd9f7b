#ifndef KERNEL_INSTALL_H
#define KERNEL_INSTALL_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* install: makes Jupyter know this program, by a folder kernels/cutaway with kernel.json (argv
 * has the program's absolute path) and three logos; and JupyterLab its extension, by a folder
 * labextensions/cutaway-lab, where the program has one (see labextension.h).
 *
 *     cutaway install              for this user: JUPYTER_DATA_DIR, else XDG_DATA_HOME/jupyter,
 * else
 *                                  ~/.local/share/jupyter
 *     cutaway install --sys-prefix into the active environment (VIRTUAL_ENV, CONDA_PREFIX)
 *     cutaway install --prefix P   into P/share/jupyter
 *     cutaway uninstall ...        the same places; removes nothing that is not Cutaway's */

/* argv[0] is the subcommand. Return the exit status: 0 done, 1 failed, 2 wrong usage; what is
 * wrong is said on stderr. */
int install_main(int argc, char **argv);
int uninstall_main(int argc, char **argv);

/* The absolute path of the running program. NULL with ERR_IO if the system does not tell. */
char *install_program(struct arena *arena, struct err *err);

/* Where one user's Jupyter data lies. NULL if the user has no home. */
char *install_user_place(struct arena *arena);

/* The folders in which Jupyter looks for share/jupyter's content, in its order, ending with
 * NULL. An environment counts when it is active (VIRTUAL_ENV, CONDA_PREFIX). */
char **install_places(struct arena *arena);

#endif
