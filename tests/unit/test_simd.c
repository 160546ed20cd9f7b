#include "tests/acts.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/tensor/quant.h"
#include "core/tensor/simd.h"

/* Every table that this machine runs goes through every test. */
#define EACH_TABLE(table)                                    \
    for (int isa_ = CPU_GENERIC; isa_ <= CPU_AVX512; isa_++) \
        for (const struct simd *table = simd_table((enum cpu_isa)isa_); table; table = NULL)

/* Reproducible numbers between -1 and 1. */
static float number(uint32_t i) {
    i = (i + 1) * 2654435761U;
    i ^= i >> 15;
    i *= 2246822519U;
    i ^= i >> 13;
    return (float)(i & 0xffffff) / 8388608.0F - 1.0F;
}

static double ulps(float seen, double wanted) {
    float near = (float)wanted;
    double step = (double)nextafterf(fabsf(near), INFINITY) - (double)fabsf(near);
    return fabs((double)seen - wanted) / step;
}

TEST(simd_table_of_this_machine_is_in_use) {
    check(simd_table(CPU_GENERIC) && simd_table(CPU_GENERIC)->isa == CPU_GENERIC);
    check(simd()->isa == cpu_isa());
    check(simd_table(cpu_isa()) == simd());
}

TEST(simd_exp_is_right_to_two_ulps) {
    EACH_TABLE(table) {
        double worst = 0;
        for (int i = -8700; i <= 8860; i += 16) {
            float x[16], y[16];
            for (int j = 0; j < 16; j++) {
                x[j] = (float)(i + j) / 100.0F + number((uint32_t)(i + j)) / 300;
            }
            table->exp(y, x, 16);
            for (int j = 0; j < 16; j++) {
                double u = x[j] < 88.7F ? ulps(y[j], exp((double)x[j])) : 0;
                worst = u > worst ? u : worst;
            }
        }
        check_near(worst, 0, 2);
        float edge[6] = { -INFINITY, -200, 0, 200, INFINITY, NAN };
        table->exp(edge, edge, 6);
        check(edge[0] == 0 && edge[1] == 0 && edge[2] == 1);
        check(isinf(edge[3]) && isinf(edge[4]) && isnan(edge[5]));
    }
}

/* x times the share of the normal distribution below it. */
TEST(simd_gelu_is_right_to_its_last_digits) {
    EACH_TABLE(table) {
        double worst = 0, left = 0;
        for (int i = -8000; i <= 8000; i++) {
            float x = (float)i / 1000.0F, y;
            table->act(&y, &x, 1, SIMD_GELU);
            double wanted = (double)x * erfc(-(double)x / sqrt(2)) / 2;
            double off = fabs((double)y - wanted);
            worst = fmax(worst, off / (fabs((double)x) + 1e-30));
            left = x < -0.001F && x > -3 ? fmax(left, off / fabs(wanted)) : left;
        }
        check_near(worst, 0, 1.5e-7); /* of |x| */
        check_near(left, 0, 4e-6);    /* of the value itself, which is far below |x| */
        float edge[6] = { -INFINITY, -9, -0.0F, 9, INFINITY, NAN };
        table->act(edge, edge, 6, SIMD_GELU);
        check(isnan(edge[0]) && edge[1] == 0 && edge[2] == 0);
        check(edge[3] == 9 && isinf(edge[4]) && isnan(edge[5]));
    }
}

/* y = act(y + bias) * factor + residual in rows of 21 of which 19 are the tile's; y + bias is
 * kept beside. */
