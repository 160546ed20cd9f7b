"""Every message type, on shell and control, idle and while a cell computes: reply, order, parents."""
import socket

import pytest

from front_end import CHANNELS, label

REQUESTS = {
    "kernel_info_request": {},
    "complete_request": {"code": "%ech", "cursor_pos": 4},
    "inspect_request": {"code": "%echo", "cursor_pos": 5, "detail_level": 0},
    "is_complete_request": {"code": "%echo a"},
    "history_request": {"hist_access_type": "tail", "n": 3, "output": False, "raw": True},
    "comm_info_request": {},
    "connect_request": {},
    "usage_request": {},
    "comm_open": {"comm_id": "c1", "target_name": "no.such", "data": {}},
    "comm_msg": {"comm_id": "c1", "data": {}},
    "comm_close": {"comm_id": "c1", "data": {}},
    "create_subshell_request": {},
    "delete_subshell_request": {"subshell_id": "1"},
    "list_subshell_request": {},
    "debug_request": {"type": "request", "seq": 1, "command": "initialize", "arguments": {}},
    "input_reply": {"value": "x"},
    "no_such_request": {"x": 1},
}
SILENT = {"comm_open", "comm_msg", "comm_close", "create_subshell_request", "delete_subshell_request",
          "list_subshell_request", "input_reply", "no_such_request"}


def wanted_between(msg_type):
    """A comm that the kernel does not have is closed, so that both sides know it."""
    return ["comm_close"] if msg_type in ("comm_open", "comm_msg") else []


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("msg_type", REQUESTS)
def test_idle(client, msg_type, channel):
    msg_id = client.send(msg_type, REQUESTS[msg_type], channel)
    seen = client.until_idle(msg_id)
    assert [label(m) for m in seen] == ["busy", *wanted_between(msg_type), "idle"]
    assert {m["parent"] for m in seen} == {msg_id}
    if msg_type in SILENT:
        assert client.read(channel, 0.05) is None
    else:
        reply = client.reply(msg_id, channel)
        assert reply["type"] == msg_type.replace("_request", "_reply")
        assert reply["content"]["status"] in (("error",) if msg_type == "debug_request" else ("ok", "complete"))


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("msg_type", REQUESTS)
def test_mid_cell(client, msg_type, channel):
    """Answered while the cell runs, which cannot end by itself; then the cell is busy again."""
    cell = client.start("%_test loop")
    msg_id = client.send(msg_type, REQUESTS[msg_type], channel)
    between = wanted_between(msg_type)
    assert client.labels(3 + len(between)) == [
        ("busy", msg_id), *[(one, msg_id) for one in between], ("idle", msg_id), ("busy", cell)]
    if msg_type not in SILENT:
        assert client.reply(msg_id, channel)["type"] == msg_type.replace("_request", "_reply")
    stop = client.send("interrupt_request", channel="control")
    assert client.reply(stop, "control")["content"] == {"status": "ok"}
    assert client.labels(5) == [("busy", stop), ("idle", stop), ("busy", cell), ("error", cell),
                                ("idle", cell)]
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_interrupt_at_idle_does_nothing(client, channel):
    reply, labels = client.ask("interrupt_request", channel=channel)
    assert reply["content"] == {"status": "ok"} and labels == ["busy", "idle"]
    reply, seen = client.run("%echo as before")
    assert reply["content"]["status"] == "ok"
    assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "idle"]


def test_kernel_info(client):
    content = client.ask("kernel_info_request")[0]["content"]
    assert content["protocol_version"] == "5.5" and content["implementation"] == "cutaway"
    assert "iopub_welcome" in content["supported_features"]
    language = content["language_info"]
    assert language["name"] == "cutaway" and language["file_extension"] == ".cut"
    assert language["mimetype"] == "text/x-cutaway" and language["pygments_lexer"] == "text"
    assert content["banner"] and all(link["url"].startswith("https://")
                                     for link in content["help_links"])


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_there_is_no_debugger(client, channel):
    """As kernel_info says; the refusal is one for clients of Jupyter and of the Debug Adapter Protocol."""
    info = client.ask("kernel_info_request")[0]["content"]
    assert info["debugger"] is False and "debugger" not in info["supported_features"]
    asked = {"type": "request", "seq": 7, "command": "attach", "arguments": {}}
    content = client.ask("debug_request", asked, channel)[0]["content"]
    why = "this kernel has no debugger"
    assert content == {"status": "error", "ename": "NotSupported", "evalue": why, "traceback": [], "type": "response",
                       "request_seq": 7, "success": False, "command": "attach", "message": why}


def test_connect(kernel, client):
    content = client.ask("connect_request")[0]["content"]
    assert content == {"status": "ok", **{f"{name}_port": kernel.connection[f"{name}_port"]
                                          for name in CHANNELS}}


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_usage(kernel, client, channel):
    """Of both processes, and of each model; also while a cell computes."""
    client.run("%model new lstm --as small")
    for code in (None, "%_test loop"):
        cell = client.start(code) if code else None
        content = client.reply(client.send("usage_request", channel=channel), channel)["content"]
        assert content["pid"] == kernel.process.pid and content["cpu_count"] >= 1
        assert content["hostname"] == socket.gethostname()
        assert content["kernel_cpu"] >= 0
        machine = content["host_virtual_memory"]
        assert set(machine) == {"total", "available", "percent", "used", "free", "active",
                                "inactive", "buffers", "cached", "shared", "slab"}
        assert 0 < content["kernel_memory"] < machine["total"]
        model = content["models"][0]
        assert model["name"] == "small" and set(model) == {"name", "path", "mapped", "resident"}
        assert 0 < model["resident"] <= model["mapped"] + 4096
        if cell:
            kernel.interrupt()
            client.until_idle(cell)
            client.reply(cell)
        client.catch_up()
    client.run("%model unload small")


@pytest.mark.parametrize("code, status", [
    ("%echo a", "complete"), ("", "complete"), ("%echo 'a", "invalid"), ("no percent", "invalid")])
def test_is_complete(client, code, status):
    assert client.ask("is_complete_request", {"code": code})[0]["content"]["status"] == status
