#include "core/explain/site_info.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/nearest.h"
#include "core/explain/moments.h"
#include "core/result/column.h"

/* Which parts make a site; PART_COUNT ends the list. Those of a parallel or a sandwich block
 * that are not there are simply not found. */
enum { FEEDS = 14 };

struct meaning {
    const char *en, *zh;
    enum part parts[FEEDS];
    bool before; /* parts stand in the block before; at 0 what comes before the blocks */
};

#define ATTENTION_PARTS                                                                 \
    PART_BEFORE_ATTENTION, PART_QUERY, PART_KEY, PART_QUERY_KEY_VALUE, PART_QUERY_NORM, \
        PART_KEY_NORM

/* Of the encoder, or of the only stack; the decoder's mean the same. */
static const struct meaning meanings[SITE_COUNT] = {
    [SITE_EMBED] = { "the word embedding of each token alone, before positions and norms",
                     "每个词元的词嵌入本身，还没有加位置和归一化",
                     { PART_WORDS, PART_COUNT } },
    [SITE_RESIDUAL] = { "the residual stream that the block reads: all that is known of each "
                        "token so far",
                        "这一层读到的残差流：到此为止关于每个词元的全部信息",
                        { PART_OUTPUT, PART_AFTER_ATTENTION, PART_CROSS_OUTPUT, PART_DOWN,
                          PART_AFTER_MLP, PART_COUNT },
                        .before = true },
    [SITE_QUERY] = { "queries: what each token looks for, as attention uses them",
                     "查询：每个词元在找什么，即注意力实际使用的值",
                     { PART_BEFORE_ATTENTION, PART_QUERY, PART_QUERY_KEY_VALUE, PART_QUERY_NORM,
                       PART_COUNT } },
    [SITE_KEY] = { "keys: what each token can be found by",
                   "键：每个词元凭什么被找到",
                   { PART_BEFORE_ATTENTION, PART_KEY, PART_QUERY_KEY_VALUE, PART_KEY_NORM,
                     PART_COUNT } },
    [SITE_VALUE] = { "values: what a token hands over to those that look at it",
                     "值：词元交给看它的词元的内容",
                     { PART_BEFORE_ATTENTION, PART_VALUE, PART_QUERY_KEY_VALUE, PART_COUNT } },
    [SITE_ATTENTION] = { "the attention pattern: how much each token (row) looks at each "
                         "(column); rows sum to 1",
                         "注意力权重：每个词元（行）看每个词元（列）的程度，每行之和为 1",
                         { ATTENTION_PARTS, PART_DISTANCES, PART_COUNT } },
    [SITE_MIXED] = { "what each head read: values mixed by the pattern (z)",
                     "每个头读到的内容：按注意力权重混合的值（z）",
                     { ATTENTION_PARTS, PART_VALUE, PART_DISTANCES, PART_COUNT } },
    [SITE_ATTENTION_OUT] = { "what attention adds to the residual stream",
                             "注意力加到残差流上的内容",
                             { PART_OUTPUT, PART_COUNT } },
    [SITE_MIDDLE] = { "the residual stream between attention and feed-forward",
                      "注意力与前馈之间的残差流",
                      { PART_OUTPUT, PART_AFTER_ATTENTION, PART_CROSS_OUTPUT, PART_COUNT } },
    [SITE_NEURONS] = { "the feed-forward neurons, after their activation (and gate)",
                       "前馈神经元，激活（和门控）之后",
                       { PART_BEFORE_MLP, PART_GATE, PART_UP, PART_GATE_AND_UP, PART_COUNT } },
    [SITE_MLP_OUT] = { "what the feed-forward part adds to the residual stream",
                       "前馈部分加到残差流上的内容",
                       { PART_DOWN, PART_COUNT } },
    [SITE_FINAL] = { "what the head gets: the last residual stream after the final norm",
                     "输出头得到的内容：最后的残差流，经过最后的归一化",
                     { PART_FINAL_NORM, PART_OUT_OF, PART_COUNT } },
    [SITE_LOGITS] = { "the scores before the softmax",
                      "softmax 之前的得分",
                      { PART_HEAD_HIDDEN, PART_HEAD_NORM, PART_HEAD, PART_COUNT } },
    [SITE_CROSS_ATTENTION] = { "cross-attention: how much each token that is written (row) "
                               "looks at each of the source (column)",
                               "交叉注意力：每个写出的词元（行）看源文本每个词元（列）的程度",
                               { PART_BEFORE_CROSS, PART_CROSS_QUERY, PART_CROSS_KEY,
                                 PART_COUNT } },
    [SITE_OUTPUT] = { "what the recurrent layer gives at every token",
                      "循环层在每个词元处的输出",
                      { PART_INPUT, PART_STATE, PART_COUNT } },
    [SITE_CELL] = { "the cell states of the LSTM layer: its longer memory",
                    "LSTM 层的细胞状态：较长的记忆",
                    { PART_INPUT, PART_STATE, PART_COUNT } },
};

