/* doctor_jupyter: kernelspecs with each fault, before a Jupyter that is a few lines of shell.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "kernel/doctor_jupyter.h"
#include "kernel/install.h"
#include "tests/check.h"

static const char *write_file(struct arena *arena, const char *folder, const char *name,
                              const char *text, mode_t mode) {
    struct err err;
    const char *path = file_join(arena, folder, name);
    check_int(file_write(path, text, strlen(text), &err), 0);
    chmod(path, mode);
    return path;
}

/* A folder of Jupyter's data, with a kernelspec of this text. */
static const char *place_with(struct arena *arena, const char *json) {
    struct err err;
    const char *place = check_folder(arena);
    const char *folder = file_join(arena, place, "kernels/cutaway");
    check_int(file_make_folders(arena, folder, &err), 0);
    write_file(arena, folder, "kernel.json", json, 0600);
    return place;
}

/* {"argv": [PROGRAM, "kernel", "-f", "{connection_file}"]} */
static const char *starting(struct arena *arena, const char *program) {
    return arena_printf(
        arena, "{\"argv\": [\"%s\", \"kernel\", \"-f\", \"{connection_file}\"]}", program);
}

static const char *own_program(struct arena *arena) {
    return install_program(arena, &(struct err){ 0 });
}

/* What the doctor says where `jupyter` on PATH looks in these places, and nothing else is set.
 */
static const char *say_of(struct arena *arena, const char *first, const char *second,
                          bool *well) {
    const char *names[] = { "PATH", "HOME", "JUPYTER_PATH", "XDG_DATA_HOME",
                            "JUPYTER_DATA_DIR" };
    const char *kept[5], *bin = check_folder(arena);
    for (int i = 0; i < 5; i++) {
        kept[i] = getenv(names[i]) ? arena_copy(arena, getenv(names[i])) : NULL;
    }
    write_file(arena, bin, "jupyter",
               arena_printf(arena,
                            "#!/bin/sh\necho '{\"data\": [\"%s\"%s%s%s], \"runtime\": "
                            "[\"/run/x\"]}'\n",
                            first, second ? ", \"" : "", second ? second : "",
                            second ? "\"" : ""),
               0700);
    setenv("PATH", arena_printf(arena, "%s:/usr/bin:/bin", bin), 1);
    setenv("HOME", check_folder(arena), 1);
    unsetenv("JUPYTER_PATH");
    unsetenv("XDG_DATA_HOME");
    unsetenv("JUPYTER_DATA_DIR");
    struct buf *out = buf_new(arena);
    *well = doctor_jupyter_kernelspec(arena, out);
    for (int i = 0; i < 5; i++) {
        if (kept[i]) {
            setenv(names[i], kept[i], 1);
        } else {
            unsetenv(names[i]);
        }
    }
    return out->data;
}

static const char *bad_of(struct arena *arena, const char *json) {
    bool well;
    const char *said = say_of(arena, place_with(arena, json), NULL, &well);
    check(!well);
    return said;
}

TEST(doctor_jupyter_is_content_with_this_program) {
    struct arena *arena = check_arena();
    bool well;
    const char *place = place_with(arena, starting(arena, own_program(arena)));
    check_text(say_of(arena, place, NULL, &well), " ok  kernelspec: ");
    check(well);
}

TEST(doctor_jupyter_names_a_program_that_is_none) {
    struct arena *arena = check_arena();
    check_text(bad_of(arena, starting(arena, "/no/such/cutaway")),
               "starts /no/such/cutaway, which is not there or is no file");
    check_text(bad_of(arena, starting(arena, "no-such-cutaway")), "no folder of PATH has it");
    check_text(bad_of(arena, starting(arena, "bin/cutaway")),
               "a path that means another program in each folder");
    const char *path = write_file(arena, check_folder(arena), "cutaway", "#!/bin/sh\n", 0600);
    check_text(bad_of(arena, starting(arena, path)),
               "which you may not run; allow it: chmod +x");
    check_text(bad_of(arena, starting(arena, "/")), "or is no file");
}

