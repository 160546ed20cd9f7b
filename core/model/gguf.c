#include "core/model/gguf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/model/weights.h"

/* Kinds of values in the metadata, as the format numbers them. */
enum kind { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64, KINDS };

enum {
    MOST = 1000000,         /* keys, tensors */
    STRING_MOST = 64 << 20, /* bytes */
    ARRAY_MOST = 1 << 30,   /* elements */
    KEY_MOST = 65535,       /* bytes */
    ALIGN_MOST = 65536,
};

static const struct {
    const char *name;
    int bytes; /* of one value; of the shortest one for strings */
} kinds[KINDS] = {
    { "u8", 1 },  { "i8", 1 },  { "u16", 2 },  { "i16", 2 },    { "u32", 4 },
    { "i32", 4 }, { "f32", 4 }, { "bool", 1 }, { "string", 8 }, { "array", 12 },
    { "u64", 8 }, { "i64", 8 }, { "f64", 8 },
};

/* Tensor types, by the format's number. Those left out (types withdrawn, or with lookup tables)
 * are refused by number. */
static const struct {
    int number;
    enum dtype dtype;
} tensor_types[] = {
    { 0, DTYPE_F32 },     { 1, DTYPE_F16 },     { 2, DTYPE_Q4_0 },  { 3, DTYPE_Q4_1 },
    { 6, DTYPE_Q5_0 },    { 7, DTYPE_Q5_1 },    { 8, DTYPE_Q8_0 },  { 10, DTYPE_Q2_K },
    { 11, DTYPE_Q3_K },   { 12, DTYPE_Q4_K },   { 13, DTYPE_Q5_K }, { 14, DTYPE_Q6_K },
    { 20, DTYPE_IQ4_NL }, { 23, DTYPE_IQ4_XS }, { 24, DTYPE_I8 },   { 25, DTYPE_I16 },
    { 26, DTYPE_I32 },    { 27, DTYPE_I64 },    { 28, DTYPE_F64 },  { 30, DTYPE_BF16 },
};

struct value {
    const char *key; /* terminated, fit for messages */
    enum kind kind;
    enum kind of; /* an array's elements */
    int64_t n;    /* an array's elements, a string's bytes */
    const unsigned char
        *at; /* the first byte of the value, of the string's text, of element 0 */
};

struct gguf {
    int64_t count;
    struct value *values; /* sorted by key */
};

/* What remains to be read. After a failure nothing remains and every number read is 0. */
struct cursor {
    const unsigned char *at, *end, *begin;
    const char *path;
    struct err *err;
    bool bad;
};

static int fail(struct cursor *c, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct cursor *c, enum err_kind kind, const char *format, ...) {
    if (!c->bad) {
        char text[400];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        err_set(c->err, kind, "%s, byte %lld: %s", c->path, (long long)(c->at - c->begin),
                text);
    }
    c->bad = true;
    c->at = c->end;
    return -1;
}

static int64_t left(const struct cursor *c) {
    return c->end - c->at;
}

static uint64_t number(const unsigned char *at, int bytes) {
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
        value = value << 8 | at[i];
    }
    return value;
}

/* The next little-endian number, a part of `what`. */
static uint64_t take(struct cursor *c, int bytes, const char *what) {
    if (left(c) < bytes) {
        fail(c, ERR_FORMAT, "the file ends inside %s (%d bytes wanted, %lld left)", what, bytes,
             (long long)left(c));
        return 0;
    }
    uint64_t value = number(c->at, bytes);
    c->at += bytes;
    return value;
}

/* The next number as a count of things of at least `bytes` bytes each, which must fit. */
static int64_t take_count(struct cursor *c, const char *what, int64_t most, int bytes) {
    uint64_t count = take(c, 8, what);
    if (count > (uint64_t)most) {
        c->at -= c->bad ? 0 : 8;
        fail(c, ERR_FORMAT, "%s is %llu; at most %lld is allowed", what,
             (unsigned long long)count, (long long)most);
        return 0;
    }
    if ((int64_t)count > left(c) / bytes) {
        c->at -= c->bad ? 0 : 8;
        fail(c, ERR_FORMAT, "%s is %llu, but only %lld bytes follow; is the file cut short?",
             what, (unsigned long long)count, (long long)(left(c) - 8));
        return 0;
    }
    return (int64_t)count;
}

