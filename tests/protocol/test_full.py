"""No memory is left: each request gets its one reply and idle all the same, and the kernel lives on.

It is played by a library. While a file called full says how many bytes are too many, the supervisor gets no
block of that size, until it lets go of what it keeps back for its last words.
"""
import os
import signal
import subprocess

import pytest

import front_end
from front_end import DELIMITER, Kernel, label, wait_for
from test_comm import MODEL, Line, figure_of

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { KEPT_BACK = 1 << 20 };

static int given_back;

static int is_program(void *caller) {
    Dl_info info;
    return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "cutaway");
}

static int is_supervisor(void) {
    char name[17] = "";
    return prctl(PR_GET_NAME, name) == 0 && !strstr(name, "worker");
}

static int refused(size_t size, void *caller) {
    const char *full = getenv("CUTAWAY_TEST_FULL");
    char text[20] = "";
    int fd = full && size >= 64 && getpid() == gettid() && is_program(caller) && is_supervisor()
                 ? open(full, O_RDONLY) : -1;
    if (size >= KEPT_BACK) {
        given_back = 0;
    }
    if (fd < 0) {
        return 0;
    }
    (void)!read(fd, text, sizeof text - 1);
    close(fd);
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
    (kernel.folder / "full").unlink(missing_ok=True)
    for _ in range(2):
        reply, seen = kernel.client.run("%echo a")
        assert reply["content"]["status"] == "ok"
        assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "idle"], [m["content"] for m in seen]


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


@pytest.mark.parametrize("request_", [("connect_request", {}), ("history_request", {"hist_access_type": "tail", "n": 1})])
def test_a_reply_that_cannot_be_written_or_sent(kernel, request_):
    """Wherever memory runs out on the way, there is one reply, if only an error."""
    got = set()
    for size in range(66, 330, 4):
        full(kernel, size)
        reply, seen = kernel.client.ask(*request_)
        (kernel.folder / "full").unlink()
        assert kernel.client.quiet()  # and it has kept some memory back again
        got.add(reply["content"].get("ename"))
        assert reply["content"]["status"] == "ok" or reply["content"]["ename"] == "OutOfMemory"
        assert seen in (["busy", "idle"], ["idle"])
    assert got == {None, "OutOfMemory"}
    goes_on(kernel)


def test_numbers_that_cannot_be_sent(kernel):
    """The comm is told so; the worker that made them lives on."""
    client = kernel.client
    assert client.run(f"%model load {MODEL} --as m")[0]["content"]["status"] == "ok"
    figure = figure_of(client, "%%attention --as first\nThe cat sat on the mat")
    line, worker = Line(client), kernel.children()
    asked = {"ask": "tile", "result": figure["result"], "series": "attention", "at": [0, 0]}
    os.kill(worker[0], signal.SIGSTOP)
    tile = line.post({"id": "t", **asked})
    assert client.quiet()
    full(kernel, 70)
    os.kill(worker[0], signal.SIGCONT)
    answer, = (m for m in client.until_idle(tile) if label(m) == "comm_msg")
    assert answer["content"]["data"] == {"id": "t", "ok": False, "error": "the kernel has no memory left to send "
                                                                          "these numbers"}
    (kernel.folder / "full").unlink()
    assert line.ask(**{"question": asked.pop("ask"), **asked})[0]["ok"] and kernel.children() == worker
    line.close()
    goes_on(kernel)


def test_a_cell_that_waits_for_another_worker(kernel, tmp_path):
    """It names a file, so the worker that lives, which is slow to end, is replaced; then there is no memory to
    hand the cell over."""
    client, worker = kernel.client, kernel.children()[0]
    texts = tmp_path / "texts.txt"
    texts.write_text("one\n")
    os.kill(worker, signal.SIGSTOP)
    cell = client.start(f"%data d {texts}\n%echo " + "x" * 33000)
    full(kernel, 40000)
    os.kill(worker, signal.SIGCONT)
    assert client.reply(cell)["content"]["ename"] == "OutOfMemory"
    client.until_idle(cell)
    goes_on(kernel)


def test_a_worker_that_cannot_be_told_of_the_session(kernel, tmp_path):
    """It is not begun before it can."""
    client = kernel.client
    texts = tmp_path / "texts.txt"
    texts.write_text("one\n")
    for i in range(0, 600, 30):
        cell = "".join(f"%data d{i + k} {texts}\n" for k in range(30))
        assert client.run(cell)[0]["content"]["status"] == "ok"
    worker = kernel.children()
    full(kernel, 20000)
    os.kill(worker[0], signal.SIGKILL)
    assert wait_for(lambda: kernel.children() == [])
    log = kernel.folder / "kernel.log"
    assert wait_for(lambda: "OutOfMemory" in log.read_text())
    goes_on(kernel)
    reply, seen = client.run("%data info d599")
    assert reply["content"]["status"] == "ok", reply["content"]


def test_half_of_a_message_is_no_message(kernel):
    """One that there is no memory for is dropped whole, and not read on where memory ended."""
    client = kernel.client
    parts = [b'{"msg_id":"inner","msg_type":"comm_info_request"}', b"{}", b"{}", b"{}"]
    client.sent["inner"] = {"msg_id": "inner", "msg_type": "comm_info_request"}
    full(kernel, 3 << 20)
    client.send("execute_request", {"code": "%echo " + "x" * (4 << 20)},
                buffers=[DELIMITER, kernel.sign(parts), *parts])
    assert client.quiet()
    assert "for which there is no memory" in (kernel.folder / "kernel.log").read_text()
    goes_on(kernel)
