#include "core/draw/hover.h"

#include "core/draw/html.h"

/* A length in CSS pixels, without noise behind the point. */
static void px(struct buf *out, const char *property, double length) {
    buf_printf(out, "%s:%.6gpx;", property, length);
}

void hover_grid(struct buf *out, double x, double y, int64_t columns, double width,
                double height) {
    buf_text(out, "<div style=\"position:absolute;display:grid;");
    px(out, "left", x);
    px(out, "top", y);
    buf_printf(out, "grid-template-columns:repeat(%lld,%.6gpx);grid-auto-rows:%.6gpx\">",
               (long long)columns, width, height);
}

void hover_title(struct buf *out, const char *text) {
    buf_text(out, "<i title=\"");
    html_escape(out, text);
    buf_text(out, "\"></i>");
}

void hover_end(struct buf *out) {
    buf_text(out, "</div>");
}

void hover_box(struct buf *out, double x, double y, double width, double height,
               const char *text) {
    buf_text(out, "<i style=\"position:absolute;");
    px(out, "left", x);
    px(out, "top", y);
    px(out, "width", width);
    px(out, "height", height);
    buf_text(out, "\" title=\"");
    html_escape(out, text);
    buf_text(out, "\"></i>");
}
