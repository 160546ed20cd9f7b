/* Reads FUZZ_COUNT (100,000) damaged files of each kind, beginning with number FUZZ_FROM (1). A
 * crash comes within 10,000 of the number shown last; the same number makes the same file. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/fuzz/mutate.h"

static uint64_t number_of(const char *variable, uint64_t otherwise) {
    const char *value = getenv(variable);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void walk(enum mutate_kind kind) {
    const char *folder = check_folder(check_arena());
    uint64_t from = number_of("FUZZ_FROM", 1), end = from + number_of("FUZZ_COUNT", 100000);
    for (uint64_t i = from; i < end; i++) {
        if (i % 10000 == 0) {
            printf("%s %llu\n", mutate_name(kind), (unsigned long long)i);
        }
        struct arena *arena = arena_new();
        const char *wrong = mutate_try(arena, folder, kind, i);
        if (wrong) {
            printf("number %llu: %s\n", (unsigned long long)i, wrong);
            check(!wrong);
        }
        arena_free(arena);
    }
}

TEST(fuzz_safetensors) {
    walk(MUTATE_SAFETENSORS);
}

TEST(fuzz_gguf) {
    walk(MUTATE_GGUF);
}

TEST(fuzz_config) {
    walk(MUTATE_CONFIG);
}
