#include <config.h>

#include "kernel/doctor_jupyter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "kernel/doctor.h"
#include "kernel/install.h"
#include "kernel/labextension.h"

enum { JUPYTERS = 2, JUPYTER_SECONDS = 20, VERSION_SECONDS = 10 };

static const char spec_file[] = "kernels/cutaway/kernel.json";

/* ---- where Jupyter looks ---- */

struct jupyter {
    const char *program; /* NULL: none is at hand */
    char **places;       /* its data folders, in its order, ending with NULL */
    const char *runtime; /* NULL: not known */
};

/* The texts of a list, ending with NULL. */
static char **texts_at(struct arena *arena, const struct json *object, const char *key) {
    struct json *list = json_at(object, key);
    bool is_list = list && list->kind == JSON_ARRAY;
    char **texts = arena_array(arena, (is_list ? list->count : 0) + 1, sizeof *texts);
    int64_t n = 0;
    for (struct json *at = is_list ? list->first : NULL; at; at = at->next) {
        if (at->kind == JSON_STRING && at->text.length > 0) {
            texts[n++] = arena_text(arena, at->text.bytes, at->text.length);
        }
    }
    return texts;
}

/* Asks it where it looks; whether it answers. */
static bool jupyter_ask(struct arena *arena, const char *program, struct jupyter *jupyter) {
    struct err err;
    const char *const argv[] = { program, "--paths", "--json", NULL };
    const char *said = doctor_ask(arena, argv, JUPYTER_SECONDS);
    struct json *paths =
        said ? json_parse(arena, said, strlen(said), "jupyter --paths --json", &err) : NULL;
    if (!paths) {
        return false;
    }
    *jupyter = (struct jupyter){ .program = program,
                                 .places = texts_at(arena, paths, "data"),
                                 .runtime = texts_at(arena, paths, "runtime")[0] };
    return jupyter->places[0] != NULL;
}

/* Those at hand; at least one, which may be none. */
static int jupyters_find(struct arena *arena, const char *me, struct jupyter *found) {
    const char *beside = file_join(arena, doctor_parent(arena, me), "venv/bin/jupyter");
    const char *programs[] = { doctor_program(arena, beside),
                               doctor_program(arena, "jupyter") };
    int n = 0;
    if (programs[0] && programs[1] && file_same(programs[0], programs[1])) {
        programs[1] = NULL;
    }
    for (int i = 0; i < JUPYTERS; i++) {
        n += programs[i] && jupyter_ask(arena, programs[i], &found[n]);
    }
    if (n == 0) {
        found[n++] = (struct jupyter){ .places = install_places(arena) };
    }
    return n;
}

const char *doctor_jupyter_runtime(struct arena *arena) {
    struct jupyter jupyters[JUPYTERS];
    struct err err;
    const char *me = install_program(arena, &err), *own = getenv("JUPYTER_RUNTIME_DIR");
    if (own && *own) {
        return own;
    }
    int n = jupyters_find(arena, me ? me : "", jupyters);
    return jupyters[n - 1].runtime; /* what is on PATH, if there is one */
}

/* Places where an installation may lie that this Jupyter does not look at: those it would have
 * by the environment, the prefix the program lies in, an environment beside it. */
static char **places_near(struct arena *arena, const char *me) {
    char **usual = install_places(arena), **places;
    int64_t n = 0;
    while (usual[n]) {
        n++;
    }
    places = arena_array(arena, n + 3, sizeof *places);
    places[0] = file_join(arena, doctor_parent(arena, me), "venv/share/jupyter");
    places[1] =
        file_join(arena, doctor_parent(arena, doctor_parent(arena, me)), "share/jupyter");
    memcpy(places + 2, usual, (size_t)n * sizeof *usual);
    return places;
}

static const char *spec_at(struct arena *arena, const char *place) {
    const char *path = file_join(arena, place, spec_file);
    return file_exists(path) ? path : NULL;
}

/* ---- one kernelspec ---- */

/* The "argv" of a kernelspec, a list that begins with a text. NULL with the reason. */
static const struct json *argv_of(struct arena *arena, const char *path, struct err *err) {
    struct file *file = file_map(arena, path, err);
    struct json *spec =
        file ? json_parse(arena, file->bytes, (size_t)file->size, path, err) : NULL;
    struct json *argv = spec ? json_at(spec, "argv") : NULL;
    if (spec && !(argv && argv->kind == JSON_ARRAY && argv->first &&
                  argv->first->kind == JSON_STRING)) {
        err_set(err, ERR_FORMAT, "%s has no \"argv\" that begins with a program", path);
        return NULL;
    }
    return argv;
}

