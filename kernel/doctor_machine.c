#include "kernel/doctor_machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/confine.h"
#include "core/base/cpu.h"
#include "core/base/memory.h"
#include "core/draw/canvas.h"
#include "kernel/doctor.h"
#include "kernel/install.h"
#include "kernel/wire/wire_library.h"

/* ---- network ---- */

/* A connection to an own port; a packet filter that drops it is waited for 2 s. 0, or -1 with
 * errno. */
static int connect_to_self(int server, int client, struct sockaddr *here, socklen_t size) {
    enum { WAIT_MS = 2000 };
    struct pollfd ready = { .fd = client, .events = POLLOUT };
    int why = 0;
    socklen_t length = sizeof why;
    if (bind(server, here, size) < 0 || listen(server, 1) < 0 ||
        getsockname(server, here, &size) < 0) {
        return -1;
    }
    if (connect(client, here, size) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return -1;
    }
    if (poll(&ready, 1, WAIT_MS) != 1) {
        errno = ETIMEDOUT;
        return -1;
    }
    getsockopt(client, SOL_SOCKET, SO_ERROR, &why, &length);
    errno = why;
    return why ? -1 : 0;
}

/* 0, or errno. */
static int loopback(struct sockaddr *here, socklen_t size) {
    int kind = SOCK_STREAM | SOCK_CLOEXEC, why = 0;
    int server = socket(here->sa_family, kind, 0);
    int client = socket(here->sa_family, kind | SOCK_NONBLOCK, 0);
    if (server < 0 || client < 0 || connect_to_self(server, client, here, size) < 0) {
        why = errno;
    }
    if (server >= 0) {
        close(server);
    }
    if (client >= 0) {
        close(client);
    }
    return why;
}

bool doctor_machine_network(struct arena *arena, struct buf *out) {
    (void)arena;
    struct sockaddr_in four = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
    int why = loopback((struct sockaddr *)&four, sizeof four);
    if (why) {
        return doctor_say(out, DOCTOR_BAD,
                          "network: 127.0.0.1 takes no connections (%s), so Jupyter cannot "
                          "reach the kernel; bring the loopback interface up (ip link set lo "
                          "up), or let the firewall pass what is for 127.0.0.1",
                          strerror(why));
    }
    why = loopback((struct sockaddr *)&six, sizeof six);
    if (why) {
        return doctor_say(out, DOCTOR_NOTE,
                          "network: 127.0.0.1 takes connections, ::1 does not (%s); only a "
                          "Jupyter with --ip=::1 needs that",
                          strerror(why));
    }
    return doctor_say(out, DOCTOR_OK, "network: 127.0.0.1 and ::1 take connections");
}

/* ---- libraries ---- */

bool doctor_machine_say_zmq(struct buf *out, const int version[3], bool curve) {
    enum { MAJOR = 4, MINOR = 3, PATCH = 2 };
    bool old = version[0] != MAJOR || version[1] < MINOR ||
               (version[1] == MINOR && version[2] < PATCH);
    if (old) {
        return doctor_say(out, DOCTOR_BAD,
                          "libraries: libzmq %d.%d.%d is old: before 4.3.2 a message from "
                          "outside may overwrite memory; install a newer libzmq5",
                          version[0], version[1], version[2]);
    }
    if (!curve) {
        return doctor_say(out, DOCTOR_NOTE,
                          "libraries: libzmq %d.%d.%d has no CURVE, so connections cannot be "
                          "encrypted; a libzmq5 built with libsodium has it",
                          version[0], version[1], version[2]);
    }
    return doctor_say(out, DOCTOR_OK, "libraries: libzmq %d.%d.%d, with encryption (CURVE)",
                      version[0], version[1], version[2]);
}

bool doctor_machine_libraries(struct arena *arena, struct buf *out) {
    (void)arena;
    int version[3];
    bool curve = wire_library(version);
    return doctor_machine_say_zmq(out, version, curve);
}

/* ---- processor ---- */

/* The widest set of them; CPU_GENERIC is always there. */
static enum cpu_isa widest(unsigned sets) {
    int isa = CPU_AVX512;
    while (isa > CPU_GENERIC && !(sets & 1U << isa)) {
        isa--;
    }
    return (enum cpu_isa)isa;
}

/* The set of that name; -1: there is none. */
static int isa_named(const char *name) {
    for (int isa = CPU_GENERIC; isa <= CPU_AVX512; isa++) {
        if (strcmp(name, cpu_name((enum cpu_isa)isa)) == 0) {
            return isa;
        }
    }
    return -1;
}

bool doctor_machine_say_isa(struct buf *out, unsigned sets, const char *asked) {
    enum cpu_isa best = widest(sets);
    int isa = asked ? isa_named(asked) : (int)best;
    if (isa < 0) {
        return doctor_say(out, DOCTOR_BAD,
                          "processor: CUTAWAY_ISA is \"%s\", which is none of generic, neon, "
                          "avx2, avx512; so the slow generic routines compute: unset it",
                          asked);
    }
    if (isa != CPU_GENERIC && !(sets & 1U << isa)) {
        return doctor_say(out, DOCTOR_BAD,
                          "processor: CUTAWAY_ISA asks for %s, which this one has not; so the "
                          "slow generic routines compute: unset it",
                          asked);
    }
    if (best == CPU_GENERIC) {
        return doctor_say(out, DOCTOR_BAD,
                          "processor: it has neither AVX2 nor NEON, so there are only generic "
                          "routines for it, about ten times slower; take a machine made after "
                          "2015, or let a virtual one see its processor (-cpu host)");
    }
    if (isa < (int)best) {
        return doctor_say(out, DOCTOR_NOTE,
                          "processor: CUTAWAY_ISA has the %s routines compute, though %s are "
                          "there and faster; unset it to have them",
                          asked, cpu_name(best));
    }
    return doctor_say(out, DOCTOR_OK, "processor: its %s instructions compute", cpu_name(best));
}

