/* Paths as a user types them into %model load, %data and %save: what leads elsewhere, never
 * ends or is nothing, is one sentence that names it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/check.h"
#include "tests/stage.h"

#define N100                                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *folder;

static const char *at(const char *name) {
    return name[0] == '/' ? name : file_join(check_arena(), folder, name);
}

static void put(const char *name, const char *text) {
    struct err err;
    check_int(file_write(at(name), text, strlen(text), &err), 0);
}

static void make_folder(const char *name) {
    check_int(mkdir(at(name), 0777), 0);
}

static void make_link(const char *to, const char *name) {
    check_int(symlink(to, at(name)), 0);
}

/* A folder with an index that sends a tensor to this shard. */
static void make_index(const char *name, const char *shard) {
    make_folder(name);
    put(arena_printf(check_arena(), "%s/model.safetensors.index.json", name),
        arena_printf(check_arena(), "{\"weight_map\": {\"t\": \"%s\"}}", shard));
}

static void make_all(void) {
    folder = check_folder(check_arena());
    put("text", "a line\n");
    check_int(mkfifo(at("fifo"), 0666), 0);
    make_link("fifo", "link to fifo");
    make_link("/dev/zero", "link to device");
    make_link("nowhere", "link to nothing");
    make_link("loop", "loop");
    make_folder("empty");
    make_folder("fifo inside");
    check_int(mkfifo(at("fifo inside/model.safetensors"), 0666), 0);
    make_folder("device inside");
    make_link("/dev/zero", "device inside/model.safetensors");
    make_folder("folder inside");
    make_folder("folder inside/model.safetensors");
    make_index("up", "../text");
    make_index("absolute", "/etc/passwd");
    make_index("hidden", ".text");
    make_index("below", "empty/x");
    make_index("nul", "x\\u0000y");
    make_index("newline", "x\\ny");
    make_index("long", N100 N100 N100);
    make_index("shard is fifo", "shard");
    check_int(mkfifo(at("shard is fifo/shard"), 0666), 0);
    make_index("shard is device", "shard");
    make_link("/dev/zero", "shard is device/shard");
    make_index("shard is folder", "shard");
    make_folder("shard is folder/shard");
    make_index("shard is gone", "shard");
}

struct one {
    const char *path, *says;
};

static void check_refused(struct session *session, const char *command, const struct one *one) {
    const char *path = at(one->path);
    stage_run(session, arena_printf(check_arena(), "%s \"%s\"", command, path));
    check(stage_err.kind != ERR_NONE && stage_err.kind != ERR_BUG);
    check_text(stage_err.text, one->says);
    check_int(stage_err.line, 1);
}

TEST(paths_that_no_model_is_loaded_from) {
    static const struct one table[] = {
        { "fifo", "fifo is a device or pipe, and a model is a file or a folder" },
        { "link to fifo", "is a device or pipe" },
        { "/dev/zero", "/dev/zero is a device or pipe" },
        { "/dev/null", "is a device or pipe" },
        { "link to device", "is a device or pipe" },
        { "link to nothing", "there is no file, folder or model called" },
        { "loop", "there is no file, folder or model called" },
        { "text/inside", "there is no file, folder or model called" },
        { "none\x1b[31m", "called " },
        { N100 N100 N100, "there is no file, folder or model called" },
        { "/proc/self/mem", "mem" },
        { "text", "text" },
        { "empty", "has no model.safetensors" },
        { "fifo inside", "has no model.safetensors" },
        { "fifo inside/model.safetensors", "is a device or pipe" },
        { "device inside", "has no model.safetensors" },
        { "folder inside", "has no model.safetensors" },
        { "up", "\"../text\", which is no plain file name" },
        { "absolute", "\"/etc/passwd\", which is no plain file name" },
        { "hidden", "\".text\", which is no plain file name" },
        { "below", "which is no plain file name" },
        { "nul", "which is no plain file name" },
        { "newline", "which is no plain file name" },
        { "long", "which is no plain file name" },
        { "shard is fifo", "shard is a device or pipe, not a regular file" },
        { "shard is device", "shard is a device or pipe, not a regular file" },
        { "shard is folder", "shard is a folder, not a regular file" },
        { "shard is gone", "cannot open " },
    };
    struct session *session = stage_session();
    make_all();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_refused(session, "%model load", &table[i]);
    }
}

