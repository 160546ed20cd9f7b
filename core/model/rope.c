#include "core/model/rope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/config.h"
#include "core/model/gguf.h"

static const double RADIANS = 6.283185307179586476925; /* of a whole turn */

enum { CONTEXT_MOST = 1 << 26 };

/* ---- frequencies ---- */

/* What exponents are divided by. */
static double span_of(const struct rope *rope) {
    return (double)(rope->span ? rope->span : rope->width);
}

/* The pair that turns `times` times within the original context. */
static double pair_of(const struct rope *rope, double times) {
    return span_of(rope) * log(rope->original / (times * RADIANS)) / (2 * log(rope->base));
}

/* How much of pair i's frequency is divided: 0 (kept) to 1. */
static double yarn_share(const struct rope *rope, int64_t i) {
    double low = pair_of(rope, rope->fast), high = pair_of(rope, rope->slow);
    if (rope->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, span_of(rope) - 1);
    high += low == high ? 0.001 : 0;
    return fmin(fmax(((double)i - low) / (high - low), 0), 1);
}

static double llama3_turn(const struct rope *rope, double turn) {
    double wave = RADIANS / turn;
    if (wave > rope->original / rope->low) {
        return turn / rope->factor;
    }
    if (wave < rope->original / rope->high) {
        return turn;
    }
    double keep = (rope->original / wave - rope->low) / (rope->high - rope->low);
    return (1 - keep) * turn / rope->factor + keep * turn;
}

static double base_of(const struct rope *rope, int64_t tokens) {
    double span = span_of(rope);
    if (rope->kind != ROPE_DYNAMIC || (double)tokens <= rope->original) {
        return rope->base;
    }
    double longer = rope->factor * (double)tokens / rope->original - (rope->factor - 1);
    return rope->base * pow(longer, span / (span - 2));
}

bool rope_stretches(const struct rope *rope) {
    return rope->width > 0 && (rope->kind == ROPE_DYNAMIC || rope->kind == ROPE_LONG);
}

void rope_turns(const struct rope *rope, int64_t tokens, double *turns) {
    bool is_longer = rope->kind == ROPE_LONG && (double)tokens > rope->original;
    const float *factors = is_longer ? rope->longer : rope->factors;
    double base = base_of(rope, tokens), span = span_of(rope);
    for (int64_t i = 0; i < rope->width / 2; i++) {
        double turn = pow(base, -2.0 * (double)i / span), share;
        turn /= factors ? (double)factors[i] : 1;
        switch (rope->kind) {
        case ROPE_LINEAR:
            turn /= rope->factor;
            break;
        case ROPE_LLAMA3:
            turn = llama3_turn(rope, turn);
            break;
        case ROPE_YARN:
            share = yarn_share(rope, i);
            turn = turn / rope->factor * share + turn * (1 - share);
            break;
        default:
            break;
        }
        turns[i] = turn;
    }
}

int64_t rope_context(const struct rope *rope, int64_t context) {
    double longest = (double)context;
    if (rope->kind == ROPE_DYNAMIC || rope->kind == ROPE_YARN) {
        longest = fmax(longest, floor(rope->original * rope->factor));
    }
    return (int64_t)fmin(longest, fmax((double)context, CONTEXT_MOST));
}

/* ---- config.json and GGUF ---- */

enum { KINDS = 6 };
static const char *const kinds[KINDS] = { "default", "linear", "dynamic",
                                          "llama3",  "yarn",   "longrope" };

