#ifndef CORE_TENSOR_HEAD_H
#define CORE_TENSOR_HEAD_H

#include "core/tensor/op.h"

/* head: one head of one text in attention, a part of op_attention.c and op_attention_back.c.
 *
 * Keys are counted through the past and the text: 0 .. P + S. Work is done for a tile of
 * queries and the span of keys that any of them sees; what a span holds beyond that has
 * probability 0. Spans begin a whole number of panels after the text's first key that is no
 * padding, so that a sum over keys has its partial sums in the same lanes whatever stands in
 * front of it or is left out. */

/* Keys or values of one group: those of the past, then the text's own. Strides in floats. */
struct head_rows {
    const float *past, *own;
    int64_t past_stride, stride, past_count;
};

struct head {
    const struct op_attention *how;
    const float *q; /* of query 0 */
    int64_t q_stride;
    struct head_rows k, v;
    int64_t first, last; /* all keys outside are padding */
    const uint8_t *mask; /* of the text's own keys; NULL if none of first .. last is padding */
    const float *line;   /* [P + T + S - 1] bias by distance, or NULL */
};

struct head_span {
    int64_t begin, end; /* keys */
};

int64_t head_whole(int64_t n); /* n rounded up to whole panels */
/* Floats from row to row of scores over a span: rows of a power of two would all lie in the
 * same few lines of a cache. */
int64_t head_stride(struct head_span span);

/* Head `h` of text `text`. `line` has room for P + T + S - 1 floats if there is a bias. */
struct head head_at(const struct op_attention *how, struct op_heads q, struct op_heads k,
                    struct op_heads v, int64_t text, int64_t h, float *line);

/* What `rows` queries from `first` on see; empty: begin == end. */
struct head_span head_span(const struct head *head, int64_t first, int64_t rows);

/* The rows of a span as the panels of a product with their transpose (keys: scores), at
 * panels[(key - begin) * width]. `spare` has room for columns * width floats. */
void head_pack_turned(const struct head_rows *rows, int64_t width, struct head_span span,
                      float *panels, float *spare);
/* The same for a product with the rows themselves (values: what is mixed): value c of the key
 * lies in the panel at panels[(c / columns * (end - begin) + key - begin) * columns]. */
void head_pack(const struct head_rows *rows, int64_t width, struct head_span span,
               float *panels);

/* y[r, key - span.begin] (+)= x[r] . row of the key, where the span lies in `packed`, a whole
 * number of panels from its beginning. */
void head_multiply_turned(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                          struct head_span span, struct head_span packed, const float *panels,
                          float *y, int64_t y_stride, bool add);
/* y[r] (+)= sum over the span of x[r, key - span.begin] times the key's row. */
void head_multiply(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                   struct head_span span, struct head_span packed, const float *panels,
                   float *y, int64_t y_stride, bool add);

/* From products q k to probabilities, in place: row r is query first + r over the span. */
void head_weigh(const struct head *head, int64_t first, int64_t rows, struct head_span span,
                float *scores, int64_t stride);

/* Mixes query i's row of y [D] again, of the keys alone that it sees, if a number in it is not
 * finite: a value beside them may be NaN or infinite, which not even a probability of 0 makes
 * 0. `p` are its probabilities over the span. */
void head_mend(const struct head *head, int64_t i, struct head_span span, const float *p,
               float *y);

/* op_attention_back.c: leaves the step that goes back from `out`. `kept` [B, heads, T, P + S]:
 * the probabilities; NULL: they are to be computed again. `pattern`: op_attention's. */
void op_attention_record(struct tape *tape, const struct tensor *out, struct op_heads q,
                         struct op_heads k, struct op_heads v, const struct op_attention *how,
                         const struct tensor *pattern, const float *kept);
int64_t op_attention_back_room(int64_t queries, int64_t keys, int64_t width);

#endif
