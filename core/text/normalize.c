#include "core/text/normalize.h"

#include <string.h>
#include <utf8proc.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/bpe.h"
#include "core/text/charsmap.h"
#include "core/text/classes.h"
#include "core/text/glyphs.h"
#include "core/text/pattern.h"

enum kind {
    BERT,
    NFC,
    NFD,
    NFKC,
    NFKD,
    LOWERCASE,
    STRIP_ACCENTS,
    PREPEND,
    REPLACE,
    STRIP,
    NMT,
    BYTES,
    CHARSMAP
};

struct step {
    enum kind kind;
    bool clean, chinese, strip, lower; /* of BERT */
    const char *text;                  /* of PREPEND */
    struct json_text from, to;         /* of REPLACE */
    const struct pattern *pattern;     /* of REPLACE, NULL: `from` */
    bool left, right;                  /* of STRIP */
    const struct charsmap *map;        /* of CHARSMAP */
};

enum { STEPS = 32 };

struct normalizer {
    struct step steps[STEPS];
    int count;
    int64_t growth; /* bytes that Replace and Prepend can make of one */
};

/* ---- reading ---- */

static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {
    { "BertNormalizer", BERT },
    { "NFC", NFC },
    { "NFD", NFD },
    { "NFKC", NFKC },
    { "NFKD", NFKD },
    { "Lowercase", LOWERCASE },
    { "StripAccents", STRIP_ACCENTS },
    { "Prepend", PREPEND },
    { "Replace", REPLACE },
    { "Strip", STRIP },
    { "Nmt", NMT },
    { "ByteLevel", BYTES },
    { "Precompiled", CHARSMAP },
};

static int read_replace(struct arena *arena, struct step *step, const struct json *section,
                        const char *file, struct err *err) {
    const struct json *regex = json_at(json_at(section, "pattern"), "Regex");
    const struct json *text = json_at(json_at(section, "pattern"), "String");
    const struct json *given = text ? text : regex, *to = json_at(section, "content");
    if (!given || given->kind != JSON_STRING || !to || to->kind != JSON_STRING) {
        return err_set(err, ERR_FORMAT,
                       "%s: normalizer: Replace has no pattern that is a String or a Regex, or "
                       "no content",
                       file);
    }
    step->to = to->text;
    if (text && text->text.length > 0) {
        step->from = text->text;
        return 0;
    }
    step->pattern = pattern_read(arena, given->text.bytes, given->text.length, file, err);
    return step->pattern ? 0 : err_pass(err);
}

static int read_charsmap(struct arena *arena, struct step *step, const struct json *section,
                         const char *file, struct err *err) {
    const struct json *text = json_at(section, "precompiled_charsmap");
    if (!text || text->kind != JSON_STRING) {
        return err_set(err, ERR_FORMAT,
                       "%s: normalizer: Precompiled has no precompiled_charsmap", file);
    }
    step->map = charsmap_read(arena, text->text.bytes, text->text.length, file, err);
    return step->map ? 0 : err_pass(err);
}

static int read_step(struct arena *arena, struct step *step, const struct json *section,
                     const char *type, const char *file, struct err *err) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, kinds[i].name) == 0) {
            step->kind = kinds[i].kind;
            step->clean = json_bool_at(section, "clean_text", true);
            step->chinese = json_bool_at(section, "handle_chinese_chars", true);
            step->lower = json_bool_at(section, "lowercase", true);
            step->strip = json_bool_at(section, "strip_accents", step->lower);
            step->text = json_text_at(section, "prepend", "");
            step->left = json_bool_at(section, "strip_left", true);
            step->right = json_bool_at(section, "strip_right", true);
            return step->kind == REPLACE    ? read_replace(arena, step, section, file, err)
                   : step->kind == CHARSMAP ? read_charsmap(arena, step, section, file, err)
                                            : 0;
        }
    }
    char shown[60];
    return err_set(
        err, ERR_UNSUPPORTED,
        "%s: the normalizer type %s is not known; known are BertNormalizer, NFC, NFD, "
        "NFKC, NFKD, Lowercase, StripAccents, Prepend, Replace, Strip, Nmt, ByteLevel, "
        "Precompiled and Sequence",
        file, err_quote(shown, sizeof shown, type, strlen(type)));
}

