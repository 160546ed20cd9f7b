#include "core/explain/anatomy.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/result/column.h"

enum { LIKE_MOST = 16 /* sections that a block is compared with */ };

/* Blocks of one build, or what stands before, between and after them. */
struct section {
    const char *name;
    bool decoder;
    int64_t items;   /* of one copy */
    int64_t copies;  /* at least 1 */
    int64_t *starts; /* [copies] first item of each */
    int64_t *layers; /* [copies] */
};

/* One part: a weight and perhaps its bias. */
struct row {
    const struct section *section;
    int64_t section_number;
    int64_t weight, bias; /* items of a copy, from its start; bias -1: none */
};

struct body {
    struct arena *arena;
    const struct model *model;
    const struct inventory *inventory;
    bool zh;
    const char *language;
    struct section *sections;
    int64_t section_count;
    struct row *rows;
    int64_t count;
    int64_t unread; /* first item that no run reads */
};

/* ---- sections ---- */

static bool is_alike(const struct item *a, const struct item *b) {
    bool same = a->part == b->part && a->bias == b->bias && a->tied == b->tied &&
                a->tensor->rank == b->tensor->rank;
    for (int i = 0; same && i < a->tensor->rank; i++) {
        same = a->tensor->shape[i] == b->tensor->shape[i];
    }
    return same;
}

/* The section that has such blocks as the one of these items; NULL if there is none yet. */
static struct section *section_like(const struct body *body, int64_t begin, int64_t end) {
    const struct item *items = body->inventory->items;
    for (int64_t s = body->section_count - 1, tried = 0; s >= 0 && tried < LIKE_MOST; s--) {
        struct section *section = &body->sections[s];
        bool same = section->layers && section->decoder == items[begin].decoder &&
                    section->items == end - begin;
        for (int64_t i = 0; same && i < end - begin; i++) {
            same = is_alike(&items[section->starts[0] + i], &items[begin + i]);
        }
        if (same) {
            return section;
        }
        tried += section->layers != NULL;
    }
    return NULL;
}

static void section_join(struct body *body, struct section *section, int64_t begin) {
    if ((section->copies & (section->copies - 1)) == 0) {
        int64_t room = section->copies ? 2 * section->copies : 1;
        int64_t *starts = arena_array(body->arena, room, sizeof *starts);
        int64_t *layers = arena_array(body->arena, room, sizeof *layers);
        for (int64_t i = 0; i < section->copies; i++) {
            starts[i] = section->starts[i];
            layers[i] = section->layers[i];
        }
        section->starts = starts;
        section->layers = layers;
    }
    section->starts[section->copies] = begin;
    section->layers[section->copies++] = body->inventory->items[begin].layer;
}

/* Items begin..end are one block, or all that lies between two of them. */
static void section_add(struct body *body, int64_t begin, int64_t end) {
    const struct item *item = &body->inventory->items[begin];
    struct section *section = item->layer < 0 ? NULL : section_like(body, begin, end);
    if (!section) {
        section = &body->sections[body->section_count++];
        *section = (struct section){ .decoder = item->decoder, .items = end - begin };
    }
    section_join(body, section, begin);
    if (item->layer < 0) {
        section->layers = NULL;
    }
}

/* Which items stand together: blocks, embeddings, what follows the blocks, the head. */
static int64_t place_of(const struct item *item) {
    enum part_kind kind = part_kind(item->part);
    return item->layer >= 0 ? 2 + item->layer
           : kind == PART_OF_HEAD || item->part == PART_FINAL_NORM ||
                   item->part == PART_HEAD_NORM
               ? 1
               : 0;
}

static void sections_find(struct body *body) {
    const struct item *items = body->inventory->items;
    int64_t begin = 0;
    body->sections = arena_array(body->arena, body->unread + 1, sizeof *body->sections);
    for (int64_t i = 1; i <= body->unread; i++) {
        if (i == body->unread || items[i].decoder != items[begin].decoder ||
            place_of(&items[i]) != place_of(&items[begin])) {
            section_add(body, begin, i);
            begin = i;
        }
    }
}

/* "0–5", "0, 2, 4" (at most a few). */
static const char *layers_text(struct arena *arena, const struct section *section) {
    enum { RANGES = 4 };
    struct buf *out = buf_new(arena);
    int64_t shown = 0, i = 0;
    while (i < section->copies && shown++ < RANGES) {
        int64_t last = i;
        while (last + 1 < section->copies &&
               section->layers[last + 1] == section->layers[last] + 1) {
            last++;
        }
        buf_printf(out, "%s%lld", i ? ", " : "", (long long)section->layers[i]);
        if (last > i) {
            buf_printf(out, "–%lld", (long long)section->layers[last]);
        }
        i = last + 1;
    }
    buf_text(out, i < section->copies ? ", …" : "");
    return out->data;
}

