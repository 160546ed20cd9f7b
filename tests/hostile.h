#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

/* hostile: texts that would act where they are not made harmless: tags, ends of attributes,
 * entities, formulas, templates, letters that turn or hide others, bytes that are no UTF-8. */

enum { HOSTILE = 43 };
extern const char *const hostile[HOSTILE];

#endif
