#include <stdio.h>
#include <stdlib.h>

#include "core/base/cpu.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "tests/check.h"

TEST(memory_of_maps_is_counted_once) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const char *path = file_join(arena, check_folder(arena), "zeros");
    enum { SIZE = 1 << 20 };
    char *zeros = arena_alloc(arena, SIZE);
    check(file_write(path, zeros, SIZE, &err) == 0);
    const struct file *file = file_map(arena, path, &err);
    struct memory_mapped before, after;
    const struct file_piece pieces[] = { { file->bytes, 10 },
                                         { file->bytes + 5000, SIZE - 5000 } };
    if (!memory_mapped(pieces, 2, &before)) {
        return; /* a system without /proc */
    }
    check_int(before.mapped, SIZE);
    volatile unsigned sum = 0;
    for (int64_t i = 0; i < file->size; i += 512) {
        sum += file->bytes[i];
    }
    check(memory_mapped(pieces, 2, &after));
    check_int(after.resident, SIZE);
    check_int((int)sum, 0);
    check(before.resident <= after.resident);
}

TEST(memory_of_no_map_is_none) {
    struct arena *arena = check_arena();
    struct memory_mapped told;
    const struct file_piece piece = { arena_alloc(arena, 100), 100 };
    if (memory_mapped(&piece, 1, &told)) {
        check_int(told.mapped, 0);
    }
}

TEST(memory_has_a_ceiling_and_counts_its_ends) {
    int64_t ceiling = memory_ceiling(), before = memory_kills();
    check(ceiling > memory_free() / 2 && ceiling > 64 << 20);
    check(before >= -1 && memory_kills() >= before);
}

TEST(memory_of_a_server_counts_for_threads) {
    const char *asked = getenv("CUTAWAY_THREADS");
    char kept[20];
    snprintf(kept, sizeof kept, "%s", asked ? asked : "");
    unsetenv("CUTAWAY_THREADS");
    int usual = cpu_threads();
    setenv("CPU_LIMIT", "0.5", 1);
    check_int(cpu_threads(), 1);
    setenv("CPU_LIMIT", "1000", 1);
    check_int(cpu_threads(), usual);
    setenv("CPU_LIMIT", "none", 1);
    check_int(cpu_threads(), usual);
    unsetenv("CPU_LIMIT");
    if (asked) {
        setenv("CUTAWAY_THREADS", kept, 1);
    }
}
