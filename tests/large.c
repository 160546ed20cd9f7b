#include "tests/large.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "tests/fuzz/forge_gguf.h"

const struct large large_llama7b = { 32, 32, 4096, 11008, 32000 };

enum { PARTS = 9, ALL_MOST = 4096 };

/* The tensors in the order of their layers, by both names. */
struct one {
    char name[80], gguf[80];
    int64_t rows, columns; /* rows 0: a vector */
};

static int64_t list(const struct large *large, struct one *all) {
    static const struct {
        const char *name, *gguf;
    } parts[PARTS] = {
        { "self_attn.q_proj", "attn_q" },
        { "self_attn.k_proj", "attn_k" },
        { "self_attn.v_proj", "attn_v" },
        { "self_attn.o_proj", "attn_output" },
        { "mlp.gate_proj", "ffn_gate" },
        { "mlp.up_proj", "ffn_up" },
        { "mlp.down_proj", "ffn_down" },
        { "input_layernorm", "attn_norm" },
        { "post_attention_layernorm", "ffn_norm" },
    };
    int64_t n = 0, width = large->width, inner = large->inner;
    all[n++] =
        (struct one){ "model.embed_tokens.weight", "token_embd.weight", large->vocab, width };
    for (int64_t l = 0; l < large->layers && n + PARTS + 2 <= ALL_MOST; l++) {
        for (int i = 0; i < PARTS; i++) {
            struct one *one = &all[n++];
            snprintf(one->name, sizeof one->name, "model.layers.%d.%s.weight", (int)l,
                     parts[i].name);
            snprintf(one->gguf, sizeof one->gguf, "blk.%d.%s.weight", (int)l, parts[i].gguf);
            one->rows = i < 4 ? width : i < 6 ? inner : i == 6 ? width : 0;
            one->columns = i == 6 ? inner : width;
        }
    }
    all[n++] = (struct one){ "model.norm.weight", "output_norm.weight", 0, width };
    all[n++] = (struct one){ "lm_head.weight", "output.weight", large->vocab, width };
    return n;
}

/* The head, then zeros that nobody has to store. */
static void write_sparse(const char *path, const struct buf *head, int64_t data) {
    FILE *file = fopen(path, "wbe");
    if (!file || fwrite(head->data, 1, head->length, file) != head->length ||
        fflush(file) != 0 || ftruncate(fileno(file), (off_t)head->length + data) < 0 ||
        fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

static int64_t bytes_of(const struct one *one) {
    return 2 * (one->rows ? one->rows : 1) * one->columns;
}

/* One shard with the tensors begin .. end - 1. */
static void write_shard(struct arena *arena, const char *path, const struct one *all,
                        int64_t begin, int64_t end) {
    struct buf *head = buf_new(arena);
    int64_t at = 0;
    buf_add(head, "\0\0\0\0\0\0\0", 8);
    for (int64_t i = begin; i < end; i++) {
        buf_printf(head, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[", i > begin ? "," : "{",
                   all[i].name);
        if (all[i].rows) {
            buf_printf(head, "%lld,", (long long)all[i].rows);
        }
        buf_printf(head, "%lld],\"data_offsets\":[%lld,%lld]}", (long long)all[i].columns,
                   (long long)at, (long long)(at + bytes_of(&all[i])));
        at += bytes_of(&all[i]);
    }
    buf_text(head, "}");
    while (head->length % 8) {
        buf_char(head, ' ');
    }
    for (int i = 0; i < 8; i++) {
        head->data[i] = (char)((head->length - 8) >> (8 * i) & 0xff);
    }
    write_sparse(path, head, at);
}

static void write_config(struct arena *arena, const char *folder, const struct large *large) {
    const char *text = arena_printf(
        arena,
        "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"],"
        "\"hidden_size\":%lld,\"intermediate_size\":%lld,\"num_hidden_layers\":%lld,"
        "\"num_attention_heads\":%lld,\"vocab_size\":%lld,\"max_position_embeddings\":4096,"
        "\"rms_norm_eps\":1e-5,\"tie_word_embeddings\":false}",
        (long long)large->width, (long long)large->inner, (long long)large->layers,
        (long long)large->heads, (long long)large->vocab);
    file_write(file_join(arena, folder, "config.json"), text, strlen(text), NULL);
}

void large_folder(const char *folder, const struct large *large, int shards) {
    struct arena *arena = arena_new();
    struct one *all = arena_array(arena, ALL_MOST, sizeof *all);
    struct buf *index = buf_new(arena);
    int64_t n = list(large, all);
    buf_text(index, "{\"metadata\":{\"total_size\":0},\"weight_map\":{");
    for (int s = 0; s < shards; s++) {
        int64_t begin = n * s / shards, end = n * (s + 1) / shards;
        const char *name = arena_printf(arena, "model-%05d-of-%05d.safetensors", s + 1, shards);
        write_shard(arena, file_join(arena, folder, name), all, begin, end);
        for (int64_t i = begin; i < end; i++) {
            buf_printf(index, "%s\"%s\":\"%s\"", i ? "," : "", all[i].name, name);
        }
    }
    buf_text(index, "}}");
    file_write(file_join(arena, folder, "model.safetensors.index.json"), index->data,
               index->length, NULL);
    write_config(arena, folder, large);
    arena_free(arena);
}

void large_gguf(const char *path, const struct large *large) {
    enum { Q4_K = 12, BLOCK = 256, BLOCK_BYTES = 144 };
    struct arena *arena = arena_new();
    struct one *all = arena_array(arena, ALL_MOST, sizeof *all);
    struct forge_gguf *g = forge_gguf_new(arena);
    int64_t n = list(large, all);
    forge_gguf_string(g, "general.architecture", "llama");
    forge_gguf_u32(g, "llama.block_count", (uint32_t)large->layers);
    forge_gguf_u32(g, "llama.attention.head_count", (uint32_t)large->heads);
    forge_gguf_u32(g, "llama.embedding_length", (uint32_t)large->width);
    forge_gguf_u32(g, "llama.feed_forward_length", (uint32_t)large->inner);
    forge_gguf_u32(g, "llama.context_length", 4096);
    forge_gguf_f32(g, "llama.attention.layer_norm_rms_epsilon", 1e-5F);
    for (int64_t i = 0; i < n; i++) {
        const struct one *one = &all[i];
        int64_t count = (one->rows ? one->rows : 1) * one->columns;
        forge_gguf_tensor(
            g, one->gguf, one->rows ? 2 : 1,
            one->rows ? (int64_t[]){ one->rows, one->columns } : (int64_t[]){ one->columns, 0 },
            one->rows ? Q4_K : 0, one->rows ? count / BLOCK * BLOCK_BYTES : 4 * count);
    }
    int64_t data = g->data_size;
    g->data_size = 0;
    write_sparse(path, forge_gguf_bytes(g, ""), data);
    arena_free(arena);
}
