/* The architecture of a model: at the left all of it as one bar to the scale of its parameters,
 * in the order of a run; each group of equal blocks enlarged once beside it, part by part, with
 * a line for every part. */

#include <math.h>
#include <string.h>

#include "core/base/jsonwrite.h"
#include "core/draw/colour.h"
#include "core/draw/figure.h"
#include "core/draw/hover.h"
#include "core/draw/table.h"
#include "core/draw/terms.h"
#include "core/result/column.h"

enum {
    BAR = 62,      /* width of the whole model's bar */
    WEDGE = 46,    /* between it and the enlarged ones */
    ENLARGED = 24, /* their width */
    BANDS = 30,    /* between them and the lines of the parts */
    LINE = 17,     /* height of a part's line */
    HEAD = 22,     /* of a section's title */
    GAP = 12,      /* between sections */
    BETWEEN = 14,  /* between the columns of the lines */
    HEIGHT_LEAST = 120,
    SECTIONS_MOST = 12, /* enlarged; others are only told of */
    ROWS_MOST = 120,
    COLUMNS_MOST = 64 /* of a name, a shape, a tensor's name in its file */
};

enum { KINDS = 7 };
/* Of Okabe and Ito's colours (2008), which colour-blind readers can tell apart: embeddings,
 * attention, feed-forward, norms, recurrence, heads, what no run reads. */
static const uint32_t colours[KINDS] = { 0x56b4e9, 0xe69f00, 0x009e73, 0x8a8f96,
                                         0xcc79a7, 0x0072b2, 0xd5d8dc };

struct line {
    const char *name, *shape, *type, *number, *tensor;
    double parameters, copies;
    int64_t section;
    uint32_t colour;
};

struct group {
    const char *name, *title;
    int64_t first, count; /* lines */
    double copies, each;  /* parameters of one copy */
    double top;           /* of its title in the picture */
};

struct architecture {
    struct line *lines;
    int64_t count;
    struct group *groups; /* the first `shown` are drawn enlarged */
    int64_t group_count, shown;
    double total;
    double columns[4]; /* left edges of name, shape, type; right edge of the numbers */
    struct canvas_size size;
};

static struct architecture *body_of(const struct figure *figure) {
    return figure->body;
}

static struct canvas_style name_style(void) {
    return (struct canvas_style){ .size = 10, .colour = COLOUR_INK, .y = 0.5 };
}

static struct canvas_style quiet_style(void) {
    return (struct canvas_style){ .size = 9.5, .colour = COLOUR_QUIET, .y = 0.5 };
}

static struct canvas_style number_style(void) {
    return (struct canvas_style){ .size = 10, .colour = COLOUR_INK, .x = 1, .y = 0.5 };
}

static struct canvas_style head_style(void) {
    return (struct canvas_style){ .size = 10.5, .bold = true, .colour = COLOUR_INK, .y = 0.5 };
}

/* ---- layout ---- */

static double widest(struct canvas *probe, const struct architecture *a,
                     struct canvas_style style, size_t member) {
    double most = 0;
    for (int64_t i = 0; i < a->count; i++) {
        const char *text;
        memcpy(&text, (const char *)&a->lines[i] + member, sizeof text);
        most = fmax(most, canvas_measure(probe, &style, text).width);
    }
    return most;
}

static struct canvas_size measure(struct canvas *probe, struct figure *figure) {
    struct architecture *a = body_of(figure);
    double x = BAR + WEDGE + ENLARGED + BANDS + 6, y = 0, width = 0;
    a->columns[0] = x;
    a->columns[1] = x + widest(probe, a, name_style(), offsetof(struct line, name)) + BETWEEN;
    a->columns[2] =
        a->columns[1] + widest(probe, a, quiet_style(), offsetof(struct line, shape)) + BETWEEN;
    a->columns[3] = a->columns[2] +
                    widest(probe, a, quiet_style(), offsetof(struct line, type)) + BETWEEN +
                    widest(probe, a, number_style(), offsetof(struct line, number));
    struct canvas_style head = head_style();
    for (int64_t g = 0; g < a->shown; g++) {
        a->groups[g].top = y;
        y += HEAD + LINE * (double)a->groups[g].count + GAP;
        width = fmax(width, canvas_measure(probe, &head, a->groups[g].title).width);
    }
    a->size.height = fmax(HEIGHT_LEAST, y - GAP);
    a->size.width = fmax(a->columns[3] + 6, BAR + WEDGE + width);
    return a->size;
}

