"""How much memory may be taken: by whom it is limited, what is refused before it is taken, what is said."""
import resource

import pytest

from front_end import Kernel, label
from test_sandbox import SANITIZED, said


def limits(pid):
    """Soft and hard limits of a process: {"Max core file size": ("1", "1"), ...}"""
    with open(f"/proc/{pid}/limits") as file:
        lines = file.read().splitlines()[1:]
    return {line[:26].strip(): tuple(line[26:].split()[:2]) for line in lines}


def test_a_limit_is_a_setting_that_outlives_the_worker(client, kernel):
    assert "may take 200 MB (by %limit)" in said(client, "%limit 200MB")
    for _ in range(2):
        evalue = said(client, "%_test alloc 300")
        assert "of the 200.0 MB allowed" in evalue and "%limit off lifts it" in evalue
        assert said(client, "%_test alloc 50") == "50 MB\n"
        assert "someone ended it" in said(client, "%_test kill")
    assert "may take 200 MB" in said(client, "%limit")
    assert "by %limit" not in said(client, "%limit off")
    assert said(client, "%_test alloc 300") == "300 MB\n"


@pytest.mark.parametrize("size, shown", [("1.5GB", "1.50 GB"), ("1 GiB", "1.07 GB"), ("100mb", "100 MB"),
                                         ("0.5G", "500 MB"), ("70 MiB", "73 MB")])
def test_sizes(client, size, shown):
    assert f"may take {shown} (by %limit)" in said(client, f"%limit {size}")
    client.run("%limit off")


@pytest.mark.parametrize("size",
                         ["3", "10MB", "-4GB", "4XB", "GB", "1e9GB", "1..5GB", "nanGB", "99999999999T", "4GB 5GB",
                          "4 GB x", "''"])
def test_what_is_no_size_is_refused_in_its_place(client, size):
    reply = client.run(f"%limit {size}")[0]["content"]
    assert reply["status"] == "error" and "%limit" in reply["evalue"]
    assert "by %limit" not in said(client, "%limit")


def test_the_smallest_cause_is_named(monkeypatch):
    monkeypatch.delenv("CUTAWAY_MEMORY", raising=False)
    monkeypatch.setenv("MEM_LIMIT", "400000000")
    with Kernel() as kernel:
        assert "may take 300 MB (three quarters of MEM_LIMIT" in said(kernel.client, "%limit")
        assert "四分之三" in said(kernel.client, "%limit --lang zh")
        evalue = said(kernel.client, "%_test alloc 500")
        assert "of the 300.0 MB allowed" in evalue and "MEM_LIMIT" in evalue
        if not SANITIZED:  # whose own memory is larger than any limit
            soft, hard = limits(kernel.children()[0])["Max data size"]
            assert 500e6 < int(soft) < 3e9 and hard == "unlimited"
    monkeypatch.delenv("MEM_LIMIT")
    if not SANITIZED:
        with Kernel(under=["prlimit", "--data=800000000"]) as kernel:
            assert "may take 600 MB (three quarters of what ulimit allows)" in said(kernel.client, "%limit")
            assert said(kernel.client, "%_test alloc 400") == "400 MB\n"
            assert "ulimit" in said(kernel.client, "%_test alloc 700")


def test_what_the_supervisor_has_no_memory_for_is_one_failed_cell():
    """And is not asked for again and again, with the frames before it."""
    if SANITIZED:  # whose own memory is larger than any limit
        return
    with Kernel() as kernel:
        client, pid = kernel.client, kernel.process.pid
        assert client.run("%echo before")[0]["content"]["status"] == "ok"
        with open(f"/proc/{pid}/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        before = resource.prlimit(pid, resource.RLIMIT_AS, (now + (64 << 20), resource.RLIM_INFINITY))
        reply, seen = client.run("%echo first\n%_test big 300000000")
        assert "more than the kernel has memory for" in reply["content"]["evalue"]
        assert [label(m) for m in seen].count("stream") == 1
        resource.prlimit(pid, resource.RLIMIT_AS, before)
        assert client.run("%echo after")[0]["content"]["status"] == "ok"


def test_no_dump_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Kernel(under=["prlimit", "--core=unlimited"]) as kernel:
        assert limits(kernel.children()[0])["Max core file size"][0] in ("0", "1")
        assert "SIGABRT" in said(kernel.client, "%_test abort")
        assert list(tmp_path.iterdir()) == []
