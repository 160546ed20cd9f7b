#include "core/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

/* Of later versions than the header may know: bits of <linux/landlock.h> as the system reads
 * them. */
enum {
    TRUNCATE = 1 << 14, /* version 3 */
    DEVICES = 1 << 15,  /* 5: ioctl of devices */
    FS_FIRST = (1 << 13) - 1,
    NET_ALL = 3,   /* 4: bind and connect of TCP */
    SCOPED_ALL = 3 /* 6: abstract sockets, signals */
};

enum {
    FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FS_WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
               LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE,
    FS_OF_A_FILE = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE
};

/* The rules of version 6; older ones read the first part of it. */
struct handled {
    uint64_t files, net, scoped;
};

int confine_version(void) {
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

bool confine_filters(void) {
    return prctl(PR_GET_SECCOMP) >= 0;
}

bool confine_wanted(void) {
    const char *said = getenv("CUTAWAY_SANDBOX");
    return !said || strcmp(said, "off") != 0;
}

/* All that a version knows of files. */
static uint64_t known_rights(int version) {
    return (uint64_t)FS_FIRST | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) |
           (version >= 3 ? TRUNCATE : 0) | (version >= 5 ? DEVICES : 0);
}

int confine_begin(void) {
    int version = confine_version();
    struct handled handled = { .files = known_rights(version),
                               .net = version >= 4 ? NET_ALL : 0,
                               .scoped = version >= 6 ? SCOPED_ALL : 0 };
    size_t size = sizeof(uint64_t) * (version >= 6 ? 3 : version >= 4 ? 2 : 1);
    return version == 0 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
}

/* Files of /proc get a new inode when the system forgets their name, which no rule knows: a
 * descriptor that stays open keeps the name. */
static bool is_forgetful(const char *path) {
    return strncmp(path, "/proc/", 6) == 0;
}

void confine_allow(int list, const char *path, int rights) {
    struct landlock_path_beneath_attr rule = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    struct stat info;
    if (rule.parent_fd < 0) {
        return;
    }
    rule.allowed_access =
        (uint64_t)(rights & CONFINE_READ ? FS_READ : 0) |
        (rights & CONFINE_WRITE ? (uint64_t)FS_WRITE | TRUNCATE | LANDLOCK_ACCESS_FS_REFER : 0);
    rule.allowed_access &= known_rights(confine_version());
    if (fstat(rule.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode)) {
        rule.allowed_access &= FS_OF_A_FILE;
    }
    syscall(SYS_landlock_add_rule, list, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (!is_forgetful(path)) {
        close(rule.parent_fd);
    }
}

int confine_enter(int list) {
    int done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                   ? (int)syscall(SYS_landlock_restrict_self, list, 0)
                   : -1;
    close(list);
    return done;
}

bool confine_say(char *line, size_t size) {
    int version = confine_version();
    bool filters = confine_filters(), wanted = confine_wanted();
    if (!wanted) {
        snprintf(line, size, "sandbox: switched off by CUTAWAY_SANDBOX=off");
    } else if (version > 0 && filters) {
        snprintf(line, size,
                 "sandbox: the computing process sees models, fonts, the notebook's folder and "
                 "the files that cells name, no network and no other process (Landlock %d, "
                 "seccomp)",
                 version);
    } else {
        snprintf(line, size,
                 "sandbox: this system lacks %s, so a hostile model file that took over the "
                 "computing process could %s; all else works",
                 version > 0 ? "seccomp"
                 : filters   ? "Landlock (Linux 5.13 has it)"
                             : "Landlock and seccomp",
                 version > 0 ? "reach the network"
                 : filters   ? "read your files"
                             : "read your files and reach the network");
    }
    return !wanted || (version > 0 && filters);
}
