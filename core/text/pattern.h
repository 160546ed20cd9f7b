#ifndef CORE_TEXT_PATTERN_H
#define CORE_TEXT_PATTERN_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* pattern: the regular expressions of tokenizer.json, which are Oniguruma's in Ruby's syntax.
 *
 * Known: literals, escapes, ".", sets with \p{...} and sets within sets, groups, (?i:...),
 * alternatives, * + ? {n,m} in their greedy, lazy and possessive forms ("{n,m}+" is not
 * possessive there but repeats again), ^ $ \A \z \b, (?=...) (?!...) (?>...), and (?<=x) (?<!x)
 * of one character. Everything else is refused when the file is read, not when text comes.
 *
 * Matching goes back and tries again, which can take the square of the text or more; so it
 * counts its steps and the choices that wait, and ends with ERR_TEXT when there were far more
 * than a text of that length needs. The patterns that tokenizers have take a few steps a
 * character. */

struct pattern;

struct pattern *pattern_read(struct arena *arena, const char *regex, size_t length,
                             const char *file, struct err *err);

/* All matches in a text, from left to right. */
struct pattern_search {
    const struct pattern *pattern;
    const char *text;
    int64_t length;
    int64_t at;   /* where the search goes on */
    int64_t last; /* the end of the last match, -1: none; no empty match follows it there */
    int64_t steps, most;
    struct buf *stack; /* of what is still to be tried */
};
void pattern_begin(struct pattern_search *search, struct arena *arena,
                   const struct pattern *pattern, const char *text, int64_t length);
bool pattern_next(struct pattern_search *search, int64_t *begin, int64_t *end);

#endif
