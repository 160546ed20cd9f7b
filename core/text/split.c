#include "core/text/split.h"

#include <string.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/bpe.h"
#include "core/text/classes.h"
#include "core/text/scripts.h"
#include "core/text/splitter.h"

enum { SHORT = 256 }; /* pieces */

static void put(struct buf *pieces, int64_t begin, int64_t end) {
    if (begin < end) {
        struct split_piece *piece = (void *)buf_more(pieces, sizeof *piece);
        *piece = (struct split_piece){ (uint32_t)begin, (uint32_t)end };
    }
}

/* With room for those of a short text. */
static struct buf *pieces_new(struct arena *arena, const struct split *split) {
    int64_t likely = split->run.length / 4 + 4;
    return buf_new_for(arena,
                       (size_t)(likely < SHORT ? likely : SHORT) * sizeof(struct split_piece));
}

static void take_pieces(struct split *split, struct buf *pieces) {
    split->pieces = (void *)pieces->data;
    split->count = (int64_t)(pieces->length / sizeof *split->pieces);
}

/* ---- cutting at what is found ---- */

/* Finds in one piece of the text. */
struct finding {
    const struct splitter_step *step;
    const char *text;
    int64_t begin, end; /* of the piece */
    int64_t at;
    struct pattern_search search;
};

static bool is_found(const struct finding *f, int64_t at, int64_t *next) {
    if (f->step->cut_at != SPLITTER_PUNCTUATION) {
        enum letter wanted = f->step->cut_at == SPLITTER_BLANK ? CLASS_BLANK : CLASS_NUMBER;
        return classes_at(f->text, at, f->end, next) == wanted;
    }
    uint32_t code = (unsigned char)f->text[at];
    int n = code < 128 ? 1 : utf8_decode(f->text + at, (size_t)(f->end - at), &code);
    *next = at + (n > 0 ? n : 1);
    return classes_is_punctuation(code);
}

static bool find_character(struct finding *f, int64_t *begin, int64_t *end) {
    for (int64_t at = f->at; at < f->end; at = *end) {
        if (is_found(f, at, end)) {
            *begin = at;
            return true;
        }
    }
    return false;
}

static bool find_text(struct finding *f, int64_t *begin, int64_t *end) {
    size_t n = strlen(f->step->text);
    const char *found =
        n > 0 ? memmem(f->text + f->at, (size_t)(f->end - f->at), f->step->text, n) : NULL;
    if (found) { /* nothing, as of a text that begins with NUL, would be found for ever */
        *begin = found - f->text;
        *end = *begin + (int64_t)n;
    }
    return found != NULL;
}

enum word { BLANK, WORD, SIGN };

static enum word word_at(const struct finding *f, int64_t at, int64_t *next) {
    uint32_t code = 0xfffd;
    int n = utf8_decode(f->text + at, (size_t)(f->end - at), &code);
    *next = at + (n > 0 ? n : 1);
    return classes_is_word(code) ? WORD : classes_is_blank(code) ? BLANK : SIGN;
}

/* \w+|[^\w\s]+ */
static bool find_word(struct finding *f, int64_t *begin, int64_t *end) {
    enum word word = BLANK;
    int64_t next = f->at, at = f->at;
    for (; at < f->end && (word = word_at(f, at, &next)) == BLANK; at = next) {
    }
    *begin = at;
    for (; at < f->end && word_at(f, at, &next) == word; at = next) {
    }
    *end = at;
    return *begin < *end;
}

static bool find(struct finding *f, int64_t *begin, int64_t *end) {
    bool found = true;
    switch (f->step->cut_at) {
    case SPLITTER_ENDS:
        found = f->at < f->end;
        *begin = f->at;
        *end = found ? f->step->ends(f->text, f->at, f->end) : f->at;
        break;
    case SPLITTER_BLANK:
    case SPLITTER_PUNCTUATION:
    case SPLITTER_NUMBER:
        found = find_character(f, begin, end);
        break;
    case SPLITTER_TEXT:
        found = find_text(f, begin, end);
        break;
    case SPLITTER_WORDS:
        found = find_word(f, begin, end);
        break;
    case SPLITTER_PATTERN:
        found = pattern_next(&f->search, begin, end);
        *begin += found ? f->begin : 0;
        *end += found ? f->begin : 0;
        break;
    }
    f->at = found ? *end : f->at;
    return found;
}

