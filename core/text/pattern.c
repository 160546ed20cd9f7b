#include "core/text/pattern.h"

#include <string.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/charset.h"
#include "core/text/classes.h"

/* What a place in the program does. Jumps are relative, so that code can be copied. */
enum op {
    ONE,    /* a character of the set */
    MANY,   /* min..max characters of the set, as many as there are */
    SPLIT,  /* go on at +to; if that fails, at +or */
    JUMP,   /* go on at +to */
    LOOK,   /* what follows up to +to, tried by itself; then go on there */
    BEHIND, /* the character before is of the set */
    BORDER, /* of what `border` says */
    DONE
};

enum border { LINE_BEGIN, LINE_END, TEXT_BEGIN, TEXT_END, TEXT_LINE_END, WORD, NO_WORD };

struct instruction {
    enum op op;
    const struct charset *set;
    int32_t min, max; /* max -1: no end */
    int32_t to, or ;
    enum border border;
    bool possessive; /* MANY: gives nothing back */
    bool but;        /* LOOK, BEHIND: holds if that does not match */
    bool moves;      /* LOOK: goes on behind what was matched, (?>...) */
};

struct code {
    struct instruction *all;
    int32_t count, room;
    bool empty; /* may match nothing */
};

struct pattern {
    struct code code;
    const char *regex; /* for messages */
};

/* ---- reading: pieces of code ---- */

enum {
    DEPTH = 16,
    PROGRAM = 8192,
    COPIED = 1 << 19, /* instructions, while a pattern is read: 25 MB */
    MOST = 1000       /* of {n,m} */
};
enum group { PLAIN, AHEAD, NOT_AHEAD, ATOMIC, BACK, NOT_BACK };

struct frame {
    enum group group;
    struct code before; /* the alternatives so far */
    struct code now;    /* the one being read */
    bool several, fold;
};

struct reading {
    struct arena *arena;
    struct arena *scratch; /* for code; what is finished is copied into the arena */
    int64_t copied;        /* instructions so far */
    const char *at, *end;
    const char *why; /* what is not known here; NULL: all is well */
    struct frame frames[DEPTH];
    int depth;
};

static void refuse(struct reading *r, const char *why) {
    if (!r->why) {
        r->why = why;
    }
    r->at = r->end;
}

/* Puts `right` behind `left`, which nobody else may hold. */
static void append(struct reading *r, struct code *left, struct code right) {
    int32_t count = left->count + right.count;
    r->copied += right.count;
    if (count > left->room) {
        int32_t room = 2 * left->count > count ? 2 * left->count : count;
        r->copied += left->count;
        if (count > PROGRAM || r->copied > COPIED) {
            refuse(r, "it is too long");
            return;
        }
        struct instruction *all = arena_raw(r->scratch, (size_t)room * sizeof *all);
        if (left->count) {
            memcpy(all, left->all, (size_t)left->count * sizeof *all);
        }
        left->all = all;
        left->room = room;
    }
    if (right.count) {
        memcpy(left->all + left->count, right.all, (size_t)right.count * sizeof *right.all);
    }
    left->count = count;
    left->empty = left->empty && right.empty;
}

static struct code join(struct reading *r, struct code left, struct code right) {
    struct code code = { .empty = true };
    append(r, &code, left);
    append(r, &code, right);
    return code;
}

static struct code single(struct reading *r, struct instruction instruction, bool empty) {
    struct instruction *all = arena_raw(r->scratch, sizeof *all);
    *all = instruction;
    return (struct code){ all, 1, 1, empty };
}

/* left|right */
static struct code either(struct reading *r, struct code left, struct code right) {
    struct instruction split = { .op = SPLIT, .to = 1, .or = left.count + 2 };
    struct instruction jump = { .op = JUMP, .to = right.count + 1 };
    bool empty = left.empty || right.empty;
    struct code code = join(r, single(r, split, false), left);
    code = join(r, join(r, code, single(r, jump, false)), right);
    code.empty = empty;
    return code;
}

