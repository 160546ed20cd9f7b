#include "core/tensor/tape.h"

#include <assert.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/checked.h"
#include "core/base/pool.h"
#include "core/tensor/gemm.h"
#include "core/tensor/simd.h"

struct tape *tape_new(struct arena *arena, int64_t each) {
    struct tape *tape = arena_alloc(arena, sizeof *tape);
    int64_t line = 16; /* floats in a cache line: threads share none */
    tape->arena = arena;
    tape->each = each > gemm_room() ? (each + line - 1) / line * line : gemm_room();
    tape->room = arena_raw(arena, (size_t)(pool_threads() * tape->each) * sizeof(float));
    return tape;
}

float *tape_room(const struct tape *tape) {
    return tape->room + pool_self() * tape->each;
}

struct arena_mark tape_mark(struct tape *tape) {
    return arena_mark(tape->arena);
}

void tape_rewind(struct tape *tape, struct arena_mark mark) {
    if (!tape->record) {
        arena_rewind(tape->arena, mark);
    }
}

/* ---- a table of things by the address of their numbers ---- */

struct thing {
    const void *numbers;
};

struct table {
    struct thing **slots; /* open addressing; a power of two, at most half of them taken */
    int64_t size, used;
};

static struct thing **table_slot(const struct table *table, const void *numbers) {
    uint64_t mask = (uint64_t)table->size - 1;
    uint64_t at = ((uint64_t)(uintptr_t)numbers >> 2) * 0x9e3779b97f4a7c15U >> 20;
    for (;; at++) {
        struct thing **slot = &table->slots[at & mask];
        if (!*slot || (*slot)->numbers == numbers) {
            return slot;
        }
    }
}

static void *table_find(const struct table *table, const void *numbers) {
    return table->size > 0 ? *table_slot(table, numbers) : NULL;
}

static void table_put(struct arena *arena, struct table *table, struct thing *thing) {
    if (2 * table->used >= table->size) {
        struct table larger = { .size = table->size > 0 ? 2 * table->size : 64,
                                .used = table->used };
        larger.slots = arena_array(arena, larger.size, sizeof *larger.slots);
        for (int64_t i = 0; i < table->size; i++) {
            if (table->slots[i]) {
                *table_slot(&larger, table->slots[i]->numbers) = table->slots[i];
            }
        }
        *table = larger;
    }
    *table_slot(table, thing->numbers) = thing;
    table->used++;
}

/* ---- the record ---- */

/* Room for one gradient. */
struct block {
    float *numbers;
    int64_t floats;
    struct block *next;
};

struct want {
    float *into;
    struct want *next;
};

struct value {
    struct thing thing;
    int64_t count; /* of its numbers; 0: not known yet */
    /* The step that made it, and the last one that made or changed it; -1: none. */
    int64_t made, last;
    struct block *gradient; /* NULL: none came */
    struct want *wants;
};

struct parameter {
    struct thing thing;
    const struct tensor *tensor;
    int64_t uses, left; /* by steps; in this backward still to come */
    bool asked;
    struct block *gradient;
};

struct tape_use {
    struct parameter *parameter;
    struct tape_use *next;
};

/* What is to be seeded or wanted in the next tape_backward. */
struct request {
    const struct tensor *value;
    const float *gradient; /* a seed */
    float *into;           /* a want */
    struct request *next;
};

struct record {
    struct record *outer; /* NULL: the run's own; else that of a run that tape_again makes */
    struct arena *arena;  /* the record's own, for tables and lists */
    struct tape_step *last;
    int64_t steps;
    struct table values;
    int64_t first; /* the earliest step to go back to */
    int64_t now;   /* the step that goes back: what it makes itself nothing before it needs */

    /* Of the outermost. */
    struct table parameters;
    struct request *requests;
    struct arena *asks; /* of requests and wants, until tape_backward is done with them */
    const struct tape_ask *ask; /* while going backward */
    struct arena *room;         /* of gradients, all for `room_seeds` seeds */
    int64_t room_seeds;
    struct block *unused;
};

static void close_arena(void *arena) {
    arena_free(arena);
}

