#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/tensor/op.h"

static float number(int64_t i, uint32_t seed) {
    uint32_t mixed = ((uint32_t)i + seed * 1000003U) * 2654435761U;
    mixed ^= mixed >> 15;
    mixed *= 2246822519U;
    return (float)(mixed >> 9 & 0xffff) / 16384.0F - 2.0F;
}

static struct tensor *numbers(struct arena *arena, int64_t rows, int64_t columns,
                              uint32_t seed) {
    struct tensor *tensor = tensor_new(arena, 2, (int64_t[]){ rows, columns });
    for (int64_t i = 0; i < rows * columns; i++) {
        tensor->data[i] = number(i, seed);
    }
    return tensor;
}

/* One attention with everything it needs: q, k and v stand in their rows with other numbers
 * before, between and after the heads. */
struct scene {
    struct op_attention how;
    struct op_heads q, k, v;
    struct tensor *pattern, *y;
};

static struct op_heads heads_new(struct arena *arena, int64_t rows, int64_t heads,
                                 int64_t width, uint32_t seed) {
    struct tensor *x = numbers(arena, rows, 3 + heads * (width + 2), seed);
    return (struct op_heads){ .x = x, .first = 3, .apart = width + 2 };
}

/* `how` with its sizes and settings; fills in a past's and a table's numbers. */
static struct scene scene_new(struct arena *arena, struct op_attention how) {
    struct scene scene = { .how = how };
    int64_t past = how.past * how.groups * how.width;
    scene.q = heads_new(arena, how.batch * how.queries, how.heads, how.width, 1);
    scene.k = heads_new(arena, how.batch * how.keys, how.groups, how.width, 2);
    scene.v = heads_new(arena, how.batch * how.keys, how.groups, how.width, 3);
    if (past > 0) {
        scene.how.past_keys = numbers(arena, 1, past, 4)->data;
        scene.how.past_values = numbers(arena, 1, past, 5)->data;
    }
    scene.pattern = tensor_new(
        arena, 4, (int64_t[]){ how.batch, how.heads, how.queries, how.past + how.keys });
    memset(scene.pattern->data, 0x7f, (size_t)tensor_bytes(scene.pattern));
    return scene;
}

/* Four buckets of distances: the table's bias for heads. */
static void scene_bias(struct arena *arena, struct scene *scene) {
    int64_t n = scene->how.past + scene->how.queries + scene->how.keys - 1;
    int32_t *distance = arena_array(arena, n, sizeof *distance);
    for (int64_t i = 0; i < n; i++) {
        distance[i] = (int32_t)(i * 7 % 4);
    }
    scene->how.distance = distance;
    scene->how.table = numbers(arena, 4, scene->how.heads, 6);
}

static struct tape *tape_for(struct arena *arena, const struct op_attention *how) {
    return tape_new(arena,
                    op_attention_room(how->queries, how->past + how->keys, how->width, false));
}

static void scene_run(struct arena *arena, struct scene *scene) {
    scene->y = op_attention(tape_for(arena, &scene->how), scene->q, scene->k, scene->v,
                            &scene->how, scene->pattern);
}

/* The numbers of key or value j in text b for group g. */
static const float *row_at(const struct scene *scene, bool value, int64_t b, int64_t g,
                           int64_t j) {
    const struct op_attention *how = &scene->how;
    const struct op_heads *own = value ? &scene->v : &scene->k;
    if (j < how->past) {
        const float *past = value ? how->past_values : how->past_keys;
        return past + (j * how->groups + g) * how->width;
    }
    int64_t row = b * how->keys + j - how->past;
    return own->x->data + row * own->x->shape[1] + own->first + g * own->apart;
}

static bool masked(const struct op_attention *how, int64_t b, int64_t i, int64_t j) {
    int64_t at = how->past + i;
    return (how->mask && j >= how->past && !how->mask[b * how->keys + j - how->past]) ||
           (how->causal && j > at) || (how->left >= 0 && j < at - how->left) ||
           (how->right >= 0 && j > at + how->right);
}

