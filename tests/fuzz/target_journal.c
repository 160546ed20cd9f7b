/* A file that a worker which has been broken into may have left to the next: a packed result,
 * and the whole file. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/result/result_id.h"
#include "core/result/result_pack.h"
#include "kernel/session/journal.h"
#include "tests/fuzz/targets.h"

enum { BYTES_MOST = 1 << 20 };

/* A copy where packed results must lie, in a block of its own. */
static void *aligned_copy(struct arena *arena, const void *bytes, size_t length) {
    void *copy = NULL;
    must(posix_memalign(&copy, RESULT_PACK_ALIGN, length ? length : 1) == 0);
    arena_defer(arena, free, copy);
    return memcpy(copy, bytes, length);
}

/* What was taken back is packed again to something that is the same result. */
static void check_result(struct arena *arena, const struct result *result) {
    struct err err = { 0 };
    int64_t count, at = 0;
    struct file_piece *pieces = result_pack(arena, result, &count);
    int64_t size = result_pack_size(pieces, count);
    char *bytes = arena_alloc(arena, (size_t)size + 1);
    for (int64_t i = 0; i < count; i++) {
        memcpy(bytes + at, pieces[i].bytes, pieces[i].length);
        at += (int64_t)pieces[i].length;
    }
    must(at == size);
    const struct result *again = result_unpack(arena, bytes, size, &err);
    must(again && again->count == result->count && again->note_count == result->note_count);
    must(strcmp(result_id(arena, result), result_id(arena, again)) == 0);
}

static void check_file(struct arena *arena, const uint8_t *bytes, size_t length) {
    int fd = memfd_create("journal", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    const struct journal *journal = journal_open(arena, fd, BYTES_MOST);
    must(journal);
    for (int64_t i = 0; journal_serial(journal, i) != 0; i++) {
        struct err err = { 0 };
        int64_t weight;
        const struct result *result =
            journal_read(journal, arena, journal_serial(journal, i), &weight, &err);
        must(result || err.text[0]);
    }
    close(fd);
}

void target_journal(const uint8_t *bytes, size_t length) {
    struct arena *arena = arena_new();
    struct err err = { 0 };
    const struct result *result =
        result_unpack(arena, aligned_copy(arena, bytes, length), (int64_t)length, &err);
    if (result) {
        check_result(arena, result);
    } else {
        must(err.kind == ERR_FORMAT && err.text[0]);
    }
    check_file(arena, bytes, length);
    arena_free(arena);
}