static struct arena *arena_within(struct arena *outer) {
    struct arena *arena = arena_new();
    arena_defer(outer, close_arena, arena);
    return arena;
}

/* Lives until the tape's arena is rewound. */
static struct record *record_new(struct tape *tape, struct record *outer) {
    struct record *record = arena_alloc(tape->arena, sizeof *record);
    record->outer = outer;
    record->arena = arena_within(tape->arena);
    return record;
}

bool tape_inside(const struct tape *tape) {
    return tape->record && tape->record->outer;
}

void tape_record(struct tape *tape) {
    tape->record = record_new(tape, NULL);
    tape->record->room = arena_within(tape->arena);
    tape->record->asks = arena_within(tape->arena);
}

static struct record *outermost(const struct tape *tape) {
    struct record *record = tape->record;
    while (record->outer) {
        record = record->outer;
    }
    return record;
}

static struct value *value_put(struct record *record, const void *numbers) {
    struct value *value = table_find(&record->values, numbers);
    if (!value) {
        value = arena_alloc(record->arena, sizeof *value);
        value->thing.numbers = numbers;
        value->made = value->last = -1;
        table_put(record->arena, &record->values, &value->thing);
    }
    return value;
}

static struct value *value_find(const struct tape *tape, const void *numbers) {
    struct value *value = NULL;
    for (struct record *record = tape->record; record && !value; record = record->outer) {
        value = table_find(&record->values, numbers);
    }
    return value;
}

/* A value that no record knows was there before all of them. */
static struct value *value_of(const struct tape *tape, const struct tensor *tensor) {
    struct value *value = value_find(tape, tensor->bytes);
    value = value ? value : value_put(outermost(tape), tensor->bytes);
    value->count = tensor_count(tensor);
    return value;
}

struct tensor *tape_tensor(struct tape *tape, int rank, const int64_t *shape) {
    struct tensor *tensor = tensor_raw(tape->arena, rank, shape);
    if (tape->record && tape->record->outer) {
        value_put(tape->record, tensor->bytes); /* its address will be another's later */
    }
    return tensor;
}

void *tape_step(struct tape *tape, size_t bytes,
                void (*back)(struct tape *tape, struct tape_step *step),
                const struct tensor *out) {
    struct record *record = tape->record;
    struct tape_step *step = arena_alloc(tape->arena, bytes);
    step->back = back;
    step->out = out;
    step->before = record->last;
    step->at = record->steps++;
    record->last = step;
    return step;
}

static void use_put(struct record *record, struct tape_step *step,
                    struct parameter *parameter) {
    struct tape_use *use = arena_alloc(record->arena, sizeof *use);
    *use = (struct tape_use){ .parameter = parameter, .next = step->uses };
    step->uses = use;
}

void tape_uses(struct tape *tape, const struct tensor *tensor) {
    struct record *outer = outermost(tape);
    struct parameter *parameter = table_find(&outer->parameters, tensor->bytes);
    if (!parameter) {
        parameter = arena_alloc(outer->arena, sizeof *parameter);
        parameter->thing.numbers = tensor->bytes;
        parameter->tensor = tensor;
        table_put(outer->arena, &outer->parameters, &parameter->thing);
    }
    parameter->uses += !tape->repeats;
    use_put(tape->record, tape->record->last, parameter);
}

/* ---- gradients ---- */

/* The unused room that fits best, if not much more than half of it would lie idle. */
static struct block **block_fitting(struct record *outer, int64_t floats) {
    struct block **best = NULL;
    for (struct block **at = &outer->unused; *at; at = &(*at)->next) {
        if ((*at)->floats >= floats && (*at)->floats / 2 <= floats &&
            (!best || (*at)->floats < (*best)->floats)) {
            best = at;
        }
    }
    return best;
}

static struct block *block_take(struct record *outer, int64_t floats) {
    struct block **fitting = block_fitting(outer, floats), *block;
    if (fitting) {
        block = *fitting;
        *fitting = block->next;
        return block;
    }
    block = arena_alloc(outer->room, sizeof *block);
    int64_t bytes;
    if (!ck_mul(floats, sizeof(float), &bytes)) {
        catch_throw(ERR_MEMORY, "gradients of %lld numbers are more than any machine holds",
                    (long long)floats);
    }
    block->numbers = arena_raw(outer->room, (size_t)bytes);
    block->floats = floats;
    return block;
}

