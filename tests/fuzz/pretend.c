#include "tests/fuzz/pretend.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <zmq.h>

#include "core/base/jsonwrite.h"
#include "core/base/pipe.h"
#include "kernel/front/answer.h"
#include "kernel/front/execute.h"
#include "kernel/front/history.h"
#include "kernel/front/input.h"
#include "kernel/front/loop.h"
#include "kernel/front/minder.h"
#include "kernel/relay/relay.h"
#include "tests/fuzz/targets.h"

enum { PID = 0x3ffffffe, PARTS = 16 };

static struct front front;
static int far = -1; /* the worker's end of the pipe */
static struct buf *held;
static struct pretend_sent sent;
static bool obedient; /* what the worker says is what it should */

/* ---- what is sent to Jupyter ---- */

/* The message that is being sent, part after part. */
static struct {
    struct arena *arena;
    struct frame parts[PARTS];
    int count;
} out;

static json_t *object_in(int part) {
    struct err err;
    json_t *object = frames_object(out.arena, out.parts[part], &err);
    must(object || (part == 6 && !obedient && targets_json(out.parts[part])));
    return object;
}

static void count_message(bool published, const char *type, const json_t *content) {
    const char *state = json_string_value(json_object_get(content, "execution_state"));
    if (published) {
        must(strcmp(type, "status") != 0 || state);
        sent.busy += state && strcmp(state, "busy") == 0;
        sent.idle += state && strcmp(state, "idle") == 0;
        sent.errors += strcmp(type, "error") == 0;
    } else if (strcmp(type, "input_request") == 0) {
        must(json_is_string(json_object_get(content, "prompt")));
    } else {
        must(!obedient || json_is_string(json_object_get(content, "status")));
        sent.replies++;
        snprintf(sent.reply, sizeof sent.reply, "%s", type);
    }
}

/* A whole message: a topic or one identity, then what the protocol says. */
static void message_check(void) {
    must(out.count >= 7 && out.parts[1].length == 9);
    must(memcmp(out.parts[1].bytes, "<IDS|MSG>", 9) == 0);
    json_t *header = object_in(3), *parent = object_in(4), *metadata = object_in(5),
           *content = object_in(6);
    const char *type = json_string_value(json_object_get(header, "msg_type"));
    must(type && json_is_string(json_object_get(header, "msg_id")));
    count_message(strncmp(out.parts[0].bytes, "kernel.", 7) == 0, type, content);
    json_decref(header);
    json_decref(parent);
    json_decref(metadata);
    json_decref(content);
}

static void part_take(const void *bytes, size_t length, int flags) {
    if (!out.arena) {
        out.arena = arena_new();
    }
    if (out.count < PARTS) { /* buffers beyond them are the request's own */
        out.parts[out.count].bytes = arena_text(out.arena, bytes, length);
        out.parts[out.count++].length = length;
    }
    if (!(flags & ZMQ_SNDMORE)) {
        message_check();
        arena_free(out.arena);
        out.arena = NULL;
        out.count = 0;
    }
}

int __wrap_zmq_send(void *socket, const void *bytes, size_t length, int flags);
int __wrap_zmq_send(void *socket, const void *bytes, size_t length, int flags) {
    (void)socket;
    part_take(bytes, length, flags);
    return (int)length;
}

int __wrap_zmq_msg_send(zmq_msg_t *message, void *socket, int flags);
int __wrap_zmq_msg_send(zmq_msg_t *message, void *socket, int flags) {
    int length = (int)zmq_msg_size(message);
    (void)socket;
    part_take(zmq_msg_data(message), (size_t)length, flags);
    zmq_msg_close(message);
    zmq_msg_init(message); /* empty now, as after a true one */
    return length;
}

int __wrap_zmq_bind(void *socket, const char *endpoint);
int __wrap_zmq_bind(void *socket, const char *endpoint) {
    (void)socket, (void)endpoint;
    return 0;
}

/* The sockets are opened once and serve every supervisor, until the process ends. */
static struct arena *shared_arena;
static struct sockets *shared;

void __real_sockets_close(struct sockets *sockets, int linger_ms);

static void shared_end(void) {
    __real_sockets_close(shared, 0);
    arena_free(shared_arena);
}

struct sockets *__real_sockets_open(struct arena *arena, struct connection *connection,
                                    struct err *err);
struct sockets *__wrap_sockets_open(struct arena *arena, struct connection *connection,
                                    struct err *err);
