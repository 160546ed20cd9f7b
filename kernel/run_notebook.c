#include "kernel/run_notebook.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "kernel/run_main.h"
#include "kernel/worker/run_cell.h"

/* The outputs of one cell while they grow. */
struct outputs {
    struct arena *arena;
    struct json *list;
    struct json *stream; /* the open stream output; NULL: none */
    struct buf *text;    /* its text */
    bool is_error;       /* it is stderr's */
    bool clear;          /* the next output takes the place of those before */
};

static struct json *text_of(struct arena *arena, const char *text) {
    return json_new_text(arena, text, strlen(text));
}

static void stream_end(struct outputs *outputs) {
    if (outputs->stream) {
        json_set(outputs->arena, outputs->stream, "text",
                 json_new_text(outputs->arena, outputs->text->data, outputs->text->length));
        outputs->stream = NULL;
    }
}

static struct json *output_new(struct outputs *outputs, const char *type) {
    stream_end(outputs);
    if (outputs->clear) {
        outputs->list->first = NULL;
        outputs->list->count = 0;
        outputs->clear = false;
    }
    struct json *output = json_new(outputs->arena, JSON_OBJECT);
    json_set(outputs->arena, output, "output_type", text_of(outputs->arena, type));
    json_add(outputs->list, output);
    return output;
}

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    struct outputs *outputs = arg;
    if (!outputs->stream || outputs->is_error != is_error || outputs->clear) {
        outputs->stream = output_new(outputs, "stream");
        outputs->text = buf_new(outputs->arena);
        outputs->is_error = is_error;
        json_set(outputs->arena, outputs->stream, "name",
                 text_of(outputs->arena, is_error ? "stderr" : "stdout"));
    }
    buf_add(outputs->text, text, length);
}

static void on_page(void *arg, const char *text) {
    on_stream(arg, false, text, strlen(text));
}

static void on_clear(struct outputs *outputs, const struct json *content) {
    stream_end(outputs);
    outputs->clear = true;
    if (!json_bool_at(content, "wait", false)) {
        outputs->list->first = NULL;
        outputs->list->count = 0;
        outputs->clear = false;
    }
}

static void on_message(void *arg, const char *type, const char *content, size_t length) {
    struct outputs *outputs = arg;
    struct err err;
    char *copy = arena_text(outputs->arena, content, length); /* the tree points into it */
    struct json *tree = json_parse(outputs->arena, copy, length, "an output", &err);
    if (strcmp(type, "clear_output") == 0) {
        on_clear(outputs, tree);
        return;
    }
    bool result = strcmp(type, "execute_result") == 0;
    struct json *count = json_at(tree, "execution_count");
    struct json *data = json_at(tree, "data"), *metadata = json_at(tree, "metadata");
    struct json *output = output_new(outputs, result ? "execute_result" : "display_data");
    if (result) {
        json_set(outputs->arena, output, "execution_count", count);
    }
    json_set(outputs->arena, output, "data", data);
    json_set(outputs->arena, output, "metadata", metadata);
}

static void add_error(struct outputs *outputs, const struct run_outcome *outcome) {
    struct arena *arena = outputs->arena;
    struct json *output = output_new(outputs, "error");
    struct json *lines = json_new(arena, JSON_ARRAY);
    for (const char *at = outcome->traceback; *at;) {
        size_t n = strcspn(at, "\n");
        json_add(lines, json_new_text(arena, at, n));
        at += at[n] ? n + 1 : n;
    }
    json_set(arena, output, "ename", text_of(arena, err_name(outcome->err.kind)));
    json_set(arena, output, "evalue", text_of(arena, outcome->evalue));
    json_set(arena, output, "traceback", lines);
}

/* A cell's source, which is a string or a list of strings. */
static const struct buf *source_of(struct arena *arena, const struct json *cell) {
    struct buf *source = buf_new(arena);
    const struct json *value = json_at(cell, "source");
    if (value && value->kind == JSON_STRING) {
        buf_add(source, value->text.bytes, value->text.length);
    }
    for (const struct json *at = value && value->kind == JSON_ARRAY ? value->first : NULL; at;
         at = at->next) {
        if (at->kind == JSON_STRING) {
            buf_add(source, at->text.bytes, at->text.length);
        }
    }
    return source;
}

