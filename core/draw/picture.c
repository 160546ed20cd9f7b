#include "core/draw/picture.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/draw/canvas_pdf.h"
#include "core/draw/figure_drawn.h"
#include "core/draw/figure_json.h"
#include "core/draw/figure_text.h"
#include "core/draw/html.h"
#include "core/draw/svg_out.h"

#define PICTURE(stem) extern const struct picture stem##_picture;
#include "core/draw/pictures.inc"
#undef PICTURE

#define PICTURE(stem) &stem##_picture,
static const struct picture *const pictures[] = {
#include "core/draw/pictures.inc"
    NULL
};
#undef PICTURE

const struct picture *picture_find(const char *name) {
    for (int i = 0; pictures[i]; i++) {
        if (strcmp(pictures[i]->name, name) == 0) {
            return pictures[i];
        }
    }
    return NULL;
}

static int unknown(struct arena *arena, const char *name, struct err *err) {
    struct buf *names = buf_new(arena);
    for (int i = 0; pictures[i]; i++) {
        buf_printf(names, "%s%s", i ? ", " : "", pictures[i]->name);
    }
    char shown[80];
    return err_set(err, ERR_OPTION, "there is no picture called %s; there are %s",
                   err_quote(shown, sizeof shown, name, strlen(name)), names->data);
}

static int check_options(const struct picture_options *options, struct err *err) {
    char shown[80];
    const char *theme = options->theme, *colours = options->colours;
    if (theme && strcmp(theme, "light") != 0 && strcmp(theme, "dark") != 0) {
        return err_set(err, ERR_OPTION, "a picture's theme is light or dark, not %s",
                       err_quote(shown, sizeof shown, theme, strlen(theme)));
    }
    if (colour_map_find(colours) < 0) {
        return err_set(err, ERR_OPTION, "a picture's colours are %s, %s or %s, not %s",
                       colour_map_names[0], colour_map_names[1], colour_map_names[2],
                       err_quote(shown, sizeof shown, colours, strlen(colours)));
    }
    if (options->scale != 0 &&
        !(options->scale >= 0.25 && options->scale <= PICTURE_SCALE_MOST)) {
        return err_set(
            err, ERR_OPTION,
            "a picture has from 24 to %d dots an inch (0.25 to %d for each pixel of a "
            "screen), not %g",
            PICTURE_SCALE_MOST * 96, PICTURE_SCALE_MOST, options->scale * 96);
    }
    return 0;
}

/* The figure, its alt text fit to be sent. */
static struct figure *figure_of(struct arena *arena, const char *name,
                                const struct result *result,
                                const struct picture_options *options, struct err *err) {
    enum { ALT_COLUMNS = 1000 };
    name = name ? name : result->kind;
    const struct picture *picture = picture_find(name);
    if (!picture) {
        unknown(arena, name, err);
        return NULL;
    }
    if (check_options(options, err) < 0) {
        return NULL;
    }
    struct figure *figure = picture->draw(arena, result, options, err);
    if (!figure) {
        err_pass(err);
        return NULL;
    }
    figure->alt = figure_short(arena, figure_sentence(arena, figure->alt), ALT_COLUMNS);
    return figure;
}

static double scale_of(const struct picture_options *options) {
    return options->scale > 0 ? options->scale : 2;
}

static struct png_bytes png_of(const struct figure *figure, const struct figure_drawn *drawn,
                               struct err *err) {
    struct png_note notes[] = { { "Title", figure->title },
                                { "Description", figure->alt },
                                { "Source", figure->provenance },
                                { "Software", "Cutaway" } };
    return png_out(drawn->canvas, notes, 4, err);
}

