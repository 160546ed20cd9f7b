#ifndef KERNEL_SESSION_SESSION_H
#define KERNEL_SESSION_SESSION_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/model/model.h"
#include "core/result/result.h"
#include "kernel/session/datasets.h"

/* session: what outlives a cell: loaded models under their handles, kept results, settings. */

struct session;

struct loaded {
    const char *handle; /* what users call it */
    const struct model *model;
    struct arena *arena; /* the model's own */
    const char *path;
};

struct session *session_new(void);
void session_free(struct session *session);

/* The cell's arena: new at session_begin, freed at session_end. */
void session_begin(struct session *session);
void session_end(struct session *session);
struct arena *session_arena(struct session *session);

/* Models. Load refuses a handle that is taken (ERR_OPTION: how to name it otherwise). */
const struct loaded *session_load(struct session *session, const char *name_or_path,
                                  const char *handle, struct err *err);
/* Whether load would take that handle, 0, or why not. */
int session_check(const struct session *session, const char *handle, struct err *err);
int session_unload(struct session *session, const char *handle, struct err *err);
int session_use(struct session *session, const char *handle, struct err *err);
/* The handle's model; NULL or "": the one in use. ERR_MODEL says which there are. */
const struct loaded *session_model(struct session *session, const char *handle,
                                   struct err *err);
/* The models that names can mean. Looked for once, and whenever `again` is true. */
const struct found *session_found(struct session *session, bool again, int64_t *count);
const struct loaded *session_models(struct session *session, int64_t *count, int64_t *in_use);
int64_t
session_model_changes(const struct session *session); /* another number when they change */

/* Kept results. The last result of a cell is also kept as "_". */
void session_keep(struct session *session, const char *name,
                  const struct result *result); /* copies; name NULL: see session_remember */
/* Takes over the arena that holds the result (from session_result_arena) instead of copying it.
 * Each of the two names may be NULL; if both are, see session_remember. */
void session_adopt(struct session *session, struct arena **arena, const char *name,
                   const char *other, const struct result *result);
/* An arena for a result that may be kept; freed with the cell if it is not. */
struct arena **session_result_arena(struct session *session);
const struct result *session_result(struct session *session, const char *name, struct err *err);
/* Their names, in the arena. */
const char *const *session_results(struct session *session, struct arena *arena,
                                   int64_t *count);

int64_t session_result_bytes(struct session *session, int64_t index); /* of the name there */

/* From now on results without a name stay a while too (kernel/session/kept.h), within `bytes`,
 * so that a front end can ask for the numbers behind a picture. Without it they are freed at
 * once. */
void session_remember(struct session *session, int64_t bytes);
/* The result of that id (core/result/result_id.h). ERR_RESULT: it is held no more. */
const struct result *session_result_by_id(struct session *session, const char *id,
                                          struct err *err);
/* Lets go of the results without a name; for arena_on_shortage. */
void session_forget(void *session);

/* Files of texts by name (datasets.h); they come back after a worker's death. */
const struct dataset_kept *session_data_add(struct session *session, const char *name,
                                            const char *path, const char *column, int64_t most,
                                            struct err *err);
const struct dataset_kept *session_data(struct session *session, const char *name,
                                        struct err *err);
int session_data_drop(struct session *session, const char *name, struct err *err);
const struct dataset_kept *session_data_all(struct session *session, int64_t *count);

/* Settings: "language", "theme", "colours", "seed", "time"; NULL for another name. */
const char *session_setting(struct session *session, const char *name);
const char *session_setting_name(int64_t index); /* NULL: there are no more */
void session_set(struct session *session, const char *name, const char *value);

/* What a new worker needs to come back to this state, as text of one "key<TAB>value..." a line:
 * settings, models in order of loading with what their files were like, data, the numbers of
 * kept results. session_restore tells what could not come back, and which model is another now.
 * An interrupt is not for it: what it was at is begun again once `stopped` has answered and
 * cleared it (NULL: nobody can interrupt). */
const char *session_state(struct session *session, struct arena *arena);
void session_restore(struct session *session, const char *state, struct buf *complaints,
                     void (*stopped)(void *arg), void *arg);

/* From now on results are written into the file of this descriptor by session_write, and
 * session_restore takes them from there (kernel/session/journal.h): at most `most` bytes. */
void session_journal(struct session *session, int fd, int64_t most);
/* Writes what was kept since, where there is a journal. Its memory is gone when it returns.
 * False: an interrupt ended it; then the next call writes. */
bool session_write(struct session *session);

/* Names for completion: lines "model NAME", "handle NAME", "result NAME", "data NAME", and of
 * the model in use "site NAME" (tab between). */
const char *session_names(struct session *session, struct arena *arena);

#endif
