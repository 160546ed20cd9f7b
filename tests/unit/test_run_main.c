#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "kernel/run_main.h"
#include "tests/check.h"

static const char *folder; /* the test's own */

static const char *path_of(const char *name) {
    return file_join(check_arena(), folder, name);
}

static void put(const char *name, const char *text) {
    struct err err = { 0 };
    file_write(path_of(name), text, strlen(text), &err);
    check_same(err.text, "");
}

static const char *get(const char *name) {
    struct err err = { 0 };
    const struct file *file = file_map(check_arena(), path_of(name), &err);
    check_same(err.text, "");
    return file ? arena_text(check_arena(), (const char *)file->bytes, (size_t)file->size) : "";
}

/* Runs `cutaway run` with stdout and stderr in files out.txt and err.txt, from the same folder.
 */
static int run(const char *file, const char *option, const char *value) {
    char name[] = "run";
    char *argv[] = { name, arena_copy(check_arena(), file),
                     option ? arena_copy(check_arena(), option) : NULL,
                     value ? arena_copy(check_arena(), value) : NULL };
    int saved[2] = { dup(1), dup(2) };
    char here[4096];
    check(getcwd(here, sizeof here) != NULL);
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        int fd = open(path_of(i ? "err.txt" : "out.txt"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, 1 + i);
        close(fd);
    }
    int status = run_main(option ? value ? 4 : 3 : 2, argv);
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], 1 + i);
        close(saved[i]);
    }
    check(chdir(here) == 0);
    return status;
}

static void lay_out(void) {
    folder = check_folder(check_arena());
    setenv("LC_ALL", "C.UTF-8", 1);
}

TEST(run_script_writes_each_output_to_its_files) {
    lay_out();
    char *bert = realpath(check_fixture(check_arena(), "golden/data/models/bert_mlm"), NULL);
    put("a.cut", arena_printf(check_arena(),
                              "%%echo one\n%%echo --stderr two\n%%echo three\n%%echo four\n"
                              "# %%%% a title\n%%model load %s --as m\n\n"
                              "# %%%%\n%%%%attention --layer 0\nThe model reads one token.\n",
                              bert));
    free(bert);
    check_int(run(path_of("a.cut"), "--out", path_of("deep/out")), 0);
    check_same(get("err.txt"), "");
    check_same(get("deep/out/1-1.txt"), "one\n");
    check_same(get("deep/out/1-2.txt"), "two\n");
    check_same(get("deep/out/1-3.txt"), "three\nfour\n");
    check_text(get("deep/out/2-1.txt"), "m is loaded: bert, 3 layers of 4 heads");
    check_text(get("deep/out/3-1.txt"),
               "without [CLS], [SEP]:\nlayer  head  query  key  probability\n0 ");
    check_int(memcmp(get("deep/out/3-1.png"), "\x89PNG", 4), 0);
    check_text(get("deep/out/3-1.html"), "<img alt=");
    check_int(get("deep/out/3-1.json")[0], '{');
    check(!file_exists(path_of("deep/out/1-4.txt")));
}

TEST(run_script_speaks_chinese_where_asked) {
    lay_out();
    char *bert = realpath(check_fixture(check_arena(), "golden/data/models/bert_mlm"), NULL);
    put("zh.cut", arena_printf(check_arena(),
                               "%%results --lang zh\n%%model load %s --as m --lang zh\n"
                               "# %%%%\n%%model info --lang zh\n"
                               "# %%%%\n%%%%tokens --lang zh\none\n"
                               "# %%%%\n%%model list --lang zh\n"
                               "# %%%%\n%%%%attention --layer 0 --head 0 --lang zh\none token\n"
                               "# %%%%\n%%results --lang zh\n",
                               bert));
    free(bert);
    check_int(run(path_of("zh.cut"), "--out", path_of("zh")), 0);
    check_text(get("zh/1-1.txt"), "还没有保存的结果");
    check_text(get("zh/1-1.txt"), "m 已载入：bert，3 层，每层 4 个头");
    check_text(get("zh/2-1.txt"), "注意力：查询");
    check_text(get("zh/2-2.txt"), "m 是 bert 模型，有 ");
    check_text(get("zh/2-2.txt"), "每层头数");
    check_text(get("zh/3-1.txt"), "个是特殊词元。\n#  词元");
    check_text(get("zh/4-1.txt"), "已载入 1 个。");
    check_text(get("zh/4-1.txt"), "m（当前）");
    check_text(get("zh/5-1.txt"), "的权重给了 [CLS]、[SEP]，");
    check_text(get("zh/6-1.txt"), "保存了 1 个结果。\n名字  内容");
}

TEST(run_script_speaks_without_a_folder) {
    lay_out();
    put("a.cut", "\n# %%\n%echo one\n# %%\n\n# %%\n%help echo\n%sede\n");
    check_int(run(path_of("a.cut"), NULL, NULL), 1);
    check_same(get("out.txt"), "one\n"); /* a cell is checked whole before it runs */
    check_text(get("err.txt"), "a.cut, cell 3: UnknownCommand: there is no command %sede");
    check_text(get("err.txt"), "\n   2 | %sede\n     | ^^^^^\n");
}

