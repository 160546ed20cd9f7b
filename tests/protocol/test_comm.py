"""The comm target `cutaway`: each question, idle and while a cell computes; numbers that are exact; and
whatever a front end or a dying worker can do to it."""
import contextlib
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import pytest

from front_end import PROGRAM, Client, Kernel, label, sent, wait_for

SHARED = pathlib.Path(os.environ.get("CUTAWAY_SHARED", "../shared"))
MODEL = SHARED / "golden/data/models/bert_mlm"
TEXT = "The cat sat on the mat"
UNKNOWN = "0123456789abcdef"


class Line:
    """One comm of one client."""

    def __init__(self, client, name="c1", target="cutaway"):
        self.client, self.name, self.count = client, name, 0
        opened = client.send("comm_open", {"comm_id": name, "target_name": target, "data": {}})
        self.greeting = [label(m) for m in client.until_idle(opened)]

    def post(self, data, buffers=(), channel="shell"):
        return self.client.send("comm_msg", {"comm_id": self.name, "data": data}, channel,
                                buffers=buffers)

    def ask(self, question, buffers=(), channel="shell", **more):
        """The answer's data and buffers. Events, here and at other comms, are left aside."""
        self.count += 1
        msg_id = self.post({"id": self.count, "ask": question, **more}, buffers, channel)
        mine = [m for m in self.client.until_idle(msg_id) if m["parent"] == msg_id]
        answers = [m for m in mine if label(m) == "comm_msg" and "event" not in m["content"]["data"]]
        assert label(mine[0]) == "busy" and label(mine[-1]) == "idle" and len(answers) == 1
        content = answers[0]["content"]
        assert content["comm_id"] == self.name and content["data"]["id"] == self.count
        return content["data"], answers[0]["buffers"]

    def close(self):
        msg_id = self.client.send("comm_close", {"comm_id": self.name, "data": {}})
        assert [label(m) for m in self.client.until_idle(msg_id)] == ["busy", "idle"]


@pytest.fixture(scope="module", autouse=True)
def told(kernel):
    """A worker that has just begun tells of its session, which open comms hear; here it has."""
    kernel.client.run("%echo a")


@pytest.fixture
def line(client):
    one = Line(client)
    assert one.greeting == ["busy", "idle"]
    yield one
    one.close()


@pytest.fixture(scope="module")
def attention(kernel):
    """The figure of all heads of one text, with the model loaded as m."""
    client = kernel.client
    reply, _ = client.run(f"%model load {MODEL} --as m")
    assert reply["content"]["status"] == "ok", reply["content"]
    return figure_of(client, f"%%attention --as first\n{TEXT}")


def figure_of(client, code):
    reply, seen = client.run(code)
    assert reply["content"]["status"] == "ok", reply["content"]
    bundles = [m["content"]["data"] for m in seen if label(m) == "display_data"]
    return [value for data in bundles for mime, value in data.items() if "vnd.cutaway" in mime][-1]


def traced(name):
    """A tensor of `cutaway trace`: its shape and numbers."""
    out = pathlib.Path(os.environ.get("TMPDIR", "/tmp"), f"cutaway-trace-{os.getpid()}.safetensors")
    subprocess.run([PROGRAM, "trace", str(MODEL), "--text", TEXT, "-o", str(out)], check=True,
                   capture_output=True)
    raw = out.read_bytes()
    out.unlink()
    length, = struct.unpack("<Q", raw[:8])
    one = next(value for key, value in json.loads(raw[8:8 + length]).items() if key.endswith(name))
    begin, end = one["data_offsets"]
    assert one["dtype"] == "F32"
    return one["shape"], raw[8 + length + begin:8 + length + end]


def stop(client, cell):
    client.send("interrupt_request", channel="control")
    client.until_idle(cell)
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    client.quiet()


# ---- opening, listing, closing ----

