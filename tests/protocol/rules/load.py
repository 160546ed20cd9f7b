"""Many at once, much at once, and someone who does not listen."""
import collections
import time

import zmq

from front_end import label
from suite import PATIENCE, Broken, expect, rule, same, text_of

LOST = "Users: lost output, cells that stay busy (nteract/nteract#4188, posit-dev/ark#129)"
LIMITS = ("Users: “IOPub … rate exceeded” (jupyterlab#8769); jupyter_server's defaults: 1000 messages a second, 1 MB "
          "of stream a second, over 3 s")
WINDOW, MESSAGES, BYTES = 3.0, 1000, 1_000_000
UNCOUNTED = {"status", "comm_open", "execute_input"}


@rule("load", "16 clients",
      "16 clients × 200 requests of three kinds: each gets its own replies, all of them (--short: × 40)",
      "Messaging, Introduction: “multiple incoming connections from frontends”")
def clients(it):
    kernel, count = it.kernel(), it.pick(200, 40)
    everyone = [kernel.connect(topic=b"nothing of this") for _ in range(16)]
    code = it.snippets("complete")
    kinds = [("kernel_info_request", {}), ("complete_request", {"code": code, "cursor_pos": len(code)}),
             ("execute_request", {"code": it.snippets("print", text="hi"), "silent": False,
                                  "store_history": False, "user_expressions": {}, "allow_stdin": False,
                                  "stop_on_error": False})]
    for i in range(count):
        for one in everyone:
            one.send(*kinds[i % 3])
    for number, one in enumerate(everyone):
        wanted = dict(one.kinds)
        while wanted:
            reply = one.read("shell", 120)
            expect(reply is not None, f"client {number} got {count - len(wanted)} of {count} replies")
            kind = wanted.pop(reply["parent"], None)
            expect(kind, f"client {number} got a {reply['type']} twice or of another")
            same(reply["type"], kind.replace("_request", "_reply"), "the reply's type")
    kernel.client.catch_up()


@rule("load", "a client asleep",
      "one client reads nothing for 30 s while another makes 10,000 requests: that one is served, and the sleeper "
      "has missed nothing (--short: 3 s, 1,000)",
      LOST)
def asleep(it):
    kernel = it.kernel()
    sleeper = kernel.context.socket(zmq.SUB)  # with the limits that a socket has by itself
    sleeper.subscribe(b"")
    sleeper.connect(kernel.endpoint("iopub"))
    wait_until_heard(kernel.client, sleeper)
    began, client, ids = time.monotonic(), kernel.client, []
    total = it.pick(10_000, 1_000)
    while len(ids) < total:
        some = [client.send("kernel_info_request") for _ in range(100)]
        for one in some:
            client.reply(one, patience=60)
        client.until_idle(some[-1], 60)
        ids += some
    time.sleep(max(0, it.pick(30, 3) - (time.monotonic() - began)))
    heard = collections.Counter()
    listener = Listener(client, sleeper)
    while message := listener.read(PATIENCE):
        if label(message) == "idle":
            heard[message["parent"]] += 1
        if message["parent"] == ids[-1] and label(message) == "idle":
            break
    missed = sum(heard[one] == 0 for one in ids)
    same(missed, 0, f"idle messages missed, of {total}")


class Listener:
    """Reads a socket of its own with the checks of a client."""

    def __init__(self, client, one):
        self.client, self.one = client, one

    def read(self, patience):
        if not self.one.poll(patience * 1000):
            return None
        frames = self.one.recv_multipart()
        return self.client.take("asleep", frames)


def wait_until_heard(client, one):
    for _ in range(100):
        client.ask("kernel_info_request")
        if one.poll(50):
            break
    else:
        raise Broken("a second subscriber hears nothing")
    client.catch_up()
    time.sleep(0.2)
    while one.poll(200):
        one.recv_multipart()


@rule("load", "a client that never reads",
      "a subscriber that takes nothing holds nobody up, during 100,000 lines (--short: 20,000)",
      "Users: a closed laptop must not stop the class")
