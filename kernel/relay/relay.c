#include "kernel/relay/relay.h"

#include <string.h>

#include "core/base/checked.h"
#include "core/base/err.h"

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

int relay_pair_read(const char *bytes, size_t length, size_t head, const char *pair[2]) {
    if (length < head) {
        return -1;
    }
    const char *at = bytes + head, *end = bytes + length;
    pair[0] = string_take(&at, end);
    pair[1] = pair[0] ? string_take(&at, end) : NULL;
    return pair[1] && at == end ? 0 : -1;
}

int relay_tiled_read(const char *bytes, size_t length, struct relay_tiled *head,
                     const char **rest, size_t *rest_length) {
    int64_t count;
    if (length < sizeof *head) {
        return -1;
    }
    memcpy(head, bytes, sizeof *head);
    *rest = bytes + sizeof *head;
    *rest_length = length - sizeof *head;
    if (!head->good) {
        return *rest_length < sizeof(((struct err *)0)->text) ? 0 : -1;
    }
    if (head->rank > RELAY_RANK || !ck_product(head->shape, (int)head->rank, &count) ||
        !ck_mul(count, sizeof(float), &count)) {
        return -1;
    }
    return (uint64_t)count == *rest_length ? 0 : -1;
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
