#include "kernel/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/explain/capture_gradients.h"

enum { GREEDY = 8 };

struct request {
    const char *model, *out;
    const char *decoder_text; /* NULL: the decoder's start token alone */
    const char *target;       /* auto, an id, a token or a class; NULL: no gradients */
    char **argv;              /* the rest: --text and --ids, read once the model is open */
    int argc;
};

static const char usage[] =
    "usage: cutaway trace MODEL [--text T]... [--ids 1,2,3]... [--decoder-text T] "
    "[--target auto|ID|TOKEN] -o OUT.safetensors\n";

/* The value of the option at *i, given as "--name value" or "--name=value"; NULL if it is
 * another one. An option without its value is an error. */
static const char *value_of(int argc, char **argv, int *i, const char *name, struct err *err) {
    size_t n = strlen(name);
    if (strcmp(argv[*i], name) == 0) {
        if (*i + 1 == argc) {
            err_set(err, ERR_OPTION, "%s needs a value", name);
            return NULL;
        }
        return argv[++*i];
    }
    bool joined = strncmp(argv[*i], name, n) == 0 && argv[*i][n] == '=';
    return joined ? argv[*i] + n + 1 : NULL;
}

static int read_request(int argc, char **argv, struct request *request, struct err *err) {
    int inputs = 0;
    *request = (struct request){ .argc = argc, .argv = argv };
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (value_of(argc, argv, &i, "--text", err) || value_of(argc, argv, &i, "--ids", err)) {
            inputs++;
        } else if ((value = value_of(argc, argv, &i, "-o", err))) {
            request->out = value;
        } else if ((value = value_of(argc, argv, &i, "--decoder-text", err))) {
            request->decoder_text = value;
        } else if ((value = value_of(argc, argv, &i, "--target", err))) {
            request->target = value;
        } else if (err->kind != ERR_NONE) {
            return -1;
        } else if (argv[i][0] == '-') {
            return err_set(err, ERR_OPTION, "there is no option %s", argv[i]);
        } else if (request->model) {
            return err_set(err, ERR_OPTION, "%s and %s: only one model can be traced",
                           request->model, argv[i]);
        } else {
            request->model = argv[i];
        }
    }
    if (!request->model || !request->out || inputs == 0) {
        return err_set(err, ERR_OPTION, "%s",
                       !request->model ? "the model is missing"
                       : !request->out ? "-o OUT.safetensors is missing"
                                       : "--text or --ids is missing");
    }
    return 0;
}

/* "1,2,3" */
static int read_ids(struct arena *arena, const char *list, struct capture_input *input,
                    struct err *err) {
    int32_t *ids = arena_array(arena, (int64_t)strlen(list) + 1, sizeof *ids);
    const char *at = list;
    input->ids = ids;
    for (;;) {
        char *end;
        errno = 0;
        long value = strtol(at, &end, 10);
        if (end == at || (*end && *end != ',') || errno || value < 0 || value > INT32_MAX) {
            return err_set(err, ERR_OPTION,
                           "--ids %s: whole numbers with commas between are wanted", list);
        }
        ids[input->tokens++] = (int32_t)value;
        if (!*end) {
            return 0;
        }
        at = end + 1;
    }
}

/* The tokens of a text, after a first one if that is not negative. */
static int32_t *encode(struct arena *arena, const struct model *model, const char *text,
                       int64_t first, int64_t *count, struct err *err) {
    if (!model->tokenizer) {
        err_set(err, ERR_UNSUPPORTED, "%s has no tokenizer; give --ids", model->path);
        return NULL;
    }
    int64_t n = first >= 0;
    struct encoding *encoding =
        tokenizer_encode(arena, model->tokenizer, text, strlen(text), NULL, 0, first < 0, err);
    if (!encoding) {
        err_pass(err);
        return NULL;
    }
    *count = encoding->count + n;
    int32_t *ids = arena_array(arena, *count + 1, sizeof *ids);
    ids[0] = (int32_t)first;
    for (int64_t i = 0; i < encoding->count; i++) {
        ids[n + i] = encoding->tokens[i].id;
    }
    return ids;
}

static int read_text(struct arena *arena, const struct model *model, const char *text,
                     struct capture_input *input, struct err *err) {
    input->ids = encode(arena, model, text, -1, &input->tokens, err);
    return input->ids ? 0 : err_pass(err);
}

/* What the decoder reads after its start token, if the model has one. */
static int read_decoder(struct arena *arena, const struct model *model, const char *text,
                        struct capture_input *input, struct err *err) {
    if (!text) {
        return 0;
    }
    if (!model_decodes(model)) {
        return err_set(err, ERR_OPTION, "--decoder-text: %s (%s) has no decoder of its own",
                       model->path, model->arch->name);
    }
    input->decoder_ids =
        encode(arena, model, text, model->config->decoder_start, &input->decoder_tokens, err);
    return input->decoder_ids ? 0 : err_pass(err);
}

