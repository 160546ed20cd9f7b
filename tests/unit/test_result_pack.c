/* result_pack: what is taken back is the same in everything; what is damaged is refused, or is
 * a result all the same. */
#include "core/result/result_pack.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/result/column.h"
#include "core/result/result_id.h"
#include "tests/any_result.h"
#include "tests/check.h"
#include "tests/fuzz/damage.h"
#include "tests/looks.h"
#include "tests/sample.h"

static struct buf *packed(struct arena *arena, const struct result *result) {
    int64_t n;
    struct file_piece *pieces = result_pack(arena, result, &n);
    struct buf *all = buf_new(arena);
    for (int64_t i = 0; i < n; i++) {
        buf_add(all, pieces[i].bytes, pieces[i].length);
    }
    check_int(result_pack_size(pieces, n), all->length);
    int64_t bytes = (int64_t)all->length;
    check_int(result_pack_bytes(result, bytes), bytes);
    check(result_pack_bytes(result, bytes - 1) > bytes - 1);
    check(result_pack_bytes(result, 0) > 0);
    return all;
}

static const struct result *unpacked(struct arena *arena, const struct buf *bytes,
                                     struct err *err) {
    char *copy = arena_raw(arena, bytes->length);
    memcpy(copy, bytes->data, bytes->length);
    return result_unpack(arena, copy, (int64_t)bytes->length, err);
}

static bool same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_texts(const char *const *a, const char *const *b, int64_t n) {
    bool same = !a == !b;
    for (int64_t i = 0; a && same && i < n; i++) {
        same = same_text(a[i], b[i]);
    }
    return same;
}

static bool same_series(const struct series *a, const struct series *b) {
    const struct tensor *x = a->values, *y = b->values;
    bool same = same_text(a->name, b->name) && same_text(a->unit, b->unit) &&
                a->low == b->low && a->high == b->high && a->is_signed == b->is_signed &&
                a->adds == b->adds && a->log == b->log && x->dtype == y->dtype &&
                x->rank == y->rank && same_text(x->name, y->name) &&
                tensor_bytes(x) == tensor_bytes(y);
    for (int i = 0; same && i < x->rank; i++) {
        const struct axis *one = &a->axes[i], *other = &b->axes[i];
        same = one->count == other->count && x->shape[i] == y->shape[i] &&
               same_text(one->name, other->name) &&
               same_texts(one->labels, other->labels, one->count);
    }
    same = same && memcmp(x->bytes, y->bytes, (size_t)tensor_bytes(x)) == 0 &&
           same_texts(a->names, b->names, tensor_count(x)) && !a->rests == !b->rests;
    return same &&
           (!a->rests || memcmp(a->rests, b->rests, (size_t)a->axes[x->rank - 1].count) == 0);
}

static bool same_result(const struct result *a, const struct result *b) {
    bool same = same_text(a->kind, b->kind) && same_text(a->title, b->title) &&
                same_text(a->finding, b->finding) && same_text(a->caption, b->caption) &&
                same_text(a->text, b->text) && same_text(a->model, b->model) &&
                same_text(a->fingerprint, b->fingerprint) && same_text(a->method, b->method) &&
                same_text(a->dtype, b->dtype) && a->n == b->n && a->seed == b->seed &&
                a->seconds == b->seconds && a->count == b->count &&
                a->note_count == b->note_count;
    for (int64_t i = 0; same && i < a->note_count; i++) {
        same = same_text(a->notes[i].key, b->notes[i].key) &&
               same_text(a->notes[i].value, b->notes[i].value);
    }
    for (int64_t i = 0; same && i < a->count; i++) {
        same = same_series(&a->series[i], &b->series[i]);
    }
    return same;
}

TEST(result_pack_brings_every_kind_back) {
    static const char *const list[] = { "a", "", "猫坐在垫子上", "two words\nand a line",
                                        "<b>\"x\"</b>" };
    const struct any_words words = { list, 5 };
    for (int kind = 0; kind < ANY_KINDS; kind++) {
        for (int64_t n = 1; n < 20; n += 6) {
            struct err err = { 0 };
            const struct result *result =
                any_result(check_arena(), (enum any_kind)kind, &words, n);
            const struct result *again =
                unpacked(check_arena(), packed(check_arena(), result), &err);
            check(again && same_result(result, again));
            check_same(result_id(check_arena(), again), result_id(check_arena(), result));
        }
    }
}

