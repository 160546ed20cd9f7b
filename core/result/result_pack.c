#include "core/result/result_pack.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/checked.h"

enum { ALIGN = RESULT_PACK_ALIGN, NO_TEXT = -1 };

static const char magic[8] = "CTRES01";

static int64_t padded(int64_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- writing ---- */

/* Bytes that are written, or only counted, until they are more than `most`. */
struct packing {
    struct buf *out; /* NULL: they are counted */
    int64_t length, most;
};

static void put_bytes(struct packing *p, const void *bytes, size_t length) {
    p->length += (int64_t)length;
    if (p->out) {
        buf_add(p->out, bytes, length);
    }
}

static void put(struct packing *p, int64_t value) {
    put_bytes(p, &value, sizeof value);
}

static void put_double(struct packing *p, double value) {
    put_bytes(p, &value, sizeof value);
}

static void put_flag(struct packing *p, bool flag) {
    put_bytes(p, &(char){ flag }, 1);
}

/* Length, bytes, NUL; or NO_TEXT. */
static void put_text(struct packing *p, const char *text) {
    size_t length = text ? strlen(text) : 0;
    put(p, text ? (int64_t)length : NO_TEXT);
    if (text) {
        put_bytes(p, text, length + 1);
    }
}

/* Whether there are any, then as many. */
static void put_texts(struct packing *p, const char *const *texts, int64_t count) {
    put_flag(p, texts != NULL);
    for (int64_t i = 0; texts && i < count && p->length <= p->most; i++) {
        stop_check();
        put_text(p, texts[i]);
    }
}

static void put_series(struct packing *p, const struct series *series) {
    const struct tensor *values = series->values;
    int64_t last = values->rank ? series->axes[values->rank - 1].count : 0;
    put_text(p, series->name);
    put_text(p, series->unit);
    put_double(p, series->low);
    put_double(p, series->high);
    put_flag(p, series->is_signed);
    put_flag(p, series->adds);
    put_flag(p, series->log);
    put(p, values->dtype);
    put(p, values->rank);
    put_text(p, values->name);
    for (int i = 0; i < values->rank; i++) {
        put(p, values->shape[i]);
        put_text(p, series->axes[i].name);
        put_texts(p, series->axes[i].labels, series->axes[i].count);
    }
    put_flag(p, series->rests != NULL);
    for (int64_t i = 0; series->rests && i < last; i++) {
        put_flag(p, series->rests[i]);
    }
    put_texts(p, series->names, tensor_count(values));
}

static void put_about(struct packing *p, const struct result *result) {
    const char *const texts[] = { result->kind,        result->title,  result->finding,
                                  result->caption,     result->text,   result->model,
                                  result->fingerprint, result->method, result->dtype };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_text(p, texts[i]);
    }
    put(p, result->n);
    put(p, result->seed);
    put_double(p, result->seconds);
    put(p, result->note_count);
    for (int64_t i = 0; i < result->note_count; i++) {
        put_text(p, result->notes[i].key);
        put_text(p, result->notes[i].value);
    }
}

/* All but the values and the zeros behind it. */
static void put_head(struct packing *p, const struct result *result) {
    put_bytes(p, magic, sizeof magic);
    put(p, 0); /* its length, once that is known */
    put(p, result->count);
    put_about(p, result);
    for (int64_t i = 0; i < result->count; i++) {
        put_series(p, &result->series[i]);
    }
}

int64_t result_pack_bytes(const struct result *result, int64_t most) {
    int64_t values = 0;
    for (int64_t i = 0; i < result->count; i++) {
        values += padded(tensor_bytes(result->series[i].values));
    }
    struct packing head = { .most = most - values };
    if (head.most >= 0) {
        put_head(&head, result);
    }
    return values + padded(head.length);
}