TEST(run_script_says_what_cannot_be_written) {
    lay_out();
    put("a.cut", "%echo one");
    put("file", "");
    check_int(run(path_of("a.cut"), "--out", path_of("file")), 1);
    check_text(get("err.txt"), "is no folder");
    check_int(run(path_of("no.cut"), NULL, NULL), 1);
    check_text(get("err.txt"), "no.cut");
}

static const char notebook[] =
    "{\"cells\":[{\"cell_type\":\"markdown\",\"metadata\":{},\"source\":\"# a < b\"},"
    "{\"cell_type\":\"code\",\"execution_count\":null,\"metadata\":{},\"outputs\":[],"
    "\"source\":[\"%echo one\\n\",\"%echo two\\n\",\"%echo --stderr x\\n\",\"%help\"]},"
    "{\"cell_type\":\"code\",\"metadata\":{\"tags\":[\"raises-exception\"]},\"outputs\":[1],"
    "\"source\":\"%sede\"},"
    "{\"cell_type\":\"code\",\"metadata\":{},\"outputs\":[],\"source\":\"%save a b c\"},"
    "{\"cell_type\":\"code\",\"metadata\":{},\"outputs\":[],\"source\":\"%seed\"}],"
    "\"metadata\":{\"x\":1.50},\"nbformat\":4,\"nbformat_minor\":5}";

static const struct json *cell_at(const struct json *tree, int n) {
    const struct json *cell = json_at(tree, "cells")->first;
    while (n-- > 0) {
        cell = cell->next;
    }
    return cell;
}

TEST(run_notebook_writes_outputs_into_it) {
    struct err err = { 0 };
    lay_out();
    put("a.ipynb", notebook);
    check_int(run(path_of("a.ipynb"), "-o", path_of("b.ipynb")), 1); /* its third cell fails */
    check_same(get("a.ipynb"), notebook);
    check_text(get("err.txt"), "a.ipynb, cell 3: BadOption: %save needs NAME FILE");
    const char *text = get("b.ipynb");
    const struct json *tree = json_parse(check_arena(), text, strlen(text), "b", &err);
    if (!check(tree)) {
        return;
    }
    check_text(text, "1.50"); /* the rest is as it was */
    check_same(json_text_at(cell_at(tree, 0), "source", ""), "# a < b");
    const struct json *output = json_at(cell_at(tree, 1), "outputs")->first;
    check_int(json_int_at(cell_at(tree, 1), "execution_count", 0), 1);
    check_same(json_text_at(output, "output_type", ""), "stream");
    check_same(json_text_at(output, "text", ""), "one\ntwo\n");
    output = output->next;
    check_same(json_text_at(output, "name", ""), "stderr");
    output = output->next;
    check_same(json_text_at(output, "output_type", ""), "execute_result");
    check_int(json_int_at(output, "execution_count", 0), 1);
    check_text(json_text_at(json_at(output, "data"), "text/plain", ""), "%attention");
    check(!output->next);

    output = json_at(cell_at(tree, 2), "outputs")->first;
    check_same(json_text_at(output, "output_type", ""), "error");
    check_same(json_text_at(output, "ename", ""), "UnknownCommand");
    check_int(json_at(output, "traceback")->count, 3);
    check(json_at(json_at(cell_at(tree, 3), "outputs"), "") == NULL);
    check_int(json_at(cell_at(tree, 4), "outputs")->count, 0); /* it never ran */
}

TEST(run_notebook_runs_in_its_folder) {
    lay_out();
    char *bert = realpath(check_fixture(check_arena(), "golden/data/models/bert_mlm"), NULL);
    check(symlink(bert, path_of("near")) == 0);
    free(bert);
    put("a.ipynb",
        "{\"cells\":[{\"cell_type\":\"code\",\"metadata\":{},\"outputs\":[],\"source\":"
        "\"%model load near\"},{\"cell_type\":\"code\",\"metadata\":{},\"outputs\":[],"
        "\"source\":\"%%attention\\none two\"}],\"metadata\":{},\"nbformat\":4,"
        "\"nbformat_minor\":5}");
    check_int(run(path_of("a.ipynb"), NULL, NULL), 0); /* outputs go into the file itself */
    check_text(get("a.ipynb"), "near is loaded");
    check_text(get("a.ipynb"), "\"image/png\": \"iVBOR");
    check_text(get("a.ipynb"), "\"application/vnd.cutaway.heatmap.v1+json\": {");
}

TEST(run_refuses_what_it_cannot_run) {
    lay_out();
    check_int(run("a.txt", NULL, NULL), 2);
    check_text(get("err.txt"), "a notebook ends in .ipynb and a script in .cut, unlike a.txt");
    check_int(run("a.cut", "-o", "x"), 2);
    check_int(run("a.ipynb", "--out", "x"), 2);
    check_int(run("a.cut", "--out", NULL), 2);
    check_int(run("a.cut", "--wat", NULL), 2);
    check_int(run("a.cut", "b.cut", NULL), 2);
    put("old.ipynb", "{\"nbformat\":3,\"worksheets\":[]}");
    check_int(run(path_of("old.ipynb"), NULL, NULL), 1);
    check_text(get("err.txt"), "is no notebook of format 4 (nbformat is 3)");
    put("broken.ipynb", "{\"cells\":[");
    check_int(run(path_of("broken.ipynb"), NULL, NULL), 1);
    check_text(get("err.txt"), "BadFile");
}
