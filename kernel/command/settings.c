#include "kernel/command/settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/nearest.h"

const struct setting settings[] = {
    { "language", "en zh", "the language of the words around the numbers", "说明文字的语言" },
    { "theme", "light dark", "the ground that pictures are drawn on", "图的底色" },
    { "colours", "cutaway viridis grey", "the colours of heat maps", "热图的配色" },
    { "seed", NULL, "where all that is drawn at random begins", "随机数种子" },
    { "time", "on off", "whether each cell says how long it took", "每个单元格是否显示用时" },
};

const int64_t settings_count = sizeof settings / sizeof *settings;

enum { CHOICES = 8, DIGITS = 18 };

const struct setting *settings_find(const char *name) {
    for (int64_t i = 0; i < settings_count; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

static int refuse_name(const char *name, struct err *err) {
    const char *names[sizeof settings / sizeof *settings + 1] = { 0 };
    char shown[80], all[200] = "";
    for (int64_t i = 0; i < settings_count; i++) {
        const char *between = i == 0 ? "" : i + 1 < settings_count ? ", " : " and ";
        names[i] = settings[i].name;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", between, names[i]);
    }
    const char *near = nearest_name(name, names);
    err_quote(shown, sizeof shown, name, strlen(name));
    return near ? err_set(err, ERR_OPTION, "there is no setting \"%s\": did you mean %s?",
                          shown, near)
                : err_set(err, ERR_OPTION, "there is no setting \"%s\": there are %s", shown,
                          all);
}

static int refuse_choice(const struct setting *setting, char *words[], int count,
                         const char *value, struct err *err) {
    const char *names[CHOICES + 1] = { 0 };
    char shown[80], all[120] = "";
    for (int i = 0; i < count; i++) {
        const char *between = i == 0 ? "" : i + 1 < count ? ", " : " or ";
        names[i] = words[i];
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", between, words[i]);
    }
    const char *near = nearest_name(value, names);
    err_quote(shown, sizeof shown, value, strlen(value));
    return err_set(err, ERR_OPTION, "%s is %s, not \"%s\"%s%s%s", setting->name, all, shown,
                   near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
}

static int check_choice(const struct setting *setting, const char *value, struct err *err) {
    char room[SETTINGS_VALUE], *words[CHOICES], *rest;
    int count = 0;
    snprintf(room, sizeof room, "%s", setting->choices);
    for (char *at = strtok_r(room, " ", &rest); at && count < CHOICES;
         at = strtok_r(NULL, " ", &rest)) {
        words[count++] = at;
        if (strcmp(at, value) == 0) {
            return 0;
        }
    }
    return refuse_choice(setting, words, count, value, err);
}

static int check_number(const struct setting *setting, const char *value,
                        char kept[SETTINGS_VALUE], struct err *err) {
    size_t length = strlen(value);
    char shown[80];
    if (length == 0 || length > DIGITS || strspn(value, "0123456789") != length) {
        return err_set(err, ERR_OPTION, "%s is a whole number of at most %d digits, not \"%s\"",
                       setting->name, DIGITS, err_quote(shown, sizeof shown, value, length));
    }
    snprintf(kept, SETTINGS_VALUE, "%lld", strtoll(value, NULL, 10));
    return 0;
}

int settings_check(const char *name, const char *value, char kept[SETTINGS_VALUE], int *wrong,
                   struct err *err) {
    const struct setting *setting = settings_find(name);
    if (wrong) {
        *wrong = setting != NULL;
    }
    if (!setting) {
        return refuse_name(name, err);
    }
    if (!setting->choices) {
        return check_number(setting, value, kept, err);
    }
    if (check_choice(setting, value, err) < 0) {
        return err_pass(err);
    }
    snprintf(kept, SETTINGS_VALUE, "%s", value);
    return 0;
}
