"""Birth, greeting, reconnecting, restart, shutdown, the parent's death."""
import json
import os
import subprocess
import sys
import time

import zmq

import front_end
from front_end import gone as ended, label, wait_for
from suite import PATIENCE, NotOffered, expect, rule, same

WELCOME = "Messaging, Welcome message (5.5): “sent to a client SUB socket the first time it connects”"
SHUTDOWN = "Messaging, Kernel shutdown; jupyter_client waits 5 s, then kills"
SAME = "Users: servers reconnect under the same identity (ipython/ipykernel#270, zeromq/libzmq#2892)"


def welcomes(it, kernel):
    """Whether the kernel claims to greet, by protocol 5.5, or does."""
    client = kernel.client
    said = client.ask("kernel_info_request")[0]["content"].get("protocol_version", "0")
    newer = tuple(int(n) for n in said.split(".")[:2]) >= (5, 5)
    if not newer and not it.claims((5, 5)) and not any(m["type"] == "iopub_welcome" for m in client.early):
        raise NotOffered(f"protocol {said} has no iopub_welcome")


@rule("life", "the first subscriber is greeted first",
      "a subscriber's first message is iopub_welcome with its topic, without a parent",
      WELCOME)
def first_greeting(it):
    kernel = it.kernel(client=False)
    client = kernel.connect()
    client.ask_quietly_long()
    message = client.read("iopub")
    if label(message) != "iopub_welcome":
        kernel.client = client
        welcomes(it, kernel)
    same(label(message), "iopub_welcome", "first on iopub")
    same(message["content"].get("subscription"), "", "subscription")
    same(message["parent"], None, "its parent")


@rule("life", "each subscriber is greeted first",
      "a second, third and fourth subscriber are greeted as the first was, also on topics of their own",
      WELCOME)
def greetings(it):
    kernel = it.kernel()
    welcomes(it, kernel)
    for topic in (b"", b"kernel", "猫".encode(), b""):
        one = kernel.connect(topic=topic)
        while True:
            message = one.read("iopub")
            expect(message is not None, f"no iopub_welcome for a later subscriber to {topic.decode()!r}")
            same(label(message), "iopub_welcome", "before the greeting")
            if message["content"].get("subscription") == topic.decode():
                break
        same(message["frames"], [topic] if topic else message["frames"], "topic frame")
        one.close()


@rule("life", "all subscribers hear the same", "four clients hear the same cell, in the same order",
      "Messaging, Introduction: “made available to all clients in a uniform manner”")
def uniform(it):
    kernel = it.kernel()
    others = [kernel.connect() for _ in range(3)]
    for one in others:
        one.settle()
    kernel.client.catch_up()
    cell = kernel.client.execute(it.snippets("print", text="to all"))
    heard = [[label(m) for m in one.until_idle(cell) if m["parent"] == cell]
             for one in (kernel.client, *others)]
    same(heard[1:], heard[:1] * 3, "what the others heard")


@rule("life", "a second socket of the same identity", "a client that connects again under its identity is answered",
      SAME)
def handover(it):
    kernel = it.kernel()
    first = kernel.connect(identity=b"the same")
    first.ask_quietly()
    second = kernel.connect(identity=b"the same")
    second.ask_quietly()
    second.ask_quietly("control")


@rule("life", "connecting and leaving", "200 clients that come, ask and go do no harm", SAME)
def passing(it):
    kernel = it.kernel()
    for i in range(it.pick(200, 50)):
        one = kernel.context.socket(zmq.DEALER)
        one.linger = 0
        one.connect(kernel.endpoint("shell"))
        parts = kernel.client.parts()[1]
        one.send_multipart([b"<IDS|MSG>", kernel.sign(parts), *parts])
        if i % 2:
            one.poll(50)
        one.close()
    kernel.client.catch_up()
    kernel.client.still_works()


