/* minder: what is said of a worker's end. */
#include <signal.h>

#include "kernel/front/minder.h"
#include "tests/check.h"

/* A wait status: the signal in the low seven bits, an exit code in the next eight. */
static const char *cause(int status) {
    static char why[200];
    minder_cause(status, 1234567, why, sizeof why);
    return why;
}

TEST(minder_names_the_cause) {
    check_same(cause(SIGSEGV), "was killed by SIGSEGV (invalid memory access)");
    check_text(cause(SIGBUS), "SIGBUS");
    check_text(cause(SIGABRT), "SIGABRT");
    check_text(cause(SIGKILL), "up to 1234 MB");
    check_same(cause(3 << 8), "ended with exit code 3");
    check_same(cause(SIGRTMIN), "was killed by signal 34");
}
