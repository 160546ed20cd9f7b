#include "core/tensor/largest.h"

#include <math.h>

#include "tests/check.h"

TEST(largest_of_equal_numbers_the_first_come_first) {
    const float row[] = { 1, 5, 3, 5, -INFINITY, 4, 5 };
    int32_t places[7];
    check_int(largest(row, 7, 4, places), 4);
    check(places[0] == 1 && places[1] == 3 && places[2] == 6 && places[3] == 5);
    check_int(largest(row, 7, 100, places), 7);
    check(places[4] == 2 && places[5] == 0 && places[6] == 4);
    check_int(largest(row, 7, 0, places), 0);
}

TEST(largest_leaves_nans_out) {
    const float row[] = { 2, NAN, 7, NAN };
    int32_t places[3] = { -1, -1, -1 };
    check_int(largest(row, 4, 3, places), 2);
    check(places[0] == 2 && places[1] == 0 && places[2] == -1);
}
