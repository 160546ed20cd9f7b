#ifndef KERNEL_COMMAND_ASKED_H
#define KERNEL_COMMAND_ASKED_H

#include "core/draw/picture.h"
#include "kernel/command/command.h"
#include "kernel/session/progress.h"
#include "kernel/session/reply.h"
#include "kernel/session/session.h"

/* asked: what most commands are asked alike: which texts, which models, under which name to
 * keep the result, how to draw it. */

/* --model: which loaded models to look at. */
#define ASKED_MODEL                                                                           \
    {                                                                                         \
        .name = "model", .kind = OPTION_NAME, .complete = COMPLETE_HANDLE,                    \
        .help = "a loaded model's name, or several: a,b; without it the one in use",          \
        .help_zh = "已载入模型的名字，可写多个：a,b；不给时用当前模型" \
    }

/* --data: the texts are those of a file; without it the body's lines. */
#define ASKED_DATA                                                                                  \
    {                                                                                               \
        .name = "data", .kind = OPTION_NAME, .complete = COMPLETE_DATA,                             \
        .help = "look at the texts of this data (%data NAME FILE) in place of those below",         \
        .help_zh = "不看下面写的文本，而看这个数据里的文本（%data NAME FILE）" \
    }

/* --whole: the body, or the .txt file of --data, is one text of many lines. */
#define ASKED_WHOLE                                                               \
    {                                                                             \
        .name = "whole", .kind = OPTION_SWITCH,                                   \
        .help = "all lines are one text; without it each line is its own",        \
        .help_zh = "所有行合为一个文本；不给时每行是一个文本" \
    }

/* What one command takes; more is refused with the number seen. */
enum { ASKED_TEXTS = 100000, ASKED_BYTES = 4000000 };

struct asked_text {
    const char *bytes;
    size_t length;
    struct cell_word at; /* its line in the cell, for errors */
    const char *from;    /* the name of its data; NULL: it stands in the cell */
    int64_t from_line;   /* in the data's file; 0: it is the whole of it */
};

/* The texts of --data where that is given, else the body's lines that are not blank. With
 * --whole one text. ERR_TEXT if there is none, if both are given, or they are too many. */
struct asked_text *asked_texts(struct session *session, const struct cell_line *line,
                               int64_t *count, struct err *err);

/* Whether it is more than one word: it has a blank, or a mark that ends a clause in Chinese. */
bool asked_is_sentence(const char *bytes, size_t length);

/* Refuses more texts than a command that draws a picture for each can show and keep. */
enum { ASKED_PICTURES = 64 };
int asked_pictures(const struct cell_line *line, int64_t count, struct err *err);

/* The texts of the data that another option names, such as --among. */
struct asked_text *asked_data(struct session *session, const struct cell_line *line,
                              const char *option, int64_t *count, struct err *err);

/* Lets an error that has no place yet point at the text, and name its place in the data. */
void asked_point(struct err *err, const struct asked_text *text);

/* The models of --model, "a" or "a,b"; the one in use where it is absent. They are copies. */
struct loaded *asked_models(struct session *session, const struct cell_line *line,
                            int64_t *count, struct err *err);

/* --as: under which name to keep the result. */
#define ASKED_AS                                                        \
    {                                                                   \
        .name = "as", .kind = OPTION_NAME, .complete = COMPLETE_RESULT, \
        .help = "keep the result under this name, for %show and %save", \
        .help_zh = "以此名保存结果，供 %show 和 %save 使用" \
    }

/* Refuses a name that --as cannot have. */
int asked_check_name(const struct cell_line *line, struct err *err);

/* The number of --name, low..high; `otherwise` where it is not given. */
int asked_real(const struct cell_line *line, const char *name, double low, double high,
               double otherwise, double *value, struct err *err);

/* The number of --seed, where it is not given that of %seed. */
uint64_t asked_seed(struct session *session, const struct cell_line *line);

/* The name for result number `index` of `count`: that of --as ("name", or "name.1", "name.2"
 * where there are several) and behind it `ending`, such as ".curve" or "". NULL: no --as. */
const char *asked_name(struct arena *arena, const struct cell_line *line, int64_t index,
                       int64_t count, const char *ending);

/* Keeps the result under that name (without ending), and the last as "_". It lies in `arena`,
 * from session_result_arena, which the session takes over or frees: it is gone for the caller.
 */
void asked_keep(struct session *session, const struct cell_line *line, int64_t index,
                int64_t count, struct arena **arena, const struct result *result);

/* The picture that --view means ("grid", "head" or not given) for heads' results. NULL with
 * ERR_OPTION where one head's picture is wanted of several heads. */
const char *asked_picture(const struct cell_line *line, const struct result *result,
                          struct err *err);

/* The language of --lang, else the session's: "en" or "zh". */
const char *asked_language(struct session *session, const struct cell_line *line);

/* --lang, among a command's options. */
#define ASKED_LANG                                                                          \
    {                                                                                       \
        .name = "lang", .kind = OPTION_CHOICE, .choices = "en zh",                          \
        .complete = COMPLETE_CHOICE,                                                        \
        .help =                                                                             \
            "language of the words around the numbers; otherwise the environment's (LANG)", \
        .help_zh = "说明文字所用的语言；不给时按环境变量 LANG"            \
    }

/* How to draw in that language: theme and colours are the session's. */
struct picture_options asked_options(struct session *session, const char *language);

/* Draws and shows in that language. `picture` NULL: the result's own. */
int asked_show(struct session *session, struct reply *reply, const struct result *result,
               const char *picture, const char *language, struct err *err);

/* Its own picture in the place of the progress. */
int asked_show_end(struct session *session, struct progress *progress,
                   const struct result *result, const char *language, struct err *err);

/* Shows a copy of the result and keeps that under `name` (NULL: under none), as "_" if it is
 * the cell's last. */
int asked_show_copy(struct session *session, const struct cell_line *line, struct reply *reply,
                    const struct result *result, const char *name, bool last, struct err *err);

#endif
