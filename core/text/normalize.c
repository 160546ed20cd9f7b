#include "core/text/normalize.h"

#include <string.h>
#include <utf8proc.h>

#include "core/base/utf8.h"
#include "core/text/classes.h"
#include "core/text/glyphs.h"

enum kind { BERT, NFC, NFD, NFKC, NFKD, LOWERCASE, STRIP_ACCENTS };

struct step {
    enum kind kind;
    bool clean, chinese, strip, lower; /* of BERT */
};

enum { STEPS = 32 };

struct normalizer {
    struct step steps[STEPS];
    int count;
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
};

static int read_step(struct step *step, const struct json *section, const char *type,
                     const char *file, struct err *err) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, kinds[i].name) == 0) {
            step->kind = kinds[i].kind;
            step->clean = json_bool_at(section, "clean_text", true);
            step->chinese = json_bool_at(section, "handle_chinese_chars", true);
            step->lower = json_bool_at(section, "lowercase", true);
            step->strip = json_bool_at(section, "strip_accents", step->lower);
            return 0;
        }
    }
    char shown[60];
    return err_set(
        err, ERR_UNSUPPORTED,
        "%s: the normalizer type %s is not known; known are BertNormalizer, NFC, NFD, "
        "NFKC, NFKD, Lowercase, StripAccents and Sequence",
        file, err_quote(shown, sizeof shown, type, strlen(type)));
}

static int read_section(struct normalizer *normalizer, const struct json *section, int depth,
                        const char *file, struct err *err) {
    const char *type = json_text_at(section, "type", "");
    if (strcmp(type, "Sequence") == 0 && depth < 4) {
        const struct json *list = json_at(section, "normalizers");
        for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
            if (read_section(normalizer, one, depth + 1, file, err) < 0) {
                return err_pass(err);
            }
        }
        return 0;
    }
    if (normalizer->count == STEPS) {
        return err_set(err, ERR_FORMAT, "%s: more than %d normalizers", file, STEPS);
    }
    return read_step(&normalizer->steps[normalizer->count++], section, type, file, err);
}

struct normalizer *normalize_read(struct arena *arena, const struct json *section,
                                  const char *file, struct err *err) {
    if (!section || section->kind == JSON_NULL) {
        return NULL;
    }
    struct normalizer *normalizer = arena_alloc(arena, sizeof *normalizer);
    return read_section(normalizer, section, 0, file, err) < 0 ? NULL : normalizer;
}

/* ---- BERT ---- */

static bool is_plain_mark(uint32_t code) {
    return code >= 0x300 && utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_MN;
}

static bool is_no_plain_mark(uint32_t code) {
    return !is_plain_mark(code);
}

static bool is_control(uint32_t code) {
    if (code < 128) {
        return (code < 32 && code != '\t' && code != '\n' && code != '\r') || code == 127;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
        return true;
    default:
        return code == 0xfffd;
    }
}

static bool is_no_control(uint32_t code) {
    return !is_control(code);
}

/* Blanks around Chinese characters, each with the character's own origin. */
static struct glyphs part_chinese(struct arena *arena, const struct glyphs *glyphs) {
    struct glyph_changes changes = { 0 };
    for (int64_t i = 0; i < glyphs->count; i++) {
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

/* What BERT makes of ASCII characters: each stays one byte, control characters are left out. */
static void bert_ascii(const struct step *step, const char *from, int64_t length, int64_t base,
                       struct buf *text, struct buf *spans) {
    char *out = buf_more(text, (size_t)length);
    struct span *span = (void *)buf_more(spans, (size_t)length * sizeof *span);
    int64_t n = 0;
    for (int64_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from[i];
        if (step->clean && is_control(c)) {
            continue;
        }
        c = step->clean && classes_ascii[c] == CLASS_BLANK ? ' ' : c;
        out[n] = (char)(step->lower && c >= 'A' && c <= 'Z' ? c + 32 : c);
        span[n++] = (struct span){ (uint32_t)(base + i), (uint32_t)(base + i + 1) };
    }
    text->length -= (size_t)(length - n);
    spans->length -= (size_t)(length - n) * sizeof *span;
}

static int64_t ascii_end(const char *text, int64_t at, int64_t end, bool ascii) {
    while (at < end && ((unsigned char)text[at] < 128) == ascii) {
        at++;
    }
    return at;
}

/* BERT's steps over an original text. Nothing in them reaches over an ASCII character, so ASCII
 * goes the short way and only what lies between it becomes glyphs. */
static struct run bert_run(struct arena *arena, const struct step *step, struct run run) {
    struct buf *text = buf_new(arena), *spans = buf_new(arena);
    struct arena_mark mark = arena_mark(arena);
    for (int64_t at = 0, end; at < run.length; at = end) {
        end = ascii_end(run.text, at, run.length, true);
        if (end > at) {
            bert_ascii(step, run.text + at, end - at, run.base + at, text, spans);
            continue;
        }
        end = ascii_end(run.text, at, run.length, false);
        struct run part = run_part(&run, at, end);
        struct glyphs glyphs = glyphs_of(arena, &part);
        glyphs = bert(arena, step, glyphs);
        part = glyphs_run(arena, &glyphs);
        buf_add(text, part.text, (size_t)part.length);
        buf_add(spans, part.spans, (size_t)part.length * sizeof *part.spans);
        arena_rewind(arena, mark);
    }
    const void *all = spans->data;
    return (struct run){ text->data, (int64_t)text->length, all, run.base };
}

/* ---- all ---- */

static bool is_no_mark(uint32_t code) {
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
           category != UTF8PROC_CATEGORY_ME;
}

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
        } else {
            struct glyphs glyphs = glyphs_of(arena, &run);
            glyphs = apply(arena, step, glyphs);
            run = glyphs_run(arena, &glyphs);
        }
    }
    return run;
}
