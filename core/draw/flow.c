#include "core/draw/flow.h"

#include <math.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/draw/figure.h"

/* ---- characters ---- */

static enum flow_direction direction_of_code(uint32_t code) {
    if ((code >= 0x590 && code <= 0x8ff) || (code >= 0xfb1d && code <= 0xfdff) ||
        (code >= 0xfe70 && code <= 0xfeff) || (code >= 0x10800 && code <= 0x10fff) ||
        (code >= 0x1e800 && code <= 0x1eeff)) {
        return FLOW_RIGHT_TO_LEFT;
    }
    bool letter = (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
                  (code >= 'a' && code <= 'z') || (code >= 0xc0 && code < 0x2000) ||
                  (code >= 0x2c00 && code < 0x2e00) || code > 0x3003;
    return letter ? FLOW_LEFT_TO_RIGHT : FLOW_NEUTRAL;
}

/* That of the first letter or digit. */
static enum flow_direction direction_of(const struct flow_piece *piece) {
    const char *text = piece->text;
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int n = utf8_decode(text + i, length - i, &code);
        enum flow_direction found = n > 0 ? direction_of_code(code) : FLOW_NEUTRAL;
        if (found != FLOW_NEUTRAL) {
            return found;
        }
        i += n > 0 ? (size_t)n : 1;
    }
    return FLOW_NEUTRAL;
}

/* Chinese, Japanese, Korean, emoji: a line may break between any two characters. */
static bool is_broken_anywhere(uint32_t code) {
    return (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7af) ||
           (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff00 && code <= 0xffef) ||
           code >= 0x1f000;
}

static bool is_joining(uint32_t code) {
    return (code >= 0x620 && code <= 0x6ff && code != 0x66d &&
            (code < 0x660 || code > 0x66c)) ||
           (code >= 0x750 && code <= 0x77f);
}

/* The character before byte `end`; 0 if there is none. */
static uint32_t code_before(const char *text, int64_t end) {
    uint32_t code = 0;
    for (int64_t at = end - 1; at >= 0 && end - at <= 4; at--) {
        if (utf8_decode(text + at, (size_t)(end - at), &code) == (int)(end - at)) {
            return code;
        }
    }
    return 0;
}

bool flow_opens(const char *text, int64_t length, int64_t begin) {
    uint32_t code = 0;
    bool blank =
        begin == 0 || text[begin] == ' ' || text[begin - 1] == ' ' || text[begin - 1] == '\n';
    return blank || (utf8_decode(text + begin, (size_t)(length - begin), &code) > 0 &&
                     is_broken_anywhere(code));
}

const char *flow_text(struct arena *arena, const char *text, int64_t length, int64_t begin,
                      int64_t end, int64_t columns) {
    static const char joiner[] = "\xe2\x80\x8d";
    uint32_t first = 0, next = 0;
    const char *whole = arena_text(arena, text + begin, (size_t)(end - begin));
    const char *shown = figure_short(arena, figure_sentence(arena, whole), columns);
    utf8_decode(text + begin, (size_t)(length - begin), &first);
    utf8_decode(text + end, (size_t)(length - end), &next);
    bool before = is_joining(first) && is_joining(code_before(text, begin));
    bool behind = is_joining(next) && is_joining(code_before(text, end));
    return before || behind ? arena_printf(arena, "%s%s%s", before ? joiner : "", shown,
                                           behind ? joiner : "")
                            : shown;
}

/* ---- lines ---- */

/* The piece behind the stretch that begins at `i` and is not broken if it can be helped. */
static int64_t stretch_end(const struct flow *flow, int64_t i, double *width) {
    const struct flow_piece *pieces = flow->pieces;
    int64_t k = i + 1;
    *width = pieces[i].width;
    while (k < flow->count && !pieces[k].opens && pieces[k].token >= 0 &&
           !pieces[k - 1].closes && pieces[k - 1].token >= 0) {
        *width += pieces[k++].width;
    }
    return k;
}

