#include <string.h>

#include "core/base/catch.h"
#include "core/explain/predict.h"
#include "kernel/command/asked.h"

/* What one line asks, as the method wants it. */
struct job {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct predict_request request;
    const struct asked_text *texts;
    int64_t text_count;
    const struct loaded *models;
    int64_t model_count;
    int64_t shown, results; /* so far, and in all */
    int64_t read;           /* texts, by the model at hand */
};

static int show(struct job *job, struct arena **own, const struct result *result,
                struct err *err) {
    if (asked_show(job->session, job->reply, result, NULL, job->request.language, err) < 0) {
        return err_pass(err);
    }
    asked_keep(job->session, job->line, job->shown++, job->results, own, result);
    return 0;
}

/* An error about --target or --vs points at it, one about the text at the text. */
static void point(const struct job *job, const struct asked_text *text, struct err *err) {
    const struct cell_flag *vs = cell_flag_at(job->line, "vs"),
                           *target = cell_flag_at(job->line, "target");
    if (err->kind == ERR_OPTION && (vs || target)) {
        bool is_vs = vs && (!target || strstr(err->text, vs->value));
        command_point(err, is_vs ? &vs->value_at : &target->value_at);
    } else if (err->kind == ERR_TEXT) {
        asked_point(err, text);
    }
}

static struct prediction *read_one(struct job *job, int64_t model, int64_t text,
                                   const struct prediction *like, struct err *err) {
    const struct loaded *one = &job->models[model];
    const struct asked_text *at = &job->texts[text];
    struct prediction *prediction =
        predict_read(session_arena(job->session), one->model, one->handle, at->bytes,
                     at->length, &job->request, like, err);
    if (!prediction) {
        point(job, at, err);
        err_pass(err);
    }
    return prediction;
}

/* One text by two models that have the same tokens: one picture. */
static int show_pair(struct job *job, struct err *err) {
    struct prediction *first = read_one(job, 0, 0, NULL, err);
    struct prediction *second = first ? read_one(job, 1, 0, first, err) : NULL;
    if (!second) {
        return err_pass(err);
    }
    struct arena **own = session_result_arena(job->session);
    job->results = 1;
    return show(job, own, predict_bars(*own, first, second, &job->request), err);
}

static int read_all(struct job *job, int64_t model, struct prediction **all, struct err *err) {
    while (job->read < job->text_count) {
        all[job->read] = read_one(job, model, job->read, NULL, err);
        if (!all[job->read]) {
            return err_pass(err);
        }
        job->read++;
    }
    return 0;
}

/* An interrupt between two texts leaves those before it. */
static int read_caught(struct job *job, int64_t model, struct prediction **all,
                       struct err *err) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        read_all(job, model, all, err);
    }
    catch_end(&here);
    if (here.err.kind == ERR_NONE) {
        return err->kind == ERR_NONE ? 0 : err_pass(err);
    }
    if (here.err.kind != ERR_STOP || job->read == 0) {
        catch_throw(here.err.kind, "%s", here.err.text);
    }
    stop_settle();
    return err_set(err, ERR_STOP,
                   "interrupted: what had been read by then is shown above and kept");
}

/* Also where a text cannot be read: what was read before it is shown and kept. */
static int show_model(struct job *job, int64_t model, struct err *err) {
    struct prediction **all =
        arena_array(session_arena(job->session), job->text_count, sizeof *all);
    job->read = 0;
    int status = read_caught(job, model, all, err);
    if (job->read > 0) {
        struct arena **own = session_result_arena(job->session);
        struct err late = { 0 };
        stop_hold(); /* all is read: an interrupt is for what comes behind it */
        job->results = status < 0 ? job->shown + 1 : job->results;
        if (show(job, own,
                 job->text_count == 1 ? predict_bars(*own, all[0], NULL, &job->request)
                                      : predict_rows(*own, all, job->read, &job->request),
                 &late) < 0) {
            *err = late;
            status = -1;
        }
        stop_release();
    }
    return status < 0 ? err_pass(err) : 0;
}

