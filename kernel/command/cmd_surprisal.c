#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/now.h"
#include "core/explain/surprised.h"
#include "kernel/command/asked.h"

/* As many texts are shown coloured; of more there is the table alone. */
enum { COLOURED = 8 };

struct call {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct err *err;
    struct arena *arena;
    const char *language;
    bool zh;
    struct surprisal_request request;
    enum surprised_unit unit;
    bool text, curve; /* which pictures */
    struct progress *progress;
    bool stopped; /* the user interrupted: what there is is shown, and the cell ends */
};

static void read_request(struct call *call, int64_t texts) {
    const struct command *command = command_find("surprisal");
    const struct cell_line *line = call->line;
    const char *unit = command_text(command, line, "unit");
    const struct cell_flag *view = cell_flag_at(line, "view");
    call->unit = strcmp(unit, "line") == 0   ? SURPRISED_LINE
                 : strcmp(unit, "word") == 0 ? SURPRISED_WORD
                                             : SURPRISED_TOKEN;
    call->request.window = command_int(command, line, "window");
    call->request.stride = command_int(command, line, "stride");
    call->request.bos = command_switch(line, "bos");
    call->text = !view || strcmp(view->value, "curve") != 0;
    call->curve = view ? strcmp(view->value, "text") != 0 : texts == 1;
}

static void on_progress(void *arg, int64_t done, int64_t of) {
    struct call *call = arg;
    if (!call->progress) {
        call->progress =
            progress_new(call->reply, call->zh ? "已读词元" : "tokens read", of, call->zh);
    }
    progress_at(call->progress, done);
}

/* Draws, in the place of the progress where that was shown last. */
static int show(struct call *call, const struct result *result) {
    struct progress *progress = call->progress;
    call->progress = NULL;
    return progress ? asked_show_end(call->session, progress, result, call->language, call->err)
                    : asked_show(call->session, call->reply, result, NULL, call->language,
                                 call->err);
}

/* Keeps a result beside the main one: "name.curve". */
static void keep_beside(struct call *call, const char *ending, const struct result *result) {
    session_keep(call->session, asked_name(call->arena, call->line, 0, 1, ending), result);
}

static struct surprisal *read_text(struct call *call, struct arena *arena,
                                   const struct loaded *one, const struct asked_text *text) {
    struct surprisal *of =
        surprisal(arena, one->model, text->bytes, text->length, &call->request, call->err);
    if (!of) {
        bool option = call->err->kind == ERR_OPTION;
        const struct cell_flag *flag = cell_flag_at(
            call->line, call->request.bos && strstr(call->err->text, "--bos") ? "bos"
                        : call->request.stride                                ? "stride"
                                                                              : "window");
        if (option && flag) {
            command_point(call->err, &flag->at);
        }
        asked_point(call->err, text);
        err_pass(call->err);
        return NULL;
    }
    call->stopped = call->stopped || of->known < of->encoding->count;
    return of;
}

/* ---- one text ---- */

/* The coloured text and the curve of one model, kept as result `index` of `count`. */
static int show_one(struct call *call, const struct loaded *one, const struct surprisal *of,
                    int64_t index, int64_t count, double seconds) {
    const struct surprised_view view = { .unit = call->unit,
                                         .handle = one->handle,
                                         .language = call->language,
                                         .seconds = seconds };
    struct arena **own = session_result_arena(call->session);
    const struct result *result = surprised(*own, one->model, of, &view);
    bool alone = call->curve && count == 1 && result->series[0].axes[0].count > 1;
    if (call->text && show(call, result) < 0) {
        return -1;
    }
    if (alone) {
        const struct result *curve = surprised_curve(call->arena, result, call->language);
        if (show(call, curve) < 0) {
            return -1;
        }
        keep_beside(call, ".curve", curve);
    }
    asked_keep(call->session, call->line, index, count, own, result);
    return 0;
}

