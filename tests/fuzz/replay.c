/* replay [--count N] [--from N] FOLDER [TARGET...]: gives each target every file of its folders
 * FOLDER/seeds/TARGET and FOLDER/corpus/TARGET, then N seeded changes of them (2,000 from the
 * first unless said otherwise). The same numbers make the same bytes on every machine. What
 * ends the process is told by the sanitizers, by `must`, or after ten seconds over one input,
 * and which input it was. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/targets.h"

enum { FILES_MOST = 4096, SECONDS = 10, LENGTH_MOST = 1 << 16, REPEATED = 1 << 19 };

struct kept {
    struct arena *arena;
    const struct file *files[FILES_MOST];
    int count;
};

static char at_work[4096]; /* the input, in words */

static void say_input(int signal) {
    (void)!write(STDERR_FILENO, at_work, strlen(at_work));
    _exit(128 + signal);
}

static void run(const struct target *target, const void *bytes, size_t length) {
    struct arena *arena = arena_new();
    alarm(SECONDS);
    target->run((const uint8_t *)targets_copy(arena, bytes, length), length);
    alarm(0);
    arena_free(arena);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every file of a folder, in the order of their names. */
static void replay_folder(const struct target *target, struct kept *kept, const char *folder) {
    struct dirent **entries;
    struct err err;
    int count = scandir(folder, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        const char *path = file_join(kept->arena, folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && kept->count < FILES_MOST) {
            snprintf(at_work, sizeof at_work, "replay: at %s\n", path);
            kept->files[kept->count] = file_map(kept->arena, path, &err);
            must(kept->files[kept->count]);
            run(target, kept->files[kept->count]->bytes,
                (size_t)kept->files[kept->count]->size);
            kept->count++;
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

static const struct file *any_file(const struct kept *kept, struct dice *dice) {
    return kept->files[dice_below(dice, (size_t)kept->count)];
}

/* A piece of up to 16 bytes, so often that work which grows faster than the text does not end.
 */
static void repeat(struct dice *dice, const struct file *one, struct buf *bytes) {
    size_t size = (size_t)one->size, at = dice_below(dice, size);
    size_t n = 1 + dice_below(dice, size - at < 16 ? size - at : 16);
    buf_add(bytes, one->bytes, at);
    while (bytes->length < REPEATED) {
        buf_add(bytes, one->bytes + at, n);
    }
    buf_add(bytes, one->bytes + at, size - at);
}

/* The end of one behind the beginning of another, or several changes of one. */
static void change(const struct kept *kept, struct dice *dice, struct buf *bytes) {
    const struct file *one = any_file(kept, dice), *other = any_file(kept, dice);
    size_t changes = dice_below(dice, 5);
    if (dice_once(dice, 100) && one->size > 0) {
        repeat(dice, one, bytes);
        return;
    }
    buf_add(bytes, one->bytes, (size_t)one->size);
    if (dice_once(dice, 4)) {
        size_t from = dice_below(dice, (size_t)other->size + 1);
        bytes->length = dice_below(dice, bytes->length + 1);
        buf_add(bytes, other->bytes + from, (size_t)other->size - from);
    }
    for (size_t i = 0; i <= changes && bytes->length > 0; i++) {
        if (dice_once(dice, 3)) {
            damage_json(dice, bytes);
        } else {
            damage_bytes(dice, bytes);
        }
    }
    bytes->length = bytes->length < LENGTH_MOST ? bytes->length : LENGTH_MOST;
}

static bool replay(const struct target *target, const char *folder, uint64_t from,
                   uint64_t count) {
    struct kept *kept = calloc(1, sizeof *kept);
    must(kept);
    kept->arena = arena_new();
    replay_folder(target, kept, arena_printf(kept->arena, "%s/seeds/%s", folder, target->name));
    int seeds = kept->count;
    replay_folder(target, kept,
                  arena_printf(kept->arena, "%s/corpus/%s", folder, target->name));
    for (uint64_t i = from; seeds > 0 && i < from + count; i++) {
        struct arena *arena = arena_new();
        struct dice dice = { i };
        struct buf *bytes = buf_new(arena);
        change(kept, &dice, bytes);
        snprintf(at_work, sizeof at_work, "replay: again by --from %llu --count 1 %s %s\n",
                 (unsigned long long)i, folder, target->name);
        run(target, bytes->data, bytes->length);
        arena_free(arena);
    }
    printf("%-12s%d seeds, %d kept, %llu changes%s\n", target->name, seeds, kept->count - seeds,
           (unsigned long long)count, seeds ? "" : ": NO SEEDS");
    arena_free(kept->arena);
    free(kept);
    return seeds > 0;
}

static uint64_t number_in(const char *text) {
    char *end = NULL;
    errno = 0;
    uint64_t number = text ? strtoull(text, &end, 10) : 0;
    if (!text || *end || errno) {
        fprintf(stderr, "usage: replay [--count N] [--from N] FOLDER [TARGET...]\n");
        exit(2);
    }
    return number;
}

int main(int argc, char **argv) {
    uint64_t from = 1, count = 2000;
    int at = 1, good = 0, bad = 0;
    if (argc > 1 && strcmp(argv[1], "worker") == 0) {
        return 0; /* nothing here starts one; but if it did, it would start this program */
    }
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        *(strcmp(argv[at], "--from") == 0 ? &from : &count) = number_in(argv[at + 1]);
    }
    const char *folder = at < argc ? argv[at++] : "tests/fuzz";
    signal(SIGALRM, say_input);
    signal(SIGABRT, say_input);
    for (const struct target *one = targets; one->name; one++) {
        bool wanted = at == argc;
        for (int i = at; i < argc; i++) {
            wanted |= strcmp(argv[i], one->name) == 0;
        }
        if (wanted) {
            replay(one, folder, from, count) ? good++ : bad++;
        }
    }
    printf("%d passed, %d failed\n", good, bad);
    return bad > 0 || good == 0;
}