def test_comms_are_listed(client, line):
    assert client.ask("comm_info_request")[0]["content"]["comms"] == {"c1": {"target_name": "cutaway"}}
    for name, count in (("cutaway", 1), ("jupyter.widget", 0)):
        content = client.ask("comm_info_request", {"target_name": name})[0]["content"]
        assert content["status"] == "ok" and len(content["comms"]) == count


def test_opening_twice_is_opening_once(client, line):
    assert Line(client).greeting == ["busy", "idle"]
    assert len(client.ask("comm_info_request")[0]["content"]["comms"]) == 1
    assert line.ask("state")[0]["ok"]


def test_a_closed_comm_is_not_answered(client):
    one = Line(client)
    one.close()
    seen = client.until_idle(one.post({"id": 1, "ask": "state"}))
    assert [label(m) for m in seen] == ["busy", "comm_close", "idle"]
    assert client.ask("comm_info_request")[0]["content"]["comms"] == {}
    one.close()  # again: nothing happens


@pytest.mark.parametrize("content", [
    {"comm_id": "", "target_name": "cutaway"}, {"comm_id": "x" * 257, "target_name": "cutaway"},
    {"comm_id": "a\0b", "target_name": "cutaway"}, {"target_name": "cutaway"},
    {"comm_id": 7, "target_name": "cutaway"}, {"comm_id": "c", "target_name": "cutaway\0"},
    {"comm_id": "c", "target_name": ["cutaway"]}, {"comm_id": "c"}])
def test_what_cannot_be_opened_is_closed(client, content):
    seen = client.until_idle(client.send("comm_open", {**content, "data": {}}))
    assert [label(m) for m in seen] == ["busy", "comm_close", "idle"]
    wanted = content.get("comm_id", "")
    assert seen[1]["content"]["comm_id"] == (wanted if isinstance(wanted, str) else "")
    assert client.ask("comm_info_request")[0]["content"]["comms"] == {}


def test_a_thousand_opens_are_bounded(client):
    """The last ones stay; each one that goes hears it."""
    closed = []
    for i in range(1000):
        msg_id = client.send("comm_open", {"comm_id": f"n{i}", "target_name": "cutaway", "data": {}})
        closed += [m["content"]["comm_id"] for m in client.until_idle(msg_id) if label(m) == "comm_close"]
    open_now = client.ask("comm_info_request")[0]["content"]["comms"]
    assert len(open_now) == 32 and set(open_now) == {f"n{i}" for i in range(968, 1000)}
    assert closed == [f"n{i}" for i in range(968)]
    for name in open_now:
        client.until_idle(client.send("comm_close", {"comm_id": name, "data": {}}))
    assert client.quiet()


def test_the_silent_go_first(client):
    lines = [Line(client, f"s{i}") for i in range(32)]
    assert lines[0].ask("state")[0]["ok"]
    last = Line(client, "one more")
    assert last.greeting == ["busy", "comm_close", "idle"]
    comms = client.ask("comm_info_request")[0]["content"]["comms"]
    assert "s0" in comms and "s1" not in comms
    for one in (last, *lines):
        one.close()


# ---- questions ----

def test_state(client, line, attention):
    state, _ = line.ask("state")
    assert state["ok"] and state["running"] is None
    model, = [m for m in state["models"] if m["handle"] == "m"]
    assert model["inUse"] and model["arch"] == "bert" and model["path"].endswith("bert_mlm")
    assert model["mapped"] == (MODEL / "model.safetensors").stat().st_size
    assert model["parameters"] > 0 and model["dtype"] == "F32" and model["name"] == "bert_mlm"
    last, = [r for r in state["results"] if r["name"] == "_"]
    assert last["title"] == attention["title"] and last["bytes"] > 0 and last["kind"]
    assert set(state["settings"]) == {"language", "theme", "colours", "seed", "time"}


