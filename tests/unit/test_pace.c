/* pace: by hand, and over a flood as a server counts it. */
#include "kernel/front/pace.h"

#include "tests/check.h"

TEST(pace_lets_a_burst_through_then_waits) {
    struct pace pace;
    pace_begin(&pace, 1000);
    for (int i = 0; i < PACE_BURST; i++) {
        check_int(pace_due(&pace, 1000), 0);
        pace_spend(&pace, 1000);
    }
    check_int(pace_due(&pace, 1000), 1005); /* 1000 / 240 ms, rounded up */
    check_int(pace_due(&pace, 1004), 1005);
    check_int(pace_due(&pace, 1005), 0);
}

/* What is sent all the same is owed. */
TEST(pace_remembers_what_was_overdrawn) {
    struct pace pace;
    pace_begin(&pace, 0);
    for (int i = 0; i < PACE_BURST + 24; i++) {
        pace_spend(&pace, 0);
    }
    check_int(pace_due(&pace, 0), 105); /* 25 messages at 240 a second, rounded up */
    check_int(pace_due(&pace, 1000000000000), 0);
}

TEST(pace_stays_below_a_thousand_in_three_seconds) {
    static int64_t sent[20000];
    struct pace pace;
    int count = 0, first = 0, most = 0;
    pace_begin(&pace, 0);
    for (int64_t now = 0; now < 30000; now += 7) {
        while (pace_due(&pace, now) == 0) {
            pace_spend(&pace, now);
            sent[count++] = now;
        }
        while (sent[first] <= now - 3000) {
            first++;
        }
        most = count - first > most ? count - first : most;
    }
    check(most < 1000);
    check(count > 7000);
}
