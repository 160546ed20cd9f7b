#include "kernel/front/execute.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/base/catch.h"
#include "core/base/jsoncheck.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/answer.h"
#include "kernel/front/comm.h"
#include "kernel/front/death.h"
#include "kernel/front/grants.h"
#include "kernel/front/history.h"
#include "kernel/front/input.h"
#include "kernel/front/known.h"
#include "kernel/front/minder.h"
#include "kernel/front/status.h"
#include "kernel/front/stream.h"
#include "kernel/relay/relay.h"
#include "kernel/wire/envelope.h"

/* An interrupt that comes before the worker has read the cell is taken for one of the cell
 * before; so it is said again. */
enum { AGAIN_MS = 20 };

/* Bytes that subscribers have not taken yet: above HIGH the worker waits until they are below
 * LOW.
 */
enum { BACKLOG_HIGH = 64 << 20, BACKLOG_LOW = 32 << 20, BACKLOG_LOOK_MS = 20 };

static void cell_fail(struct front *front, const char *ename, const char *evalue);
static void cell_last(struct front *front, struct message *message);

static void input_publish(struct front *front, const char *code, size_t length) {
    struct buf *out = buf_new(front->running.message->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "code");
    json_bytes(&w, code, length);
    json_key(&w, "execution_count");
    json_int(&w, front->running.count);
    json_close(&w, '}');
    front_publish(front, front->running.message, "execute_input", out);
}

/* Hands the cell to the worker. */
static void cell_send(struct front *front, const char *code, size_t length) {
    struct message *message = front->running.message;
    json_t *expressions = json_object_get(message->content, "user_expressions");
    size_t most = json_object_size(expressions), n = 0;
    const char **names = arena_array(message->arena, (int64_t)most + 1, sizeof *names);
    const char **texts = arena_array(message->arena, (int64_t)most + 1, sizeof *texts);
    const char *name;
    json_t *text;
    json_object_foreach(expressions, name, text) {
        names[n] = name;
        texts[n++] = json_is_string(text) ? json_string_value(text) : "";
    }
    struct relay_execute head = { .count = front->running.count,
                                  .expressions = (uint32_t)n,
                                  .silent = front->running.silent,
                                  .asks = frames_flag(message, "allow_stdin", false) };
    struct buf *out = buf_new(message->arena);
    relay_execute_write(out, head, code, length, names, texts);
    minder_send(front->minder, RELAY_EXECUTE, out->data, out->length);
}

/* Hands it to a worker, a new one if none lives. */
static void cell_begin(struct front *front) {
    struct err err;
    size_t length;
    const char *code = frames_text(front->running.message, "code", &length);
    if (minder_start(front->minder, &err) < 0) {
        cell_fail(front, err_name(ERR_DIED), err.text);
        return;
    }
    known_say(front->known, front->minder, KNOWN_SAY_LAST);
    cell_send(front, code, length);
}

static void cell_start(struct front *front, struct message *message) {
    struct running *running = &front->running;
    size_t length;
    const char *code = frames_text(message, "code", &length);
    *running = (struct running){ .message = message };
    running->silent = frames_flag(message, "silent", false);
    running->stored = frames_flag(message, "store_history", true) && !running->silent;
    running->stops = frames_flag(message, "stop_on_error", true) && !running->silent;
    front->count += running->stored;
    running->count = front->count;
    envelope_date(running->started);

    status_busy(front, message);
    pace_begin(&front->pace, front_now());
    if (!running->silent) {
        input_publish(front, code, length);
    }
    if (running->stored) {
        history_add(front->history, running->count, code, length);
    }
    if (!running->silent) {
        stream_begin(front->stream);
    }
    known_cell(front->known, code, length, front_now());
    comm_tell_state(front, message, false);
    int granted = grants_cell(front->grants, code, length);
    if (granted > 0) {
        minder_retire(front->minder, grants_said(front->grants));
    } else if (granted < 0) {
        front_log(
            "a file that a cell names could not be looked at in %d ms; is a network drive "
            "away?",
            FRONT_LOOK_MS);
    }
    if (!minder_retiring(front->minder)) { /* else once it has ended */
        cell_begin(front);
    }
}

