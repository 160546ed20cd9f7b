/* places: where models are looked for, by what the environment says. */
#include "core/base/places.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "tests/check.h"

static const char *const names[] = { "HOME",          "XDG_CACHE_HOME", "XDG_DATA_HOME",
                                     "HF_HOME",       "HF_HUB_CACHE",   "HUGGINGFACE_HUB_CACHE",
                                     "CUTAWAY_MODELS" };
enum { NAMES = sizeof names / sizeof *names };
static char *before[NAMES];

/* None of them is set. */
static void begin(void) {
    for (int i = 0; i < NAMES; i++) {
        before[i] = getenv(names[i]) ? arena_copy(check_arena(), getenv(names[i])) : NULL;
        unsetenv(names[i]);
    }
}

static void end(void) {
    for (int i = 0; i < NAMES; i++) {
        before[i] ? setenv(names[i], before[i], 1) : unsetenv(names[i]);
    }
}

/* The places of a kind, "a b". */
static const char *places(enum place_kind kind) {
    struct buf *out = buf_new(check_arena());
    for (const struct place *at = places_models(check_arena()); at->path; at++) {
        if (at->kind == kind) {
            buf_printf(out, "%s%s", out->length > 0 ? " " : "", at->path);
        }
    }
    return out->data;
}

TEST(places_chosen_are_a_list) {
    begin();
    check_same(places(PLACE_CHOSEN), "");
    setenv("CUTAWAY_MODELS", ":/a::b/c:", 1);
    check_same(places(PLACE_CHOSEN), "/a b/c");
    setenv("CUTAWAY_MODELS", "", 1);
    check_same(places(PLACE_CHOSEN), "");
    end();
}

/* As huggingface_hub does: the most special name first, an empty one is none. */
TEST(places_the_hub_s_cache_is_where_the_hub_has_it) {
    begin();
    check_same(places(PLACE_HUB), "");
    setenv("HOME", "/home/x", 1);
    check_same(places(PLACE_HUB), "/home/x/.cache/huggingface/hub");
    setenv("XDG_CACHE_HOME", "/cache", 1);
    check_same(places(PLACE_HUB), "/cache/huggingface/hub");
    setenv("HF_HOME", "/hf", 1);
    check_same(places(PLACE_HUB), "/hf/hub");
    setenv("HUGGINGFACE_HUB_CACHE", "/old", 1);
    check_same(places(PLACE_HUB), "/old");
    setenv("HF_HUB_CACHE", "/new", 1);
    check_same(places(PLACE_HUB), "/new");
    setenv("HF_HUB_CACHE", "", 1);
    check_same(places(PLACE_HUB), "/old");
    end();
}

TEST(places_of_the_user_s_own_data) {
    begin();
    check(!strstr(places(PLACE_USUAL), "/home/x"));
    setenv("HOME", "/home/x", 1);
    check_text(places(PLACE_USUAL), " /home/x/.local/share/cutaway/models ");
    setenv("XDG_DATA_HOME", "/data", 1);
    check_text(places(PLACE_USUAL), " /data/cutaway/models ");
    end();
}

TEST(places_made_need_a_home) {
    begin();
    check(!places_made(check_arena()));
    setenv("HOME", "/home/x", 1);
    check_same(places_made(check_arena()), "/home/x/.cache/cutaway/models");
    setenv("XDG_CACHE_HOME", "relative", 1); /* the standard ignores it */
    check_same(places_made(check_arena()), "/home/x/.cache/cutaway/models");
    setenv("XDG_CACHE_HOME", "/cache", 1);
    check_same(places_made(check_arena()), "/cache/cutaway/models");
    end();
}

TEST(places_expand_the_sign_of_home) {
    begin();
    check_same(places_expand(check_arena(), "~/x"), "~/x"); /* there is none */
    setenv("HOME", "/home/x", 1);
    check_same(places_expand(check_arena(), "~/y z"), "/home/x/y z");
    check_same(places_expand(check_arena(), "~other/y"), "~other/y");
    check_same(places_expand(check_arena(), "a/~/b"), "a/~/b");
    check_same(places_expand(check_arena(), ""), "");
    end();
}
