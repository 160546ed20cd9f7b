#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/explain/generate.h"
#include "kernel/command/asked.h"

/* ---- the options ---- */

/* Greedy unless something is said about drawing. */
static int read_sampler(const struct cell_line *line, struct sampler *sampler,
                        struct err *err) {
    const struct command *command = command_find("generate");
    bool draws = cell_flag_at(line, "top-k") || cell_flag_at(line, "top-p") ||
                 cell_flag_at(line, "seed");
    sampler->top_k = cell_flag_at(line, "top-k") ? command_int(command, line, "top-k") : 0;
    return asked_real(line, "temperature", 0, 100, draws ? 1 : 0, &sampler->temperature, err) <
                       0 ||
                   asked_real(line, "top-p", 0, 1, 1, &sampler->top_p, err) < 0
               ? err_pass(err)
               : 0;
}

/* The text of --stop: \n is a line's end, \t a tab, \\ a backslash. */
static const char *stop_text(struct arena *arena, const char *typed) {
    static const char letters[] = "nt\\", means[] = "\n\t\\";
    struct buf *text = buf_new(arena);
    for (; *typed; typed++) {
        const char *letter = *typed == '\\' && typed[1] ? strchr(letters, typed[1]) : NULL;
        buf_char(text, letter ? means[letter - letters] : *typed);
        typed += letter != NULL;
    }
    return text->data;
}

static int read_request(struct session *session, const struct cell_line *line,
                        struct generate_request *request, struct err *err) {
    const struct command *command = command_find("generate");
    const struct cell_flag *stop = cell_flag_at(line, "stop");
    *request = (struct generate_request){
        .seed = (int64_t)asked_seed(session, line),
        .most = command_int(command, line, "max"),
        .top = command_int(command, line, "top"),
        .stop = stop && *stop->value ? stop_text(session_arena(session), stop->value) : NULL,
        .turn = command_switch(line, "chat"),
        .language = asked_language(session, line),
    };
    return read_sampler(line, &request->sampler, err);
}

/* ---- the prompt ---- */

/* A line's role, if it begins with one: "user: ..."; *begin is where its text begins. */
static bool role_of(const char *at, enum chat_role *role, size_t *begin) {
    static const char *const names[] = {
        [CHAT_SYSTEM] = "system:", [CHAT_USER] = "user:", [CHAT_ASSISTANT] = "assistant:"
    };
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(at, names[i], n) == 0) {
            *role = (enum chat_role)i;
            *begin = n + strspn(at + n, " \t");
            return true;
        }
    }
    return false;
}

static void end_message(struct arena *arena, struct chat_message *message, struct buf *text) {
    while (text->length > 0 && strchr("\n\r \t", text->data[text->length - 1])) {
        text->length--;
    }
    message->text = arena_text(arena, text->data, text->length);
    buf_clear(text);
}

/* The messages of a text: each begins at a line that begins with a role; without one all is the
 * user's. */
static struct chat_message *messages_of(struct arena *arena, const char *text, int64_t *count) {
    struct chat_message *messages =
        arena_array(arena, (int64_t)strlen(text) + 1, sizeof *messages);
    struct buf *so_far = buf_new(arena);
    *count = 0;
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n"), begin = 0;
        enum chat_role role;
        bool is_new = role_of(at, &role, &begin);
        if (is_new || *count == 0) {
            if (*count > 0) {
                end_message(arena, &messages[*count - 1], so_far);
            }
            messages[(*count)++].role = is_new ? role : CHAT_USER;
        }
        n += at[n] != '\0';
        buf_add(so_far, at + begin, n > begin ? n - begin : 0);
        at += n;
    }
    if (*count > 0) {
        end_message(arena, &messages[*count - 1], so_far);
    }
    return messages;
}

static const char *chat_prompt(struct arena *arena, const struct loaded *one, const char *text,
                               struct err *err) {
    const struct chat *chat = one->model->chat;
    if (!chat) {
        err_set(err, ERR_UNSUPPORTED, "%s",
                one->model->no_chat
                    ? one->model->no_chat
                    : arena_printf(arena,
                                   "%s has no chat template: it was not trained to talk; leave "
                                   "out --chat and write the beginning of a text",
                                   one->handle));
        return NULL;
    }
    int64_t n;
    const struct chat_message *messages = messages_of(arena, text, &n);
    const struct chat_options options = { .begin = chat->begin,
                                          .end = chat->end,
                                          .prompt = true };
    return chat_text(arena, chat->format, messages, n, &options, err);
}

