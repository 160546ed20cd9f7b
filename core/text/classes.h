#ifndef CORE_TEXT_CLASSES_H
#define CORE_TEXT_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* classes: what kind of character a code point is, in the few ways that tokenizers ask. */

enum letter { CLASS_OTHER, CLASS_LETTER, CLASS_NUMBER, CLASS_BLANK };

extern const unsigned char classes_ascii[128];

/* \p{L}, \p{N}, \s or none of them. */
enum letter classes_of(uint32_t code);

/* The same for the character at text[at], whose bytes are added to *next = at. */
enum letter classes_at(const char *text, int64_t at, int64_t end, int64_t *next);

/* The general category, by utf8proc's number, as of Unicode 16. */
int classes_category(uint32_t code);

bool classes_is_blank(uint32_t code);   /* White_Space */
bool classes_is_chinese(uint32_t code); /* the blocks that BERT puts blanks around */
/* \w: letters and what Unicode counts with them, marks, digits, connectors, joiners. */
bool classes_is_word(uint32_t code);

/* As in Unicode 8, whose tables the tokenizers library has for these; what came later is none.
 */
bool classes_is_punctuation(uint32_t code); /* P*, and every ASCII sign */
bool classes_is_control(uint32_t code);     /* Cc, Cf, Co, U+FFFD, but \t \n \r */
bool classes_is_plain_mark(uint32_t code);  /* Mn */
bool classes_is_mark(uint32_t code);        /* M*, as in Unicode 9 */

#endif
