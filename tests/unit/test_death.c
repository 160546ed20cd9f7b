/* death: what is said of a worker's end. */
#include "kernel/front/death.h"

#include <signal.h>
#include <string.h>

#include "tests/check.h"

enum { GB = 1000000000 };

/* A wait status: the signal in the low seven bits, an exit code in the next eight. */
static struct death death_of(int status) {
    return (struct death){ .status = status, .peak = 1234567890, .ceiling = 16LL * GB };
}

static const char *said(struct death death) {
    static char why[200];
    death_write(&death, false, why, sizeof why);
    return why;
}

TEST(death_names_the_cause) {
    check_same(said(death_of(SIGSEGV)), "was killed by SIGSEGV (invalid memory access)");
    check_text(said(death_of(SIGBUS)), "SIGBUS");
    check_text(said(death_of(SIGABRT)), "SIGABRT");
    check_text(said(death_of(SIGTRAP)), "for want of memory");
    check_same(said(death_of(3 << 8)), "ended with exit code 3");
    check_same(said(death_of(SIGRTMIN)), "was killed by signal 34");
    check_same(said(death_of(SIGSEGV | 0x80)),
               "was killed by SIGSEGV (invalid memory access)"); /* and left a dump */
}

TEST(death_by_force_is_not_for_memory) {
    struct death death = death_of(SIGKILL);
    check_same(said(death),
               "was killed by SIGKILL (someone ended it; it had used up to 1234 MB "
               "of memory)");
    check(!death_by_memory(&death));
    death.kills = -1; /* nobody counts */
    check_text(said(death), "someone ended it");
    check(!death_by_memory(&death));
    death = death_of(SIGSEGV);
    death.kills = 1; /* another process */
    check(!death_by_memory(&death));
}

TEST(death_for_memory_says_how_much) {
    struct death death = { SIGKILL, false, 3900000000, 1, 4LL * GB };
    check_same(said(death), "was killed by the kernel for memory at 3.9 of 4.0 GB");
    check(death_by_memory(&death));
    death.peak = 61000000;
    death.ceiling = 64000000;
    check_same(said(death), "was killed by the kernel for memory at 61 of 64 MB");
    death.kills = -1; /* as by a program that watches over memory */
    check_same(said(death), "was killed by SIGKILL, most likely for memory, at 61 of 64 MB");
    check(death_by_memory(&death));
}

static const char *hint(const char *code) {
    return death_hint(code, strlen(code), false);
}

TEST(death_hints_fit_the_command) {
    check_same(hint("%%attention\na text"), "a shorter text");
    check_same(hint("%%surprisal --data news"), "fewer texts: %data NAME FILE --first N");
    check_same(hint("%model load big"), "a smaller model, or one with quantised weights");
    check_text(hint("%weights"), "%limit");
    check_text(hint("not a command \""), "%limit");
    check_text(hint(""), "%limit");
}

TEST(death_in_chinese) {
    char why[300];
    struct death death = death_of(SIGSEGV);
    death_write(&death, true, why, sizeof why);
    check_same(why, "被 SIGSEGV 结束（访问了无效的内存）");
    death = death_of(3 << 8);
    death_write(&death, true, why, sizeof why);
    check_same(why, "以退出码 3 结束");
    death = (struct death){ SIGKILL, false, 3900000000, 1, 4LL * GB };
    death_write(&death, true, why, sizeof why);
    check_same(why, "因内存不足被系统结束（已用 3.9，共 4.0 GB）");
    check_text(death_hint("%model load big", 15, true), "量化");
    check_text(death_hint("", 0, true), "%limit");
}

/* Whatever is in the other fields: nothing is known of it. */
TEST(death_that_does_not_come) {
    struct death death = { .stuck = true, .status = SIGKILL, .kills = 1 };
    check_text(said(death), "cannot be ended: it waits for a file");
    check(!death_by_memory(&death));
}
