#include "tests/check.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/model/need.h"
#include "core/tensor/safetensors_write.h"
#include "tests/large.h"

/* ---- models of billions of weights ---- */

static struct model *opened(const char *path) {
    struct err err = { 0 };
    int64_t before = arena_held();
    struct model *model = model_open(check_arena(), path, &err);
    if (!check(model != NULL)) {
        printf("  %s\n", err.text);
    }
    check(arena_held() - before <
          8000000); /* norms as float32, names: nothing of the weights */
    return model;
}

TEST(large_sharded_models_open_without_being_read) {
    const char *folder = check_folder(check_arena());
    large_folder(folder, &large_llama7b, 3);
    struct model *model = opened(folder);
    check(model && model->parameters == 6738415616);
    check(model && model->weights->bytes == 2 * model->parameters);
}

TEST(large_gguf_models_open_without_being_read) {
    const char *path = file_join(check_arena(), check_folder(check_arena()), "7b.gguf");
    large_gguf(path, &large_llama7b);
    struct model *model = opened(path);
    check(model && model->parameters == 6738415616);
    check(model && strcmp(model->dtype, "Q4_K") == 0);
}

/* A recurrent network has neither neurons nor heads: to keep them costs nothing. */
TEST(need_counts_what_the_architecture_has) {
    struct err err = { 0 };
    const struct model *model = model_open(
        check_arena(), check_fixture(check_arena(), "golden/data/models/lstm_lm"), &err);
    if (!check(model != NULL)) {
        return;
    }
    struct pass pass = { .batch = 1, .tokens = 8 };
    memset(pass.keep, true, sizeof pass.keep);
    struct need plain = need_of(model, &pass, 0);
    struct config odd_config = *model->config;
    struct model odd = *model;
    odd.config = &odd_config;
    odd_config.head_width = odd_config.heads = odd_config.kv_heads = 1000001;
    struct need need = need_of(&odd, &pass, 0);
    check(plain.kept > 0);
    check_near(need.kept, plain.kept, 0);
}

/* 4.9 TB of weights: more than is free on any machine that runs this. */
TEST(need_refuses_a_model_that_memory_cannot_hold) {
    static const struct large huge = { 1, 1, 1 << 18, 8, 1 << 22 };
    const char *folder = check_folder(check_arena());
    struct err err = { 0 };
    large_folder(folder, &huge, 3);
    struct model *model = opened(folder);
    if (!model) {
        return;
    }
    int64_t before = arena_held();
    struct pass pass = {
        .arena = check_arena(), .batch = 1, .tokens = 1, .ids = (int32_t[]){ 7 }
    };
    check(!model_run(model, &pass, &err));
    check_int(err.kind, ERR_MEMORY);
    check_text(err.text, "needs 494");
    check_text(err.text, "MB are free; take a smaller model");
    check(arena_held() - before < 100000);
}

/* ---- passes ---- */

