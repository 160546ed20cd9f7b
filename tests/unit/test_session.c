#include "kernel/session/session.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/result/result_id.h"
#include "tests/check.h"
#include "tests/looks.h"

static void close_session(void *what) {
    session_free(what);
}

/* A session in the middle of a cell, freed with the test. */
static struct session *session_here(void) {
    struct session *session = session_new();
    arena_defer(check_arena(), close_session, session);
    session_begin(session);
    return session;
}

static const char *bert(void) {
    return check_fixture(check_arena(), "golden/data/models/bert_mlm");
}

TEST(session_takes_its_language_from_the_locale) {
    char *was = getenv("LC_ALL");
    was = was ? arena_copy(check_arena(), was) : NULL;
    setenv("LC_ALL", "zh_CN.UTF-8", 1);
    check_same(session_setting(session_here(), "language"), "zh");
    setenv("LC_ALL", "en_GB.UTF-8", 1);
    check_same(session_setting(session_here(), "language"), "en");
    was ? setenv("LC_ALL", was, 1) : unsetenv("LC_ALL");
}

TEST(session_keeps_models_by_name) {
    struct err err = { 0 };
    struct session *session = session_here();
    check(!session_model(session, NULL, &err));
    check_text(err.text, "no model is loaded: %model list shows");

    const struct loaded *one = session_load(session, bert(), NULL, &err);
    check(one && strcmp(one->handle, "bert_mlm") == 0);
    check(session_load(session, bert(), "twin", &err) != NULL);
    check_same(session_model(session, NULL, &err)->handle, "twin"); /* the one loaded last */
    check_same(session_model(session, "bert_mlm", &err)->handle, "bert_mlm");

    check_int(session_use(session, "bert_mlm", &err), 0);
    check_same(session_model(session, "", &err)->handle, "bert_mlm");
    check_int(session_unload(session, "bert_mlm", &err), 0);
    check_same(session_model(session, NULL, &err)->handle, "twin");
    check_int(session_unload(session, "bert_mlm", &err), -1);
    check_text(err.text, "no model is loaded as bert_mlm: loaded are twin");
    check(!session_model(session, "twni", &err));
    check_text(err.text, "did you mean twin?");
}

TEST(session_refuses_names_that_are_taken_or_odd) {
    struct err err = { 0 };
    struct session *session = session_here();
    check(session_load(session, bert(), "a", &err) != NULL);
    check(!session_load(session, bert(), "a", &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "the name a is taken");
    check_text(err.text, "--as OTHER");
    check(!session_load(session, bert(), "b,c", &err));
    check(!session_load(session, bert(), "", &err));
    check(!session_load(session, bert(), "-x", &err));
    check(!session_load(session, "/nowhere/at/all", NULL, &err));
    check_int(err.kind, ERR_MODEL);
    int64_t count, in_use;
    session_models(session, &count, &in_use);
    check_int(count, 1);
}

static const struct result *small_result(const char *title, float value) {
    struct result *result = result_new(check_arena(), "heatmap", 1);
    result->title = title;
    result->series[0].name = "x";
    result->series[0].values = tensor_new(check_arena(), 2, (int64_t[]){ 1, 1 });
    result->series[0].values->data[0] = value;
    result->series[0].axes[0] = (struct axis){ "row", 1, NULL };
    result->series[0].axes[1] = (struct axis){ "column", 1, NULL };
    return result;
}

TEST(session_keeps_results_beyond_their_cell) {
    struct err err = { 0 };
    struct session *session = session_here();
    session_keep(session, "a", small_result("first", 1));
    session_keep(session, "b", small_result("second", 2));
    session_keep(session, "a", small_result("third", 3)); /* in the place of the first */
    session_end(session);
    session_begin(session);
    check_same(session_result(session, "a", &err)->title, "third");
    check_near(session_result(session, "b", &err)->series[0].values->data[0], 2, 0);
    int64_t count;
    const char *const *names = session_results(session, check_arena(), &count);
    check_int(count, 2);
    check_same(names[0], "a");
    check(!session_result(session, "c", &err));
    check_int(err.kind, ERR_RESULT);
    check_text(err.text, "there is no result c: kept are a, b");
}

TEST(session_state_brings_it_all_back) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    struct session *session = session_here();
    check(session_load(session, bert(), "one", &err) != NULL);
    check(session_load(session, bert(), "two", &err) != NULL);
    check_int(session_use(session, "one", &err), 0);
    session_set(session, "seed", "7");
    session_keep(session, "kept", small_result("r", 1));
    const char *state = session_state(session, arena);

    struct session *again = session_new();
    arena_defer(arena, close_session, again);
    struct buf *complaints = buf_new(arena);
    session_restore(again, state, complaints, NULL, NULL);
    check_same(session_setting(again, "seed"), "7");
    check_same(session_model(again, NULL, &err)->handle, "one");
    check_text(session_names(again, arena), "handle\tone\nhandle\ttwo\n");
    check_text(complaints->data,
               "Kept results were lost with the process that held them: kept.");
}

