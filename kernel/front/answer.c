#include "kernel/front/answer.h"

#include <string.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/comm.h"
#include "kernel/front/complete.h"
#include "kernel/front/execute.h"
#include "kernel/front/fields.h"
#include "kernel/front/history.h"
#include "kernel/front/info.h"
#include "kernel/front/input.h"
#include "kernel/front/inspect.h"
#include "kernel/front/status.h"
#include "kernel/front/usage.h"

enum { IGNORED_MOST = 256 };

static void interrupt_answer(struct front *front, struct message *request) {
    execute_interrupt(front);
    struct buf *out = buf_new(request->arena);
    buf_text(out, "{\"status\":\"ok\"}");
    front_reply(front, request, "interrupt_reply", out);
}

/* Where the kernel listens. */
static void connect_answer(struct front *front, struct message *request) {
    static const char *const names[CHANNELS] = {
        [CHANNEL_SHELL] = "shell", [CHANNEL_CONTROL] = "control", [CHANNEL_STDIN] = "stdin",
        [CHANNEL_IOPUB] = "iopub", [CHANNEL_HEARTBEAT] = "hb",
    };
    struct jsonwrite w = { .out = buf_new(request->arena) };
    json_open(&w, '{');
    json_pair(&w, "status", "ok");
    for (int i = 0; i < CHANNELS; i++) {
        json_key(&w, arena_printf(request->arena, "%s_port", names[i]));
        json_int(&w, front->connection->ports[i]);
    }
    json_close(&w, '}');
    front_reply(front, request, "connect_reply", w.out);
}

static void shutdown_answer(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    buf_printf(out, "{\"status\":\"ok\",\"restart\":%s}",
               frames_flag(request, "restart", false) ? "true" : "false");
    front->ending = true; /* also where there is no memory to say so */
    front_reply(front, request, "shutdown_reply", out);
    front_publish(front, request, "shutdown_reply", out);
}

/* There is no debugger, as kernel_info says. What is sent is an answer of the Debug Adapter
 * Protocol, so this is one too. */
static void debug_answer(struct front *front, struct message *request) {
    size_t length;
    const char *command = frames_text(request, "command", &length);
    const char *why = "this kernel has no debugger";
    struct jsonwrite w = { .out = buf_new(request->arena) };
    json_open(&w, '{');
    json_pair(&w, "status", "error");
    json_pair(&w, "ename", err_name(ERR_UNSUPPORTED));
    json_pair(&w, "evalue", why);
    json_key(&w, "traceback");
    json_raw(&w, "[]", 2);
    json_pair(&w, "type", "response");
    json_key(&w, "request_seq");
    json_int(&w, frames_number(request, "seq", 0));
    json_key(&w, "success");
    json_bool(&w, false);
    json_key(&w, "command");
    json_bytes(&w, command, length);
    json_pair(&w, "message", why);
    json_close(&w, '}');
    front_reply(front, request, "debug_reply", w.out);
}

static const struct kind {
    const char *type;
    const char *reply; /* NULL: there is none */
    void (*answer)(struct front *front, struct message *request);
} kinds[] = {
    { "kernel_info_request", "kernel_info_reply", info_answer },
    { "complete_request", "complete_reply", complete_answer },
    { "inspect_request", "inspect_reply", inspect_answer },
    { "is_complete_request", "is_complete_reply", info_is_complete },
    { "history_request", "history_reply", history_ask },
    { "comm_info_request", "comm_info_reply", comm_info },
    { "comm_open", NULL, comm_open },
    { "comm_msg", NULL, comm_msg },
    { "comm_close", NULL, comm_close },
    { "connect_request", "connect_reply", connect_answer },
    { "usage_request", "usage_reply", usage_answer },
    { "debug_request", "debug_reply", debug_answer },
    { "interrupt_request", "interrupt_reply", interrupt_answer },
    { "shutdown_request", "shutdown_reply", shutdown_answer },
    { "execute_request", "execute_reply", NULL }, /* answered when the cell ends */
};

static const struct kind *kind_find(const char *type) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* Everything but a cell: busy, what there is to say, idle. */
static void answer_now(struct front *front, struct message *message) {
    const struct kind *kind = kind_find(message->type);
    char quoted[80];
    status_busy(front, message);
    if (!kind) {
        front_log("ignored a message of the unknown type \"%s\"",
                  err_quote(quoted, sizeof quoted, message->type, strlen(message->type)));
    } else if (!message->bad) {
        kind->answer(front, message);
    } else if (kind->reply) {
        front_reply_error(front, message, kind->reply, "BadMessage", message->bad);
    } else {
        front_log("ignored a %s: %s", kind->type, message->bad);
    }
    status_idle(front, message);
}

void answer_last(struct front *front, struct message *message) {
    const struct kind *kind = kind_find(message->type);
    if (kind && kind->reply && front->replied != message) {
        front_reply_error(front, message, kind->reply, err_name(ERR_MEMORY),
                          "the kernel has no memory left to answer this");
    }
    status_idle(front, message);
}

/* Whether the message waits for the worker. One for which there is no memory is answered now,
 * by an error. */
static bool taken_safely(struct front *front, struct message *message) {
    struct catch here;
    volatile bool taken = false;
    if (setjmp(catch_set(&here)->place) == 0) {
        taken = comm_takes(front, message);
    }
    catch_end(&here);
    return taken;
}

void answer(struct front *front, struct message *message) {
    const struct kind *kind = kind_find(message->type);
    front->replied = NULL; /* another message may have had this place in memory */
    struct err err;
    if (!message->bad && fields_check(message, &err) < 0) {
        message->bad = err.text; /* until it is answered, below */
    }
    if (!kind || message->bad) {
        front_safely(front, message, answer_now, answer_last);
        frames_free(message);
    } else if (!kind->answer) {
        execute_arrive(front, message);
    } else if (kind->answer == comm_msg && taken_safely(front, message)) {
        return; /* answered when the worker has */
    } else if (kind->answer == history_ask) {
        if (!front_safely(front, message, history_ask, answer_last)) {
            frames_free(message); /* else it is answered by its thread */
        }
    } else {
        front_safely(front, message, answer_now, answer_last);
        frames_free(message);
    }
}

/* What gets no answer: nobody knows who sent it, or it does not say what it asks for, so that
 * no type of reply would be right. Strangers may send without end and the log takes little, so
 * after IGNORED_MOST lines one stands for as many as all before. */
static void ignored_say(struct front *front, const char *what) {
    int64_t count = ++front->ignored;
    if (count <= IGNORED_MOST) {
        front_log("ignored %s", what);
    } else if ((count & (count - 1)) == 0) {
        front_log("ignored %lld messages so far, the last of them %s", (long long)count, what);
    }
}

void answer_channel(struct front *front, enum channel channel, int most) {
    struct message *message;
    struct err err;
    int got;
    while (!front->ending && most-- > 0 &&
           (got = sockets_receive(front->sockets, channel, &message, &err)) != 0) {
        if (got < 0) {
            ignored_say(front, err.text);
        } else if (channel == CHANNEL_STDIN) {
            input_answer(front, message);
        } else {
            answer(front, message);
        }
    }
}

void answer_shell(struct front *front) {
    enum { MOST = 10000 };
    answer_channel(front, CHANNEL_SHELL, MOST);
}
