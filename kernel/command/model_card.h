#ifndef KERNEL_COMMAND_MODEL_CARD_H
#define KERNEL_COMMAND_MODEL_CARD_H

#include "kernel/cell/cell.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

/* model_card: what %info and %model info show of a model: its architecture, drawn and kept
 * under the name of --as as result `index` of `count`, and a table of its settings, its file
 * and how much of that is in memory. */
int model_card_show(struct session *session, const struct cell_line *line,
                    const struct loaded *one, int64_t index, int64_t count, struct reply *reply,
                    struct err *err);

/* "22.7 million", "2271 万" */
const char *model_card_number(struct arena *arena, int64_t n, bool zh);

#endif