/* Probabilities p [P + S] of query i straight from the formula, in double. */
static void weigh(const struct scene *scene, int64_t b, int64_t h, int64_t i, double *p) {
    const struct op_attention *how = &scene->how;
    int64_t all = how->past + how->keys, g = h / (how->heads / how->groups);
    const float *q = scene->q.x->data + (b * how->queries + i) * scene->q.x->shape[1] +
                     scene->q.first + h * scene->q.apart;
    double sum = 0, top = -HUGE_VAL;
    for (int64_t j = 0; j < all; j++) {
        const float *key = row_at(scene, false, b, g, j);
        p[j] = 0;
        for (int64_t d = 0; d < how->width; d++) {
            p[j] += (double)q[d] * (double)key[d];
        }
        p[j] *= (double)how->scale;
        p[j] = how->cap > 0 ? (double)how->cap * tanh(p[j] / (double)how->cap) : p[j];
        if (how->table) {
            int64_t bucket = how->distance[j - i + how->queries - 1];
            p[j] += (double)how->table->data[bucket * how->heads + h];
        }
        p[j] = masked(how, b, i, j) ? -HUGE_VAL : p[j];
        top = fmax(top, p[j]);
    }
    for (int64_t j = 0; j < all; j++) {
        p[j] = top > -HUGE_VAL ? exp(p[j] - top) : 0;
        sum += p[j];
    }
    for (int64_t j = 0; j < all && sum > 0; j++) {
        p[j] /= sum;
    }
}

/* Pattern and result against the formula; what is masked must be exactly 0. */
static void check_formula(const struct scene *scene) {
    const struct op_attention *how = &scene->how;
    int64_t all = how->past + how->keys, leaks = 0;
    double *p = arena_array(check_arena(), all, sizeof *p), worst = 0;
    for (int64_t n = 0; n < how->batch * how->heads * how->queries; n++) {
        int64_t b = n / (how->heads * how->queries), h = n / how->queries % how->heads;
        int64_t i = n % how->queries, g = h / (how->heads / how->groups);
        weigh(scene, b, h, i, p);
        for (int64_t j = 0; j < all; j++) {
            float seen = scene->pattern->data[n * all + j];
            leaks += masked(how, b, i, j) && seen != 0;
            worst = fmax(worst, fabs((double)seen - p[j]));
        }
        for (int64_t d = 0; d < how->width; d++) {
            double mixed = 0;
            for (int64_t j = 0; j < all; j++) {
                mixed += p[j] * (double)row_at(scene, true, b, g, j)[d];
            }
            int64_t at = ((b * how->queries + i) * how->heads + h) * how->width + d;
            double off = fabs(mixed - (double)scene->y->data[at]);
            worst = off <= worst ? worst : off; /* a NaN is the worst */
        }
    }
    check_int(leaks, 0);
    check_near(worst, 0, 3e-5); /* scores reach 60, so their last digit is 4e-6 */
}

/* The result again without a pattern, and with other numbers of threads. */
static void check_same_bytes(struct arena *arena, const struct scene *scene) {
    size_t bytes = (size_t)tensor_bytes(scene->y);
    struct scene again = *scene;
    again.pattern = NULL;
    scene_run(arena, &again);
    check(memcmp(again.y->data, scene->y->data, bytes) == 0);
    int threads = pool_threads();
    for (int n = 1; n <= 8; n++) {
        pool_set_threads(n);
        again.pattern = tensor_new(arena, 4, scene->pattern->shape);
        scene_run(arena, &again);
        check(memcmp(again.y->data, scene->y->data, bytes) == 0);
        check(memcmp(again.pattern->data, scene->pattern->data,
                     (size_t)tensor_bytes(scene->pattern)) == 0);
    }
    pool_set_threads(threads);
}

static void check_scene(struct op_attention how, bool bias) {
    struct arena *arena = check_arena();
    struct scene scene = scene_new(arena, how);
    if (bias) {
        scene_bias(arena, &scene);
    }
    scene_run(arena, &scene);
    check_formula(&scene);
    check_same_bytes(arena, &scene);
}

