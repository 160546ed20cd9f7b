#include "tests/fuzz/damage.h"

#include <string.h>

uint64_t damage_number(struct dice *dice) {
    static const uint64_t edges[] = {
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        12,
        31,
        33,
        64,
        255,
        256,
        4097,
        65535,
        65537,
        1000000,
        1000001,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        0x1fffffffffffffff,
        0x2000000000000001,
        0x3fffffffffffffff,
        0x7fffffffffffffe0,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xfffffffffffffff8,
        0xffffffffffffffff,
    };
    return dice_of(dice, edges);
}

/* n times the character; more rarely more of them. */
static struct json_text repeated(struct arena *arena, struct dice *dice, const char *one) {
    static const size_t times[] = { 17, 60, 200, 256, 300, 1000, 5000 };
    size_t n = dice_of(dice, times), length = strlen(one);
    char *bytes = arena_raw(arena, n * length + 1);
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes + i * length, one, length);
    }
    return (struct json_text){ bytes, n * length };
}

struct json_text damage_text(struct arena *arena, struct dice *dice) {
    static const char *const texts[] = {
        "",       "x",      " ",           "\xff\xfe",  "\xe2\x80\xae",       "\xc3",
        "a\x01b", "../../", "/etc/passwd", "%s%n",      "\xf0\x9f\x98\x80",   "<0x41>",
        "<0xGG>", "NaN",    "-1",          "weight",    "{{ 7 * 7 }}",        "llama",
        "gelu",   "[UNK]",  "##",          "\xc4\xa0",  "\xe2\x96\x81",       "\xcc\x81",
        "F32",    "yarn",   "Q4_K",        "ByteLevel", "\xed\xa0\x80 alone",
    };
    static const char *const ones[] = { "a", "\xc3\xa9", "(", "[", "\xcc\x81", "\xe2\x96\x81" };
    if (dice_once(dice, 8)) {
        return repeated(arena, dice, dice_of(dice, ones));
    }
    if (dice_once(dice, 12)) {
        return (struct json_text){ "a\0b", 3 };
    }
    const char *text = dice_of(dice, texts);
    return (struct json_text){ text, strlen(text) };
}

/* ---- trees ---- */

static int64_t nodes(const struct json *value) {
    int64_t n = 1;
    for (const struct json *one = value->first; one; one = one->next) {
        n += nodes(one);
    }
    return n;
}

/* The node of that number below `value` (which is number 0), and what holds it. */
static struct json *node_at(struct json *value, int64_t *number, struct json **parent) {
    if ((*number)-- == 0) {
        return value;
    }
    for (struct json *one = value->first; one; one = one->next) {
        *parent = value;
        struct json *found = node_at(one, number, parent);
        if (found) {
            return found;
        }
    }
    return NULL;
}

/* Any but the root; NULL in an empty tree. */
static struct json *any_node(struct dice *dice, struct json *root, struct json **parent) {
    int64_t n = nodes(root), number = 1 + (int64_t)dice_below(dice, (size_t)(n - 1));
    *parent = NULL;
    return n > 1 ? node_at(root, &number, parent) : NULL;
}

/* A number node is written as its spelling stands, so it can hold anything. */
static void set_raw(struct json *value, const char *text) {
    value->kind = JSON_NUMBER;
    value->text = (struct json_text){ text, strlen(text) };
    value->first = NULL;
    value->count = 0;
}

static const char *deep(struct arena *arena, struct dice *dice) {
    static const size_t depths[] = { 3, 17, 63, 64, 65, 3000 };
    static const char *const opens[] = { "[", "{\"a\":", "[[]," };
    struct buf *text = buf_new(arena);
    const char *open = dice_of(dice, opens);
    size_t depth = dice_of(dice, depths);
    for (size_t i = 0; i < depth; i++) {
        buf_text(text, open);
    }
    buf_text(text, "1");
    for (size_t i = 0; i < depth; i++) {
        buf_text(text, open[0] == '[' ? "]" : "}");
    }
    return text->data;
}

static void other_value(struct arena *arena, struct dice *dice, struct json *value) {
    static const char *const valid[] = {
        "-1",
        "0",
        "1",
        "2",
        "3",
        "7",
        "16",
        "1.5",
        "-0.0",
        "1e308",
        "1e-320",
        "2147483647",
        "2147483648",
        "4294967295",
        "4611686018427387904",
        "9223372036854775807",
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[0,0]",
        "[1,1,1,1,1,1]",
        "[null]",
        "{\"a\":1}",
        "{\"type\":\"Sequence\"}",
        "\"\\u0000\"",
        "\"\\u202e\"",
    };
    static const char *const invalid[] = {
        "1e400",
        "9223372036854775808",
        "18446744073709551616",
        "NaN",
        "-Infinity",
        "0x10",
        "01",
        "\"\\ud800\"",
        "\"\xff\"",
        "\"",
        "",
        ",",
        "1 1",
    };
    if (dice_once(dice, 3)) {
        value->kind = JSON_STRING;
        value->text = damage_text(arena, dice);
        value->first = NULL;
    } else if (dice_once(dice, 12)) {
        set_raw(value, deep(arena, dice));
    } else if (dice_once(dice, 8)) {
        set_raw(value, arena_printf(arena, "%lld", (long long)(int64_t)damage_number(dice)));
    } else {
        set_raw(value, dice_once(dice, 6) ? dice_of(dice, invalid) : dice_of(dice, valid));
    }
}