struct file_piece *result_pack(struct arena *arena, const struct result *result,
                               int64_t *pieces) {
    static const char zeros[ALIGN];
    struct file_piece *list = arena_array(arena, 2 * result->count + 1, sizeof *list);
    struct buf *head = buf_new(arena);
    put_head(&(struct packing){ .out = head, .most = INT64_MAX }, result);
    int64_t length = (int64_t)head->length;
    memcpy(head->data + sizeof magic, &length, sizeof length);
    buf_add(head, zeros, (size_t)(padded(length) - length));

    list[0] = (struct file_piece){ head->data, head->length };
    for (int64_t i = 0; i < result->count; i++) {
        const struct tensor *values = result->series[i].values;
        int64_t bytes = tensor_bytes(values);
        list[2 * i + 1] = (struct file_piece){ values->bytes, (size_t)bytes };
        list[2 * i + 2] = (struct file_piece){ zeros, (size_t)(padded(bytes) - bytes) };
    }
    *pieces = 2 * result->count + 1;
    return list;
}

int64_t result_pack_size(const struct file_piece *pieces, int64_t n) {
    int64_t bytes = 0;
    for (int64_t i = 0; i < n; i++) {
        bytes += (int64_t)pieces[i].length;
    }
    return bytes;
}

/* ---- reading ---- */

/* What remains of the head. Once something is wrong, all that is taken is 0 and NULL. */
struct reader {
    struct arena *arena;
    const char *at;
    int64_t left;
    bool bad;
};

static const char *take(struct reader *r, int64_t bytes) {
    if (r->bad || bytes < 0 || bytes > r->left) {
        r->bad = true;
        return NULL;
    }
    const char *at = r->at;
    r->at += bytes;
    r->left -= bytes;
    return at;
}

static int64_t take_int(struct reader *r) {
    int64_t value = 0;
    const char *at = take(r, sizeof value);
    return at ? (memcpy(&value, at, sizeof value), value) : 0;
}

static double take_double(struct reader *r) {
    double value = 0;
    const char *at = take(r, sizeof value);
    return at ? (memcpy(&value, at, sizeof value), value) : 0;
}

static bool take_flag(struct reader *r) {
    const char *at = take(r, 1);
    r->bad |= at && *at != 0 && *at != 1;
    return at && *at == 1;
}

/* A number of things of at least `each` bytes that are still to come. */
static int64_t take_count(struct reader *r, int64_t each) {
    int64_t count = take_int(r);
    r->bad |= count < 0 || count > r->left / each;
    return r->bad ? 0 : count;
}

static const char *take_text(struct reader *r) {
    int64_t length = take_int(r);
    if (r->bad || length == NO_TEXT) {
        return NULL;
    }
    r->bad |= length < 0 || length >= r->left; /* before 1 is added */
    const char *text = r->bad ? NULL : take(r, length + 1);
    r->bad |= text && memchr(text, '\0', (size_t)length + 1) != text + length;
    return r->bad ? NULL : text;
}

/* A text that is always there. */
static const char *need_text(struct reader *r) {
    const char *text = take_text(r);
    r->bad |= !text;
    return text;
}

static const char **take_texts(struct reader *r, int64_t count) {
    if (!take_flag(r)) {
        return NULL;
    }
    r->bad |= count > r->left / (int64_t)sizeof(int64_t);
    const char **texts = r->bad ? NULL : arena_array(r->arena, count, sizeof *texts);
    for (int64_t i = 0; i < count && !r->bad; i++) {
        texts[i] = take_text(r);
    }
    return texts;
}

static const bool *take_rests(struct reader *r, int64_t count) {
    if (!take_flag(r)) {
        return NULL;
    }
    r->bad |= count > r->left;
    bool *rests = r->bad ? NULL : arena_array(r->arena, count, sizeof *rests);
    for (int64_t i = 0; i < count && !r->bad; i++) {
        rests[i] = take_flag(r);
    }
    return rests;
}

/* Bytes of values of that shape; -1 if there are no such values. */
static int64_t bytes_of(const struct tensor *values) {
    int64_t rows, bytes;
    int rank = values->rank;
    int64_t row = dtype_row_bytes(values->dtype, rank ? values->shape[rank - 1] : 1);
    bool good = row >= 0 && ck_product(values->shape, rank ? rank - 1 : 0, &rows) &&
                ck_mul(rows, row, &bytes) && ck_product(values->shape, rank, &rows);
    return good ? bytes : -1;
}

