#include "tests/xml_read.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"

enum { DEPTH = 64 };

struct reading {
    struct arena *arena;
    const char *at, *end;
    const char *open[DEPTH]; /* names of the elements that are open */
    int depth;
    struct buf *elements, *attributes, *texts, *content;
    struct xml_read *out;
    const char *why;
};

static bool fail(struct reading *r, const char *why) {
    if (!r->why) {
        r->why = arena_printf(r->arena, "%s before \"%.40s\"", why, r->at);
    }
    return false;
}

static bool begins(const struct reading *r, const char *with) {
    size_t n = strlen(with);
    return (size_t)(r->end - r->at) >= n && memcmp(r->at, with, n) == 0;
}

static bool is_name(char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static const char *read_name(struct reading *r) {
    const char *begin = r->at;
    while (r->at < r->end && is_name(*r->at, r->at == begin)) {
        r->at++;
    }
    return r->at > begin ? arena_printf(r->arena, "%.*s", (int)(r->at - begin), begin) : NULL;
}

static void skip_blanks(struct reading *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) {
        r->at++;
    }
}

static bool read_entity(struct reading *r, struct buf *to) {
    static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
    for (int i = 0; i < 5; i++) {
        if (begins(r, names[i])) {
            buf_char(to, "&<>\"'"[i]);
            r->at += strlen(names[i]);
            return true;
        }
    }
    return fail(r, "an entity that is none");
}

/* Section 2.2 of XML 1.0. */
static bool is_char(uint32_t code) {
    return code == 9 || code == 10 || code == 13 || (code >= 0x20 && code <= 0xd7ff) ||
           (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}

/* Up to `stop`, which stays. */
static bool read_chars(struct reading *r, char stop, struct buf *to) {
    while (r->at < r->end && *r->at != stop) {
        uint32_t code = 0;
        int n = utf8_decode(r->at, (size_t)(r->end - r->at), &code);
        if (n <= 0 || !is_char(code) || *r->at == '<' || begins(r, "]]>")) {
            return fail(r, "a character that may not stand there");
        }
        if (*r->at == '&') {
            if (!read_entity(r, to)) {
                return false;
            }
            continue;
        }
        buf_add(to, r->at, (size_t)n);
        r->at += n;
    }
    return true;
}

static bool read_attribute(struct reading *r, struct buf *seen) {
    const char *name = read_name(r);
    if (!name || r->at == r->end || *r->at++ != '=' || r->at == r->end ||
        (*r->at != '"' && *r->at != '\'')) {
        return fail(r, "an attribute without its value in quotes");
    }
    char quote = *r->at++;
    if (strstr(seen->data, arena_printf(r->arena, " %s ", name))) {
        return fail(r, "an attribute twice");
    }
    buf_printf(seen, " %s ", name);
    buf_printf(r->attributes, "%s=", name);
    if (!read_chars(r, quote, r->attributes) || r->at == r->end) {
        return fail(r, "a value without end");
    }
    buf_char(r->attributes, '\n');
    r->at++;
    return true;
}

static bool read_start(struct reading *r) {
    r->at++;
    const char *name = read_name(r);
    struct buf *seen = buf_new(r->arena);
    if (!name || r->depth == DEPTH) {
        return fail(r, "no name of an element");
    }
    buf_printf(r->elements, "%s\n", name);
    for (;;) {
        const char *before = r->at;
        skip_blanks(r);
        if (begins(r, "/>")) {
            r->at += 2;
            return true;
        }
        if (begins(r, ">")) {
            r->at++;
            r->open[r->depth++] = name;
            r->out->depth = r->depth > r->out->depth ? r->depth : r->out->depth;
            buf_clear(r->content);
            return true;
        }
        if (r->at == before || !read_attribute(r, seen)) {
            return fail(r, "no attribute");
        }
    }
}

static bool read_end(struct reading *r) {
    r->at += 2;
    const char *name = read_name(r);
    if (!name || r->depth == 0 || strcmp(name, r->open[r->depth - 1]) != 0 || !begins(r, ">")) {
        return fail(r, "an end of what was not open");
    }
    r->at++;
    r->depth--;
    const char *content = arena_copy(r->arena, r->content->data);
    if (strcmp(name, "text") == 0) {
        buf_printf(r->texts, "%s\n", content);
    } else if (strcmp(name, "title") == 0) {
        r->out->title = content;
    } else if (strcmp(name, "desc") == 0) {
        r->out->desc = content;
    }
    buf_clear(r->content);
    return true;
}

static bool read_document(struct reading *r) {
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    if (begins(r, declaration)) {
        r->at += strlen(declaration);
    }
    skip_blanks(r);
    if (!begins(r, "<") || !read_start(r)) {
        return fail(r, "no root");
    }
    while (r->depth > 0) {
        if (!read_chars(r, '<', r->content) || r->at == r->end) {
            return fail(r, "an end that is missing");
        }
        if (!(begins(r, "</") ? read_end(r) : read_start(r))) {
            return false;
        }
    }
    skip_blanks(r);
    return r->at == r->end || fail(r, "more than a root");
}

struct xml_read *xml_read(struct arena *arena, const char *bytes, size_t length,
                          const char **why) {
    struct reading r = { .arena = arena, .at = bytes, .end = bytes + length };
    r.out = arena_alloc(arena, sizeof *r.out);
    r.elements = buf_new(arena);
    r.attributes = buf_new(arena);
    r.texts = buf_new(arena);
    r.content = buf_new(arena);
    bool good = read_document(&r);
    *why = r.why ? r.why : "";
    r.out->elements = r.elements->data;
    r.out->attributes = r.attributes->data;
    r.out->texts = r.texts->data;
    return good ? r.out : NULL;
}