static const char *value_of(const struct cell_line *line, const char *name) {
    const struct cell_flag *flag = cell_flag_at(line, name);
    return flag ? flag->value : NULL;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    struct job job = { .session = session, .line = line, .reply = reply };
    job.texts = asked_texts(session, line, &job.text_count, err);
    job.models = job.texts ? asked_models(session, line, &job.model_count, err) : NULL;
    if (!job.models || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    const struct command *command = command_find("predict");
    job.request = (struct predict_request){ .top = command_int(command, line, "top"),
                                            .target = value_of(line, "target"),
                                            .foil = value_of(line, "vs"),
                                            .language = asked_language(session, line) };
    job.results = job.model_count;
    if (job.text_count == 1 && job.model_count == 2 &&
        predict_alike(job.models[0].model, job.models[1].model)) {
        return show_pair(&job, err);
    }
    for (int64_t m = 0; m < job.model_count; m++) {
        if (show_model(&job, m, err) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "top",
      .kind = OPTION_INT,
      .otherwise = "10",
      .low = 1,
      .high = 100,
      .help = "how many of the most probable to show",
      .help_zh = "显示最可能的前几个" },
    { .name = "target",
      .kind = OPTION_TEXT,
      .help = "a token or class to ask about: Paris, ' Paris' with its blank, #262, auto",
      .help_zh = "要问的词元或类别：Paris，带空格的 ' Paris'，#262，auto" },
    { .name = "vs",
      .kind = OPTION_TEXT,
      .help = "another one, to compare the target with (without --target the most probable)",
      .help_zh = "与目标比较的另一个词元或类别（不写 --target 时与最可能的比较）" },
    ASKED_DATA,
    ASKED_MODEL,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_predict = {
    .name = "predict",
    .group = "what does it read and say",
    .words = "",
    .summary = "the next token, the masked token or the class, with probabilities",
    .summary_zh = "下一个词元、被掩盖的词元或类别，及其概率",
    .help = "Runs the model on each line of text and shows what it expects: a language model "
            "the next\n"
            "token, a masked one the token at every [MASK] (<mask>), a classifier the class. "
            "Of a model\n"
            "with encoder and decoder (T5) write source >> what it has written so far. Several "
            "lines become\n"
            "one picture.\n\n"
            "How to read it: a bar is the probability that the model itself gives (softmax "
            "over the whole\n"
            "vocabulary); all of them sum to 1. ␣ is a blank that belongs to the token: ␣Paris "
            "begins a\n"
            "word, Paris goes on one. --target adds a token with its rank and logit; --vs "
            "another one: the\n"
            "difference of their logits is the log odds, ln(p/q), which is 0 where both are as "
            "probable and\n"
            "2.3 where one is ten times more so. With --model a,b the paler bars are b's.\n\n"
            "What it cannot tell: whether the model is right, nor how often it is right when "
            "it says 0.9\n"
            "(Guo and others 2017, arXiv:1706.04599). A word of several tokens has no single "
            "probability\n"
            "here: its first token is asked about, and a note says so.",
    .help_zh =
        "对每一行文本运行模型，显示它的预期：语言模型给出下一个词元，掩码模型给出每个 "
        "[MASK]（<mask>）\n"
        "处的词元，分类器给出类别。带编码器和解码器的模型（T5）写成 源文本 >> "
        "已写出的部分。多行合成一\n"
        "幅图。\n\n"
        "怎样读图：条的长度是模型自己给出的概率（对整个词表的 softmax），全部相加为 1。␣ "
        "是词元自带的空\n"
        "格：␣Paris 是一个词的开头，Paris 接在词的后面。--target 加上一个词元及其位次和 "
        "logit；--vs 再\n"
        "加一个：两者 logit 之差就是对数几率 ln(p/q)，0 表示一样可能，2.3 表示相差十倍。用 "
        "--model a,b\n"
        "时，浅色的条是 b 的。\n\n"
        "它不能说明什么：模型是否答对，也不能说明它说 0.9 的时候有多少次是对的（Guo 等 2017，\n"
        "arXiv:1706.04599）。由几个词元组成的词在这里没有单独的概率：只看第一个词元，并注明。",
    .example = "%%predict --top 5 --target Paris --vs London\nThe capital of France is",
    .needs = "%model load smollm2",
    .body = true,
    .options = options,
    .run = run,
};
