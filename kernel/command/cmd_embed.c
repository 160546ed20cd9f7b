#include <string.h>

#include "core/base/catch.h"
#include "core/explain/atlas.h"
#include "kernel/command/asked.h"

/* What the points are. */
enum points { POINTS_TOKENS, POINTS_WORDS, POINTS_SENTENCES, POINTS_STATES };

static const char *const nouns[] = { "tokens", "words", "sentences", "states" };
static const char *const nouns_zh[] = { "词元", "词", "句子", "词元状态" };

/* One cell's call, with the texts parted from the headings of their groups. */
struct call {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct err *err;
    struct arena *arena;
    enum points points;
    int64_t count; /* texts */
    struct embedding_text *texts;
    struct asked_text *at; /* [count] where each stands */
    int32_t *group;        /* [count] */
    int64_t groups;        /* 0: no headings */
    const char **names;    /* [groups] */
    double perplexity;     /* 0: what suits the points */
    bool zh;
};

/* ---- reading ---- */

/* "# animals": the texts below it are a group of that name. */
static bool is_heading(const struct asked_text *text) {
    return !text->from && text->length > 2 && text->bytes[0] == '#' && text->bytes[1] == ' ';
}

static int read_texts(struct call *call) {
    int64_t count;
    struct asked_text *lines = asked_texts(call->session, call->line, &count, call->err);
    if (!lines) {
        return err_pass(call->err);
    }
    call->texts = arena_array(call->arena, count, sizeof *call->texts);
    call->at = arena_array(call->arena, count, sizeof *call->at);
    call->group = arena_array(call->arena, count, sizeof *call->group);
    call->names = arena_array(call->arena, count + 1, sizeof *call->names);
    for (int64_t i = 0; i < count; i++) {
        if (is_heading(&lines[i])) {
            if (call->count > 0 && call->groups == 0) {
                call->names[call->groups++] = call->zh ? "其余" : "others";
            }
            call->names[call->groups++] =
                arena_text(call->arena, lines[i].bytes + 2, lines[i].length - 2);
            continue;
        }
        call->at[call->count] = lines[i];
        call->group[call->count] = (int32_t)(call->groups > 0 ? call->groups - 1 : 0);
        call->texts[call->count++] = (struct embedding_text){ lines[i].bytes, lines[i].length };
    }
    return call->count > 0
               ? 0
               : err_set(call->err, ERR_TEXT,
                         "there are headings (# ...) but nothing below them to map");
}

/* Words where every line is one, else sentences. */
static enum points guess(const struct call *call) {
    for (int64_t i = 0; i < call->count; i++) {
        if (asked_is_sentence(call->texts[i].bytes, call->texts[i].length)) {
            return POINTS_SENTENCES;
        }
    }
    return POINTS_WORDS;
}

static int read_points(struct call *call) {
    const struct cell_flag *flag = cell_flag_at(call->line, "of");
    const struct cell_word *at = flag ? &flag->value_at : &call->line->command;
    bool body = call->line->whole;
    if (body && read_texts(call) < 0) {
        return err_pass(call->err);
    }
    call->points = body ? guess(call) : POINTS_TOKENS;
    for (int i = 0; flag && i < 4; i++) {
        call->points = strcmp(flag->value, nouns[i]) == 0 ? (enum points)i : call->points;
    }
    if (body == (call->points == POINTS_TOKENS)) {
        return cell_refuse(
            call->err, ERR_OPTION, at,
            body ? "the vocabulary's tokens need no texts: write %%embed --of tokens "
                   "with one %%"
                 : "%s are read from texts: write %%%%embed --of %s and the texts on "
                   "the lines below",
            nouns[call->points], nouns[call->points]);
    }
    const struct cell_flag *layer = cell_flag_at(call->line, "layer");
    if (layer && !body) {
        return cell_refuse(
            call->err, ERR_OPTION, &layer->at,
            "--layer reads texts, and tokens come from the table of embeddings: "
            "leave it away, or write %%%%embed and the texts on the lines below");
    }
    const struct cell_flag *count = cell_flag_at(call->line, "count");
    return count && body ? cell_refuse(call->err, ERR_OPTION, &count->at,
                                       "--count takes tokens from the vocabulary, and of the "
                                       "texts below all are mapped: leave it away")
                         : 0;
}

/* ---- embedding ---- */