static bool may_fail(const struct json *cell) {
    const struct json *tags = json_at(json_at(cell, "metadata"), "tags");
    for (const struct json *at = tags ? tags->first : NULL; at; at = at->next) {
        if (at->kind == JSON_STRING && json_is(at->text, "raises-exception")) {
            return true;
        }
    }
    return false;
}

static int run_one(struct arena *arena, struct session *session, const char *path,
                   struct json *cell, int64_t count) {
    struct outputs outputs = { .arena = arena, .list = json_new(arena, JSON_ARRAY) };
    const struct reply_sink sink = {
        .stream = on_stream, .message = on_message, .page = on_page, .arg = &outputs
    };
    const struct buf *source = source_of(arena, cell);
    const struct run_request request = { .code = source->data,
                                         .length = source->length,
                                         .count = count };
    struct run_outcome outcome;
    int status = run_cell(arena, session, &sink, &request, &outcome);
    if (status < 0) {
        add_error(&outputs, &outcome);
    }
    stream_end(&outputs);
    json_set(arena, cell, "execution_count", json_new_int(arena, count));
    json_set(arena, cell, "outputs", outputs.list);
    if (status < 0 && !may_fail(cell)) {
        run_complain(path, count, outcome.traceback);
        return -1;
    }
    return 0;
}

static int run_cells(struct arena *arena, struct session *session, const char *path,
                     const struct json *cells) {
    int64_t count = 0;
    for (struct json *cell = cells->first; cell; cell = cell->next) {
        if (strcmp(json_text_at(cell, "cell_type", ""), "code") == 0 &&
            run_one(arena, session, path, cell, ++count) < 0) {
            return -1;
        }
    }
    return 0;
}

static struct json *read_notebook(struct arena *arena, const char *path, struct err *err) {
    const struct file *file = file_map(arena, path, err);
    if (!file) {
        err_pass(err);
        return NULL;
    }
    struct json *notebook = json_parse(arena, file->bytes, (size_t)file->size, path, err);
    if (!notebook) {
        err_pass(err);
        return NULL;
    }
    const struct json *cells = json_at(notebook, "cells");
    if (json_int_at(notebook, "nbformat", 0) != 4 || !cells || cells->kind != JSON_ARRAY) {
        err_set(
            err, ERR_FORMAT,
            "%s is no notebook of format 4 (nbformat is %lld): open it in Jupyter and save it "
            "anew",
            path, (long long)json_int_at(notebook, "nbformat", 0));
        return NULL;
    }
    return notebook;
}

/* A path that stays the same when the working folder changes. */
static const char *absolute(struct arena *arena, const char *path) {
    char here[PATH_MAX];
    return path[0] == '/' || !getcwd(here, sizeof here) ? path : file_join(arena, here, path);
}

static int enter_folder(struct arena *arena, const char *path, struct err *err) {
    char *folder = arena_copy(arena, path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder) {
        return 0;
    }
    *slash = '\0';
    return chdir(folder) < 0
               ? err_set(err, ERR_IO, "cannot enter the folder %s: %s", folder, strerror(errno))
               : 0;
}

int run_notebook(struct session *session, const char *path, const char *out, struct err *err) {
    struct arena *arena = arena_new();
    char *real = realpath(out, NULL); /* a link is followed here: who runs this named it */
    const char *to = absolute(arena, real ? real : out);
    const char *from = absolute(arena, path);
    struct json *notebook = read_notebook(arena, from, err);
    int status = -1;
    if (notebook && enter_folder(arena, from, err) == 0) {
        int ran = run_cells(arena, session, path, json_at(notebook, "cells"));
        struct buf *text = buf_new(arena);
        json_print(text, notebook, true);
        buf_char(text, '\n');
        status = file_write(to, text->data, text->length, err) < 0 ? -1 : ran;
    }
    free(real);
    arena_free(arena);
    return status;
}
