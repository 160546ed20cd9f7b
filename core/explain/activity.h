#ifndef CORE_EXPLAIN_ACTIVITY_H
#define CORE_EXPLAIN_ACTIVITY_H

#include "core/explain/activations.h"
#include "core/result/result.h"

/* activity: results of activations (activations.h): the map of norms, the neurons that stand
 * out, and one neuron along the text. All numbers are in their series, whole.
 *
 * Norms are shown as they are (none), as their log10 (log), or (layer) as log2 of the norm over
 * the median norm of its layer: 0 is usual for the layer, 1 twice as large, -1 half. There the
 * colours end at four times the median, so that massive activations do not hide the rest. */

enum activity_norm { ACTIVITY_LAYER, ACTIVITY_LOG, ACTIVITY_NONE };

struct activity_view {
    enum activity_norm norm;
    const int64_t *columns, *positions; /* layers (counted from the first column) and tokens */
    int64_t column_count, position_count;
    const char *site;     /* as the user called it; "resid" */
    const char *handle;   /* what the user calls the model */
    const char *language; /* "zh"; else English */
    double seconds;
};

/* A heat map (kind "heatmap") [tokens, layers]: what is shown, "norm", "largest" with its
 * "dimension", "median magnitude" [layers] and, where they were kept, "values" [layers, tokens,
 * width]. The finding says where massive activations are. */
struct result *activity_map(struct arena *arena, const struct activations *of,
                            const struct activity_view *view);

/* Bars (kind "bars") of the `top` neurons: "z-score" or "activation" [top], the other, and
 * "along the text" is what activity_strip shows. NULL where the model has no neurons. */
struct result *activity_neurons(struct arena *arena, const struct activations *of, bool by_z,
                                int64_t top, const struct activity_view *view);

/* The k-th neuron asked for along the text (kind "tokens"): "activation" [tokens] and "span".
 */
struct result *activity_strip(struct arena *arena, const struct activations *of,
                              const struct activations_neuron *neuron, int64_t k,
                              const struct activity_view *view);

#endif
