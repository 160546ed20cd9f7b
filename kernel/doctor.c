#include <config.h>

#include "kernel/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/cpu.h"
#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "core/draw/canvas.h"
#include "core/model/model.h"
#include "kernel/front/history.h"
#include "kernel/install.h"
#include "kernel/labextension.h"

/* One line of the report. Returns `well`, so that a look can end with it. */
__attribute__((format(printf, 3, 4))) static bool say(struct buf *out, bool well,
                                                      const char *format, ...) {
    char line[2000];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    buf_printf(out, "%s %s\n", well ? " ok " : "BAD ", line);
    return well;
}

/* The folder that a path lies in. */
static char *parent(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? arena_text(arena, path, (size_t)(slash - path))
                                 : arena_copy(arena, slash ? "/" : ".");
}

/* The program that a name in argv means: a path as it is, else the first on PATH. NULL: none.
 */
static const char *program_of(struct arena *arena, const char *name) {
    if (strchr(name, '/')) {
        return access(name, X_OK) == 0 ? name : NULL;
    }
    char *rest = arena_copy(arena, getenv("PATH") ? getenv("PATH") : "");
    for (char *folder = strsep(&rest, ":"); folder; folder = strsep(&rest, ":")) {
        char *path = file_join(arena, *folder ? folder : ".", name);
        if (access(path, X_OK) == 0) {
            return path;
        }
    }
    return NULL;
}

/* What the kernelspec at `path` would start. */
static bool look_at_spec(struct arena *arena, struct buf *out, const char *path,
                         const char *me) {
    struct err err;
    struct file *file = file_map(arena, path, &err);
    struct json *spec =
        file ? json_parse(arena, file->bytes, (size_t)file->size, path, &err) : NULL;
    if (!spec) {
        return say(out, false, "kernelspec: %s; write it anew: %s install", err.text, me);
    }
    struct json *argv = json_at(spec, "argv");
    struct json *first = argv && argv->kind == JSON_ARRAY ? argv->first : NULL;
    if (!first || first->kind != JSON_STRING) {
        return say(out, false,
                   "kernelspec: %s has no \"argv\" that begins with a program; write it anew: "
                   "%s install",
                   path, me);
    }
    const char *program = program_of(arena, first->text.bytes);
    if (!program) {
        return say(
            out, false,
            "kernelspec: %s starts %s, which is not there or cannot be run (was it moved?); "
            "write it anew: %s install",
            path, first->text.bytes, me);
    }
    return say(out, true, "kernelspec: %s starts %s%s", path, program,
               file_same(program, me) ? "" : ", which is not this program");
}

/* The places of Jupyter, before them an environment beside the program and the prefix it lies
 * in.
 */
static char **places_near(struct arena *arena, const char *me) {
    char **usual = install_places(arena), **places;
    int64_t n = 0;
    while (usual[n]) {
        n++;
    }
    places = arena_array(arena, n + 3, sizeof *places);
    places[0] = file_join(arena, parent(arena, me), "venv/share/jupyter");
    places[1] = file_join(arena, parent(arena, parent(arena, me)), "share/jupyter");
    memcpy(places + 2, usual, (size_t)n * sizeof *usual);
    return places;
}

bool doctor_kernelspec(struct arena *arena, struct buf *out) {
    struct err err;
    const char *me = install_program(arena, &err);
    if (!me) {
        return say(out, false, "kernelspec: %s", err.text);
    }
    bool well = true;
    int found = 0;
    for (char **place = places_near(arena, me); *place; place++) {
        const char *path = file_join(arena, *place, "kernels/cutaway/kernel.json");
        if (file_exists(path)) {
            well = look_at_spec(arena, out, path, me) && well;
            found++;
        }
    }
    return found
               ? well
               : say(out, false,
                     "kernelspec: Jupyter does not know Cutaway yet; tell it: %s install", me);
}

/* The extension in one place. */
static bool look_at_extension(struct arena *arena, struct buf *out, const char *place,
                              const char *me) {
    const char *source = labextension_source(arena, me);
    const char *folder = labextension_folder(arena, place);
    if (source && !labextension_same(arena, place, source)) {
        return say(out, false,
                   "extension: %s is not the one that belongs to this program; copy it anew: "
                   "%s install",
                   folder, me);
    }
    return say(out, true, "extension: JupyterLab finds it in %s", folder);
}

