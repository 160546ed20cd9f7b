#include <math.h>

#include "core/draw/colour.h"
#include "tests/check.h"

TEST(colour_sequential_gets_darker_all_the_way) {
    for (int i = 1; i <= 255; i++) {
        check(colour_luminance(colour_sequential(COLOUR_CUTAWAY, i / 255.0)) <
              colour_luminance(colour_sequential(COLOUR_CUTAWAY, (i - 1) / 255.0)));
    }
    check(colour_luminance(colour_sequential(COLOUR_CUTAWAY, 0)) > 0.94);
    check(colour_luminance(colour_sequential(COLOUR_CUTAWAY, 1)) < 0.03);
    check(colour_sequential(COLOUR_CUTAWAY, -3) == colour_sequential(COLOUR_CUTAWAY, 0));
    check(colour_sequential(COLOUR_CUTAWAY, 7) == colour_sequential(COLOUR_CUTAWAY, 1));
}

TEST(colour_diverging_is_white_at_zero_and_symmetric) {
    check_int(colour_diverging(COLOUR_CUTAWAY, 0), 0xffffff);
    for (int i = 1; i <= 100; i++) {
        uint32_t low = colour_diverging(COLOUR_CUTAWAY, -i / 100.0),
                 high = colour_diverging(COLOUR_CUTAWAY, i / 100.0);
        check_near(colour_luminance(low), colour_luminance(high), 0.035);
        check(colour_luminance(high) <
              colour_luminance(colour_diverging(COLOUR_CUTAWAY, (i - 1) / 100.0)));
    }
    uint32_t blue = colour_diverging(COLOUR_CUTAWAY, -1),
             orange = colour_diverging(COLOUR_CUTAWAY, 1);
    check((blue & 0xff) > (blue >> 16));
    check((orange >> 16) > (orange & 0xff));
}

/* The colour in linear light, red, green, blue. */
static void linear(uint32_t rgb, double *c) {
    for (int i = 0; i < 3; i++) {
        double e = (rgb >> (16 - 8 * i) & 0xff) / 255.0;
        c[i] = e <= 0.04045 ? e / 12.92 : pow((e + 0.055) / 1.055, 2.4);
    }
}

static void times(const double matrix[3][3], const double *from, double *to) {
    for (int i = 0; i < 3; i++) {
        to[i] = matrix[i][0] * from[0] + matrix[i][1] * from[1] + matrix[i][2] * from[2];
    }
}

static void oklab(const double *rgb, double *lab) {
    static const double cones[3][3] = { { 0.4122214708, 0.5363325363, 0.0514459929 },
                                        { 0.2119034982, 0.6806995451, 0.1073969566 },
                                        { 0.0883024619, 0.2817188376, 0.6299787005 } };
    static const double axes[3][3] = { { 0.2104542553, 0.7936177850, -0.0040720468 },
                                       { 1.9779984951, -2.4285922050, 0.4505937099 },
                                       { 0.0259040371, 0.7827717662, -0.8086757660 } };
    double lms[3];
    times(cones, rgb, lms);
    for (int i = 0; i < 3; i++) {
        lms[i] = cbrt(lms[i]);
    }
    times(axes, lms, lab);
}

/* How colours look to everybody, and to readers who lack the cones for red, green or blue:
 * Machado, Oliveira and Fernandes 2009, table 1, severity 1. */
enum { SIGHTS = 4 };
static const double sights[SIGHTS][3][3] = {
    { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
    { { 0.152286, 1.052583, -0.204868 },
      { 0.114503, 0.786281, 0.099216 },
      { -0.003882, -0.048116, 1.051998 } },
    { { 0.367322, 0.860646, -0.227968 },
      { 0.280085, 0.672501, 0.047413 },
      { -0.011820, 0.042940, 0.968881 } },
    { { 1.255528, -0.076749, -0.178779 },
      { -0.078411, 0.930809, 0.147602 },
      { 0.004733, 0.691367, 0.303900 } },
};

/* OKLab of a colour as one of them sees it. */
static void seen(int sight, uint32_t rgb, double *lab) {
    double from[3], to[3];
    linear(rgb, from);
    times(sights[sight], from, to);
    for (int i = 0; i < 3; i++) {
        to[i] = fmin(fmax(to[i], 0), 1);
    }
    oklab(to, lab);
}

/* How far apart two colours are to whoever sees them least so. */
static double apart(uint32_t one, uint32_t other) {
    double least = INFINITY, a[3], b[3];
    for (int sight = 0; sight < SIGHTS; sight++) {
        seen(sight, one, a);
        seen(sight, other, b);
        least = fmin(least, hypot(hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]));
    }
    return least;
}

