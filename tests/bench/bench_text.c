/* bench_text TEXT NAME FILE [NAME FILE ...]: how fast a text becomes tokens, in one thread,
 * with the tokenizers of tokenizer.json files or models. Two JSON lines each: tokens.NAME.lines
 * (every line that is not blank by itself) and tokens.NAME.whole (the text as one). mb are
 * millions of bytes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/model/model.h"
#include "core/tensor/simd.h"
#include "tests/bench/clock.h"

static void give_up(const struct err *err) {
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static const struct tokenizer *tokenizer_of(struct arena *arena, const char *path) {
    struct err err = { 0 };
    size_t length = strlen(path);
    const struct tokenizer *tokenizer = NULL;
    if (length > 5 && strcmp(path + length - 5, ".json") == 0) {
        struct file *file = file_map(arena, path, &err);
        tokenizer =
            file ? tokenizer_read(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
    } else {
        struct model *model = model_open(arena, path, &err);
        tokenizer = model ? model->tokenizer : NULL;
    }
    if (!tokenizer) {
        give_up(&err);
    }
    return tokenizer;
}

/* Tokens of a text. */
static int64_t encode(const struct tokenizer *tokenizer, const char *text, int64_t length) {
    struct err err = { 0 };
    struct arena *arena = arena_new();
    const struct encoding *encoding =
        tokenizer_encode(arena, tokenizer, text, (size_t)length, NULL, 0, true, &err);
    if (!encoding) {
        give_up(&err);
    }
    int64_t count = encoding->count;
    arena_free(arena);
    return count;
}

static int64_t encode_lines(const struct tokenizer *tokenizer, const char *text,
                            int64_t length) {
    int64_t count = 0;
    for (const char *at = text, *end, *last = text + length; at < last; at = end + 1) {
        end = memchr(at, '\n', (size_t)(last - at));
        end = end ? end : last;
        const char *word = at;
        while (word < end && (*word == ' ' || (*word >= '\t' && *word <= '\r'))) {
            word++;
        }
        count += word < end ? encode(tokenizer, at, end - at) : 0;
    }
    return count;
}

enum { MOST = 20, LEAST = 5, ENOUGH_S = 2 };

static void time_it(const char *name, const char *how,
                    int64_t (*run)(const struct tokenizer *, const char *, int64_t),
                    const struct tokenizer *tokenizer, const struct file *text) {
    double times[MOST], spent = 0, mb = (double)text->size / 1e6;
    int64_t tokens = run(tokenizer, (const char *)text->bytes, text->size);
    int n = 0;
    while (n < MOST && (n < LEAST || spent < ENOUGH_S)) {
        double begin = clock_now();
        run(tokenizer, (const char *)text->bytes, text->size);
        times[n] = clock_now() - begin;
        spent += times[n++];
    }
    qsort(times, (size_t)n, sizeof *times, clock_order);
    printf("{\"name\": \"tokens.%s.%s\", \"median_s\": %.6f, \"min_s\": %.6f, \"runs\": %d, "
           "\"threads\": 1, \"isa\": \"%s\", \"mb\": %.3f, \"mb_per_s\": %.2f, \"tokens\": "
           "%lld}\n",
           name, how, times[n / 2], times[0], n, cpu_name(simd()->isa), mb, mb / times[0],
           (long long)tokens);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct err err = { 0 };
    struct arena *arena = arena_new();
    if (argc < 4 || argc % 2 != 0) {
        fprintf(stderr, "usage: %s TEXT NAME FILE [NAME FILE ...]\n", argv[0]);
        return 2;
    }
    const struct file *text = file_map(arena, argv[1], &err);
    if (!text) {
        give_up(&err);
    }
    for (int i = 2; i < argc; i += 2) {
        const struct tokenizer *tokenizer = tokenizer_of(arena, argv[i + 1]);
        time_it(argv[i], "lines", encode_lines, tokenizer, text);
        time_it(argv[i], "whole", encode, tokenizer, text);
    }
    arena_free(arena);
    return 0;
}
