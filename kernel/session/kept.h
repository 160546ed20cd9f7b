#ifndef KERNEL_SESSION_KEPT_H
#define KERNEL_SESSION_KEPT_H

#include "core/result/result.h"

/* kept: results that outlive their cell, each in an arena of its own, which several names may
 * share. */

struct kept {
    struct kept_one *list;
    int64_t count, room;
};

/* Copies the result; the name may be in use already. `scratch` is the cell's arena. */
void kept_set(struct kept *kept, struct arena *scratch, const char *name,
              const struct result *result);
/* The same without a copy: `arena`, in which the result lies whole, becomes the kept results'.
 * Each of the two names may be NULL, but not both. */
void kept_adopt(struct kept *kept, struct arena *arena, const char *name, const char *other,
                const struct result *result);
const struct result *kept_find(const struct kept *kept, const char *name, struct err *err);
const char *kept_name(const struct kept *kept, int64_t index);
void kept_free(struct kept *kept);

#endif
