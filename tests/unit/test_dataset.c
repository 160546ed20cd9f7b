#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/text/dataset.h"
#include "tests/check.h"
#include "tests/looks.h"

static const char *file_with(const char *name, const char *bytes, size_t length) {
    struct err err;
    const char *path = file_join(check_arena(), check_folder(check_arena()), name);
    check_int(file_write(path, bytes, length, &err), 0);
    return path;
}

static const struct dataset *open_text(const char *name, const char *text, const char *column,
                                       struct err *err) {
    *err = (struct err){ 0 };
    return dataset_open(check_arena(), file_with(name, text, strlen(text)), column, 0, err);
}

/* "line:text|line:text|" */
static const char *all_of(const struct dataset *dataset) {
    struct err err = { 0 };
    struct buf *out = buf_new(check_arena());
    struct dataset_text text;
    if (!check(dataset != NULL)) {
        return "";
    }
    struct dataset_cursor cursor = dataset_begin(dataset);
    while (dataset_next(&cursor, check_arena(), &text, &err) > 0) {
        buf_printf(out, "%lld:%.*s|", (long long)text.line, (int)text.length, text.bytes);
    }
    check_same(err.text, "");
    return out->data;
}

TEST(dataset_txt_has_a_text_on_each_line) {
    struct err err;
    const struct dataset *set =
        open_text("a.txt", "\xef\xbb\xbfone line\n\n \t\nzwei\r\n三", NULL, &err);
    check_same(all_of(set), "1:one line|4:zwei|5:三|");
    check_int(set->texts, 3);
    check_int(set->blank, 2);
    check_int(set->bytes, 8 + 4 + 3);
    check_int(set->longest, 8);
    check(!set->column && set->form == DATASET_TXT);
}

/* RFC 4180, section 2: rules 1 to 7. */
TEST(dataset_csv_reads_quotes_and_line_breaks) {
    struct err err;
    const struct dataset *set =
        open_text("b.csv",
                  "id,text,note\r\n1,\"He said \"\"hi\"\", and\r\nleft.\","
                  "x\r\n\r\n2,plain,\"a,b\"\n3, ,z\n4,\"\"\"\",\"\"\n"
                  "5,\"a,\n\n,b\",",
                  NULL, &err);
    check_same(all_of(set), "2:He said \"hi\", and\r\nleft.|5:plain|7:\"|8:a,\n\n,b|");
    check_same(set->column, "text");
    check_int(set->columns, 3);
    check_int(set->blank, 1);
    set = open_text("b.csv", "a b,\"c\"\"d\"\n1,2\n", "c\"d", &err);
    check_same(all_of(set), "2:2|");
    set = open_text("b.csv", "only\nx\n", NULL, &err);
    check_same(all_of(set), "2:x|");
}

