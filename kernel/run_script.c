#include "kernel/run_script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "kernel/run_main.h"
#include "kernel/worker/run_cell.h"

/* Where the outputs of one cell go. */
struct outlet {
    struct arena *arena;
    const char *folder;  /* NULL: to stdout */
    int64_t cell, count; /* count: outputs so far, the open stream included */
    struct buf *stream;  /* text of the open stream output; NULL: none is open */
    bool is_error;       /* it is stderr's */
    struct err err;      /* the first file that could not be written */
};

/* Plain writing: these files are made anew by every run, so nothing is lost by a crash. */
static void write_out(struct outlet *outlet, const char *ending, const void *bytes,
                      size_t length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%lld-%lld%s", outlet->folder, (long long)outlet->cell,
             (long long)outlet->count, ending);
    FILE *file = fopen(path, "wbe");
    bool bad = !file || (length > 0 && fwrite(bytes, length, 1, file) != 1);
    if (file && fclose(file) != 0) {
        bad = true;
    }
    if (bad && outlet->err.kind == ERR_NONE) {
        err_set(&outlet->err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
}

static void stream_end(struct outlet *outlet) {
    if (outlet->stream) {
        write_out(outlet, ".txt", outlet->stream->data, outlet->stream->length);
        outlet->stream = NULL;
    }
}

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    struct outlet *outlet = arg;
    if (!outlet->folder) {
        fwrite(text, 1, length, is_error ? stderr : stdout);
        return;
    }
    if (outlet->stream && outlet->is_error != is_error) {
        stream_end(outlet);
    }
    if (!outlet->stream) {
        outlet->stream = buf_new(outlet->arena);
        outlet->is_error = is_error;
        outlet->count++;
    }
    buf_add(outlet->stream, text, length);
}

static void on_page(void *arg, const char *text) {
    on_stream(arg, false, text, strlen(text));
}

static void on_bundle(void *arg, const struct bundle *bundle) {
    struct outlet *outlet = arg;
    if (!outlet->folder) {
        printf("%s\n", bundle->text);
        return;
    }
    stream_end(outlet);
    outlet->count++;
    write_out(outlet, ".txt", bundle->text, strlen(bundle->text));
    if (bundle->png) {
        write_out(outlet, ".png", bundle->png, bundle->png_length);
    }
    if (bundle->html) {
        write_out(outlet, ".html", bundle->html, strlen(bundle->html));
    }
    if (bundle->json) {
        write_out(outlet, ".json", bundle->json, strlen(bundle->json));
    }
}

/* All that is left for it is clear_output, which means nothing to a file or pipe. */
static void on_message(void *arg, const char *type, const char *content, size_t length) {
    (void)arg, (void)type, (void)content, (void)length;
}

/* mkdir -p */
static int make_folder(const char *path, struct err *err) {
    char part[4096];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part) {
        return err_set(err, ERR_IO, "cannot make the folder \"%.100s\": the name is %s", path,
                       length ? "too long" : "empty");
    }
    for (size_t n = 1; n <= length; n++) {
        if (path[n] == '/' || path[n] == '\0') {
            memcpy(part, path, n);
            part[n] = '\0';
            if (mkdir(part, 0777) < 0 && errno != EEXIST) {
                return err_set(err, ERR_IO, "cannot make the folder %s: %s", part,
                               strerror(errno));
            }
        }
    }
    if (!file_is_folder(path)) {
        return err_set(err, ERR_IO, "%s is no folder: choose another for --out", path);
    }
    return 0;
}

static int run_one(struct session *session, const char *path, struct outlet *outlet,
                   const char *code, size_t length, struct err *err) {
    const struct reply_sink sink = { .stream = on_stream,
                                     .message = on_message,
                                     .bundle = on_bundle,
                                     .page = on_page,
                                     .arg = outlet };
    const struct run_request request = { .code = code,
                                         .length = length,
                                         .count = outlet->cell };
    struct run_outcome outcome;
    int status = run_cell(outlet->arena, session, &sink, &request, &outcome);
    stream_end(outlet);
    fflush(stdout);
    if (status < 0) {
        run_complain(path, outlet->cell, outcome.traceback);
        return -1;
    }
    if (outlet->err.kind != ERR_NONE) {
        *err = outlet->err;
        return -1;
    }
    return 0;
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!strchr(" \t\r\n", text[i]) || text[i] == '\0') {
            return false;
        }
    }
    return true;
}

static const char *line_end(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline + 1 : end;
}

static bool parts(const char *at, const char *end) {
    return end - at >= 4 && memcmp(at, "# %%", 4) == 0;
}

int run_script(struct session *session, const char *path, const char *text, size_t length,
               const char *out, struct err *err) {
    const char *at = text, *end = text + length;
    int64_t number = 0;
    if (out && make_folder(out, err) < 0) {
        return err_pass(err);
    }
    for (bool first = true; first || at < end; first = false) {
        const char *begin = at;
        if (parts(at, end)) {
            begin = at = line_end(at, end); /* what the line says beside is a title */
            first = false;
        }
        while (at < end && !parts(at, end)) {
            at = line_end(at, end);
        }
        if (first && is_blank(begin, (size_t)(at - begin))) {
            continue;
        }
        struct outlet outlet = { .arena = arena_new(), .folder = out, .cell = ++number };
        int status = run_one(session, path, &outlet, begin, (size_t)(at - begin), err);
        arena_free(outlet.arena);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}
