#include "core/result/result.h"

#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"

struct result *result_new(struct arena *arena, const char *kind, int64_t series) {
    struct result *result = arena_alloc(arena, sizeof *result);
    *result = (struct result){
        .kind = kind,
        .title = "",
        .finding = "",
        .caption = "",
        .text = "",
        .count = series,
        .series = arena_array(arena, series, sizeof *result->series),
        .model = "",
        .fingerprint = "",
        .method = "",
        .dtype = "",
        .seed = -1,
    };
    return result;
}

/* Notes grow by doubling: full whenever their number is a power of two. */
void result_note(struct arena *arena, struct result *result, const char *key,
                 const char *value) {
    int64_t n = result->note_count;
    if ((n & (n - 1)) == 0) {
        struct note *notes = arena_array(arena, n ? 2 * n : 1, sizeof *notes);
        if (n) {
            memcpy(notes, result->notes, (size_t)n * sizeof *notes);
        }
        result->notes = notes;
    }
    result->notes[n] = (struct note){ arena_copy(arena, key), arena_copy(arena, value) };
    result->note_count = n + 1;
}

const struct series *result_at(const struct result *result, const char *name) {
    for (int64_t i = 0; i < result->count; i++) {
        if (strcmp(result->series[i].name, name) == 0) {
            return &result->series[i];
        }
    }
    return NULL;
}

static const char *text_copy(struct arena *arena, const char *text) {
    return text ? arena_copy(arena, text) : NULL;
}

static void copy_long(char *to, const char *from, int64_t bytes) {
    enum { STEP = 4 << 20 };
    for (int64_t at = 0; at < bytes; at += STEP) {
        stop_check();
        memcpy(to + at, from + at, (size_t)(bytes - at < STEP ? bytes - at : STEP));
    }
}

static struct tensor *tensor_copy(struct arena *arena, const struct tensor *from) {
    struct tensor *to = arena_alloc(arena, sizeof *to);
    *to = *from;
    int64_t bytes = tensor_bytes(from);
    to->bytes = arena_raw(arena, (size_t)bytes);
    copy_long(to->bytes, from->bytes, bytes);
    to->name = text_copy(arena, from->name);
    return to;
}

static const char **labels_copy(struct arena *arena, const char **from, int64_t count) {
    if (!from) {
        return NULL;
    }
    const char **to = arena_array(arena, count, sizeof *to);
    for (int64_t i = 0; i < count; i++) {
        stop_check();
        to[i] = text_copy(arena, from[i]);
    }
    return to;
}

static void axis_copy(struct arena *arena, struct axis *to, const struct axis *from) {
    *to = *from;
    to->name = text_copy(arena, from->name);
    to->labels = labels_copy(arena, from->labels, from->count);
}

static void series_copy(struct arena *arena, struct series *to, const struct series *from) {
    *to = *from;
    to->name = text_copy(arena, from->name);
    to->unit = text_copy(arena, from->unit);
    to->values = tensor_copy(arena, from->values);
    for (int i = 0; i < from->values->rank; i++) {
        axis_copy(arena, &to->axes[i], &from->axes[i]);
    }
    if (from->rests) {
        size_t bytes = (size_t)from->axes[from->values->rank - 1].count * sizeof *from->rests;
        to->rests = memcpy(arena_raw(arena, bytes), from->rests, bytes);
    }
    to->names = labels_copy(arena, from->names, tensor_count(from->values));
}

struct result *result_copy(struct arena *arena, const struct result *result) {
    struct result *copy = arena_alloc(arena, sizeof *copy);
    *copy = *result;
    const char **texts[] = { &copy->kind,        &copy->title,  &copy->finding,
                             &copy->caption,     &copy->text,   &copy->model,
                             &copy->fingerprint, &copy->method, &copy->dtype };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = text_copy(arena, *texts[i]);
    }
    copy->series = arena_array(arena, result->count, sizeof *copy->series);
    for (int64_t i = 0; i < result->count; i++) {
        series_copy(arena, &copy->series[i], &result->series[i]);
    }
    copy->notes = NULL;
    copy->note_count = 0;
    for (int64_t i = 0; i < result->note_count; i++) {
        result_note(arena, copy, result->notes[i].key, result->notes[i].value);
    }
    return copy;
}

static void part(struct buf *out, const char *text) {
    if (text && *text) {
        buf_text(out, out->length ? " · " : "");
        buf_text(out, text);
    }
}

const char *result_duration(struct arena *arena, double seconds) {
    if (!(seconds > 0)) {
        return "";
    }
    if (seconds < 1e-3) {
        return arena_printf(arena, "%.0f µs", seconds * 1e6);
    }
    if (seconds < 1) {
        return arena_printf(arena, "%.1f ms", seconds * 1e3);
    }
    return arena_printf(arena, "%.1f s", seconds);
}

const char *result_provenance(struct arena *arena, const struct result *result) {
    struct buf *out = buf_new(arena);
    part(out, result->model);
    if (result->fingerprint && *result->fingerprint) {
        buf_printf(out, " %.8s", result->fingerprint);
    }
    part(out, result->method);
    for (int64_t i = 0; i < result->note_count; i++) {
        const struct note *note = &result->notes[i];
        part(out, arena_printf(arena, "%s %s", note->key, note->value));
    }
    part(out, result->n > 0 ? arena_printf(arena, "n %lld", (long long)result->n) : NULL);
    part(out,
         result->seed >= 0 ? arena_printf(arena, "seed %lld", (long long)result->seed) : NULL);
    part(out, result->dtype);
    part(out, result_duration(arena, result->seconds));
    return out->data;
}
