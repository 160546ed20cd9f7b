"""History: tail, range, search; what is stored; across sessions; without a place to write."""
import os
import sqlite3
import stat

import pytest

from front_end import Kernel


def ask(client, **query):
    content = client.ask("history_request", {"output": False, "raw": True, "hist_access_type": "tail",
                                             **query})[0]["content"]
    assert content["status"] == "ok"
    return content["history"]


def inputs(rows):
    return [row[2] for row in rows]


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
    assert ask(told, pattern="*no such*", **query) == []


@pytest.mark.parametrize("pattern", ["'; DROP TABLE cell; --", "[", "*" * 5000, "\0", "[^a-"])
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


def test_two_kernels_share_the_file(tmp_path):
    with Kernel(folder=tmp_path) as one, Kernel(folder=tmp_path) as two:
        for i in range(10):
            one.client.run(f"%echo one {i}")
            two.client.run(f"%echo two {i}")
        for kernel in (one, two):
            mine = ask(kernel.client, hist_access_type="range", session=0)
            assert len(mine) == 10 and len({row[0] for row in mine}) == 1
        assert len(ask(one.client, n=100)) == 20


def test_a_locked_file_holds_nothing_up(tmp_path):
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo before")
        assert inputs(ask(kernel.client, n=9)) == ["%echo before"]
        other = sqlite3.connect(tmp_path / "data/cutaway/history.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        for i in range(5):
            assert kernel.client.run(f"%echo {i}")[0]["content"]["status"] == "ok"
        ask(kernel.client, n=9)
        other.execute("ROLLBACK")
        other.close()
        assert inputs(ask(kernel.client, n=9)) == ["%echo before", *[f"%echo {i}" for i in range(5)]]


def test_a_broken_file_leaves_the_memory(tmp_path):
    folder = tmp_path / "data/cutaway"
    folder.mkdir(parents=True)
    (folder / "history.sqlite").write_bytes(b"this is no database " * 100)
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        assert inputs(ask(kernel.client, n=9)) == ["%echo a"]
    assert (folder / "history.sqlite").read_bytes().startswith(b"this is no database")


def test_no_place_to_write(tmp_path):
    (tmp_path / "data").write_text("a file where a folder is wanted")
    with Kernel(folder=tmp_path) as kernel:
        kernel.client.run("%echo a")
        assert inputs(ask(kernel.client, n=9)) == ["%echo a"]
