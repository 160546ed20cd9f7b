"""A worker that dies is one failed cell that names the cause; the kernel and its settings live on."""
import contextlib
import ctypes
import os
import signal
import socket
import struct

import pytest

from front_end import Kernel, gone, label, wait_for

MODEL = os.path.join(os.environ.get("CUTAWAY_SHARED", "../shared"),
                     "golden/data/models/bert_mlm")
CAUSES = [("segv", "SIGSEGV"), ("abort", "SIGABRT"), ("bus", "SIGBUS"), ("kill", "SIGKILL"),
          ("exit 3", "exit code 3")]


@pytest.mark.parametrize("how, name", CAUSES)
def test_a_death_is_one_failed_cell(client, kernel, how, name):
    client.run("%seed 5")
    before = client.run("%echo a")[0]["content"]["execution_count"]
    worker = kernel.children()
    reply, seen = client.run(f"%echo before\n%_test {how}")
    assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "error", "idle"]
    content = reply["content"]
    assert content["ename"] == "WorkerDied" and name in content["evalue"] and content["traceback"]
    assert content["execution_count"] == before + 1
    reply = client.run("%echo after", user_expressions={"s": "seed"})[0]["content"]
    assert reply["status"] == "ok" and reply["execution_count"] == before + 2
    assert reply["user_expressions"]["s"]["data"]["text/plain"] == "5"
    assert kernel.children() != worker and len(kernel.children()) == 1


def test_a_death_is_told_in_the_session_s_language(client):
    client.run("%set language zh")
    content = client.run("%_test segv")[0]["content"]
    assert content["ename"] == "WorkerDied"
    assert content["evalue"].startswith("计算进程被 SIGSEGV 结束（访问了无效的内存）；新的进程已经启动")
    client.run("%set language en")
    assert "was killed by SIGSEGV" in client.run("%_test segv")[0]["content"]["evalue"]


def test_a_kill_says_how_much_memory_it_had(client):
    evalue = client.run("%_test alloc 100\n%_test kill")[0]["content"]["evalue"]
    used = int(evalue.split(" MB")[0].split()[-1])
    assert used > 100


def test_death_at_idle_is_no_one_s_failure(client, kernel):
    for number in (signal.SIGKILL, signal.SIGSEGV):
        worker = kernel.children()[0]
        os.kill(worker, number)
        assert wait_for(lambda: kernel.children() not in ([], [worker]))
        assert client.run("%echo a")[0]["content"]["status"] == "ok"


def test_silent_death(client):
    reply, seen = client.run("%_test kill", silent=True)
    assert [label(m) for m in seen] == ["busy", "idle"]
    assert reply["content"]["ename"] == "WorkerDied"


def test_data_come_back(client, kernel, tmp_path):
    """And a file that becomes shorter under the kernel is one failed cell and one lost name."""
    news, gone = tmp_path / "news.csv", tmp_path / "gone.txt"
    news.write_text("id,text\n1,one two\n")
    gone.write_text("a line\n" * 9999)
    for path in (news, gone):
        assert client.run(f"%data {path.stem} {path}")[0]["content"]["status"] == "ok"
    worker = kernel.children()
    os.kill(worker[0], signal.SIGKILL)
    assert wait_for(lambda: kernel.children() not in ([], worker))
    for name in ("news", "gone"):
        seen = client.run(f"%data info {name}")[1]
        assert any(label(m) == "display_data" and name in m["content"]["data"]["text/plain"]
                   for m in seen)
    gone.write_text("")
    content = client.run("%data info gone")[0]["content"]
    assert content["ename"] == "WorkerDied" and "SIGBUS" in content["evalue"]
    reply, seen = client.run("%data list")
    assert reply["content"]["status"] == "ok"
    assert any("gone could not be loaded again" in m["content"].get("text", "") for m in seen)
    assert any("news" in m["content"].get("data", {}).get("text/plain", "") for m in seen)


def texts(seen):
    """Tables and texts of a cell, and what it said on its streams."""
    return [m["content"].get("text") or m["content"]["data"]["text/plain"] for m in seen
            if label(m) in ("display_data", "stream")]


