#ifndef CORE_BASE_PLACES_H
#define CORE_BASE_PLACES_H

#include "core/base/arena.h"

/* places: the folders in which models lie. Nothing is opened here: whoever looks for models
 * (core/model/find.c), whoever keeps a process to them and whoever asks what is outside reads
 * the same list. */

enum place_kind {
    PLACE_CHOSEN, /* named in CUTAWAY_MODELS */
    PLACE_USUAL,  /* models/ beside the program, the user's and the installed data */
    PLACE_HUB     /* the Hugging Face hub's cache, as huggingface_hub looks for it */
};

struct place {
    const char *path; /* may not exist */
    enum place_kind kind;
};

/* In the order in which they are searched; the list ends with path NULL. In the arena. */
const struct place *places_models(struct arena *arena);

/* Where models that the program itself makes are kept; NULL without a home. */
const char *places_made(struct arena *arena);

/* "~/x" as a shell reads it; any other path as it is. */
const char *places_expand(struct arena *arena, const char *path);

/* The folder of the running program, NULL if it cannot be told. */
const char *places_program(struct arena *arena);

#endif
