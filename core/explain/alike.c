#include "core/explain/alike.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"
#include "core/base/catch.h"

/* ---- expressions ---- */

/* Where the next sign with blanks on both sides stands, or the end. */
static size_t sign_at(const char *text, size_t from, size_t length) {
    for (size_t i = from; i + 2 < length; i++) {
        if (text[i] == ' ' && (text[i + 1] == '+' || text[i + 1] == '-') &&
            text[i + 2] == ' ') {
            return i + 1;
        }
    }
    return length;
}

static struct alike_term trimmed(const char *bytes, size_t length, int sign) {
    while (length > 0 && bytes[0] == ' ') {
        bytes++;
        length--;
    }
    while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\r')) {
        length--;
    }
    return (struct alike_term){ bytes, length, sign };
}

struct alike_term *alike_terms(struct arena *arena, const char *text, size_t length,
                               int64_t *count, struct err *err) {
    struct alike_term *terms = arena_array(arena, (int64_t)length / 3 + 1, sizeof *terms);
    int sign = 1;
    *count = 0;
    for (size_t at = 0; at <= length;) {
        size_t end = sign_at(text, at, length);
        struct alike_term term = trimmed(text + at, end - at, sign);
        if (term.length == 0) {
            err_set(
                err, ERR_TEXT,
                "a word is missing %s: write king - man + woman, with blanks round the signs",
                *count == 0 ? "before the first sign" : "behind a sign");
            return NULL;
        }
        terms[(*count)++] = term;
        if (end >= length) {
            break;
        }
        sign = text[end] == '-' ? -1 : 1;
        at = end + 1;
    }
    return terms;
}

static double length_of(const float *vector, int64_t width) {
    double square = 0;
    for (int64_t i = 0; i < width; i++) {
        square += (double)vector[i] * (double)vector[i];
    }
    return sqrt(square);
}

float *alike_sum(struct arena *arena, const struct embedding *terms,
                 const struct alike_term *signs, struct err *err) {
    const double least = 1e-5; /* less is what rounding leaves of terms that cancel */
    int64_t width = terms->vectors->shape[1];
    float *sum = arena_array(arena, width, sizeof *sum);
    for (int64_t k = 0; k < terms->n; k++) {
        const float *vector = terms->vectors->data + k * width;
        double length = length_of(vector, width);
        for (int64_t i = 0; i < width && length > 0; i++) {
            sum[i] += (float)(signs[k].sign * (double)vector[i] / length);
        }
    }
    if (length_of(sum, width) < least) {
        err_set(err, ERR_TEXT, "nothing is left to look for: %s",
                terms->n > 1 ? "the vectors of these words cancel each other"
                             : "this word's vector is all zeros");
        return NULL;
    }
    return sum;
}

/* ---- search ---- */

static bool is_input(const struct alike_query *query, const char *label) {
    for (int64_t i = 0; i < query->input_count; i++) {
        if (strcasecmp(query->inputs[i], label) == 0) {
            return true;
        }
    }
    return false;
}

/* The best `top` candidates in order into `cosines` and `names`; equal ones by their place. */
static int64_t search(const struct alike_query *query, const struct embedding *among,
                      int64_t top, float *cosines, const char **names) {
    int64_t width = among->vectors->shape[1], found = 0;
    for (int64_t i = 0; i < among->n; i++) {
        if (i == query->self || is_input(query, among->labels[i])) {
            continue;
        }
        float cosine =
            (float)embedding_cosine(query->vector, among->vectors->data + i * width, width);
        if (found == top && cosine <= cosines[top - 1]) {
            continue;
        }
        int64_t at = found < top ? found++ : top - 1;
        for (; at > 0 && cosines[at - 1] < cosine; at--) {
            cosines[at] = cosines[at - 1];
            names[at] = names[at - 1];
        }
        cosines[at] = cosine;
        names[at] = among->labels[i];
    }
    return found;
}

/* "Nearest to ‘king - man + woman’: ‘king’ (0.6485); to ‘happy’: ‘happier’ (0.5963)." */
static const char *finding(struct arena *arena, const struct alike_query *queries, int64_t n,
                           const struct series *series, bool zh) {
    enum { TOLD = 3, LABEL = 120 /* bytes of a text that is quoted */ };
    struct buf *out = buf_new(arena);
    int64_t top = series->values->shape[1];
    for (int64_t q = 0; q < n && q < TOLD; q++) {
        const char *begin = zh ? q == 0 ? "最近的：" : "；" : q == 0 ? "Nearest to " : "; to ";
        const char *title = queries[q].title, *name = series->names[q * top];
        char asked[LABEL], nearest[LABEL];
        buf_printf(out, zh ? "%s‘%s’——‘%s’（余弦 %.4f）" : "%s‘%s’: ‘%s’ (cosine %.4f)", begin,
                   err_quote(asked, sizeof asked, title, strlen(title)),
                   err_quote(nearest, sizeof nearest, name, strlen(name)),
                   (double)series->values->data[q * top]);
    }
    buf_text(out, zh ? "。" : ".");
    return out->data;
}

static void tell(struct arena *arena, struct result *result, const struct alike_query *queries,
                 int64_t n, const struct embedding *among,
                 const struct alike_request *request) {
    bool zh = request->language && strncmp(request->language, "zh", 2) == 0;
    result->title = zh ? arena_printf(arena, "最近的%s", request->what_zh)
                       : arena_printf(arena, "Nearest %s", request->what);
    result->finding = finding(arena, queries, n, &result->series[0], zh);
    result->caption = zh ? "余弦：1 是同一方向，0 是无关。近不等于同义，反义词往往也很近。"
                         : "Cosine: 1 is the same direction, 0 unrelated. Near is not the same "
                           "as synonymous: "
                           "opposites are often near too.";
    result->method = "cosine";
    result->n = among->n;
}

struct result *alike(struct arena *arena, const struct alike_query *queries, int64_t n,
                     const struct embedding *among, const struct alike_request *request,
                     struct err *err) {
    int64_t most = among->n;
    for (int64_t q = 0; q < n; q++) { /* a list is no longer than there are candidates */
        most = queries[q].self >= 0 && most == among->n && most > 1 ? most - 1 : most;
    }
    int64_t top = request->top < most ? request->top : most;
    struct result *result = result_new(arena, "bars", 1);
    struct series *series = &result->series[0];
    const char **titles = arena_array(arena, n, sizeof *titles);
    *series = (struct series){ .name = "cosine",
                               .unit = "cosine",
                               .values = tensor_new(arena, 2, (int64_t[]){ n, top }),
                               .axes = { { "query", n, titles }, { "rank", top, NULL } },
                               .names = arena_array(arena, n * top, sizeof *series->names) };
    for (int64_t q = 0; q < n; q++) {
        stop_check();
        float *cosines = series->values->data + q * top;
        const char **names = series->names + q * top;
        titles[q] = queries[q].title;
        int64_t found = search(&queries[q], among, top, cosines, names);
        if (found == 0) {
            err_set(err, ERR_TEXT, "there is nothing to compare \"%.60s\" with: give more %s",
                    queries[q].title, request->what);
            return NULL;
        }
        for (int64_t i = found; i < top; i++) {
            cosines[i] = NAN;
            names[i] = "";
        }
    }
    tell(arena, result, queries, n, among, request);
    return result;
}
