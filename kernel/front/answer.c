#include "kernel/front/answer.h"

#include <string.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/comm.h"
#include "kernel/front/complete.h"
#include "kernel/front/execute.h"
#include "kernel/front/history.h"
#include "kernel/front/info.h"
#include "kernel/front/input.h"
#include "kernel/front/inspect.h"
#include "kernel/front/status.h"
#include "kernel/front/usage.h"

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
    front_reply(front, request, "shutdown_reply", out);
    front_publish(front, request, "shutdown_reply", out);
    front->ending = true;
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
        front_reply_error(front, message, kind->reply, "BadMessage",
                          arena_printf(message->arena,
                                       "the request's content cannot be read: %s",
                                       message->bad));
    }
    status_idle(front, message);
}

/* A request for which memory runs out stays without a reply; the kernel goes on. */
static void answer_safely(struct front *front, struct message *message) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        answer_now(front, message);
    } else {
        front_log("a request could not be answered: %s", here.err.text);
        status_idle(front, message);
    }
    catch_end(&here);
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

/* A question that there is no memory for stays without a reply. */
static void ask_safely(struct front *front, struct message *message) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        history_ask(front, message);
    } else {
        front_log("a question to the history could not be answered: %s", here.err.text);
        status_idle(front, message);
    }
    catch_end(&here);
}

void answer(struct front *front, struct message *message) {
    const struct kind *kind = kind_find(message->type);
    if (kind && !kind->answer && !message->bad) {
        execute_arrive(front, message);
    } else if (kind && kind->answer == comm_msg && taken_safely(front, message)) {
        return; /* answered when the worker has */
    } else if (kind && kind->answer == history_ask && !message->bad) {
        ask_safely(front, message); /* answered when its thread has */
    } else {
        answer_safely(front, message);
        frames_free(message);
    }
}

void answer_channel(struct front *front, enum channel channel, int most) {
    struct message *message;
    struct err err;
    int got;
    while (!front->ending && most-- > 0 &&
           (got = sockets_receive(front->sockets, channel, &message, &err)) != 0) {
        if (got < 0) {
            front_log("ignored %s", err.text);
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
