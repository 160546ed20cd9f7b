#include "core/explain/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"

#define OPEN_BOX     "\xE2\x90\xA3" /* U+2423, as labels show a blank */
#define OPEN_BOX_END (sizeof OPEN_BOX - 1)

static bool classifies(const struct model *model) {
    return strcmp(model->task, "classification") == 0;
}

static int64_t size_of(const struct model *model) {
    return classifies(model) ? model->config->labels : model->config->vocab;
}

static void add(struct target *target, int32_t id) {
    for (int64_t i = 0; i < target->count; i++) {
        if (target->ids[i] == id) {
            return;
        }
    }
    if (target->count < TARGET_MOST) {
        target->ids[target->count++] = id;
    }
}

static int by_number(const struct model *model, const char *typed, struct target *target,
                     struct err *err) {
    char *end, shown[60];
    errno = 0;
    long long number = strtoll(typed + 1, &end, 10);
    if (end == typed + 1 || *end || errno || number < 0 || number >= size_of(model)) {
        err_quote(shown, sizeof shown, typed, strlen(typed));
        err_set(err, ERR_OPTION, "\"%s\" is no number of a %s: #0 to #%lld are", shown,
                classifies(model) ? "class" : "token", (long long)size_of(model) - 1);
        return err_zh(err, "“%s”不是%s的编号：有 #0 到 #%lld", shown,
                      classifies(model) ? "类别" : "词元", (long long)size_of(model) - 1);
    }
    add(target, (int32_t)number);
    return 0;
}

static const char *class_names(struct arena *arena, const struct model *model) {
    enum { NAMED = 12 };
    struct buf *names = buf_new(arena);
    int64_t n = model->config->labels;
    for (int64_t i = 0; i < n && i < NAMED; i++) {
        char shown[44];
        const char *name = target_label(arena, model, i);
        buf_printf(names, "%s%s", i ? ", " : "",
                   err_quote(shown, sizeof shown, name, strlen(name)));
    }
    return n > NAMED ? arena_printf(arena, "%s and others", names->data) : names->data;
}

static int by_class(struct arena *arena, const struct model *model, const char *typed,
                    struct target *target, struct err *err) {
    char shown[60];
    for (int64_t i = 0; i < model->config->labels; i++) {
        if (strcasecmp(target_label(arena, model, i), typed) == 0) {
            add(target, (int32_t)i);
            return 0;
        }
    }
    const char *names = class_names(arena, model);
    err_quote(shown, sizeof shown, typed, strlen(typed));
    err_set(err, ERR_OPTION, "there is no class \"%s\"; the classes are %s", shown, names);
    return err_zh(err, "没有“%s”这个类别；类别有 %s", shown, names);
}

/* The word as it was typed, its "␣" made blanks. */
static const char *with_blanks(struct arena *arena, const char *typed) {
    struct buf *text = buf_new(arena);
    while (*typed) {
        bool box = strncmp(typed, OPEN_BOX, OPEN_BOX_END) == 0;
        buf_char(text, box ? ' ' : *typed);
        typed += box ? OPEN_BOX_END : 1;
    }
    return text->data;
}

/* Adds the token that the text is; of several the first if `part`. Returns how many it takes.
 */
static int64_t by_text(struct arena *arena, const struct model *model, const char *text,
                       bool part, struct target *target) {
    struct encoding *encoding =
        tokenizer_encode(arena, model->tokenizer, text, strlen(text), NULL, 0, false, NULL);
    int64_t n = encoding ? encoding->count : 0;
    if (n > 0 && (n == 1 || part)) {
        int32_t id = encoding->tokens[0].id;
        const char *label = tokenizer_label(arena, model->tokenizer, id);
        if (n == 1 || strcmp(label, OPEN_BOX) != 0) { /* a blank alone is not the word's own */
            add(target, id);
        }
    }
    return n;
}

/* The places of unknown tokens say nothing about the word. */
static bool is_unknown(const struct model *model, int32_t id) {
    static const char *const unknown[] = { "[UNK]", "<unk>" };
    for (int i = 0; i < 2; i++) {
        if (tokenizer_id(model->tokenizer, unknown[i]) == id) {
            return true;
        }
    }
    return false;
}