TEST(session_brings_data_back) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    const char *path = file_join(arena, check_folder(arena), "a b.csv");
    check_int(file_write(path, "id,words\n1,x\n2,y\n", 17, &err), 0);
    struct session *session = session_here(), *again = session_new();
    arena_defer(arena, close_session, again);
    check(session_data_add(session, "news", path, "words", 1, &err) != NULL);
    check(
        !session_data_add(session, "news", "/nowhere", NULL, 0, &err)); /* the old one stays */
    check(!session_data_add(session, "drop", path, "words", 0, &err));
    check_text(err.text, "data cannot be called \"drop\"");
    check(!session_data(session, "newz", &err));
    check_text(err.text, "did you mean news?");
    check_text(session_names(session, arena), "data\tnews\n");

    struct buf *complaints = buf_new(arena);
    session_restore(again, session_state(session, arena), complaints, NULL, NULL);
    check_same(complaints->data, "");
    const struct dataset_kept *one = session_data(again, "news", &err);
    check(one && one->dataset->texts == 1 && one->most == 1);
    check_same(one->column, "words");

    const char *gone = arena_printf(arena, "data\tnews\t%s.gone\t0\t\n", path);
    session_restore(again, gone, complaints, NULL, NULL);
    check_text(complaints->data, "The data news could not be loaded again: cannot open");
    session_begin(again);
    check_int(session_data_drop(again, "news", &err), 0);
    check_int(session_data_drop(again, "news", &err), -1);
    check_text(err.text, "there is no data called news: none is there yet");
}

TEST(session_restore_complains_of_what_is_gone) {
    struct err err = { 0 };
    struct session *session = session_new();
    arena_defer(check_arena(), close_session, session);
    struct buf *complaints = buf_new(check_arena());
    session_restore(session,
                    "setting\tseed\t9\nmodel\todd\\tname\t/gone/a\\\\b\nuse\todd\\tname\n"
                    "setting\tno such\tx\nnonsense\n\t\t\n",
                    complaints, NULL, NULL);
    check_text(complaints->data, "could not be loaded again: ");
    check_text(complaints->data, "/gone/a");
    check_same(session_setting(session, "seed"), "9");
    check(!session_model(session, NULL, &err));
}

TEST(session_setting_is_cut_to_its_room) {
    struct session *session = session_here();
    char digits[200];
    memset(digits, '1', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    session_set(session, "seed", digits);
    check_int(strlen(session_setting(session, "seed")), 63);
    check(!session_setting(session, "no such"));
}

static void fd_close(void *what) {
    close(*(int *)what);
}

/* A session as a worker has it, with a journal in `fd`. */
static struct session *session_with(int fd) {
    struct session *session = session_here();
    session_journal(session, fd, 64 << 20);
    session_remember(session, 64 << 20);
    return session;
}

static int file_here(void) {
    struct arena *arena = check_arena();
    int *fd = arena_alloc(arena, sizeof *fd);
    *fd = open(check_folder(arena), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    arena_defer(arena, fd_close, fd);
    return *fd;
}

/* The session that comes after, and what it complained of. */
static struct session *session_after(struct session *before, int fd, struct buf *complaints) {
    const char *state = session_state(before, check_arena());
    struct session *session = session_with(fd);
    session_end(session);
    session_restore(session, state, complaints, NULL, NULL);
    session_begin(session);
    return session;
}

TEST(session_journal_brings_results_back) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    int fd = file_here();
    struct session *session = session_with(fd);
    struct buf *complaints = buf_new(arena);
    session_keep(session, "b", small_result("first", 1));
    session_keep(session, NULL, small_result("shown", 2));
    session_keep(session, "a", small_result("second", 3));
    session_keep(session, "_", small_result("last", 4));
    session_write(session);
    const char *state = session_state(session, arena);
    for (int i = 0; i < 3; i++) { /* deaths in a row */
        session = session_after(session, fd, complaints);
        check_same(complaints->data, "");
        int64_t count;
        const char *const *names = session_results(session, arena, &count);
        check_int(count, 3);
        check(strcmp(names[0], "b") == 0 && strcmp(names[1], "a") == 0);
        check_near(session_result(session, "a", &err)->series[0].values->data[0], 3, 0);
        check_same(session_result(session, "_", &err)->title, "last");
        const char *id = result_id(arena, small_result("shown", 2));
        check_same(session_result_by_id(session, id, &err)->title, "shown");
        check_same(session_state(session, arena), state);
        session_write(session);
    }
    session_keep(session, "a", small_result("third", 5)); /* told, but not written any more */
    session = session_after(session, fd, complaints);
    check_text(complaints->data,
               "Kept results were lost with the process that held them: a. Run");
    check(!session_result(session, "a", &err)); /* not the one before */
    check_same(session_result(session, "b", &err)->title, "first");
}

/* One result of two names, as the last picture of a cell with --as has. */
TEST(session_journal_keeps_names_together) {
    struct err err = { 0 };
    int fd = file_here();
    struct session *session = session_with(fd);
    struct buf *complaints = buf_new(check_arena());
    struct arena **own = session_result_arena(session);
    session_adopt(session, own, "cat", "_", result_copy(*own, small_result("cat", 1)));
    session_write(session);
    session = session_after(session, fd, complaints);
    check_same(complaints->data, "");
    check(session_result(session, "cat", &err) == session_result(session, "_", &err));
}

/* A state that killed a worker is empty for the next, and so is what it finds in the file. */
TEST(session_journal_is_nothing_without_a_state) {
    struct err err = { 0 };
    int fd = file_here();
    struct session *session = session_with(fd);
    struct buf *complaints = buf_new(check_arena());
    session_keep(session, NULL, small_result("shown", 2));
    session_write(session);
    const char *id = result_id(check_arena(), small_result("shown", 2));
    session = session_with(fd);
    session_restore(session, "", complaints, NULL, NULL);
    check(!session_result_by_id(session, id, &err));
    check_same(complaints->data, "");
}

/* The model's file: the same, written again, of another length, another model. */
TEST(session_says_that_a_model_changed) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    const char *files[] = { "config.json", "model.safetensors", "tokenizer.json" };
    const char *folder = check_folder(arena), *weights = NULL;
    for (int i = 0; i < 3; i++) {
        struct file *file = file_map(arena, file_join(arena, bert(), files[i]), &err);
        const char *copy = file_join(arena, folder, files[i]);
        if (file) {
            check_int(file_write(copy, file->bytes, (size_t)file->size, &err), 0);
        }
        weights = i == 1 ? copy : weights;
    }
    struct session *session = session_here();
    check(session_load(session, folder, "m", &err) != NULL);
    struct buf *complaints = buf_new(arena);
    session_after(session, -1, complaints);
    check_same(complaints->data, "");

    struct file *file = file_map(arena, weights, &err);
    check_int(file_write(weights, file->bytes, (size_t)file->size, &err), 0);
    const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    check_int(utimensat(AT_FDCWD, weights, times, 0), 0);
    session_after(session, -1, complaints);
    check_text(complaints->data, "The file of the model m was written again since it was");
    check_text(complaints->data, "fingerprint are the same.");

    char *bytes = arena_text(arena, (const char *)file->bytes, (size_t)file->size);
    bytes[file->size - 1] ^= 1; /* one bit of a weight that the fingerprint reads */
    check_int(file_write(weights, bytes, (size_t)file->size, &err), 0);
    buf_clear(complaints);
    session_after(session, -1, complaints);
    check_text(complaints->data, "The model m is another one now: ");
    check_text(
        complaints->data,
        session_models(session, &(int64_t){ 0 }, &(int64_t){ 0 })->model->weights->fingerprint);
}