def test_sites(client, line, attention):
    sites = line.ask("sites", handle="m")[0]["sites"]
    names = [site["name"] for site in sites]
    assert len(set(names)) == len(names)
    pattern = sites[names.index("blocks.0.attn.hook_pattern")]
    assert pattern["site"] == "attention" and pattern["layer"] == 0
    assert pattern["shape"].endswith("heads × query × key")
    assert sites[0]["name"] == "hook_embed" and sites[0]["layer"] is None
    for name in names:  # each is one that %info knows
        assert client.run(f"%info {name}", silent=True)[0]["content"]["status"] == "ok", name


def test_set(client, line):
    assert line.ask("set", name="theme", value="dark")[0]["ok"]
    assert line.ask("set", name="seed", value=9)[0]["ok"]
    assert line.ask("state")[0]["settings"]["theme"] == "dark"
    reply, seen = client.run("%set theme", user_expressions={"s": "seed"})
    assert [m["content"]["text"] for m in seen if label(m) == "stream"] == ["theme is dark\n"]
    assert reply["content"]["user_expressions"]["s"]["data"]["text/plain"] == "9"
    for name, value in (("theme", "light"), ("seed", "0")):
        assert line.ask("set", name=name, value=value)[0]["ok"]


@pytest.mark.parametrize("ask", ["state", "sites", "set", "echo"])
@pytest.mark.parametrize("channel", ["shell", "control"])
def test_mid_cell(client, line, attention, ask, channel):
    """Answered while the cell runs, which is busy again afterwards."""
    cell = client.start("  \n%_test loop")
    started = client.read("iopub")
    assert started["parent"] == cell and started["content"]["data"]["event"] == "state"
    running = started["content"]["data"]["running"]
    assert running["code"] == "%_test loop" and running["progress"] is None
    data, _ = line.ask(ask, channel=channel, handle="m", name="time", value="off")
    assert data["ok"]
    assert label(client.read("iopub")) == "busy"
    if ask == "state":
        assert data["running"]["code"] == "%_test loop" and data["running"]["seconds"] >= 0
    stop(client, cell)


def test_a_setting_mid_cell_holds_for_the_next(client, line):
    cell = client.start("%_test sleep 0.3\n%set colours")
    assert line.ask("set", name="colours", value="grey")[0]["ok"]
    assert line.ask("state")[0]["settings"]["colours"] == "grey"
    next_cell = client.execute("%set colours")
    texts = {}
    for one in (cell, next_cell):
        for m in client.until_idle(one):
            if label(m) == "stream":
                texts[m["parent"]] = m["content"]["text"]
        client.reply(one)
    assert texts == {cell: "colours is cutaway\n", next_cell: "colours is grey\n"}
    line.ask("set", name="colours", value="cutaway")


def test_the_last_of_many_settings_holds(client, line):
    cell = client.start("%_test loop", stop_on_error=False)
    for seed in range(1, 41):
        assert line.ask("set", name="seed", value=seed)[0]["ok"]
    next_cell = client.execute("%set seed")
    client.send("interrupt_request", channel="control")
    said = [m["content"]["text"] for m in client.until_idle(next_cell)
            if label(m) == "stream" and m["parent"] == next_cell]
    assert said == ["seed is 40\n"]
    for one, status in ((cell, "error"), (next_cell, "ok")):
        assert client.reply(one)["content"]["status"] == status
    line.ask("set", name="seed", value=0)


