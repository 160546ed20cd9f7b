#include "core/explain/pca.h"

#include <math.h>
#include <string.h>

#include "core/base/random.h"
#include "tests/check.h"

static struct tensor *points(struct arena *arena, int64_t n, int64_t width,
                             const float *values) {
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, width });
    memcpy(x->data, values, (size_t)(n * width) * sizeof *values);
    return x;
}

/* On the line from (1000, 1000) along (1, -1): variance 2 (2.25 + .25 + .25 + 2.25) / 3. */
TEST(pca_of_points_on_a_line) {
    struct err err;
    struct tensor *x =
        points(check_arena(), 4, 2, (float[]){ 1000, 1000, 1001, 999, 1002, 998, 1003, 997 });
    struct pca *found = pca(check_arena(), x, 2, &err);
    check_near(found->variance->data[0], 10.0 / 3, 1e-6);
    check_near(found->variance->data[1], 0, 1e-6);
    check_near(found->ratio->data[0], 1, 1e-6);
    check_near(fabs((double)found->components->data[0]), sqrt(0.5), 1e-6);
    check_near(found->components->data[0] + found->components->data[1], 0, 1e-6);
    check_near(found->mean->data[0], 1001.5, 1e-6);
    check_near(fabs((double)found->transformed->data[0]), 1.5 * sqrt(2), 1e-6);
}

/* What the components do not span is nothing: the points come back from them. */
static void comes_back(int64_t n, int64_t width) {
    struct arena *arena = check_arena();
    struct err err;
    struct random random = random_new(3);
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, width });
    for (int64_t i = 0; i < n * width; i++) {
        x->data[i] = (float)(random_normal(&random) + 5);
    }
    int64_t k = n < width ? n : width;
    struct pca *found = pca(arena, x, k, &err);
    double worst = 0, ratio = 0;
    for (int64_t i = 0; i < n * width; i++) {
        double sum = (double)found->mean->data[i % width];
        for (int64_t j = 0; j < k; j++) {
            sum += (double)found->transformed->data[i / width * k + j] *
                   (double)found->components->data[j * width + i % width];
        }
        worst = fmax(worst, fabs(sum - (double)x->data[i]));
    }
    for (int64_t j = 0; j < k; j++) {
        ratio += (double)found->ratio->data[j];
        double most = 0;
        for (int64_t f = 0; f < width; f++) {
            double value = (double)found->components->data[j * width + f];
            most = fabs(value) > fabs(most) ? value : most;
        }
        check(most > 0 || found->variance->data[j] < 1e-5F * found->variance->data[0]);
    }
    check_near(worst, 0, 1e-5);
    check_near(ratio, 1, 1e-6);
}

TEST(pca_of_many_points_and_of_many_dimensions_spans_them) {
    comes_back(700, 9);
    comes_back(9, 700);
}

/* Along each component the points vary by its variance, and not together with the next. */
static void varies(int64_t n, int64_t width) {
    struct arena *arena = check_arena();
    struct err err;
    struct random random = random_new(4);
    struct tensor *x = tensor_new(arena, 2, (int64_t[]){ n, width });
    for (int64_t i = 0; i < n * width; i++) {
        x->data[i] = (float)((double)(1 + i % 7) * random_normal(&random));
    }
    int64_t k = 20;
    struct pca *found = pca(arena, x, k, &err);
    double worst = 0;
    for (int64_t j = 0; j + 1 < k; j++) {
        double square = 0, together = 0, whole = (double)found->variance->data[j];
        for (int64_t i = 0; i < n; i++) {
            const float *at = found->transformed->data + i * k + j;
            square += (double)at[0] * (double)at[0];
            together += (double)at[0] * (double)at[1];
        }
        worst = fmax(worst, fabs(square / (double)(n - 1) / whole - 1));
        worst = fmax(worst, fabs(together / (double)(n - 1) / whole));
    }
    check_near(worst, 0, 1e-4);
}

/* More than one strip of the products, and more than one block of them. */
TEST(pca_in_strips_finds_what_varies) {
    varies(600, 150);
    varies(150, 600);
}

TEST(pca_refuses_what_has_no_components) {
    struct arena *arena = check_arena();
    struct err err;
    struct tensor *x = points(arena, 3, 2, (float[]){ 1, 2, 3, 4, 5, INFINITY });
    check(!pca(arena, x, 1, &err) && err.kind == ERR_TEXT);
    check_text(err.text, "PCA: point 2 has Inf in dimension 1");
    x->data[5] = 6;
    check(!pca(arena, x, 3, &err) && err.kind == ERR_SHAPE);
    check_text(err.text, "3 components of 3 points in 2 dimensions are wanted; there are 2");
    check(!pca(arena, points(arena, 2, 1, (float[]){ 1, 1 }), 1, &err));
    check_text(err.text, "all 2 points are the same");
    check(!pca(arena, points(arena, 1, 2, (float[]){ 1, 1 }), 1, &err));
    check_text(err.text, "needs at least 2 points; there is 1");
    check(!pca(arena, tensor_new(arena, 3, (int64_t[]){ 2, 2, 2 }), 1, &err));
    check_text(err.text, "[2, 2, 2]");
}
