#ifndef KERNEL_FRONT_GLOB_H
#define KERNEL_FRONT_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* glob: whether a whole text is what a pattern means.
 *
 *     *       any characters, or none
 *     ?       one character
 *     [a-z]   one of these; [^a-z] none of these; ] first stands for itself
 *
 * Characters are those of UTF-8; a byte that is no part of one counts as one. A bracket that is
 * never closed matches nothing. At most one place is gone back to, so the time is at most the
 * product of both lengths, whatever the pattern. (glob alone is the C library's.) */
bool glob_fits(const char *pattern, size_t pattern_length, const char *text,
               size_t text_length);

#endif
