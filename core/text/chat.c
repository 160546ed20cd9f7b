#include "core/text/chat.h"

#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"

/* Where a system message goes. */
enum place {
    OWN,        /* a message like the others */
    HEADER,     /* the same, and there is one even without it (Llama 3.1) */
    FIRST_USER, /* `join` around it, in the first user message */
    LAST_USER,  /* the same, in the last message */
    NOWHERE,    /* it is refused */
    DROPPED
};

enum { MARKS = 3 };

/* In these texts \1 stands for the first token, \2 for the last one. */
struct chat_format {
    const char *name;
    const char *marks[MARKS];         /* all of them are in the template */
    const char *but;                  /* this is not */
    const char *before[3], *after[3]; /* what stands around a message, by role */
    const char *prompt;
    enum place place;
    const char *join[2]; /* before and behind a system message in a user's */
    bool turns;          /* user and assistant must take turns, the user first */
    bool trim[3];        /* blanks at both ends go, by role */
    bool first;          /* the first token comes first, if the template names it */
    bool think;          /* Qwen 3 */
    /* found in the template */
    const char *system; /* where there is none */
    bool begins, always, ends, today;
};

#define CHATML_MARK "'<|im_start|>'"

/* Marks are as squeezed() leaves the template. The first that fits counts. */
static const struct chat_format formats[] = {
    { .name = "Phi-4",
      .marks = { "<|im_start|>", "<|im_sep|>" },
      .before = { "<|im_start|>system<|im_sep|>", "<|im_start|>user<|im_sep|>",
                  "<|im_start|>assistant<|im_sep|>" },
      .after = { "<|im_end|>", "<|im_end|>", "<|im_end|>" },
      .prompt = "<|im_start|>assistant<|im_sep|>" },
    { .name = "Qwen 3",
      .marks = { "<|im_start|>", "enable_thinking", "last_query_index" },
      .before = { "<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n" },
      .after = { "<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n" },
      .prompt = "<|im_start|>assistant\n",
      .think = true },
    { .name = "ChatML",
      .marks = { CHATML_MARK "+message", "<|im_end|>" },
      .but = "think",
      .before = { "<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n" },
      .after = { "<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n" },
      .prompt = "<|im_start|>assistant\n" },
    { .name = "Llama 3.1",
      .marks = { "<|start_header_id|>", "<|end_header_id|>", "Cutting Knowledge Date" },
      .before = { "<|start_header_id|>system<|end_header_id|>\n\n",
                  "<|start_header_id|>user<|end_header_id|>\n\n",
                  "<|start_header_id|>assistant<|end_header_id|>\n\n" },
      .after = { "<|eot_id|>", "<|eot_id|>", "<|eot_id|>" },
      .prompt = "<|start_header_id|>assistant<|end_header_id|>\n\n",
      .place = HEADER,
      .trim = { true, true, true },
      .first = true },
    { .name = "Llama 3",
      .marks = { "'<|start_header_id|>'+message['role']+'<|end_header_id|>\\n\\n'",
                 "<|eot_id|>", "|trim" },
      .before = { "<|start_header_id|>system<|end_header_id|>\n\n",
                  "<|start_header_id|>user<|end_header_id|>\n\n",
                  "<|start_header_id|>assistant<|end_header_id|>\n\n" },
      .after = { "<|eot_id|>", "<|eot_id|>", "<|eot_id|>" },
      .prompt = "<|start_header_id|>assistant<|end_header_id|>\n\n",
      .trim = { true, true, true },
      .first = true },
    { .name = "Llama 2",
      .marks = { "'<<SYS>>\\n'+system_message+'\\n<</SYS>>\\n\\n'",
                 "bos_token+'[INST] '+content.strip()+' [/INST]'",
                 "' '+content.strip()+' '+eos_token" },
      .before = { "", "\1[INST] ", " " },
      .after = { "", " [/INST]", " \2" },
      .place = FIRST_USER,
      .join = { "<<SYS>>\n", "\n<</SYS>>\n\n" },
      .turns = true,
      .trim = { false, true, true } },
    { .name = "Mistral v1",
      .marks = { "' [INST] '+message['content']+' [/INST]'", "' '+message['content']+eos_token",
                 "loop.firstandsystem_message" },
      .before = { "", " [INST] ", " " },
      .after = { "", " [/INST]", "\2" },
      .place = FIRST_USER,
      .join = { "", "\n\n" },
      .turns = true,
      .first = true },
    { .name = "Mistral v3",
      .marks = { "'[INST] '+message['content']+'[/INST]'", "' '+message['content']",
                 "loop.lastandsystem_message" },
      .before = { "", "[INST] ", " " },
      .after = { "", "[/INST]", "\2" },
      .place = LAST_USER,
      .join = { "", "\n\n" },
      .turns = true,
      .first = true },
    { .name = "Mistral v3-tekken",
      .marks = { "'[INST]'+message['content']+'[/INST]'", "eos_token",
                 "loop.lastandsystem_message" },
      .but = "' '+message['content']",
      .before = { "", "[INST]", "" },
      .after = { "", "[/INST]", "\2" },
      .place = LAST_USER,
      .join = { "", "\n\n" },
      .turns = true,
      .first = true },
    { .name = "Mistral 7B v0.1",
      .marks = { "'[INST] '+message['content']+' [/INST]'",
                 "message['content']+eos_token+' '" },
      .but = "system",
      .before = { "", "[INST] ", "" },
      .after = { "", " [/INST]", "\2 " },
      .place = NOWHERE,
      .turns = true,
      .first = true },
    { .name = "Mistral 7B v0.2",
      .marks = { "'[INST] '+message['content']+' [/INST]'", "message['content']+eos_token}" },
      .but = "system",
      .before = { "", "[INST] ", "" },
      .after = { "", " [/INST]", "\2" },
      .place = NOWHERE,
      .turns = true,
      .first = true },
    { .name = "Gemma 3",
      .marks = { "<start_of_turn>", "<end_of_turn>", "first_user_prefix" },
      .before = { "", "<start_of_turn>user\n", "<start_of_turn>model\n" },
      .after = { "", "<end_of_turn>\n", "<end_of_turn>\n" },
      .prompt = "<start_of_turn>model\n",
      .place = FIRST_USER,
      .join = { "", "\n\n" },
      .turns = true,
      .trim = { false, true, true },
      .first = true },
    { .name = "Gemma",
      .marks = { "'<start_of_turn>'+role+'\\n'+message['content']|trim+'<end_of_turn>\\n'",
                 "System role not supported" },
      .before = { "", "<start_of_turn>user\n", "<start_of_turn>model\n" },
      .after = { "", "<end_of_turn>\n", "<end_of_turn>\n" },
      .prompt = "<start_of_turn>model\n",
      .place = NOWHERE,
      .turns = true,
      .trim = { false, true, true },
      .first = true },
    { .name = "Zephyr",
      .marks = { "'<|user|>\\n'+message['content']+eos_token",
                 "'<|assistant|>\\n'+message['content']+eos_token",
                 "'<|system|>\\n'+message['content']+eos_token" },
      .before = { "<|system|>\n", "<|user|>\n", "<|assistant|>\n" },
      .after = { "\2\n", "\2\n", "\2\n" },
      .prompt = "<|assistant|>\n" },
    { .name = "Phi-3 of April 2024",
      .marks = { "'<|user|>'+'\\n'+message['content']+'<|end|>'+'\\n'+'<|assistant|>'+'\\n'",
                 "message['content']+'<|end|>'+'\\n'" },
      .but = "'<|system|>",
      .before = { "", "<|user|>\n", "" },
      .after = { "", "<|end|>\n<|assistant|>\n", "<|end|>\n" },
      .place = DROPPED,
      .first = true },
    { .name = "Phi-4-mini",
      .marks = { "'<|'+message['role']+'|>'+message['content']+'<|end|>'" },
      .before = { "<|system|>", "<|user|>", "<|assistant|>" },
      .after = { "<|end|>", "<|end|>", "<|end|>" },
      .prompt = "<|assistant|>",
      .first = true },
    { .name = "Phi-3",
      .marks = { "'<|user|>\\n'+message['content']+'<|end|>\\n'",
                 "'<|assistant|>\\n'+message['content']+'<|end|>\\n'" },
      .before = { "<|system|>\n", "<|user|>\n", "<|assistant|>\n" },
      .after = { "<|end|>\n", "<|end|>\n", "<|end|>\n" },
      .prompt = "<|assistant|>\n",
      .first = true },
    { .name = "Phi-3 small",
      .marks = { "'<|'+message['role']+'|>'+'\\n'+message['content']+'<|end|>\\n'" },
      .but = "messages[-1]",
      .before = { "<|system|>\n", "<|user|>\n", "<|assistant|>\n" },
      .after = { "<|end|>\n", "<|end|>\n", "<|end|>\n" },
      .prompt = "<|assistant|>\n",
      .first = true },
    { .name = "Command R",
      .marks = { "'<|START_OF_TURN_TOKEN|><|USER_TOKEN|>'+content.strip()+'<|END_OF_TURN_TOKEN|"
                 ">'",
                 "'<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>'+content.strip()+"
                 "'<|END_OF_TURN_TOKEN|>'" },
      .but = "eliftrue==true",
      .before = { "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>",
                  "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>",
                  "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>" },
      .after = { "<|END_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>" },
      .prompt = "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
      .turns = true,
      .trim = { false, true, true },
      .first = true },
    { .name = "DeepSeek V2",
      .marks = { "'User: '+message['content']+'\\n\\n'",
                 "'Assistant: '+message['content']+eos_token", "message['content']+'\\n\\n'" },
      .before = { "", "User: ", "Assistant: " },
      .after = { "\n\n", "\n\n", "\2" },
      .prompt = "Assistant:",
      .first = true },
    { .name = "Granite 3.0",
      .marks = { "'<|start_of_role|>system<|end_of_role|>'+message['content']+'<|end_of_text|>"
                 "\\n'",
                 "'<|start_of_role|>user<|end_of_role|>'+message['content']+'<|end_of_text|>"
                 "\\n'" },
      .but = "Knowledge Cutoff",
      .before = { "<|start_of_role|>system<|end_of_role|>",
                  "<|start_of_role|>user<|end_of_role|>",
                  "<|start_of_role|>assistant<|end_of_role|>" },
      .after = { "<|end_of_text|>\n", "<|end_of_text|>\n", "<|end_of_text|>\n" },
      .prompt = "<|start_of_role|>assistant<|end_of_role|>" },
    { .name = "OpenChat",
      .marks = { "'GPT4 Correct '+message['role'].title()+': '+message['content']+"
                 "'<|end_of_turn|>'" },
      .before = { "GPT4 Correct System: ", "GPT4 Correct User: ", "GPT4 Correct Assistant: " },
      .after = { "<|end_of_turn|>", "<|end_of_turn|>", "<|end_of_turn|>" },
      .prompt = "GPT4 Correct Assistant:",
      .first = true },
};

