#include "core/draw/figure_json.h"

#include "core/base/jsonwrite.h"

const char *figure_json_mime(struct arena *arena, const struct figure *figure) {
    return arena_printf(arena, "application/vnd.cutaway.%s.v1+json", figure->form->kind);
}

const char *figure_json(struct arena *arena, const struct figure *figure) {
    struct jsonwrite w = { .out = buf_new(arena) };
    json_open(&w, '{');
    json_pair(&w, "schema", arena_printf(arena, "cutaway.%s.v1", figure->form->kind));
    json_pair(&w, "language", figure->language);
    json_pair(&w, "title", figure->title);
    json_pair(&w, "note", figure->note);
    json_pair(&w, "finding", figure->finding);
    json_pair(&w, "caption", figure->caption);
    json_pair(&w, "alt", figure->alt);
    json_pair(&w, "provenance", figure->provenance);
    if (figure->result) {
        json_pair(&w, "result", figure->result);
    }
    figure->form->json(&w, figure);
    json_close(&w, '}');
    return w.out->data;
}
