#include "kernel/command/asked.h"

#include <string.h>

#include "core/base/utf8.h"

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ' && text[i] != '\t') {
            return false;
        }
    }
    return true;
}

struct asked_text *asked_texts(struct arena *arena, const struct cell_line *line,
                               int64_t *count, struct err *err) {
    int64_t most = 1, number = line->body_line;
    for (const char *at = line->body; *at; at++) {
        most += *at == '\n';
    }
    struct asked_text *texts = arena_array(arena, most, sizeof *texts);
    *count = 0;
    for (const char *at = line->body; *at; number++) {
        size_t n = strcspn(at, "\n");
        if (!is_blank(at, n)) {
            texts[(*count)++] = (struct asked_text){
                at, n, { .line = number, .column = 1, .length = utf8_count(at, n) }
            };
        }
        at += at[n] ? n + 1 : n;
    }
    if (*count == 0) {
        err_set(
            err, ERR_TEXT,
            "there is no text to look at: write it on the lines below %%%%%s, one text a line",
            line->command.text);
        return NULL;
    }
    return texts;
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
        return err_at(
            err, ERR_OPTION, at->line, at->column, at->length,
            "a result cannot be called \"%s\": a name has no blanks or commas, does not "
            "begin with -, and _ is the last result's",
            err_quote(shown, sizeof shown, flag->value, strlen(flag->value)));
    }
    return 0;
}

void asked_keep(struct session *session, const struct cell_line *line, int64_t index,
                int64_t count, struct arena **arena, const struct result *result) {
    const struct cell_flag *flag = cell_flag_at(line, "as");
    const char *name = flag ? flag->value : NULL;
    if (name && count > 1) {
        name = arena_printf(session_arena(session), "%s.%lld", name, (long long)index + 1);
    }
    session_adopt(session, arena, name, index == count - 1 ? "_" : NULL, result);
}

const char *asked_picture(const struct cell_line *line, const struct result *result,
                          struct err *err) {
    const struct cell_flag *view = cell_flag_at(line, "view");
    const struct axis *axes = result->series[0].axes;
    int64_t heads = axes[0].count * axes[1].count;
    if (!view) {
        return result->kind;
    }
    if (strcmp(view->value, "grid") == 0) {
        return "headgrid";
    }
    if (heads != 1) {
        err_at(
            err, ERR_OPTION, view->value_at.line, view->value_at.column, view->value_at.length,
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

int asked_show(struct session *session, struct reply *reply, const struct result *result,
               const char *picture, const char *language, struct err *err) {
    const struct picture_options options = { .language = language };
    const struct bundle *bundle =
        picture_bundle(session_arena(session), picture, result, &options, err);
    if (!bundle) {
        return err_pass(err);
    }
    reply_bundle(reply, bundle, NULL, false);
    return 0;
}