/* All forms of a figure. */
static struct bundle *bundle_of(struct arena *arena, struct figure *figure,
                                const struct picture_options *options, struct err *err) {
    struct figure_drawn *drawn = figure_drawn_pixels(arena, figure, scale_of(options), err);
    struct png_bytes png = drawn ? png_of(figure, drawn, err) : (struct png_bytes){ 0 };
    if (!png.bytes) {
        err_pass(err);
        return NULL;
    }
    struct buf *base64 = buf_new(arena);
    struct bundle *bundle = arena_alloc(arena, sizeof *bundle);
    buf_base64(base64, png.bytes, png.length);
    *bundle = (struct bundle){ .text = figure_text(arena, figure),
                               .png = png.bytes,
                               .png_length = png.length,
                               .width = (int64_t)drawn->page.width,
                               .height = (int64_t)drawn->page.height,
                               .alt = figure->alt,
                               .html = html(arena, figure, &drawn->page, base64->data),
                               .mime = figure_json_mime(arena, figure),
                               .json = figure_json(arena, figure) };
    return bundle;
}

struct bundle *picture_bundle(struct arena *arena, const char *name,
                              const struct result *result,
                              const struct picture_options *options, struct err *err) {
    static const struct picture_options usual;
    options = options ? options : &usual;
    struct figure *figure = figure_of(arena, name, result, options, err);
    struct bundle *bundle = figure ? bundle_of(arena, figure, options, err) : NULL;
    if (!bundle) {
        err_pass(err);
    }
    return bundle;
}

/* ---- files ---- */

static struct buf *vector_of(struct arena *arena, struct figure *figure, enum picture_form form,
                             struct err *err) {
    struct figure_drawn *drawn = figure_drawn_record(arena, figure, err);
    if (!drawn) {
        err_pass(err);
        return NULL;
    }
    const struct svg_words words = { figure->language, figure->title, figure->alt };
    double width = drawn->page.width, height = drawn->page.height;
    return form == PICTURE_SVG
               ? svg_out(drawn->canvas, width, height, &words, err)
               : canvas_pdf(drawn->canvas, width, height, figure->title, figure->alt, err);
}

static int write_png(struct arena *arena, struct figure *figure, double scale,
                     struct picture_file *file, struct err *err) {
    struct figure_drawn *drawn = figure_drawn_pixels(arena, figure, scale, err);
    struct png_bytes png = drawn ? png_of(figure, drawn, err) : (struct png_bytes){ 0 };
    *file = (struct picture_file){ (const char *)png.bytes, png.length };
    return png.bytes ? 0 : err_pass(err);
}

static int write_vector(struct arena *arena, struct figure *figure, enum picture_form form,
                        struct picture_file *file, struct err *err) {
    const struct buf *out = vector_of(arena, figure, form, err);
    if (!out) {
        return err_pass(err);
    }
    *file = (struct picture_file){ out->data, out->length };
    return 0;
}

static int write_text(struct arena *arena, struct figure *figure, double scale,
                      enum picture_form form, struct picture_file *file, struct err *err) {
    const struct bundle *bundle =
        bundle_of(arena, figure, &(struct picture_options){ .scale = scale }, err);
    if (!bundle) {
        return err_pass(err);
    }
    const char *text =
        form == PICTURE_HTML ? html_page(arena, figure, bundle->html) : bundle->text;
    *file = (struct picture_file){ text, strlen(text) };
    return 0;
}

struct picture_file *picture_file(struct arena *arena, const char *name,
                                  const struct result *result,
                                  const struct picture_options *options, enum picture_form form,
                                  struct err *err) {
    static const struct picture_options usual;
    options = options ? options : &usual;
    struct figure *figure = figure_of(arena, name, result, options, err);
    struct picture_file *file = arena_alloc(arena, sizeof *file);
    double scale = scale_of(options);
    int status = !figure               ? -1
                 : form == PICTURE_PNG ? write_png(arena, figure, scale, file, err)
                 : form <= PICTURE_PDF ? write_vector(arena, figure, form, file, err)
                                       : write_text(arena, figure, scale, form, file, err);
    if (status < 0) {
        err_pass(err);
        return NULL;
    }
    return file;
}
