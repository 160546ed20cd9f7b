#include "core/text/post.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/text/vocab.h"

/* Makes room at every power of two; templates are never added to where another has them. */
static void add(struct arena *arena, struct post_template *template, struct post_item item) {
    int64_t count = template->count;
    if ((count & (count - 1)) == 0) {
        struct post_item *items = arena_array(arena, count ? 2 * count : 1, sizeof *items);
        if (count) {
            memcpy(items, template->items, (size_t)count * sizeof *items);
        }
        template->items = items;
    }
    template->items[template->count++] = item;
}

/* ---- processors one after the other ---- */

/* Every processor takes the parts that the one before it left (at first the text, or the text
 * and its pair) and leaves parts. They are worked out once, when the file is read. */
enum { PARTS = 64 };

struct parts {
    struct post_template all[PARTS];
    int64_t count;
    int64_t processors; /* taken so far */
};

static void parts_begin(struct arena *arena, struct parts *parts, bool pair) {
    *parts = (struct parts){ .count = 1 + pair };
    for (int32_t i = 0; i < parts->count; i++) {
        add(arena, &parts->all[i], (struct post_item){ -1, i, i == 1 });
    }
}

static void append(struct arena *arena, struct post_template *to,
                   const struct post_template *from) {
    for (int64_t i = 0; i < from->count; i++) {
        add(arena, to, from->items[i]);
    }
}

static struct post_template of_type(struct arena *arena, const struct post_template *from,
                                    int32_t type) {
    struct post_template new = { 0 };
    append(arena, &new, from);
    for (int64_t i = 0; i < new.count; i++) {
        new.items[i].type = type;
    }
    return new;
}

static void join_parts(struct arena *arena, const struct parts *parts,
                       struct post_template *all) {
    for (int64_t i = 0; i < parts->count; i++) {
        append(arena, all, &parts->all[i]);
    }
}

/* ---- reading ---- */

/* Of a template, of ids, of processors; and what may stand around a text. More is a mistake. */
enum { ITEMS = PARTS, AROUND = 4096 };

static int read_id(const struct json *value, int32_t *id, const char *what, const char *file,
                   struct err *err) {
    double number = value && value->kind == JSON_NUMBER ? strtod(value->text.bytes, NULL) : -1;
    if (!(number >= 0 && number < VOCAB_IDS)) {
        return err_set(err, ERR_FORMAT, "%s: post_processor: %s has no id from 0 to %d", file,
                       what, VOCAB_IDS - 1);
    }
    *id = (int32_t)number;
    return 0;
}

/* {"SpecialToken": {"id": "[CLS]", "type_id": 0}}: the ids of "[CLS]" stand in special_tokens.
 */
static int read_special(struct arena *arena, struct post_template *template,
                        const struct json *section, const char *name, int32_t type,
                        const char *file, struct err *err) {
    const struct json *ids = json_at(json_at(json_at(section, "special_tokens"), name), "ids");
    if (!ids || ids->kind != JSON_ARRAY || ids->count == 0 || ids->count > ITEMS) {
        char shown[60];
        return err_set(err, ERR_FORMAT, "%s: post_processor: special_tokens has no ids for %s",
                       file, err_quote(shown, sizeof shown, name, strlen(name)));
    }
    for (const struct json *one = ids->first; one; one = one->next) {
        struct post_item item = { .type = type };
        if (read_id(one, &item.id, name, file, err) < 0) {
            return err_pass(err);
        }
        add(arena, template, item);
    }
    return 0;
}

static int bad_item(const char *name, const char *file, struct err *err) {
    return err_set(
        err, ERR_FORMAT,
        "%s: post_processor: an item of %s is neither a SpecialToken nor the Sequence "
        "A or B with a type_id from 0 to 255",
        file, name);
}

/* One item of a template as a part: a special token, or one of the parts before. */
static int read_item(struct arena *arena, struct post_template *part, const struct json *one,
                     const struct parts *before, const struct json *section, const char *name,
                     const char *file, struct err *err) {
    const struct json *token = json_at(one, "SpecialToken"), *text = json_at(one, "Sequence");
    const struct json *what = token ? token : text;
    const char *id = json_text_at(what, "id", "");
    int64_t type = json_int_at(what, "type_id", 0);
    if (!what || type < 0 || type > 255 || (text && strcmp(id, "A") && strcmp(id, "B"))) {
        return bad_item(name, file, err);
    }
    if (token) {
        return read_special(arena, part, section, id, (int32_t)type, file, err);
    }
    if (*id == 'B' && before->count < 2) {
        return err_set(err, ERR_FORMAT,
                       "%s: post_processor: %s has the Sequence B, which is not there", file,
                       name);
    }
    *part = of_type(arena, &before->all[*id == 'B'], (int32_t)type);
    return 0;
}