/* What is tried by itself. */
static struct code apart(struct reading *r, struct code inner, bool but, bool moves) {
    struct instruction look = { .op = LOOK, .to = inner.count + 2, .but = but, .moves = moves };
    bool empty = inner.empty || !moves;
    struct code code = join(r, single(r, look, false), inner);
    code = join(r, code, single(r, (struct instruction){ .op = DONE }, false));
    code.empty = empty;
    return code;
}

static struct code behind(struct reading *r, struct code inner, bool but) {
    if (inner.count != 1 || inner.all->op != ONE) {
        refuse(r, "it looks back at more than one character");
        return inner;
    }
    struct instruction back = { .op = BEHIND, .set = inner.all->set, .but = but };
    return single(r, back, true);
}

/* code? and code*: `again` jumps back. */
static struct code optional(struct reading *r, struct code code, bool again, bool lazy) {
    int32_t out = code.count + 1 + again;
    struct instruction split = { .op = SPLIT, .to = lazy ? out : 1, .or = lazy ? 1 : out };
    code = join(r, single(r, split, false), code);
    if (again) {
        struct instruction jump = { .op = JUMP, .to = -code.count };
        code = join(r, code, single(r, jump, false));
    }
    code.empty = true;
    return code;
}

enum hunger { GREEDY, LAZY, POSSESSIVE };

static struct code repeat(struct reading *r, struct code code, int32_t min, int32_t max,
                          enum hunger hunger) {
    if (code.count == 1 && code.all->op == ONE && hunger != LAZY) {
        struct instruction many = { .op = MANY,
                                    .set = code.all->set,
                                    .min = min,
                                    .max = max,
                                    .possessive = hunger == POSSESSIVE };
        return single(r, many, min == 0);
    }
    if (code.empty && max < 0) {
        refuse(r, "it repeats without end what may be empty");
        return code;
    }
    struct code all = { .empty = true };
    for (int32_t i = 0; i < min && !r->why; i++) {
        append(r, &all, code);
    }
    if (max < 0) {
        append(r, &all, optional(r, code, true, hunger == LAZY));
    }
    for (int32_t i = min; i < max && !r->why; i++) { /* (x(x(x)?)?)?: all leave to its end */
        int32_t out = (max - i) * (code.count + 1);
        struct instruction split = { .op = SPLIT,
                                     .to = hunger == LAZY ? out : 1,
                                     .or = hunger == LAZY ? 1 : out };
        append(r, &all, single(r, split, true));
        append(r, &all, code);
    }
    all.empty = min == 0 || code.empty;
    return hunger == POSSESSIVE ? apart(r, all, false, true) : all;
}

/* ---- reading: characters and sets ---- */

static struct code of_set(struct reading *r, struct charset *set) {
    charset_finish(set);
    return single(r, (struct instruction){ .op = ONE, .set = set }, false);
}

static struct charset *set_of(struct reading *r, uint32_t code) {
    struct charset *set = charset_new(r->arena, r->frames[r->depth].fold);
    charset_range(r->arena, set, code, code);
    return set;
}

static uint32_t next_code(struct reading *r) {
    uint32_t code = 0xfffd;
    int n = utf8_decode(r->at, (size_t)(r->end - r->at), &code);
    r->at += n > 0 ? n : 1;
    return code;
}