bool doctor_extension(struct arena *arena, struct buf *out) {
    struct err err;
    const char *me = install_program(arena, &err);
    bool well = true;
    int found = 0;
    char **places = me ? places_near(arena, me) : install_places(arena);
    for (char **place = places; *place; place++) {
        if (labextension_there(arena, *place)) {
            well = look_at_extension(arena, out, *place, me ? me : "cutaway") && well;
            found++;
        }
    }
    const char *off = labextension_switched_off(arena, places);
    if (found && off) {
        return say(out, false,
                   "extension: %s switches it off; switch it on: jupyter labextension enable "
                   "cutaway-lab",
                   off);
    }
    return found ? well
                 : say(out, false,
                       "extension: JupyterLab does not know it, so pictures stand still; tell "
                       "it: %s install",
                       me ? me : "cutaway");
}

bool doctor_pictures(struct arena *arena, struct buf *out) {
    struct err err;
    int latin = canvas_lacks(arena, "Aé", &err);
    int chinese = latin < 0 ? -1 : canvas_lacks(arena, "中文", &err);
    if (chinese < 0) {
        return say(out, false, "pictures: %s", err.text);
    }
    if (latin > 0) {
        return say(out, false,
                   "pictures: no font has Latin letters; install the package "
                   "fonts-dejavu-core");
    }
    if (chinese > 0) {
        return say(out, false,
                   "pictures: no font has Chinese characters; install the package "
                   "fonts-wqy-microhei");
    }
    return say(out, true, "pictures: Cairo, Pango and fonts for Latin and Chinese text");
}

bool doctor_models(struct arena *arena, struct buf *out) {
    int64_t count;
    struct found *found = find_models(arena, &count);
    bool encoder = false, decoder = false;
    for (int64_t i = 0; i < count; i++) {
        encoder = encoder || strcmp(found[i].name, "minilm") == 0;
        decoder = decoder || strcmp(found[i].name, "smollm2") == 0;
        say(out, true, "model: %s at %s", found[i].name, found[i].path);
    }
    if (encoder && decoder) {
        return true;
    }
    return say(
        out, false,
        "model: the default %s not here; ./start fetches them, or name folders with models "
        "in CUTAWAY_MODELS",
        encoder   ? "model smollm2 is"
        : decoder ? "model minilm is"
                  : "models minilm and smollm2 are");
}

/* Whether files can be made in the folder, or the folder itself where it does not exist yet. */
static bool look_at_folder(struct arena *arena, struct buf *out, const char *use,
                           const char *folder) {
    const char *at = folder;
    while (access(at, F_OK) < 0 && strcmp(at, parent(arena, at)) != 0) {
        at = parent(arena, at);
    }
    if (!file_is_folder(at) || access(at, W_OK | X_OK) < 0) {
        return say(out, false,
                   "folder: %s cannot be written to, but %s belongs there; change its "
                   "rights or its owner",
                   at, use);
    }
    return say(out, true, "folder: %s takes %s", folder, use);
}

bool doctor_folders(struct arena *arena, struct buf *out) {
    const char *temporary = getenv("TMPDIR");
    const char *history = history_path(arena);
    bool well = look_at_folder(arena, out, "temporary files",
                               temporary && *temporary ? temporary : "/tmp");
    if (!history) {
        return say(out, false, "folder: HOME is not set, so no history can be kept; set it");
    }
    return look_at_folder(arena, out, "the history", parent(arena, history)) && well;
}

bool doctor_loopback(struct arena *arena, struct buf *out) {
    (void)arena;
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof here;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool well = server >= 0 && client >= 0 &&
                bind(server, (struct sockaddr *)&here, sizeof here) == 0 &&
                listen(server, 1) == 0 &&
                getsockname(server, (struct sockaddr *)&here, &size) == 0 &&
                connect(client, (struct sockaddr *)&here, sizeof here) == 0;
    int why = errno;
    if (server >= 0) {
        close(server);
    }
    if (client >= 0) {
        close(client);
    }
    return well ? say(out, true, "network: 127.0.0.1 takes connections")
                : say(out, false,
                      "network: 127.0.0.1 takes no connections (%s), so Jupyter cannot reach "
                      "the "
                      "kernel; bring the loopback interface up (ip link set lo up)",
                      strerror(why));
}

int doctor_main(int argc, char **argv) {
    if (argc != 1) {
        fprintf(stderr, "cutaway: usage: cutaway %s\n", argv[0]);
        return 2;
    }
    bool (*const looks[])(struct arena *,
                          struct buf *) = { doctor_kernelspec, doctor_extension,
                                            doctor_pictures,   doctor_models,
                                            doctor_folders,    doctor_loopback };
    struct arena *arena = arena_new();
    struct buf *out = buf_new(arena);
    int bad = 0;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        bad += !looks[i](arena, out);
    }
    printf("Cutaway %s, instructions %s, threads %d\n%s", PACKAGE_VERSION, cpu_name(cpu_isa()),
           cpu_threads(), out->data);
    puts(bad ? "Something is to be mended; see the lines that begin with BAD."
             : "All is well.");
    arena_free(arena);
    return bad ? 1 : 0;
}