TEST(simd_finish_does_all_it_is_asked) {
    enum { ROWS = 3, N = 19, STRIDE = 21 };
    EACH_TABLE(table) {
        for (int act = SIMD_NONE; act < SIMD_ACTS; act++) {
            float y[ROWS * STRIDE], before[ROWS * STRIDE], bias[N];
            float factor[ROWS * STRIDE], residual[ROWS * STRIDE], sum[ROWS * STRIDE] = { 0 };
            for (uint32_t i = 0; i < ROWS * STRIDE; i++) {
                before[i] = y[i] = 6 * number(i);
                factor[i] = number(i + 1000);
                residual[i] = number(i + 2000);
                bias[i % N] = number(i % N + 3000);
            }
            struct simd_finish all = { .bias = bias,
                                       .sum = sum,
                                       .act = (enum simd_act)act,
                                       .factor = factor,
                                       .residual = residual };
            table->finish(ROWS, N, y, STRIDE, &all);
            for (int i = 0; i < ROWS * STRIDE; i++) {
                double x = (double)before[i] + (double)bias[i % STRIDE % N];
                check_near(sum[i], i % STRIDE < N ? x : 0, 1e-6);
                double wanted = acts_value((enum simd_act)act, x);
                double size = 1 + fabs(wanted) / 10; /* squares are large */
                wanted = wanted * (double)factor[i] + (double)residual[i];
                check_near(y[i], i % STRIDE < N ? wanted : (double)before[i], 1e-6 * size);
            }
        }
    }
}

/* The same bytes as of the tile the other way. */
TEST(simd_finish_turned_does_the_same) {
    enum { ROWS = 19, N = 7, STRIDE = 32 };
    EACH_TABLE(table) {
        for (int act = SIMD_NONE; act < SIMD_ACTS; act++) {
            float turned[ROWS * STRIDE] = { 0 }, y[N * ROWS], bias[ROWS];
            for (int r = 0; r < ROWS; r++) {
                bias[r] = number((uint32_t)r);
                for (int i = 0; i < N; i++) {
                    y[i * ROWS + r] = turned[r * STRIDE + i] =
                        2 * number((uint32_t)(i + 31 * r));
                }
            }
            const float *level = act % 2 ? bias : NULL;
            struct simd_finish at = { .bias = level, .act = (enum simd_act)act };
            table->finish(N, ROWS, y, ROWS, &at);
            table->finish_turned(ROWS, N, turned, STRIDE, level, (enum simd_act)act);
            for (int i = 0; i < N * ROWS; i++) {
                check(turned[i % ROWS * STRIDE + i / ROWS] == y[i]);
            }
            check(turned[N] == 0); /* of the row's rest nothing */
        }
    }
}

TEST(simd_finish_alone_changes_nothing) {
    EACH_TABLE(table) {
        float y[5] = { 1, -2, 3, NAN, 5 };
        table->finish(1, 5, y, 5, &(struct simd_finish){ 0 });
        check(y[0] == 1 && y[1] == -2 && y[2] == 3 && isnan(y[3]) && y[4] == 5);
    }
}

TEST(simd_softmax_sums_to_one_and_masks_exactly) {
    EACH_TABLE(table) {
        for (int n = 1; n <= 70; n++) {
            float row[71];
            double sum = 0;
            for (int i = 0; i < n; i++) {
                row[i] = i % 5 == 3 ? -INFINITY : 8 * number((uint32_t)(n * 100 + i));
            }
            row[n] = 42;
            table->softmax(row, n, 0.5F);
            for (int i = 0; i < n; i++) {
                sum += (double)row[i];
                check(i % 5 == 3 ? row[i] == 0 : row[i] > 0);
            }
            check_near(sum, 1, 1e-6);
            check(row[n] == 42); /* what lies behind the row is left alone */
        }
    }
}

/* exp(ln 3) = 3 and exp(0) = 1: shares 3/4 and 1/4, at half the scale of twice the scores. */
/* Wherever a NaN stands, and whatever else does: a broken model must look broken. */
TEST(simd_softmax_keeps_nan) {
    EACH_TABLE(table) {
        for (int n = 1; n <= 40; n++) {
            for (int kind = 0; kind < 3; kind++) {
                float row[40];
                for (int i = 0; i < n; i++) {
                    row[i] = i == n / 2 || kind == 0 ? NAN : kind == 1 ? -INFINITY : 1;
                }
                table->softmax(row, n, 0.5F);
                for (int i = 0; i < n; i++) {
                    check(isnan(row[i]));
                }
            }
        }
    }
}

