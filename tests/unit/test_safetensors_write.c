#include "core/tensor/safetensors_write.h"

#include <string.h>

#include "core/base/file.h"
#include "tests/check.h"

/* Two tensors and a text, byte for byte as the format's description has it. */
TEST(safetensors_write_lays_out_the_file) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct tensor *a = tensor_new(arena, 2, (int64_t[]){ 1, 2 });
    struct tensor *b = tensor_new_of(arena, DTYPE_I64, 0, NULL);
    a->name = "a";
    b->name = "b";
    a->data[1] = 1;
    b->ints[0] = 7;
    struct safetensors_text text = { "title", "猫" };
    char *path = file_join(arena, check_folder(arena), "x.safetensors");
    const struct tensor *both[] = { a, b };
    check_int(safetensors_write_with(path, both, 2, &text, 1, &err), 0);
    struct file *file = file_map(arena, path, &err);
    const char *head = "{\"__metadata__\":{\"title\":\"猫\"},"
                       "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
                       "\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]}}";
    size_t length = (strlen(head) + 7) / 8 * 8;
    check_int(file->size, (long long)(8 + length + 16));
    check_int(file->bytes[0], (long long)length);
    check(memcmp(file->bytes + 8, head, strlen(head)) == 0);
    check(memcmp(file->bytes + 8 + length, (float[]){ 0, 1 }, 8) == 0);
    check(memcmp(file->bytes + 16 + length, (int64_t[]){ 7 }, 8) == 0);
}

TEST(safetensors_write_refuses_what_the_format_lacks) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct tensor *tensor = tensor_new(arena, 1, (int64_t[]){ 32 });
    const struct tensor *one[] = { tensor };
    char *path = file_join(arena, check_folder(arena), "x.safetensors");
    check_int(safetensors_write(path, one, 1, &err), -1);
    check_text(err.text, "no name");
    tensor->name = "w";
    tensor->dtype = DTYPE_Q4_1;
    check_int(safetensors_write(path, one, 1, &err), -1);
    check_text(err.text, "block-quantised");
    check(!file_exists(path));
}
