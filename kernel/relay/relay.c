#include "kernel/relay/relay.h"

#include <string.h>

/* The next terminated string of at..end, NULL if no NUL is left; moves `at` behind it. */
static const char *string_take(const char **at, const char *end) {
    const char *text = *at;
    const char *nul = memchr(text, '\0', (size_t)(end - text));
    if (!nul) {
        return NULL;
    }
    *at = nul + 1;
    return text;
}

int relay_execute_read(struct arena *arena, const char *bytes, size_t length,
                       struct relay_execute *head, const char **code, const char ***names,
                       const char ***texts) {
    if (length < sizeof *head) {
        return -1;
    }
    memcpy(head, bytes, sizeof *head);
    const char *at = bytes + sizeof *head, *end = bytes + length;
    uint64_t left = (uint64_t)(end - at);
    if (head->code_length > left || head->expressions > (left - head->code_length) / 2) {
        return -1; /* each expression takes at least its two NULs */
    }
    *code = arena_text(arena, at, (size_t)head->code_length);
    at += head->code_length;
    *names = arena_array(arena, head->expressions, sizeof **names);
    *texts = arena_array(arena, head->expressions, sizeof **texts);
    for (uint32_t i = 0; i < head->expressions; i++) {
        (*names)[i] = string_take(&at, end);
        (*texts)[i] = (*names)[i] ? string_take(&at, end) : NULL;
        if (!(*texts)[i]) {
            return -1;
        }
    }
    return at == end ? 0 : -1;
}

void relay_execute_write(struct buf *out, struct relay_execute head, const char *code,
                         size_t length, const char *const *names, const char *const *texts) {
    head.code_length = length;
    buf_add(out, &head, sizeof head);
    buf_add(out, code, length);
    for (uint32_t i = 0; i < head.expressions; i++) {
        buf_add(out, names[i], strlen(names[i]) + 1);
        buf_add(out, texts[i], strlen(texts[i]) + 1);
    }
}