struct sockets *__wrap_sockets_open(struct arena *arena, struct connection *connection,
                                    struct err *err) {
    (void)arena;
    if (!shared) {
        shared_arena = arena_new();
        shared = __real_sockets_open(shared_arena, connection, err);
        must(shared && atexit(shared_end) == 0);
    }
    return shared;
}

void __wrap_sockets_close(struct sockets *sockets, int linger_ms);
void __wrap_sockets_close(struct sockets *sockets, int linger_ms) {
    (void)sockets, (void)linger_ms;
}

/* ---- the process that computes ---- */

int __real_socketpair(int domain, int type, int protocol, int ends[2]);
int __wrap_socketpair(int domain, int type, int protocol, int ends[2]);
int __wrap_socketpair(int domain, int type, int protocol, int ends[2]) {
    int made = __real_socketpair(domain, type, protocol, ends);
    if (far >= 0) {
        close(far);
    }
    far = made < 0 ? -1 : dup(ends[1]);
    must(far >= 0);
    return made;
}

pid_t __wrap_fork(void);
pid_t __wrap_fork(void) {
    return PID;
}

int __wrap_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal) {
    (void)signal;
    must(pid == PID || pid == -PID);
    return 0;
}

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage);
pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    (void)options;
    must(pid == PID);
    *status = 11;
    if (usage) {
        memset(usage, 0, sizeof *usage);
    }
    return pid;
}

/* ---- both ends ---- */

