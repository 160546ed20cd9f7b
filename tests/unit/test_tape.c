#include "core/tensor/tape.h"

#include <string.h>

#include "core/base/catch.h"
#include "tests/check.h"

/* An operation of the tests' own: y = a b, number by number, where b may be a parameter. */
struct product {
    struct tape_step step;
    const struct tensor *a, *b;
    bool parameter;
};

static int backs; /* how many steps went backward */

static void product_back(struct tape *tape, struct tape_step *step) {
    const struct product *product = (const struct product *)step;
    const float *dy = tape_gradient(tape, step->out);
    int64_t n = tensor_count(product->a);
    backs++;
    if (!dy) {
        return;
    }
    float *da = tape_gradient_add(tape, product->a);
    float *db = product->parameter ? tape_parameter_add(tape, product->b)
                                   : tape_gradient_add(tape, product->b);
    for (int64_t i = 0; i < n * tape_seeds(tape); i++) {
        da[i] += dy[i] * product->b->data[i % n];
        if (db) {
            db[i] += dy[i] * product->a->data[i % n];
        }
    }
}

static struct tensor *multiply(struct tape *tape, const struct tensor *a,
                               const struct tensor *b, bool parameter) {
    struct tensor *y = tape_tensor(tape, a->rank, a->shape);
    for (int64_t i = 0; i < tensor_count(a); i++) {
        y->data[i] = a->data[i] * b->data[i];
    }
    if (tape->record) {
        struct product *product = tape_step(tape, sizeof *product, product_back, y);
        product->a = a;
        product->b = b;
        product->parameter = parameter;
        if (parameter) {
            tape_uses(tape, b);
        }
    }
    return y;
}

/* y = 2 y, in place. */
struct twice {
    struct tape_step step;
};

static void twice_back(struct tape *tape, struct tape_step *step) {
    float *dy = tape_gradient(tape, step->out);
    for (int64_t i = 0; dy && i < tape_seeds(tape) * tensor_count(step->out); i++) {
        dy[i] *= 2;
    }
}

static void twice(struct tape *tape, struct tensor *y) {
    for (int64_t i = 0; i < tensor_count(y); i++) {
        y->data[i] *= 2;
    }
    if (tape->record) {
        struct twice *step = tape_step(tape, sizeof *step, twice_back, y);
        step->step.in_place = true;
    }
}

static struct tensor *pair(struct arena *arena, float a, float b) {
    struct tensor *tensor = tensor_new(arena, 1, (int64_t[]){ 2 });
    tensor->data[0] = a;
    tensor->data[1] = b;
    return tensor;
}

static struct tape *recording(struct arena *arena) {
    struct tape *tape = tape_new(arena, 0);
    tape_record(tape);
    backs = 0;
    return tape;
}

static const struct tape_ask one = { .seeds = 1 };

/* z = x (x x): 3 x^2. */
TEST(tape_adds_what_comes_from_several_uses) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3);
    struct tensor *square = multiply(tape, x, x, false);
    struct tensor *cube = multiply(tape, x, square, false);
    float dx[2], dsquare[2], again[2];
    tape_seed(tape, cube, (float[]){ 1, 10 });
    tape_want(tape, x, dx);
    tape_want(tape, x, again);
    tape_want(tape, square, dsquare);
    tape_backward(tape, &one);
    check(dx[0] == 12 && dx[1] == 270);
    check(again[0] == 12 && again[1] == 270);
    check(dsquare[0] == 2 && dsquare[1] == -30);
}

TEST(tape_takes_several_seeds_at_once_and_again) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3);
    struct tensor *square = multiply(tape, x, x, false);
    float dx[6];
    tape_seed(tape, square, (float[]){ 1, 0, 0, 1, 5, 7 });
    tape_seed(tape, square, (float[]){ 0, 0, 0, 1, 0, 0 });
    tape_want(tape, x, dx);
    tape_backward(tape, &(struct tape_ask){ .seeds = 3 });
    check(memcmp(dx, (float[]){ 4, 0, 0, -12, 20, -42 }, sizeof dx) == 0);
    tape_seed(tape, square, (float[]){ 1, 1 });
    tape_want(tape, x, dx);
    tape_backward(tape, &one);
    check(dx[0] == 4 && dx[1] == -6 && dx[2] == 0);
}

