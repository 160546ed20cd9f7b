#include "tests/fuzz/forge_gguf.h"

#include <string.h>

#include "tests/fuzz/damage.h"

static int64_t atoms(const struct forge_entry *entry) {
    return (int64_t)(entry->atoms->length / sizeof(struct forge_atom));
}

static struct forge_atom *atom_at(const struct forge_entry *entry, int64_t i) {
    return (struct forge_atom *)(void *)entry->atoms->data + i;
}

static void add_number(struct forge_entry *entry, uint64_t value, int size) {
    struct forge_atom atom = { .size = size, .value = value };
    buf_add(entry->atoms, &atom, sizeof atom);
}

static void add_text(struct arena *arena, struct forge_entry *entry, const char *bytes,
                     size_t length) {
    struct forge_atom atom = { .text = arena_text(arena, bytes, length), .length = length };
    add_number(entry, length, 8);
    buf_add(entry->atoms, &atom, sizeof atom);
}

/* Room for one more entry in a list. */
static struct forge_entry *grow(struct arena *arena, struct forge_entry **list, int64_t *count,
                                int64_t *room) {
    if (*count == *room) {
        struct forge_entry *before = *list;
        *room = *room ? 2 * *room : 32;
        *list = arena_array(arena, *room, sizeof **list);
        if (before) {
            memcpy(*list, before, (size_t)*count * sizeof *before);
        }
    }
    return &(*list)[(*count)++];
}

struct forge_gguf *forge_gguf_new(struct arena *arena) {
    struct forge_gguf *g = arena_alloc(arena, sizeof *g);
    g->arena = arena;
    g->alignment = 32;
    g->head.atoms = buf_new(arena);
    add_number(&g->head, 0x46554747, 4); /* GGUF */
    add_number(&g->head, 3, 4);
    add_number(&g->head, 0, 8);
    add_number(&g->head, 0, 8);
    return g;
}

/* ---- adding ---- */

void forge_gguf_key(struct forge_gguf *g, const char *key, enum forge_kind kind) {
    struct forge_entry *entry = grow(g->arena, &g->keys, &g->key_count, &g->key_room);
    entry->atoms = buf_new(g->arena);
    add_text(g->arena, entry, key, strlen(key));
    add_number(entry, kind, 4);
    atom_at(&g->head, 3)->value++;
}

void forge_gguf_number(struct forge_gguf *g, uint64_t value, int size) {
    add_number(&g->keys[g->key_count - 1], value, size);
}

void forge_gguf_text(struct forge_gguf *g, const char *bytes, size_t length) {
    add_text(g->arena, &g->keys[g->key_count - 1], bytes, length);
}

void forge_gguf_array(struct forge_gguf *g, const char *key, enum forge_kind of, int64_t n) {
    forge_gguf_key(g, key, FORGE_ARRAY);
    forge_gguf_number(g, of, 4);
    forge_gguf_number(g, (uint64_t)n, 8);
}

void forge_gguf_u32(struct forge_gguf *g, const char *key, uint32_t value) {
    forge_gguf_key(g, key, FORGE_U32);
    forge_gguf_number(g, value, 4);
}

void forge_gguf_f32(struct forge_gguf *g, const char *key, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    forge_gguf_key(g, key, FORGE_F32);
    forge_gguf_number(g, bits, 4);
}

void forge_gguf_flag(struct forge_gguf *g, const char *key, bool value) {
    forge_gguf_key(g, key, FORGE_BOOL);
    forge_gguf_number(g, value, 1);
}

void forge_gguf_string(struct forge_gguf *g, const char *key, const char *text) {
    forge_gguf_key(g, key, FORGE_STRING);
    forge_gguf_text(g, text, strlen(text));
}

void forge_gguf_tensor(struct forge_gguf *g, const char *name, int rank, const int64_t *shape,
                       int type, int64_t bytes) {
    struct forge_entry *entry = grow(g->arena, &g->tensors, &g->tensor_count, &g->tensor_room);
    int64_t offset = (g->data_size + g->alignment - 1) / g->alignment * g->alignment;
    entry->atoms = buf_new(g->arena);
    add_text(g->arena, entry, name, strlen(name));
    add_number(entry, (uint64_t)rank, 4);
    for (int i = rank - 1; i >= 0; i--) {
        add_number(entry, (uint64_t)shape[i], 8);
    }
    add_number(entry, (uint64_t)type, 4);
    add_number(entry, (uint64_t)offset, 8);
    g->data_size = offset + bytes;
    atom_at(&g->head, 2)->value++;
}

/* ---- changing ---- */

static struct forge_entry *copy_list(struct arena *arena, const struct forge_entry *list,
                                     int64_t count, int64_t *room) {
    *room = count + 8;
    struct forge_entry *copy = arena_array(arena, *room, sizeof *copy);
    for (int64_t i = 0; i < count; i++) {
        copy[i] = list[i];
    }
    return copy;
}

struct forge_gguf *forge_gguf_copy(struct arena *arena, const struct forge_gguf *other) {
    struct forge_gguf *g = arena_alloc(arena, sizeof *g);
    *g = *other;
    g->arena = arena;
    g->head.atoms = buf_new(arena);
    buf_add(g->head.atoms, other->head.atoms->data, other->head.atoms->length);
    g->keys = copy_list(arena, other->keys, g->key_count, &g->key_room);
    g->tensors = copy_list(arena, other->tensors, g->tensor_count, &g->tensor_room);
    return g;
}

