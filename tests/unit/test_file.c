/* file: what can be read and written, and what is refused: folders, devices, FIFOs, links,
 * names that are none, disks that are full. */
#include "core/base/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/check.h"

enum { MADE = 14 }; /* entries that make_all makes */

static const char *folder;

static const char *at(const char *name) {
    return name[0] == '/' ? name : file_join(check_arena(), folder, name);
}

static void put(const char *name, const char *text) {
    FILE *file = fopen(at(name), "we");
    if (check(file != NULL)) {
        fputs(text, file);
        fclose(file);
    }
}

/* Whether the file holds that text; "" and NULL: nothing of that name is there. */
static bool holds(const char *name, const char *text) {
    char seen[100] = "";
    FILE *file = fopen(at(name), "re");
    if (file) {
        seen[fread(seen, 1, sizeof seen - 1, file)] = '\0';
        fclose(file);
    }
    return text ? file && strcmp(seen, text) == 0 : !file;
}

/* Entries of the folder, "." and ".." left out. */
static int64_t entries(void) {
    DIR *dir = opendir(folder);
    int64_t n = -2;
    while (dir && readdir(dir)) {
        n++;
    }
    if (dir) {
        closedir(dir);
    }
    return n;
}

/* One of everything that a path can lead to. */
static void make_all(void) {
    folder = check_folder(check_arena());
    put("file", "old");
    put("protected", "old");
    put("private", "old");
    put("empty", "");
    check(chmod(at("protected"), 0444) == 0 && chmod(at("private"), 0600) == 0);
    check(mkdir(at("folder"), 0777) == 0 && mkdir(at("other"), 0777) == 0);
    put("other/inside", "old");
    check_int(mkfifo(at("fifo"), 0666), 0);
    check_int(symlink("file", at("link")), 0);
    check_int(symlink("/etc/passwd", at("link out")), 0);
    check_int(symlink("nowhere", at("link to nothing")), 0);
    check_int(symlink("loop", at("loop")), 0);
    check_int(symlink("fifo", at("link to fifo")), 0);
    check_int(symlink("/dev/zero", at("link to device")), 0);
    check_int(symlink("other", at("link to folder")), 0);
}

/* `says` NULL: it works. */
struct one {
    const char *path, *says;
};

#define N20      "aaaaaaaaaaaaaaaaaaaa"
#define N100     N20 N20 N20 N20 N20
#define N255     N100 N100 N20 N20 "aaaaaaaaaaaaaaa"
#define TOO_LONG "File name too long"

TEST(file_writes_where_it_may) {
    static const struct one table[] = {
        { "new", NULL },
        { "file", NULL },
        { "private", NULL },
        { "empty", NULL },
        { "folder/new", NULL },
        { "link to folder/new", NULL }, /* a folder's name is the user's own choice */
        { "folder/../new too", NULL },
        { "./folder/././here", NULL },
        { "other/inside", NULL },
        { "a b", NULL },
        { "猫.png", NULL },
        { "with\nnewline", NULL },
        { "-rf", NULL },
        { "%s%n", NULL },
        { N255, NULL },
        { "folder", "it is a folder" },
        { "folder/", "it is a folder" },
        { "folder/.", "it is a folder" },
        { "folder/..", "it is a folder" },
        { "new/", "Not a directory" }, /* there by now, and a file */
        { "fifo", "it is a device or pipe" },
        { "/dev/null", "it is a device or pipe" },
        { "/dev/full", "it is a device or pipe" },
        { "/", "it is a folder" },
        { "link", "it is a link to file; give the path of the file itself" },
        { "link out", "it is a link to /etc/passwd" },
        { "link to nothing", "it is a link to nowhere" },
        { "link to fifo", "it is a link to fifo" },
        { "link to device", "it is a link to /dev/zero" },
        { "link to folder", "it is a link to other" },
        { "loop", "it is a link to loop" },
        { "loop/file", "symbolic links" },
        { "protected", "it is protected against writing" },
        { "no folder/file", "No such file" },
        { "file/inside", "Not a directory" },
        { "fifo/inside", "Not a directory" },
        { N255 "a", TOO_LONG },
        { N100 N100 N100, TOO_LONG },
        { N100 N100 N100 "/file", TOO_LONG },
        { "/proc/self/none", "cannot write /proc/self/none: " },
        { "bad\xff/\x1b[31m\u202e", "bad\\xff/\\x1b[31m\\u{202e}: " },
    };
    make_all();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = { 0 };
        int done = file_write(at(table[i].path), "new", 3, &err);
        if (table[i].says) {
            check_int(done, -1);
            check_int(err.kind, ERR_IO);
            check_text(err.text, table[i].says);
            check_text(err.text, "cannot write ");
        } else {
            check_same(err.text, "");
            check(done == 0 && holds(table[i].path, "new"));
        }
    }
    check(holds("protected", "old") && holds("nowhere", NULL));
    check_int(entries(), MADE + 8); /* the new names in this folder, and nothing half written */
}

