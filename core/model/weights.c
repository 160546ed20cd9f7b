#include "core/model/weights.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/base/jsonread.h"
#include "core/model/gguf.h"
#include "core/model/safetensors.h"

enum { SHARDS_MOST = 1000, NAME_MOST = 255, SAMPLE = 64 /* bytes */ };

const char *weights_name(struct arena *arena, const char *bytes, size_t length) {
    char shown[2 * NAME_MOST];
    if (length == 0 || length > NAME_MOST || memchr(bytes, '\0', length)) {
        return NULL;
    }
    err_quote(shown, sizeof shown, bytes, length);
    return strlen(shown) == length && memcmp(shown, bytes, length) == 0
               ? arena_text(arena, bytes, length)
               : NULL;
}

/* ---- finding a tensor ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

const struct tensor *weights_at(const struct weights *weights, const char *name) {
    struct tensor wanted = { .name = name };
    return weights->count ? bsearch(&wanted, weights->tensors, (size_t)weights->count,
                                    sizeof wanted, by_name)
                          : NULL;
}

const struct tensor *weights_need(const struct weights *weights, const char *name, int rank,
                                  const int64_t *shape, struct err *err) {
    const struct tensor *tensor = weights_at(weights, name);
    if (!tensor) {
        err_set(err, ERR_FORMAT, "%s: the tensor %s is missing", weights->path, name);
        return NULL;
    }
    bool same = tensor->rank == rank;
    for (int i = 0; same && i < rank; i++) {
        same = shape[i] == -1 || shape[i] == tensor->shape[i];
    }
    if (same) {
        return tensor;
    }
    struct tensor wanted = { .rank = rank };
    char seen_text[100], wanted_text[100];
    memcpy(wanted.shape, shape, (size_t)rank * sizeof *shape);
    tensor_shape_text(tensor, seen_text);
    tensor_shape_text(&wanted, wanted_text);
    err_set(err, ERR_FORMAT, "%s: the tensor %s has shape %s; the configuration asks for %s%s",
            weights->path, name, seen_text, wanted_text,
            strstr(wanted_text, "-1") ? " (-1: any size)" : "");
    return NULL;
}

/* ---- the fingerprint ---- */

/* Three pieces of a tensor's data: its first, middle and last bytes. */
static int samples(const struct tensor *tensor, struct file_piece pieces[3]) {
    int64_t size = tensor_bytes(tensor);
    const char *bytes = tensor->bytes;
    if (size <= 3 * SAMPLE) {
        pieces[0] = (struct file_piece){ bytes, (size_t)size };
        return 1;
    }
    pieces[0] = (struct file_piece){ bytes, SAMPLE };
    pieces[1] = (struct file_piece){ bytes + (size - SAMPLE) / 2, SAMPLE };
    pieces[2] = (struct file_piece){ bytes + size - SAMPLE, SAMPLE };
    return 3;
}

/* Of large tensors only samples are read. */
static void scatter(const struct weights *weights, bool scattered) {
    enum { LARGE = 1 << 20 };
    for (int64_t i = 0; i < weights->count; i++) {
        int64_t size = tensor_bytes(&weights->tensors[i]);
        if (size >= LARGE) {
            file_scattered(weights->tensors[i].bytes, size, scattered);
        }
    }
}

static void fingerprint(struct arena *outer, struct weights *weights) {
    struct arena **own = guard_arena(outer), *arena = *own;
    struct file_piece *pieces = arena_array(arena, 4 * weights->count + 1, sizeof *pieces);
    int n = 0;
    for (int64_t i = 0; i < weights->count; i++) {
        const struct tensor *tensor = &weights->tensors[i];
        char shape[100];
        const char *head =
            arena_printf(arena, "%s %s %s\n", tensor->name, dtype_name(tensor->dtype),
                         tensor_shape_text(tensor, shape));
        pieces[n++] = (struct file_piece){ head, strlen(head) };
        n += samples(tensor, pieces + n);
    }
    char hex[65];
    scatter(weights, true);
    file_sha256(pieces, n, hex);
    scatter(weights, false);
    memcpy(weights->fingerprint, hex, sizeof weights->fingerprint - 1);
    guard_free(own);
}

/* Sorts, refuses twins and sums up. */
static struct weights *finish(struct arena *arena, struct weights *weights, struct err *err) {
    qsort(weights->tensors, (size_t)weights->count, sizeof *weights->tensors, by_name);
    for (int64_t i = 0; i < weights->count; i++) {
        if (i > 0 && by_name(&weights->tensors[i - 1], &weights->tensors[i]) == 0) {
            err_set(err, ERR_FORMAT, "%s: the tensor %s stands twice", weights->path,
                    weights->tensors[i].name);
            return NULL;
        }
        weights->bytes += tensor_bytes(&weights->tensors[i]);
    }
    if (weights->count == 0) {
        err_set(err, ERR_FORMAT, "%s holds no tensors", weights->path);
        return NULL;
    }
    stop_check();
    fingerprint(arena, weights);
    stop_check();
    return weights;
}

