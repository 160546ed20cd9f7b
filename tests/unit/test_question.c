#include "tests/check.h"
#include "tests/fixture.h"
#include "tests/looks.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/explain/integrated.h"
#include "core/explain/question.h"

enum { T = 7 };
static const int32_t ids[T] = { 12, 17, 300, 41, 5, 6, 77 };

static struct question question_of(const struct model *model, enum question_of of) {
    return (struct question){
        .model = model, .ids = ids, .tokens = T, .position = T - 2, .id = 2, .of = of
    };
}

/* By hand: logits 0, ln 3: probabilities 1/4, 3/4. */
TEST(question_value_by_hand) {
    const float logits[2] = { 0, 1.09861229F };
    float gradient[2];
    struct question q = { .id = 1, .of = QUESTION_LOGIT };
    check_near(question_value(&q, logits, 2, gradient), 1.09861229, 1e-7);
    check(gradient[0] == 0 && gradient[1] == 1);
    q.of = QUESTION_LOGPROB;
    check_near(question_value(&q, logits, 2, gradient), log(0.75), 1e-7);
    check_near((double)gradient[0], -0.25, 1e-7);
    check_near((double)gradient[1], 0.25, 1e-7);
    q.of = QUESTION_PROB;
    check_near(question_value(&q, logits, 2, gradient), 0.75, 1e-7);
    check_near((double)gradient[1], 0.75 * 0.25, 1e-7);
}

TEST(question_loss_by_hand) {
    struct arena *arena = check_arena();
    struct tensor *logits = tensor_new(arena, 2, (int64_t[]){ 3, 2 });
    memcpy(logits->data, (float[]){ 0, 1.09861229F, 5, 5, 0, 0 }, 6 * sizeof(float));
    const int32_t labels[3] = { 1, QUESTION_NONE, 0 }, none[3] = { -100, -100, -100 };
    double loss;
    struct tensor *seed = question_loss(arena, logits, labels, &loss);
    check_near(loss, (-log(0.75) + log(2)) / 2, 1e-7);
    check_near((double)seed->data[0], 0.25 / 2, 1e-7);
    check_near((double)seed->data[1], -0.25 / 2, 1e-7);
    check(seed->data[2] == 0 && seed->data[3] == 0);
    check_near((double)seed->data[4], -0.25, 1e-7);
    check(!question_loss(arena, logits, none, &loss));
}

/* ---- against central differences of the whole network ---- */

/* The value's change along `direction` [T E] from embeddings x, by a step h. */
static double difference(const struct question *q, const struct tensor *x,
                         const float *direction, float h) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    int64_t n = tensor_count(x);
    struct tensor *both = tensor_new(arena, 3, (int64_t[]){ 2, x->shape[1], x->shape[2] });
    for (int64_t i = 0; i < n; i++) {
        both->data[i] = x->data[i] + h * direction[i];
        both->data[n + i] = x->data[i] - h * direction[i];
    }
    struct answers *answers = question_ask(arena, q, both, 0, &err);
    return answers ? (answers->values[0] - answers->values[1]) / (2 * (double)h) : (double)NAN;
}

static void check_directions(const struct model *model, enum question_of of) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct question q = question_of(model, of);
    struct answers *answers = question_ask(arena, &q, NULL, 0, &err);
    if (!check(answers != NULL)) {
        return;
    }
    int64_t n = tensor_count(answers->embeddings);
    float *direction = arena_array(arena, n, sizeof *direction);
    for (uint32_t round = 1; round <= 3; round++) {
        double slope = 0, size = 0;
        for (int64_t i = 0; i < n; i++) {
            direction[i] = (float)((uint32_t)(i + 1) * round * 2654435761U >> 16) / 32768 - 1;
            slope += (double)direction[i] * (double)answers->gradients->data[i];
            size += fabs((double)answers->gradients->data[i]);
        }
        check_near(difference(&q, answers->embeddings, direction, 1e-3F), slope,
                   5e-3 * size / sqrt((double)n) + 2e-3);
    }
}

