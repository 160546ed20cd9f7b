#include "core/explain/spread.h"

#include <math.h>
#include <string.h>

#include "core/base/pool.h"
#include "tests/check.h"
#include "tests/fixture.h"

static const char *label_of(const struct spread *spread, const char *name) {
    return spread->labels[spread_group(spread, name)];
}

TEST(spread_knows_layers_by_their_tensors_names) {
    struct arena *arena = check_arena();
    const struct spread *gpt2 = spread_new(arena, fixture_model("gpt2"), "en");
    const struct spread *rnn = spread_new(arena, fixture_model("rnn_lm"), "en");
    const struct spread *t5 = spread_new(arena, fixture_model("t5"), "zh");
    check_same(label_of(gpt2, "wte.weight"), "embeddings");
    check_same(label_of(gpt2, "transformer.wpe.weight"), "embeddings");
    check_same(label_of(gpt2, "h.1.attn.c_attn.weight"), "layer 1");
    check_same(label_of(gpt2, "blk.0.ffn_up.weight"), "layer 0");
    check_same(label_of(gpt2, "ln_f.weight"), "head");
    check_same(label_of(gpt2, "h.999.ln_1.weight"), "head"); /* no such layer */
    check_same(label_of(rnn, "rnn.weight_hh_l1"), "layer 1");
    check_same(label_of(rnn, "embedding.weight"), "embeddings");
    check_same(label_of(rnn, "decoder.bias"), "head");
    check_same(label_of(t5, "encoder.block.1.layer.0.SelfAttention.q.weight"), "编码器第 1 层");
    check_same(label_of(t5, "decoder.block.0.layer.1.EncDecAttention.k.weight"),
               "解码器第 0 层");
}

static struct spread *small(struct arena *arena, const float *x, int64_t n) {
    struct spread *spread = spread_new(arena, fixture_model("rnn_lm"), "en");
    spread_begin(spread, "rnn.weight_hh_l0");
    spread_part(spread, x, n);
    spread_end(spread);
    return spread;
}

/* By hand: 3, 4, 0 and -1e-30, whose square is below the least float32. */
TEST(spread_adds_up) {
    struct arena *arena = check_arena();
    const float x[] = { 3, -4, 0, -1e-30F, NAN, INFINITY };
    const struct spread_row *row = small(arena, x, 6)->rows;
    check_int(row->n, 6);
    check_int(row->zeros, 1);
    check_int(row->nans, 1);
    check_int(row->infinite, 1);
    check_near(row->squares, 25, 1e-12);
    check_near(row->sum, -1, 1e-12);
    check_near(row->most, 4, 0);
    check_near(spread_rms(row), 2.5, 1e-12);
    const float tiny[] = { 1e-30F, 1e-30F };
    check_near(spread_rms(small(arena, tiny, 2)->rows) / 1e-30, 1, 1e-6);
}

TEST(spread_share_is_never_0_of_some) {
    struct arena *arena = check_arena();
    check_same(spread_share(arena, 0, 1000, false), "0 %");
    check_same(spread_share(arena, 262, 10000, false), "2.62 %");
    check_same(spread_share(arena, 1, 162000000, false), "under 0.001 %");
    check_same(spread_share(arena, 1, 162000000, true), "不到 0.001%");
    check_same(spread_share(arena, 0, 0, false), "0 %");
}