bool doctor_machine_processor(struct arena *arena, struct buf *out) {
    (void)arena;
    unsigned sets = 0;
    for (int isa = CPU_GENERIC; isa <= CPU_AVX512; isa++) {
        sets |= cpu_runs((enum cpu_isa)isa) ? 1U << isa : 0;
    }
    return doctor_machine_say_isa(out, sets, getenv("CUTAWAY_ISA"));
}

/* ---- memory ---- */

bool doctor_machine_say_memory(struct buf *out, int64_t budget, int64_t room) {
    const double GB = 1e9;
    const int64_t LEAST = 256LL << 20; /* for a text of some words through smollm2 */
    double may = (double)budget / GB, now = (double)room / GB;
    if (budget < LEAST) {
        return doctor_say(out, DOCTOR_BAD,
                          "memory: commands may use %.2f GB, too little for a model; raise the "
                          "limit of the container or cgroup, or MEM_LIMIT, or CUTAWAY_MEMORY "
                          "(such as 4GB)",
                          may);
    }
    if (room < LEAST) {
        return doctor_say(out, DOCTOR_BAD,
                          "memory: commands may use %.2f GB, but only %.2f GB are free now; "
                          "end other programs or kernels",
                          may, now);
    }
    return doctor_say(out, DOCTOR_OK, "memory: commands may use %.2f GB; %.2f GB are free now",
                      may, room == INT64_MAX ? may : now);
}

bool doctor_machine_memory(struct arena *arena, struct buf *out) {
    (void)arena;
    return doctor_machine_say_memory(out, memory_budget(), memory_free());
}

/* ---- open files ---- */

bool doctor_machine_say_files(struct buf *out, int64_t most) {
    /* A kernel holds 29 with its first front end and 5 more with each other. */
    enum { LEAST = 64, GOOD = 256 };
    long long shown = (long long)most;
    if (most < LEAST) {
        return doctor_say(out, DOCTOR_BAD,
                          "files: a process may have %lld open (ulimit -n), too few for a "
                          "kernel, whose sockets and pipes are some 30; allow 1024: ulimit -n "
                          "1024, or the limit in the service that starts Jupyter",
                          shown);
    }
    if (most < GOOD) {
        return doctor_say(
            out, DOCTOR_NOTE,
            "files: a process may have %lld open (ulimit -n), enough for a kernel "
            "with a few front ends; 1024 is usual",
            shown);
    }
    return doctor_say(out, DOCTOR_OK, "files: a process may have %lld open", shown);
}

bool doctor_machine_files(struct arena *arena, struct buf *out) {
    struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
    (void)arena;
    getrlimit(RLIMIT_NOFILE, &limit);
    return doctor_machine_say_files(out, limit.rlim_cur > INT64_MAX ? INT64_MAX
                                                                    : (int64_t)limit.rlim_cur);
}

/* ---- pictures ---- */

static const struct {
    const char *what, *sample, *package;
} scripts[] = {
    { "Latin letters", "Aé", "fonts-dejavu-core" },
    { "Chinese characters", "中文", "fonts-wqy-microhei" },
    { "emoji", "😀", "fonts-symbola" },
};

bool doctor_machine_pictures(struct arena *arena, struct buf *out) {
    struct err err;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        int lacks = canvas_lacks(arena, scripts[i].sample, &err);
        if (lacks < 0) {
            return doctor_say(out, DOCTOR_BAD, "pictures: %s", err.text);
        }
        if (lacks > 0) {
            return doctor_say(out, DOCTOR_BAD,
                              "pictures: no font has %s; install the package %s",
                              scripts[i].what, scripts[i].package);
        }
    }
    return doctor_say(out, DOCTOR_OK,
                      "pictures: Cairo, Pango and fonts for Latin, Chinese and emoji");
}

/* ---- clock ---- */

bool doctor_machine_say_clock(struct buf *out, int64_t now, int64_t built, int64_t back) {
    const int64_t DAY = 24 * 3600;
    if (back > 0) {
        return doctor_say(out, DOCTOR_BAD,
                          "clock: the one for durations goes back, by %lld ns, so waits may "
                          "last for ever; a virtual machine's clock is broken: change its "
                          "clocksource",
                          (long long)back);
    }
    if (now < built - DAY) {
        return doctor_say(out, DOCTOR_BAD,
                          "clock: it is %lld days slow or more: it shows a day before this "
                          "program was written; set it (timedatectl set-ntp true)",
                          (long long)((built - now) / DAY));
    }
    return doctor_say(out, DOCTOR_OK, "clock: it goes forward, and not before this program");
}

/* By how many ns the clock for durations goes back in many looks at it. */
static int64_t goes_back(void) {
    enum { LOOKS = 20000 };
    int64_t last = 0, back = 0;
    for (int i = 0; i < LOOKS; i++) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
        back = last - now > back ? last - now : back;
        last = now;
    }
    return back;
}

bool doctor_machine_clock(struct arena *arena, struct buf *out) {
    struct err err;
    struct stat info;
    const char *me = install_program(arena, &err);
    int64_t built = me && stat(me, &info) == 0 ? (int64_t)info.st_mtime : 0;
    return doctor_machine_say_clock(out, (int64_t)time(NULL), built, goes_back());
}

/* ---- sandbox ---- */

bool doctor_machine_sandbox(struct arena *arena, struct buf *out) {
    char line[400];
    (void)arena;
    return doctor_say(out, confine_say(line, sizeof line) ? DOCTOR_OK : DOCTOR_NOTE, "%s",
                      line);
}