/* The position whose top 10 are told, and how far to continue. */
static void aim(const struct model *model, struct capture_input *input) {
    bool masked = strcmp(model->task, "masked-lm") == 0;
    int32_t mask = masked && model->tokenizer ? tokenizer_id(model->tokenizer, "[MASK]") : -1;
    bool decodes = strcmp(model->task, "seq2seq-lm") == 0;
    input->position = decodes ? 0 : input->tokens - 1;
    if (input->decoder_tokens > 0) {
        input->position = input->decoder_tokens - 1;
    }
    for (int64_t i = input->tokens; mask >= 0 && i-- > 0;) {
        input->position = input->ids[i] == mask ? i : input->position;
    }
    bool room = config_fits(model->config, input->tokens + GREEDY);
    bool causal = strcmp(model->task, "causal-lm") == 0;
    input->greedy = decodes || (causal && room) ? GREEDY : 0;
}

/* The most probable of what the run gave: a class, or the token at the position. */
static int64_t most_probable(const struct capture *capture, const struct model *model,
                             const char *name) {
    bool classifies = strcmp(model->task, "classification") == 0;
    const struct tensor *given =
        capture_at(capture, arena_printf(capture->arena, "%s.%s", name,
                                         classifies ? "logits" : "top10_ids"));
    int64_t most = 0;
    if (!given || !classifies) {
        return given ? *(const int32_t *)given->bytes : -1;
    }
    for (int64_t i = 1; i < given->shape[0]; i++) {
        most = given->data[i] > given->data[most] ? i : most;
    }
    return most;
}

/* A class's or a token's number, by its name or written as one; -1 if there is none. */
static int64_t id_of(const struct model *model, const char *text) {
    const struct config *c = model->config;
    char *end;
    long long number = strtoll(text, &end, 10);
    for (int64_t i = 0; c->label_names && i < c->labels; i++) {
        if (strcmp(c->label_names[i], text) == 0) {
            return i;
        }
    }
    if (*text && !*end) {
        return number;
    }
    return model->tokenizer ? tokenizer_id(model->tokenizer, text) : -1;
}

/* Gradients of the target's logit at the position that the top 10 are told of. */
static int add_target(struct capture *capture, const struct model *model, const char *target,
                      const struct capture_input *input, struct err *err) {
    int32_t start = (int32_t)model->config->decoder_start;
    bool decodes = strcmp(model->task, "seq2seq-lm") == 0;
    struct question question = { .model = model,
                                 .ids = input->ids,
                                 .tokens = input->tokens,
                                 .decoder_ids = input->decoder_ids,
                                 .decoder_tokens = input->decoder_tokens,
                                 .position = input->position };
    if (decodes && input->decoder_tokens == 0) {
        question.decoder_ids = &start;
        question.decoder_tokens = 1;
    }
    bool finds = strcmp(target, "auto") == 0;
    question.id = finds ? most_probable(capture, model, input->name) : id_of(model, target);
    if (question.id < 0 && finds) {
        return err_set(err, ERR_UNSUPPORTED,
                       "--target auto: %s has no head whose scores could be explained",
                       model->path);
    }
    if (question.id < 0) {
        char quoted[60];
        return err_set(err, ERR_OPTION,
                       "--target %s: no token or class of %s is called so; auto, a number or a "
                       "token of its vocabulary is wanted",
                       err_quote(quoted, sizeof quoted, target, strlen(target)), model->path);
    }
    return capture_attributions(capture, input->name, &question, (int32_t)model->config->pad,
                                err);
}

static int trace(struct arena *arena, const struct request *request, struct err *err) {
    const char *path = find_model(arena, request->model, err);
    struct model *model = path ? model_open(arena, path, err) : NULL;
    struct capture *capture = capture_new(arena);
    int texts = 0, lists = 0;
    if (!model) {
        return err_pass(err);
    }
    for (int i = 1; i < request->argc; i++) {
        struct capture_input input = { 0 };
        const char *text = value_of(request->argc, request->argv, &i, "--text", err);
        const char *ids =
            text ? NULL : value_of(request->argc, request->argv, &i, "--ids", err);
        if (!text && !ids) {
            continue;
        }
        if ((text ? read_text(arena, model, text, &input, err)
                  : read_ids(arena, ids, &input, err)) < 0 ||
            read_decoder(arena, model, request->decoder_text, &input, err) < 0) {
            return err_pass(err);
        }
        input.name = arena_printf(arena, "%c%d", text ? 't' : 'i', text ? texts++ : lists++);
        aim(model, &input);
        if (capture_run(capture, model, &input, err) < 0 ||
            (request->target && input.tokens > 0 &&
             add_target(capture, model, request->target, &input, err) < 0)) {
            return err_pass(err);
        }
    }
    return capture_write(capture, request->out, err);
}

int trace_main(int argc, char **argv) {
    struct err err = { 0 };
    struct request request;
    if (read_request(argc, argv, &request, &err) < 0) {
        fprintf(stderr, "cutaway trace: %s\n%s", err.text, usage);
        return 2;
    }
    struct arena *arena = arena_new();
    int done = trace(arena, &request, &err);
    if (done < 0) {
        fprintf(stderr, "cutaway trace: %s: %s\n", err_name(err.kind), err.text);
    }
    arena_free(arena);
    return done < 0 ? 1 : 0;
}
