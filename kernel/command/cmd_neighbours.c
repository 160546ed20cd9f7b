#include <string.h>

#include "core/explain/alike.h"
#include "kernel/command/asked.h"

enum { QUERIES = 24 }; /* lists that a page can show */

struct call {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct err *err;
    struct arena *arena;
    struct asked_text *lines;
    int64_t count;
    bool words, zh;
};

static struct embedding_text *texts_of(const struct call *call, const struct asked_text *lines,
                                       int64_t count) {
    struct embedding_text *texts = arena_array(call->arena, count, sizeof *texts);
    for (int64_t i = 0; i < count; i++) {
        texts[i] = (struct embedding_text){ lines[i].bytes, lines[i].length };
    }
    return texts;
}

/* ---- words ---- */

/* One line's lists: of a word one, without itself; of an expression one with its inputs, as the
 * arithmetic has it, and one without. */
static int ask_words(struct call *call, const struct model *model,
                     const struct asked_text *line, struct alike_query *queries, int64_t *n) {
    int64_t count;
    const struct alike_term *terms =
        alike_terms(call->arena, line->bytes, line->length, &count, call->err);
    if (!terms) {
        asked_point(call->err, line);
        return err_pass(call->err);
    }
    struct embedding_text *texts = arena_array(call->arena, count, sizeof *texts);
    for (int64_t i = 0; i < count; i++) {
        texts[i] = (struct embedding_text){ terms[i].bytes, terms[i].length };
    }
    const struct embedding *vectors =
        embedding_words(call->arena, model, texts, count, call->err);
    const float *sum = vectors ? alike_sum(call->arena, vectors, terms, call->err) : NULL;
    if (!sum) {
        asked_point(call->err, line);
        return err_pass(call->err);
    }
    struct alike_query query = {
        .title = arena_text(call->arena, line->bytes, line->length),
        .vector = sum,
        .self = -1,
    };
    if (count > 1) {
        queries[(*n)++] = query;
        query.title = arena_printf(
            call->arena, call->zh ? "%s（不计输入）" : "%s, inputs left out", query.title);
    }
    query.inputs = vectors->labels;
    query.input_count = count;
    queries[(*n)++] = query;
    return 0;
}

static struct result *near_words(struct call *call, const struct model *model,
                                 const struct alike_request *request) {
    struct alike_query *queries = arena_array(call->arena, 2 * call->count, sizeof *queries);
    int64_t n = 0;
    for (int64_t i = 0; i < call->count; i++) {
        if (ask_words(call, model, &call->lines[i], queries, &n) < 0) {
            err_pass(call->err);
            return NULL;
        }
    }
    const struct embedding *among = embedding_vocabulary(call->arena, model, 0, call->err);
    if (!among) {
        err_pass(call->err);
        return NULL;
    }
    return alike(call->arena, queries, n, among, request, call->err);
}

/* ---- sentences ---- */

static struct embedding *read_sentences(struct call *call, const struct model *model,
                                        const struct asked_text *lines, int64_t count,
                                        struct progress *progress) {
    struct embedding_reading how = { .layer = EMBEDDING_LAST,
                                     .progress = progress_done,
                                     .arg = progress };
    if (embedding_recipe(call->arena, model, &how, call->err) < 0) {
        err_pass(call->err);
        return NULL;
    }
    progress_stage(progress, call->zh ? "读句子" : "reading sentences", count);
    return embedding_texts(call->arena, model, texts_of(call, lines, count), count, &how,
                           call->err);
}

/* Every line's nearest among the other lines, or among --among's. */
static struct result *near_sentences(struct call *call, const struct model *model,
                                     const struct alike_request *request,
                                     struct progress *progress) {
    bool others = cell_flag_at(call->line, "among") != NULL;
    int64_t count = call->count;
    const struct asked_text *lines =
        others ? asked_data(call->session, call->line, "among", &count, call->err)
               : call->lines;
    const struct embedding *asked =
        lines ? read_sentences(call, model, call->lines, call->count, progress) : NULL;
    const struct embedding *among =
        asked && others ? read_sentences(call, model, lines, count, progress) : asked;
    if (!among) {
        err_pass(call->err);
        return NULL;
    }
    struct alike_query *queries = arena_array(call->arena, call->count, sizeof *queries);
    for (int64_t i = 0; i < call->count; i++) {
        queries[i] = (struct alike_query){
            .title = asked->labels[i],
            .vector = asked->vectors->data + i * asked->vectors->shape[1],
            .self = others ? -1 : i,
        };
    }
    struct result *made = alike(call->arena, queries, call->count, among, request, call->err);
    if (made) {
        made->finding = embedding_cut_told(call->arena, asked, made->finding, call->zh);
        made->finding = others ? embedding_cut_told(call->arena, among, made->finding, call->zh)
                               : made->finding;
    }
    return made;
}

/* ---- the cell ---- */

static int show(struct call *call, const struct loaded *one, int64_t index, int64_t count) {
    const struct command *command = command_find("neighbours");
    const struct alike_request request = {
        .top = command_int(command, call->line, "top"),
        .what = call->words ? "words" : "sentences",
        .what_zh = call->words ? "词" : "句子",
        .language = call->zh ? "zh" : "en",
    };
    struct progress *progress = progress_new(call->reply, one->handle, 0, call->zh);
    struct result *made = call->words ? near_words(call, one->model, &request)
                                      : near_sentences(call, one->model, &request, progress);
    if (!made) {
        return err_pass(call->err);
    }
    made->model = one->handle;
    made->fingerprint = one->model->weights->fingerprint;
    made->dtype = one->model->dtype;
    struct arena **own = session_result_arena(call->session);
    const struct result *result = result_copy(*own, made);
    if (asked_show_end(call->session, progress, result, request.language, call->err) < 0) {
        return err_pass(call->err);
    }
    asked_keep(call->session, call->line, index, count, own, result);
    return 0;
}

