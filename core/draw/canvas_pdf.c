#include "core/draw/canvas_pdf.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/draw/canvas_library.h"
#include "core/draw/canvas_record.h"
#include "core/draw/canvas_text.h"

static const double points = 72.0 / 96; /* of a CSS pixel */

/* Where Cairo writes to. What is thrown there waits until Cairo is through: a jump over its
 * functions would leave behind what they hold. */
struct stream {
    struct buf *out;
    struct err thrown;
};

static cairo_status_t take(void *arg, const unsigned char *bytes, unsigned int length) {
    struct stream *stream = arg;
    struct catch here;
    if (stream->thrown.kind) {
        return CAIRO_STATUS_WRITE_ERROR;
    }
    if (setjmp(catch_set(&here)->place) == 0) {
        buf_add(stream->out, bytes, length);
    }
    catch_end(&here);
    stream->thrown = here.err;
    return here.err.kind ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void ink(cairo_t *cairo, uint32_t rgb) {
    canvas_fn.cairo_set_source_rgb(cairo, (rgb >> 16) / 255.0, (rgb >> 8 & 0xff) / 255.0,
                                   (rgb & 0xff) / 255.0);
}

/* Points of a curve; where one is not finite a new part begins. */
static void path(cairo_t *cairo, const double *xy, int64_t n) {
    bool going = false;
    for (int64_t i = 0; i < n; i++) {
        double x = xy[2 * i], y = xy[2 * i + 1];
        if (!isfinite(x) || !isfinite(y)) {
            going = false;
        } else if (going) {
            canvas_fn.cairo_line_to(cairo, x, y);
        } else {
            canvas_fn.cairo_move_to(cairo, x, y);
            going = true;
        }
    }
}

static void curve(cairo_t *cairo, const struct canvas_mark *mark) {
    path(cairo, mark->xy, mark->n);
    canvas_fn.cairo_set_line_width(cairo, mark->at[0]);
    canvas_fn.cairo_stroke(cairo);
}

static void wedge(cairo_t *cairo, const struct canvas_mark *mark) {
    path(cairo, mark->xy, mark->n);
    canvas_fn.cairo_close_path(cairo);
    canvas_fn.cairo_fill(cairo);
}

static void text(cairo_t *cairo, const struct canvas *canvas, const struct canvas_mark *mark) {
    const struct canvas_style *style = &mark->style;
    int width, height;
    PangoLayout *layout = canvas_text_layout(canvas, style, mark->text);
    canvas_fn.pango_layout_get_size(layout, &width, &height);
    double left = -style->x * width / PANGO_SCALE, top = -style->y * height / PANGO_SCALE;
    canvas_fn.cairo_save(cairo);
    canvas_fn.cairo_translate(cairo, mark->at[0], mark->at[1]);
    canvas_fn.cairo_rotate(cairo, -style->angle * 3.14159265358979323846 / 180);
    canvas_fn.cairo_scale(cairo, 1 / canvas->scale, 1 / canvas->scale);
    if (style->halo) {
        canvas_fn.cairo_move_to(cairo, left, top);
        canvas_fn.pango_cairo_layout_path(cairo, layout);
        canvas_fn.cairo_set_line_width(cairo, 2 * CANVAS_HALO * canvas->scale);
        ink(cairo, canvas->record->paper);
        canvas_fn.cairo_stroke(cairo);
        ink(cairo, mark->rgb);
    }
    canvas_fn.cairo_move_to(cairo, left, top);
    canvas_fn.pango_cairo_show_layout(cairo, layout);
    canvas_fn.cairo_restore(cairo);
    canvas_fn.g_object_unref(layout);
}

static void cells_apart(cairo_t *cairo, const struct canvas_cells *cells) {
    for (int64_t i = 0; i < cells->rows * cells->columns; i++) {
        if (cells->levels[i] != CANVAS_CLEAR) {
            ink(cairo, cells->colours[cells->levels[i]]);
            canvas_fn.cairo_rectangle(cairo,
                                      cells->x + cells->width * (double)(i % cells->columns),
                                      cells->y + cells->height * (double)(i / cells->columns),
                                      cells->width, cells->height);
            canvas_fn.cairo_fill(cairo);
        }
    }
}

static bool is_clear(const struct canvas_cells *cells, int64_t row, int64_t column) {
    return row >= cells->rows || column >= cells->columns ||
           cells->levels[row * cells->columns + column] == CANVAS_CLEAR;
}

/* Cells begin..end of a row, a little below their neighbours at the right and below, so that no
 * seams show. */
static void run(cairo_t *cairo, const struct canvas_cells *cells, int64_t row, int64_t begin,
                int64_t end) {
    enum { LAP = 4 }; /* parts of a cell */
    bool below = true;
    for (int64_t i = begin; i < end; i++) {
        below = below && !is_clear(cells, row + 1, i);
    }
    double width = cells->width * (double)(end - begin);
    canvas_fn.cairo_rectangle(cairo, cells->x + cells->width * (double)begin,
                              cells->y + cells->height * (double)row,
                              width + (is_clear(cells, row, end) ? 0 : cells->width / LAP),
                              cells->height + (below ? cells->height / LAP : 0));
}

/* Small cells among clear ones, those of a colour at once: viewers that smooth images would
 * give them dark edges. */
static void cells_runs(cairo_t *cairo, const struct canvas_cells *cells) {
    for (int level = 0; level < cells->count; level++) {
        for (int64_t row = 0; row < cells->rows; row++) {
            const unsigned char *levels = cells->levels + row * cells->columns;
            for (int64_t begin = 0, end; begin < cells->columns; begin = end) {
                for (end = begin + 1; end < cells->columns && levels[end] == levels[begin];
                     end++) {
                }
                if (levels[begin] == level) {
                    run(cairo, cells, row, begin, end);
                }
            }
        }
        ink(cairo, cells->colours[level]);
        canvas_fn.cairo_fill(cairo);
    }
}

static void cells_image(cairo_t *cairo, const struct canvas *canvas,
                        const struct canvas_cells *cells) {
    int64_t across = canvas_record_zoom(cells->width), down = canvas_record_zoom(cells->height);
    int64_t wide = cells->columns * across, high = cells->rows * down;
    uint32_t *pixels = arena_array(canvas->arena, wide * high, sizeof *pixels);
    for (int64_t i = 0; i < wide * high; i++) {
        int64_t row = i / wide / down, column = i % wide / across;
        pixels[i] = cells->colours[cells->levels[row * cells->columns + column]];
    }
    cairo_surface_t *image = canvas_fn.cairo_image_surface_create_for_data(
        (unsigned char *)pixels, CAIRO_FORMAT_RGB24, (int)wide, (int)high, (int)wide * 4);
    canvas_fn.cairo_save(cairo);
    canvas_fn.cairo_translate(cairo, cells->x, cells->y);
    canvas_fn.cairo_scale(cairo, cells->width / (double)across, cells->height / (double)down);
    canvas_fn.cairo_set_source_surface(cairo, image, 0, 0);
    canvas_fn.cairo_pattern_set_filter(canvas_fn.cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    canvas_fn.cairo_paint(cairo);
    canvas_fn.cairo_restore(cairo);
    canvas_fn.cairo_surface_destroy(image);
}

static void draw(cairo_t *cairo, const struct canvas *canvas, const struct canvas_mark *mark) {
    const double *at = mark->at;
    ink(cairo, mark->rgb);
    switch (mark->kind) {
    case MARK_RECT:
        canvas_fn.cairo_rectangle(cairo, at[0], at[1], at[2], at[3]);
        canvas_fn.cairo_fill(cairo);
        break;
    case MARK_CELLS:
        if (canvas_record_apart(&mark->cells)) {
            cells_apart(cairo, &mark->cells);
        } else if (memchr(mark->cells.levels, CANVAS_CLEAR,
                          (size_t)(mark->cells.rows * mark->cells.columns))) {
            cells_runs(cairo, &mark->cells);
        } else {
            cells_image(cairo, canvas, &mark->cells);
        }
        break;
    case MARK_CURVE:
        curve(cairo, mark);
        break;
    case MARK_DISC:
        canvas_fn.cairo_arc(cairo, at[0], at[1], at[2], 0, 2 * 3.14159265358979323846);
        canvas_fn.cairo_fill(cairo);
        break;
    case MARK_WEDGE:
        wedge(cairo, mark);
        break;
    case MARK_TEXT:
        text(cairo, canvas, mark);
        break;
    }
}

static void describe(cairo_surface_t *surface, const char *title, const char *description) {
    canvas_fn.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
    canvas_fn.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, description);
    canvas_fn.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Cutaway");
    canvas_fn.cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
}

static void draw_all(cairo_t *cairo, const struct canvas *canvas) {
    canvas_fn.cairo_scale(cairo, points, points);
    canvas_fn.cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    canvas_fn.cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    ink(cairo, canvas->record->paper);
    canvas_fn.cairo_paint(cairo);
    for (const struct canvas_mark *mark = canvas->record->first; mark; mark = mark->next) {
        draw(cairo, canvas, mark);
    }
}

/* Draws and closes; what drawing throws is in `thrown`, what writing throws in the stream. */
static cairo_status_t draw_caught(cairo_surface_t *surface, const struct canvas *canvas,
                                  struct err *thrown) {
    cairo_t *cairo = canvas_fn.cairo_create(surface);
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        draw_all(cairo, canvas);
    }
    catch_end(&here);
    *thrown = here.err;
    cairo_status_t status = canvas_fn.cairo_status(cairo);
    canvas_fn.cairo_destroy(cairo);
    canvas_fn.cairo_surface_finish(surface);
    return status ? status : canvas_fn.cairo_surface_status(surface);
}

struct buf *canvas_pdf(const struct canvas *canvas, double width, double height,
                       const char *title, const char *description, struct err *err) {
    struct stream stream = { .out = buf_new(canvas->arena) };
    struct err thrown;
    cairo_surface_t *surface = canvas_fn.cairo_pdf_surface_create_for_stream(
        take, &stream, width * points, height * points);
    describe(surface, title, description);
    cairo_status_t status = draw_caught(surface, canvas, &thrown);
    canvas_fn.cairo_surface_destroy(surface);
    thrown = thrown.kind ? thrown : stream.thrown;
    if (thrown.kind) {
        catch_throw(thrown.kind, "%s", thrown.text);
    }
    if (status) {
        err_set(err, ERR_BUG, "Cairo cannot write the PDF: %s",
                canvas_fn.cairo_status_to_string(status));
        return NULL;
    }
    return stream.out;
}
