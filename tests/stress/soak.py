#!/usr/bin/env python3
"""Thousands of requests of every kind from several clients at once, in no order.

Each gets its one reply, of the right type, at the client that asked and on the channel that it asked on, and
busy and idle once around it, which all clients see alike; what is forged or broken gets nothing. Memory,
descriptors and threads of both processes stay what they were after the first fifth, and the worker is the same
one to the end.
"""
import collections
import json
import os
import statistics
import sys
import tempfile
import time

import zmq

import watch  # first: it says where front_end is
import front_end
from front_end import DELIMITER, Client, Kernel, label, wait_for

CLIENTS = 4
MEMORY = 128         # megabytes that the worker's arenas may hold
UNDER_WAY = 6        # requests of all clients that wait for their end, at most
SAMPLES = 40         # of memory, over the whole
# Megabytes from the second fifth to the last, at most; caches fill in the first. The supervisor keeps pages
# of its history, and the worker some megabytes of arenas that were given back, now more, now less.
# AddressSanitizer remembers where memory came from, ThreadSanitizer who touched it.
GROWTH = {"": (1.5, 6), "libasan": (6, 12), "libtsan": (1e3, 1e3)}  # of supervisor and worker
TEXT = "The cat sat on the mat"
COMM = "soak"
GREEDY = "%_test alloc 1000"  # all that there is; the first time before anything is measured

CELLS = [
    "", "%echo a", "%echo 猫和狗 🐱", "%echo --stderr x", "%help", "%help attention", "%info", "%results", "%data list",
    "%set", "%set theme dark", "%set theme light", "%seed", "%seed 7", "%time on", "%time off", "%clear",
    "%clear --wait",
    "%model list", "%model info m", "%model use m", "%model use g", "%predict?", "%show p", "%show a --view table",
    "%_test streams", "%_test pieces", "%_test display d1 text", "%_test update d1 other", "%_test result text",
    "%_test page text", "%_test big 100000", "%_test flood 300", "%_test sleep 0.002", "%_test progress 0.01",
    "%_test alloc 20", f"%%tokens --model m\n{TEXT} 猫", f"%%predict --model g --as p\n{TEXT}",
    f"%%predict --model m\nThe [MASK] sat", f"%%attention --model m --as a\n{TEXT}", f"%%surprisal --model g\n{TEXT}",
    f"%%generate --model g --max 4 --seed 3\n{TEXT}", f"%%activations --model g\n{TEXT}", "%weights --model g",
    f"%model load {watch.MODELS}/roberta --as extra\n%model unload extra",
    # and what cannot be
    "%no", "no command", "%echo 'a", "%set theme purple", "%show nothing", "%%attention --layer 99 --model m\na b",
    "%model load /nowhere", GREEDY, "%seed x", "\0", "%help nothing", "%save a /nowhere/x.png",
]

QUESTIONS = [
    ("kernel_info_request", {}), ("comm_info_request", {}), ("comm_info_request", {"target_name": "cutaway"}),
    ("complete_request", {"code": "%", "cursor_pos": 1}),
    ("complete_request", {"code": "%%attention --la", "cursor_pos": 16}),
    ("complete_request", {"code": "%model load ", "cursor_pos": 12}),
    ("inspect_request", {"code": "%attention", "cursor_pos": 5, "detail_level": 0}),
    ("inspect_request", {"code": "%%attention --layer", "cursor_pos": 17, "detail_level": 1}),
    ("is_complete_request", {"code": "%echo a"}), ("is_complete_request", {"code": "%echo 'a"}),
    ("history_request", {"hist_access_type": "tail", "n": 20, "output": False, "raw": True}),
    ("history_request",
     {"hist_access_type": "range", "session": 0, "start": 1, "stop": 9, "output": True, "raw": True}),
    ("history_request", {"hist_access_type": "search", "pattern": "*echo*", "n": 5, "unique": True, "output": False,
                         "raw": True}),
    ("usage_request", {}), ("connect_request", {}), ("interrupt_request", {}),
]
SILENT = [
    ("comm_open", {"comm_id": "nowhere", "target_name": "no.such", "data": {}}),
    ("comm_msg", {"comm_id": "nowhere", "data": {}}), ("comm_close", {"comm_id": "nowhere", "data": {}}),
    ("comm_msg", {"comm_id": COMM, "data": {"id": 1, "ask": "state"}}),
    ("comm_msg", {"comm_id": COMM, "data": {"id": 2, "ask": "sites", "handle": "m"}}),
    ("comm_msg", {"comm_id": COMM, "data": {"id": 3, "ask": "set", "name": "seed", "value": "5"}}),
    ("comm_msg", {"comm_id": COMM, "data": {"id": 4, "ask": "tile", "result": "0123456789abcdef", "series": "x",
                                            "at": []}}),
    ("comm_msg", {"comm_id": COMM, "data": {"id": 5, "ask": "echo"}}),
    ("comm_msg", {"comm_id": COMM, "data": "no question"}), ("no_such_request", {"x": 1}),
]