/* ---- recognising ---- */

/* The template without blanks outside its quoted texts; quotes all single; newlines within them
 * as \n. */
static const char *squeezed(struct arena *arena, const char *template, size_t length) {
    struct buf *out = buf_new(arena);
    char quote = '\0';
    for (size_t i = 0; i < length; i++) {
        char c = template[i];
        bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!quote && blank) {
            continue;
        }
        if (c == '\\' && quote && i + 1 < length) {
            buf_add(out, template + i++, 2);
        } else if (c == '\n') {
            buf_text(out, "\\n");
        } else if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? '\0' : c;
            buf_char(out, '\'');
        } else {
            buf_char(out, c);
        }
    }
    return out->data;
}

static bool fits(const struct chat_format *format, const char *template) {
    for (int i = 0; i < MARKS && format->marks[i]; i++) {
        if (!strstr(template, format->marks[i])) {
            return false;
        }
    }
    return !format->but || !strstr(template, format->but);
}

/* The system message that ChatML's templates put in where there is none: what they spell out
 * between "<|im_start|>system\n" and "<|im_end|>". */
static const char *default_system(struct arena *arena, const char *template) {
    static const char open[] = "<|im_start|>system\\n", close[] = "<|im_end|>";
    for (const char *at = strstr(template, open), *next; at; at = next) {
        at += sizeof open - 1;
        next = strstr(at, open);
        const char *end =
            memmem(at, next ? (size_t)(next - at) : strlen(at), close, sizeof close - 1);
        if (end && end > at && *at != '\'' && !memchr(at, '{', (size_t)(end - at))) {
            return arena_text(arena, at, (size_t)(end - at));
        }
    }
    return NULL;
}

