/* doctor_places: folders that take nothing, and a history file with each fault. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "kernel/doctor.h"
#include "kernel/doctor_places.h"
#include "kernel/front/history.h"
#include "tests/check.h"

static const char *names[] = { "HOME",         "XDG_DATA_HOME", "JUPYTER_DATA_DIR",
                               "JUPYTER_PATH", "TMPDIR",        "JUPYTER_RUNTIME_DIR",
                               "PATH" };
enum { NAMES = sizeof names / sizeof *names };

/* What a look says with this home and folder of temporary files. */
static const char *say_of(struct arena *arena, doctor_look *look, const char *home,
                          const char *temporary, bool *well) {
    const char *kept[NAMES];
    for (int i = 0; i < NAMES; i++) {
        kept[i] = getenv(names[i]) ? arena_copy(arena, getenv(names[i])) : NULL;
        unsetenv(names[i]);
    }
    if (home) {
        setenv("HOME", home, 1);
    }
    setenv("TMPDIR", temporary, 1);
    struct buf *out = buf_new(arena);
    *well = look(arena, out);
    for (int i = 0; i < NAMES; i++) {
        kept[i] ? setenv(names[i], kept[i], 1) : unsetenv(names[i]);
    }
    return out->data;
}

TEST(doctor_places_names_folders_that_take_nothing) {
    struct arena *arena = check_arena();
    struct err err;
    const char *home = check_folder(arena), *file = file_join(arena, home, "file");
    bool well;
    check_text(say_of(arena, doctor_places_folders, home, "/tmp", &well),
               " ok  folder: /tmp takes temporary files");
    check(well);
    check(!file_exists(file_join(arena, home, ".local"))); /* it leaves nothing */

    check_int(file_write(file, "x", 1, &err), 0);
    check_text(say_of(arena, doctor_places_folders, home, file, &well),
               "file cannot be written to (Not a directory), but temporary files must");
    check(!well);
    check_text(say_of(arena, doctor_places_folders, file, "/tmp", &well),
               "cannot be written to (Not a directory), but the history must");
    check_text(say_of(arena, doctor_places_folders, "/proc", "/tmp", &well),
               "BAD  folder: /proc cannot be written to");
    check(!well);
    check_text(say_of(arena, doctor_places_folders, NULL, "/tmp", &well), "HOME is not set");
    check(!well);
}

TEST(doctor_places_names_a_limit_of_files) {
    struct arena *arena = check_arena();
    struct rlimit before, small = { 1000, RLIM_INFINITY };
    bool well;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &small);
    const char *said = say_of(arena, doctor_places_folders, check_folder(arena), "/tmp", &well);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    check_text(said, "folder: /tmp takes no file of more than 1000 bytes");
    check_text(said, "ulimit -f unlimited");
    check(!well);
}

TEST(doctor_places_names_what_is_wrong_with_the_history) {
    struct arena *arena = check_arena();
    struct err err;
    const char *home = check_folder(arena);
    const char *folder = file_join(arena, home, ".local/share/cutaway");
    const char *path = file_join(arena, folder, "history.sqlite");
    bool well;
    check_text(say_of(arena, doctor_places_history, home, "/tmp", &well),
               "it begins with the first cell");
    check_int(file_make_folders(arena, folder, &err), 0);
    check_int(file_write(path, "", 0, &err), 0);
    chmod(path, 0600);
    check_text(say_of(arena, doctor_places_history, home, "/tmp", &well), "is whole");
    check(well);
    chmod(path, 0644);
    check_text(say_of(arena, doctor_places_history, home, "/tmp", &well),
               "can be read by others, and with it your cells: chmod 600 ");
    check(!well);
    const char *junk = "this is no database, and long enough to look at, and then some more";
    check_int(file_write(path, junk, strlen(junk), &err), 0);
    check_text(say_of(arena, doctor_places_history, home, "/tmp", &well),
               "history.sqlite is damaged; the next kernel moves it aside");
    check(!well);
}