def never(it):
    kernel = it.kernel()
    stuck = kernel.context.socket(zmq.SUB)
    stuck.rcvhwm = 1
    stuck.subscribe(b"")
    stuck.connect(kernel.endpoint("iopub"))
    client = kernel.client
    for _ in range(5):
        code = it.snippets("flood", lines=it.pick(20_000, 4_000))
        same(client.run(code, 60)[0]["content"].get("status"), "ok", "status")
    client.still_works()
    stuck.close(0)


@rule("load", "a flood: the end",
      "200,000 lines: the reply and idle arrive, and the next cell's text is whole (--short: 20,000)",
      LOST)
def flood_ends(it):
    client = it.kernel().client
    reply, _ = flood(it, client)
    same(reply["content"].get("status"), "ok", "status")
    seen = client.run(it.snippets("print", text="next"), 60)[1]
    same(text_of(seen), "next\n", "text of the next cell")


@rule("load", "a flood: nothing lost silently",
      "200,000 lines: all come, in order; or the end is cut off and the text says so (--short: 20,000)",
      LOST)
def flood_whole(it):
    client, lines = it.kernel().client, it.pick(200_000, 20_000)
    text = text_of(flood(it, client)[1])
    form = it.snippets.table["flood_line"]
    wanted = "".join(form.replace("$i", str(i)) + "\n" for i in range(lines))
    if text == wanted:
        return
    same_to = next((i for i, (a, b) in enumerate(zip(text, wanted)) if a != b), min(len(text), len(wanted)))
    note = it.snippets.get("flood_note")
    expect(note and note in text[same_to:same_to + 500],
           f"{len(text)} of {len(wanted)} characters; from {same_to} on: {text[same_to:same_to + 80]!r}")


@rule("load", "a flood: the server's limits",
      "200,000 lines stay below what a server passes on by default: 1,000 messages and 1 MB of stream a second "
      "(--short: 20,000)",
      LIMITS)
def flood_limits(it):
    client = it.kernel().client
    queue, bytes_, worst_count, worst_bytes = collections.deque(), 0, 0, 0
    for message in flood(it, client)[1]:
        if message["type"] in UNCOUNTED:
            continue
        size = message["size"] if message["type"] == "stream" else 0
        queue.append((message["at"], size))
        bytes_ += size
        while queue[0][0] < message["at"] - WINDOW:
            bytes_ -= queue.popleft()[1]
        worst_count, worst_bytes = max(worst_count, len(queue)), max(worst_bytes, bytes_)
    expect(worst_count <= MESSAGES * WINDOW, f"{worst_count} messages within {WINDOW:g} s")
    expect(worst_bytes <= BYTES * WINDOW, f"{worst_bytes} bytes of stream within {WINDOW:g} s")


def flood(it, client):
    """The reply and the cell's messages; it may take as long as messages keep coming."""
    cell, seen = client.execute(it.snippets("flood", lines=it.pick(200_000, 20_000))), []
    while message := client.read("iopub", 2 * PATIENCE):
        if message["parent"] == cell:
            seen.append(message)
            if label(message) == "idle":
                return client.reply(cell, patience=60), seen
    raise Broken(f"no idle, and nothing more for {2 * PATIENCE} s after {len(seen)} messages")


@rule("load", "1,000 cells at once",
      "1,000 cells sent at once: 1,000 replies in their order, each with its own text (--short: 200)",
      LOST)
def burst(it):
    client, count = it.kernel().client, it.pick(1_000, 200)
    ids = [client.execute(it.snippets("print", text=f"number {i}")) for i in range(count)]
    seen = client.until_idle(ids[-1], 120)
    texts = collections.defaultdict(str)
    for message in seen:
        texts[message["parent"]] += text_of([message])
    wrong = [i for i, one in enumerate(ids) if texts[one] != f"number {i}\n"]
    same(wrong, [], "cells whose text is not their own")
    order = [client.read("shell", 60)["parent"] for _ in ids]
    expect(order == ids, "the replies are in another order")
