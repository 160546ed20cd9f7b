"""History: tail, range, search; what is stored; across sessions; without a place to write."""
import concurrent.futures
import contextlib
import fcntl
import os
import signal
import sqlite3
import stat

import pytest

from front_end import Kernel, wait_for


def ask(client, patient=True, **query):
    """The rows. Where the drive was too slow for an answer, as the log says then, it is asked again."""
    def late():
        return (client.kernel.folder / "kernel.log").read_text().count("an empty history was sent")

    for _ in range(20):
        before = late()
        content = client.ask("history_request", {"output": False, "raw": True, "hist_access_type": "tail",
                                                 **query})[0]["content"]
        assert content["status"] == "ok"
        if late() == before or not patient:
            return content["history"]
    raise AssertionError("the history's drive does not answer")


def inputs(rows):
    return [row[2] for row in rows]


def history_of(folder):
    return folder / "data/cutaway/history.sqlite"


def written(folder):
    """The cells that the file itself holds, once their kernel has ended."""
    with contextlib.closing(sqlite3.connect(history_of(folder))) as file:
        return [text for text, in file.execute("SELECT input FROM cell ORDER BY rowid")]


@pytest.fixture(scope="module")
def told(kernel):
    """Cells that the tests below ask for."""
    for code in ("%echo 一", "%echo two", "%test", "%echo two", "%_test result 'a result'"):
        kernel.client.run(code)
    kernel.client.run("%echo unstored", store_history=False)
    kernel.client.run("%echo silent", silent=True)
    return kernel.client


def test_tail(told, client):
    rows = ask(told, n=3)
    assert inputs(rows) == ["%test", "%echo two", "%_test result 'a result'"]
    assert [row[1] for row in rows] == [3, 4, 5] and len({row[0] for row in rows}) == 1
    assert len(ask(told, n=100)) == 5 and ask(told, n=0) == [] and ask(told, n=-1) == []


def test_output(told, client):
    rows = ask(told, n=2, output=True)
    assert inputs(rows) == [["%echo two", None], ["%_test result 'a result'", "a result"]]


def test_range(told, client):
    this = ask(told, n=1)[0][0]
    query = {"hist_access_type": "range", "start": 2, "stop": 4}
    for session in (0, this):
        assert inputs(ask(told, session=session, **query)) == ["%echo two", "%test"]
    assert ask(told, session=-1, **query) == []
    assert len(ask(told, hist_access_type="range", session=0)) == 5


def test_search(told, client):
    query = {"hist_access_type": "search"}
    assert inputs(ask(told, pattern="*two*", **query)) == ["%echo two"] * 2
    assert inputs(ask(told, pattern="*two*", unique=True, **query)) == ["%echo two"]
    assert inputs(ask(told, pattern="%echo*", n=2, **query)) == ["%echo two"] * 2
    assert inputs(ask(told, pattern="%echo ?", **query)) == ["%echo 一"]
    assert inputs(ask(told, pattern="%echo [一二]", **query)) == ["%echo 一"]
    assert inputs(ask(told, pattern="[^%]*", **query)) == []
    assert inputs(ask(told, pattern="%[a-f]cho t*o", unique=True, **query)) == ["%echo two"]
    assert ask(told, pattern="*no such*", **query) == []


@pytest.mark.parametrize("pattern",
                         ["'; DROP TABLE cell; --", "[", "*" * 5000, "*a" * 5000, "\0", "[^a-", "[]", "]", "%_"])
def test_odd_patterns_do_no_harm(told, client, pattern):
    ask(told, hist_access_type="search", pattern=pattern)
    assert len(ask(told, n=100)) == 5


def test_it_outlives_the_kernel(tmp_path):
    for number in (1, 2, 3):
        with Kernel(folder=tmp_path) as kernel:
            kernel.client.run(f"%echo session {number}")
            rows = ask(kernel.client, n=10)
            assert [row[0] for row in rows] == list(range(1, number + 1))
            assert inputs(rows) == [f"%echo session {i + 1}" for i in range(number)]
            before = ask(kernel.client, hist_access_type="range", session=-1)
            assert inputs(before) == ([f"%echo session {number - 1}"] if number > 1 else [])
            kernel.client.send("shutdown_request", {"restart": False}, "control")
            assert kernel.wait() == 0
    file = tmp_path / "data/cutaway/history.sqlite"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(file.parent).st_mode) == 0o700


