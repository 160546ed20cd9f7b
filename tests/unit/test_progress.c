#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "kernel/session/progress.h"
#include "tests/check.h"

static struct buf *heard; /* types and contents */

static void on_stream(void *arg, bool is_error, const char *text, size_t length) {
    (void)arg, (void)is_error, (void)text, (void)length;
}

static void on_message(void *arg, const char *type, const char *content, size_t length) {
    (void)arg;
    buf_printf(heard, "%s %.*s|", type, (int)length, content);
}

static void on_progress(void *arg, const struct reply_progress *told) {
    (void)arg;
    buf_printf(heard, "<%s %lld/%lld %d>|", told->what ? told->what : "", (long long)told->done,
               (long long)told->total, told->left >= 0);
}

static struct progress *progress_here(bool follows) {
    const struct reply_sink sink = {
        .stream = on_stream, .message = on_message, .progress = on_progress, .follows = follows
    };
    heard = buf_new(check_arena());
    struct reply *reply = reply_new(check_arena(), &sink, 1, false);
    return progress_new(reply, "<layout>", 4, false);
}

/* Long enough for the next update to be due. */
static void wait_for(const struct progress *progress) {
    const struct timespec nap = { .tv_nsec = 20000000 };
    while (!progress_due(progress)) {
        nanosleep(&nap, NULL);
    }
}

static int updates(void) {
    int n = 0;
    for (const char *at = heard->data; (at = strstr(at, "display_data {")); at++) {
        n++;
    }
    return n;
}

TEST(progress_of_short_work_shows_the_end_alone) {
    struct progress *progress = progress_here(true);
    const struct bundle bundle = { .text = "done" };
    progress_at(progress, 1);
    progress_at(progress, 2);
    progress_end(progress, &bundle);
    check_int(updates(), 1);
    check(!strstr(heard->data, "<")); /* and tells nobody */
    check_int(strncmp(heard->data, "display_data ", 13), 0);
    check_text(heard->data, "{\"data\":{\"text/plain\":\"done\"}");
}

TEST(progress_updates_one_display) {
    struct progress *progress = progress_here(true);
    const struct bundle part = { .text = "part", .html = "<b>part</b>" };
    const struct bundle end = { .text = "done" };
    wait_for(progress);
    progress_at(progress, 1);
    for (int i = 0; i < 100 && !progress_due(progress); i++) {
        progress_at(progress, 2);
    }
    check_int(updates(), 1);
    check_text(heard->data, "<layout>: 1 of 4, ");
    check_text(heard->data, "<p>&lt;layout&gt;: 1 of 4, ");
    check_text(heard->data, "<<layout> 1/4 1>");
    wait_for(progress);
    progress_figure(progress, 3, &part);
    check_text(heard->data, "|update_display_data ");
    check_text(heard->data, "<b>part</b>");
    progress_end(progress, &end);
    check_int(updates(), 3);
    check_text(heard->data, "< 0/0 0>"); /* it is done */
    const char *id = strstr(heard->data, "\"display_id\":\"cutaway-");
    const char *last = strstr(strstr(heard->data, "done"), "\"display_id\"");
    check(id && last && strncmp(id, last, strcspn(last, "}")) == 0);
}

TEST(progress_is_not_shown_where_nobody_watches) {
    struct progress *progress = progress_here(false);
    const struct bundle end = { .text = "done" };
    check(!progress_due(progress));
    progress_at(progress, 1);
    check_int(updates(), 0);
    progress_end(progress, &end);
    check_int(updates(), 1);
}
