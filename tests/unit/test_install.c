#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "kernel/install.h"
#include "tests/check.h"

/* What the last call said, on stdout and stderr. */
static char said[4096];

static int call(int (*run)(int, char **), const char *name, const char *option,
                const char *value) {
    char *argv[] = { (char *)(uintptr_t)name, (char *)(uintptr_t)option,
                     (char *)(uintptr_t)value, NULL };
    FILE *file = tmpfile();
    int out = dup(1), errors = dup(2);
    fflush(stdout);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    int status = run(!option ? 1 : !value ? 2 : 3, argv);
    fflush(stdout);
    dup2(out, 1);
    dup2(errors, 2);
    close(out);
    close(errors);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = 0;
    fclose(file);
    return status;
}

static struct json *spec_at(struct arena *arena, const char *folder) {
    struct err err;
    struct file *file = file_map(arena, file_join(arena, folder, "kernel.json"), &err);
    return file ? json_parse(arena, file->bytes, (size_t)file->size, file->path, &err) : NULL;
}

TEST(install_writes_a_kernelspec_with_this_program) {
    struct arena *arena = check_arena();
    struct err err;
    const char *prefix = file_join(arena, check_folder(arena), "a & \"b\"");
    const char *folder = file_join(arena, prefix, "share/jupyter/kernels/cutaway");

    check_int(call(install_main, "install", "--prefix", prefix), 0);
    struct json *spec = spec_at(arena, folder);
    struct json *argv = json_at(spec, "argv");
    if (check(argv && argv->count == 4)) {
        check_same(argv->first->text.bytes, install_program(arena, &err));
        check(argv->first->text.bytes[0] == '/');
        check_same(argv->first->next->next->next->text.bytes, "{connection_file}");
    }
    check_same(json_text_at(spec, "interrupt_mode", ""), "message");
    check_same(json_text_at(spec, "kernel_protocol_version", ""), "5.5");
    struct json *encryption = json_at(json_at(spec, "metadata"), "supported_encryption");
    check(encryption && encryption->count == 1);
    check_same(encryption->first->text.bytes, "curve");

    struct file *logo = file_map(arena, file_join(arena, folder, "logo-64x64.png"), &err);
    check(logo && logo->size > 8 && memcmp(logo->bytes, "\x89PNG\r\n\x1a\n", 8) == 0);
    check(file_exists(file_join(arena, folder, "logo-svg.svg")));

    check_int(call(install_main, "install", "--prefix", prefix), 0); /* again: the same */
    check_int(call(uninstall_main, "uninstall", "--prefix", prefix), 0);
    check(!file_is_folder(folder));
    check_int(call(uninstall_main, "uninstall", "--prefix", prefix), 1);
    check_text(said, "there is no kernel in ");
}

TEST(install_leaves_other_kernels_alone) {
    struct arena *arena = check_arena();
    struct err err;
    const char *prefix = check_folder(arena);
    const char *folder = file_join(arena, prefix, "share/jupyter/kernels/cutaway");
    check_int(call(install_main, "install", "--prefix", prefix), 0);

    const char *theirs = "{\"argv\": [\"python3\"], \"language\": \"python\"}";
    const char *json = file_join(arena, folder, "kernel.json");
    check_int(file_write(json, theirs, strlen(theirs), &err), 0);
    check_int(call(install_main, "install", "--prefix", prefix), 1);
    check_text(said, "a kernel for \"python\"");
    check_int(call(uninstall_main, "uninstall", "--prefix", prefix), 1);
    check_same(json_text_at(spec_at(arena, folder), "language", ""), "python");
}

TEST(install_keeps_files_it_did_not_write) {
    struct arena *arena = check_arena();
    struct err err;
    const char *prefix = check_folder(arena);
    const char *folder = file_join(arena, prefix, "share/jupyter/kernels/cutaway");
    check_int(call(install_main, "install", "--prefix", prefix), 0);
    check_int(file_write(file_join(arena, folder, "notes.txt"), "x", 1, &err), 0);

    check_int(call(uninstall_main, "uninstall", "--prefix", prefix), 0);
    check(file_exists(file_join(arena, folder, "notes.txt")));
    check(!file_exists(file_join(arena, folder, "kernel.json")));
}

TEST(install_refuses_wrong_options) {
    check_int(call(install_main, "install", "--nowhere", NULL), 2);
    check_text(said, "usage: cutaway install [--user | --sys-prefix | --prefix P]");
    check_int(call(install_main, "install", "--prefix", NULL), 2);
    check_int(call(install_main, "install", "--prefix", ""), 2);
    check_int(call(uninstall_main, "uninstall", "--user", "more"), 2);
}

TEST(install_says_when_a_folder_cannot_be_made) {
    struct arena *arena = check_arena();
    struct err err;
    const char *file = file_join(arena, check_folder(arena), "file");
    check_int(file_write(file, "x", 1, &err), 0);
    check_int(call(install_main, "install", "--prefix", file), 1);
    check_text(said, "cannot make the folder ");
}

/* Sets a variable until the test's arena ends. */
struct setting {
    const char *name;
    char *before;
};

static void restore(void *what) {
    struct setting *setting = what;
    if (setting->before) {
        setenv(setting->name, setting->before, 1);
    } else {
        unsetenv(setting->name);
    }
}

static void set(struct arena *arena, const char *name, const char *value) {
    struct setting *setting = arena_alloc(arena, sizeof *setting);
    *setting = (struct setting){ name, getenv(name) ? arena_copy(arena, getenv(name)) : NULL };
    arena_defer(arena, restore, setting);
    if (value) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

TEST(install_looks_where_jupyter_looks) {
    struct arena *arena = check_arena();
    set(arena, "JUPYTER_PATH", "/one::/two");
    set(arena, "VIRTUAL_ENV", "/venv");
    set(arena, "JUPYTER_DATA_DIR", NULL);
    set(arena, "XDG_DATA_HOME", NULL);
    set(arena, "HOME", "/home/me");
    const char *wanted[] = { "/one",
                             "/two",
                             "/venv/share/jupyter",
                             "/home/me/.local/share/jupyter",
                             "/usr/local/share/jupyter",
                             "/usr/share/jupyter" };
    char **places = install_places(arena);
    for (int i = 0; i < 6; i++) {
        check_same(places[i], wanted[i]);
    }
    check(!places[6]);
}

TEST(install_goes_into_the_active_environment) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena);
    set(arena, "VIRTUAL_ENV", folder);
    check_int(call(install_main, "install", "--sys-prefix", NULL), 0);
    check(spec_at(arena, file_join(arena, folder, "share/jupyter/kernels/cutaway")));

    set(arena, "VIRTUAL_ENV", NULL);
    set(arena, "CONDA_PREFIX", NULL);
    check_int(call(install_main, "install", "--sys-prefix", NULL), 2);
}
