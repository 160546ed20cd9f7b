#include "kernel/command/asked.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "kernel/command/kept_view.h"

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ' && text[i] != '\t') {
            return false;
        }
    }
    return true;
}

static struct asked_text *body_lines(struct arena *arena, const struct cell_line *line,
                                     int64_t *count) {
    int64_t most = 1, number = line->body_line;
    for (const char *at = line->body; *at; at++) {
        most += *at == '\n';
    }
    struct asked_text *texts = arena_array(arena, most, sizeof *texts);
    for (const char *at = line->body; *at; number++) {
        size_t n = strcspn(at, "\n");
        if (!is_blank(at, n)) {
            struct cell_word place = { .line = number,
                                       .column = 1,
                                       .length = utf8_count(at, n) };
            texts[(*count)++] = (struct asked_text){ .bytes = at, .length = n, .at = place };
        }
        at += at[n] ? n + 1 : n;
    }
    return texts;
}

/* The text from its first line that is not blank to its last. */
static struct asked_text *whole(struct arena *arena, const char *bytes, size_t length,
                                struct cell_word at, int64_t *count) {
    struct asked_text *text = arena_alloc(arena, sizeof *text);
    const char *newline;
    while (length > 0 && memchr("\r\n", bytes[length - 1], 2)) {
        length--;
    }
    while ((newline = memchr(bytes, '\n', length)) &&
           is_blank(bytes, (size_t)(newline - bytes))) {
        length -= (size_t)(newline + 1 - bytes);
        bytes = newline + 1;
        at.line++;
    }
    *text = (struct asked_text){ .bytes = bytes, .length = length, .at = at };
    *count = !is_blank(bytes, length);
    return text;
}

static struct asked_text *texts_of_body(struct arena *arena, const struct cell_line *line,
                                        int64_t *count, struct err *err) {
    struct cell_word first = { .line = line->body_line, .column = 1, .length = 1 };
    struct asked_text *texts = command_switch(line, "whole")
                                   ? whole(arena, line->body, strlen(line->body), first, count)
                                   : body_lines(arena, line, count);
    if (*count == 0) {
        err_set(
            err, ERR_TEXT,
            "there is no text to look at: write it on the lines below %%%%%s, one text a line",
            line->command.text);
        err_zh(err, "没有可看的文本：请写在 %%%%%s 下面的行里，一行一个文本",
               line->command.text);
        return NULL;
    }
    return texts;
}

/* Refuses what no command can take in one cell. */
static int check_data(const struct cell_flag *flag, const struct dataset_kept *data,
                      int64_t longest, int64_t count, struct err *err) {
    const struct cell_word *at = &flag->value_at;
    if (count > ASKED_TEXTS) {
        return cell_refuse(
            err, ERR_TEXT, at,
            "%s has %lld texts and a command takes at most %d: %%data %s FILE --first "
            "%d takes the first of them",
            data->name, (long long)count, ASKED_TEXTS, data->name, ASKED_TEXTS);
    }
    if (longest > ASKED_BYTES) {
        return cell_refuse(
            err, ERR_TEXT, at,
            "%s has a text of %lld bytes and a command takes at most %d: cut it into "
            "lines",
            data->name, (long long)longest, ASKED_BYTES);
    }
    return 0;
}

static int check_no_body(const struct cell_line *line, struct err *err) {
    if (line->body && line->body[strspn(line->body, " \t\n")]) {
        return err_at(err, ERR_TEXT, line->body_line, 1, 1,
                      "--data %s brings its own texts: take away the text below, or --data",
                      cell_flag_at(line, "data")->value);
    }
    return 0;
}

/* The same text with LF for every CR LF, so that a model does not read how Windows ends lines.
 */
static const char *without_returns(struct arena *arena, const char *bytes, size_t *length) {
    if (!memchr(bytes, '\r', *length)) {
        return bytes;
    }
    char *out = arena_raw(arena, *length);
    size_t n = 0;
    for (size_t i = 0; i < *length; i++) {
        out[n] = bytes[i];
        n += !(bytes[i] == '\r' && i + 1 < *length && bytes[i + 1] == '\n');
    }
    *length = n;
    return out;
}

