#include "core/draw/canvas.h"

#include <math.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/draw/canvas_record.h"
#include "core/draw/canvas_text.h"
#include "core/draw/colour.h"

struct canvas *canvas_new(struct arena *arena, double width, double height, double scale,
                          struct err *err) {
    if (canvas_load(err) < 0) {
        err_pass(err);
        return NULL;
    }
    struct canvas *canvas = arena_alloc(arena, sizeof *canvas);
    canvas->arena = arena;
    canvas->scale = scale;
    canvas->width = (int64_t)ceil(width * scale);
    canvas->height = (int64_t)ceil(height * scale);
    canvas->pixels = arena_array(arena, canvas->height, (size_t)canvas->width);
    canvas_colour(canvas, COLOUR_PAPER); /* place 0: what zeroed pixels show */
    return canvas;
}

void canvas_darken(struct canvas *canvas) {
    canvas->dark = true;
    canvas->palette[0] = colour_dark(COLOUR_PAPER);
    memset(canvas->known, 0, sizeof canvas->known);
}

double canvas_hairline(const struct canvas *canvas) {
    return fmax(1, floor(canvas->scale / 2 + 0.5)) / canvas->scale;
}

int64_t canvas_edge(const struct canvas *canvas, double at) {
    return (int64_t)floor(at * canvas->scale + 0.5);
}

static int distance(uint32_t a, uint32_t b) {
    int r = (int)(a >> 16 & 0xff) - (int)(b >> 16 & 0xff);
    int g = (int)(a >> 8 & 0xff) - (int)(b >> 8 & 0xff);
    int c = (int)(a & 0xff) - (int)(b & 0xff);
    return 2 * r * r + 4 * g * g + 3 * c * c;
}

static int find_colour(struct canvas *canvas, uint32_t rgb) {
    int best = 0, least = INT32_MAX;
    for (int i = 0; i < canvas->colours && least > 0; i++) {
        int far = distance(canvas->palette[i], rgb);
        if (far < least) {
            least = far;
            best = i;
        }
    }
    if (least > 0 && canvas->colours < 256) {
        best = canvas->colours++;
        canvas->palette[best] = rgb;
    }
    return best;
}

/* Of a colour that has its theme already. */
static unsigned char place_of(struct canvas *canvas, uint32_t rgb) {
    uint32_t at = rgb * 2654435761U >> 24;
    if (canvas->known[at].place == 0 || canvas->known[at].rgb != rgb) {
        canvas->known[at].place = find_colour(canvas, rgb) + 1;
        canvas->known[at].rgb = rgb;
    }
    return (unsigned char)(canvas->known[at].place - 1);
}

static uint32_t themed(const struct canvas *canvas, uint32_t rgb) {
    return canvas->dark ? colour_dark(rgb) : rgb;
}

unsigned char canvas_colour(struct canvas *canvas, uint32_t rgb) {
    return place_of(canvas, themed(canvas, rgb));
}

static int64_t within(int64_t at, int64_t limit) {
    return at < 0 ? 0 : at > limit ? limit : at;
}

void canvas_rect(struct canvas *canvas, double x, double y, double width, double height,
                 uint32_t rgb) {
    if (canvas->record) {
        canvas_record_add(canvas, MARK_RECT, rgb, (double[]){ x, y, width, height });
        return;
    }
    int64_t left = within(canvas_edge(canvas, x), canvas->width);
    int64_t right = within(canvas_edge(canvas, x + width), canvas->width);
    int64_t top = within(canvas_edge(canvas, y), canvas->height);
    int64_t bottom = within(canvas_edge(canvas, y + height), canvas->height);
    unsigned char colour = canvas_colour(canvas, rgb);
    for (int64_t row = top; row < bottom && left < right; row++) {
        memset(canvas->pixels + row * canvas->width + left, colour, (size_t)(right - left));
    }
}

/* Device columns where cells begin, and where the last ends. */
static int64_t *cell_edges(struct canvas *canvas, const struct canvas_cells *cells) {
    int64_t *edges = arena_array(canvas->arena, cells->columns + 1, sizeof *edges);
    for (int64_t c = 0; c <= cells->columns; c++) {
        int64_t edge = canvas_edge(canvas, cells->x + cells->width * (double)c);
        edges[c] = within(edge, canvas->width);
    }
    return edges;
}

/* Those of the colours that are there, in the palette. */
static void cell_places(struct canvas *canvas, const struct canvas_cells *cells,
                        unsigned char *places) {
    bool used[256] = { false };
    for (int64_t i = 0; i < cells->rows * cells->columns; i++) {
        used[cells->levels[i]] = true;
    }
    for (int i = 0; i < cells->count; i++) {
        places[i] = used[i] ? canvas_colour(canvas, cells->colours[i]) : 0;
    }
}

