#include "kernel/command/model_card.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/draw/table.h"
#include "core/explain/anatomy.h"
#include "core/result/column.h"
#include "kernel/command/asked.h"

const char *model_card_number(struct arena *arena, int64_t n, bool zh) {
    if (zh) {
        return n >= 100000000 ? arena_printf(arena, "%.2f 亿", (double)n / 1e8)
               : n >= 10000   ? arena_printf(arena, "%.0f 万", (double)n / 1e4)
                              : arena_printf(arena, "%lld", (long long)n);
    }
    return n >= 1000000000 ? arena_printf(arena, "%.2f billion", (double)n / 1e9)
           : n >= 1000000  ? arena_printf(arena, "%.1f million", (double)n / 1e6)
                           : arena_printf(arena, "%lld", (long long)n);
}

/* NULL for 0: the model has no such thing. */
static const char *in_digits(struct arena *arena, int64_t n) {
    return n > 0 ? arena_printf(arena, "%lld", (long long)n) : NULL;
}

static const char *megabytes(struct arena *arena, int64_t bytes) {
    return bytes >= 1000000 ? arena_printf(arena, "%.1f MB", (double)bytes / 1e6)
                            : arena_printf(arena, "%.1f kB", (double)bytes / 1e3);
}

/* "Q4_1 × 210 (66.4 MB), F32 × 61 (140.5 kB)": what is stored as what. */
static const char *types_of(struct arena *arena, const struct weights *weights) {
    int64_t bytes[DTYPE_COUNT] = { 0 }, tensors[DTYPE_COUNT] = { 0 };
    struct buf *out = buf_new(arena);
    for (int64_t i = 0; i < weights->count; i++) {
        bytes[weights->tensors[i].dtype] += tensor_bytes(&weights->tensors[i]);
        tensors[weights->tensors[i].dtype]++;
    }
    for (;;) {
        int most = 0;
        for (int t = 1; t < DTYPE_COUNT; t++) {
            most = bytes[t] > bytes[most] ? t : most;
        }
        if (bytes[most] == 0) {
            return out->data;
        }
        buf_printf(out, "%s%s × %lld (%s)", out->length ? ", " : "",
                   dtype_name((enum dtype)most), (long long)tensors[most],
                   megabytes(arena, bytes[most]));
        bytes[most] = 0;
    }
}

static int by_place(const void *a, const void *b) {
    const struct file_piece *x = a, *y = b;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* "91.0 MB, 22.3 MB of them in memory now" */
static const char *mapped_of(struct arena *arena, const struct weights *weights, bool zh) {
    struct file_piece *pieces = arena_array(arena, weights->count, sizeof *pieces);
    struct memory_mapped told;
    for (int64_t i = 0; i < weights->count; i++) {
        pieces[i] = (struct file_piece){ weights->tensors[i].bytes,
                                         (size_t)tensor_bytes(&weights->tensors[i]) };
    }
    qsort(pieces, (size_t)weights->count, sizeof *pieces, by_place);
    if (!memory_mapped(pieces, weights->count, &told) || told.mapped == 0) {
        return NULL;
    }
    return arena_printf(arena, zh ? "%s，其中 %s 现在在内存里" : "%s, %s of them in memory now",
                        megabytes(arena, told.mapped), megabytes(arena, told.resident));
}

static const char *size_of(struct arena *arena, const struct weights *weights, bool zh) {
    const char *size = megabytes(arena, weights->file_bytes);
    return weights->files == 1
               ? size
               : arena_printf(arena, zh ? "%s，%lld 个文件" : "%s in %lld files", size,
                              (long long)weights->files);
}

/* What %limit allows; NULL: it is off. */
static const char *limit_of(struct arena *arena, struct session *session) {
    long long bytes = strtoll(session_setting(session, "limit"), NULL, 10);
    return bytes > 0 ? arena_printf(arena, "%s (%%limit)", megabytes(arena, bytes)) : NULL;
}

static const struct bundle *settings_of(struct session *session, const struct loaded *one,
                                        bool zh) {
    struct arena *arena = session_arena(session);
    static const char *const heads[] = { "", "" };
    const struct model *model = one->model;
    const struct config *config = model->config;
    const struct {
        const char *name, *zh, *value;
    } rows[] = {
        { "kind", "种类",
          arena_printf(arena, "%s: %s", model->arch->name, model->arch->summary) },
        { "task", "任务", model->task },
        { "layers", "层数", in_digits(arena, config->layers) },
        { "decoder layers", "解码器层数",
          in_digits(arena, model_decodes(model) ? config->decoder_layers : 0) },
        { "heads", "每层头数", in_digits(arena, config->heads) },
        { "key-value heads", "键值头数", in_digits(arena, config->kv_heads) },
        { "width of a head", "每个头的宽度",
          config->heads > 0 ? in_digits(arena, config->head_width) : NULL },
        { "width", "宽度", in_digits(arena, config->width) },
        { "inner width", "中间宽度", in_digits(arena, config->inner) },
        { "vocabulary", "词表大小", in_digits(arena, config->vocab) },
        { "longest text, tokens", "最长文本（词元）",
          config->context == 0 ? zh ? "不限" : "any" : in_digits(arena, config->context) },
        { "parameters", "参数个数", column_whole(arena, model->parameters) },
        { "stored as", "存储类型", types_of(arena, model->weights) },
        { "file size", "文件大小", size_of(arena, model->weights, zh) },
        { "mapped", "内存映射", mapped_of(arena, model->weights, zh) },
        { "memory limit", "内存上限", limit_of(arena, session) },
        { "tokenizer", "分词器",
          model->tokenizer ? tokenizer_kind(model->tokenizer)
          : zh             ? "无"
                           : "none" },
        { "chat template", "对话模板",
          model->chat      ? chat_name(model->chat->format)
          : model->no_chat ? zh ? "不认识" : "not known"
                           : NULL },
        { "fingerprint", "指纹", model->weights->fingerprint },
        { "file", "文件", file_shown(arena, one->path) },
    };
    int64_t count = 0;
    struct figure_table *made = table_new(arena, 2, sizeof rows / sizeof *rows, heads);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].value) {
            table_set(made, count, 0, zh ? rows[i].zh : rows[i].name);
            table_set(made, count++, 1, rows[i].value);
        }
    }
    made->rows = count;
    const char *finding = arena_printf(
        arena, zh ? "%s 是 %s 模型，有 %s个参数。" : "%s is a %s model with %s parameters.",
        one->handle, model->arch->name, model_card_number(arena, model->parameters, zh));
    return table_bundle(arena, finding, made, "");
}

int model_card_show(struct session *session, const struct cell_line *line,
                    const struct loaded *one, int64_t index, int64_t count, struct reply *reply,
                    struct err *err) {
    const char *language = asked_language(session, line);
    struct arena **own = session_result_arena(session);
    const struct result *result = anatomy(*own, one->model, one->handle, language);
    if (asked_show(session, reply, result, NULL, language, err) < 0) {
        return err_pass(err);
    }
    reply_bundle(reply, settings_of(session, one, strcmp(language, "zh") == 0), NULL, false);
    asked_keep(session, line, index, count, own, result);
    return 0;
}