/* What is found and what lies between become pieces; `held` may still grow. */
struct folding {
    struct buf *pieces;
    enum splitter_behavior behavior;
    bool invert, holds, before; /* `before`: whether the last part was found */
    int64_t begin, end;         /* what is held */
};

static bool grows(const struct folding *f, bool found) {
    switch (f->behavior) {
    case SPLITTER_CONTIGUOUS:
        return found == f->before;
    case SPLITTER_WITH_PREVIOUS:
        return found && !f->before;
    case SPLITTER_WITH_NEXT:
        return !found && f->before;
    default:
        return false;
    }
}

static void fold(struct folding *f, int64_t begin, int64_t end, bool found) {
    found = found != f->invert;
    if (f->behavior == SPLITTER_ISOLATED || f->behavior == SPLITTER_REMOVED) {
        if (!found || f->behavior == SPLITTER_ISOLATED) {
            put(f->pieces, begin, end);
        }
        return;
    }
    if (f->holds && grows(f, found)) {
        f->end = end;
    } else {
        if (f->holds) {
            put(f->pieces, f->begin, f->end);
        }
        f->holds = true;
        f->begin = begin;
        f->end = end;
    }
    f->before = found;
}

static void cut_piece(struct finding *finding, struct folding *folding) {
    int64_t begin, end, last = finding->begin;
    while (find(finding, &begin, &end)) {
        stop_check();
        if (last < begin) {
            fold(folding, last, begin, false);
        }
        fold(folding, begin, end, true);
        last = end;
    }
    if (last < finding->end) {
        fold(folding, last, finding->end, false);
    }
    if (folding->holds) {
        put(folding->pieces, folding->begin, folding->end);
    }
}

static void cut_at(struct arena *arena, struct split *split, const struct splitter_step *step) {
    struct buf *pieces = buf_new(arena);
    for (int64_t i = 0; i < split->count; i++) {
        struct split_piece piece = split->pieces[i];
        struct finding finding = { .step = step,
                                   .text = split->run.text,
                                   .begin = piece.begin,
                                   .end = piece.end,
                                   .at = piece.begin };
        struct folding folding = { .pieces = pieces,
                                   .behavior = step->behavior,
                                   .invert = step->invert };
        if (step->cut_at == SPLITTER_PATTERN) {
            struct arena_mark mark = arena_mark(arena);
            pattern_begin(&finding.search, arena, step->pattern, finding.text + piece.begin,
                          piece.end - piece.begin);
            cut_piece(&finding, &folding);
            arena_rewind(arena, mark);
        } else {
            cut_piece(&finding, &folding);
        }
    }
    take_pieces(split, pieces);
}

/* The same for pieces that cover the text and stand by themselves. */
static void cut_ends(struct arena *arena, struct split *split, ends_of *ends) {
    struct buf *pieces = pieces_new(arena, split);
    for (int64_t i = 0; i < split->count; i++) {
        int64_t at = split->pieces[i].begin, end = split->pieces[i].end;
        while (at < end) {
            stop_check();
            int64_t next = ends(split->run.text, at, end);
            put(pieces, at, next);
            at = next;
        }
    }
    take_pieces(split, pieces);
}

