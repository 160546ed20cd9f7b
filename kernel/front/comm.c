#include "kernel/front/comm.h"

#include <string.h>

#include <jansson.h>

#include "core/base/jsonwrite.h"
#include "core/base/nearest.h"
#include "kernel/command/settings.h"
#include "kernel/front/known.h"
#include "kernel/front/minder.h"
#include "kernel/front/status.h"
#include "kernel/relay/relay.h"

static const char target[] = "cutaway";

struct comm {
    char id[COMM_ID_MOST + 1]; /* "": free */
    uint64_t serial;           /* no two comms have the same, whatever they are called */
    uint64_t heard;            /* when something came from it, on a clock of messages */
};

/* A question that the worker has. It lies in its message's arena. */
struct waiting {
    struct message *message;
    uint64_t comm;   /* its serial */
    uint64_t ticket; /* by which the worker answers */
    struct waiting *next;

    /* Its answer, while that is sent. */
    const struct relay_tiled *head;
    const char *bytes;
    size_t length;
    void **base;
};

struct comms {
    struct comm list[COMM_MOST];
    uint64_t serials, clock, tickets;
    struct waiting *waiting; /* oldest first */
    int waiting_count;
    struct waiting *answered; /* the question whose answer is being sent */
    struct buf *told;         /* the state that was told last, between cells */
};

struct comms *comm_new(struct arena *arena) {
    struct comms *comms = arena_alloc(arena, sizeof *comms);
    comms->told = buf_new(arena);
    return comms;
}

void comm_free(struct comms *comms) {
    while (comms->waiting) {
        struct waiting *next = comms->waiting->next;
        frames_free(comms->waiting->message);
        comms->waiting = next;
    }
}

/* The comm_id of a message; NULL if it has none that a comm can have. */
static const char *id_of(const struct message *message) {
    size_t length;
    const char *id = frames_text(message, "comm_id", &length);
    return length > 0 && length <= COMM_ID_MOST && strlen(id) == length ? id : NULL;
}

static struct comm *comm_at(struct comms *comms, const char *id) {
    for (int i = 0; id && i < COMM_MOST; i++) {
        if (strcmp(comms->list[i].id, id) == 0) {
            comms->list[i].heard = ++comms->clock;
            return &comms->list[i];
        }
    }
    return NULL;
}

static const struct comm *comm_by_serial(const struct comms *comms, uint64_t serial) {
    for (int i = 0; i < COMM_MOST; i++) {
        if (comms->list[i].id[0] && comms->list[i].serial == serial) {
            return &comms->list[i];
        }
    }
    return NULL;
}

/* ---- open, close, list ---- */

void comm_info(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    const json_t *wanted = json_object_get(request->content, "target_name");
    bool ours = !json_is_string(wanted) || strcmp(json_string_value(wanted), target) == 0;
    json_open(&w, '{');
    json_pair(&w, "status", "ok");
    json_key(&w, "comms");
    json_open(&w, '{');
    for (int i = 0; ours && i < COMM_MOST; i++) {
        if (front->comms->list[i].id[0]) {
            json_key(&w, front->comms->list[i].id);
            json_open(&w, '{');
            json_pair(&w, "target_name", target);
            json_close(&w, '}');
        }
    }
    json_close(&w, '}');
    json_close(&w, '}');
    front_reply(front, request, "comm_info_reply", out);
}

static void say_closed(struct front *front, struct message *request, const char *id,
                       size_t length) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "comm_id");
    json_bytes(&w, id, length);
    json_key(&w, "data");
    json_raw(&w, "{}", 2);
    json_close(&w, '}');
    front_publish(front, request, "comm_close", out);
}

/* A comm that we do not have, so that the far end knows it too. */
static void close_unknown(struct front *front, struct message *request) {
    size_t length;
    const char *id = frames_text(request, "comm_id", &length);
    say_closed(front, request, id, length);
}

/* A free place, or that of the comm that was silent longest, which is closed. */
static struct comm *place_for_one(struct front *front, struct message *request) {
    struct comm *list = front->comms->list, *oldest = &list[0];
    for (int i = 0; i < COMM_MOST; i++) {
        if (!list[i].id[0]) {
            return &list[i];
        }
        oldest = list[i].heard < oldest->heard ? &list[i] : oldest;
    }
    say_closed(front, request, oldest->id, strlen(oldest->id));
    return oldest;
}