struct chat_format *chat_find(struct arena *arena, const char *template, size_t length,
                              const char *file, struct err *err) {
    enum { LONGEST = 1 << 20 };
    if (length > LONGEST) {
        err_set(err, ERR_UNSUPPORTED,
                "%s: its chat template has %zu bytes; at most %d are read", file, length,
                LONGEST);
        return NULL;
    }
    const char *text = squeezed(arena, template, length);
    size_t i = 0, n = sizeof formats / sizeof *formats;
    while (i < n && !fits(&formats[i], text)) {
        i++;
    }
    if (i == n) {
        err_set(err, ERR_UNSUPPORTED,
                "%s: its chat template is none of those that are built in: ChatML (Qwen, "
                "SmolLM2), Qwen 3, Llama 2, Llama 3, Mistral, Gemma, Zephyr, Phi-3, Phi-4, "
                "Command R, DeepSeek V2, Granite 3.0 and OpenChat",
                file);
        return NULL;
    }
    struct chat_format *format = arena_alloc(arena, sizeof *format);
    *format = formats[i];
    format->begins = format->first && strstr(text, "bos_token");
    format->always = !strstr(text, "add_generation_prompt");
    format->ends = strstr(text, "{%else%}{{eos_token}}") != NULL;
    format->today = strstr(text, "strftime_now") != NULL;
    if (strstr(text, "message['content']|trim+eos_token")) {
        format->trim[CHAT_ASSISTANT] = true;
    }
    if (strcmp(format->name, "ChatML") == 0) {
        format->system = default_system(arena, text);
    }
    return format;
}

