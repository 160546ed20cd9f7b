#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/model/gguf.h"

/* ---- making files ---- */

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 };

static struct buf *out;

static void put(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
        buf_char(out, i < 8 ? (char)(value >> (8 * i) & 0xff) : 0);
    }
}

static void put_text(const char *text) {
    put(strlen(text), 8);
    buf_text(out, text);
}

static void begin(uint64_t tensors, uint64_t keys) {
    out = buf_new(check_arena());
    buf_text(out, "GGUF");
    put(3, 4);
    put(tensors, 8);
    put(keys, 8);
}

static void key(const char *name, int kind) {
    put_text(name);
    put((uint64_t)kind, 4);
}

static void tensor(const char *name, int rank, const uint64_t *sizes, int type,
                   uint64_t offset) {
    put_text(name);
    put((uint64_t)rank, 4);
    for (int i = 0; i < rank; i++) {
        put(sizes[i], 8);
    }
    put((uint64_t)type, 4);
    put(offset, 8);
}

static void data(size_t n) {
    while (out->length % 32) {
        buf_char(out, 0);
    }
    memset(buf_more(out, n), 0, n);
}

/* ---- reading them, at the end of a page ---- */

static struct tensor *tensors;
static int64_t count;
static struct err err;

static struct gguf *read_made(void) {
    struct file *file = arena_alloc(check_arena(), sizeof *file);
    file->bytes = check_guarded(check_arena(), out->data, out->length);
    file->size = (int64_t)out->length;
    file->path = "x.gguf";
    err = (struct err){ 0 };
    return gguf_read(check_arena(), file, &tensors, &count, &err);
}

static void refused(enum err_kind kind, const char *part, const char *other) {
    check(!read_made());
    check_int(err.kind, kind);
    check_text(err.text, "x.gguf");
    check_text(err.text, part);
    check_text(err.text, other);
}

/* One of everything. */
static void make_good(void) {
    begin(2, 8);
    key("general.architecture", STRING);
    put_text("llama");
    key("a.u8", U8);
    put(200, 1);
    key("a.i16", I16);
    put((uint64_t)-5, 2);
    key("a.f32", F32);
    put(0x3fc00000, 4);
    key("a.bool", BOOL);
    put(1, 1);
    key("a.strings", ARRAY);
    put(STRING, 4);
    put(2, 8);
    put_text("one");
    put_text("");
    key("a.floats", ARRAY);
    put(F32, 4);
    put(2, 8);
    put(0x3f800000, 4);
    put(0x40000000, 4);
    key("a.ints", ARRAY);
    put(I32, 4);
    put(1, 8);
    put((uint64_t)-1, 4);
    tensor("w", 2, (uint64_t[]){ 32, 3 }, 3, 0); /* Q4_1, 3 rows of 20 bytes */
    tensor("b", 1, (uint64_t[]){ 2 }, 0, 64);
    data(72);
}

TEST(gguf_reads_tensors_and_values) {
    make_good();
    struct gguf *gguf = read_made();
    if (!check(gguf != NULL) || !check_int(count, 2)) {
        return;
    }
    check(tensors[0].rank == 2 && tensors[0].shape[0] == 3 && tensors[0].shape[1] == 32);
    check(tensors[0].dtype == DTYPE_Q4_1 && tensors[1].dtype == DTYPE_F32);
    check_same(tensors[1].name, "b");
    check_int((const char *)tensors[1].bytes - (const char *)tensors[0].bytes, 64);

    int64_t whole = 0, n = 0;
    double number = 0;
    bool flag = false;
    const char *bytes;
    const void *array;
    struct gguf_strings strings;
    check(gguf_int(gguf, "a.u8", &whole) && whole == 200);
    check(gguf_int(gguf, "a.i16", &whole) && whole == -5);
    check(gguf_float(gguf, "a.f32", &number) && number == 1.5);
    check(gguf_bool(gguf, "a.bool", &flag) && flag);
    check(gguf_string(gguf, "general.architecture", &bytes, &n) && n == 5);
    check(gguf_array_floats(gguf, "a.floats", &array, &n) && n == 2);
    check(gguf_array_ints(gguf, "a.ints", &array, &n) && n == 1);
    check(gguf_array_strings(gguf, "a.strings", &strings, &n) && n == 2);
    check(gguf_next(&strings, &bytes, &n) && n == 3 && memcmp(bytes, "one", 3) == 0);
    check(gguf_next(&strings, &bytes, &n) && n == 0);
    check(!gguf_next(&strings, &bytes, &n));
}