static struct embedding *embed(struct call *call, const struct model *model,
                               struct progress *progress) {
    const struct command *command = command_find("embed");
    struct embedding_reading how = { .layer = EMBEDDING_LAST,
                                     .progress = progress_done,
                                     .arg = progress };
    const struct cell_flag *layer = cell_flag_at(call->line, "layer");
    if (layer) { /* one before the first stays what it was, and is refused as that */
        int64_t asked = command_int(command, call->line, "layer");
        int64_t count = model->config->layers + 1;
        how.layer = asked < 0 && asked >= -count ? asked + count : asked;
    }
    switch (call->points) {
    case POINTS_TOKENS:
        return embedding_vocabulary(call->arena, model,
                                    command_int(command, call->line, "count"), call->err);
    case POINTS_WORDS:
        if (!layer) {
            return embedding_words(call->arena, model, call->texts, call->count, call->err);
        }
        break;
    case POINTS_STATES:
        return embedding_states(call->arena, model, call->texts, call->count, &how, call->err);
    default:
        break;
    }
    if (embedding_recipe(call->arena, model, &how, call->err) < 0) {
        err_pass(call->err);
        return NULL;
    }
    return embedding_texts(call->arena, model, call->texts, call->count, &how, call->err);
}

/* ---- drawing ---- */

/* A map under way, for the display. */
struct showing {
    struct call *call;
    struct progress *progress;
    const struct embedding *embedding;
    const struct atlas_request *request;
};

static void on_step(void *arg, int64_t step, int64_t of, const float *layout, int64_t n,
                    int dims, double cost) {
    (void)of, (void)n, (void)dims, (void)cost;
    struct showing *showing = arg;
    struct call *call = showing->call;
    if (!progress_due(showing->progress)) {
        return;
    }
    struct arena_mark mark = arena_mark(call->arena);
    const struct result *partial =
        atlas_partial(call->arena, showing->embedding, showing->request, layout);
    struct picture_options options = asked_options(call->session, showing->request->language);
    options.scale = 1;
    struct err err = { 0 };
    const struct bundle *bundle =
        picture_bundle(call->arena, partial->kind, partial, &options, &err);
    progress_figure(showing->progress, step, bundle);
    arena_rewind(call->arena, mark);
}

/* Points of several texts are coloured by their text, or by heading. */
static void set_groups(struct call *call, const struct embedding *embedding,
                       struct atlas_request *request) {
    enum { TEXTS = 8 }; /* colours that can be told apart */
    bool by_text = call->groups == 0 && call->points == POINTS_STATES && call->count > 1 &&
                   call->count <= TEXTS;
    if (call->groups == 0 && !by_text) {
        return;
    }
    int32_t *groups = arena_array(call->arena, embedding->n, sizeof *groups);
    for (int64_t i = 0; i < embedding->n; i++) {
        groups[i] = by_text ? embedding->of[i] : call->group[embedding->of[i]];
    }
    for (int64_t i = 0; by_text && i < call->count; i++) {
        call->names[i] = arena_text(call->arena, call->texts[i].bytes, call->texts[i].length);
    }
    request->groups = groups;
    request->group_names = call->names;
}

static struct atlas_request request_of(const struct call *call) {
    const struct command *command = command_find("embed");
    const char *method = command_text(command, call->line, "method");
    return (struct atlas_request){
        .method = strcmp(method, "pca") == 0    ? ATLAS_PCA
                  : strcmp(method, "tsne") == 0 ? ATLAS_TSNE
                  : strcmp(method, "umap") == 0 ? ATLAS_UMAP
                                                : ATLAS_AUTO,
        .dims = (int)command_int(command, call->line, "dim"),
        .perplexity = call->perplexity,
        .neighbours = command_int(command, call->line, "neighbours"),
        .min_dist = -1,
        .steps = command_int(command, call->line, "steps"),
        .seed = asked_seed(call->session, call->line),
        .what = nouns[call->points],
        .what_zh = nouns_zh[call->points],
        .language = call->zh ? "zh" : "en",
    };
}

/* Refuses what the method at hand would not read. */
static int check_method(const struct call *call, const char *method) {
    static const struct {
        const char *option, *methods;
    } only[] = { { "perplexity", "t-SNE" },
                 { "neighbours", "UMAP" },
                 { "steps", "t-SNE and UMAP" },
                 { "seed", "UMAP" } };
    for (size_t i = 0; i < sizeof only / sizeof *only; i++) {
        const struct cell_flag *flag = cell_flag_at(call->line, only[i].option);
        if (flag && !strstr(only[i].methods, method)) {
            return cell_refuse(call->err, ERR_OPTION, &flag->at,
                               "--%s is for %s, and this map is by %s: leave it away, or "
                               "choose with --method",
                               only[i].option, only[i].methods, method);
        }
    }
    return 0;
}

