#ifndef KERNEL_SESSION_OVERVIEW_H
#define KERNEL_SESSION_OVERVIEW_H

#include "kernel/session/session.h"

/* overview: what a session holds, as JSON for a side panel; told to the supervisor whenever it
 * changes, so that it can be asked for while a cell computes.
 *
 *     state  {"models": [{"handle", "name", "arch", "dtype", "parameters", "path", "mapped",
 *            "maps": [[address, bytes]], "inUse"}], "results": [{"name", "kind", "title",
 * "bytes"}], "settings": {...}} sites  {HANDLE: [{"name", "site", "layer", "shape"}]}; layer is
 * null where there is one
 *
 * `mapped` are the bytes of the model's files, `maps` where the worker has mapped them, which
 * is for the supervisor alone; `bytes` what holds a result. The results are the
 * last OVERVIEW_RESULTS that were kept. Texts are cut to a line. In the arena. */

enum { OVERVIEW_RESULTS = 500 };

const char *overview_state(struct session *session, struct arena *arena);
const char *overview_sites(struct session *session, struct arena *arena);

#endif