void comm_open(struct front *front, struct message *request) {
    struct comms *comms = front->comms;
    size_t length;
    const char *name = frames_text(request, "target_name", &length), *id = id_of(request);
    if (!id || length != strlen(target) || strcmp(name, target) != 0) {
        close_unknown(front, request);
    } else if (!comm_at(comms, id)) {
        struct comm *comm = place_for_one(front, request);
        strcpy(comm->id, id);
        comm->serial = ++comms->serials;
        comm->heard = ++comms->clock;
    }
}

void comm_close(struct front *front, struct message *request) {
    struct comm *comm = comm_at(front->comms, id_of(request));
    if (comm) {
        comm->id[0] = '\0';
    }
}

/* ---- answers ---- */

/* A question and its answer as it is written. */
struct asked {
    struct front *front;
    struct message *request;
    const char *comm; /* its id */
    const json_t *data;
    struct buf *out;
    struct jsonwrite w;
    const struct frame *buffers;
    int buffer_count;
    void *base; /* block of the last buffer, which is sent from where it lies; or NULL */
};

/* The question's own number comes back; what is none, as null. */
static void write_id(struct jsonwrite *w, const json_t *id) {
    json_key(w, "id");
    if (json_is_integer(id)) {
        json_int(w, json_integer_value(id));
    } else if (json_is_string(id) && json_string_length(id) <= COMM_ID_MOST) {
        json_bytes(w, json_string_value(id), json_string_length(id));
    } else {
        json_null(w);
    }
}

static void answer_begin(struct asked *asked, bool good) {
    asked->out = buf_new(asked->request->arena);
    asked->w = (struct jsonwrite){ .out = asked->out };
    json_open(&asked->w, '{');
    json_pair(&asked->w, "comm_id", asked->comm);
    json_key(&asked->w, "data");
    json_open(&asked->w, '{');
    write_id(&asked->w, json_object_get(asked->data, "id"));
    json_key(&asked->w, "ok");
    json_bool(&asked->w, good);
}

static void answer_send(struct asked *asked) {
    json_close(&asked->w, '}');
    json_close(&asked->w, '}');
    const struct frame content = { asked->out->data, asked->out->length };
    sockets_publish_all(asked->front->sockets, asked->request, "comm_msg", content,
                        asked->buffers, asked->buffer_count, asked->base);
}

static void answer_error(struct asked *asked, const char *bytes, size_t length) {
    answer_begin(asked, false);
    json_key(&asked->w, "error");
    json_bytes(&asked->w, bytes, length);
    answer_send(asked);
}