void canvas_cells(struct canvas *canvas, const struct canvas_cells *cells) {
    if (canvas->record) {
        canvas_record_cells(canvas, cells);
        return;
    }
    unsigned char places[256];
    const int64_t *edges = cell_edges(canvas, cells);
    cell_places(canvas, cells, places);
    for (int64_t r = 0; r < cells->rows; r++) {
        const unsigned char *levels = cells->levels + r * cells->columns;
        double top = cells->y + cells->height * (double)r;
        int64_t first = within(canvas_edge(canvas, top), canvas->height);
        int64_t after = within(canvas_edge(canvas, top + cells->height), canvas->height);
        bool whole = !memchr(levels, CANVAS_CLEAR, (size_t)cells->columns);
        for (int64_t row = first; row < after; row++) {
            unsigned char *line = canvas->pixels + row * canvas->width;
            if (whole && row > first) { /* every row of cells is coloured once */
                memcpy(line + edges[0], line - canvas->width + edges[0],
                       (size_t)(edges[cells->columns] - edges[0]));
                continue;
            }
            for (int64_t c = 0; c < cells->columns; c++) {
                if (levels[c] != CANVAS_CLEAR) {
                    memset(line + edges[c], places[levels[c]],
                           (size_t)(edges[c + 1] - edges[c]));
                }
            }
        }
    }
}

struct canvas_size canvas_measure(struct canvas *canvas, const struct canvas_style *style,
                                  const char *text) {
    stop_check();
    const struct canvas_text *drawn = canvas_text_at(canvas, style, text);
    return (struct canvas_size){ drawn->width / canvas->scale, drawn->height / canvas->scale };
}

/* What a shade of an ink makes of each colour of the palette; -1: not asked yet. */
struct canvas_mix {
    uint32_t ink;
    int shades;
    short known[256][16];
};

static struct canvas_mix *mix_at(struct canvas *canvas, uint32_t ink, int shades) {
    uint32_t place = (ink * 2654435761U >> 28 ^ (uint32_t)shades) & 15;
    struct canvas_mix *mix = canvas->mixes[place];
    if (!mix) {
        mix = canvas->mixes[place] = arena_alloc(canvas->arena, sizeof *mix);
    }
    if (mix->shades != shades || mix->ink != ink) {
        mix->ink = ink;
        mix->shades = shades;
        memset(mix->known, 0xff, sizeof mix->known);
    }
    return mix;
}

/* Ink of a colour that has its theme. */
static void lay(struct canvas *canvas, const struct canvas_cover *of, int64_t left, int64_t top,
                uint32_t ink, int shades) {
    struct canvas_mix *mix = mix_at(canvas, ink, shades);
    int64_t x0 = within(-left, of->columns), x1 = within(canvas->width - left, of->columns);
    int64_t y0 = within(-top, of->rows), y1 = within(canvas->height - top, of->rows);
    for (int64_t y = y0; y < y1; y++) {
        const unsigned char *cover = of->cover + y * of->stride;
        unsigned char *pixel = canvas->pixels + (top + y) * canvas->width + left;
        for (int64_t x = x0; x < x1; x++) {
            int shade =
                cover[x] == 0 ? 0 : (cover[x] * shades + 127) / 255; /* mostly nothing */
            if (shade == 0) {
                continue;
            }
            short *place = &mix->known[pixel[x]][shade];
            if (*place < 0) {
                uint32_t under = canvas->palette[pixel[x]];
                *place = place_of(canvas, colour_mix(under, ink, (double)shade / shades));
            }
            pixel[x] = (unsigned char)*place;
        }
    }
}

void canvas_lay(struct canvas *canvas, const struct canvas_cover *of, int64_t left, int64_t top,
                uint32_t ink, int shades) {
    lay(canvas, of, left, top, themed(canvas, ink), shades);
}

void canvas_write(struct canvas *canvas, const struct canvas_style *style, double x, double y,
                  const char *text) {
    stop_check();
    uint32_t ink = themed(canvas, style->colour);
    ink = style->on ? colour_text_on(ink) : ink;
    if (canvas->record) {
        canvas_record_text(canvas, style, ink, x, y, text);
        return;
    }
    const struct canvas_text *drawn = canvas_text_at(canvas, style, text);
    int shades = style->shades ? style->shades : 15;
    for (int way = 0; style->halo && way < 8; way++) {
        double angle = way * 3.14159265358979323846 / 4;
        double dx = CANVAS_HALO * cos(angle), dy = CANVAS_HALO * sin(angle);
        lay(canvas, &drawn->cover, canvas_edge(canvas, x + dx) + drawn->left,
            canvas_edge(canvas, y + dy) + drawn->top, canvas->palette[0], shades);
    }
    lay(canvas, &drawn->cover, canvas_edge(canvas, x) + drawn->left,
        canvas_edge(canvas, y) + drawn->top, ink, shades);
}