static int put_template(struct arena *arena, struct parts *parts, const struct json *section,
                        const char *file, struct err *err) {
    const char *name = parts->count == 2 ? "pair" : "single";
    const struct json *list = json_at(section, name);
    struct parts new = { .processors = parts->processors };
    if (parts->count > 2) {
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: post_processor: a template follows one that leaves %lld parts; 1 or "
            "2 are wanted",
            file, (long long)parts->count);
    }
    if (!list || list->kind != JSON_ARRAY || list->count > ITEMS) {
        return err_set(err, ERR_FORMAT,
                       "%s: post_processor: %s is not a list of at most %d items", file, name,
                       ITEMS);
    }
    for (const struct json *one = list->first; one; one = one->next) {
        if (read_item(arena, &new.all[new.count++], one, parts, section, name, file, err) < 0) {
            return err_pass(err);
        }
    }
    *parts = new;
    return 0;
}

/* "sep": ["[SEP]", 102] */
static int read_pair(const struct json *section, const char *name, int32_t *id,
                     const char *file, struct err *err) {
    const struct json *pair = json_at(section, name);
    return read_id(pair && pair->first ? pair->first->next : NULL, id, name, file, err);
}

/* [CLS] A [SEP] B [SEP]; RoBERTa: <s> A </s></s> B </s>, all of type 0. */
static int put_bert(struct arena *arena, struct parts *parts, const struct json *section,
                    bool roberta, const char *file, struct err *err) {
    int32_t cls, sep;
    if (read_pair(section, "cls", &cls, file, err) < 0 ||
        read_pair(section, "sep", &sep, file, err) < 0) {
        return err_pass(err);
    }
    for (int64_t i = 0; i < parts->count; i++) {
        struct post_template new = { 0 }, *part = &parts->all[i];
        int32_t type = i > 0 && !roberta;
        if (i == 0 || roberta) {
            add(arena, &new, (struct post_item){ i ? sep : cls, 0, false });
        }
        struct post_template text = roberta ? of_type(arena, part, 0) : *part;
        append(arena, &new, &text);
        add(arena, &new, (struct post_item){ sep, type, false });
        *part = new;
    }
    return 0;
}

static int put_trim(struct post *post, const struct json *section, const char *file,
                    struct err *err) {
    if (!json_bool_at(section, "trim_offsets", true)) {
        return 0;
    }
    if (post->trim_count == POST_TRIMS) {
        return err_set(err, ERR_UNSUPPORTED, "%s: post_processor: more than %d trim offsets",
                       file, POST_TRIMS);
    }
    bool prefix = json_bool_at(section, "add_prefix_space", true);
    post->trims[post->trim_count++] = (struct post_trim){ prefix };
    return 0;
}

static int64_t items_of(const struct parts *parts) {
    int64_t count = 0;
    for (int64_t i = 0; i < parts->count; i++) {
        count += parts->all[i].count;
    }
    return count;
}

/* Takes one processor; `post` is NULL where trimming was noted before. */
static int put_section(struct arena *arena, struct post *post, struct parts *parts,
                       const struct json *section, int depth, const char *file,
                       struct err *err) {
    const char *type = json_text_at(section, "type", "");
    bool bert = strcmp(type, "BertProcessing") == 0,
         roberta = strcmp(type, "RobertaProcessing") == 0,
         bytes = strcmp(type, "ByteLevel") == 0;
    if (strcmp(type, "Sequence") == 0 && depth < 4) {
        const struct json *list = json_at(section, "processors");
        for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
            if (put_section(arena, post, parts, one, depth + 1, file, err) < 0) {
                return err_pass(err);
            }
        }
        return 0;
    }
    if (++parts->processors > ITEMS || items_of(parts) > AROUND) {
        return err_set(err, ERR_FORMAT,
                       "%s: post_processor: more than %d processors one after the other, or "
                       "%d tokens around a text",
                       file, ITEMS, AROUND);
    }
    if (post && (bytes || roberta) && put_trim(post, section, file, err) < 0) {
        return err_pass(err);
    }
    if (bert || roberta) {
        return put_bert(arena, parts, section, roberta, file, err);
    }
    if (strcmp(type, "TemplateProcessing") == 0) {
        return put_template(arena, parts, section, file, err);
    }
    if (bytes) {
        return 0;
    }
    char shown[60];
    return err_set(err, ERR_UNSUPPORTED,
                   "%s: the post-processor type %s is not known; known are TemplateProcessing, "
                   "BertProcessing, RobertaProcessing, ByteLevel and Sequence",
                   file, err_quote(shown, sizeof shown, type, strlen(type)));
}

