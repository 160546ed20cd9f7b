#ifndef KERNEL_SESSION_REPLY_H
#define KERNEL_SESSION_REPLY_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/draw/picture.h"

/* reply: what a command says while it runs. The same calls serve the kernel (frames to the
 * supervisor), `cutaway run` on notebooks (cell outputs) and on scripts (files): a sink
 * decides. */

struct reply;

/* "reading sentences", 300 of 750, 4 s left */
struct reply_progress {
    const char *what;
    int64_t done, total; /* total 0: not known */
    double left;         /* seconds; negative: not known */
};

/* Where output goes. `content` is the JSON of the message's content, whole. Kinds are Jupyter's
 * msg_types: display_data, update_display_data, execute_result, clear_output; streams come as
 * text. */
struct reply_sink {
    void (*stream)(void *arg, bool is_error, const char *text, size_t length);
    void (*message)(void *arg, const char *type, const char *content, size_t length);
    /* Figures and results as they are, told instead of `message` where the sink wants no JSON.
     * May be NULL; so may `page`, without which long help becomes a payload. */
    void (*bundle)(void *arg, const struct bundle *bundle);
    void (*page)(void *arg, const char *text);
    /* How far long work is; `what` NULL: it is done. May be NULL. */
    void (*progress)(void *arg, const struct reply_progress *progress);
    /* Asks the reader and waits; appends the answer. 1: answered; 0: end of file; -1 with an
     * error. May be NULL: nobody can be asked. */
    int (*ask)(void *arg, const char *prompt, bool secret, struct buf *answer, struct err *err);
    void *arg;
    bool follows; /* somebody watches: what is shown meanwhile (progress) is worth showing */
};

/* `count` is the execution count that execute_result reports. A silent reply tells the sink
 * nothing. */
struct reply *reply_new(struct arena *arena, const struct reply_sink *sink, int64_t count,
                        bool silent);
struct arena *reply_arena(struct reply *reply);

/* Whether somebody watches while it runs. */
bool reply_follows(const struct reply *reply);

void reply_progress(struct reply *reply, const struct reply_progress *progress);

void reply_text(struct reply *reply, const char *text, size_t length); /* stdout */
void reply_printf(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_error_text(struct reply *reply, const char *text, size_t length); /* stderr */

/* A figure, as display_data with all its MIME types. `display_id` may be NULL; with one,
 * `update` sends update_display_data. */
void reply_bundle(struct reply *reply, const struct bundle *bundle, const char *display_id,
                  bool update);

/* Plain text (and HTML if not NULL) as display_data, or as the cell's execute_result. */
void reply_display(struct reply *reply, const char *text, const char *html);
void reply_result(struct reply *reply, const char *text, const char *html);

void reply_clear(struct reply *reply, bool wait); /* clear_output */
void reply_page(struct reply *reply,
                const char *text); /* long help through the pager payload */

/* Asks the reader for a line and waits for it; `secret`: it is not to be seen while it is
 * typed. *answer is in the reply's arena, valid UTF-8 without NULs; NULL: the reader ended the
 * input. -1 with ERR_UNSUPPORTED: nobody can be asked here. An interrupt ends the wait and the
 * command.
 */
int reply_ask(struct reply *reply, const char *prompt, bool secret, const char **answer,
              struct err *err);

/* Payloads collected so far as a JSON array, "[]" if none. */
const char *reply_payloads(struct reply *reply);

#endif