@pytest.mark.parametrize("count", [2, 8])
def test_kernels_share_the_file(tmp_path, count):
    """All run cells and ask at once; nothing is lost, and everybody is answered."""
    cells = 12
    with contextlib.ExitStack() as stack:
        kernels = [stack.enter_context(Kernel(folder=tmp_path)) for _ in range(count)]

        def use(i):
            for k in range(cells):
                kernels[i].client.run(f"%echo kernel {i} cell {k}")
                if k % 4 == 3:
                    rows = ask(kernels[i].client, hist_access_type="range", session=0)
                    assert inputs(rows) == [f"%echo kernel {i} cell {j}" for j in range(k + 1)]

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            list(pool.map(use, range(count)))
        sessions = set()
        for i, kernel in enumerate(kernels):
            mine = ask(kernel.client, hist_access_type="range", session=0)
            assert inputs(mine) == [f"%echo kernel {i} cell {k}" for k in range(cells)]
            assert [row[1] for row in mine] == list(range(1, cells + 1))
            sessions |= {row[0] for row in mine}
        assert len(sessions) == count
        everything = ask(kernels[0].client, n=1000)
        assert sorted(inputs(everything)) == sorted(
            f"%echo kernel {i} cell {k}" for i in range(count) for k in range(cells))
    assert sqlite3.connect(history_of(tmp_path)).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_locked_file_holds_nothing_up(tmp_path):
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo before")
        assert inputs(ask(kernel.client, n=9)) == ["%echo before"]
        other = sqlite3.connect(history_of(tmp_path), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        all_of_them = ["%echo before", *[f"%echo {i}" for i in range(5)]]
        for code in all_of_them[1:]:
            assert kernel.client.run(code)[0]["content"]["status"] == "ok"
        assert inputs(ask(kernel.client, n=9)) == all_of_them  # those that wait are known too
        other.execute("ROLLBACK")
        other.close()
        assert inputs(ask(kernel.client, n=9)) == all_of_them
    assert written(tmp_path) == all_of_them


def test_a_drive_that_does_not_answer_holds_nothing_up(tmp_path):
    """Opening a file on which another holds a lease waits until it gives that up, as opening one on a
    server that is gone does."""
    path = history_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    lease = os.open(path, os.O_RDWR)
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    with Kernel(folder=tmp_path) as kernel:
        for i in range(3):
            assert kernel.client.run(f"%echo {i}")[0]["content"]["status"] == "ok"
        assert ask(kernel.client, patient=False, n=9) == []  # an answer all the same
        kernel.client.run("%echo 3")
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        assert wait_for(lambda: inputs(ask(kernel.client, n=9)) == [f"%echo {i}" for i in range(4)])
    os.close(lease)


def test_a_kernel_ends_though_its_drive_does_not_answer(tmp_path):
    path = history_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    lease = os.open(path, os.O_RDWR)
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        kernel.client.send("shutdown_request", {"restart": False}, "control")
        assert kernel.wait() == 0
    os.close(lease)


def test_a_damaged_file_is_moved_aside(tmp_path):
    path = history_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database " * 100)
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        assert inputs(ask(kernel.client, n=9)) == ["%echo a"]
    aside, = path.parent.glob("history.sqlite.damaged-*")
    assert aside.read_bytes() == b"this is no database " * 100
    assert written(tmp_path) == ["%echo a"]


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path):
    path = history_of(tmp_path)
    path.parent.mkdir(parents=True)
    path.touch()
    path.chmod(0o644)
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        ask(kernel.client, n=9)
        assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in path.parent.iterdir())


def test_a_folder_that_may_only_be_read(tmp_path):
    """As a user who owns nothing there."""
    path = history_of(tmp_path)
    path.parent.mkdir(parents=True)
    (tmp_path / "data").chmod(0o555)
    path.parent.rmdir()
    path.parent.symlink_to("/proc/self")  # nobody makes files there, not even root
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        assert inputs(ask(kernel.client, n=9)) == ["%echo a"]


def test_the_largest_answer_is_bounded(tmp_path):
    with Kernel(folder=tmp_path) as kernel:
        for i in range(12):
            kernel.client.run(f"%echo {i} " + "x" * 900_000)
        rows = ask(kernel.client, n=2**62)
        assert 0 < sum(len(text) for text in inputs(rows)) <= 8 << 20
        assert rows[-1][1] == 12 and len(rows) < 12
        assert ask(kernel.client, n=-(2**62)) == []


def test_no_place_to_write(tmp_path):
    (tmp_path / "data").write_text("a file where a folder is wanted")
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        assert inputs(ask(kernel.client, n=9)) == ["%echo a"]
