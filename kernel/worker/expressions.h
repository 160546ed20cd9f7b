#ifndef KERNEL_WORKER_EXPRESSIONS_H
#define KERNEL_WORKER_EXPRESSIONS_H

#include "core/base/jsonwrite.h"
#include "kernel/session/session.h"

/* expressions: what a front end may ask after a cell (user_expressions): `models`, `model`,
 * `model.layers`, `model.heads`, `model.width`, `model.vocab`, `model.context`,
 * `model.parameters`, `model.arch`, `model.dtype`, `results`, `seed`, `language`.
 *
 * Writes one entry: {"status":"ok","data":{"text/plain":...},"metadata":{}} or
 * {"status":"error",...}. */
void expressions_write(struct jsonwrite *w, struct session *session, const char *text);

#endif
