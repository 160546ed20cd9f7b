#include "kernel/worker/run_cell.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"
#include "core/base/now.h"
#include "kernel/command/command.h"
#include "kernel/worker/expressions.h"
#include "kernel/worker/traceback.h"

struct run {
    struct arena *arena;
    struct session *session;
    const struct reply_sink *sink;
    const struct run_request *request;
    struct run_outcome *outcome;
    struct reply *reply;
};

static int run_line(struct run *run, const struct cell_line *line) {
    struct err *err = &run->outcome->err;
    const struct command *command = command_find(line->command.text);
    if (line->asks) {
        const char *language = session_setting(run->session, "language");
        reply_page(run->reply, command_help(session_arena(run->session), command, language));
        return 0;
    }
    stop_check();
    if (command->run(run->session, line, run->reply, err) < 0) {
        command_point(err, &line->command);
        return -1;
    }
    return 0;
}

static int run_lines(struct run *run) {
    struct err *err = &run->outcome->err;
    double began = now_seconds();
    const struct cell *cell = cell_parse(session_arena(run->session), run->request->code,
                                         run->request->length, command_takes_value, err);
    if (!cell) {
        return -1;
    }
    for (int64_t i = 0; i < cell->count; i++) {
        if (command_check(&cell->lines[i], err) < 0) {
            return -1;
        }
    }
    for (int64_t i = 0; i < cell->count; i++) {
        struct arena_mark mark = arena_mark(session_arena(run->session));
        if (run_line(run, &cell->lines[i]) < 0) {
            return -1;
        }
        arena_rewind(session_arena(run->session), mark); /* a cell of many lines stays small */
    }
    if (cell->count > 0 && strcmp(session_setting(run->session, "time"), "on") == 0) {
        reply_printf(run->reply, "time: %.1f ms\n", (now_seconds() - began) * 1e3);
    }
    return 0;
}

static void write_success(struct run *run) {
    struct jsonwrite w = { .out = buf_new(run->arena) };
    const char *payloads = reply_payloads(run->reply);
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "ok");
    json_key(&w, "execution_count");
    json_int(&w, run->request->count);
    json_key(&w, "payload");
    json_raw(&w, payloads, strlen(payloads));
    json_key(&w, "user_expressions");
    json_open(&w, '{');
    for (uint32_t i = 0; i < run->request->expressions; i++) {
        json_key(&w, run->request->names[i]);
        expressions_write(&w, run->session, run->request->texts[i]);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    run->outcome->content = w.out->data;
}

static void write_failure(struct run *run) {
    struct run_outcome *outcome = run->outcome;
    struct jsonwrite w = { .out = buf_new(run->arena) };
    bool zh = strcmp(session_setting(run->session, "language"), "zh") == 0;
    outcome->evalue = arena_copy(run->arena, err_said(&outcome->err, zh));
    outcome->traceback =
        traceback(run->arena, &outcome->err, zh, run->request->code, run->request->length);
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "error");
    json_key(&w, "execution_count");
    json_int(&w, run->request->count);
    json_key(&w, "ename");
    json_string(&w, err_name(outcome->err.kind));
    json_key(&w, "evalue");
    json_string(&w, outcome->evalue);
    json_key(&w, "traceback");
    json_open(&w, '[');
    for (const char *at = outcome->traceback; *at;) {
        size_t n = strcspn(at, "\n");
        json_bytes(&w, at, n);
        at += at[n] ? n + 1 : n;
    }
    json_close(&w, ']');
    json_close(&w, '}');
    outcome->content = w.out->data;
}

static int run_caught(struct run *run) {
    struct catch here;
    int status = -1;
    if (setjmp(catch_set(&here)->place) == 0) {
        run->reply = reply_new(session_arena(run->session), run->sink, run->request->count,
                               run->request->silent);
        status = run_lines(run);
        if (status == 0) {
            write_success(run);
        }
    } else {
        run->outcome->err = here.err;
        if (here.err.kind == ERR_STOP && strcmp(here.err.text, "interrupted") == 0) {
            err_zh(&run->outcome->err, "已中断");
        }
        status = -1;
    }
    catch_end(&here);
    return status;
}

int run_cell(struct arena *arena, struct session *session, const struct reply_sink *sink,
             const struct run_request *request, struct run_outcome *outcome) {
    struct run run = {
        .arena = arena, .session = session, .sink = sink, .request = request, .outcome = outcome
    };
    *outcome = (struct run_outcome){ 0 };
    session_begin(session);
    int status = run_caught(&run);
    session_end(session); /* before the failure is written: it may have been memory */
    if (status < 0) {
        write_failure(&run);
    }
    return status;
}