struct post *post_read(struct arena *arena, const struct json *section, const char *file,
                       struct err *err) {
    struct post *post = arena_alloc(arena, sizeof *post);
    struct parts parts;
    bool there = section && section->kind != JSON_NULL;
    parts_begin(arena, &parts, false);
    if (there && put_section(arena, post, &parts, section, 0, file, err) < 0) {
        return NULL;
    }
    join_parts(arena, &parts, &post->single);
    parts_begin(arena, &parts, true);
    if (there && put_section(arena, NULL, &parts, section, 0, file, err) < 0) {
        return NULL;
    }
    join_parts(arena, &parts, &post->pair);
    return post;
}

struct post *post_around(struct arena *arena, int32_t begin, int32_t end, bool trim) {
    struct post *post = arena_alloc(arena, sizeof *post);
    struct post_template *both[] = { &post->single, &post->pair };
    post->trims[0].prefix_space = true;
    post->trim_count = trim;
    for (int texts = 1; texts <= 2; texts++) {
        for (int32_t i = 0; i < texts; i++) {
            if (begin >= 0) {
                add(arena, both[texts - 1], (struct post_item){ begin, i, false });
            }
            add(arena, both[texts - 1], (struct post_item){ -1, i, i == 1 });
            if (end >= 0) {
                add(arena, both[texts - 1], (struct post_item){ end, i, false });
            }
        }
    }
    return post;
}

struct post *post_bert(struct arena *arena, int32_t begin, int32_t end) {
    struct post *post = post_around(arena, begin, end, false);
    if (begin >= 0) { /* not in front of the second text */
        struct post_template pair = { 0 };
        for (int64_t i = 0; i < post->pair.count; i++) {
            const struct post_item *item = &post->pair.items[i];
            if (item->id != begin || item->type == 0 || begin == end) {
                add(arena, &pair, *item);
            }
        }
        post->pair = pair;
    }
    return post;
}

/* ---- joining ---- */

static int64_t total(const struct post_template *template, const struct encoding *text,
                     const struct encoding *pair, bool special) {
    int64_t count = 0;
    for (int64_t i = 0; i < template->count; i++) {
        const struct post_item *item = &template->items[i];
        count += item->id >= 0  ? special
                 : item->second ? (pair ? pair->count : 0)
                                : text->count;
    }
    return count;
}

static struct token *put_text(struct token *out, const struct encoding *from,
                              const struct post_item *item) {
    for (int64_t i = 0; i < from->count; i++) {
        if (i % STOP_EVERY == 0) {
            stop_check();
        }
        *out = from->tokens[i];
        out->type = item->type;
        out->second = item->second;
        out++;
    }
    return out;
}

struct encoding *post_join(struct arena *arena, const struct post *post,
                           const struct encoding *text, const struct encoding *pair,
                           bool special) {
    const struct post_template *template = pair ? &post->pair : &post->single;
    struct encoding *joined = arena_alloc(arena, sizeof *joined);
    joined->count = total(template, text, pair, special);
    struct token *out = joined->tokens =
        arena_raw(arena, (size_t)joined->count * sizeof *joined->tokens + 1);
    for (int64_t i = 0; i < template->count; i++) {
        const struct post_item *item = &template->items[i];
        if (item->id < 0 && (!item->second || pair)) {
            out = put_text(out, item->second ? pair : text, item);
        } else if (item->id >= 0 && special) {
            *out++ = (struct token){ .id = item->id, .type = item->type, .special = true };
        }
    }
    return joined;
}
