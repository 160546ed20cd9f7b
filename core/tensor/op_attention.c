#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/head.h"

/* A task is one head of one text for at most this many queries; it packs the keys and values
 * that they see into panels once (a fortieth of the work) and then goes through its queries a
 * tile at a time. */
enum { QUERIES = 256 };

struct job {
    const struct op_attention *how;
    const struct tape *tape;
    struct op_heads q, k, v;
    float *out, *pattern;
    int64_t blocks; /* of queries */
};

/* What a task has in its thread's room. */
struct task {
    struct head head;
    struct head_span packed;
    float *key_panels, *value_panels, *scores;
    float *out, *pattern; /* of query 0; pattern NULL: scores are used */
};

int64_t op_attention_room(int64_t queries, int64_t keys, int64_t width, bool recording) {
    int64_t columns = simd()->columns, back = op_attention_back_room(queries, keys, width);
    int64_t forward = queries + keys + columns * width + head_whole(keys) * width +
                      keys * head_whole(width) +
                      simd()->rows * head_stride((struct head_span){ 0, keys });
    return recording && back > forward ? back : forward;
}

static struct task task_at(const struct job *job, int64_t text, int64_t h, int64_t begin,
                           int64_t end) {
    const struct op_attention *how = job->how;
    int64_t all = how->past + how->keys, out_stride = how->heads * how->width;
    float *line = tape_room(job->tape), *spare = line + how->queries + all;
    struct task task = { .head = head_at(how, job->q, job->k, job->v, text, h, line),
                         .out = job->out + text * how->queries * out_stride + h * how->width };
    task.packed = head_span(&task.head, begin, end - begin);
    task.key_panels = spare + simd()->columns * how->width;
    task.value_panels = task.key_panels + head_whole(all) * how->width;
    task.scores = task.value_panels + all * head_whole(how->width);
    task.pattern =
        job->pattern ? job->pattern + (text * how->heads + h) * how->queries * all : NULL;
    head_pack_turned(&task.head.k, how->width, task.packed, task.key_panels, spare);
    head_pack(&task.head.v, how->width, task.packed, task.value_panels);
    return task;
}

/* Zeros around what the pattern holds of a span. */
static void pattern_fill(float *pattern, int64_t rows, struct head_span span, int64_t all) {
    for (int64_t r = 0; r < rows; r++) {
        float *row = pattern + r * all;
        memset(row, 0, (size_t)span.begin * sizeof *row);
        memset(row + span.end, 0, (size_t)(all - span.end) * sizeof *row);
    }
}

static void tile_run(const struct task *task, int64_t first, int64_t rows) {
    const struct head *head = &task->head;
    const struct op_attention *how = head->how;
    struct head_span span = head_span(head, first, rows);
    int64_t stride = head_stride(span), out_stride = how->heads * how->width;
    int64_t all = how->past + how->keys;
    float *scores = task->scores;
    if (task->pattern) { /* where they shall be */
        pattern_fill(task->pattern + first * all, rows, span, all);
        scores = task->pattern + first * all + span.begin;
        stride = all;
    }
    head_multiply_turned(head->q + first * head->q_stride, head->q_stride, rows, how->width,
                         span, task->packed, task->key_panels, scores, stride, false);
    head_weigh(head, first, rows, span, scores, stride);
    head_multiply(scores, stride, rows, how->width, span, task->packed, task->value_panels,
                  task->out + first * out_stride, out_stride, false);
    for (int64_t r = 0; r < rows; r++) {
        head_mend(head, first + r, span, scores + r * stride,
                  task->out + (first + r) * out_stride);
    }
}

static void task_run(const struct job *job, int64_t number) {
    const struct op_attention *how = job->how;
    int64_t block = number % job->blocks, which = number / job->blocks;
    int64_t begin = block * QUERIES;
    int64_t end = begin + QUERIES < how->queries ? begin + QUERIES : how->queries;
    struct task task = task_at(job, which / how->heads, which % how->heads, begin, end);
    for (int64_t first = begin; first < end; first += simd()->rows) {
        tile_run(&task, first, end - first < simd()->rows ? end - first : simd()->rows);
    }
}

static void tasks_run(void *arg, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        task_run(arg, i);
    }
}

/* Where probabilities are put; NULL: nowhere. For going backward they are kept when they take
 * no more than q, k, v and the result together, else computed again, for a fifth of the time
 * that going backward takes. */
static float *kept_at(struct tape *tape, const struct op_attention *how,
                      const struct tensor *pattern) {
    int64_t all = how->past + how->keys;
    if (pattern) {
        return pattern->data;
    }
    if (!tape->record || all > 4 * how->width) {
        return NULL;
    }
    return tape_tensor(tape, 4, (int64_t[]){ how->batch, how->heads, how->queries, all })->data;
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
                       .pattern = kept_at(tape, how, pattern),
                       .blocks = (how->queries + QUERIES - 1) / QUERIES };
    pool_for(how->batch * how->heads * job.blocks, 1, tasks_run, &job);
    if (tape->record) {
        op_attention_record(tape, out, q, k, v, how, pattern, job.pattern);
    }
    return out;
}