/* A number becomes a bound, its neighbour, or another number of the file. */
static void change_number(struct dice *dice, struct forge_atom *atom,
                          const struct forge_entry *entry) {
    const struct forge_atom *other =
        atom_at(entry, (int64_t)dice_below(dice, (size_t)atoms(entry)));
    switch (dice_below(dice, 4)) {
    case 0:
        atom->value += dice_below(dice, 5) - 2;
        break;
    case 1:
        atom->value = other->size ? other->value : other->length;
        break;
    default:
        atom->value = damage_number(dice);
    }
}

/* A text becomes another; mostly its length, the number before it, goes along. */
static void change_text(struct arena *arena, struct dice *dice, struct forge_atom *atom) {
    struct json_text text = damage_text(arena, dice);
    atom->text = text.bytes;
    atom->length = text.length;
    if (!dice_once(dice, 8)) {
        atom[-1].value = text.length;
    }
}

/* One atom of an entry, which is copied first, since others may share it. */
static void change_entry(struct forge_gguf *g, struct dice *dice, struct forge_entry *entry) {
    struct buf *own = buf_new(g->arena);
    buf_add(own, entry->atoms->data, entry->atoms->length);
    entry->atoms = own;
    int64_t n = atoms(entry);
    /* Arrays are long: their heads are met as often as their elements. */
    int64_t most = n > 8 && dice_once(dice, 2) ? 8 : n;
    struct forge_atom *atom = atom_at(entry, (int64_t)dice_below(dice, (size_t)most));
    if (atom->size) {
        change_number(dice, atom, entry);
    } else {
        change_text(g->arena, dice, atom);
    }
}

/* Elements of an array are cut off or doubled; its count mostly goes along. */
static void change_array(struct forge_gguf *g, struct dice *dice, struct forge_entry *entry) {
    int64_t n = atoms(entry);
    if (n < 6 || atom_at(entry, 2)->value != FORGE_ARRAY) {
        change_entry(g, dice, entry);
        return;
    }
    int64_t each = atom_at(entry, 3)->value == FORGE_STRING ? 2 : 1;
    int64_t kept = (int64_t)dice_below(dice, (size_t)((n - 5) / each) + 1);
    struct buf *own = buf_new(g->arena);
    buf_add(own, entry->atoms->data, (size_t)(5 + kept * each) * sizeof(struct forge_atom));
    if (dice_once(dice, 2)) {
        buf_add(own, atom_at(entry, 5), (size_t)(n - 5) * sizeof(struct forge_atom));
        kept += (n - 5) / each;
    }
    entry->atoms = own;
    if (!dice_once(dice, 6)) {
        atom_at(entry, 4)->value = (uint64_t)kept;
    }
}

/* An entry is left out, doubled, or changes its place; mostly the count goes along. */
static void change_list(struct forge_gguf *g, struct dice *dice, bool keys) {
    struct forge_entry **list = keys ? &g->keys : &g->tensors;
    int64_t *count = keys ? &g->key_count : &g->tensor_count;
    if (*count == 0) {
        return;
    }
    int64_t i = (int64_t)dice_below(dice, (size_t)*count);
    int64_t k = (int64_t)dice_below(dice, (size_t)*count);
    struct forge_entry one = (*list)[i];
    switch (dice_below(dice, 3)) {
    case 0:
        memmove(*list + i, *list + i + 1, (size_t)(*count - i - 1) * sizeof one);
        --*count;
        break;
    case 1:
        *grow(g->arena, list, count, keys ? &g->key_room : &g->tensor_room) = one;
        break;
    default:
        (*list)[i] = (*list)[k];
        (*list)[k] = one;
    }
    if (!dice_once(dice, 8)) {
        atom_at(&g->head, keys ? 3 : 2)->value = (uint64_t)*count;
    }
}

void forge_gguf_damage(struct forge_gguf *g, struct dice *dice) {
    bool keys = !dice_once(dice, 3);
    int64_t n = keys ? g->key_count : g->tensor_count;
    struct forge_entry *list = keys ? g->keys : g->tensors;
    size_t which = dice_below(dice, 12);
    if (which == 0 || n == 0) {
        change_number(dice, atom_at(&g->head, (int64_t)dice_below(dice, 4)), &g->head);
    } else if (which < 3) {
        change_list(g, dice, keys);
    } else if (which < 6 && keys) {
        change_array(g, dice, &list[dice_below(dice, (size_t)n)]);
    } else if (which == 6) {
        g->data_size -= (int64_t)dice_below(dice, (size_t)g->data_size + 1);
    } else {
        change_entry(g, dice, &list[dice_below(dice, (size_t)n)]);
    }
}

/* ---- writing ---- */

static void write_entry(struct buf *out, const struct forge_entry *entry) {
    for (int64_t i = 0; i < atoms(entry); i++) {
        const struct forge_atom *atom = atom_at(entry, i);
        char bytes[8];
        for (int k = 0; k < atom->size; k++) {
            bytes[k] = (char)(atom->value >> (8 * k) & 0xff);
        }
        buf_add(out, atom->size ? bytes : atom->text,
                atom->size ? (size_t)atom->size : atom->length);
    }
}

struct buf *forge_gguf_bytes(const struct forge_gguf *g, const void *data) {
    struct buf *out = buf_new(g->arena);
    write_entry(out, &g->head);
    for (int64_t i = 0; i < g->key_count; i++) {
        write_entry(out, &g->keys[i]);
    }
    for (int64_t i = 0; i < g->tensor_count; i++) {
        write_entry(out, &g->tensors[i]);
    }
    while (out->length % (size_t)g->alignment) {
        buf_char(out, 0);
    }
    buf_add(out, data, (size_t)g->data_size);
    return out;
}