TEST(simd_softmax_by_hand) {
    EACH_TABLE(table) {
        float row[2] = { 2.0F * 1.09861229F, 0 };
        table->softmax(row, 2, 0.5F);
        check_near(row[0], 0.75, 1e-7);
        check_near(row[1], 0.25, 1e-7);
        float none[3] = { -INFINITY, -INFINITY, -INFINITY };
        table->softmax(none, 3, 1);
        check(none[0] == 0 && none[1] == 0 && none[2] == 0);
        float bad[2] = { NAN, 1 };
        table->softmax(bad, 2, 1);
        check(isnan(bad[1]));
    }
}

/* 1, 2, 3, 4: mean 5/2, variance 5/4, mean of squares 15/2. */
TEST(simd_norms_by_hand) {
    EACH_TABLE(table) {
        float x[4] = { 1, 2, 3, 4 }, gain[4] = { 1, 2, 1, 1 }, bias[4] = { 0, 0, 10, 0 }, y[4];
        table->norm_layer(y, x, gain, bias, 0, 4);
        check_near(y[0], -1.5 / sqrt(1.25), 1e-6);
        check_near(y[1], 2 * -0.5 / sqrt(1.25), 1e-6);
        check_near(y[2], 0.5 / sqrt(1.25) + 10, 1e-6);
        table->norm_layer(y, x, gain, bias, 1, 4);
        check_near(y[3], 1.5 / 1.5, 1e-6);
        table->norm_rms(y, x, gain, 0, 4);
        check_near(y[1], 4 / sqrt(7.5), 1e-6);
        check_near(y[3], 4 / sqrt(7.5), 1e-6);
    }
}

TEST(simd_norms_take_any_length) {
    EACH_TABLE(table) {
        for (int n = 1; n < 40; n++) {
            float x[40], gain[40], bias[40], y[41];
            double mean = 0, variance = 0, squares = 0;
            for (int i = 0; i < n; i++) {
                x[i] = number((uint32_t)i) + 3;
                gain[i] = number((uint32_t)i + 50);
                bias[i] = number((uint32_t)i + 90);
                mean += (double)x[i] / n;
                squares += (double)x[i] * (double)x[i] / n;
            }
            for (int i = 0; i < n; i++) {
                variance += ((double)x[i] - mean) * ((double)x[i] - mean) / n;
            }
            int last = n - 1;
            y[n] = 42;
            table->norm_layer(y, x, gain, bias, 0.01F, n);
            check_near(y[last],
                       ((double)x[last] - mean) / sqrt(variance + 0.01) * (double)gain[last] +
                           (double)bias[last],
                       2e-6);
            table->norm_rms(y, x, gain, 0.01F, n);
            check_near(y[last], (double)x[last] / sqrt(squares + 0.01) * (double)gain[last],
                       2e-6);
            check(y[n] == 42);
        }
    }
}

TEST(simd_add_takes_any_length) {
    EACH_TABLE(table) {
        for (int n = 0; n < 40; n++) {
            float a[40], b[40], y[41];
            for (int i = 0; i < n; i++) {
                a[i] = (float)i;
                b[i] = (float)(100 * i);
            }
            y[n] = 42;
            table->add(y, a, b, n);
            check(n == 0 || y[n - 1] == (float)(101 * (n - 1)));
            check(y[n] == 42);
        }
    }
}

/* Bytes of `count` rows of weights of any type; what may be a half stays finite. */
static void weights_fill(unsigned char *rows, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i++) {
        rows[i] = (unsigned char)(37 * i + i / 7);
        if (i % 2 && rows[i] % 128 > 100) {
            rows[i] &= 0x3f;
        }
    }
}

