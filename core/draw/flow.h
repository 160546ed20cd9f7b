#ifndef CORE_DRAW_FLOW_H
#define CORE_DRAW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"

/* flow: pieces of a text set in lines as the text stands.
 *
 * Lines end where the text's do and where the width does, there between words, or between any
 * two characters of Chinese, Japanese and Korean. Pieces of a script that is written from right
 * to left stand so; a line takes the direction of its text's first letter. That is the Unicode
 * bidirectional algorithm (UAX 9) with a piece for a character and no embeddings: pieces are
 * parts of words, and none is both. */

enum flow_direction { FLOW_NEUTRAL, FLOW_LEFT_TO_RIGHT, FLOW_RIGHT_TO_LEFT };

struct flow_piece {
    const char *text; /* as it is shown */
    int64_t token;    /* -1: text between tokens */
    bool tag;         /* stands for no text */
    bool opens;       /* a line may break before it */
    bool closes;      /* the text's line ends behind it */
    double width;
    /* By flow_lay: */
    enum flow_direction runs;
    double x, y;
    int64_t line;
};

struct flow {
    struct flow_piece *pieces;
    int64_t count;
    int64_t lines, drawn; /* lines in all; pieces that stand on the first few of them */
    double width, height; /* of these */
};

/* Sets the pieces, whose widths are known, into lines of that width and height; `most` lines
 * are placed. May be called again. Time: linear in the pieces. */
void flow_lay(struct flow *flow, double width, double height, int64_t most);

/* Bytes begin..end of the text (`length` bytes), at most `columns` columns of it. Where the cut
 * goes through an Arabic word, a joiner keeps the shapes that its letters have in the whole
 * word. */
const char *flow_text(struct arena *arena, const char *text, int64_t length, int64_t begin,
                      int64_t end, int64_t columns);

/* Whether a line may break before the character at `begin`. */
bool flow_opens(const char *text, int64_t length, int64_t begin);

#endif