static const char *section_name(const struct body *body, const struct section *section) {
    const struct item *first = &body->inventory->items[section->starts[0]];
    bool two = model_decodes(body->model), zh = body->zh, decoder = section->decoder;
    const char *of = !two      ? ""
                     : decoder ? zh ? "解码器" : "decoder "
                     : zh      ? "编码器"
                               : "encoder ";
    if (section->layers) {
        return arena_printf(body->arena, zh ? "%s第 %s 层" : "%s%s %s", of,
                            zh                    ? layers_text(body->arena, section)
                            : section->copies > 1 ? "blocks"
                                                  : "block",
                            layers_text(body->arena, section));
    }
    if (place_of(first) == 0) {
        return arena_printf(body->arena, zh ? "%s嵌入" : "%sembeddings", of);
    }
    bool head = false;
    for (int64_t i = 0; i < section->items; i++) {
        head = head || part_kind(first[i].part) == PART_OF_HEAD;
    }
    return arena_printf(body->arena, "%s%s", of,
                        head ? zh ? "输出头" : "head"
                        : zh ? "末端"
                             : "end");
}

/* ---- rows ---- */

static const struct item *item_at(const struct body *body, const struct row *row, int64_t copy,
                                  int64_t which) {
    return &body->inventory->items[row->section->starts[copy] + which];
}

static void rows_find(struct body *body) {
    body->rows = arena_array(body->arena, body->unread + 1, sizeof *body->rows);
    for (int64_t s = 0; s < body->section_count; s++) {
        struct section *section = &body->sections[s];
        const struct item *items = &body->inventory->items[section->starts[0]];
        section->name = section_name(body, section);
        for (int64_t i = 0; i < section->items; i++) {
            bool joins = i > 0 && items[i].bias && !items[i - 1].bias &&
                         items[i].part == items[i - 1].part;
            if (joins) {
                body->rows[body->count - 1].bias = i;
            } else {
                body->rows[body->count++] = (struct row){
                    .section = section, .section_number = s, .weight = i, .bias = -1
                };
            }
        }
    }
}

/* "Q4_1", "Q4_1 × 20, Q6_K × 10": the types of one tensor of all copies. */
static const char *types_of(const struct body *body, const struct row *row, int64_t which) {
    int64_t of[DTYPE_COUNT] = { 0 };
    struct buf *out = buf_new(body->arena);
    for (int64_t c = 0; c < row->section->copies; c++) {
        of[item_at(body, row, c, which)->tensor->dtype]++;
    }
    for (int left = DTYPE_COUNT; left > 0; left--) {
        int most = 0;
        for (int t = 1; t < DTYPE_COUNT; t++) {
            most = of[t] > of[most] ? t : most;
        }
        if (of[most] == 0) {
            break;
        }
        buf_printf(out, "%s%s", out->length ? ", " : "", dtype_name((enum dtype)most));
        if (of[most] < row->section->copies) {
            buf_printf(out, " × %lld", (long long)of[most]);
        }
        of[most] = 0;
    }
    return out->data;
}

static const char *type_text(const struct body *body, const struct row *row) {
    const char *weight = types_of(body, row, row->weight);
    const char *bias = row->bias < 0 ? weight : types_of(body, row, row->bias);
    return strcmp(weight, bias) == 0 ? weight
                                     : arena_printf(body->arena, "%s + %s", weight, bias);
}

static int64_t bytes_of(const struct body *body, const struct row *row) {
    int64_t bytes = 0;
    for (int64_t c = 0; c < row->section->copies; c++) {
        const struct item *weight = item_at(body, row, c, row->weight);
        bytes += weight->tied ? 0 : tensor_bytes(weight->tensor);
        bytes += row->bias < 0 ? 0 : tensor_bytes(item_at(body, row, c, row->bias)->tensor);
    }
    return bytes;
}

static int64_t parameters_of(const struct body *body, const struct row *row) {
    const struct item *weight = item_at(body, row, 0, row->weight);
    int64_t n = weight->counts ? tensor_count(weight->tensor) : 0;
    if (row->bias >= 0) {
        const struct item *bias = item_at(body, row, 0, row->bias);
        n += bias->counts ? tensor_count(bias->tensor) : 0;
    }
    return n;
}