static bool take(struct reading *r, const char *text) {
    size_t n = strlen(text);
    bool there = (size_t)(r->end - r->at) >= n && memcmp(r->at, text, n) == 0;
    r->at += there ? n : 0;
    return there;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static uint32_t hex_code(struct reading *r, int most) {
    uint32_t code = 0;
    int n = 0;
    while (n < most && r->at < r->end && hex_digit(*r->at) >= 0) {
        code = code * 16 + (uint32_t)hex_digit(*r->at++);
        n++;
    }
    if (n == 0 || code > 0x10ffff) {
        refuse(r, "a character's number is wrong");
    }
    return code;
}

/* The character that an escape stands for, behind its backslash. */
static uint32_t escaped(struct reading *r) {
    static const char names[] = "tnrfvae0", codes[] = "\t\n\r\f\v\a\x1b";
    uint32_t code = next_code(r);
    const char *name = code && code < 128 ? strchr(names, (int)code) : NULL;
    if (name) {
        return (unsigned char)codes[name - names];
    }
    if (code == 'x' && take(r, "{")) {
        code = hex_code(r, 8);
        if (!take(r, "}")) {
            refuse(r, "\\x{ has no end");
        }
        return code;
    }
    if (code == 'x' || code == 'u') {
        return hex_code(r, code == 'x' ? 2 : 4);
    }
    if (code < 128 && classes_ascii[code] != CLASS_OTHER && code != ' ') {
        refuse(r, "it has an escape that is not known");
    }
    return code;
}

/* \p{^Lu}, behind the p. */
static void read_property(struct reading *r, struct charset *set, bool but) {
    bool inverse = false;
    const char *close = NULL;
    if (take(r, "{")) {
        inverse = take(r, "^");
        close = memchr(r->at, '}', (size_t)(r->end - r->at));
    }
    if (!close ||
        !charset_named(r->arena, set, r->at, (size_t)(close - r->at), but != inverse)) {
        refuse(r, "it has a property that is not known");
        return;
    }
    r->at = close + 1;
}

/* \s \S \d \D \w \W \h \p \P into the set; false if it is none of them. */
static bool read_class(struct reading *r, struct charset *set) {
    if (r->end - r->at < 2 || *r->at != '\\' || !strchr("sSdDwWpP", r->at[1])) {
        return false;
    }
    char c = r->at[1];
    r->at += 2;
    if (c == 'p' || c == 'P') {
        read_property(r, set, c == 'P');
    } else if (c == 's' || c == 'S') {
        charset_named(r->arena, set, "space", 5, c == 'S');
    } else if (c == 'd' || c == 'D') {
        charset_named(r->arena, set, "Nd", 2, c == 'D');
    } else {
        charset_named(r->arena, set, "word", 4, c == 'W');
    }
    return true;
}

/* [:space:] within a set. */
static bool read_bracketed(struct reading *r, struct charset *set) {
    if (!take(r, "[:")) {
        return false;
    }
    bool but = take(r, "^");
    const char *close = memchr(r->at, ':', (size_t)(r->end - r->at));
    if (!close || close + 1 == r->end || close[1] != ']' ||
        !charset_named(r->arena, set, r->at, (size_t)(close - r->at), but)) {
        refuse(r, "it has a property that is not known");
        return true;
    }
    r->at = close + 2;
    return true;
}

static void read_range(struct reading *r, struct charset *set) {
    uint32_t low = take(r, "\\") ? escaped(r) : next_code(r), high = low;
    if (r->end - r->at >= 2 && r->at[0] == '-' && r->at[1] != ']') {
        const char *dash = r->at++;
        if (*r->at == '[' ||
            (*r->at == '\\' && r->end - r->at >= 2 && strchr("sSdDwWpP", r->at[1]))) {
            r->at = dash; /* a hyphen by itself */
        } else {
            high = take(r, "\\") ? escaped(r) : next_code(r);
        }
    }
    if (high < low) {
        refuse(r, "it has a range that runs backwards");
        return;
    }
    charset_range(r->arena, set, low, high);
}

/* A set from behind its "[" to behind its "]"; sets within it are read on a stack. */
static struct charset *read_set(struct reading *r) {
    struct charset *open[DEPTH];
    int depth = 0;
    open[0] = charset_new(r->arena, r->frames[r->depth].fold);
    open[0]->but = take(r, "^");
    for (bool first = true; r->at < r->end; first = false) {
        if (take(r, "&&")) {
            refuse(r, "it intersects sets");
        } else if (*r->at == ']' && !first) {
            r->at++;
            charset_finish(open[depth]);
            if (depth == 0) {
                return open[0];
            }
            struct charset_term inner = { .low = 1, .set = open[depth] };
            charset_add(r->arena, open[--depth], inner);
        } else if (*r->at == '[') {
            if (read_bracketed(r, open[depth])) {
                continue;
            }
            r->at++;
            if (++depth == DEPTH) {
                refuse(r, "its sets are nested too deeply");
                break;
            }
            open[depth] = charset_new(r->arena, open[0]->fold);
            open[depth]->but = take(r, "^");
        } else if (!read_class(r, open[depth])) {
            read_range(r, open[depth]);
        }
    }
    refuse(r, "a set has no end");
    return open[0];
}

/* ---- reading: quantifiers ---- */

static int32_t read_count(struct reading *r) {
    int32_t count = -1;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && count <= MOST) {
        count = (count < 0 ? 0 : count * 10) + (*r->at++ - '0');
    }
    if (count > MOST) {
        refuse(r, "it repeats too often");
    }
    return count;
}

