#include "kernel/command/kept_view.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/explain/attention.h"

/* The number that position i of the axis stands for. */
static int64_t number_at(const struct axis *axis, int64_t i) {
    return axis->labels ? strtoll(axis->labels[i], NULL, 10) : i;
}

static int refuse_absent(struct arena *arena, const struct cell_flag *flag,
                         const struct axis *axis, int64_t number, struct err *err) {
    struct buf *has = buf_new(arena);
    for (int64_t i = 0; i < axis->count; i++) {
        buf_printf(has, "%s%lld", i ? ", " : "", (long long)number_at(axis, i));
    }
    const struct cell_word *at = &flag->value_at;
    return cell_refuse(
        err, ERR_OPTION, at,
        "%s %lld is not in this result, which has %s: run its command anew to get it",
        axis->name, (long long)number, has->data);
}

/* Positions on the axis of the numbers that the option asks for. */
static int64_t *positions(struct arena *arena, const struct cell_line *line,
                          const struct axis *axis, int64_t *count, struct err *err) {
    const struct command *command = command_find(line->command.text);
    const struct cell_flag *flag = cell_flag_at(line, axis->name);
    bool all;
    if (!axis->labels) {
        return command_list(arena, command, line, axis->name, axis->count, count, NULL, err);
    }
    int64_t most = number_at(axis, axis->count - 1) + 1, wanted;
    int64_t *numbers = command_list(arena, command, line, axis->name, most, &wanted, &all, err);
    int64_t *list = arena_array(arena, axis->count, sizeof *list);
    *count = 0;
    for (int64_t w = 0, i = 0; numbers && w < wanted; w++) {
        while (i < axis->count && number_at(axis, i) < numbers[w]) {
            i++;
        }
        if (i < axis->count && number_at(axis, i) == numbers[w]) {
            list[(*count)++] = i;
        } else if (!all) {
            refuse_absent(arena, flag, axis, numbers[w], err);
            return NULL;
        }
    }
    return numbers ? list : NULL;
}

bool kept_view_has_heads(const struct result *result) {
    const struct series *series = result->count ? &result->series[0] : NULL;
    return series && series->values->rank == 4 && strcmp(series->axes[0].name, "layer") == 0 &&
           strcmp(series->axes[1].name, "head") == 0;
}

/* What has no heads is shown whole. */
static const struct result *whole_view(const struct cell_line *line,
                                       const struct result *result, struct err *err) {
    static const char *const options[] = { "layer", "head" };
    for (int i = 0; i < 2; i++) {
        const struct cell_flag *flag = cell_flag_at(line, options[i]);
        if (flag) {
            cell_refuse(
                err, ERR_OPTION, &flag->at,
                "--%s chooses among attention heads, and \"%.60s\" has none: leave it away",
                options[i], result->title);
            return NULL;
        }
    }
    return result;
}

const struct result *kept_view(struct session *session, const struct cell_line *line,
                               int64_t words, struct err *err) {
    struct arena *arena = session_arena(session);
    const struct command *command = command_find(line->command.text);
    if (line->word_count != words) {
        const struct cell_word *at =
            line->word_count > words ? &line->words[words] : &line->command;
        cell_refuse(err, ERR_OPTION, at, "%%%s needs %s, as in: %s", command->name,
                    command->words, command->example);
        return NULL;
    }
    const struct result *result = session_result(session, line->words[0].text, err);
    if (!result) {
        command_point(err, &line->words[0]);
        err_pass(err);
        return NULL;
    }
    if (!kept_view_has_heads(result)) {
        return whole_view(line, result, err);
    }
    if (!cell_flag_at(line, "layer") && !cell_flag_at(line, "head") &&
        !cell_flag_at(line, "lang")) {
        return result;
    }
    struct attention_request request = { .language = asked_language(session, line) };
    const struct axis *axes = result->series[0].axes;
    request.layers = positions(arena, line, &axes[0], &request.layer_count, err);
    request.heads =
        request.layers ? positions(arena, line, &axes[1], &request.head_count, err) : NULL;
    return request.heads ? attention_narrow(arena, result, &request) : NULL;
}

struct picture_options kept_view_options(struct session *session,
                                         const struct cell_line *line) {
    struct picture_options options = asked_options(session, asked_language(session, line));
    const struct cell_flag *theme = cell_flag_at(line, "theme");
    const struct cell_flag *colours = cell_flag_at(line, "colours");
    options.theme = theme ? theme->value : options.theme;
    options.colours = colours ? colours->value : options.colours;
    return options;
}
