#include "kernel/worker/tile.h"

#include <stdio.h>
#include <string.h>

#include "core/base/nearest.h"

static const struct series *find_series(const struct result *result, const char *name,
                                        struct err *err) {
    enum { SHOWN = 16 };
    const struct series *series = result_at(result, name);
    const char *names[SHOWN + 1] = { 0 };
    char shown[80];
    if (series) {
        return series;
    }
    for (int64_t i = 0; i < result->count && i < SHOWN; i++) {
        names[i] = result->series[i].name;
    }
    const char *near = nearest_name(name, names);
    near = near ? near : names[0];
    err_set(err, ERR_RESULT, "\"%.60s\" has no series \"%s\"%s%s%s", result->title,
            err_quote(shown, sizeof shown, name, strlen(name)), near ? ": did you mean " : "",
            near ? near : "", near ? "?" : "");
    return NULL;
}

static int check_place(const struct axis *axis, int64_t length, int64_t at, struct err *err) {
    return at >= 0 && at < length
               ? 0
               : err_set(err, ERR_OPTION, "%s %lld is out of range: there are %lld, from 0",
                         axis->name, (long long)at, (long long)length);
}

static int check_size(const struct series *series, int64_t count, struct err *err) {
    const int64_t most = TILE_MOST / (int64_t)sizeof(float);
    return count <= most
               ? 0
               : err_set(err, ERR_OPTION,
                         "this part of %s has %lld numbers, and at most %lld are sent at once: "
                         "fix one axis more",
                         series->name, (long long)count, (long long)most);
}

int tile_find(struct session *session, const struct relay_tile *asked, const char *id,
              const char *name, struct relay_tiled *answer, const float **numbers,
              struct err *err) {
    const struct result *result = session_result_by_id(session, id, err);
    const struct series *series = result ? find_series(result, name, err) : NULL;
    if (!series) {
        return err_pass(err);
    }
    const struct tensor *values = series->values;
    if (values->dtype != DTYPE_F32 || asked->places > (uint32_t)values->rank) {
        return err_set(err, ERR_OPTION,
                       "%s has %d axes of %s numbers: %u places are asked of float32 ones",
                       series->name, values->rank, dtype_name(values->dtype), asked->places);
    }
    int64_t left = tensor_count(values), offset = 0;
    for (uint32_t i = 0; i < asked->places; i++) {
        if (check_place(&series->axes[i], values->shape[i], asked->at[i], err) < 0) {
            return err_pass(err);
        }
        left /= values->shape[i];
        offset += asked->at[i] * left;
    }
    if (check_size(series, left, err) < 0) {
        return err_pass(err);
    }
    answer->good = 1;
    answer->rank = (uint32_t)values->rank - asked->places;
    memcpy(answer->shape, values->shape + asked->places, answer->rank * sizeof(int64_t));
    *numbers = values->data + offset;
    return 0;
}
