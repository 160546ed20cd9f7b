#ifndef CORE_TEXT_GLYPHS_H
#define CORE_TEXT_GLYPHS_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/text/run.h"

/* glyphs: text as code points with their origins, and the changes that normalizers make to it.
 *
 * A change says what the next code point of the new text is and how many of the old ones it
 * used up: 0: one, -k: one and k more behind it, +1: none (it was inserted, and comes from
 * where the one before it came from). This is how the tokenizers library keeps its alignments,
 * and the reason why marks that were put in another order keep the origins of the places, not
 * of the marks. */

struct glyphs {
    uint32_t *codes;
    struct span *spans;
    int64_t count;
    uint32_t
        base; /* where the stretch begins: the origin of what is inserted before everything */
};

struct glyph_change {
    uint32_t code;
    int32_t uses;
};

struct glyph_changes {
    struct glyph_change *all;
    int64_t count, room;
};

struct glyphs glyphs_of(struct arena *arena, const struct run *run);
struct run glyphs_run(struct arena *arena, const struct glyphs *glyphs);

void glyphs_change(struct arena *arena, struct glyph_changes *changes, uint32_t code,
                   int32_t uses);

/* The text after the changes; the first `skip` old code points are dropped before them. */
struct glyphs glyphs_apply(struct arena *arena, const struct glyphs *glyphs,
                           const struct glyph_changes *changes, int64_t skip);

/* Only the code points that `keep` keeps. */
struct glyphs glyphs_filter(struct arena *arena, const struct glyphs *glyphs,
                            bool (*keep)(uint32_t code));

/* Canonical (`compatible`: compatibility) decomposition; composed again if asked for. */
struct glyphs glyphs_unicode(struct arena *arena, const struct glyphs *glyphs, bool compatible,
                             bool composed);

/* The text (terminated, UTF-8) put in front; nothing before nothing. It comes from where the
 * first code point comes from. */
struct glyphs glyphs_prepend(struct arena *arena, const struct glyphs *glyphs,
                             const char *text);

struct glyphs glyphs_lower(struct arena *arena, const struct glyphs *glyphs);

#endif
