#include "kernel/install.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "kernel/labextension.h"

static const struct logo {
    const char *name;
    size_t size;
    const unsigned char *bytes;
} logos[] = {
#define LOGO(name, ...)                                     \
    { name, sizeof((const unsigned char[]){ __VA_ARGS__ }), \
      (const unsigned char[]){ __VA_ARGS__ } },
#include "kernel/logos.inc"
#undef LOGO
};
enum { LOGOS = sizeof logos / sizeof *logos };

char *install_program(struct arena *arena, struct err *err) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || length == sizeof path) {
        err_set(err, ERR_IO, "the system does not tell where this program lies: %s",
                length < 0 ? strerror(errno) : "its path is too long");
        return NULL;
    }
    return arena_text(arena, path, (size_t)length);
}

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *install_user_place(struct arena *arena) {
    if (variable("JUPYTER_DATA_DIR")) {
        return arena_copy(arena, variable("JUPYTER_DATA_DIR"));
    }
    if (variable("XDG_DATA_HOME")) {
        return file_join(arena, variable("XDG_DATA_HOME"), "jupyter");
    }
    return variable("HOME") ? file_join(arena, variable("HOME"), ".local/share/jupyter") : NULL;
}

static const char *active_environment(void) {
    const char *environment = variable("VIRTUAL_ENV");
    return environment ? environment : variable("CONDA_PREFIX");
}

char **install_places(struct arena *arena) {
    const char *path = variable("JUPYTER_PATH");
    size_t most = 6 + (path ? strlen(path) : 0);
    char **places = arena_array(arena, (int64_t)most, sizeof *places);
    int n = 0;
    char *rest = path ? arena_copy(arena, path) : NULL;
    for (char *one = strsep(&rest, ":"); one; one = strsep(&rest, ":")) {
        if (*one) {
            places[n++] = one;
        }
    }
    if (active_environment()) {
        places[n++] = file_join(arena, active_environment(), "share/jupyter");
    }
    char *user = install_user_place(arena);
    if (user) {
        places[n++] = user;
    }
    places[n++] = arena_copy(arena, "/usr/local/share/jupyter");
    places[n++] = arena_copy(arena, "/usr/share/jupyter");
    return places;
}

/* The folder of Jupyter's data that the options mean. */
static char *place_from(struct arena *arena, int argc, char **argv, struct err *err) {
    const char *place = NULL;
    if (argc == 1 || (argc == 2 && strcmp(argv[1], "--user") == 0)) {
        place = install_user_place(arena);
        if (!place) {
            err_set(err, ERR_OPTION, "HOME is not set; say where with --prefix P");
            return NULL;
        }
    } else if (argc == 2 && strcmp(argv[1], "--sys-prefix") == 0) {
        if (!active_environment()) {
            err_set(err, ERR_OPTION,
                    "--sys-prefix wants an active environment, but neither VIRTUAL_ENV nor "
                    "CONDA_PREFIX is set; activate one, or use --user or --prefix P");
            return NULL;
        }
        place = file_join(arena, active_environment(), "share/jupyter");
    } else if (argc == 3 && strcmp(argv[1], "--prefix") == 0 && *argv[2]) {
        place = file_join(arena, argv[2], "share/jupyter");
    } else if (argc == 2 && strncmp(argv[1], "--prefix=", 9) == 0 && argv[1][9]) {
        place = file_join(arena, argv[1] + 9, "share/jupyter");
    } else {
        err_set(err, ERR_OPTION, "usage: cutaway %s [--user | --sys-prefix | --prefix P]",
                argv[0]);
        return NULL;
    }
    return arena_copy(arena, place);
}

static struct buf *kernel_json(struct arena *arena, const char *program) {
    struct buf *out = buf_new(arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "argv");
    json_open(&w, '[');
    json_string(&w, program);
    json_string(&w, "kernel");
    json_string(&w, "-f");
    json_string(&w, "{connection_file}");
    json_close(&w, ']');
    json_key(&w, "display_name");
    json_string(&w, "Cutaway");
    json_key(&w, "language");
    json_string(&w, "cutaway");
    json_key(&w, "interrupt_mode");
    json_string(&w, "message");
    json_key(&w, "kernel_protocol_version");
    json_string(&w, "5.5");
    json_key(&w, "metadata");
    json_open(&w, '{');
    json_key(&w, "supported_encryption");
    json_open(&w, '[');
    json_string(&w, "curve");
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, '}');
    buf_char(out, '\n');
    return out;
}

