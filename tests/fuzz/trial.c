#include "tests/fuzz/trial.h"

#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/explain/anatomy.h"
#include "core/explain/site_info.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/forge_model.h"
#include "tests/fuzz/forge_tokenizer.h"
#include "tests/fuzz/memfile.h"

enum {
    FOLDERS = 192, /* models whose files are damaged */
    GGUFS = 96,
    TOKENIZERS = 16,
    FILE_MOST = 1 << 20,
    /* Bytes that opening a file may hold: ids may be spread over 4,096 numbers, a JSON tree is
     * up to 36 times its text ("1," becomes a node). And using it: texts of up to 300 bytes, of
     * which a normalizer makes 256 times as many, as tokens, words and labels; passes. */
    OPEN_LEAST = 400000,
    PATTERN = 22000000, /* the longest regular expression's square */
    OPEN_TIMES = 40,
    USE_LEAST = 20000000,
    USE_TIMES = 10,
};

const char *trial_name(enum trial_kind kind) {
    static const char *const names[] = { "safetensors", "gguf", "tokenizer", "config" };
    return names[kind];
}

/* The undamaged models, made when first wanted, for the life of the process. */
static const struct forge_model *model_of(struct dice *dice, bool gguf) {
    static struct arena *arena;
    static const struct forge_model *folders[FOLDERS], *ggufs[GGUFS];
    size_t i = dice_below(dice, gguf ? GGUFS : FOLDERS);
    const struct forge_model **place = gguf ? &ggufs[i] : &folders[i];
    if (!arena) {
        arena = arena_new();
    }
    if (!*place) {
        *place = forge_model(arena, gguf, i);
    }
    return *place;
}

static size_t changes(struct dice *dice, bool whole) {
    static const size_t counts[] = { 1, 1, 1, 2, 2, 4 };
    return whole ? 0 : dice_of(dice, counts);
}

static struct buf *print(struct arena *arena, const struct json *tree) {
    struct buf *out = buf_new(arena);
    json_print(out, tree, false);
    return out;
}

/* A JSON text from its tree: damaged as a tree, now and then also as text. */
static struct buf *damaged_json(struct arena *arena, struct dice *dice, struct json *tree,
                                size_t n) {
    bool text = n > 0 && dice_once(dice, 4);
    for (size_t i = 0; i < n; i++) {
        damage_tree(arena, dice, tree);
    }
    struct buf *bytes = print(arena, tree);
    if (text) {
        dice_once(dice, 2) ? damage_bytes(dice, bytes) : damage_json(dice, bytes);
    }
    return bytes;
}

static struct buf *damaged_safetensors(struct arena *arena, struct dice *dice,
                                       const struct forge_model *model, size_t n) {
    bool text = n > 0 && dice_once(dice, 4), list = n > 0 && dice_once(dice, 2);
    struct forge_safetensors *s =
        forge_model_header(arena, list ? forge_model_damaged(arena, dice, model) : model);
    for (size_t i = list; i < n; i++) {
        forge_safetensors_damage(s, dice);
    }
    struct buf *bytes = forge_safetensors_bytes(s, forge_model_data());
    if (text) {
        dice_once(dice, 2) ? damage_bytes(dice, bytes) : damage_json(dice, bytes);
        if (!dice_once(dice, 4)) {
            forge_safetensors_mend(bytes, s->data_size);
        }
    }
    return bytes;
}

static struct buf *damaged_gguf(struct arena *arena, struct dice *dice,
                                const struct forge_model *model, size_t n) {
    bool list = n > 0 && dice_once(dice, 4);
    struct forge_gguf *g =
        forge_model_gguf(arena, list ? forge_model_damaged(arena, dice, model) : model);
    for (size_t i = list; i < n; i++) {
        forge_gguf_damage(g, dice);
    }
    struct buf *bytes = forge_gguf_bytes(g, forge_model_data());
    if (n > 0 && dice_once(dice, 4)) {
        damage_bytes(dice, bytes);
    }
    return bytes;
}

/* Lays a file into memory; one that grew out of hand is cut. Returns its size. */
static int64_t put(const char *name, const struct buf *bytes) {
    size_t length = bytes->length < FILE_MOST ? bytes->length : FILE_MOST;
    memfile_put(name, bytes->data, length);
    return (int64_t)length;
}

/* The first tokenizer.json from a seed on that opens: all kinds that are known do. */
static const struct buf *tokenizer_of(size_t seed) {
    static struct arena *arena;
    static const struct buf *known[TOKENIZERS];
    if (!arena) {
        arena = arena_new();
    }
    for (uint64_t i = seed; !known[seed]; i += TOKENIZERS) {
        struct dice dice = { i };
        struct err err;
        struct buf *bytes = print(arena, forge_tokenizer_json(arena, &dice));
        known[seed] =
            tokenizer_read(arena, bytes->data, bytes->length, "beside", &err) ? bytes : NULL;
    }
    return known[seed];
}