TEST(paths_that_no_data_come_from) {
    static const struct one table[] = {
        { "fifo", "is a device or pipe, not a regular file" },
        { "link to fifo", "is a device or pipe" },
        { "/dev/zero", "is a device or pipe" },
        { "link to device", "is a device or pipe" },
        { "link to nothing", "No such file" },
        { "loop", "symbolic links" },
        { "empty", "is a folder, not a regular file" },
        { "text/inside", "Not a directory" },
        { "text/", "Not a directory" },
        { "none", "No such file" },
        { N100 N100 N100, "File name too long" },
        { "/proc/self/mem", "mem" },
    };
    struct session *session = stage_session();
    make_all();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_refused(session, "%data news", &table[i]);
    }
    stage_run(session, arena_printf(check_arena(), "%%data news %s", at("text")));
    check_int(stage_err.kind, ERR_NONE);
}

TEST(paths_that_nothing_is_saved_to_and_one_at_home) {
    static const struct one table[] = {
        { "fifo.png", "it is a device or pipe" },
        { "link.json", "it is a link to text; give the path of the file itself" },
        { "dangling.npz", "it is a link to nowhere" },
        { "device.csv", "it is a link to /dev/null" },
        { "folder.npy", "it is a folder" },
        { "protected.txt", "it is protected against writing" },
        { "none/cat.svg", "No such file" },
        { "text/cat.pdf", "Not a directory" },
        { N100 N100 N100 ".html", "File name too long" },
        { "/dev/fd/cat.safetensors", "cannot write /dev/fd/cat.safetensors" },
        { "/dev/null", "the file's name must end in" },
        { "cat.png/", "the file's name must end in" },
        { "..", "the file's name must end in" },
    };
    struct session *session = stage_session();
    make_all();
    check_int(mkfifo(at("fifo.png"), 0666), 0);
    make_link("text", "link.json");
    make_link("nowhere", "dangling.npz");
    make_link("/dev/null", "device.csv");
    make_folder("folder.npy");
    put("protected.txt", "old");
    check_int(chmod(at("protected.txt"), 0444), 0);
    stage_run(session, "%model new rnn --layers 2 --seed 1");
    stage_run(session, "%%gradients --view norms --as r\nThe cat sat on it.");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_refused(session, "%save r.norms", &table[i]);
    }
    struct err err;
    struct file *text = file_map(check_arena(), at("text"), &err);
    check(text && text->size == 7);
    char *home = getenv("HOME") ? arena_copy(check_arena(), getenv("HOME")) : NULL;
    setenv("HOME", folder, 1);
    stage_run(session, "%save r.norms ~/at-home.json");
    check_int(stage_err.kind, ERR_NONE);
    check(file_exists(at("at-home.json")));
    home ? setenv("HOME", home, 1) : unsetenv("HOME");
}

/* A model whose file is saved over keeps what it had, and still computes the same. */
TEST(paths_of_a_loaded_model_may_be_saved_over) {
    static const char *const files[] = { "config.json", "model.safetensors", "tokenizer.json" };
    const char *bert = check_fixture(check_arena(), "golden/data/models/bert_mlm");
    struct session *session = stage_session();
    struct err err;
    folder = check_folder(check_arena());
    for (int i = 0; i < 3; i++) {
        struct file *file =
            file_map(check_arena(), file_join(check_arena(), bert, files[i]), &err);
        if (check(file != NULL)) {
            check_int(file_write(at(files[i]), file->bytes, (size_t)file->size, &err), 0);
        }
    }
    stage_run(session, arena_printf(check_arena(), "%%model load %s --as m", folder));
    stage_run(session, "%%attention --as before\nThe cat sat on the mat");
    stage_run(session,
              arena_printf(check_arena(), "%%save before %s", at("model.safetensors")));
    check_int(stage_err.kind, ERR_NONE);
    stage_run(session, "%%attention --as after\nThe cat sat on the mat");
    check_int(stage_err.kind, ERR_NONE);
    const struct result *before = session_result(session, "before", &err);
    const struct result *after = session_result(session, "after", &err);
    if (check(before && after)) {
        const struct tensor *x = before->series[0].values, *y = after->series[0].values;
        check_int(tensor_bytes(x), tensor_bytes(y));
        check(memcmp(x->bytes, y->bytes, (size_t)tensor_bytes(x)) == 0);
    }
    stage_run(session, arena_printf(check_arena(), "%%model load %s --as other", folder));
    check_int(stage_err.kind, ERR_FORMAT); /* what lies there now is no model */
}