/* Starts what waits, if nothing runs. A cell that cannot be started ends at once, so this goes
 * on. */
static void queue_go(struct front *front) {
    struct message *message;
    while (!front->ending && !front->running.message &&
           (message = queue_pop(&front->queue)) != NULL) {
        front_safely(front, message, cell_start, cell_last);
    }
}

void execute_arrive(struct front *front, struct message *message) {
    if (!front->running.message && minder_gone(front->minder)) {
        execute_died(front); /* before this cell, which has no part in it */
    }
    queue_push(&front->queue, message);
    queue_go(front);
}

static void abort_one(struct front *front, struct message *message) {
    static const char aborted[] = "{\"status\":\"aborted\"}";
    if (front->replied != message) {
        status_busy(front, message);
        sockets_reply(front->sockets, message, "execute_reply", aborted,
                      (struct frame){ aborted, sizeof aborted - 1 });
        front->replied = message;
    }
    status_idle(front, message);
}

static void queue_abort(struct front *front) {
    struct message *message;
    while ((message = queue_pop(&front->queue)) != NULL) {
        front->replied = NULL;
        front_safely(front, message, abort_one, abort_one);
        frames_free(message);
    }
}

/* That no cell runs any more, and what it had of memory is free. */
static void idle_tell(struct front *front, struct message *message) {
    known_cell(front->known, NULL, 0, 0);
    comm_tell_state(front, message, false);
    status_idle(front, message);
}

static void idle_last(struct front *front, struct message *message) {
    status_idle(front, message);
}

static void cell_finish(struct front *front, bool failed, struct frame content) {
    struct message *message = front->running.message;
    char metadata[128];
    snprintf(metadata, sizeof metadata, "{\"started\":\"%s\",\"status\":\"%s\"}",
             front->running.started, failed ? "error" : "ok");
    sockets_reply(front->sockets, message, "execute_reply", metadata, content);
    bool abort = failed && front->running.stops;
    front->running = (struct running){ 0 };
    front_safely(front, message, idle_tell, idle_last);
    frames_free(message);
    if (abort) {
        queue_abort(front);
    }
}

static void note_left_out(struct front *front) {
    char note[120];
    long long count = front->running.left_out;
    if (count > 0) {
        int n = minder_zh(front->minder)
                    ? snprintf(note, sizeof note, "[已中断的单元格还有 %lld 个输出没有显示]\n",
                               count)
                    : snprintf(note, sizeof note,
                               "[%lld output%s of the interrupted cell %s left out]\n", count,
                               count == 1 ? "" : "s", count == 1 ? "is" : "are");
        stream_add(front->stream, true, note, (size_t)n, front_now());
    }
}

/* The end of all output; then, for a failure, what came meanwhile is read. */
static void output_finish(struct front *front, bool failed) {
    if (!front->running.silent) {
        note_left_out(front);
        stream_end(front->stream, minder_zh(front->minder));
    }
    if (failed && front->running.stops) {
        answer_shell(front);
    }
}

/* The error message holds what the reply holds: ename, evalue, traceback. */
static void error_publish(struct front *front, struct frame content) {
    struct arena *arena = front->running.message->arena;
    struct buf *out = buf_new(arena);
    struct jsonwrite w = { .out = out };
    struct err err;
    size_t i;
    json_t *line, *reply = frames_object(arena, content, &err);
    const char *ename = json_string_value(json_object_get(reply, "ename"));
    const char *evalue = json_string_value(json_object_get(reply, "evalue"));
    json_open(&w, '{');
    json_key(&w, "ename");
    json_string(&w, ename ? ename : err_name(ERR_BUG));
    json_key(&w, "evalue");
    json_string(&w, evalue ? evalue : "");
    json_key(&w, "traceback");
    json_open(&w, '[');
    json_array_foreach(json_object_get(reply, "traceback"), i, line) {
        json_string(&w, json_is_string(line) ? json_string_value(line) : "");
    }
    json_close(&w, ']');
    json_close(&w, '}');
    json_decref(reply);
    front_publish(front, front->running.message, "error", out);
}