/* Two layers of 3 heads, width 6, inner 8, 10 tokens of vocabulary; T = 4, B = 2. */
TEST(need_is_the_sum_of_the_sites) {
    struct config config = { .layers = 2,
                             .heads = 3,
                             .kv_heads = 1,
                             .width = 6,
                             .head_width = 2,
                             .inner = 8,
                             .vocab = 10 };
    struct weights weights = { .bytes = 1000 };
    static const enum site sites[] = { SITE_RESIDUAL, SITE_KEY,    SITE_ATTENTION,
                                       SITE_NEURONS,  SITE_LOGITS, SITE_COUNT };
    static const struct arch arch = { .sites = sites };
    struct model model = { .arch = &arch, .config = &config, .weights = &weights };
    struct pass pass = { .batch = 2, .tokens = 4 };
    struct need need = need_of(&model, &pass, 0);
    check(need.kept == 0 && need.weights == 1000);
    check(need.scratch == 4 * 8 * (60 + 16));
    pass.keep[SITE_ATTENTION] = true;
    check(need_of(&model, &pass, 0).kept == 4 * 2 * (2 * 3 * 4 * 4));
    pass.keep[SITE_RESIDUAL] = true;
    check(need_of(&model, &pass, 0).kept == 4 * 2 * (2 * 3 * 4 * 4) + 4 * 3 * (8 * 6));
    pass.keep[SITE_KEY] = pass.keep[SITE_LOGITS] = true;
    check(need_of(&model, &pass, 0).kept ==
          4 * 2 * (2 * 3 * 4 * 4) + 4 * 3 * (8 * 6) + 4 * 2 * (8 * 2) + 4 * 8 * 10);
    pass.wanted = 1;
    check(need_of(&model, &pass, 0).kept ==
          4 * 2 * (2 * 3 * 4 * 4) + 4 * 3 * (8 * 6) + 4 * 2 * (8 * 2) + 4 * 10);
    pass.take = (void (*)(void *, enum site, int64_t, const struct tensor *))1;
    check(need_of(&model, &pass, 0).kept == 0);
}

static const char *const parts[] = { "attention.self.query", "attention.self.key",
                                     "attention.self.value", "attention.output.dense",
                                     "intermediate.dense",   "output.dense" };

enum { LAYERS = 3, HEADS = 12, WIDTH = 48, INNER = 64, VOCAB = 50, TOKENS = 512 };

static struct tensor *zeros(enum dtype dtype, const char *name, int rank, int64_t rows,
                            int64_t columns) {
    struct tensor *tensor =
        tensor_new_of(check_arena(), dtype, rank,
                      rank == 2 ? (int64_t[]){ rows, columns } : (int64_t[]){ rows, 0 });
    tensor->name = name;
    return tensor;
}

/* A BERT of few weights and many tokens, written in that type. */
static struct model *small_bert(enum dtype dtype) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena);
    const struct tensor *all[100];
    struct err err = { 0 };
    int64_t n = 0;
    all[n++] = zeros(dtype, "embeddings.word_embeddings.weight", 2, VOCAB, WIDTH);
    all[n++] = zeros(dtype, "embeddings.position_embeddings.weight", 2, TOKENS, WIDTH);
    all[n++] = zeros(dtype, "embeddings.token_type_embeddings.weight", 2, 2, WIDTH);
    all[n++] = zeros(dtype, "embeddings.LayerNorm.weight", 1, WIDTH, 0);
    all[n++] = zeros(dtype, "embeddings.LayerNorm.bias", 1, WIDTH, 0);
    for (int l = 0; l < LAYERS; l++) {
        for (int i = 0; i < 6; i++) {
            const char *name = arena_printf(arena, "encoder.layer.%d.%s", l, parts[i]);
            int64_t rows = i == 4 ? INNER : WIDTH, columns = i == 5 ? INNER : WIDTH;
            all[n++] = zeros(dtype, arena_printf(arena, "%s.weight", name), 2, rows, columns);
            all[n++] = zeros(dtype, arena_printf(arena, "%s.bias", name), 1, rows, 0);
        }
        for (int i = 0; i < 4; i++) {
            all[n++] = zeros(dtype,
                             arena_printf(arena, "encoder.layer.%d.%soutput.LayerNorm.%s", l,
                                          i < 2 ? "attention." : "", i % 2 ? "bias" : "weight"),
                             1, WIDTH, 0);
        }
    }
    const char *config =
        "{\"model_type\":\"bert\",\"architectures\":[\"BertModel\"],"
        "\"hidden_size\":48,\"num_hidden_layers\":3,\"num_attention_heads\":12,"
        "\"intermediate_size\":64,\"vocab_size\":50}";
    safetensors_write(file_join(arena, folder, "model.safetensors"), all, n, &err);
    file_write(file_join(arena, folder, "config.json"), config, strlen(config), &err);
    struct model *model = model_open(arena, folder, &err);
    if (!check(model != NULL)) {
        printf("  %s\n", err.text);
    }
    return model;
}