/* What is asked about. */
struct asked {
    struct arena *arena;
    const struct model *model;
    const struct inventory *inventory;
    const char *name;
    bool zh;
    const char *language;
    enum site site; /* SITE_COUNT: not a site */
    int64_t layer;
    const struct item **items; /* [count] */
    int64_t count;
};

/* ---- sites ---- */

static bool is_decoders(enum site site) {
    return (site >= SITE_DECODER && site < SITE_CROSS_ATTENTION) ||
           site == SITE_CROSS_ATTENTION;
}

/* The encoder's site that means the same. */
static enum site plain(enum site site) {
    return is_decoders(site) && site != SITE_CROSS_ATTENTION ? (enum site)(site - SITE_DECODER)
                                                             : site;
}

static bool is_layered(enum site site) {
    enum site same = plain(site);
    return same != SITE_EMBED && same != SITE_FINAL && same != SITE_LOGITS;
}

/* How many layers have the site; the stream has one place more. */
static int64_t places(const struct model *model, enum site site) {
    const struct config *c = model->config;
    int64_t layers = is_decoders(site) ? c->decoder_layers : c->layers;
    return !is_layered(site) ? 1 : layers + (plain(site) == SITE_RESIDUAL);
}

/* Whether the model, as it was opened, ever runs through the site. */
static bool has(const struct model *model, enum site site) {
    return model_has(model, site) && (!is_decoders(site) || model_decodes(model));
}

/* "blocks.3.hook_resid_post" is the stream that the next block reads. */
static const char *as_pre(struct arena *arena, const char *name) {
    size_t n = strlen(name), m = strlen("hook_resid_post");
    const char *number = strchr(name, '.');
    if (n < m || strcmp(name + n - m, "hook_resid_post") != 0 || !number) {
        return name;
    }
    char *end;
    long layer = strtol(number + 1, &end, 10);
    if (end == number + 1 || *end != '.' || layer < 0 || layer > 1000000) {
        return name;
    }
    return arena_printf(arena, "%.*s%ld.hook_resid_pre", (int)(number + 1 - name), name,
                        layer + 1);
}

static void site_find(struct asked *asked) {
    const char *name = as_pre(asked->arena, asked->name);
    asked->site = SITE_COUNT;
    for (int s = 0; s < SITE_COUNT; s++) {
        enum site site = (enum site)s;
        int64_t n = has(asked->model, site) ? places(asked->model, site) : 0;
        for (int64_t l = 0; l < n; l++) {
            if (strcmp(site_name(asked->arena, site, l), name) == 0) {
                asked->site = site;
                asked->layer = l;
                return;
            }
        }
    }
}

static bool is_listed(const struct item *item, const enum part *parts) {
    while (*parts != PART_COUNT && *parts != item->part) {
        parts++;
    }
    return *parts == item->part && item->part != PART_COUNT;
}

static void site_items(struct asked *asked, enum site site, int64_t at) {
    static const enum part embedding[] = { PART_WORDS,     PART_TYPES,         PART_INTO,
                                           PART_POSITIONS, PART_EMBEDDED_NORM, PART_COUNT };
    const struct meaning *meaning = &meanings[plain(site)];
    int64_t layer = at - meaning->before;
    bool begins = meaning->before && layer < 0, decoder = is_decoders(site);
    for (int64_t i = 0; i < asked->inventory->count; i++) {
        const struct item *item = &asked->inventory->items[i];
        bool here = item->layer < 0 || begins || item->layer == layer;
        here = here && (item->decoder == decoder || part_kind(item->part) == PART_OF_HEAD ||
                        item->part == PART_HEAD_NORM);
        if (here && is_listed(item, begins ? embedding : meaning->parts)) {
            asked->items[asked->count++] = item;
        }
    }
}