/* ---- metadata ---- */

/* A metadata key or a tensor's name; `what` says which. "" after a failure. */
static const char *read_name(struct arena *arena, struct cursor *c, const char *what) {
    char label[60], shown[60];
    snprintf(label, sizeof label, "the length of a %s", what);
    int64_t length = take_count(c, label, KEY_MOST, 1);
    const char *name = weights_name(arena, (const char *)c->at, (size_t)length);
    if (!name) {
        fail(c, ERR_FORMAT,
             "the %s \"%s\" is empty, longer than 255 bytes or holds characters that cannot be "
             "seen",
             what, err_quote(shown, sizeof shown, (const char *)c->at, (size_t)length));
        name = "";
    }
    c->at += c->bad ? 0 : length;
    return name;
}

static enum kind read_kind(struct cursor *c, const char *key) {
    uint64_t kind = take(c, 4, "the type of a metadata value");
    if (kind >= KINDS) {
        c->at -= 4;
        fail(c, ERR_FORMAT, "%s has the type %llu; there are 0 to %d", key,
             (unsigned long long)kind, KINDS - 1);
        return U8;
    }
    return (enum kind)kind;
}

/* Steps over a string; its text begins at the result. */
static const unsigned char *read_string(struct cursor *c, const char *key, int64_t *length) {
    if (left(c) < 8) {
        fail(c, ERR_FORMAT, "%s: the file ends inside a string", key);
        *length = 0;
        return c->at;
    }
    uint64_t n = number(c->at, 8);
    if (n > STRING_MOST || (int64_t)n > left(c) - 8) {
        fail(c, ERR_FORMAT,
             "%s: a string of %llu bytes, but %lld follow and at most %d are allowed", key,
             (unsigned long long)n, (long long)(left(c) - 8), STRING_MOST);
        *length = 0;
        return c->at;
    }
    const unsigned char *text = c->at + 8;
    *length = (int64_t)n;
    c->at = text + n;
    return text;
}

static void check_bools(struct cursor *c, const char *key, const unsigned char *at, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (at[i] > 1) {
            fail(c, ERR_FORMAT, "%s: a bool is %d, neither 0 nor 1", key, at[i]);
            return;
        }
    }
}

static void read_array(struct cursor *c, struct value *value) {
    value->of = read_kind(c, value->key);
    if (value->of == ARRAY) {
        fail(c, ERR_FORMAT, "%s is an array of arrays, which GGUF readers do not take",
             value->key);
    }
    value->n = take_count(c, value->key, ARRAY_MOST, kinds[value->of].bytes);
    value->at = c->at;
    if (value->of == STRING) { /* walked once, so that gguf_next need not look again */
        int64_t length;
        for (int64_t i = 0; i < value->n && !c->bad; i++) {
            if (i % 1024 == 0) {
                stop_check();
            }
            read_string(c, value->key, &length);
        }
        return;
    }
    if (value->of == BOOL) {
        check_bools(c, value->key, value->at, value->n);
    }
    c->at += c->bad ? 0 : value->n * kinds[value->of].bytes;
}

static void read_value(struct arena *arena, struct cursor *c, struct value *value) {
    value->key = read_name(arena, c, "metadata key");
    value->kind = read_kind(c, value->key);
    value->at = c->at;
    switch (value->kind) {
    case ARRAY:
        read_array(c, value);
        break;
    case STRING:
        value->at = read_string(c, value->key, &value->n);
        break;
    default:
        take(c, kinds[value->kind].bytes, value->key);
        if (value->kind == BOOL && !c->bad) {
            check_bools(c, value->key, value->at, 1);
        }
    }
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct value *)a)->key, ((const struct value *)b)->key);
}

static const struct value *value_at(const struct gguf *gguf, const char *key) {
    struct value wanted = { .key = key };
    return gguf->count
               ? bsearch(&wanted, gguf->values, (size_t)gguf->count, sizeof wanted, by_key)
               : NULL;
}

