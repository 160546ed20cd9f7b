#include "tests/fuzz/forge_safetensors.h"

#include <string.h>

#include "tests/fuzz/damage.h"

struct forge_safetensors *forge_safetensors_new(struct arena *arena) {
    struct forge_safetensors *s = arena_alloc(arena, sizeof *s);
    s->arena = arena;
    s->header = json_new(arena, JSON_OBJECT);
    struct json *metadata = json_new(arena, JSON_OBJECT);
    json_set(arena, metadata, "format", json_new_text(arena, "pt", 2));
    json_set(arena, s->header, "__metadata__", metadata);
    return s;
}

void forge_safetensors_tensor(struct forge_safetensors *s, const char *name, const char *dtype,
                              int rank, const int64_t *shape, int64_t bytes) {
    struct json *entry = json_new(s->arena, JSON_OBJECT);
    struct json *sizes = json_new(s->arena, JSON_ARRAY);
    struct json *offsets = json_new(s->arena, JSON_ARRAY);
    for (int i = 0; i < rank; i++) {
        json_add(sizes, json_new_int(s->arena, shape[i]));
    }
    json_add(offsets, json_new_int(s->arena, s->data_size));
    json_add(offsets, json_new_int(s->arena, s->data_size + bytes));
    json_set(s->arena, entry, "dtype", json_new_text(s->arena, dtype, strlen(dtype)));
    json_set(s->arena, entry, "shape", sizes);
    json_set(s->arena, entry, "data_offsets", offsets);
    json_set(s->arena, s->header, name, entry);
    s->data_size += bytes;
}

static struct json *any_tensor(struct forge_safetensors *s, struct dice *dice) {
    int64_t i = (int64_t)dice_below(dice, (size_t)s->header->count);
    struct json *entry = s->header->first;
    while (entry->next && i-- > 0) {
        entry = entry->next;
    }
    return entry;
}

static void set_numbers(struct arena *arena, struct json *entry, const char *key,
                        struct dice *dice) {
    struct json *list = json_new(arena, JSON_ARRAY);
    for (size_t n = dice_below(dice, 7); n > 0; n--) {
        json_add(list, json_new_int(arena, (int64_t)damage_number(dice)));
    }
    json_set(arena, entry, key, list);
}

void forge_safetensors_damage(struct forge_safetensors *s, struct dice *dice) {
    static const char *const dtypes[] = { "F64", "F32", "F16",  "BF16",    "I64", "I32",  "U8",
                                          "I8",  "U64", "BOOL", "F8_E4M3", "C64", "Q4_0", "F4",
                                          "U16", "I16", "U32",  "F8_E5M2", "f32", "F6_E2" };
    struct json *entry = any_tensor(s, dice), *other = any_tensor(s, dice);
    switch (dice_below(dice, 9)) {
    case 0:
        s->data_size -= (int64_t)dice_below(dice, (size_t)s->data_size + 1);
        break;
    case 1:
        s->data_size += (int64_t)dice_below(dice, 9); /* bytes that belong to no tensor */
        break;
    case 2: {
        const char *dtype = dice_of(dice, dtypes);
        json_set(s->arena, entry, "dtype", json_new_text(s->arena, dtype, strlen(dtype)));
        break;
    }
    case 3: {
        struct json_text key = entry->key; /* two tensors change their names */
        entry->key = other->key;
        other->key = key;
        break;
    }
    case 4:
        set_numbers(s->arena, entry, dice_once(dice, 2) ? "shape" : "data_offsets", dice);
        break;
    case 5:
        entry->first = other->first; /* one lies over the other */
        break;
    default:
        damage_tree(s->arena, dice, s->header);
    }
}

void forge_safetensors_mend(struct buf *bytes, int64_t data_size) {
    uint64_t length = bytes->length - 8 - (uint64_t)data_size;
    for (int i = 0; i < 8 && bytes->length >= 8 + (uint64_t)data_size; i++) {
        bytes->data[i] = (char)(length >> (8 * i) & 0xff);
    }
}

struct buf *forge_safetensors_bytes(const struct forge_safetensors *s, const void *data) {
    struct buf *out = buf_new(s->arena);
    buf_add(out, "\0\0\0\0\0\0\0", 8);
    json_print(out, s->header, false);
    while (out->length % 8) {
        buf_char(out, ' ');
    }
    buf_add(out, data, (size_t)s->data_size);
    forge_safetensors_mend(out, s->data_size);
    return out;
}
