#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/draw/canvas.h"
#include "kernel/doctor.h"
#include "tests/check.h"

/* What the doctor says of a kernel.json with this text, in a folder of JUPYTER_PATH. */
static const char *say_of(struct arena *arena, const char *json) {
    struct err err;
    const char *place = check_folder(arena), *before = getenv("JUPYTER_PATH");
    char *kept = before ? arena_copy(arena, before) : NULL;
    char *folder = file_join(arena, place, "kernels");
    mkdir(folder, 0700);
    folder = file_join(arena, folder, "cutaway");
    mkdir(folder, 0700);
    check_int(file_write(file_join(arena, folder, "kernel.json"), json, strlen(json), &err), 0);

    setenv("JUPYTER_PATH", place, 1);
    struct buf *out = buf_new(arena);
    doctor_kernelspec(arena, out);
    if (kept) {
        setenv("JUPYTER_PATH", kept, 1);
    } else {
        unsetenv("JUPYTER_PATH");
    }
    const char *line = strstr(out->data, place);
    return line ? line : out->data;
}

TEST(doctor_names_a_program_that_is_gone) {
    struct arena *arena = check_arena();
    check_text(say_of(arena, "{\"argv\": [\"/no/such/cutaway\", \"kernel\"]}"),
               "starts /no/such/cutaway, which is not there");
    check_text(say_of(arena, "{\"argv\": [\"no-such-cutaway\"]}"), "which is not there");
}

TEST(doctor_names_another_program) {
    struct arena *arena = check_arena();
    check_text(say_of(arena, "{\"argv\": [\"sh\"]}"), "/sh, which is not this program");
}

TEST(doctor_names_a_kernelspec_without_a_program) {
    struct arena *arena = check_arena();
    const char *wanted = "has no \"argv\" that begins with a program";
    check_text(say_of(arena, "{}"), wanted);
    check_text(say_of(arena, "[]"), wanted);
    check_text(say_of(arena, "{\"argv\": []}"), wanted);
    check_text(say_of(arena, "{\"argv\": [1]}"), wanted);
    check_text(say_of(arena, "{\"argv\": \"cutaway\"}"), wanted);
}

TEST(doctor_names_a_broken_kernelspec) {
    struct arena *arena = check_arena();
    check_text(say_of(arena, "{\"argv\": ["), "write it anew");
    check_text(say_of(arena, ""), "write it anew");
}

TEST(doctor_knows_which_characters_have_no_shape) {
    struct arena *arena = check_arena();
    struct err err;
    check_int(canvas_lacks(arena, "A 中文", &err), 0);
    check_int(canvas_lacks(arena, "A\xee\x80\x80", &err), 1); /* U+E000, private use */
}