static int show_comparison(struct call *call, const struct surprised_reader *by,
                           int64_t readers) {
    if (call->text && readers == 2) {
        const struct result *difference = surprised_difference(call->arena, by, call->language);
        if (show(call, difference) < 0) {
            return -1;
        }
        keep_beside(call, ".difference", difference);
    }
    if (!call->curve) {
        return 0;
    }
    const struct result *curve =
        surprised_side_by_side(call->arena, by, readers, call->language);
    if (show(call, curve) < 0) {
        return -1;
    }
    keep_beside(call, ".curve", curve);
    return 0;
}

static int one_text(struct call *call, const struct asked_text *text,
                    const struct loaded *models, int64_t count) {
    struct surprised_reader *by = arena_array(call->arena, count, sizeof *by);
    int64_t readers = 0;
    for (int64_t m = 0; m < count && !call->stopped; m++) {
        double began = now_seconds();
        const struct surprisal *of = read_text(call, call->arena, &models[m], text);
        if (!of || show_one(call, &models[m], of, m, count, now_seconds() - began) < 0) {
            return -1;
        }
        by[readers++] = (struct surprised_reader){ models[m].model, models[m].handle, of };
    }
    return readers > 1 ? show_comparison(call, by, readers) : 0;
}

/* ---- several texts ---- */

/* The texts of one model on their way. */
struct many {
    struct call *call;
    const struct loaded *one;
    const struct asked_text *texts;
    int64_t count;
    struct surprised_row *rows; /* [count] */
    int64_t done;               /* rows filled */
    int64_t left_out;           /* texts of which nothing counts */
    struct err first_left_out;
    bool failed;
};

/* A text of which nothing counts is told at the end; it does not end the others. */
static int leave_out(struct many *many) {
    struct err *err = many->call->err;
    if (err->kind != ERR_TEXT) {
        return -1;
    }
    if (many->left_out++ == 0) {
        many->first_left_out = *err;
    }
    *err = (struct err){ 0 };
    return 0;
}

static int read_one(struct many *many, int64_t i, struct arena *scratch) {
    struct call *call = many->call;
    const struct asked_text *text = &many->texts[i];
    double began = now_seconds();
    const struct surprisal *of = read_text(call, scratch, many->one, text);
    if (!of) {
        return leave_out(many);
    }
    const char *head = surprised_head(call->arena, text->bytes, text->length);
    many->rows[many->done++] =
        (struct surprised_row){ head, of->total, of->count, of->bytes, of->masked };
    return many->count <= COLOURED
               ? show_one(call, many->one, of, i, many->count, now_seconds() - began)
               : 0;
}

static int read_all(struct many *many) {
    struct call *call = many->call;
    for (int64_t i = 0; i < many->count && !call->stopped; i++) {
        struct arena **scratch = guard_arena(call->arena);
        if (read_one(many, i, *scratch) < 0) {
            return -1;
        }
        guard_free(scratch);
        if (many->count > COLOURED) {
            progress_at(call->progress, i + 1);
        }
    }
    return 0;
}

/* An interrupt between two texts leaves those before it. */
static int read_caught(struct many *many) {
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        many->failed = read_all(many) < 0;
    }
    catch_end(&here);
    if (here.err.kind != ERR_NONE && (here.err.kind != ERR_STOP || many->done == 0)) {
        catch_throw(here.err.kind, "%s", here.err.text);
    }
    if (here.err.kind == ERR_STOP) {
        stop_settle();
        many->call->stopped = true;
    }
    return many->failed ? -1 : 0;
}

static int table_of(struct many *many, int64_t model, int64_t models) {
    struct call *call = many->call;
    struct arena **own = session_result_arena(call->session);
    const struct result *result =
        surprised_table(*own, many->rows, many->done, many->one->handle, call->language);
    if (show(call, result) < 0) {
        return -1;
    }
    if (many->left_out > 0) {
        reply_printf(call->reply,
                     call->zh ? "略过了 %lld 个没有可计词元的文本；第一个：%s\n"
                     : many->left_out > 1 ? "%lld texts of which no token counts are left out; "
                                            "the first: %s\n"
                                          : "%lld text of which no token counts is left out: "
                                            "%s\n",
                     (long long)many->left_out, many->first_left_out.text);
    }
    const struct cell_flag *as = cell_flag_at(call->line, "as");
    const char *name = as && models > 1
                           ? arena_printf(call->arena, "%s.%s", as->value, many->one->handle)
                       : as ? as->value
                            : NULL;
    session_adopt(call->session, own, name, model == models - 1 ? "_" : NULL, result);
    return 0;
}