static int kind_read(const struct config *c, struct rope *rope, struct err *err) {
    const char *name = "default";
    if (config_text(c, "type", ".rope.scaling.type", &name, err) < 0 ||
        config_text(c, "rope_type", NULL, &name, err) < 0) {
        return -1;
    }
    if (c->gguf && strcmp(name, "none") == 0) {
        name = "default";
    }
    for (int i = 0; i < KINDS; i++) {
        bool there = !c->gguf || i == ROPE_PLAIN || i == ROPE_LINEAR || i == ROPE_YARN;
        if (there && strcmp(name, kinds[i]) == 0) {
            rope->kind = (enum rope_kind)i;
            return 0;
        }
    }
    char quoted[40];
    return err_set(
        err, ERR_UNSUPPORTED,
        "%s: the rotary positions are scaled in a way not known here (\"%s\"); known "
        "are %s",
        c->file, err_quote(quoted, sizeof quoted, name, strlen(name)),
        c->gguf ? "none, linear, yarn" : "default, linear, dynamic, llama3, yarn, longrope");
}

/* A number of the rope's object, which must be there. */
static int need(const struct config *c, const char *name, double *value, struct err *err) {
    *value = NAN;
    if (config_real(c, name, NULL, 1e-6, 1e12, value, err) < 0) {
        return -1;
    }
    if (isnan(*value)) {
        return err_set(err, ERR_FORMAT, "%s: scaled rotary positions need %s, which is missing",
                       c->file, name);
    }
    return 0;
}

static double yarn_magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1;
}

static int yarn_read(const struct config *c, const struct config *outer, struct rope *rope,
                     struct err *err) {
    double magnitude = 0, all = 0;
    rope->fast = rope->slow = 0;
    rope->truncate = true;
    if (config_real(c, "attention_factor", NULL, 1e-6, 1e6, &rope->attention, err) < 0 ||
        config_real(c, "mscale", NULL, 0, 1e6, &magnitude, err) < 0 ||
        config_real(c, "mscale_all_dim", NULL, 0, 1e6, &all, err) < 0 ||
        config_real(c, "beta_fast", ".rope.scaling.yarn_beta_fast", 0, 1e6, &rope->fast, err) <
            0 ||
        config_real(c, "beta_slow", ".rope.scaling.yarn_beta_slow", 0, 1e6, &rope->slow, err) <
            0 ||
        (outer && config_flag(outer, "truncate", NULL, &rope->truncate, err) < 0)) {
        return -1;
    }
    rope->fast = rope->fast == 0 ? 32 : rope->fast;
    rope->slow = rope->slow == 0 ? 1 : rope->slow;
    if (rope->base <= 1) {
        return err_set(err, ERR_FORMAT, "%s: yarn needs a base above 1; it is %g", c->file,
                       rope->base);
    }
    if (rope->attention == 0) {
        rope->attention = magnitude != 0 && all != 0 ? yarn_magnitude(rope->factor, magnitude) /
                                                           yarn_magnitude(rope->factor, all)
                                                     : yarn_magnitude(rope->factor, 1);
    }
    return 0;
}

/* A list of width/2 numbers. */
static const float *list_read(const struct config *c, const char *name, int64_t n,
                              struct err *err) {
    const struct json *list = json_at(c->json, name);
    int64_t count = list && list->kind == JSON_ARRAY ? list->count : 0, i = 0;
    float *values = arena_array(c->arena, n, sizeof *values);
    for (const struct json *item = list ? list->first : NULL; item && count == n;
         item = item->next) {
        double value = item->kind == JSON_NUMBER ? strtod(item->text.bytes, NULL) : 0;
        if (!(value >= 1e-6 && value <= 1e12)) {
            count = -1;
            break;
        }
        values[i++] = (float)value;
    }
    if (count != n) {
        err_set(err, ERR_FORMAT,
                "%s: longrope needs %s, a list of %lld positive numbers, half as many as are "
                "turned in a head",
                c->file, name, (long long)n);
        return NULL;
    }
    return values;
}

