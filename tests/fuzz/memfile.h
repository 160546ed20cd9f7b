#ifndef TESTS_FUZZ_MEMFILE_H
#define TESTS_FUZZ_MEMFILE_H

#include <stddef.h>

/* memfile: files that lie in memory, so that tens of thousands of them can be opened in a
 * second.
 *
 * The fuzz program is linked so that the engine's file_map, file_exists and file_is_folder come
 * here first. A path below MEMFILE_FOLDER is one of these; all others are files as ever. As
 * with a mapped file, its bytes can only be read, and behind its last page (with
 * AddressSanitizer: behind its last byte) every access ends the process. */

#define MEMFILE_FOLDER "/memfile"

/* Forgets all files, then takes new ones. The bytes are copied. */
void memfile_clear(void);
void memfile_put(const char *name, const void *bytes, size_t length);

#endif