/* {n} {n,} {,m} {n,m}; false, and nothing read, if it is none. */
static bool read_braces(struct reading *r, int32_t *min, int32_t *max) {
    const char *begin = r->at++;
    *min = read_count(r);
    *max = *min;
    bool comma = take(r, ",");
    if (comma) {
        *max = read_count(r);
    }
    if ((*min < 0 && *max < 0) || !take(r, "}")) {
        r->at = r->why ? r->end : begin;
        return false;
    }
    *min = *min < 0 ? 0 : *min;
    if (*max >= 0 && *max < *min) {
        refuse(r, "it repeats a range of times that runs backwards");
    }
    return true;
}

static struct code read_quantifiers(struct reading *r, struct code code) {
    while (r->at < r->end) {
        int32_t min = *r->at == '+', max = *r->at == '?' ? 1 : -1;
        enum hunger hunger = GREEDY;
        if (*r->at == '{') {
            if (!read_braces(r, &min, &max)) {
                break;
            }
            hunger = min != max && take(r, "?") ? LAZY : GREEDY;
        } else if (*r->at == '*' || *r->at == '+' || *r->at == '?') {
            r->at++;
            hunger = take(r, "?") ? LAZY : take(r, "+") ? POSSESSIVE : GREEDY;
        } else {
            break;
        }
        code = repeat(r, code, min, max, hunger);
    }
    return code;
}

/* ---- reading: groups ---- */

/* Behind "(?": i, m, x and - up to ":" or ")"; only i is known. */
static bool read_options(struct reading *r, bool *fold) {
    bool on = true;
    while (r->at < r->end && *r->at != ':' && *r->at != ')') {
        char c = *r->at++;
        if (c == '-') {
            on = false;
        } else if (c == 'i') {
            *fold = on;
        } else {
            refuse(r, "it has a group that is not known");
            return false;
        }
    }
    return r->at < r->end;
}

static void open_group(struct reading *r) {
    static const struct {
        const char *mark;
        enum group group;
    } marks[] = { { "?:", PLAIN },  { "?=", AHEAD }, { "?!", NOT_AHEAD },
                  { "?>", ATOMIC }, { "?<=", BACK }, { "?<!", NOT_BACK } };
    struct frame *outer = &r->frames[r->depth];
    struct frame frame = { .fold = outer->fold, .now = { .empty = true } };
    bool known = !(r->at < r->end && *r->at == '?');
    for (size_t i = 0; i < sizeof marks / sizeof *marks && !known; i++) {
        known = take(r, marks[i].mark);
        frame.group = marks[i].group;
    }
    if (!known) {
        r->at++;
        frame.group = PLAIN;
        if (read_options(r, &frame.fold) && *r->at++ == ')') {
            outer->fold = frame.fold; /* (?i) holds for the rest of its group */
            return;
        }
    }
    if (r->depth + 1 == DEPTH) {
        refuse(r, "its groups are nested too deeply");
        return;
    }
    r->frames[++r->depth] = frame;
}