/* What argv says beside the program: "kernel", and "-f" with the connection file behind it. */
static bool starts_kernel(const struct json *argv) {
    bool kernel = false, file = false;
    for (const struct json *at = argv->first->next; at; at = at->next) {
        const char *word = at->kind == JSON_STRING ? at->text.bytes : "";
        const char *next =
            at->next && at->next->kind == JSON_STRING ? at->next->text.bytes : "";
        kernel = kernel || strcmp(word, "kernel") == 0;
        file = file || (strcmp(word, "-f") == 0 && strcmp(next, "{connection_file}") == 0);
    }
    return kernel && file;
}

/* Why this name starts nothing. */
static bool say_no_program(struct buf *out, const char *path, const char *name,
                           const char *me) {
    if (!strchr(name, '/')) {
        return doctor_say(out, DOCTOR_BAD,
                          "kernelspec: %s starts %s, which is not there: no folder of PATH has "
                          "it; write it anew: %s install",
                          path, name, me);
    }
    if (file_exists(name)) {
        return doctor_say(out, DOCTOR_BAD,
                          "kernelspec: %s starts %s, which you may not run; allow it: chmod +x "
                          "%s",
                          path, name, name);
    }
    return doctor_say(out, DOCTOR_BAD,
                      "kernelspec: %s starts %s, which is not there or is no file (was it "
                      "moved?); write it anew: %s install",
                      path, name, me);
}

/* A program that is not this one: another copy of the same version is as good. */
static bool look_at_other(struct arena *arena, struct buf *out, const char *path,
                          const char *program, const char *me) {
    const char *const argv[] = { program, "--version", NULL };
    const char *said = doctor_ask(arena, argv, VERSION_SECONDS);
    if (!said || strncmp(said, "cutaway ", 8) != 0) {
        return doctor_say(out, DOCTOR_BAD,
                          "kernelspec: %s starts %s, which is not Cutaway; write it anew: %s "
                          "install",
                          path, program, me);
    }
    const char *version = arena_text(arena, said + 8, strcspn(said + 8, "\n"));
    if (strcmp(version, PACKAGE_VERSION) != 0) {
        return doctor_say(
            out, DOCTOR_BAD,
            "kernelspec: %s starts %s, which is version %s and not this one, " PACKAGE_VERSION
            "; to have this one: %s install",
            path, program, version, me);
    }
    return doctor_say(out, DOCTOR_NOTE,
                      "kernelspec: %s starts %s, another copy of this version; to have this "
                      "one: %s install",
                      path, program, me);
}

/* What the kernelspec at `path` would start. */
static bool look_at_spec(struct arena *arena, struct buf *out, const char *path,
                         const char *me) {
    struct err err;
    const struct json *argv = argv_of(arena, path, &err);
    if (!argv) {
        return doctor_say(out, DOCTOR_BAD, "kernelspec: %s; write it anew: %s install",
                          err.text, me);
    }
    const char *name = argv->first->text.bytes;
    if (strchr(name, '/') && name[0] != '/') {
        return doctor_say(out, DOCTOR_BAD,
                          "kernelspec: %s starts %s, a path that means another program in each "
                          "folder; write the whole path: %s install",
                          path, name, me);
    }
    const char *program = doctor_program(arena, name);
    if (!program) {
        return say_no_program(out, path, name, me);
    }
    if (!starts_kernel(argv)) {
        return doctor_say(out, DOCTOR_BAD,
                          "kernelspec: %s starts %s, but not with \"kernel\", \"-f\", "
                          "\"{connection_file}\"; write it anew: %s install",
                          path, name, me);
    }
    return file_same(program, me)
               ? doctor_say(out, DOCTOR_OK, "kernelspec: %s starts %s", path, program)
               : look_at_other(arena, out, path, program, me);
}

/* ---- several ---- */

/* Whether the kernelspec starts this very program. */
static bool is_mine(struct arena *arena, const char *path, const char *me) {
    struct err err;
    const struct json *argv = argv_of(arena, path, &err);
    const char *program = argv ? doctor_program(arena, argv->first->text.bytes) : NULL;
    return program && file_same(program, me);
}

/* The kernelspecs that this Jupyter never comes to, as it finds `winner` before them. */
static bool look_at_shadowed(struct arena *arena, struct buf *out,
                             const struct jupyter *jupyter, const char *winner,
                             const char *me) {
    bool well = true, mine = is_mine(arena, winner, me);
    for (char **place = jupyter->places; *place; place++) {
        const char *path = spec_at(arena, *place);
        if (!path || file_same(path, winner)) {
            continue;
        }
        if (!mine && is_mine(arena, path, me)) {
            well = doctor_say(out, DOCTOR_BAD,
                              "kernelspec: %s starts this program, but Jupyter finds %s before "
                              "it; take that away: rm -r %s",
                              path, winner, doctor_parent(arena, winner));
        } else {
            doctor_say(out, DOCTOR_NOTE,
                       "kernelspec: %s is never used, as Jupyter finds %s before it", path,
                       winner);
        }
    }
    return well;
}