/* Where no norm follows the blocks, what the head gets is the last block's stream. */
static int site_feed(struct asked *asked, struct err *err) {
    const struct config *c = asked->model->config;
    site_items(asked, asked->site, asked->layer);
    if (asked->count == 0 && plain(asked->site) == SITE_FINAL) {
        bool decoder = is_decoders(asked->site);
        site_items(asked, decoder ? SITE_DECODER_RESIDUAL : SITE_RESIDUAL,
                   decoder ? c->decoder_layers : c->layers);
    }
    if (asked->count == 0) {
        return err_set(err, ERR_OPTION,
                       "%s has no %s: its file (%s) holds no head for words or classes",
                       asked->model->arch->name, asked->name, asked->model->task);
    }
    return 0;
}

/* "[B, 12, T, T]": letters for what a run decides, numbers for what the model has. */
static const char *shape_of(const struct asked *asked) {
    const struct model *model = asked->model;
    const struct config *c = model->config;
    const char *t = is_decoders(asked->site) ? "U" : "T";
    long long heads = c->heads, groups = c->kv_heads, each = c->head_width;
    switch (plain(asked->site)) {
    case SITE_QUERY:
    case SITE_MIXED:
        return arena_printf(asked->arena, "[B, %s, %lld × %lld]", t, heads, each);
    case SITE_KEY:
    case SITE_VALUE:
        return arena_printf(asked->arena, "[B, %s, %lld × %lld]", t, groups, each);
    case SITE_ATTENTION:
        return arena_printf(asked->arena, "[B, %lld, %s, %s]", heads, t, t);
    case SITE_CROSS_ATTENTION:
        return arena_printf(asked->arena, "[B, %lld, U, T]", heads);
    case SITE_NEURONS:
        return arena_printf(asked->arena, "[B, %s, %lld]", t, (long long)c->inner);
    case SITE_EMBED:
        return arena_printf(asked->arena, "[B, %s, %lld]", t,
                            (long long)model_words(model)->shape[1]);
    case SITE_FINAL:
        return arena_printf(asked->arena, "[B, %s, %lld]", t,
                            (long long)model_final_width(model));
    case SITE_LOGITS:
        return c->labels > 0 && strcmp(model->task, "classification") == 0
                   ? arena_printf(asked->arena, "[B, %lld]", (long long)c->labels)
                   : arena_printf(asked->arena, "[B, %s, %lld]",
                                  model_decodes(model) ? "U" : "T", (long long)c->vocab);
    default:
        return arena_printf(asked->arena, "[B, %s, %lld]", t, (long long)c->width);
    }
}

/* ---- blocks and tensors ---- */

/* "blocks.3", "decoder.3", "layers.3": the number; -1 if the name is not of this form. */
static int64_t block_number(const char *name, bool *decoder) {
    static const char *const words[] = { "blocks.", "layers.", "decoder." };
    for (int w = 0; w < 3; w++) {
        size_t n = strlen(words[w]);
        if (strncmp(name, words[w], n) == 0 && name[n] &&
            strspn(name + n, "0123456789") == strlen(name + n) && strlen(name + n) < 10) {
            *decoder = w == 2;
            return strtoll(name + n, NULL, 10);
        }
    }
    return -1;
}

/* Whether the name is the tensor's, or its beginning up to a dot. */
static bool begins(const char *tensor, const char *name) {
    size_t n = strlen(name);
    return n > 0 && strncmp(tensor, name, n) == 0 &&
           (tensor[n] == '\0' || tensor[n] == '.' || name[n - 1] == '.');
}

/* The file's own names count first, so that "layers.3" is what the file calls so. */
static void items_find(struct asked *asked) {
    bool decoder = false;
    int64_t number = block_number(asked->name, &decoder);
    for (int64_t i = 0; i < asked->inventory->count; i++) {
        const struct item *item = &asked->inventory->items[i];
        if (!item->tied && begins(item->tensor->name, asked->name)) {
            asked->items[asked->count++] = item;
        }
    }
    for (int64_t i = 0; number >= 0 && asked->count == 0 && i < asked->inventory->count; i++) {
        while (i < asked->inventory->count && asked->inventory->items[i].layer == number &&
               asked->inventory->items[i].decoder == decoder) {
            asked->items[asked->count++] = &asked->inventory->items[i++];
        }
    }
}

