#include "kernel/front/history.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/answer.h"
#include "kernel/front/front.h"
#include "kernel/front/history_file.h"
#include "kernel/front/status.h"

enum {
    WAIT_MS = 300,           /* from a cell to its writing */
    LOCK_MS = 300,           /* the thread's wait for a lock */
    ANSWER_MS = 3000,        /* of a question */
    CLOSE_MS = 1000,         /* for the last writing */
    INPUT_MOST = 1 << 20,    /* bytes of a cell that is remembered */
    WAITING_MOST = 16 << 20, /* bytes of cells that wait for the thread */
    STACK = 512 * 1024,      /* of the thread; SQLite takes some tens of kB */
};

enum job_kind { JOB_INPUT, JOB_OUTPUT, JOB_QUESTION };

/* What the loop hands to the thread, and a question back. From malloc. */
struct job {
    struct job *next;
    enum job_kind kind;
    int64_t line;
    struct history_query query;
    struct history_rows rows;
    struct message *request; /* the loop's alone; NULL: it was answered meanwhile */
    int64_t due;             /* the loop's alone: ms; when to answer without rows */
    struct job *next_asked;  /* the loop's alone */
    size_t length;
    char text[]; /* [length + 1]: the cell, the output, the glob */
};

struct jobs {
    struct job *first, **last;
};

/* What both sides use outlives the arena: a thread that hangs is left behind. */
struct shared {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* there is something to do */
    pthread_cond_t gone; /* the thread has ended */
    struct jobs given, done;
    size_t waiting;           /* bytes of those that are given */
    bool ending, ended, left; /* left: nobody waits for the thread any more */
    int event;                /* readable when done holds something */
    char *path;
};

struct history {
    const char *path;
    struct shared *shared;           /* NULL: no thread yet */
    bool failed;                     /* there can be no thread */
    bool full;                       /* it was said that cells are left out */
    struct job *asked;               /* questions that are not answered yet */
    const struct history_rows *rows; /* of the question that is being answered */
    bool output;                     /* it wants them with what the cells gave */
};

const char *history_path(struct arena *arena) {
    const char *data = getenv("XDG_DATA_HOME"), *jupyter = getenv("JUPYTER_DATA_DIR");
    const char *home = getenv("HOME");
    if (!data || data[0] != '/') {
        data = jupyter && jupyter[0] == '/' ? jupyter
               : home && home[0] == '/'     ? file_join(arena, home, ".local/share")
                                            : NULL;
    }
    return data ? file_join(arena, data, "cutaway/history.sqlite") : NULL;
}

struct history *history_new(struct arena *arena, const char *path) {
    struct history *history = arena_alloc(arena, sizeof *history);
    history->path = path ? arena_copy(arena, path) : history_path(arena);
    return history;
}

/* ---- the thread ---- */

static void jobs_add(struct jobs *jobs, struct job *job) {
    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
}

static struct job *jobs_take(struct jobs *jobs) {
    struct job *first = jobs->first;
    *jobs = (struct jobs){ .last = &jobs->first };
    return first;
}

static void job_free(struct job *job) {
    history_rows_free(&job->rows);
    free(job);
}

static void say(const char *sentence) {
    front_log("%s", sentence);
}

static void hand_back(struct shared *shared, struct job *job) {
    const uint64_t one = 1;
    pthread_mutex_lock(&shared->lock);
    jobs_add(&shared->done, job);
    pthread_mutex_unlock(&shared->lock);
    if (write(shared->event, &one, sizeof one) < 0) {
        return; /* it was readable already */
    }
}

/* Whether it was a cell or an output, which is to be written soon. */
static bool job_do(struct shared *shared, struct history_file *file, struct job *job) {
    switch (job->kind) {
    case JOB_INPUT:
        history_file_add(file, job->line, job->text, job->length);
        break;
    case JOB_OUTPUT:
        history_file_output(file, job->line, job->text, job->length);
        break;
    case JOB_QUESTION:
        job->query.pattern = job->text;
        history_file_read(file, &job->query, &job->rows);
        hand_back(shared, job);
        return false;
    }
    job_free(job);
    return true;
}

static struct timespec moment(int64_t ms) {
    enum { SECOND = 1000, NS = 1000000 };
    return (struct timespec){ .tv_sec = ms / SECOND, .tv_nsec = ms % SECOND * NS };
}

/* The jobs there are; waits for some until `due` (0: for ever), or until all ends. */
static struct job *jobs_wait(struct shared *shared, int64_t due, bool *ending) {
    struct timespec until = moment(due);
    pthread_mutex_lock(&shared->lock);
    while (!shared->given.first && !shared->ending && (due == 0 || front_now() < due)) {
        if (due == 0) {
            pthread_cond_wait(&shared->wake, &shared->lock);
        } else {
            pthread_cond_timedwait(&shared->wake, &shared->lock, &until);
        }
    }
    struct job *jobs = jobs_take(&shared->given);
    shared->waiting = 0;
    *ending = shared->ending;
    pthread_mutex_unlock(&shared->lock);
    return jobs;
}

