#include "core/text/charset.h"

#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "core/text/classes.h"
#include "core/text/scripts.h"

enum { NAME = 40 };

struct charset *charset_new(struct arena *arena, bool fold) {
    struct charset *set = arena_alloc(arena, sizeof *set);
    set->fold = fold;
    return set;
}

void charset_add(struct arena *arena, struct charset *set, struct charset_term term) {
    if ((set->count & (set->count - 1)) == 0) { /* full at every power of two */
        struct charset_term *terms =
            arena_array(arena, set->count ? 2 * set->count : 1, sizeof *terms);
        if (set->count) {
            memcpy(terms, set->terms, (size_t)set->count * sizeof *terms);
        }
        set->terms = terms;
    }
    set->terms[set->count++] = term;
}

/* Turkish i without a dot, I with one: each stands for itself. */
static bool folds(uint32_t code) {
    return code != 0x130 && code != 0x131;
}

void charset_range(struct arena *arena, struct charset *set, uint32_t low, uint32_t high) {
    charset_add(arena, set, (struct charset_term){ .low = low, .high = high });
    uint32_t upper = (uint32_t)utf8proc_toupper((utf8proc_int32_t)low);
    uint32_t small = (uint32_t)utf8proc_tolower((utf8proc_int32_t)upper);
    if (set->fold && low == high && small != low && folds(low)) { /* "long s" finds s and S */
        charset_add(arena, set, (struct charset_term){ .low = small, .high = small });
    }
}

/* ---- properties ---- */

#define BIT(name) (1U << UTF8PROC_CATEGORY_##name)

static const struct {
    const char *name, *other;
    uint32_t categories;
} categories[] = {
    { "l", "letter", BIT(LU) | BIT(LL) | BIT(LT) | BIT(LM) | BIT(LO) },
    { "lu", "uppercaseletter", BIT(LU) },
    { "ll", "lowercaseletter", BIT(LL) },
    { "lt", "titlecaseletter", BIT(LT) },
    { "lm", "modifierletter", BIT(LM) },
    { "lo", "otherletter", BIT(LO) },
    { "m", "mark", BIT(MN) | BIT(MC) | BIT(ME) },
    { "mn", "nonspacingmark", BIT(MN) },
    { "mc", "spacingmark", BIT(MC) },
    { "me", "enclosingmark", BIT(ME) },
    { "n", "number", BIT(ND) | BIT(NL) | BIT(NO) },
    { "nd", "decimalnumber", BIT(ND) },
    { "nd", "digit", BIT(ND) },
    { "nl", "letternumber", BIT(NL) },
    { "no", "othernumber", BIT(NO) },
    { "p", "punctuation", BIT(PC) | BIT(PD) | BIT(PS) | BIT(PE) | BIT(PI) | BIT(PF) | BIT(PO) },
    { "punct", "punct",
      BIT(PC) | BIT(PD) | BIT(PS) | BIT(PE) | BIT(PI) | BIT(PF) | BIT(PO) | BIT(SM) | BIT(SC) |
          BIT(SK) | BIT(SO) },
    { "pc", "connectorpunctuation", BIT(PC) },
    { "pd", "dashpunctuation", BIT(PD) },
    { "ps", "openpunctuation", BIT(PS) },
    { "pe", "closepunctuation", BIT(PE) },
    { "pi", "initialpunctuation", BIT(PI) },
    { "pf", "finalpunctuation", BIT(PF) },
    { "po", "otherpunctuation", BIT(PO) },
    { "s", "symbol", BIT(SM) | BIT(SC) | BIT(SK) | BIT(SO) },
    { "sm", "mathsymbol", BIT(SM) },
    { "sc", "currencysymbol", BIT(SC) },
    { "sk", "modifiersymbol", BIT(SK) },
    { "so", "othersymbol", BIT(SO) },
    { "z", "separator", BIT(ZS) | BIT(ZL) | BIT(ZP) },
    { "zs", "spaceseparator", BIT(ZS) },
    { "zl", "lineseparator", BIT(ZL) },
    { "zp", "paragraphseparator", BIT(ZP) },
    { "c", "other", BIT(CC) | BIT(CF) | BIT(CS) | BIT(CO) | BIT(CN) },
    { "cc", "control", BIT(CC) },
    { "cf", "format", BIT(CF) },
    { "cs", "surrogate", BIT(CS) },
    { "co", "privateuse", BIT(CO) },
    { "cn", "unassigned", BIT(CN) },
};

/* The name without blanks, hyphens and underscores, which do not matter. */
static bool plain_name(char out[NAME], const char *name, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == ' ' || name[i] == '-' || name[i] == '_') {
            continue;
        }
        if (n == NAME - 1) {
            return false;
        }
        out[n++] = name[i];
    }
    out[n] = '\0';
    return n > 0;
}

bool charset_named(struct arena *arena, struct charset *set, const char *name, size_t length,
                   bool but) {
    char plain[NAME];
    struct charset_term term = { .low = 1, .but = but };
    if (!plain_name(plain, name, length)) {
        return false;
    }
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        if (strcasecmp(plain, categories[i].name) == 0 ||
            strcasecmp(plain, categories[i].other) == 0) {
            term.categories = categories[i].categories;
        }
    }
    term.blank = strcasecmp(plain, "space") == 0 || strcasecmp(plain, "whitespace") == 0;
    term.word = strcasecmp(plain, "word") == 0;
    term.script = scripts_named(plain, strlen(plain));
    if (!term.categories && !term.blank && !term.word && !term.script) {
        return false;
    }
    charset_add(arena, set, term);
    return true;
}

/* ---- asking ---- */

/* What Oniguruma takes for \w in a set: not the joiners, which Unicode counts in. */
static bool is_word(uint32_t code) {
    return classes_is_word(code) && code != 0x200c && code != 0x200d;
}

static bool term_has(const struct charset_term *term, uint32_t code) {
    bool has;
    if (term->low <= term->high) {
        has = code >= term->low && code <= term->high;
    } else if (term->categories) {
        has = term->categories >> classes_category(code) & 1;
    } else if (term->script) {
        has = scripts_of(code) == term->script;
    } else if (term->set) {
        has = charset_has(term->set, code);
    } else {
        has = term->blank ? classes_is_blank(code) : is_word(code);
    }
    return has != term->but;
}

static bool any_has(const struct charset *set, uint32_t code) {
    for (int i = 0; i < set->count; i++) {
        if (term_has(&set->terms[i], code)) {
            return true;
        }
    }
    return false;
}

static bool find(const struct charset *set, uint32_t code) {
    bool has = any_has(set, code);
    if (set->fold && !has && folds(code)) {
        uint32_t lower = (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
        uint32_t upper = (uint32_t)utf8proc_toupper((utf8proc_int32_t)code);
        uint32_t again = (uint32_t)utf8proc_tolower((utf8proc_int32_t)upper); /* long s: s */
        has = (lower != code && any_has(set, lower)) ||
              (upper != code && (any_has(set, upper) || any_has(set, again)));
    }
    return has != set->but;
}

void charset_finish(struct charset *set) {
    for (uint32_t code = 0; code < 128; code++) {
        set->ascii[code] = find(set, code);
    }
}

bool charset_has(const struct charset *set, uint32_t code) {
    return code < 128 ? set->ascii[code] : find(set, code);
}