/* Which line each piece stands on. Blanks that begin one take no room. */
static void lines_break(struct flow *flow, double wide) {
    double x = 0, stretch;
    int64_t line = 0;
    for (int64_t i = 0; i < flow->count;) {
        int64_t end = stretch_end(flow, i, &stretch);
        if (x > 0 && x + stretch > wide) {
            line++;
            x = 0;
        }
        for (; i < end; i++) {
            struct flow_piece *piece = &flow->pieces[i];
            if (x > 0 && x + piece->width > wide) {
                line++;
                x = 0;
            }
            bool blank = piece->token < 0 && piece->text[strspn(piece->text, " ")] == '\0';
            piece->width = blank && x == 0 ? 0 : piece->width;
            piece->line = line;
            x += piece->width;
            if (piece->closes) {
                line++;
                x = 0;
            }
        }
    }
    flow->lines = flow->count ? flow->pieces[flow->count - 1].line + 1 : 0;
}

/* What has no direction takes that of both its neighbours, or the line's. */
static void neutrals_turn(struct flow_piece *pieces, int64_t n, enum flow_direction base) {
    enum flow_direction before = base;
    for (int64_t i = 0; i < n;) {
        int64_t k = i;
        while (k < n && direction_of(&pieces[k]) == FLOW_NEUTRAL) {
            k++;
        }
        enum flow_direction behind = k < n ? direction_of(&pieces[k]) : base;
        for (; i < k; i++) {
            pieces[i].runs = before == behind ? before : base;
        }
        if (i < n) {
            before = pieces[i].runs = direction_of(&pieces[i]);
            i++;
        }
    }
}

/* Places the pieces of one line: stretches of one direction follow each other in the line's. */
static void line_place(struct flow_piece *pieces, int64_t n, enum flow_direction base,
                       double wide) {
    neutrals_turn(pieces, n, base);
    double at = base == FLOW_RIGHT_TO_LEFT ? wide : 0;
    for (int64_t i = 0, k; i < n; i = k) {
        double width = 0;
        for (k = i; k < n && pieces[k].runs == pieces[i].runs; k++) {
            width += pieces[k].width;
        }
        double left = base == FLOW_RIGHT_TO_LEFT ? at - width : at, from = 0;
        for (int64_t c = i; c < k; c++) {
            bool turned = pieces[i].runs == FLOW_RIGHT_TO_LEFT;
            pieces[c].x = left + (turned ? width - from - pieces[c].width : from);
            from += pieces[c].width;
        }
        at = base == FLOW_RIGHT_TO_LEFT ? at - width : at + width;
    }
}

/* The direction of the text's line that piece `i` begins: that of its first letter. Digits,
 * though they run from left to right everywhere, do not count. */
static enum flow_direction base_of(const struct flow *flow, int64_t i) {
    for (; i < flow->count; i++) {
        char first = flow->pieces[i].text[strspn(flow->pieces[i].text, " ")];
        bool counts = !flow->pieces[i].tag && (first < '0' || first > '9');
        enum flow_direction direction = direction_of(&flow->pieces[i]);
        if (direction != FLOW_NEUTRAL && counts) {
            return direction;
        }
        if (flow->pieces[i].closes) {
            break;
        }
    }
    return FLOW_LEFT_TO_RIGHT;
}

void flow_lay(struct flow *flow, double width, double height, int64_t most) {
    enum flow_direction base = FLOW_LEFT_TO_RIGHT;
    lines_break(flow, width);
    flow->drawn = 0;
    flow->width = 0;
    for (int64_t i = 0, k; i < flow->count && flow->pieces[i].line < most; i = k) {
        if (i == 0 || flow->pieces[i - 1].closes) {
            base = base_of(flow, i);
        }
        for (k = i; k < flow->count && flow->pieces[k].line == flow->pieces[i].line; k++) {
            flow->pieces[k].y = height * (double)flow->pieces[i].line;
        }
        line_place(flow->pieces + i, k - i, base, width);
        for (int64_t c = i; c < k; c++) {
            flow->width = fmax(flow->width, flow->pieces[c].x + flow->pieces[c].width);
        }
        flow->drawn = k;
    }
    flow->height = height * (double)(flow->lines < most ? flow->lines : most);
}
