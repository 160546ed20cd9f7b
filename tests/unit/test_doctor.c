/* doctor: what a look says, and what becomes of looks that crash or hang. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/draw/canvas.h"
#include "kernel/doctor.h"
#include "tests/check.h"

static bool good_look(struct arena *arena, struct buf *out) {
    (void)arena;
    return doctor_say(out, DOCTOR_NOTE, "a\nline");
}

static bool crashing_look(struct arena *arena, struct buf *out) {
    (void)arena;
    (void)out;
    kill(getpid(), SIGKILL);
    return true;
}

static bool hanging_look(struct arena *arena, struct buf *out) {
    (void)arena;
    (void)out;
    pause();
    return true;
}

TEST(doctor_looks_from_another_process) {
    struct arena *arena = check_arena();
    struct buf *out = buf_new(arena);
    check(doctor_apart(arena, out, "a", good_look, 20));
    check_same(out->data, "note a\\x0aline\n");
    check(!doctor_apart(arena, out, "b", crashing_look, 20));
    check_text(out->data, "BAD  b: looking ended by Killed");
    check(!doctor_apart(arena, out, "c", hanging_look, 1));
    check_text(out->data, "BAD  c: no answer in 1 s");
}

TEST(doctor_asks_programs) {
    struct arena *arena = check_arena();
    const char *sh = doctor_program(arena, "sh");
    check(sh && sh[0] == '/' && !doctor_program(arena, "no-such-program"));
    check(!doctor_program(arena, "/") && !doctor_program(arena, "/no/such/program"));
    check_same(doctor_ask(arena, (const char *[]){ sh, "-c", "echo yes", NULL }, 20), "yes\n");
    check(!doctor_ask(arena, (const char *[]){ sh, "-c", "echo no; exit 3", NULL }, 20));
    check(!doctor_ask(arena, (const char *[]){ sh, "-c", "sleep 50", NULL }, 1));
    check(!doctor_ask(
        arena, (const char *[]){ sh, "-c", "while :; do echo $(seq 9999); done", NULL }, 20));
    check(!doctor_ask(arena, (const char *[]){ "/no/such/program", NULL }, 20));
}

TEST(doctor_knows_which_characters_have_no_shape) {
    struct arena *arena = check_arena();
    struct err err;
    check_int(canvas_lacks(arena, "A 中文", &err), 0);
    check_int(canvas_lacks(arena, "A\xee\x80\x80", &err), 1); /* U+E000, private use */
}
