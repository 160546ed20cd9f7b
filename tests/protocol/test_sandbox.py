"""The computing process is shut off: it opens the usual places and what a cell of the user names, no
more, and has no network, no other program and no other process."""
import json
import os
import pathlib
import shutil
import signal

import pytest

from front_end import PROGRAM, Kernel, label

DENIED = "Operation not permitted"
SANITIZED = b"__asan_init" in pathlib.Path(PROGRAM).read_bytes()  # its leak check traces its own process


def said(client, code):
    """What a cell prints, or the error it ends with."""
    reply, seen = client.run(code)
    text = "".join(m["content"]["text"] for m in seen if label(m) == "stream")
    return text or reply["content"].get("evalue", "")


def reach(client, path):
    """What the computing process comes to: {"socket": "Operation not permitted", ...}"""
    return dict(line.split(": ") for line in said(client, f"%_test reach '{path}'").splitlines())


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A notebook's folder, and one that no cell has named."""
    for name in ("notebooks", "foreign"):
        (tmp_path / name).mkdir()
    (tmp_path / "foreign" / "texts.txt").write_text("one text\nanother\n")
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def made_model(client):
    """A small model of our own, made in the cache: the folder it is in."""
    text = said(client, "%model new rnn --hidden 4 --layers 1 --as made")
    return pathlib.Path(text.split(" it is in ")[1].strip()).expanduser()


def test_nothing_beyond_is_reached(folders):
    foreign = folders / "foreign" / "texts.txt"
    with Kernel() as kernel:
        assert kernel.client.run("%echo born")[0]["content"]["status"] == "ok"
        for path in (foreign, "/etc/shadow", kernel.file):
            got = reach(kernel.client, path)
            assert got["open to read"] == got["open to write"] == "Permission denied", path
            assert got["change its rights"] == DENIED
        for name in ("socket", "connect", "execve", "unshare"):
            assert got[name] == DENIED, name
        if not SANITIZED:
            for name in ("ptrace", "fork", "kill", "leave"):
                assert got[name] == DENIED, name
        assert got["link"] == "Permission denied"
        (folders / "notebooks" / "mine.txt").write_text("")
        got = reach(kernel.client, "mine.txt")
        assert got["open to read"] == got["open to write"] == "done"


def test_what_a_cell_names_is_opened(folders):
    foreign = folders / "foreign"
    with Kernel() as kernel:
        client = kernel.client
        made = made_model(client)
        shutil.copytree(made, foreign / "model")
        client.run("%seed 7")
        text = said(client, f"%model load {foreign}/model --as other")
        assert "other is loaded" in text
        reply, seen = client.run("%data news ../foreign/texts.txt")
        assert reply["content"]["status"] == "ok"
        reply, seen = client.run("%%gradients --as g\nabc")
        assert reply["content"]["status"] == "ok", reply["content"]
        reply = client.run("%model list", user_expressions={"seed": "seed"})[0]["content"]
        assert reply["user_expressions"]["seed"]["data"]["text/plain"] == "7"
        reply, seen = client.run("%model use made\n%model use other\n%data info news")
        assert reply["content"]["status"] == "ok", reply["content"]
        assert client.run(f"%%gradients --as g\nabc\n")[0]["content"]["status"] == "ok"
        got = reach(client, foreign / "texts.txt")
        assert got["open to read"] == "done" and got["open to write"] == "Permission denied"
        got = reach(client, foreign / "other.txt")
        assert got["open to read"] == "No such file or directory"


def test_saving_beside_the_notebook_and_elsewhere(folders):
    foreign = folders / "foreign"
    with Kernel() as kernel:
        client = kernel.client
        made_model(client)
        assert client.run("%%gradients --as g\nabc")[0]["content"]["status"] == "ok"
        # A folder that no cell has named needs another worker, to which kept results come over.
        for path in ("g.npy", "./g.csv", f"{foreign}/g.npy", "../foreign/g.json"):
            text = said(client, f"%save g {path}")
            assert text.startswith("wrote"), text
            assert pathlib.Path(path).stat().st_size > 0
        assert json.loads((foreign / "g.json").read_text())


def test_models_that_are_links(folders, monkeypatch):
    """As the hub's cache has them, and as users who keep models where there is room."""
    room = folders / "room"
    with Kernel() as kernel:
        made = made_model(kernel.client)
        shutil.copytree(made, room / "blobs")
    hub = folders / "hub" / "models--org--small"
    snapshot = hub / "snapshots" / "12ab"
    snapshot.mkdir(parents=True)
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("12ab")
    (hub / "blobs").mkdir()
    (folders / "models").mkdir()
    for i, file in enumerate(sorted(room.glob("blobs/*.*"))):
        shutil.copy(file, hub / "blobs" / str(i))
        (snapshot / file.name).symlink_to(f"../../blobs/{i}")
        beside = folders / "notebooks" / "mine"
        beside.mkdir(exist_ok=True)
        (beside / file.name).symlink_to(file)
    (folders / "models" / "whole").symlink_to(room / "blobs")
    monkeypatch.setenv("HF_HUB_CACHE", str(folders / "hub"))
    monkeypatch.setenv("CUTAWAY_MODELS", str(folders / "models"))
    with Kernel() as kernel:
        worker = kernel.children()
        assert "is loaded" in said(kernel.client, "%model load org/small --as hub")
        assert "is loaded" in said(kernel.client, "%model load whole")
        assert kernel.children() == worker, "the usual places need no new process"
        assert "is loaded" in said(kernel.client, "%model load mine")
        assert "is loaded" in said(kernel.client, f"%model load {snapshot} --as again")