/* Lays the damaged file, and what belongs to it, into memory. Returns its size. */
static int64_t lay(struct arena *arena, struct dice *dice, enum trial_kind kind, size_t n) {
    if (kind == TRIAL_TOKENIZER) {
        memfile_clear();
        return put("tokenizer.json",
                   damaged_json(arena, dice, forge_tokenizer_json(arena, dice), n));
    }
    const struct forge_model *model = model_of(dice, kind == TRIAL_GGUF);
    memfile_clear(); /* making a model lays files too */
    if (kind == TRIAL_GGUF) {
        return put("model.gguf", damaged_gguf(arena, dice, model, n));
    }
    struct err err;
    struct json *config =
        json_parse(arena, model->config, strlen(model->config), "config", &err);
    bool damage_config = kind == TRIAL_CONFIG;
    struct buf *weights = damaged_safetensors(arena, dice, model, damage_config ? 0 : n);
    if (dice_once(dice, 2)) {
        put("tokenizer.json", tokenizer_of(dice_below(dice, TOKENIZERS)));
    }
    return put("config.json", damaged_json(arena, dice, config, damage_config ? n : 0)) +
           put("model.safetensors", weights);
}

/* Bytes that may be held from now on until the next call. */
static void allow(int64_t least, int64_t times, int64_t size) {
    arena_budget(arena_held() + least + times * size);
}

static void use_tokenizer(struct arena *arena, struct dice *dice, struct trial *trial) {
    const char *path = MEMFILE_FOLDER "/tokenizer.json";
    struct file *file = file_map(arena, path, &trial->err);
    struct tokenizer *tokenizer =
        tokenizer_read(arena, file->bytes, (size_t)file->size, path, &trial->err);
    trial->opened = tokenizer != NULL;
    allow(USE_LEAST, USE_TIMES, trial->size);
    trial->ran = tokenizer && forge_tokenizer_use(arena, dice, tokenizer, &trial->err);
}

/* What %info does: all parts, and one block's numbers. */
static void look_inside(struct arena *arena, const struct model *model) {
    struct err none = { 0 };
    anatomy(arena, model, "m", "en");
    site_info(arena, model, "m", "blocks.0", "en", &none);
}

static void use_model(struct arena *arena, struct dice *dice, const char *path,
                      struct trial *trial) {
    const struct model *model = model_open(arena, path, &trial->err);
    trial->opened = model != NULL;
    allow(USE_LEAST, USE_TIMES, trial->size);
    if (model) {
        look_inside(arena, model);
    }
    trial->ran = model && forge_model_use(arena, dice, model, &trial->err);
}

static void use(struct arena *arena, struct dice *dice, enum trial_kind kind,
                struct trial *trial) {
    allow(kind == TRIAL_TOKENIZER ? PATTERN : OPEN_LEAST, OPEN_TIMES, trial->size);
    if (kind == TRIAL_TOKENIZER) {
        use_tokenizer(arena, dice, trial);
    } else {
        use_model(arena, dice,
                  kind == TRIAL_GGUF ? MEMFILE_FOLDER "/model.gguf" : MEMFILE_FOLDER, trial);
    }
}

static const char *judge(const struct trial *trial) {
    bool failed = trial->err.kind != ERR_NONE;
    if (trial->ran == failed) {
        return failed ? "success with an error" : "a refusal without an error";
    }
    if (trial->err.kind == ERR_BUG || trial->err.kind == ERR_STOP) {
        return "an error of the engine's own";
    }
    if (trial->err.kind == ERR_MEMORY) {
        return "more memory than the file accounts for";
    }
    if (failed && !trial->opened && !strstr(trial->err.text, MEMFILE_FOLDER)) {
        return "a refusal that does not name the file";
    }
    if (trial->whole && failed && trial->err.kind != ERR_UNSUPPORTED) {
        return "a whole file is refused";
    }
    return NULL;
}

struct trial trial_run(enum trial_kind kind, uint64_t number) {
    struct dice dice = { number * TRIAL_KINDS + kind };
    struct arena *made = arena_new(), *arena = arena_new();
    struct trial trial = { .whole = number % 8 == 0 };
    trial.size = lay(made, &dice, kind, changes(&dice, trial.whole));
    int64_t before = arena_held();
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        use(arena, &dice, kind, &trial);
        catch_end(&here);
    } else {
        trial.err = here.err;
    }
    arena_budget(0);
    arena_free(arena);
    trial.bad = arena_held() != before ? "memory is still held" : judge(&trial);
    arena_free(made);
    return trial;
}
