#include "core/explain/sampler.h"

#include <math.h>

#include "core/tensor/largest.h"

struct sampler_room {
    int32_t *ids;    /* those that may be drawn */
    double *weights; /* exp((logit - largest) / temperature) of each */
};

struct sampler_room *sampler_room_new(struct arena *arena, int64_t n) {
    struct sampler_room *room = arena_alloc(arena, sizeof *room);
    room->ids = arena_array(arena, n, sizeof *room->ids);
    room->weights = arena_array(arena, n, sizeof *room->weights);
    return room;
}

/* Everything that can be drawn, in the vocabulary's order. */
static int64_t take_all(const float *logits, int64_t n, struct sampler_room *room) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (logits[i] > -INFINITY) { /* not NaN either */
            room->ids[count++] = (int32_t)i;
        }
    }
    return count;
}

static void weigh(const struct sampler *sampler, const float *logits, float most, int64_t count,
                  struct sampler_room *room) {
    for (int64_t i = 0; i < count; i++) {
        double above = (double)logits[room->ids[i]] - (double)most;
        room->weights[i] = most == INFINITY ? logits[room->ids[i]] == INFINITY
                                            : exp(above / sampler->temperature);
    }
}

static double sum_of(const double *weights, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += weights[i];
    }
    return sum;
}

/* ---- a heap: the largest at [0], of equal ones the first token ---- */

static int before(const struct sampler_room *room, int64_t a, int64_t b) {
    return room->weights[a] > room->weights[b] ||
           (room->weights[a] == room->weights[b] && room->ids[a] < room->ids[b]);
}

static void swap(struct sampler_room *room, int64_t a, int64_t b) {
    int32_t id = room->ids[a];
    double weight = room->weights[a];
    room->ids[a] = room->ids[b];
    room->weights[a] = room->weights[b];
    room->ids[b] = id;
    room->weights[b] = weight;
}

static void sink(struct sampler_room *room, int64_t at, int64_t n) {
    for (;;) {
        int64_t most = at, child = 2 * at + 1;
        for (int64_t c = child; c < child + 2 && c < n; c++) {
            most = before(room, c, most) ? c : most;
        }
        if (most == at) {
            return;
        }
        swap(room, at, most);
        at = most;
    }
}

/* Moves the smallest set of the largest weights whose sum is at least `enough` to the end of
 * the n, its largest last. Returns how many; their sum in *sum. Only as much is sorted as is
 * kept. */
static int64_t nucleus(struct sampler_room *room, int64_t n, double enough, double *sum) {
    int64_t left = n;
    for (int64_t i = n / 2; i-- > 0;) {
        sink(room, i, n);
    }
    *sum = 0;
    do {
        *sum += room->weights[0];
        swap(room, 0, --left);
        sink(room, 0, left);
    } while (left > 0 && *sum < enough);
    return n - left;
}

/* The one of `count`, from the last down, at which the running sum passes `point`. */
static int64_t walk(const struct sampler_room *room, int64_t end, int64_t count, double point) {
    int64_t at = end - 1;
    for (int64_t i = 0; i < count; i++, at--) {
        point -= room->weights[at];
        if (point < 0) {
            return room->ids[at];
        }
    }
    at = end - count; /* rounding left a little: the last that can be drawn */
    while (at < end - 1 && room->weights[at] == 0) {
        at++;
    }
    return room->ids[at];
}

int64_t sampler_draw(const struct sampler *sampler, struct random *random, const float *logits,
                     int64_t n, struct sampler_room *room) {
    int32_t most;
    if (largest(logits, n, 1, &most) == 0 || logits[most] == -INFINITY) {
        return -1;
    }
    if (sampler->temperature <= 0) {
        return most;
    }
    bool some = sampler->top_k > 0 && sampler->top_k < n;
    int64_t count =
        some ? largest(logits, n, sampler->top_k, room->ids) : take_all(logits, n, room);
    weigh(sampler, logits, logits[most], count, room);
    double sum = sum_of(room->weights, count);
    int64_t kept = count;
    if (sampler->top_p < 1) {
        kept = nucleus(room, count, sampler->top_p * sum, &sum);
    }
    return walk(room, count, kept, random_unit(random) * sum);
}
