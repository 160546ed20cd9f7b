#include "core/explain/headscores.h"

#include <math.h>

#include "core/base/catch.h"
#include "core/base/pool.h"
#include "core/explain/attention.h"

enum { ENTROPY, PREVIOUS, NEXT, SELF, RESTS, INDUCTION };

static const char *const names[HEADSCORES_MOST] = { "entropy", "previous", "next",
                                                    "self",    "rests",    "induction" };

struct work {
    const float *weights; /* [heads, rows, columns] */
    int64_t rows, columns;
    const bool *rests;   /* [columns], or NULL */
    const int32_t *same; /* [rows], or NULL */
    bool square;         /* rows and columns are the same text */
    float *scores[HEADSCORES_MOST];
};

static double entropy(const struct work *work, const float *head) {
    double sum = 0;
    for (int64_t i = 0; i < work->rows * work->columns; i++) {
        if (head[i] != 0) {
            sum -= (double)(head[i] * logf(head[i]));
        }
    }
    return sum / (double)work->rows;
}

static double resting(const struct work *work, const float *head) {
    double sum = 0;
    int64_t rows = 0;
    for (int64_t q = 0; q < work->rows; q++) {
        for (int64_t k = 0; k < work->columns && !work->rests[q]; k++) {
            sum += work->rests[k] ? (double)head[q * work->columns + k] : 0;
        }
        rows += !work->rests[q];
    }
    return rows ? sum / (double)rows : 0;
}

/* Adds the weights of row q on what follows earlier places of its token; whether there are any.
 */
static bool follow(const struct work *work, const float *row, int64_t q, double *sum) {
    bool any = false;
    for (int64_t j = 0; j + 1 < q; j++) {
        if (work->same[j] == work->same[q]) {
            *sum += (double)row[j + 1];
            any = true;
        }
    }
    return any;
}

static double induction(const struct work *work, const float *head) {
    double sum = 0;
    int64_t rows = 0;
    for (int64_t q = 0; q < work->rows; q++) {
        bool rests = work->rests && work->rests[q];
        rows += !rests && follow(work, head + q * work->columns, q, &sum);
    }
    return rows ? sum / (double)rows : 0;
}

static bool repeats(const struct work *work) {
    for (int64_t q = 0; work->same && q < work->rows; q++) {
        for (int64_t j = 0; j + 1 < q && !(work->rests && work->rests[q]); j++) {
            if (work->same[j] == work->same[q]) {
                return true;
            }
        }
    }
    return false;
}

static double score(const struct work *work, const float *head, int kind) {
    static const enum attention_kind patterns[] = {
        [PREVIOUS] = ATTENTION_PREVIOUS, [NEXT] = ATTENTION_NEXT, [SELF] = ATTENTION_SELF
    };
    switch (kind) {
    case ENTROPY:
        return entropy(work, head);
    case RESTS:
        return resting(work, head);
    case INDUCTION:
        return induction(work, head);
    default:
        return attention_pattern(head, work->rows, patterns[kind]);
    }
}

static void score_heads(void *arg, int64_t begin, int64_t end) {
    const struct work *work = arg;
    for (int64_t i = begin; i < end; i++) {
        for (int kind = 0; kind < HEADSCORES_MOST; kind++) {
            if (work->scores[kind]) {
                const float *head = work->weights + i * work->rows * work->columns;
                work->scores[kind][i] = (float)score(work, head, kind);
            }
        }
    }
}

/* Whether a score means something here, before it is known. */
static bool applies(const struct work *work, int kind) {
    switch (kind) {
    case ENTROPY:
        return true;
    case RESTS:
        return work->square && work->rests;
    case INDUCTION:
        return work->square && repeats(work);
    default:
        return work->square && work->rows > 1;
    }
}

/* A causal model never looks ahead. */
static bool all_zero(const struct tensor *scores) {
    for (int64_t i = 0; i < tensor_count(scores); i++) {
        if (scores->data[i] != 0) {
            return false;
        }
    }
    return true;
}

int64_t headscores(struct arena *arena, const struct series *attention, const int32_t *same,
                   struct series out[HEADSCORES_MOST]) {
    const struct axis *axes = attention->axes;
    struct work work = { .weights = attention->values->data,
                         .rows = axes[2].count,
                         .columns = axes[3].count,
                         .rests = attention->rests,
                         .same = same,
                         .square = attention->rests && axes[2].count == axes[3].count };
    struct tensor *values[HEADSCORES_MOST] = { NULL };
    for (int kind = 0; kind < HEADSCORES_MOST; kind++) {
        if (applies(&work, kind)) {
            values[kind] = tensor_new(arena, 2, (int64_t[]){ axes[0].count, axes[1].count });
            work.scores[kind] = values[kind]->data;
        }
    }
    pool_for(axes[0].count * axes[1].count, 1, score_heads, &work);
    stop_check(); /* an interrupt leaves heads out */
    int64_t count = 0;
    for (int kind = 0; kind < HEADSCORES_MOST; kind++) {
        if (values[kind] && !(kind == NEXT && all_zero(values[kind]))) {
            out[count++] = (struct series){ .name = names[kind],
                                            .unit = kind == ENTROPY ? "nats" : "probability",
                                            .high = kind == ENTROPY ? 0 : 1,
                                            .values = values[kind],
                                            .axes = { axes[0], axes[1] } };
        }
    }
    return count;
}
