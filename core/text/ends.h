#ifndef CORE_TEXT_ENDS_H
#define CORE_TEXT_ENDS_H

#include <stdint.h>

/* ends: the patterns that most tokenizers cut text by, as functions. Each finds the end of the
 * piece that begins at a place, in one pass and without going back. What these patterns find
 * covers every text, so nothing lies between the pieces. */

/* The end of the piece of text[..end) that begins at `at`; at < end. */
typedef int64_t ends_of(const char *text, int64_t at, int64_t end);

ends_of ends_gpt2, ends_llama3, ends_qwen2;

/* The function that does what a regular expression says; NULL: there is none. */
ends_of *ends_known(const char *regex);

#endif
