#include "core/draw/svg_out.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/draw/canvas_record.h"
#include "core/draw/canvas_text.h"
#include "core/draw/html.h"
#include "core/draw/png_out.h"

/* Those that pictures ask for first; then what other systems have, the most alike first. */
static const char fonts[] =
    "'DejaVu Sans','WenQuanYi Micro Hei',Verdana,'Noto Sans','Noto Sans CJK SC','PingFang SC',"
    "'Microsoft YaHei','Noto Sans Arabic','Noto Color Emoji',sans-serif";

/* At most two decimals, and none that say nothing. */
static void number(struct buf *out, double value) {
    char text[400];
    int n = snprintf(text, sizeof text, "%.2f", value);
    while (text[n - 1] == '0') {
        n--;
    }
    n -= text[n - 1] == '.';
    buf_add(out, n == 2 && memcmp(text, "-0", 2) == 0 ? "0" : text,
            n == 2 && memcmp(text, "-0", 2) == 0 ? 1 : (size_t)n);
}

static void length(struct buf *out, const char *name, double value) {
    buf_printf(out, " %s=\"", name);
    number(out, value);
    buf_char(out, '"');
}

static void fill(struct buf *out, uint32_t rgb) {
    buf_printf(out, " fill=\"#%06x\"", rgb);
}

static void rect(struct buf *out, const struct canvas_mark *mark) {
    static const char *const names[] = { "x", "y", "width", "height" };
    buf_text(out, "<rect");
    for (int i = 0; i < 4; i++) {
        length(out, names[i], mark->at[i]);
    }
    fill(out, mark->rgb);
    bool thin = fmin(mark->at[2], mark->at[3]) < 2;
    buf_text(out, thin ? "/>\n" : " shape-rendering=\"crispEdges\"/>\n");
}

static void disc(struct buf *out, const struct canvas_mark *mark) {
    buf_text(out, "<circle");
    length(out, "cx", mark->at[0]);
    length(out, "cy", mark->at[1]);
    length(out, "r", mark->at[2]);
    fill(out, mark->rgb);
    buf_text(out, "/>\n");
}

/* Points in turn; where one is not finite a new part begins. */
static void path(struct buf *out, const struct canvas_mark *mark) {
    bool going = false;
    buf_text(out, "<path d=\"");
    for (int64_t i = 0; i < mark->n; i++) {
        double x = mark->xy[2 * i], y = mark->xy[2 * i + 1];
        bool here = isfinite(x) && isfinite(y);
        if (here) {
            buf_char(out, going ? 'L' : 'M');
            number(out, x);
            buf_char(out, ' ');
            number(out, y);
        }
        going = here;
    }
}

static void curve(struct buf *out, const struct canvas_mark *mark) {
    path(out, mark);
    buf_printf(out, "\" fill=\"none\" stroke=\"#%06x\"", mark->rgb);
    length(out, "stroke-width", mark->at[0]);
    buf_text(out, " stroke-linecap=\"round\" stroke-linejoin=\"round\"/>\n");
}

static void wedge(struct buf *out, const struct canvas_mark *mark) {
    path(out, mark);
    buf_text(out, "Z\"");
    fill(out, mark->rgb);
    buf_text(out, "/>\n");
}

/* What is drawn has been made fit to be seen; joiners in it were put there to shape letters. */
static void drawn_text(struct buf *out, struct arena *arena, const char *text) {
    static const char joiner[] = "\xe2\x80\x8d";
    for (const char *next; (next = strstr(text, joiner)); text = next + strlen(joiner)) {
        html_escape(out, arena_printf(arena, "%.*s", (int)(next - text), text));
        buf_text(out, joiner);
    }
    html_escape(out, text);
}

/* The rim below a text with a halo is a text of its own, which cannot be selected: not all
 * viewers draw a text's edge below its letters. */
static void text_line(struct buf *out, const struct canvas *canvas,
                      const struct canvas_mark *mark, const struct canvas_text_line *line,
                      double left, double top, bool rim) {
    const struct canvas_style *style = &mark->style;
    buf_text(out, "<text");
    length(out, "x", left + line->x + (line->leftward ? line->width / 2 : 0));
    length(out, "y", top + line->baseline);
    length(out, "font-size", style->size);
    fill(out, rim ? canvas->record->paper : mark->rgb);
    buf_text(out, style->bold ? " font-weight=\"bold\"" : "");
    if (line->leftward) { /* Inkscape 1.2 draws nothing where such a text has a length */
        buf_text(out, " direction=\"rtl\" text-anchor=\"middle\"");
    } else {
        length(out, "textLength", line->width);
        buf_text(out, " lengthAdjust=\"spacingAndGlyphs\"");
    }
    if (rim) {
        buf_printf(out,
                   " stroke=\"#%06x\" stroke-linejoin=\"round\" aria-hidden=\"true\""
                   " style=\"user-select:none\"",
                   canvas->record->paper);
        length(out, "stroke-width", 2 * CANVAS_HALO);
    }
    if (style->angle != 0) {
        buf_text(out, " transform=\"rotate(");
        number(out, -style->angle);
        for (int i = 0; i < 2; i++) {
            buf_char(out, ' ');
            number(out, mark->at[i]);
        }
        buf_text(out, ")\"");
    }
    buf_char(out, '>');
    drawn_text(out, canvas->arena, line->text);
    buf_text(out, "</text>\n");
}

