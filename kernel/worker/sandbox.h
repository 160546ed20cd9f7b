#ifndef KERNEL_WORKER_SANDBOX_H
#define KERNEL_WORKER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* sandbox: what the worker gives up before it reads the first byte of a model.
 *
 * Files (Landlock, core/base/confine.h). Read: the places of models, what the user linked into
 * them and the files that belong to a model by links (core/base/linked.h), the folder it was
 * started in, fonts and fontconfig's caches, the system's libraries and their configuration
 * (Cairo and Pango are opened when the first picture is drawn), /proc/self, the processors'
 * description, and what the supervisor grants because a cell of the user names it. Written: the
 * folder it was started in, the folder of models made here, and the folders granted so. A
 * folder that is the root of all is never granted. Links cannot be made, so what a granted
 * folder leads to stays what was there before.
 *
 * System calls (seccomp, a list of what is denied, x86-64 and aarch64): sockets, other programs
 * and processes, their memory and priority, signals to them (also by way of a descriptor's
 * owner), tracing, mounting and namespaces, keys, the kernel's own workings, rights and owners
 * of files. Those end with EPERM. The sockets and pipes that are open already stay usable.
 *
 * A build with sanitizers keeps what the leak check needs: a process beside it that traces it.
 * Where the system lacks a part, the rest holds; the supervisor has said so on its log. */

/* `grants` is the content of RELAY_GRANT (kernel/relay/relay.h). For the rest of the process;
 * does nothing if CUTAWAY_SANDBOX is "off". To be called while there is one thread. */
void sandbox_enter(const char *grants, size_t length);

/* Whether this build keeps tracing and processes for the sanitizers. */
bool sandbox_sanitized(void);

#endif
