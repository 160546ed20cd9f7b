#include "kernel/front/pace.h"

enum { ONE = 1000 };

static void earn(struct pace *pace, int64_t now) {
    int64_t most = (int64_t)PACE_BURST * ONE, since = now > pace->at ? now - pace->at : 0;
    int64_t earned = since < most ? since * PACE_RATE : most;
    pace->credit = pace->credit + earned < most ? pace->credit + earned : most;
    pace->at = now;
}

void pace_begin(struct pace *pace, int64_t now) {
    *pace = (struct pace){ .credit = (int64_t)PACE_BURST * ONE, .at = now };
}

void pace_spend(struct pace *pace, int64_t now) {
    earn(pace, now);
    pace->credit -= ONE;
}

int64_t pace_due(struct pace *pace, int64_t now) {
    earn(pace, now);
    return pace->credit >= ONE ? 0 : now + (ONE - pace->credit + PACE_RATE - 1) / PACE_RATE;
}
