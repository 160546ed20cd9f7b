#include "core/base/file.h"

#include "core/base/catch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

static void file_unmap(void *what) {
    struct file *file = what;
    if (file->size > 0) {
        munmap((void *)(uintptr_t)file->bytes, (size_t)file->size);
    }
}

static const char *kind_of(const struct stat *info) {
    return S_ISDIR(info->st_mode) ? "a folder" : "a device or pipe";
}

enum { SHOWN = 300 };

static const char *shown(char out[SHOWN], const char *path) {
    return err_quote(out, SHOWN, path, strlen(path));
}

/* Looked at before it is opened, since opening a device may do something, and after, since it
 * may be another by then; a FIFO must not block us. -1: the reason is in err. */
static int regular_open(const char *path, struct stat *info, struct err *err) {
    char name[SHOWN];
    shown(name, path);
    if (stat(path, info) == 0 && !S_ISREG(info->st_mode)) {
        return err_set(err, ERR_IO, "%s is %s, not a regular file", name, kind_of(info));
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return err_set(err, ERR_IO, "cannot open %s: %s", name, strerror(errno));
    }
    if (fstat(fd, info) < 0 || !S_ISREG(info->st_mode)) {
        close(fd);
        return err_set(err, ERR_IO, "%s is %s, not a regular file", name, kind_of(info));
    }
    return fd;
}

struct file *file_map(struct arena *arena, const char *path, struct err *err) {
    struct file *file = arena_alloc(arena, sizeof *file);
    struct stat info;
    char name[SHOWN];
    file->path = arena_copy(arena, path);
    arena_defer(arena, file_unmap, file); /* first, so that nothing below can leak */

    int fd = regular_open(path, &info, err);
    if (fd < 0) {
        return NULL;
    }
    if (info.st_size == 0) {
        file->bytes = (const unsigned char *)"";
    } else {
        void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            err_set(err, ERR_IO, "cannot map %s: %s", shown(name, path), strerror(errno));
        } else {
            file->bytes = map;
            file->size = info.st_size;
        }
    }
    file->changed = (int64_t)((uint64_t)info.st_mtim.tv_sec * 1000000000U +
                              (uint64_t)info.st_mtim.tv_nsec); /* any time, without a trap */
    close(fd); /* a map outlives its descriptor */
    return file->bytes ? file : NULL;
}

void file_scattered(const void *bytes, int64_t length, bool scattered) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)bytes / page * page;
    madvise((void *)begin, (size_t)((uintptr_t)bytes + (uintptr_t)length - begin),
            scattered ? MADV_RANDOM : MADV_NORMAL);
}

/* A stretch at a time, each on the drive before the next, so that an interrupt need not wait
 * until a slow one has taken all. -1 with errno; EINTR: it was interrupted meanwhile. */
static int write_all(int fd, const char *bytes, size_t length) {
    enum { STRETCH = 1 << 21 };
    bool before = stop_wanted();
    while (length > 0) {
        ssize_t n = write(fd, bytes, length < STRETCH ? length : STRETCH);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        bytes += n;
        length -= (size_t)n;
        if (length > 0) {
            (void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE_AND_WAIT);
            if (stop_wanted() && !before) {
                errno = EINTR;
                return -1;
            }
        }
    }
    return 0;
}

