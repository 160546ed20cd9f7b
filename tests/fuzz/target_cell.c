/* A cell's text: cut, checked, completed and explained. */
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "kernel/cell/cell.h"
#include "kernel/command/command.h"
#include "kernel/front/complete.h"
#include "kernel/front/inspect.h"
#include "tests/fuzz/targets.h"

static const char names[] = "model\tminilm\nhandle\ta b\nresult\tr'1\nsite\tblocks.0\n";

/* ---- what was cut, written again ---- */

/* Every character behind a \, so that none means anything. */
static void write_escaped(struct buf *out, const char *text) {
    for (; *text; text++) {
        if ((*text & 0xc0) != 0x80) { /* not inside a character */
            buf_char(out, '\\');
        }
        buf_char(out, *text);
    }
}

static void write_word(struct buf *out, const char *text) {
    buf_text(out, *text ? " " : " ''");
    write_escaped(out, text);
}

static void write_flag(struct buf *out, const struct cell_flag *flag) {
    buf_text(out, *flag->name ? " --" : " --''");
    write_escaped(out, flag->name);
    if (flag->value) {
        buf_char(out, '=');
        write_escaped(out, flag->value);
    }
}

static void write_line(struct buf *out, const struct cell_line *line) {
    buf_text(out, line->whole ? "%%" : "%");
    buf_text(out, line->command.text);
    buf_text(out, line->asks ? "?" : "");
    for (int64_t i = 0; i < line->flag_count; i++) {
        write_flag(out, &line->flags[i]);
    }
    buf_text(out, line->word_count ? " --" : "");
    for (int64_t i = 0; i < line->word_count; i++) {
        write_word(out, line->words[i].text);
    }
    buf_char(out, '\n');
    buf_text(out, line->body ? line->body : "");
}

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void must_match(const struct cell_line *a, const struct cell_line *b) {
    must(a->whole == b->whole && a->asks == b->asks && same(a->body, b->body));
    must(same(a->command.text, b->command.text));
    must(a->word_count == b->word_count && a->flag_count == b->flag_count);
    for (int64_t i = 0; i < a->word_count; i++) {
        must(same(a->words[i].text, b->words[i].text));
    }
    for (int64_t i = 0; i < a->flag_count; i++) {
        must(same(a->flags[i].name, b->flags[i].name));
        must(same(a->flags[i].value, b->flags[i].value));
        must(i > 0 || cell_flag_at(a, a->flags[i].name) == &a->flags[i]);
    }
}

static void check_written(struct arena *arena, const struct cell *cell,
                          cell_takes_value *takes_value) {
    struct buf *out = buf_new(arena);
    struct err err = { 0 };
    for (int64_t i = 0; i < cell->count; i++) {
        write_line(out, &cell->lines[i]);
    }
    const struct cell *again = cell_parse(arena, out->data, out->length, takes_value, &err);
    must(again && again->count == cell->count);
    for (int64_t i = 0; i < cell->count; i++) {
        must_match(&cell->lines[i], &again->lines[i]);
    }
}

/* ---- places ---- */

static void must_lie_in(const struct cell_line *line, int64_t width,
                        const struct cell_word *word) {
    must(word->line == line->command.line);
    must(word->column >= 1 && word->length >= 0 && word->column - 1 + word->length <= width);
}

static void check_places(const struct cell *cell) {
    for (int64_t i = 0; i < cell->count; i++) {
        const struct cell_line *line = &cell->lines[i];
        int64_t width = utf8_count(line->source, strlen(line->source));
        must(line->command.line >= (i ? cell->lines[i - 1].command.line + 1 : 1));
        must_lie_in(line, width, &line->command);
        for (int64_t k = 0; k < line->word_count; k++) {
            must_lie_in(line, width, &line->words[k]);
        }
        for (int64_t k = 0; k < line->flag_count; k++) {
            must_lie_in(line, width, &line->flags[k].at);
            if (line->flags[k].value) {
                must_lie_in(line, width, &line->flags[k].value_at);
            }
        }
    }
}

static void check_cell(struct arena *arena, const char *text, size_t length,
                       cell_takes_value *takes_value) {
    struct err err = { 0 };
    const struct cell *cell = cell_parse(arena, text, length, takes_value, &err);
    const char *complete = cell_completeness(text, length);
    must(takes_value || !cell == same(complete, "invalid"));
    if (!cell) {
        must(err.kind == ERR_CELL && err.text[0] && err.line >= 1 && err.column >= 1);
        return;
    }
    check_places(cell);
    check_written(arena, cell, takes_value);
    for (int64_t i = 0; i < cell->count; i++) {
        struct err refusal = { 0 };
        must(command_check(&cell->lines[i], &refusal) == 0 || refusal.text[0]);
        must(refusal.line == 0 || refusal.line >= cell->lines[i].command.line);
    }
}

/* ---- at a cursor ---- */

static void check_cursor(struct arena *arena, const char *text, size_t length, size_t cursor) {
    const struct completion *found = complete_at(arena, text, length, cursor, names);
    must(found->start <= found->end && found->end <= length);
    must(found->end == (cursor < length ? cursor : length));
    for (int64_t i = 0; i < found->count; i++) {
        must(found->matches[i] && found->types[i]);
        must(i == 0 || strcmp(found->matches[i - 1], found->matches[i]) < 0);
    }
    for (int i = 0; i < 2; i++) {
        const struct inspection *help =
            inspect_at(arena, text, length, cursor, i ? "zh" : "en");
        must(!help || (help->text[0] && help->markdown[0]));
    }
}

void target_cell(const uint8_t *bytes, size_t length) {
    struct arena *arena = arena_new();
    const char *text = targets_copy(arena, bytes, length);
    uint64_t number = targets_number(bytes, length);
    check_cell(arena, text, length, NULL);
    check_cell(arena, text, length, command_takes_value);
    if (utf8_bad(text, length) == length) { /* as all text of a message is */
        const char *code = arena_text(arena, text, length);
        check_cursor(arena, code, length, length);
        check_cursor(arena, code, length, (size_t)(number % (length + 2)));
    }
    arena_free(arena);
}
