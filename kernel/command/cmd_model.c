#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/now.h"
#include "core/draw/table.h"
#include "core/model/newborn.h"
#include "core/model/rounded.h"
#include "kernel/command/asked.h"
#include "kernel/command/model_card.h"

struct call {
    struct session *session;
    const struct cell_line *line;
    struct reply *reply;
    struct err *err;
    struct arena *arena;
    const struct cell_word *name; /* the word after the subcommand; NULL: none */
    bool zh;
};

static int need_name(const struct call *call, const char *what) {
    if (!call->name) {
        return cell_refuse(call->err, ERR_OPTION, &call->line->words[0],
                           "%%model %s needs %s after it", call->line->words[0].text, what);
    }
    return 0;
}

/* "6 layers of 12 heads", "8 + 8 layers of 6 heads", "2 recurrent layers" */
static const char *shape_of(const struct call *call, const struct model *model) {
    const struct config *config = model->config;
    long long layers = config->layers, heads = config->heads;
    long long more = model_decodes(model) ? config->decoder_layers : 0;
    bool zh = call->zh;
    if (heads == 0) {
        return arena_printf(call->arena,
                            zh            ? "%lld 个循环层"
                            : layers == 1 ? "%lld recurrent layer"
                                          : "%lld recurrent layers",
                            layers);
    }
    if (more > 0) {
        return arena_printf(call->arena,
                            zh ? "编码器 %lld 层和解码器 %lld 层，每层 %lld 个头"
                               : "%lld encoder and %lld decoder layers of %lld heads",
                            layers, more, heads);
    }
    return arena_printf(call->arena,
                        zh ? "%lld 层，每层 %lld 个头" : "%lld layers of %lld heads", layers,
                        heads);
}

static const char *longest_of(const struct call *call, const struct config *config) {
    if (config->context == 0) {
        return call->zh ? "文本长度不限" : "texts of any length";
    }
    return arena_printf(call->arena,
                        call->zh ? "文本最长 %lld 个词元" : "texts up to %lld tokens",
                        (long long)config->context);
}

static int model_load(const struct call *call) {
    const struct cell_flag *as = cell_flag_at(call->line, "as");
    double began = now_seconds();
    if (need_name(call, "a model's name or path (%model list shows the names)") < 0) {
        return -1;
    }
    const struct loaded *one =
        session_load(call->session, call->name->text, as ? as->value : NULL, call->err);
    if (!one) {
        command_point(call->err,
                      call->err->kind == ERR_OPTION && as ? &as->value_at : call->name);
        return err_pass(call->err);
    }
    const struct model *model = one->model;
    reply_printf(call->reply,
                 call->zh ? "%s 已载入：%s，%s，%s个参数（%s），%s；%.1f ms\n"
                          : "%s is loaded: %s, %s, %s parameters (%s), %s; %.1f ms\n",
                 one->handle, model->arch->name, shape_of(call, model),
                 model_card_number(call->arena, model->parameters, call->zh), model->dtype,
                 longest_of(call, model->config), (now_seconds() - began) * 1e3);
    return 0;
}

/* "a, b (in use)": the names under which the file is loaded. */
static const char *handles_of(const struct call *call, const char *path) {
    struct buf *out = buf_new(call->arena);
    char *full = realpath(path, NULL);
    int64_t count, in_use;
    const struct loaded *list = session_models(call->session, &count, &in_use);
    for (int64_t i = 0; full && i < count; i++) {
        if (strcmp(list[i].path, full) == 0) {
            buf_printf(out, "%s%s%s", out->length ? ", " : "", list[i].handle,
                       i == in_use ? call->zh ? "（当前）" : " (in use)" : "");
        }
    }
    free(full);
    return out->data;
}

/* Whether a loaded model is one of those found by name. */
static bool is_found(const struct loaded *one, const struct found *found, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        char *full = realpath(found[i].path, NULL);
        bool same = full && strcmp(full, one->path) == 0;
        free(full);
        if (same) {
            return true;
        }
    }
    return false;
}

