#ifndef CORE_TEXT_CHARSET_H
#define CORE_TEXT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"

/* charset: a set of code points, as a pattern's "[^\s\p{L}a-z]" describes it: ranges, general
 * categories, scripts and other sets, each of them or all but them. */

struct charset_term {
    uint32_t low, high;        /* a range, if low <= high */
    uint32_t categories;       /* else bits of general categories, 1 << utf8proc's number */
    int script;                /* else a script (core/text/scripts.h) */
    const struct charset *set; /* else another set */
    bool blank, word, but;     /* \s, \w; `but`: all that is not so */
};

struct charset {
    struct charset_term *terms;
    int count;
    bool but;        /* all that no term has */
    bool fold;       /* small and capital letters are the same */
    bool ascii[128]; /* what charset_finish found */
};

struct charset *charset_new(struct arena *arena, bool fold);
void charset_add(struct arena *arena, struct charset *set, struct charset_term term);
void charset_range(struct arena *arena, struct charset *set, uint32_t low, uint32_t high);

/* By a property's name, "Lu", "Letter", "Han", "space"; false if it is not known. */
bool charset_named(struct arena *arena, struct charset *set, const char *name, size_t length,
                   bool but);

void charset_finish(struct charset *set);
bool charset_has(const struct charset *set, uint32_t code);

#endif
