#include "core/text/glyphs.h"

#include <string.h>
#include <utf8proc.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"

struct glyphs glyphs_of(struct arena *arena, const struct run *run) {
    struct glyphs glyphs = { .base = (uint32_t)run->base };
    int64_t most = utf8_count(run->text, (size_t)run->length);
    glyphs.codes = arena_raw(arena, (size_t)most * sizeof *glyphs.codes + 1);
    glyphs.spans = arena_raw(arena, (size_t)most * sizeof *glyphs.spans + 1);
    for (int64_t i = 0, n; i < run->length; i += n) {
        uint32_t code = 0xfffd;
        n = utf8_decode(run->text + i, (size_t)(run->length - i), &code);
        n = n > 0 ? n : 1;
        glyphs.codes[glyphs.count] = code;
        glyphs.spans[glyphs.count++] = run_span(run, i, i + n);
    }
    return glyphs;
}

struct run glyphs_run(struct arena *arena, const struct glyphs *glyphs) {
    char *text = arena_raw(arena, (size_t)glyphs->count * 4 + 1);
    struct span *spans = arena_raw(arena, (size_t)glyphs->count * 4 * sizeof *spans + 1);
    int64_t length = 0;
    for (int64_t i = 0; i < glyphs->count; i++) {
        for (int n = utf8_encode(text + length, glyphs->codes[i]); n > 0; n--) {
            spans[length++] = glyphs->spans[i];
        }
    }
    return (struct run){ text, length, spans, glyphs->base };
}

void glyphs_change(struct arena *arena, struct glyph_changes *changes, uint32_t code,
                   int32_t uses) {
    if (changes->count == changes->room) {
        int64_t room = changes->room ? 2 * changes->room : 64;
        struct glyph_change *all = arena_raw(arena, (size_t)room * sizeof *all);
        if (changes->count) {
            memcpy(all, changes->all, (size_t)changes->count * sizeof *all);
        }
        changes->all = all;
        changes->room = room;
    }
    changes->all[changes->count++] = (struct glyph_change){ code, uses };
}

struct glyphs glyphs_apply(struct arena *arena, const struct glyphs *glyphs,
                           const struct glyph_changes *changes, int64_t skip) {
    struct glyphs new = { .base = glyphs->base, .count = changes->count };
    new.codes = arena_raw(arena, (size_t) new.count * sizeof *new.codes + 1);
    new.spans = arena_raw(arena, (size_t) new.count * sizeof *new.spans + 1);
    int64_t old = skip;
    for (int64_t i = 0; i < changes->count; i++) {
        stop_check();
        int32_t uses = changes->all[i].uses;
        new.codes[i] = changes->all[i].code;
        if (uses <= 0 && old < glyphs->count) {
            new.spans[i] = glyphs->spans[old];
            old += 1 - uses;
        } else {
            new.spans[i] =
                old > 0 ? glyphs->spans[old - 1] : (struct span){ glyphs->base, glyphs->base };
        }
    }
    return new;
}

struct glyphs glyphs_filter(struct arena *arena, const struct glyphs *glyphs,
                            bool (*keep)(uint32_t code)) {
    struct glyphs new = *glyphs;
    new.codes = arena_raw(arena, (size_t)glyphs->count * sizeof *new.codes + 1);
    new.spans = arena_raw(arena, (size_t)glyphs->count * sizeof *new.spans + 1);
    new.count = 0;
    for (int64_t i = 0; i < glyphs->count; i++) {
        if (keep(glyphs->codes[i])) {
            new.codes[new.count] = glyphs->codes[i];
            new.spans[new.count++] = glyphs->spans[i];
        }
    }
    return new;
}

/* ---- decomposition and composition ---- */

/* Marks that came after the tables of the tokenizers library are in no order there. */
static int class_of(uint32_t code) {
    return code < 0x300 || !classes_is_mark(code)
               ? 0
               : utf8proc_get_property((utf8proc_int32_t)code)->combining_class;
}

/* Puts the marks all[from..count) in the order of their combining classes, equal ones as they
 * are. */
static void sort_marks(struct glyph_changes *changes, int64_t from, struct arena *arena) {
    int64_t n = changes->count - from;
    bool sorted = true;
    for (int64_t i = from + 1; i < changes->count && sorted; i++) {
        sorted = class_of(changes->all[i - 1].code) <= class_of(changes->all[i].code);
    }
    if (sorted) {
        return;
    }
    int64_t place[257] = { 0 };
    struct glyph_change *copy = arena_raw(arena, (size_t)n * sizeof *copy);
    memcpy(copy, changes->all + from, (size_t)n * sizeof *copy);
    for (int64_t i = 0; i < n; i++) {
        place[class_of(copy[i].code) + 1]++;
    }
    for (int c = 0; c < 256; c++) {
        place[c + 1] += place[c];
    }
    for (int64_t i = 0; i < n; i++) {
        changes->all[from + place[class_of(copy[i].code)]++] = copy[i];
    }
}

