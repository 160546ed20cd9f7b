/* usage: memory as /proc tells it, added up by hand. */
#include "kernel/front/usage.h"

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
