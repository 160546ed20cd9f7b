#include "tests/check.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/file.h"

static struct entry {
    const char *name, *file;
    check_test *test;
} tests[4096];
static int count;
static bool failed;
static struct arena *arena;

void check_register(const char *name, const char *file, check_test *test) {
    tests[count++] = (struct entry){ name, file, test };
}

static void say(const char *file, int line) {
    failed = true;
    printf("  %s:%d: ", file_name(file), line);
}

bool check_true(bool held, const char *what, const char *file, int line) {
    if (!held) {
        say(file, line);
        printf("%s does not hold\n", what);
    }
    return held;
}

bool check_close(double seen, double wanted, double within, const char *what, const char *file,
                 int line) {
    bool held = fabs(seen - wanted) <= within; /* false for NaN */
    if (!held) {
        say(file, line);
        printf("%s is %.9g, wanted %.9g within %g\n", what, seen, wanted, within);
    }
    return held;
}

bool check_equal(long long seen, long long wanted, const char *what, const char *file,
                 int line) {
    if (seen != wanted) {
        say(file, line);
        printf("%s is %lld, wanted %lld\n", what, seen, wanted);
    }
    return seen == wanted;
}

bool check_string(const char *seen, const char *wanted, const char *what, const char *file,
                  int line) {
    bool held = seen && strcmp(seen, wanted) == 0;
    if (!held) {
        say(file, line);
        printf("%s is \"%s\", wanted \"%s\"\n", what, seen ? seen : "(null)", wanted);
    }
    return held;
}

bool check_contains(const char *seen, const char *part, const char *what, const char *file,
                    int line) {
    bool held = seen && strstr(seen, part);
    if (!held) {
        say(file, line);
        printf("%s is \"%s\", which lacks \"%s\"\n", what, seen ? seen : "(null)", part);
    }
    return held;
}

struct arena *check_arena(void) {
    return arena;
}

struct pages {
    void *at;
    size_t size;
};

static void pages_free(void *what) {
    struct pages *pages = what;
    munmap(pages->at, pages->size);
}

const void *check_guarded(struct arena *in, const void *bytes, size_t length) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (length + page - 1) / page * page + page;
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    mprotect(at + size - page, page, PROT_NONE);
    struct pages *pages = arena_alloc(in, sizeof *pages);
    *pages = (struct pages){ at, size };
    arena_defer(in, pages_free, pages);
    return memcpy(at + size - page - length, bytes, length);
}

const char *check_fixture(struct arena *in, const char *path) {
    const char *shared = getenv("CUTAWAY_SHARED");
    char *full = file_join(in, shared ? shared : "../shared", path);
    if (access(full, R_OK) != 0) {
        failed = true;
        printf("  the fixture %s is missing (CUTAWAY_SHARED says where they lie)\n", full);
    }
    return full;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void folder_remove(void *what) {
    nftw(what, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *check_folder(struct arena *in) {
    char *path = arena_copy(in, "/tmp/cutaway-test-XXXXXX");
    if (!mkdtemp(path)) {
        perror("mkdtemp");
        exit(2);
    }
    arena_defer(in, folder_remove, path);
    return path;
}

static bool wanted(const struct entry *entry, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strstr(entry->name, argv[i]) || strstr(entry->file, argv[i])) {
            return true;
        }
    }
    return argc == 1;
}

static void run(const struct entry *entry) {
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    failed = false;
    arena = arena_new();
    struct catch here;
    if (setjmp(catch_set(&here)->place) == 0) {
        entry->test();
        catch_end(&here);
    } else {
        printf("  ended by %s: %s\n", err_name(here.err.kind), here.err.text);
        failed = true;
    }
    arena_free(arena);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    double ms = (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6;
    if (failed) {
        printf("FAILED %s (%s)\n", entry->name, file_name(entry->file));
    } else if (ms > 300) {
        printf("SLOW %s: %.0f ms\n", entry->name, ms);
    }
}

/* A test may write below the home folder, but not below the user's. */
static void move_out(struct arena *in) {
    setenv("HOME", check_folder(in), 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("XDG_DATA_HOME");
}

int main(int argc, char **argv) {
    int good = 0, bad = 0;
    struct arena *whole = arena_new();
    move_out(whole);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < count; i++) {
        if (wanted(&tests[i], argc, argv)) {
            run(&tests[i]);
            failed ? bad++ : good++;
        }
    }
    arena_free(whole);
    printf("%d passed, %d failed\n", good, bad);
    return bad > 0 || good == 0;
}