/* The part whose numbers these are again; "" if they are its own. */
static const char *tied_text(const struct body *body, const struct row *row) {
    const struct item *weight = item_at(body, row, 0, row->weight);
    for (int64_t i = 0; weight->tied && i < body->unread; i++) {
        if (body->inventory->items[i].tensor == weight->tensor) {
            return part_name(body->inventory->items[i].part, body->language);
        }
    }
    return weight->part == PART_HEAD && !weight->counts ? part_name(PART_WORDS, body->language)
                                                        : "";
}

/* "encoder.layer.*.output.dense.weight": what differs between two copies becomes a star. */
static const char *tensor_text(const struct body *body, const struct row *row) {
    const char *name = item_at(body, row, 0, row->weight)->tensor->name;
    if (row->section->copies < 2) {
        return name;
    }
    const char *other = item_at(body, row, 1, row->weight)->tensor->name;
    size_t n = strlen(name), m = strlen(other), same = 0, tail = 0;
    while (name[same] && name[same] == other[same]) {
        same++;
    }
    while (tail < n - same && tail < m - same && name[n - 1 - tail] == other[m - 1 - tail]) {
        tail++;
    }
    return arena_printf(body->arena, "%.*s*%s", (int)same, name, name + n - tail);
}

/* ---- the result ---- */

/* All of its columns. */
struct columns {
    struct axis axis;
    float *parameters, *copies, *bytes, *sections, *kinds, *ties;
    const char **parameters_names, **bytes_names, **section_names, **shapes, **types, **tied,
        **tensors;
};

static struct columns columns_new(struct arena *arena, struct result *result, int64_t rows) {
    struct columns c = { .axis = { "part", rows, arena_array(arena, rows, sizeof(char *)) } };
    c.parameters_names = column_named(arena, result, 0, "parameters", &c.axis);
    c.copies = column_new(arena, result, 1, "copies", "", &c.axis);
    c.bytes_names = column_named(arena, result, 2, "bytes", &c.axis);
    c.section_names = column_named(arena, result, 3, "section", &c.axis);
    c.kinds = column_new(arena, result, 4, "kind", "", &c.axis);
    c.shapes = column_named(arena, result, 5, "shape", &c.axis);
    c.types = column_named(arena, result, 6, "type", &c.axis);
    c.tied = column_named(arena, result, 7, "tied", &c.axis);
    c.tensors = column_named(arena, result, 8, "tensor", &c.axis);
    c.parameters = result->series[0].values->data;
    c.bytes = result->series[2].values->data;
    c.sections = result->series[3].values->data;
    c.ties = result->series[7].values->data;
    return c;
}

static void put_numbers(struct arena *arena, struct columns *c, int64_t at, int64_t parameters,
                        int64_t bytes) {
    c->parameters[at] = (float)parameters;
    c->parameters_names[at] = column_whole(arena, parameters);
    c->bytes[at] = (float)bytes;
    c->bytes_names[at] = column_whole(arena, bytes);
}

static void put_row(const struct body *body, const struct row *row, struct columns *c,
                    int64_t at) {
    struct arena *arena = body->arena;
    const struct item *weight = item_at(body, row, 0, row->weight);
    const char *shape = column_shape(arena, weight->tensor);
    put_numbers(arena, c, at, parameters_of(body, row), bytes_of(body, row));
    c->axis.labels[at] = part_name(weight->part, body->language);
    c->copies[at] = (float)row->section->copies;
    c->sections[at] = (float)row->section_number;
    c->section_names[at] = row->section->name;
    c->kinds[at] = (float)part_kind(weight->part);
    c->shapes[at] =
        row->bias < 0
            ? shape
            : arena_printf(arena, "%s + %s", shape,
                           column_shape(arena, item_at(body, row, 0, row->bias)->tensor));
    c->types[at] = type_text(body, row);
    c->tied[at] = tied_text(body, row);
    c->ties[at] = (float)(*c->tied[at] != '\0');
    c->tensors[at] = arena_copy(arena, tensor_text(body, row));
}