/* The file lies in memory and is there for ever. */
static const char *connection_path(void) {
    static const char text[] =
        "{\"transport\":\"tcp\",\"ip\":\"127.0.0.1\",\"shell_port\":1,\"iopub_port\":2,"
        "\"stdin_port\":3,\"control_port\":4,\"hb_port\":5,\"key\":\"a key\"}";
    static char path[64];
    if (!path[0]) {
        int fd = memfd_create("connection", MFD_CLOEXEC);
        must(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
        must(fchmod(fd, 0600) == 0); /* or the log says that others can read it */
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    return path;
}

/* The log says nothing, but what it would say is put together. */
void __wrap_front_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void __wrap_front_log(const char *format, ...) {
    char line[2000];
    va_list args;
    va_start(args, format);
    must(vsnprintf(line, sizeof line, format, args) >= 0);
    va_end(args);
}

struct front *pretend_begin(void) {
    struct err err = { 0 };
    front = (struct front){ .arena = arena_new() };
    held = buf_new(front.arena);
    obedient = true;
    setenv("XDG_DATA_HOME", "/proc/self/none", 1); /* so that the history lives in memory */
    setenv("CUTAWAY_SANDBOX", "off", 1);           /* so that no cell asks for another worker */
    must(loop_open(&front, connection_path(), &err) == 0);
    pretend_work(&front);
    sent = (struct pretend_sent){ 0 };
    return &front;
}

void pretend_end(struct front *ended) {
    loop_close(ended);
    arena_free(ended->arena);
    must(out.count == 0);
    close(far);
    far = -1;
}

const struct pretend_sent *pretend_sent(void) {
    return &sent;
}

/* ---- requests ---- */

static struct frame header_of(struct arena *arena, struct frame type) {
    struct buf *header = buf_new(arena);
    buf_text(header, "{\"msg_id\":\"m-1\",\"session\":\"s\",\"username\":\"u\",\"date\":\"\","
                     "\"version\":\"5.5\",\"msg_type\":");
    json_escape(header, type.bytes, type.length);
    buf_char(header, '}');
    return (struct frame){ header->data, header->length };
}

void pretend_ask(struct front *asked, struct frame type, struct frame content,
                 const struct frame *buffers, int buffer_count) {
    static const struct frame id = { "client", 6 }, empty = { "{}", 2 };
    struct arena *arena = arena_new();
    struct message *message = arena_alloc(arena, sizeof *message);
    struct frame *copies = arena_array(arena, buffer_count, sizeof *copies);
    struct err err;
    for (int i = 0; i < buffer_count; i++) {
        copies[i].bytes = targets_copy(arena, buffers[i].bytes, buffers[i].length);
        copies[i].length = buffers[i].length;
    }
    *message = (struct message){
        .arena = arena,
        .channel = CHANNEL_SHELL,
        .id_count = 1,
        .ids = &id,
        .parts = { header_of(arena, type),
                   empty,
                   empty,
                   { targets_copy(arena, content.bytes, content.length), content.length } },
        .buffers = copies,
        .buffer_count = buffer_count,
    };
    if (frames_read(message, &err) < 0) {
        frames_free(message); /* a type that is no text */
    } else if (strcmp(message->type, "input_reply") == 0) {
        input_answer(asked, message);
    } else {
        answer(asked, message);
    }
}

/* ---- the worker ---- */

static bool far_write(struct front *told, const char *bytes, size_t length) {
    bool gone = false;
    while (length > 0 && !gone) {
        ssize_t n = send(far, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        must(n > 0 || errno == EAGAIN);
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
        gone = minder_read(told->minder) != 0;
    }
    return gone;
}

static bool frame_write(struct front *told, uint32_t kind, const char *bytes, size_t length) {
    const uint32_t kinds[2] = { kind, 0 };
    const uint64_t size = length;
    struct arena *arena = arena_new();
    struct buf *frame = buf_new(arena);
    buf_add(frame, kinds, sizeof kinds);
    buf_add(frame, &size, sizeof size);
    buf_add(frame, bytes, length);
    bool gone = far_write(told, frame->data, frame->length);
    arena_free(arena);
    return gone;
}

bool pretend_write(struct front *told, const char *bytes, size_t length) {
    obedient = false;
    return far_write(told, bytes, length);
}

bool pretend_frame(struct front *told, uint32_t kind, const char *bytes, size_t length) {
    obedient = false;
    return frame_write(told, kind, bytes, length);
}

static void run_cell(struct front *told, const char *bytes, size_t length) {
    static const char good[] = "\0{\"status\":\"ok\",\"execution_count\":1}";
    static const char bad[] = "\1{\"status\":\"error\",\"ename\":\"E\",\"evalue\":\"v\","
                              "\"traceback\":[\"t\"],\"execution_count\":1}";
    struct relay_execute head;
    const char *code, **names, **texts;
    struct arena *arena = arena_new();
    must(relay_execute_read(arena, bytes, length, &head, &code, &names, &texts) == 0);
    bool fails = strstr(code, "%%bad") != NULL;
    frame_write(told, RELAY_STREAM, "\1said\n", 6);
    frame_write(told, RELAY_DONE, fails ? bad : good, fails ? sizeof bad - 1 : sizeof good - 1);
    arena_free(arena);
}

static void refuse_tile(struct front *told, const char *bytes, size_t length) {
    struct relay_tile tile;
    struct relay_tiled head = { 0 };
    const char *pair[2];
    must(relay_pair_read(bytes, length, sizeof tile, pair) == 0);
    memcpy(&tile, bytes, sizeof tile);
    must(tile.places <= RELAY_RANK);
    head.ticket = tile.ticket;
    frame_write(told, RELAY_TILED, (const char *)&head, sizeof head);
}

static void obey(struct front *told, uint32_t kind, const char *bytes, size_t length) {
    const char *pair[2];
    if (kind == RELAY_RESTORE) {
        frame_write(told, RELAY_NAMES, "model\tminilm\n", 13);
    } else if (kind == RELAY_EXECUTE) {
        run_cell(told, bytes, length);
    } else if (kind == RELAY_SET) {
        must(relay_pair_read(bytes, length, sizeof(uint64_t), pair) == 0);
        frame_write(told, RELAY_SETTLED, bytes, sizeof(uint64_t));
    } else if (kind == RELAY_TILE) {
        refuse_tile(told, bytes, length);
    }
}

/* The worker does all that it was told; one that finds the end of its pipe ends. */
static void work(struct front *told) {
    char bytes[65536];
    ssize_t n;
    minder_push(told->minder);
    while ((n = recv(far, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0) {
        size_t taken = 0, length;
        uint32_t kind;
        const char *at;
        int got;
        if (n == 0) {
            close(far);
            far = -1;
            must(held->length == 0 && minder_read(told->minder) == 1);
            execute_died(told);
            continue;
        }
        buf_add(held, bytes, (size_t)n);
        while ((got = pipe_take(held, &taken, &kind, &at, &length)) == 1) {
            obey(told, kind, at, length);
        }
        must(got == 0);
        memmove(held->data, held->data + taken, held->length - taken);
        held->length -= taken;
        minder_push(told->minder);
    }
    must(held->length == 0);
}

void pretend_work(struct front *told) {
    work(told);
    while (history_due(told->history) != 0) {
        struct pollfd fd = { .fd = history_fd(told->history), .events = POLLIN };
        poll(&fd, 1, 10000);
        history_tick(told, front_now());
    }
}
