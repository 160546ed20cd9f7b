/* confine: what a process gives up by a list of paths; each in a process apart, as it is for
 * good. */
#include "core/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/apart.h"
#include "core/base/file.h"
#include "tests/check.h"

static struct arena *arena;
static const char *root;

static const char *path_of(const char *path) {
    return file_join(arena, root, path);
}

static void begin(void) {
    static const char *const files[] = { "read/a", "written/a", "alone", "foreign/a" };
    arena = check_arena();
    root = check_folder(arena);
    mkdir(path_of("read"), 0755);
    mkdir(path_of("written"), 0755);
    mkdir(path_of("foreign"), 0755);
    for (int i = 0; i < 4; i++) {
        int fd = open(path_of(files[i]), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        check(fd >= 0 && close(fd) == 0);
    }
}

/* 'y' or 'n': whether the file opens. */
static char opens(const char *path, int flags) {
    int fd = open(path_of(path), flags | O_CLOEXEC, 0644);
    return fd >= 0 && close(fd) == 0 ? 'y' : errno == EACCES ? 'n' : '?';
}

static void enter(void *arg, int fd) {
    int list = confine_begin();
    (void)arg;
    confine_allow(list, path_of("read"), CONFINE_READ);
    confine_allow(list, path_of("written"), CONFINE_READ | CONFINE_WRITE);
    confine_allow(list, path_of("alone"), CONFINE_READ | CONFINE_WRITE);
    confine_allow(list, path_of("nowhere"), CONFINE_READ);
    char said[] = { confine_enter(list) == 0 ? 'y' : 'n',
                    opens("read/a", O_RDONLY),
                    opens("read/a", O_WRONLY),
                    opens("read/new", O_WRONLY | O_CREAT),
                    opens("written/a", O_RDWR),
                    opens("written/new", O_WRONLY | O_CREAT),
                    opens("alone", O_RDWR),
                    opens("foreign/a", O_RDONLY),
                    unlink(path_of("written/a")) == 0 ? 'y' : 'n',
                    rename(path_of("written/new"), path_of("foreign/b")) == 0 ? 'y' : 'n',
                    symlink("a", path_of("written/link")) == 0 ? 'y' : 'n' };
    (void)!write(fd, said, sizeof said);
}

TEST(confine_leaves_what_is_listed) {
    begin();
    struct buf *told = buf_new(arena);
    if (confine_version() > 0) {
        check_int(apart_look(told, 20000, enter, NULL), 0);
        check_same(told->data, "yynnyyynynn");
    } else {
        check_int(confine_begin(), -1);
    }
}

static void enter_nothing(void *arg, int fd) {
    (void)arg;
    char said[] = { confine_enter(-1) < 0 ? 'y' : 'n', opens("foreign/a", O_RDONLY) };
    (void)!write(fd, said, sizeof said);
}

TEST(confine_without_a_list_changes_nothing) {
    begin();
    struct buf *told = buf_new(arena);
    check_int(apart_look(told, 20000, enter_nothing, NULL), 0);
    check_same(told->data, "yy");
}