/* White and grey look the same to all: the rows of the matrices sum to 1. */
TEST(colour_blind_readers_see_grey_as_grey) {
    double here[3], there[3];
    for (int sight = 1; sight < SIGHTS; sight++) {
        seen(0, 0x808080, here);
        seen(sight, 0x808080, there);
        check_near(there[0], here[0], 1e-5);
        check_near(hypot(there[1], there[2]), 0, 1e-5);
    }
    check(apart(0xff0000, 0x9c8200) < 0.12); /* red and olive, to some */
}

TEST(colour_categories_stay_apart_to_colour_blind_readers) {
    for (int dark = 0; dark < 2; dark++) {
        for (int i = 0; i < COLOUR_CATEGORIES; i++) {
            for (int k = i + 1; k < COLOUR_CATEGORIES; k++) {
                uint32_t one = colour_category(i), other = colour_category(k);
                double least = k == i + 1 ? 0.12 : k < 6 ? 0.1 : 0.06;
                check((dark ? apart(colour_dark(one), colour_dark(other)) : apart(one, other)) >
                      least);
            }
        }
    }
}

TEST(colour_ramps_get_darker_to_colour_blind_readers) {
    double here[3], before[3];
    for (int map = 0; map < COLOUR_MAPS; map++) {
        for (int sight = 0; sight < SIGHTS; sight++) {
            for (int i = 1; i <= 100; i++) {
                seen(sight, colour_sequential((enum colour_map)map, i / 100.0), here);
                seen(sight, colour_sequential((enum colour_map)map, (i - 1) / 100.0), before);
                check(here[0] < before[0] + 0.002);
            }
        }
    }
}

/* Far ends at least as far from each other as neighbours among the groups, and each arm darker
 * all the way. */
TEST(colour_diverging_ends_stay_apart_to_colour_blind_readers) {
    double here[3], before[3];
    for (int i = 25; i <= 100; i++) {
        double at = i / 100.0;
        check(apart(colour_diverging(COLOUR_CUTAWAY, -at),
                    colour_diverging(COLOUR_CUTAWAY, at)) > 0.14 * at);
    }
    for (int sight = 0; sight < SIGHTS; sight++) {
        for (int i = -100; i <= 100; i++) {
            if (i != 0) {
                int inner = i < 0 ? i + 1 : i - 1;
                seen(sight, colour_diverging(COLOUR_CUTAWAY, i / 100.0), here);
                seen(sight, colour_diverging(COLOUR_CUTAWAY, inner / 100.0), before);
                check(here[0] < before[0] + 0.002);
            }
        }
    }
}

/* L of OKLab falls by equal steps: read back from the colour, within the rounding to 8 bits. */
static double lightness(uint32_t rgb) {
    double lab[3];
    seen(0, rgb, lab);
    return lab[0];
}

TEST(colour_sequential_is_perceptually_even) {
    for (int i = 0; i <= 20; i++) {
        check_near(lightness(colour_sequential(COLOUR_CUTAWAY, i / 20.0)),
                   0.985 - 0.735 * i / 20, 0.004);
    }
}

/* WCAG's own examples: black on white is 21, #777777 on white 4.48. */
TEST(colour_contrast_is_that_of_wcag) {
    check_near(colour_contrast(0x000000, 0xffffff), 21, 1e-9);
    check_near(colour_contrast(0x777777, 0xffffff), 4.48, 0.01);
}

TEST(colour_text_can_be_read_on_every_cell) {
    for (int i = 0; i <= 400; i++) {
        uint32_t cell = colour_sequential(COLOUR_CUTAWAY, i / 400.0),
                 far = colour_diverging(COLOUR_CUTAWAY, i / 200.0 - 1);
        check(colour_contrast(cell, colour_text_on(cell)) >= 4.5);
        check(colour_contrast(far, colour_text_on(far)) >= 4.5);
    }
    check(colour_contrast(COLOUR_PAPER, COLOUR_INK) >= 7);
    check(colour_contrast(COLOUR_PAPER, COLOUR_QUIET) >= 4.5);
}

