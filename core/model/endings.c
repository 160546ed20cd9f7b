#include "core/model/endings.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/jsontree.h"
#include "core/model/gguf.h"
#include "core/model/weights.h"

enum { FILE_MOST = 1 << 20 };

bool endings_hold(const struct endings *endings, int64_t id) {
    for (int64_t i = 0; i < endings->count; i++) {
        if (endings->ids[i] == id) {
            return true;
        }
    }
    return false;
}

static void add(struct endings *endings, int64_t id) {
    if (id >= 0 && id <= INT32_MAX && endings->count < ENDINGS_MOST &&
        !endings_hold(endings, id)) {
        endings->ids[endings->count++] = (int32_t)id;
    }
}

/* A number or a list of numbers. */
static int add_json(struct endings *endings, const struct json *said, const char *file,
                    struct err *err) {
    bool list = said->kind == JSON_ARRAY;
    if (said->count > ENDINGS_MOST) {
        return err_set(err, ERR_FORMAT, "%s: eos_token_id holds %lld tokens; at most %d may be",
                       file, (long long)said->count, ENDINGS_MOST);
    }
    for (const struct json *one = list ? said->first : said; one;
         one = list ? one->next : NULL) {
        double id = one->kind == JSON_NUMBER ? strtod(one->text.bytes, NULL) : 0.5;
        if (!(id == floor(id) && fabs(id) <= INT32_MAX)) {
            return err_set(err, ERR_FORMAT, "%s: eos_token_id holds what is no token's id",
                           file);
        }
        add(endings, (int64_t)id);
    }
    return 0;
}

/* generation_config.json; *said NULL: there is none, or it says nothing of an end. */
static int read_generation(struct arena *arena, const char *path, const struct json **said,
                           struct err *err) {
    *said = NULL;
    if (!file_exists(path)) {
        return 0;
    }
    struct file *file = file_map(arena, path, err);
    if (!file) {
        return err_pass(err);
    }
    if (file->size > FILE_MOST) {
        return err_set(err, ERR_FORMAT,
                       "%s has %lld bytes; a generation_config.json has at most %d", path,
                       (long long)file->size, FILE_MOST);
    }
    const struct json *all = json_parse(arena, file->bytes, (size_t)file->size, path, err);
    *said = all ? json_at(all, "eos_token_id") : NULL;
    return all ? 0 : err_pass(err);
}

static void add_gguf(struct endings *endings, const struct gguf *gguf) {
    static const char *const keys[] = { "tokenizer.ggml.eot_token_id",
                                        "tokenizer.ggml.eom_token_id" };
    for (int i = 0; i < 2; i++) {
        int64_t id;
        if (gguf_int(gguf, keys[i], &id)) {
            add(endings, id);
        }
    }
}

struct endings *endings_read(struct arena *arena, const struct config *config, const char *path,
                             struct err *err) {
    struct endings *endings = arena_alloc(arena, sizeof *endings);
    if (config->gguf) {
        add(endings, config->eos);
        add_gguf(endings, config->gguf);
        return endings;
    }
    const char *file = weights_beside(arena, path, "generation_config.json");
    const struct json *said;
    if (read_generation(arena, file, &said, err) < 0) {
        return NULL;
    }
    if (!said || said->kind == JSON_NULL) {
        file = config->file;
        said = json_at(config->json, "eos_token_id");
        add(endings, config->eos); /* also where the architecture knows it */
    }
    if (said && said->kind != JSON_NULL && add_json(endings, said, file, err) < 0) {
        err_pass(err);
        return NULL;
    }
    return endings;
}
