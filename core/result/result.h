#ifndef CORE_RESULT_RESULT_H
#define CORE_RESULT_RESULT_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/tensor/tensor.h"

/* result: labelled numbers with their provenance: what a method returns, what a picture draws,
 * what %save writes and what later cells compare. A method never draws, a picture never
 * computes. */

/* One labelled axis of an array. */
struct axis {
    const char *name; /* "layer", "head", "query", "key" */
    int64_t count;
    const char **labels; /* [count], or NULL: the numbers from 0 */
};

/* One array: a float tensor with an axis for every dimension. */
struct series {
    const char *name; /* "attention" */
    const char *unit; /* "probability", "nats", "" */
    double low, high; /* the range that its values can have (0, 1); both 0: not bounded */
    bool is_signed;   /* diverging colours about 0 */
    bool adds;        /* values of neighbours add up, as bits of tokens do to bits of a word */
    bool log;         /* its scale is logarithmic where a picture has the choice */
    struct tensor *values;
    struct axis axes[TENSOR_RANK];
    const bool *rests;  /* [last axis], or NULL: places where heads rest that find nothing
                         * ([CLS], the first token); tables tell the links between the others */
    const char **names; /* [every value, row-major], or NULL: what each stands for, such as the
                         * token of a probability */
};

struct note {
    const char *key, *value; /* "unit": "word"; "baseline": "pad" */
};

struct result {
    const char *kind;    /* picture that draws it by default: "heatmap", "headgrid", "tokens" */
    const char *title;   /* "Attention of minilm, layer 5 head 1" */
    const char *finding; /* the answer, in one sentence of plain text */
    const char *caption; /* how to read the picture, one or two sentences; may be "" */
    const char *text;    /* the text that was looked at */
    int64_t count;
    struct series *series; /* [count] */
    /* provenance, shown under every figure */
    const char *model, *fingerprint, *method, *dtype;
    int64_t n;    /* samples or texts; 0: does not apply */
    int64_t seed; /* -1: nothing was drawn at random */
    double seconds;
    int64_t note_count;
    struct note *notes;
};

struct result *result_new(struct arena *arena, const char *kind, int64_t series);
void result_note(struct arena *arena, struct result *result, const char *key,
                 const char *value);
const struct series *result_at(const struct result *result, const char *name);

/* A deep copy into another arena (what a cell keeps for later cells). */
struct result *result_copy(struct arena *arena, const struct result *result);

/* "all-MiniLM-L6-v2 3f2a91c0 · attention pattern · unit word · F32 · 4.1 ms", in the arena. */
const char *result_provenance(struct arena *arena, const struct result *result);

/* "950 µs", "4.1 ms", "2.3 s"; "" when nothing was measured. */
const char *result_duration(struct arena *arena, double seconds);

/* Files: the ending decides (npy: the first series; npz, csv, json, safetensors: all). The text
 * of every form begins with or carries the labels. ERR_OPTION names the endings for another
 * one. */
int result_save(const struct result *result, const char *path, struct err *err);

#endif