TEST(dataset_csv_says_where_it_is_broken) {
    struct err err;
    check(!open_text("f.csv", "a,text\nx,y\n1\n", NULL, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "f.csv, line 3: the record has 1 fields; the first line names 2");
    check(!open_text("g.csv", "text\n\"x\n\ny", NULL, &err));
    check_text(err.text, "line 2: a quote opens a field here that no quote closes");
    check(!open_text("h.csv", "text\n\"a\"b\n", NULL, &err));
    check_text(err.text, "line 2: text follows a closing quote");
    check(!open_text("h.csv", "text\n\"a\"\rb\n", NULL, &err));
    check_text(err.text, "line 2: text follows a closing quote");
    check(!open_text("c.csv", "id,words\n1,x\n", NULL, &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "say which with --column (id, words)");
    check(!open_text("c.csv", "id,words\n1,x\n", "wrods", &err));
    check_text(err.text, "has no column \"wrods\": it has id, words");
    check(!open_text("c.csv", "", NULL, &err));
    check_text(err.text, "c.csv is empty");
}

TEST(dataset_jsonl_takes_strings_and_members) {
    struct err err;
    const struct dataset *set =
        open_text("c.jsonl",
                  "{\"n\": 1, \"text\": \"a \\u732b\\nb\"}\n\n"
                  "{\"text\": null}\n {\"text\":\"z\",\"m\":{\"text\":\"no\"}}",
                  NULL, &err);
    check_same(all_of(set), "1:a 猫\nb|4:z|");
    check_int(set->blank, 1);
    set = open_text("c.ndjson", "\"x\"\n\"\\\"y\\\"\"\n", NULL, &err);
    check_same(all_of(set), "1:x|2:\"y\"|");
    check(!set->column);
    set = open_text("c.jsonl", "{\"t\":null}\n{\"t\":\"q\"}\n", "t", &err);
    check_same(all_of(set), "2:q|");
}

TEST(dataset_jsonl_says_where_it_is_broken) {
    struct err err;
    check(!open_text("c.jsonl", "{\"text\":\"a\"}\n{\"text\":3}\n", NULL, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "c.jsonl, line 2, byte 8: a number where a string is wanted");
    check(!open_text("c.jsonl", "{\"text\":\"a\"}\n{\"no\":\"b\"}\n", NULL, &err));
    check_text(err.text, "line 2: the object has no member \"text\"");
    check(!open_text("c.jsonl", "{\"a\":\"x\",\"b\":\"y\"}\n", NULL, &err));
    check_text(err.text, "say which with --column (a, b)");
    check(!open_text("c.jsonl", "{\"a\":1}\n", NULL, &err));
    check_text(err.text, "no member of the first line's object");
    check(!open_text("c.jsonl", "{\"text\":\"a\"} x\n", NULL, &err));
    check_text(err.text, "c.jsonl, line 1, byte 13");
    check(!open_text("c.jsonl", "[1]\n", NULL, &err));
    check_text(err.text, "c.jsonl, line 1, byte 0: an array");
    check(!open_text("c.jsonl", "\"a\"\n\n{\"text\":\"b\"}\n", NULL, &err));
    check_text(err.text, "c.jsonl, line 3, byte 0: an object");
}

TEST(dataset_refuses_what_is_no_text) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    check(!open_text("e.txt",
                     "ab\xff"
                     "cd",
                     NULL, &err));
    check_int(err.kind, ERR_FORMAT);
    check_text(err.text, "e.txt is no UTF-8 text: byte 2 is 0xff");
    check(!dataset_open(arena, file_with("n.txt", "a\0b", 3), NULL, 0, &err));
    check_text(err.text, "byte 1 is 0x00");
    check(!open_text("e.txt", "a\xe7\x8c", NULL, &err)); /* cut within a character */
    check_text(err.text, "byte 1 is 0xe7");
    check(!open_text("e.txt", " \n\n", NULL, &err));
    check_int(err.kind, ERR_TEXT);
    check_text(err.text, "has no text: its lines are all blank");
    check(!open_text("e.txt", "a\n", "text", &err));
    check_text(err.text, "--column is for .csv and .jsonl files");
    check(!dataset_open(arena, check_folder(arena), NULL, 0, &err));
    check_text(err.text, "is a folder, not a regular file");
    check(!dataset_open(arena, "/dev/zero", NULL, 0, &err));
    check_text(err.text, "a device or pipe");
    const char *fifo = file_join(arena, check_folder(arena), "pipe");
    check_int(mkfifo(fifo, 0600), 0);
    check(!dataset_open(arena, fifo, NULL, 0, &err));
    check_text(err.text, "a device or pipe");
}

/* A bad byte behind the first megabyte, and characters across its border. */
TEST(dataset_finds_the_bad_byte_anywhere) {
    struct err err = { 0 };
    struct arena *arena = check_arena();
    size_t n = (1 << 20) + 200, offset = (1 << 20) + 100;
    char *bytes = arena_alloc(arena, n);
    memset(bytes, 'x', n);
    memcpy(bytes + (1 << 20) - 2, "猫", 3);
    const struct dataset *set =
        dataset_open(arena, file_with("l.txt", bytes, n), NULL, 0, &err);
    check(set && set->longest == (int64_t)n);
    bytes[offset] = (char)0x80;
    check(!dataset_open(arena, file_with("l.txt", bytes, n), NULL, 0, &err));
    check_text(err.text, arena_printf(arena, "byte %zu is 0x80", offset));
}

/* However many texts there are, nothing is held for one of them. */
TEST(dataset_holds_no_more_for_many_texts) {
    struct err err = { 0 };
    struct arena *arena = arena_new();
    struct buf *csv = buf_new(check_arena());
    buf_text(csv, "id,text\n");
    for (int i = 0; i < 100000; i++) {
        buf_printf(csv, "%d,\"say \"\"%d\"\"\"\n", i, i);
    }
    const char *path = file_with("many.csv", csv->data, csv->length);
    int64_t before = arena_held();
    const struct dataset *set = dataset_open(arena, path, NULL, 0, &err);
    check(set && set->texts == 100000);
    check(arena_held() - before < 1 << 20);
    arena_free(arena);
}

TEST(dataset_takes_the_first_texts_alone) {
    struct err err = { 0 };
    const char *path = file_with("a.txt", "a\n\nb\nc\n", 7);
    const struct dataset *set = dataset_open(check_arena(), path, NULL, 2, &err);
    check_same(all_of(set), "1:a|3:b|");
    check_int(set->texts, 2);
}

TEST(dataset_looks_for_an_interrupt_between_blank_lines) {
    enum { LINES = 100000 };
    struct err err;
    char *text = arena_raw(check_arena(), LINES + 2);
    memset(text, '\n', LINES);
    memcpy(text + LINES, "a", 2);
    const struct dataset *set = open_text("a.txt", text, NULL, &err);
    struct dataset_text found;
    if (!check(set != NULL)) {
        return;
    }
    struct dataset_cursor cursor = dataset_begin(set);
    int64_t before = looks_count();
    check_int(dataset_next(&cursor, check_arena(), &found, &err), 1);
    check(found.line == LINES + 1 && looks_count() - before >= LINES);
}
