#include "core/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "tests/check.h"

/* ---- the golden fixtures: every row as the tokenizers library has it ---- */

static struct tokenizer *read_fixture(struct arena *arena, const char *name,
                                      struct json **expected) {
    struct err err = { 0 };
    const char *folder =
        check_fixture(arena, arena_printf(arena, "golden/data/tokenizers/%s", name));
    const char *path = file_join(arena, folder, "tokenizer.json");
    struct file *file = file_map(arena, path, &err);
    struct tokenizer *tokenizer =
        file ? tokenizer_read(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
    if (!check(tokenizer != NULL)) {
        check_same(err.text, "");
        return NULL;
    }
    path = file_join(arena, folder, "expected_tokens.json");
    file = file_map(arena, path, &err);
    *expected = file ? json_parse(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
    return check(*expected != NULL) ? tokenizer : NULL;
}

/* The row as JSON, so that a difference shows both sides whole. */
static void print_ids(struct jsonwrite *w, const char *key, const struct encoding *encoding) {
    json_key(w, key);
    json_open(w, '[');
    for (int64_t i = 0; i < encoding->count; i++) {
        json_int(w, encoding->tokens[i].id);
    }
    json_close(w, ']');
}

static void print_offsets(struct jsonwrite *w, const struct encoding *encoding) {
    json_key(w, "offsets");
    json_open(w, '[');
    for (int64_t i = 0; i < encoding->count; i++) {
        json_open(w, '[');
        json_int(w, encoding->tokens[i].begin);
        json_int(w, encoding->tokens[i].end);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void print_types(struct jsonwrite *w, const struct encoding *encoding) {
    json_key(w, "type_ids");
    json_open(w, '[');
    for (int64_t i = 0; i < encoding->count; i++) {
        json_int(w, encoding->tokens[i].type);
    }
    json_close(w, ']');
}

static void print_decoded(struct jsonwrite *w, struct arena *arena,
                          const struct tokenizer *tokenizer, const char *key,
                          const int32_t *ids, int64_t n, bool skip) {
    size_t length;
    char *text = tokenizer_decode(arena, tokenizer, ids, n, skip, &length);
    json_key(w, key);
    json_bytes(w, text, length);
}

static int32_t *ids_of(struct arena *arena, const struct encoding *encoding) {
    int32_t *ids = arena_array(arena, encoding->count, sizeof *ids);
    for (int64_t i = 0; i < encoding->count; i++) {
        ids[i] = encoding->tokens[i].id;
    }
    return ids;
}

static void print_encode(struct jsonwrite *w, struct arena *arena,
                         const struct tokenizer *tokenizer, const struct json *row) {
    struct err err;
    struct json_text text = json_at(row, "text")->text;
    struct encoding *whole =
        tokenizer_encode(arena, tokenizer, text.bytes, text.length, NULL, 0, true, &err);
    struct encoding *plain =
        tokenizer_encode(arena, tokenizer, text.bytes, text.length, NULL, 0, false, &err);
    if (!check(whole && plain)) {
        return;
    }
    tokenizer_points(whole, text.bytes, NULL);
    json_key(w, "text");
    json_bytes(w, text.bytes, text.length);
    print_ids(w, "ids", whole);
    print_offsets(w, whole);
    print_ids(w, "plain_ids", plain);
    print_decoded(w, arena, tokenizer, "decoded", ids_of(arena, plain), plain->count, false);
    print_decoded(w, arena, tokenizer, "decoded_skip", ids_of(arena, whole), whole->count,
                  true);
}

static void print_pair(struct jsonwrite *w, struct arena *arena,
                       const struct tokenizer *tokenizer, const struct json *row) {
    struct err err;
    struct json_text text = json_at(row, "text")->text, pair = json_at(row, "pair")->text;
    struct encoding *both = tokenizer_encode(arena, tokenizer, text.bytes, text.length,
                                             pair.bytes, pair.length, true, &err);
    if (!check(both != NULL)) {
        return;
    }
    tokenizer_points(both, text.bytes, pair.bytes);
    json_key(w, "text");
    json_bytes(w, text.bytes, text.length);
    json_key(w, "pair");
    json_bytes(w, pair.bytes, pair.length);
    print_ids(w, "ids", both);
    print_types(w, both);
    print_offsets(w, both);
}

static void print_decode(struct jsonwrite *w, struct arena *arena,
                         const struct tokenizer *tokenizer, const struct json *row) {
    const struct json *list = json_at(row, "ids");
    int32_t *ids = arena_array(arena, list->count, sizeof *ids);
    int64_t n = 0;
    json_key(w, "ids");
    json_open(w, '[');
    for (const struct json *id = list->first; id; id = id->next) {
        ids[n] = (int32_t)strtol(id->text.bytes, NULL, 10);
        json_int(w, ids[n++]);
    }
    json_close(w, ']');
    print_decoded(w, arena, tokenizer, "decoded", ids, n, false);
    print_decoded(w, arena, tokenizer, "decoded_skip", ids, n, true);
}

typedef void print_row(struct jsonwrite *w, struct arena *arena,
                       const struct tokenizer *tokenizer, const struct json *row);

static int64_t compare(struct arena *arena, const struct tokenizer *tokenizer,
                       const struct json *rows, print_row *print) {
    int64_t count = 0;
    for (const struct json *row = rows ? rows->first : NULL; row; row = row->next, count++) {
        struct buf *seen = buf_new(arena), *wanted = buf_new(arena);
        struct jsonwrite w = { .out = seen };
        json_open(&w, '{');
        print(&w, arena, tokenizer, row);
        json_close(&w, '}');
        json_print(wanted, row, false);
        check_same(seen->data, wanted->data);
    }
    return count;
}

static void compare_fixture(const char *name) {
    struct arena *arena = check_arena();
    struct json *expected = NULL;
    struct tokenizer *tokenizer = read_fixture(arena, name, &expected);
    if (tokenizer) {
        check_int(compare(arena, tokenizer, json_at(expected, "encode"), print_encode), 276);
        check_int(compare(arena, tokenizer, json_at(expected, "pair"), print_pair), 8);
        check_int(compare(arena, tokenizer, json_at(expected, "decode"), print_decode), 24);
    }
}

TEST(tokenizer_golden_wordpiece_uncased) {
    compare_fixture("wordpiece_uncased");
}

TEST(tokenizer_golden_wordpiece_cased) {
    compare_fixture("wordpiece_cased");
}

TEST(tokenizer_golden_bpe_smollm2) {
    compare_fixture("bpe_smollm2");
}
