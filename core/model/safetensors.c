#include "core/model/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/checked.h"
#include "core/base/jsonread.h"
#include "core/model/weights.h"

enum { HEADER_MOST = 100000000, TENSORS_MOST = 1000000 };

struct entry {
    struct tensor tensor;
    int64_t begin, end; /* bytes from the end of the header */
};

struct reader {
    struct arena *arena;
    struct jsonread json;
    const unsigned char *data;
    int64_t data_size;
    struct entry *entries;
    int64_t count, room;
};

/* ---- one entry of the header ---- */

static void read_dtype(struct reader *r, struct entry *entry) {
    struct json_text name = jsonread_string(&r->json, r->arena);
    for (int i = 0; i < DTYPE_COUNT; i++) {
        if (dtype_block((enum dtype)i) == 1 && json_is(name, dtype_name((enum dtype)i))) {
            entry->tensor.dtype = (enum dtype)i;
            return;
        }
    }
    char shown[40];
    bool narrow = name.length > 2 &&
                  (memcmp(name.bytes, "F8_", 3) == 0 || memcmp(name.bytes, "F6_", 3) == 0);
    bool known = narrow || json_is(name, "F4") || json_is(name, "C64");
    err_quote(shown, sizeof shown, name.bytes, name.length);
    if (jsonread_failed(&r->json, NULL)) {
        return;
    }
    jsonread_fail(&r->json, "tensor %s has dtype %s; %s", entry->tensor.name, shown,
                  known ? "models in F32, F16 or BF16 can be used, these numbers cannot yet"
                        : "no such type is known (F32, F16, BF16, I64 ... are)");
    r->json.err.kind = known ? ERR_UNSUPPORTED : ERR_FORMAT;
}

static void read_shape(struct reader *r, struct entry *entry) {
    struct tensor *tensor = &entry->tensor;
    tensor->rank = 0;
    jsonread_array(&r->json);
    while (jsonread_item(&r->json)) {
        int64_t size = jsonread_int(&r->json);
        if (size < 0) {
            jsonread_fail(&r->json, "tensor %s: shape has the size %lld, which is negative",
                          tensor->name, (long long)size);
        } else if (tensor->rank == TENSOR_RANK) {
            jsonread_fail(&r->json, "tensor %s: shape has more than %d dimensions",
                          tensor->name, TENSOR_RANK);
        } else {
            tensor->shape[tensor->rank++] = size;
        }
    }
}

static void read_offsets(struct reader *r, struct entry *entry) {
    int64_t offsets[2] = { 0 };
    int n = 0;
    jsonread_array(&r->json);
    while (jsonread_item(&r->json)) {
        int64_t offset = jsonread_int(&r->json);
        if (n < 2) {
            offsets[n] = offset;
        }
        n++;
    }
    entry->begin = offsets[0];
    entry->end = offsets[1];
    if (n != 2) {
        jsonread_fail(&r->json, "tensor %s: data_offsets has %d numbers, not 2",
                      entry->tensor.name, n);
    } else if (entry->begin < 0 || entry->end < entry->begin || entry->end > r->data_size) {
        jsonread_fail(
            &r->json,
            "tensor %s: data_offsets [%lld, %lld] do not lie in the file's %lld bytes "
            "of data",
            entry->tensor.name, (long long)entry->begin, (long long)entry->end,
            (long long)r->data_size);
    }
}

/* Shape and type must give just the bytes between the offsets. */
static void check_size(struct reader *r, const struct entry *entry) {
    const struct tensor *tensor = &entry->tensor;
    int64_t count, bytes;
    char shape[100];
    tensor_shape_text(tensor, shape);
    if (!ck_product(tensor->shape, tensor->rank, &count) ||
        !ck_mul(count, dtype_block_bytes(tensor->dtype), &bytes)) {
        jsonread_fail(&r->json, "tensor %s: shape %s of %s overflows", tensor->name, shape,
                      dtype_name(tensor->dtype));
    } else if (bytes != entry->end - entry->begin) {
        jsonread_fail(
            &r->json,
            "tensor %s: shape %s of %s needs %lld bytes, but data_offsets [%lld, %lld] "
            "hold %lld",
            tensor->name, shape, dtype_name(tensor->dtype), (long long)bytes,
            (long long)entry->begin, (long long)entry->end,
            (long long)(entry->end - entry->begin));
    }
}

