#include "kernel/labextension.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"

#define NAME "cutaway-lab"

/* Its folders; those inside others come first, so that removing can go down the list. */
static const char *const folders[] = { "static", "schemas/" NAME, "schemas", "" };
enum { FOLDERS = sizeof folders / sizeof *folders };

/* The folder that a path lies in. */
static const char *parent(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    return arena_text(arena, path, slash ? (size_t)(slash - path) : 0);
}

/* Whether the folder holds an extension of our name. */
static bool is_ours(struct arena *arena, const char *folder) {
    struct err err;
    const char *path = file_join(arena, folder, "package.json");
    struct file *file = file_exists(path) ? file_map(arena, path, &err) : NULL;
    struct json *package =
        file ? json_parse(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
    return package && strcmp(json_text_at(package, "name", ""), NAME) == 0;
}

const char *labextension_source(struct arena *arena, const char *program) {
    const char *here = parent(arena, program);
    const char *const tried[] = {
        file_join(arena, here, "lab/labextension"),
        file_join(arena, parent(arena, here), "share/jupyter/labextensions/" NAME),
        CUTAWAY_DATADIR "/jupyter/labextensions/" NAME,
    };
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        if (is_ours(arena, tried[i])) {
            return tried[i];
        }
    }
    return NULL;
}

const char *labextension_folder(struct arena *arena, const char *place) {
    return file_join(arena, place, "labextensions/" NAME);
}

bool labextension_there(struct arena *arena, const char *place) {
    return is_ours(arena, labextension_folder(arena, place));
}

bool labextension_same(struct arena *arena, const char *place, const char *source) {
    struct err err;
    const char *there = file_join(arena, labextension_folder(arena, place), "package.json");
    struct file *a = file_map(arena, there, &err);
    struct file *b = file_map(arena, file_join(arena, source, "package.json"), &err);
    return a && b && a->size == b->size && memcmp(a->bytes, b->bytes, (size_t)a->size) == 0;
}

/* Calls `act` with the path of every regular file of the folder, and with `to`. */
static int each_file(struct arena *arena, const char *folder, const char *to,
                     int (*act)(struct arena *, const char *path, const char *to, struct err *),
                     struct err *err) {
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int status = 0;
    if (!dir) {
        return err_set(err, ERR_IO, "cannot open the folder %s: %s", folder, strerror(errno));
    }
    while (status == 0 && (entry = readdir(dir)) != NULL) {
        const char *path = file_join(arena, folder, entry->d_name);
        if (file_exists(path)) {
            status = act(arena, path, to, err);
        }
    }
    closedir(dir);
    return status;
}

static int remove_file(struct arena *arena, const char *path, const char *to, struct err *err) {
    (void)arena;
    (void)to;
    return unlink(path) < 0
               ? err_set(err, ERR_IO, "cannot remove %s: %s", path, strerror(errno))
               : 0;
}

static int copy_file(struct arena *arena, const char *path, const char *to, struct err *err) {
    struct file *file = file_map(arena, path, err);
    if (!file || file_write(file_join(arena, to, file_name(path)), file->bytes,
                            (size_t)file->size, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

static const char *folder_at(struct arena *arena, const char *folder, int i) {
    return *folders[i] ? file_join(arena, folder, folders[i]) : folder;
}

/* Takes away those of its folders that are links; what they lead to is not ours. The outer ones
 * come first, so that none is looked for through another. */
static int remove_links(struct arena *arena, const char *folder, struct err *err) {
    for (int i = FOLDERS - 1; i >= 0; i--) {
        const char *one = folder_at(arena, folder, i);
        struct stat info;
        if (lstat(one, &info) == 0 && S_ISLNK(info.st_mode) &&
            remove_file(arena, one, NULL, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

int labextension_remove(struct arena *arena, const char *place, struct err *err) {
    const char *folder = labextension_folder(arena, place);
    struct stat info;
    if (lstat(folder, &info) < 0) {
        return 0;
    }
    if (S_ISLNK(info.st_mode)) { /* to the sources, as developers have it */
        return remove_file(arena, folder, NULL, err);
    }
    if (file_exists(file_join(arena, folder, "package.json")) && !is_ours(arena, folder)) {
        return err_set(err, ERR_IO,
                       "%s holds something that is not Cutaway's; it is left alone", folder);
    }
    if (remove_links(arena, folder, err) < 0) {
        return err_pass(err);
    }
    for (int i = 0; i < FOLDERS; i++) {
        const char *one = folder_at(arena, folder, i);
        if (file_is_folder(one) && each_file(arena, one, NULL, remove_file, err) < 0) {
            return err_pass(err);
        }
        rmdir(one); /* one that holds other folders stays */
    }
    return 0;
}

int labextension_copy(struct arena *arena, const char *source, const char *place,
                      struct err *err) {
    const char *folder = labextension_folder(arena, place);
    if (labextension_remove(arena, place, err) < 0) {
        return err_pass(err);
    }
    for (int i = 0; i < FOLDERS;
         i++) { /* package.json, by which Jupyter finds it, comes last */
        const char *from = folder_at(arena, source, i), *to = folder_at(arena, folder, i);
        if (file_make_folders(arena, to, err) < 0 ||
            each_file(arena, from, to, copy_file, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

/* "cutaway-lab", or "cutaway-lab:" and one of its parts. */
static bool names_us(struct json_text name) {
    size_t n = strlen(NAME);
    return name.length >= n && memcmp(name.bytes, NAME, n) == 0 &&
           (name.length == n || name.bytes[n] == ':');
}

/* Whether a page_config.json lists the extension as disabled: in an object {"name": true} or in
 * a list of names. */
static bool switches_off(struct arena *arena, const char *path) {
    struct err err;
    struct file *file = file_exists(path) ? file_map(arena, path, &err) : NULL;
    struct json *page =
        file ? json_parse(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
    struct json *off = page ? json_at(page, "disabledExtensions") : NULL;
    for (struct json *at = off ? off->first : NULL; at; at = at->next) {
        bool listed = off->kind == JSON_ARRAY && at->kind == JSON_STRING && names_us(at->text);
        bool set = off->kind == JSON_OBJECT && at->kind == JSON_TRUE && names_us(at->key);
        if (listed || set) {
            return true;
        }
    }
    return false;
}

const char *labextension_switched_off(struct arena *arena, char **places) {
    static const char *const tail = "/share/jupyter";
    const char *home = getenv("HOME"), *own = getenv("JUPYTER_CONFIG_DIR");
    const char *user = own && *own ? own : file_join(arena, home ? home : "", ".jupyter");
    const char *first = file_join(arena, user, "labconfig/page_config.json");
    const char *last = "/etc/jupyter/labconfig/page_config.json";
    if (switches_off(arena, first)) {
        return first;
    }
    for (; *places; places++) {
        const char *settings = file_join(arena, *places, "lab/settings/page_config.json");
        size_t n = strlen(*places), m = strlen(tail);
        bool in_prefix = n > m && strcmp(*places + n - m, tail) == 0;
        const char *prefix = arena_text(arena, *places, in_prefix ? n - m : n);
        const char *config = file_join(arena, prefix, "etc/jupyter/labconfig/page_config.json");
        if (switches_off(arena, settings) || (in_prefix && switches_off(arena, config))) {
            return switches_off(arena, settings) ? settings : config;
        }
    }
    return switches_off(arena, last) ? last : NULL;
}
