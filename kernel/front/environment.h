#ifndef KERNEL_FRONT_ENVIRONMENT_H
#define KERNEL_FRONT_ENVIRONMENT_H

#include "core/base/arena.h"

/* environment: the variables that the worker gets.
 *
 * The kernel's own may hold what other programs need to reach accounts (HF_TOKEN,
 * AWS_SECRET_ACCESS_KEY, JUPYTERHUB_API_TOKEN), and the worker reads files from strangers. So
 * it gets those alone that it or its libraries read: places of models and fonts, languages,
 * limits, how the program itself was told to run, and what sanitizers and coverage are told. */

/* Those of a list as `environ` is one; ended by NULL, in the arena, the texts not copied. */
char **environment_kept(struct arena *arena, char *const *all);

#endif
