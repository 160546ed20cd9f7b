#ifndef CORE_EXPLAIN_SURPRISED_H
#define CORE_EXPLAIN_SURPRISED_H

#include "core/explain/surprisal.h"
#include "core/result/result.h"

/* surprised: results of reading texts (surprisal.h): by token, word or line, as a curve, of two
 * models, of many texts. Words are core/text/words.h's, lines are the text's; what a token,
 * word or line has is the sum of its tokens' bits, NaN where none of them counts.
 *
 * All numbers of a result are in its series, in bits; "totals" [5] are bits, tokens that count,
 * bytes, perplexity, bits per byte. */

enum surprised_unit { SURPRISED_TOKEN, SURPRISED_WORD, SURPRISED_LINE };

struct surprised_view {
    enum surprised_unit unit; /* what the first series has */
    const char *handle;       /* what the user calls the model */
    const char *language;     /* "zh"; else English */
    double seconds;
};

/* Coloured text (kind "tokens"): "surprisal" [units], "span" [units, 2], and the sums by the
 * two other units. */
struct result *surprised(struct arena *arena, const struct model *model,
                         const struct surprisal *of, const struct surprised_view *view);

/* The same numbers as curves (kind "lines") [2, units]: each unit's (of more than 150 the mean
 * of some around it), and the mean so far. They begin at the first unit that counts. */
struct result *surprised_curve(struct arena *arena, const struct result *of,
                               const char *language);

/* One text read by several models, cut where all of their tokenizers cut, at words. */
struct surprised_reader {
    const struct model *model;
    const char *handle;
    const struct surprisal *of;
};

/* A curve of each model [models, pieces] (kind "lines"). */
struct result *surprised_side_by_side(struct arena *arena, const struct surprised_reader *by,
                                      int64_t readers, const char *language);
/* The second's bits less the first's as coloured text (kind "tokens"): "difference" [pieces],
 * signed, "span", and the bits of each. */
struct result *surprised_difference(struct arena *arena, const struct surprised_reader by[2],
                                    const char *language);

/* Sums of many texts, which need not be held. */
struct surprised_row {
    const char *head; /* the text's beginning */
    double nats;
    int64_t count, bytes;
    bool masked;
};
/* A table (kind "table") of texts that one model read, and their total: columns tokens, bits,
 * bits a token, perplexity, bits a byte. */
struct result *surprised_table(struct arena *arena, const struct surprised_row *rows,
                               int64_t count, const char *handle, const char *language);

/* The beginning of a text, for a row's head. */
const char *surprised_head(struct arena *arena, const char *text, size_t length);

#endif