/* Sizes: B, T, S, heads, groups, width; everything else at rest. */
static struct op_attention sizes(int64_t batch, int64_t queries, int64_t keys, int64_t heads,
                                 int64_t groups, int64_t width) {
    return (struct op_attention){ .batch = batch,
                                  .queries = queries,
                                  .keys = keys,
                                  .heads = heads,
                                  .groups = groups,
                                  .width = width,
                                  .scale = 1.0F / sqrtf((float)width),
                                  .left = -1,
                                  .right = -1 };
}

/* One head of width 1: scores 0, ln 3 for query 1; values 4 and 8: (4 + 3 * 8) / 4 = 7. */
TEST(op_attention_by_hand) {
    struct arena *arena = check_arena();
    struct tensor *q = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    struct tensor *k = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    struct tensor *v = tensor_new(arena, 2, (int64_t[]){ 2, 1 });
    struct tensor *pattern = tensor_new(arena, 4, (int64_t[]){ 1, 1, 2, 2 });
    memcpy(q->data, (float[]){ 0, 2 }, 2 * sizeof(float));
    memcpy(k->data, (float[]){ 0, 1.09861229F }, 2 * sizeof(float));
    memcpy(v->data, (float[]){ 4, 8 }, 2 * sizeof(float));
    struct op_attention how = sizes(1, 2, 2, 1, 1, 1);
    how.scale = 0.5F;
    struct scene scene = { how, { q, 0, 1 }, { k, 0, 1 }, { v, 0, 1 }, pattern, NULL };
    scene_run(arena, &scene);
    check_near(scene.y->data[0], 6, 1e-6);
    check_near(scene.y->data[1], 7, 1e-6);
    check_near(pattern->data[2], 0.25, 1e-7);
    check_near(pattern->data[3], 0.75, 1e-7);
    scene.how.causal = true;
    scene_run(arena, &scene);
    check(pattern->data[0] == 1 && pattern->data[1] == 0 && scene.y->data[0] == 4);
    check_near(scene.y->data[1], 7, 1e-6);
}

TEST(op_attention_has_any_width) {
    static const int64_t widths[] = { 1, 10, 16, 20, 64, 80, 128, 256 };
    for (int i = 0; i < 8; i++) {
        struct op_attention how = sizes(2, 21, 21, 4, 2, widths[i]);
        check_scene(how, false);
        how.causal = true;
        check_scene(how, false);
    }
    struct op_attention long_text = sizes(1, 399, 399, 2, 1, 20);
    long_text.causal = true;
    check_scene(long_text, false);
}

TEST(op_attention_looks_across_texts) {
    check_scene(sizes(2, 5, 70, 3, 3, 16), false);
    check_scene(sizes(1, 70, 3, 2, 1, 8), false);
}

TEST(op_attention_masks_wherever_padding_stands) {
    static const uint8_t mask[4 * 40] = {
        1,
        1,
        1,
        1,
        1,
        0,
        0,
        0,
        0,
        0, /* right */
        [40] = 1,
        1,
        1,
        0,
        1,
        1, /* between */
        [80 + 33] = 1,
        1,
        1,
        0,
        1,
        1,
        1, /* left */
    };     /* the last text: everywhere */
    for (int causal = 0; causal < 2; causal++) {
        struct op_attention how = sizes(4, 40, 40, 6, 2, 10);
        how.mask = mask;
        how.causal = causal;
        check_scene(how, false);
        how.past = 11;
        check_scene(how, false);
        how.past = 0;
        how.left = 3;
        how.right = 2;
        check_scene(how, true);
    }
}