/* Bytes that a step can make of one. A pattern may find nothing between any two bytes. */
static int64_t growth_of(const struct step *step) {
    int64_t from = (int64_t)step->from.length, to = (int64_t)step->to.length;
    switch (step->kind) {
    case REPLACE:
        return step->pattern ? to + 1 : to > from ? (to + from - 1) / from : 1;
    case PREPEND:
        return (int64_t)strlen(step->text) + 1;
    case CHARSMAP:
        return charsmap_longest(step->map) + 1;
    case BYTES:
        return 2;
    default:
        return 1;
    }
}

/* Steps multiply: sixteen that double would make 65,536 bytes of one. */
static int check_growth(struct normalizer *normalizer, const struct step *step,
                        const char *file, struct err *err) {
    enum { GROWTH_MOST = 256 };
    int64_t times = growth_of(step);
    if (times > GROWTH_MOST / normalizer->growth) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: normalizer: its steps can make %lld bytes of one; at most %d are "
                       "allowed",
                       file, (long long)(times * normalizer->growth), GROWTH_MOST);
    }
    normalizer->growth *= times;
    return 0;
}

static int read_section(struct arena *arena, struct normalizer *normalizer,
                        const struct json *section, int depth, const char *file,
                        struct err *err) {
    const char *type = json_text_at(section, "type", "");
    if (strcmp(type, "Sequence") == 0 && depth < 4) {
        const struct json *list = json_at(section, "normalizers");
        for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
            if (read_section(arena, normalizer, one, depth + 1, file, err) < 0) {
                return err_pass(err);
            }
        }
        return 0;
    }
    if (normalizer->count == STEPS) {
        return err_set(err, ERR_FORMAT, "%s: more than %d normalizers", file, STEPS);
    }
    struct step *step = &normalizer->steps[normalizer->count++];
    return read_step(arena, step, section, type, file, err) < 0
               ? -1
               : check_growth(normalizer, step, file, err);
}

struct normalizer *normalize_read(struct arena *arena, const struct json *section,
                                  const char *file, struct err *err) {
    if (!section || section->kind == JSON_NULL) {
        return NULL;
    }
    struct normalizer *normalizer = arena_alloc(arena, sizeof *normalizer);
    normalizer->growth = 1;
    return read_section(arena, normalizer, section, 0, file, err) < 0 ? NULL : normalizer;
}

struct normalizer *normalize_sentencepiece(struct arena *arena, const struct charsmap *map,
                                           bool remove_blanks, const char *file,
                                           struct err *err) {
    static const char blanks[] =
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Strip\"},{\"type\":\"Replace\","
        "\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}]}";
    struct normalizer *normalizer = arena_alloc(arena, sizeof *normalizer);
    normalizer->growth = 1;
    if (map) {
        struct step *step = &normalizer->steps[normalizer->count++];
        *step = (struct step){ .kind = CHARSMAP, .map = map };
        if (check_growth(normalizer, step, file, err) < 0) {
            return NULL;
        }
    }
    const struct json *section =
        remove_blanks ? json_parse(arena, blanks, strlen(blanks), file, err) : NULL;
    bool well = !section || read_section(arena, normalizer, section, 0, file, err) == 0;
    return well ? normalizer : NULL;
}

/* ---- BERT ---- */

static bool is_no_plain_mark(uint32_t code) {
    return !classes_is_plain_mark(code);
}

static bool is_no_control(uint32_t code) {
    return !classes_is_control(code);
}

static bool is_no_mark(uint32_t code) {
    return !classes_is_mark(code);
}

/* Blanks around Chinese characters, each with the character's own origin. */
static struct glyphs part_chinese(struct arena *arena, const struct glyphs *glyphs) {
    struct glyph_changes changes = { 0 };
    for (int64_t i = 0; i < glyphs->count; i++) {
        stop_check();
        bool chinese = classes_is_chinese(glyphs->codes[i]);
        if (chinese) {
            glyphs_change(arena, &changes, ' ', 0);
        }
        glyphs_change(arena, &changes, glyphs->codes[i], chinese);
        if (chinese) {
            glyphs_change(arena, &changes, ' ', 1);
        }
    }
    return glyphs_apply(arena, glyphs, &changes, 0);
}

static struct glyphs bert(struct arena *arena, const struct step *step, struct glyphs glyphs) {
    if (step->clean) {
        glyphs = glyphs_filter(arena, &glyphs, is_no_control);
        for (int64_t i = 0; i < glyphs.count; i++) {
            if (classes_is_blank(glyphs.codes[i])) {
                glyphs.codes[i] = ' ';
            }
        }
    }
    if (step->chinese) {
        glyphs = part_chinese(arena, &glyphs);
    }
    if (step->strip) {
        glyphs = glyphs_unicode(arena, &glyphs, false, false);
        glyphs = glyphs_filter(arena, &glyphs, is_no_plain_mark);
    }
    return step->lower ? glyphs_lower(arena, &glyphs) : glyphs;
}