/* ---- a name that is none ---- */

const char **site_info_names(struct arena *arena, const struct model *model) {
    int64_t most = model->weights->count + 1, n = 0;
    for (int s = 0; s < SITE_COUNT; s++) {
        most += has(model, (enum site)s) ? places(model, (enum site)s) : 0;
    }
    const char **names = arena_array(arena, most, sizeof *names);
    for (int s = 0; s < SITE_COUNT; s++) {
        int64_t of = has(model, (enum site)s) ? places(model, (enum site)s) : 0;
        for (int64_t l = 0; l < of; l++) {
            names[n++] = site_name(arena, (enum site)s, l);
        }
    }
    for (int64_t i = 0; i < model->weights->count; i++) {
        names[n++] = model->weights->tensors[i].name;
    }
    return names;
}

/* "blocks.99" and "blocks.99.hook_resid_mid" of a model with fewer: how many there are. -1 with
 * the error; 0: something else is wrong. */
static int refuse_block(const struct asked *asked, struct err *err) {
    static const char *const words[] = { "blocks.", "layers.", "decoder." };
    const struct config *c = asked->model->config;
    for (int w = 0; w < 3; w++) {
        size_t n = strlen(words[w]);
        bool here = strncmp(asked->name, words[w], n) == 0 && asked->name[n] >= '0' &&
                    asked->name[n] <= '9';
        int64_t blocks = w < 2                         ? c->layers
                         : model_decodes(asked->model) ? c->decoder_layers
                                                       : 0;
        if (here && blocks > 0 && strtoll(asked->name + n, NULL, 10) >= blocks) {
            char quoted[80];
            return err_set(err, ERR_OPTION,
                           "%s is no part of this model, which has %s0 to %s%lld",
                           err_quote(quoted, sizeof quoted, asked->name, strlen(asked->name)),
                           words[w], words[w], (long long)blocks - 1);
        }
    }
    return 0;
}

static int refuse(const struct asked *asked, struct err *err) {
    enum { SHOWN = 4 };
    if (refuse_block(asked, err) < 0) {
        return -1;
    }
    const char **names = site_info_names(asked->arena, asked->model);
    const char *nearest = nearest_name(asked->name, names);
    struct buf *like = buf_new(asked->arena);
    char quoted[80];
    int shown = 0;
    for (int64_t i = 0; !nearest && names[i] && *asked->name && shown < SHOWN; i++) {
        if (strcasestr(names[i], asked->name)) {
            buf_printf(like, "%s%s", shown++ ? ", " : "", names[i]);
        }
    }
    for (int64_t i = 0; !nearest && !shown && names[i] && i < SHOWN; i++) {
        buf_printf(like, "%s%s", i ? ", " : "", names[i]);
    }
    return err_set(err, ERR_OPTION,
                   "%s is no part of this model; %s %s; sites are called as in "
                   "TransformerLens, tensors as in the file, and %%info shows them all",
                   err_quote(quoted, sizeof quoted, asked->name, strlen(asked->name)),
                   nearest ? "did you mean"
                   : shown ? "names that have this in them are"
                           : "parts are, among others,",
                   nearest ? nearest : like->data);
}

/* ---- the result ---- */