/* What no run reads: the parameters among it as one row, the rest as another. */
static bool put_unread(const struct body *body, bool counts, struct columns *c, int64_t at) {
    struct arena *arena = body->arena;
    int64_t n = 0, parameters = 0, bytes = 0;
    const struct tensor *first = NULL;
    for (int64_t i = body->unread; i < body->inventory->count; i++) {
        const struct item *item = &body->inventory->items[i];
        if (item->counts == counts) {
            first = n++ ? first : item->tensor;
            parameters += counts ? tensor_count(item->tensor) : 0;
            bytes += tensor_bytes(item->tensor);
        }
    }
    if (n == 0) {
        return false;
    }
    put_numbers(arena, c, at, parameters, bytes);
    c->axis.labels[at] = counts     ? body->zh ? "运行时不读" : "not read by runs"
                         : body->zh ? "缓冲区和副本"
                                    : "buffers, copies";
    c->copies[at] = 1;
    c->sections[at] = (float)body->section_count;
    c->section_names[at] = body->zh ? "其余" : "rest";
    c->kinds[at] = PART_OF_NOTHING;
    c->shapes[at] =
        n == 1 ? column_shape(arena, first)
               : arena_printf(arena, body->zh ? "%lld 个张量" : "%lld tensors", (long long)n);
    c->types[at] = dtype_name(first->dtype);
    c->tensors[at] =
        n == 1 ? arena_copy(arena, first->name) : arena_printf(arena, "%s …", first->name);
    return true;
}

static struct result *rows_result(const struct body *body) {
    int64_t rows = body->count;
    for (int counts = 0; counts < 2; counts++) {
        bool found = false;
        for (int64_t i = body->unread; !found && i < body->inventory->count; i++) {
            found = body->inventory->items[i].counts == counts;
        }
        rows += found;
    }
    struct result *result = result_new(body->arena, "architecture", 9);
    struct columns columns = columns_new(body->arena, result, rows);
    for (int64_t r = 0; r < body->count; r++) {
        put_row(body, &body->rows[r], &columns, r);
    }
    int64_t at = body->count;
    at += put_unread(body, true, &columns, at);
    put_unread(body, false, &columns, at);
    return result;
}

/* ---- words ---- */

/* Percent of all parameters in parts that are embeddings (or else in blocks). */
static double share(const struct result *result, const struct body *body, bool blocks) {
    double some = 0;
    for (int64_t r = 0; r < body->count; r++) {
        double n = (double)result->series[0].values->data[r] *
                   (double)result->series[1].values->data[r];
        bool is_block = body->rows[r].section->layers != NULL;
        bool is_table = (int)result->series[4].values->data[r] == PART_OF_EMBEDDING;
        some += blocks ? is_block ? n : 0 : is_table ? n : 0;
    }
    return 100 * some / (double)body->model->parameters;
}

static bool is_tied(const struct result *result) {
    const struct tensor *ties = result->series[7].values;
    bool tied = false;
    for (int64_t i = 0; i < tensor_count(ties); i++) {
        tied = tied || ties->data[i] > 0;
    }
    return tied;
}

static void describe(const struct body *body, const char *handle, struct result *result) {
    const struct model *model = body->model;
    const struct config *config = model->config;
    struct arena *arena = body->arena;
    bool zh = body->zh;
    long long layers = config->layers + (model_decodes(model) ? config->decoder_layers : 0);
    result->title =
        arena_printf(arena, zh ? "%s 的结构：%s 个参数" : "Architecture of %s: %s parameters",
                     handle, column_whole(arena, model->parameters));
    result->finding = arena_printf(
        arena,
        zh ? "%s（%s，%s）有 %s 个参数，文件 %.1f MB（多为 %s）：%lld 个层占 %.0f%%，嵌入占 "
             "%.0f%%%s。"
           : "%s (%s, %s) has %s parameters in %.1f MB, most as %s: %lld blocks hold %.0f %% "
             "of them, embeddings %.0f %%%s.",
        handle, model->arch->name, model->task, column_whole(arena, model->parameters),
        (double)model->weights->file_bytes / 1e6, model->dtype, layers,
        share(result, body, true), share(result, body, false),
        !is_tied(result) ? ""
        : zh             ? "；输出头就是词嵌入（共享权重）"
                         : "; the head is the word embeddings again (tied)");
    result->caption =
        zh ? "大小与参数个数成正比：先是整个模型，再把构造相同的层放大一次。"
           : "Sizes are to the scale of the parameters: the whole model, and one block of each "
             "build, enlarged.";
}

struct result *anatomy(struct arena *arena, const struct model *model, const char *handle,
                       const char *language) {
    struct body body = { .arena = arena,
                         .model = model,
                         .inventory = inventory_of(arena, model),
                         .zh = language && strncmp(language, "zh", 2) == 0,
                         .language = language };
    while (body.unread < body.inventory->count &&
           body.inventory->items[body.unread].part != PART_UNREAD) {
        body.unread++;
    }
    sections_find(&body);
    rows_find(&body);
    struct result *result = rows_result(&body);
    describe(&body, handle, result);
    result->model = arena_copy(arena, handle);
    result->fingerprint = arena_copy(arena, model->weights->fingerprint);
    result->method = "architecture";
    result->dtype = arena_copy(arena, model->dtype);
    return result;
}