TEST(question_gradients_are_central_differences) {
    static const char *const models[] = { "gpt2",     "bert_mlm", "roberta",    "llama3",
                                          "gpt_neox", "opt",      "modernbert", "lstm_lm" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const struct model *model = fixture_model(models[i]);
        check_directions(model, QUESTION_LOGIT);
        check_directions(model, QUESTION_LOGPROB);
    }
    check_directions(fixture_model("bert_cls"), QUESTION_PROB);
}

TEST(question_refuses_what_is_not_there) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct question q = question_of(fixture_model("gpt2"), QUESTION_LOGIT);
    q.position = T;
    check(!question_ask(arena, &q, NULL, 0, &err));
    check_text(err.text, "position 7");
    q.position = 0;
    q.id = 512;
    check(!question_ask(arena, &q, NULL, 0, &err));
    check_text(err.text, "token 512");
    q.model = fixture_model("bert_cls");
    q.id = 3;
    check(!question_ask(arena, &q, NULL, 0, &err));
    check_text(err.text, "class 3");
}

/* ---- integrated gradients ---- */

TEST(integrated_nodes_integrate_polynomials) {
    double nodes[6], weights[6];
    integrated_nodes(INTEGRATED_GAUSS_LEGENDRE, 6, nodes, weights);
    for (int power = 0; power < 12; power++) { /* exact up to degree 2 n - 1 */
        double sum = 0;
        for (int i = 0; i < 6; i++) {
            sum += weights[i] * pow(nodes[i], power);
        }
        check_near(sum, 1.0 / (power + 1), 1e-14);
    }
    integrated_nodes(INTEGRATED_CAPTUM_TRAPEZOID, 5, nodes, weights);
    check(nodes[0] == 0 && nodes[1] == 0.25 && nodes[4] == 1);
    check_near(weights[0] + weights[1] + weights[2] + weights[3] + weights[4], 0.8, 1e-15);
}

TEST(integrated_gradients_are_complete) {
    static const char *const models[] = { "gpt2", "bert_cls", "bert_mlm" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct arena *arena = check_arena();
        struct err err = { 0 };
        struct question q = question_of(fixture_model(models[i]), QUESTION_LOGPROB);
        struct tensor *token = question_embeddings(arena, q.model, ids, 1, &err);
        struct integrated how = { .question = &q, .baseline = token->data, .steps = 100 };
        double gap;
        struct tensor *all = integrated_gradients(arena, &how, &gap, &err);
        check(all != NULL);
        check_near(gap, 0, 1e-3);
        how.rows = 1; /* a step at a time */
        struct tensor *one = integrated_gradients(arena, &how, NULL, &err);
        check(one && memcmp(one->data, all->data, (size_t)tensor_bytes(all)) == 0);
        how.steps = 1;
        check(!integrated_gradients(arena, &how, NULL, &err));
        check_text(err.text, "1 steps");
    }
}

/* Wherever an interrupt comes, it ends the work or comes after all of it. */
TEST(integrated_gradients_are_whole_or_none) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    struct question q = question_of(fixture_model("gpt2"), QUESTION_LOGIT);
    const struct integrated how = { .question = &q, .steps = 2 };
    int64_t before = looks_count();
    const struct tensor *whole = integrated_gradients(arena, &how, NULL, &err);
    int64_t looks = looks_count() - before;
    volatile int after = 0;
    for (int64_t i = looks - 2; i <= looks + 1; i++) {
        struct catch here;
        looks_stop_at(i);
        if (setjmp(catch_set(&here)->place) == 0) {
            const struct tensor *all = integrated_gradients(arena, &how, NULL, &err);
            check(memcmp(all->data, whole->data, (size_t)tensor_bytes(all)) == 0);
            after++;
        }
        catch_end(&here);
        looks_stop_at(0);
        stop_clear();
    }
    check_int(after, 1);
}
