#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"

/* check: a small test runner. TEST(name) { ... } registers itself; tests/run [PATTERN...] runs
 * those whose name or file contains a pattern, and ends with "N passed, N failed". */

typedef void check_test(void);
void check_register(const char *name, const char *file, check_test *test);

#define TEST(name)                                                   \
    static void name(void);                                          \
    __attribute__((constructor)) static void name##_register(void) { \
        check_register(#name, __FILE__, name);                       \
    }                                                                \
    static void name(void)

/* Each says what failed and goes on; the test then counts as failed. They return whether it
 * held. */
#define check(condition) check_true((condition), #condition, __FILE__, __LINE__)
#define check_near(seen, wanted, within) \
    check_close((double)(seen), (double)(wanted), (within), #seen, __FILE__, __LINE__)
#define check_int(seen, wanted) \
    check_equal((long long)(seen), (long long)(wanted), #seen, __FILE__, __LINE__)
#define check_same(seen, wanted) check_string((seen), (wanted), #seen, __FILE__, __LINE__)
#define check_text(seen, part)   check_contains((seen), (part), #seen, __FILE__, __LINE__)

bool check_true(bool held, const char *what, const char *file, int line);
bool check_close(double seen, double wanted, double within, const char *what, const char *file,
                 int line);
bool check_equal(long long seen, long long wanted, const char *what, const char *file,
                 int line);
bool check_string(const char *seen, const char *wanted, const char *what, const char *file,
                  int line);
bool check_contains(const char *seen, const char *part, const char *what, const char *file,
                    int line);

struct arena *check_arena(void); /* freed when the test ends */

/* The bytes, ending exactly at a page that must not be touched: one byte read too far crashes.
 */
const void *check_guarded(struct arena *arena, const void *bytes, size_t length);

/* A file in the fixtures that lie beside the repository, "golden/data/..."; fails the test and
 * returns a path that does not exist if it is not there. */
const char *check_fixture(struct arena *arena, const char *path);

/* A temporary folder, removed with all in it when the test ends. */
const char *check_folder(struct arena *arena);

#endif