TEST(doctor_jupyter_names_another_program_and_another_version) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena);
    bool well;
    check_text(bad_of(arena, starting(arena, "sh")), "/sh, which is not Cutaway");
    const char *path =
        write_file(arena, folder, "old", "#!/bin/sh\necho cutaway 0.0.7\n", 0700);
    check_text(bad_of(arena, starting(arena, path)),
               "/old, which is version 0.0.7 and not this one, " PACKAGE_VERSION);
    path = write_file(arena, folder, "copy", "#!/bin/sh\necho cutaway " PACKAGE_VERSION "\n",
                      0700);
    check_text(say_of(arena, place_with(arena, starting(arena, path)), NULL, &well),
               "note kernelspec: ");
    check(well);
}

TEST(doctor_jupyter_names_a_kernelspec_that_starts_nothing) {
    struct arena *arena = check_arena();
    const char *wanted = "has no \"argv\" that begins with a program";
    check_text(bad_of(arena, "{}"), wanted);
    check_text(bad_of(arena, "[]"), wanted);
    check_text(bad_of(arena, "{\"argv\": []}"), wanted);
    check_text(bad_of(arena, "{\"argv\": [1]}"), wanted);
    check_text(bad_of(arena, "{\"argv\": \"cutaway\"}"), wanted);
    check_text(bad_of(arena, "{\"argv\": ["), "write it anew");
    check_text(bad_of(arena, ""), "write it anew");
    wanted = "but not with \"kernel\", \"-f\", \"{connection_file}\"";
    check_text(bad_of(arena, "{\"argv\": [\"sh\"]}"), wanted);
    check_text(bad_of(arena, "{\"argv\": [\"sh\", \"kernel\", \"-f\", 3]}"), wanted);
    check_text(bad_of(arena, "{\"argv\": [\"sh\", \"kernel\", \"{connection_file}\", \"-f\"]}"),
               wanted);
}

TEST(doctor_jupyter_knows_which_of_several_wins) {
    struct arena *arena = check_arena();
    bool well;
    const char *mine = place_with(arena, starting(arena, own_program(arena)));
    const char *other = place_with(arena, starting(arena, "/no/such/cutaway"));
    const char *said = say_of(arena, other, mine, &well);
    check(!well);
    check_text(said, arena_printf(arena,
                                  "%s/kernels/cutaway/kernel.json starts this program, "
                                  "but Jupyter finds %s/kernels/cutaway/kernel.json "
                                  "before it; take that away: rm -r %s/kernels/cutaway",
                                  mine, other, other));
    said = say_of(arena, mine, other, &well);
    check(well);
    check_text(said, "note kernelspec: ");
    check_text(said, "is never used, as Jupyter finds ");
}

TEST(doctor_jupyter_sees_a_kernelspec_where_jupyter_does_not_look) {
    struct arena *arena = check_arena();
    const char *place = place_with(arena, starting(arena, own_program(arena)));
    const char *prefix = check_folder(arena);
    const char *kept = getenv("VIRTUAL_ENV"), *env = check_folder(arena);
    struct err err;
    bool well;
    const char *said = say_of(arena, prefix, NULL, &well);
    check(!well);
    check_text(said, "Jupyter does not know Cutaway yet; tell it: ");
    kept = kept ? arena_copy(arena, kept) : NULL;
    check_int(file_make_folders(arena, file_join(arena, env, "share"), &err), 0);
    check_int(rename(place, file_join(arena, env, "share/jupyter")), 0);
    setenv("VIRTUAL_ENV", env, 1);
    said = say_of(arena, file_join(arena, prefix, "share/jupyter"), NULL, &well);
    kept ? setenv("VIRTUAL_ENV", kept, 1) : unsetenv("VIRTUAL_ENV");
    check(!well);
    check_text(said, "is not where ");
    check_text(said, arena_printf(arena, "install --prefix %s", prefix));
}