@pytest.mark.parametrize("data, part", [
    ({"id": 1, "ask": "stat"}, "did you mean state?"), ({"id": 1}, "a question has"),
    ({"id": 1, "ask": 7}, "a question has"), ({}, "a question has"), ([], "a question has"),
    ("state", "a question has"), (None, "a question has"), ({"ask": "state\0"}, "a question has"),
    ({"ask": "a" * 10000}, "there is no question"),
    ({"id": 1, "ask": "sites"}, "needs \"handle\""), ({"ask": "sites", "handle": "mm"}, "no model"),
    ({"ask": "set"}, "needs \"name\""), ({"ask": "set", "name": "theme"}, "needs"),
    ({"ask": "set", "name": "them", "value": "dark"}, "did you mean theme?"),
    ({"ask": "set", "name": "theme", "value": "drak"}, "did you mean dark?"),
    ({"ask": "set", "name": "theme", "value": {"a": 1}}, "needs"),
    ({"ask": "tile"}, "needs \"result\""), ({"ask": "tile", "result": "x", "series": 3}, "needs"),
    ({"ask": "tile", "result": "x", "series": "y"}, "needs \"at\""),
    ({"ask": "tile", "result": "x", "series": "y", "at": [0] * 6}, "at most 5"),
    ({"ask": "tile", "result": "x" * 257, "series": "y", "at": []}, "at most 256 bytes"),
    ({"ask": "tile", "result": "x", "series": "y" * 2000000, "at": []}, "at most 256 bytes"),
    ({"ask": "tile", "result": "x", "series": "y", "at": [], "z": "z" * 65536}, "at most 65536 bytes"),
    ({"ask": "tile", "result": "x", "series": "y", "at": [0, 1.5]}, "place 1"),
    ({"ask": "tile", "result": "x", "series": "y", "at": "0"}, "needs \"at\"")])
def test_what_is_no_question_is_answered_too(client, line, data, part):
    msg_id = line.post(data)
    seen = client.until_idle(msg_id)
    assert [label(m) for m in seen] == ["busy", "comm_msg", "idle"]
    answer = seen[1]["content"]["data"]
    assert answer["ok"] is False and part in answer["error"]
    assert answer["id"] == (data.get("id") if isinstance(data, dict) else None)


def test_numbers_beyond_64_bits_are_no_content(client, line):
    header = client.header("comm_msg")
    client.sent[header["msg_id"]] = header
    content = b'{"comm_id":"c1","data":{"id":1,"ask":"tile","result":"x","series":"y","at":[99999999999999999999]}}'
    parts = [json.dumps(header).encode(), b"{}", b"{}", content]
    client.sockets["shell"].send_multipart([b"<IDS|MSG>", client.kernel.sign(parts), *parts])
    assert [label(m) for m in client.until_idle(header["msg_id"])] == ["busy", "idle"]
    assert line.ask("state")[0]["ok"]


# ---- tiles ----

def test_a_tile_is_exact(client, line, attention):
    shape, raw = traced("attentions")
    layers, heads, tokens, _ = shape
    for layer, head in ((0, 0), (layers - 1, heads - 1), (0, 1)):
        data, buffers = line.ask("tile", result=attention["result"], series="attention", at=[layer, head])
        size = 4 * tokens * tokens
        begin = (layer * heads + head) * size
        assert data["ok"], data
        assert data["shape"] == [tokens, tokens] and buffers == [raw[begin:begin + size]]
    data, buffers = line.ask("tile", result=attention["result"], series="attention", at=[])
    assert data["shape"] == shape and buffers == [raw]
    data, buffers = line.ask("tile", result=attention["result"], series="attention", at=[0, 0, 1, 2])
    assert data["shape"] == [] and buffers == [raw[4 * (tokens + 2):4 * (tokens + 3)]]


def test_a_tile_outlives_the_worker(client, kernel, line, attention):
    """The picture's result has another name now, so its number alone leads to it."""
    raw = traced("attentions")[1]
    client.run("%%attention --as first --layer 0\nAnother text")
    client.run("%echo kept aside")  # read when what was kept is written
    worker = kernel.children()
    os.kill(worker[0], signal.SIGKILL)
    assert wait_for(lambda: kernel.children() not in ([], worker))
    data, buffers = line.ask("tile", result=attention["result"], series="attention", at=[])
    assert data["ok"] and buffers == [raw]


@pytest.mark.parametrize("result, series, at, part", [
    (UNKNOWN, "attention", [0, 0], "not held any more"), ("", "attention", [], "not held any more"),
    (None, "attentio", [0, 0], "did you mean attention?"), (None, "猫", [], "did you mean attention?"),
    (None, "attention", [99, 0], "layer 99 is out of range"), (None, "attention", [0, -1], "head -1"),
    (None, "attention", [2 ** 62, 0], "out of range"), (None, "attention", [-2 ** 63], "out of range"),
    (None, "attention", [0, 0, 0, 0, 0], "4 axes")])