/* What the innermost group has read. */
static struct code finished(struct reading *r) {
    struct frame *frame = &r->frames[r->depth];
    struct code code = frame->several ? either(r, frame->before, frame->now) : frame->now;
    switch (frame->group) {
    case PLAIN:
        break;
    case AHEAD:
    case NOT_AHEAD:
        return apart(r, code, frame->group == NOT_AHEAD, false);
    case ATOMIC:
        return apart(r, code, false, true);
    case BACK:
    case NOT_BACK:
        return behind(r, code, frame->group == NOT_BACK);
    }
    return code;
}

static struct code close_group(struct reading *r) {
    if (r->depth == 0) {
        refuse(r, "a group ends that did not begin");
        return (struct code){ 0 };
    }
    struct code code = finished(r);
    r->depth--;
    return code;
}

static void next_alternative(struct reading *r) {
    struct frame *frame = &r->frames[r->depth];
    frame->before = frame->several ? either(r, frame->before, frame->now) : frame->now;
    frame->now = (struct code){ .empty = true };
    frame->several = true;
}

/* ---- reading: all ---- */

static struct code border(struct reading *r, enum border border) {
    return single(r, (struct instruction){ .op = BORDER, .border = border }, true);
}

static struct code read_escape(struct reading *r) {
    static const struct {
        const char *mark;
        enum border border;
    } borders[] = { { "\\A", TEXT_BEGIN },
                    { "\\z", TEXT_END },
                    { "\\Z", TEXT_LINE_END },
                    { "\\b", WORD },
                    { "\\B", NO_WORD } };
    for (size_t i = 0; i < sizeof borders / sizeof *borders; i++) {
        if (take(r, borders[i].mark)) {
            return border(r, borders[i].border);
        }
    }
    struct charset *set = charset_new(r->arena, r->frames[r->depth].fold);
    if (take(r, "\\w") || take(r, "\\W")) { /* outside a set with what else of Latin-1 counts */
        charset_named(r->arena, set, "word", 4, false);
        charset_range(r->arena, set, 0xb2, 0xb3);
        charset_range(r->arena, set, 0xb9, 0xb9);
        charset_range(r->arena, set, 0xbc, 0xbe);
        set->but = r->at[-1] == 'W';
    } else if (!read_class(r, set)) {
        r->at++;
        set = set_of(r, escaped(r));
    }
    return of_set(r, set);
}

static struct code read_atom(struct reading *r) {
    switch (*r->at) {
    case ')':
        r->at++;
        return close_group(r);
    case '[':
        r->at++;
        return of_set(r, read_set(r));
    case '\\':
        return read_escape(r);
    case '^':
    case '$':
        return border(r, *r->at++ == '^' ? LINE_BEGIN : LINE_END);
    case '*':
    case '+':
    case '?':
        refuse(r, "it repeats nothing");
        return (struct code){ 0 };
    default:
        break;
    }
    bool any = *r->at == '.';
    struct charset *set = set_of(r, any ? '\n' : 0);
    set->but = any;
    if (any) {
        r->at++;
    } else {
        set = set_of(r, next_code(r));
    }
    return of_set(r, set);
}

static void read_all(struct reading *r) {
    while (r->at < r->end) {
        if (take(r, "(")) {
            open_group(r);
        } else if (take(r, "|")) {
            next_alternative(r);
        } else {
            struct code code = read_quantifiers(r, read_atom(r));
            struct frame *frame = &r->frames[r->depth];
            append(r, &frame->now, code);
        }
    }
    if (r->depth > 0) {
        refuse(r, "a group has no end");
    }
}