/* Each number is where the edges say: counted again one by one. */
TEST(spread_counts_by_its_own_edges) {
    struct arena *arena = check_arena();
    float x[2000];
    for (int i = 0; i < 2000; i++) {
        x[i] = (float)(pow(10, -6.9 + 0.0039 * i) * (i % 2 ? 1 : -1));
    }
    x[7] = x[8] = 0;
    x[9] = NAN;
    struct result *result = spread_result(arena, small(arena, x, 2000), NULL, true, 20, "|x|");
    const float *counts = result->series[0].values->data,
                *edges = result->series[1].values->data;
    check_same(result->kind, "histogram");
    check_int(result->series[0].values->shape[1], 20);
    check_near(edges[0], 1e-7, 1e-9);
    check_near(edges[20], 10, 0.1);
    for (int b = 0; b < 20; b++) {
        float wanted = 0;
        for (int i = 0; i < 2000; i++) {
            float size = fabsf(x[i]);
            wanted += size > 0 && size >= edges[b] && size < edges[b + 1];
        }
        check_near(counts[b], wanted, 0);
    }
    check_near(result_at(result, "zeros")->values->data[0], 2, 0);
    check_near(result_at(result, "bad")->values->data[0], 1, 0);
    check_near(result_at(result, "size")->values->data[0], 2000, 0);
}

TEST(spread_is_the_same_for_any_number_of_threads_and_parts) {
    struct arena *arena = check_arena();
    enum { N = 300001 };
    float *x = arena_array(arena, N, sizeof *x);
    for (int i = 0; i < N; i++) {
        x[i] = sinf((float)i) * expf(-(float)(i % 50));
    }
    int threads = pool_threads();
    pool_set_threads(1);
    const struct spread_row *one = small(arena, x, N)->rows;
    for (int n = 2; n <= 8; n += 3) {
        pool_set_threads(n);
        const struct spread_row *many = small(arena, x, N)->rows;
        check(one->squares == many->squares && one->sum == many->sum);
        check(one->first == many->first && one->places == many->places);
        check(memcmp(one->counts, many->counts, (size_t)one->places * sizeof *one->counts) ==
              0);
    }
    pool_set_threads(threads);
}

TEST(spread_joins_a_layer) {
    struct arena *arena = check_arena();
    const float x[] = { 1e-8F, 2 }, y[] = { 1e3F, 0, 0 };
    struct spread *spread = small(arena, y, 3);
    spread_begin(spread, "rnn.bias_hh_l0");
    spread_part(spread, x, 1);
    spread_part(spread, x + 1, 1);
    spread_end(spread);
    spread_order(spread);
    check_same(spread->rows[0].name, "rnn.bias_hh_l0");
    const struct spread_row *all = spread_join(arena, spread, 1);
    check_int(all->n, 5);
    check_int(all->zeros, 2);
    check_near(all->squares, 1e6 + 4, 1e-6);
    struct result *result = spread_result(arena, spread, NULL, false, 11, "|x|");
    check_int(result->series[0].values->shape[0], 1); /* layers without numbers are left out */
    float sum = 0;
    for (int i = 0; i < 11; i++) {
        sum += result->series[0].values->data[i];
    }
    check_near(sum, 3, 0);
}

TEST(spread_names_broken_tensors) {
    struct arena *arena = check_arena();
    const float x[] = { 1, NAN };
    struct spread *spread = small(arena, x, 2);
    check_same(spread_broken(arena, spread, false),
               "rnn.weight_hh_l0 (2 numbers, 1 of them NaN)");
    check(!spread_broken(arena, small(arena, x, 1), false));
}

TEST(spread_of_zeros_has_a_range_all_the_same) {
    struct arena *arena = check_arena();
    const float x[] = { 0, 0 };
    struct result *result = spread_result(arena, small(arena, x, 2), NULL, true, 50, "|x|");
    check(result->series[1].values->data[0] < result->series[1].values->data[50]);
    check_near(result_at(result, "zeros")->values->data[0], 2, 0);
}

/* 3 * 0.5^x, with a gap. */
TEST(spread_fits_a_line) {
    double y[] = { 3, 1.5, 0, 0.375, 0.1875 };
    struct spread_slope slope = spread_fit(y, 5);
    check_near(slope.factor, 0.5, 1e-12);
    check_near(slope.fit, 1, 1e-12);
    check_int(slope.points, 4);
    check_near(spread_fit(y, 1).factor, 1, 0);
    check_int(spread_fit(y + 2, 1).points, 0);
}