/* Values and keys of what a query does not see may be NaN or infinite. */
static void check_unmoved(struct op_attention how, int64_t wrong, float value) {
    struct arena *arena = check_arena();
    struct scene good = scene_new(arena, how), bad = scene_new(arena, how);
    int64_t width = how.heads * how.width, all = how.past + how.keys;
    for (int64_t h = 0; h < how.groups; h++) {
        for (int64_t i = 0; i < how.width; i++) {
            int64_t at = 3 + h * (how.width + 2) + i;
            bad.k.x->data[wrong * bad.k.x->shape[1] + at] = value;
            bad.v.x->data[wrong * bad.v.x->shape[1] + at] = value;
        }
    }
    scene_run(arena, &good);
    scene_run(arena, &bad);
    for (int64_t i = 0; i < how.queries; i++) {
        bool sees = (!how.mask || how.mask[wrong]) && (!how.causal || wrong <= i) &&
                    (how.left < 0 || i - wrong <= how.left);
        for (int64_t c = 0; c < width; c++) {
            double is = (double)bad.y->data[i * width + c];
            if (sees) {
                check(!isfinite(is));
            } else {
                check_near(is, (double)good.y->data[i * width + c], 1e-5);
            }
        }
        for (int64_t h = 0; h < how.heads && !sees; h++) {
            int64_t row = (h * how.queries + i) * all;
            check(memcmp(good.pattern->data + row, bad.pattern->data + row,
                         (size_t)all * sizeof(float)) == 0);
        }
    }
}

TEST(op_attention_is_not_moved_by_what_it_does_not_see) {
    static const uint8_t mask[20] = {
        1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0
    };
    static const float values[] = { NAN, INFINITY };
    for (int i = 0; i < 2; i++) {
        struct op_attention how = sizes(1, 20, 20, 4, 2, 10);
        how.causal = true;
        check_unmoved(how, 7, values[i]);
        how.past = 5;
        check_unmoved(how, 7, values[i]);
        how.past = 0;
        how.left = 3;
        check_unmoved(how, 7, values[i]);
        how.causal = false;
        how.left = -1;
        how.mask = mask;
        check_unmoved(how, 5, values[i]);
        check_unmoved(how, 19, values[i]);
    }
}

TEST(op_attention_sees_through_windows) {
    for (int64_t left = 0; left < 50; left = left * 2 + 1) {
        struct op_attention how = sizes(1, 110, 110, 2, 2, 8);
        how.left = left;
        check_scene(how, false);
        how.right = left / 3;
        check_scene(how, false);
        how.causal = true;
        how.past = 37;
        check_scene(how, false);
    }
}

TEST(op_attention_caps_and_biases) {
    struct op_attention how = sizes(2, 30, 45, 4, 4, 16);
    check_scene(how, true);
    how.cap = 1.5F;
    check_scene(how, true);
    check_scene(how, false);
    how.causal = true;
    check_scene(how, true);
}

/* Rows `past` .. T of a run over everything, with the first as a past: the same bytes. */
static void check_past(struct op_attention how, bool bias, int64_t past) {
    struct arena *arena = check_arena();
    struct scene whole = scene_new(arena, how);
    if (bias) {
        scene_bias(arena, &whole);
    }
    struct scene part = whole; /* distances are the same, fewer of them */
    int64_t row = how.groups * how.width, all = how.keys;
    struct tensor *keys = numbers(arena, past, row, 0), *values = numbers(arena, past, row, 0);
    for (int64_t i = 0; i < past * how.groups; i++) {
        int64_t g = i % how.groups, j = i / how.groups;
        size_t bytes = (size_t)how.width * sizeof(float);
        memcpy(keys->data + i * how.width, row_at(&whole, false, 0, g, j), bytes);
        memcpy(values->data + i * how.width, row_at(&whole, true, 0, g, j), bytes);
    }
    scene_run(arena, &whole);
    part.how.queries = part.how.keys = how.queries - past;
    part.how.past = past;
    part.how.past_keys = keys->data;
    part.how.past_values = values->data;
    part.how.mask = how.mask ? how.mask + past : NULL;
    struct op_heads *heads[] = { &part.q, &part.k, &part.v };
    for (int i = 0; i < 3; i++) {
        struct tensor *rest = numbers(arena, how.queries - past, heads[i]->x->shape[1], 0);
        memcpy(rest->data, heads[i]->x->data + past * rest->shape[1],
               (size_t)tensor_bytes(rest));
        heads[i]->x = rest;
    }
    part.pattern =
        tensor_new(arena, 4, (int64_t[]){ 1, how.heads, how.queries - past, how.keys });
    scene_run(arena, &part);
    check(memcmp(part.y->data, whole.y->data + past * how.heads * how.width,
                 (size_t)tensor_bytes(part.y)) == 0);
    for (int64_t h = 0; h < how.heads; h++) {
        check(memcmp(part.pattern->data + h * (how.queries - past) * all,
                     whole.pattern->data + (h * how.queries + past) * all,
                     (size_t)((how.queries - past) * all) * sizeof(float)) == 0);
    }
}