static void block_drop(struct record *outer, struct block **block) {
    if (*block) {
        (*block)->next = outer->unused;
        outer->unused = *block;
        *block = NULL;
    }
}

int64_t tape_seeds(const struct tape *tape) {
    return outermost(tape)->ask->seeds;
}

bool tape_needs(struct tape *tape, const struct tensor *tensor) {
    for (struct record *record = tape->record; record; record = record->outer) {
        const struct value *value = table_find(&record->values, tensor->bytes);
        if (value) {
            bool before = record != tape->record || value->made < record->now;
            return value->wants || (before && value->made >= record->first);
        }
    }
    return false;
}

float *tape_gradient(struct tape *tape, const struct tensor *tensor) {
    const struct value *value = value_find(tape, tensor->bytes);
    return value && value->gradient ? value->gradient->numbers : NULL;
}

float *tape_gradient_set(struct tape *tape, const struct tensor *tensor, bool *add) {
    struct value *value = value_of(tape, tensor);
    *add = value->gradient;
    if (!value->gradient) {
        value->gradient = block_take(outermost(tape), tape_seeds(tape) * value->count);
    }
    return value->gradient->numbers;
}

enum { SHARE = 16384 }; /* floats that are worth a thread */

struct sum {
    float *to;
    const float *from;
};

static void clear_run(void *arg, int64_t begin, int64_t end) {
    const struct sum *sum = arg;
    memset(sum->to + begin, 0, (size_t)(end - begin) * sizeof *sum->to);
}

static void copy_run(void *arg, int64_t begin, int64_t end) {
    const struct sum *sum = arg;
    memcpy(sum->to + begin, sum->from + begin, (size_t)(end - begin) * sizeof *sum->to);
}

static void sum_run(void *arg, int64_t begin, int64_t end) {
    const struct sum *sum = arg;
    simd()->add(sum->to + begin, sum->to + begin, sum->from + begin, end - begin);
}

float *tape_gradient_add(struct tape *tape, const struct tensor *tensor) {
    bool add;
    float *gradient = tape_gradient_set(tape, tensor, &add);
    if (!add) {
        pool_for(tape_seeds(tape) * tensor_count(tensor), SHARE, clear_run,
                 &(struct sum){ .to = gradient });
    }
    return gradient;
}

/* Adds `more` to a value's gradient. */
static void gradient_add(struct tape *tape, const struct tensor *tensor, const float *more) {
    bool add;
    float *gradient = tape_gradient_set(tape, tensor, &add);
    int64_t n = tape_seeds(tape) * tensor_count(tensor);
    pool_for(n, SHARE, add ? sum_run : copy_run, &(struct sum){ .to = gradient, .from = more });
}

void tape_gradient_join(struct tape *tape, const struct tensor *out,
                        const struct tensor *input) {
    gradient_add(tape, input, value_of(tape, out)->gradient->numbers);
}

void tape_gradient_give(struct tape *tape, const struct tensor *out,
                        const struct tensor *input) {
    struct value *from = value_of(tape, out), *to = value_of(tape, input);
    if (to->gradient) {
        tape_gradient_join(tape, out, input);
        return;
    }
    to->gradient = from->gradient;
    from->gradient = NULL;
}

float *tape_parameter_set(struct tape *tape, const struct tensor *tensor, bool *add) {
    struct record *outer = outermost(tape);
    struct parameter *parameter = table_find(&outer->parameters, tensor->bytes);
    if (!parameter || !parameter->asked) {
        return NULL;
    }
    *add = parameter->gradient;
    if (!parameter->gradient) {
        parameter->gradient = block_take(outer, tensor_count(tensor));
    }
    return parameter->gradient->numbers;
}