static void work(struct shared *shared, struct history_file *file) {
    int64_t due = 0;
    for (bool ending = false; !ending;) {
        struct job *job = jobs_wait(shared, due, &ending);
        while (job) {
            struct job *next = job->next;
            bool writes = job_do(shared, file, job);
            due = writes && due == 0 ? front_now() + WAIT_MS : due;
            job = next;
        }
        if (ending || (due && due <= front_now())) {
            int64_t again = history_file_save(file, ending ? CLOSE_MS / 2 : LOCK_MS);
            due = again ? front_now() + again : 0;
        }
    }
}

static void shared_free(struct shared *shared) {
    struct jobs *lists[] = { &shared->given, &shared->done };
    for (int i = 0; i < 2; i++) {
        for (struct job *job = jobs_take(lists[i]), *next; job; job = next) {
            next = job->next;
            job_free(job);
        }
    }
    if (shared->event >= 0) {
        close(shared->event);
    }
    pthread_mutex_destroy(&shared->lock);
    pthread_cond_destroy(&shared->wake);
    pthread_cond_destroy(&shared->gone);
    free(shared->path);
    free(shared);
}

static void *thread_main(void *arg) {
    struct shared *shared = arg;
    struct history_file *file = history_file_new(shared->path, say);
    if (file) {
        work(shared, file);
        history_file_close(file);
    }
    pthread_mutex_lock(&shared->lock);
    shared->ended = true;
    bool left = shared->left;
    pthread_cond_signal(&shared->gone);
    pthread_mutex_unlock(&shared->lock);
    if (left) {
        shared_free(shared);
    }
    return NULL;
}

/* ---- the loop's side ---- */

static struct shared *shared_new(const char *path) {
    struct shared *shared = calloc(1, sizeof *shared);
    pthread_condattr_t clock;
    if (!shared) {
        return NULL;
    }
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&shared->lock, NULL);
    pthread_cond_init(&shared->wake, &clock);
    pthread_cond_init(&shared->gone, &clock);
    pthread_condattr_destroy(&clock);
    shared->given.last = &shared->given.first;
    shared->done.last = &shared->done.first;
    shared->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    shared->path = path ? strdup(path) : NULL;
    return shared;
}

/* Begins the thread, once. Whether it is there. */
static bool history_begin(struct history *history) {
    pthread_t thread;
    pthread_attr_t attributes;
    if (history->shared || history->failed) {
        return history->shared;
    }
    struct shared *shared = shared_new(history->path);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int why = !shared || shared->event < 0
                  ? ENOMEM
                  : pthread_create(&thread, &attributes, thread_main, shared);
    pthread_attr_destroy(&attributes);
    if (why) {
        front_log("there is no history, as its thread cannot begin: %s", strerror(why));
        history->failed = true;
        if (shared) {
            shared_free(shared);
        }
        return false;
    }
    if (!history->path) {
        front_log("the history stays in memory: no HOME is set");
    }
    history->shared = shared;
    return true;
}

static struct job *job_new(enum job_kind kind, const char *text, size_t length) {
    struct job *job = calloc(1, sizeof *job + length + 1);
    if (job) {
        job->kind = kind;
        job->length = length;
        memcpy(job->text, text, length);
    }
    return job;
}

/* Whether the thread has it. Cells for which there is no room are left out, and freed. */
static bool hand_over(struct history *history, struct job *job) {
    bool fits = job && history_begin(history);
    if (fits) {
        struct shared *shared = history->shared;
        pthread_mutex_lock(&shared->lock);
        fits = job->kind == JOB_QUESTION || shared->waiting + job->length <= WAITING_MOST;
        if (fits) {
            shared->waiting += job->length;
            jobs_add(&shared->given, job);
            pthread_cond_signal(&shared->wake);
        }
        pthread_mutex_unlock(&shared->lock);
    }
    if (!fits && history->shared && !history->full) {
        front_log("the history's drive does not answer: cells are no longer remembered");
        history->full = true;
    }
    return fits;
}

void history_add(struct history *history, int64_t line, const char *input, size_t length) {
    struct job *job = length <= INPUT_MOST ? job_new(JOB_INPUT, input, length) : NULL;
    if (job) {
        job->line = line;
        if (!hand_over(history, job)) {
            job_free(job);
        }
    }
}

void history_output(struct history *history, int64_t line, const char *output) {
    size_t length = strlen(output);
    struct job *job = length <= INPUT_MOST ? job_new(JOB_OUTPUT, output, length) : NULL;
    if (job) {
        job->line = line;
        if (!hand_over(history, job)) {
            job_free(job);
        }
    }
}

/* ---- answers ---- */

static void text_write(struct jsonwrite *w, const char *text, size_t length) {
    if (text) {
        json_bytes(w, text, length);
    } else {
        json_null(w);
    }
}

