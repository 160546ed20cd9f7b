#include <math.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "core/result/column.h"
#include "core/result/result.h"
#include "tests/check.h"
#include "tests/looks.h"

/* attention [2, 2] between "the, \"a\"" and "猫". */
static struct result *small(struct arena *arena) {
    static const char *labels[] = { "the, \"a\"", "猫" };
    struct result *result = result_new(arena, "heatmap", 1);
    result->title = "Attention";
    result->finding = "The cat looks at itself.";
    result->model = "minilm";
    result->fingerprint = "3f2a91c04b5d6e7f";
    result->method = "attention pattern";
    result->dtype = "F32";
    result->seconds = 0.0041;
    struct series *series = &result->series[0];
    *series = (struct series){ .name = "attention",
                               .unit = "probability",
                               .high = 1,
                               .values = tensor_new(arena, 2, (int64_t[]){ 2, 2 }) };
    memcpy(series->values->data, (float[]){ 0.25F, 0.75F, 0.5F, 0.5F }, 4 * sizeof(float));
    series->axes[0] = (struct axis){ "query", 2, labels };
    series->axes[1] = (struct axis){ "key", 2, labels };
    return result;
}

/* The bytes that saving under that name gives. */
static const struct file *saved(struct arena *arena, const struct result *result,
                                const char *name) {
    struct err err = { 0 };
    char *path = file_join(arena, check_folder(arena), name);
    check_int(result_save(result, path, &err), 0);
    struct file *file = file_map(arena, path, &err);
    check(file != NULL);
    return file;
}

static bool holds(const struct file *file, const char *part) {
    return memmem(file->bytes, (size_t)file->size, part, strlen(part)) != NULL;
}

TEST(result_provenance_says_what_made_it) {
    struct arena *arena = check_arena();
    struct result *result = small(arena);
    result_note(arena, result, "unit", "word");
    check_same(result_provenance(arena, result),
               "minilm 3f2a91c0 · attention pattern · unit word · F32 · 4.1 ms");
    result->n = 500;
    result->seed = 7;
    result->seconds = 0;
    check_same(result_provenance(arena, result),
               "minilm 3f2a91c0 · attention pattern · unit word · n 500 · seed 7 · F32");
}

TEST(result_duration_chooses_its_unit) {
    struct arena *arena = check_arena();
    check_same(result_duration(arena, 0), "");
    check_same(result_duration(arena, 0.00025), "250 µs");
    check_same(result_duration(arena, 0.25), "250.0 ms");
    check_same(result_duration(arena, 2.34), "2.3 s");
}

TEST(result_keeps_many_notes) {
    struct arena *arena = check_arena();
    struct result *result = result_new(arena, "heatmap", 0);
    char key[] = "a";
    for (int i = 0; i < 20; i++) {
        key[0] = (char)('a' + i);
        result_note(arena, result, key, "x");
    }
    check_int(result->note_count, 20);
    check_same(result->notes[0].key, "a");
    check_same(result->notes[19].key, "t");
}

TEST(result_copy_outlives_its_source) {
    struct arena *arena = check_arena(), *first = arena_new();
    struct result *result = small(first);
    result_note(first, result, "unit", "word");
    struct result *copy = result_copy(arena, result);
    memset(result->series[0].values->data, 0, 4 * sizeof(float));
    arena_free(first);
    check_near(copy->series[0].values->data[1], 0.75, 0);
    check_same(copy->series[0].axes[1].labels[1], "猫");
    check_same(copy->notes[0].value, "word");
    check(result_at(copy, "attention") == &copy->series[0]);
    check(result_at(copy, "other") == NULL);
}

TEST(result_save_npy_is_what_numpy_reads) {
    struct arena *arena = check_arena();
    const struct file *file = saved(arena, small(arena), "a.npy");
    const char *head = "\x93NUMPY\x01\x00\x76\x00"
                       "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
    check_int(file->size, 128 + 16);
    check(memcmp(file->bytes, head, 10) == 0);
    check(memcmp(file->bytes + 10, head + 10, strlen(head + 10)) == 0);
    check(file->bytes[127] == '\n');
    check(memcmp(file->bytes + 128, (float[]){ 0.25F, 0.75F, 0.5F, 0.5F }, 16) == 0);
}

