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
    struct op_heads q, k, v;
    float *out, *pattern;
    int64_t blocks; /* of queries */
};

/* One task's view: everything at its text, head and group. */
struct head {
    const struct op_attention *how;
    const float *q, *k, *v;
    float *out, *pattern;
    const uint8_t *mask;
    int64_t q_stride, k_stride, v_stride, out_stride;
    int64_t keys;                              /* that any of the task's queries sees */
    float *key_panels, *value_panels, *scores; /* in the thread's room */
};

static int64_t whole_panels(int64_t n) {
    int64_t columns = simd()->columns;
    return (n + columns - 1) / columns * columns;
}

int64_t op_attention_room(int64_t queries, int64_t keys, int64_t width, bool recording) {
    (void)queries;
    (void)recording;
    return whole_panels(keys) * width + keys * whole_panels(width) + simd()->rows * keys;
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
            memcpy(panel, head->v + j * head->v_stride + c, n * sizeof *panel);
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
                        head->key_panels + j * how->width, (int)n, scores + j, how->keys, false,
                        NULL, 0);
    }
    for (int64_t r = 0; r < rows; r++) {
        float *row = scores + r * how->keys;
        for (int64_t j = 0; head->mask && j < keys; j++) {
            row[j] = head->mask[j] ? row[j] : -INFINITY;
        }
        for (int64_t j = first + r + 1; how->causal && j < keys; j++) {
            row[j] = -INFINITY;
        }
        table->softmax(row, keys, how->scale);
        memset(row + keys, 0, (size_t)(how->keys - keys) * sizeof *row);
    }
}

static void tile_mix(const struct head *head, int64_t first, int64_t rows, int64_t keys,
                     const float *scores) {
    const struct simd *table = simd();
    int64_t width = head->how->width;
    for (int64_t c = 0; c < width; c += table->columns) {
        int64_t n = width - c < table->columns ? width - c : table->columns;
        table->multiply(
            rows, keys, scores, head->how->keys, head->value_panels + c * head->keys, (int)n,
            head->out + first * head->out_stride + c, head->out_stride, false, NULL, 0);
    }
}

/* Keys up to the last that is no padding. */
static int64_t keys_count(const uint8_t *mask, int64_t tokens) {
    while (mask && tokens > 0 && !mask[tokens - 1]) {
        tokens--;
    }
    return tokens;
}

/* The numbers of one head in the first row of a text. */
static const float *head_of(struct op_heads heads, int64_t row, int64_t h) {
    return heads.x->data + row * heads.x->shape[1] + heads.first + h * heads.apart;
}

static struct head head_at(const struct job *job, int64_t text, int64_t h) {
    const struct op_attention *how = job->how;
    int64_t group = h * how->groups / how->heads, square = how->queries * how->keys;
    int64_t out_stride = how->heads * how->width;
    float *room = tape_room(job->tape);
    struct head head = { .how = how,
                         .q = head_of(job->q, text * how->queries, h),
                         .k = head_of(job->k, text * how->keys, group),
                         .v = head_of(job->v, text * how->keys, group),
                         .out = job->out + text * how->queries * out_stride + h * how->width,
                         .mask = how->mask ? how->mask + text * how->keys : NULL,
                         .q_stride = job->q.x->shape[1],
                         .k_stride = job->k.x->shape[1],
                         .v_stride = job->v.x->shape[1],
                         .out_stride = out_stride };
    head.keys = keys_count(head.mask, how->keys);
    head.pattern = job->pattern ? job->pattern + (text * how->heads + h) * square : NULL;
    head.key_panels = room;
    head.value_panels = room + whole_panels(how->keys) * how->width;
    head.scores = head.value_panels + how->keys * whole_panels(how->width);
    return head;
}

static void task_run(const struct job *job, int64_t task) {
    const struct op_attention *how = job->how;
    int64_t block = task % job->blocks, which = task / job->blocks;
    struct head head = head_at(job, which / how->heads, which % how->heads);
    int64_t begin = block * QUERIES;
    int64_t end = begin + QUERIES < how->queries ? begin + QUERIES : how->queries;
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
        float *scores = head.pattern ? head.pattern + first * how->keys : head.scores;
        tile_weigh(&head, first, rows, keys, scores);
        tile_mix(&head, first, rows, keys, scores);
    }
}

static void tasks_run(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        task_run(arg, i);
    }
}

struct tensor *op_attention(struct tape *tape, struct op_heads q, struct op_heads k,
                            struct op_heads v, const struct op_attention *how,
                            struct tensor *pattern) {
    struct tensor *out =
        tape_tensor(tape, 2, (int64_t[]){ q.x->shape[0], how->heads * how->width });
    struct job job = { .how = how,
                       .tape = tape,
                       .q = q,
                       .k = k,
                       .v = v,
                       .out = out->data,
                       .pattern = pattern ? pattern->data : NULL,
                       .blocks = (how->queries + QUERIES - 1) / QUERIES };
    pool_for(how->batch * how->heads * job.blocks, 1, tasks_run, &job);
    return out;
}
