#include "core/draw/colour.h"

#include <math.h>
#include <string.h>

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

/* OKLab and its inverse as published: bottosson.github.io/posts/oklab. */
static struct oklab to_oklab(uint32_t rgb) {
    double r = gamma_decode(channel(rgb, 16)), g = gamma_decode(channel(rgb, 8)),
           b = gamma_decode(channel(rgb, 0));
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return (struct oklab){ 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
                           1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
                           0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s };
}

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

uint32_t colour_dark(uint32_t rgb) {
    struct oklab c = to_oklab(rgb);
    c.l = 0.2 + 0.79 * (1 - c.l);
    return from_oklab(c);
}

/* ---- maps ---- */

const char *const colour_map_names[COLOUR_MAPS] = { "cutaway", "viridis", "grey" };

int colour_map_find(const char *name) {
    for (int i = 0; name && i < COLOUR_MAPS; i++) {
        if (strcmp(name, colour_map_names[i]) == 0) {
            return i;
        }
    }
    return name ? -1 : COLOUR_CUTAWAY;
}

/* Lightness falls from 0.985 to 0.25 in a straight line; the hue turns from yellow-green (120)
 * to violet (288), and the chroma swells in the middle as far as sRGB reaches. Steps are equal
 * within 3 %. */
static uint32_t cutaway(double at) {
    double chroma = 0.006 + 0.11 * sin(0.86 * 3.14159265358979323846 * at);
    return from_oklab(from_polar(0.985 - 0.735 * at, chroma, 120 + 168 * pow(at, 0.72)));
}

/* Ten colours of the published map, from its bright end, and straight lines between them. */
static uint32_t viridis(double at) {
    static const uint32_t stops[] = { 0xfde725, 0xb5de2b, 0x6ece58, 0x35b779, 0x1f9e89,
                                      0x26828e, 0x31688e, 0x3e4989, 0x482878, 0x440154 };
    enum { STEPS = sizeof stops / sizeof *stops - 1 };
    int below = at < 1 ? (int)(at * STEPS) : STEPS - 1;
    return colour_mix(stops[below], stops[below + 1], at * STEPS - below);
}

uint32_t colour_sequential(enum colour_map map, double at) {
    at = clamp(at, 0, 1);
    return map == COLOUR_VIRIDIS ? viridis(at)
           : map == COLOUR_GREY  ? from_oklab((struct oklab){ .l = 0.985 - 0.735 * at })
                                 : cutaway(at);
}

uint32_t colour_category(int64_t i) {
    static const uint32_t colours[COLOUR_CATEGORIES] = { 0x0068a8, 0xe08a00, 0x7ca0e0, 0x141378,
                                                         0x766701, 0x622a39, 0xb4711e, 0x478a87,
                                                         0xc050dd, 0x9097a0 };
    return colours[i >= 0 && i < COLOUR_CATEGORIES ? i : COLOUR_CATEGORIES - 1];
}

/* Straight lines from white: both arms lose the same lightness and gain the same chroma. */
uint32_t colour_diverging(enum colour_map map, double at) {
    if (map == COLOUR_GREY) {
        return colour_sequential(map, clamp((at + 1) / 2, 0, 1));
    }
    double far = clamp(fabs(at), 0, 1);
    return from_oklab(from_polar(1 - 0.5 * far, 0.12 * far, at < 0 ? 255 : 55));
}

void colour_scale_init(struct colour_scale *scale, enum colour_map map, double low, double high,
                       bool is_signed, int levels) {
    *scale = (struct colour_scale){ low, high, is_signed, levels, { 0 } };
    for (int i = 0; i < levels; i++) {
        double at = levels > 1 ? (double)i / (levels - 1) : 0;
        scale->colours[i] =
            is_signed ? colour_diverging(map, 2 * at - 1) : colour_sequential(map, at);
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

uint32_t colour_ink(uint32_t rgb) {
    uint32_t dark = colour_dark(COLOUR_PAPER);
    struct oklab c = to_oklab(rgb);
    while (colour_contrast(rgb, COLOUR_PAPER) < 4.5 ||
           (colour_contrast(colour_dark(rgb), dark) < 4.5 && c.l > 0)) {
        c.l -= 0.01;
        rgb = from_oklab(c);
    }
    return rgb;
}