float *tape_parameter_add(struct tape *tape, const struct tensor *tensor) {
    bool add = true;
    float *gradient = tape_parameter_set(tape, tensor, &add);
    if (!add) {
        pool_for(tensor_count(tensor), SHARE, clear_run, &(struct sum){ .to = gradient });
    }
    return gradient;
}

/* One use is done; after the last the gradient is complete. */
static void use_end(struct record *outer, struct parameter *parameter) {
    if (--parameter->left > 0 || !parameter->gradient) {
        return;
    }
    struct tensor gradient = *parameter->tensor;
    gradient.dtype = DTYPE_F32;
    gradient.data = parameter->gradient->numbers;
    outer->ask->parameter(outer->ask->arg, parameter->tensor, &gradient);
    block_drop(outer, &parameter->gradient);
}

static void uses_end(struct tape *tape, const struct tape_step *step) {
    for (const struct tape_use *use = step->uses; use; use = use->next) {
        use_end(outermost(tape), use->parameter);
    }
}

/* ---- seeds and wants ---- */

static void want_now(struct tape *tape, const struct tensor *tensor, float *into) {
    struct value *value = value_of(tape, tensor);
    struct want *want = arena_alloc(outermost(tape)->asks, sizeof *want);
    *want = (struct want){ .into = into, .next = value->wants };
    value->wants = want;
}

static void request(struct tape *tape, struct request what) {
    struct request *request = arena_alloc(tape->record->asks, sizeof *request);
    what.next = tape->record->requests;
    *request = what;
    tape->record->requests = request;
}

void tape_seed(struct tape *tape, const struct tensor *value, const float *gradient) {
    if (tape->repeats) {
        gradient_add(tape, value, gradient);
    } else {
        request(tape, (struct request){ .value = value, .gradient = gradient });
    }
}

void tape_want(struct tape *tape, const struct tensor *value, float *into) {
    if (tape->repeats) {
        want_now(tape, value, into);
    } else {
        request(tape, (struct request){ .value = value, .into = into });
    }
}

/* The value's gradient is complete: to whoever wants it. */
static void value_write(struct tape *tape, struct value *value) {
    const struct block *gradient = value->gradient;
    for (const struct want *want = value->wants; want; want = want->next) {
        struct sum sum = { .to = want->into, .from = gradient ? gradient->numbers : NULL };
        pool_for(tape_seeds(tape) * value->count, SHARE, gradient ? copy_run : clear_run, &sum);
    }
    value->wants = NULL;
}

static void value_end(struct tape *tape, struct value *value) {
    value_write(tape, value);
    block_drop(outermost(tape), &value->gradient);
}

/* ---- backward ---- */

/* Which steps make and change the values. */
static void values_number(struct record *record) {
    for (const struct tape_step *step = record->last; step; step = step->before) {
        if (step->out) {
            struct value *value = value_put(record, step->out->bytes);
            value->last = value->last > step->at ? value->last : step->at;
            value->made = step->in_place ? value->made : step->at;
        }
        if (step->also) {
            /* The step's own back makes its gradient, and only if somebody wants that. */
            value_put(record, step->also->bytes)->last = step->at - 1;
        }
    }
}

static void step_back(struct tape *tape, struct tape_step *step);

/* All of a record, from the last step to the first that matters. */
static void steps_back(struct tape *tape) {
    for (struct tape_step *step = tape->record->last; step && step->at >= tape->record->first;
         step = step->before) {
        stop_check();
        step_back(tape, step);
    }
    struct table *values = &tape->record->values;
    for (int64_t i = 0; i < values->size; i++) {
        if (values->slots[i]) {
            value_end(tape, (struct value *)values->slots[i]);
        }
    }
}

struct again {
    struct tape_step step;
    struct tensor *(*run)(void *arg, struct tape *tape);
    void *arg;
};

static void again_back(struct tape *tape, struct tape_step *step) {
    const struct again *again = (const struct again *)step;
    struct record *outer = tape->record;
    bool comes = tape_gradient(tape, step->out), within = outermost(tape)->ask->within;
    if (!comes && !within) {
        uses_end(tape, step);
        return;
    }
    bool repeats = tape->repeats;
    tape->repeats = true;
    tape->record = record_new(tape, outer);
    const struct tensor *out = again->run(again->arg, tape);
    values_number(tape->record);
    if (comes) {
        tape_gradient_give(tape, step->out, out);
    }
    tape->repeats = repeats;
    steps_back(tape);
    tape->record = outer;
}