static int model_list(const struct call *call) {
    static const char *const heads[] = { "name", "loaded as", "where" };
    static const char *const heads_zh[] = { "名字", "载入为", "位置" };
    int64_t found_count, count, in_use, rows = 0;
    const struct found *found = session_found(call->session, true, &found_count);
    const struct loaded *list = session_models(call->session, &count, &in_use);
    struct figure_table *made =
        table_new(call->arena, 3, found_count + count, call->zh ? heads_zh : heads);
    for (int64_t i = 0; i < found_count; i++, rows++) {
        table_set(made, rows, 0, found[i].name);
        table_set(made, rows, 1, handles_of(call, found[i].path));
        table_set(made, rows, 2, file_shown(call->arena, found[i].path));
    }
    for (int64_t i = 0; i < count; i++) {
        if (!is_found(&list[i], found, found_count)) {
            table_set(made, rows, 1, handles_of(call, list[i].path));
            table_set(made, rows++, 2, file_shown(call->arena, list[i].path));
        }
    }
    made->rows = rows;
    const char *finding = arena_printf(
        call->arena, "%lld %s can be loaded by name, %lld %s loaded.", (long long)found_count,
        found_count == 1 ? "model" : "models", (long long)count, count == 1 ? "is" : "are");
    const char *finding_zh =
        arena_printf(call->arena, "有 %lld 个模型可以按名字载入，已载入 %lld 个。",
                     (long long)found_count, (long long)count);
    reply_bundle(
        call->reply,
        table_bundle(
            call->arena, call->zh ? finding_zh : finding, made,
            call->zh
                ? "%model load NAME 载入一个；也可以给文件夹、.gguf 或 .safetensors "
                  "文件的路径。"
                : "%model load NAME loads one; a path to a folder, .gguf or .safetensors file "
                  "works too."),
        NULL, false);
    return 0;
}

/* The number that --gain says. */
static int gain_read(const struct call *call, double *gain) {
    const struct cell_flag *flag = cell_flag_at(call->line, "gain");
    char *end, shown[60];
    *gain = strtod(command_text(command_find("model"), call->line, "gain"), &end);
    if (*end != '\0') {
        return cell_refuse(call->err, ERR_OPTION, &flag->value_at,
                           "--gain is a number, such as 0.5 or 2, not \"%s\"",
                           err_quote(shown, sizeof shown, flag->value, strlen(flag->value)));
    }
    return 0;
}

/* What the cell asks for; the seed is that of %seed unless it is given. */
static int newborn_read(const struct call *call, struct newborn *newborn) {
    const struct command *command = command_find("model");
    const struct cell_flag *alphabet = cell_flag_at(call->line, "alphabet");
    const char *kind = call->name->text;
    bool relu = strcmp(command_text(command, call->line, "act"), "relu") == 0;
    bool rnn = strcmp(kind, "rnn") == 0;
    if (!rnn && strcmp(kind, "lstm") != 0 && strcmp(kind, "gru") != 0) {
        char shown[60];
        return cell_refuse(call->err, ERR_OPTION, call->name,
                           "%%model new makes rnn, lstm or gru, not \"%s\"",
                           err_quote(shown, sizeof shown, kind, strlen(kind)));
    }
    if (relu && !rnn) {
        const struct cell_flag *act = cell_flag_at(call->line, "act");
        return cell_refuse(call->err, ERR_OPTION, &act->value_at,
                           "--act is for rnn: the acts of %s are its gates'", kind);
    }
    *newborn = (struct newborn){
        .kind = relu                        ? OP_RNN_RELU
                : rnn                       ? OP_RNN_TANH
                : strcmp(kind, "lstm") == 0 ? OP_LSTM
                                            : OP_GRU,
        .layers = command_int(command, call->line, "layers"),
        .hidden = command_int(command, call->line, "hidden"),
        .memory = command_int(command, call->line, "memory"),
        .seed = asked_seed(call->session, call->line),
        .alphabet = alphabet ? alphabet->value : NULL,
    };
    return gain_read(call, &newborn->gain);
}

/* Whether this command made the model of that name: it lies in the cache. */
static bool is_made(const struct call *call, const char *handle) {
    struct err none;
    const char *cache = newborn_cache(call->arena, &none);
    char *full = cache ? realpath(cache, NULL) : NULL;
    size_t n = full ? strlen(full) : 0;
    int64_t count, in_use;
    const struct loaded *list = session_models(call->session, &count, &in_use);
    bool ours = false;
    for (int64_t i = 0; i < count; i++) {
        ours = ours || (n > 0 && strcmp(list[i].handle, handle) == 0 &&
                        strncmp(list[i].path, full, n) == 0 && list[i].path[n] == '/');
    }
    free(full);
    return ours;
}

