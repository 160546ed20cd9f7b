#include "kernel/session/progress.h"

#include <stdatomic.h>
#include <unistd.h>

#include "core/base/now.h"
#include "core/draw/html.h"

static const double QUIET = 0.5; /* seconds without a word */
static const double PACE = 0.2;  /* from update to update */

struct progress {
    struct reply *reply;
    const char *what, *id;
    int64_t total;
    bool zh, shown;
    double began, last; /* seconds */
};

struct progress *progress_new(struct reply *reply, const char *what, int64_t total,
                              bool is_chinese) {
    static atomic_int count; /* no two displays of a process have the same name */
    struct arena *arena = reply_arena(reply);
    struct progress *progress = arena_alloc(arena, sizeof *progress);
    double now = now_seconds();
    *progress = (struct progress){
        .reply = reply,
        .what = arena_copy(arena, what),
        .id = arena_printf(arena, "cutaway-%lld-%.0f-%d", (long long)getpid(), now * 1e3,
                           atomic_fetch_add(&count, 1)),
        .total = total,
        .zh = is_chinese,
        .began = now,
        .last = now + QUIET - PACE,
    };
    return progress;
}

void progress_stage(struct progress *progress, const char *what, int64_t total) {
    progress->what = arena_copy(reply_arena(progress->reply), what);
    progress->total = total;
    progress->began = now_seconds();
}

bool progress_due(const struct progress *progress) {
    return reply_follows(progress->reply) && now_seconds() - progress->last >= PACE;
}

/* Seconds that the rest will take at the rate so far; negative: that cannot be told. */
static double left_of(const struct progress *p, int64_t done) {
    double spent = now_seconds() - p->began;
    return p->total <= 0 || done <= 0 ? -1 : spent * (double)(p->total - done) / (double)done;
}

/* "t-SNE of 5000 points: 300 of 750, 4 s left" */
static const char *words(struct arena *arena, const struct progress *p, int64_t done,
                         double left) {
    double spent = now_seconds() - p->began;
    if (left < 0) {
        return arena_printf(arena, p->zh ? "%s：%lld，已用 %.0f 秒" : "%s: %lld, %.0f s so far",
                            p->what, (long long)done, spent);
    }
    return arena_printf(
        arena, p->zh ? "%s：%lld / %lld，还需约 %.0f 秒" : "%s: %lld of %lld, %.0f s left",
        p->what, (long long)done, (long long)p->total, left);
}

static void show(struct progress *p, const struct bundle *bundle) {
    reply_bundle(p->reply, bundle, p->id, p->shown);
    p->shown = true;
    p->last = now_seconds();
}

/* The words and a bar; over the partial picture where there is one. */
static const char *as_html(struct arena *arena, const struct progress *p, const char *said,
                           int64_t done, const struct bundle *bundle) {
    struct buf *out = buf_new(arena);
    buf_text(out, "<div class=\"mathjax_ignore tex2jax_ignore\"><p>");
    html_escape(out, said);
    buf_text(out, "</p>");
    if (p->total > 0) {
        buf_printf(out, "<p><meter value=\"%lld\" max=\"%lld\"></meter></p>", (long long)done,
                   (long long)p->total);
    }
    buf_text(out, "</div>");
    buf_text(out, bundle && bundle->html ? bundle->html : "");
    return out->data;
}

void progress_figure(struct progress *progress, int64_t done, const struct bundle *bundle) {
    if (!progress_due(progress)) {
        return;
    }
    struct arena *arena = reply_arena(progress->reply);
    struct arena_mark mark = arena_mark(arena);
    double left = left_of(progress, done);
    const char *said = words(arena, progress, done, left);
    struct bundle shown = { .text = said,
                            .html = as_html(arena, progress, said, done, bundle) };
    show(progress, &shown);
    reply_progress(progress->reply,
                   &(struct reply_progress){ progress->what, done, progress->total, left });
    arena_rewind(arena, mark);
}

void progress_at(struct progress *progress, int64_t done) {
    progress_figure(progress, done, NULL);
}

void progress_done(void *arg, int64_t done, int64_t of) {
    (void)of;
    progress_at(arg, done);
}

void progress_end(struct progress *progress, const struct bundle *bundle) {
    bool told = progress->shown;
    show(progress, bundle);
    if (told) {
        reply_progress(progress->reply, &(struct reply_progress){ .left = -1 });
    }
}
