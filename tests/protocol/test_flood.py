"""More output than a server or a reader can take: nothing is lost, memory stays small, and all else
goes on."""
import datetime

import pytest
import zmq

from front_end import label

SERVER_MOST = 1000  # messages in SERVER_WINDOW seconds; then a Jupyter server drops what comes
SERVER_WINDOW = 3


def resident(pid):
    """Megabytes."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


def counted(message):
    return message["type"] not in ("status", "comm_open", "execute_input")


def test_displays_come_below_the_servers_limit(client):
    """By the kernel's own clock: a reader that is late sees many at once."""
    cell = client.start("%_test displays 1200")
    times, seen = [], []
    while not seen or label(seen[-1]) != "idle":
        seen.append(client.read("iopub"))
        if counted(seen[-1]):
            times.append(datetime.datetime.fromisoformat(seen[-1]["header"]["date"]).timestamp())
    assert [m["content"]["data"]["text/plain"] for m in seen[:-1]] == [str(i) for i in range(1200)]
    for i in range(len(times) - SERVER_MOST):
        assert times[i + SERVER_MOST] - times[i] > SERVER_WINDOW - 0.5
    assert client.reply(cell)["content"]["status"] == "ok"


@pytest.mark.parametrize("code", ["%_test displays 1000000", "%_test big 100000\n" * 10000])
def test_a_flood_of_displays_can_be_interrupted(kernel, client, code):
    """And all else is answered while it lasts; what was under way is left out, with a note."""
    cell = client.start(code)
    for _ in range(300):
        assert label(client.read("iopub")) == "display_data"
    for channel in ("shell", "control"):
        msg_id = client.send("kernel_info_request", channel=channel)
        assert client.reply(msg_id, channel)["content"]["status"] == "ok"
    client.sockets["hb"].send(b"beat")
    assert client.sockets["hb"].poll(5000) and client.sockets["hb"].recv() == b"beat"
    kernel.interrupt()
    seen = client.until_idle(cell)
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    assert len([m for m in seen if label(m) == "display_data"]) < 1000
    assert label([m for m in seen if m["parent"] == cell][-2]) == "error"
    reply, seen = client.run("%_test displays 3")
    assert [label(m) for m in seen] == ["busy", "execute_input", *["display_data"] * 3, "idle"]


def test_a_flood_of_lines(kernel, client):
    worker = kernel.children()[0]
    before = resident(kernel.process.pid), resident(worker)
    reply, seen = client.run("%_test flood 200000")
    assert reply["content"]["status"] == "ok"
    text = "".join(m["content"]["text"] for m in seen if m["type"] == "stream")
    assert text.startswith("line 0\nline 1\n") and "bytes of stdout are left out" in text[-200:]
    assert len(seen) < 200
    assert resident(kernel.process.pid) < before[0] + 32 and resident(worker) < before[1] + 32


def test_displays_that_nobody_takes_wait_in_the_worker(kernel, client):
    """A subscriber that reads nothing: memory stays bounded, and the kernel alive to everybody."""
    stuck = kernel.context.socket(zmq.SUB)
    stuck.linger, stuck.rcvhwm = 0, 1
    stuck.subscribe(b"")
    stuck.connect(kernel.endpoint("iopub"))
    assert label(client.read("iopub")) == "iopub_welcome"
    before = resident(kernel.process.pid)
    cell = client.start("%_test big 1000000\n" * 150)
    count = 0
    while client.read("iopub", 1):
        count += 1
    assert 60 < count < 150  # the rest waits
    assert resident(kernel.process.pid) < before + 200
    assert client.reply(client.send("kernel_info_request", channel="control"), "control")
    stuck.close()
    seen = client.until_idle(cell)
    count += len([m for m in seen if label(m) == "display_data"])
    assert client.reply(cell)["content"]["status"] == "ok" and count == 150
