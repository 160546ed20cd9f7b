#include "core/result/result_pack.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/checked.h"

enum { ALIGN = RESULT_PACK_ALIGN, NO_TEXT = -1 };

static const char magic[8] = "CTRES01";

static int64_t padded(int64_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- writing ---- */

static void put(struct buf *out, int64_t value) {
    buf_add(out, &value, sizeof value);
}

static void put_double(struct buf *out, double value) {
    buf_add(out, &value, sizeof value);
}

/* Length, bytes, NUL; or NO_TEXT. */
static void put_text(struct buf *out, const char *text) {
    put(out, text ? (int64_t)strlen(text) : NO_TEXT);
    if (text) {
        buf_add(out, text, strlen(text) + 1);
    }
}

/* Whether there are any, then as many. */
static void put_texts(struct buf *out, const char *const *texts, int64_t count) {
    buf_char(out, texts != NULL);
    for (int64_t i = 0; texts && i < count; i++) {
        put_text(out, texts[i]);
    }
}

static void put_series(struct buf *out, const struct series *series) {
    const struct tensor *values = series->values;
    int64_t last = values->rank ? series->axes[values->rank - 1].count : 0;
    put_text(out, series->name);
    put_text(out, series->unit);
    put_double(out, series->low);
    put_double(out, series->high);
    buf_char(out, series->is_signed);
    buf_char(out, series->adds);
    buf_char(out, series->log);
    put(out, values->dtype);
    put(out, values->rank);
    put_text(out, values->name);
    for (int i = 0; i < values->rank; i++) {
        put(out, values->shape[i]);
        put_text(out, series->axes[i].name);
        put_texts(out, series->axes[i].labels, series->axes[i].count);
    }
    buf_char(out, series->rests != NULL);
    for (int64_t i = 0; series->rests && i < last; i++) {
        buf_char(out, series->rests[i]);
    }
    put_texts(out, series->names, tensor_count(values));
}

static void put_about(struct buf *out, const struct result *result) {
    const char *const texts[] = { result->kind,        result->title,  result->finding,
                                  result->caption,     result->text,   result->model,
                                  result->fingerprint, result->method, result->dtype };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_text(out, texts[i]);
    }
    put(out, result->n);
    put(out, result->seed);
    put_double(out, result->seconds);
    put(out, result->note_count);
    for (int64_t i = 0; i < result->note_count; i++) {
        put_text(out, result->notes[i].key);
        put_text(out, result->notes[i].value);
    }
}

struct file_piece *result_pack(struct arena *arena, const struct result *result,
                               int64_t *pieces) {
    static const char zeros[ALIGN];
    struct file_piece *list = arena_array(arena, 2 * result->count + 1, sizeof *list);
    struct buf *head = buf_new(arena);
    buf_add(head, magic, sizeof magic);
    put(head, 0); /* its length, once that is known */
    put(head, result->count);
    put_about(head, result);
    for (int64_t i = 0; i < result->count; i++) {
        put_series(head, &result->series[i]);
    }
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
