#include "tests/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/weights.h"
#include "core/tensor/safetensors_write.h"

static struct arena *arena;
static struct err err;

static struct weights *fixture(const char *name) {
    arena = check_arena();
    err = (struct err){ 0 };
    char *path = arena_printf(arena, "golden/data/%s", name);
    return weights_open(arena, check_fixture(arena, path), &err);
}

/* Writes DIR/NAME with one float tensor [1]. */
static void one(const char *folder, const char *name, const char *tensor_name, float value) {
    struct tensor *tensor = tensor_new(arena, 1, (int64_t[]){ 1 });
    tensor->name = tensor_name;
    tensor->data[0] = value;
    check_int(safetensors_write(file_join(arena, folder, name),
                                (const struct tensor *[]){ tensor }, 1, &err),
              0);
}

/* Not file_write, which waits for the disk. */
static void text(const char *folder, const char *name, const char *content) {
    FILE *out = fopen(file_join(arena, folder, name), "we");
    check(out && fputs(content, out) >= 0 && fclose(out) == 0);
}

static const char *folder_of(void) {
    arena = check_arena();
    err = (struct err){ 0 };
    return check_folder(arena);
}

static void refused(const char *path, enum err_kind kind, const char *part, const char *other) {
    err = (struct err){ 0 };
    check(!weights_open(arena, path, &err));
    check(err.kind == kind);
    check_text(err.text, part);
    check_text(err.text, other);
}

TEST(weights_opens_a_folder) {
    struct weights *w = fixture("models/bert_cls");
    if (!check(w != NULL)) {
        return;
    }
    const struct tensor *t = weights_at(w, "bert.embeddings.word_embeddings.weight");
    check(t && t->rank == 2 && t->shape[0] == 640 && t->shape[1] == 32);
    check(w->format == WEIGHTS_SAFETENSORS && !w->gguf);
    check(!weights_at(w, "bert.embeddings"));
    check_int(strlen(w->fingerprint), 16);
    for (int64_t i = 1; i < w->count; i++) {
        check(strcmp(w->tensors[i - 1].name, w->tensors[i].name) < 0);
    }
}

TEST(weights_opens_shards) {
    struct weights *w = fixture("models/gpt_neox");
    if (!check(w != NULL)) {
        return;
    }
    check(weights_at(w, "embed_out.weight") != NULL);
    check(weights_at(w, "gpt_neox.layers.1.mlp.dense_4h_to_h.weight") != NULL);
}

TEST(weights_opens_gguf) {
    struct weights *w = fixture("gguf/llama/model.gguf");
    if (!check(w != NULL)) {
        return;
    }
    const struct tensor *t = weights_at(w, "token_embd.weight");
    check(t && t->rank == 2);
    check(w->format == WEIGHTS_GGUF && w->gguf);
}

TEST(weights_need_names_both_shapes) {
    struct weights *w = fixture("models/bert_cls");
    const char *name = "bert.embeddings.word_embeddings.weight";
    if (!check(w != NULL)) {
        return;
    }
    check(weights_need(w, name, 2, (int64_t[]){ -1, 32 }, &err) != NULL);
    check(!weights_need(w, name, 2, (int64_t[]){ 640, 48 }, &err));
    check(err.kind == ERR_FORMAT);
    check_text(err.text, "[640, 32]");
    check_text(err.text, "[640, 48]");
    check(!weights_need(w, "x.weight", 1, (int64_t[]){ 1 }, &err));
    check_text(err.text, "x.weight is missing");
}

TEST(weights_fingerprint_knows_a_twin) {
    const char *folder = folder_of();
    one(folder, "a.safetensors", "a", 1);
    one(folder, "b.safetensors", "a", 1);
    one(folder, "c.safetensors", "a", 2);
    struct weights *a = weights_open(arena, file_join(arena, folder, "a.safetensors"), &err);
    struct weights *b = weights_open(arena, file_join(arena, folder, "b.safetensors"), &err);
    struct weights *c = weights_open(arena, file_join(arena, folder, "c.safetensors"), &err);
    if (check(a && b && c)) {
        check_same(a->fingerprint, b->fingerprint);
        check(strcmp(a->fingerprint, c->fingerprint) != 0);
    }
}

