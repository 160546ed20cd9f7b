#include "core/draw/canvas_library.h"

#include <dlfcn.h>
#include <string.h>

struct canvas_library canvas_fn;

struct entry {
    const char *name;
    void *place; /* of a function pointer in canvas_fn */
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

#define ENTRY(name) { #name, &canvas_fn.name },
#define LOAD(functions, library, package, err)                         \
    load(library, package, (const struct entry[]){ functions(ENTRY) }, \
         sizeof((const struct entry[]){ functions(ENTRY) }) / sizeof(struct entry), err)

/* Letters keep their shapes and distances at every scale and angle, so that a picture is laid
 * out alike in all its forms: grey edges, no hinting or rounding to the pixel grid. */
static void context_open(void) {
    cairo_font_options_t *options = canvas_fn.cairo_font_options_create();
    canvas_fn.context =
        canvas_fn.pango_font_map_create_context(canvas_fn.pango_cairo_font_map_get_default());
    canvas_fn.cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    canvas_fn.cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    canvas_fn.cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    canvas_fn.pango_context_set_round_glyph_positions(canvas_fn.context, FALSE);
    canvas_fn.pango_cairo_context_set_font_options(canvas_fn.context, options);
    canvas_fn.cairo_font_options_destroy(options);
}

int canvas_load(struct err *err) {
    if (canvas_fn.context) {
        return 0;
    }
    if (LOAD(CANVAS_PANGOCAIRO, "libpangocairo-1.0.so.0", "libpangocairo-1.0-0", err) < 0 ||
        LOAD(CANVAS_PANGO, "libpango-1.0.so.0", "libpango-1.0-0", err) < 0 ||
        LOAD(CANVAS_CAIRO, "libcairo.so.2", "libcairo2", err) < 0 ||
        LOAD(CANVAS_GOBJECT, "libgobject-2.0.so.0", "libglib2.0-0", err) < 0) {
        return err_pass(err);
    }
    context_open();
    return 0;
}