/* Words where every line is one word or an expression of words. */
static bool guess_words(const struct call *call) {
    for (int64_t i = 0; i < call->count; i++) {
        struct err ignored = { 0 };
        int64_t count = 0;
        const struct alike_term *terms = alike_terms(call->arena, call->lines[i].bytes,
                                                     call->lines[i].length, &count, &ignored);
        for (int64_t k = 0; terms && k < count; k++) {
            if (asked_is_sentence(terms[k].bytes, terms[k].length)) {
                return false;
            }
        }
    }
    return true;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    struct call call = { .session = session,
                         .line = line,
                         .reply = reply,
                         .err = err,
                         .arena = session_arena(session),
                         .zh = strcmp(asked_language(session, line), "zh") == 0 };
    int64_t models;
    const struct cell_flag *of = cell_flag_at(line, "of"), *among = cell_flag_at(line, "among");
    call.lines = asked_texts(session, line, &call.count, err);
    const struct loaded *list = call.lines ? asked_models(session, line, &models, err) : NULL;
    if (!list || asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    if (call.count > QUERIES) {
        return err_set(err, ERR_TEXT,
                       "%lld lines are too many lists for one picture, which shows %d: ask for "
                       "fewer, and give the rest as data to search in, with --among NAME",
                       (long long)call.count, QUERIES);
    }
    call.words = of ? strcmp(of->value, "words") == 0 : !among && guess_words(&call);
    if (call.words && among) {
        return cell_refuse(err, ERR_OPTION, &among->at,
                           "--among is for sentences: words are looked for in the vocabulary");
    }
    for (int64_t m = 0; m < models; m++) {
        if (show(&call, &list[m], m, models) < 0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    { .name = "of",
      .kind = OPTION_CHOICE,
      .choices = "words sentences",
      .complete = COMPLETE_CHOICE,
      .help = "what the lines are; without it words where each line is one, or a - b + c",
      .help_zh = "各行是词还是句子；不给时，每行都是一个词或 a - b + c 就当作词" },
    { .name = "among",
      .kind = OPTION_NAME,
      .complete = COMPLETE_DATA,
      .help = "look for sentences in this data (%data NAME FILE) instead of the other lines",
      .help_zh = "在这个数据里找相近的句子（%data NAME FILE），而不是在其余各行里找" },
    { .name = "top",
      .kind = OPTION_INT,
      .otherwise = "8",
      .low = 1,
      .high = 100,
      .help = "how many neighbours of each",
      .help_zh = "每个列出多少个近邻" },
    ASKED_MODEL,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_neighbours = {
    .name = "neighbours",
    .group = "what does it know",
    .words = "",
    .summary = "the nearest words or sentences, also of king - man + woman",
    .summary_zh = "最近的词或句子，也能算 king - man + woman",
    .help = "For each line the words of the vocabulary, or the other lines' sentences, whose "
            "vectors point\n"
            "most nearly the same way: 1 is the same direction, 0 unrelated.\n"
            "\n"
            "Words are rows of the table of embeddings, before any layer; a word of several "
            "tokens is their\n"
            "mean. a - b + c adds and subtracts vectors of length 1 (blanks round the signs). "
            "It shows two\n"
            "lists: the nearest of all, which are mostly the words that went in, and the "
            "nearest without\n"
            "them, which is what papers report. Sentences are read whole by the model and "
            "pooled as its\n"
            "makers say (1_Pooling), else by the mean; --among NAME searches a file of them.\n"
            "\n"
            "What it cannot tell: whether an analogy is understood. Leaving the inputs out "
            "decides much of\n"
            "the answer, and opposites lie near each other too. (Mikolov, Yih and Zweig 2013; "
            "Levy and\n"
            "Goldberg 2014; Nissim, van Noord and van der Goot 2020.)",
    .help_zh = "对每一行，列出词表中（或其余各行中）方向最接近的词或句子：余弦 1 是同一方向，0 "
               "是无关。\n"
               "\n"
               "词取自词嵌入表，没有上下文；由几个词元组成的词取平均。a - b + c "
               "把长度归一的向量相加减（符号两\n"
               "边留空格），并给出两个列表：全部词中最近的（多半就是输入的词），和去掉输入之后"
               "最近的（论文里报\n"
               "告的是这个）。句子由模型整句读入，按模型自带的 1_Pooling "
               "合并，没有就取平均；--among NAME 在文\n"
               "件里找。\n"
               "\n"
               "它不能说明什么：模型是否懂得类比。去掉输入这一步就决定了大半答案；反义词也常常"
               "靠得很近。（\n"
               "Mikolov、Yih 与 Zweig 2013；Levy 与 Goldberg 2014；Nissim、van Noord 与 van "
               "der Goot 2020。）",
    .example =
        "%%neighbours\nThe weather is lovely today.\nIt's so sunny outside!\nHe drove to "
        "the stadium.",
    .needs = "%model load minilm",
    .body = true,
    .options = options,
    .run = run,
};
