#include "tests/fuzz/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct target targets[] = {
    { "cell", target_cell },
    { "connection", target_connection },
    { "frames", target_frames },
    { "journal", target_journal },
    { "relay", target_relay },
    { "request", target_request },
    { NULL, NULL },
};

void targets_broken(const char *what, const char *file, int line) {
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

char *targets_copy(struct arena *arena, const void *bytes, size_t length) {
    char *copy = malloc(length ? length : 1);
    must(copy);
    memcpy(copy, bytes, length);
    arena_defer(arena, free, copy);
    return copy;
}

int targets_piece(struct frame *rest, char mark, struct frame *piece) {
    if (!rest->bytes) {
        return 0;
    }
    const char *end = memchr(rest->bytes, mark, rest->length);
    size_t length = end ? (size_t)(end - rest->bytes) : rest->length;
    *piece = (struct frame){ rest->bytes, length };
    *rest =
        end ? (struct frame){ end + 1, rest->length - length - 1 } : (struct frame){ NULL, 0 };
    return 1;
}

uint64_t targets_number(const void *bytes, size_t length) {
    uint64_t number = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        number = (number ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    }
    return number ^ number >> 32;
}