static struct pass long_pass(void) {
    struct pass pass = { .arena = check_arena(), .batch = 1, .tokens = TOKENS };
    pass.ids = arena_array(check_arena(), TOKENS, sizeof *pass.ids);
    pass.keep[SITE_ATTENTION] = pass.keep[SITE_RESIDUAL] = true;
    return pass;
}

TEST(need_refuses_a_pass_beyond_the_budget) {
    struct model *model = small_bert(DTYPE_F32);
    struct pass pass = long_pass();
    struct err err = { 0 };
    if (!model) {
        return;
    }
    int64_t before = arena_held();
    arena_budget(before + 10000000);
    check(!model_run(model, &pass, &err));
    arena_budget(0);
    check_int(err.kind, ERR_MEMORY);
    check_text(err.text, "over 512 tokens needs 39.4 MB (38.1 kept, 1.2 to compute with)");
    check_text(err.text, "can have 10.0 MB");
    check_int(arena_held(), before);
}

TEST(need_names_the_limit_that_the_user_set) {
    struct model *model = small_bert(DTYPE_F32);
    struct pass pass = long_pass();
    struct err err = { 0 };
    memory_limit(arena_held() + 10000000);
    check(model && need_check(model, &pass, 0, &err) < 0);
    check(memory_cause() == MEMORY_LIMIT);
    memory_limit(0);
    arena_budget(0);
    check_text(err.text, "can have 10.0 MB (as %limit says; %limit off lifts it); keep less");
    check(memory_cause() != MEMORY_LIMIT);
}

static void let_go(void *arena) {
    arena_free(*(struct arena **)arena);
    *(struct arena **)arena = NULL;
}

TEST(need_counts_what_makes_way) {
    struct model *model = small_bert(DTYPE_F32);
    struct pass pass = long_pass();
    struct err err = { 0 };
    struct arena *kept = arena_new();
    arena_alloc(kept, 60000000);
    arena_on_shortage(let_go, &kept);
    arena_budget(arena_held() + 10000000);
    check(model && need_check(model, &pass, 0, &err) == 0);
    arena_budget(0);
    arena_on_shortage(NULL, NULL);
    check(!kept);
}

/* Resident bytes that belong to no file. */
static double resident(void) {
    char line[200];
    long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "RssAnon: %lld kB", &kilobytes);
    }
    check(file && fclose(file) == 0 && kilobytes > 0);
    return (double)kilobytes * 1024;
}

static double most;

static void look(void *arg, int64_t done, int64_t of) {
    (void)arg, (void)done, (void)of;
    double now = resident();
    most = now > most ? now : most;
}

/* Looked at between layers, and when the run is over. */
static void check_growth(enum dtype dtype) {
    struct model *model = small_bert(dtype);
    struct pass pass = long_pass();
    struct err err = { 0 };
    if (!model) {
        return;
    }
    double kept = need_of(model, &pass, 0).kept;
    pass.progress = look;
    malloc_trim(0);
    double before = most = resident();
    check(model_run(model, &pass, &err) != NULL);
    look(NULL, 0, 0);
    check(kept > 38e6);
    if (!check(most - before < 1.3 * kept)) {
        printf("  %s: grew by %.1f MB for %.1f MB kept\n", dtype_name(dtype),
               (most - before) / 1e6, kept / 1e6);
    }
}

TEST(pass_takes_little_more_memory_than_it_keeps) {
    check_growth(DTYPE_F32);
}

TEST(pass_takes_little_more_memory_with_double_weights) {
    check_growth(DTYPE_F64);
}

/* ---- the machine ---- */

TEST(memory_free_is_less_than_the_machine_has) {
    int64_t all = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    int64_t free = memory_free();
    check(free > 0 && free < all);
}
