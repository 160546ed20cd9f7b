#ifndef TESTS_FUZZ_FORGE_GGUF_H
#define TESTS_FUZZ_FORGE_GGUF_H

#include "core/base/buf.h"
#include "tests/fuzz/dice.h"

/* forge_gguf: GGUF files as lists of atoms (one number or one text each), so that any of them
 * can be made to lie before the file is written.
 *
 *     struct forge_gguf *g = forge_gguf_new(arena);
 *     forge_gguf_key(g, "a", FORGE_U8);
 *     forge_gguf_number(g, 200, 1);
 *     forge_gguf_tensor(g, "w", 2, (int64_t[]){ 3, 32 }, 0, 384);
 *     struct buf *bytes = forge_gguf_bytes(g, data);
 */

enum forge_kind {
    FORGE_U8,
    FORGE_I8,
    FORGE_U16,
    FORGE_I16,
    FORGE_U32,
    FORGE_I32,
    FORGE_F32,
    FORGE_BOOL,
    FORGE_STRING,
    FORGE_ARRAY,
    FORGE_U64,
    FORGE_I64,
    FORGE_F64
};

struct forge_atom {
    int size;       /* bytes of the number; 0: a text */
    uint64_t value; /* the number */
    const char *text;
    size_t length;
};

/* A run of atoms that belong together: the head, a key with its value, a tensor. */
struct forge_entry {
    struct buf *atoms; /* struct forge_atom */
};

struct forge_gguf {
    struct arena *arena;
    struct forge_entry head, *keys, *tensors;
    int64_t key_count, tensor_count, key_room, tensor_room;
    int64_t alignment, data_size; /* bytes */
};

struct forge_gguf *forge_gguf_new(struct arena *arena);

/* A copy whose entries may be changed; they are shared until they are. */
struct forge_gguf *forge_gguf_copy(struct arena *arena, const struct forge_gguf *other);

/* Begins a key. Its value follows. */
void forge_gguf_key(struct forge_gguf *g, const char *key, enum forge_kind kind);
void forge_gguf_number(struct forge_gguf *g, uint64_t value, int size);
void forge_gguf_text(struct forge_gguf *g, const char *bytes, size_t length);
void forge_gguf_array(struct forge_gguf *g, const char *key, enum forge_kind of, int64_t n);

/* Keys with their values. */
void forge_gguf_u32(struct forge_gguf *g, const char *key, uint32_t value);
void forge_gguf_f32(struct forge_gguf *g, const char *key, float value);
void forge_gguf_flag(struct forge_gguf *g, const char *key, bool value);
void forge_gguf_string(struct forge_gguf *g, const char *key, const char *text);

/* A tensor behind the last one; shape outermost first, as everywhere here; `type` as the format
 * numbers it; `bytes` of its data. */
void forge_gguf_tensor(struct forge_gguf *g, const char *name, int rank, const int64_t *shape,
                       int type, int64_t bytes);

/* One change that knows the format. */
void forge_gguf_damage(struct forge_gguf *g, struct dice *dice);

/* The file; its data are the first data_size bytes of `data`. */
struct buf *forge_gguf_bytes(const struct forge_gguf *g, const void *data);

#endif
