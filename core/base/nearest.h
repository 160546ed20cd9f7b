#ifndef CORE_BASE_NEAREST_H
#define CORE_BASE_NEAREST_H

/* nearest: "did you mean".
 *
 * The nearest of `names` (NULL-ended) by edit distance (inserts, deletes, replacements, swaps
 * of neighbours; case does not count), NULL if none is near: distance above 2 or above half of
 * the word. */
const char *nearest_name(const char *word, const char *const *names);

#endif
