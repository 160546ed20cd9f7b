#ifndef KERNEL_SESSION_LOADED_H
#define KERNEL_SESSION_LOADED_H

#include "kernel/session/session.h"

/* loaded: the models of a session, in order of loading. */

struct models {
    struct loaded *list;
    int64_t count, room;
    int64_t in_use;  /* index; -1: none is loaded */
    int64_t changes; /* how often one was loaded or unloaded */
};

/* As session_load, session_check, session_unload, session_use and session_model. `scratch` is
 * the cell's arena. */
const struct loaded *loaded_add(struct models *models, struct arena *scratch,
                                const char *name_or_path, const char *handle, struct err *err);
int loaded_check(const struct models *models, const char *handle, struct err *err);
int loaded_remove(struct models *models, const char *handle, struct err *err);
int loaded_use(struct models *models, const char *handle, struct err *err);
const struct loaded *loaded_find(struct models *models, const char *handle, struct err *err);

void loaded_free(struct models *models);

#endif