/* A published reader took scores of another type as floats and read four times too far. */
TEST(gguf_never_takes_one_type_for_another) {
    make_good();
    struct gguf *gguf = read_made();
    int64_t whole, n;
    double number;
    bool flag;
    const char *bytes;
    const void *array;
    struct gguf_strings strings;
    if (!check(gguf != NULL)) {
        return;
    }
    check(!gguf_array_floats(gguf, "a.ints", &array, &n));
    check(!gguf_array_ints(gguf, "a.floats", &array, &n));
    check(!gguf_array_floats(gguf, "a.strings", &array, &n));
    check(!gguf_array_strings(gguf, "a.ints", &strings, &n));
    check(!gguf_array_floats(gguf, "a.f32", &array, &n));
    check(!gguf_int(gguf, "a.f32", &whole) && !gguf_int(gguf, "a.bool", &whole));
    check(!gguf_int(gguf, "general.architecture", &whole) && !gguf_int(gguf, "a.ints", &whole));
    check(!gguf_float(gguf, "a.u8", &number) && !gguf_bool(gguf, "a.u8", &flag));
    check(!gguf_string(gguf, "a.strings", &bytes, &n));
    check(!gguf_int(gguf, "absent", &whole) && !gguf_kind(gguf, "absent"));
    check_same(gguf_kind(gguf, "a.strings"), "array");
}

TEST(gguf_takes_no_number_that_does_not_fit) {
    begin(0, 2);
    key("a", U64);
    put(UINT64_MAX, 8);
    key("b", I64);
    put(UINT64_MAX, 8);
    struct gguf *gguf = read_made();
    int64_t whole = 0;
    check(gguf && !gguf_int(gguf, "a", &whole));
    check(gguf && gguf_int(gguf, "b", &whole) && whole == -1);
}

TEST(gguf_refuses_every_truncation) {
    make_good();
    struct buf *good = out;
    struct arena *arena = check_arena();
    for (size_t n = 0; n < good->length; n++) {
        struct arena_mark mark = arena_mark(arena);
        struct file cut = { check_guarded(arena, good->data, n), (int64_t)n, "x.gguf", 0 };
        err = (struct err){ 0 };
        check(!gguf_read(arena, &cut, &tensors, &count, &err));
        check(err.kind == ERR_FORMAT);
        check_text(err.text, "x.gguf, byte");
        arena_rewind(arena, mark);
    }
}

TEST(gguf_refuses_other_versions) {
    begin(0, 0);
    out->data[0] = 'g';
    refused(ERR_FORMAT, "does not begin with GGUF", "byte 0");
    begin(0, 0);
    out->data[4] = 1;
    refused(ERR_UNSUPPORTED, "version 1", "2 and 3");
    begin(0, 0);
    out->data[4] = 9;
    refused(ERR_UNSUPPORTED, "version 9", "2 and 3");
    begin(0, 0);
    out->data[4] = 0;
    out->data[7] = 3;
    refused(ERR_UNSUPPORTED, "big-endian", "little-endian");
}

/* Counts that wrapped when they were multiplied by a size (CVE-2024-21836, -23605, -21825). */
TEST(gguf_refuses_counts_that_cannot_be) {
    begin(0x2000000000000001, 0);
    refused(ERR_FORMAT, "number of tensors is 2305843009213693953", "at most 1000000");
    begin(0, UINT64_MAX);
    refused(ERR_FORMAT, "metadata keys is 18446744073709551615", "at most");
    begin(5, 0);
    refused(ERR_FORMAT, "number of tensors is 5", "only 8 bytes follow");
    begin(0, 1);
    key("a", ARRAY);
    put(STRING, 4);
    put(0x2000000000000000, 8);
    refused(ERR_FORMAT, "a is 2305843009213693952", "at most");
    begin(0, 1);
    key("a", ARRAY);
    put(U64, 4);
    put(1000, 8);
    put(0, 8);
    refused(ERR_FORMAT, "a is 1000", "8 bytes follow");
}

/* length + 1 wrapped to 0 (CVE-2024-23496). */
TEST(gguf_refuses_strings_that_cannot_be) {
    begin(0, 1);
    put(UINT64_MAX, 8);
    put(0, 8);
    refused(ERR_FORMAT, "length of a metadata key is 18446744073709551615", "at most");
    begin(0, 1);
    key("a", STRING);
    put(UINT64_MAX, 8);
    refused(ERR_FORMAT, "a: a string of 18446744073709551615 bytes", "0 follow");
    begin(0, 1);
    key("a", STRING);
    put(4, 8);
    buf_text(out, "abc");
    refused(ERR_FORMAT, "a string of 4 bytes", "3 follow");
    begin(0, 1);
    key("a", ARRAY);
    put(STRING, 4);
    put(2, 8);
    put(0, 8);
    put(UINT64_MAX - 7, 8);
    refused(ERR_FORMAT, "a: a string of 18446744073709551608", "follow");
}

TEST(gguf_refuses_wrong_types) {
    begin(0, 1);
    key("a", 13);
    put(0, 8);
    refused(ERR_FORMAT, "a has the type 13", "0 to 12");
    begin(0, 1);
    key("a", ARRAY);
    put(99, 4);
    put(0, 8);
    refused(ERR_FORMAT, "a has the type 99", "byte");
    begin(0, 1);
    key("a", BOOL);
    put(2, 1);
    refused(ERR_FORMAT, "a: a bool is 2", "neither");
    begin(0, 1);
    key("a", ARRAY);
    put(BOOL, 4);
    put(2, 8);
    put(0xff01, 2);
    refused(ERR_FORMAT, "a: a bool is 255", "neither");
}