/* Keeps and shows the map; an interrupted one too, as far as it came, before the cell ends. A
 * copy is kept first, as an interrupt may end the drawing. */
static int show_result(struct call *call, struct progress *progress, const struct result *made,
                       int64_t index, int64_t count) {
    bool stopped = stop_wanted();
    if (stopped) {
        stop_settle(); /* what is there is still kept and drawn */
    }
    struct arena **own = session_result_arena(call->session);
    asked_keep(call->session, call->line, index, stopped ? index + 1 : count, own,
               result_copy(*own, made));
    if (asked_show_end(call->session, progress, made, call->zh ? "zh" : "en", call->err) < 0) {
        return err_pass(call->err);
    }
    return stopped ? err_set(call->err, ERR_STOP, "interrupted; the map so far is kept") : 0;
}

static int show(struct call *call, const struct loaded *one, int64_t index, int64_t count) {
    struct progress *progress = progress_new(call->reply, one->handle, call->count, call->zh);
    struct embedding *embedding = embed(call, one->model, progress);
    if (!embedding) {
        return err_pass(call->err);
    }
    struct atlas_request request = request_of(call);
    set_groups(call, embedding, &request);
    struct showing showing = {
        .call = call, .progress = progress, .embedding = embedding, .request = &request
    };
    const char *method = atlas_method(&request, embedding->n);
    if (check_method(call, method) < 0) {
        return err_pass(call->err);
    }
    progress_stage(progress, method, atlas_steps(&request, embedding->n));
    request.progress = (struct map_progress){ on_step, &showing, 10 };
    struct result *made = atlas(call->arena, embedding, &request, call->err);
    if (!made) {
        return err_pass(call->err);
    }
    made->model = one->handle;
    made->fingerprint = one->model->weights->fingerprint;
    made->dtype = one->model->dtype;
    if (cell_flag_at(call->line, "layer")) {
        const struct command *command = command_find("embed");
        result_note(call->arena, made, "layer",
                    arena_printf(call->arena, "%lld",
                                 (long long)command_int(command, call->line, "layer")));
    }
    made->finding = embedding_cut_told(call->arena, embedding, made->finding, call->zh);
    return show_result(call, progress, made, index, count);
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t models;
    struct call call = { .session = session,
                         .line = line,
                         .reply = reply,
                         .err = err,
                         .arena = session_arena(session),
                         .zh = strcmp(asked_language(session, line), "zh") == 0 };
    const struct loaded *list = asked_models(session, line, &models, err);
    if (!list || asked_check_name(line, err) < 0 || read_points(&call) < 0 ||
        asked_real(line, "perplexity", 0, 10000, 0, &call.perplexity, err) < 0) {
        return err_pass(err);
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
      .choices = "tokens words sentences states",
      .complete = COMPLETE_CHOICE,
      .help =
          "what the points are: whole-word tokens of the vocabulary, the words or sentences "
          "below, or every token's state; without it what suits the lines",
      .help_zh =
          "点是什么：词表中的整词词元、下面各行的词或句子、或每个词元的状态；不给时按各行"
          "内容选择" },
    { .name = "layer",
      .kind = OPTION_INT,
      .low = -1000,
      .high = 1000,
      .help = "read the vectors from the residual stream: 0 is the first block's input, -1 the "
              "last block's output; without it words are the table's, sentences what the head "
              "gets",
      .help_zh = "从残差流读取向量：0 是第一层的输入，-1 是最后一层的输出；不给时词取自词嵌入表"
                 "，句子取自输出头之前" },
    { .name = "method",
      .kind = OPTION_CHOICE,
      .otherwise = "auto",
      .choices = "auto pca tsne umap",
      .complete = COMPLETE_CHOICE,
      .help = "how to draw many dimensions in two: auto is pca up to 50 points, else tsne",
      .help_zh = "怎样把多维画成二维：auto 在 50 个点以内用 pca，更多用 tsne" },
    { .name = "dim",
      .kind = OPTION_INT,
      .otherwise = "2",
      .low = 2,
      .high = 3,
      .help = "dimensions of the picture",
      .help_zh = "图的维数" },
    { .name = "count",
      .kind = OPTION_INT,
      .otherwise = "1000",
      .low = 3,
      .high = 100000,
      .help = "of tokens: how many, from the beginning of the vocabulary",
      .help_zh = "词元的个数，从词表开头取" },
    { .name = "perplexity",
      .kind = OPTION_TEXT,
      .otherwise = "0",
      .help = "t-SNE: how many neighbours count, smoothly; 0 is 30, or fewer for few points",
      .help_zh = "t-SNE：大约看多少个近邻；0 表示 30，点少时更少" },
    { .name = "neighbours",
      .kind = OPTION_INT,
      .otherwise = "0",
      .low = 0,
      .high = 1000,
      .help = "UMAP: neighbours of each point, itself counted; 0 is 15",
      .help_zh = "UMAP：每个点的近邻数，含自己；0 表示 15" },
    { .name = "steps",
      .kind = OPTION_INT,
      .otherwise = "0",
      .low = 0,
      .high = 100000,
      .help = "steps of t-SNE (0 is 750) or UMAP (0 is 500, or 200 beyond 10,000 points)",
      .help_zh = "t-SNE（0 表示 750）或 UMAP（0 表示 500，一万点以上 200）的步数" },
    { .name = "seed",
      .kind = OPTION_INT,
      .low = 0,
      .high = INT64_MAX,
      .help = "UMAP: where its random numbers start; without it %seed's",
      .help_zh = "UMAP 的随机数种子；不给时用 %seed 的" },
    ASKED_MODEL,
    ASKED_DATA,
    ASKED_AS,
    ASKED_LANG,
    { 0 },
};

