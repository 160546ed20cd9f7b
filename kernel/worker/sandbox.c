#include "kernel/worker/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>

#include "core/base/confine.h"
#include "core/base/file.h"
#include "core/base/linked.h"
#include "core/base/places.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZED = 1 };
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

bool sandbox_sanitized(void) {
    return SANITIZED;
}

/* ---- files ---- */

/* A list of Landlock, and the arena in which paths are put together. */
struct list {
    struct arena *arena;
    int fd;
};

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The root of all is never allowed, whatever leads to it. */
static void allow(struct list *list, const char *path, int rights) {
    if (!file_same(path, "/")) {
        confine_allow(list->fd, path, rights);
    }
}

/* Below a folder that an environment variable names, if it does. */
static void allow_below(struct list *list, const char *folder, const char *name, int rights) {
    if (folder) {
        allow(list, file_join(list->arena, folder, name), rights);
    }
}

/* The folders of a list like "a:b". */
static void allow_each(struct list *list, const char *folders, const char *below) {
    while (folders && *folders) {
        size_t length = strcspn(folders, ":");
        if (length > 0) {
            allow_below(list, arena_text(list->arena, folders, length), below, CONFINE_READ);
        }
        folders += length + (folders[length] == ':');
    }
}

static unsigned char kind_of(const char *path, const struct dirent *entry) {
    struct stat info;
    if (entry->d_type != DT_UNKNOWN || lstat(path, &info) < 0) {
        return entry->d_type;
    }
    return S_ISLNK(info.st_mode) ? DT_LNK : S_ISDIR(info.st_mode) ? DT_DIR : DT_REG;
}

/* What links in a model's folder lead to. */
static void allow_links(struct list *list, const char *folder) {
    struct arena_mark mark = arena_mark(list->arena);
    for (const char *const *to = linked_files(list->arena, folder); *to; to++) {
        allow(list, *to, CONFINE_READ);
    }
    arena_rewind(list->arena, mark);
}

/* What lies in a place of models the user put there, so a link counts as what it leads to,
 * file or folder. What lies in a model's own folder may be anybody's. */