static struct result *table_of(const struct asked *asked) {
    static const char *const named[] = { "part", "shape", "type", "numbers" };
    static const char *const plain_ones[] = { "mean", "deviation", "smallest",  "largest",
                                              "norm", "zeros",     "not finite" };
    struct arena *arena = asked->arena;
    struct axis axis = { "tensor", asked->count,
                         arena_array(arena, asked->count, sizeof(char *)) };
    struct result *result = result_new(arena, "table", 11);
    const char **texts[4];
    float *numbers[7];
    for (int i = 0; i < 4; i++) {
        texts[i] = column_named(arena, result, i, named[i], &axis);
    }
    for (int i = 0; i < 7; i++) {
        numbers[i] = column_new(arena, result, 4 + i, plain_ones[i], "", &axis);
    }
    for (int64_t r = 0; r < asked->count; r++) {
        const struct item *item = asked->items[r];
        struct moments m = moments_of(item->tensor);
        const double seen[] = { m.mean, m.deviation,     m.low,        m.high,
                                m.norm, (double)m.zeros, (double)m.bad };
        axis.labels[r] = arena_copy(arena, item->tensor->name);
        texts[0][r] = part_name(item->part, asked->language);
        texts[1][r] = column_shape(arena, item->tensor);
        texts[2][r] = dtype_name(item->tensor->dtype);
        texts[3][r] = column_whole(arena, m.count);
        result->series[3].values->data[r] = (float)m.count;
        for (int i = 0; i < 7; i++) {
            numbers[i][r] = (float)seen[i];
        }
    }
    return result;
}

/* NaN in weights makes everything NaN: which tensor has them comes first. */
static const char *bad_text(const struct asked *asked, const struct result *result) {
    const struct series *bad = &result->series[10];
    for (int64_t r = 0; r < asked->count; r++) {
        if (bad->values->data[r] > 0) {
            return arena_printf(asked->arena,
                                asked->zh ? " %s 里有 %.0f 个数是 NaN 或无穷。"
                                          : " %s holds %.0f numbers that are NaN or infinite.",
                                bad->axes[0].labels[r], (double)bad->values->data[r]);
        }
    }
    return "";
}

static const char *site_text(const struct asked *asked) {
    const struct meaning *meaning = &meanings[plain(asked->site)];
    return arena_printf(asked->arena,
                        asked->zh ? "%s，形状 %s：%s。由 %lld 个张量得到。"
                        : asked->count == 1 ? "%s has shape %s: %s. %lld tensor makes it."
                                            : "%s has shape %s: %s. %lld tensors make it.",
                        asked->name, shape_of(asked), asked->zh ? meaning->zh : meaning->en,
                        (long long)asked->count);
}

/* One tensor is called by its part, several are counted. */
static const char *items_text(const struct asked *asked) {
    int64_t numbers = 0, bytes = 0;
    for (int64_t r = 0; r < asked->count; r++) {
        numbers += tensor_count(asked->items[r]->tensor);
        bytes += tensor_bytes(asked->items[r]->tensor);
    }
    const char *what =
        asked->count == 1
            ? part_name(asked->items[0]->part, asked->language)
            : arena_printf(asked->arena, asked->zh ? "%lld 个张量" : "%lld tensors",
                           (long long)asked->count);
    return arena_printf(
        asked->arena, asked->zh ? "%s：%s，%s 个数，%.3g MB。" : "%s: %s, %s numbers, %.3g MB.",
        asked->name, what, column_whole(asked->arena, numbers), (double)bytes / 1e6);
}

static void describe(const struct asked *asked, const char *handle, struct result *result) {
    bool site = asked->site != SITE_COUNT, zh = asked->zh;
    result->title =
        arena_printf(asked->arena, zh ? "%2$s 的 %1$s" : "%s of %s", asked->name, handle);
    result->finding =
        arena_printf(asked->arena, "%s%s", site ? site_text(asked) : items_text(asked),
                     bad_text(asked, result));
    result->caption =
        !site ? ""
        : zh
            ? "B 是文本数，T（解码器里 U）是词元数。表中是得到它的权重。"
            : "B texts of T tokens (U in a decoder). The table shows the weights that make it.";
    result->model = arena_copy(asked->arena, handle);
    result->fingerprint = arena_copy(asked->arena, asked->model->weights->fingerprint);
    result->method = "weights";
    result->dtype = arena_copy(asked->arena, asked->model->dtype);
}

struct result *site_info(struct arena *arena, const struct model *model, const char *handle,
                         const char *name, const char *language, struct err *err) {
    struct asked asked = { .arena = arena,
                           .model = model,
                           .inventory = inventory_of(arena, model),
                           .name = name,
                           .zh = language && strncmp(language, "zh", 2) == 0,
                           .language = language };
    asked.items = arena_array(arena, asked.inventory->count, sizeof *asked.items);
    site_find(&asked);
    if (asked.site != SITE_COUNT && site_feed(&asked, err) < 0) {
        err_pass(err);
        return NULL;
    }
    if (asked.site == SITE_COUNT) {
        items_find(&asked);
    }
    if (asked.site == SITE_COUNT && asked.count == 0) {
        refuse(&asked, err);
        return NULL;
    }
    struct result *result = table_of(&asked);
    describe(&asked, handle, result);
    return result;
}