def test_no_such_tile(client, line, attention, result, series, at, part):
    asked = attention["result"] if result is None else result
    data, buffers = line.ask("tile", result=asked, series=series, at=at)
    assert data["ok"] is False and part in data["error"] and buffers == []


def test_a_tile_waits_for_the_cell(client, line, attention):
    cell = client.start("%_test loop", stop_on_error=False)
    tile = line.post({"id": "t", "ask": "tile", "result": attention["result"], "series": "attention",
                      "at": [0, 0]})
    other = client.execute("%echo b")
    assert line.ask("state")[0]["running"]["code"] == "%_test loop"
    client.send("interrupt_request", channel="control")
    order = [(m["parent"], label(m)) for m in client.until_idle(other)]
    for one, status in ((cell, "error"), (other, "ok")):
        assert client.reply(one)["content"]["status"] == status
    mine = [what for parent, what in order if parent == tile]
    assert mine == ["busy", "comm_msg", "idle"]
    assert order.index((cell, "idle")) < order.index((tile, "busy"))


def test_a_tile_waits_for_a_cell_that_asks_its_reader(client, line, attention):
    """The worker reads it while it waits for the answer, and puts it aside."""
    cell = client.start("%ask Which word?", allow_stdin=True)
    assert client.read("stdin")["type"] == "input_request"
    tile = line.post({"id": "t", "ask": "tile", "result": attention["result"], "series": "attention",
                      "at": [0, 0]})
    assert line.ask("state")[0]["running"]["code"] == "%ask Which word?"
    client.send("input_reply", {"value": "mat"}, "stdin")
    client.until_idle(cell)
    assert client.reply(cell)["content"]["status"] == "ok"
    mine = [label(m) for m in client.until_idle(tile) if m["parent"] == tile]
    assert mine == ["busy", "comm_msg", "idle"]


def test_a_tile_answered_while_the_next_cell_runs_leaves_it_busy(client, line, attention):
    cell = client.start("%_test loop", stop_on_error=False)
    tile = line.post({"id": 1, "ask": "tile", "result": attention["result"], "series": "attention",
                      "at": [0, 0]})
    other = client.execute("%_test loop")
    line.ask("state")  # by now both wait
    client.send("interrupt_request", channel="control")
    order = [(m["parent"], label(m)) for m in client.until_idle(tile)]
    assert (other, "busy") in order and (other, "idle") not in order
    again = client.read("iopub")
    assert (again["parent"], label(again)) == (other, "busy")
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    stop(client, other)


def test_an_interrupt_costs_no_tile(client, line, attention):
    """It ends the cell; what waits for the worker is then answered."""
    cell = client.start("%_test loop")
    tile = line.post({"id": 1, "ask": "tile", "result": attention["result"], "series": "attention",
                      "at": [0, 0]})
    client.send("interrupt_request", channel="control")
    answer = [m for m in client.until_idle(tile) if m["parent"] == tile][1]
    assert answer["content"]["data"]["ok"] and len(answer["buffers"]) == 1
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    assert client.run("%echo a")[0]["content"]["status"] == "ok"


def test_a_comm_closed_mid_request(client, attention):
    one = Line(client, "gone")
    cell = client.start("%_test loop")
    tile = one.post({"id": 1, "ask": "tile", "result": attention["result"], "series": "attention",
                     "at": [0, 0]})
    close = client.send("comm_close", {"comm_id": "gone", "data": {}})
    again = client.send("comm_open", {"comm_id": "gone", "target_name": "cutaway", "data": {}})
    client.send("interrupt_request", channel="control")
    seen = client.until_idle(tile)
    assert [label(m) for m in seen if m["parent"] == tile] == ["busy", "idle"]
    assert {close, again} <= {m["parent"] for m in seen}
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    one.close()


