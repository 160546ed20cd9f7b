#include "core/draw/canvas_text.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

#include <pango/pangocairo.h>

#include "core/base/utf8.h"

/* The functions used, with the types that the headers give them. */
#define CAIRO_FUNCTIONS(ONE)                 \
    ONE(cairo_create)                        \
    ONE(cairo_destroy)                       \
    ONE(cairo_image_surface_create_for_data) \
    ONE(cairo_format_stride_for_width)       \
    ONE(cairo_move_to)                       \
    ONE(cairo_rotate)                        \
    ONE(cairo_surface_destroy)               \
    ONE(cairo_translate)                     \
    ONE(cairo_font_options_create)           \
    ONE(cairo_font_options_destroy)          \
    ONE(cairo_font_options_set_antialias)    \
    ONE(cairo_font_options_set_hint_style)   \
    ONE(cairo_font_options_set_hint_metrics)
#define PANGO_FUNCTIONS(ONE)                      \
    ONE(pango_font_description_free)              \
    ONE(pango_font_description_new)               \
    ONE(pango_font_description_set_absolute_size) \
    ONE(pango_font_description_set_family_static) \
    ONE(pango_font_description_set_weight)        \
    ONE(pango_font_map_create_context)            \
    ONE(pango_layout_get_size)                    \
    ONE(pango_layout_get_unknown_glyphs_count)    \
    ONE(pango_layout_new)                         \
    ONE(pango_layout_set_font_description)        \
    ONE(pango_layout_set_single_paragraph_mode)   \
    ONE(pango_layout_set_text)                    \
    ONE(pango_layout_set_width)                   \
    ONE(pango_layout_set_wrap)
#define PANGOCAIRO_FUNCTIONS(ONE)             \
    ONE(pango_cairo_context_set_font_options) \
    ONE(pango_cairo_font_map_get_default)     \
    ONE(pango_cairo_show_layout)
#define GOBJECT_FUNCTIONS(ONE) ONE(g_object_unref)

#define POINTER(name) __typeof__(&(name)) name;
static struct {
    CAIRO_FUNCTIONS(POINTER)
    PANGO_FUNCTIONS(POINTER)
    PANGOCAIRO_FUNCTIONS(POINTER)
    GOBJECT_FUNCTIONS(POINTER)
} fn;
#undef POINTER

static PangoContext *context; /* of the process: holds the fonts that were opened */

struct entry {
    const char *name;
    void *place; /* of a function pointer in fn */
};

static int load(const char *library, const char *package, const struct entry *entries,
                size_t count, struct err *err) {
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        return err_set(err, ERR_UNSUPPORTED,
                       "pictures need %s, which cannot be opened (%s): install the package %s",
                       library, dlerror(), package);
    }
    for (size_t i = 0; i < count; i++) {
        void *found = dlsym(handle, entries[i].name);
        if (!found) {
            return err_set(
                err, ERR_UNSUPPORTED,
                "pictures need %s in %s, which this version lacks: update the package %s",
                entries[i].name, library, package);
        }
        memcpy(entries[i].place, &found, sizeof found);
    }
    return 0;
}

#define ENTRY(name) { #name, &fn.name },
#define LOAD(functions, library, package, err)                         \
    load(library, package, (const struct entry[]){ functions(ENTRY) }, \
         sizeof((const struct entry[]){ functions(ENTRY) }) / sizeof(struct entry), err)

/* Letters keep their shape at every scale and angle: grey edges, no hinting to the pixel grid.
 */
static void context_open(void) {
    cairo_font_options_t *options = fn.cairo_font_options_create();
    context = fn.pango_font_map_create_context(fn.pango_cairo_font_map_get_default());
    fn.cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    fn.cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    fn.cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    fn.pango_cairo_context_set_font_options(context, options);
    fn.cairo_font_options_destroy(options);
}

int canvas_load(struct err *err) {
    if (context) {
        return 0;
    }
    if (LOAD(PANGOCAIRO_FUNCTIONS, "libpangocairo-1.0.so.0", "libpangocairo-1.0-0", err) < 0 ||
        LOAD(PANGO_FUNCTIONS, "libpango-1.0.so.0", "libpango-1.0-0", err) < 0 ||
        LOAD(CAIRO_FUNCTIONS, "libcairo.so.2", "libcairo2", err) < 0 ||
        LOAD(GOBJECT_FUNCTIONS, "libgobject-2.0.so.0", "libglib2.0-0", err) < 0) {
        return err_pass(err);
    }
    context_open();
    return 0;
}

/* The caller frees it with g_object_unref. */
static PangoLayout *layout_new(const struct canvas *canvas, const struct canvas_style *style,
                               const char *text) {
    PangoLayout *layout = fn.pango_layout_new(context);
    PangoFontDescription *font = fn.pango_font_description_new();
    fn.pango_font_description_set_family_static(font, "DejaVu Sans,WenQuanYi Micro Hei,Sans");
    fn.pango_font_description_set_absolute_size(font,
                                                style->size * canvas->scale * PANGO_SCALE);
    fn.pango_font_description_set_weight(font,
                                         style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    fn.pango_layout_set_font_description(layout, font);
    fn.pango_font_description_free(font);
    if (style->width > 0) {
        fn.pango_layout_set_width(layout, (int)(style->width * canvas->scale * PANGO_SCALE));
        fn.pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    } else {
        fn.pango_layout_set_single_paragraph_mode(layout, TRUE);
    }
    fn.pango_layout_set_text(layout, text, (int)utf8_bad(text, strlen(text)));
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
    fn.pango_layout_get_size(layout, &width, &height);
    text->width = (double)width / PANGO_SCALE;
    text->height = (double)height / PANGO_SCALE;
    place(text, style, angle);
    text->cover.stride =
        fn.cairo_format_stride_for_width(CAIRO_FORMAT_A8, (int)text->cover.columns);
    unsigned char *pixels =
        arena_alloc(canvas->arena, (size_t)(text->cover.stride * text->cover.rows));
    text->cover.cover = pixels;

    cairo_surface_t *surface = fn.cairo_image_surface_create_for_data(
        pixels, CAIRO_FORMAT_A8, (int)text->cover.columns, (int)text->cover.rows,
        (int)text->cover.stride);
    cairo_t *cairo = fn.cairo_create(surface);
    fn.cairo_translate(cairo, (double)-text->left, (double)-text->top);
    fn.cairo_rotate(cairo, -angle);
    fn.cairo_move_to(cairo, -style->x * text->width, -style->y * text->height);
    fn.pango_cairo_show_layout(cairo, layout);
    fn.cairo_destroy(cairo);
    fn.cairo_surface_destroy(surface);
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
    PangoLayout *layout = layout_new(canvas, style, text);
    draw(canvas, drawn, style, layout);
    fn.g_object_unref(layout);
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

int canvas_lacks(struct arena *arena, const char *text, struct err *err) {
    if (canvas_load(err) < 0) {
        return err_pass(err);
    }
    const struct canvas canvas = { .arena = arena, .scale = 1 };
    PangoLayout *layout = layout_new(&canvas, &(struct canvas_style){ .size = 12 }, text);
    int unknown = fn.pango_layout_get_unknown_glyphs_count(layout);
    fn.g_object_unref(layout);
    return unknown;
}
