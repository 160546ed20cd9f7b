#include "core/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "core/base/catch.h"
#include "core/base/cpu.h"

enum { SPIN_NS = 60000, PAUSES = 2000, CLOSED = -(1 << 20) };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int threads;        /* wanted, the caller included; 0: not asked yet */
    int started;        /* helpers running */
    atomic_ulong round; /* counts pool_for calls; helpers wait for it to change */
    atomic_int sleepers;
    /* Helpers inside the current round; with CLOSED added, nobody else may enter. So a helper
     * that wakes late, or never, is not waited for. */
    atomic_int gate;

    pool_task *task;
    void *arg;
    int64_t grain;
    int helpers; /* how many of them may join this round */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .wake = PTHREAD_COND_INITIALIZER,
           .gate = CLOSED };

/* Each thread's part of a round, a line of the cache to itself. Call after call the same thread
 * begins with the same part of the data, which its cache then has; who is done early takes from
 * the others' parts. */
static struct part {
    _Alignas(64) atomic_llong next;
    int64_t end;
} parts[POOL_MOST];

static _Thread_local bool inside;
static _Thread_local int self_index;

static void pause_briefly(void) {
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void part_work(struct part *part) {
    for (;;) {
        int64_t begin =
            atomic_fetch_add_explicit(&part->next, pool.grain, memory_order_relaxed);
        if (begin >= part->end || stop_wanted()) {
            return;
        }
        int64_t end = begin + pool.grain < part->end ? begin + pool.grain : part->end;
        pool.task(pool.arg, begin, end);
    }
}

static void work(void) {
    int count = pool.helpers + 1;
    for (int i = 0; i < count; i++) {
        part_work(&parts[(self_index + i) % count]);
    }
}

static void parts_cut(int64_t n, int64_t grain, int count) {
    int64_t chunks = (n + grain - 1) / grain;
    for (int i = 0; i < count; i++) {
        int64_t end = (chunks / count * (i + 1) + chunks % count * (i + 1) / count) * grain;
        atomic_store_explicit(&parts[i].next, i > 0 ? parts[i - 1].end : 0,
                              memory_order_relaxed);
        parts[i].end = end < n ? end : n;
    }
}

/* Waits until the round is no longer `seen`: spins, then sleeps. */
static unsigned long await_round(unsigned long seen) {
    int64_t until = now_ns() + SPIN_NS;
    for (int i = 1;; i++) {
        unsigned long round = atomic_load_explicit(&pool.round, memory_order_acquire);
        if (round != seen) {
            return round;
        }
        pause_briefly();
        if (i % 64 == 0 && now_ns() > until) {
            break;
        }
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    unsigned long round;
    while ((round = atomic_load(&pool.round)) == seen) {
        pthread_cond_wait(&pool.wake, &pool.lock);
    }
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
    return round;
}

struct helper {
    int index;
    unsigned long seen;
};
static struct helper helpers[POOL_MOST];

static bool gate_enter(void) {
    int seen = atomic_load(&pool.gate);
    while (seen >= 0) {
        if (atomic_compare_exchange_weak(&pool.gate, &seen, seen + 1)) {
            return true;
        }
    }
    return false;
}

/* Closes the round and waits for those inside, who may need this very processor to finish. */
static void gate_close(void) {
    atomic_fetch_add(&pool.gate, CLOSED);
    for (int i = 1; atomic_load_explicit(&pool.gate, memory_order_acquire) != CLOSED; i++) {
        pause_briefly();
        if (i % PAUSES == 0) {
            sched_yield();
        }
    }
}

static void *helper_run(void *arg) {
    struct helper *self = arg;
    inside = true;
    self_index = self->index + 1;
    unsigned long seen = self->seen;
    for (;;) {
        seen = await_round(seen);
        if (gate_enter()) {
            if (self->index < pool.helpers) {
                work();
            }
            atomic_fetch_sub_explicit(&pool.gate, 1, memory_order_release);
        }
    }
    return NULL;
}

static void start_helpers(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all,
                    &before); /* signals belong to the thread that reads cells */
    while (pool.started < pool.threads - 1) {
        pthread_t thread;
        helpers[pool.started] =
            (struct helper){ .index = pool.started, .seen = atomic_load(&pool.round) };
        if (pthread_create(&thread, NULL, helper_run, &helpers[pool.started]) != 0) {
            break; /* fewer threads give the same numbers, later */
        }
        pthread_detach(thread);
        pool.started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int pool_threads(void) {
    if (pool.threads == 0) {
        pool.threads = cpu_threads();
    }
    return pool.threads;
}

int pool_self(void) {
    return self_index;
}

void pool_set_threads(int n) {
    pool.threads = n < 1 ? 1 : n > POOL_MOST ? POOL_MOST : n;
}

void pool_for(int64_t n, int64_t grain, pool_task *task, void *arg) {
    if (n <= 0) {
        return;
    }
    if (inside || pool_threads() == 1 || n <= grain) {
        for (int64_t i = 0; i < n && !stop_wanted(); i += grain) {
            task(arg, i, i + grain < n ? i + grain : n);
        }
        return;
    }
    if (pool.started < pool.threads - 1) {
        start_helpers();
    }
    pool.task = task;
    pool.arg = arg;
    pool.grain = grain;
    pool.helpers = pool.threads - 1;
    parts_cut(n, grain, pool.threads);
    atomic_store(&pool.gate, 0);
    atomic_fetch_add_explicit(&pool.round, 1, memory_order_seq_cst);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.lock);
    }
    inside = true;
    work();
    inside = false;
    gate_close();
}