struct pattern *pattern_read(struct arena *arena, const char *regex, size_t length,
                             const char *file, struct err *err) {
    enum { LONGEST = 4000 }; /* bytes; sets are asked term by term */
    struct reading r = { .arena = arena, .at = regex, .end = regex + length };
    r.scratch = arena_new();
    r.frames[0].now.empty = true;
    if (length > LONGEST) {
        refuse(&r, "it is too long");
    }
    read_all(&r);
    struct pattern *pattern = arena_alloc(arena, sizeof *pattern);
    if (!r.why) {
        struct code code = finished(&r);
        append(&r, &code, single(&r, (struct instruction){ .op = DONE }, true));
        pattern->code = code;
        pattern->code.all = arena_array(arena, code.count, sizeof *code.all);
        memcpy(pattern->code.all, code.all, (size_t)code.count * sizeof *code.all);
        pattern->regex = arena_text(arena, regex, length);
    }
    arena_free(r.scratch);
    if (r.why) {
        char shown[160];
        err_set(err, ERR_UNSUPPORTED, "%s: the pattern %s cannot be read: %s", file,
                err_quote(shown, sizeof shown, regex, length), r.why);
        return NULL;
    }
    return pattern;
}

/* ---- matching ---- */

/* What is tried when the way at hand fails. */
struct choice {
    int32_t pc;
    int64_t at;
    int64_t low; /* from `at` back to here, a character at a time; -1: only `at` */
};

enum { STEPS = 500, CHOICES = 8 /* both a byte */, STEPS_LEAST = 100000 };

void pattern_begin(struct pattern_search *search, struct arena *arena,
                   const struct pattern *pattern, const char *text, int64_t length) {
    *search = (struct pattern_search){ .pattern = pattern, .text = text, .length = length };
    search->last = -1;
    search->most = STEPS_LEAST + STEPS * length;
    search->stack = buf_new(arena);
}

/* What a text of its length does not need. */
static _Noreturn void give_up(const struct pattern_search *search, const char *what,
                              int64_t most) {
    char shown[160];
    const char *regex = search->pattern->regex;
    catch_throw(ERR_TEXT, "the pattern %s takes more than %lld %s on a text of %lld bytes",
                err_quote(shown, sizeof shown, regex, strlen(regex)), (long long)most, what,
                (long long)search->length);
}

static void count_steps(struct pattern_search *search, int64_t steps) {
    search->steps += steps;
    if (search->steps > search->most) {
        give_up(search, "steps", search->most);
    }
}

static bool has(const struct pattern_search *search, const struct charset *set, int64_t at,
                int64_t *next) {
    if (at >= search->length) {
        return false;
    }
    uint32_t code = (unsigned char)search->text[at];
    if (code < 128) {
        *next = at + 1;
        return set->ascii[code];
    }
    int n = utf8_decode(search->text + at, (size_t)(search->length - at), &code);
    *next = at + (n > 0 ? n : 1);
    return charset_has(set, code);
}

static int64_t back(const struct pattern_search *search, int64_t at) {
    do {
        at--;
    } while (at > 0 && ((unsigned char)search->text[at] & 0xc0) == 0x80);
    return at;
}

static void push(struct pattern_search *search, int32_t pc, int64_t at, int64_t low) {
    struct choice choice = { pc, at, low };
    size_t most = (size_t)(search->most / STEPS * CHOICES);
    if (search->stack->length / sizeof choice >= most) {
        give_up(search, "choices that wait", (int64_t)most);
    }
    buf_add(search->stack, &choice, sizeof choice);
}

/* As many characters of the set as may be; false if they are too few. */
static bool many(struct pattern_search *search, const struct instruction *one, int32_t pc,
                 int64_t *at) {
    int64_t low = *at, next = *at;
    int32_t n = 0;
    for (; (one->max < 0 || n < one->max) && has(search, one->set, *at, &next); n++) {
        *at = next;
        low = n + 1 == one->min ? next : low;
    }
    count_steps(search, n);
    if (n < one->min) {
        return false;
    }
    if (!one->possessive && *at > low) {
        push(search, pc + 1, *at, low);
    }
    return true;
}

/* As \w has it outside a set (read_escape): without the joiners, with Latin-1's small numbers.
 */
