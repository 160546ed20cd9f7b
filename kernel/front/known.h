#ifndef KERNEL_FRONT_KNOWN_H
#define KERNEL_FRONT_KNOWN_H

#include "kernel/front/front.h"

/* known: what the worker has told of its session (kernel/session/overview.h), of the cell that
 * runs and how far it is, so that front ends are answered at once, whatever the worker does.
 * What it tells is read and checked before anything is kept, and written anew.
 *
 * A setting that a front end has changed is known at once and waits here until the worker has
 * taken it; a worker that dies before has it said again to the next. */

enum {
    KNOWN_MOST = 8 << 20,  /* bytes that the worker may tell at once */
    KNOWN_PACE = 5,        /* progress is passed on at most so often a second */
    KNOWN_WORDS_MOST = 300 /* bytes of a text that is shown in a line */
};

struct known;
struct jsonwrite;

struct known *known_new(struct arena *arena);
void known_free(struct known *known);

/* Frames of those kinds. known_status returns whether something is other than before;
 * known_progress whether it is worth telling now. */
bool known_status(struct known *known, const char *bytes, size_t length);
void known_sites(struct known *known, const char *bytes, size_t length);
bool known_progress(struct known *known, const char *bytes, size_t length, int64_t now);
void known_settled(struct known *known, const char *bytes, size_t length);

/* A cell begins, or ends (code NULL). */
void known_cell(struct known *known, const char *code, size_t length, int64_t now);

/* Remembers a checked setting until the worker has taken it. */
void known_set(struct known *known, const char *name, const char *value);

/* Says such settings to the worker; returns how many. While one is said and not answered, only
 * its last value waits here, so that many changes while a cell runs do not pile up there. */
enum known_say {
    KNOWN_SAY_NEXT, /* those of which none is under way: after known_set and known_settled */
    KNOWN_SAY_LAST, /* those whose last value is not under way: before a cell, which obeys it */
    KNOWN_SAY_ALL   /* when a worker begins */
};
int known_say(struct known *known, struct minder *minder, enum known_say which);

/* The loaded models (overview.h), with the addresses of their maps; NULL: not told yet. */
struct json_t;
const struct json_t *known_models(const struct known *known);

/* The members "models", "results", "settings" and "running"; those of a progress. Texts lie in
 * the arena. */
void known_write(const struct known *known, struct arena *arena, struct jsonwrite *w,
                 int64_t now);
void known_write_progress(const struct known *known, struct jsonwrite *w);

/* Writes the list of the model's sites. -1 with ERR_MODEL: none is loaded under that handle. */
int known_write_sites(const struct known *known, struct arena *arena, struct jsonwrite *w,
                      const char *handle, struct err *err);

#endif