static void read_entry(struct reader *r, struct entry *entry) {
    static const char *const fields[] = { "dtype", "shape", "data_offsets" };
    struct json_text key;
    int seen = 0;
    jsonread_object(&r->json);
    while (jsonread_key(&r->json, r->arena, &key)) {
        int field = 0;
        while (field < 3 && !json_is(key, fields[field])) {
            field++;
        }
        if (field == 3) {
            jsonread_skip(&r->json);
            continue;
        }
        if (seen & 1 << field) {
            jsonread_fail(&r->json, "tensor %s: %s stands twice", entry->tensor.name,
                          fields[field]);
        }
        seen |= 1 << field;
        field == 0   ? read_dtype(r, entry)
        : field == 1 ? read_shape(r, entry)
                     : read_offsets(r, entry);
    }
    for (int i = 0; i < 3; i++) {
        if (!(seen & 1 << i)) {
            jsonread_fail(&r->json, "tensor %s has no %s", entry->tensor.name, fields[i]);
        }
    }
    if (!jsonread_failed(&r->json, NULL)) {
        check_size(r, entry);
    }
}

static void read_metadata(struct reader *r) {
    struct json_text key;
    jsonread_object(&r->json);
    while (jsonread_key(&r->json, r->arena, &key)) {
        if (jsonread_peek(&r->json) != JSON_STRING) {
            char shown[60];
            jsonread_fail(&r->json, "__metadata__ must hold strings only, but %s is none",
                          err_quote(shown, sizeof shown, key.bytes, key.length));
        }
        jsonread_string(&r->json, r->arena);
    }
}

static const char *name_of(struct reader *r, struct json_text key) {
    const char *name = weights_name(r->arena, key.bytes, key.length);
    if (!name) {
        char shown[60];
        jsonread_fail(
            &r->json,
            "the tensor name \"%s\" is empty, longer than 255 bytes or holds characters "
            "that cannot be seen",
            err_quote(shown, sizeof shown, key.bytes, key.length));
    }
    return name ? name : "";
}

static struct entry *add_entry(struct reader *r) {
    if (r->count == r->room) {
        struct entry *before = r->entries;
        r->room = r->room ? 2 * r->room : 256;
        r->entries = arena_array(r->arena, r->room, sizeof *r->entries);
        if (r->count) {
            memcpy(r->entries, before, (size_t)r->count * sizeof *before);
        }
    }
    return &r->entries[r->count++];
}

static int read_header(struct reader *r, struct err *err) {
    struct json_text key;
    bool metadata = false;
    jsonread_object(&r->json);
    while (jsonread_key(&r->json, r->arena, &key)) {
        if (json_is(key, "__metadata__")) {
            if (metadata) {
                jsonread_fail(&r->json, "__metadata__ stands twice");
            }
            metadata = true;
            read_metadata(r);
            continue;
        }
        if (r->count == TENSORS_MOST) {
            jsonread_fail(&r->json, "more than %d tensors", TENSORS_MOST);
            break;
        }
        struct entry *entry = add_entry(r);
        entry->tensor.name = name_of(r, key);
        read_entry(r, entry);
    }
    jsonread_end(&r->json);
    return jsonread_failed(&r->json, err) ? -1 : 0;
}

/* ---- all entries together ---- */

static int by_place(const void *a, const void *b) {
    const struct entry *x = *(const struct entry *const *)a,
                       *y = *(const struct entry *const *)b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return (x->end > y->end) - (x->end < y->end);
}

/* The data must be one tensor after the other, up to the last byte: nothing hides in the file.
 */
