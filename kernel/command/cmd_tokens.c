#include <string.h>

#include "core/draw/table.h"
#include "core/text/pieces.h"
#include "core/text/words.h"
#include "kernel/command/asked.h"

/* The bytes that a token came from: "4-7", the last one not included; "" for added tokens. */
static const char *span(struct arena *arena, const struct token *token) {
    return token->begin == token->end
               ? ""
               : arena_printf(arena, "%lld-%lld", (long long)token->begin,
                              (long long)token->end);
}

static const char *finding(struct arena *arena, const char *handle,
                           const struct asked_text *text, const struct encoding *encoding,
                           const struct words *words, bool zh) {
    int64_t special = 0;
    for (int64_t i = 0; i < encoding->count; i++) {
        special += encoding->tokens[i].special;
    }
    return arena_printf(
        arena,
        zh ? "%s 把 %lld 个字符（%lld 个词）读成 %lld 个词元，其中 %lld 个是特殊词元。"
           : "%s reads %lld characters (%lld words) as %lld tokens, %lld of them special.",
        handle, (long long)text->at.length, (long long)(words->count - special),
        (long long)encoding->count, (long long)special);
}

static const struct bundle *tokens_table(struct arena *arena, const struct loaded *one,
                                         const struct asked_text *text,
                                         const struct encoding *encoding, bool zh) {
    static const char *const heads[] = { "#",    "token",   "spelling", "bytes",
                                         "word", "special", "id" };
    static const char *const heads_zh[] = { "#", "词元", "拼写", "字节", "词", "特殊", "id" };
    const struct tokenizer *tokenizer = one->model->tokenizer;
    const struct words *words = words_of(arena, tokenizer, encoding, text->bytes, text->length);
    const char **labels = pieces_labels(arena, tokenizer, encoding, text->bytes);
    struct figure_table *rows = table_new(arena, 7, encoding->count, zh ? heads_zh : heads);
    for (int64_t i = 0; i < encoding->count; i++) {
        const struct token *token = &encoding->tokens[i];
        table_set(rows, i, 0, arena_printf(arena, "%lld", (long long)i));
        table_set(rows, i, 1, labels[i]);
        table_set(rows, i, 2, tokenizer_spelling(tokenizer, token->id));
        table_set(rows, i, 3, span(arena, token));
        table_set(rows, i, 4, token->special ? "" : words->labels[words->of[i]]);
        table_set(rows, i, 5, token->special ? zh ? "是" : "yes" : "");
        table_set(rows, i, 6, arena_printf(arena, "%d", token->id));
    }
    return table_bundle(
        arena, finding(arena, one->handle, text, encoding, words, zh), rows,
        zh ? "词元：给人看的写法（␣ 是空格，猫₁ 猫₂ 是同一个字的片段）；拼写：词表里的"
             "写法；字节：在文本中的位置。"
           : "token: as people read it (␣ a blank, 猫₁ 猫₂ pieces of one "
             "character); spelling: as the vocabulary has it; bytes: "
             "where it stands in the text.");
}

static int show(struct session *session, const struct loaded *one,
                const struct asked_text *text, bool zh, struct reply *reply, struct err *err) {
    struct arena *arena = session_arena(session);
    if (model_reads_text(one->model, err) < 0) {
        return err_pass(err);
    }
    const struct encoding *encoding = tokenizer_encode(
        arena, one->model->tokenizer, text->bytes, text->length, NULL, 0, true, err);
    if (!encoding) {
        asked_point(err, text);
        return err_pass(err);
    }
    reply_bundle(reply, tokens_table(arena, one, text, encoding, zh), NULL, false);
    return 0;
}

static int run(struct session *session, const struct cell_line *line, struct reply *reply,
               struct err *err) {
    int64_t text_count, model_count;
    const struct asked_text *texts =
        asked_texts(session, line, &text_count, err);
    const struct loaded *models = texts ? asked_models(session, line, &model_count, err) : NULL;
    if (!models) {
        return err_pass(err);
    }
    bool zh = strcmp(asked_language(session, line), "zh") == 0;
    for (int64_t i = 0; i < text_count * model_count; i++) {
        if (show(session, &models[i % model_count], &texts[i / model_count], zh, reply, err) <
            0) {
            return err_pass(err);
        }
    }
    return 0;
}

static const struct option options[] = {
    ASKED_MODEL,
    ASKED_DATA,
    ASKED_LANG,
    { 0 },
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
            "\n"
            "What it cannot tell: what the model makes of the pieces. Words are cut by this "
            "program, by\n"
            "letters and blanks; the model knows only tokens.",
    .help_zh = "逐行显示模型得到的词元：在词表中的编号（id）、词表里的拼写、对应文本的哪些字节"
               "、属于哪个词，\n"
               "以及哪些是附加的特殊词元（special），如 [CLS]、<s>。\n"
               "\n"
               "怎样读：被切成许多片的词，在制作词表的语料里少见，模型往往也不太认识。## "
               "表示接着前面的词\n"
               "（WordPiece），Ġ "
               "表示词前有空格（BPE）。一个字符占几个词元（如表情符号），是按字节切开的。\n"
               "\n"
               "它不能说明什么：模型怎样理解这些片段。词的边界由本程序按字母和空格划分，模型只"
               "认词元。",
    .example = "%%tokens\nUntranslatable words 翻译不了",
    .needs = "%model load minilm",
    .body = true,
    .options = options,
    .run = run,
};
