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

/* L of OKLab falls by equal steps: read back from the colour, within the rounding to 8 bits. */
static double lightness(uint32_t rgb) {
    double c[3];
    for (int i = 0; i < 3; i++) {
        double e = (rgb >> (16 - 8 * i) & 0xff) / 255.0;
        c[i] = e <= 0.04045 ? e / 12.92 : pow((e + 0.055) / 1.055, 2.4);
    }
    double l = cbrt(0.4122214708 * c[0] + 0.5363325363 * c[1] + 0.0514459929 * c[2]);
    double m = cbrt(0.2119034982 * c[0] + 0.6806995451 * c[1] + 0.1073969566 * c[2]);
    double s = cbrt(0.0883024619 * c[0] + 0.2817188376 * c[1] + 0.6299787005 * c[2]);
    return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
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