/* The cell's last messages; then the next cell. */
static void cell_end(struct front *front, bool failed, struct frame content) {
    output_finish(front, failed);
    if (failed && !front->running.silent) {
        error_publish(front, content);
    }
    cell_finish(front, failed, content);
}

static void failure_end(struct front *front, struct message *message) {
    char line[1100];
    const char *ename = front->running.ename, *evalue = front->running.evalue;
    struct buf *out = buf_new(message->arena);
    struct jsonwrite w = { .out = out };
    snprintf(line, sizeof line, "\x1b[31m%s\x1b[0m: %s", ename, evalue);
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "error");
    json_key(&w, "ename");
    json_string(&w, ename);
    json_key(&w, "evalue");
    json_string(&w, evalue);
    json_key(&w, "traceback");
    json_open(&w, '[');
    json_string(&w, line);
    json_close(&w, ']');
    json_key(&w, "execution_count");
    json_int(&w, front->running.count);
    json_close(&w, '}');
    cell_end(front, true, (struct frame){ out->data, out->length });
}

/* The end of a cell that there is no memory to end otherwise: it takes none but for sending. */
static void cell_last(struct front *front, struct message *message) {
    static const char said[] =
        "\"ename\":\"OutOfMemory\",\"evalue\":\"the kernel has no memory left to end this cell "
        "otherwise; end other programs or kernels\",\"traceback\":[]}";
    char error[sizeof said + 1], reply[sizeof said + 100];
    if (front->running.message != message) {
        return; /* its reply is out */
    }
    snprintf(error, sizeof error, "{%s", said);
    snprintf(reply, sizeof reply, "{\"status\":\"error\",\"execution_count\":%lld,%s",
             (long long)front->running.count, said);
    if (!front->running.silent) {
        sockets_publish(front->sockets, message, "error",
                        (struct frame){ error, strlen(error) }, NULL);
    }
    cell_finish(front, true, (struct frame){ reply, strlen(reply) });
}

/* Fails the cell in the worker's stead. */
static void cell_fail(struct front *front, const char *ename, const char *evalue) {
    front->running.ename = ename;
    front->running.evalue = evalue;
    front_safely(front, front->running.message, failure_end, cell_last);
}

static void reply_end(struct front *front, struct message *message) {
    (void)message;
    cell_end(front, front->running.failed, front->running.content);
}

/* What is signed with our key is JSON, whatever a model's file has made of the worker. */
static void cell_done(struct front *front, const char *bytes, size_t length) {
    if (length > 0 && jsoncheck_object(bytes + 1, length - 1)) {
        front->running.failed = bytes[0] == RELAY_ERROR;
        front->running.content = (struct frame){ bytes + 1, length - 1 };
        front_safely(front, front->running.message, reply_end, cell_last);
    } else {
        cell_fail(front, err_name(ERR_BUG),
                  "the computing process ended the cell with bytes that are no JSON");
    }
}

/* The text of an execute_result is what history remembers as the cell's output. */
static void output_remember(struct front *front, struct frame content) {
    enum { MOST = 256 * 1024 };
    struct err err;
    if (!front->running.stored || content.length > MOST) {
        return;
    }
    json_t *root = frames_object(front->running.message->arena, content, &err);
    const json_t *text = json_object_get(json_object_get(root, "data"), "text/plain");
    if (json_is_string(text)) {
        history_output(front->history, front->running.count, json_string_value(text));
    }
    json_decref(root);
}

static bool interrupted(const struct front *front) {
    return front->running.kill_at != 0;
}

/* When more of what the worker says may be taken, ms; 0: now. It waits meanwhile. */
static int64_t room_due(struct front *front, int64_t now) {
    int64_t most = minder_paused(front->minder) ? BACKLOG_LOW : BACKLOG_HIGH;
    if (sockets_backlog(front->sockets) > most) {
        return now + BACKLOG_LOOK_MS;
    }
    return front->running.message ? pace_due(&front->pace, now) : 0;
}