TEST(result_save_npy_writes_a_vector_with_its_comma) {
    struct arena *arena = check_arena();
    struct result *result = small(arena);
    result->series[0].values = tensor_new(arena, 1, (int64_t[]){ 3 });
    result->series[0].axes[0] = (struct axis){ "layer", 3, NULL };
    const struct file *file = saved(arena, result, "a.npy");
    check(memmem(file->bytes, 128, "'shape': (3,), }", 16) != NULL);
}

static uint32_t little(const unsigned char *bytes, int n) {
    uint32_t value = 0;
    for (int i = n - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* The directory at the end names every file, where it begins and its CRC; the first file is
 * the npy above; the labels and the provenance follow. */
TEST(result_save_npz_is_a_zip_of_all_arrays) {
    struct arena *arena = check_arena();
    const struct file *npy = saved(arena, small(arena), "a.npy");
    const struct file *file = saved(arena, small(arena), "a.npz");
    const unsigned char *end = file->bytes + file->size - 22;
    check(memcmp(end, "PK\5\6", 4) == 0);
    check_int(little(end + 10, 2), 4);
    static const char *const names[] = { "attention.npy", "attention.query.npy",
                                         "attention.key.npy", "provenance.npy" };
    const unsigned char *entry = file->bytes + little(end + 16, 4);
    for (int i = 0; i < 4; i++) {
        check(memcmp(entry, "PK\1\2", 4) == 0);
        check(little(entry + 28, 2) == strlen(names[i]));
        check(memcmp(entry + 46, names[i], strlen(names[i])) == 0);
        const unsigned char *local = file->bytes + little(entry + 42, 4);
        check(memcmp(local, "PK\3\4", 4) == 0);
        check(memcmp(local + 14, entry + 16, 12) == 0); /* crc and both sizes agree */
        if (i == 0) {
            check_int(little(local + 22, 4), npy->size);
            check(memcmp(local + 30 + strlen(names[0]), npy->bytes, (size_t)npy->size) == 0);
        }
        entry += 46 + strlen(names[i]);
    }
    check(entry == end);
}

/* Python's zlib.crc32 of the npy file above. */
TEST(result_save_npz_has_the_right_crc) {
    struct arena *arena = check_arena();
    const struct file *file = saved(arena, small(arena), "a.npz");
    check(little(file->bytes + 14, 4) == 0x96f5a0fbU);
}

TEST(result_save_csv_quotes_as_rfc_4180) {
    struct arena *arena = check_arena();
    const struct file *file = saved(arena, small(arena), "a.csv");
    check_same(arena_text(arena, (const char *)file->bytes, (size_t)file->size),
               "series,query,query_label,key,key_label,value\r\n"
               "attention,0,\"the, \"\"a\"\"\",0,\"the, \"\"a\"\"\",0.25\r\n"
               "attention,0,\"the, \"\"a\"\"\",1,猫,0.75\r\n"
               "attention,1,猫,0,\"the, \"\"a\"\"\",0.5\r\n"
               "attention,1,猫,1,猫,0.5\r\n");
}

TEST(result_save_csv_leaves_axes_empty_that_a_series_lacks) {
    struct arena *arena = check_arena();
    struct result *two = result_new(arena, "heatmap", 2);
    two->series[0] =
        (struct series){ .name = "a", .values = tensor_new(arena, 1, (int64_t[]){ 1 }) };
    two->series[1] =
        (struct series){ .name = "b", .values = tensor_new(arena, 1, (int64_t[]){ 2 }) };
    two->series[0].axes[0] = (struct axis){ "layer", 1, NULL };
    two->series[1].axes[0] = (struct axis){ "head", 2, NULL };
    const struct file *file = saved(arena, two, "a.csv");
    check_same(arena_text(arena, (const char *)file->bytes, (size_t)file->size),
               "series,layer,head,value\r\na,0,,0\r\nb,,0,0\r\nb,,1,0\r\n");
}

TEST(result_save_json_nests_the_values) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = small(arena);
    result->series[0].values->data[3] = NAN;
    const struct file *file = saved(arena, result, "a.json");
    struct json *tree = json_parse(arena, file->bytes, (size_t)file->size, "a.json", &err);
    check(tree != NULL);
    check_same(json_text_at(tree, "schema", ""), "cutaway.result.v1");
    struct json *series = json_at(tree, "series")->first;
    check_same(json_text_at(series, "name", ""), "attention");
    check_same(json_at(series, "axes")->first->next->first->text.bytes, "key");
    struct json *values = json_at(series, "values");
    check_int(values->count, 2);
    check_same(values->first->first->next->text.bytes, "0.75");
    check(values->first->next->first->next->kind == JSON_NULL);
}

TEST(result_save_safetensors_carries_the_labels) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct file *file = saved(arena, small(arena), "a.safetensors");
    uint32_t length = little(file->bytes, 4);
    check_int(length % 8, 0);
    struct json *head = json_parse(arena, file->bytes + 8, length, "a", &err);
    check(head != NULL);
    check_text(json_text_at(json_at(head, "__metadata__"), "attention.axes", ""), "猫");
    struct json *entry = json_at(head, "attention");
    check_same(json_text_at(entry, "dtype", ""), "F32");
    check_int(json_at(entry, "data_offsets")->count, 2);
    check_int(file->size, 8 + length + 16);
    check(memcmp(file->bytes + 8 + length, (float[]){ 0.25F, 0.75F }, 8) == 0);
}

