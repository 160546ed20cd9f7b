#include "core/base/catch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local struct catch *innermost;
static atomic_bool stopping, settled, holding, held;

struct catch *catch_set(struct catch *here) {
    here->err = (struct err){ 0 };
    here->outer = innermost;
    innermost = here;
    return here;
}

void catch_end(struct catch *here) {
    innermost = here->outer;
}

_Noreturn void catch_throw(enum err_kind kind, const char *format, ...) {
    struct catch *here = innermost;
    va_list args;
    va_start(args, format);
    char text[sizeof here->err.text];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!here) {
        fprintf(stderr, "cutaway: %s: %s\n", err_name(kind), text);
        exit(70);
    }
    err_set(&here->err, kind, "%s", text);
    innermost = here->outer;
    longjmp(here->place, 1);
}

void stop_request(void) {
    if (!atomic_load(&settled)) {
        atomic_store(atomic_load(&holding) ? &held : &stopping, true);
    }
}

void stop_clear(void) {
    atomic_store(&settled, false);
    atomic_store(&holding, false);
    atomic_store(&held, false);
    atomic_store(&stopping, false);
}

void stop_settle(void) {
    atomic_store(&settled, true);
    atomic_store(&stopping, false);
}

void stop_hold(void) {
    atomic_store(&holding, true);
    if (atomic_exchange(&stopping, false)) {
        atomic_store(&held, true);
    }
}

void stop_release(void) {
    atomic_store(&holding, false);
    if (atomic_exchange(&held, false)) {
        atomic_store(&stopping, true);
    }
}

bool stop_wanted(void) {
    return atomic_load_explicit(&stopping, memory_order_relaxed);
}

void stop_check(void) {
    if (stop_wanted()) {
        catch_throw(ERR_STOP, "interrupted");
    }
}
