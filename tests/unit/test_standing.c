#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/draw/nibbles.h"
#include "core/draw/standing.h"
#include "tests/check.h"

static void check_packed(const unsigned char *bytes, int64_t n, const char *hex) {
    const struct buf *packed = nibbles(check_arena(), bytes, n);
    check_int((int64_t)packed->length * 2, (int64_t)strlen(hex));
    for (size_t i = 0; i < packed->length && hex[2 * i]; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", (unsigned char)packed->data[i]);
        check(digits[0] == hex[2 * i] && digits[1] == hex[2 * i + 1]);
    }
}

/* By hand: literals, a byte of 14 or more as e and two digits, three zeros and more as f. */
TEST(nibbles_pack_small_bytes_and_runs_of_zeros) {
    check_packed((const unsigned char[]){ 0, 0, 13, 14, 255, 1 }, 6, "00de0eeff1");
    check_packed((const unsigned char[]){ 0, 0, 0, 5 }, 4, "f005");
    check_packed((const unsigned char[300]){ 0 }, 258, "fff0");
    check_packed((const unsigned char[300]){ 0 }, 300, "ffff27");
    check_packed(NULL, 0, "");
}

/* What the view does with it. */
static int64_t unpack(const struct buf *packed, unsigned char *bytes) {
    const unsigned char *from = (const unsigned char *)packed->data;
    int64_t count = 0, end = 2 * (int64_t)packed->length;
#define NEXT ((from[at / 2] >> (at % 2 ? 0 : 4)) & 15)
    for (int64_t at = 0; at < end; at++) {
        int code = NEXT, value = code;
        if (code >= 14 && at + 2 < end) {
            at++;
            value = 16 * NEXT;
            at++;
            value += NEXT;
        }
        for (int k = 0; k < (code == 15 ? value + 3 : 1); k++) {
            bytes[count++] = (unsigned char)(code == 15 ? 0 : value);
        }
    }
#undef NEXT
    return count;
}

TEST(nibbles_give_every_byte_back) {
    enum { N = 5000 };
    unsigned char bytes[N], back[2 * N];
    uint64_t state = 5;
    for (int i = 0; i < N; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        int byte = (int)(state >> 56);
        bytes[i] = (unsigned char)(byte < 150 ? 0 : i % 3 ? byte % 16 : byte);
    }
    int64_t count = unpack(nibbles(check_arena(), bytes, N), back);
    check(count == N || (count == N + 1 && back[N] == 0));
    check(memcmp(bytes, back, N) == 0);
}

static struct cells *cells_for(int64_t panels, int64_t n) {
    struct cells *cells = arena_alloc(check_arena(), sizeof *cells);
    cells->panels = cells->panel_columns.count = panels;
    cells->panel_rows.count = 1;
    cells->rows.source = cells->columns.source = n;
    cells->high = 1;
    return cells;
}

/* Four heads, two scores: most previous is 2, then 0; least entropy is 1, then 2. */
TEST(standing_takes_the_first_of_every_score_in_turn) {
    struct cells *cells = cells_for(4, 2);
    float entropy[4] = { 3, 0, 1, 2 }, previous[4] = { .5F, .1F, .9F, NAN },
          values[16] = { 1, 0, .5F, .5F };
    struct tensor held[2] = { { .data = entropy }, { .data = previous } };
    struct series scores[2] = { { .name = "entropy", .values = &held[0] },
                                { .name = "previous", .values = &held[1] } };
    const struct series *list[2] = { &scores[0], &scores[1] };
    cells->scores = list;
    cells->score_count = 2;
    check_int(standing_choose(check_arena(), cells, values, 1000), 4 + 8 + 4 + 4);
    check_int(cells->standing_count, 4);
    static const int64_t order[4] = { 1, 2, 0, 3 };
    for (int i = 0; i < 4; i++) {
        check_int(cells->standing[i].panel, order[i]);
    }
    check_int(standing_choose(check_arena(), cells, values, 8), 8); /* two of four bytes */
    check_int(cells->standing_count, 2);
    values[4] = NAN; /* head 1 */
    standing_choose(check_arena(), cells, values, 1000);
    check_int(cells->standing_count, 3);
    check_int(cells->standing[0].panel, 2);
}

/* -1, 0, 1 of a signed scale are the bytes 0, 128, 255: 127 below, at and 127 above the middle.
 */
TEST(standing_packs_signed_values_from_the_middle) {
    struct cells *cells = cells_for(1, 2);
    struct pooling_best best[1] = { { 0, 0, 1 } };
    float values[4] = { -1, 0, 1, 0 };
    cells->best = best;
    cells->rows.count = 1;
    cells->low = -1;
    cells->is_signed = true;
    standing_choose(check_arena(), cells, values, 1000);
    unsigned char bytes[8];
    check_int(unpack(cells->standing[0].packed, bytes), 4);
    check_int(bytes[0], 255); /* 2 * 128 - 1 */
    check_int(bytes[1], 0);
    check_int(bytes[2], 254); /* 2 * 127 */
    check_int(bytes[3], 0);
}

TEST(standing_tries_no_panel_of_millions_of_cells) {
    struct cells *cells = cells_for(1, 4000);
    check_int(standing_choose(check_arena(), cells, NULL, 1000), 0);
    check_int(cells->standing_count, 0);
}