/* ---- all places ---- */

static const char *short_name(struct arena *arena, enum site site) {
    static const char *const names[SITE_COUNT] = {
        [SITE_EMBED] = "embedding",
        [SITE_RESIDUAL] = "residual",
        [SITE_QUERY] = "query",
        [SITE_KEY] = "key",
        [SITE_VALUE] = "value",
        [SITE_ATTENTION] = "attention",
        [SITE_MIXED] = "mixed",
        [SITE_ATTENTION_OUT] = "attention out",
        [SITE_MIDDLE] = "middle",
        [SITE_NEURONS] = "neurons",
        [SITE_MLP_OUT] = "feed-forward out",
        [SITE_FINAL] = "final",
        [SITE_LOGITS] = "logits",
        [SITE_CROSS_ATTENTION] = "cross-attention",
        [SITE_OUTPUT] = "output",
        [SITE_CELL] = "cell",
    };
    bool decoder = is_decoders(site) && site != SITE_CROSS_ATTENTION;
    return arena_printf(arena, "%s%s", decoder ? "decoder " : "", names[plain(site)]);
}

/* "12 heads × query × key": what one run over one text has there. */
static const char *shape_words(struct arena *arena, const struct model *model, enum site site) {
    const struct config *c = model->config;
    enum site same = plain(site);
    bool keys = same == SITE_KEY || same == SITE_VALUE;
    switch (same) {
    case SITE_ATTENTION:
    case SITE_CROSS_ATTENTION:
        return arena_printf(arena, "%lld heads × query × key", (long long)c->heads);
    case SITE_QUERY:
    case SITE_MIXED:
    case SITE_KEY:
    case SITE_VALUE:
        return arena_printf(arena, "token × %lld heads × %lld",
                            (long long)(keys ? c->kv_heads : c->heads),
                            (long long)c->head_width);
    case SITE_NEURONS:
        return arena_printf(arena, "token × %lld neurons", (long long)c->inner);
    case SITE_EMBED:
        return arena_printf(arena, "token × %lld", (long long)model_words(model)->shape[1]);
    case SITE_FINAL:
        return arena_printf(arena, "token × %lld", (long long)model_final_width(model));
    case SITE_LOGITS:
        return c->labels > 0 && strcmp(model->task, "classification") == 0
                   ? arena_printf(arena, "%lld classes", (long long)c->labels)
                   : arena_printf(arena, "token × %lld words", (long long)c->vocab);
    default:
        return arena_printf(arena, "token × %lld", (long long)c->width);
    }
}

/* The sites of one stack: what comes before its blocks, block after block, what comes after. */
static int64_t stack_places(struct arena *arena, const struct model *model, bool decoder,
                            struct site_place *out) {
    const struct config *c = model->config;
    int64_t layers = decoder ? c->decoder_layers : c->layers, n = 0;
    for (int64_t at = -1; at <= layers + 1; at++) {
        for (int s = 0; s < SITE_COUNT; s++) {
            enum site site = (enum site)s;
            bool alone = !is_layered(site), first = plain(site) == SITE_EMBED;
            bool here =
                alone ? at == (first ? -1 : layers + 1) : at >= 0 && at < places(model, site);
            if (here && has(model, site) && is_decoders(site) == decoder) {
                int64_t layer = alone ? -1 : at;
                out[n++] = (struct site_place){ site_name(arena, site, alone ? 0 : at),
                                                short_name(arena, site), layer,
                                                shape_words(arena, model, site) };
            }
        }
    }
    return n;
}

struct site_place *site_places(struct arena *arena, const struct model *model, int64_t *count) {
    int64_t most = 1;
    for (int s = 0; s < SITE_COUNT; s++) {
        most += has(model, (enum site)s) ? places(model, (enum site)s) : 0;
    }
    struct site_place *all = arena_array(arena, most, sizeof *all);
    *count = stack_places(arena, model, false, all);
    *count += model_decodes(model) ? stack_places(arena, model, true, all + *count) : 0;
    return all;
}