/* How to install where this Jupyter looks. */
static const char *install_for(struct arena *arena, const struct jupyter *jupyter,
                               const char *me) {
    const char *tail = "/share/jupyter", *best = NULL;
    for (char **place = jupyter->places; *place && !best; place++) {
        size_t n = strlen(*place), m = strlen(tail);
        const char *prefix = n > m && strcmp(*place + n - m, tail) == 0
                                 ? arena_text(arena, *place, n - m)
                                 : NULL;
        best = prefix && access(prefix, W_OK) == 0 ? prefix : NULL;
    }
    return best ? arena_printf(arena, "%s install --prefix %s", me, best)
                : arena_printf(arena, "%s install", me);
}

/* None where this Jupyter looks. `elsewhere` is one that it does not find, or NULL. */
static bool say_none(struct arena *arena, struct buf *out, const struct jupyter *jupyter,
                     enum doctor_verdict verdict, const char *elsewhere, const char *me) {
    if (!elsewhere) {
        return doctor_say(out, verdict,
                          "kernelspec: Jupyter does not know Cutaway yet; tell it: %s install",
                          me);
    }
    const char *which = jupyter->program ? jupyter->program : "Jupyter";
    return doctor_say(out, verdict,
                      "kernelspec: %s is not where %s looks (%s first); install it there: %s",
                      elsewhere, which, jupyter->places[0], install_for(arena, jupyter, me));
}

/* The first kernelspec in these places. */
static const char *spec_in(struct arena *arena, char **places) {
    const char *path = NULL;
    for (; *places && !path; places++) {
        path = spec_at(arena, *places);
    }
    return path;
}

bool doctor_jupyter_kernelspec(struct arena *arena, struct buf *out) {
    struct err err;
    struct jupyter jupyters[JUPYTERS];
    const char *me = install_program(arena, &err), *any = NULL;
    if (!me) {
        return doctor_say(out, DOCTOR_BAD, "kernelspec: %s", err.text);
    }
    int n = jupyters_find(arena, me, jupyters);
    for (int i = 0; i < n; i++) {
        any = any ? any : spec_in(arena, jupyters[i].places);
    }
    bool well = true;
    enum doctor_verdict missing = any ? DOCTOR_NOTE : DOCTOR_BAD;
    const char *elsewhere = any ? any : spec_in(arena, places_near(arena, me));
    for (int i = 0; i < n; i++) {
        const char *winner = spec_in(arena, jupyters[i].places);
        if (winner) {
            well = look_at_spec(arena, out, winner, me) && well;
            well = look_at_shadowed(arena, out, &jupyters[i], winner, me) && well;
        } else {
            well = say_none(arena, out, &jupyters[i], missing, elsewhere, me) && well;
        }
    }
    return well;
}

/* ---- the extension ---- */

/* All places where the Jupyters at hand look, ending with NULL. */
static char **places_of_all(struct arena *arena, const char *me) {
    struct jupyter jupyters[JUPYTERS];
    int n = jupyters_find(arena, me, jupyters);
    int64_t count = 0;
    for (int i = 0; i < n; i++) {
        for (char **place = jupyters[i].places; *place; place++) {
            count++;
        }
    }
    char **places = arena_array(arena, count + 1, sizeof *places);
    count = 0;
    for (int i = 0; i < n; i++) {
        for (char **place = jupyters[i].places; *place; place++) {
            places[count++] = *place;
        }
    }
    return places;
}

/* The extension in one place. */
static bool look_at_extension(struct arena *arena, struct buf *out, const char *place,
                              const char *me) {
    const char *source = labextension_source(arena, me);
    const char *folder = labextension_folder(arena, place);
    if (source && !labextension_same(arena, place, source)) {
        return doctor_say(out, DOCTOR_BAD,
                          "extension: %s is not the one that belongs to this program; copy it "
                          "anew: %s install",
                          folder, me);
    }
    return doctor_say(out, DOCTOR_OK, "extension: JupyterLab finds it in %s", folder);
}

bool doctor_jupyter_extension(struct arena *arena, struct buf *out) {
    struct err err;
    const char *me = install_program(arena, &err);
    me = me ? me : "cutaway";
    char **places = places_of_all(arena, me);
    const char *off = labextension_switched_off(arena, places), *found = NULL;
    for (char **place = places; *place && !found; place++) {
        found = labextension_there(arena, *place) ? *place : NULL;
    }
    if (!found) {
        return doctor_say(out, DOCTOR_BAD,
                          "extension: JupyterLab does not know it, so pictures stand still; "
                          "tell it: %s install",
                          me);
    }
    if (off) {
        return doctor_say(out, DOCTOR_BAD,
                          "extension: %s switches it off; switch it on: jupyter labextension "
                          "enable cutaway-lab",
                          off);
    }
    return look_at_extension(arena, out, found, me);
}
