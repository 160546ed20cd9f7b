#ifndef CORE_DRAW_COLOUR_H
#define CORE_DRAW_COLOUR_H

#include <stdbool.h>
#include <stdint.h>

/* colour: from a value to a colour, 0xRRGGBB.
 *
 * The sequential ramp goes from nearly white over green-blue to dark violet; its lightness
 * falls in equal steps (L of OKLab, Ottosson 2020), so that equal differences of value look
 * equal, in grey and to colour-blind readers too. The diverging ramp goes from blue over white
 * to orange; a value and its negative have the same lightness. */

enum {
    COLOUR_PAPER = 0xffffff,
    COLOUR_INK = 0x1f2328,    /* titles and labels */
    COLOUR_QUIET = 0x59636e,  /* axis titles, provenance */
    COLOUR_LINE = 0xc4cad1,   /* frames and ticks */
    COLOUR_GRID = 0xe8ebee,   /* hairlines across a plot */
    COLOUR_BAD = 0xa3211a,    /* NaN and infinities where they are counted */
    COLOUR_MISSING = 0xb4b4b4 /* not a number */
};

/* Which ramp stands for values: Cutaway's own; viridis (Smith and van der Walt 2015), turned
 * about so that here too more is darker on white paper; grey, for printers without colours. */
enum colour_map { COLOUR_CUTAWAY, COLOUR_VIRIDIS, COLOUR_GREY, COLOUR_MAPS };
extern const char *const colour_map_names[COLOUR_MAPS];

/* The map of that name; NULL: Cutaway's own. -1 where there is none. */
int colour_map_find(const char *name);

/* `at` 0..1 on the sequential ramp; clamped. */
uint32_t colour_sequential(enum colour_map map, double at);

/* Colours of groups and lines; the last is the grey of all others. Their hues and lightness
 * were searched so that readers without red, green or blue cones (as Machado, Oliveira and
 * Fernandes 2009, doi:10.1109/TVCG.2009.113, simulate them) tell neighbours apart, in both
 * themes: in OKLab neighbours are at least 0.12 apart, any of the first six 0.1, and any two
 * 0.06. */
enum { COLOUR_CATEGORIES = 10 };
uint32_t colour_category(int64_t i); /* 0 .. COLOUR_CATEGORIES - 1; larger: the grey */

/* `at` -1..1 on the diverging ramp; clamped. viridis has none and takes Cutaway's; in grey it
 * is the whole ramp, from pale for -1 to dark for 1. */
uint32_t colour_diverging(enum colour_map map, double at);

/* A colour of the light theme as the dark one shows it: the same hue, its lightness in OKLab
 * turned about, L' = 0.2 + 0.79 (1 - L), so that paper becomes nearly black and ink pale. */
uint32_t colour_dark(uint32_t rgb);

/* A range of values cut into equal levels with a colour each. */
struct colour_scale {
    double low, high; /* is_signed: low is -high */
    bool is_signed;
    int levels; /* at most 255; odd when signed, so that 0 has its own */
    uint32_t colours[255];
};

void colour_scale_init(struct colour_scale *scale, enum colour_map map, double low, double high,
                       bool is_signed, int levels);

/* The level that stands for the value, 0 .. levels-1; -1 for NaN. */
int colour_level(const struct colour_scale *scale, double value);
uint32_t colour_of(const struct colour_scale *scale, double value);

/* WCAG 2.1: relative luminance 0..1, contrast 1..21. */
double colour_luminance(uint32_t rgb);
double colour_contrast(uint32_t a, uint32_t b);

/* White where its contrast is 4.5 or more, else black, whose contrast then is more than 4.6. */
uint32_t colour_text_on(uint32_t rgb);

/* The colour as letters on paper: as dark as its contrast needs to be 4.5 in both themes. */
uint32_t colour_ink(uint32_t rgb);

/* A share of `over` (0..1) laid on `under`, in sRGB. */
uint32_t colour_mix(uint32_t under, uint32_t over, double share);

#endif