TEST(op_attention_gives_the_same_bytes_with_a_past) {
    static const int64_t pasts[] = { 1, 7, 32, 45, 64, 89 };
    static const uint8_t mask[90] = { [0 ... 69] = 1, [72] = 1, 1, 1, 1, 0, 1, 0, 1, 1, 1 };
    for (int i = 0; i < 6; i++) {
        struct op_attention how = sizes(1, 90, 90, 4, 2, 20);
        how.causal = true;
        check_past(how, false, pasts[i]);
        check_past(how, true, pasts[i]);
        how.left = 19;
        check_past(how, false, pasts[i]);
        how.cap = 2;
        how.mask = pasts[i] < 70 ? mask : NULL; /* a past has no padding */
        check_past(how, i % 2, pasts[i]);
    }
}

/* A text alone, and with padding to its left and right beside another text. */
TEST(op_attention_gives_the_same_bytes_beside_padding) {
    for (int64_t pad = 1; pad < 40; pad += 9) {
        struct arena *arena = check_arena();
        struct op_attention how = sizes(1, 51, 51, 2, 1, 16);
        how.causal = pad % 2;
        struct scene alone = scene_new(arena, how);
        scene_run(arena, &alone);
        how.batch = 2;
        how.queries = how.keys = 51 + 2 * pad;
        struct scene padded = scene_new(arena, how);
        uint8_t *mask = arena_array(arena, 2 * how.keys, 1);
        memset(mask + how.keys + pad, 1, 51);
        memset(mask, 1, (size_t)how.keys);
        padded.how.mask = mask;
        const struct op_heads *from[] = { &alone.q, &alone.k, &alone.v };
        struct op_heads *to[] = { &padded.q, &padded.k, &padded.v };
        for (int i = 0; i < 3; i++) {
            memcpy(to[i]->x->data + (how.keys + pad) * to[i]->x->shape[1], from[i]->x->data,
                   (size_t)tensor_bytes(from[i]->x));
        }
        scene_run(arena, &padded);
        check(memcmp(padded.y->data + (how.keys + pad) * 32, alone.y->data,
                     (size_t)tensor_bytes(alone.y)) == 0);
    }
}

/* ---- gradients ---- */

/* The target: y times these weights, and the pattern times those, for each of S seeds. */
struct target {
    int64_t seeds;
    const float *y, *pattern; /* [S, ...]; pattern NULL: it plays no part */
};

/* The target of one seed from the formula, in double. */
static double target_value(const struct scene *scene, const struct target *target,
                           int64_t seed) {
    const struct op_attention *how = &scene->how;
    int64_t all = how->past + how->keys, heads = how->batch * how->heads * how->queries;
    const float *of_y = target->y + seed * heads * how->width;
    double *p = calloc((size_t)all, sizeof *p), sum = 0;
    for (int64_t n = 0; n < heads; n++) {
        int64_t b = n / (how->heads * how->queries), h = n / how->queries % how->heads;
        int64_t i = n % how->queries, g = h / (how->heads / how->groups);
        const float *weights = of_y + ((b * how->queries + i) * how->heads + h) * how->width;
        weigh(scene, b, h, i, p);
        for (int64_t j = 0; j < all; j++) {
            const float *value = row_at(scene, true, b, g, j);
            double share = 0;
            for (int64_t d = 0; d < how->width; d++) {
                share += (double)weights[d] * (double)value[d];
            }
            if (target->pattern) {
                share += (double)target->pattern[(seed * heads + n) * all + j];
            }
            sum += p[j] * share;
        }
    }
    free(p);
    return sum;
}

/* What attention's backward gave. */
struct gradients {
    float *q, *k, *v, *pattern, *table; /* [S, ...]; pattern and table NULL: not wanted */
};

