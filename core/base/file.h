#ifndef CORE_BASE_FILE_H
#define CORE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* file: whole files, read by mapping and written so that nobody ever sees half of one. */

struct file {
    const unsigned char *bytes; /* read-only map; not NULL even for an empty file */
    int64_t size;
    const char *path; /* as given */
    int64_t changed;  /* when it was written last: ns since 1970 */
};

/* Maps a regular file read-only until the arena ends. Refuses devices, FIFOs and folders. */
struct file *file_map(struct arena *arena, const char *path, struct err *err);

/* Whether a part of a map is read here and there, or as usual one byte after the other: around
 * a byte that is read here and there, the system does not bring megabytes. */
void file_scattered(const void *bytes, int64_t length, bool scattered);

/* Writes to a temporary file beside `path`, syncs it, renames it over `path` and syncs the
 * folder. Refuses to replace anything but a regular file that may be written: no folder, device
 * or FIFO, and no link, wherever it leads. What takes the place of `path` meanwhile is replaced
 * and never opened. After a failure the old file is as it was, and nothing else is left. A file
 * that maps the old one keeps it. The new one has the old one's mode, as far as the umask
 * goes. */
int file_write(const char *path, const void *bytes, size_t length, struct err *err);

/* The same for content that lies in several places. */
struct file_piece {
    const void *bytes;
    size_t length;
};
int file_write_pieces(const char *path, const struct file_piece *pieces, int64_t n,
                      struct err *err);

bool file_exists(const char *path); /* a regular file, or a link to one */
bool file_is_folder(const char *path);
bool file_same(const char *a,
               const char *b); /* two names of one file or folder, which exists */

/* Makes the folder and those it lies in, as far as they are not there. */
int file_make_folders(struct arena *arena, const char *path, struct err *err);

/* The part after the last '/'. */
const char *file_name(const char *path);

/* The path as people read it: ~ for the home folder, so that a notebook that is passed on does
 * not tell whose machine it was made on. `path` itself, or in the arena. */
const char *file_shown(struct arena *arena, const char *path);

/* DIR/NAME, in the arena. */
char *file_join(struct arena *arena, const char *dir, const char *name);

/* SHA-256 over several pieces, as 64 hex digits and a NUL. */
void file_sha256(const struct file_piece *pieces, int n, char hex[65]);

#endif
