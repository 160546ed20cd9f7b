#include "tests/fixture.h"

#include "tests/check.h"

struct model *fixture_open(const char *path) {
    struct arena *arena = check_arena();
    struct err err = { 0 };
    path = check_fixture(arena, arena_printf(arena, "golden/data/%s", path));
    struct model *model = model_open(arena, path, &err);
    check_same(err.text, "");
    return model;
}

struct model *fixture_model(const char *name) {
    return fixture_open(arena_printf(check_arena(), "models/%s", name));
}