/* Whether a code point is no mark, and is its own decomposition: then nothing beside it
 * matters. */
static bool is_simple(uint32_t code) {
    if (code < 0xc0) {
        return true;
    }
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)code);
    return property->combining_class == 0 && property->decomp_seqindex == UINT16_MAX &&
           !(code >= 0xac00 && code < 0xd7a4); /* Hangul syllables have a rule of their own */
}

struct spelled {
    struct buf *text, *spans; /* bytes, and a struct span for each */
};

static void put(struct spelled *out, const char *bytes, size_t n, struct span span) {
    buf_add(out->text, bytes, n);
    struct span *spans = (void *)buf_more(out->spans, n * sizeof span);
    for (size_t i = 0; i < n; i++) {
        spans[i] = span;
    }
}

static void bert_ascii(const struct step *step, unsigned char c, struct span span,
                       struct spelled *out) {
    if (step->clean && classes_is_control(c)) {
        return;
    }
    c = step->clean && classes_ascii[c] == CLASS_BLANK ? ' ' : c;
    char lower = (char)(step->lower && c >= 'A' && c <= 'Z' ? c + 32 : c);
    put(out, &lower, 1, span);
}

/* What bert() does, for a simple code point. */
static void bert_simple(const struct step *step, uint32_t code, struct span span,
                        struct spelled *out) {
    char spelled[4];
    if ((step->clean && classes_is_control(code)) ||
        (step->strip && classes_is_plain_mark(code))) {
        return;
    }
    bool chinese = step->chinese && classes_is_chinese(code);
    code = step->clean && classes_is_blank(code) ? ' ' : code;
    code = step->lower ? (uint32_t)utf8proc_tolower((utf8proc_int32_t)code) : code;
    if (chinese) {
        put(out, " ", 1, span);
    }
    put(out, spelled, (size_t)utf8_encode(spelled, code), span);
    if (chinese) {
        put(out, " ", 1, span);
    }
}

static void bert_glyphs(struct arena *arena, const struct step *step, struct run part,
                        struct spelled *out) {
    struct arena_mark mark = arena_mark(arena);
    struct glyphs glyphs = glyphs_of(arena, &part);
    glyphs = bert(arena, step, glyphs);
    part = glyphs_run(arena, &glyphs);
    buf_add(out->text, part.text, (size_t)part.length);
    buf_add(out->spans, part.spans, (size_t)part.length * sizeof *part.spans);
    arena_rewind(arena, mark);
}

/* BERT's steps over an original text. Marks only ever reach back to what is not simple, so
 * stretches of such code points become glyphs and all others go one by one. */
static struct run bert_run(struct arena *arena, const struct step *step, struct run run) {
    struct spelled out = { buf_new(arena), buf_new(arena) };
    buf_more(out.text, (size_t)run.length);
    buf_more(out.spans, (size_t)run.length * sizeof(struct span));
    buf_clear(out.text);
    buf_clear(out.spans);
    int64_t hard = 0; /* where the stretch that is not simple begins */
    for (int64_t at = 0, next; at < run.length; at = next) {
        stop_check();
        uint32_t code = (unsigned char)run.text[at];
        next = at + 1;
        if (code >= 128) {
            int n = utf8_decode(run.text + at, (size_t)(run.length - at), &code);
            next = at + (n > 0 ? n : 1);
        }
        bool removed = hard < at && step->clean && classes_is_control(code);
        bool simple = is_simple(code) && !removed; /* what is removed parts no marks */
        if (hard < at && simple) {
            bert_glyphs(arena, step, run_part(&run, hard, at), &out);
        }
        struct span span = { (uint32_t)(run.base + at), (uint32_t)(run.base + next) };
        if (code < 128) {
            bert_ascii(step, (unsigned char)code, span, &out);
        } else if (simple) {
            bert_simple(step, code, span, &out);
        }
        hard = simple ? next : hard;
    }
    if (hard < run.length) {
        bert_glyphs(arena, step, run_part(&run, hard, run.length), &out);
    }
    const void *spans = out.spans->data;
    return (struct run){ out.text->data, (int64_t)out.text->length, spans, run.base };
}

/* ---- Replace ---- */