/* What is more than may be shown now waits in the worker, where nothing is lost. An interrupted
 * cell is not waited for: what it has still under way beyond that is left out. */
static void room_keep(struct front *front) {
    int64_t now = front_now();
    minder_pause(front->minder, !interrupted(front) && room_due(front, now) != 0);
}

static void message_pass(struct front *front, const char *bytes, size_t length, void **base) {
    static const char *const types[] = { "display_data", "update_display_data",
                                         "execute_result", "clear_output" };
    const char *nul = memchr(bytes, '\0', length);
    if (!nul || front->running.silent) {
        return;
    }
    if (interrupted(front) && room_due(front, front_now()) != 0) {
        front->running.left_out++;
        return;
    }
    struct frame content = { nul + 1, length - (size_t)(nul + 1 - bytes) };
    if (!jsoncheck_object(content.bytes, content.length)) {
        front_log("the computing process sent a message that is no JSON");
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(bytes, types[i]) == 0) {
            stream_flush(front->stream);
            if (i == 2) {
                output_remember(front, content);
            }
            sockets_publish(front->sockets, front->running.message, types[i], content, *base);
            pace_spend(&front->pace, front_now());
            *base = NULL;
            return;
        }
    }
    front_log("the computing process sent a message of an unknown type");
}

void execute_started(void *arg) {
    struct front *front = arg;
    known_say(front->known, front->minder, KNOWN_SAY_ALL);
}

/* What the worker says whether or not a cell runs. Returns whether it was that. */
static bool session_frame(struct front *front, uint32_t kind, const char *bytes, size_t length,
                          void **base) {
    switch (kind) {
    case RELAY_STATUS:
        if (known_status(front->known, bytes, length) && !front->running.message) {
            comm_tell_state(front, NULL, true);
        }
        return true;
    case RELAY_SITES:
        known_sites(front->known, bytes, length);
        return true;
    case RELAY_SETTLED:
        known_settled(front->known, bytes, length);
        known_say(front->known, front->minder, KNOWN_SAY_NEXT);
        return true;
    case RELAY_TILED:
        comm_tiled(front, bytes, length, base);
        return true;
    default:
        return false;
    }
}

static void frame_obey(struct front *front, uint32_t kind, const char *bytes, size_t length,
                       void **base) {
    if (session_frame(front, kind, bytes, length, base)) {
        return;
    }
    if (kind == RELAY_STREAM) {
        /* Between cells all is a complaint: one stream alone never has to send the other. */
        bool is_error = length > 0 && (bytes[0] == 2 || !front->running.message);
        if (length > 0 && !front->running.silent) {
            stream_add(front->stream, is_error, bytes + 1, length - 1, front_now());
        }
    } else if (!front->running.message) {
        front_log("the computing process spoke while no cell ran");
    } else if (kind == RELAY_MESSAGE) {
        message_pass(front, bytes, length, base);
    } else if (kind == RELAY_PROGRESS) {
        if (known_progress(front->known, bytes, length, front_now())) {
            comm_tell_progress(front);
        }
    } else if (kind == RELAY_INPUT) {
        input_ask(front, bytes, length);
    } else if (kind == RELAY_DONE) {
        cell_done(front, bytes, length);
        queue_go(front);
    }
}

void execute_frame(void *arg, uint32_t kind, const char *bytes, size_t length, void **base) {
    frame_obey(arg, kind, bytes, length, base);
    room_keep(arg);
}

void execute_text(void *arg, bool is_error, const char *text, size_t length) {
    struct front *front = arg;
    if (front->running.message && !front->running.silent) {
        stream_add(front->stream, is_error, text, length, front_now());
    } else {
        char quoted[400];
        front_log("computing process: %s", err_quote(quoted, sizeof quoted, text, length));
    }
}

void execute_emit(void *arg, bool is_error, const char *text, size_t length) {
    struct front *front = arg;
    struct buf *out = buf_new(front->running.message->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "name");
    json_string(&w, is_error ? "stderr" : "stdout");
    json_key(&w, "text");
    json_bytes(&w, text, length);
    json_close(&w, '}');
    front_publish(front, front->running.message, "stream", out);
    pace_spend(&front->pace, front_now());
}

