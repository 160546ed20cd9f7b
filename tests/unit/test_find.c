#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/model.h"

static struct arena *arena;
static struct err err;
static const char *root;

/* Not file_write, which waits for the disk. */
static void write_text(const char *path, const char *content) {
    FILE *out = fopen(path, "we");
    check(out && fputs(content, out) >= 0 && fclose(out) == 0);
}

/* Makes the file and the folders above it. */
static void put(const char *path, const char *content) {
    char *full = file_join(arena, root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(full, 0777);
        *slash = '/';
    }
    write_text(full, content);
}

/* An empty world in which only what the test makes can be found. */
static void begin(void) {
    arena = check_arena();
    err = (struct err){ 0 };
    root = check_folder(arena);
    setenv("CUTAWAY_MODELS", file_join(arena, root, "models"), 1);
    setenv("HF_HUB_CACHE", file_join(arena, root, "hub"), 1);
    setenv("XDG_DATA_HOME", file_join(arena, root, "data"), 1);
}

static void end(void) {
    unsetenv("CUTAWAY_MODELS");
    unsetenv("HF_HUB_CACHE");
    unsetenv("XDG_DATA_HOME");
}

static const char *path_of(const char *path) {
    return file_join(arena, root, path);
}

TEST(find_knows_folders_and_files) {
    begin();
    put("models/mini/model.safetensors", "");
    put("models/small.gguf", "");
    put("models/one.safetensors", "");
    put("models/notes/readme.txt", "");
    put("models/readme.txt", "");
    int64_t n;
    struct found *found = find_models(arena, &n);
    check_int(n, 3);
    check_same(found[0].name, "mini");
    check_same(found[1].name, "one");
    check_same(found[2].name, "small");
    check_same(found[2].where, "models folder");
    check_same(find_model(arena, "small", &err), path_of("models/small.gguf"));
    end();
}

TEST(find_takes_the_commit_that_main_is_at) {
    begin();
    put("hub/models--org--my-model/refs/main", "abc123\n");
    put("hub/models--org--my-model/snapshots/abc123/model.safetensors", "");
    put("hub/models--org--my-model/snapshots/000000/model.safetensors", "");
    put("hub/models--gpt2/refs/main", "ff");
    put("hub/models--gpt2/snapshots/ff/model.safetensors.index.json", "");
    put("hub/models--org--quants/refs/main", "ee");
    put("hub/models--org--quants/snapshots/ee/q4.gguf", "");
    put("hub/models--evil--out/refs/main", "../../../models");
    put("hub/models--org--config-only/refs/main", "dd");
    put("hub/models--org--endless/refs/other", "");
    check_int(mkfifo(file_join(arena, root, "hub/models--org--endless/refs/main"), 0600), 0);
    put("hub/models--org--config-only/snapshots/dd/config.json", "{}");
    check_same(find_model(arena, "org/my-model", &err),
               path_of("hub/models--org--my-model/snapshots/abc123"));
    check_same(find_model(arena, "gpt2", &err), path_of("hub/models--gpt2/snapshots/ff"));
    check_same(find_model(arena, "org/quants", &err),
               path_of("hub/models--org--quants/snapshots/ee/q4.gguf"));
    int64_t n;
    check(find_models(arena, &n) && n == 3);
    end();
}

TEST(find_takes_a_path_as_it_is) {
    begin();
    put("elsewhere/model.safetensors", "");
    check_same(find_model(arena, path_of("elsewhere"), &err), path_of("elsewhere"));
    const char *home = arena_copy(arena, getenv("HOME") ? getenv("HOME") : "/");
    setenv("HOME", root, 1);
    check_same(find_model(arena, "~/elsewhere", &err), path_of("elsewhere"));
    setenv("HOME", home, 1);
    end();
}

TEST(find_says_what_there_is) {
    begin();
    put("models/minilm/model.safetensors", "");
    put("models/smollm2.gguf", "");
    check(!find_model(arena, "minlm", &err));
    check_int(err.kind, ERR_MODEL);
    check_text(err.text, "called minlm");
    check_text(err.text, "did you mean minilm?");
    check_text(err.text, "there are: minilm, smollm2");
    check(!find_model(arena, "x\ny", &err));
    check_text(err.text, "x\\x0ay");
    end();
}

TEST(find_says_where_models_could_be) {
    begin();
    check(!find_model(arena, "minilm", &err));
    check_int(err.kind, ERR_MODEL);
    check_text(err.text, "CUTAWAY_MODELS");
    end();
}

TEST(find_refuses_two_models_of_one_name) {
    static const char *const folders[] = { "models", "data/cutaway/models" };
    for (int i = 0; i < 2; i++) {
        begin();
        const char *one = arena_printf(arena, "%s/mini/model.safetensors", folders[i]);
        const char *other = arena_printf(arena, "%s/mini.gguf", folders[i]);
        put(one, "");
        put(other, "");
        check(!find_model(arena, "mini", &err));
        check_int(err.kind, ERR_MODEL);
        check_text(err.text, path_of(arena_printf(arena, "%s/mini and", folders[i])));
        check_text(err.text, path_of(other));
        end();
    }
}

TEST(find_prefers_what_the_user_chose) {
    begin();
    put("models/mini/model.safetensors", "");
    put("data/cutaway/models/mini.gguf", "");
    put("data/cutaway/models/other.gguf", "");
    check_same(find_model(arena, "mini", &err), path_of("models/mini"));
    check_same(find_model(arena, "other", &err), path_of("data/cutaway/models/other.gguf"));
    int64_t n;
    check(find_models(arena, &n) && n == 2);
    end();
}

TEST(find_sees_one_model_through_two_links) {
    begin();
    put("models/mini/model.safetensors", "");
    put("data/cutaway/models/readme", "");
    check(symlink(path_of("models/mini"), path_of("data/cutaway/models/mini")) == 0);
    check_same(find_model(arena, "mini", &err), path_of("models/mini"));
    end();
}