/* The next part from *at on that is to be replaced. */
static bool find(const struct step *step, const struct run *run, struct pattern_search *search,
                 int64_t *at, int64_t *begin, int64_t *end) {
    if (step->pattern) {
        return pattern_next(search, begin, end);
    }
    const char *found = memmem(run->text + *at, (size_t)(run->length - *at), step->from.bytes,
                               step->from.length);
    *begin = found ? found - run->text : 0;
    *end = *at = *begin + (int64_t)step->from.length;
    return found != NULL;
}

static void copy_part(struct spelled *out, const struct run *run, int64_t begin, int64_t end) {
    buf_add(out->text, run->text + begin, (size_t)(end - begin));
    struct span *spans = (void *)buf_more(out->spans, (size_t)(end - begin) * sizeof *spans);
    for (int64_t i = begin; i < end; i++) {
        spans[i - begin] = run_span(run, i, i + 1);
    }
}

/* What is put in comes from where the end of what it replaces comes from. */
static struct run replace_run(struct arena *arena, const struct step *step, struct run run) {
    struct spelled out = { buf_new(arena), buf_new(arena) };
    struct pattern_search search;
    int64_t last = 0, at = 0, begin, end;
    if (step->pattern) {
        pattern_begin(&search, arena, step->pattern, run.text, run.length);
    }
    while (run.length > 0 && find(step, &run, &search, &at, &begin, &end)) {
        struct span nothing = { (uint32_t)run.base, (uint32_t)run.base };
        copy_part(&out, &run, last, begin);
        put(&out, step->to.bytes, step->to.length,
            end > 0 ? run_span(&run, end - 1, end) : nothing);
        last = end;
    }
    if (last == 0 && out.text->length == 0) {
        return run; /* nothing was found */
    }
    copy_part(&out, &run, last, run.length);
    const void *spans = out.spans->data;
    return (struct run){ out.text->data, (int64_t)out.text->length, spans, run.base };
}

/* ---- Precompiled ---- */

/* One grapheme, or one of its characters, becomes what the table says; false: it says nothing.
 * What falls away is counted with what stands before it, as the tokenizers library counts. */
static bool map_part(struct arena *arena, const struct charsmap *map,
                     const struct glyphs *glyphs, int64_t begin, int64_t end,
                     struct glyph_changes *changes) {
    char spelled[8];
    size_t n = 0;
    int64_t length, old = end - begin, new = 0, made = changes->count;
    for (int64_t i = begin; i < end; i++) {
        n += (size_t)utf8_encode(spelled + n, glyphs->codes[i]);
    }
    const char *to = charsmap_at(map, spelled, n, &length);
    if (!to) {
        return false;
    }
    for (int64_t i = 0, step; i < length; i += step, new ++) {
        uint32_t code = 0xfffd;
        step = utf8_decode(to + i, (size_t)(length - i), &code);
        step = step > 0 ? step : 1;
        glyphs_change(arena, changes, code, 0);
    }
    for (int64_t i = changes->count - 1; i >= 0 && i >= made + old; i--) {
        changes->all[i].uses = 1;
    }
    if (new < old && changes->count > 0) {
        changes->all[changes->count - 1].uses += (int32_t)(new - old);
    }
    return true;
}

/* The end of the grapheme that begins at `at`. */
static int64_t grapheme_end(const struct glyphs *glyphs, int64_t at) {
    utf8proc_int32_t state = 0;
    const uint32_t *codes = glyphs->codes;
    int64_t end = at + 1;
    while (end < glyphs->count &&
           !utf8proc_grapheme_break_stateful((utf8proc_int32_t)codes[end - 1],
                                             (utf8proc_int32_t)codes[end], &state)) {
        end++;
    }
    return end;
}

static int64_t spelled_bytes(const struct glyphs *glyphs, int64_t begin, int64_t end) {
    int64_t bytes = 0;
    for (int64_t i = begin; i < end; i++) {
        uint32_t code = glyphs->codes[i];
        bytes += 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    }
    return bytes;
}

/* Graphemes of up to 5 bytes are looked up whole, then every character by itself. */
static struct glyphs map_all(struct arena *arena, const struct charsmap *map,
                             const struct glyphs *glyphs) {
    enum { WHOLE = 6 };
    struct glyph_changes changes = { 0 };
    bool changed = false;
    for (int64_t at = 0, end; at < glyphs->count; at = end) {
        stop_check();
        end = grapheme_end(glyphs, at);
        if (spelled_bytes(glyphs, at, end) < WHOLE &&
            map_part(arena, map, glyphs, at, end, &changes)) {
            changed = true;
            continue;
        }
        for (int64_t i = at; i < end; i++) {
            if (map_part(arena, map, glyphs, i, i + 1, &changes)) {
                changed = true;
            } else {
                glyphs_change(arena, &changes, glyphs->codes[i], 0);
            }
        }
    }
    return changed ? glyphs_apply(arena, glyphs, &changes, 0) : *glyphs;
}