const struct command cmd_embed = {
    .name = "embed",
    .group = "what does it know",
    .words = "",
    .summary = "a map of meaning: which words, sentences or tokens lie near each other",
    .summary_zh = "意义的地图：哪些词、句子或词元彼此靠近",
    .help = "Draws a model's vectors as points: what the model takes to be alike lies close. "
            "Each line\n"
            "below is a word or a sentence; a line \"# animals\" begins a group, which gets a "
            "colour. With\n"
            "one % and no text it maps the vocabulary: %embed --count 2000.\n"
            "\n"
            "Words are rows of the table of embeddings, without context; with --layer they are "
            "read at that\n"
            "layer. A sentence is the mean of its tokens' last states, or what the model's own "
            "1_Pooling\n"
            "asks for, at length 1; of a long one as many tokens are read as its "
            "sentence_bert_config.json\n"
            "says, or the context holds. --of states shows every token in its context.\n"
            "\n"
            "--method pca shows the directions of largest variance, truly to scale. tsne and "
            "umap bend the\n"
            "space to keep neighbours together. Under the picture stands how many of each "
            "point's ten\n"
            "nearest neighbours were kept, trustworthiness (1: nobody is near who should not "
            "be) and\n"
            "t-SNE's KL.\n"
            "\n"
            "What it cannot tell: in t-SNE and UMAP the distance between clusters and their "
            "size mean\n"
            "little; another perplexity or seed gives another picture. Trust what stays. (van "
            "der Maaten\n"
            "and Hinton 2008; McInnes, Healy and Melville 2018, arXiv:1802.03426; Wattenberg, "
            "Viegas and\n"
            "Johnson 2016.)",
    .help_zh = "把模型的向量画成点：模型认为相近的，就靠在一起。下面每行是一个词或一句话；一行“"
               "# 动物”开始一个\n"
               "组，每组一种颜色。只写一个 % 而没有文本时画词表：%embed --count 2000。\n"
               "\n"
               "词取自词嵌入表，没有上下文；给了 --layer "
               "就从那一层读取。句子是各词元最后状态的平均（或按模型\n"
               "自带的 1_Pooling），长度归一；太长的只读到 sentence_bert_config.json "
               "规定的词元数或上下文为止。\n"
               "--of states 画出每个词元在上下文中的状态。\n"
               "\n"
               "--method pca 画方差最大的方向，比例是真实的；tsne 和 umap "
               "把空间弯曲，好让近邻仍在一起。图下写\n"
               "明每点的十个近邻保留了多少、可信度（1 表示没有不该靠近的）和 t-SNE 的 KL。\n"
               "\n"
               "它不能说明什么：t-SNE 和 UMAP 中各团之间的距离和团的大小没有多少意义；换一个 "
               "perplexity 或种子，\n"
               "图就不同。只相信不变的部分。（van der Maaten 与 Hinton 2008；McInnes、Healy 与 "
               "Melville 2018，\n"
               "arXiv:1802.03426；Wattenberg、Viégas 与 Johnson 2016。）",
    .example = "%%embed\n# animals\ncat\ndog\nhorse\n# fruit\napple\nbanana\ncherry",
    .needs = "%model load minilm",
    .body = true,
    .bare = true,
    .options = options,
    .run = run,
};
