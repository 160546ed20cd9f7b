/* any_figures WORDS OUT: pictures of every kind with these words (one after the other, each
 * ended by a NUL) in every text that a result has, a few at a time: OUT/KIND-PART.html, a page,
 * and OUT/KIND-PART.json, what the extension draws. The first word of a part is its title. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/draw/picture.h"
#include "tests/any_result.h"

enum { PART = 40 };

static void or_die(bool held, const struct err *err) {
    if (!held) {
        fprintf(stderr, "any_figures: %s\n", err->text);
        exit(1);
    }
}

static void write_out(struct arena *arena, const char *folder, const char *name, int64_t part,
                      const char *ending, const char *bytes, size_t length) {
    struct err err = { 0 };
    const char *file = arena_printf(arena, "%s-%lld.%s", name, (long long)part, ending);
    or_die(file_write(file_join(arena, folder, file), bytes, length, &err) == 0, &err);
}

static void draw_part(const struct any_words *words, int64_t part, const char *folder) {
    for (int kind = 0; kind < ANY_KINDS; kind++) {
        struct arena *arena = arena_new();
        struct err err = { 0 };
        const struct picture_options options = { .scale = 0.25, .top = PART };
        const struct result *result = any_result(arena, kind, words, words->count);
        struct bundle *bundle = picture_bundle(arena, NULL, result, &options, &err);
        or_die(bundle != NULL, &err);
        struct picture_file *page =
            picture_file(arena, NULL, result, &options, PICTURE_HTML, &err);
        or_die(page != NULL, &err);
        write_out(arena, folder, result->kind, part, "html", page->bytes, page->length);
        write_out(arena, folder, result->kind, part, "json", bundle->json,
                  strlen(bundle->json));
        arena_free(arena);
    }
}

int main(int argc, char **argv) {
    struct err err = { 0 };
    if (argc != 3) {
        fprintf(stderr, "usage: any_figures WORDS OUT\n");
        return 2;
    }
    struct arena *arena = arena_new();
    const struct file *file = file_map(arena, argv[1], &err);
    or_die(file != NULL, &err);
    const char *at = (const char *)file->bytes, *end = at + file->size;
    const char *list[PART];
    for (int64_t part = 0; at < end; part++) {
        int64_t count = 0;
        for (; at < end && count < PART; at += strlen(at) + 1) {
            list[count++] = at;
        }
        draw_part(&(struct any_words){ list, count }, part, argv[2]);
    }
    arena_free(arena);
    return 0;
}
