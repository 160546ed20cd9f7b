#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "kernel/labextension.h"
#include "tests/check.h"

static void put(struct arena *arena, const char *folder, const char *name, const char *text) {
    struct err err;
    const char *path = file_join(arena, folder, name);
    char *in = arena_copy(arena, path);
    *strrchr(in, '/') = '\0';
    check_int(file_make_folders(arena, in, &err), 0);
    check_int(file_write(path, text, strlen(text), &err), 0);
}

/* A built extension beside a program, as in a build folder. Returns the program's path. */
static const char *program_with(struct arena *arena, const char *script) {
    const char *folder = check_folder(arena);
    const char *built = file_join(arena, folder, "lab/labextension");
    put(arena, built, "package.json",
        arena_printf(arena, "{\"name\": \"cutaway-lab\", \"load\": \"static/%s\"}", script));
    put(arena, built, arena_printf(arena, "static/%s", script), "run();");
    put(arena, built, "schemas/cutaway-lab/settings.json", "{}");
    return file_join(arena, folder, "cutaway");
}

TEST(labextension_lies_beside_the_program_or_in_its_prefix) {
    struct arena *arena = check_arena();
    const char *program = program_with(arena, "a.js");
    check_text(labextension_source(arena, program), "/lab/labextension");

    const char *prefix = check_folder(arena);
    put(arena, prefix, "share/jupyter/labextensions/cutaway-lab/package.json",
        "{\"name\": \"cutaway-lab\"}");
    check_text(labextension_source(arena, file_join(arena, prefix, "bin/cutaway")),
               "share/jupyter/labextensions/cutaway-lab");
}

TEST(labextension_is_copied_whole_and_replaced_whole) {
    struct arena *arena = check_arena();
    struct err err;
    const char *place = check_folder(arena), *folder = labextension_folder(arena, place);
    const char *first = labextension_source(arena, program_with(arena, "a.js"));
    const char *second = labextension_source(arena, program_with(arena, "b.js"));

    check(!labextension_there(arena, place));
    check_int(labextension_copy(arena, first, place, &err), 0);
    check(labextension_there(arena, place) && labextension_same(arena, place, first));
    check(file_exists(file_join(arena, folder, "schemas/cutaway-lab/settings.json")));

    check(!labextension_same(arena, place, second));
    check_int(labextension_copy(arena, second, place, &err), 0);
    check(labextension_same(arena, place, second));
    check(file_exists(file_join(arena, folder, "static/b.js")));
    check(!file_exists(file_join(arena, folder, "static/a.js")));

    check_int(labextension_remove(arena, place, &err), 0);
    check(!file_is_folder(folder));
    check_int(labextension_remove(arena, place, &err), 0);
}

TEST(labextension_of_another_is_left_alone) {
    struct arena *arena = check_arena();
    struct err err;
    const char *place = check_folder(arena), *folder = labextension_folder(arena, place);
    const char *source = labextension_source(arena, program_with(arena, "a.js"));
    put(arena, folder, "package.json", "{\"name\": \"theirs\"}");
    check(!labextension_there(arena, place));
    check_int(labextension_copy(arena, source, place, &err), -1);
    check_text(err.text, "holds something that is not Cutaway's");
    check(file_exists(file_join(arena, folder, "package.json")));
}

TEST(labextension_half_copied_is_completed) {
    struct arena *arena = check_arena();
    struct err err;
    const char *place = check_folder(arena), *folder = labextension_folder(arena, place);
    const char *source = labextension_source(arena, program_with(arena, "a.js"));
    put(arena, folder, "static/old.js", "x");
    check_int(labextension_copy(arena, source, place, &err), 0);
    check(!file_exists(file_join(arena, folder, "static/old.js")));
}

TEST(labextension_that_is_a_link_goes_and_its_sources_stay) {
    struct arena *arena = check_arena();
    struct err err;
    const char *place = check_folder(arena), *folder = labextension_folder(arena, place);
    const char *source = labextension_source(arena, program_with(arena, "a.js"));
    check_int(file_make_folders(arena, file_join(arena, place, "labextensions"), &err), 0);
    check_int(symlink(source, folder), 0);
    check_int(labextension_remove(arena, place, &err), 0);
    check(!file_is_folder(folder));
    check(file_exists(file_join(arena, source, "static/a.js")));
}

/* What a page_config.json with this text switches off. */
static bool off(const char *text) {
    struct arena *arena = check_arena();
    const char *prefix = check_folder(arena);
    char *places[] = { file_join(arena, prefix, "share/jupyter"), NULL };
    put(arena, prefix, "etc/jupyter/labconfig/page_config.json", text);
    const char *path = labextension_switched_off(arena, places);
    return path && strncmp(path, prefix, strlen(prefix)) == 0;
}

TEST(labextension_knows_who_switches_it_off) {
    check(off("{\"disabledExtensions\": {\"cutaway-lab\": true}}"));
    check(off("{\"disabledExtensions\": {\"a\": true, \"cutaway-lab:panel\": true}}"));
    check(off("{\"disabledExtensions\": [\"cutaway-lab\"]}"));
    check(!off("{\"disabledExtensions\": {\"cutaway-lab\": false}}"));
    check(!off("{\"disabledExtensions\": {\"cutaway-laboratory\": true}}"));
    check(!off("{\"disabledExtensions\": [{\"cutaway-lab\": true}, 1]}"));
    check(!off("{\"disabledExtensions\": \"cutaway-lab\"}"));
    check(!off("{"));
    check(!off("[]"));
}

/* Its folders may be links too, the inner below the outer: what they lead to is another's. */
TEST(labextension_goes_and_what_its_links_lead_to_stays) {
    struct arena *arena = check_arena();
    struct err err;
    const char *place = check_folder(arena), *folder = labextension_folder(arena, place);
    const char *source = labextension_source(arena, program_with(arena, "a.js"));
    put(arena, folder, "package.json", "{\"name\": \"cutaway-lab\"}");
    check_int(symlink(file_join(arena, source, "static"), file_join(arena, folder, "static")),
              0);
    check_int(symlink(file_join(arena, source, "schemas"), file_join(arena, folder, "schemas")),
              0);
    check_int(labextension_remove(arena, place, &err), 0);
    check(!file_is_folder(folder));
    check(file_exists(file_join(arena, source, "static/a.js")));
    check(file_exists(file_join(arena, source, "schemas/cutaway-lab/settings.json")));
}

TEST(labextension_that_cannot_be_read_is_not_copied) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    const char *source = labextension_source(arena, program_with(arena, "a.js"));
    check_int(unlink(file_join(arena, source, "static/a.js")), 0);
    check_int(rmdir(file_join(arena, source, "static")), 0);
    check_int(labextension_copy(arena, source, check_folder(arena), &err), -1);
    check_int(err.kind, ERR_IO);
    check_text(err.text, "cannot open the folder");
}
