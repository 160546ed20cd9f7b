#include "tests/looks.h"

#include <stdatomic.h>

#include "core/base/catch.h"

static atomic_llong count, left;

int64_t looks_count(void) {
    return atomic_load(&count);
}

void looks_stop_at(int64_t n) {
    atomic_store(&left, n);
}

/* What the linker's --wrap calls in place of the two. */
void __real_stop_check(void);
void __wrap_stop_check(void);
bool __real_stop_wanted(void);
bool __wrap_stop_wanted(void);

static void look(void) {
    atomic_fetch_add(&count, 1);
    if (atomic_load(&left) > 0 && atomic_fetch_sub(&left, 1) == 1) {
        stop_request();
    }
}

void __wrap_stop_check(void) {
    look();
    __real_stop_check();
}

bool __wrap_stop_wanted(void) {
    look();
    return __real_stop_wanted();
}