/* The whole body, without the line ends behind it. */
static const char *body_of(struct arena *arena, const struct cell_line *line, struct err *err) {
    size_t n = strlen(line->body);
    while (n > 0 && strchr("\r\n", line->body[n - 1])) {
        n--;
    }
    const char *begin = line->body + strspn(line->body, "\r\n");
    if (begin >= line->body + n) {
        err_set(err, ERR_TEXT,
                "there is no text to go on from: write its beginning below %%%%generate");
        return NULL;
    }
    return arena_text(arena, begin, (size_t)(line->body + n - begin));
}

/* ---- the run ---- */

struct writer {
    struct reply *reply;
    bool open; /* the last line has no end yet */
};

static void write_on(void *arg, const char *bytes, size_t length) {
    struct writer *writer = arg;
    reply_text(writer->reply, bytes, length);
    writer->open = bytes[length - 1] != '\n';
}

static int write_with(struct session *session, const struct cell_line *line,
                      const struct loaded *one, int64_t index, int64_t count,
                      struct reply *reply, struct err *err) {
    struct arena *arena = session_arena(session);
    struct writer writer = { .reply = reply };
    struct generate_request request;
    const char *text = body_of(arena, line, err);
    if (!text || read_request(session, line, &request, err) < 0 ||
        generate_check(one->model, one->handle, err) < 0) {
        return err_pass(err);
    }
    request.write = write_on;
    request.write_arg = &writer;
    const char *prompt = request.turn ? chat_prompt(arena, one, text, err) : text;
    struct reading *reading =
        prompt ? reading_of(arena, one->model, prompt, strlen(prompt), !request.turn, err)
               : NULL;
    if (!reading) {
        return err_pass(err);
    }
    if (count > 1) {
        reply_printf(reply, "%s%s:\n", index ? "\n" : "", one->handle);
    }
    struct arena **own = session_result_arena(session);
    enum generate_end end;
    const struct result *result =
        generate(*own, one->model, one->handle, prompt, reading, &request, &end, err);
    if (writer.open) {
        reply_text(reply, "\n", 1);
    }
    if (!result) {
        return err_pass(err);
    }
    int64_t steps = result->series[0].axes[0].count;
    if (end == GENERATE_HALT) {
        stop_settle(); /* what is there is still drawn and kept; then the cell ends */
    } else {
        stop_hold(); /* all is there: an interrupt is for what comes behind it */
    }
    if (asked_show(session, reply, result, NULL, request.language, err) < 0) {
        stop_release();
        return err_pass(err);
    }
    asked_keep(session, line, index, end == GENERATE_HALT ? index + 1 : count, own, result);
    if (end == GENERATE_HALT) {
        return err_set(err, ERR_STOP, "interrupted after %lld tokens; they are kept",
                       (long long)steps);
    }
    stop_release();
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t count;
    const struct loaded *models = asked_models(session, line, &count, err);
    if (!models || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    for (int64_t i = 0; i < count; i++) {
        if (write_with(session, line, &models[i], i, count, reply, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "max",
      .kind = OPTION_INT,
      .otherwise = "50",
      .low = 1,
      .high = 100000,
      .help = "how many tokens to write at most",
      .help_zh = "最多写多少个词元" },
    { .name = "temperature",
      .kind = OPTION_TEXT,
      .otherwise = "0",
      .help = "0 takes the most probable token; 1 draws as the model says; more is wilder "
              "(1 where --top-k, --top-p or --seed is given)",
      .help_zh = "0 总取最可能的词元；1 按模型的概率抽取；越大越随意"
                 "（给了 --top-k、--top-p 或 --seed 时为 1）" },
    { .name = "top-k",
      .kind = OPTION_INT,
      .low = 1,
      .high = 1000000,
      .help = "draw among so many of the most probable only",
      .help_zh = "只在最可能的这么多个词元里抽取" },
    { .name = "top-p",
      .kind = OPTION_TEXT,
      .otherwise = "1",
      .help = "draw among the fewest that have this much probability together (0..1)",
      .help_zh = "只在概率之和达到此数（0..1）的最少几个词元里抽取" },
    { .name = "seed",
      .kind = OPTION_INT,
      .low = 0,
      .high = 999999999999999999,
      .help = "where drawing starts; otherwise %seed's number",
      .help_zh = "随机数种子；不给时用 %seed 的数" },
    { .name = "stop",
      .kind = OPTION_TEXT,
      .help = "end before this text comes; \\n is the end of a line",
      .help_zh = "遇到这段文本之前停止；\\n 表示换行" },
    { .name = "chat",
      .kind = OPTION_SWITCH,
      .help = "the text is a message to a chat model; lines may begin with system:, user:, "
              "assistant:",
      .help_zh = "文本是给聊天模型的消息；行首可写 system:、user:、assistant:" },
    { .name = "top",
      .kind = OPTION_INT,
      .otherwise = "10",
      .low = 1,
      .high = 100,
      .help = "how many alternatives to tell at each step",
      .help_zh = "每一步列出几个可能的词元" },
    ASKED_MODEL,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_generate = {
    .name = "generate",
    .group = "what does it read and say",
    .words = "",
    .summary = "lets the model write on, and shows what else it might have written",
    .summary_zh = "让模型接着写，并显示它本可以写什么",
    .help = "The text below, all lines of it, is the beginning; the model writes on, token by "
            "token, and\n"
            "its text appears as it is written. Then a picture shows each step: the token "
            "taken, and those\n"
            "that the model found most probable. Interrupting keeps what is there.\n\n"
            "Without options the most probable token is taken every time (greedy): the same "
            "text every\n"
            "time, but small models soon repeat themselves. --temperature, --top-k and --top-p "
            "draw at\n"
            "random, in that order; the same --seed gives the same text on any machine of the "
            "kind and any\n"
            "number of threads. --chat puts the text into the form that a chat model was "
            "trained on; a\n"
            "first line system: ... sets its role, and lines that begin with user: and "
            "assistant: are\n"
            "earlier messages. Of a model with encoder and decoder (T5) the text is its "
            "source, and what\n"
            "stands behind >> the beginning of its answer.\n\n"
            "How to read it: a step with one high probability leaves no choice; where several "
            "are alike,\n"
            "another seed goes another way. The probabilities are the model's own, before "
            "temperature,\n"
            "top-k and top-p. 猫₁ 猫₂ are the first and the second token of one character.\n\n"
            "What it cannot tell: whether what is written is true. A model gives high "
            "probability to what\n"
            "is usual, and greedy text is not the most probable text as a whole (Holtzman and "
            "others 2020,\n"
            "arXiv:1904.09751).",
    .help_zh = "下面的文本（所有行）是开头；模型一个词元一个词元地接着写，边写边显示。然后用一"
               "幅图显示每一步：\n"
               "写下的词元，以及模型认为最可能的词元。中断时保留已写的部分。\n\n"
               "不加选项时每次取最可能的词元（贪心）：每次结果相同，但小模型很快会重复。--"
               "temperature、--top-k、\n"
               "--top-p 依次限定随机抽取；同样的 --seed 在任何线程数下给出同样的文本。--chat "
               "把文本放进聊天模\n"
               "型训练时的格式；第一行写 system: …… 设定角色，以 user: 和 assistant: "
               "开头的行是先前的消息。带\n"
               "编码器和解码器的模型（T5）以文本为源，>> 后面是答案的开头。\n\n"
               "怎样读图：某一步只有一个高概率，就没有选择；几个差不多时，换一个种子就会走另一"
               "条路。概率是模型\n"
               "自己的，未经 temperature、top-k、top-p 改变。猫₁ 猫₂ "
               "是同一个字的第一和第二个词元。\n\n"
               "它不能说明什么：写出的内容是否属实。模型给常见的说法以高概率；贪心写出的文本整"
               "体上也不是最可能\n"
               "的文本（Holtzman 等 2020，arXiv:1904.09751）。",
    .example = "%%generate --max 12 --temperature 0.8 --seed 7\nThe capital of France is",
    .needs = "%model load smollm2",
    .body = true,
    .options = options,
    .run = run,
};
