#include "kernel/front/death.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "kernel/cell/cell.h"
#include "kernel/command/command.h"

static bool is_killed(const struct death *death) {
    return !death->stuck && WIFSIGNALED(death->status) && WTERMSIG(death->status) == SIGKILL;
}

static bool is_full(const struct death *death) {
    return death->peak > death->ceiling / 5 * 4;
}

bool death_by_memory(const struct death *death) {
    return is_killed(death) && (death->kills > 0 || is_full(death));
}

/* "3.9 of 4.0 GB", "61 of 64 MB". Pages of files that others use too count in the peak alone.
 */
static void write_peak(const struct death *death, bool zh, char *text, size_t size) {
    const char *of = zh ? "，共" : " of";
    double ceiling = (double)death->ceiling;
    double peak = death->peak < death->ceiling ? (double)death->peak : ceiling;
    if (ceiling < 1e9) {
        snprintf(text, size, "%.0f%s %.0f MB", peak / 1e6, of, ceiling / 1e6);
    } else {
        snprintf(text, size, "%.1f%s %.1f GB", peak / 1e9, of, ceiling / 1e9);
    }
}

static void write_kill(const struct death *death, bool zh, char *why, size_t size) {
    char peak[60];
    write_peak(death, zh, peak, sizeof peak);
    if (death->kills > 0) {
        snprintf(why, size,
                 zh ? "因内存不足被系统结束（已用 %s）"
                    : "was killed by the kernel for memory at %s",
                 peak);
    } else if (is_full(death)) {
        snprintf(why, size,
                 zh ? "被 SIGKILL 结束，很可能是内存不足（已用 %s）"
                    : "was killed by SIGKILL, most likely for memory, at %s",
                 peak);
    } else {
        snprintf(why, size,
                 zh ? "被 SIGKILL 结束（有人终止了它；它最多用了 %lld MB 内存）"
                    : "was killed by SIGKILL (someone ended it; it had used up to %lld MB of "
                      "memory)",
                 (long long)(death->peak / 1000000));
    }
}

struct cause {
    int signal;
    const char *name, *en, *zh;
};

static const struct cause *cause_of(int signal) {
    static const struct cause known[] = {
        { SIGSEGV, "SIGSEGV", "invalid memory access", "访问了无效的内存" },
        { SIGBUS, "SIGBUS", "a mapped file became shorter or cannot be read",
          "正在读取的文件变短了，或者无法读取" },
        { SIGABRT, "SIGABRT", "it found itself in an impossible state",
          "它发现了不该有的状态" },
        { SIGTRAP, "SIGTRAP", "a library gave up, most often for want of memory",
          "某个库放弃了，多半是内存不足" },
        { SIGILL, "SIGILL", "an instruction that this processor lacks",
          "用到了此处理器没有的指令" },
        { SIGFPE, "SIGFPE", "invalid arithmetic", "无效的算术运算" },
        { SIGTERM, "SIGTERM", "someone ended it", "有人终止了它" },
        { SIGINT, "SIGINT", "an interrupt", "中断" },
        { SIGXCPU, "SIGXCPU", "its processor time was used up", "处理器时间用完了" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].signal == signal) {
            return &known[i];
        }
    }
    return NULL;
}

static void write_signal(int signal, bool zh, char *why, size_t size) {
    const struct cause *cause = cause_of(signal);
    if (cause) {
        snprintf(why, size, zh ? "被 %s 结束（%s）" : "was killed by %s (%s)", cause->name,
                 zh ? cause->zh : cause->en);
    } else {
        snprintf(why, size, zh ? "被信号 %d 结束" : "was killed by signal %d", signal);
    }
}

void death_write(const struct death *death, bool zh, char *why, size_t size) {
    if (death->stuck) {
        snprintf(why, size, "%s",
                 zh ? "没有停下来：它在等一个读不到的文件（网络盘断开了？）"
                    : "cannot be ended: it waits for a file that does not come (is a network "
                      "drive away?)");
    } else if (!WIFSIGNALED(death->status)) {
        snprintf(why, size, zh ? "以退出码 %d 结束" : "ended with exit code %d",
                 WEXITSTATUS(death->status));
    } else if (WTERMSIG(death->status) == SIGKILL) {
        write_kill(death, zh, why, size);
    } else {
        write_signal(WTERMSIG(death->status), zh, why, size);
    }
}

/* Of the cell's last command: what came before it was done. */
static const char *hint_of(const struct cell_line *line, bool zh) {
    const struct command *command = command_find(line->command.text);
    if (cell_flag_at(line, "data")) {
        return zh ? "少取一些文本：%data 名字 文件 --first N"
                  : "fewer texts: %data NAME FILE --first N";
    }
    if (command && command->body) {
        return zh ? "短一些的文本" : "a shorter text";
    }
    if (command && command->opens == COMMAND_OPENS_MODEL) {
        return zh ? "小一些的模型，或权重经过量化的模型"
                  : "a smaller model, or one with quantised weights";
    }
    return NULL;
}

const char *death_hint(const char *code, size_t length, bool zh) {
    struct arena *arena = arena_new();
    struct err err;
    const struct cell *cell = cell_parse(arena, code, length, command_takes_value, &err);
    const char *hint =
        cell && cell->count > 0 ? hint_of(&cell->lines[cell->count - 1], zh) : NULL;
    arena_free(arena);
    return hint ? hint
           : zh ? "用 %limit 设一个上限，放不下的会事先拒绝"
                : "%limit, which refuses beforehand what would not fit";
}
