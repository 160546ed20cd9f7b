#include "core/draw/canvas_text.h"

#include <math.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/draw/canvas_library.h"

PangoLayout *canvas_text_layout(const struct canvas *canvas, const struct canvas_style *style,
                                const char *text) {
    PangoLayout *layout = canvas_fn.pango_layout_new(canvas_fn.context);
    PangoFontDescription *font = canvas_fn.pango_font_description_new();
    canvas_fn.pango_font_description_set_family_static(font,
                                                       "DejaVu Sans,WenQuanYi Micro Hei,Sans");
    canvas_fn.pango_font_description_set_absolute_size(font, style->size * canvas->scale *
                                                                 PANGO_SCALE);
    canvas_fn.pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD
                                                                  : PANGO_WEIGHT_NORMAL);
    canvas_fn.pango_layout_set_font_description(layout, font);
    canvas_fn.pango_font_description_free(font);
    if (style->width > 0) {
        canvas_fn.pango_layout_set_width(layout,
                                         (int)(style->width * canvas->scale * PANGO_SCALE));
        canvas_fn.pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    } else {
        canvas_fn.pango_layout_set_single_paragraph_mode(layout, TRUE);
    }
    canvas_fn.pango_layout_set_text(layout, text, (int)utf8_bad(text, strlen(text)));
    return layout;
}

/* The box that holds the turned text, with two pixels to spare for letters that lean out. */
static void place(struct canvas_text *text, const struct canvas_style *style, double angle) {
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double x = ((corner & 1) - style->x) * text->width;
        double y = ((corner >> 1) - style->y) * text->height;
        double turned_x = x * cos(angle) + y * sin(angle);
        double turned_y = y * cos(angle) - x * sin(angle);
        x0 = turned_x < x0 ? turned_x : x0; /* GCC 12 for ARM64 breaks down over fmin here */
        x1 = turned_x > x1 ? turned_x : x1;
        y0 = turned_y < y0 ? turned_y : y0;
        y1 = turned_y > y1 ? turned_y : y1;
    }
    text->left = (int64_t)floor(x0) - 2;
    text->top = (int64_t)floor(y0) - 2;
    text->cover.columns = (int64_t)ceil(x1) + 2 - text->left;
    text->cover.rows = (int64_t)ceil(y1) + 2 - text->top;
}

static void draw(struct canvas *canvas, struct canvas_text *text,
                 const struct canvas_style *style, PangoLayout *layout) {
    double angle = style->angle * 3.14159265358979323846 / 180;
    int width, height;
    canvas_fn.pango_layout_get_size(layout, &width, &height);
    text->width = (double)width / PANGO_SCALE;
    text->height = (double)height / PANGO_SCALE;
    place(text, style, angle);
    text->cover.stride =
        canvas_fn.cairo_format_stride_for_width(CAIRO_FORMAT_A8, (int)text->cover.columns);
    unsigned char *pixels =
        arena_alloc(canvas->arena, (size_t)(text->cover.stride * text->cover.rows));
    text->cover.cover = pixels;

    cairo_surface_t *surface = canvas_fn.cairo_image_surface_create_for_data(
        pixels, CAIRO_FORMAT_A8, (int)text->cover.columns, (int)text->cover.rows,
        (int)text->cover.stride);
    cairo_t *cairo = canvas_fn.cairo_create(surface);
    canvas_fn.cairo_translate(cairo, (double)-text->left, (double)-text->top);
    canvas_fn.cairo_rotate(cairo, -angle);
    canvas_fn.cairo_move_to(cairo, -style->x * text->width, -style->y * text->height);
    canvas_fn.pango_cairo_show_layout(cairo, layout);
    canvas_fn.cairo_destroy(cairo);
    canvas_fn.cairo_surface_destroy(surface);
}

static uint32_t hash(const char *text) {
    uint32_t h = 2166136261U; /* FNV-1a */
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * 16777619U;
    }
    return h;
}

/* What this process has shaped before, in any picture: the same labels are drawn again and
 * again. It is thrown away when it has grown too large. */
static struct {
    struct arena *arena;
    struct canvas_text *texts[256];
    size_t bytes;
} shaped;

enum { SHAPED_BYTES = 6 << 20, SHAPED_LONGEST = 400 };

static struct canvas_text *copy_text(struct arena *arena, const struct canvas_text *from) {
    struct canvas_text *text = arena_alloc(arena, sizeof *text);
    size_t bytes = (size_t)(from->cover.stride * from->cover.rows);
    unsigned char *pixels = arena_raw(arena, bytes);
    memcpy(pixels, from->cover.cover, bytes);
    *text = *from;
    text->cover.cover = pixels;
    return text;
}