/* What may help the running cell where its worker died for want of memory; else NULL, also
 * where there is none to think about it. */
static const char *hint_of(const struct front *front, bool zh) {
    const struct death *death = minder_death(front->minder);
    const char *volatile hint = NULL;
    struct catch here;
    size_t length;
    if (front->running.message && death && death_by_memory(death) &&
        setjmp(catch_set(&here)->place) == 0) {
        const char *code = frames_text(front->running.message, "code", &length);
        hint = death_hint(code, length, zh);
        catch_end(&here);
    }
    return hint;
}

/* Of a cell that was ended by force. */
static void force_write(char *said, size_t size, bool bare, const char *lost, bool zh) {
    const char *began = zh ? "已中断；单元格在 2 秒内没有停下，因此计算进程已被结束并重新启动"
                           : "interrupted; it did not stop within 2 seconds, so the computing "
                             "process was ended and started again";
    if (bare) {
        snprintf(said, size,
                 zh ? "%s，但没有再载入当时正在载入的模型和数据（%s）：请用 %%model load 载入"
                    : "%s, without the models that it was loading (%s): load them with %%model "
                      "load",
                 began, lost);
    } else {
        snprintf(said, size,
                 zh ? "%s（模型会重新载入，保留的结果也会回来）"
                    : "%s (models are loaded again, kept results come back)",
                 began);
    }
}

/* Of one that died by itself. */
static void death_say_bare(char *said, size_t size, const char *why, const char *lost,
                           bool zh) {
    snprintf(said, size,
             zh ? "计算进程在重新载入模型时%s；新的进程已经启动，但没有这些模型和数据（%s）："
                  "请用 %%model load 载入"
                : "the computing process %s while it loaded the models again; a new one is "
                  "there without them (%s), so load them with %%model load",
             why, lost);
}

static void death_say_whole(char *said, size_t size, const char *why, const char *hint,
                            bool zh) {
    const char *rest =
        zh ? "新的进程已经启动，会重新载入模型、取回保留的结果，其他单元格照常可用"
           : "new one is there, loads the models again and takes back the kept "
             "results, so other cells work as before";
    if (hint) {
        snprintf(said, size,
                 zh ? "计算进程%s；可以试试：%s。%s" : "the computing process %s; try %s. A %s",
                 why, hint, rest);
    } else {
        snprintf(said, size, zh ? "计算进程%s；%s" : "the computing process %s; a %s", why,
                 rest);
    }
}

/* What a user is told of a worker's death. */
static void death_say(struct front *front, const char *why, bool bare) {
    char said[1000], lost[400];
    bool zh = minder_zh(front->minder);
    const char *names = minder_lost(front->minder);
    err_quote(lost, sizeof lost, names, strlen(names));
    if (front->running.forced) {
        force_write(said, sizeof said, bare, lost, zh);
    } else if (bare) {
        death_say_bare(said, sizeof said, why, lost, zh);
    } else {
        death_say_whole(said, sizeof said, why, hint_of(front, zh), zh);
    }
    if (front->running.message) {
        cell_fail(front, err_name(front->running.forced ? ERR_STOP : ERR_DIED), said);
    } else if (bare) { /* shown with the next cell */
        stream_add(front->stream, true, said, strlen(said), front_now());
        stream_add(front->stream, true, "\n", 1, front_now());
    }
}

/* What it died of. */
static void why_write(const struct front *front, bool zh, char *why, size_t size) {
    const struct death *death = minder_death(front->minder);
    if (death) {
        death_write(death, zh, why, size);
    } else {
        snprintf(why, size, zh ? "无法启动" : "could not be started");
    }
}

/* Another worker, for the cell that waits for it, if one does. */
static void worker_begin(struct front *front, struct message *message) {
    struct err err;
    if (message) {
        cell_begin(front);
    } else if (minder_start(front->minder, &err) < 0) {
        front_log("%s", err.text);
    }
}

