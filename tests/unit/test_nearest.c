#include "core/base/nearest.h"
#include "tests/check.h"

TEST(nearest_forgives_small_slips) {
    static const char *const names[] = { "attention", "tokens", "model", "seed", NULL };
    check_same(nearest_name("atention", names), "attention");
    check_same(nearest_name("attentoin", names), "attention"); /* a swap is one slip */
    check_same(nearest_name("TOKENS", names), "tokens");
    check_same(nearest_name("modle", names), "model");
    check(!nearest_name("sd", names)); /* two slips of two letters */
    check(!nearest_name("attributes", names));
    check(!nearest_name("", names));
}