/* The words between blanks; each punctuation mark is a piece of its own. */
static void cut_words(struct arena *arena, struct split *split) {
    struct buf *pieces = pieces_new(arena, split);
    struct splitter_step blank = { .cut_at = SPLITTER_BLANK },
                         sign = { .cut_at = SPLITTER_PUNCTUATION };
    for (int64_t i = 0; i < split->count; i++) {
        int64_t end = split->pieces[i].end, next, word = split->pieces[i].begin;
        struct finding blanks = { .step = &blank, .text = split->run.text, .end = end };
        struct finding signs = { .step = &sign, .text = split->run.text, .end = end };
        for (int64_t at = word; at < end; at = next) {
            stop_check();
            if (is_found(&blanks, at, &next)) {
                put(pieces, word, at);
                word = next;
            } else if (is_found(&signs, at, &next)) {
                put(pieces, word, at);
                put(pieces, at, next);
                word = next;
            }
        }
        put(pieces, word, end);
    }
    take_pieces(split, pieces);
}

/* ---- by number and by writing system ---- */

static void cut_fixed(struct arena *arena, struct split *split, int64_t length) {
    struct buf *pieces = buf_new(arena);
    for (int64_t i = 0; i < split->count; i++) {
        int64_t begin = split->pieces[i].begin, end = split->pieces[i].end, characters = 0;
        for (int64_t at = begin; at < end; at++) {
            bool first = ((unsigned char)split->run.text[at] & 0xc0) != 0x80;
            characters += first;
            if (characters > length) {
                put(pieces, begin, at);
                begin = at;
                characters = 1;
            }
        }
        put(pieces, begin, end);
    }
    take_pieces(split, pieces);
}

/* What stands before the first character that has a script is lost, as in the tokenizers
 * library. */
static void cut_scripts(struct arena *arena, struct split *split) {
    struct buf *pieces = buf_new(arena);
    for (int64_t i = 0; i < split->count; i++) {
        int64_t begin = -1, end = split->pieces[i].end, next;
        int last = 0;
        for (int64_t at = split->pieces[i].begin; at < end; at = next) {
            uint32_t code = 0xfffd;
            int n = utf8_decode(split->run.text + at, (size_t)(end - at), &code);
            int script = scripts_joined(code);
            next = at + (n > 0 ? n : 1);
            if (script && script != last) {
                if (begin >= 0) {
                    put(pieces, begin, at);
                }
                begin = at;
                last = script;
            }
        }
        if (begin >= 0) {
            put(pieces, begin, end);
        }
    }
    take_pieces(split, pieces);
}

/* ---- changing the text ---- */

struct rebuilt {
    char *text;
    struct span *spans;
    int64_t length;
};

static void rebuilt_new(struct arena *arena, struct rebuilt *new, size_t room) {
    new->text = arena_raw(arena, room + 1);
    new->spans = arena_raw(arena, (room + 1) * sizeof *new->spans);
    new->length = 0;
}

static void rebuilt_add(struct rebuilt *new, const char *bytes, size_t n, struct span span) {
    memcpy(new->text + new->length, bytes, n);
    for (size_t i = 0; i < n; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        new->spans[new->length++] = span;
    }
}

static bool begins_with(const struct run *run, const struct split_piece *piece,
                        const char *text, size_t n) {
    return piece->end - piece->begin >= n && memcmp(run->text + piece->begin, text, n) == 0;
}

/* Turns blanks into `mark` and puts one in front of the pieces that begin with none: the pieces
 * that `prefix` says. That comes from where the piece's first character comes from. */
static void put_marks(struct arena *arena, struct split *split, const char *mark,
                      enum splitter_prefix prefix) {
    struct run *run = &split->run;
    size_t n = strlen(mark);
    struct rebuilt new;
    rebuilt_new(arena, &new, (size_t)(run->length + split->count) * n);
    for (int64_t i = 0; i < split->count; i++) {
        struct split_piece *piece = &split->pieces[i];
        uint32_t begin = (uint32_t) new.length;
        struct span first = run_span(run, piece->begin, piece->begin + 1);
        bool wanted =
            prefix == SPLITTER_ALWAYS || (prefix == SPLITTER_FIRST && first.begin == 0);
        if (wanted && run->text[piece->begin] != ' ' && !begins_with(run, piece, mark, n)) {
            rebuilt_add(&new, mark, n, first);
        }
        for (uint32_t k = piece->begin; k < piece->end; k++) {
            bool blank = run->text[k] == ' ';
            rebuilt_add(&new, blank ? mark : run->text + k, blank ? n : 1,
                        run_span(run, k, k + 1));
        }
        *piece = (struct split_piece){ begin, (uint32_t) new.length };
    }
    *run = (struct run){ new.text, new.length, new.spans, run->base };
}

