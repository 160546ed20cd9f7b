#ifndef CORE_BASE_CONFINE_H
#define CORE_BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* confine: what a process can give up for good, so that whatever takes it over by a hostile
 * file finds little. Files: Landlock (Linux 5.13), by a list of folders and files that stay;
 * all that lies below a folder goes with it, and a link counts as what it leads to. What is not
 * listed cannot be opened, made, removed or renamed, by this thread and those it starts. System
 * calls: seccomp, in kernel/worker/sandbox.c. */

/* What stays possible below a path. */
enum { CONFINE_READ = 1, CONFINE_WRITE = 2 };

/* A list that is being made; -1 if the system has no Landlock or a container forbids it. */
int confine_begin(void);

/* Adds a path; one that does not exist is left out. */
void confine_allow(int list, const char *path, int rights);

/* From here on only what is listed can be opened, and no program started. Closes the list.
 * Returns 0, or -1 if nothing has changed. */
int confine_enter(int list);

/* Landlock's version here, 0: it is not there. */
int confine_version(void);

/* Whether this system filters system calls. */
bool confine_filters(void);

/* Whether the user left it on: CUTAWAY_SANDBOX is not "off". */
bool confine_wanted(void);

/* Writes in one line what of it holds here; returns whether all does, or the user wants none.
 */
bool confine_say(char *line, size_t size);

#endif