/* Before anything is written: the name is free, or that of a model that this command made
 * before, whose place a new one takes so that a cell can be changed and run again. */
static int place_check(const struct call *call, const char *handle) {
    const struct cell_flag *as = cell_flag_at(call->line, "as");
    if (!is_made(call, handle) && session_check(call->session, handle, call->err) < 0) {
        command_point(call->err, as ? &as->value_at : call->name);
        return err_pass(call->err);
    }
    return 0;
}

/* Loads what was written to the cache, in place of what had that name there; NULL: nothing was
 * written. */
static const struct loaded *load_made(const struct call *call, const char *folder,
                                      const char *handle) {
    bool clear = folder && (!is_made(call, handle) ||
                            session_unload(call->session, handle, call->err) == 0);
    const struct loaded *one =
        clear ? session_load(call->session, folder, handle, call->err) : NULL;
    if (!one) {
        command_point(call->err, call->name);
        err_pass(call->err);
    }
    return one;
}

static int model_new(const struct call *call) {
    const struct cell_flag *as = cell_flag_at(call->line, "as");
    const char *handle = as ? as->value : call->name ? call->name->text : NULL;
    struct newborn newborn;
    if (need_name(call, "rnn, lstm or gru") < 0 || newborn_read(call, &newborn) < 0 ||
        place_check(call, handle) < 0) {
        return -1;
    }
    const char *folder = newborn_write(call->arena, &newborn, call->err);
    const struct loaded *one = load_made(call, folder, handle);
    if (!one) {
        return err_pass(call->err);
    }
    reply_printf(call->reply,
                 call->zh ? "%s 是新的：%s，%s，每层 %lld 个单元，%s个参数，未经训练，种子 "
                            "%llu；放在 %s\n"
                          : "%s is new: %s, %s of %lld units, %s parameters, untrained, seed "
                            "%llu; it is in %s\n",
                 one->handle, one->model->arch->name, shape_of(call, one->model),
                 (long long)newborn.hidden,
                 model_card_number(call->arena, one->model->parameters, call->zh),
                 (unsigned long long)newborn.seed, file_shown(call->arena, folder));
    return 0;
}

static int model_round(const struct call *call) {
    const struct cell_flag *as = cell_flag_at(call->line, "as");
    long long bits = command_int(command_find("model"), call->line, "bits");
    if (need_name(call, "the name of a loaded model") < 0) {
        return -1;
    }
    const struct loaded *whole = session_model(call->session, call->name->text, call->err);
    if (!whole) {
        command_point(call->err, call->name);
        return err_pass(call->err);
    }
    const char *handle =
        as ? as->value : arena_printf(call->arena, "%s-%lldbit", call->name->text, bits);
    if (place_check(call, handle) < 0) {
        return -1;
    }
    const char *folder = rounded_write(call->arena, whole->model, (int)bits, call->err);
    const struct loaded *one = load_made(call, folder, handle);
    if (!one) {
        return err_pass(call->err);
    }
    reply_printf(call->reply,
                 call->zh ? "%s 是 %s 的副本：矩阵每 32 个数一块，块内每个数取 %d 个等距值之一"
                            "（%lld 位）；放在 %s\n"
                          : "%s is %s with each number of a matrix one of %d, evenly spaced in "
                            "its block of 32 (%lld bits); it is in %s\n",
                 one->handle, call->name->text, 1 << bits, bits,
                 file_shown(call->arena, folder));
    return 0;
}

static int with_loaded(const struct call *call,
                       int (*act)(struct session *, const char *, struct err *)) {
    if (need_name(call, "the name of a loaded model") < 0) {
        return -1;
    }
    if (act(call->session, call->name->text, call->err) < 0) {
        command_point(call->err, call->name);
        return err_pass(call->err);
    }
    return 0;
}

static int model_use(const struct call *call) {
    return with_loaded(call, session_use);
}

static int model_unload(const struct call *call) {
    return with_loaded(call, session_unload);
}

static int model_info(const struct call *call) {
    const struct loaded *one =
        session_model(call->session, call->name ? call->name->text : NULL, call->err);
    if (!one) {
        command_point(call->err, call->name ? call->name : &call->line->command);
        return err_pass(call->err);
    }
    return model_card_show(call->session, call->line, one, 0, 1, call->reply, call->err);
}

