#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

/* A task is one head of one text for at most this many queries; it packs the head's keys and
 * values into panels once (a fortieth of the work) and then goes through its queries a tile at
 * a time. */
enum { QUERIES = 192 };

struct job {
    const struct op_attention *how;
    const struct tape *tape;
    const float *q, *k, *v;
    float *out, *pattern;
    int64_t blocks; /* of queries */
};

/* One task's view: everything at its text, head and group. */
struct head {
    const struct op_attention *how;
    const float *q, *k, *v;
    float *out, *pattern;
    const uint8_t *mask;
    int64_t q_stride, k_stride;
    int64_t keys;                              /* that any of the task's queries sees */
    float *key_panels, *value_panels, *scores; /* in the thread's room */
};

static int64_t whole_panels(int64_t n) {
    int64_t columns = simd()->columns;
    return (n + columns - 1) / columns * columns;
}

int64_t op_attention_room(int64_t tokens, int64_t width) {
    return whole_panels(tokens) * width + tokens * whole_panels(width) + simd()->rows * tokens;
}

static void keys_pack(const struct head *head) {
    const struct simd *table = simd();
    int64_t width = head->how->width;
    for (int64_t j = 0; j < head->keys; j += table->columns) {
        int64_t left = head->keys - j;
        int n = left < table->columns ? (int)left : table->columns;
        table->pack[DTYPE_F32](head->k + j * head->k_stride,
                               head->k_stride * (int64_t)sizeof(float), n, 0, width,
                               head->key_panels + j * width);
    }
}

static void values_pack(const struct head *head) {
    int64_t columns = simd()->columns, width = head->how->width;
    float *panel = head->value_panels;
    for (int64_t c = 0; c < width; c += columns) {
        size_t n = (size_t)(width - c < columns ? width - c : columns);
        for (int64_t j = 0; j < head->keys; j++, panel += columns) {
            memcpy(panel, head->v + j * head->k_stride + c, n * sizeof *panel);
            memset(panel + n, 0, ((size_t)columns - n) * sizeof *panel);
        }
    }
}

/* Scores of `rows` queries from `first` on against keys 0..keys, then their probabilities. */
static void tile_weigh(const struct head *head, int64_t first, int64_t rows, int64_t keys,
                       float *scores) {
    const struct simd *table = simd();
    const struct op_attention *how = head->how;
    for (int64_t j = 0; j < keys; j += table->columns) {
        int64_t n = keys - j < table->columns ? keys - j : table->columns;
        table->multiply(rows, how->width, head->q + first * head->q_stride, head->q_stride,
                        head->key_panels + j * how->width, (int)n, scores + j, how->tokens,
                        false, NULL, 0);
    }
    for (int64_t r = 0; r < rows; r++) {
        float *row = scores + r * how->tokens;
        for (int64_t j = 0; head->mask && j < keys; j++) {
            row[j] = head->mask[j] ? row[j] : -INFINITY;
        }
        for (int64_t j = first + r + 1; how->causal && j < keys; j++) {
            row[j] = -INFINITY;
        }
        table->softmax(row, keys, how->scale);
        memset(row + keys, 0, (size_t)(how->tokens - keys) * sizeof *row);
    }
}

static void tile_mix(const struct head *head, int64_t first, int64_t rows, int64_t keys,
                     const float *scores) {
    const struct simd *table = simd();
    int64_t width = head->how->width;
    for (int64_t c = 0; c < width; c += table->columns) {
        int64_t n = width - c < table->columns ? width - c : table->columns;
        table->multiply(rows, keys, scores, head->how->tokens,
                        head->value_panels + c * head->keys, (int)n,
                        head->out + first * head->q_stride + c, head->q_stride, false, NULL, 0);
    }
}

/* Keys up to the last that is no padding. */
static int64_t keys_count(const uint8_t *mask, int64_t tokens) {
    while (mask && tokens > 0 && !mask[tokens - 1]) {
        tokens--;
    }
    return tokens;
}

static struct head head_at(const struct job *job, int64_t text, int64_t h) {
    const struct op_attention *how = job->how;
    int64_t q_stride = how->heads * how->width, k_stride = how->groups * how->width;
    int64_t q = text * how->tokens * q_stride + h * how->width;
    int64_t k = text * how->tokens * k_stride + h * how->groups / how->heads * how->width;
    int64_t square = how->tokens * how->tokens;
    float *room = tape_room(job->tape);
    struct head head = { .how = how,
                         .q = job->q + q,
                         .k = job->k + k,
                         .v = job->v + k,
                         .out = job->out + q,
                         .mask = how->mask ? how->mask + text * how->tokens : NULL,
                         .q_stride = q_stride,
                         .k_stride = k_stride };
    head.keys = keys_count(head.mask, how->tokens);
    head.pattern = job->pattern ? job->pattern + (text * how->heads + h) * square : NULL;
    head.key_panels = room;
    head.value_panels = room + whole_panels(how->tokens) * how->width;
    head.scores = head.value_panels + how->tokens * whole_panels(how->width);
    return head;
}

static void task_run(const struct job *job, int64_t task) {
    const struct op_attention *how = job->how;
    int64_t block = task % job->blocks, which = task / job->blocks;
    struct head head = head_at(job, which / how->heads, which % how->heads);
    int64_t begin = block * QUERIES;
    int64_t end = begin + QUERIES < how->tokens ? begin + QUERIES : how->tokens;
    if (how->causal && head.keys > end) {
        head.keys = end;
    }
    keys_pack(&head);
    values_pack(&head);
    for (int64_t first = begin; first < end; first += simd()->rows) {
        int64_t rows = end - first < simd()->rows ? end - first : simd()->rows;
        int64_t keys = head.keys;
        if (how->causal && keys > first + rows) {
            keys = first + rows;
        }
        float *scores = head.pattern ? head.pattern + first * how->tokens : head.scores;
        tile_weigh(&head, first, rows, keys, scores);
        tile_mix(&head, first, rows, keys, scores);
    }
}

static void tasks_run(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        task_run(arg, i);
    }
}

struct tensor *op_attention(struct tape *tape, const struct tensor *q, const struct tensor *k,
                            const struct tensor *v, const struct op_attention *how,
                            struct tensor *pattern) {
    struct tensor *out = tape_tensor(tape, 2, q->shape);
    struct job job = { .how = how,
                       .tape = tape,
                       .q = q->data,
                       .k = k->data,
                       .v = v->data,
                       .out = out->data,
                       .pattern = pattern ? pattern->data : NULL,
                       .blocks = (how->tokens + QUERIES - 1) / QUERIES };
    pool_for(how->batch * how->heads * job.blocks, 1, tasks_run, &job);
    return out;
}
