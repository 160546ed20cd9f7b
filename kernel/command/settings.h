#ifndef KERNEL_COMMAND_SETTINGS_H
#define KERNEL_COMMAND_SETTINGS_H

#include <stdint.h>

#include "core/base/err.h"

/* settings: what %set knows, a name and what it may be. The supervisor reads this table too, so
 * that a front end that sets something hears at once, even while a cell computes. The session
 * holds the values under the same names. */

enum { SETTINGS_VALUE = 64 }; /* room for a value, its end included */

struct setting {
    const char *name;
    const char *choices; /* "light dark": blanks between them; NULL: a whole number */
    const char *what, *what_zh;
};

extern const struct setting settings[];
extern const int64_t settings_count;

const struct setting *settings_find(const char *name); /* NULL: there is none */

/* Writes the value as the session keeps it ("007" is 7) into `kept`. ERR_OPTION: there is no
 * such setting, or it cannot be that; with the nearest that there is, and `*wrong` (may be
 * NULL) says whether the name (0) or the value (1) is meant. */
int settings_check(const char *name, const char *value, char kept[SETTINGS_VALUE], int *wrong,
                   struct err *err);

#endif