/* ---- Strip, Nmt, ByteLevel ---- */

static struct glyphs strip(const struct step *step, const struct glyphs *glyphs) {
    struct glyphs kept = *glyphs;
    while (step->right && kept.count > 0 && classes_is_blank(kept.codes[kept.count - 1])) {
        kept.count--;
    }
    while (step->left && kept.count > 0 && classes_is_blank(*kept.codes)) {
        kept.codes++;
        kept.spans++;
        kept.count--;
    }
    return kept;
}

static bool nmt_keeps(uint32_t code) {
    return !((code >= 1 && code <= 8) || code == 0xb || (code >= 0xe && code <= 0x1f) ||
             code == 0x7f || code == 0x8f || code == 0x9f);
}

static bool nmt_blank(uint32_t code) {
    return code == 9 || code == 0xa || code == 0xc || code == 0xd || code == 0x1680 ||
           (code >= 0x200b && code <= 0x200f) || code == 0x2028 || code == 0x2029 ||
           code == 0x2581 || code == 0xfeff || code == 0xfffd;
}

static struct glyphs nmt(struct arena *arena, const struct glyphs *glyphs) {
    struct glyphs kept = glyphs_filter(arena, glyphs, nmt_keeps);
    for (int64_t i = 0; i < kept.count; i++) {
        kept.codes[i] = nmt_blank(kept.codes[i]) ? ' ' : kept.codes[i];
    }
    return kept;
}

static struct glyphs spell_bytes(struct arena *arena, const struct glyphs *glyphs) {
    struct glyph_changes changes = { 0 };
    for (int64_t i = 0; i < glyphs->count; i++) {
        char bytes[4];
        int n = utf8_encode(bytes, glyphs->codes[i]);
        for (int k = 0; k < n; k++) {
            glyphs_change(arena, &changes, bpe_letter((unsigned char)bytes[k]), k > 0);
        }
    }
    return glyphs_apply(arena, glyphs, &changes, 0);
}

/* ---- all ---- */

static struct glyphs apply(struct arena *arena, const struct step *step, struct glyphs glyphs) {
    switch (step->kind) {
    case NFC:
    case NFKC:
        return glyphs_unicode(arena, &glyphs, step->kind == NFKC, true);
    case NFD:
    case NFKD:
        return glyphs_unicode(arena, &glyphs, step->kind == NFKD, false);
    case LOWERCASE:
        return glyphs_lower(arena, &glyphs);
    case STRIP_ACCENTS:
        return glyphs_filter(arena, &glyphs, is_no_mark);
    case PREPEND:
        return glyphs_prepend(arena, &glyphs, step->text);
    case STRIP:
        return strip(step, &glyphs);
    case NMT:
        return nmt(arena, &glyphs);
    case BYTES:
        return spell_bytes(arena, &glyphs);
    case CHARSMAP:
        return map_all(arena, step->map, &glyphs);
    case REPLACE: /* has its own way */
    case BERT:
        break;
    }
    return bert(arena, step, glyphs);
}

/* The four Unicode forms leave text alone that has nothing from U+0300 on (the composed ones)
 * or nothing but ASCII (the others); both are told from the bytes. */
static bool leaves_alone(const struct step *step, const struct run *run) {
    if (step->kind != NFC && step->kind != NFD && step->kind != NFKC && step->kind != NFKD) {
        return false;
    }
    unsigned char least = step->kind == NFC ? 0xcc : 0x80; /* 0xcc leads U+0300 */
    for (int64_t i = 0; i < run->length; i++) {
        if ((unsigned char)run->text[i] >= least) {
            return false;
        }
    }
    return true;
}

struct run normalize_run(struct arena *arena, const struct normalizer *normalizer,
                         struct run run) {
    for (int i = 0; normalizer && i < normalizer->count; i++) {
        const struct step *step = &normalizer->steps[i];
        if (leaves_alone(step, &run)) {
            continue;
        }
        if (step->kind == BERT && !run.spans) {
            run = bert_run(arena, step, run);
        } else if (step->kind == REPLACE) {
            run = replace_run(arena, step, run);
        } else {
            struct glyphs glyphs = glyphs_of(arena, &run);
            glyphs = apply(arena, step, glyphs);
            run = glyphs_run(arena, &glyphs);
        }
    }
    return run;
}
