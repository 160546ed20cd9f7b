#include "core/tensor/largest.h"

#include <math.h>
#include <string.h>

int64_t largest(const float *row, int64_t n, int64_t k, int32_t *places) {
    int64_t found = 0;
    for (int64_t i = 0; i < n && k > 0; i++) {
        if (isnan(row[i]) || (found == k && row[i] <= row[places[k - 1]])) {
            continue; /* nearly all end here */
        }
        int64_t at = found;
        while (at > 0 && row[i] > row[places[at - 1]]) {
            at--;
        }
        int64_t moved = (found < k ? found : k - 1) - at;
        memmove(places + at + 1, places + at, (size_t)moved * sizeof *places);
        places[at] = (int32_t)i;
        found += found < k;
    }
    return found;
}