/* A panel holds exactly what quant_row says, turned, and zeros past the last row. */
static void check_pack(const struct simd *table, enum dtype dtype, int n, int64_t begin,
                       int64_t k) {
    enum { K = 512 };
    static unsigned char rows[32 * K * 8];
    static float panel[32 * K], row[K];
    int64_t row_bytes = dtype_row_bytes(dtype, K);
    weights_fill(rows, n * row_bytes);
    table->pack[dtype](rows, row_bytes, n, begin, k, panel);
    int wrong = 0;
    for (int r = 0; r < table->columns; r++) {
        if (r < n) {
            quant_row(dtype, rows + r * row_bytes, begin, k, row);
        } else {
            memset(row, 0, sizeof row);
        }
        for (int64_t i = 0; i < k; i++) {
            wrong += memcmp(&row[i], &panel[i * table->columns + r], sizeof(float)) != 0;
        }
    }
    check_int(wrong, 0);
}

TEST(simd_pack_equals_quant_row_exactly) {
    EACH_TABLE(table) {
        int types = 0;
        for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            if (table->pack[dtype]) {
                types++;
                check_pack(table, (enum dtype)dtype, table->columns, 0, 512);
                check_pack(table, (enum dtype)dtype, table->columns, 64, 96);
                check_pack(table, (enum dtype)dtype, table->columns - 3, 224, 64);
                check_pack(table, (enum dtype)dtype, 1, 0, 32);
            }
        }
        check_int(types, 16);
        check_pack(table, DTYPE_F32, table->columns, 0, 157); /* plain types end anywhere */
        check_pack(table, DTYPE_BF16, 2, 32, 5);
        check_pack(table, DTYPE_F64, 8, 32, 5);
        check_pack(table, DTYPE_F16, table->columns, 0, 3);
    }
}

/* y [n] of one row of x: at once, or by panels of the same rows. */
static void check_apply(const struct simd *table, enum dtype dtype, int n, bool add) {
    enum { K = 512, MOST = 64 };
    static float panel[32 * K], x[K];
    float seen[MOST], wanted[MOST];
    int64_t row_bytes = dtype_row_bytes(dtype, K);
    unsigned char *rows = malloc((size_t)(n * row_bytes)); /* no byte more */
    weights_fill(rows, n * row_bytes);
    for (uint32_t i = 0; i < K; i++) {
        x[i] = number(i);
    }
    for (int i = 0; i < MOST; i++) {
        seen[i] = wanted[i] = (float)i;
    }
    table->apply[dtype](rows, row_bytes, n, K, x, seen, add, NULL, 0);
    for (int r = 0; r < n; r += table->columns) {
        int some = n - r < table->columns ? n - r : table->columns;
        table->pack[dtype](rows + r * row_bytes, row_bytes, some, 0, K, panel);
        table->multiply(1, K, x, K, panel, some, wanted + r, 0, add, NULL, 0);
    }
    check(memcmp(seen, wanted, sizeof seen) == 0);
    free(rows);
}

TEST(simd_apply_gives_the_bytes_of_panels) {
    EACH_TABLE(table) {
        int types = 0;
        for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            for (int n = 1; table->apply[dtype] && n <= table->strip; n++) {
                check_apply(table, (enum dtype)dtype, n, n % 2);
                types += n == 1;
            }
            if (table->apply[dtype]) {
                check_apply(table, (enum dtype)dtype, table->strip, true);
                check_apply(table, (enum dtype)dtype, table->strip, false);
            }
        }
        check_int(types, 12);
    }
}

