/* simd_back: the part of simd_lanes.h that gradients need. */

/* Derivative of act_of at x. */
ALWAYS vec slope_of(enum simd_act act, vec x) {
    vec s, t;
    switch (act) {
    case SIMD_GELU: /* Phi(x) + x phi(x) */
        t = 0.398942280F * exp_of(-0.5F * x * x);
        return MULTIPLY_ADD(x, t, normal_share(x));
    case SIMD_GELU_TANH: /* x s(v(x)), v odd: s + x s (1 - s) v' */
        s = sigmoid_of(gelu_argument(x));
        t = MULTIPLY_ADD(x * x, all(3 * GELU_CUBE), all(1.0F)) * GELU_SLOPE;
        return MULTIPLY_ADD(x * s, (1.0F - s) * t, s);
    case SIMD_GELU_QUICK:
        s = sigmoid_of(1.702F * x);
        return MULTIPLY_ADD(1.702F * x * s, 1.0F - s, s);
    case SIMD_SILU:
        s = sigmoid_of(x);
        return MULTIPLY_ADD(x * s, 1.0F - s, s);
    case SIMD_SIGMOID:
        s = sigmoid_of(x);
        return s * (1.0F - s);
    case SIMD_TANH:
        t = tanh_of(x);
        return 1.0F - t * t;
    case SIMD_RELU:
        return choose(x <= 0.0F, all(0.0F), all(1.0F));
    case SIMD_RELU_SQUARED:
        return choose(x <= 0.0F, all(0.0F), x + x);
    default:
        return all(1.0F);
    }
}

static void act_back(float *dz, const float *dy, const float *z, int64_t n, enum simd_act act) {
#define BODY(which)                                                  \
    FOR_LANES(i, n) {                                                \
        vec slope = slope_of(which, load_some(z + i, n - i));        \
        store_some(dz + i, load_some(dy + i, n - i) * slope, n - i); \
    }
    WITH_ACT(act, BODY)
#undef BODY
}

static void softmax_back(float *ds, const float *p, const float *dp, int64_t n, float scale) {
    float mean = row_dot(p, dp, n);
    FOR_LANES(i, n) {
        vec v = load_some(p + i, n - i) * (load_some(dp + i, n - i) - mean);
        store_some(ds + i, v * scale, n - i);
    }
}

/* gain[i] or 1. */
ALWAYS vec gain_at(const float *gain, int64_t i, int64_t n) {
    return gain ? load_some(gain + i, n - i) : all(1.0F);
}

/* Adds to dx and dgain what a normalised row h = (x - mean) scale says about dy:
 * dx += scale (g - mean of g [if centred] - h mean of g h), g = dy gain. */
ALWAYS void norm_back(const struct simd_norm_back *of, float mean, float scale, bool centred) {
    int64_t n = of->n;
    vec sum = all(0.0F), product = all(0.0F);
    FOR_LANES(i, n) {
        vec h = (load_some(of->x + i, n - i) - mean) * scale;
        vec dy = load_some(of->dy + i, n - i), g = dy * gain_at(of->gain, i, n);
        sum += g;
        product = MULTIPLY_ADD(g, h, product); /* past the end g is 0 */
        if (of->dgain) {
            vec v = MULTIPLY_ADD(dy, h, load_some(of->dgain + i, n - i));
            store_some(of->dgain + i, v, n - i);
        }
        if (of->dbias) {
            store_some(of->dbias + i, load_some(of->dbias + i, n - i) + dy, n - i);
        }
    }
    float level = centred ? lanes_sum(sum) / (float)n : 0.0F;
    float share = lanes_sum(product) / (float)n;
    FOR_LANES(i, n) {
        vec h = (load_some(of->x + i, n - i) - mean) * scale;
        vec g = load_some(of->dy + i, n - i) * gain_at(of->gain, i, n);
        g = MULTIPLY_ADD(h, all(-share), g - level);
        g = MULTIPLY_ADD(g, all(scale), load_some(of->dx + i, n - i));
        store_some(of->dx + i, g, n - i);
    }
}

static void norm_layer_back(const struct simd_norm_back *of) {
    float mean = row_sum(of->x, of->n) / (float)of->n;
    norm_back(of, mean, 1.0F / sqrtf(square_sum(of->x, mean, of->n) / (float)of->n + of->eps),
              true);
}

static void norm_rms_back(const struct simd_norm_back *of) {
    norm_back(of, 0.0F, 1.0F / sqrtf(square_sum(of->x, 0.0F, of->n) / (float)of->n + of->eps),
              false);
}
