#include "core/explain/verdict.h"

#include <math.h>

#include "core/explain/spread.h"

static enum verdict_kind kind_of(const struct verdict *v) {
    if (v->way == VERDICT_LAYERS) {
        return v->ratio < 1 / VERDICT_RATIO ? VERDICT_VANISHING
               : v->ratio > VERDICT_RATIO   ? VERDICT_EXPLODING
                                            : VERDICT_HEALTHY;
    }
    return v->ratio == 0 || v->factor < VERDICT_SHRINK ? VERDICT_VANISHING
           : v->factor > VERDICT_GROW                  ? VERDICT_EXPLODING
                                                       : VERDICT_HEALTHY;
}

struct verdict verdict_of(enum verdict_way way, const double *norms, int64_t n) {
    struct verdict v = { .way = way, .places = n, .kind = VERDICT_NOTHING };
    struct spread_slope slope = spread_fit(norms, n);
    if (n == 0 || slope.points == 0) {
        return v;
    }
    v.first = norms[0];
    v.last = norms[n - 1];
    v.factor = 1 / slope.factor;
    v.fit = slope.fit;
    v.ratio = v.first > 0 ? pow(v.factor, (double)(n - 1)) : 0;
    v.kind = n < (way == VERDICT_LAYERS ? VERDICT_LEAST_LAYERS : VERDICT_LEAST_STEPS)
                 ? VERDICT_SHORT
                 : kind_of(&v);
    return v;
}

const char *verdict_word(enum verdict_kind kind, bool zh) {
    switch (kind) {
    case VERDICT_HEALTHY:
        return zh ? "健康" : "healthy";
    case VERDICT_VANISHING:
        return zh ? "消失" : "vanishing";
    case VERDICT_EXPLODING:
        return zh ? "爆炸" : "exploding";
    case VERDICT_SHORT:
        return zh ? "太短，无法判断" : "too short to tell";
    default:
        return zh ? "没有梯度" : "no gradient";
    }
}

/* Of few places or none there is no line to speak of. */
static const char *text_short(struct arena *arena, const struct verdict *v, bool zh) {
    bool time = v->way == VERDICT_TIME;
    if (v->kind == VERDICT_NOTHING) {
        return zh     ? time ? "沿时间没有梯度到达" : "没有梯度到达各层"
               : time ? "no gradient arrives at any step"
                      : "no gradient arrives at any layer";
    }
    if (time) {
        return arena_printf(arena,
                            zh ? "只有 %lld 步，无法判断梯度沿时间的走向（至少要 %d 步）"
                               : "%lld steps are too few to tell how the gradient goes through "
                                 "time (%d are needed)",
                            (long long)v->places, VERDICT_LEAST_STEPS);
    }
    return arena_printf(
        arena,
        zh ? "只有 %lld 层，无法判断梯度沿深度的走向（至少要 %d 层）"
           : "%lld layers are too few to tell how it goes through depth (%d are "
             "needed)",
        (long long)v->places, VERDICT_LEAST_LAYERS);
}

const char *verdict_text(struct arena *arena, const struct verdict *v, bool zh) {
    bool time = v->way == VERDICT_TIME;
    if (v->kind == VERDICT_SHORT || v->kind == VERDICT_NOTHING) {
        return text_short(arena, v, zh);
    }
    if (zh) {
        return arena_printf(
            arena,
            time ? "沿时间%s：每往回一步梯度乘以 %.3g（拟合 r² %.2f），最后一步的范数 %.2g 到 "
                   "%lld 步之前的第一步变成 %.2g"
                 : "沿深度%s：每往下一层梯度乘以 %.3g（拟合 r² %.2f），最后一层的 %.2g 到 %lld "
                   "层之下的第一层变成 %.2g",
            verdict_word(v->kind, true), v->factor, v->fit, v->last, (long long)(v->places - 1),
            v->first);
    }
    return arena_printf(
        arena,
        time ? "%s through time: each step back multiplies the gradient by %.3g (fit r² %.2f), "
               "from a norm of %.2g at the last step to %.2g at the first, %lld steps before"
             : "%s through depth: each layer down multiplies the gradient by %.3g (fit r² "
               "%.2f), "
               "from %.2g at the last layer to %.2g at the first, %lld layers below",
        verdict_word(v->kind, false), v->factor, v->fit, v->last, v->first,
        (long long)(v->places - 1));
}
