#include "core/draw/colour.h"

#include <math.h>

struct oklab {
    double l, a, b;
};

static double gamma_encode(double linear) {
    if (linear <= 0.0031308) {
        return linear <= 0 ? 0 : 12.92 * linear;
    }
    return linear >= 1 ? 1 : 1.055 * pow(linear, 1 / 2.4) - 0.055;
}

static double gamma_decode(double encoded) {
    return encoded <= 0.04045 ? encoded / 12.92 : pow((encoded + 0.055) / 1.055, 2.4);
}

static uint32_t pack(double r, double g, double b) {
    return (uint32_t)lround(r * 255) << 16 | (uint32_t)lround(g * 255) << 8 |
           (uint32_t)lround(b * 255);
}

static double channel(uint32_t rgb, int shift) {
    return (double)(rgb >> shift & 0xff) / 255;
}

/* The inverse of OKLab as published: bottosson.github.io/posts/oklab. */
static uint32_t from_oklab(struct oklab c) {
    double l = c.l + 0.3963377774 * c.a + 0.2158037573 * c.b;
    double m = c.l - 0.1055613458 * c.a - 0.0638541728 * c.b;
    double s = c.l - 0.0894841775 * c.a - 1.2914855480 * c.b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    return pack(gamma_encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                gamma_encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                gamma_encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

static struct oklab from_polar(double lightness, double chroma, double degrees) {
    double angle = degrees * 3.14159265358979323846 / 180;
    return (struct oklab){ lightness, chroma * cos(angle), chroma * sin(angle) };
}

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* Lightness falls from 0.985 to 0.25 in a straight line; the hue turns from yellow-green (120)
 * to violet (288), and the chroma swells in the middle as far as sRGB reaches. Steps are equal
 * within 3 %. */
uint32_t colour_sequential(double at) {
    at = clamp(at, 0, 1);
    double chroma = 0.006 + 0.11 * sin(0.86 * 3.14159265358979323846 * at);
    return from_oklab(from_polar(0.985 - 0.735 * at, chroma, 120 + 168 * pow(at, 0.72)));
}

uint32_t colour_category(int64_t i) {
    static const uint32_t colours[COLOUR_CATEGORIES] = { 0x0072b2, 0xe08a00, 0x009e73, 0xcc5fa0,
                                                         0xc24a00, 0x4aa8de, 0x332288, 0x882255,
                                                         0x8a8a22, 0x9097a0 };
    return colours[i >= 0 && i < COLOUR_CATEGORIES ? i : COLOUR_CATEGORIES - 1];
}

/* Straight lines from white: both arms lose the same lightness and gain the same chroma. */
uint32_t colour_diverging(double at) {
    double far = clamp(fabs(at), 0, 1);
    return from_oklab(from_polar(1 - 0.5 * far, 0.12 * far, at < 0 ? 255 : 55));
}

void colour_scale_init(struct colour_scale *scale, double low, double high, bool is_signed,
                       int levels) {
    *scale = (struct colour_scale){ low, high, is_signed, levels, { 0 } };
    for (int i = 0; i < levels; i++) {
        double at = levels > 1 ? (double)i / (levels - 1) : 0;
        scale->colours[i] = is_signed ? colour_diverging(2 * at - 1) : colour_sequential(at);
    }
}

int colour_level(const struct colour_scale *scale, double value) {
    if (isnan(value)) {
        return -1;
    }
    double range = scale->high - scale->low;
    double at = range > 0 ? clamp((value - scale->low) / range, 0, 1) : 0;
    return (int)(at * (scale->levels - 1) + 0.5);
}

uint32_t colour_of(const struct colour_scale *scale, double value) {
    int level = colour_level(scale, value);
    return level < 0 ? COLOUR_MISSING : scale->colours[level];
}

double colour_luminance(uint32_t rgb) {
    return 0.2126 * gamma_decode(channel(rgb, 16)) + 0.7152 * gamma_decode(channel(rgb, 8)) +
           0.0722 * gamma_decode(channel(rgb, 0));
}

double colour_contrast(uint32_t a, uint32_t b) {
    double x = colour_luminance(a), y = colour_luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

uint32_t colour_text_on(uint32_t rgb) {
    return colour_contrast(rgb, 0xffffff) >= 4.5 ? 0xffffff : 0x000000;
}

uint32_t colour_mix(uint32_t under, uint32_t over, double share) {
    return pack(channel(under, 16) + share * (channel(over, 16) - channel(under, 16)),
                channel(under, 8) + share * (channel(over, 8) - channel(under, 8)),
                channel(under, 0) + share * (channel(over, 0) - channel(under, 0)));
}
