/* tile: which numbers are meant, by their place; and what is said of places that are none. */
#include "kernel/worker/tile.h"

#include <string.h>

#include "core/result/result_id.h"
#include "tests/check.h"

static void close_session(void *what) {
    session_free(what);
}

/* A result [2, 3, 4] of 0, 1, 2 ... under the name "n", and one of whole numbers. */
static const char *session_with(struct session **session) {
    struct result *result = result_new(check_arena(), "heatmap", 2);
    static const char *const names[] = { "layer", "head", "token" };
    result->title = "Counting";
    result->series[0] =
        (struct series){ .name = "counts",
                         .unit = "",
                         .values = tensor_new(check_arena(), 3, (int64_t[]){ 2, 3, 4 }) };
    for (int i = 0; i < 3; i++) {
        int64_t n = result->series[0].values->shape[i];
        result->series[0].axes[i] = (struct axis){ names[i], n, NULL };
    }
    for (int i = 0; i < 24; i++) {
        result->series[0].values->data[i] = (float)i;
    }
    result->series[1] = (struct series){ .name = "whole",
                                         .unit = "",
                                         .values = tensor_new_of(check_arena(), DTYPE_I64, 1,
                                                                 &(int64_t){ 2 }) };
    result->series[1].axes[0] = (struct axis){ "row", 2, NULL };
    *session = session_new();
    arena_defer(check_arena(), close_session, *session);
    session_remember(*session, 1 << 20);
    session_begin(*session);
    session_keep(*session, "n", result);
    session_end(*session);
    return result_id(check_arena(), result);
}

static int find(struct session *session, const char *id, const char *series, uint32_t places,
                const int64_t *at, struct relay_tiled *answer, const float **numbers,
                struct err *err) {
    struct relay_tile asked = { .places = places };
    for (uint32_t i = 0; i < places; i++) {
        asked.at[i] = at[i];
    }
    *answer = (struct relay_tiled){ 0 };
    return tile_find(session, &asked, id, series, answer, numbers, err);
}

TEST(tile_is_the_part_at_its_place) {
    struct session *session;
    struct relay_tiled answer;
    struct err err;
    const float *numbers;
    const char *id = session_with(&session);
    check_int(find(session, id, "counts", 0, NULL, &answer, &numbers, &err), 0);
    check(answer.good && answer.rank == 3 && answer.shape[0] == 2 && answer.shape[2] == 4);
    check_near(numbers[23], 23, 0);
    check_int(find(session, id, "counts", 2, (int64_t[]){ 1, 2 }, &answer, &numbers, &err), 0);
    check(answer.rank == 1 && answer.shape[0] == 4);
    check_near(numbers[0], 20, 0);
    check_int(find(session, id, "counts", 3, (int64_t[]){ 0, 1, 3 }, &answer, &numbers, &err),
              0);
    check_int(answer.rank, 0);
    check_near(numbers[0], 7, 0);
}

static void check_refused(const char *id, struct session *session, const char *series,
                          uint32_t places, const int64_t *at, const char *part) {
    struct relay_tiled answer;
    struct err err = { 0 };
    const float *numbers;
    check_int(find(session, id, series, places, at, &answer, &numbers, &err), -1);
    check_int(answer.good, 0);
    check_text(err.text, part);
}

TEST(tile_refuses_in_one_sentence) {
    struct session *session;
    const char *id = session_with(&session);
    check_refused("0123456789abcdef", session, "counts", 0, NULL, "run its cell again");
    check_refused(id, session, "count", 0, NULL,
                  "\"Counting\" has no series \"count\": did you mean counts?");
    check_refused(id, session, "\x1b[0m", 0, NULL, "has no series \"\\x1b[0m\"");
    check_refused(id, session, "counts", 1, (int64_t[]){ 2 },
                  "layer 2 is out of range: there are 2");
    check_refused(id, session, "counts", 2, (int64_t[]){ 0, -1 }, "head -1 is out of range");
    check_refused(id, session, "counts", 1, (int64_t[]){ INT64_MAX }, "out of range");
    check_refused(id, session, "counts", 1, (int64_t[]){ INT64_MIN }, "out of range");
    check_refused(id, session, "counts", 4, (int64_t[]){ 0, 0, 0, 0 },
                  "counts has 3 axes of F32 numbers: 4 places");
    check_refused(id, session, "whole", 0, NULL, "I64");
}

TEST(tile_of_too_many_numbers_asks_for_a_smaller_one) {
    struct relay_tiled answer;
    struct err err;
    const float *numbers;
    struct session *session = session_new();
    arena_defer(check_arena(), close_session, session);
    session_remember(session, INT64_C(1) << 40);
    session_begin(session);
    struct arena **own = session_result_arena(session);
    struct result *result = result_new(*own, "heatmap", 1);
    const int64_t shape[2] = { 2, TILE_MOST / sizeof(float) };
    result->series[0] =
        (struct series){ .name = "x",
                         .values = tensor_raw(*own, 2, shape),
                         .axes = { { "a", shape[0], NULL }, { "b", shape[1], NULL } } };
    memset(result->series[0].values->data, 0, 64); /* the rest is never read */
    session_adopt(session, own, "n", NULL, result);
    session_end(session);
    const char *id = result_id(check_arena(), session_result(session, "n", &err));
    check_int(find(session, id, "x", 1, (int64_t[]){ 1 }, &answer, &numbers, &err), 0);
    check_int(find(session, id, "x", 0, NULL, &answer, &numbers, &err), -1);
    check_text(err.text, "fix one axis more");
}