static void keep_shaped(const struct canvas_text *text, const char *key, uint32_t place) {
    size_t bytes = (size_t)(text->cover.stride * text->cover.rows) + sizeof *text;
    if (strlen(key) > SHAPED_LONGEST || bytes > SHAPED_BYTES / 16) {
        return;
    }
    if (shaped.bytes + bytes > SHAPED_BYTES || !shaped.arena) {
        arena_free(shaped.arena);
        memset(&shaped, 0, sizeof shaped);
        shaped.arena = arena_new();
    }
    struct canvas_text *kept = copy_text(shaped.arena, text);
    kept->key = arena_copy(shaped.arena, key);
    kept->next = shaped.texts[place];
    shaped.texts[place] = kept;
    shaped.bytes += bytes;
}

/* Shaped and drawn anew, or as it was before at this scale. */
static struct canvas_text *shape(struct canvas *canvas, const struct canvas_style *style,
                                 const char *text, const char *key) {
    const char *scaled = arena_printf(canvas->arena, "%g %s", canvas->scale, key);
    uint32_t place = hash(scaled) % 256;
    for (struct canvas_text *kept = shaped.texts[place]; kept; kept = kept->next) {
        if (strcmp(kept->key, scaled) == 0) {
            return copy_text(canvas->arena, kept);
        }
    }
    struct canvas_text *drawn = arena_alloc(canvas->arena, sizeof *drawn);
    drawn->key = key;
    PangoLayout *layout = canvas_text_layout(canvas, style, text);
    draw(canvas, drawn, style, layout);
    canvas_fn.g_object_unref(layout);
    keep_shaped(drawn, scaled, place);
    return drawn;
}

const struct canvas_text *canvas_text_at(struct canvas *canvas,
                                         const struct canvas_style *style, const char *text) {
    const char *key =
        arena_printf(canvas->arena, "%g %d %g %g %g %g %s", style->size, style->bold, style->x,
                     style->y, style->angle, style->width, text);
    struct canvas_text **list = &canvas->texts[hash(key) % 64];
    for (struct canvas_text *drawn = *list; drawn; drawn = drawn->next) {
        if (strcmp(drawn->key, key) == 0) {
            return drawn;
        }
    }
    struct canvas_text *drawn = shape(canvas, style, text, key);
    drawn->key = key;
    drawn->next = *list;
    *list = drawn;
    return drawn;
}

struct canvas_text_box canvas_text_lines(const struct canvas *canvas,
                                         const struct canvas_style *style, const char *text) {
    PangoLayout *layout = canvas_text_layout(canvas, style, text);
    PangoLayoutIter *at = canvas_fn.pango_layout_get_iter(layout);
    double unit = PANGO_SCALE * canvas->scale;
    int width, height;
    canvas_fn.pango_layout_get_size(layout, &width, &height);
    struct canvas_text_box box = { .size = { width / unit, height / unit } };
    struct canvas_text_line **last = &box.first;
    do {
        const PangoLayoutLine *line = canvas_fn.pango_layout_iter_get_line_readonly(at);
        const char *begin = text + line->start_index;
        PangoRectangle place;
        canvas_fn.pango_layout_iter_get_line_extents(at, NULL, &place);
        *last = arena_alloc(canvas->arena, sizeof **last);
        **last = (struct canvas_text_line){
            .text = arena_printf(canvas->arena, "%.*s", line->length, begin),
            .x = place.x / unit,
            .baseline = canvas_fn.pango_layout_iter_get_baseline(at) / unit,
            .width = place.width / unit,
            .leftward = line->resolved_dir == PANGO_DIRECTION_RTL,
        };
        last = &(*last)->next;
    } while (canvas_fn.pango_layout_iter_next_line(at));
    canvas_fn.pango_layout_iter_free(at);
    canvas_fn.g_object_unref(layout);
    return box;
}

int canvas_lacks(struct arena *arena, const char *text, struct err *err) {
    if (canvas_load(err) < 0) {
        return err_pass(err);
    }
    const struct canvas canvas = { .arena = arena, .scale = 1 };
    PangoLayout *layout =
        canvas_text_layout(&canvas, &(struct canvas_style){ .size = 12 }, text);
    int unknown = canvas_fn.pango_layout_get_unknown_glyphs_count(layout);
    canvas_fn.g_object_unref(layout);
    return unknown;
}
