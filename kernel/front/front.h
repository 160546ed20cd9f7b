#ifndef KERNEL_FRONT_FRONT_H
#define KERNEL_FRONT_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "kernel/front/pace.h"
#include "kernel/front/queue.h"
#include "kernel/front/threaded.h"
#include "kernel/wire/sockets.h"

/* front: the supervisor. One thread owns the sockets, the worker's pipe and the clock; it
 * answers at once and never computes. It opens no model, picture or font. What computes is the
 * worker, another process, which may crash: that is one failed cell. */

/* How long the supervisor waits for a look at files that it lets be done apart
 * (core/base/apart.h), ms: a drive that is away must not hold up all requests. */
enum { FRONT_LOOK_MS = 1000 };

struct minder;
struct stream;
struct history;
struct comms;
struct known;
struct usage;
struct grants;

struct running {                /* the cell that computes */
    struct message *message;    /* NULL: none does */
    int64_t count;              /* execution_count */
    bool silent, stored, stops; /* stops: an error aborts what is queued */
    char started[32];
    int64_t kill_at;  /* ms; when an interrupted cell is ended by force; 0: not interrupted */
    int64_t again_at; /* ms; when the interrupt is said again; 0: no more */
    bool forced;      /* it was ended by force */
    int64_t left_out; /* messages that were under way when it was interrupted */
    bool failed;      /* it has ended so, with this content of its reply; */
    struct frame content;
    const char *ename, *evalue; /* or the supervisor fails it with these */
    const struct buf
        *question;           /* the input_request that it waits for; NULL: it waits for none */
    char asked[ENVELOPE_ID]; /* the id with which it was sent; "": not yet */
    int64_t ask_at, ask_until; /* ms; when it is tried again, and given up; 0: it was sent */
};

struct front {
    struct arena *arena;
    threaded_serve *serve; /* NULL: the worker is a process */
    struct sockets *sockets;
    struct minder *minder;
    struct stream *stream;
    struct history *history;
    struct comms *comms;
    struct known *known;
    struct grants *grants;
    struct usage *usage;
    const struct connection *connection; /* without its key */
    struct queue queue;                  /* execute_requests that wait */
    struct running running;
    int64_t retired_by; /* ms; when a worker is killed that was to end, since an interrupt; 0:
                           not */
    struct pace pace;
    int64_t count;   /* of stored cells so far */
    int64_t ignored; /* messages that got no answer */
    bool ending;     /* the loop ends after this turn */
    void *spare;     /* memory for the last words of front_safely; NULL: it is not there */
    const struct message *replied; /* what was replied to last, for front_safely */
};

/* Does a step of answering a message. A step that memory runs out for ends there, and the last
 * words are said in its stead, which take little: some memory is kept back for them alone.
 * `message` is passed on, and may be NULL. Returns whether the step was done. */
typedef void front_step(struct front *front, struct message *message);
bool front_safely(struct front *front, struct message *message, front_step *step,
                  front_step *last_words);

enum { FRONT_SPARE = 1 << 20 }; /* bytes of it */

/* Answers `request` with a `type` message; adds nothing. */
void front_reply(struct front *front, const struct message *request, const char *type,
                 const struct buf *content);

/* The error reply that every request type may get. */
void front_reply_error(struct front *front, const struct message *request, const char *type,
                       const char *ename, const char *evalue);

void front_publish(struct front *front, const struct message *parent, const char *type,
                   const struct buf *content);

/* A line on stderr, which is the server's log. After 48 KiB in all it is silent: whoever
 * started us may never read that pipe, and a full pipe would stop the kernel. */
void front_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Milliseconds of a clock that only goes forward. */
int64_t front_now(void);

/* The earlier of two times of that clock; 0 is never. */
int64_t front_earlier(int64_t a, int64_t b);

#endif