/* ---- shards ---- */

struct shards {
    int64_t count, room;
    struct shard {
        const char *name;
        struct tensor *tensors;
        int64_t count;
    } * list;
};

static void add_shard(struct arena *arena, struct shards *shards, const char *name) {
    if (shards->count && strcmp(shards->list[shards->count - 1].name, name) == 0) {
        return; /* tensors of one shard mostly stand together */
    }
    if (shards->count == shards->room) {
        struct shard *before = shards->list;
        shards->room = shards->room ? 2 * shards->room : 16;
        shards->list = arena_array(arena, shards->room, sizeof *before);
        if (before) {
            memcpy(shards->list, before, (size_t)shards->count * sizeof *before);
        }
    }
    shards->list[shards->count++].name = name;
}

static int by_shard(const void *a, const void *b) {
    return strcmp(((const struct shard *)a)->name, ((const struct shard *)b)->name);
}

/* Each shard once. */
static void shards_unite(struct shards *shards) {
    int64_t n = 0;
    if (shards->count) {
        qsort(shards->list, (size_t)shards->count, sizeof *shards->list, by_shard);
    }
    for (int64_t i = 0; i < shards->count; i++) {
        if (n == 0 || by_shard(&shards->list[n - 1], &shards->list[i]) != 0) {
            shards->list[n++] = shards->list[i];
        }
    }
    shards->count = n;
}

/* A shard's name must be that of a file beside the index: no folder, no way out. That file may
 * be a link, as in the hub's cache, whose snapshots are links to its blobs: an index comes from
 * strangers, the entries of a folder do not. Where it leads there must be a regular file
 * (file_map). */
static const char *shard_name(struct jsonread *r, struct arena *arena, struct json_text key) {
    struct json_text text = jsonread_string(r, arena);
    const char *name = weights_name(arena, text.bytes, text.length);
    if (!name || strchr(name, '/') || name[0] == '.') {
        char shown[80], tensor[80];
        jsonread_fail(r, "weight_map sends %s to \"%s\", which is no plain file name",
                      err_quote(tensor, sizeof tensor, key.bytes, key.length),
                      err_quote(shown, sizeof shown, text.bytes, text.length));
        return "";
    }
    return name;
}

static void read_weight_map(struct jsonread *r, struct arena *arena, struct shards *shards) {
    struct json_text key;
    jsonread_object(r);
    while (jsonread_key(r, arena, &key)) {
        const char *name = shard_name(r, arena, key);
        if (!jsonread_failed(r, NULL)) {
            add_shard(arena, shards, name);
        }
    }
    shards_unite(shards);
    if (shards->count > SHARDS_MOST) {
        jsonread_fail(r, "weight_map names more than %d files", SHARDS_MOST);
    }
}

static int read_index(struct arena *arena, const struct file *file, struct shards *shards,
                      struct err *err) {
    struct jsonread r;
    struct json_text key;
    bool found = false;
    jsonread_init(&r, file->bytes, (size_t)file->size, file->path);
    jsonread_object(&r);
    while (jsonread_key(&r, arena, &key)) {
        if (json_is(key, "weight_map") && !found) {
            found = true;
            read_weight_map(&r, arena, shards);
        } else {
            jsonread_skip(&r);
        }
    }
    jsonread_end(&r);
    if (jsonread_failed(&r, err)) {
        return -1;
    }
    if (shards->count == 0) {
        return err_set(err, ERR_FORMAT, "%s: weight_map is missing or empty", file->path);
    }
    return 0;
}

static void add_file(struct weights *weights, const struct file *file) {
    weights->maps[weights->files++] = (struct file_piece){ file->bytes, (size_t)file->size };
    weights->file_bytes += file->size;
    weights->changed = file->changed > weights->changed ? file->changed : weights->changed;
}

/* Each tensor of the index must be in some shard; which one does not matter to anybody. */
static int check_index(struct arena *arena, const struct file *file,
                       const struct weights *weights, struct err *err) {
    struct jsonread r;
    struct json_text key;
    jsonread_init(&r, file->bytes, (size_t)file->size, file->path);
    jsonread_object(&r);
    while (jsonread_key(&r, arena, &key)) {
        if (!json_is(key, "weight_map")) {
            jsonread_skip(&r);
            continue;
        }
        jsonread_object(&r);
        while (jsonread_key(&r, arena, &key)) {
            const char *name = weights_name(arena, key.bytes, key.length);
            if (!name || !weights_at(weights, name)) {
                char shown[80];
                jsonread_fail(&r, "weight_map names the tensor %s, which is in no shard",
                              err_quote(shown, sizeof shown, key.bytes, key.length));
            }
            jsonread_skip(&r);
        }
    }
    return jsonread_failed(&r, err) ? -1 : 0;
}