static int by_word(struct arena *arena, const struct model *model, const char *typed,
                   struct target *target, struct err *err) {
    const char *text = with_blanks(arena, typed);
    const char *spaced = *text == ' ' ? text : arena_printf(arena, " %s", text);
    bool bare = spaced != text;
    int32_t spelled = bare ? tokenizer_id(model->tokenizer, typed) : -1;
    int64_t pieces = by_text(arena, model, spaced, false, target);
    if (bare) {
        int64_t alone = by_text(arena, model, text, false, target);
        pieces = alone < pieces ? alone : pieces;
    }
    if (spelled >= 0) {
        add(target, spelled);
    }
    if (target->count == 0) {
        target->pieces = pieces;
        by_text(arena, model, spaced, true, target);
        if (bare) {
            by_text(arena, model, text, true, target);
        }
    }
    if (target->count == 0 || is_unknown(model, target->ids[0])) {
        char shown[60];
        err_quote(shown, sizeof shown, typed, strlen(typed));
        err_set(err, ERR_OPTION,
                "\"%s\" is no token of this vocabulary: write a word that it has, or #NUMBER "
                "(%%%%tokens shows them)",
                shown);
        return err_zh(
            err, "“%s”不是这个词表里的词元：请写词表里有的词，或 #编号（%%%%tokens 会显示）",
            shown);
    }
    return 0;
}

int target_find(struct arena *arena, const struct model *model, const char *typed,
                struct target *target, struct err *err) {
    *target = (struct target){ .pieces = 1, .typed = typed };
    if (strcmp(typed, "auto") == 0) {
        return 0;
    }
    if (*typed == '\0') {
        return err_set(err, ERR_OPTION, "the target is empty: auto, a %s or #NUMBER is wanted",
                       classifies(model) ? "class" : "token");
    }
    if (*typed == '#' && typed[1] >= '0' && typed[1] <= '9') {
        return by_number(model, typed, target, err);
    }
    if (classifies(model)) {
        return by_class(arena, model, typed, target, err);
    }
    if (model_reads_text(model, err) < 0) {
        return -1;
    }
    return by_word(arena, model, typed, target, err);
}

int64_t target_choose(const struct target *target, const float *logits, int64_t n) {
    int64_t best = target->count > 0 ? target->ids[0] : 0;
    int64_t most = target->count > 0 ? target->count : n;
    for (int64_t i = 1; i < most; i++) {
        int64_t id = target->count > 0 ? target->ids[i] : i;
        best = logits[id] > logits[best] ? id : best;
    }
    return best;
}

const char *target_label(struct arena *arena, const struct model *model, int64_t id) {
    if (classifies(model)) {
        return model->config->label_names ? model->config->label_names[id]
                                          : arena_printf(arena, "LABEL_%lld", (long long)id);
    }
    return model->tokenizer ? tokenizer_label(arena, model->tokenizer, (int32_t)id)
                            : arena_printf(arena, "#%lld", (long long)id);
}

const char *target_note(struct arena *arena, const struct model *model,
                        const struct target *target, int64_t id, bool zh) {
    char shown[60];
    if (target->count == 0 || (target->pieces == 1 && target->count == 1)) {
        return "";
    }
    const char *typed = err_quote(shown, sizeof shown, target->typed, strlen(target->typed));
    const char *label = target_label(arena, model, id);
    if (target->pieces > 1) {
        return arena_printf(arena,
                            zh ? "“%s”由 %lld 个词元组成；这里只看第一个：%s（#%lld）。"
                               : "“%s” is %lld tokens; the first, %s (#%lld), is meant.",
                            typed, (long long)target->pieces, label, (long long)id);
    }
    return arena_printf(arena,
                        zh ? "“%s”可以是带空格或不带空格的词元；取概率较大的 %s（#%lld）。"
                           : "“%s” may be a token with or without a blank; the more probable, "
                             "%s (#%lld), is meant.",
                        typed, label, (long long)id);
}
