#ifndef CORE_EXPLAIN_WEIGHING_H
#define CORE_EXPLAIN_WEIGHING_H

#include "core/model/model.h"
#include "core/result/result.h"

/* weighing: how a model's weights lie: their sizes by layer or tensor, norms, outliers, zeros
 * and broken numbers; and, beside a twin of the same model in another type, what its own type
 * cost.
 *
 *     histogram  core/explain/spread.h of |w|, with "outliers" [rows]: numbers more than 6
 *                times the tensor's root mean square
 *     norms      "bars": "rms" [layers], root mean square of a layer's weights; "norm",
 *                "largest"
 *     cost       "table" of layers, or of tensors, worst first; NULL without a twin. With a the
 * weights, b the twin's: "snr" dB   10 log10(sum b^2 / sum (a - b)^2) "error"    sqrt(sum (a -
 * b)^2 / sum b^2) "bits"     of storage a weight "worst"    the largest "error" of a block of
 * 32 in a row, and of tensors its "row" and "column" Where a or b is NaN or infinite, both are
 * left out.
 *
 * Each number is read once, as float32, block by block. Of block types what is told is what
 * their numbers mean, not how they are stored. */

struct weighing_request {
    int64_t bins;
    bool by_tensor;
    const struct model *twin; /* NULL: none */
    const char *twin_handle;
    const char *language; /* "zh"; else English */
};

struct weighing {
    struct result *histogram, *norms, *cost;
};

/* The results are in `arena`. ERR_SHAPE if no tensor of the twin is one of this model's. */
int weighing(struct arena *arena, const struct model *model, const char *handle,
             const struct weighing_request *request, struct weighing *results, struct err *err);

/* Which weights are NaN or infinite, at most three tensors by name (as spread_broken); NULL if
 * none is. Reads them all. */
const char *weighing_broken(struct arena *arena, const struct model *model, bool zh);

/* The twin's tensor of the same meaning, in a safetensors or GGUF file's naming (llama,
 * mistral, qwen2, qwen3); NULL: there is none. `turned`: its rows lie as weighing_row says. */
const struct tensor *weighing_twin(const struct model *model, const char *name,
                                   const struct model *twin, bool *turned);

/* GGUF files of llama have the rows of each head's queries and keys in pairs: the Hugging Face
 * row of GGUF row `row`, of heads `width` rows tall; or the other way round. */
int64_t weighing_row(int64_t row, int64_t width, bool to_gguf);

#endif