static struct asked_text *whole_data(struct arena *arena, const struct cell_line *line,
                                     const struct dataset_kept *data, int64_t *count,
                                     struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, "data");
    const struct cell_word *at = &flag->value_at;
    const struct file *file = data->dataset->file;
    if (data->dataset->form != DATASET_TXT || data->most > 0) {
        cell_refuse(err, ERR_OPTION, at,
                    "--whole joins the lines of a .txt file; %s is %s, whose texts stand apart",
                    data->name, data->most > 0 ? "a part of one" : "no such file");
        return NULL;
    }
    if (check_data(flag, data, file->size, 1, err) < 0) {
        return NULL;
    }
    struct dataset_cursor cursor = dataset_begin(data->dataset);
    size_t length = (size_t)file->size - (size_t)(cursor.at - (const char *)file->bytes);
    const char *bytes = without_returns(arena, cursor.at, &length);
    struct asked_text *text = whole(arena, bytes, length, *at, count);
    text->at.line = at->line;
    text->from = arena_copy(arena, data->name);
    return text;
}

struct asked_text *asked_data(struct session *session, const struct cell_line *line,
                              const char *option, int64_t *count, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, option);
    const struct dataset_kept *data = session_data(session, flag->value, err);
    struct arena *arena = session_arena(session);
    *count = 0;
    if (!data) {
        command_point(err, &flag->value_at);
        return NULL;
    }
    const struct dataset *dataset = data->dataset;
    if (check_data(flag, data, dataset->longest, dataset->texts, err) < 0) {
        return NULL;
    }
    struct asked_text *texts = arena_array(arena, dataset->texts, sizeof *texts);
    struct dataset_cursor cursor = dataset_begin(dataset);
    struct dataset_text text;
    int got = 0;
    while (*count < dataset->texts && (got = dataset_next(&cursor, arena, &text, err)) > 0) {
        texts[(*count)++] = (struct asked_text){ .bytes = text.bytes,
                                                 .length = text.length,
                                                 .at = flag->value_at,
                                                 .from = data->name,
                                                 .from_line = text.line };
    }
    return *count > 0 && got >= 0 ? texts : NULL;
}

static struct asked_text *texts_of_data(struct session *session, const struct cell_line *line,
                                        int64_t *count, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, "data");
    if (check_no_body(line, err) < 0) {
        return NULL;
    }
    if (!command_switch(line, "whole")) {
        return asked_data(session, line, "data", count, err);
    }
    const struct dataset_kept *data = session_data(session, flag->value, err);
    if (!data) {
        command_point(err, &flag->value_at);
        return NULL;
    }
    return whole_data(session_arena(session), line, data, count, err);
}

struct asked_text *asked_texts(struct session *session, const struct cell_line *line,
                               int64_t *count, struct err *err) {
    *count = 0;
    return cell_flag_at(line, "data") ? texts_of_data(session, line, count, err)
                                      : texts_of_body(session_arena(session), line, count, err);
}

bool asked_is_sentence(const char *bytes, size_t length) {
    static const char *const marks[] = { " ", "。", "，", "！", "？", "；", "：" };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (memmem(bytes, length, marks[i], strlen(marks[i]))) {
            return true;
        }
    }
    return false;
}

int asked_pictures(const struct cell_line *line, int64_t count, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, "data");
    const struct cell_word *at = flag ? &flag->value_at : &line->command;
    return count <= ASKED_PICTURES
               ? 0
               : cell_refuse(
                     err, ERR_TEXT, at,
                     "%%%%%s draws a picture for each text, and these are %lld: give at most "
                     "%d (%%data NAME FILE --first %d)",
                     line->command.text, (long long)count, ASKED_PICTURES, ASKED_PICTURES);
}

void asked_point(struct err *err, const struct asked_text *text) {
    if (text->from && err->line == 0) {
        const struct err inner = *err;
        long long row = text->from_line;
        err_set(err, inner.kind, row ? "%s, line %lld: %s" : "%s%.0lld: %s", text->from, row,
                inner.text);
        if (inner.zh[0]) {
            err_zh(err, row ? "%s 第 %lld 行：%s" : "%s%.0lld：%s", text->from, row, inner.zh);
        }
    }
    command_point(err, &text->at);
}

struct loaded *asked_models(struct session *session, const struct cell_line *line,
                            int64_t *count, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, "model");
    const char *at = flag ? flag->value : "";
    struct arena *arena = session_arena(session);
    struct loaded *list = arena_array(arena, (int64_t)strlen(at) + 1, sizeof *list);
    *count = 0;
    do {
        size_t n = strcspn(at, ",");
        const struct loaded *one = session_model(session, arena_text(arena, at, n), err);
        if (!one) {
            command_point(err, flag ? &flag->value_at : &line->command);
            err_pass(err);
            return NULL;
        }
        list[(*count)++] = *one;
        at += at[n] ? n + 1 : n;
    } while (*at);
    return list;
}