/* The same for rows that are pieces of the panel's rows. */
static void check_across(const struct simd *table, enum dtype dtype, int n, int64_t k) {
    enum { N = 512, MOST = 20 };
    static unsigned char rows[MOST * N * 8];
    static float panel[MOST * 32], row[N];
    int64_t row_bytes = dtype_row_bytes(dtype, N);
    weights_fill(rows, k * row_bytes);
    int wrong = 0;
    for (int64_t column = 0; column < N; column += table->columns) {
        table->pack_across[dtype](rows, row_bytes, n, column, k, panel);
        for (int64_t i = 0; i < k; i++) {
            quant_row(dtype, rows + i * row_bytes, 0, N, row);
            for (int j = 0; j < table->columns; j++) {
                float wanted = j < n ? row[column + j] : 0;
                wrong += memcmp(&wanted, &panel[i * table->columns + j], sizeof wanted) != 0;
            }
        }
    }
    check_int(wrong, 0);
}

TEST(simd_pack_across_equals_quant_row_exactly) {
    EACH_TABLE(table) {
        for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            check(!table->pack[dtype] == !table->pack_across[dtype]);
            if (table->pack_across[dtype]) {
                check_across(table, (enum dtype)dtype, table->columns, 1);
                check_across(table, (enum dtype)dtype, table->columns, 20);
            }
        }
        for (int n = 1; n < table->columns; n++) { /* plain types end anywhere */
            check_across(table, DTYPE_F32, n, 3);
            check_across(table, DTYPE_F16, n, 2);
            check_across(table, DTYPE_BF16, n, 5);
            check_across(table, DTYPE_F64, n, 5);
        }
    }
}

TEST(simd_read_equals_quant_row_exactly) {
    enum { N = 512 };
    static unsigned char row[N * 8];
    static float seen[N], wanted[N];
    EACH_TABLE(table) {
        for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
            check(!table->pack[dtype] == !table->read[dtype]);
            for (int64_t begin = 0; table->read[dtype] && begin < N; begin += 160) {
                int64_t n = N - begin < 224 ? N - begin : 224;
                weights_fill(row, sizeof row);
                table->read[dtype](row, begin, n, seen);
                quant_row((enum dtype)dtype, row, begin, n, wanted);
                check(memcmp(seen, wanted, (size_t)n * sizeof *seen) == 0);
            }
        }
        weights_fill(row, sizeof row);
        for (int n = 1; n < 40; n++) { /* plain types end anywhere */
            seen[n] = 42;
            table->read[DTYPE_F16](row, 32, n, seen);
            quant_row(DTYPE_F16, row, 32, n, wanted);
            check(memcmp(seen, wanted, (size_t)n * sizeof *seen) == 0 && seen[n] == 42);
        }
    }
}

/* What was packed comes back, and nothing else is written. */
TEST(simd_unpack_is_the_inverse_of_pack) {
    enum { K = 48, STRIDE = 50 };
    static float rows[32 * STRIDE], panel[K * 32], back[32 * STRIDE];
    EACH_TABLE(table) {
        for (int i = 0; i < 32 * STRIDE; i++) {
            rows[i] = (float)i;
        }
        for (int n = 1; n <= table->columns; n++) {
            for (int64_t k = 1; k <= K; k += 5) {
                int wrong = 0;
                memset(back, 0, sizeof back);
                table->pack[DTYPE_F32](rows, STRIDE * sizeof(float), n, 0, k, panel);
                table->unpack(panel, k, n, back, STRIDE);
                for (int i = 0; i < 32 * STRIDE; i++) {
                    bool inside = i / STRIDE < n && i % STRIDE < k;
                    wrong += back[i] != (inside ? rows[i] : 0);
                }
                check_int(wrong, 0);
            }
        }
    }
}

