#ifndef TESTS_LOOKS_H
#define TESTS_LOOKS_H

#include <stdint.h>

/* looks: how often work looks for an interrupt, and an interrupt at one of these looks. Unlike
 * a time, this is the same on any machine. */

int64_t looks_count(void); /* calls of stop_check and, outside catch.c, of stop_wanted so far */
void looks_stop_at(int64_t n); /* an interrupt comes before the n-th of them from now on;
                                  0: none does */

#endif
