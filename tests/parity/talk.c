/* talk NAME CASES.json: of the cases whose text is one user's words in ChatML, renders those
 * words by the model's own chat template and compares the tokens with the case's input_ids; a
 * system message that the template puts in front comes before them. The last line is "N
 * passed, N failed". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "core/model/model.h"

static const char OPEN[] = "<|im_start|>user\n",
                  CLOSE[] = "<|im_end|>\n<|im_start|>assistant\n";

/* The words between OPEN and CLOSE; NULL: the text is something else. */
static const char *words_of(struct arena *arena, const char *text) {
    size_t length = strlen(text), open = sizeof OPEN - 1, close = sizeof CLOSE - 1;
    if (length < open + close || memcmp(text, OPEN, open) != 0 ||
        strcmp(text + length - close, CLOSE) != 0) {
        return NULL;
    }
    return arena_text(arena, text + open, length - open - close);
}

static bool same_ids(const struct encoding *encoding, int64_t from, const struct json *ids) {
    int64_t i = from;
    for (const struct json *id = ids->first; id; id = id->next, i++) {
        if (i >= encoding->count || encoding->tokens[i].id != atoi(id->text.bytes)) {
            return false;
        }
    }
    return i == encoding->count;
}

/* Whether the words become the ids, behind nothing but the system's message. */
static bool holds(struct arena *arena, const struct model *model, const char *words,
                  const struct json *ids) {
    struct err err = { 0 };
    struct chat_message message = { CHAT_USER, words };
    struct chat_options options = { model->chat->begin, model->chat->end, true, NULL };
    const char *text = chat_text(arena, model->chat->format, &message, 1, &options, &err);
    const char *rest = text ? strstr(text, OPEN) : NULL;
    if (!rest || (rest > text && strncmp(text, "<|im_start|>system\n", 19) != 0)) {
        return false;
    }
    struct encoding *before = tokenizer_encode(arena, model->tokenizer, text,
                                               (size_t)(rest - text), NULL, 0, false, &err);
    struct encoding *all =
        tokenizer_encode(arena, model->tokenizer, text, strlen(text), NULL, 0, false, &err);
    return before && all && same_ids(all, before->count, ids);
}

int main(int argc, char **argv) {
    struct arena *arena = arena_new();
    struct err err = { 0 };
    int passed = 0, failed = 0;
    const char *path = argc == 3 ? find_model(arena, argv[1], &err) : NULL;
    const struct model *model = path ? model_open(arena, path, &err) : NULL;
    struct file *file = model ? file_map(arena, argv[2], &err) : NULL;
    const struct json *cases =
        file ? json_parse(arena, file->bytes, (size_t)file->size, argv[2], &err) : NULL;
    if (!cases || !model->chat) {
        printf("%s\n0 passed, 1 failed\n", cases ? model->no_chat : err.text);
        return 1;
    }
    for (const struct json *one = json_at(cases, "cases")->first; one; one = one->next) {
        const char *words = words_of(arena, json_text_at(one, "text", ""));
        bool held = words && holds(arena, model, words, json_at(one, "input_ids"));
        passed += held;
        failed += words && !held;
    }
    printf("%d passed, %d failed\n", passed, failed);
    arena_free(arena);
    return failed > 0 || passed == 0;
}
