#include "core/text/split.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"

/* The end of the piece that begins at `at`; at < end. */
typedef int64_t split_end(const char *text, int64_t at, int64_t end);

/* ---- patterns ---- */

static int64_t class_end(const char *text, int64_t at, int64_t end, enum class class) {
    int64_t next = at;
    while (at < end && classes_at(text, at, end, &next) == class) {
        at = next;
    }
    return at;
}

/* \s+(?!\S)|\s+ : blanks before a word leave it the last one, unless there is only one. */
static int64_t blanks_end(const char *text, int64_t at, int64_t end) {
    int64_t next = at, last = at;
    for (int64_t p = at; p < end && classes_at(text, p, end, &next) == CLASS_BLANK; p = next) {
        last = p;
    }
    int64_t after = class_end(text, last, end, CLASS_BLANK);
    return after == end || last == at ? after : last;
}

/* 's 't 're 've 'm 'll 'd at the apostrophe: the end behind it, or `at`. `fold`: in capitals
 * too, where the long s is a small s. */
static int64_t contraction_end(const char *text, int64_t at, int64_t end, bool fold) {
    static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
    if (fold && end - at >= 3 && memcmp(text + at + 1, "\xc5\xbf", 2) == 0) {
        return at + 3;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int64_t n = (int64_t)strlen(endings[i]), k = 0;
        while (k < n && at + 1 + k < end &&
               ((unsigned char)text[at + 1 + k] | (fold ? 0x20 : 0)) ==
                   (unsigned char)endings[i][k]) {
            k++;
        }
        if (k == n) {
            return at + 1 + n;
        }
    }
    return at;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static int64_t gpt2_end(const char *text, int64_t at, int64_t end) {
    if (text[at] == '\'') {
        int64_t after = contraction_end(text, at, end, false);
        if (after > at) {
            return after;
        }
    }
    int64_t next;
    int64_t start = at + (text[at] == ' ' && at + 1 < end);
    enum class class = classes_at(text, start, end, &next);
    if (class == CLASS_BLANK) {
        return blanks_end(text, at, end);
    }
    return class_end(text, next, end, class);
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ */
static int64_t lines_end(const char *text, int64_t at, int64_t end) {
    int64_t next = at, line = at;
    for (int64_t p = at; p < end && classes_at(text, p, end, &next) == CLASS_BLANK; p = next) {
        line = text[p] == '\r' || text[p] == '\n' ? next : line;
    }
    return line > at ? line : blanks_end(text, at, end);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}
 *     | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static int64_t modern_end(const char *text, int64_t at, int64_t end, int digits) {
    int64_t next, second;
    if (text[at] == '\'') {
        next = contraction_end(text, at, end, true);
        if (next > at) {
            return next;
        }
    }
    enum class class = classes_at(text, at, end, &next);
    if (class == CLASS_LETTER) {
        return class_end(text, next, end, CLASS_LETTER);
    }
    if (class == CLASS_NUMBER) {
        for (int n = 1; n < digits && next < end; n++, next = second) {
            if (classes_at(text, next, end, &second) != CLASS_NUMBER) {
                break;
            }
        }
        return next;
    }
    enum class after = next < end ? classes_at(text, next, end, &second) : CLASS_BLANK;
    if (after == CLASS_LETTER && text[at] != '\r' && text[at] != '\n') {
        return class_end(text, second, end, CLASS_LETTER);
    }
    if (class == CLASS_OTHER || (text[at] == ' ' && after == CLASS_OTHER)) {
        next = class_end(text, next, end, CLASS_OTHER);
        while (next < end && (text[next] == '\r' || text[next] == '\n')) {
            next++;
        }
        return next;
    }
    return lines_end(text, at, end);
}

static int64_t llama3_end(const char *text, int64_t at, int64_t end) {
    return modern_end(text, at, end, 3);
}

static int64_t qwen2_end(const char *text, int64_t at, int64_t end) {
    return modern_end(text, at, end, 1);
}

/* A single digit, or all up to the next one. */
static int64_t digit_end(const char *text, int64_t at, int64_t end) {
    int64_t next;
    if (classes_at(text, at, end, &next) == CLASS_NUMBER) {
        return next;
    }
    for (at = next; at < end && classes_at(text, at, end, &next) != CLASS_NUMBER; at = next) {
    }
    return at;
}

static int64_t digits_end(const char *text, int64_t at, int64_t end) {
    int64_t next;
    if (classes_at(text, at, end, &next) == CLASS_NUMBER) {
        return class_end(text, next, end, CLASS_NUMBER);
    }
    return digit_end(text, at, end);
}

#define MODERN(digits)                                                   \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static const struct {
    const char *regex; /* covers every text, so that nothing lies between its matches */
    split_end *end;
} patterns[] = {
    { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      gpt2_end },
    { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      gpt2_end },
    { MODERN("\\p{N}{1,3}"), llama3_end },
    { MODERN("\\p{N}"), qwen2_end },
};

/* ---- steps ---- */

enum kind { ENDS, BERT, BLANKS, BYTES, METASPACE, PLAIN };
enum prefix { NEVER, FIRST, ALWAYS };
enum behavior { ISOLATED, REMOVED, WITH_PREVIOUS, WITH_NEXT };

struct step {
    enum kind kind;
    split_end *end;         /* of ENDS, and of BYTES where it cuts */
    enum prefix prefix;     /* BYTES, METASPACE: what gets a blank put in front */
    const char *text;       /* METASPACE: what a blank becomes; PLAIN: what is cut at */
    enum behavior behavior; /* PLAIN: where that goes */
    bool cut;               /* METASPACE: whether it cuts at all */
};

enum { STEPS = 32 };

struct splitter {
    struct step steps[STEPS];
    int count;
};

/* Cuts every piece again. The new pieces are in a new array. */
static void cut_ends(struct arena *arena, struct split *split, split_end *ends) {
    struct buf *all = buf_new(arena);
    for (int64_t i = 0; i < split->count; i++) {
        int64_t at = split->pieces[i].begin, end = split->pieces[i].end;
        while (at < end) {
            int64_t next = ends(split->run.text, at, end);
            struct split_piece piece = { (uint32_t)at, (uint32_t)next };
            buf_add(all, &piece, sizeof piece);
            at = next;
        }
    }
    split->pieces = (void *)all->data;
    split->count = (int64_t)(all->length / sizeof *split->pieces);
}

static bool is_blank_at(const char *text, int64_t at, int64_t end, int64_t *next) {
    return classes_at(text, at, end, next) == CLASS_BLANK;
}

static bool is_sign_at(const char *text, int64_t at, int64_t end, int64_t *next) {
    uint32_t code = (unsigned char)text[at];
    int n = code < 128 ? 1 : utf8_decode(text + at, (size_t)(end - at), &code);
    *next = at + (n > 0 ? n : 1);
    return classes_is_punctuation(code);
}

/* The words between blanks; if `signs`, each punctuation mark is a piece of its own. */
static void cut_words(struct arena *arena, struct split *split, bool signs) {
    struct buf *all = buf_new(arena);
    const char *text = split->run.text;
    for (int64_t i = 0; i < split->count; i++) {
        int64_t end = split->pieces[i].end, next;
        for (int64_t at = split->pieces[i].begin; at < end; at = next) {
            if (is_blank_at(text, at, end, &next)) {
                continue;
            }
            int64_t after;
            if (!signs || !is_sign_at(text, at, end, &next)) {
                while (next < end && !is_blank_at(text, next, end, &after) &&
                       !(signs && is_sign_at(text, next, end, &after))) {
                    next = after;
                }
            }
            struct split_piece piece = { (uint32_t)at, (uint32_t)next };
            buf_add(all, &piece, sizeof piece);
        }
    }
    split->pieces = (void *)all->data;
    split->count = (int64_t)(all->length / sizeof *split->pieces);
}

struct rebuilt {
    char *text;
    struct span *spans;
    int64_t length;
};

static void rebuilt_add(struct rebuilt *rebuilt, const char *bytes, size_t n,
                        struct span span) {
    memcpy(rebuilt->text + rebuilt->length, bytes, n);
    for (size_t i = 0; i < n; i++) {
        rebuilt->spans[rebuilt->length++] = span;
    }
}

static bool begins_with(const struct run *run, const struct split_piece *piece,
                        const char *text, size_t n) {
    return piece->end - piece->begin >= n && memcmp(run->text + piece->begin, text, n) == 0;
}

/* Turns blanks into `mark` and puts one in front of the pieces that begin with none: the pieces
 * that `prefix` says. That comes from where the piece's first character comes from. */
static void put_marks(struct arena *arena, struct split *split, const char *mark,
                      enum prefix prefix) {
    struct run *run = &split->run;
    size_t n = strlen(mark), room = (size_t)(run->length + split->count) * (n > 0 ? n : 1) + 1;
    struct rebuilt new = { arena_raw(arena, room), arena_raw(arena, room * sizeof *new.spans),
                           0 };
    for (int64_t i = 0; i < split->count; i++) {
        struct split_piece *piece = &split->pieces[i];
        uint32_t begin = (uint32_t) new.length;
        bool wanted = prefix == ALWAYS || (prefix == FIRST && i == 0 && run->base == 0);
        if (wanted && run->text[piece->begin] != ' ' && !begins_with(run, piece, mark, n)) {
            rebuilt_add(&new, mark, n, run_span(run, piece->begin, piece->begin + 1));
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

/* Cuts at every `text`, which stands alone, goes, or stays with what is beside it; of several
 * in a row only the nearest one does. */
static void cut_plain(struct arena *arena, struct split *split, const char *text,
                      enum behavior behavior) {
    struct buf *all = buf_new(arena);
    const char *bytes = split->run.text;
    size_t n = strlen(text);
    for (int64_t i = 0; i < split->count; i++) {
        int64_t at = split->pieces[i].begin, end = split->pieces[i].end, begin = at;
        while (at < end) {
            const char *found = memmem(bytes + at, (size_t)(end - at), text, n);
            int64_t match = found ? found - bytes : end,
                    after = found ? match + (int64_t)n : end;
            bool joins = behavior == WITH_PREVIOUS && begin < match;
            bool waits = behavior == WITH_NEXT;
            struct split_piece before = { (uint32_t)begin, (uint32_t)(joins ? after : match) };
            if (before.begin < before.end) {
                buf_add(all, &before, sizeof before);
            }
            struct split_piece alone = { (uint32_t)match, (uint32_t)after };
            if (found && behavior != REMOVED && !joins && !waits) {
                buf_add(all, &alone, sizeof alone);
            }
            begin = waits && found ? match : after;
            at = after;
        }
        if (begin < end && behavior == WITH_NEXT) {
            struct split_piece last = { (uint32_t)begin, (uint32_t)end };
            buf_add(all, &last, sizeof last);
        }
    }
    split->pieces = (void *)all->data;
    split->count = (int64_t)(all->length / sizeof *split->pieces);
}

static void cut(struct arena *arena, struct split *split, const struct step *step) {
    switch (step->kind) {
    case BERT:
    case BLANKS:
        cut_words(arena, split, step->kind == BERT);
        break;
    case PLAIN:
        cut_plain(arena, split, step->text, step->behavior);
        break;
    case METASPACE:
        put_marks(arena, split, step->text, step->prefix);
        if (step->cut) {
            cut_plain(arena, split, step->text, WITH_NEXT);
        }
        break;
    case BYTES:
        if (step->prefix == ALWAYS) {
            put_marks(arena, split, " ", ALWAYS);
        }
        split->byte_level = true;
        if (step->end) {
            cut_ends(arena, split, step->end);
        }
        break;
    case ENDS:
        cut_ends(arena, split, step->end);
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
        found |= splitter->steps[i].kind == BYTES;
    }
    return found;
}

/* ---- reading ---- */

static int unknown(const char *what, const char *name, const char *known, const char *file,
                   struct err *err) {
    char shown[160];
    err_quote(shown, sizeof shown, name, strlen(name));
    return err_set(err, ERR_UNSUPPORTED, "%s: the %s %s is not known; known are %s", file, what,
                   shown, known);
}

static int read_plain(struct step *step, const char *text, const char *behavior,
                      const char *file, struct err *err) {
    static const char *const names[] = { "Isolated", "Removed", "MergedWithPrevious",
                                         "MergedWithNext" };
    step->kind = PLAIN;
    step->text = text;
    for (int i = 0; i < 4; i++) {
        if (strcmp(behavior, names[i]) == 0) {
            step->behavior = (enum behavior)i;
            return 0;
        }
    }
    return unknown("Split behavior", behavior,
                   "Isolated, Removed, MergedWithPrevious and MergedWithNext", file, err);
}

static int read_pattern(struct step *step, const struct json *section, const char *file,
                        struct err *err) {
    const char *regex = json_text_at(json_at(section, "pattern"), "Regex", "");
    const char *plain = json_text_at(json_at(section, "pattern"), "String", "");
    const char *behavior = json_text_at(section, "behavior", "");
    bool invert = json_bool_at(section, "invert", false);
    if (*plain && !invert) {
        return read_plain(step, plain, behavior, file, err);
    }
    if (strcmp(behavior, invert ? "Removed" : "Isolated") != 0) {
        return unknown(invert ? "inverted Split behavior" : "Split behavior", behavior,
                       "Isolated, and Removed if inverted", file, err);
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (strcmp(regex, patterns[i].regex) == 0) {
            step->end = patterns[i].end;
            return 0;
        }
    }
    return unknown("Split pattern", regex, "those of GPT-2, Llama 3 and Qwen 2", file, err);
}

/* Older files say add_prefix_space where newer ones say prepend_scheme. */
static int read_metaspace(struct step *step, const struct json *section, const char *file,
                          struct err *err) {
    bool always = json_bool_at(section, "add_prefix_space", true);
    const char *scheme = json_text_at(section, "prepend_scheme", always ? "always" : "never");
    step->kind = METASPACE;
    step->text = json_text_at(section, "replacement", "\u2581");
    step->cut = json_bool_at(section, "split", true);
    step->prefix = strcmp(scheme, "always") == 0  ? ALWAYS
                   : strcmp(scheme, "first") == 0 ? FIRST
                                                  : NEVER;
    if (!*step->text || strlen(step->text) > 4) {
        return err_set(err, ERR_FORMAT,
                       "%s: pre_tokenizer: the replacement of Metaspace is not one "
                       "character",
                       file);
    }
    return 0;
}

static int read_step(struct step *step, const struct json *section, const char *type,
                     const char *file, struct err *err) {
    if (strcmp(type, "BertPreTokenizer") == 0) {
        step->kind = BERT;
    } else if (strcmp(type, "WhitespaceSplit") == 0) {
        step->kind = BLANKS;
    } else if (strcmp(type, "ByteLevel") == 0) {
        step->kind = BYTES;
        step->prefix = json_bool_at(section, "add_prefix_space", true) ? ALWAYS : NEVER;
        step->end = json_bool_at(section, "use_regex", true) ? gpt2_end : NULL;
    } else if (strcmp(type, "Digits") == 0) {
        step->end = json_bool_at(section, "individual_digits", false) ? digit_end : digits_end;
    } else if (strcmp(type, "Metaspace") == 0) {
        return read_metaspace(step, section, file, err);
    } else if (strcmp(type, "Split") == 0) {
        return read_pattern(step, section, file, err);
    } else {
        return unknown(
            "pre-tokenizer type", type,
            "BertPreTokenizer, ByteLevel, Digits, Metaspace, Split, WhitespaceSplit and "
            "Sequence",
            file, err);
    }
    return 0;
}

static int read_section(struct splitter *splitter, const struct json *section, int depth,
                        const char *file, struct err *err) {
    const char *type = json_text_at(section, "type", "");
    if (strcmp(type, "Sequence") == 0 && depth < 4) {
        const struct json *list = json_at(section, "pretokenizers");
        for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
            if (read_section(splitter, one, depth + 1, file, err) < 0) {
                return err_pass(err);
            }
        }
        return 0;
    }
    if (split_is_byte_level(splitter)) {
        char shown[60];
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the pre-tokenizer %s follows ByteLevel, which must be the last",
                       file, err_quote(shown, sizeof shown, type, strlen(type)));
    }
    if (splitter->count == STEPS) {
        return err_set(err, ERR_FORMAT, "%s: more than %d pre-tokenizers", file, STEPS);
    }
    return read_step(&splitter->steps[splitter->count++], section, type, file, err);
}

struct splitter *split_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err) {
    if (!section || section->kind == JSON_NULL) {
        return NULL;
    }
    struct splitter *splitter = arena_alloc(arena, sizeof *splitter);
    return read_section(splitter, section, 0, file, err) < 0 ? NULL : splitter;
}

struct splitter *split_named(struct arena *arena, const char *name, const char *file,
                             struct err *err) {
    static const struct {
        const char *name;
        split_end *first, *then;
    } named[] = {
        { "smollm", digit_end, gpt2_end }, { "starcoder", digit_end, gpt2_end },
        { "refact", digit_end, gpt2_end }, { "codeshell", digit_end, gpt2_end },
        { "gpt-2", NULL, gpt2_end },       { "gpt2", NULL, gpt2_end },
        { "llama-bpe", NULL, llama3_end }, { "llama3", NULL, llama3_end },
        { "qwen2", NULL, qwen2_end },
    };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (strcmp(name, named[i].name) == 0) {
            struct splitter *splitter = arena_alloc(arena, sizeof *splitter);
            if (named[i].first) {
                splitter->steps[splitter->count++] = (struct step){ .end = named[i].first };
            }
            splitter->steps[splitter->count++] =
                (struct step){ .kind = BYTES, .end = named[i].then };
            return splitter;
        }
    }
    unknown("pre-tokenizer", name, "smollm, gpt-2, llama-bpe, qwen2, starcoder and refact",
            file, err);
    return NULL;
}