static int read_metadata(struct arena *arena, struct cursor *c, struct gguf *gguf,
                         int64_t count) {
    gguf->count = count;
    gguf->values = arena_array(arena, count, sizeof *gguf->values);
    for (int64_t i = 0; i < count && !c->bad; i++) {
        if (i % 1024 == 0) {
            stop_check();
        }
        read_value(arena, c, &gguf->values[i]);
    }
    if (c->bad) {
        return -1;
    }
    qsort(gguf->values, (size_t)count, sizeof *gguf->values, by_key);
    for (int64_t i = 1; i < count; i++) {
        if (strcmp(gguf->values[i - 1].key, gguf->values[i].key) == 0) {
            return fail(c, ERR_FORMAT, "the metadata key %s stands twice", gguf->values[i].key);
        }
    }
    return 0;
}

/* ---- the tensor table ---- */

struct place {
    struct tensor *tensor;
    int64_t offset, bytes; /* from the beginning of the data */
};

/* The file lists sizes innermost first; ours is outermost first. */
static void read_tensor_shape(struct cursor *c, struct tensor *tensor) {
    uint64_t rank = take(c, 4, tensor->name);
    if (rank > 4) {
        fail(c, ERR_FORMAT, "tensor %s has %llu dimensions; at most 4 are allowed",
             tensor->name, (unsigned long long)rank);
        return;
    }
    tensor->rank = (int)rank;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        uint64_t size = take(c, 8, tensor->name);
        if (!c->bad && (size == 0 || size > INT64_MAX)) {
            fail(c, ERR_FORMAT, "tensor %s has a dimension of size %llu", tensor->name,
                 (unsigned long long)size);
        }
        tensor->shape[i] = (int64_t)size;
    }
}

static void read_tensor_type(struct cursor *c, struct tensor *tensor) {
    uint64_t type = take(c, 4, tensor->name);
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++) {
        if (type == (uint64_t)tensor_types[i].number) {
            tensor->dtype = tensor_types[i].dtype;
            return;
        }
    }
    fail(c, ERR_UNSUPPORTED,
         "tensor %s has the number type %llu, which is not known; F64, F32, F16, BF16, Q4_0, "
         "Q4_1, "
         "Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL and IQ4_XS can be used",
         tensor->name, (unsigned long long)type);
}

/* Bytes of the whole tensor; 0 after a failure. */
static int64_t size_of(struct cursor *c, const struct tensor *tensor) {
    int64_t row = tensor->rank ? tensor->shape[tensor->rank - 1] : 1, rows, count, bytes;
    int64_t row_bytes = dtype_row_bytes(tensor->dtype, row);
    char shape[100];
    tensor_shape_text(tensor, shape);
    if (row_bytes < 0 && row % dtype_block(tensor->dtype) != 0) {
        fail(c, ERR_FORMAT,
             "tensor %s: rows of shape %s are no whole number of %s blocks of %lld",
             tensor->name, shape, dtype_name(tensor->dtype),
             (long long)dtype_block(tensor->dtype));
        return 0;
    }
    if (row_bytes < 0 || !ck_product(tensor->shape, tensor->rank - (tensor->rank > 0), &rows) ||
        !ck_mul(rows, row, &count) || !ck_mul(rows, row_bytes, &bytes)) {
        fail(c, ERR_FORMAT, "tensor %s: shape %s of %s overflows", tensor->name, shape,
             dtype_name(tensor->dtype));
        return 0;
    }
    return bytes;
}

static void read_tensor(struct arena *arena, struct cursor *c, struct place *place,
                        int64_t alignment) {
    struct tensor *tensor = place->tensor;
    tensor->name = read_name(arena, c, "tensor name");
    read_tensor_shape(c, tensor);
    read_tensor_type(c, tensor);
    uint64_t offset = take(c, 8, tensor->name);
    if (c->bad) {
        return;
    }
    place->bytes = size_of(c, tensor);
    place->offset = (int64_t)offset;
    if (!c->bad && (offset > INT64_MAX || offset % (uint64_t)alignment != 0)) {
        fail(c, ERR_FORMAT,
             "tensor %s: the offset %llu is not a multiple of general.alignment %lld",
             tensor->name, (unsigned long long)offset, (long long)alignment);
    }
}

static int by_offset(const void *a, const void *b) {
    int64_t x = ((const struct place *)a)->offset, y = ((const struct place *)b)->offset;
    return (x > y) - (x < y);
}