static int long_read(const struct config *c, struct rope *rope, struct err *err) {
    rope->factors = list_read(c, "short_factor", rope->width / 2, err);
    rope->longer = rope->factors ? list_read(c, "long_factor", rope->width / 2, err) : NULL;
    if (!rope->longer ||
        config_real(c, "attention_factor", NULL, 1e-6, 1e6, &rope->attention, err) < 0) {
        return -1;
    }
    if (rope->attention == 0) {
        rope->attention =
            rope->factor <= 1 ? 1 : sqrt(1 + log(rope->factor) / log(rope->original));
    }
    if (!isfinite(rope->attention)) {
        return err_set(err, ERR_FORMAT,
                       "%s: original_max_position_embeddings is %g; longrope needs more than 1",
                       c->file, rope->original);
    }
    return 0;
}

/* The context that the model was trained on: beside all else, in the rope's object `c`, or the
 * model's own, in this order, as in transformers. */
static int original_read(const struct config *c, const struct config *beside, struct rope *rope,
                         struct err *err) {
    const char *name = "original_max_position_embeddings";
    rope->original = (double)c->context_said;
    if (rope->kind < ROPE_LLAMA3) {
        return 0;
    }
    return config_real(c, name, NULL, 1, 1e9, &rope->original, err) < 0 ||
                   (beside && config_real(beside, name, NULL, 1, 1e9, &rope->original, err) < 0)
               ? -1
               : 0;
}

/* What the kind at hand needs from its object `c` of config.json (whose sizes are the whole's)
 * and, for yarn, from the one around it (NULL: there is none). */
static int json_numbers(const struct config *c, const struct config *outer, struct rope *rope,
                        struct err *err) {
    bool factor = rope->kind != ROPE_PLAIN;
    const struct json *said = json_at(c->json, "factor");
    /* where null stands, or nothing */
    rope->factor = (double)c->context_said / rope->original;
    bool implied =
        rope->kind == ROPE_LONG || (rope->kind == ROPE_YARN && said && said->kind == JSON_NULL);
    if (factor && (implied ? config_real(c, "factor", NULL, 1e-6, 1e9, &rope->factor, err)
                           : need(c, "factor", &rope->factor, err)) < 0) {
        return -1;
    }
    if (rope->kind == ROPE_LLAMA3 && (need(c, "low_freq_factor", &rope->low, err) < 0 ||
                                      need(c, "high_freq_factor", &rope->high, err) < 0)) {
        return -1;
    }
    if (rope->kind == ROPE_LLAMA3 && rope->high <= rope->low) {
        return err_set(err, ERR_FORMAT,
                       "%s: high_freq_factor is %g and low_freq_factor %g; the first must be "
                       "larger",
                       c->file, rope->high, rope->low);
    }
    if (rope->kind == ROPE_DYNAMIC && rope->width <= 2) {
        return err_set(err, ERR_FORMAT,
                       "%s: dynamic rotary positions need heads wider than 2; they are %lld",
                       c->file, (long long)rope->width);
    }
    return rope->kind == ROPE_YARN   ? yarn_read(c, outer, rope, err)
           : rope->kind == ROPE_LONG ? long_read(c, rope, err)
                                     : 0;
}

/* GGUF: a factor of 0 says nothing, an older name says the same, and without a kind a factor is
 * linear. Cosines and sines are multiplied for any kind. */
static int gguf_numbers(const struct config *c, struct rope *rope, struct err *err) {
    double factor = 0, attention = 1, more = 1;
    bool said = gguf_kind(c->gguf,
                          arena_printf(c->arena, "%s.rope.scaling.type", c->gguf_type)) != NULL;
    rope->original = (double)c->context_said;
    if (config_real(c, NULL, ".rope.scale_linear", 0, 1e9, &factor, err) < 0 ||
        config_real(c, NULL, ".rope.scaling.factor", 0, 1e9, &factor, err) < 0 ||
        config_real(c, NULL, ".rope.scaling.original_context_length", 1, 1e9, &rope->original,
                    err) < 0 ||
        config_real(c, NULL, ".rope.scaling.attn_factor", 1e-6, 1e6, &attention, err) < 0 ||
        config_real(c, NULL, ".rope.scaling.yarn_attn_factor", 1e-6, 1e6, &more, err) < 0) {
        return -1;
    }
    rope->factor = factor == 0 ? 1 : factor;
    if (!said && rope->factor != 1) {
        rope->kind = ROPE_LINEAR;
    }
    if (rope->kind == ROPE_YARN && yarn_read(c, c, rope, err) < 0) {
        return -1;
    }
    rope->attention = (rope->attention == 0 ? 1 : rope->attention) * attention * more;
    return 0;
}

