#ifndef CORE_MODEL_TEMPLATE_H
#define CORE_MODEL_TEMPLATE_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/text/chat.h"

/* template: the chat template that lies with a model.
 *
 * In GGUF it is tokenizer.chat_template. In folders it is chat_template.jinja, else
 * chat_template in tokenizer_config.json: a text, or a list of {"name", "template"}, of which
 * the one called "default" counts. It is recognised (core/text/chat.h), never run. */

struct gguf;
struct tokenizer;

/* `gguf`: a file's metadata; NULL: the files in the folder `path`, or beside the file `path`.
 * `tokenizer` (may be NULL) spells GGUF's first and last token. NULL without an error if there
 * is no template; NULL with one if it is not known, or what holds it cannot be read. */
struct chat *template_read(struct arena *arena, const struct gguf *gguf, const char *path,
                           const struct tokenizer *tokenizer, struct err *err);

#endif