/* There is no memory for one: the next cell asks for it again. */
static void worker_last(struct front *front, struct message *message) {
    if (message) {
        cell_last(front, message);
    }
}

/* `full`: it is ended, as it said more than the kernel has memory for. */
static void worker_end(struct front *front, bool full) {
    static const char en[] = "said more than the kernel has memory for, so it was ended";
    char why[300];
    bool zh = minder_zh(front->minder);
    bool retired = minder_retiring(front->minder) && !front->running.forced;
    enum minder_hope hope = minder_bury(front->minder);
    front->retired_by = 0;
    if (hope != MINDER_WHOLE) {
        grants_forget(front->grants);
    }
    if (!retired || full) {
        why_write(front, false, why, sizeof why);
        front_log("the computing process %s", full ? en : why);
        why_write(front, zh, why, sizeof why);
        death_say(front,
                  !full ? why
                  : zh  ? "要显示的内容超出了内核的内存，因此被结束"
                        : en,
                  hope == MINDER_BARE);
    }
    comm_died(front);
    struct message *waiting = retired ? front->running.message : NULL;
    if (waiting || hope != MINDER_NONE) {
        front_safely(front, waiting, worker_begin, worker_last);
    }
    queue_go(front);
}

void execute_died(struct front *front) {
    worker_end(front, false);
}

void execute_interrupt(struct front *front) {
    if (!front->running.message) {
        return;
    }
    int64_t now = front_now();
    if (minder_retiring(front->minder)) { /* the cell waits for the next worker */
        front->retired_by = front->retired_by ? front->retired_by : now + EXECUTE_GRACE_MS;
        cell_fail(front, err_name(ERR_STOP),
                  minder_zh(front->minder) ? "已中断" : "interrupted");
        return;
    }
    minder_signal(front->minder, SIGINT);
    if (front->running.kill_at == 0) {
        front->running.kill_at = now + EXECUTE_GRACE_MS;
        front->running.again_at = now + AGAIN_MS;
    }
}

/* When streams are due; text between cells, or beside a silent one, waits for the next that
 * shows. */
static int64_t output_due(const struct front *front) {
    return front->running.silent ? 0 : stream_due(front->stream);
}

/* When a worker that waits may go on; 0: none waits. */
static int64_t pause_due(struct front *front) {
    int64_t now = front_now();
    if (!minder_paused(front->minder)) {
        return 0;
    }
    int64_t due = interrupted(front) ? 0 : room_due(front, now);
    return due == 0 ? now : due;
}

int64_t execute_due(struct front *front) {
    int64_t pause = front_earlier(pause_due(front), front->retired_by);
    if (!front->running.message) {
        return pause;
    }
    return front_earlier(
        front_earlier(front_earlier(output_due(front), front->running.again_at), pause),
        input_due(front));
}

/* What there is no memory for now would be read in each turn again, and the frames before it
 * told again: so it ends the worker that said it. */
void execute_read(struct front *front) {
    struct catch here;
    volatile bool gone = false, full = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        gone = minder_read(front->minder);
    } else {
        front_log("%s: %s", err_name(here.err.kind), here.err.text);
        full = true;
    }
    catch_end(&here);
    if (gone || full) {
        worker_end(front, full);
    }
}

void execute_tick(struct front *front, int64_t now) {
    struct running *running = &front->running;
    int64_t pause = pause_due(front);
    if (pause != 0 && pause <= now) {
        minder_pause(front->minder, false);
        execute_read(front);
    }
    if (front->retired_by && front->retired_by <= now) {
        front->retired_by = 0;
        minder_signal(front->minder, SIGKILL);
    }
    if (!running->message) {
        return;
    }
    if (output_due(front) && output_due(front) <= now) {
        stream_flush(front->stream);
    }
    input_tick(front, now);
    if (running->again_at && running->again_at <= now) {
        running->forced |= running->kill_at <= now;
        running->again_at = running->forced ? 0 : now + AGAIN_MS;
        minder_signal(front->minder, running->forced ? SIGKILL : SIGINT);
    }
}
