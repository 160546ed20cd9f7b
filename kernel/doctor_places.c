#include "kernel/doctor_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/model.h"
#include "kernel/doctor.h"
#include "kernel/doctor_jupyter.h"
#include "kernel/front/history.h"
#include "kernel/front/history_file.h"
#include "kernel/install.h"

/* ---- folders ---- */

/* Writes a small file into the folder and takes it away. 0, or errno. */
static int try_to_write(struct arena *arena, const char *folder) {
    static const char bytes[1 << 16];
    char *path = file_join(arena, folder, ".cutaway-doctor-XXXXXX");
    int fd = mkostemp(path, O_CLOEXEC), why = fd < 0 ? errno : 0;
    if (fd < 0) {
        return why;
    }
    for (size_t done = 0; done < sizeof bytes && !why;) {
        ssize_t n = write(fd, bytes + done, sizeof bytes - done);
        why = n < 0 ? errno : n == 0 ? ENOSPC : 0;
        done += n > 0 ? (size_t)n : 0;
    }
    if (close(fd) < 0 && !why) { /* a network drive says here that it is full */
        why = errno;
    }
    unlink(path);
    return why;
}

static bool say_folder(struct buf *out, const char *use, const char *folder, int why) {
    struct rlimit limit;
    switch (why) {
    case 0:
        return doctor_say(out, DOCTOR_OK, "folder: %s takes %s", folder, use);
    case ENOSPC:
    case EDQUOT:
        return doctor_say(out, DOCTOR_BAD,
                          "folder: %s is full (%s), but %s must be written there; delete what "
                          "is not needed, or name another folder",
                          folder, strerror(why), use);
    case EFBIG:
        getrlimit(RLIMIT_FSIZE, &limit);
        return doctor_say(out, DOCTOR_BAD,
                          "folder: %s takes no file of more than %lld bytes, as the limit of "
                          "files is set so; raise it: ulimit -f unlimited",
                          folder, (long long)limit.rlim_cur);
    default:
        return doctor_say(out, DOCTOR_BAD,
                          "folder: %s cannot be written to (%s), but %s must be written there; "
                          "change its rights or its owner, or name another folder",
                          folder, strerror(why), use);
    }
}

/* Whether files can be made in the folder, or in the first one above it that there is. */
static bool look_at_folder(struct arena *arena, struct buf *out, const char *use,
                           const char *folder) {
    const char *at = folder;
    while (access(at, F_OK) < 0 && errno == ENOENT &&
           strcmp(at, doctor_parent(arena, at)) != 0) {
        at = doctor_parent(arena, at);
    }
    int why = file_is_folder(at) ? try_to_write(arena, at) : ENOTDIR;
    return say_folder(out, use, why ? at : folder, why);
}

static const char *temporary_folder(void) {
    const char *own = getenv("TMPDIR");
    return own && *own ? own : "/tmp";
}

bool doctor_places_folders(struct arena *arena, struct buf *out) {
    const char *history = history_path(arena), *data = install_user_place(arena);
    const char *runtime = doctor_jupyter_runtime(arena);
    char here[4096];
    if (!history || !data) {
        return doctor_say(out, DOCTOR_BAD,
                          "folder: HOME is not set, so Jupyter has no place for its files and "
                          "no history is kept; set it");
    }
    if (!getcwd(here, sizeof here)) {
        return doctor_say(out, DOCTOR_BAD,
                          "folder: the one you are in is gone (%s); go to another: cd",
                          strerror(errno));
    }
    runtime = runtime ? runtime : file_join(arena, data, "runtime");
    bool well = look_at_folder(arena, out, "Jupyter's connection files", runtime);
    well = look_at_folder(arena, out, "temporary files", temporary_folder()) && well;
    well = look_at_folder(arena, out, "the history", doctor_parent(arena, history)) && well;
    well = look_at_folder(arena, out, "what is installed for you", data) && well;
    return look_at_folder(arena, out, "what %save is given a bare name for", here) && well;
}

/* ---- history ---- */

bool doctor_places_history(struct arena *arena, struct buf *out) {
    const char *path = history_path(arena);
    struct err err;
    struct stat info;
    if (!path || stat(path, &info) < 0) {
        return doctor_say(out, DOCTOR_OK, "history: it begins with the first cell");
    }
    if (history_file_look(path, &err) < 0) {
        return doctor_say(out, DOCTOR_BAD, "history: %s", err.text);
    }
    if (info.st_mode & 077) {
        return doctor_say(out, DOCTOR_BAD,
                          "history: %s can be read by others, and with it your cells: chmod "
                          "600 %s",
                          path, path);
    }
    return doctor_say(out, DOCTOR_OK, "history: %s is whole, %lld kB", path,
                      (long long)(info.st_size + 999) / 1000);
}

/* ---- models ---- */

bool doctor_places_models(struct arena *arena, struct buf *out) {
    int64_t count;
    struct found *found = find_models(arena, &count);
    bool encoder = false, decoder = false;
    for (int64_t i = 0; i < count; i++) {
        encoder = encoder || strcmp(found[i].name, "minilm") == 0;
        decoder = decoder || strcmp(found[i].name, "smollm2") == 0;
        doctor_say(out, DOCTOR_OK, "model: %s at %s", found[i].name, found[i].path);
    }
    if (encoder && decoder) {
        return true;
    }
    return doctor_say(
        out, DOCTOR_BAD,
        "model: the default %s not here; ./start fetches them, or name folders with models "
        "in CUTAWAY_MODELS",
        encoder   ? "model smollm2 is"
        : decoder ? "model minilm is"
                  : "models minilm and smollm2 are");
}
