#include "core/base/linked.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"

enum {
    LOOKED_MOST = 4096, /* entries of all folders together */
    FOUND_MOST = 1200   /* shards of a model, at most, and what lies beside them */
};

struct search {
    struct arena *arena;
    const char **found; /* [FOUND_MOST + 1] */
    bool files;         /* not links alone */
    int64_t looked, count;
};

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

/* Weights, and what a loader reads beside them. */
static bool is_asked_for(const char *name) {
    static const char *const beside[] = {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "sentence_bert_config.json",
        "model.safetensors.index.json",
    };
    bool found = ends_with(name, ".safetensors") || ends_with(name, ".gguf");
    for (size_t i = 0; !found && i < sizeof beside / sizeof *beside; i++) {
        found = strcmp(name, beside[i]) == 0;
    }
    return found;
}

static void add(struct search *search, const char *path) {
    char to[PATH_MAX];
    if (search->count < FOUND_MOST && realpath(path, to) && file_exists(to)) {
        search->found[search->count++] = arena_copy(search->arena, to);
    }
}

/* Some file systems do not say in a folder what its entries are; so each is asked. */
static void look(struct search *search, const char *folder, int depth) {
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat info;
    while (dir && search->looked < LOOKED_MOST && (entry = readdir(dir))) {
        const char *name = entry->d_name, *path = file_join(search->arena, folder, name);
        search->looked++;
        if (name[0] == '.' || lstat(path, &info) < 0) {
            continue;
        }
        bool counts = S_ISLNK(info.st_mode) || (search->files && S_ISREG(info.st_mode));
        if (counts && is_asked_for(name)) {
            add(search, path);
        } else if (S_ISDIR(info.st_mode) && depth > 1) {
            look(search, path, depth - 1);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static const char *const *search(struct arena *arena, const char *folder, bool files,
                                 int depth) {
    struct search search = { .arena = arena, .files = files };
    search.found = arena_array(arena, FOUND_MOST + 1, sizeof *search.found);
    look(&search, folder, depth);
    return search.found;
}

const char *const *linked_files(struct arena *arena, const char *folder) {
    return search(arena, folder, false, 2);
}

const char *const *linked_beside(struct arena *arena, const char *folder) {
    return search(arena, folder, true, 1);
}