def test_only_so_many_wait(client, line, attention):
    cell = client.start("%_test loop")
    asked = [line.post({"id": i, "ask": "tile", "result": attention["result"], "series": "attention",
                        "at": [0, 0]}) for i in range(80)]
    refused = answered(client, set(asked[64:]))  # at once
    assert all(not a["ok"] and "ask again" in a["error"] for a in refused)
    client.send("interrupt_request", channel="control")
    assert all(a["ok"] for a in answered(client, set(asked[:64])))
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"


def answered(client, asked):
    """The answers to these questions, read until the idle of each."""
    answers = []
    while asked:
        m = client.read("iopub")
        assert m, f"{len(asked)} questions are not answered"
        if m["parent"] in asked and label(m) == "comm_msg":
            answers.append(m["content"]["data"])
        asked = asked - ({m["parent"]} if label(m) == "idle" else set())
    return answers


def test_the_last_results_are_held(client, line, attention):
    """Sixty-four without a name, and those with one; a part that %show draws is held too."""
    first = figure_of(client, "%%attention\nnumber one")["result"]
    for i in range(66):
        last = figure_of(client, f"%%attention --layer 0 --head 0\nnumber {i} of many")["result"]
    assert not line.ask("tile", result=first, series="attention", at=[0, 0])[0]["ok"]
    assert line.ask("tile", result=last, series="attention", at=[])[0]["ok"]
    figure_of(client, f"%%attention --as kept\n{TEXT}")
    part = figure_of(client, "%show kept --layer 1 --head 1")["result"]
    whole = line.ask("tile", result=attention["result"], series="attention", at=[1, 1])
    assert part != attention["result"]
    assert line.ask("tile", result=part, series="attention", at=[0, 0])[1] == whole[1]


# ---- buffers ----

@pytest.mark.parametrize("buffers", [[], [b""], [b"a" * 3, b"", bytes(range(256)) * 4096],
                                     [b"x"] * 200], ids=["none", "empty", "three", "200"])
def test_buffers_come_back(client, line, buffers):
    data, back = line.ask("echo", buffers)
    assert data["ok"] and data["sizes"] == [len(one) for one in buffers] and back == buffers


def test_too_many_buffers_are_refused(client, line):
    data, back = line.ask("echo", [b"x"] * 300)
    assert not data["ok"] and "at most" in data["error"] and back == []


def test_a_tile_takes_no_buffers(client, line, attention):
    data, back = line.ask("tile", [b"x"], result=attention["result"], series="attention", at=[0, 0])
    assert not data["ok"] and "no buffers" in data["error"] and back == []


# ---- what is told by itself ----

def events(seen, name, comm="c1"):
    return [m["content"]["data"] for m in seen if label(m) == "comm_msg"
            and m["content"]["comm_id"] == comm and m["content"]["data"].get("event") == name]


def test_a_cell_is_told_at_its_start_and_end(client, line):
    _, seen = client.run("%echo a")
    assert [label(m) for m in seen] == ["busy", "execute_input", "comm_msg", "stream", "comm_msg", "idle"]
    start, end = events(seen, "state")
    assert start["running"]["code"] == "%echo a" and end["running"] is None
    _, seen = client.run("%nonsense")
    assert [label(m) for m in seen] == ["busy", "execute_input", "comm_msg", "error", "comm_msg", "idle"]
    _, seen = client.run("%_test sleep 0", silent=True)
    assert [label(m) for m in seen] == ["busy", "comm_msg", "comm_msg", "idle"]


def test_results_are_told_after_the_cell(client, line, attention):
    _, seen = client.run(f"%%attention --as told --layer 0\n{TEXT}")
    assert "told" in [r["name"] for r in events(seen, "state")[-1]["results"]]
    _, seen = client.run("%set time on\n%set time off\n%set language zh")
    assert events(seen, "state")[-1]["settings"]["language"] == "zh"
    client.run("%set language en")