int asked_check_name(const struct cell_line *line, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, "as");
    const struct cell_word *at = flag ? &flag->value_at : NULL;
    if (flag && (strpbrk(flag->value, " \t,") || flag->value[0] == '-' ||
                 strcmp(flag->value, "_") == 0)) {
        char shown[80];
        return cell_refuse(
            err, ERR_OPTION, at,
            "a result cannot be called \"%s\": a name has no blanks or commas, does not "
            "begin with -, and _ is the last result's",
            err_quote(shown, sizeof shown, flag->value, strlen(flag->value)));
    }
    return 0;
}

int asked_real(const struct cell_line *line, const char *name, double low, double high,
               double otherwise, double *value, struct err *err) {
    const struct cell_flag *flag = cell_flag_at(line, name);
    char *end, shown[60];
    *value = otherwise;
    if (!flag) {
        return 0;
    }
    *value = strtod(flag->value, &end);
    if (end == flag->value || *end || !(*value >= low && *value <= high)) {
        return cell_refuse(err, ERR_OPTION, &flag->value_at,
                           "--%s takes a number from %g to %g, not \"%s\"", name, low, high,
                           err_quote(shown, sizeof shown, flag->value, strlen(flag->value)));
    }
    return 0;
}

uint64_t asked_seed(struct session *session, const struct cell_line *line) {
    const struct cell_flag *flag = cell_flag_at(line, "seed");
    return strtoull(flag ? flag->value : session_setting(session, "seed"), NULL, 10);
}

const char *asked_name(struct arena *arena, const struct cell_line *line, int64_t index,
                       int64_t count, const char *ending) {
    const struct cell_flag *flag = cell_flag_at(line, "as");
    if (!flag) {
        return NULL;
    }
    return count > 1
               ? arena_printf(arena, "%s.%lld%s", flag->value, (long long)index + 1, ending)
               : arena_printf(arena, "%s%s", flag->value, ending);
}

void asked_keep(struct session *session, const struct cell_line *line, int64_t index,
                int64_t count, struct arena **arena, const struct result *result) {
    session_adopt(session, arena, asked_name(session_arena(session), line, index, count, ""),
                  index == count - 1 ? "_" : NULL, result);
}

const char *asked_picture(const struct cell_line *line, const struct result *result,
                          struct err *err) {
    const struct cell_flag *view = cell_flag_at(line, "view");
    const struct cell_word *at = view ? &view->value_at : NULL;
    if (!view) {
        return result->kind;
    }
    if (!kept_view_has_heads(result)) {
        cell_refuse(err, ERR_OPTION, at,
                    "--view %s draws attention heads, and \"%.60s\" has none: leave it away",
                    view->value, result->title);
        return NULL;
    }
    if (strcmp(view->value, "grid") == 0) {
        return "headgrid";
    }
    const struct axis *axes = result->series[0].axes;
    int64_t heads = axes[0].count * axes[1].count;
    if (heads != 1) {
        cell_refuse(
            err, ERR_OPTION, at,
            "--view head shows one head, but %lld are meant here: add --layer and --head with "
            "one number each",
            (long long)heads);
        return NULL;
    }
    return "heatmap";
}

const char *asked_language(struct session *session, const struct cell_line *line) {
    const struct cell_flag *flag = cell_flag_at(line, "lang");
    return flag ? flag->value : session_setting(session, "language");
}

struct picture_options asked_options(struct session *session, const char *language) {
    return (struct picture_options){ .language = language,
                                     .theme = session_setting(session, "theme"),
                                     .colours = session_setting(session, "colours") };
}

static const struct bundle *drawn(struct session *session, const struct result *result,
                                  const char *picture, const char *language, struct err *err) {
    const struct picture_options options = asked_options(session, language);
    return picture_bundle(session_arena(session), picture, result, &options, err);
}

int asked_show(struct session *session, struct reply *reply, const struct result *result,
               const char *picture, const char *language, struct err *err) {
    const struct bundle *bundle = drawn(session, result, picture, language, err);
    if (!bundle) {
        return err_pass(err);
    }
    reply_bundle(reply, bundle, NULL, false);
    return 0;
}

int asked_show_end(struct session *session, struct progress *progress,
                   const struct result *result, const char *language, struct err *err) {
    const struct bundle *bundle = drawn(session, result, NULL, language, err);
    if (!bundle) {
        return err_pass(err);
    }
    progress_end(progress, bundle);
    return 0;
}

int asked_show_copy(struct session *session, const struct cell_line *line, struct reply *reply,
                    const struct result *result, const char *name, bool last, struct err *err) {
    struct arena **own = session_result_arena(session);
    const struct result *copy = result_copy(*own, result);
    if (asked_show(session, reply, copy, NULL, asked_language(session, line), err) < 0) {
        return err_pass(err);
    }
    session_adopt(session, own, name, last ? "_" : NULL, copy);
    return 0;
}
