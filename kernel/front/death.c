#include "kernel/front/death.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel/cell/cell.h"
#include "kernel/command/command.h"

static bool is_killed(const struct death *death) {
    return WIFSIGNALED(death->status) && WTERMSIG(death->status) == SIGKILL;
}

static bool is_full(const struct death *death) {
    return death->peak > death->ceiling / 5 * 4;
}

bool death_by_memory(const struct death *death) {
    return is_killed(death) && (death->kills > 0 || is_full(death));
}

/* "3.9 of 4.0 GB", "61 of 64 MB". Pages of files that others use too count in the peak alone.
 */
static void write_peak(const struct death *death, char *text, size_t size) {
    double ceiling = (double)death->ceiling;
    double peak = death->peak < death->ceiling ? (double)death->peak : ceiling;
    if (ceiling < 1e9) {
        snprintf(text, size, "%.0f of %.0f MB", peak / 1e6, ceiling / 1e6);
    } else {
        snprintf(text, size, "%.1f of %.1f GB", peak / 1e9, ceiling / 1e9);
    }
}

static void write_kill(const struct death *death, char *why, size_t size) {
    char peak[60];
    write_peak(death, peak, sizeof peak);
    if (death->kills > 0) {
        snprintf(why, size, "was killed by the kernel for memory at %s", peak);
    } else if (is_full(death)) {
        snprintf(why, size, "was killed by SIGKILL, most likely for memory, at %s", peak);
    } else {
        snprintf(
            why, size,
            "was killed by SIGKILL (someone ended it; it had used up to %lld MB of memory)",
            (long long)(death->peak / 1000000));
    }
}

static const char *meaning_of(int signal, const char **name) {
    static const struct {
        int signal;
        const char *name, *meaning;
    } known[] = {
        { SIGSEGV, "SIGSEGV", "invalid memory access" },
        { SIGBUS, "SIGBUS", "a mapped file became shorter or cannot be read" },
        { SIGABRT, "SIGABRT", "it found itself in an impossible state" },
        { SIGTRAP, "SIGTRAP", "a library gave up, most often for want of memory" },
        { SIGILL, "SIGILL", "an instruction that this processor lacks" },
        { SIGFPE, "SIGFPE", "invalid arithmetic" },
        { SIGTERM, "SIGTERM", "someone ended it" },
        { SIGINT, "SIGINT", "an interrupt" },
        { SIGXCPU, "SIGXCPU", "its processor time was used up" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].signal == signal) {
            *name = known[i].name;
            return known[i].meaning;
        }
    }
    return NULL;
}

void death_write(const struct death *death, char *why, size_t size) {
    const char *name;
    if (!WIFSIGNALED(death->status)) {
        snprintf(why, size, "ended with exit code %d", WEXITSTATUS(death->status));
        return;
    }
    int signal = WTERMSIG(death->status);
    const char *meaning = meaning_of(signal, &name);
    if (signal == SIGKILL) {
        write_kill(death, why, size);
    } else if (meaning) {
        snprintf(why, size, "was killed by %s (%s)", name, meaning);
    } else {
        snprintf(why, size, "was killed by signal %d", signal);
    }
}

/* Of the cell's last command: what came before it was done. */
static const char *hint_of(const struct cell_line *line) {
    const struct command *command = command_find(line->command.text);
    if (cell_flag_at(line, "data")) {
        return "fewer texts: %data NAME FILE --first N";
    }
    if (command && command->body) {
        return "a shorter text";
    }
    return command && command->opens == COMMAND_OPENS_MODEL
               ? "a smaller model, or one with quantised weights"
               : NULL;
}

const char *death_hint(const char *code, size_t length) {
    struct arena *arena = arena_new();
    struct err err;
    const struct cell *cell = cell_parse(arena, code, length, command_takes_value, &err);
    const char *hint = cell && cell->count > 0 ? hint_of(&cell->lines[cell->count - 1]) : NULL;
    arena_free(arena);
    return hint ? hint : "%limit, which refuses beforehand what would not fit";
}
