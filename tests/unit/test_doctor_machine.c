/* doctor_machine: each sentence, for machines that this one is not. */
#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"
#include "core/base/file.h"
#include "kernel/doctor_machine.h"
#include "tests/check.h"

static const char *zmq_said(int major, int minor, int patch, bool curve, bool *well) {
    struct buf *out = buf_new(check_arena());
    *well = doctor_machine_say_zmq(out, (const int[]){ major, minor, patch }, curve);
    return out->data;
}

TEST(doctor_machine_names_an_old_libzmq_and_one_without_curve) {
    bool well;
    check_same(zmq_said(4, 3, 4, true, &well),
               " ok  libraries: libzmq 4.3.4, with encryption (CURVE)\n");
    check(well);
    check_text(zmq_said(4, 3, 4, false, &well), "note libraries: libzmq 4.3.4 has no CURVE");
    check(well);
    check_text(zmq_said(4, 3, 1, true, &well), "BAD  libraries: libzmq 4.3.1 is old");
    check(!well);
    check_text(zmq_said(4, 2, 5, true, &well), "4.2.5 is old");
    check_text(zmq_said(3, 9, 9, true, &well), "3.9.9 is old");
    struct buf *out = buf_new(check_arena());
    check(doctor_machine_libraries(check_arena(), out));
}

static const char *isa_said(unsigned sets, const char *asked, bool *well) {
    struct buf *out = buf_new(check_arena());
    *well = doctor_machine_say_isa(out, sets, asked);
    return out->data;
}

TEST(doctor_machine_names_instructions_that_are_not_there) {
    const unsigned old = 1U << CPU_GENERIC, new = old | 1U << CPU_AVX2;
    bool well;
    check_same(isa_said(new, NULL, &well), " ok  processor: its avx2 instructions compute\n");
    check(well);
    check_text(isa_said(new, "generic", &well),
               "note processor: CUTAWAY_ISA has the generic routines compute, though avx2");
    check(well);
    check_text(isa_said(new, "avx512", &well),
               "CUTAWAY_ISA asks for avx512, which this one has");
    check(!well);
    check_text(isa_said(new, "sse9", &well),
               "CUTAWAY_ISA is \"sse9\", which is none of generic, neon, avx2, avx512");
    check(!well);
    check_text(isa_said(old, NULL, &well), "it has neither AVX2 nor NEON");
    check(!well);
}

static const char *memory_said(int64_t budget, int64_t room, bool *well) {
    struct buf *out = buf_new(check_arena());
    *well = doctor_machine_say_memory(out, budget, room);
    return out->data;
}

TEST(doctor_machine_names_too_little_memory) {
    bool well;
    check_same(memory_said(4000000000, 2500000000, &well),
               " ok  memory: commands may use 4.00 GB; 2.50 GB are free now\n");
    check(well);
    check_text(memory_said(100000000, 2500000000, &well), "may use 0.10 GB, too little");
    check(!well);
    check_text(memory_said(4000000000, 10000000, &well), "but only 0.01 GB are free now");
    check(!well);
    check_text(memory_said(4000000000, INT64_MAX, &well), "4.00 GB are free now");
}

static const char *clock_said(int64_t now, int64_t built, int64_t back, bool *well) {
    struct buf *out = buf_new(check_arena());
    *well = doctor_machine_say_clock(out, now, built, back);
    return out->data;
}

TEST(doctor_machine_names_a_wrong_clock) {
    const int64_t built = 1800000000, day = 24 * 3600;
    bool well;
    check_text(clock_said(built + 5, built, 0, &well), " ok  clock: ");
    check_text(clock_said(built - day / 2, built, 0, &well), " ok  clock: "); /* a time zone */
    check(well);
    check_text(clock_said(0, built, 0, &well), "clock: it is 20833 days slow or more");
    check(!well);
    check_text(clock_said(built, built, 7, &well), "goes back, by 7 ns");
    check(!well);
}

TEST(doctor_machine_connects_to_itself) {
    struct buf *out = buf_new(check_arena());
    setenv("http_proxy", "http://192.0.2.1:9", 1); /* changes nothing */
    check(doctor_machine_network(check_arena(), out));
    unsetenv("http_proxy");
    check_text(out->data, "network: 127.0.0.1 ");
}

TEST(doctor_machine_counts_open_files) {
    struct arena *arena = check_arena();
    struct buf *out = buf_new(arena);
    check(!doctor_machine_say_files(out, 8));
    check_text(out->data, "BAD  files: a process may have 8 open (ulimit -n), too few");
    buf_clear(out);
    check(doctor_machine_say_files(out, 64));
    check_text(out->data, "note files: a process may have 64 open");
    buf_clear(out);
    check(doctor_machine_say_files(out, 1024));
    check_same(out->data, " ok  files: a process may have 1024 open\n");
}