/* ---- drawing ---- */

static uint32_t pale(uint32_t colour) {
    return colour_mix(COLOUR_PAPER, colour, 0.16);
}

/* One copy of a group as a bar, its parts from top to bottom. */
static void draw_parts(struct canvas *canvas, const struct architecture *a,
                       const struct group *group, double x, double y, double width,
                       double height) {
    double at = 0;
    for (int64_t i = group->first; i < group->first + group->count && group->each > 0; i++) {
        const struct line *line = &a->lines[i];
        double begin = y + height * at / group->each;
        at += line->parameters;
        double end = y + height * at / group->each;
        canvas_rect(canvas, x, begin, width, end - begin, line->colour);
    }
}

/* The whole model; returns through `tops` and `ends` where the first copy of each group is. */
static void draw_whole(struct canvas *canvas, const struct architecture *a, double x, double y,
                       double *tops, double *ends) {
    double at = 0, unit = a->total > 0 ? a->size.height / a->total : 0;
    double thin = canvas_hairline(canvas);
    for (int64_t g = 0; g < a->group_count; g++) {
        const struct group *group = &a->groups[g];
        double each = group->each * unit;
        tops[g] = y + at;
        ends[g] = y + at + each;
        for (int64_t c = 0; c < (int64_t)group->copies; c++, at += each) {
            draw_parts(canvas, a, group, x, y + at, BAR, each);
            if (each > 3 * thin && (g > 0 || c > 0)) {
                canvas_rect(canvas, x, y + at, BAR, each > 8 ? 1 : thin, COLOUR_PAPER);
            }
        }
    }
}

static void draw_line(struct canvas *canvas, const struct architecture *a,
                      const struct line *line, double x, double y) {
    struct canvas_style name = name_style(), quiet = quiet_style(), number = number_style();
    double middle = y + LINE / 2.0;
    canvas_write(canvas, &name, x + a->columns[0], middle, line->name);
    canvas_write(canvas, &quiet, x + a->columns[1], middle, line->shape);
    canvas_write(canvas, &quiet, x + a->columns[2], middle, line->type);
    canvas_write(canvas, &number, x + a->columns[3], middle, line->number);
}

/* One group enlarged: its bar, a band from each part to its line, the lines. */
static void draw_group(struct canvas *canvas, const struct architecture *a,
                       const struct group *group, double x, double y) {
    struct canvas_style head = head_style();
    double left = x + BAR + WEDGE, top = y + group->top + HEAD, at = 0;
    double height = LINE * (double)group->count, right = x + a->size.width;
    canvas_write(canvas, &head, left, y + group->top + HEAD / 2.0, group->title);
    for (int64_t i = 0; i < group->count; i++) {
        const struct line *line = &a->lines[group->first + i];
        double row = top + LINE * (double)i;
        double begin = group->each > 0 ? top + height * at / group->each : row;
        at += line->parameters;
        double end = group->each > 0 ? top + height * at / group->each : row + LINE;
        uint32_t band = pale(line->colour);
        canvas_wedge(
            canvas, (struct canvas_upright){ left + ENLARGED, begin, end },
            (struct canvas_upright){ left + ENLARGED + BANDS, row + 0.5, row + LINE - 0.5 },
            band);
        canvas_rect(canvas, left + ENLARGED + BANDS, row + 0.5,
                    right - (left + ENLARGED + BANDS), LINE - 1, band);
        draw_line(canvas, a, line, x, row);
    }
    draw_parts(canvas, a, group, left, top, ENLARGED, height);
}

static void draw(struct canvas *canvas, const struct figure *figure, double x, double y) {
    const struct architecture *a = body_of(figure);
    double *tops = arena_array(canvas->arena, a->group_count, sizeof *tops);
    double *ends = arena_array(canvas->arena, a->group_count, sizeof *ends);
    draw_whole(canvas, a, x, y, tops, ends);
    for (int64_t g = 0; g < a->shown; g++) {
        const struct group *group = &a->groups[g];
        double top = y + group->top + HEAD;
        if (group->each > 0) {
            canvas_wedge(canvas, (struct canvas_upright){ x + BAR + 2, tops[g], ends[g] },
                         (struct canvas_upright){ x + BAR + WEDGE - 2, top,
                                                  top + LINE * (double)group->count },
                         0xedf0f3);
        }
        draw_group(canvas, a, group, x, y);
    }
}