static bool word_at(const struct pattern_search *search, int64_t at) {
    uint32_t code = ' ';
    utf8_decode(search->text + at, (size_t)(search->length - at), &code);
    bool joiner = code == 0x200c || code == 0x200d;
    bool small = (code >= 0xbc && code <= 0xbe) || code == 0xb2 || code == 0xb3 || code == 0xb9;
    return at < search->length && (small || (classes_is_word(code) && !joiner));
}

static bool is_border(const struct pattern_search *search, enum border border, int64_t at) {
    const char *text = search->text;
    bool begin = at == 0, end = at == search->length;
    switch (border) {
    case LINE_BEGIN:
        return begin || (text[at - 1] == '\n' && !end);
    case LINE_END:
        return end || text[at] == '\n';
    case TEXT_BEGIN:
        return begin;
    case TEXT_END:
        return end;
    case TEXT_LINE_END:
        return end || (text[at] == '\n' && at + 1 == search->length);
    case WORD:
    case NO_WORD:
        break;
    }
    bool before = !begin && word_at(search, back(search, at));
    return (before != word_at(search, at)) == (border == WORD);
}

static int64_t run(struct pattern_search *search, int32_t pc, int64_t at);

/* The way through LOOK: -1 if it does not hold. It runs within itself as deep as the pattern
 * nests groups, which is at most DEPTH. */
static int64_t look(struct pattern_search *search, const struct instruction *one, int32_t pc,
                    int64_t at) {
    int64_t end = run(search, pc + 1, at);
    return (end >= 0) == one->but ? -1 : one->moves ? end : at;
}

/* One step; false if the way ends here. */
static bool step(struct pattern_search *search, int32_t *pc, int64_t *at) {
    const struct instruction *one = &search->pattern->code.all[*pc];
    int64_t next;
    bool well = true;
    switch (one->op) {
    case ONE:
        well = has(search, one->set, *at, &next);
        *at = well ? next : *at;
        break;
    case MANY:
        well = many(search, one, *pc, at);
        break;
    case SPLIT:
        push(search, *pc + one->or, *at, -1);
        *pc += one->to - 1;
        break;
    case JUMP:
        *pc += one->to - 1;
        break;
    case LOOK:
        next = look(search, one, *pc, *at);
        well = next >= 0;
        *at = well ? next : *at;
        *pc += one->to - 1;
        break;
    case BEHIND:
        well = (*at > 0 && has(search, one->set, back(search, *at), &next)) != one->but;
        break;
    case BORDER:
        well = is_border(search, one->border, *at);
        break;
    case DONE:
        break;
    }
    ++*pc;
    return well;
}

/* Goes on with the last choice; false if there is none above `base`. */
static bool go_back(struct pattern_search *search, size_t base, int32_t *pc, int64_t *at) {
    if (search->stack->length == base) {
        return false;
    }
    struct choice *top = (void *)(search->stack->data + search->stack->length - sizeof *top);
    if (top->low >= 0) {
        top->at = back(search, top->at);
    }
    *pc = top->pc;
    *at = top->at;
    if (top->low < 0 || top->at == top->low) {
        search->stack->length -= sizeof *top;
    }
    return true;
}

/* The end of the match that begins at `at`; -1: there is none. */
static int64_t run(struct pattern_search *search, int32_t pc, int64_t at) {
    size_t base = search->stack->length;
    while (search->pattern->code.all[pc].op != DONE) {
        count_steps(search, 1);
        if (!step(search, &pc, &at) && !go_back(search, base, &pc, &at)) {
            return -1;
        }
    }
    search->stack->length = base;
    return at;
}

bool pattern_next(struct pattern_search *search, int64_t *begin, int64_t *end) {
    for (int64_t at = search->at; at <= search->length; at++) {
        if (at < search->length && ((unsigned char)search->text[at] & 0xc0) == 0x80) {
            continue;
        }
        int64_t found = run(search, 0, at);
        if (found >= 0 && !(found == at && at == search->last)) {
            *begin = at;
            *end = found;
            search->last = found;
            search->at = found > at ? found : at + 1;
            return true;
        }
    }
    search->at = search->length + 1;
    return false;
}