static void allow_entries(struct list *list, const struct place *place) {
    enum { MOST = 4096 };
    DIR *dir = file_same(place->path, "/") ? NULL : opendir(place->path);
    struct dirent *entry;
    for (int i = 0; dir && i < MOST && (entry = readdir(dir)); i++) {
        const char *path = file_join(list->arena, place->path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (kind_of(path, entry) == DT_LNK) {
            allow(list, path, CONFINE_READ);
        }
        if (place->kind != PLACE_HUB) {
            allow_links(list, path);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void allow_models(struct list *list) {
    const char *made = places_made(list->arena);
    struct err err;
    for (const struct place *place = places_models(list->arena); place->path; place++) {
        allow(list, place->path, CONFINE_READ);
        allow_entries(list, place);
    }
    if (made) { /* it must be there now, or nothing could be made in it later */
        file_make_folders(list->arena, made, &err);
        allow(list, made, CONFINE_READ | CONFINE_WRITE);
    }
}

/* The folders that such elements of fontconfig's file name. */
static void allow_elements(struct list *list, const char *at, const char *element) {
    while ((at = strstr(at, element))) {
        const char *begin = strchr(at, '>');
        size_t length = begin ? strcspn(begin + 1, "<") : 0;
        if (length > 0) {
            const char *folder = arena_text(list->arena, begin + 1, length);
            allow(list, places_expand(list->arena, folder), CONFINE_READ);
        }
        at += strlen(element);
    }
}

static void allow_named_fonts(struct list *list, const char *path) {
    struct err err;
    struct file *file = file_map(list->arena, path, &err);
    const char *text =
        file ? arena_text(list->arena, (const char *)file->bytes, (size_t)file->size) : "";
    allow_elements(list, text, "<dir");
    allow_elements(list, text, "<cachedir");
}

/* Its caches are read here and never written, as other programs trust them. It looks for a
 * folder that could hold them all the same, and complains in the cell if there is none. */
static void make_font_cache(struct list *list) {
    const char *cache = variable("XDG_CACHE_HOME"), *home = variable("HOME");
    struct err err;
    if (!cache && home) {
        cache = file_join(list->arena, home, ".cache");
    }
    if (cache) {
        file_make_folders(list->arena, file_join(list->arena, cache, "fontconfig"), &err);
    }
}

/* What fontconfig reads; the fonts of the system are below /usr. */
static void allow_fonts(struct list *list) {
    static const char *const homes[] = { ".fonts",
                                         ".fonts.conf",
                                         ".fontconfig",
                                         ".local/share/fonts",
                                         ".config/fontconfig",
                                         ".cache/fontconfig" };
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
        allow_below(list, variable("HOME"), homes[i], CONFINE_READ);
    }
    make_font_cache(list);
    allow_below(list, variable("XDG_DATA_HOME"), "fonts", CONFINE_READ);
    allow_below(list, variable("XDG_CONFIG_HOME"), "fontconfig", CONFINE_READ);
    allow_below(list, variable("XDG_CACHE_HOME"), "fontconfig", CONFINE_READ);
    allow_each(list, variable("XDG_DATA_DIRS"), "fonts");
    allow_each(list, variable("FONTCONFIG_PATH"), "");
    if (variable("FONTCONFIG_FILE")) {
        allow(list, variable("FONTCONFIG_FILE"), CONFINE_READ);
        allow_named_fonts(list, variable("FONTCONFIG_FILE"));
    }
    allow_named_fonts(list, "/etc/fonts/fonts.conf");
    allow_named_fonts(list, "/etc/fonts/local.conf");
}

/* The folder of a library that is loaded already: others will come from there. */
static int allow_library(struct dl_phdr_info *info, size_t size, void *arg) {
    struct list *list = arg;
    const char *name = info->dlpi_name, *slash = strrchr(name, '/');
    (void)size;
    if (name[0] == '/' && slash > name) {
        allow(list, arena_text(list->arena, name, (size_t)(slash - name)), CONFINE_READ);
    }
    return 0;
}

/* The system's libraries, and those of an environment that the program is installed in. */
static void allow_libraries(struct list *list) {
    static const char *const parts[] = { "../lib", "../share", "../fonts", "../etc/fonts",
                                         "../var/cache/fontconfig" };
    const char *program = places_program(list->arena);
    dl_iterate_phdr(allow_library, list);
    allow_each(list, variable("LD_LIBRARY_PATH"), "");
    allow(list, "/proc/self/exe", CONFINE_READ);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        allow_below(list, program, parts[i], CONFINE_READ);
    }
}

static void allow_system(struct list *list) {
    static const char *const paths[] = {
        "/usr",
        "/lib",
        "/lib64",
        "/nix/store",
        "/gnu/store",
        "/var/cache/fontconfig",
        "/etc/fonts",
        "/etc/pango",
        "/etc/ld.so.cache",
        "/etc/ld.so.preload",
        "/etc/localtime",
        "/etc/locale.alias",
        "/etc/passwd",
        "/etc/nsswitch.conf",
        "/etc/ssl/openssl.cnf",
        "/etc/pki/tls/openssl.cnf",
        "/etc/crypto-policies",
        "/proc/self",
        "/proc/meminfo",
        "/proc/cpuinfo",
        "/proc/stat",
        "/proc/sys/vm/overcommit_memory",
        "/sys/devices/system/cpu",
        "/sys/devices/system/node",
        "/sys/fs/cgroup",
        "/dev/urandom",
        "/dev/random",
        "/dev/zero",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        allow(list, paths[i], CONFINE_READ);
    }
    allow(list, "/dev/null", CONFINE_READ | CONFINE_WRITE);
}

/* The leak check reads at the end what it is to pass over. */
static void allow_suppressions(struct list *list) {
    const char *options = variable("LSAN_OPTIONS");
    const char *at = options ? strstr(options, "suppressions=") : NULL;
    if (SANITIZED && at) {
        at += strlen("suppressions=");
        allow(list, arena_text(list->arena, at, strcspn(at, ":")), CONFINE_READ);
    }
}

/* "rPATH\0wPATH\0...": what lies outside of the places and a cell names. */
static void allow_granted(struct list *list, const char *grants, size_t length) {
    for (const char *at = grants, *end = grants + length; at < end;) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));
        if (!nul) {
            return;
        }
        allow(list, at + 1, CONFINE_READ | (*at == 'w' ? CONFINE_WRITE : 0));
        if (*at == 'r') {
            allow_links(list, at + 1);
        }
        at = nul + 1;
    }
}

