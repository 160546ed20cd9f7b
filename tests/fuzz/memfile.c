#include "tests/fuzz/memfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/file.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { FILES = 4, ROOM = 4 << 20, ALIGN = 8 };

/* One piece of memory mapped twice: `write` for us, `read` for the reader under test, with a
 * page behind it that nobody may touch. */
static struct place {
    char *write, *read;
    const char *name; /* NULL: free */
    struct file file;
} places[FILES];

static void place_make(struct place *place) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int fd = memfd_create("memfile", MFD_CLOEXEC);
    char *reserved = mmap(NULL, ROOM + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fd < 0 || ftruncate(fd, ROOM) < 0 || reserved == MAP_FAILED) {
        perror("memfile");
        exit(2);
    }
    place->read = mmap(reserved, ROOM, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
    place->write = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (place->read == MAP_FAILED || place->write == MAP_FAILED) {
        perror("memfile");
        exit(2);
    }
    close(fd);
}

void memfile_clear(void) {
    for (int i = 0; i < FILES; i++) {
        places[i].name = NULL;
    }
}

/* The file's end lies at the end of the readable pages; its beginning, as a map's, is aligned.
 */
void memfile_put(const char *name, const void *bytes, size_t length) {
    int i = 0;
    while (i < FILES && places[i].name) {
        i++;
    }
    if (i == FILES || length > ROOM) {
        fprintf(stderr, "memfile: no room for %s of %zu bytes\n", name, length);
        exit(2);
    }
    struct place *place = &places[i];
    if (!place->write) {
        place_make(place);
    }
    size_t at = (ROOM - length) / ALIGN * ALIGN;
    ASAN_UNPOISON_MEMORY_REGION(place->read, ROOM);
    memcpy(place->write + at, bytes, length);
    ASAN_POISON_MEMORY_REGION(place->read + at + length, ROOM - at - length);
    place->name = name;
    place->file.bytes = (const unsigned char *)place->read + at;
    place->file.size = (int64_t)length;
}

/* ---- in the place of core/base/file.c ---- */

struct file *__real_file_map(struct arena *arena, const char *path, struct err *err);
struct file *__wrap_file_map(struct arena *arena, const char *path, struct err *err);
bool __real_file_exists(const char *path);
bool __wrap_file_exists(const char *path);
bool __real_file_is_folder(const char *path);
bool __wrap_file_is_folder(const char *path);

static bool is_ours(const char *path) {
    return strncmp(path, MEMFILE_FOLDER, strlen(MEMFILE_FOLDER)) == 0;
}

static const struct place *find(const char *path) {
    for (int i = 0; i < FILES; i++) {
        if (places[i].name && strcmp(path, MEMFILE_FOLDER) != 0 &&
            strcmp(path + strlen(MEMFILE_FOLDER "/"), places[i].name) == 0) {
            return &places[i];
        }
    }
    return NULL;
}

struct file *__wrap_file_map(struct arena *arena, const char *path, struct err *err) {
    if (!is_ours(path)) {
        return __real_file_map(arena, path, err);
    }
    const struct place *place = find(path);
    if (!place) {
        err_set(err, ERR_IO, "cannot open %s: it is not there", path);
        return NULL;
    }
    struct file *file = arena_alloc(arena, sizeof *file);
    *file = place->file;
    file->path = arena_copy(arena, path);
    return file;
}

bool __wrap_file_exists(const char *path) {
    return is_ours(path) ? find(path) != NULL : __real_file_exists(path);
}

bool __wrap_file_is_folder(const char *path) {
    return is_ours(path) ? strcmp(path, MEMFILE_FOLDER) == 0 : __real_file_is_folder(path);
}
