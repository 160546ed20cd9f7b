#ifndef KERNEL_SESSION_DATASETS_H
#define KERNEL_SESSION_DATASETS_H

#include "core/text/dataset.h"

/* datasets: the files of texts that a session knows by name. */

struct dataset_kept {
    const char *name, *path; /* the path in full */
    const char *column;      /* as asked for; NULL: none was */
    int64_t most;            /* as asked for; 0: all */
    const struct dataset *dataset;
    struct arena *arena; /* holds all of this */
};

struct datasets {
    struct dataset_kept *list;
    int64_t count, room;
};

/* Refuses (ERR_OPTION) a name that data cannot have. */
int datasets_check_name(const char *name, struct err *err);

/* Opens the file; one that has the name already gives way. `scratch` is the cell's arena. */
const struct dataset_kept *datasets_add(struct datasets *datasets, struct arena *scratch,
                                        const char *name, const char *path, const char *column,
                                        int64_t most, struct err *err);
/* ERR_RESULT: there is none of that name, and which there are. */
const struct dataset_kept *datasets_find(const struct datasets *datasets, const char *name,
                                         struct err *err);
int datasets_drop(struct datasets *datasets, const char *name, struct err *err);
void datasets_free(struct datasets *datasets);

#endif