/* Every tensor inside the data, none over another. */
static int check_places(struct cursor *c, struct place *places, int64_t n, int64_t data_size) {
    qsort(places, (size_t)n, sizeof *places, by_offset);
    for (int64_t i = 0; i < n; i++) {
        const struct place *place = &places[i];
        int64_t end;
        if (!ck_add(place->offset, place->bytes, &end) || end > data_size) {
            return fail(
                c, ERR_FORMAT,
                "tensor %s: %lld bytes at offset %lld do not lie in the file's %lld bytes "
                "of data; is the file cut short?",
                place->tensor->name, (long long)place->bytes, (long long)place->offset,
                (long long)data_size);
        }
        if (i > 0 && place->offset < places[i - 1].offset + places[i - 1].bytes) {
            return fail(c, ERR_FORMAT, "the tensors %s and %s overlap at offset %lld",
                        places[i - 1].tensor->name, place->tensor->name,
                        (long long)place->offset);
        }
    }
    return 0;
}

static int read_tensors(struct arena *arena, struct cursor *c, int64_t alignment,
                        struct tensor *tensors, int64_t count) {
    struct place *places = arena_array(arena, count, sizeof *places);
    for (int64_t i = 0; i < count && !c->bad; i++) {
        if (i % 1024 == 0) {
            stop_check();
        }
        places[i].tensor = &tensors[i];
        read_tensor(arena, c, &places[i], alignment);
    }
    if (c->bad) {
        return -1;
    }
    int64_t head = c->at - c->begin, size = c->end - c->begin;
    int64_t start =
        (head + alignment - 1) / alignment * alignment; /* head < size, so no wrap */
    if (check_places(c, places, count, start < size ? size - start : 0) < 0) {
        return -1;
    }
    for (int64_t i = 0; i < count; i++) {
        places[i].tensor->bytes = (void *)(uintptr_t)(c->begin + start + places[i].offset);
    }
    return 0;
}

/* ---- the file ---- */

static int read_version(struct cursor *c) {
    if (left(c) < 4 || memcmp(c->at, "GGUF", 4) != 0) {
        return fail(c, ERR_FORMAT, "the file does not begin with GGUF");
    }
    c->at += 4;
    uint64_t version = take(c, 4, "the version");
    if (version == 1 || version > 0xffff) {
        return fail(
            c, ERR_UNSUPPORTED, "%s; only little-endian GGUF of version 2 and 3 can be read",
            version == 1 ? "this is version 1 of GGUF" : "this is a big-endian GGUF file");
    }
    if (version != 2 && version != 3) {
        return fail(c, ERR_UNSUPPORTED, "this is version %llu of GGUF; 2 and 3 can be read",
                    (unsigned long long)version);
    }
    return c->bad ? -1 : 0;
}

/* Where tensors may begin; -1 if the file asks for something else than the format allows. */
static int64_t read_alignment(struct cursor *c, const struct gguf *gguf) {
    int64_t alignment = 32;
    const struct value *value = value_at(gguf, "general.alignment");
    if (!value) {
        return alignment;
    }
    if (!gguf_int(gguf, "general.alignment", &alignment)) {
        return fail(c, ERR_FORMAT, "general.alignment is of type %s, not a number that fits",
                    kinds[value->kind].name);
    }
    if (alignment < 8 || alignment > ALIGN_MOST || (alignment & (alignment - 1)) != 0) {
        return fail(c, ERR_FORMAT, "general.alignment is %lld, not a power of two from 8 to %d",
                    (long long)alignment, ALIGN_MOST);
    }
    return alignment;
}

struct gguf *gguf_read(struct arena *arena, const struct file *file, struct tensor **tensors,
                       int64_t *count, struct err *err) {
    struct gguf *gguf = arena_alloc(arena, sizeof *gguf);
    struct cursor c = { file->bytes, file->bytes + file->size, file->bytes, file->path, err,
                        false };
    int64_t splits;
    if (read_version(&c) < 0) {
        return NULL;
    }
    *count = take_count(&c, "the number of tensors", MOST, 24);
    int64_t keys = take_count(&c, "the number of metadata keys", MOST, 13);
    if (c.bad || read_metadata(arena, &c, gguf, keys) < 0) {
        return NULL;
    }
    if (gguf_int(gguf, "split.count", &splits) && splits > 1) {
        fail(&c, ERR_UNSUPPORTED,
             "this is one of %lld parts of a model (split.count); join them first with "
             "llama-gguf-split --merge",
             (long long)splits);
        return NULL;
    }
    int64_t alignment = read_alignment(&c, gguf);
    *tensors = arena_array(arena, *count, sizeof **tensors);
    if (alignment < 0 || read_tensors(arena, &c, alignment, *tensors, *count) < 0) {
        return NULL;
    }
    return gguf;
}

