#include "kernel/front/environment.h"

#include <stdbool.h>
#include <string.h>

/* One that ends with '_' means all that begin so. */
static const char *const kept[] = {
    "CUTAWAY_",
    "HOME",
    "TMPDIR",
    "LANG",
    "LANGUAGE",
    "LC_",
    "TZ",
    "HF_HOME",
    "HF_HUB_CACHE",
    "MEM_LIMIT",
    "CPU_LIMIT",
    "HUGGINGFACE_HUB_CACHE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_DIRS",
    "FONTCONFIG_",
    "FC_",
    "FREETYPE_PROPERTIES",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "GLIBC_TUNABLES",
    "MALLOC_",
    "ASAN_OPTIONS",
    "LSAN_OPTIONS",
    "UBSAN_OPTIONS",
    "TSAN_OPTIONS",
    "LLVM_PROFILE_FILE",
    "GCOV_",
};

static bool is_kept(const char *variable) {
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        size_t n = strlen(kept[i]);
        bool whole = kept[i][n - 1] != '_';
        if (strncmp(variable, kept[i], n) == 0 && (!whole || n == length)) {
            return true;
        }
    }
    return false;
}

char **environment_kept(struct arena *arena, char *const *all) {
    int64_t count = 0, n = 0;
    while (all && all[count]) {
        count++;
    }
    char **list = arena_array(arena, count + 1, sizeof *list);
    for (int64_t i = 0; i < count; i++) {
        if (is_kept(all[i])) {
            list[n++] = all[i];
        }
    }
    return list;
}