static int width_read(const struct config *c, const struct config *inside, struct rope *rope,
                      struct err *err) {
    double part = 1;
    rope->width = c->head_width;
    if (config_real(c, "partial_rotary_factor", NULL, 1e-6, 1, &part, err) < 0 ||
        config_real(inside, "partial_rotary_factor", NULL, 1e-6, 1, &part, err) < 0 ||
        config_whole(c, NULL, ".rope.dimension_count", 2, c->head_width, &rope->width, err) <
            0) {
        return -1;
    }
    rope->width = part < 1 ? (int64_t)((double)c->head_width * part) : rope->width;
    return 0;
}

static int object_check(const struct config *c, const char *name, struct err *err) {
    const struct json *value = c->json ? json_at(c->json, name) : NULL;
    if (value && value->kind != JSON_OBJECT && value->kind != JSON_NULL) {
        return err_set(err, ERR_FORMAT, "%s: %s is %s; an object is wanted", c->file, name,
                       value->kind == JSON_ARRAY    ? "a list"
                       : value->kind == JSON_STRING ? "a text"
                                                    : "no object");
    }
    return 0;
}

/* Objects of kinds of layers stand in the object. */
static bool is_nested(const struct config *inside) {
    const struct json *member = inside->json->first;
    while (member && member->kind != JSON_OBJECT) {
        member = member->next;
    }
    return member != NULL;
}

/* The object that describes the rope; the configuration itself if there is none. rope_scaling
 * comes first, as in transformers. */
static const struct config *object_of(const struct config *c, const struct rope_place *place,
                                      struct rope *rope) {
    const struct config *scaling =
        place->scaled ? config_inside(c, "rope_scaling", NULL) : NULL;
    const struct config *all = config_inside(c, "rope_parameters", NULL);
    if (scaling && scaling->json->count > 0) {
        return scaling;
    }
    if (all && place->type) {
        all = config_inside(c, "rope_parameters", place->type);
    } else if (all && is_nested(all)) {
        rope->by_layer = true;
        all = NULL;
    }
    return all;
}

int rope_read(const struct config *config, const struct rope_place *place, struct rope *rope,
              struct err *err) {
    *rope = (struct rope){ .base = place->usual };
    if (object_check(config, "rope_scaling", err) < 0 ||
        object_check(config, "rope_parameters", err) < 0) {
        return -1;
    }
    const struct config *all = config_inside(config, "rope_parameters", NULL);
    const struct config *inside = object_of(config, place, rope);
    const struct config *c = inside ? inside : config;
    if (config_real(config, place->base, ".rope.freq_base", 1e-6, 1e18, &rope->base, err) < 0 ||
        (inside && config_real(inside, "rope_theta", NULL, 1e-6, 1e18, &rope->base, err) < 0) ||
        width_read(config, c, rope, err) < 0 || (inside && kind_read(c, rope, err) < 0)) {
        return -1;
    }
    if (config->gguf) {
        return kind_read(config, rope, err) < 0 ? -1 : gguf_numbers(config, rope, err);
    }
    /* Ropes of kinds of layers take from around their objects "truncate" alone, and from
     * rope_scaling not even that, as in transformers. */
    return original_read(c, place->type ? NULL : config, rope, err) < 0
               ? -1
               : json_numbers(c, place->type ? all : c, rope, err);
}