TEST(colour_scale_levels_cover_the_range) {
    struct colour_scale scale;
    colour_scale_init(&scale, COLOUR_CUTAWAY, 0, 2, false, 5);
    check_int(colour_level(&scale, 0), 0);
    check_int(colour_level(&scale, 1), 2);
    check_int(colour_level(&scale, 2), 4);
    check_int(colour_level(&scale, 99), 4);
    check_int(colour_level(&scale, -INFINITY), 0);
    check_int(colour_level(&scale, NAN), -1);
    check(colour_of(&scale, NAN) == COLOUR_MISSING);
    colour_scale_init(&scale, COLOUR_CUTAWAY, -3, 3, true, 65);
    check_int(colour_of(&scale, 0), 0xffffff);
}

TEST(colour_mix_goes_from_one_to_the_other) {
    check_int(colour_mix(0x102030, 0xffffff, 0), 0x102030);
    check_int(colour_mix(0x102030, 0xffffff, 1), 0xffffff);
    check_int(colour_mix(0x000000, 0xff8040, 0.5), 0x804020);
}

/* The same hue with its lightness turned about; all that is read is read on dark paper too. */
TEST(colour_dark_turns_lightness_about) {
    static const uint32_t inks[] = { COLOUR_INK, COLOUR_QUIET, COLOUR_BAD };
    uint32_t paper = colour_dark(COLOUR_PAPER);
    check_near(lightness(paper), 0.2, 0.004);
    check_near(lightness(colour_dark(0x000000)), 0.99, 0.004);
    for (int i = 0; i < 3; i++) {
        check(colour_contrast(colour_dark(inks[i]), paper) >= 4.5);
    }
    for (int i = 0; i <= 20; i++) {
        uint32_t light = colour_sequential(COLOUR_GREY, i / 20.0);
        check_near(lightness(colour_dark(light)), 0.2 + 0.79 * (1 - lightness(light)), 0.004);
        check(colour_contrast(colour_dark(light), colour_text_on(colour_dark(light))) >= 4.5);
    }
}

TEST(colour_maps_get_darker_all_the_way) {
    for (int map = 0; map < COLOUR_MAPS; map++) {
        for (int i = 1; i <= 100; i++) {
            uint32_t here = colour_sequential((enum colour_map)map, i / 100.0);
            uint32_t before = colour_sequential((enum colour_map)map, (i - 1) / 100.0);
            check(lightness(here) <= lightness(before) + 0.002);
            check(colour_contrast(here, colour_text_on(here)) >= 4.5);
        }
    }
    check_int(colour_sequential(COLOUR_VIRIDIS, 0), 0xfde725);
    check_int(colour_sequential(COLOUR_VIRIDIS, 1), 0x440154);
    uint32_t grey = colour_sequential(COLOUR_GREY, 0.4);
    check_int(grey >> 16, grey & 0xff);
    check(lightness(colour_diverging(COLOUR_GREY, -1)) >
          lightness(colour_diverging(COLOUR_GREY, 1)) + 0.7);
}

TEST(colour_map_find_knows_its_names) {
    check_int(colour_map_find(NULL), COLOUR_CUTAWAY);
    check_int(colour_map_find("grey"), COLOUR_GREY);
    check_int(colour_map_find("viridis"), COLOUR_VIRIDIS);
    check_int(colour_map_find("jet"), -1);
    check_int(colour_map_find(""), -1);
}

TEST(colour_ink_is_read_in_both_themes) {
    uint32_t dark = colour_dark(COLOUR_PAPER);
    for (int i = 0; i < COLOUR_CATEGORIES + 40; i++) {
        uint32_t colour =
            i < COLOUR_CATEGORIES
                ? colour_category(i)
                : colour_sequential(COLOUR_CUTAWAY, (i - COLOUR_CATEGORIES) / 40.0);
        uint32_t ink = colour_ink(colour);
        check(colour_contrast(ink, COLOUR_PAPER) >= 4.5);
        check(colour_contrast(colour_dark(ink), dark) >= 4.5);
    }
}
