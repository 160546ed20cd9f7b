/* One text as several tokenizers cut it: a track a model, one below the other, aligned so that
 * what stands below each other is the same place of the text. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "core/draw/chart.h"
#include "core/draw/colour.h"
#include "core/draw/figure.h"
#include "core/draw/hover.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"
#include "core/result/column.h"

enum {
    WIDE = 760, /* of a line, beside the models' names */
    TRACK = 21, /* height of one */
    GAP = 12,   /* between lines */
    PAD = 7,    /* beside a token's text */
    NAME_COLUMNS = 16,
    LABEL_COLUMNS = 40,
    TRACKS_MOST = 8,
    BYTES_MOST = 4000,
    LINES_MOST = 40
};

/* A token in its place. */
struct box {
    const char *label;
    int64_t first, end;           /* atoms */
    int64_t token, shared, place; /* of how many that stand for the same bytes, which */
};

struct track {
    const char *name;
    const struct series *ids;
    struct box *boxes;
    int64_t count;
};

/* The text between two places where some token begins or ends. */
struct atom {
    int64_t begin; /* byte */
    double width, x;
    int64_t line;
};

struct tracks {
    const struct result *result;
    struct track *tracks;
    int64_t count;
    struct atom *atoms;
    int64_t atom_count;
    int64_t bytes, lines;
    double names; /* room for the models' names */
};

static struct tracks *body_of(const struct figure *figure) {
    return figure->body;
}

static struct canvas_style label_style(void) {
    return (struct canvas_style){ .size = 11, .colour = COLOUR_INK, .x = 0.5, .y = 0.5 };
}

static struct canvas_style name_style(void) {
    return (struct canvas_style){ .size = 10, .colour = COLOUR_QUIET, .x = 1, .y = 0.5 };
}

/* ---- from the result ---- */

static const struct series *series_of(const struct result *result, const char *what,
                                      int64_t track) {
    char name[40];
    snprintf(name, sizeof name, "%s %lld", what, (long long)track);
    return result_at(result, name);
}

static bool is_track(const struct result *result, int64_t i) {
    const struct series *ids = series_of(result, "id", i),
                        *spans = series_of(result, "span", i);
    return ids && spans && ids->axes[0].labels && ids->values->rank == 1 &&
           spans->values->rank == 2 && spans->axes[0].count == ids->axes[0].count &&
           spans->axes[1].count == 2;
}

static int by_number(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Bytes begin..end of token `i`; false if it stands for none that are drawn. */
static bool span_at(const struct tracks *t, const struct series *spans, int64_t i,
                    int64_t *begin, int64_t *end) {
    *begin = (int64_t)spans->values->data[2 * i];
    *end = (int64_t)spans->values->data[2 * i + 1];
    return *begin >= 0 && *begin < *end && *end <= t->bytes;
}

/* Every place where a token begins or ends, in order and once. */
static void atoms_find(struct arena *arena, struct tracks *t) {
    int64_t most = 2, n = 0;
    for (int64_t k = 0; k < t->count; k++) {
        most += 2 * t->tracks[k].ids->axes[0].count;
    }
    int64_t *places = arena_array(arena, most, sizeof *places);
    places[n++] = 0;
    places[n++] = t->bytes;
    for (int64_t k = 0; k < t->count; k++) {
        const struct series *spans = series_of(t->result, "span", k);
        for (int64_t i = 0, begin, end; i < spans->axes[0].count; i++) {
            if (span_at(t, spans, i, &begin, &end)) {
                places[n++] = begin;
                places[n++] = end;
            }
        }
    }
    qsort(places, (size_t)n, sizeof *places, by_number);
    t->atoms = arena_array(arena, n, sizeof *t->atoms);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || places[i] != places[i - 1]) {
            t->atoms[t->atom_count++].begin = places[i];
        }
    }
    t->atom_count--; /* the last place begins nothing */
}