static void step_back(struct tape *tape, struct tape_step *step) {
    struct arena_mark mark = arena_mark(tape->arena);
    struct value *out = step->out ? value_of(tape, step->out) : NULL;
    if (out && out->last == step->at) {
        value_write(tape, out);
    }
    tape->record->now = step->at;
    step->back(tape, step);
    if (step->back != again_back) { /* whose uses end one by one */
        uses_end(tape, step);
    }
    if (out && !step->in_place) {
        block_drop(outermost(tape), &out->gradient);
    }
    if (step->also) {
        value_end(tape, value_of(tape, step->also));
    }
    arena_rewind(tape->arena, mark);
}

/* Seeds and wants become gradients and values; returns the earliest step that wants need. */
static int64_t requests_take(struct tape *tape) {
    struct record *record = tape->record;
    int64_t first = record->steps;
    for (const struct request *r = record->requests; r; r = r->next) {
        if (r->into) {
            want_now(tape, r->value, r->into);
            int64_t last = value_of(tape, r->value)->last;
            first = last + 1 < first ? last + 1 : first;
        } else {
            gradient_add(tape, r->value, r->gradient);
        }
    }
    record->requests = NULL;
    return first;
}

static bool step_needed(const struct record *record, const struct tape_step *step) {
    bool needed = record->ask->within && step->back == again_back;
    for (const struct tape_use *use = step->uses; use && !needed; use = use->next) {
        needed = use->parameter->asked;
    }
    return needed;
}

static void parameters_ask(struct record *record) {
    const struct tape_ask *ask = record->ask;
    for (int64_t i = 0; i < record->parameters.size; i++) {
        struct parameter *parameter = (struct parameter *)record->parameters.slots[i];
        if (parameter) {
            parameter->left = parameter->uses;
            parameter->asked =
                ask->parameter && (!ask->asks || ask->asks(ask->arg, parameter->tensor));
        }
    }
}

void tape_backward(struct tape *tape, const struct tape_ask *ask) {
    struct record *record = tape->record;
    assert(ask->seeds >= 1 && (ask->seeds == 1 || !ask->parameter));
    if (record->room_seeds != ask->seeds) {
        arena_rewind(record->room, (struct arena_mark){ 0 });
        record->unused = NULL;
        record->room_seeds = ask->seeds;
    }
    record->ask = ask;
    values_number(record);
    parameters_ask(record);
    record->first = requests_take(tape);
    for (const struct tape_step *step = record->last; step; step = step->before) {
        if (step->at < record->first && step_needed(record, step)) {
            record->first = step->at;
        }
    }
    steps_back(tape);
    record->ask = NULL;
    arena_rewind(record->asks, (struct arena_mark){ 0 });
}

struct tensor *tape_again(struct tape *tape, struct tensor *(*run)(void *arg, struct tape *),
                          void *arg) {
    struct record *outer = tape->record;
    if (!outer) {
        return run(arg, tape);
    }
    struct arena_mark mark = arena_mark(tape->arena);
    struct record *inner = tape->record = record_new(tape, outer);
    const struct tensor *made = run(arg, tape);
    tape->record = outer;

    struct tensor *out = arena_alloc(outer->arena, sizeof *out);
    size_t bytes = (size_t)tensor_bytes(made);
    *out = *made;
    out->bytes = arena_raw(outer->arena, bytes);
    memcpy(out->bytes, made->bytes, bytes);
    struct tape_step uses = { 0 };
    for (const struct tape_step *step = inner->last; step; step = step->before) {
        for (const struct tape_use *use = step->uses; use; use = use->next) {
            use_put(outer, &uses, use->parameter);
        }
    }
    arena_rewind(tape->arena, mark);
    struct again *again = tape_step(tape, sizeof *again, again_back, out);
    again->step.uses = uses.uses;
    again->run = run;
    again->arg = arg;
    return out;
}
