#ifndef CORE_TEXT_CHAT_H
#define CORE_TEXT_CHAT_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* chat: a conversation as the one text that a chat model was trained on.
 *
 * Models carry a program for that, a Jinja template (chat_template in tokenizer_config.json or
 * chat_template.jinja, tokenizer.chat_template in GGUF). Programs of a file are never run here:
 * a template is recognised by the pieces of text it puts together, and what it does is built
 * in. One that is not recognised is refused. Its default system message, where it has one, is
 * read from it as text.
 *
 * Known: ChatML (Qwen 1.5 to 2.5, SmolLM2, Hermes, Yi), Qwen 3, Phi-4, Llama 2, Llama 3 and 3.1
 * to 3.3, Mistral (7B v0.2, and the formats v1, v3 and v3-tekken), Gemma 1 to 3, Zephyr and
 * TinyLlama, Phi-3 and 3.5, Phi-4-mini, Command R, DeepSeek V2, Granite 3.0, OpenChat. */

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT };

struct chat_message {
    enum chat_role role;
    const char *text; /* terminated */
};

struct chat_options {
    const char *begin, *end; /* spellings of the model's first and last token, "<s>", "</s>" */
    bool prompt;             /* put what comes before the assistant's next words at the end */
    const char *date; /* "26 Jul 2024", for templates that say today's; NULL: the clock's */
};

struct chat_format;

/* What a model brings for talking to it. */
struct chat {
    const struct chat_format *format;
    const char *begin, *end; /* for the options; "": it has none */
};

/* Recognises a template, of at most a megabyte, in linear time; `file` is for messages. NULL
 * with ERR_UNSUPPORTED. */
struct chat_format *chat_find(struct arena *arena, const char *template, size_t length,
                              const char *file, struct err *err);

const char *chat_name(const struct chat_format *format);

/* The text, terminated. ERR_TEXT if the format cannot say it: a system message where there is
 * none, or roles that do not take turns where they must. */
char *chat_text(struct arena *arena, const struct chat_format *format,
                const struct chat_message *messages, int64_t n,
                const struct chat_options *options, struct err *err);

#endif