/* x turned gives the bytes of x as it was. */
TEST(simd_multiply_turned_equals_multiply) {
    enum { ROWS = 29, K = 50 };
    EACH_TABLE(table) {
        static float x[ROWS * K], turned[K * ROWS], panel[32 * K], one[ROWS * 32],
            two[ROWS * 32];
        for (uint32_t i = 0; i < ROWS * K; i++) {
            x[i] = turned[i % K * ROWS + i / K] = number(i);
        }
        for (uint32_t i = 0; i < 32 * K; i++) {
            panel[i] = number(i + 9000);
        }
        for (int rows = 1; rows <= ROWS; rows++) {
            memset(one, 0, sizeof one);
            memset(two, 0, sizeof two);
            table->multiply(rows, K, x, K, panel, table->columns - 1, one, 32, true, NULL, 0);
            table->multiply_turned(rows, K, turned, ROWS, panel, table->columns - 1, two, 32,
                                   true);
            check(memcmp(one, two, sizeof one) == 0);
        }
    }
}

/* Small whole numbers multiply exactly, whatever the table; every height and width of tile. */
TEST(simd_multiply_is_exact_on_whole_numbers) {
    enum { ROWS = 30, K = 7, STRIDE = 40 };
    EACH_TABLE(table) {
        static float x[ROWS * K], panel[32 * K], y[ROWS * STRIDE];
        for (int i = 0; i < ROWS * K; i++) {
            x[i] = (float)(i % 11 - 5);
        }
        for (int i = 0; i < table->columns * K; i++) {
            panel[i] = (float)(i % 13 - 6);
        }
        for (int rows = 1; rows <= ROWS; rows++) {
            for (int n = 1; n <= table->columns; n++) {
                int wrong = 0;
                for (int i = 0; i < ROWS * STRIDE; i++) {
                    y[i] = 1000;
                }
                table->multiply(rows, K, x, K, panel, n, y, STRIDE, true, NULL, 0);
                for (int i = 0; i < ROWS * STRIDE; i++) {
                    int r = i / STRIDE, c = i % STRIDE;
                    float wanted = 1000;
                    for (int j = 0; j < K && r < rows && c < n; j++) {
                        wanted += x[r * K + j] * panel[j * table->columns + c];
                    }
                    wrong += y[i] != wanted;
                }
                check_int(wrong, 0);
            }
        }
    }
}

/* A row's products are the same bytes alone and among others. */
TEST(simd_multiply_does_not_mind_the_other_rows) {
    enum { ROWS = 29, K = 50 };
    EACH_TABLE(table) {
        static float x[ROWS * K], panel[32 * K], together[ROWS * 32], alone[32];
        for (uint32_t i = 0; i < ROWS * K; i++) {
            x[i] = number(i);
        }
        for (uint32_t i = 0; i < 32 * K; i++) {
            panel[i] = number(i + 9000);
        }
        int n = table->columns;
        table->multiply(ROWS, K, x, K, panel, n, together, 32, false, NULL, 0);
        for (int r = 0; r < ROWS; r++) {
            table->multiply(1, K, x + r * K, K, panel, n, alone, 32, false, NULL, 0);
            check(memcmp(alone, together + r * 32, (size_t)n * sizeof *alone) == 0);
        }
    }
}

TEST(simd_loops_take_any_length) {
    EACH_TABLE(table) {
        for (int n = 0; n < 40; n++) {
            float a[40], b[40], y[41];
            double sum = 0, dot = 0, apart = 0;
            for (int i = 0; i < n; i++) {
                a[i] = (float)(i + 1);
                b[i] = (float)(3 - i);
                sum += i + 1;
                dot += (i + 1) * (3 - i);
                apart += (2 * i - 2) * (2 * i - 2);
            }
            y[n] = 42;
            check((double)table->sum(a, n) == sum && (double)table->dot(a, b, n) == dot);
            check((double)table->apart(a, b, n) == apart);
            table->mul(y, a, b, n);
            for (int i = 0; i < n; i++) {
                check(y[i] == (float)((i + 1) * (3 - i)));
            }
            table->mul_add(y, a, b, n);
            table->axpy(y, 2, a, n);
            for (int i = 0; i < n; i++) {
                check(y[i] == (float)(2 * (i + 1) * (3 - i) + 2 * (i + 1)));
            }
            table->scale(y, -2, a, n);
            table->act(y, y, n, SIMD_RELU_SQUARED);
            check(n == 0 || y[n - 1] == 0);
            check(y[n] == 42);
        }
    }
}