def comes_back(client, kernel, model, tmp_path):
    """Runs cells, ends the worker and returns what was shown and saved before and after."""
    def everything(turn):
        shown = [texts(client.run(cell)[1]) for cell in ("%results", "%show cat", "%show _")]
        saved = []
        for ending in ("npz", "json", "png", "safetensors"):
            path = tmp_path / f"{turn}.{ending}"
            assert client.run(f"%save cat {path}")[0]["content"]["status"] == "ok"
            saved.append(path.read_bytes())
        return shown, saved

    assert client.run(f"%model load {model} --as m")[0]["content"]["status"] == "ok"
    client.run("%%attention --as cat --layer 0\nThe cat sat on the mat")
    client.run("%%tokens\nan unnamed one")
    before = everything(1)
    client.run("%echo kept aside")  # read when what was kept is written
    worker = kernel.children()
    os.kill(worker[0], signal.SIGKILL)
    assert wait_for(lambda: kernel.children() not in ([], worker))
    return before, everything(2)


def test_kept_results_come_back(client, kernel, tmp_path):
    """The same tables, pictures and bytes as before, and no complaint."""
    before, after = comes_back(client, kernel, MODEL, tmp_path)
    assert before == after
    assert client.run("%model unload m")[0]["content"]["status"] == "ok"


def test_deaths_in_a_row(client):
    for _ in range(10):
        assert client.run("%_test kill")[0]["content"]["ename"] == "WorkerDied"
    assert client.run("%echo a")[0]["content"]["status"] == "ok"


def test_deaths_at_birth(client, kernel):
    """Each is killed as soon as it is seen; whatever it had come to, the next cell works, as it was set."""
    client.run("%seed 123")
    for _ in range(20):
        for worker in kernel.children():
            with contextlib.suppress(ProcessLookupError):  # it was dying already
                os.kill(worker, signal.SIGKILL)
    assert wait_for(lambda: client.run("%echo a")[0]["content"]["status"] == "ok")
    reply = client.run("", user_expressions={"s": "seed"})[0]["content"]
    assert reply["user_expressions"]["s"]["data"]["text/plain"] == "123"


def test_a_death_while_models_are_loaded_again_costs_none(client, kernel):
    """One is chance; after two in a row the settings alone come back, and that is said."""
    for deaths in (1, 2):
        assert client.run(f"%model new lstm --as n{deaths}")[0]["content"]["status"] == "ok"
        before = client.run("", user_expressions={"m": "models"})[0]["content"]["user_expressions"]
        for _ in range(1 + deaths):
            worker = kernel.children()
            os.kill(worker[0], signal.SIGKILL)
            assert wait_for(lambda: kernel.children() not in ([], worker))
        reply, seen = client.run("%echo a", user_expressions={"m": "models"})
        lost = any("without them (n1, n2" in m["content"].get("text", "") for m in seen)
        after = reply["content"]["user_expressions"]
        assert after["m"]["data"]["text/plain"] == ("" if lost else before["m"]["data"]["text/plain"])
        assert not lost or deaths == 2  # the second may have come when all was there


def test_no_worker_outlives_a_killed_kernel():
    with Kernel() as kernel:
        worker = kernel.children()[0]
        kernel.client.start("%_test spin")
        kernel.process.kill()
        kernel.wait()
        assert wait_for(lambda: gone(worker))


def test_a_worker_gone_astray_between_cells(client, kernel):
    """Frames in its name, on both streams while no cell runs: shown with the next cell."""
    libc, worker = ctypes.CDLL(None, use_errno=True), os.pidfd_open(kernel.children()[0])
    pidfd_getfd, relay_fd, stream = 438, 3, 16
    with socket.socket(fileno=libc.syscall(pidfd_getfd, worker, relay_fd, 0)) as relay:
        for text in (b"\x01out\n", b"\x02err\n", b"\x01out\n"):
            relay.sendall(struct.pack("=IIQ", stream, 0, len(text)) + text)
    os.close(worker)
    reply, seen = client.run("%echo a")
    assert reply["content"]["status"] == "ok" and kernel.process.poll() is None
    shown = [m["content"] for m in seen if label(m) == "stream"]
    assert "".join(one["text"] for one in shown) == "out\nerr\nout\na\n"


def test_memory_that_runs_out_outside_of_a_command(monkeypatch):
    """The cell's own text, then its copy, do not fit: it fails, and the worker lives on."""
    monkeypatch.setenv("CUTAWAY_MEMORY", "24")  # MB
    with Kernel() as kernel:
        client = kernel.client
        worker = kernel.children()
        for megabytes in (40, 14):
            count = client.run("%echo a")[0]["content"]["execution_count"]
            content = client.run("%echo " + "x" * megabytes * 1000000)[0]["content"]
            assert content["ename"] == "OutOfMemory" and "MB" in content["evalue"], content
            assert content["execution_count"] == count + 1 and content["traceback"]
        assert client.run("%echo a")[0]["content"]["status"] == "ok"
        assert kernel.children() == worker
