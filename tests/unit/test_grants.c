/* grants: which words of a cell let the worker open what it could not. */
#include "kernel/front/grants.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/check.h"

static struct arena *arena;
static struct grants *grants;
static const char *root;
static int before; /* the folder that the tests run in */

static const char *path_of(const char *path) {
    return file_join(arena, root, path);
}

/* An empty file, and the folders above it; "-> TO" makes a link. */
static void put(const char *path, const char *to) {
    char *full = file_join(arena, root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(full, 0777);
        *slash = '/';
    }
    if (to) {
        check(symlink(to, full) == 0);
    } else {
        int fd = open(full, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        check(fd >= 0 && close(fd) == 0);
    }
}

/* A notebook's folder beside others, one of which is a place of models. */
static void begin(void) {
    char room[4096];
    arena = check_arena();
    root = realpath(check_folder(arena), room) ? arena_copy(arena, room) : "";
    before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put("notebooks/here.csv", NULL);
    put("models/mini/model.safetensors", NULL);
    put("home/data.csv", NULL);
    setenv("CUTAWAY_MODELS", path_of("models"), 1);
    setenv("HF_HUB_CACHE", path_of("hub"), 1);
    setenv("XDG_CACHE_HOME", path_of("cache"), 1);
    check(chdir(path_of("notebooks")) == 0);
    grants = grants_new(arena, true);
}

static void end(void) {
    check(fchdir(before) == 0);
    close(before);
    unsetenv("CUTAWAY_MODELS");
    unsetenv("HF_HUB_CACHE");
    unsetenv("XDG_CACHE_HOME");
}

static bool cell(const char *code) {
    return grants_cell(grants, code, strlen(code)) > 0;
}

/* What is granted, in words: "r PATH, w PATH" without the root. */
static const char *granted(void) {
    const struct buf *said = grants_said(grants);
    struct buf *out = buf_new(arena);
    for (size_t at = 0; at < said->length; at += strlen(said->data + at) + 1) {
        const char *one = said->data + at;
        buf_printf(out, "%s%c %s", at ? ", " : "", one[0], one + 1 + strlen(root) + 1);
    }
    return out->data;
}

TEST(grants_nothing_for_the_usual_places) {
    begin();
    check(!cell("%data x here.csv\n%data x ./here.csv\n%save r out.png"));
    check(!cell("%model load mini\n%model load no/such\n%model load /no/such"));
    check(!cell(arena_printf(arena, "%%model load %s/models/mini", root)));
    check(!cell(arena_printf(arena, "%%data x %s", path_of("notebooks/here.csv"))));
    check_same(granted(), "");
    end();
}

TEST(grants_what_a_cell_names_once) {
    begin();
    put("far/m/model.safetensors", NULL);
    put("far/one.csv", NULL);
    const char *code = arena_printf(
        arena, "%%model load %s/far/m --as x\n%%data d ../far/one.csv\n%%save r ../far/r.png",
        root);
    check(cell(code));
    check_same(granted(), "r far/m, r far/one.csv, w far");
    check(!cell(code));
    check(!cell("%data e ../far/m/model.safetensors")); /* below what may be written */
    grants_forget(grants);
    check_same(granted(), "");
    check(cell(code));
    check_same(granted(), "r far/m, r far/one.csv, w far");
    end();
}

TEST(grants_what_a_file_of_weights_needs) {
    begin();
    put("far/x.gguf", NULL);
    put("far/m/x.safetensors", NULL);
    check(cell("%model load ../far/x.gguf"));
    check_same(granted(), "r far/x.gguf"); /* all is in it */
    check(cell("%model load ../far/m/x.safetensors"));
    check_same(granted(), "r far/x.gguf, r far/m/x.safetensors, r far/m");
    check(!cell("%model load ../far/x.gguf\n%model load ../far/m/x.safetensors"));
    end();
}

/* Keys and other people's notebooks lie there. */
TEST(grants_no_home_for_a_model) {
    begin();
    const char *home = getenv("HOME");
    setenv("HOME", path_of("home/me"), 1);
    put("home/me/x.safetensors", NULL);
    put("home/me/.ssh/id", NULL);
    put("home/me/notes.txt", NULL);
    put("home/me/config.json", NULL);
    put("home/x.gguf", NULL);
    check(!cell("%model load ~\n%model load ../home"));
    check(cell("%model load ../home/x.gguf"));
    check(cell("%model load ~/x.safetensors"));
    check_same(granted(), "r home/x.gguf, r home/me/x.safetensors, r home/me/config.json");
    check(!cell("%model load ~/x.safetensors"));
    home ? setenv("HOME", home, 1) : unsetenv("HOME");
    end();
}

TEST(grants_what_links_lead_to) {
    begin();
    put("far/real.csv", NULL);
    put("far/m/model.safetensors", NULL);
    put("blobs/12", NULL);
    put("notebooks/link.csv", "../far/real.csv");
    put("notebooks/models", "../far/m");
    put("notebooks/hub/config.json", NULL);
    put("notebooks/hub/model.safetensors", "../../blobs/12");
    put("notebooks/plain/model.safetensors", NULL);
    put("notebooks/plain/config.json", "../here.csv");
    check(cell("%data x link.csv"));
    check(cell("%model load models"));
    check(!cell("%model load plain"));
    check(cell("%model load hub"));
    check_same(granted(), "r far/real.csv, r far/m, r notebooks/hub");
    check(!cell("%model load hub"));
    end();
}

/* A folder whose links are not a model's needs no other worker, as they open nothing. */
TEST(grants_nothing_for_strange_links) {
    begin();
    put("far/secret", NULL);
    put("far/model.gguf", NULL);
    put("notebooks/evil/model.safetensors", NULL);
    put("notebooks/evil/notes.txt", "../../far/secret");
    put("notebooks/evil/config.json", "../../far");
    put("notebooks/evil/weights", "../../far");
    put("notebooks/one", "../far/model.gguf");
    check(!cell("%model load evil"));
    check(cell("%model load one")); /* a link by any name, which the cell itself names */
    check_same(granted(), "r far/model.gguf");
    end();
}

TEST(grants_home_by_its_sign) {
    begin();
    const char *home = getenv("HOME");
    setenv("HOME", path_of("home"), 1);
    check(cell("%data x ~/data.csv"));
    check_same(granted(), "r home/data.csv");
    home ? setenv("HOME", home, 1) : unsetenv("HOME");
    end();
}

TEST(grants_only_words_that_name_files) {
    begin();
    put("far/one.csv", NULL);
    check(!cell("%echo ../far/one.csv"));
    check(!cell("%%tokens\n%data x ../far/one.csv"));
    check(!cell("%data x ../far/one.csv\n%data \"")); /* such a cell does not run */
    check(!cell("%nonsense ../far/one.csv"));
    check(!cell("%model load x --as ../far/one.csv"));
    check(!cell("%save r /\n%model load /\n%data x /"));
    check_same(granted(), "");
    struct grants *off = grants_new(arena, false);
    const char *code = "%data x ../far/one.csv";
    check(!grants_cell(off, code, strlen(code)) && grants_said(off)->length == 0);
    end();
}

TEST(grants_have_an_end) {
    begin();
    struct buf *code = buf_new(arena);
    for (int i = 0; i < 300; i++) {
        put(arena_printf(arena, "far/%d.csv", i), NULL);
        buf_printf(code, "%%data d ../far/%d.csv\n", i);
    }
    check(cell(code->data));
    check(!cell("%data d ../far/299.csv"));
    end();
}