/* --as names a model that is being loaded or made, --bits is for round; what a model is made
 * of, but --lang, is for new alone. */
static int options_check(const struct cell_line *line, const char *part, struct err *err) {
    bool makes = strcmp(part, "new") == 0, rounds = strcmp(part, "round") == 0;
    bool loads = makes || rounds || strcmp(part, "load") == 0;
    for (int64_t i = 0; i < line->flag_count; i++) {
        const struct cell_flag *flag = &line->flags[i];
        bool names = strcmp(flag->name, "as") == 0, bits = strcmp(flag->name, "bits") == 0;
        if (strcmp(flag->name, "lang") == 0 || (names ? loads : bits ? rounds : makes)) {
            continue;
        }
        return cell_refuse(
            err, ERR_OPTION, &flag->at,
            names ? "--as gives a name to a model that is being loaded: %%model %s has "
                    "no use for it%.0s%.0s"
                  : "%%model %s has no use for --%s: it is for %%model %s",
            part, flag->name, bits ? "round" : "new");
    }
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    static const struct {
        const char *name;
        int (*run)(const struct call *call);
    } parts[] = { { "load", model_load },    { "new", model_new }, { "round", model_round },
                  { "list", model_list },    { "use", model_use }, { "info", model_info },
                  { "unload", model_unload } };
    struct call call = { .session = session,
                         .line = line,
                         .reply = reply,
                         .err = err,
                         .arena = session_arena(session),
                         .name = line->word_count > 1 ? &line->words[1] : NULL,
                         .zh = strcmp(asked_language(session, line), "zh") == 0 };
    const char *part = line->word_count > 0 ? line->words[0].text : "list";
    bool bare = strcmp(part, "list") == 0;
    if (line->word_count > (bare ? 1 : 2)) {
        const struct cell_word *extra = &line->words[bare ? 1 : 2];
        return cell_refuse(
            err, ERR_OPTION, extra,
            "%%model %s takes no more words than that: quote a path that has blanks", part);
    }
    if (options_check(line, part, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, part) == 0) {
            return parts[i].run(&call);
        }
    }
    return 0; /* command_check has refused all other words */
}

static const struct option options[] = {
    { .name = "as",
      .kind = OPTION_NAME,
      .help = "with load, new and round: the name by which later commands call the model; "
              "without it its own",
      .help_zh =
          "用于 load、new 和 round：以后各命令用来称呼该模型的名字；不给时用它自己的名字" },
    { .name = "layers",
      .kind = OPTION_INT,
      .otherwise = "2",
      .low = 1,
      .high = NEWBORN_LAYERS,
      .help = "with new: recurrent layers",
      .help_zh = "用于 new：循环层的层数" },
    { .name = "hidden",
      .kind = OPTION_INT,
      .otherwise = "64",
      .low = 1,
      .high = NEWBORN_HIDDEN,
      .help = "with new: units of a layer",
      .help_zh = "用于 new：每层的单元数" },
    { .name = "gain",
      .kind = OPTION_TEXT,
      .otherwise = "1",
      .help = "with new: about the largest eigenvalue of the recurrent matrices",
      .help_zh = "用于 new：循环矩阵的最大特征值大约是多少" },
    { .name = "memory",
      .kind = OPTION_INT,
      .otherwise = "64",
      .low = 2,
      .high = NEWBORN_MEMORY,
      .help = "with new lstm and gru: steps for which their gates are set to keep",
      .help_zh = "用于 new lstm 和 gru：门的初值能记住多少步" },
    { .name = "bits",
      .kind = OPTION_INT,
      .otherwise = "4",
      .low = ROUNDED_LEAST,
      .high = ROUNDED_MOST,
      .help = "with round: bits of a number in a matrix",
      .help_zh = "用于 round：矩阵中每个数的位数" },
    { .name = "act",
      .kind = OPTION_CHOICE,
      .choices = "tanh relu",
      .otherwise = "tanh",
      .complete = COMPLETE_CHOICE,
      .help = "with new rnn: what its sums go through",
      .help_zh = "用于 new rnn：激活函数" },
    { .name = "alphabet",
      .kind = OPTION_TEXT,
      .help = "with new: characters it knows beside ASCII, such as 中文",
      .help_zh = "用于 new：除 ASCII 之外还认识的字符" },
    { .name = "seed",
      .kind = OPTION_INT,
      .low = 0,
      .high = 999999999,
      .help = "with new: of its random weights; without it that of %seed",
      .help_zh = "用于 new：随机权重的种子；不给时用 %seed 的种子" },
    ASKED_LANG,
    { 0 },
};