/* A number moves a little, so that sizes no longer agree. */
static void nudge(struct arena *arena, struct dice *dice, struct json *value) {
    if (value->kind == JSON_NUMBER) {
        long long number = 0;
        for (size_t i = 0; i < value->text.length && i < 15; i++) {
            char c = value->text.bytes[i];
            number = c >= '0' && c <= '9' ? number * 10 + c - '0' : number;
        }
        static const int steps[] = { -2, -1, 1, 2, 8 };
        number = dice_once(dice, 4) ? number * 2 : number + dice_of(dice, steps);
        set_raw(value, arena_printf(arena, "%lld", number));
    } else {
        other_value(arena, dice, value);
    }
}

static void leave_out(struct json *parent, const struct json *node) {
    for (struct json **at = &parent->first; *at; at = &(*at)->next) {
        if (*at == node) {
            *at = node->next;
            parent->count--;
            return;
        }
    }
}

/* The node once more, behind itself, `times` times (a large one once). The copies share what is
 * below. */
static void repeat(struct arena *arena, struct json *parent, struct json *node, size_t times) {
    for (size_t i = 0; i < (nodes(node) > 40 ? 1 : times); i++) {
        struct json *twin = json_new(arena, node->kind);
        *twin = *node;
        node->next = twin;
        parent->count++;
    }
}

/* Takes over the other's value, not its key, unless members belong to it: it might hold itself.
 */
static void take_over(struct json *node, const struct json *other) {
    if (!other->first) {
        node->kind = other->kind;
        node->text = other->text;
        node->first = NULL;
        node->count = 0;
    }
}

void damage_tree(struct arena *arena, struct dice *dice, struct json *root) {
    static const size_t times[] = { 1, 1, 1, 2, 40, 300 };
    struct json *parent, *other_parent, *node = any_node(dice, root, &parent);
    if (!node) {
        other_value(arena, dice, root);
        return;
    }
    switch (dice_below(dice, 10)) {
    case 0:
    case 1:
    case 2:
        other_value(arena, dice, node);
        break;
    case 3:
    case 4:
        nudge(arena, dice, node);
        break;
    case 5:
        leave_out(parent, node);
        break;
    case 6:
        repeat(arena, parent, node, dice_of(dice, times));
        break;
    case 7:
        node->key = damage_text(arena, dice);
        break;
    case 8:
        take_over(node, any_node(dice, root, &other_parent));
        break;
    default:
        node->key = any_node(dice, root, &other_parent)->key;
    }
}

/* ---- bytes ---- */

/* Puts `n` bytes of text, which lie elsewhere, in the place of `length` bytes. */
static void splice(struct buf *bytes, size_t at, size_t length, const char *text, size_t n) {
    size_t rest = bytes->length - at - length;
    if (n > length) {
        buf_more(bytes, n - length);
    }
    memmove(bytes->data + at + n, bytes->data + at + length, rest);
    memcpy(bytes->data + at, text, n);
    bytes->length = at + n + rest;
    bytes->data[bytes->length] = '\0';
}

/* Up to 40 bytes are cut out, doubled, or put elsewhere. */
static void move_piece(struct dice *dice, struct buf *bytes) {
    char piece[40];
    size_t at = dice_below(dice, bytes->length), rest = bytes->length - at;
    size_t n = dice_below(dice, rest < sizeof piece ? rest : sizeof piece);
    memcpy(piece, bytes->data + at, n);
    if (dice_once(dice, 2)) {
        splice(bytes, at, n, "", 0);
    }
    if (!dice_once(dice, 3)) {
        splice(bytes, dice_below(dice, bytes->length), 0, piece, n);
    }
}

void damage_bytes(struct dice *dice, struct buf *bytes) {
    if (bytes->length == 0) {
        return;
    }
    size_t at = dice_below(dice, bytes->length);
    switch (dice_below(dice, 8)) {
    case 0:
        bytes->length = at;
        break;
    case 1:
    case 2:
        move_piece(dice, bytes);
        break;
    case 3:
        bytes->data[at] = (char)dice_next(dice);
        break;
    default:
        bytes->data[at] ^= (char)(1 << dice_below(dice, 8));
    }
}

void damage_json(struct dice *dice, struct buf *bytes) {
    static const char *const others[] = {
        "-1",       "0",           "1e400",    "18446744073709551616",
        "null",     "\"\\u0000\"", "[]",       "{}",
        "\"\\u202", "{\"a\":[",    "",         ",",
        "\"x",      "tru",         "\"\xff\"", "]",
        "}",        "-",           "1.",       "[,1]",
        "\\",
    };
    size_t at = dice_below(dice, bytes->length), end;
    while (at < bytes->length && !strchr(":[,", bytes->data[at])) {
        at++;
    }
    at += at < bytes->length;
    for (end = at; end < bytes->length && !strchr(",]}", bytes->data[end]);) {
        end++;
    }
    const char *other = dice_of(dice, others);
    splice(bytes, at, end - at, other, strlen(other));
}
