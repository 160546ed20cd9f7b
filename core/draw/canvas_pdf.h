#ifndef CORE_DRAW_CANVAS_PDF_H
#define CORE_DRAW_CANVAS_PDF_H

#include "core/base/buf.h"
#include "core/draw/canvas.h"

/* canvas_pdf: a canvas that records as a PDF file of one page, written by Cairo. Letters are
 * those of the fonts, which are embedded as far as they are used, so that the text can be
 * searched and copied. The same picture gives the same bytes: no dates. */

/* NULL with ERR_BUG when Cairo refuses. Title and description are the document's. */
struct buf *canvas_pdf(const struct canvas *canvas, double width, double height,
                       const char *title, const char *description, struct err *err);

#endif
