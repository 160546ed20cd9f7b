/* linked: which links of a model's folder count, and for what. */
#include "core/base/linked.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "tests/check.h"

static struct arena *arena;
static const char *root;

static const char *path_of(const char *path) {
    return file_join(arena, root, path);
}

/* A folder "model" beside one that it may lead to. */
static void begin(void) {
    static const char *const folders[] = { "model", "model/1_Pooling", "model/1_Pooling/deep",
                                           "far" };
    static const char *const files[] = { "far/12", "far/34", "model/own.json" };
    char room[4096];
    arena = check_arena();
    root = realpath(check_folder(arena), room) ? arena_copy(arena, room) : "";
    for (int i = 0; i < 4; i++) {
        check(mkdir(path_of(folders[i]), 0755) == 0);
    }
    for (int i = 0; i < 3; i++) {
        int fd = open(path_of(files[i]), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        check(fd >= 0 && close(fd) == 0);
    }
}

static void link_to(const char *to, const char *path) {
    check(symlink(to, path_of(path)) == 0);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "far/12 far/34", in alphabetical order, without the root. */
static const char *linked(void) {
    const char *const *to = linked_files(arena, path_of("model"));
    const char *sorted[10];
    struct buf *out = buf_new(arena);
    size_t n = 0;
    while (to[n] && n < 10) {
        sorted[n] = to[n];
        n++;
    }
    qsort(sorted, n, sizeof *sorted, by_text);
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s%s", i ? " " : "", sorted[i] + strlen(root) + 1);
    }
    return out->data;
}

TEST(linked_are_the_files_that_a_loader_asks_for) {
    begin();
    check_same(linked(), "");
    link_to("../far/12", "model/model-00001-of-00002.safetensors");
    link_to("../../far/34", "model/1_Pooling/config.json");
    check_same(linked(), "far/12 far/34");
    link_to("../../far", "far/again"); /* a chain of links is what it ends at */
    link_to("../far/12", "model/x.gguf");
    check_same(linked(), "far/12 far/12 far/34");
}

TEST(linked_is_nothing_else) {
    begin();
    link_to("../far/12", "model/id_rsa");
    link_to("../far/12", "model/.safetensors");
    link_to("../far", "model/config.json");
    link_to("../far", "model/sub.safetensors");
    link_to("/dev/zero", "model/tokenizer.json");
    link_to("../far/none", "model/model.safetensors");
    link_to("x.gguf", "model/x.gguf");
    link_to("../../../far/12", "model/1_Pooling/deep/config.json");
    check_same(linked(), "");
    check(mkfifo(path_of("far/pipe"), 0600) == 0);
    link_to("../far/pipe", "model/tokenizer_config.json");
    check_same(linked(), "");
    check(!*linked_files(arena, path_of("nowhere")));
    check(!*linked_files(arena, path_of("far/12")));
}

TEST(linked_looks_at_so_many_entries) {
    begin();
    for (int i = 0; i < 1300; i++) {
        link_to("../far/12", arena_printf(arena, "model/%d.gguf", i));
    }
    const char *const *to = linked_files(arena, path_of("model"));
    int64_t n = 0;
    while (to[n]) {
        n++;
    }
    check(n == 1200);
}