TEST(file_write_keeps_who_may_read) {
    struct err err;
    struct stat info = { 0 };
    make_all();
    mode_t mask = umask(022);
    check_int(file_write(at("private"), "new", 3, &err), 0);
    check(stat(at("private"), &info) == 0 && (info.st_mode & 0777) == 0600);
    check_int(file_write(at("new"), "new", 3, &err), 0);
    check(stat(at("new"), &info) == 0 && (info.st_mode & 0777) == 0644);
    umask(077);
    check_int(file_write(at("hidden"), "new", 3, &err), 0);
    check(stat(at("hidden"), &info) == 0 && (info.st_mode & 0777) == 0600);
    umask(mask);
}

TEST(file_map_reads_regular_files_alone) {
    static const struct one table[] = {
        { "file", NULL },
        { "link", NULL }, /* as models in a cache are */
        { "protected", NULL },
        { "empty", NULL },
        { "link to folder/inside", NULL },
        { "folder", "is a folder, not a regular file" },
        { "folder/", "is a folder" },
        { "link to folder", "is a folder" },
        { "fifo", "is a device or pipe, not a regular file" }, /* and does not wait */
        { "link to fifo", "is a device or pipe" },
        { "link to device", "is a device or pipe" },
        { "/dev/zero", "is a device or pipe" },
        { "/dev/tty", "is a device or pipe" },
        { "/dev/stdin/", "cannot open " },
        { "link to nothing", "No such file" },
        { "loop", "symbolic links" },
        { "file/", "Not a directory" },
        { "file/inside", "Not a directory" },
        { "none", "No such file" },
        { "", "is a folder" }, /* the folder itself */
        { N100 N100 N100, TOO_LONG },
        { "line\nend", "line\\x0aend: No such file" },
    };
    make_all();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = { 0 };
        struct file *file = file_map(check_arena(), at(table[i].path), &err);
        if (table[i].says) {
            check(!file && err.kind == ERR_IO);
            check_text(err.text, table[i].says);
        } else {
            check_same(err.text, "");
            check(file && (file->size == 3 || file->size == 0));
        }
    }
}

/* A child for which the disk ends after a kilobyte: says so, leaves the old file and no other.
 */
TEST(file_write_fails_as_a_whole) {
    make_all();
    int64_t before = entries();
    pid_t child = fork();
    if (child == 0) {
        static const char large[5000];
        struct err err;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1024, 1024 });
        bool good = file_write(at("file"), large, sizeof large, &err) == -1 &&
                    strstr(err.text, "File too large") &&
                    file_write(at("new"), large, sizeof large, &err) == -1 &&
                    file_write(at("small"), large, 1024, &err) == 0;
        _exit(good ? 0 : 1);
    }
    int status = -1;
    check(waitpid(child, &status, 0) == child && status == 0);
    check(holds("file", "old") && holds("new", NULL));
    check_int(entries(), before + 1); /* the small one */
}

/* Folders in which nothing can be made, or whose file cannot be replaced, where such are. */
TEST(file_write_fails_where_nothing_can_be_made) {
    struct err err;
    check_int(file_write("/proc/self/comm.png", "x", 1, &err), -1);
    check_text(err.text, "cannot write /proc/self/comm.png: ");
    check_int(file_write("/sys/kernel/x.png", "x", 1, &err), -1);
    check_int(file_write("/dev/fd/x.png", "x", 1, &err), -1);
}

TEST(file_write_replaces_what_is_mapped) {
    struct err err;
    make_all();
    struct file *file = file_map(check_arena(), at("file"), &err);
    check_int(file_write(at("file"), "", 0, &err),
              0); /* shorter: in place it would be SIGBUS */
    check(file && memcmp(file->bytes, "old", 3) == 0);
    check(holds("file", ""));
}

/* Whoever looks sees the old file or the new one, and a FIFO or link that is put in the place
 * of the target is replaced and never opened. */
TEST(file_write_is_not_led_astray_by_a_race) {
    make_all();
    put("victim", "old");
    pid_t child = fork();
    if (child == 0) {
        for (;;) {
            unlink(at("target"));
            (void)!symlink("victim", at("target"));
            unlink(at("target"));
            (void)!mkfifo(at("target"), 0666);
        }
    }
    struct err err;
    int done = 0, refused = 0;
    for (int i = 0; i < 2000; i++) {
        int status = file_write(at("target"), "new", 3, &err);
        done += status == 0;
        refused += status < 0;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    check_int(done + refused, 2000);
    check(holds("victim", "old"));
    check(entries() <= MADE + 2);
}
