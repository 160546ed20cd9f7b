#include "core/explain/verdict.h"

#include <float.h>
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
    struct arena *scratch = arena_new();
    double *whole = arena_array(scratch, n + 1, sizeof *whole);
    for (int64_t i = 0; i < n; i++) {
        whole[i] = norms[i] < (double)FLT_MIN ? 0 : norms[i];
        v.faded = v.faded || (norms[i] > 0 && norms[i] < (double)FLT_MIN);
        v.broken += !isfinite(norms[i]);
    }
    struct spread_slope slope = spread_fit(whole, n);
    arena_free(scratch);
    if (n == 0 || slope.points == 0) {
        v.kind = v.broken > 0 ? VERDICT_BROKEN : VERDICT_NOTHING;
        return v;
    }
    v.first = norms[0];
    v.last = norms[n - 1];
    v.factor = 1 / slope.factor;
    v.fit = slope.fit;
    v.ratio = !(v.first < (double)FLT_MIN) ? pow(v.factor, (double)(n - 1)) : 0;
    v.kind = n < (way == VERDICT_LAYERS ? VERDICT_LEAST_LAYERS : VERDICT_LEAST_STEPS)
                 ? VERDICT_SHORT
                 : kind_of(&v);
    if (v.broken > 0 && v.kind != VERDICT_EXPLODING) {
        v.kind = VERDICT_BROKEN;
    }
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
    case VERDICT_BROKEN:
        return zh ? "已损坏" : "broken";
    default:
        return zh ? "没有梯度" : "no gradient";
    }
}

/* Of few places, of none or of broken norms there is no line to speak of. */
static const char *text_short(struct arena *arena, const struct verdict *v, bool zh) {
    bool time = v->way == VERDICT_TIME;
    if (v->kind == VERDICT_BROKEN) {
        return arena_printf(arena,
                            zh ? "无法判断：%2$lld 个范数中有 %1$lld 个是 NaN 或无穷大"
                               : "no verdict: NaN or infinity in %lld of %lld norms",
                            (long long)v->broken, (long long)v->places);
    }
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

/* "Vanishing through time in layer 0" */
static const char *text_head(struct arena *arena, const struct verdict *v, bool zh) {
    bool time = v->way == VERDICT_TIME;
    const char *word = verdict_word(v->kind, zh);
    if (zh) {
        return arena_printf(arena, "沿%s%s%s%s%s", time ? "时间" : "深度", word,
                            v->where ? "（" : "", v->where ? v->where : "",
                            v->where ? "）" : "");
    }
    return arena_printf(arena, "%s through %s%s%s", word, time ? "time" : "depth",
                        v->where ? " in " : "", v->where ? v->where : "");
}

static const char *norm_text(struct arena *arena, double norm, bool zh) {
    return isfinite(norm) ? arena_printf(arena, "%.3g", norm)
           : zh           ? "NaN 或无穷大"
                          : "NaN or infinity";
}

/* Nothing arrives though the line does not say so: something on the way is shut. */
static const char *text_shut(struct arena *arena, const struct verdict *v, bool zh) {
    bool time = v->way == VERDICT_TIME;
    return arena_printf(
        arena,
        zh ? time ? "%s：最后一步的范数是 %.3g，而 %lld 步之前的第一步恰好是 0"
                  : "%s：最后一层是 %.3g，而 %lld 层之下的第一层恰好是 0"
        : time ? "%s: the norm is %.3g at the last step and exactly 0 at the first, %lld steps "
                 "before"
               : "%s: %.3g at the last layer and exactly 0 at the first, %lld layers below",
        text_head(arena, v, zh), v->last, (long long)(v->places - 1));
}

const char *verdict_text(struct arena *arena, const struct verdict *v, bool zh) {
    bool time = v->way == VERDICT_TIME;
    if (v->kind != VERDICT_HEALTHY && v->kind != VERDICT_VANISHING &&
        v->kind != VERDICT_EXPLODING) {
        return text_short(arena, v, zh);
    }
    if (v->first == 0 && !v->faded) {
        return text_shut(arena, v, zh);
    }
    const char *head = text_head(arena, v, zh), *first = norm_text(arena, v->first, zh);
    const char *last = norm_text(arena, v->last, zh);
    if (zh) {
        return arena_printf(
            arena,
            time ? "%s：每往回一步梯度乘以 %.3g（拟合 r² %.2f），最后一步的范数 %s 到 "
                   "%lld 步之前的第一步变成 %s"
                 : "%s：每往下一层梯度乘以 %.3g（拟合 r² %.2f），最后一层的 %s 到 %lld "
                   "层之下的第一层变成 %s",
            head, v->factor, v->fit, last, (long long)(v->places - 1), first);
    }
    return arena_printf(
        arena,
        time ? "%s: each step back multiplies the gradient by %.3g (fit r² %.2f), from a norm "
               "of %s at the last step to %s at the first, %lld steps before"
             : "%s: each layer down multiplies the gradient by %.3g (fit r² %.2f), from %s at "
               "the last layer to %s at the first, %lld layers below",
        head, v->factor, v->fit, last, first, (long long)(v->places - 1));
}