static struct weights *open_shards(struct arena *arena, struct weights *weights,
                                   const char *index, struct err *err) {
    struct file *file = file_map(arena, index, err);
    struct shards shards = { 0 };
    int64_t at = 0;
    if (!file || read_index(arena, file, &shards, err) < 0) {
        return NULL;
    }
    weights->maps = arena_array(arena, shards.count, sizeof *weights->maps);
    for (int64_t i = 0; i < shards.count; i++) {
        struct shard *shard = &shards.list[i];
        struct file *part = file_map(arena, file_join(arena, weights->path, shard->name), err);
        if (!part || safetensors_read(arena, part, &shard->tensors, &shard->count, err) < 0) {
            return NULL;
        }
        weights->count += shard->count;
        add_file(weights, part);
    }
    weights->tensors = arena_array(arena, weights->count, sizeof *weights->tensors);
    for (int64_t i = 0; i < shards.count; i++) {
        memcpy(weights->tensors + at, shards.list[i].tensors,
               (size_t)shards.list[i].count * sizeof *weights->tensors);
        at += shards.list[i].count;
    }
    return finish(arena, weights, err) && check_index(arena, file, weights, err) == 0 ? weights
                                                                                      : NULL;
}

/* ---- files and folders ---- */

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Why a pickle is not read, and what to do; for pytorch_model.bin and its like. */
static void refuse_pickle(const char *path, struct err *err) {
    err_set(
        err, ERR_UNSUPPORTED,
        "%s is a Python pickle, which can run any code when it is read, so it is not read "
        "here; "
        "convert it once where you trust it: python -c \"from transformers import AutoModel as "
        "M; M.from_pretrained('FOLDER').save_pretrained('NEW', safe_serialization=True)\" (for "
        "a model with a head, its class of AutoModelFor...)",
        path);
}

static bool is_pickle(const struct file *file) {
    const char *ends[] = { ".bin", ".pt", ".pth", ".ckpt", ".pkl" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (ends_with(file->path, ends[i])) {
            return true;
        }
    }
    return file->size >= 4 && memcmp(file->bytes, "PK\3\4", 4) == 0;
}

static struct weights *open_file(struct arena *arena, struct weights *weights, const char *path,
                                 struct err *err) {
    struct file *file = file_map(arena, path, err);
    if (!file) {
        return NULL;
    }
    bool gguf =
        ends_with(path, ".gguf") || (file->size >= 4 && memcmp(file->bytes, "GGUF", 4) == 0);
    if (!gguf && is_pickle(file)) {
        refuse_pickle(path, err);
        return NULL;
    }
    weights->maps = arena_alloc(arena, sizeof *weights->maps);
    add_file(weights, file);
    if (gguf) {
        weights->format = WEIGHTS_GGUF;
        weights->gguf = gguf_read(arena, file, &weights->tensors, &weights->count, err);
        return weights->gguf ? finish(arena, weights, err) : NULL;
    }
    return safetensors_read(arena, file, &weights->tensors, &weights->count, err) == 0
               ? finish(arena, weights, err)
               : NULL;
}

static struct weights *open_folder(struct arena *arena, struct weights *weights,
                                   struct err *err) {
    const char *one = file_join(arena, weights->path, "model.safetensors");
    const char *index = file_join(arena, weights->path, "model.safetensors.index.json");
    const char *pickle = file_join(arena, weights->path, "pytorch_model.bin");
    const char *pickles = file_join(arena, weights->path, "pytorch_model.bin.index.json");
    if (file_exists(one)) {
        return open_file(arena, weights, one, err);
    }
    if (file_exists(index)) {
        return open_shards(arena, weights, index, err);
    }
    if (file_exists(pickle) || file_exists(pickles)) {
        refuse_pickle(pickle, err);
        return NULL;
    }
    err_set(
        err, ERR_MODEL,
        "%s has no model.safetensors and no model.safetensors.index.json; a model's folder as "
        "Hugging Face has it, or a .gguf file, is wanted",
        weights->path);
    return NULL;
}

struct weights *weights_open(struct arena *arena, const char *path, struct err *err) {
    struct weights *weights = arena_alloc(arena, sizeof *weights);
    weights->path = arena_copy(arena, path);
    return file_is_folder(path) ? open_folder(arena, weights, err)
                                : open_file(arena, weights, weights->path, err);
}

const char *weights_beside(struct arena *arena, const char *path, const char *name) {
    if (file_is_folder(path)) {
        return file_join(arena, path, name);
    }
    size_t folder = (size_t)(file_name(path) - path);
    return arena_printf(arena, "%.*s%s", (int)folder, path, name);
}