/* ---- getters ---- */

bool gguf_int(const struct gguf *gguf, const char *key, int64_t *value) {
    const struct value *v = value_at(gguf, key);
    if (!v || v->kind == F32 || v->kind == F64 || v->kind == BOOL || v->kind == STRING ||
        v->kind == ARRAY) {
        return false;
    }
    int bytes = kinds[v->kind].bytes;
    uint64_t bits = number(v->at, bytes);
    bool is_signed = v->kind == I8 || v->kind == I16 || v->kind == I32 || v->kind == I64;
    if (is_signed) {
        int shift = 64 - 8 * bytes;
        *value = (int64_t)(bits << shift) >> shift;
        return true;
    }
    return ck_length(bits, value);
}

bool gguf_float(const struct gguf *gguf, const char *key, double *value) {
    const struct value *v = value_at(gguf, key);
    if (!v || (v->kind != F32 && v->kind != F64)) {
        return false;
    }
    if (v->kind == F64) {
        memcpy(value, v->at, sizeof *value);
        return true;
    }
    float narrow;
    memcpy(&narrow, v->at, sizeof narrow);
    *value = (double)narrow;
    return true;
}

bool gguf_bool(const struct gguf *gguf, const char *key, bool *value) {
    const struct value *v = value_at(gguf, key);
    if (!v || v->kind != BOOL) {
        return false;
    }
    *value = *v->at == 1;
    return true;
}

bool gguf_string(const struct gguf *gguf, const char *key, const char **bytes,
                 int64_t *length) {
    const struct value *v = value_at(gguf, key);
    if (!v || v->kind != STRING) {
        return false;
    }
    *bytes = (const char *)v->at;
    *length = v->n;
    return true;
}

static bool array_at(const struct gguf *gguf, const char *key, enum kind of, enum kind or_of,
                     const unsigned char **at, int64_t *n) {
    const struct value *v = value_at(gguf, key);
    if (!v || v->kind != ARRAY || (v->of != of && v->of != or_of)) {
        return false;
    }
    *at = v->at;
    *n = v->n;
    return true;
}

bool gguf_array_floats(const struct gguf *gguf, const char *key, const void **floats,
                       int64_t *n) {
    const unsigned char *at;
    bool found = array_at(gguf, key, F32, F32, &at, n);
    *floats = found ? at : NULL;
    return found;
}

bool gguf_array_ints(const struct gguf *gguf, const char *key, const void **int32s,
                     int64_t *n) {
    const unsigned char *at;
    bool found = array_at(gguf, key, I32, U32, &at, n);
    *int32s = found ? at : NULL;
    return found;
}

bool gguf_array_bools(const struct gguf *gguf, const char *key, const unsigned char **flags,
                      int64_t *n) {
    return array_at(gguf, key, BOOL, BOOL, flags, n);
}

bool gguf_array_bytes(const struct gguf *gguf, const char *key, const void **bytes,
                      int64_t *n) {
    const unsigned char *at;
    bool found = array_at(gguf, key, U8, I8, &at, n);
    *bytes = found ? at : NULL;
    return found;
}

bool gguf_array_strings(const struct gguf *gguf, const char *key, struct gguf_strings *strings,
                        int64_t *n) {
    const unsigned char *at;
    if (!array_at(gguf, key, STRING, STRING, &at, n)) {
        return false;
    }
    *strings = (struct gguf_strings){ at, *n };
    return true;
}

bool gguf_next(struct gguf_strings *strings, const char **bytes, int64_t *length) {
    if (strings->left == 0) {
        return false;
    }
    *length = (int64_t)number(strings->at, 8);
    *bytes = (const char *)strings->at + 8;
    strings->at += 8 + *length;
    strings->left--;
    return true;
}

const char *gguf_kind(const struct gguf *gguf, const char *key) {
    const struct value *v = value_at(gguf, key);
    return v ? kinds[v->kind].name : NULL;
}