/* The atom that begins at the byte. */
static int64_t atom_at(const struct tracks *t, int64_t byte) {
    int64_t low = 0, high = t->atom_count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (t->atoms[middle].begin < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Tokens that stand for the same bytes share their place. */
static void boxes_share(struct track *track) {
    for (int64_t i = 0, k; i < track->count; i = k) {
        for (k = i + 1; k < track->count && track->boxes[k].first < track->boxes[k - 1].end;
             k++) {
            stop_check();
        }
        int64_t end = track->boxes[i].end;
        for (int64_t b = i; b < k; b++) {
            end = track->boxes[b].end > end ? track->boxes[b].end : end;
        }
        for (int64_t b = i; b < k; b++) {
            track->boxes[b].shared = k - i;
            track->boxes[b].place = b - i;
            track->boxes[b].first = track->boxes[i].first;
            track->boxes[b].end = end;
        }
    }
}

static void boxes_find(struct arena *arena, struct tracks *t, int64_t k) {
    struct track *track = &t->tracks[k];
    const struct series *spans = series_of(t->result, "span", k);
    track->boxes = arena_array(arena, track->ids->axes[0].count, sizeof *track->boxes);
    for (int64_t i = 0, begin, end; i < track->ids->axes[0].count; i++) {
        if (span_at(t, spans, i, &begin, &end)) {
            const char *label = figure_visible(arena, track->ids->axes[0].labels[i]);
            track->boxes[track->count++] =
                (struct box){ .label = figure_short(arena, label, LABEL_COLUMNS),
                              .token = i,
                              .first = atom_at(t, begin),
                              .end = atom_at(t, end) };
        }
    }
    boxes_share(track);
}

/* ---- layout ---- */

/* Widens atoms where a token above them needs more room than they have. */
static void atoms_widen(struct canvas *probe, struct tracks *t) {
    struct canvas_style style = label_style();
    for (int64_t a = 0; a < t->atom_count; a++) {
        t->atoms[a].width = 0;
    }
    for (int64_t k = 0; k < t->count; k++) {
        for (int64_t i = 0; i < t->tracks[k].count; i++) {
            struct box *box = &t->tracks[k].boxes[i];
            double has = 0, most = canvas_measure(probe, &style, box->label).width + PAD;
            for (int64_t a = box->first; a < box->end; a++) {
                has += t->atoms[a].width;
            }
            double more = most * (double)box->shared - has;
            for (int64_t a = box->first; more > 0 && a < box->end; a++) {
                t->atoms[a].width += more / (double)(box->end - box->first);
            }
        }
    }
}

/* Whether no token of any track goes through the place where atom `a` begins. */
static bool *borders_find(struct arena *arena, const struct tracks *t) {
    bool *inside = arena_array(arena, t->atom_count + 1, sizeof *inside);
    for (int64_t k = 0; k < t->count; k++) {
        for (int64_t i = 0; i < t->tracks[k].count; i++) {
            const struct box *box = &t->tracks[k].boxes[i];
            for (int64_t a = box->first + 1; box->place == 0 && a < box->end; a++) {
                inside[a] = true;
            }
        }
    }
    return inside;
}

static void lines_break(struct arena *arena, struct tracks *t) {
    const bool *inside = borders_find(arena, t);
    const char *text = t->result->text;
    double x = 0;
    int64_t line = 0;
    for (int64_t a = 0, end; a < t->atom_count; a = end) {
        double width = t->atoms[a].width;
        for (end = a + 1; end < t->atom_count && inside[end]; end++) {
            width += t->atoms[end].width;
        }
        bool ends = a > 0 && memchr(text + t->atoms[a - 1].begin, '\n',
                                    (size_t)(t->atoms[a].begin - t->atoms[a - 1].begin));
        if (x > 0 && (x + width > WIDE || ends)) {
            line++;
            x = 0;
        }
        for (int64_t i = a; i < end; i++) {
            t->atoms[i].x = x;
            t->atoms[i].line = line;
            x += t->atoms[i].width;
        }
    }
    t->lines = line + 1;
}

static double line_height(const struct tracks *t) {
    return TRACK * (double)t->count + GAP;
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct tracks *t = body_of(figure);
    struct canvas_style name = name_style();
    double right = 0;
    t->names = 0;
    for (int64_t k = 0; k < t->count; k++) {
        t->names = fmax(t->names, canvas_measure(probe, &name, t->tracks[k].name).width + 10);
    }
    atoms_widen(probe, t);
    lines_break(figure->arena, t);
    for (int64_t a = 0; a < t->atom_count; a++) {
        right = fmax(right, t->atoms[a].x + t->atoms[a].width);
    }
    int64_t lines = t->lines < LINES_MOST ? t->lines : LINES_MOST;
    if (t->bytes < (int64_t)strlen(t->result->text) || lines < t->lines) {
        figure->note = figure_is_chinese(figure) ? "只画出文本的开头；%save 写出全部"
                                                 : "the text's beginning; %save writes all";
    }
    return (struct canvas_size){ t->names + right, line_height(t) * (double)lines - GAP };
}

/* ---- drawing ---- */

struct area {
    double x, y, width;
    bool shown;
};

static struct area area_of(const struct tracks *t, int64_t k, const struct box *box) {
    const struct atom *first = &t->atoms[box->first], *last = &t->atoms[box->end - 1];
    double width = (last->x + last->width - first->x) / (double)box->shared;
    return (struct area){ .x = t->names + first->x + width * (double)box->place,
                          .y = line_height(t) * (double)first->line + TRACK * (double)k,
                          .width = width,
                          .shown = first->line < LINES_MOST };
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    static const uint32_t shades[][2] = { { 0xcfe3f7, 0xa9ccee },
                                          { 0xfbe0b8, 0xf3c67f },
                                          { 0xcdebd9, 0x9fd8b7 },
                                          { 0xf3d3e3, 0xe6aac8 },
                                          { 0xe3dcf5, 0xc8bbea } };
    const struct tracks *t = body_of(figure);
    struct canvas_style label = label_style(), name = name_style();
    for (int64_t k = 0; k < t->count; k++) {
        for (int64_t l = 0; l < t->lines && l < LINES_MOST; l++) {
            canvas_write(canvas, &name, x + t->names - 10,
                         y + line_height(t) * (double)l + TRACK * ((double)k + 0.5),
                         t->tracks[k].name);
        }
        for (int64_t i = 0; i < t->tracks[k].count; i++) {
            const struct box *box = &t->tracks[k].boxes[i];
            struct area area = area_of(t, k, box);
            if (area.shown) {
                canvas_rect(canvas, x + area.x + 0.5, y + area.y, area.width - 1, TRACK - 1.5,
                            shades[k % 5][i % 2]);
                canvas_write(canvas, &label, x + area.x + area.width / 2,
                             y + area.y + TRACK / 2.0 - 0.5, box->label);
            }
        }
    }
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct tracks *t = body_of(figure);
    struct buf *boxes = buf_new(figure->arena);
    for (int64_t k = 0; k < t->count; k++) {
        for (int64_t i = 0; i < t->tracks[k].count && boxes->length < HOVER_BYTES; i++) {
            const struct box *box = &t->tracks[k].boxes[i];
            struct area area = area_of(t, k, box);
            if (area.shown) {
                hover_box(boxes, x + area.x, y + area.y, area.width, TRACK,
                          arena_printf(figure->arena, "%s: %s, id %.0f", t->tracks[k].name,
                                       box->label,
                                       (double)t->tracks[k].ids->values->data[box->token]));
            }
        }
    }
    if (boxes->length < HOVER_BYTES) {
        buf_add(out, boxes->data, boxes->length);
    }
}

/* The tokens that have a place: label, id, and which bytes they stand for; pieces that stand
 * for the same bytes follow each other. */
static void json_track(struct jsonwrite *w, struct arena *arena, const struct tracks *t,
                       const struct track *track) {
    const char **labels = arena_array(arena, track->count, sizeof *labels);
    float *ids = arena_array(arena, track->count, sizeof *ids);
    float *spans = arena_array(arena, 2 * track->count, sizeof *spans);
    for (int64_t i = 0; i < track->count; i++) {
        const struct box *box = &track->boxes[i];
        labels[i] = box->label;
        ids[i] = track->ids->values->data[box->token];
        spans[2 * i] = (float)t->atoms[box->first].begin;
        spans[2 * i + 1] = (float)t->atoms[box->end].begin;
    }
    json_open(w, '{');
    json_pair(w, "model", track->name);
    json_key(w, "count");
    json_int(w, track->ids->axes[0].count);
    chart_json_texts(w, arena, "tokens", labels, track->count);
    chart_json_floats(w, arena, "id", ids, 1, &track->count);
    chart_json_floats(w, arena, "span", spans, 2, (int64_t[]){ track->count, 2 });
    json_close(w, '}');
}

static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct tracks *t = body_of(figure);
    json_key(w, "text");
    json_bytes(w, t->result->text, (size_t)t->bytes);
    json_key(w, "tracks");
    json_open(w, '[');
    for (int64_t k = 0; k < t->count; k++) {
        json_track(w, figure->arena, t, &t->tracks[k]);
    }
    json_close(w, ']');
}

static const struct figure_form tracks_form = {
    .kind = "tracks", .measure = measure, .draw = draw, .hover = hover, .json = json
};

static const char *alt_of(const struct figure *figure) {
    const struct tracks *t = body_of(figure);
    bool zh = figure_is_chinese(figure);
    struct buf *names = buf_new(figure->arena);
    for (int64_t k = 0; k < t->count; k++) {
        buf_printf(names, "%s%s %lld",
                   k == 0 ? ""
                   : zh   ? "、"
                          : ", ",
                   t->tracks[k].name, (long long)t->tracks[k].count);
    }
    return arena_printf(
        figure->arena,
        zh ? "同一文本的几种切分，上下对齐，%s：词元数 %s；%s"
           : "One text cut by several tokenizers, aligned, %s: tokens of %s; %s",
        figure->title, names->data, figure->finding);
}

static struct figure *tracks_draw(struct arena *arena, const struct result *result,
                                  const struct picture_options *options, struct err *err) {
    const struct axis *models = result->count ? &result->series[0].axes[0] : NULL;
    struct tracks *t = arena_alloc(arena, sizeof *t);
    while (models && models->labels && t->count < models->count && t->count < TRACKS_MOST &&
           is_track(result, t->count)) {
        t->count++;
    }
    if (t->count == 0) {
        err_set(err, ERR_OPTION,
                "tracks are drawn of a text that several tokenizers read (%%%%tokens --model "
                "a,b), and this result is another: draw it as it is");
        return NULL;
    }
    struct figure *figure = figure_new(arena, result, options);
    t->result = result;
    t->bytes = (int64_t)utf8_cut(
        result->text, strlen(result->text) < BYTES_MOST ? strlen(result->text) : BYTES_MOST);
    t->tracks = arena_array(arena, t->count, sizeof *t->tracks);
    for (int64_t k = 0; k < t->count; k++) {
        t->tracks[k].name =
            figure_short(arena, figure_sentence(arena, models->labels[k]), NAME_COLUMNS);
        t->tracks[k].ids = series_of(result, "id", k);
    }
    atoms_find(arena, t);
    for (int64_t k = 0; k < t->count; k++) {
        boxes_find(arena, t, k);
    }
    figure->form = &tracks_form;
    figure->body = t;
    figure->table = *table_of_result(arena, result, figure->language, models->count);
    figure->alt = alt_of(figure);
    return figure;
}

const struct picture tracks_picture = {
    .name = "tracks",
    .summary = "one text as several tokenizers cut it, aligned",
    .summary_zh = "几个分词器切同一段文本，上下对齐",
    .draw = tracks_draw,
};