const char *chat_name(const struct chat_format *format) {
    return format->name;
}

/* ---- writing ---- */

struct writing {
    const struct chat_format *format;
    const struct chat_options *options;
    const struct chat_message *messages;
    int64_t count;
    struct buf *out;
};

static void put(struct writing *w, const char *text) {
    for (; *text; text++) {
        if (*text == '\1' || *text == '\2') {
            buf_text(w->out, *text == '\1' ? w->options->begin : w->options->end);
        } else {
            buf_char(w->out, *text);
        }
    }
}

/* What Python's strip() and Jinja's trim take away. */
static bool is_blank(uint32_t code) {
    return classes_is_blank(code) || (code >= 0x1c && code <= 0x1f);
}

/* Bytes of the blank that a text begins with; 0: it begins with none. */
static size_t blank_before(const char *text, size_t length) {
    uint32_t code;
    int n = length > 0 ? utf8_decode(text, length, &code) : 0;
    return n > 0 && is_blank(code) ? (size_t)n : 0;
}

/* The same at its end. */
static size_t blank_behind(const char *text, size_t length) {
    size_t n = length > 0;
    while (n < length && n < 4 && ((unsigned char)text[length - n] & 0xc0) == 0x80) {
        n++;
    }
    return blank_before(text + length - n, n) == n ? n : 0;
}

static void put_trimmed(struct writing *w, const char *text, bool trim) {
    size_t length = strlen(text), n;
    while (trim && (n = blank_behind(text, length)) > 0) {
        length -= n;
    }
    while (trim && (n = blank_before(text, length)) > 0) {
        text += n;
        length -= n;
    }
    buf_add(w->out, text, length);
}

/* What Llama 3.1 says before every system message. */
static void put_dates(struct writing *w) {
    char date[40] = "26 Jul 2024";
    time_t now = time(NULL);
    struct tm parts;
    if (w->format->today) {
        strftime(date, sizeof date, "%d %b %Y", localtime_r(&now, &parts));
    }
    buf_printf(w->out, "Cutting Knowledge Date: December 2023\nToday Date: %s\n\n",
               w->options->date ? w->options->date : date);
}

/* Qwen 3 keeps what an assistant thought only behind the last question, and there always. */
static void put_thinking(struct writing *w, const char *text, bool behind, bool last) {
    const char *close = NULL, *open = text;
    for (const char *at = text; (at = strstr(at, "</think>")); at++) {
        close = close ? close : at;
        text = at + strlen("</think>");
    }
    size_t thought = 0;
    if (close) {
        for (const char *at = open; (at = strstr(at, "<think>")) && at < close; at++) {
            open = at + strlen("<think>");
        }
        thought = (size_t)(close - open);
        text += strspn(text, "\n");
    }
    while (thought > 0 && *open == '\n') {
        open++;
        thought--;
    }
    while (thought > 0 && open[thought - 1] == '\n') {
        thought--;
    }
    if (behind && (last || thought > 0)) {
        buf_text(w->out, "<think>\n");
        buf_add(w->out, open, thought);
        buf_text(w->out, "\n</think>\n\n");
        text += strspn(text, "\n");
    }
    buf_text(w->out, text);
}

