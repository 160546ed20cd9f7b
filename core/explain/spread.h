#ifndef CORE_EXPLAIN_SPREAD_H
#define CORE_EXPLAIN_SPREAD_H

#include "core/model/model.h"
#include "core/result/result.h"

/* spread: how large the numbers of many tensors are (weights, or their gradients), tensor by
 * tensor and layer by layer. Each tensor is read once, while it is in the cache: counts of
 * log10 |x| (core/tensor/bins.h), zeros and broken numbers, sum of squares, largest.
 *
 * Sums are in float64 and in an order that depends on the data alone. */

struct spread_row {
    const char *name; /* the tensor's */
    int64_t group;    /* its layer among spread->groups */
    int64_t n, zeros, nans, infinite;
    double squares; /* sum of x^2 over finite x */
    double sum;     /* sum of finite x */
    double most;    /* largest finite |x| */
    int64_t first, places;
    int64_t *counts; /* [places] of bins_log's places from `first` on */
};

struct spread {
    struct arena *arena;
    int64_t groups;
    const char **labels;    /* [groups] "embeddings", "layer 0" ..., "head" */
    int64_t first_block;    /* the group of block 0 ... */
    int64_t blocks;         /* ... and how many blocks follow each other from there */
    int64_t decoder_blocks; /* of an encoder-decoder: as many behind them */
    int64_t count, room;
    struct spread_row *rows; /* in order of arrival; by group after spread_order */
    struct spread_room *own;
};

/* Empty; groups are those of the model's layers. */
struct spread *spread_new(struct arena *arena, const struct model *model, const char *language);

/* The group that a tensor of that name belongs to: the first number in it is its layer;
 * without one it is an embedding if it is called so, else it belongs to the head. */
int64_t spread_group(const struct spread *spread, const char *name);

/* A tensor's numbers, whole or in several parts: begin, parts, end. The name is borrowed. */
void spread_begin(struct spread *spread, const char *name);
void spread_part(struct spread *spread, const float *x, int64_t n);
void spread_end(struct spread *spread);

/* Rows by group, within a group by name. */
void spread_order(struct spread *spread);

/* Sum of all rows of a group; NULL: none has numbers. */
struct spread_row *spread_join(struct arena *arena, const struct spread *spread, int64_t group);

double spread_rms(const struct spread_row *row); /* sqrt(mean of x^2) over finite x */

/* "2.62 %" of n are zeros, "under 0.001 %". */
const char *spread_share(struct arena *arena, int64_t zeros, int64_t n, bool zh);

/* How many of a row's numbers are larger in size, within 0.4 %. */
int64_t spread_beyond(const struct spread_row *row, double size);

/* Rows [*n] in the arena: the tensors' own, or the layers' that have numbers. */
const struct spread_row **spread_rows(struct arena *arena, const struct spread *spread,
                                      bool by_tensor, int64_t *n);

/* A result of the kind "histogram", a row a tensor, or a layer: "counts" [rows, bins], "edges"
 * [bins + 1] of |x|, "zeros" [rows], "bad" [rows] (NaN and infinities), "norm" [rows] (L2),
 * "rms" [rows], "largest" [rows], "size" [rows] (how many numbers). Layers without numbers are
 * left out. `size`: what is counted, "|g|". With `other` (NULL: none), whose rows have
 * the same names, also "counts other" [rows, bins]. Words are the caller's. */
struct result *spread_result(struct arena *arena, const struct spread *spread,
                             const struct spread *other, bool by_tensor, int64_t bins,
                             const char *size);

/* "NaN in 3 of 768 numbers of h.4.ln_1.weight; ...": which tensors have broken numbers, at most
 * three by name. NULL if all are whole. */
const char *spread_broken(struct arena *arena, const struct spread *spread, bool zh);

/* A straight line through log10 y: y ~ c factor^x, by least squares over y that are positive
 * and finite. */
struct spread_slope {
    double factor; /* from one place to the next; 1 of fewer than 2 points */
    double fit;    /* r^2, 0..1 */
    int64_t points;
};
struct spread_slope spread_fit(const double *y, int64_t n);

#endif