TEST(tape_goes_no_further_back_than_wanted) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3), *lonely = pair(arena, 1, 1);
    struct tensor *square = multiply(tape, x, x, false);
    struct tensor *cube = multiply(tape, square, x, false);
    float dsquare[2], none[2] = { 7, 7 };
    tape_seed(tape, cube, (float[]){ 1, 1 });
    tape_want(tape, square, dsquare);
    tape_backward(tape, &one);
    check_int(backs, 1);
    check(dsquare[0] == 2 && dsquare[1] == -3);
    tape_want(tape, lonely, none);
    tape_backward(tape, &one);
    check(none[0] == 0 && none[1] == 0);
}

/* What is wanted of a value that was doubled in place is the gradient of the doubled one. */
TEST(tape_turns_gradients_in_place) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3);
    struct tensor *y = multiply(tape, x, x, false);
    twice(tape, y);
    struct tensor *z = multiply(tape, y, x, false);
    float dx[2], dy[2];
    tape_seed(tape, z, (float[]){ 1, 1 });
    tape_want(tape, x, dx);
    tape_want(tape, y, dy);
    tape_backward(tape, &one);
    check(dy[0] == 2 && dy[1] == -3);
    check(dx[0] == 24 && dx[1] == 54); /* of 2 x^3 */
}

struct heard {
    int count;
    const struct tensor *which[4];
    float numbers[4][2];
    const struct tensor *asked;
};

static void hear(void *arg, const struct tensor *parameter, const struct tensor *gradient) {
    struct heard *heard = arg;
    if (heard->count < 4) {
        heard->which[heard->count] = parameter;
        memcpy(heard->numbers[heard->count], gradient->data, 2 * sizeof(float));
    }
    heard->count++;
}

static bool hears(void *arg, const struct tensor *parameter) {
    const struct heard *heard = arg;
    return parameter == heard->asked;
}

TEST(tape_hands_each_parameter_over_once) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3), *p = pair(arena, 5, 7), *q = pair(arena, 1, 2),
                  *unused = pair(arena, 1, 1);
    struct heard heard = { 0 };
    multiply(tape, x, unused, true);
    struct tensor *y = multiply(tape, x, p, true);
    y = multiply(tape, y, q, true);
    y = multiply(tape, y, p, true); /* x p^2 q */
    tape_seed(tape, y, (float[]){ 1, 1 });
    tape_backward(tape, &(struct tape_ask){ .seeds = 1, .parameter = hear, .arg = &heard });
    check_int(heard.count, 2);
    check(heard.which[0] == q && heard.numbers[0][0] == 50 && heard.numbers[0][1] == -147);
    check(heard.which[1] == p && heard.numbers[1][0] == 20 && heard.numbers[1][1] == -84);

    heard = (struct heard){ .asked = q };
    backs = 0;
    tape_seed(tape, y, (float[]){ 1, 1 });
    tape_backward(tape, &(struct tape_ask){
                            .seeds = 1, .parameter = hear, .asks = hears, .arg = &heard });
    check(heard.count == 1 && heard.which[0] == q && heard.numbers[0][1] == -147);
    check_int(backs, 2);
}

/* A run with a value inside, which is looked at when it repeats. */
struct inside {
    struct tensor *x, *p;
    int runs, repeats;
    float middle[2];
    float *wanted;
};

static struct tensor *inside_run(void *arg, struct tape *tape) {
    struct inside *inside = arg;
    struct tensor *y = multiply(tape, inside->x, inside->x, false);
    y = multiply(tape, y, inside->p, true);
    memcpy(inside->middle, y->data, sizeof inside->middle);
    inside->runs++;
    inside->repeats += tape->repeats;
    if (tape->repeats && inside->wanted) {
        tape_want(tape, y, inside->wanted);
    }
    return multiply(tape, y, inside->p, true); /* x^2 p^2 */
}

