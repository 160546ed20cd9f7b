#ifndef KERNEL_LABEXTENSION_H
#define KERNEL_LABEXTENSION_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* labextension: the extension for JupyterLab and Notebook, a folder of built files that is
 * copied as it is.
 *
 * It is looked for where the program lies: beside it in lab/labextension (a build folder), in
 * ../share/jupyter/labextensions/cutaway-lab and in the data folder the program was built for.
 * A `place` is a folder that Jupyter searches, such as ~/.local/share/jupyter. */

/* The folder with the extension that belongs to this program, NULL if there is none. */
const char *labextension_source(struct arena *arena, const char *program);

/* PLACE/labextensions/cutaway-lab. */
const char *labextension_folder(struct arena *arena, const char *place);

/* Whether the extension lies in the place. */
bool labextension_there(struct arena *arena, const char *place);

/* Whether it is, byte for byte, what `source` holds; its package.json names the other files by
 * their content. */
bool labextension_same(struct arena *arena, const char *place, const char *source);

/* Copies `source` to the place, instead of the one there. Refuses to replace a folder that is
 * not ours. -1 with ERR_IO. */
int labextension_copy(struct arena *arena, const char *source, const char *place,
                      struct err *err);

/* Takes it away; other files in its folders stay, and what links in it lead to. 0 too if there
 * is none. */
int labextension_remove(struct arena *arena, const char *place, struct err *err);

/* A page_config.json that switches the extension off: the user's, or one of the environments
 * that the places (ending with NULL) lie in. NULL if none does. */
const char *labextension_switched_off(struct arena *arena, char **places);

#endif
