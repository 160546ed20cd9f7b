/* Gradients through a recorded run. */

#include <string.h>

#include "core/base/catch.h"
#include "core/model/recording.h"
#include "core/tensor/op.h"

static const struct passed *passed_at(const struct recording *recording, enum site site,
                                      int64_t layer) {
    const struct passed *passed = recording->passed[site];
    bool there =
        passed && layer >= 0 && layer <= recording->pass->trace->layers && passed[layer].seen;
    return there ? &passed[layer] : NULL;
}

/* [S, ...] in front of the value's own shape. */
static bool has_shape(const struct tensor *gradient, int64_t seeds,
                      const struct tensor *value) {
    bool same = gradient->dtype == DTYPE_F32 && gradient->rank == value->rank + 1 &&
                gradient->shape[0] == seeds;
    for (int i = 0; same && i < value->rank; i++) {
        same = gradient->shape[i + 1] == value->shape[i];
    }
    return same;
}

static int seeds_check(const struct recording *recording, const struct backward *ask,
                       int64_t seeds, struct err *err) {
    struct arena *arena = recording->pass->arena;
    for (int64_t i = 0; i < ask->count; i++) {
        const struct seed *seed = &ask->from[i];
        const struct passed *passed = passed_at(recording, seed->site, seed->layer);
        char given[100], wanted[100];
        if (!passed) {
            return err_set(err, ERR_SHAPE,
                           "the run did not keep %s, so no gradient starts there",
                           site_name(arena, seed->site, seed->layer));
        }
        if (!has_shape(seed->gradient, seeds, &passed->value)) {
            return err_set(err, ERR_SHAPE,
                           "the gradient given for %s is %s; %lld times %s is wanted",
                           site_name(arena, seed->site, seed->layer),
                           tensor_shape_text(seed->gradient, given), (long long)seeds,
                           tensor_shape_text(&passed->value, wanted));
        }
    }
    return 0;
}

static bool site_passed(const struct recording *recording, enum site site) {
    bool any = false;
    for (int64_t l = 0; l <= recording->pass->trace->layers && !any; l++) {
        any = passed_at(recording, site, l);
    }
    return any;
}

static int wants_check(const struct recording *recording, const struct backward *ask,
                       struct err *err) {
    for (int site = 0; site < SITE_COUNT; site++) {
        if (ask->want[site] && !site_passed(recording, (enum site)site)) {
            return err_set(err, ERR_SHAPE,
                           "the run did not keep %s, so its gradient is not known",
                           site_name(recording->pass->arena, (enum site)site, 0));
        }
    }
    return 0;
}

/* Makes the tensors that wanted gradients go to, and says so to the tape. */
static void site_want(struct trace *trace, enum site site, int64_t seeds) {
    struct recording *recording = trace->recording;
    struct arena *arena = recording->pass->arena;
    trace->gradients[site] = arena_array(arena, trace->layers + 1, sizeof(struct tensor *));
    for (int64_t l = 0; l <= trace->layers; l++) {
        const struct passed *passed = passed_at(recording, site, l);
        int64_t shape[TENSOR_RANK] = { seeds };
        stop_check();
        if (!passed) {
            continue;
        }
        memcpy(shape + 1, passed->value.shape, (size_t)passed->value.rank * sizeof *shape);
        trace->gradients[site][l] = tensor_new(arena, passed->value.rank + 1, shape);
        if (passed->inside) {
            recording->within = true;
        } else {
            tape_want(recording->pass->tape, &passed->value, trace->gradients[site][l]->data);
        }
    }
}

/* The tape knows parameters, callers know names; what has none is no parameter of theirs. */
static void parameter_give(void *arg, const struct tensor *parameter,
                           const struct tensor *gradient) {
    const struct backward *ask = arg;
    ask->parameter(ask->arg, parameter->name, gradient);
}

static bool parameter_asked(void *arg, const struct tensor *parameter) {
    const struct backward *ask = arg;
    return parameter->name && (!ask->asks || ask->asks(ask->arg, parameter->name));
}

/* Says to the tape what is wanted and where gradients start, but for the inside of blocks that
 * run again, which say it when they do. */
static void sites_ask(struct trace *trace, const struct backward *ask, int64_t seeds) {
    struct recording *recording = trace->recording;
    recording->within = false;
    for (int site = 0; site < SITE_COUNT; site++) {
        trace->gradients[site] = NULL;
        if (ask->want[site]) {
            site_want(trace, (enum site)site, seeds);
        }
    }
    for (int64_t i = 0; i < ask->count; i++) {
        const struct seed *seed = &ask->from[i];
        const struct passed *passed = passed_at(recording, seed->site, seed->layer);
        if (passed->inside) {
            recording->within = true;
        } else {
            tape_seed(recording->pass->tape, &passed->value, seed->gradient->data);
        }
    }
}

int model_backward(struct trace *trace, const struct backward *ask, struct err *err) {
    struct recording *recording = trace->recording;
    struct tape_ask of_tape = { .seeds = ask->seeds > 0 ? ask->seeds : 1,
                                .arg = (void *)(uintptr_t)ask };
    if (!recording) {
        return err_set(err, ERR_SHAPE, "the run did not record, so it has no gradients");
    }
    if (ask->parameter && of_tape.seeds > 1) {
        return err_set(err, ERR_SHAPE,
                       "gradients of parameters are of one target; %lld were given",
                       (long long)of_tape.seeds);
    }
    if (seeds_check(recording, ask, of_tape.seeds, err) < 0 ||
        wants_check(recording, ask, err) < 0) {
        return -1;
    }
    sites_ask(trace, ask, of_tape.seeds);
    if (ask->parameter) {
        of_tape.parameter = parameter_give;
        of_tape.asks = parameter_asked;
    }
    of_tape.within = recording->within;
    recording->ask = ask;
    tape_backward(recording->pass->tape, &of_tape);
    recording->ask = NULL;
    stop_check(); /* an interrupt may have left out part of the last product */
    return 0;
}
