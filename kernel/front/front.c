#include "kernel/front/front.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"

static bool done(struct front *front, struct message *message, front_step *step) {
    struct catch here;
    volatile bool well = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        step(front, message);
        well = true;
    } else {
        front_log("%s: %s", err_name(here.err.kind), here.err.text);
    }
    catch_end(&here);
    return well;
}

bool front_safely(struct front *front, struct message *message, front_step *step,
                  front_step *last_words) {
    if (!front->spare) {
        front->spare = malloc(FRONT_SPARE);
    }
    if (done(front, message, step)) {
        return true;
    }
    free(front->spare);
    front->spare = NULL;
    done(front, message, last_words);
    return false;
}

void front_reply(struct front *front, const struct message *request, const char *type,
                 const struct buf *content) {
    sockets_reply(front->sockets, request, type, "{}",
                  (struct frame){ content->data, content->length });
    front->replied = request; /* not before: what memory runs out for is not sent at all */
}

void front_reply_error(struct front *front, const struct message *request, const char *type,
                       const char *ename, const char *evalue) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "error");
    json_key(&w, "ename");
    json_string(&w, ename);
    json_key(&w, "evalue");
    json_string(&w, evalue);
    json_key(&w, "traceback");
    json_raw(&w, "[]", 2);
    json_key(&w, "execution_count");
    json_int(&w, front->count);
    json_close(&w, '}');
    front_reply(front, request, type, out);
}

void front_publish(struct front *front, const struct message *parent, const char *type,
                   const struct buf *content) {
    sockets_publish(front->sockets, parent, type,
                    (struct frame){ content->data, content->length }, NULL);
}

void front_log(const char *format, ...) {
    enum { LINE = 600, MOST = 48 * 1024 };
    static atomic_int written; /* the history's thread has something to say too */
    char line[LINE] = "[cutaway] ";
    size_t used = strlen(line);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + used, LINE - used - 1, format, args);
    va_end(args);
    used += n < 0 ? 0 : (size_t)n < LINE - used - 1 ? (size_t)n : LINE - used - 2;
    line[used++] = '\n';
    written += (int)used;
    if (written <= MOST && write(STDERR_FILENO, line, used) < 0) {
        written = MOST; /* nobody listens */
    }
}

int64_t front_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t front_earlier(int64_t a, int64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}
