"""More output than a server or a reader can take: nothing is lost, memory stays small, and all else
goes on."""
import signal
import subprocess
import sys
import time

import pytest
import zmq

from front_end import PATIENCE, label, sent, wait_for

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
            times.append(sent(seen[-1]))
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
    assert client.sockets["hb"].poll(PATIENCE * 1000) and client.sockets["hb"].recv() == b"beat"
    stopped = time.time()
    kernel.interrupt()
    seen = client.until_idle(cell)
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    assert len([m for m in seen if label(m) == "display_data" and sent(m) > stopped]) < 1000
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


def taken(client, least):
    """How many messages come, at least so many, until none comes for a second."""
    count = 0
    while client.read("iopub", 1 if count > least else PATIENCE):
        count += 1
    assert count > least
    return count


def test_displays_that_nobody_takes_wait_in_the_worker(kernel, client):
    """A subscriber that reads nothing: memory stays bounded, and the kernel alive to everybody."""
    stuck = kernel.context.socket(zmq.SUB)
    stuck.linger, stuck.rcvhwm = 0, 1
    stuck.subscribe(b"")
    stuck.connect(kernel.endpoint("iopub"))
    assert label(client.read("iopub")) == "iopub_welcome"
    before = resident(kernel.process.pid)
    cell = client.start("%_test big 1000000\n" * 150)
    count = taken(client, 60)
    assert count < 150  # the rest waits
    assert resident(kernel.process.pid) < before + 200
    assert client.reply(client.send("kernel_info_request", channel="control"), "control")
    stuck.close()
    seen = client.until_idle(cell)
    count += len([m for m in seen if label(m) == "display_data"])
    assert client.reply(cell)["content"]["status"] == "ok" and count == 150


# Counts what it hears until a cell is idle whose id it is given.
LISTENER = """
import json, sys, zmq
one = zmq.Context().socket(zmq.SUB)
one.rcvhwm = 0
one.subscribe(b"")
one.connect(sys.argv[1])
shown = 0
while True:
    _, _, _, header, parent, _, content = one.recv_multipart()[:7]
    shown += json.loads(header)["msg_type"] == "display_data"
    if json.loads(header)["msg_type"] == "iopub_welcome":
        print("here", flush=True)
    if b'"idle"' in content and b"%_test last" in json.dumps(json.loads(parent)).encode():
        print(shown, flush=True)
        break
"""


def test_a_stopped_process_beside_a_live_one(kernel, client):
    """The live one gets all at once, as long as what waits for the other is little; then both wait, in bounded
    memory; and when the stopped one goes on, neither has lost anything."""
    other = subprocess.Popen([sys.executable, "-c", LISTENER, kernel.endpoint("iopub")], stdout=subprocess.PIPE,
                             text=True)
    try:
        assert label(client.read("iopub")) == "iopub_welcome" and other.stdout.readline() == "here\n"
        other.send_signal(signal.SIGSTOP)
        before = resident(kernel.process.pid)
        reply, seen = client.run("%_test big 1000000\n" * 40)
        assert reply["content"]["status"] == "ok" and sum(label(m) == "display_data" for m in seen) == 40
        cell = client.start("%_test big 1000000\n" * 150)
        count = taken(client, 10)
        assert count < 110  # the rest waits, as do 64 MB for the stopped one
        assert resident(kernel.process.pid) < before + 200
        assert client.reply(client.send("kernel_info_request", channel="control"), "control")
        other.send_signal(signal.SIGCONT)
        seen = client.until_idle(cell)
        assert count + sum(label(m) == "display_data" for m in seen) == 150
        assert client.reply(cell)["content"]["status"] == "ok"
        last = client.send("comm_info_request", header=client.header("comm_info_request", username="%_test last"))
        client.reply(last)
        client.until_idle(last)
        assert other.stdout.readline() == "190\n"
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert wait_for(lambda: resident(kernel.process.pid) < before + 100)