static void table_take(void *arg, const struct tensor *parameter,
                       const struct tensor *gradient) {
    struct gradients *of = arg;
    check_int(tensor_count(parameter), tensor_count(gradient));
    memcpy(of->table, gradient->data, (size_t)tensor_bytes(gradient));
}

static float *place(struct arena *arena, const struct target *target, const struct tensor *of) {
    return arena_array(arena, target->seeds * tensor_count(of), sizeof(float));
}

static struct gradients scene_back(struct arena *arena, const struct scene *scene,
                                   const struct target *target, bool pattern) {
    const struct op_attention *how = &scene->how;
    struct gradients of = { .q = place(arena, target, scene->q.x),
                            .k = place(arena, target, scene->k.x),
                            .v = place(arena, target, scene->v.x) };
    int64_t room = op_attention_room(how->queries, how->past + how->keys, how->width, true);
    struct tape *tape = tape_new(arena, room);
    tape_record(tape);
    struct tensor *y =
        op_attention(tape, scene->q, scene->k, scene->v, how, pattern ? scene->pattern : NULL);
    tape_seed(tape, y, target->y);
    tape_want(tape, scene->q.x, of.q);
    tape_want(tape, scene->k.x, of.k);
    tape_want(tape, scene->v.x, of.v);
    if (target->pattern) {
        of.pattern = place(arena, target, scene->pattern);
        tape_seed(tape, scene->pattern, target->pattern);
        tape_want(tape, scene->pattern, of.pattern);
    }
    struct tape_ask ask = { .seeds = target->seeds, .arg = &of };
    if (how->table && target->seeds == 1) {
        of.table = place(arena, target, how->table);
        ask.parameter = table_take;
    }
    tape_backward(tape, &ask);
    return of;
}

/* Every few numbers of x moved by a 1024th either way. */
static void check_slopes(const struct scene *scene, const struct target *target, float *x,
                         int64_t n, const float *gradient) {
    const float step = 1.0F / 1024;
    double worst = 0;
    for (int64_t at = 0; at < n; at += 1 + n / 9) {
        float before = x[at];
        for (int64_t s = 0; s < target->seeds; s++) {
            x[at] = before + step;
            double up = target_value(scene, target, s);
            x[at] = before - step;
            double slope = (up - target_value(scene, target, s)) * 512;
            x[at] = before;
            double off = fabs(slope - (double)gradient[s * n + at]) / (1 + fabs(slope));
            worst = off <= worst ? worst : off;
        }
    }
    check_near(worst, 0, 1e-4);
}

/* A pattern receives its seed and what its value says, masked or not. */
static void check_pattern_gradient(const struct scene *scene, const struct target *target,
                                   const float *gradient) {
    const struct op_attention *how = &scene->how;
    int64_t all = how->past + how->keys, heads = how->batch * how->heads * how->queries;
    double worst = 0;
    for (int64_t n = 0; n < target->seeds * heads * all; n++) {
        int64_t s = n / all / heads, b = n / all / (how->heads * how->queries) % how->batch;
        int64_t h = n / all / how->queries % how->heads, i = n / all % how->queries;
        const float *value = row_at(scene, true, b, h / (how->heads / how->groups), n % all);
        int64_t row = ((s * how->batch + b) * how->queries + i) * how->heads + h;
        double wanted = (double)target->pattern[n];
        for (int64_t d = 0; d < how->width; d++) {
            wanted += (double)target->y[row * how->width + d] * (double)value[d];
        }
        double off = fabs(wanted - (double)gradient[n]) / (1 + fabs(wanted));
        worst = off <= worst ? worst : off;
    }
    check_near(worst, 0, 2e-5);
}

static bool same(const float *a, const float *b, int64_t seeds, const struct tensor *of) {
    return memcmp(a, b, (size_t)(seeds * tensor_count(of)) * sizeof *a) == 0;
}

static void check_same_gradients(const struct scene *scene, const struct target *target,
                                 const struct gradients *wanted, bool pattern) {
    struct gradients seen = scene_back(check_arena(), scene, target, pattern);
    check(same(seen.q, wanted->q, target->seeds, scene->q.x));
    check(same(seen.k, wanted->k, target->seeds, scene->k.x));
    check(same(seen.v, wanted->v, target->seeds, scene->v.x));
    check(!wanted->table || same(seen.table, wanted->table, 1, scene->how.table));
}

