#include <string.h>

#include "core/explain/tokenization.h"
#include "kernel/command/asked.h"

/* A text as one model reads it, or as several read it side by side. */
static struct result *look(struct arena *arena, const struct loaded *models, int64_t count,
                           const struct asked_text *text, const char *language,
                           struct err *err) {
    struct tokenization_reader *readers = arena_array(arena, count, sizeof *readers);
    for (int64_t i = 0; i < count; i++) {
        readers[i] = (struct tokenization_reader){ models[i].model, models[i].handle };
    }
    return count == 1 ? tokenization(arena, models->model, models->handle, text->bytes,
                                     text->length, language, err)
                      : tokenization_compare(arena, readers, count, text->bytes, text->length,
                                             language, err);
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t text_count, model_count;
    const struct asked_text *texts = asked_texts(session, line, &text_count, err);
    const struct loaded *models = texts ? asked_models(session, line, &model_count, err) : NULL;
    if (!models || asked_pictures(line, text_count, err) < 0 ||
        asked_check_name(line, err) < 0) {
        return err_pass(err);
    }
    const char *language = asked_language(session, line);
    for (int64_t i = 0; i < text_count; i++) {
        struct arena **own = session_result_arena(session);
        const struct result *result = look(*own, models, model_count, &texts[i], language, err);
        if (!result) {
            asked_point(err, &texts[i]);
            return err_pass(err);
        }
        if (asked_show(session, reply, result, NULL, language, err) < 0) {
            return err_pass(err);
        }
        asked_keep(session, line, i, text_count, own, result);
    }
    return 0;
}

static const struct option options[] = {
    ASKED_MODEL, ASKED_DATA, ASKED_WHOLE, ASKED_AS, ASKED_LANG, { 0 },
};

const struct command cmd_tokens = {
    .name = "tokens",
    .group = "what does it read and say",
    .words = "",
    .summary = "how the model cuts a text into tokens",
    .summary_zh = "模型怎样把文本切成词元",
    .help = "Shows for each line of text the tokens the model gets: their numbers in its "
            "vocabulary (id),\n"
            "how the vocabulary spells them, the bytes of the text they stand for, the word "
            "they belong to,\n"
            "and which were added (special), such as [CLS] or <s>.\n"
            "\n"
            "How to read it: a word in many pieces is rare in the text the vocabulary was made "
            "from; a model\n"
            "often knows less of it. ## continues a word (WordPiece); Ġ is a blank before the "
            "word (BPE). A\n"
            "character in several tokens, such as an emoji, is cut into bytes.\n"
            "--model a,b draws one text as each model cuts it, aligned, with bytes a token and "
            "tokens a\n"
            "word (fertility; Rust and others 2021, arXiv:2012.15613): more bytes a token fit "
            "more text in.\n"
            "\n"
            "What it cannot tell: what the model makes of the pieces. Words are cut by this "
            "program, by\n"
            "letters and blanks; the model knows only tokens.",
    .help_zh =
        "逐行显示模型得到的词元：在词表中的编号（id）、词表里的拼写、对应文本的哪些字节"
        "、属于哪个词，\n"
        "以及哪些是附加的特殊词元（special），如 [CLS]、<s>。\n"
        "\n"
        "怎样读：被切成许多片的词，在制作词表的语料里少见，模型往往也不太认识。## "
        "表示接着前面的词\n"
        "（WordPiece），Ġ "
        "表示词前有空格（BPE）。一个字符占几个词元（如表情符号），是按字节切开的。\n"
        "--model a,b 把同一段文本按各个模型的切法上下对齐，并给出每词元字节数和每词词元数\n"
        "（fertility，Rust 等 "
        "2021，arXiv:2012.15613）：每词元的字节越多，同样长度能读的文本越多。\n"
        "\n"
        "它不能说明什么：模型怎样理解这些片段。词的边界由本程序按字母和空格划分，模型只"
        "认词元。",
    .example = "%%tokens\nUntranslatable words 翻译不了",
    .needs = "%model load minilm",
    .body = true,
    .options = options,
    .run = run,
};