static const char *text_in(const json_t *data, const char *key) {
    const json_t *value = json_object_get(data, key);
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

/* ---- questions that are answered at once; -1: why not is in `err` ---- */

static int ask_state(struct asked *asked, struct err *err) {
    (void)err;
    answer_begin(asked, true);
    known_write(asked->front->known, asked->request->arena, &asked->w, front_now());
    answer_send(asked);
    return 0;
}

static int ask_sites(struct asked *asked, struct err *err) {
    const char *handle = text_in(asked->data, "handle");
    if (!handle) {
        return err_set(err, ERR_OPTION, "sites needs \"handle\", the name of a loaded model");
    }
    answer_begin(asked, true);
    if (known_write_sites(asked->front->known, asked->request->arena, &asked->w, handle, err) <
        0) {
        return err_pass(err);
    }
    answer_send(asked);
    return 0;
}

static int ask_set(struct asked *asked, struct err *err) {
    struct front *front = asked->front;
    const char *name = text_in(asked->data, "name"), *value = text_in(asked->data, "value");
    const json_t *number = json_object_get(asked->data, "value");
    char kept[SETTINGS_VALUE];
    if (json_is_integer(number)) {
        value =
            arena_printf(asked->request->arena, "%lld", (long long)json_integer_value(number));
    }
    if (!name || !value) {
        return err_set(err, ERR_OPTION, "set needs \"name\" and \"value\"");
    }
    if (settings_check(name, value, kept, NULL, err) < 0) {
        return err_pass(err);
    }
    known_set(front->known, name, kept);
    known_say(front->known, front->minder, KNOWN_SAY_NEXT);
    answer_begin(asked, true);
    answer_send(asked);
    comm_tell_state(front, asked->request, true);
    return 0;
}

static int ask_echo(struct asked *asked, struct err *err) {
    const struct message *request = asked->request;
    if (request->cut) {
        return err_set(err, ERR_OPTION, "echo takes at most %d MB in buffers",
                       FRAMES_BYTES_MOST >> 20);
    }
    answer_begin(asked, true);
    json_key(&asked->w, "sizes");
    json_open(&asked->w, '[');
    for (int i = 0; i < request->buffer_count; i++) {
        json_int(&asked->w, (int64_t)request->buffers[i].length);
    }
    json_close(&asked->w, ']');
    asked->buffers = request->buffers;
    asked->buffer_count = request->buffer_count;
    answer_send(asked);
    return 0;
}

/* ---- tiles ---- */

static int read_places(const json_t *at, struct relay_tile *tile, struct err *err) {
    size_t i, count = json_array_size(at);
    const json_t *place;
    if (!json_is_array(at) || count > RELAY_RANK) {
        return err_set(err, ERR_OPTION,
                       "tile needs \"at\", a list of at most %d places on the first axes",
                       RELAY_RANK);
    }
    json_array_foreach(at, i, place) {
        if (!json_is_integer(place)) {
            return err_set(err, ERR_OPTION, "place %zu of \"at\" is not a whole number", i);
        }
        tile->at[i] = json_integer_value(place);
    }
    tile->places = (uint32_t)count;
    return 0;
}

/* Refuses a message that is too large to be kept until the worker answers. */
static int refuse_large(const struct message *message, struct err *err) {
    size_t length = 0;
    for (int i = 0; i < 4; i++) {
        length += message->parts[i].length;
    }
    for (int i = 0; i < message->id_count; i++) {
        length += message->ids[i].length;
    }
    if (message->buffer_count > 0 || message->cut) {
        return err_set(err, ERR_OPTION, "tile takes no buffers");
    }
    return length <= COMM_TILE_MOST ? 0
                                    : err_set(err, ERR_OPTION,
                                              "a message that asks for a tile has at most %d "
                                              "bytes, and this one %zu",
                                              COMM_TILE_MOST, length);
}

/* What a tile's question says, in `pair` the result and the series. */
static int tile_read(const struct message *message, struct relay_tile *tile,
                     const char *pair[2], struct err *err) {
    const json_t *data = json_object_get(message->content, "data");
    *tile = (struct relay_tile){ 0 };
    pair[0] = text_in(data, "result");
    pair[1] = text_in(data, "series");
    if (!pair[0] || !pair[1]) {
        return err_set(
            err, ERR_OPTION,
            "tile needs \"result\", a figure's number, and the name of a \"series\"");
    }
    if (strlen(pair[0]) > COMM_NAME_MOST || strlen(pair[1]) > COMM_NAME_MOST) {
        return err_set(err, ERR_OPTION,
                       "\"result\" and \"series\" of a tile have at most %d bytes",
                       COMM_NAME_MOST);
    }
    if (refuse_large(message, err) < 0) {
        return err_pass(err);
    }
    return read_places(json_object_get(data, "at"), tile, err);
}

/* Whether a tile can be asked for now. */
static int tile_check(struct front *front, struct err *err) {
    if (front->comms->waiting_count >= COMM_WAITING_MOST) {
        return err_set(err, ERR_MEMORY,
                       "%d questions wait for the computing process already: ask again when "
                       "they are answered",
                       COMM_WAITING_MOST);
    }
    return minder_start(front->minder, err);
}

/* A tile's question that comm_takes has left: it is wrong, or too many wait. */
static int ask_tile(struct asked *asked, struct err *err) {
    struct relay_tile tile;
    const char *pair[2];
    if (tile_read(asked->request, &tile, pair, err) < 0 || tile_check(asked->front, err) < 0) {
        return err_pass(err);
    }
    return err_set(err, ERR_MEMORY, "there is no memory to ask for these numbers");
}

static void tile_send(struct minder *minder, const struct relay_tile *tile,
                      const char *const pair[2], struct buf *frame) {
    buf_add(frame, tile, sizeof *tile);
    for (int i = 0; i < 2; i++) {
        buf_add(frame, pair[i], strlen(pair[i]) + 1);
    }
    minder_send(minder, RELAY_TILE, frame->data, frame->length);
}

bool comm_takes(struct front *front, struct message *message) {
    struct comms *comms = front->comms;
    struct relay_tile tile;
    struct err err;
    const char *pair[2];
    const json_t *data = json_object_get(message->content, "data");
    const char *ask = text_in(data, "ask");
    const struct comm *comm = comm_at(comms, id_of(message));
    if (!comm || !ask || strcmp(ask, "tile") != 0 ||
        tile_read(message, &tile, pair, &err) < 0 || tile_check(front, &err) < 0) {
        return false;
    }
    struct waiting *waiting = arena_alloc(message->arena, sizeof *waiting);
    *waiting = (struct waiting){ .message = message,
                                 .comm = comm->serial,
                                 .ticket = ++comms->tickets };
    tile.ticket = waiting->ticket;
    tile_send(front->minder, &tile, pair, buf_new(message->arena));
    struct waiting **end = &comms->waiting; /* from here on nothing can fail */
    while (*end) {
        end = &(*end)->next;
    }
    *end = waiting;
    comms->waiting_count++;
    return true;
}

static struct waiting *waiting_take(struct comms *comms, uint64_t ticket) {
    for (struct waiting **at = &comms->waiting; *at; at = &(*at)->next) {
        struct waiting *one = *at;
        if (one->ticket == ticket) {
            *at = one->next;
            comms->waiting_count--;
            return one;
        }
    }
    return NULL;
}

static void answer_tile(struct asked *asked, const struct relay_tiled *head, const char *bytes,
                        size_t length) {
    struct frame numbers = { bytes, length };
    answer_begin(asked, true);
    json_key(&asked->w, "shape");
    json_open(&asked->w, '[');
    for (uint32_t i = 0; i < head->rank; i++) {
        json_int(&asked->w, head->shape[i]);
    }
    json_close(&asked->w, ']');
    asked->buffers = &numbers;
    asked->buffer_count = 1;
    answer_send(asked);
}

static struct asked asked_of(struct front *front, struct message *message) {
    const struct comm *comm = comm_by_serial(front->comms, front->comms->answered->comm);
    return (struct asked){ .front = front,
                           .request = message,
                           .comm = comm ? comm->id : NULL,
                           .data = json_object_get(message->content, "data") };
}

/* Busy, the answer, idle. A comm that was closed meanwhile gets none. */
static void waiting_say(struct front *front, struct message *message) {
    const struct waiting *waiting = front->comms->answered;
    struct asked asked = asked_of(front, message);
    status_busy(front, message);
    if (asked.comm && waiting->head->good) {
        asked.base = *waiting->base;
        answer_tile(&asked, waiting->head, waiting->bytes, waiting->length);
        *waiting->base = NULL; /* the socket frees it */
    } else if (asked.comm) {
        answer_error(&asked, waiting->bytes, waiting->length);
    }
    front->replied = message;
    status_idle(front, message);
}

static void waiting_last(struct front *front, struct message *message) {
    static const char full[] = "the kernel has no memory left to send these numbers";
    struct asked asked = asked_of(front, message);
    if (asked.comm && front->replied != message) {
        answer_error(&asked, full, sizeof full - 1);
    }
    status_idle(front, message);
}

static void waiting_answer(struct front *front, struct waiting *waiting,
                           const struct relay_tiled *head, const char *bytes, size_t length,
                           void **base) {
    waiting->head = head;
    waiting->bytes = bytes;
    waiting->length = length;
    waiting->base = base;
    front->comms->answered = waiting;
    front->replied = NULL;
    front_safely(front, waiting->message, waiting_say, waiting_last);
    frames_free(waiting->message); /* and with it what waited */
}

void comm_tiled(struct front *front, const char *bytes, size_t length, void **base) {
    static const char broken[] = "the computing process sent numbers that are no tile";
    struct relay_tiled head = { 0 };
    size_t rest_length;
    const char *rest;
    uint64_t ticket = 0;
    memcpy(&ticket, bytes, length < sizeof ticket ? 0 : sizeof ticket);
    struct waiting *waiting = waiting_take(front->comms, ticket);
    if (!waiting) {
        front_log("the computing process answered what nobody had asked");
    } else if (relay_tiled_read(bytes, length, &head, &rest, &rest_length) < 0) {
        head.good = 0;
        waiting_answer(front, waiting, &head, broken, sizeof broken - 1, base);
    } else {
        waiting_answer(front, waiting, &head, rest, rest_length, base);
    }
}

void comm_died(struct front *front) {
    static const char died[] =
        "the computing process ended before it could answer: ask again, or run the cell again";
    const struct relay_tiled head = { 0 };
    void *base = NULL;
    while (front->comms->waiting) {
        struct waiting *first = waiting_take(front->comms, front->comms->waiting->ticket);
        waiting_answer(front, first, &head, died, sizeof died - 1, &base);
    }
}

/* ---- messages ---- */

static const struct {
    const char *name;
    int (*answer)(struct asked *asked, struct err *err);
} asks[] = {
    { "state", ask_state }, { "sites", ask_sites }, { "set", ask_set },
    { "tile", ask_tile },   { "echo", ask_echo },
};

enum { ASKS = sizeof asks / sizeof *asks };

static int answer_any(struct asked *asked, struct err *err) {
    const char *names[ASKS + 1] = { 0 }, *ask = text_in(asked->data, "ask");
    char shown[60];
    for (int i = 0; ask && i < ASKS; i++) {
        names[i] = asks[i].name;
        if (strcmp(ask, asks[i].name) == 0) {
            return asks[i].answer(asked, err);
        }
    }
    if (!ask) {
        return err_set(err, ERR_OPTION,
                       "a question has \"ask\": state, sites, set, tile or echo");
    }
    const char *near = nearest_name(ask, names);
    return err_set(
        err, ERR_OPTION,
        "there is no question \"%s\": there are state, sites, set, tile and echo%s%s%s",
        err_quote(shown, sizeof shown, ask, strlen(ask)), near ? "; did you mean " : "",
        near ? near : "", near ? "?" : "");
}

void comm_msg(struct front *front, struct message *request) {
    struct err err;
    const struct comm *comm = comm_at(front->comms, id_of(request));
    if (!comm) {
        close_unknown(front, request);
        return;
    }
    struct asked asked = { .front = front,
                           .request = request,
                           .comm = comm->id,
                           .data = json_object_get(request->content, "data") };
    if (answer_any(&asked, &err) < 0) {
        answer_error(&asked, err.text, strlen(err.text));
    }
}

/* ---- what is told without being asked ---- */

/* {"comm_id": ID, "data": {"event": NAME, <members>}} to every open comm. */
static void tell_all(struct front *front, const struct message *parent, const char *event,
                     const struct buf *members) {
    struct arena *arena = arena_new();
    struct buf *out = buf_new(arena);
    for (int i = 0; i < COMM_MOST; i++) {
        struct jsonwrite w = { .out = out };
        if (front->comms->list[i].id[0]) {
            buf_clear(out);
            json_open(&w, '{');
            json_pair(&w, "comm_id", front->comms->list[i].id);
            json_key(&w, "data");
            json_open(&w, '{');
            json_pair(&w, "event", event);
            json_raw(&w, members->data, members->length);
            json_close(&w, '}');
            json_close(&w, '}');
            front_publish(front, parent, "comm_msg", out);
        }
    }
    arena_free(arena);
}

static bool nobody_listens(const struct front *front) {
    for (int i = 0; i < COMM_MOST; i++) {
        if (front->comms->list[i].id[0]) {
            return false;
        }
    }
    return true;
}

void comm_tell_state(struct front *front, const struct message *parent, bool changed) {
    struct buf *told = front->comms->told;
    if (nobody_listens(front)) {
        return;
    }
    struct arena *arena = arena_new();
    struct jsonwrite w = { .out = buf_new(arena) };
    known_write(front->known, arena, &w, front_now());
    if (!changed || strcmp(told->data, w.out->data) != 0) {
        buf_clear(told);
        buf_add(told, w.out->data, w.out->length);
        tell_all(front, parent, "state", told);
    }
    arena_free(arena);
}

void comm_tell_progress(struct front *front) {
    if (nobody_listens(front)) {
        return;
    }
    struct arena *arena = arena_new();
    struct jsonwrite w = { .out = buf_new(arena) };
    known_write_progress(front->known, &w);
    tell_all(front, front->running.message, "progress", w.out);
    arena_free(arena);
}
