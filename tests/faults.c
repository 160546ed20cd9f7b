#include "tests/faults.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

static _Thread_local struct {
    const char *function; /* NULL: none fails */
    int after, times, error;
} fault;

void faults_set(const char *function, int after, int times, int error) {
    fault.function = function;
    fault.after = after;
    fault.times = times;
    fault.error = error;
}

void faults_end(void) {
    fault.function = NULL;
}

/* Whether this call fails. */
static bool fails(const char *function) {
    if (!fault.function || strcmp(function, fault.function) != 0 || fault.after-- > 0 ||
        fault.times-- <= 0) {
        return false;
    }
    errno = fault.error;
    return true;
}

/* A function in whose place another comes: what it returns, its name, its parameters, how they
 * are passed on, and what it returns when it fails. */
#define REPLACE(kind, name, parameters, passed, failed)        \
    kind __real_##name parameters;                             \
    kind __wrap_##name parameters;                             \
    kind __wrap_##name parameters {                            \
        return fails(#name) ? (failed) : __real_##name passed; \
    }

REPLACE(ssize_t, getrandom, (void *to, size_t length, unsigned flags), (to, length, flags), -1)
REPLACE(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg),
        (thread, attributes, run, arg), fault.error)
REPLACE(void *, zmq_ctx_new, (void), (), NULL)
REPLACE(int, zmq_send, (void *socket, const void *bytes, size_t length, int flags),
        (socket, bytes, length, flags), -1)
REPLACE(int, zmq_msg_send, (void *part, void *socket, int flags), (part, socket, flags), -1)
REPLACE(int, zmq_msg_recv, (void *part, void *socket, int flags), (part, socket, flags), -1)
REPLACE(int, zmq_getsockopt, (void *socket, int option, void *value, size_t *size),
        (socket, option, value, size), -1)
REPLACE(int, zmq_has, (const char *what), (what), 0)
REPLACE(void *, EVP_MAC_fetch, (void *library, const char *name, const char *properties),
        (library, name, properties), NULL)
REPLACE(void *, EVP_MAC_CTX_dup, (const void *context), (context), NULL)
REPLACE(int, EVP_MAC_update, (void *context, const void *bytes, size_t length),
        (context, bytes, length), 0)
REPLACE(int, EVP_MAC_final, (void *context, void *out, size_t *length, size_t size),
        (context, out, length, size), 0)
