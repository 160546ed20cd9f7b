#ifndef CORE_DRAW_CANVAS_LIBRARY_H
#define CORE_DRAW_CANVAS_LIBRARY_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "core/draw/canvas.h"

/* canvas_library: the functions of Cairo and Pango that text and PDF need, found when the first
 * canvas is made. */

/* With the types that the headers give them. */
#define CANVAS_CAIRO(ONE)                    \
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
    ONE(cairo_font_options_set_hint_metrics) \
    ONE(cairo_arc)                           \
    ONE(cairo_close_path)                    \
    ONE(cairo_fill)                          \
    ONE(cairo_get_source)                    \
    ONE(cairo_line_to)                       \
    ONE(cairo_new_path)                      \
    ONE(cairo_new_sub_path)                  \
    ONE(cairo_paint)                         \
    ONE(cairo_pattern_set_filter)            \
    ONE(cairo_pdf_surface_create_for_stream) \
    ONE(cairo_pdf_surface_set_metadata)      \
    ONE(cairo_rectangle)                     \
    ONE(cairo_restore)                       \
    ONE(cairo_save)                          \
    ONE(cairo_scale)                         \
    ONE(cairo_set_line_cap)                  \
    ONE(cairo_set_line_join)                 \
    ONE(cairo_set_line_width)                \
    ONE(cairo_set_source_rgb)                \
    ONE(cairo_set_source_surface)            \
    ONE(cairo_status)                        \
    ONE(cairo_status_to_string)              \
    ONE(cairo_stroke)                        \
    ONE(cairo_surface_finish)                \
    ONE(cairo_surface_status)
#define CANVAS_PANGO(ONE)                         \
    ONE(pango_context_set_round_glyph_positions)  \
    ONE(pango_font_description_free)              \
    ONE(pango_font_description_new)               \
    ONE(pango_font_description_set_absolute_size) \
    ONE(pango_font_description_set_family_static) \
    ONE(pango_font_description_set_weight)        \
    ONE(pango_font_map_create_context)            \
    ONE(pango_layout_get_iter)                    \
    ONE(pango_layout_get_size)                    \
    ONE(pango_layout_get_unknown_glyphs_count)    \
    ONE(pango_layout_iter_free)                   \
    ONE(pango_layout_iter_get_baseline)           \
    ONE(pango_layout_iter_get_line_extents)       \
    ONE(pango_layout_iter_get_line_readonly)      \
    ONE(pango_layout_iter_next_line)              \
    ONE(pango_layout_new)                         \
    ONE(pango_layout_set_font_description)        \
    ONE(pango_layout_set_single_paragraph_mode)   \
    ONE(pango_layout_set_text)                    \
    ONE(pango_layout_set_width)                   \
    ONE(pango_layout_set_wrap)
#define CANVAS_PANGOCAIRO(ONE)                \
    ONE(pango_cairo_context_set_font_options) \
    ONE(pango_cairo_font_map_get_default)     \
    ONE(pango_cairo_layout_path)              \
    ONE(pango_cairo_show_layout)
#define CANVAS_GOBJECT(ONE) ONE(g_object_unref)

#define CANVAS_POINTER(name) __typeof__(&(name)) name;
struct canvas_library {
    CANVAS_CAIRO(CANVAS_POINTER)
    CANVAS_PANGO(CANVAS_POINTER)
    CANVAS_PANGOCAIRO(CANVAS_POINTER)
    CANVAS_GOBJECT(CANVAS_POINTER)
    PangoContext *context; /* of the process: holds the fonts that were opened */
};
#undef CANVAS_POINTER

/* Filled by canvas_load. */
extern struct canvas_library canvas_fn;

#endif