static void files_enter(const char *grants, size_t length) {
    struct list list = { .fd = confine_begin() };
    if (list.fd < 0) {
        return;
    }
    list.arena = arena_new();
    allow_system(&list);
    allow_libraries(&list);
    allow_suppressions(&list);
    allow_fonts(&list);
    allow_models(&list);
    allow(&list, ".", CONFINE_READ | CONFINE_WRITE);
    allow_granted(&list, grants, length);
    confine_enter(list.fd);
    arena_free(list.arena);
}

/* ---- system calls ---- */

#if defined __x86_64__
enum { MACHINE = 1, FOREIGN_FROM = 0x40000000 }; /* numbers of the x32 ABI */
#define MACHINE_AUDIT AUDIT_ARCH_X86_64
#elif defined __aarch64__
enum { MACHINE = 1, FOREIGN_FROM = 0x7fffffff };
#define MACHINE_AUDIT AUDIT_ARCH_AARCH64
#else
enum { MACHINE = 0, FOREIGN_FROM = 0 };
#define MACHINE_AUDIT 0
#endif

/* Denied whatever their arguments are. */
static const int denied[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_execve,
    SYS_execveat,
    /* others' memory and descriptors */
    SYS_kcmp,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_process_madvise,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_tkill,
    SYS_shmget,
    SYS_shmat,
    SYS_semget,
    SYS_msgget,
    SYS_mq_open,
    /* others' share of the machine; nothing here changes its own */
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setaffinity,
    SYS_sched_setscheduler,
    SYS_sched_setparam,
    SYS_sched_setattr,
    SYS_migrate_pages,
    SYS_move_pages,
    /* to leave the process group or the session, in which it can be ended */
    SYS_setpgid,
    SYS_setsid,
    SYS_setns,
    SYS_unshare,
    SYS_chroot,
    SYS_pivot_root,
    SYS_mount,
    SYS_umount2,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    /* the kernel's own */
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_io_setup,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_syslog,
    SYS_acct,
    SYS_quotactl,
    SYS_fanotify_init,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_personality,
    SYS_vhangup,
    /* what Landlock leaves to others: rights, owners and lengths of files by their names */
    SYS_fchmodat,
    SYS_fchownat,
    SYS_truncate,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_mknodat,
#if defined __x86_64__
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_mknod,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
#ifdef SYS_fchmodat2
    SYS_fchmodat2,
#endif
};

/* Denied but where a sanitizer traces its own process. */
static const int denied_unless_sanitized[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
#if defined __x86_64__
    SYS_fork,
    SYS_vfork,
#endif
};

enum { STEPS = 320 };

struct filter {
    struct sock_filter steps[STEPS];
    unsigned short count;
};

static void step(struct filter *filter, unsigned code, uint32_t value, unsigned yes,
                 unsigned no) {
    filter->steps[filter->count++] = (struct sock_filter)BPF_JUMP(
        (unsigned short)code, value, (unsigned char)yes, (unsigned char)no);
}

