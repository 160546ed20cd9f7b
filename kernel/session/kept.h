#ifndef KERNEL_SESSION_KEPT_H
#define KERNEL_SESSION_KEPT_H

#include <stdbool.h>

#include "core/result/result.h"
#include "kernel/session/journal.h"

/* kept: results that outlive their cell, each in an arena of its own, which several names may
 * share.
 *
 * Where somebody may still ask for numbers behind a picture (`remembers`), the results shown
 * last stay without a name too: at most KEPT_UNNAMED, of at most `room` bytes in all, the
 * oldest out first, and all of them at once when memory is short. Named ones stay until their
 * name is given to another. */

enum { KEPT_UNNAMED = 64 }; /* as many as one cell draws (ASKED_PICTURES) */

struct kept {
    struct kept_one *list;
    int64_t count, places;
    struct hold *newest; /* every result that is held, with a name or without */
    bool remembers;
    int64_t room;    /* bytes for results without a name */
    uint64_t serial; /* of the newest so far */
};

/* Copies the result; the name may be in use already, or NULL. `scratch` is the cell's arena. */
void kept_set(struct kept *kept, struct arena *scratch, const char *name,
              const struct result *result);
/* The same without a copy: `arena`, in which the result lies whole, becomes the kept results'.
 * Each of the two names may be NULL; if nothing holds the result then, it is freed. */
void kept_adopt(struct kept *kept, struct arena *arena, const char *name, const char *other,
                const struct result *result);
const struct result *kept_find(const struct kept *kept, const char *name, struct err *err);
const char *kept_name(const struct kept *kept, int64_t index);
int64_t kept_bytes(const struct kept *kept, int64_t index); /* that its arena holds */
/* Its number: another one for each result that is kept. */
uint64_t kept_serial(const struct kept *kept, int64_t index);

/* All that are held, the newest first, for journal_write. In the arena. */
struct journal_item *kept_items(const struct kept *kept, struct arena *arena, int64_t *count);
/* Puts back what a journal held; `name` may be NULL. Nothing is trimmed until kept_settle. */
void kept_put_back(struct kept *kept, struct arena *arena, const char *name,
                   const struct result *result, uint64_t serial, int64_t bytes);
/* Gives one more name to the result of that number. false: it is not held. */
bool kept_name_again(struct kept *kept, const char *name, uint64_t serial);
bool kept_holds(const struct kept *kept, uint64_t serial);
void kept_settle(struct kept *kept);

/* The result whose result_id that is; NULL: it is held no more. */
const struct result *kept_by_id(const struct kept *kept, const char *id);

/* Lets go of all results without a name. */
void kept_forget(struct kept *kept);

void kept_free(struct kept *kept);

#endif
