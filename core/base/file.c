#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
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

struct file *file_map(struct arena *arena, const char *path, struct err *err) {
    struct file *file = arena_alloc(arena, sizeof *file);
    file->path = arena_copy(arena, path);
    arena_defer(arena, file_unmap, file); /* first, so that nothing below can leak */

    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not block us */
    if (fd < 0) {
        err_set(err, ERR_IO, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    struct stat info = { 0 };
    if (fstat(fd, &info) < 0) {
        err_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        err_set(err, ERR_IO, "%s is %s, not a regular file", path,
                S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    } else if (info.st_size == 0) {
        file->bytes = (const unsigned char *)"";
    } else {
        void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            err_set(err, ERR_IO, "cannot map %s: %s", path, strerror(errno));
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

static int write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        bytes += n;
        length -= (size_t)n;
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

int file_write_pieces(const char *path, const struct file_piece *pieces, int64_t n,
                      struct err *err) {
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return err_set(err, ERR_IO, "cannot write %s: it is %s, not a regular file", path,
                       S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    }
    char beside[4096];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside) {
        return err_set(err, ERR_IO, "cannot write %.200s...: the path is too long", path);
    }
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    mode_t mask = umask(0);
    umask(mask);
    int bad = write_pieces(fd, pieces, n) < 0 || fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0;
    int why = errno;
    if (close(fd) < 0 && !bad) {
        bad = 1;
        why = errno;
    }
    if (!bad && rename(beside, path) < 0) {
        bad = 1;
        why = errno;
    }
    if (bad) {
        unlink(beside);
        return err_set(err, ERR_IO, "cannot write %s: %s", path, strerror(why));
    }
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

void file_sha256(const struct file_piece *pieces, int n, char hex[65]) {
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned size = 32;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        for (int i = 0; i < n; i++) {
            EVP_DigestUpdate(context, pieces[i].bytes, pieces[i].length);
        }
        EVP_DigestFinal_ex(context, digest, &size);
    }
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; i < 32; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}