static void load(struct filter *filter, size_t offset) {
    step(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct filter *filter, uint32_t what) {
    step(filter, BPF_RET | BPF_K, what, 0, 0);
}

static void refuse(struct filter *filter, int error) {
    answer(filter, SECCOMP_RET_ERRNO | (uint32_t)error);
}

static void deny(struct filter *filter, int number, int error) {
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
    refuse(filter, error);
}

/* The call with that number ends here, by the lower half of an argument: allowed where it is
 * `value` (BPF_JEQ) or has one of its bits (BPF_JSET), else denied. */
static void allow_if(struct filter *filter, int number, int argument, unsigned test,
                     uint32_t value) {
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4);
    load(filter, offsetof(struct seccomp_data, args[argument])); /* both machines: low first */
    step(filter, BPF_JMP | test | BPF_K, value, 0, 1);
    answer(filter, SECCOMP_RET_ALLOW);
    refuse(filter, EPERM);
}

/* The same, the other way round: denied where the argument is one of these. */
static void deny_if(struct filter *filter, int number, int argument, const int *values,
                    unsigned count) {
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 2 * count + 2);
    load(filter, offsetof(struct seccomp_data, args[argument]));
    for (unsigned i = 0; i < count; i++) {
        deny(filter, values[i], EPERM);
    }
    answer(filter, SECCOMP_RET_ALLOW);
}

/* To let the system send any signal to anybody, as soon as a descriptor can be read. */
static void deny_signals_by_descriptor(struct filter *filter) {
    static const int by_fcntl[] = { F_SETOWN, F_SETOWN_EX, F_SETSIG };
    static const int by_ioctl[] = { FIOSETOWN, SIOCSPGRP };
    deny_if(filter, SYS_fcntl, 1, by_fcntl, sizeof by_fcntl / sizeof *by_fcntl);
    deny_if(filter, SYS_ioctl, 1, by_ioctl, sizeof by_ioctl / sizeof *by_ioctl);
}

static void filter_make(struct filter *filter) {
    uint32_t self = (uint32_t)getpid();
    load(filter, offsetof(struct seccomp_data, arch));
    step(filter, BPF_JMP | BPF_JEQ | BPF_K, MACHINE_AUDIT, 1, 0);
    refuse(filter, EPERM);
    load(filter, offsetof(struct seccomp_data, nr));
    step(filter, BPF_JMP | BPF_JGE | BPF_K, FOREIGN_FROM, 0, 1);
    refuse(filter, EPERM);
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        deny(filter, denied[i], EPERM);
    }
    deny_signals_by_descriptor(filter);
    allow_if(filter, SYS_prlimit64, 0, BPF_JEQ, 0);
    if (!SANITIZED) {
        size_t count = sizeof denied_unless_sanitized / sizeof *denied_unless_sanitized;
        for (size_t i = 0; i < count; i++) {
            deny(filter, denied_unless_sanitized[i], EPERM);
        }
        /* What traces in a sanitizer's name asks to end with the worker, or is left behind. */
        deny_if(filter, SYS_prctl, 0, (const int[]){ PR_SET_PDEATHSIG }, 1);
        deny(filter, SYS_clone3,
             ENOSYS); /* its flags are in memory; the C library falls back */
        allow_if(filter, SYS_clone, 0, BPF_JSET, CLONE_THREAD);
        allow_if(filter, SYS_kill, 0, BPF_JEQ, self);
        allow_if(filter, SYS_tgkill, 0, BPF_JEQ, self);
    }
    answer(filter, SECCOMP_RET_ALLOW);
}

static void calls_enter(void) {
    struct filter filter = { .count = 0 };
    if (!MACHINE) {
        return;
    }
    filter_make(&filter);
    struct sock_fprog program = { .len = filter.count, .filter = filter.steps };
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

void sandbox_enter(const char *grants, size_t length) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (confine_wanted()) {
        files_enter(grants, length);
        calls_enter();
    }
}