/* What no command makes yet, but a struct result can say. */
TEST(result_pack_brings_what_is_rare_back) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct result *result = result_new(arena, "heatmap", 4);
    const int64_t shape[] = { 2, 3 }, none[] = { 0, 3 };
    const char *labels[] = { "x", NULL, "z" };
    const bool rests[] = { true, false, true };
    result->model = result->dtype = NULL;
    result->n = 7;
    result->seed = INT64_MAX;
    result->seconds = 1.25;
    struct tensor *whole = tensor_new_of(arena, DTYPE_I64, 1, shape);
    whole->ints[1] = INT64_MIN;
    whole->name = "named";
    struct tensor *one = tensor_new(arena, 0, NULL);
    one->data[0] = 42;
    result->series[0] = (struct series){ .name = "one number", .values = one };
    result->series[1] = (struct series){
        .name = "whole", .unit = "", .values = whole, .axes = { { "row", 2, NULL } }
    };
    result->series[2] =
        (struct series){ .name = "none",
                         .unit = "nats",
                         .values = tensor_new(arena, 2, none),
                         .axes = { { "row", 0, NULL }, { "column", 3, labels } } };
    result->series[3] =
        (struct series){ .name = "all",
                         .unit = "probability",
                         .low = -1,
                         .high = 1e300,
                         .is_signed = true,
                         .adds = true,
                         .log = true,
                         .rests = rests,
                         .values = tensor_new(arena, 2, shape),
                         .axes = { { "row", 2, NULL }, { "column", 3, labels } } };
    const struct result *again = unpacked(arena, packed(arena, result), &err);
    check(again && same_result(result, again));
    const struct result *empty = result_new(arena, "table", 0);
    again = unpacked(arena, packed(arena, empty), &err);
    check(again && same_result(empty, again));
}

TEST(result_pack_refuses_what_is_cut_or_longer) {
    struct buf *bytes =
        packed(check_arena(), sample_attention(check_arena(), 1, 1, 4, sample_english, 4));
    struct err err = { 0 };
    for (size_t length = 0; length < bytes->length; length++) {
        struct arena *arena = arena_new();
        const void *cut = check_guarded(arena, bytes->data, length / 64 * 64);
        check(!result_unpack(arena, cut, (int64_t)(length / 64 * 64), &err));
        check_int(err.kind, ERR_FORMAT);
        arena_free(arena);
        length += 63;
    }
    buf_add(bytes, (char[64]){ 0 }, 64);
    check(!unpacked(check_arena(), bytes, &err));
    bytes->length -= 64 + 1;
    check(!unpacked(check_arena(), bytes, &err));
}

/* Reads all that it says it has. */
static int64_t walk(const struct result *result) {
    int64_t seen = (int64_t)(strlen(result->title) + strlen(result->finding));
    for (int64_t i = 0; i < result->count; i++) {
        const struct series *series = &result->series[i];
        const unsigned char *bytes = series->values->bytes;
        for (int64_t k = 0; k < tensor_bytes(series->values); k++) {
            seen += bytes[k];
        }
        for (int a = 0; a < series->values->rank; a++) {
            for (int64_t k = 0; series->axes[a].labels && k < series->axes[a].count; k++) {
                seen += series->axes[a].labels[k] ? *series->axes[a].labels[k] : 0;
            }
        }
        for (int64_t k = 0; series->names && k < tensor_count(series->values); k++) {
            seen += series->names[k] ? *series->names[k] : 0;
        }
    }
    return seen;
}

/* 10,000 damaged ones, some with a length or count turned into a number at which arithmetic
 * breaks: refused, or whole in themselves, and never more memory than a few times their bytes.
 */
TEST(result_pack_takes_any_bytes) {
    static const char *const list[] = { "word", "猫", "" };
    const struct any_words words = { list, 3 };
    struct dice dice = { .state = 7 };
    int refused = 0, taken = 0;
    for (int i = 0; i < 10000; i++) {
        struct arena *arena = arena_new();
        struct err err = { 0 };
        struct buf *bytes =
            packed(arena, any_result(arena, (enum any_kind)(i % ANY_KINDS), &words, 3));
        if (i % 2) {
            damage_bytes(&dice, bytes);
        } else {
            uint64_t number = damage_number(&dice);
            size_t at =
                (size_t)dice_below(&dice, bytes->length / 8) * 8 + (size_t)dice_below(&dice, 8);
            memcpy(bytes->data + at, &number, at + 8 <= bytes->length ? 8 : 1);
        }
        size_t length = bytes->length / 64 * 64;
        struct arena *own = arena_new();
        const void *guarded = check_guarded(arena, bytes->data, length);
        const struct result *result = result_unpack(own, guarded, (int64_t)length, &err);
        check(arena_size(own) < 20 * (int64_t)bytes->length + (1 << 16));
        refused += !result && err.kind == ERR_FORMAT;
        taken += result && walk(result) >= 0;
        arena_free(own);
        arena_free(arena);
    }
    check_int(refused + taken, 10000);
    check(refused > 2500 && taken > 500); /* most of the damage is in numbers */
}

/* Each token of a text without a blank has the whole text for its word: 100 GB, if they were
 * laid down. No more of them is looked at than tells that it is too much. */
TEST(result_pack_is_not_measured_to_the_end) {
    enum { TOKENS = 100000, LENGTH = 1 << 20, MOST = 16 };
    struct arena *arena = check_arena();
    struct result *result = result_new(arena, "tokens", 1);
    const struct axis axis = { "token", TOKENS, NULL };
    const char **names = column_named(arena, result, 0, "word", &axis);
    char *word = arena_raw(arena, LENGTH + 1);
    memset(word, 'a', LENGTH);
    word[LENGTH] = '\0';
    for (int64_t i = 0; i < TOKENS; i++) {
        names[i] = word;
    }
    int64_t before = looks_count();
    check(result_pack_bytes(result, MOST * LENGTH) > MOST * LENGTH);
    check(looks_count() - before <= MOST + 2);
}