/* Every table's bytes are those of plain loops; NaN is in the sums, not in the largest. */
TEST(simd_tally_is_the_same_in_every_table) {
    enum { N = 72 };
    float x[N];
    for (uint32_t i = 0; i < N; i++) {
        x[i] = number(i) * (i % 3 ? 1e-20F : 1e15F);
    }
    struct simd_tally wanted = { 0 };
    for (int i = 0; i < 2 * N; i++) {
        double value = (double)x[i % N];
        wanted.squares[i % 8] += value * value;
        wanted.sums[i % 8] += value;
        wanted.most[i % 8] = fmaxf(wanted.most[i % 8], fabsf(x[i % N]));
    }
    EACH_TABLE(table) {
        struct simd_tally tally = { 0 };
        table->tally(&tally, x, N);
        table->tally(&tally, x, N);
        check(memcmp(&tally, &wanted, sizeof tally) == 0);
        float broken[8] = { NAN, -3, INFINITY };
        tally = (struct simd_tally){ 0 };
        table->tally(&tally, broken, 8);
        check(isnan(tally.sums[0]) && isnan(tally.squares[0]) && tally.most[0] == 0);
        check(tally.most[1] == 3 && tally.most[2] == INFINITY);
    }
}

/* Slopes by central differences of the formulas in double. */
TEST(simd_act_back_is_the_slope) {
    EACH_TABLE(table) {
        for (int act = SIMD_NONE; act < SIMD_ACTS; act++) {
            for (int n = 1; n < 40; n++) {
                float z[40], dy[40], dz[41];
                for (int i = 0; i < n; i++) {
                    z[i] = 6 * number((uint32_t)(i + 40 * n));
                    dy[i] = number((uint32_t)(i + 9000));
                }
                dz[n] = 42;
                table->act_back(dz, dy, z, n, (enum simd_act)act);
                for (int i = 0; i < n; i++) {
                    double x = (double)z[i], h = 1e-6;
                    double slope = acts_value((enum simd_act)act, x + h) -
                                   acts_value((enum simd_act)act, x - h);
                    slope *= (double)dy[i] / (2 * h);
                    check_near(dz[i], slope, 1e-6 * (1 + fabs(slope)));
                }
                check(dz[n] == 42);
            }
        }
    }
}

TEST(simd_act_back_far_out) {
    EACH_TABLE(table) {
        for (int act = SIMD_NONE; act < SIMD_ACTS; act++) {
            float z[5] = { -200, 200, -1e10F, 0, NAN }, dy[5] = { 1, 1, 1, 1, 1 }, dz[5];
            table->act_back(dz, dy, z, 5, (enum simd_act)act);
            bool grows = act != SIMD_NONE && act != SIMD_SIGMOID && act != SIMD_TANH;
            float far = act == SIMD_RELU_SQUARED ? 400 : 1;
            check(dz[0] == (act == SIMD_NONE ? 1.0F : 0.0F));
            check(dz[1] == (act == SIMD_NONE || grows ? far : 0.0F));
            check(dz[2] == (act == SIMD_NONE ? 1.0F : 0.0F));
            check((act == SIMD_RELU || act == SIMD_RELU_SQUARED) == (dz[3] == 0));
            check(act == SIMD_NONE || act == SIMD_RELU || isnan(dz[4]));
        }
    }
}

/* sum_j weights_j softmax(scale s)_j in double, with s_i moved by h. */
static double softmax_mix(const float *s, const float *weights, int n, double scale, int i,
                          double h) {
    double sum = 0, mix = 0;
    for (int j = 0; j < n; j++) {
        double e = exp(scale * ((double)s[j] + (j == i ? h : 0)));
        sum += e;
        mix += e * (double)weights[j];
    }
    return mix / sum;
}