static int write_pieces(int fd, const struct file_piece *pieces, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (write_all(fd, pieces[i].bytes, pieces[i].length) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What may be replaced: nothing at all, or a regular file that may be written. The mode that
 * the new one shall have (what the umask leaves of it), or -1. */
static int mode_for(const char *path, struct err *err) {
    struct stat info;
    char name[SHOWN], leads[PATH_MAX + 1] = "", to[SHOWN];
    shown(name, path);
    if (lstat(path, &info) < 0) {
        return errno == ENOENT
                   ? 0666
                   : err_set(err, ERR_IO, "cannot write %s: %s", name, strerror(errno));
    }
    if (S_ISLNK(info.st_mode)) {
        (void)!readlink(path, leads, PATH_MAX);
        return err_set(err, ERR_IO,
                       "cannot write %s: it is a link to %s; give the path of the file itself, "
                       "or remove the link",
                       name, shown(to, leads));
    }
    if (!S_ISREG(info.st_mode)) {
        return err_set(err, ERR_IO, "cannot write %s: it is %s, not a regular file", name,
                       kind_of(&info));
    }
    if (!(info.st_mode & 0222)) {
        return err_set(err, ERR_IO, "cannot write %s: it is protected against writing", name);
    }
    return (int)(info.st_mode & 0777);
}

/* A new file in the folder of `path`, whose name has room even where that of `path` has not. */
static int beside_open(const char *path, mode_t mode, char *beside, size_t size) {
    static atomic_uint count;
    int folder = (int)(file_name(path) - path), fd = -1;
    errno = EEXIST;
    for (int tries = 0; fd < 0 && errno == EEXIST && tries < 100; tries++) {
        unsigned number = atomic_fetch_add(&count, 1);
        if (snprintf(beside, size, "%.*s.cutaway-%ld-%u", folder, path, (long)getpid(),
                     number) >= (int)size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    }
    return fd;
}

/* So that the name too is there after the power fails. A file system that has no such thing is
 * no reason to say that nothing was written. */
static void folder_sync(const char *path) {
    char folder[PATH_MAX];
    int length = (int)(file_name(path) - path);
    snprintf(folder, sizeof folder, "%.*s", length > 0 ? length : 1, length > 0 ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
}

/* 0, or why not. */
static int write_and_close(int fd, const struct file_piece *pieces, int64_t n) {
    int why = write_pieces(fd, pieces, n) < 0 || fsync(fd) < 0 ? errno : 0;
    return close(fd) < 0 && !why ? errno : why;
}

int file_write_pieces(const char *path, const struct file_piece *pieces, int64_t n,
                      struct err *err) {
    char beside[PATH_MAX], name[SHOWN];
    int mode = mode_for(path, err);
    if (mode < 0) {
        return -1;
    }
    int fd = beside_open(path, (mode_t)mode, beside, sizeof beside);
    if (fd < 0) {
        return err_set(err, ERR_IO, "cannot write %s: %s", shown(name, path), strerror(errno));
    }
    int why = write_and_close(fd, pieces, n);
    if (!why && rename(beside, path) < 0) {
        why = errno;
    }
    if (why) {
        unlink(beside);
        if (why == EINTR) {
            stop_check();
        }
        return err_set(err, ERR_IO, "cannot write %s: %s", shown(name, path), strerror(why));
    }
    folder_sync(path);
    return 0;
}

int file_write(const char *path, const void *bytes, size_t length, struct err *err) {
    return file_write_pieces(path, &(struct file_piece){ bytes, length }, 1, err);
}

bool file_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool file_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool file_same(const char *a, const char *b) {
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

int file_make_folders(struct arena *arena, const char *path, struct err *err) {
    char *part = arena_copy(arena, path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = 0;
        }
        if (mkdir(part, 0777) < 0 && errno != EEXIST) {
            return err_set(err, ERR_IO, "cannot make the folder %s: %s", part, strerror(errno));
        }
        if (!slash) {
            return 0;
        }
        *slash = '/';
    }
}

const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *file_shown(struct arena *arena, const char *path) {
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;
    return n > 1 && strncmp(path, home, n) == 0 && path[n] == '/'
               ? arena_printf(arena, "~%s", path + n)
               : path;
}

char *file_join(struct arena *arena, const char *dir, const char *name) {
    size_t n = strlen(dir);
    return arena_printf(arena, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

/* A little at a time, until an interrupt. */
static void digest_add(EVP_MD_CTX *context, const struct file_piece *piece) {
    enum { STEP = 4 << 20 };
    for (size_t at = 0; at < piece->length && !stop_wanted(); at += STEP) {
        size_t n = piece->length - at < STEP ? piece->length - at : STEP;
        EVP_DigestUpdate(context, (const char *)piece->bytes + at, n);
    }
}

void file_sha256(const struct file_piece *pieces, int n, char hex[65]) {
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned size = 32;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        for (int i = 0; i < n; i++) {
            digest_add(context, &pieces[i]);
        }
        EVP_DigestFinal_ex(context, digest, &size);
    }
    EVP_MD_CTX_free(context);
    stop_check(); /* an interrupt leaves bytes out: no sum rather than a wrong one */
    for (unsigned i = 0; i < 32; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}