/* The next cell may be interrupted while what the one before kept is still written. */
TEST(session_write_ends_by_an_interrupt_and_is_taken_up_again) {
    struct err err = { 0 };
    int fd = file_here();
    struct session *session = session_with(fd);
    struct buf *complaints = buf_new(check_arena());
    session_keep(session, "a", small_result("first", 1));
    check(session_write(session));
    session_keep(session, "b", small_result("second", 2));
    int64_t held = arena_held();
    for (int64_t n = 1;; n++) { /* at each look that there is */
        looks_stop_at(n);
        bool whole = session_write(session);
        looks_stop_at(0);
        stop_clear();
        check_int(arena_held(), held);
        if (whole) {
            check(n > 1);
            break;
        }
    }
    session = session_after(session, fd, complaints);
    check_same(complaints->data, "");
    check_same(session_result(session, "a", &err)->title, "first");
    check_same(session_result(session, "b", &err)->title, "second");
}

/* An interrupt while the session comes back is for the cell that waits: it costs no model, no
 * data and no result, at whatever look it comes. */
static void answered(void *arg) {
    stop_clear();
    ++*(int *)arg;
}

TEST(session_restore_is_not_what_an_interrupt_ends) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    const char *texts = file_join(arena, check_folder(arena), "a.txt");
    int fd = file_here();
    struct session *session = session_with(fd);
    check_int(file_write(texts, "one\ntwo\n", 8, &err), 0);
    check(session_load(session, bert(), "bert", &err) != NULL);
    check(session_data_add(session, "texts", texts, NULL, 0, &err) != NULL);
    session_keep(session, "kept", small_result("kept", 1));
    check(session_write(session));
    const char *state = session_state(session, arena);
    int64_t looks = 0;
    for (int64_t n = 0; n < looks || n == 0; n += 1 + looks / 20) { /* 0: counts them */
        struct buf *complaints = buf_new(arena);
        struct session *again = session_with(fd);
        int count = 0;
        session_end(again);
        int64_t before = looks_count();
        looks_stop_at(n);
        session_restore(again, state, complaints, answered, &count);
        looks_stop_at(0);
        looks = n == 0 ? looks_count() - before : looks;
        check_int(count, n > 0);
        check_same(complaints->data, "");
        check_same(session_state(again, arena), state);
        session_begin(again);
    }
}
