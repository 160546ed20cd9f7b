#include "tests/check.h"

#include <stdio.h>

#include "tests/fuzz/mutate.h"

/* `make fuzz` reads many more. */
static void read_damaged(enum mutate_kind kind, uint64_t n) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena);
    for (uint64_t i = 0; i < n; i++) {
        struct arena_mark mark = arena_mark(arena);
        const char *wrong = mutate_try(arena, folder, kind, i);
        if (!check(!wrong)) {
            printf("  %s number %llu: %s\n", mutate_name(kind), (unsigned long long)i, wrong);
        }
        arena_rewind(arena, mark);
    }
}

TEST(damaged_safetensors_are_refused_or_read_within_bounds) {
    read_damaged(MUTATE_SAFETENSORS, 5000);
}

TEST(damaged_gguf_are_refused_or_read_within_bounds) {
    read_damaged(MUTATE_GGUF, 5000);
}

TEST(damaged_config_are_refused_or_read_within_bounds) {
    read_damaged(MUTATE_CONFIG, 3000);
}
