"""No memory is left: each request gets its one reply and idle all the same, and the kernel lives on.

It is played by a library. While a file called full says how many bytes are too many, the program gets no block
of that size, until it lets go of what it keeps back for its last words.
"""
import subprocess

import pytest

import front_end
from front_end import Kernel, label

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KEPT_BACK = 1 << 20 };

static int given_back;

static int is_program(void *caller) {
    Dl_info info;
    return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "cutaway");
}

static int refused(size_t size, void *caller) {
    const char *full = getenv("CUTAWAY_TEST_FULL");
    char text[20] = "";
    int fd = full && size >= 64 && getpid() == gettid() && is_program(caller) ? open(full, O_RDONLY) : -1;
    if (fd < 0) {
        return 0;
    }
    (void)!read(fd, text, sizeof text - 1);
    close(fd);
    if (size >= KEPT_BACK) {
        given_back = 0;
    }
    return !given_back && size >= strtoul(text, NULL, 10);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void *malloc(size_t size) {
    return refused(size, __builtin_return_address(0)) ? NULL : REAL(malloc)(size);
}
void *realloc(void *block, size_t size) {
    return refused(size, __builtin_return_address(0)) ? NULL : REAL(realloc)(block, size);
}
void *mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset) {
    return fd < 0 && refused(size, __builtin_return_address(0)) ? MAP_FAILED
                                                                : REAL(mmap)(at, size, rights, flags, fd, offset);
}
void free(void *block) {
    static void (*real)(void *);
    static int looking;
    if (!real && looking) {
        return;  /* dlsym lets go of something itself */
    }
    looking = 1;
    real = real ? real : REAL(free);
    given_back |= block && is_program(__builtin_return_address(0)) && malloc_usable_size(block) >= KEPT_BACK;
    real(block);
}
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    source, library = tmp_path / "full.c", tmp_path / "full.so"
    source.write_text(LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("CUTAWAY_TEST_FULL", str(tmp_path / "full"))
    monkeypatch.setitem(front_end.SANITIZERS, "ASAN_OPTIONS",
                        front_end.SANITIZERS["ASAN_OPTIONS"] + ":verify_asan_link_order=0")
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        yield kernel


def full(kernel, size):
    (kernel.folder / "full").write_text(str(size))


def goes_on(kernel):
    (kernel.folder / "full").unlink()
    for _ in range(2):
        reply, seen = kernel.client.run("%echo a")
        assert reply["content"]["status"] == "ok"
        assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "idle"]


def test_a_cell_that_cannot_begin(kernel):
    full(kernel, 40000)
    reply, seen = kernel.client.run("%echo " + "x" * 33000)
    assert reply["content"]["ename"] == "OutOfMemory" and reply["content"]["execution_count"] == 2
    assert [label(m) for m in seen] == ["busy", "error", "idle"]
    goes_on(kernel)


def test_cells_behind_it_are_aborted(kernel):
    full(kernel, 40000)
    client = kernel.client
    cells = [client.execute(code) for code in ("%_test sleep 0.3", "%echo " + "x" * 33000, "%echo b")]
    for cell in cells:
        client.until_idle(cell)
    replies = [client.reply(cell)["content"]["status"] for cell in cells]
    assert replies == ["ok", "error", "aborted"]
    goes_on(kernel)


@pytest.mark.parametrize("code, ename", [("%_test sleep 0.5\n%_test segv", "OutOfMemory"),
                                         ("%_test sleep 0.5\n%nothing", None), ("%_test sleep 0.5", None)])
def test_a_cell_that_cannot_end(kernel, code, ename):
    client = kernel.client
    cell = client.start(code)
    full(kernel, 100)
    content = client.reply(cell)["content"]
    assert content["status"] == ("error" if "\n" in code else "ok") or content["ename"] == "OutOfMemory"
    assert not ename or content["ename"] == ename
    client.until_idle(cell)
    goes_on(kernel)


def test_a_question(kernel):
    full(kernel, 40000)
    code = "%echo " + "x" * 60000
    reply, seen = kernel.client.ask("complete_request", {"code": code, "cursor_pos": len(code)})
    assert reply["content"]["ename"] == "OutOfMemory" and seen == ["busy", "idle"]
    goes_on(kernel)
