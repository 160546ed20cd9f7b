#ifndef CORE_DRAW_HTML_H
#define CORE_DRAW_HTML_H

#include "core/base/buf.h"
#include "core/draw/figure.h"
#include "core/draw/page.h"

/* html: a figure as HTML that shows the same in a trusted and an untrusted notebook: the
 * finding, the PNG as an <img>, over it transparent elements whose titles tell the values when
 * the mouse rests there, and the table, caption and provenance as text. No script, no style
 * sheet, no ids, no SVG; inline styles with #rrggbb only. Where styles are stripped too it
 * still reads from top to bottom. This file, hover.c and svg_out.c alone write "<". */

/* Foreign text as the content of an element or of a quoted attribute: & < > " ' become
 * entities, characters that hide or turn the direction are shown. */
void html_escape(struct buf *out, const char *text);

/* `png` in base64. */
const char *html(struct arena *arena, const struct figure *figure, const struct page *page,
                 const char *png);

/* That HTML as a page of its own. */
const char *html_page(struct arena *arena, const struct figure *figure, const char *body);

/* A table without a picture, under the sentence that says what it shows. */
const char *html_table(struct arena *arena, const char *finding,
                       const struct figure_table *rows, const char *caption);

#endif
