#include "core/text/run.h"

#include <stdbool.h>

static bool inside_character(const struct run *run, int64_t at) {
    return at > 0 && at < run->length && ((unsigned char)run->text[at] & 0xc0) == 0x80;
}

struct span run_span(const struct run *run, int64_t begin, int64_t end) {
    if (run->spans) {
        return (struct span){ run->spans[begin].begin, run->spans[end - 1].end };
    }
    while (inside_character(run, begin)) {
        begin--;
    }
    while (inside_character(run, end)) {
        end++;
    }
    return (struct span){ (uint32_t)(run->base + begin), (uint32_t)(run->base + end) };
}

struct run run_part(const struct run *run, int64_t begin, int64_t end) {
    struct run part = { .text = run->text + begin, .length = end - begin };
    if (run->spans) {
        part.spans = run->spans + begin;
        part.base = begin < run->length ? run->spans[begin].begin : run->base;
    } else {
        part.base = run->base + begin;
    }
    return part;
}