static const float *weights(struct arena *arena, int64_t seeds, int64_t n, uint32_t seed) {
    return numbers(arena, seeds, n, seed)->data;
}

static void check_gradients(struct op_attention how, bool bias, int64_t seeds, bool pattern) {
    struct arena *arena = check_arena();
    struct scene scene = scene_new(arena, how);
    if (bias) {
        scene_bias(arena, &scene);
    }
    struct target target = { seeds, NULL, NULL };
    target.y = weights(arena, seeds, how.batch * how.queries * how.heads * how.width, 7);
    if (pattern) {
        target.pattern = weights(arena, seeds, tensor_count(scene.pattern), 8);
    }
    struct gradients of = scene_back(arena, &scene, &target, true);
    check_slopes(&scene, &target, scene.q.x->data, tensor_count(scene.q.x), of.q);
    check_slopes(&scene, &target, scene.k.x->data, tensor_count(scene.k.x), of.k);
    check_slopes(&scene, &target, scene.v.x->data, tensor_count(scene.v.x), of.v);
    if (of.table) {
        float *table = scene.how.table->data;
        check_slopes(&scene, &target, table, 4 * how.heads, of.table);
    }
    if (pattern) {
        check_pattern_gradient(&scene, &target, of.pattern);
    } else { /* kept by attention itself, or computed again */
        check_same_gradients(&scene, &target, &of, false);
    }
    int threads = pool_threads();
    for (int n = 1; n <= 8; n++) {
        pool_set_threads(n);
        check_same_gradients(&scene, &target, &of, true);
    }
    pool_set_threads(threads);
}

TEST(op_attention_goes_back_at_any_width) {
    static const int64_t all[] = { 1, 10, 16, 20, 64, 80, 128, 256 };
    for (int i = 0; i < 8; i++) {
        struct op_attention how = sizes(2, 5, 7, 4, 2, all[i]);
        how.scale *= 0.5F;
        check_gradients(how, false, 1, i % 2);
        check_gradients(how, false, 3, i % 2 == 0);
    }
}

TEST(op_attention_goes_back_through_long_texts) {
    struct op_attention how = sizes(1, 107, 107, 1, 1, 4); /* three blocks of queries */
    how.causal = true;
    check_gradients(how, false, 1, false);
    how.left = 20;
    check_gradients(how, true, 1, false);
    how.past = 33;
    check_gradients(how, false, 1, true);
}

TEST(op_attention_goes_back_through_everything) {
    static const uint8_t mask[2 * 9] = { 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1 };
    for (int i = 0; i < 32; i++) {
        struct op_attention how = sizes(2, 9, 9, 4, i % 3 ? 2 : 4, 10);
        how.causal = i & 1;
        how.mask = i & 2 ? mask : NULL;
        how.cap = i & 4 ? 1.25F : 0;
        how.left = i & 8 ? 3 : -1;
        how.right = i & 8 ? 1 : -1;
        how.past = i & 16 ? 5 : 0;
        check_gradients(how, i % 5 < 3, i % 7 == 3 ? 3 : 1, i % 4 == 1);
    }
}

/* Gradients of the values alone do not need the rest. */
TEST(op_attention_goes_back_as_far_as_is_wanted) {
    struct arena *arena = check_arena();
    struct scene scene = scene_new(arena, sizes(2, 6, 6, 4, 2, 8));
    struct target target = { 1, weights(arena, 1, 2 * 6 * 32, 7), NULL };
    struct gradients all = scene_back(arena, &scene, &target, false);
    struct tape *tape = tape_new(arena, op_attention_room(6, 6, 8, true));
    tape_record(tape);
    struct tensor *y = op_attention(tape, scene.q, scene.k, scene.v, &scene.how, NULL);
    float *v = place(arena, &target, scene.v.x);
    tape_seed(tape, y, target.y);
    tape_want(tape, scene.v.x, v);
    tape_backward(tape, &(struct tape_ask){ .seeds = 1 });
    check(same(v, all.v, 1, scene.v.x));
}