static void row_write(struct jsonwrite *w, const struct history_row *row, bool output) {
    json_open(w, '[');
    json_int(w, row->session);
    json_int(w, row->line);
    if (output) {
        json_open(w, '[');
    }
    text_write(w, row->input, row->input_length);
    if (output) {
        text_write(w, row->output, row->output_length);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void rows_reply(struct front *front, struct message *request) {
    const struct history_rows *rows = front->history->rows;
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_key(&w, "status");
    json_string(&w, "ok");
    json_key(&w, "history");
    json_open(&w, '[');
    for (int64_t i = rows->count; i > 0; i--) {
        row_write(&w, &rows->rows[i - 1], front->history->output);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    front_reply(front, request, "history_reply", out);
    status_idle(front, request);
}

/* Answers with these rows, oldest first, and lets go of the request. */
static void reply(struct front *front, struct message *request, const struct history_rows *rows,
                  bool output) {
    front->history->rows = rows;
    front->history->output = output;
    front->replied = NULL;
    front_safely(front, request, rows_reply, answer_last);
    frames_free(request);
}

static struct history_query query_of(const struct message *request) {
    size_t length;
    const char *access = frames_text(request, "hist_access_type", &length);
    struct history_query query = {
        .access = strcmp(access, "range") == 0    ? HISTORY_RANGE
                  : strcmp(access, "search") == 0 ? HISTORY_SEARCH
                                                  : HISTORY_TAIL,
        .output = frames_flag(request, "output", false),
        .unique = frames_flag(request, "unique", false),
        .session = frames_number(request, "session", 0),
        .start = frames_number(request, "start", 1),
        .stop = frames_number(request, "stop", INT64_MAX),
    };
    query.n = query.access == HISTORY_RANGE
                  ? INT64_MAX
                  : frames_number(request, "n", query.access == HISTORY_TAIL ? 10 : INT64_MAX);
    return query;
}

void history_ask(struct front *front, struct message *request) {
    static const struct history_rows none;
    size_t length;
    const char *pattern = frames_text(request, "pattern", &length);
    status_busy(front, request); /* from here on nothing can fail */
    struct job *job =
        job_new(JOB_QUESTION, length ? pattern : "*", length ? strlen(pattern) : 1);
    if (job) {
        job->query = query_of(request);
        job->due = front_now() + ANSWER_MS;
    }
    if (!hand_over(front->history, job)) {
        reply(front, request, &none, false);
        free(job);
        return;
    }
    job->request = request;
    job->next_asked = front->history->asked;
    front->history->asked = job;
}

int history_fd(const struct history *history) {
    return history->shared ? history->shared->event : -1;
}

int64_t history_due(const struct history *history) {
    int64_t due = 0;
    for (const struct job *job = history->asked; job; job = job->next_asked) {
        due = due == 0 || job->due < due ? job->due : due;
    }
    return due;
}

/* Takes the question out of those that are not answered. Its request, NULL if it was. */
static struct message *settle(struct history *history, struct job *job) {
    struct message *request = job->request;
    for (struct job **at = &history->asked; *at; at = &(*at)->next_asked) {
        if (*at == job) {
            *at = job->next_asked;
            break;
        }
    }
    job->request = NULL;
    return request;
}

static void answer_done(struct front *front) {
    struct shared *shared = front->history->shared;
    uint64_t count;
    if (read(shared->event, &count, sizeof count) < 0) {
        return; /* nothing is done */
    }
    pthread_mutex_lock(&shared->lock);
    struct job *job = jobs_take(&shared->done);
    pthread_mutex_unlock(&shared->lock);
    for (struct job *next; job; job = next) {
        struct message *request = settle(front->history, job);
        next = job->next;
        if (request) {
            reply(front, request, &job->rows, job->query.output);
        }
        job_free(job);
    }
}

/* Those for which the thread takes too long; it may still have them. */
static void answer_late(struct front *front, int64_t now) {
    static const struct history_rows none;
    for (struct job *job = front->history->asked, *next; job; job = next) {
        next = job->next_asked;
        if (job->due <= now) {
            front_log("the history's drive does not answer: an empty history was sent");
            reply(front, settle(front->history, job), &none, false);
        }
    }
}

void history_tick(struct front *front, int64_t now) {
    if (front->history->shared) {
        answer_done(front);
        answer_late(front, now);
    }
}

void history_close(struct history *history) {
    struct shared *shared = history->shared;
    for (struct job *job = history->asked; job; job = job->next_asked) {
        frames_free(job->request);
    }
    if (!shared) {
        return;
    }
    struct timespec until = moment(front_now() + CLOSE_MS);
    int failed = 0;
    pthread_mutex_lock(&shared->lock);
    shared->ending = true;
    pthread_cond_signal(&shared->wake);
    while (!shared->ended && failed != ETIMEDOUT) {
        failed = pthread_cond_timedwait(&shared->gone, &shared->lock, &until);
    }
    bool ended = shared->ended;
    shared->left = !ended;
    pthread_mutex_unlock(&shared->lock);
    if (ended) { /* else the thread does so, if it ever comes that far */
        shared_free(shared);
    }
}
