/* usage: memory as /proc tells it, added up by hand. */
#include "kernel/front/usage.h"

#include <string.h>

#include "kernel/front/known.h"
#include "tests/check.h"

static const char smaps[] =
    "5618f6a39000-5618f6a3b000 r--p 00000000 fe:00 260386  /usr/bin/head\n"
    "Size:                  8 kB\n"
    "Rss:                   8 kB\n"
    "Pss:                   3 kB\n"
    "Pss_Dirty:             1 kB\n"
    "VmFlags: rd mr mw me\n"
    "7f0000001000-7f0000009000 r--p 00000000 fe:00 7  /models/a b.safetensors\n"
    "Rss:                  20 kB\n"
    "Pss:                  10 kB\n"
    "7f0000009000-7f000000a000 r--p 00008000 fe:00 7  /models/a b.safetensors\n"
    "Rss:                   4 kB\n"
    "Pss:                   4 kB\n"
    "7f0000010000-7f0000011000 rw-p 00000000 00:00 0 \n"
    "Rss:                   1 kB\n"
    "Pss:                   1 kB";

TEST(usage_adds_up_maps) {
    struct usage_stretch two[] = { { 0x7f0000001000, 0x7f000000a000, 0 },
                                   { 0x7f0000020000, 0x7f0000030000, 0 } };
    check_int(usage_memory(smaps, two, 2), 18 * 1024);
    check_int(two[0].resident, 24 * 1024);
    check_int(two[1].resident, 0);
}

TEST(usage_of_what_cannot_be_read_is_nothing) {
    static const char *const odd[] = { "",     "\n\n",         "-",     "7f00-",
                                       "Pss:", "Rss: 12 kB\n", "Pss: x" };
    struct usage_stretch one = { 0, UINT64_MAX, 0 };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        check_int(usage_memory(odd[i], &one, 1), 0);
    }
    check_int(one.resident, 0);
}

/* The models of such a status, as the supervisor knows them. */
static const struct json_t *models_of(struct known *known, const char *models) {
    const char *status =
        arena_printf(check_arena(), "{\"models\":%s,\"results\":[],\"settings\":{}}", models);
    check(known_status(known, status, strlen(status)));
    return known_models(known);
}

TEST(usage_looks_where_models_are_mapped) {
    int64_t count;
    struct arena *arena = check_arena();
    struct known *known = known_new(arena);
    const struct usage_stretch *list = usage_stretches(
        arena,
        models_of(known,
                  "[{\"maps\":[[4096,8192],[65536,1]]},{},{\"maps\":7},{\"maps\":[\"x\"]}]"),
        &count);
    check_int(count, 3);
    check(list[0].begin == 4096 && list[0].end == 12288);
    check(list[1].begin == 65536 && list[1].end == 65537);
    check(list[2].begin == 0 && list[2].end == 0);
    known_free(known);
    usage_stretches(arena, known_models(known), &count);
    check_int(count, 0);
}

/* A worker that was taken over says what it likes. */
TEST(usage_takes_no_more_maps_than_it_has_room_for) {
    enum { TOLD = 5000, MOST = 1024 };
    int64_t count;
    struct arena *arena = check_arena();
    struct known *known = known_new(arena);
    struct buf *models = buf_new(arena);
    for (int i = 0; i < TOLD; i++) {
        buf_printf(models, "%s[%d,1]", i ? "," : "[{\"maps\":[", i);
    }
    buf_text(models, "]}]");
    usage_stretches(arena, models_of(known, models->data), &count);
    check_int(count, MOST);
    known_free(known);
}