/* Every byte becomes its letter of the byte alphabet. */
static void spell_bytes(struct arena *arena, struct split *split) {
    struct run *run = &split->run;
    struct rebuilt new;
    rebuilt_new(arena, &new, 2 * (size_t)run->length);
    for (int64_t i = 0; i < split->count; i++) {
        struct split_piece *piece = &split->pieces[i];
        uint32_t begin = (uint32_t) new.length;
        for (uint32_t k = piece->begin; k < piece->end; k++) {
            char letter[4];
            int n = utf8_encode(letter, bpe_letter((unsigned char)run->text[k]));
            rebuilt_add(&new, letter, (size_t)n, run_span(run, k, k + 1));
        }
        *piece = (struct split_piece){ begin, (uint32_t) new.length };
    }
    *run = (struct run){ new.text, new.length, new.spans, run->base };
}

/* ---- all ---- */

static void byte_level(struct arena *arena, struct split *split,
                       const struct splitter_step *step) {
    if (step->prefix == SPLITTER_ALWAYS) {
        put_marks(arena, split, " ", SPLITTER_ALWAYS);
    }
    if (step->ends) {
        cut_ends(arena, split, step->ends);
    }
    if (step->spell) {
        spell_bytes(arena, split);
    }
}

static void cut(struct arena *arena, struct split *split, const struct splitter_step *step) {
    struct splitter_step marks = { .cut_at = SPLITTER_TEXT,
                                   .text = step->text,
                                   .behavior = SPLITTER_WITH_NEXT };
    switch (step->kind) {
    case SPLITTER_CUT:
        if (step->cut_at == SPLITTER_ENDS && step->behavior == SPLITTER_ISOLATED) {
            cut_ends(arena, split, step->ends);
        } else {
            cut_at(arena, split, step);
        }
        break;
    case SPLITTER_BERT:
        cut_words(arena, split);
        break;
    case SPLITTER_METASPACE:
        put_marks(arena, split, step->text, step->prefix);
        if (step->cut) {
            cut_at(arena, split, &marks);
        }
        break;
    case SPLITTER_BYTES:
        byte_level(arena, split, step);
        break;
    case SPLITTER_FIXED:
        cut_fixed(arena, split, step->length);
        break;
    case SPLITTER_SCRIPTS:
        cut_scripts(arena, split);
        break;
    }
}

struct split split_run(struct arena *arena, const struct splitter *splitter, struct run run) {
    struct split split = { .run = run };
    split.pieces = arena_alloc(arena, sizeof *split.pieces);
    split.pieces[0] = (struct split_piece){ 0, (uint32_t)run.length };
    split.count = run.length > 0;
    for (int i = 0; splitter && i < splitter->count; i++) {
        cut(arena, &split, &splitter->steps[i]);
    }
    return split;
}

bool split_is_byte_level(const struct splitter *splitter) {
    bool found = false;
    for (int i = 0; splitter && i < splitter->count; i++) {
        found |= splitter->steps[i].kind == SPLITTER_BYTES;
    }
    return found;
}

bool split_spells(const struct splitter *splitter) {
    const struct splitter_step *last =
        splitter && splitter->count ? &splitter->steps[splitter->count - 1] : NULL;
    return !last || last->kind != SPLITTER_BYTES || last->spell;
}

void split_spell(struct splitter *splitter) {
    for (int i = 0; splitter && i < splitter->count; i++) {
        splitter->steps[i].spell = true;
    }
}