static const char *line_text(struct arena *arena, const struct line *line) {
    return arena_printf(arena, "%s: %s, %s, %s, %s", line->name, line->tensor, line->shape,
                        line->type, line->number);
}

static void hover(struct buf *out, const struct figure *figure, double x, double y) {
    const struct architecture *a = body_of(figure);
    double left = BAR + WEDGE;
    for (int64_t g = 0; g < a->shown; g++) {
        const struct group *group = &a->groups[g];
        hover_grid(out, x + left, y + group->top + HEAD, 1, a->size.width - left, LINE);
        for (int64_t i = 0; i < group->count; i++) {
            hover_title(out, line_text(figure->arena, &a->lines[group->first + i]));
        }
        hover_end(out);
    }
}

static void json_part(struct jsonwrite *w, struct arena *arena, const struct line *line) {
    json_open(w, '{');
    json_pair(w, "name", line->name);
    json_pair(w, "shape", line->shape);
    json_pair(w, "type", line->type);
    json_pair(w, "number", line->number);
    json_pair(w, "tensor", line->tensor);
    json_pair(w, "colour", arena_printf(arena, "#%06x", line->colour));
    json_key(w, "parameters");
    json_double(w, line->parameters);
    json_close(w, '}');
}

static void json(struct jsonwrite *w, const struct figure *figure) {
    const struct architecture *a = body_of(figure);
    json_key(w, "sections");
    json_open(w, '[');
    for (int64_t g = 0; g < a->group_count; g++) {
        const struct group *group = &a->groups[g];
        json_open(w, '{');
        json_pair(w, "name", group->name);
        json_key(w, "copies");
        json_double(w, group->copies);
        json_key(w, "parts");
        json_open(w, '[');
        for (int64_t i = group->first; i < group->first + group->count; i++) {
            json_part(w, figure->arena, &a->lines[i]);
        }
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static const struct figure_form architecture_form = {
    .kind = "architecture", .measure = measure, .draw = draw, .hover = hover, .json = json
};

/* ---- from the result ---- */

/* "147,840"; of a tied weight "= word embeddings", and its bias if that is its own. */
static const char *number_text(struct arena *arena, const struct result *result, int64_t i,
                               bool zh) {
    const char *tied = column_text(arena, result, "tied", i);
    const char *number = column_text(arena, result, "parameters", i);
    if (!*tied) {
        return number;
    }
    bool more = result->series[0].values->data[i] > 0;
    return arena_printf(arena, zh ? "同%s%s%s" : "= %s%s%s", tied, more ? " + " : "",
                        more ? number : "");
}

static const char *shown(struct arena *arena, const char *text) {
    return figure_short(arena, figure_sentence(arena, text), COLUMNS_MOST);
}

static void take_lines(struct arena *arena, const struct result *result, bool zh,
                       struct architecture *a) {
    const struct series *parameters = &result->series[0];
    a->count = parameters->axes[0].count < ROWS_MOST ? parameters->axes[0].count : ROWS_MOST;
    a->lines = arena_array(arena, a->count, sizeof *a->lines);
    for (int64_t i = 0; i < a->count; i++) {
        int kind = (int)result_at(result, "kind")->values->data[i];
        a->lines[i] = (struct line){
            .name = shown(arena, parameters->axes[0].labels[i]),
            .shape = shown(arena, column_text(arena, result, "shape", i)),
            .type = shown(arena, column_text(arena, result, "type", i)),
            .tensor = shown(arena, column_text(arena, result, "tensor", i)),
            .number = shown(arena, number_text(arena, result, i, zh)),
            .parameters = (double)parameters->values->data[i],
            .copies = (double)result_at(result, "copies")->values->data[i],
            .section = (int64_t)result_at(result, "section")->values->data[i],
            .colour = colours[kind >= 0 && kind < KINDS ? kind : KINDS - 1],
        };
    }
}

static const char *group_title(struct arena *arena, const struct architecture *a,
                               const struct group *group, const char *name, bool zh) {
    double all = group->copies * group->each;
    const char *share =
        a->total > 0 ? arena_printf(arena, " · %.1f %%", 100 * all / a->total) : "";
    if (group->copies < 2) {
        return arena_printf(arena, "%s%s", name, share);
    }
    return arena_printf(arena, zh ? "%s%s · 共 %.0f 个，画出一个" : "%s%s · one of %.0f", name,
                        share, group->copies);
}

/* Lines of one section stand together. */
static void take_groups(struct arena *arena, const struct result *result, bool zh,
                        struct architecture *a) {
    a->groups = arena_array(arena, a->count, sizeof *a->groups);
    for (int64_t i = 0; i < a->count; i++) {
        if (i == 0 || a->lines[i].section != a->lines[i - 1].section) {
            a->groups[a->group_count++] =
                (struct group){ .first = i, .copies = a->lines[i].copies };
        }
        struct group *group = &a->groups[a->group_count - 1];
        group->count++;
        group->each += a->lines[i].parameters;
        a->total += a->lines[i].parameters * a->lines[i].copies;
    }
    for (int64_t g = 0; g < a->group_count; g++) {
        struct group *group = &a->groups[g];
        const char *name = shown(arena, column_text(arena, result, "section", group->first));
        group->name = name;
        group->title = group_title(arena, a, group, name, zh);
    }
    a->shown = a->group_count < SECTIONS_MOST ? a->group_count : SECTIONS_MOST;
}

static void tabulate(struct arena *arena, const struct architecture *a,
                     const struct result *result, struct figure *figure) {
    static const char *const heads[] = { "section", "part", "shape", "type", "parameters" };
    const char *own[5];
    for (int i = 0; i < 5; i++) {
        own[i] = term(figure->language, heads[i]);
    }
    struct figure_table *made = table_new(arena, 5, a->count, own);
    for (int64_t i = 0; i < a->count; i++) {
        const struct line *line = &a->lines[i];
        table_set(made, i, 0, column_text(arena, result, "section", i));
        table_set(made, i, 1, line->name);
        table_set(made, i, 2, line->shape);
        table_set(made, i, 3, line->type);
        table_set(made, i, 4,
                  line->copies > 1 && line->parameters > 0
                      ? arena_printf(arena, "%.0f × %s", line->copies, line->number)
                      : line->number);
    }
    figure->table = *made;
}

static const char *alt_of(const struct figure *figure, const struct architecture *a) {
    bool zh = figure_is_chinese(figure);
    struct buf *groups = buf_new(figure->arena);
    for (int64_t g = 0; g < a->shown; g++) {
        buf_printf(groups, "%s%s", g == 0 ? "" : zh ? "；" : "; ", a->groups[g].title);
    }
    return arena_printf(figure->arena,
                        zh ? "按参数个数的比例画出的模型，%s：%s；%s"
                           : "A model to the scale of its parameters, %s: %s; %s",
                        figure->title, groups->data, figure->finding);
}

static struct figure *architecture_draw(struct arena *arena, const struct result *result,
                                        const struct picture_options *options,
                                        struct err *err) {
    static const char *const needs[] = { "parameters", "copies", "section", "kind" };
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (!result_at(result, needs[i]) || !result->series[0].axes[0].labels) {
            err_set(err, ERR_OPTION,
                    "an architecture is drawn of what %%info gives; this result has no %s",
                    needs[i]);
            return NULL;
        }
    }
    struct figure *figure = figure_new(arena, result, options);
    struct architecture *a = arena_alloc(arena, sizeof *a);
    bool zh = figure_is_chinese(figure);
    take_lines(arena, result, zh, a);
    take_groups(arena, result, zh, a);
    tabulate(arena, a, result, figure);
    figure->alt = alt_of(figure, a);
    int64_t left_out = result->series[0].axes[0].count - a->count;
    figure->form = &architecture_form;
    figure->body = a;
    if (left_out > 0 || a->shown < a->group_count) {
        figure->note = arena_printf(
            arena,
            zh ? "只画出前 %lld 种层；全部数值见 %%save"
               : "the first %lld kinds of blocks are enlarged; %%save has the numbers of all",
            (long long)a->shown);
    }
    return figure;
}

const struct picture architecture_picture = {
    .name = "architecture",
    .summary = "a model to the scale of its parameters, equal blocks folded into one",
    .summary_zh = "按参数个数的比例画出模型，构造相同的层合并成一个",
    .draw = architecture_draw,
};