static int many_texts(struct call *call, const struct asked_text *texts, int64_t count,
                      const struct loaded *models, int64_t model_count) {
    for (int64_t m = 0; m < model_count && !call->stopped; m++) {
        if (count > COLOURED) {
            call->progress = progress_new(call->reply, call->zh ? "已读文本" : "texts read",
                                          count, call->zh);
        }
        struct many many = { .call = call,
                             .one = &models[m],
                             .texts = texts,
                             .count = count,
                             .rows = arena_array(call->arena, count, sizeof *many.rows) };
        if (read_caught(&many) < 0) {
            return -1;
        }
        if (many.done == 0) {
            *call->err = many.first_left_out;
            return err_pass(call->err);
        }
        if (table_of(&many, m, model_count) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- all ---- */

static int check_models(const struct call *call, const struct loaded *models, int64_t count) {
    for (int64_t m = 0; m < count; m++) {
        if (surprisal_check(models[m].model, call->err) < 0) {
            const struct cell_flag *flag = cell_flag_at(call->line, "model");
            command_point(call->err, flag ? &flag->value_at : &call->line->command);
            return err_pass(call->err);
        }
    }
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t text_count, model_count;
    struct call call = { .session = session,
                         .line = line,
                         .reply = reply,
                         .err = err,
                         .arena = session_arena(session),
                         .language = asked_language(session, line) };
    const struct asked_text *texts = asked_texts(session, line, &text_count, err);
    const struct loaded *models = texts ? asked_models(session, line, &model_count, err) : NULL;
    if (!models || asked_check_name(line, err) < 0 ||
        check_models(&call, models, model_count) < 0) {
        return err_pass(err);
    }
    read_request(&call, text_count);
    call.zh = strncmp(call.language, "zh", 2) == 0;
    if (text_count == 1) {
        call.request.progress = on_progress;
        call.request.progress_arg = &call;
    }
    int status = text_count == 1 ? one_text(&call, texts, models, model_count)
                                 : many_texts(&call, texts, text_count, models, model_count);
    if (status == 0 && call.stopped) {
        return err_set(err, ERR_STOP,
                       "interrupted: what had been read by then is shown above and kept");
    }
    return status < 0 ? err_pass(err) : 0;
}

static const struct option options[] = {
    { .name = "unit",
      .kind = OPTION_CHOICE,
      .choices = "token word line",
      .otherwise = "token",
      .complete = COMPLETE_CHOICE,
      .help = "what is coloured: tokens, words or lines; each is the sum of its tokens' bits",
      .help_zh = "给什么上色：词元、词或行；词和行是其各词元比特数之和" },
    { .name = "view",
      .kind = OPTION_CHOICE,
      .choices = "both text curve",
      .complete = COMPLETE_CHOICE,
      .help =
          "coloured text, a curve along it, or both; without it both for one text, text for "
          "several",
      .help_zh = "上色的文本、沿文本的曲线，或两者；不给时一个文本两者都画，多个文本只上色" },
    { .name = "window",
      .kind = OPTION_INT,
      .otherwise = "0",
      .low = 0,
      .high = 1000000,
      .help = "tokens that a long text is read by; 0: as many as the model reads at once",
      .help_zh = "长文本一次读多少个词元；0 表示模型一次能读的全部" },
    { .name = "stride",
      .kind = OPTION_INT,
      .otherwise = "0",
      .low = 0,
      .high = 1000000,
      .help = "tokens from one window's beginning to the next's; 0: half a window",
      .help_zh = "相邻两个窗口的起点相隔多少个词元；0 表示半个窗口" },
    { .name = "bos",
      .kind = OPTION_SWITCH,
      .help =
          "put the model's beginning-of-text token in front, so that the first token counts",
      .help_zh = "在最前面放上模型的文本起始词元，使第一个词元也计入" },
    ASKED_WHOLE,
    ASKED_DATA,
    ASKED_MODEL,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_surprisal = {
    .name = "surprisal",
    .group = "what does it read and say",
    .words = "",
    .summary = "how little the model expected each token, word and line, in bits",
    .summary_zh = "模型对每个词元、词和行有多意外（比特）",
    .help =
        "Reads a text with the model and colours it by surprisal, −log2 of the probability "
        "that the model\n"
        "gave each token from what stands before it. 1 bit is a coin's toss, 10 bits one "
        "chance in a\n"
        "thousand. A word's and a line's bits are the sum of their tokens' (--unit). Each line "
        "below is a\n"
        "text of its own; --whole makes all of them one, --data NAME takes them from a file.\n"
        "\n"
        "How to read it: strongly coloured words are those the model could not foresee: "
        "names, rare\n"
        "words, turns of thought, mistakes. In the curve, each token's bits and their mean so "
        "far.\n"
        "Perplexity is 2 to the mean bits a token, as if the model chose among so many tokens "
        "each time.\n"
        "It depends on how the tokenizer cuts; only bits per byte compares models whose "
        "tokenizers\n"
        "differ. The first token has nothing before it and does not count, unless the "
        "tokenizer or --bos\n"
        "puts a token in front; bits per byte divides by all bytes of the text.\n"
        "\n"
        "A text longer than the model reads at once is read in windows that overlap (--window, "
        "--stride):\n"
        "a smaller stride gives each token more to go by and takes longer. Where a stride is "
        "the whole\n"
        "window, the first token of each does not count. A masked model (BERT) guesses each "
        "token from\n"
        "both sides, one run a token: the sum is a pseudo-log-likelihood, no probability of "
        "the text, and\n"
        "the pieces of a rare word help to guess each other. --model a,b compares two, also "
        "word by word.\n"
        "\n"
        "What it cannot tell: whether a text is true, good, or written by a machine. A low-bit "
        "text is\n"
        "one the model finds usual. Shannon 1948; Hale 2001; Levy 2008,\n"
        "doi:10.1016/j.cognition.2007.05.006; Salazar and others 2020, arXiv:1910.14659.",
    .help_zh =
        "用模型读一个文本，按意外度上色：模型根据前文给每个词元的概率取 −log2。1 "
        "比特相当于猜硬币，10 比\n"
        "特相当于千分之一的机会。词和行的比特数是其各词元之和（--unit）。下面每行是一个文本；--"
        "whole把所\n"
        "有行合为一个，--data NAME 从文件取文本。\n"
        "\n"
        "怎样读图：颜色浓的词是模型预料不到的：人名、生僻词、转折、错误。曲线画出逐个词元的比特"
        "数"
        "和到此为止\n"
        "的平均。困惑度是 2 "
        "的“平均每词元比特数”次方，好像模型每次在这么多词元里挑一个。它取决于分词器怎\n"
        "样切；要比较分词器不同的模型，只能用每字节比特数。第一个词元前面什么也没有，不计入，除"
        "非分词器或\n"
        "--bos 在前面放了词元；每字节比特数除以文本的全部字节。\n"
        "\n"
        "超过模型一次能读长度的文本，用互相重叠的窗口来读（--window、--"
        "stride）：步长越小，每个词元的前文\n"
        "越多，也越慢。步长等于窗口时，每个窗口的第一个词元不计入。掩码模型（BERT）从两侧猜每个"
        "词元，每个\n"
        "词元运行一次：总和是伪对数似然，不是文本的概率，生僻词的片段会互相提示。--model a,b "
        "比较两个模\n"
        "型，也逐词比较。\n"
        "\n"
        "它不能说明什么：文本是否真实、好坏，是否由机器写成。比特数低，只说明模型觉得它平常。Sh"
        "annon\n"
        "1948；Hale 2001；Levy 2008，doi:10.1016/j.cognition.2007.05.006；Salazar 等 2020，\n"
        "arXiv:1910.14659。",
    .example = "%%surprisal\nThe cat sat on the mat, and the dog wrote a novel.",
    .needs = "%model load smollm2",
    .body = true,
    .options = options,
    .run = run,
};