class Request:
    """One that is under way: what it still waits for."""

    def __init__(self, client, channel, kind, wants_reply, cell=None):
        self.client, self.channel, self.kind, self.cell = client, channel, kind, cell
        self.wants_reply, self.sent, self.status = wants_reply, time.monotonic(), None
        self.idle = 0  # clients that saw it end
        self.labels = collections.defaultdict(list)


class Soak:
    def __init__(self, kernel, luck, folder):
        self.kernel, self.luck, self.folder = kernel, luck, folder
        self.clients = [kernel.client] + [Client(kernel).settle() for _ in range(CLIENTS - 1)]
        self.under_way, self.done, self.kinds = {}, set(), collections.Counter()
        self.times = collections.defaultdict(list)  # kind -> (when, seconds)
        self.samples = []
        self.poller = zmq.Poller()
        self.where = {}
        for client in self.clients:
            for channel in ("shell", "control", "iopub", "stdin"):
                self.poller.register(client.sockets[channel], zmq.POLLIN)
                self.where[client.sockets[channel]] = client, channel

    def begin(self):
        for client in self.clients[:-1]:  # the later ones' beginnings
            client.until_idle(list(self.clients[-1].sent)[-1])
        # A place that a cell names is opened to the worker by starting it anew, once for each. What a cell
        # loads when it runs the first time, fonts say, is there before memory is watched.
        places = [line for line in CELLS if "/" in line]
        for line in (*places, f"%model load {watch.MODELS}/bert_mlm --as m",
                     f"%model load {watch.MODELS}/gpt2 --as g",
                     f"%%predict --model g --as p\n{TEXT}", f"%%attention --model m --as a\n{TEXT}", *CELLS,
                     GREEDY):
            self.add(self.execute(self.clients[0], line))
            self.settle()
        self.silent(self.clients[0], "comm_open", {"comm_id": COMM, "target_name": "cutaway", "data": {}}, "shell")
        self.settle()
        self.workers = watch.living(self.kernel)
        self.held = self.holds()

    def holds(self):
        """Of both processes. A thread that looks for fonts, as long as one has pictures to draw, may end later."""
        return [(watch.kinds(pid), watch.threads(pid)) for pid in (self.kernel.process.pid, *self.workers)]

    def grew(self):
        """Whether one of them holds more than at the beginning."""
        return any(kinds - before or threads > most
                   for (kinds, threads), (before, most) in zip(self.holds(), self.held))

    # ---- asking ----

    def add(self, pair):
        msg_id, request = pair
        self.under_way[msg_id] = request
        self.kinds[request.kind] += 1

    def execute(self, client, code, **more):
        request = Request(client, "shell", "execute", "execute_reply", code)
        return client.execute(code, **more), request

    def cell(self, client):
        more = {"silent": self.luck.random() < 0.1, "store_history": self.luck.random() < 0.8,
                "stop_on_error": self.luck.random() < 0.2,
                "user_expressions": {"a": "seed", "b": "no such"} if self.luck.random() < 0.1 else {}}
        self.add(self.execute(client, self.luck.choice(CELLS), **more))

    def question(self, client):
        kind, content = self.luck.choice(QUESTIONS)
        if kind == "interrupt_request" and self.luck.random() < 0.5:
            return
        channel = self.luck.choice(("shell", "control"))
        request = Request(client, channel, kind, kind.replace("_request", "_reply"))
        self.add((client.send(kind, content, channel), request))

    def silent(self, client, kind, content, channel, buffers=()):
        self.add((client.send(kind, content, channel, buffers=buffers), Request(client, channel, kind, None)))

    def unanswered(self, client):
        kind, content = self.luck.choice(SILENT)
        channel = "shell" if content.get("comm_id") == COMM else self.luck.choice(("shell", "control"))
        buffers = [self.luck.randbytes(1000)] if self.luck.random() < 0.2 else []
        self.silent(client, kind, content, channel, buffers)

    def unreadable(self, client):
        """A good signature over bad JSON: an error reply."""
        header = client.header("complete_request")
        parts = [json.dumps(header).encode(), b"{}", b"{}", self.luck.choice((b"", b"{", b"[]", b'{"a":"\xff"}',
                                                                             b'{"a":' * 200, b'{"a":1,"a":2}'))]
        client.sent[header["msg_id"]] = header
        client.sockets["shell"].send_multipart([DELIMITER, self.kernel.sign(parts), *parts])
        self.add((header["msg_id"], Request(client, "shell", "unreadable", "complete_reply")))

    def forged(self, client):
        """Nothing comes of these; that nothing does is seen as every message is accounted for."""
        header = client.header("execute_request")
        parts = [json.dumps(header).encode(), b"{}", b"{}", b'{"code":"%echo forged"}']
        good = self.kernel.sign(parts)
        frames = self.luck.choice((
            [DELIMITER, good[:-1] + b"!", *parts], [DELIMITER, good[:32], *parts], [DELIMITER, b"", *parts],
            [DELIMITER, good, *parts[:3]], [good, *parts], [b""], [self.luck.randbytes(40)],
            [DELIMITER, good, parts[0] + b" ", *parts[1:]], [DELIMITER, good.upper(), *parts] if good.upper() != good
            else [b"x"]))
        client.sockets[self.luck.choice(("shell", "control", "stdin"))].send_multipart(frames)
        self.kinds["forged"] += 1

    def ask(self):
        client = self.luck.choice(self.clients)
        ways = {self.cell: 50, self.question: 34, self.unanswered: 8, self.unreadable: 4, self.forged: 4}
        self.luck.choices(list(ways), list(ways.values()))[0](client)

    # ---- being answered ----

    def read(self, patience=front_end.PATIENCE):
        """Reads what has come; false if nothing came."""
        ready = self.poller.poll(patience * 1000)
        for socket, _ in ready:
            client, channel = self.where[socket]
            while message := client.read(channel, 0):
                self.take(client, channel, message)
        return bool(ready)

    def take(self, client, channel, message):
        request = self.under_way.get(message["parent"])
        if channel == "iopub" and label(message) in ("iopub_welcome", "comm_msg", "comm_close", "starting"):
            return
        assert request, f"{label(message)} for {message['parent']}, which is {self.known(message['parent'])}"
        if channel == "iopub":
            self.hear(client, request, label(message), message["parent"])
            return
        assert client is request.client and channel == request.channel, "a reply at the wrong place"
        assert message["type"] == request.wants_reply and not request.status, (message["type"], request.kind)
        request.status = message["content"].get("status")
        assert request.status in ("ok", "error", "aborted", "complete", "incomplete", "invalid"), request.status
        assert message["content"].get("ename") != "WorkerDied", message["content"]
        self.times[request.kind].append(time.monotonic() - request.sent)
        self.finish(request, message["parent"])

    def known(self, msg_id):
        return "done" if msg_id in self.done else "unknown"

    def hear(self, client, request, what, msg_id):
        seen = request.labels[client.identity]
        seen.append(what)
        assert seen[0] == "busy" and (what != "busy" or len(seen) == 1 or request.kind == "execute"), seen
        if what == "idle":
            request.idle += 1
            assert seen.count("idle") == 1 and seen.count("error") <= 1, (request.cell, seen)
            self.finish(request, msg_id)

    def finish(self, request, msg_id):
        if request.idle < len(self.clients) or request.wants_reply and not request.status:
            return
        shown = list(request.labels.values())
        assert all(one == shown[0] for one in shown), shown
        assert request.status == "error" or "error" not in shown[0], (request.cell, request.status, shown[0])
        del self.under_way[msg_id]
        self.done.add(msg_id)

    def settle(self, most=0):
        while len(self.under_way) > most:
            assert self.read(), f"nothing came for {[(r.kind, r.cell, r.status) for r in self.under_way.values()]}"

    # ---- watching ----

    def sample(self, number):
        self.settle()
        assert not self.read(0.02), "something came that nobody had asked for"
        assert self.kernel.process.poll() is None, "the kernel died"
        assert wait_for(lambda: watch.living(self.kernel) == self.workers), "the worker is another one"
        assert wait_for(lambda: not self.grew()), (self.held, self.holds())
        self.samples.append((number, watch.resident(self.kernel.process.pid), watch.resident(self.workers[0])))
        self.done.clear()
        for client in self.clients:
            client.ids.clear()
            client.sent.clear()

    def growth(self, column):
        """Megabytes from the samples of the second fifth to those of the last."""
        values = [one[column] for one in self.samples]
        fifth = max(1, len(values) // 5)
        return statistics.median(values[-fifth:]) - statistics.median(values[fifth:2 * fifth])

    def drift(self):
        """The p99 of the requests that the supervisor answers by itself, in ms: first and last fifth."""
        times = [t for kind, _ in QUESTIONS for t in self.times.pop(kind, [])]
        fifth = max(1, len(times) // 5)
        return [sorted(part)[int(len(part) * 0.99)] * 1e3 for part in (times[:fifth], times[-fifth:])]


def story(args, luck):
    os.environ["CUTAWAY_MEMORY"] = str(MEMORY)
    # Freed memory that is set aside to find its late use would look like a leak.
    front_end.SANITIZERS["ASAN_OPTIONS"] += ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
    with tempfile.TemporaryDirectory() as folder, Kernel() as kernel:
        soak = Soak(kernel, luck, folder)
        soak.begin()
        every = max(1, args.count // SAMPLES)
        for number in range(args.count):
            try:
                soak.ask()
                soak.settle(UNDER_WAY)
                if number % every == every - 1:
                    soak.sample(number)
            except BaseException:
                print(f"request {number}; before it {dict(soak.kinds)}")
                raise
        soak.sample(args.count)
        grown = {"supervisor": soak.growth(1), "worker": soak.growth(2)}
        told = "; ".join(f"{name} {soak.samples[-1][i + 1]:.1f} MB, {grown[name]:+.2f} MB since the second fifth"
                         for i, name in enumerate(grown))
        first, last = soak.drift()
        if args.verbose:
            for one in soak.samples:
                print("%6d %8.2f %8.2f MB" % one)
        most = GROWTH[watch.sanitizer(kernel.process.pid)]
        for i, (name, megabytes) in enumerate(grown.items()):
            assert megabytes < most[i], f"{name} grew by {megabytes:.2f} MB: {soak.samples}"
        for client in soak.clients[1:]:
            client.close()
        kernel.client.send("shutdown_request", {"restart": False}, "control")
        assert kernel.wait() == 0
        return (f"{args.count} requests of {CLIENTS} clients: {told}; p99 of questions {first:.1f} ms in the first "
                f"fifth, {last:.1f} in the last")


if __name__ == "__main__":
    parser = watch.options(__doc__, 20000)
    parser.add_argument("--verbose", action="store_true", help="print the samples of memory")
    sys.exit(watch.judge("soak", parser.parse_args(), story))