def test_links_in_a_strangers_model_open_nothing_else(folders, monkeypatch):
    """Neither in a folder that a cell names nor in a place of models."""
    foreign, usual = folders / "foreign", folders / "models" / "downloaded"
    with Kernel() as kernel:
        made = made_model(kernel.client)
        for model in (folders / "notebooks" / "evil", usual):
            shutil.copytree(made, model)
            (model / "home").symlink_to(foreign)
            (model / "more.safetensors").symlink_to(foreign)
            (model / "notes.txt").symlink_to(foreign / "texts.txt")
    monkeypatch.setenv("CUTAWAY_MODELS", str(folders / "models"))
    with Kernel() as kernel:
        assert "is loaded" in said(kernel.client, "%model load evil")
        assert "is loaded" in said(kernel.client, "%model load downloaded")
        for name in ("home/texts.txt", "more.safetensors/texts.txt", "notes.txt"):
            for model in ("evil", str(usual)):
                got = reach(kernel.client, f"{model}/{name}")
                assert got["open to read"] == "Permission denied", name


def test_a_worker_that_ends_to_be_granted_more_is_no_failure(folders):
    """Cells that name files, one after another and interrupted: each is answered, and in order."""
    foreign = folders / "foreign"
    for i in range(12):
        (foreign / f"{i}.txt").write_text("a text\n")
    with Kernel() as kernel:
        client = kernel.client
        cells = [client.execute(f"%data d{i} {foreign}/{i}.txt") for i in range(6)]
        for cell in cells:
            client.until_idle(cell)
            assert client.reply(cell)["content"]["status"] == "ok"
        for i in range(6, 12):
            cell = client.execute(f"%data d{i} {foreign}/{i}.txt")
            kernel.interrupt()
            client.until_idle(cell)
            assert client.reply(cell)["content"]["status"] in ("ok", "error")
        reply, seen = client.run("%data info d5")
        assert reply["content"]["status"] == "ok", reply["content"]
        assert "died" not in (kernel.folder / "kernel.log").read_text()
        assert len(kernel.children()) == 1


def test_an_interrupt_while_the_worker_ends_to_be_granted_more(folders):
    """The cell waits for the next worker, so it ends without this one; which is ended by force in the end."""
    with Kernel() as kernel:
        client = kernel.client
        client.run("%seed 77")
        worker, = kernel.children()
        os.kill(worker, signal.SIGSTOP)
        cell = client.start(f"%data far {folders / 'foreign' / 'texts.txt'}")
        stop = client.send("interrupt_request", channel="control")
        content = client.reply(cell)["content"]
        assert (content["ename"], content["evalue"]) == ("KeyboardInterrupt", "interrupted")
        client.until_idle(stop)
        assert "77" in said(client, "%seed")
        assert client.run("%data info far")[0]["content"]["status"] == "error"
        assert kernel.children() != [worker]


def test_the_worker_does_not_get_other_programs_secrets(folders, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a secret of the hub")
    monkeypatch.setenv("HF_HOME", str(folders / "hub"))
    with Kernel() as kernel:
        assert kernel.client.run("%echo born")[0]["content"]["status"] == "ok"
        environment = pathlib.Path(f"/proc/{kernel.children()[0]}/environ").read_bytes()
        assert b"a secret of the hub" not in environment
        assert f"HF_HOME={folders / 'hub'}".encode() in environment.split(b"\0")


@pytest.mark.parametrize("cachedir", ['<cachedir prefix="xdg">fontconfig</cachedir>', "<cachedir>{}</cachedir>"])
def test_fonts_without_a_cache_are_no_complaint(folders, monkeypatch, cachedir):
    """Nothing has written one yet, and the worker may not; the caches of others are read."""
    config, cache = folders / "fonts.conf", folders / "fontcache"
    config.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
                      f"<dir>/usr/share/fonts</dir>{cachedir.format(cache)}</fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    if "xdg" not in cachedir:
        cache.mkdir()
    with Kernel() as kernel:
        made_model(kernel.client)
        reply, seen = kernel.client.run("%%gradients --as g\nabc")
        assert reply["content"]["status"] == "ok"
        assert [label(m) for m in seen if label(m) == "stream"] == []
        cache.mkdir(exist_ok=True)
        (cache / "one").write_text("")
        read = "done" if "xdg" not in cachedir else "Permission denied"
        assert reach(kernel.client, cache / "one")["open to read"] == read
        assert reach(kernel.client, cache / "one")["open to write"] == "Permission denied"


def test_it_can_be_switched_off(folders, monkeypatch):
    monkeypatch.setenv("CUTAWAY_SANDBOX", "off")
    with Kernel() as kernel:
        got = reach(kernel.client, folders / "foreign" / "texts.txt")
        assert got["open to read"] == got["socket"] == got["fork"] == "done"
        log = (kernel.folder / "kernel.log").read_text()
        assert log.count("sandbox") == 1 and "CUTAWAY_SANDBOX=off" in log
