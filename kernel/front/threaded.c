#include "kernel/front/threaded.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "kernel/relay/relay.h"

enum { TURNS = 100, TURN_NS = 20 * 1000000 }; /* two seconds in all */

/* Nobody speaks on it, nothing is kept in it. */
static void set_aside(int number) {
    int none = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (none >= 0 && none != number) {
        dup3(none, number, O_CLOEXEC);
        close(none);
    }
}

void threaded_reserve(void) {
    set_aside(RELAY_FD);
    set_aside(RELAY_KEEP_FD);
}

static void *work(void *arg) {
    ((struct threaded *)arg)->serve();
    set_aside(RELAY_FD); /* which tells the supervisor */
    return NULL;
}

int threaded_start(struct threaded *threaded, int relay, int keep, struct err *err) {
    dup3(relay, RELAY_FD, O_CLOEXEC);
    if (keep >= 0) {
        dup3(keep, RELAY_KEEP_FD, O_CLOEXEC);
    }
    int failed = pthread_create(&threaded->thread, NULL, work, threaded);
    if (failed) {
        set_aside(RELAY_FD);
        return err_set(err, ERR_IO, "cannot start a computing thread: %s", strerror(failed));
    }
    threaded->runs = true;
    return 0;
}

void threaded_signal(const struct threaded *threaded, int signal) {
    if (threaded->runs && signal == SIGINT) {
        stop_request();
    }
}

void threaded_end(struct threaded *threaded) {
    for (int i = 0; threaded->runs && i < TURNS; i++) {
        struct timespec until;
        stop_request(); /* again: a request that it had not read yet clears it */
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TURN_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        threaded->runs = pthread_timedjoin_np(threaded->thread, NULL, &until) != 0;
    }
    threaded->runs = false;
}
