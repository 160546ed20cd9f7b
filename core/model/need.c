#include "core/model/need.h"

#include "core/base/memory.h"

/* Floats of a site at one layer, and at how many layers it is. */
static double floats_at(const struct model *model, const struct pass *pass, enum site site,
                        double *layers) {
    const struct config *c = model->config;
    bool decoder = site >= SITE_DECODER && site < SITE_OUTPUT;
    double tokens = (double)pass->tokens, others = (double)pass->decoder_tokens;
    double here = decoder ? others : tokens, rows = (double)pass->batch * here;
    double heads = (double)c->heads, width = (double)c->width;
    bool after = pass->prefix && decoder == model_decodes(model);
    double keys = here + (after ? (double)pass->prefix->tokens : 0);
    *layers = (double)(decoder ? c->decoder_layers : c->layers);
    if (site == SITE_CROSS_ATTENTION) {
        return rows * heads * tokens;
    }
    switch (decoder ? (int)(site - SITE_DECODER) : (int)site) {
    case SITE_EMBED:
    case SITE_FINAL:
        *layers = 1;
        return rows * width;
    case SITE_RESIDUAL:
        ++*layers;
        return rows * width;
    case SITE_QUERY:
    case SITE_MIXED:
        return rows * heads * (double)c->head_width;
    case SITE_KEY:
    case SITE_VALUE:
        return rows * (double)(c->kv_heads * c->head_width);
    case SITE_ATTENTION:
        return rows * heads * keys;
    case SITE_NEURONS:
        return rows * (double)c->inner;
    case SITE_LOGITS:
        *layers = 1;
        rows = others > 0 ? (double)pass->batch * others : rows;
        return c->labels > 0 ? (double)(pass->batch * c->labels)
                             : (pass->wanted ? (double)pass->wanted : rows) * (double)c->vocab;
    default:
        return rows * width;
    }
}

struct need need_of(const struct model *model, const struct pass *pass, double recorded) {
    const struct config *c = model->config;
    struct need need = { .recorded = recorded, .weights = (double)model->weights->bytes };
    double rows =
        (double)pass->batch *
        (double)(pass->tokens > pass->decoder_tokens ? pass->tokens : pass->decoder_tokens);
    need.scratch = 4 * rows * (10 * (double)c->width + 2 * (double)c->inner);
    for (int site = 0; site < SITE_COUNT; site++) {
        double layers, bytes;
        if (pass->keep[site] && model_has(model, (enum site)site)) {
            bytes = 4 * floats_at(model, pass, (enum site)site, &layers);
            *(pass->take ? &need.scratch : &need.kept) += pass->take ? bytes : bytes * layers;
        }
    }
    return need;
}

enum { SMALL = 256 << 20 }; /* bytes: asking the system takes longer than a small pass */

static void have(double all, double *allowed, double *free) {
    *allowed = (double)arena_left();
    *free = all > SMALL ? (double)memory_free() : all;
}

int need_check(const struct model *model, const struct pass *pass, double recorded,
               struct err *err) {
    struct need need = need_of(model, pass, recorded);
    double own = need.kept + need.scratch + need.recorded, all = own + need.weights;
    double allowed, free;
    have(all, &allowed, &free);
    if ((own > allowed || all > free) && arena_relieve()) {
        have(all, &allowed, &free);
    }
    if (own > allowed || own > free) {
        err_set(err, ERR_MEMORY,
                "this pass over %lld tokens needs %.1f MB (%.1f kept, %.1f to compute "
                "with) and can have %.1f MB%s; keep less, or shorten the text",
                (long long)(pass->batch * pass->tokens), own / 1e6, need.kept / 1e6,
                (need.scratch + need.recorded) / 1e6,
                (own > allowed && allowed < free ? allowed : free) / 1e6,
                own > allowed && allowed < free ? memory_advice() : "");
        return err_zh(
            err,
            "这 %lld 个词元的一次计算需要 %.1f MB 内存，而只能用 %.1f MB；请少保留一些，"
            "或缩短文本",
            (long long)(pass->batch * pass->tokens), own / 1e6,
            (own > allowed && allowed < free ? allowed : free) / 1e6);
    }
    if (all > free) {
        err_set(err, ERR_MEMORY,
                "a pass through this model needs %.1f MB in memory (%.1f of weights, %.1f "
                "for the pass) and %.1f MB are free; take a smaller model, or one with "
                "quantised weights",
                all / 1e6, need.weights / 1e6, own / 1e6, free / 1e6);
        return err_zh(
            err,
            "用这个模型计算一次需要 %.1f MB 内存（权重 %.1f，计算 %.1f），而只有 %.1f MB "
            "可用；请换小一些的模型，或权重经过量化的模型",
            all / 1e6, need.weights / 1e6, own / 1e6, free / 1e6);
    }
    return 0;
}