TEST(tape_runs_again_what_it_forgot) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3), *p = pair(arena, 5, 7);
    struct tensor *square = multiply(tape, x, x, false);
    struct inside first = { .x = square, .p = p };
    struct tensor *y = tape_again(tape, inside_run, &first);
    struct inside second = { .x = y, .p = p };
    struct tensor *z = tape_again(tape, inside_run, &second);
    struct heard heard = { 0 };
    float dx[2];
    check(y->data[0] == 400 && z->data[0] == 4000000);
    tape_seed(tape, z, (float[]){ 1, 1 });
    tape_want(tape, x, dx);
    tape_backward(tape, &(struct tape_ask){ .seeds = 1, .parameter = hear, .arg = &heard });
    /* x^8 p^6 */
    check(dx[0] == 8.0F * 128 * 15625);
    check(heard.count == 1 && heard.numbers[0][0] == 256.0F * 6 * 3125);
    check(first.runs == 2 && first.repeats == 1 && second.repeats == 1);
    check(!tape->repeats);
}

TEST(tape_wants_what_lies_within_a_repeated_run) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    float middle[2] = { 0 };
    struct inside inside = { .x = pair(arena, 2, -3), .p = pair(arena, 5, 7) };
    struct tensor *y = tape_again(tape, inside_run, &inside);
    inside.wanted = middle;
    tape_seed(tape, y, (float[]){ 1, 10 });
    tape_backward(tape, &(struct tape_ask){ .seeds = 1, .within = true });
    check(inside.repeats == 1 && middle[0] == 5 && middle[1] == 70);
}

/* Deep networks: room is used again, so that thousands of steps hold a few gradients. */
TEST(tape_uses_the_room_of_gradients_again) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    int64_t n = 100000;
    struct tensor *x = tensor_new(arena, 1, &n), *one_each = tensor_new(arena, 1, &n);
    for (int64_t i = 0; i < n; i++) {
        one_each->data[i] = 1;
    }
    struct tensor *y = x;
    for (int i = 0; i < 50; i++) {
        y = multiply(tape, y, one_each, true);
    }
    float *dx = arena_array(arena, n, sizeof *dx);
    int64_t before = arena_held();
    tape_seed(tape, y, one_each->data);
    tape_want(tape, x, dx);
    tape_backward(tape, &one);
    check(dx[0] == 1 && dx[n - 1] == 1);
    check(arena_held() - before < 8 * n * (int64_t)sizeof(float));
}

/* A method that goes back for every token of every text must not grow with their number. */
TEST(tape_keeps_nothing_of_having_gone_back) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3);
    struct tensor *square = multiply(tape, x, x, false);
    int64_t after_first = 0;
    for (int i = 0; i < 2000; i++) {
        float dx[2];
        tape_seed(tape, square, (float[]){ 1, 1 });
        tape_want(tape, x, dx);
        tape_backward(tape, &one);
        check(dx[0] == 4 && dx[1] == -6);
        after_first = i == 0 ? arena_held() : after_first;
    }
    check_int(arena_held(), after_first);
}

static void interrupted(struct tape *tape) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        tape_backward(tape, &one);
        check(false);
    } else {
        check(here.err.kind == ERR_STOP);
    }
    catch_end(&here);
}

TEST(tape_stops_between_steps) {
    struct arena *arena = check_arena();
    struct tape *tape = recording(arena);
    struct tensor *x = pair(arena, 2, -3);
    struct tensor *square = multiply(tape, x, x, false);
    float dx[2];
    tape_seed(tape, square, (float[]){ 1, 1 });
    tape_want(tape, x, dx);
    stop_request();
    interrupted(tape);
    stop_clear();
    check_int(backs, 0);
}