TEST(simd_softmax_back_is_the_slope) {
    EACH_TABLE(table) {
        for (int n = 1; n < 40; n++) {
            float s[40], p[40], dp[40], ds[41];
            for (int i = 0; i < n; i++) {
                s[i] = p[i] = 3 * number((uint32_t)(i + 60 * n));
                dp[i] = number((uint32_t)(i + 500));
            }
            ds[n] = 42;
            table->softmax(p, n, 0.7F);
            table->softmax_back(ds, p, dp, n, 0.7F);
            for (int i = 0; i < n; i++) {
                double slope =
                    softmax_mix(s, dp, n, 0.7, i, 1e-5) - softmax_mix(s, dp, n, 0.7, i, -1e-5);
                check_near(ds[i], slope / 2e-5, 1e-6);
            }
            check(ds[n] == 42);
        }
    }
}

struct norm_case {
    float x[40], dy[40], gain[40];
    int n;
    bool centred, has_gain;
};

/* sum_j dy_j norm(x)_j in double without bias, with x_i moved by h. */
static double norm_mix(const struct norm_case *of, int i, double h) {
    double mean = 0, variance = 0, mix = 0, x[40];
    for (int j = 0; j < of->n; j++) {
        x[j] = (double)of->x[j] + (j == i ? h : 0);
        mean += of->centred ? x[j] / of->n : 0;
    }
    for (int j = 0; j < of->n; j++) {
        variance += (x[j] - mean) * (x[j] - mean) / of->n;
    }
    for (int j = 0; j < of->n; j++) {
        double gain = of->has_gain ? (double)of->gain[j] : 1;
        mix += (double)of->dy[j] * gain * (x[j] - mean) / sqrt(variance + 0.01);
    }
    return mix;
}

static void check_norm_back(const struct simd *table, const struct norm_case *of) {
    float dx[41], dgain[41], dbias[41], h[40];
    for (int i = 0; i <= of->n; i++) {
        dx[i] = dgain[i] = dbias[i] = 42;
    }
    struct simd_norm_back back = { .dx = dx,
                                   .dgain = of->has_gain ? dgain : NULL,
                                   .dbias = of->centred ? dbias : NULL,
                                   .dy = of->dy,
                                   .x = of->x,
                                   .gain = of->has_gain ? of->gain : NULL,
                                   .eps = 0.01F,
                                   .n = of->n };
    (of->centred ? table->norm_layer_back : table->norm_rms_back)(&back);
    if (of->centred) {
        table->norm_layer(h, of->x, NULL, NULL, 0.01F, of->n);
    } else {
        table->norm_rms(h, of->x, NULL, 0.01F, of->n);
    }
    for (int i = 0; i < of->n; i++) {
        double slope = (norm_mix(of, i, 1e-5) - norm_mix(of, i, -1e-5)) / 2e-5;
        check_near(dx[i], 42 + slope, 2e-5);
        check_near(dgain[i], of->has_gain ? 42 + (double)of->dy[i] * (double)h[i] : 42, 1e-5);
        check_near(dbias[i], of->centred ? 42 + (double)of->dy[i] : 42, 1e-5);
    }
    check(dx[of->n] == 42 && dgain[of->n] == 42 && dbias[of->n] == 42);
}

TEST(simd_norms_back_are_the_slopes) {
    EACH_TABLE(table) {
        for (int i = 0; i < 4 * 39; i++) {
            struct norm_case one = { .n = i / 4 + 1, .centred = i & 1, .has_gain = i & 2 };
            for (int j = 0; j < one.n; j++) {
                one.x[j] = number((uint32_t)j) + 3;
                one.dy[j] = number((uint32_t)j + 50);
                one.gain[j] = number((uint32_t)j + 90);
            }
            check_norm_back(table, &one);
        }
    }
}