/* Each value's own name goes into every form that has words. */
TEST(result_save_writes_the_names_of_values) {
    static const char *names[] = { "a", "b,c", "猫", "d" };
    struct arena *arena = check_arena();
    struct result *named = small(arena);
    named->series[0].names = names;
    struct result *result = result_copy(arena, named);
    names[1] = "changed";
    const struct file *csv = saved(arena, result, "r.csv");
    check(holds(csv, "query_label,key,key_label,name,value\r\n"));
    check(holds(csv, ",\"b,c\",0.75\r\n"));
    const struct file *json = saved(arena, result, "r.json");
    check(holds(json, "\"names\":[\"a\",\"b,c\",\"猫\",\"d\"]"));
    const struct file *tensors = saved(arena, result, "r.safetensors");
    check(holds(tensors, "attention.names"));
    const struct file *npz = saved(arena, result, "r.npz");
    check(holds(npz, "attention.names.npy"));
}

TEST(result_save_names_the_endings_it_knows) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    check_int(result_save(small(arena), "/tmp/x.docx", &err), -1);
    check(err.kind == ERR_OPTION);
    check_text(err.text, ".safetensors");
    check_int(result_save(small(arena), "plain", &err), -1);
    check_int(result_save(small(arena), "/no/such/folder/x.csv", &err), -1);
    check(err.kind == ERR_IO);
}

TEST(result_copy_looks_for_an_interrupt) {
    enum { MB = 1 << 20, ROWS = 8 * MB };
    struct arena *arena = check_arena();
    struct result *result = result_new(arena, "table", 1);
    column_new(arena, result, 0, "x", "", &(struct axis){ "row", ROWS, NULL });
    result->series[0].values->data[ROWS - 1] = 7;
    int64_t before = looks_count();
    const struct result *copy = result_copy(arena, result);
    check(looks_count() - before >= 8); /* 32 MB */
    check_near(copy->series[0].values->data[ROWS - 1], 7, 0);
}

/* A row may have a label as long as a text. */
TEST(result_save_looks_for_an_interrupt_in_each_row) {
    static const char *const endings[] = { "csv", "json", "npz", "safetensors" };
    enum { ROWS = 500 };
    struct arena *arena = check_arena();
    struct err err;
    const char **labels = arena_array(arena, ROWS, sizeof *labels);
    for (int i = 0; i < ROWS; i++) {
        labels[i] = "word";
    }
    struct result *result = result_new(arena, "table", 1);
    column_new(arena, result, 0, "x", "", &(struct axis){ "row", ROWS, labels });
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const char *path = arena_printf(arena, "%s/a.%s", check_folder(arena), endings[i]);
        int64_t before = looks_count();
        check_int(result_save(result, path, &err), 0);
        check(looks_count() - before >= ROWS);
    }
}