TEST(weights_refuses_a_pickle_and_says_why) {
    const char *folder = folder_of();
    text(folder, "pytorch_model.bin", "PK\3\4...");
    refused(folder, ERR_UNSUPPORTED, "pytorch_model.bin", "safe_serialization=True");
    refused(file_join(arena, folder, "pytorch_model.bin"), ERR_UNSUPPORTED, "pickle",
            "any code");
}

TEST(weights_refuses_a_folder_without_weights) {
    const char *folder = folder_of();
    refused(folder, ERR_MODEL, folder, "model.safetensors");
    refused(file_join(arena, folder, "none.gguf"), ERR_IO, "none.gguf", "No such file");
}

TEST(weights_refuses_what_is_no_model) {
    const char *folder = folder_of();
    text(folder, "a.txt", "hello, world");
    refused(file_join(arena, folder, "a.txt"), ERR_FORMAT, "a.txt", "header length");
    text(folder, "empty.safetensors", "");
    refused(file_join(arena, folder, "empty.safetensors"), ERR_FORMAT, "0 bytes", "too few");
    check_int(
        file_write(file_join(arena, folder, "none.safetensors"), "\2\0\0\0\0\0\0", 7, &err), 0);
    refused(file_join(arena, folder, "none.safetensors"), ERR_FORMAT, "7 bytes", "too few");
    check_int(
        file_write(file_join(arena, folder, "no.safetensors"), "\2\0\0\0\0\0\0\0{}", 10, &err),
        0);
    refused(file_join(arena, folder, "no.safetensors"), ERR_FORMAT, "no.safetensors",
            "no tensors");
    mkfifo(file_join(arena, folder, "model.safetensors"), 0600);
    refused(file_join(arena, folder, "model.safetensors"), ERR_IO, "not a regular file",
            "pipe");
}

TEST(weights_refuses_shards_that_lead_elsewhere) {
    static const char *const names[] = {
        "../a.safetensors", "/etc/passwd", ".hidden", "", "a/b", "a\\u0000b"
    };
    const char *folder = folder_of();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        text(folder, "model.safetensors.index.json",
             arena_printf(arena, "{\"weight_map\":{\"t\":\"%s\"}}", names[i]));
        refused(folder, ERR_FORMAT, "model.safetensors.index.json", "no plain file name");
    }
}

/* However often and in whatever order an index names its shards. */
TEST(weights_opens_each_shard_once) {
    const char *folder = folder_of();
    one(folder, "1.safetensors", "a", 1);
    one(folder, "2.safetensors", "b", 1);
    text(folder, "model.safetensors.index.json",
         "{\"weight_map\":{\"b\":\"2.safetensors\",\"a\":\"1.safetensors\","
         "\"b\":\"2.safetensors\",\"a\":\"1.safetensors\"}}");
    struct weights *weights = weights_open(arena, folder, &err);
    check(weights && weights->count == 2);
}

TEST(weights_refuses_an_index_that_lies) {
    const char *folder = folder_of();
    one(folder, "1.safetensors", "a", 1);
    one(folder, "2.safetensors", "a", 1);
    text(folder, "model.safetensors.index.json",
         "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\"}}");
    refused(folder, ERR_FORMAT, "tensor b", "no shard");
    text(folder, "model.safetensors.index.json",
         "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}");
    refused(folder, ERR_FORMAT, "tensor a", "twice");
    text(folder, "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"3.safetensors\"}}");
    refused(folder, ERR_IO, "3.safetensors", "No such file");
    text(folder, "model.safetensors.index.json", "{\"weight_map\":{}}");
    refused(folder, ERR_FORMAT, "weight_map", "empty");
    text(folder, "model.safetensors.index.json", "{\"weight_map\":[]}");
    refused(folder, ERR_FORMAT, "an object", "byte");
    text(folder, "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"1.safetensors\"}");
    refused(folder, ERR_FORMAT, "model.safetensors.index.json", "byte");
}