/* Readers that recursed into arrays of arrays ran out of stack. */
TEST(gguf_refuses_arrays_of_arrays) {
    begin(0, 1);
    key("a", ARRAY);
    for (int i = 0; i < 100000; i++) {
        put(ARRAY, 4);
        put(1, 8);
    }
    refused(ERR_FORMAT, "a is an array of arrays", "byte");
}

TEST(gguf_refuses_bad_names) {
    begin(0, 1);
    key("", U8);
    put(0, 1);
    refused(ERR_FORMAT, "metadata key", "empty");
    begin(0, 1);
    key("a\xe2\x80\xae"
        "b",
        U8); /* U+202E turns the reading direction */
    put(0, 1);
    refused(ERR_FORMAT, "metadata key", "u{202e}");
    begin(1, 0);
    put(3, 8);
    buf_add(out, "a\0b", 3);
    put(0, 24);
    refused(ERR_FORMAT, "tensor name", "a\\x00b");
    begin(0, 2);
    key("twin", U8);
    put(0, 1);
    key("twin", U8);
    put(0, 1);
    refused(ERR_FORMAT, "twin", "twice");
}

/* n_dims was not limited and written past the end of an array (CVE-2024-21802). */
TEST(gguf_refuses_shapes_that_cannot_be) {
    begin(1, 0);
    tensor("a", 5, (uint64_t[]){ 1, 1, 1, 1, 1 }, 0, 0);
    data(32);
    refused(ERR_FORMAT, "tensor a has 5 dimensions", "at most 4");
    begin(1, 0);
    tensor("a", 2, (uint64_t[]){ 4, 0 }, 0, 0); /* a division by this was a crash */
    data(32);
    refused(ERR_FORMAT, "tensor a", "size 0");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ UINT64_MAX }, 0, 0);
    data(32);
    refused(ERR_FORMAT, "tensor a", "size 18446744073709551615");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 33 }, 3, 0);
    data(64);
    refused(ERR_FORMAT, "tensor a", "Q4_1 blocks of 32");
}

/* The elements fit 64 bits, their bytes do not (CVE-2026-33298); and the sum of offset and size
 * wraps (CVE-2025-53630). */
TEST(gguf_refuses_sizes_that_overflow) {
    begin(1, 0);
    tensor("a", 3, (uint64_t[]){ 1024, 1ULL << 40, 1ULL << 12 }, 0, 0);
    data(32);
    refused(ERR_FORMAT, "tensor a", "overflows");
    begin(1, 0);
    tensor("a", 4, (uint64_t[]){ 1ULL << 32, 1ULL << 32, 1ULL << 32, 1 }, 24, 0);
    data(32);
    refused(ERR_FORMAT, "tensor a", "overflows");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 64 }, 0, INT64_MAX - 31);
    data(256);
    refused(ERR_FORMAT, "tensor a", "do not lie");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 8 }, 0, UINT64_MAX - 31);
    data(32);
    refused(ERR_FORMAT, "tensor a", "18446744073709551584");
}

/* Offset and size beyond the file leaked what lay behind it (CVE-2026-7482). */
TEST(gguf_refuses_tensors_outside_and_over_each_other) {
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 9 }, 0, 0);
    data(32);
    refused(ERR_FORMAT, "36 bytes at offset 0", "32 bytes of data");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 8 }, 0, 32);
    data(32);
    refused(ERR_FORMAT, "32 bytes at offset 32", "32 bytes of data");
    begin(2, 0);
    tensor("a", 1, (uint64_t[]){ 16 }, 0, 0);
    tensor("b", 1, (uint64_t[]){ 8 }, 0, 32);
    data(64);
    refused(ERR_FORMAT, "a and b overlap", "32");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 2 }, 0, 4);
    data(64);
    refused(ERR_FORMAT, "tensor a: the offset 4", "general.alignment 32");
    begin(1, 0);
    tensor("a", 1, (uint64_t[]){ 32 }, 4, 0); /* a type withdrawn from the format */
    data(64);
    refused(ERR_UNSUPPORTED, "tensor a has the number type 4", "Q4_1");
}

static void alignment(int kind, uint64_t value, int bytes, const char *part) {
    begin(0, 1);
    key("general.alignment", kind);
    put(value, bytes);
    refused(ERR_FORMAT, "general.alignment", part);
}

TEST(gguf_refuses_bad_alignments) {
    alignment(U32, 0, 4, "is 0");
    alignment(U32, 48, 4, "48, not a power of two");
    alignment(U32, 1, 4, "is 1");
    alignment(U32, 0x80000000, 4, "2147483648");
    alignment(U64, 1ULL << 63, 8, "type u64");
    alignment(F32, 0x42000000, 4, "type f32");
    alignment(I32, (uint64_t)-32, 4, "-32");
}

TEST(gguf_refuses_one_part_of_a_split_model) {
    begin(0, 1);
    key("split.count", U16);
    put(3, 2);
    refused(ERR_UNSUPPORTED, "one of 3 parts", "--merge");
}
