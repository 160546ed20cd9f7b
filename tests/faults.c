#include "tests/faults.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

static _Thread_local struct fault {
    const char *function; /* NULL: none */
    int after, times, error;
} faults[2];

void faults_set(const char *function, int after, int times, int error) {
    struct fault *fault = faults[0].function ? &faults[1] : &faults[0];
    *fault = (struct fault){ function, after, times, error };
}

void faults_end(void) {
    memset(faults, 0, sizeof faults);
}

/* Whether this call fails. */
static bool fails(const char *function) {
    for (int i = 0; i < 2; i++) {
        struct fault *fault = &faults[i];
        if (fault->function && strcmp(function, fault->function) == 0) {
            bool due = fault->after-- <= 0 && fault->times-- > 0;
            errno = due ? fault->error : errno;
            return due;
        }
    }
    return false;
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
        (thread, attributes, run, arg), errno)
REPLACE(void *, zmq_ctx_new, (void), (), NULL)
REPLACE(int, zmq_send, (void *socket, const void *bytes, size_t length, int flags),
        (socket, bytes, length, flags), -1)
REPLACE(int, zmq_msg_send, (void *part, void *socket, int flags), (part, socket, flags), -1)
REPLACE(int, zmq_msg_recv, (void *part, void *socket, int flags), (part, socket, flags), -1)
REPLACE(int, zmq_getsockopt, (void *socket, int option, void *value, size_t *size),
        (socket, option, value, size), -1)
REPLACE(int, zmq_poll, (void *items, int count, long timeout), (items, count, timeout), -1)
REPLACE(int, zmq_has, (const char *what), (what), 0)
REPLACE(int, zmq_bind, (void *socket, const char *endpoint), (socket, endpoint), -1)
REPLACE(int, nanosleep, (const struct timespec *wanted, struct timespec *left), (wanted, left),
        -1)
REPLACE(char *, json_dumps, (const void *value, size_t flags), (value, flags), NULL)
REPLACE(void *, EVP_MAC_fetch, (void *library, const char *name, const char *properties),
        (library, name, properties), NULL)
REPLACE(void *, EVP_MAC_CTX_dup, (const void *context), (context), NULL)
REPLACE(int, EVP_MAC_update, (void *context, const void *bytes, size_t length),
        (context, bytes, length), 0)
REPLACE(int, EVP_MAC_final, (void *context, void *out, size_t *length, size_t size),
        (context, out, length, size), 0)
