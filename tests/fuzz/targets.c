#include "tests/fuzz/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

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

bool targets_json(struct frame frame) {
    json_error_t why;
    json_t *root =
        json_loadb(frame.bytes, frame.length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
    bool object = json_is_object(root);
    json_decref(root);
    return root ? object
                : json_error_code(&why) == json_error_numeric_overflow ||
                      json_error_code(&why) == json_error_null_byte_in_key ||
                      strstr(why.text, "Unicode") != NULL;
}

uint64_t targets_number(const void *bytes, size_t length) {
    uint64_t number = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        number = (number ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    }
    return number ^ number >> 32;
}
