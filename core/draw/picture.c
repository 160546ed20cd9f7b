#include "core/draw/picture.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/draw/figure_json.h"
#include "core/draw/figure_png.h"
#include "core/draw/figure_text.h"
#include "core/draw/html.h"

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

static int check_scale(double scale, struct err *err) {
    if (scale >= 0.5 && scale <= 4) {
        return 0;
    }
    return err_set(err, ERR_OPTION, "a picture's scale is from 0.5 to 4, not %g", scale);
}

/* All forms of a figure. */
static struct bundle *bundle_of(struct arena *arena, struct figure *figure,
                                const struct picture_options *options, struct err *err) {
    struct figure_png *drawn =
        figure_png(arena, figure, options->scale > 0 ? options->scale : 2, err);
    if (!drawn) {
        err_pass(err);
        return NULL;
    }
    enum { ALT_COLUMNS = 1000 };
    figure->alt = figure_short(arena, figure_sentence(arena, figure->alt), ALT_COLUMNS);
    struct png_note notes[] = { { "Title", figure->title },
                                { "Description", figure->alt },
                                { "Source", figure->provenance },
                                { "Software", "Cutaway" } };
    struct png_bytes png = png_out(drawn->canvas, notes, 4, err);
    if (!png.bytes) {
        err_pass(err);
        return NULL;
    }
    struct bundle *bundle = arena_alloc(arena, sizeof *bundle);
    *bundle = (struct bundle){ .text = figure_text(arena, figure),
                               .png = png.bytes,
                               .png_length = png.length,
                               .width = (int64_t)drawn->page.width,
                               .height = (int64_t)drawn->page.height,
                               .alt = figure->alt,
                               .mime = figure_json_mime(arena, figure),
                               .json = figure_json(arena, figure) };
    if (!options->no_html) {
        struct buf *base64 = buf_new(arena);
        buf_base64(base64, png.bytes, png.length);
        bundle->html = html(arena, figure, &drawn->page, base64->data);
    }
    return bundle;
}

struct bundle *picture_bundle(struct arena *arena, const char *name,
                              const struct result *result,
                              const struct picture_options *options, struct err *err) {
    static const struct picture_options usual;
    options = options ? options : &usual;
    name = name ? name : result->kind;
    const struct picture *picture = picture_find(name);
    if (!picture) {
        unknown(arena, name, err);
        return NULL;
    }
    if (options->scale != 0 && check_scale(options->scale, err) < 0) {
        return NULL;
    }
    struct figure *figure = picture->draw(arena, result, options, err);
    struct bundle *bundle = figure ? bundle_of(arena, figure, options, err) : NULL;
    if (!bundle) {
        err_pass(err);
    }
    return bundle;
}