static void text(struct buf *out, const struct canvas *canvas, const struct canvas_mark *mark) {
    struct canvas_text_box box = canvas_text_lines(canvas, &mark->style, mark->text);
    double left = mark->at[0] - mark->style.x * box.size.width;
    double top = mark->at[1] - mark->style.y * box.size.height;
    for (const struct canvas_text_line *line = box.first; line; line = line->next) {
        for (int rim = mark->style.halo; *line->text && rim >= 0; rim--) {
            text_line(out, canvas, mark, line, left, top, rim);
        }
    }
}

/* The cells of each colour as one path. */
static void cells_apart(struct buf *out, const struct canvas_cells *cells) {
    for (int level = 0; level < cells->count; level++) {
        bool any = false;
        for (int64_t i = 0; i < cells->rows * cells->columns; i++) {
            if (cells->levels[i] != level) {
                continue;
            }
            buf_text(out, any ? "M" : "<path shape-rendering=\"crispEdges\" d=\"M");
            any = true;
            number(out, cells->x + cells->width * (double)(i % cells->columns));
            buf_char(out, ' ');
            number(out, cells->y + cells->height * (double)(i / cells->columns));
            buf_char(out, 'h');
            number(out, cells->width);
            buf_char(out, 'v');
            number(out, cells->height);
            buf_char(out, 'h');
            number(out, -cells->width);
            buf_char(out, 'z');
        }
        if (any) {
            buf_char(out, '"');
            fill(out, cells->colours[level]);
            buf_text(out, "/>\n");
        }
    }
}

/* The cells as pixels of a palette whose first colour is nothing. */
static struct canvas *image_of(struct arena *arena, const struct canvas_cells *cells) {
    struct canvas *image = arena_alloc(arena, sizeof *image);
    int64_t across = canvas_record_zoom(cells->width), down = canvas_record_zoom(cells->height);
    *image = (struct canvas){ .arena = arena, .scale = 1, .clear = true };
    image->width = cells->columns * across;
    image->height = cells->rows * down;
    image->colours = cells->count + 1;
    memcpy(image->palette + 1, cells->colours, (size_t)cells->count * sizeof *cells->colours);
    image->pixels = arena_array(arena, image->height, (size_t)image->width);
    for (int64_t y = 0; y < image->height; y++) {
        for (int64_t x = 0; x < image->width; x++) {
            unsigned char level = cells->levels[y / down * cells->columns + x / across];
            image->pixels[y * image->width + x] =
                level == CANVAS_CLEAR ? 0 : (unsigned char)(level + 1);
        }
    }
    return image;
}

static int cells_image(struct buf *out, struct arena *arena, const struct canvas_cells *cells,
                       struct err *err) {
    struct png_bytes png = png_out(image_of(arena, cells), NULL, 0, err);
    if (!png.bytes) {
        return err_pass(err);
    }
    buf_text(out, "<image");
    length(out, "x", cells->x);
    length(out, "y", cells->y);
    length(out, "width", cells->width * (double)cells->columns);
    length(out, "height", cells->height * (double)cells->rows);
    buf_text(out, " preserveAspectRatio=\"none\" image-rendering=\"optimizeSpeed\""
                  " style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,");
    buf_base64(out, png.bytes, png.length);
    buf_text(out, "\"/>\n");
    return 0;
}

static int draw(struct buf *out, const struct canvas *canvas, const struct canvas_mark *mark,
                struct err *err) {
    switch (mark->kind) {
    case MARK_RECT:
        rect(out, mark);
        break;
    case MARK_CELLS:
        if (!canvas_record_apart(&mark->cells)) {
            return cells_image(out, canvas->arena, &mark->cells, err);
        }
        cells_apart(out, &mark->cells);
        break;
    case MARK_CURVE:
        curve(out, mark);
        break;
    case MARK_DISC:
        disc(out, mark);
        break;
    case MARK_WEDGE:
        wedge(out, mark);
        break;
    case MARK_TEXT:
        text(out, canvas, mark);
        break;
    }
    return 0;
}

static void words_write(struct buf *out, const struct svg_words *words) {
    buf_text(out, "<title>");
    html_escape(out, words->title);
    buf_text(out, "</title>\n<desc>");
    html_escape(out, words->description);
    buf_text(out, "</desc>\n");
}

struct buf *svg_out(const struct canvas *canvas, double width, double height,
                    const struct svg_words *words, struct err *err) {
    struct buf *out = buf_new(canvas->arena);
    buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\""
                  " xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" role=\"img\"");
    length(out, "width", width);
    length(out, "height", height);
    buf_printf(out, " viewBox=\"0 0 %.6g %.6g\" font-family=\"%s\" xml:space=\"preserve\"",
               width, height, fonts);
    buf_text(out, " xml:lang=\"");
    html_escape(out, words->language);
    buf_text(out, "\">\n");
    words_write(out, words);
    buf_printf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#%06x\"/>\n",
               canvas->record->paper);
    for (const struct canvas_mark *mark = canvas->record->first; mark; mark = mark->next) {
        if (draw(out, canvas, mark, err) < 0) {
            err_pass(err);
            return NULL;
        }
    }
    buf_text(out, "</svg>\n");
    return out;
}