static int check_places(const struct reader *r, const char *path, struct err *err) {
    const struct entry **sorted = arena_array(r->arena, r->count, sizeof *sorted);
    int64_t at = 0;
    for (int64_t i = 0; i < r->count; i++) {
        sorted[i] = &r->entries[i];
    }
    qsort(sorted, (size_t)r->count, sizeof *sorted, by_place);
    for (int64_t i = 0; i < r->count; i++) {
        const struct entry *entry = sorted[i];
        if (entry->begin < at) {
            return err_set(err, ERR_FORMAT,
                           "%s: data_offsets of the tensors %s and %s overlap at byte %lld",
                           path, sorted[i - 1]->tensor.name, entry->tensor.name,
                           (long long)entry->begin);
        }
        if (entry->begin > at) {
            return err_set(
                err, ERR_FORMAT,
                "%s: %lld bytes before tensor %s (data_offsets [%lld, %lld]) belong to "
                "no tensor",
                path, (long long)(entry->begin - at), entry->tensor.name,
                (long long)entry->begin, (long long)entry->end);
        }
        at = entry->end;
    }
    if (at != r->data_size) {
        return err_set(
            err, ERR_FORMAT,
            "%s: the tensors end after %lld of %lld bytes of data; the rest belongs to "
            "no tensor",
            path, (long long)at, (long long)r->data_size);
    }
    return 0;
}

static void place(struct reader *r, struct entry *entry) {
    const unsigned char *at = r->data + entry->begin;
    size_t length = (size_t)(entry->end - entry->begin);
    if ((uintptr_t)at % (uintptr_t)dtype_block_bytes(entry->tensor.dtype) == 0) {
        entry->tensor.bytes = (void *)(uintptr_t)at;
        return;
    }
    entry->tensor.bytes = arena_raw(r->arena, length);
    memcpy(entry->tensor.bytes, at, length);
}

/* The header's length; -1 if the file cannot have such a header. */
static int64_t header_length(const struct file *file, struct err *err) {
    uint64_t length = 0;
    if (file->size < 8) {
        return err_set(err, ERR_FORMAT,
                       "%s has %lld bytes, too few for the header length of a safetensors file",
                       file->path, (long long)file->size);
    }
    for (int i = 7; i >= 0; i--) {
        length = length << 8 | file->bytes[i];
    }
    if (length > HEADER_MOST) {
        return err_set(err, ERR_FORMAT, "%s: header length is %llu; at most %d is allowed",
                       file->path, (unsigned long long)length, HEADER_MOST);
    }
    if ((int64_t)length > file->size - 8) {
        return err_set(
            err, ERR_FORMAT,
            "%s: header length is %llu, but only %lld bytes follow; is the file cut short?",
            file->path, (unsigned long long)length, (long long)(file->size - 8));
    }
    if (length < 2 || file->bytes[8] != '{') {
        return err_set(err, ERR_FORMAT,
                       "%s: the header (header length %llu) does not begin with {", file->path,
                       (unsigned long long)length);
    }
    return (int64_t)length;
}

int safetensors_read(struct arena *arena, const struct file *file, struct tensor **tensors,
                     int64_t *count, struct err *err) {
    int64_t length = header_length(file, err);
    if (length < 0) {
        return err_pass(err);
    }
    struct reader r = { .arena = arena,
                        .data = file->bytes + 8 + length,
                        .data_size = file->size - 8 - length };
    jsonread_init(&r.json, file->bytes + 8, (size_t)length, file->path);
    r.json.begin = (const char *)file->bytes; /* so that messages count bytes of the file */
    if (read_header(&r, err) < 0 || check_places(&r, file->path, err) < 0) {
        return err_pass(err);
    }
    *count = r.count;
    *tensors = arena_array(arena, r.count, sizeof **tensors);
    for (int64_t i = 0; i < r.count; i++) {
        place(&r, &r.entries[i]);
        (*tensors)[i] = r.entries[i].tensor;
    }
    return 0;
}
