#ifndef CORE_TEXT_SCRIPTS_H
#define CORE_TEXT_SCRIPTS_H

#include <stddef.h>
#include <stdint.h>

/* scripts: which writing system a code point belongs to, as in Unicode 10.0 (Scripts.txt),
 * which is what the tokenizers library cuts by. */

/* The script's number; 0 for code points that have none. */
int scripts_of(uint32_t code);

/* The same with Japanese as one with Chinese, and none for a blank. */
int scripts_joined(uint32_t code);

/* The number of a script by its name, "Han"; 0: there is no such script. Case, blanks, hyphens
 * and underscores do not matter. */
int scripts_named(const char *name, size_t length);

#endif
