"""A drive that is away: whoever names a file on it waits, and nobody else.

Such a drive is played by a library. While a file called gone is there, it never returns from a look at a path
with /away/ in it; while one called stuck is there, it finds no killed process ended.
"""
import os
import signal
import subprocess

import pytest

import front_end
from front_end import Kernel, wait_for

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

static int is_there(const char *name) {
    return getenv(name) && access(getenv(name), F_OK) == 0;
}

static void look(const char *path) {
    while (strstr(path, "/away/") && is_there("CUTAWAY_TEST_GONE")) {
        pause();
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct dirstream;
struct stat;
struct dirstream *opendir(const char *path) {
    look(path);
    return REAL(opendir)(path);
}
int stat(const char *path, struct stat *into) {
    look(path);
    return REAL(stat)(path, into);
}
char *realpath(const char *path, char *into) {
    look(path);
    return REAL(realpath)(path, into);
}
char *__realpath_chk(const char *path, char *into, size_t size) {
    look(path);
    return REAL(__realpath_chk)(path, into, size);
}
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    return options && is_there("CUTAWAY_TEST_STUCK") ? 0 : REAL(wait4)(pid, status, options, usage);
}
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    source, library = tmp_path / "away.c", tmp_path / "away.so"
    source.write_text(LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setitem(front_end.SANITIZERS, "ASAN_OPTIONS",
                        front_end.SANITIZERS["ASAN_OPTIONS"] + ":verify_asan_link_order=0")
    monkeypatch.setenv("CUTAWAY_TEST_GONE", str(tmp_path / "gone"))
    monkeypatch.setenv("CUTAWAY_TEST_STUCK", str(tmp_path / "stuck"))
    with Kernel(folder=tmp_path) as kernel:
        yield kernel


def ended(client, cell):
    client.until_idle(cell)
    return client.reply(cell)["content"]


@pytest.mark.parametrize("code", ["%data x /nowhere/away/x.csv", "%model load /nowhere/away/m",
                                  "%save x /nowhere/away/y/x.png"])
def test_a_cell_that_names_its_files_holds_nobody_up(kernel, code):
    client = kernel.client
    assert client.run("%echo a")[0]["content"]["status"] == "ok"
    (kernel.folder / "gone").touch()
    cell = client.start(code)
    info = client.send("kernel_info_request", channel="control")
    assert client.reply(info, "control")["content"]["status"] == "ok"
    stop = client.send("interrupt_request", channel="control")  # the worker waits for that drive too
    client.reply(stop, "control")
    assert ended(client, cell)["status"] == "error"
    assert ended(client, client.execute("%echo b"))["status"] == "ok"
    assert "away?" in (kernel.folder / "kernel.log").read_text()


def test_completion_finds_nothing_there(kernel):
    code = "%data x /nowhere/away/"
    (kernel.folder / "gone").touch()
    content = kernel.client.ask("complete_request", {"code": code, "cursor_pos": len(code)})[0]["content"]
    assert content["status"] == "ok" and content["matches"] == []


def test_a_worker_that_cannot_be_ended_is_left_behind(kernel):
    """Another takes its place; when the drive is back, the old one goes without a trace."""
    client, worker = kernel.client, kernel.children()[0]
    client.run("%seed 5")
    (kernel.folder / "stuck").touch()
    os.kill(worker, signal.SIGKILL)
    cell = client.execute("%echo a", user_expressions={"s": "seed"})
    content = ended(client, cell)
    assert content["status"] == "ok" or "drive" in content["evalue"]
    content = client.run("", user_expressions={"s": "seed"})[0]["content"]
    assert content["user_expressions"]["s"]["data"]["text/plain"] == "5"
    assert "network drive" in (kernel.folder / "kernel.log").read_text()
    (kernel.folder / "stuck").unlink()
    second, = (one for one in kernel.children() if one != worker)
    os.kill(second, signal.SIGKILL)
    assert wait_for(lambda: worker not in kernel.children() and second not in kernel.children())


@pytest.mark.parametrize("language, said", [("en", "without"), ("zh", "没有再载入")])
def test_what_cannot_come_back_is_named(kernel, language, said):
    """Data on that drive, which each new worker waits for: the second cell that is interrupted says what is
    given up, and the third runs."""
    client, place = kernel.client, kernel.folder / "away"
    place.mkdir()
    (place / "news.txt").write_text("a text\n")
    client.run(f"%set language {language}")
    assert client.run(f"%data news {place}/news.txt")[0]["content"]["status"] == "ok"
    (kernel.folder / "gone").touch()
    worker = kernel.children()
    os.kill(worker[0], signal.SIGKILL)
    assert wait_for(lambda: kernel.children() not in ([], worker))
    evalues = []
    for _ in range(2):
        cell = client.start("%echo a")
        client.reply(client.send("interrupt_request", channel="control"), "control")
        content = ended(client, cell)
        assert content["ename"] == "KeyboardInterrupt", content
        evalues.append(content["evalue"])
    assert "news" not in evalues[0] and said not in evalues[0]
    assert "news" in evalues[1] and said in evalues[1]
    assert client.reply(client.execute("%echo a"))["content"]["status"] == "ok"
