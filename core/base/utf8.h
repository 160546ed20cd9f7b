#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* utf8: code points in bytes. Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
 */

/* Decodes one code point. Returns its bytes (1..4), 0 at the end, -1 if the bytes are not
 * UTF-8. */
int utf8_decode(const char *bytes, size_t length, uint32_t *code);

/* Writes one code point into out[4]; returns its bytes. An invalid code is written as U+FFFD.
 */
int utf8_encode(char *out, uint32_t code);

/* Offset of the first byte that is not UTF-8; `length` if all is well. */
size_t utf8_bad(const char *bytes, size_t length);

/* Code points in `bytes`; each invalid byte counts as one. */
int64_t utf8_count(const char *bytes, size_t length);

/* Byte offset of code point `index`, clamped to 0..length. */
size_t utf8_offset(const char *bytes, size_t length, int64_t index);

/* The largest length <= limit at which a terminated string can be cut without splitting a
 * character. */
size_t utf8_cut(const char *text, size_t limit);

/* How many bytes at the end of `bytes` begin a character that is not complete yet (0..3). */
size_t utf8_tail(const char *bytes, size_t length);

/* Zero-width, bidi control and other characters that would not be seen but change what is read.
 */
bool utf8_is_hidden(uint32_t code);

/* Whether it lies in a block of scripts that run from right to left: Hebrew, Arabic ... */
bool utf8_is_leftward(uint32_t code);

/* Columns that a terminal or a monospaced line gives the text: CJK and emoji 2, marks 0. */
int64_t utf8_columns(const char *bytes, size_t length);

#endif