static int64_t last_question(const struct writing *w) {
    int64_t last = w->count - 1;
    while (last >= 0 && w->messages[last].role != CHAT_USER) {
        last--;
    }
    return last < 0 ? w->count - 1 : last;
}

/* A user's message with the system's in it, both trimmed together. */
static void put_joined(struct writing *w, const char *system, const char *text, bool trim) {
    struct buf *all = w->out;
    size_t begin = all->length;
    put(w, w->format->join[0]);
    buf_text(w->out, system);
    put(w, w->format->join[1]);
    if (strcmp(w->format->name, "Gemma 3") == 0) { /* only the user's own words are trimmed */
        put_trimmed(w, text, trim);
        return;
    }
    buf_text(w->out, text);
    size_t n;
    while (trim && (n = blank_behind(all->data + begin, all->length - begin)) > 0) {
        all->length -= n;
    }
    all->data[all->length] = '\0';
}

static void put_message(struct writing *w, int64_t i, const char *system) {
    const struct chat_message *message = &w->messages[i];
    const struct chat_format *format = w->format;
    bool trim = format->trim[message->role];
    put(w, format->before[message->role]);
    if (system) {
        put_joined(w, system, message->text, trim);
    } else if (format->think && message->role == CHAT_ASSISTANT) {
        put_thinking(w, message->text, i > last_question(w), i + 1 == w->count);
    } else {
        put_trimmed(w, message->text, trim);
    }
    put(w, format->after[message->role]);
}

/* A system message that stands by itself. */
static void put_system(struct writing *w, const char *text) {
    put(w, w->format->before[CHAT_SYSTEM]);
    if (w->format->place == HEADER) {
        put_dates(w);
    }
    put_trimmed(w, text, w->format->trim[CHAT_SYSTEM]);
    put(w, w->format->after[CHAT_SYSTEM]);
}

static int check_roles(const struct writing *w, const char *system, struct err *err) {
    const struct chat_format *format = w->format;
    if (system && format->place == NOWHERE) {
        return err_set(err, ERR_TEXT, "the chat format %s has no system message", format->name);
    }
    for (int64_t i = 0; i < w->count && format->turns; i++) {
        if (w->messages[i].role != (i % 2 ? CHAT_ASSISTANT : CHAT_USER)) {
            return err_set(err, ERR_TEXT,
                           "in the chat format %s user and assistant take turns, the user "
                           "first, but message %lld is another's",
                           format->name, (long long)i + 1);
        }
    }
    return 0;
}

static void put_all(struct writing *w, const char *system) {
    const struct chat_format *format = w->format;
    int64_t joined = format->place == FIRST_USER  ? 0
                     : format->place == LAST_USER ? w->count - 1
                                                  : -1;
    if (format->begins) {
        put(w, "\1");
    }
    if (format->place == HEADER || (format->place == OWN && system)) {
        put_system(w, system ? system : "");
    }
    for (int64_t i = 0; i < w->count; i++) {
        bool user = w->messages[i].role == CHAT_USER;
        if (w->messages[i].role != CHAT_SYSTEM || format->place != DROPPED) {
            put_message(w, i, user && i == joined ? system : NULL);
        }
    }
    if (format->prompt && (w->options->prompt || format->always)) {
        put(w, format->prompt);
    } else if (format->ends) {
        put(w, "\2");
    }
}

char *chat_text(struct arena *arena, const struct chat_format *format,
                const struct chat_message *messages, int64_t n,
                const struct chat_options *options, struct err *err) {
    struct writing w = { format, options, messages, n, buf_new(arena) };
    const char *system = n > 0 ? format->system : NULL;
    if (n > 0 && messages[0].role == CHAT_SYSTEM) {
        system = messages[0].text;
        w.messages++;
        w.count--;
    }
    if (check_roles(&w, system, err) < 0) {
        return NULL;
    }
    put_all(&w, system);
    return w.out->data;
}
