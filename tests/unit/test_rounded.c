#include "core/model/rounded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/tensor/quant.h"
#include "tests/check.h"
#include "tests/fixture.h"

/* Sixteen steps of 1/2 from -3: what lies between goes to the nearest. */
TEST(rounded_block_takes_even_steps) {
    float values[4] = { -3, 4.5F, 0.26F, -0.76F };
    rounded_block(values, 4, 4);
    check_near(values[0], -3, 0);
    check_near(values[1], 4.5, 0);
    check_near(values[2], 0.5, 0);
    check_near(values[3], -1, 0);
}

/* Two bits: 0, 1, 2, 3. */
TEST(rounded_block_keeps_two_bits) {
    float values[5] = { 0, 3, 1.4F, 1.6F, 2.6F };
    const float wanted[5] = { 0, 3, 1, 2, 3 };
    rounded_block(values, 5, 2);
    for (int i = 0; i < 5; i++) {
        check_near(values[i], wanted[i], 0);
    }
}

/* Step and smallest are float16: 1/3 is 0.333251953125 there. */
TEST(rounded_block_steps_are_halves) {
    float values[2] = { 0, 1 };
    rounded_block(values, 2, 2);
    check_near(values[1], 3 * 0.333251953125, 1e-7);
}

TEST(rounded_block_leaves_what_is_flat_or_broken) {
    float flat[2] = { 0.1F, 0.1F }, broken[3] = { 0.1F, NAN, 0.7F };
    rounded_block(flat, 2, 4);
    rounded_block(broken, 3, 2);
    check_near(flat[1], 0.1F, 0);
    check_near(broken[2], 0.7F, 0);
    check(isnan(broken[1]));
}

/* The copy opens; vectors are the same, each block of a matrix has at most 2^bits values, none
 * further from its own than half a step. */
TEST(rounded_copy_is_a_model) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct model *whole = fixture_model("bert_cls");
    setenv("XDG_CACHE_HOME", check_folder(arena), 1);
    const char *folder = whole ? rounded_write(arena, whole, 3, &err) : NULL;
    const struct model *copy = folder ? model_open(arena, folder, &err) : NULL;
    check_same(err.text, "");
    if (!check(copy)) {
        return;
    }
    check_int(copy->parameters, whole->parameters);
    for (int64_t i = 0; i < whole->weights->count; i++) {
        const struct tensor *a = &whole->weights->tensors[i];
        const struct tensor *b = weights_at(copy->weights, a->name);
        if (!check(b) || a->dtype != DTYPE_F32 || a->rank > 2) {
            continue;
        }
        int64_t n = tensor_count(a) < ROUNDED_BLOCK ? tensor_count(a) : ROUNDED_BLOCK;
        n = a->rank == 2 && a->shape[1] < n ? a->shape[1] : n;
        float low = a->data[0], high = a->data[0], most = 0;
        for (int64_t k = 0; k < n; k++) {
            low = fminf(low, a->data[k]);
            high = fmaxf(high, a->data[k]);
            most = fmaxf(most, fabsf(a->data[k] - b->data[k]));
        }
        check(most <= (a->rank < 2 ? 0 : (high - low) / 14 * 1.01F + 1e-3F * fabsf(low)));
    }
}

TEST(rounded_refuses_what_is_quantised) {
    struct err err = { 0 };
    const struct model *model = fixture_open("gguf/llama/model.gguf");
    check(model && !rounded_write(check_arena(), model, 4, &err));
    check_int(err.kind, ERR_UNSUPPORTED);
    check_text(err.text, "rounding takes a folder with config.json");
}

static void copy(const char *from, const char *to, const char *name, const char *more) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct file *file = file_map(arena, file_join(arena, from, name), &err);
    if (check(file)) {
        const struct file_piece pieces[] = { { file->bytes, (size_t)file->size },
                                             { more, strlen(more) } };
        check_int(file_write_pieces(file_join(arena, to, name), pieces, 2, &err), 0);
    }
}

/* A model of the same weights whose config.json ends with a blank more. */
TEST(rounded_copies_differ_where_what_lies_beside_differs) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const struct model *one = fixture_model("bert_cls");
    const char *folder = check_folder(arena);
    if (!one) {
        return;
    }
    copy(one->path, folder, "config.json", " ");
    copy(one->path, folder, "tokenizer.json", "");
    copy(one->path, folder, "model.safetensors", "");
    const struct model *two = model_open(arena, folder, &err);
    check_same(err.text, "");
    if (!check(two)) {
        return;
    }
    check_same(two->weights->fingerprint, one->weights->fingerprint);
    setenv("XDG_CACHE_HOME", check_folder(arena), 1);
    const char *first = rounded_write(arena, one, 3, &err);
    const char *other = rounded_write(arena, two, 3, &err);
    const char *again = rounded_write(arena, one, 3, &err);
    check_same(err.text, "");
    if (check(first && other && again)) {
        check(strcmp(first, other) != 0);
        check_same(first, again);
    }
}