static void decompose(struct arena *arena, const struct glyphs *glyphs, bool compatible,
                      struct glyph_changes *changes) {
    int options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | (compatible ? UTF8PROC_COMPAT : 0);
    int64_t marks = 0; /* where the marks behind the last starter begin */
    for (int64_t i = 0; i < glyphs->count; i++) {
        stop_check();
        utf8proc_int32_t parts[32] = { (utf8proc_int32_t)glyphs->codes[i] };
        utf8proc_ssize_t n = 1;
        if (glyphs->codes[i] >= 0xa0) {
            n = utf8proc_decompose_char(parts[0], parts, 32, (utf8proc_option_t)options, NULL);
        }
        for (utf8proc_ssize_t k = 0; k < n && k < 32; k++) {
            if (class_of((uint32_t)parts[k]) == 0) {
                sort_marks(changes, marks, arena);
                marks = changes->count + 1;
            }
            glyphs_change(arena, changes, (uint32_t)parts[k], k > 0);
        }
    }
    sort_marks(changes, marks, arena);
}

static bool compose(uint32_t first, uint32_t second, uint32_t *both) {
    if (second < 0x300) {
        return false;
    }
    utf8proc_int32_t pair[3] = { (utf8proc_int32_t)first, (utf8proc_int32_t)second };
    utf8proc_option_t options = (utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    bool joined = utf8proc_normalize_utf32(pair, 2, options) == 1;
    *both = (uint32_t)pair[0];
    return joined;
}

/* Composes in place. A mark joins the last starter unless one of its own class or a higher one
 * stands between them. */
static void recompose(struct glyph_changes *changes) {
    int64_t starter = -1, out = 0;
    int before = -1; /* class of what was kept behind the starter; -1: nothing yet */
    for (int64_t i = 0; i < changes->count; i++) {
        stop_check();
        struct glyph_change change = changes->all[i];
        int class = class_of(change.code);
        uint32_t both;
        if (starter >= 0 && before < class &&
            compose(changes->all[starter].code, change.code, &both)) {
            changes->all[starter].code = both;
            changes->all[starter].uses += change.uses - 1;
            continue;
        }
        if (class == 0) {
            starter = out;
            before = -1;
        } else {
            before = class;
        }
        changes->all[out++] = change;
    }
    changes->count = out;
}

struct glyphs glyphs_unicode(struct arena *arena, const struct glyphs *glyphs, bool compatible,
                             bool composed) {
    struct glyph_changes changes = { 0 };
    decompose(arena, glyphs, compatible, &changes);
    if (composed) {
        recompose(&changes);
    }
    return glyphs_apply(arena, glyphs, &changes, 0);
}

struct glyphs glyphs_lower(struct arena *arena, const struct glyphs *glyphs) {
    struct glyph_changes changes = { 0 };
    for (int64_t i = 0; i < glyphs->count; i++) {
        stop_check();
        uint32_t code = glyphs->codes[i];
        if (code == 0x130) { /* the only letter whose small one is two code points */
            glyphs_change(arena, &changes, 'i', 0);
            glyphs_change(arena, &changes, 0x307, 1);
        } else {
            glyphs_change(arena, &changes, (uint32_t)utf8proc_tolower((utf8proc_int32_t)code),
                          0);
        }
    }
    return glyphs_apply(arena, glyphs, &changes, 0);
}

static struct glyphs glyphs_spelled(struct arena *arena, const char *text) {
    struct run run = { .text = text, .length = (int64_t)strlen(text) };
    return glyphs_of(arena, &run);
}

struct glyphs glyphs_prepend(struct arena *arena, const struct glyphs *glyphs,
                             const char *text) {
    struct glyphs front = glyphs_spelled(arena, text);
    struct glyph_changes changes = { 0 };
    if (glyphs->count == 0) {
        return *glyphs;
    }
    for (int64_t i = 0; i < front.count; i++) {
        glyphs_change(arena, &changes, front.codes[i], i > 0);
    }
    for (int64_t i = 0; i < glyphs->count; i++) {
        glyphs_change(arena, &changes, glyphs->codes[i], i == 0 && front.count > 0);
    }
    return glyphs_apply(arena, glyphs, &changes, 0);
}