const struct command cmd_model = {
    .name = "model",
    .group = "set up",
    .words = "load NAME|PATH · new KIND · list · info [NAME] · round|use|unload NAME",
    .summary = "loads models, lists them, says what they are",
    .summary_zh = "载入、列出、说明模型",
    .help =
        "%model load opens a Hugging Face folder, a .safetensors or a .gguf file, by name or "
        "path. The\n"
        "file is mapped, not copied, so this takes milliseconds and little memory. The model "
        "loaded\n"
        "last is the one in use: commands without --model mean it. %model use changes that, "
        "%model list\n"
        "shows which there are and which are loaded, %model info is what %info shows without a "
        "name,\n"
        "and %model unload lets a model go. Loading never runs anything that is in the file.\n"
        "\n"
        "%model new makes an untrained recurrent language model over characters, to look at "
        "how\n"
        "gradients go through it (%%gradients): --gain below 1 forgets, far above 1 a tanh "
        "network is\n"
        "chaotic and its gradients explode; gates that keep (lstm, gru) are set to remember "
        "--memory\n"
        "steps (Tallec and Ollivier 2018, arXiv:1804.11188). It is a folder below "
        "~/.cache/cutaway like\n"
        "any other model's; the same seed and sizes give the same bytes.\n"
        "\n"
        "%model round writes a copy of a loaded model (a folder with float weights) whose "
        "matrices keep\n"
        "--bits bits of each number: every block of 32 has values evenly spaced from its "
        "smallest to\n"
        "its largest, as GGUF's Q4_1 does with 4. The file still holds float32: it is neither "
        "smaller\n"
        "nor faster, but there to be compared (%weights --vs, %%attention --model a,b).\n"
        "\n"
        "Names are looked for in the folders of CUTAWAY_MODELS, models/ beside the program,\n"
        "~/.local/share/cutaway/models, the installed data and the Hugging Face hub's cache; "
        "what\n"
        "CUTAWAY_MODELS names goes before the others.",
    .help_zh =
        "%model load 按名字或路径打开 Hugging Face 文件夹、.safetensors 或 .gguf "
        "文件。文件只做内存映\n"
        "射，不复制，所以只需几毫秒和很少的内存。最后载入的就是当前模型，命令不带 --model "
        "时用它。\n"
        "%model use切换当前模型，%model list 列出有哪些模型、哪些已载入，%model info "
        "显示层数、头数、大\n"
        "小和类型，%model unload 卸下模型。载入时不会执行文件里的任何内容。\n"
        "\n"
        "%model new "
        "造一个未经训练的字符级循环语言模型，用来看梯度怎样传播（%%gradients）：--gain 小于\n"
        "1 会遗忘，远大于 1 的 tanh 网络是混沌的，梯度会爆炸；lstm 和 gru 的门初始化为能记住 "
        "--memory\n"
        "步（Tallec 与Ollivier 2018，arXiv:1804.11188）。它是 ~/.cache/cutaway "
        "下的普通模型文件夹；种子\n"
        "和大小相同，字节就相同。\n"
        "\n"
        "%model round 为已载入的模型（浮点权重的文件夹）写一个副本，矩阵中每个数只留 --bits "
        "位：\n"
        "每 32 个数一块，从最小到最大等距取值，4 位时与 GGUF 的 Q4_1 相同。文件里仍是 "
        "float32，\n"
        "既不更小也不更快，只用来比较（%weights --vs、%%attention --model a,b）。\n"
        "\n"
        "名字在这些地方查找：CUTAWAY_MODELS 里的文件夹、程序旁边的 models/、\n"
        "~/.local/share/cutaway/models、安装的数据，以及 Hugging Face hub 的缓存；同名时以\n"
        "CUTAWAY_MODELS 为准。",
    .example = "%model load minilm --as encoder\n%model info encoder\n%model list",
    .subcommands = "load new round list use info unload",
    .complete = COMPLETE_MODEL,
    .opens = COMMAND_OPENS_MODEL,
    .options = options,
    .run = run,
};