def test_progress_is_told_five_times_a_second(client, line):
    """By the kernel's own clock."""
    _, seen = client.run("%_test progress 2.2")
    told = events(seen, "progress")
    times = [sent(m) for m in seen if events([m], "progress")]
    assert len(told) >= 3 and all(later - one > 0.9 for one, later in zip(times, times[5:]))
    assert all(p["what"] == "counting" and 0 <= p["done"] <= p["total"] == 2200 for p in told)
    assert [p["done"] for p in told] == sorted(p["done"] for p in told)
    assert all(0 <= p["eta"] <= 2.2 for p in told)


def test_progress_is_in_the_state(client, line):
    cell = client.start("%_test progress 600")
    assert wait_for(lambda: (line.ask("state")[0]["running"]["progress"] or {}).get("what") == "counting")
    stop(client, cell)
    assert line.ask("state")[0]["running"] is None


def test_two_front_ends(client, kernel, line):
    """Each has its comm; both are told; what one sets the other sees."""
    other = Client(kernel).settle()
    theirs = Line(other, "c2")
    client.until_idle(list(other.sent)[-1])
    msg_id = line.post({"id": 1, "ask": "set", "name": "theme", "value": "dark"})
    for one, name in ((client, "c1"), (other, "c2")):
        seen = one.until_idle(msg_id)
        assert events(seen, "state", name)[0]["settings"]["theme"] == "dark"
    cell = client.execute("%echo a")
    for one, name in ((client, "c1"), (other, "c2")):
        assert len(events(one.until_idle(cell), "state", name)) == 2
    client.reply(cell)
    line.ask("set", name="theme", value="light")
    other.until_idle(list(client.sent)[-1])
    theirs.close()
    client.until_idle(list(other.sent)[-1])
    other.close()


# ---- the worker's death ----

def test_death_with_a_tile_under_way():
    with Kernel() as kernel:
        client = kernel.client
        assert client.run(f"%model load {MODEL} --as m")[0]["content"]["status"] == "ok"
        figure = figure_of(client, f"%%attention\n{TEXT}")
        line = Line(client)
        assert line.ask("set", name="colours", value="viridis")[0]["ok"]
        cell = client.start("%_test loop")
        assert line.ask("set", name="theme", value="dark")[0]["ok"]  # on its way when the worker dies
        tile = line.post({"id": 1, "ask": "tile", "result": figure["result"], "series": "attention",
                          "at": [0, 0]})
        line.ask("state")  # by now it waits
        os.kill(kernel.children()[0], signal.SIGKILL)
        answer = [m for m in client.until_idle(tile) if m["parent"] == tile][1]["content"]["data"]
        assert answer["ok"] is False and "run the cell again" in answer["error"]
        assert client.reply(cell)["content"]["ename"] == "WorkerDied"
        data, _ = line.ask("tile", result=figure["result"], series="attention", at=[0, 0])
        assert data["ok"]  # it was kept aside
        state, _ = line.ask("state")
        assert [m["handle"] for m in state["models"]] == ["m"]
        assert [r["name"] for r in state["results"]] == ["_"]
        assert state["settings"]["theme"] == "dark" and state["settings"]["colours"] == "viridis"
        _, seen = client.run("%set theme\n%set colours")
        said = "".join(m["content"]["text"] for m in seen if label(m) == "stream" and
                       m["content"]["name"] == "stdout")
        assert said == "theme is dark\ncolours is viridis\n"


def test_death_at_idle_changes_nothing():
    """All is there again, to the byte, so nothing is told."""
    with Kernel() as kernel:
        client = kernel.client
        client.run(f"%model load {MODEL} --as m")
        client.run(f"%%attention --as a\n{TEXT}")
        client.run("%echo kept aside")  # read when what was kept is written
        line = Line(client)
        before, _ = line.ask("state")
        worker = kernel.children()
        os.kill(worker[0], signal.SIGKILL)
        assert wait_for(lambda: kernel.children() not in ([], worker))
        after, _ = line.ask("state")
        assert before | {"id": 0} == after | {"id": 0}
        assert client.run("%echo a")[0]["content"]["status"] == "ok"
        again, _ = line.ask("state")
        assert before | {"id": 0} == again | {"id": 0}
        assert [r["name"] for r in again["results"]] == ["a", "_"]


