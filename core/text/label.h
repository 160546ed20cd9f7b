#ifndef CORE_TEXT_LABEL_H
#define CORE_TEXT_LABEL_H

#include <stddef.h>

#include "core/base/arena.h"

/* label: bytes as a person can read them: a blank as U+2423, a newline as U+23CE, what cannot
 * be seen as <U+200B>, control characters and bytes that are no character as <0xE7>. Never
 * empty. There may be one a token of a long text: it takes no more than its bytes. */
const char *label(struct arena *arena, const char *bytes, size_t length);

#endif