@rule("life", "shutdown on {channel}, {when}",
      "shutdown_request on {channel}, {when}: a reply with restart, the process ends within {patience} s by itself, "
      "nothing of it is left".replace("{patience}", str(PATIENCE)),
      SHUTDOWN,
      whole="shutdown_request, idle and mid-cell: a reply with restart, the process ends by itself, none of its "
            "processes is left",
      channel=("control",), when=("idle", "mid-cell"))
def shutdown(it, channel, when):
    for restart in (False, True):
        kernel = it.kernel()
        client = kernel.client
        if when == "mid-cell":
            client.compute()
            kernel.interrupt()  # as jupyter_client does first
        left = kernel.descendants()
        msg_id = client.send("shutdown_request", {"restart": restart}, channel)
        reply = client.reply(msg_id, channel)["content"]
        same(reply.get("restart"), restart, "restart")
        expect(kernel.gone(), f"the process is still there after {PATIENCE} s")
        expect(wait_for(lambda: all(map(ended, left)), PATIENCE), "a process of it is left")


@rule("life", "shutdown of a cell that computes", "without an interrupt before it, too: the process ends by itself",
      "Messaging, Kernel shutdown: with the reply a client “can assume that the kernel has completed shutdown "
      "safely”")
def shutdown_busy(it):
    kernel = it.kernel()
    kernel.client.compute("loop")
    kernel.client.reply(kernel.client.send("shutdown_request", {"restart": False}, "control"), "control")
    expect(kernel.gone(), f"the process is still there after {PATIENCE} s")


@rule("life", "20 restarts",
      "20 starts in a row on the same ports, each as soon as the one before has ended (--short: 5)",
      "Users: “address already in use” after a restart (posit-dev/positron#5799)")
def restarts(it):
    connection, sessions = None, set()
    for i in range(it.pick(20, 5)):
        kernel = it.kernel(connection=connection)
        connection = kernel.connection
        kernel.client.still_works()
        sessions.add(kernel.session)
        kernel.client.send("shutdown_request", {"restart": True}, "control")
        expect(kernel.gone(), f"start {i}: the process did not end")
        kernel.close()
    same(len(sessions), it.pick(20, 5), "sessions")


@rule("life", "SIGTERM", "SIGTERM ends it and all its processes, mid-cell too",
      "jupyter_client sends it when a shutdown takes too long")
def sigterm(it):
    kernel = it.kernel()
    kernel.client.compute("loop")
    left = kernel.descendants()
    kernel.process.terminate()
    expect(kernel.gone(), f"the process is still there after {PATIENCE} s")
    expect(wait_for(lambda: all(map(ended, left)), PATIENCE), "a process of it is left")


PARENT = """
import json, os, subprocess, sys, time
environment = {**json.loads(sys.argv[2]), "JPY_PARENT_PID": str(os.getpid())}
one = subprocess.Popen(json.loads(sys.argv[1]), stdin=subprocess.DEVNULL, env=environment,
                       start_new_session=True)
print(one.pid, flush=True)
time.sleep(600)
"""


@rule("life", "the parent is killed", "a kernel whose parent was killed ends by itself within 15 s, mid-cell too",
      "Users: orphaned kernels (ipython/ipykernel#517, IRkernel/IRkernel#582)")
def orphan(it):
    kernel = it.kernel(client=False)  # for its connection file; this process goes at once
    kernel.process.kill()
    kernel.wait()
    environment = {key: value for key, value in kernel.environment().items() if key != "JPY_PARENT_PID"}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(kernel.command()),
                               json.dumps(environment)], stdout=subprocess.PIPE, stderr=kernel.log)
    pid = int(parent.stdout.readline())
    client = kernel.watch(pid)
    client.compute()
    left = {pid, *kernel.descendants()}
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone = wait_for(lambda: all(map(ended, left)), 15)
    for one in left if not gone else ():
        os.kill(one, 9)
    expect(gone, "still there after 15 s")


@rule("life", "ipc", "transport ipc works as tcp does", "Kernels, Connection files: transport")
def ipc(it):
    it.kernel(transport="ipc").client.still_works()