def test_death_at_idle_is_told():
    with Kernel() as kernel:
        client = kernel.client
        client.run(f"%model load {MODEL} --as m")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(MODEL, folder, dirs_exist_ok=True)
            client.run(f"%model load {folder} --as gone")
        line = Line(client)
        os.kill(kernel.children()[0], signal.SIGKILL)
        told = client.read("iopub")
        assert told["parent"] is None and told["content"]["data"]["event"] == "state"
        assert [m["handle"] for m in told["content"]["data"]["models"]] == ["m"]
        assert line.ask("state")[0]["ok"]


def test_a_kernel_that_ends_with_questions_waiting():
    with Kernel() as kernel:
        line = Line(kernel.client)
        kernel.client.start("%_test loop")
        for i in range(10):
            line.post({"id": i, "ask": "tile", "result": UNKNOWN, "series": "x", "at": []})
        line.ask("state")
        kernel.client.send("shutdown_request", {"restart": False}, "control")
        assert kernel.wait() == 0


# ---- a worker that has been broken into ----

STATUS, SITES, PROGRESS, SETTLED, TILED = range(20, 25)  # kernel/relay/relay.h


@contextlib.contextmanager
def in_its_name(kernel):
    """Sends frames as if the worker did."""
    libc, worker = ctypes.CDLL(None, use_errno=True), os.pidfd_open(kernel.children()[0])
    pidfd_getfd, relay_fd = 438, 3
    with socket.socket(fileno=libc.syscall(pidfd_getfd, worker, relay_fd, 0)) as relay:
        yield lambda kind, body: relay.sendall(struct.pack("=IIQ", kind, 0, len(body)) + body)
    os.close(worker)


def test_lies_change_nothing():
    dice = random.Random(7)
    good = b'{"models":[],"results":[],"settings":{}}'
    with Kernel() as kernel:
        kernel.client.run("%echo a")
        line = Line(kernel.client)
        before = line.ask("state")[0]
        with in_its_name(kernel) as tell:
            for kind in (STATUS, SITES, PROGRESS, SETTLED, TILED):
                for body in (b"", b"\0", b"{", b"[]", b"null", b"[" * 200000, b"\xff" * 64, b'{"a":' * 99,
                             good[:-1], b'{"models":[],"models":[]}', b'{"models":{},"results":[],"settings":{}}'):
                    tell(kind, body)
                for _ in range(100):
                    tell(kind, dice.randbytes(dice.randrange(120)))
        kernel.client.run("%echo a")
        after = line.ask("state")[0]
        assert {**after, "id": 0} == {**before, "id": 0}
        assert not line.ask("sites", handle="m")[0]["ok"]


@pytest.mark.parametrize("rank, shape, count, good", [
    (1, [3], 3, True), (0, [], 1, True), (1, [3], 2, False), (1, [-1], 1, False), (9, [1], 1, False),
    (2, [2 ** 62, 4], 0, False), (1, [2 ** 62], 0, False), (2 ** 32 - 1, [], 0, False)])
def test_a_tile_that_lies(rank, shape, count, good):
    with Kernel() as kernel:
        client = kernel.client
        line = Line(client)
        client.start("%_test loop")
        tile = line.post({"id": 1, "ask": "tile", "result": UNKNOWN, "series": "x", "at": []})
        line.ask("state")
        with in_its_name(kernel) as tell:
            tell(TILED, struct.pack("=QII5q", 1, 1, rank, *shape, *[0] * (5 - len(shape))) + b"abcd" * count)
        answer = [m for m in client.until_idle(tile) if m["parent"] == tile][1]
        assert answer["content"]["data"]["ok"] is good
        assert answer["buffers"] == ([b"abcd" * count] if good else [])
        assert line.ask("state")[0]["running"]["code"] == "%_test loop"