/* Whether the folder's kernel.json is one of ours: its language is "cutaway". */
static int check_ours(struct arena *arena, const char *folder, struct err *err) {
    struct file *file = file_map(arena, file_join(arena, folder, "kernel.json"), err);
    if (!file) {
        return err_pass(err);
    }
    struct json *spec = json_parse(arena, file->bytes, (size_t)file->size, file->path, err);
    if (!spec) {
        return err_pass(err);
    }
    const char *language = json_text_at(spec, "language", "");
    if (strcmp(language, "cutaway") != 0) {
        return err_set(err, ERR_IO,
                       "%s is a kernel for \"%s\", not Cutaway's; it is left alone", folder,
                       language);
    }
    return 0;
}

/* The kernel, in PLACE/kernels/cutaway. */
static int install_kernel(struct arena *arena, const char *place, const char *program,
                          struct err *err) {
    const char *folder = file_join(arena, place, "kernels/cutaway");
    const char *json = file_join(arena, folder, "kernel.json");
    if (file_make_folders(arena, folder, err) < 0 ||
        (file_exists(json) && check_ours(arena, folder, err) < 0)) {
        return err_pass(err);
    }
    for (int i = 0; i < LOGOS; i++) {
        const char *path = file_join(arena, folder, logos[i].name);
        if (file_write(path, logos[i].bytes, logos[i].size, err) < 0) {
            return err_pass(err);
        }
    }
    struct buf *text = kernel_json(arena, program);
    if (file_write(json, text->data, text->length, err) <
        0) { /* last: it is what Jupyter sees */
        return err_pass(err);
    }
    printf("Jupyter finds Cutaway in %s\n", folder);
    return 0;
}

/* The extension, where this program has one. A folder cannot be copied onto itself. */
static int install_extension(struct arena *arena, const char *place, const char *program,
                             struct err *err) {
    const char *source = labextension_source(arena, program);
    const char *folder = labextension_folder(arena, place);
    if (!source) {
        printf("Its extension for JupyterLab is not beside %s and was not installed: pictures "
               "will stand still\n",
               program);
        return 0;
    }
    if (!file_same(source, folder) && labextension_copy(arena, source, place, err) < 0) {
        return err_pass(err);
    }
    printf("JupyterLab finds its extension in %s\n", folder);
    return 0;
}

static int install(struct arena *arena, int argc, char **argv, struct err *err) {
    const char *place = place_from(arena, argc, argv, err);
    const char *program = place ? install_program(arena, err) : NULL;
    if (!program || install_kernel(arena, place, program, err) < 0 ||
        install_extension(arena, place, program, err) < 0) {
        return err_pass(err);
    }
    return 0;
}

static int uninstall_kernel(struct arena *arena, const char *folder, struct err *err) {
    if (check_ours(arena, folder, err) < 0) {
        return err_pass(err);
    }
    for (int i = 0; i < LOGOS; i++) {
        unlink(file_join(arena, folder, logos[i].name));
    }
    const char *json = file_join(arena, folder, "kernel.json");
    if (unlink(json) < 0) {
        return err_set(err, ERR_IO, "cannot remove %s: %s", json, strerror(errno));
    }
    if (rmdir(folder) < 0) {
        printf("Removed Cutaway from %s; the folder holds other files and stays\n", folder);
    } else {
        printf("Removed %s\n", folder);
    }
    return 0;
}

static int uninstall(struct arena *arena, int argc, char **argv, struct err *err) {
    const char *place = place_from(arena, argc, argv, err);
    if (!place) {
        return err_pass(err);
    }
    const char *folder = file_join(arena, place, "kernels/cutaway");
    bool kernel = file_exists(file_join(arena, folder, "kernel.json"));
    bool extension = labextension_there(arena, place);
    if (!kernel && !extension) {
        return err_set(err, ERR_IO, "there is no kernel in %s to take away", folder);
    }
    if (kernel && uninstall_kernel(arena, folder, err) < 0) {
        return err_pass(err);
    }
    if (extension && labextension_remove(arena, place, err) < 0) {
        return err_pass(err);
    }
    if (extension) {
        printf("Removed %s\n", labextension_folder(arena, place));
    }
    return 0;
}

typedef int install_step(struct arena *arena, int argc, char **argv, struct err *err);

/* Says the error, gives the exit status. */
static int carry_out(install_step *step, int argc, char **argv) {
    struct arena *arena = arena_new();
    struct err err = { 0 };
    int status = step(arena, argc, argv, &err);
    arena_free(arena);
    if (status < 0) {
        fprintf(stderr, "cutaway: %s\n", err.text);
        return err.kind == ERR_OPTION ? 2 : 1;
    }
    return 0;
}

int install_main(int argc, char **argv) {
    return carry_out(install, argc, argv);
}

int uninstall_main(int argc, char **argv) {
    return carry_out(uninstall, argc, argv);
}
