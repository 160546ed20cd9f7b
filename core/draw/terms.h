#ifndef CORE_DRAW_TERMS_H
#define CORE_DRAW_TERMS_H

/* terms: the few words that pictures write themselves, in the reader's language ("en", "zh";
 * any other is "en"). Names that are not known come back as they are. */

const char *term(const char *language, const char *word);

/* What an axis is called beside a picture: "query" is "query (looks from)". */
const char *term_axis(const char *language, const char *name);

#endif
