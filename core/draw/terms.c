#include "core/draw/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct entry {
    const char *word, *en, *zh;
};

static const struct entry words[] = {
    { "layer", "layer", "层" },         { "head", "head", "头" },
    { "query", "query", "查询" },       { "key", "key", "键" },
    { "token", "token", "词元" },       { "word", "word", "词" },
    { "place", "place", "位置" },       { "probability", "probability", "概率" },
    { "value", "value", "数值" },       { "values", "values", "数值" },
    { "largest", "largest", "最大值" },
};

static const struct entry axes[] = {
    { "query", "query (looks from)", "查询（从这里看）" },
    { "key", "key (looked at)", "键（被看）" },
};

static const char *find(const struct entry *entries, size_t count, const char *language,
                        const char *word) {
    bool zh = language && strncmp(language, "zh", 2) == 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].word, word) == 0) {
            return zh ? entries[i].zh : entries[i].en;
        }
    }
    return NULL;
}

const char *term(const char *language, const char *word) {
    const char *found = find(words, sizeof words / sizeof *words, language, word);
    return found ? found : word;
}

const char *term_axis(const char *language, const char *name) {
    const char *found = find(axes, sizeof axes / sizeof *axes, language, name);
    return found ? found : term(language, name);
}