static void take_shape(struct reader *r, struct series *series, struct tensor *values) {
    int64_t dtype = take_int(r), rank = take_int(r);
    r->bad |= dtype < 0 || dtype >= DTYPE_COUNT || rank < 0 || rank > TENSOR_RANK;
    if (r->bad) {
        return;
    }
    values->dtype = (enum dtype)dtype;
    values->rank = (int)rank;
    values->name = take_text(r);
    for (int i = 0; i < values->rank; i++) {
        struct axis *axis = &series->axes[i];
        values->shape[i] = axis->count = take_int(r);
        r->bad |= axis->count < 0;
        axis->name = need_text(r);
        axis->labels = take_texts(r, axis->count);
    }
    r->bad |= bytes_of(values) < 0;
}

static void take_series(struct reader *r, struct series *series) {
    struct tensor *values = arena_alloc(r->arena, sizeof *values);
    series->values = values;
    series->name = need_text(r);
    series->unit = take_text(r);
    series->low = take_double(r);
    series->high = take_double(r);
    series->is_signed = take_flag(r);
    series->adds = take_flag(r);
    series->log = take_flag(r);
    take_shape(r, series, values);
    if (!r->bad) {
        series->rests = take_rests(r, values->rank ? values->shape[values->rank - 1] : 0);
        series->names = take_texts(r, tensor_count(values));
    }
}

static void take_about(struct reader *r, struct result *result) {
    const char **texts[] = { &result->kind,        &result->title,  &result->finding,
                             &result->caption,     &result->text,   &result->model,
                             &result->fingerprint, &result->method, &result->dtype };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = i < 5 ? need_text(r) : take_text(r);
    }
    result->n = take_int(r);
    result->seed = take_int(r);
    result->seconds = take_double(r);
    result->note_count = take_count(r, 2 * sizeof(int64_t));
    result->notes = arena_array(r->arena, result->note_count, sizeof *result->notes);
    for (int64_t i = 0; i < result->note_count && !r->bad; i++) {
        result->notes[i].key = need_text(r);
        result->notes[i].value = need_text(r);
    }
}

/* The values lie behind the head, each at a multiple of ALIGN. */
static void place_values(struct reader *r, const struct result *result, const char *bytes,
                         int64_t head, int64_t length) {
    int64_t at = padded(head);
    for (int64_t i = 0; i < result->count; i++) {
        int64_t size = bytes_of(result->series[i].values);
        if (at > length || size > length - at || padded(size) > length - at) {
            r->bad = true;
            return;
        }
        result->series[i].values->bytes = (void *)(uintptr_t)(bytes + at);
        at += padded(size);
    }
    r->bad |= at != length;
}

const struct result *result_unpack(struct arena *arena, const void *bytes, int64_t length,
                                   struct err *err) {
    struct reader r = { .arena = arena, .at = bytes, .left = length };
    const char *begins = take(&r, sizeof magic);
    int64_t head = take_int(&r);
    r.bad |= length % ALIGN != 0 || !begins || memcmp(begins, magic, sizeof magic) != 0;
    r.bad |= head < length - r.left || head > length;
    r.left -= r.bad ? 0 : length - head;
    struct result *result = arena_alloc(arena, sizeof *result);
    result->count = take_count(&r, 8 * sizeof(int64_t)); /* no series is shorter */
    result->series = arena_array(arena, result->count, sizeof *result->series);
    take_about(&r, result);
    for (int64_t i = 0; i < result->count && !r.bad; i++) {
        take_series(&r, &result->series[i]);
    }
    r.bad |= r.left != 0;
    if (!r.bad) {
        place_values(&r, result, bytes, head, length);
    }
    if (r.bad) {
        err_set(err, ERR_FORMAT, "%lld bytes that were kept are no result", (long long)length);
        return NULL;
    }
    return result;
}
