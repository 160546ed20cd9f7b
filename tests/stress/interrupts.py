#!/usr/bin/env python3
"""Interrupts, by message, by signal or both at once, at random moments of random cells: before them, within
them, while their pictures are drawn and files written, while they wait for an answer, and after they ended.

After each: one reply, one idle, and one error or none, as the reply says; the next cell runs whole and with
the next number; the worker is the same one, with its settings, models and kept results; what a cell was
writing to a file is there whole or not at all.
"""
import collections
import os
import sys
import tempfile
import time

import watch  # first: it says where front_end is
from front_end import Kernel, label

KEPT = "k1"
WORDS = "The cat sat on the mat and 猫 坐在 垫子 上 while engineers wondered".split()
TEXT = "The cat sat on the mat"
WIDE = " ".join(WORDS * 8)  # for a model of letters, which reads any length
MODELS = ["bert_mlm", "gpt2", "letters"]
LONG = "\n".join(f"{WIDE} {i}" for i in range(200))

# Cells, and the milliseconds within which an interrupt finds them at work.
EXTRA = f"%model load {watch.MODELS}/roberta --as extra\n%model unload extra"
CELLS = [
    ("%_test loop", 20), ("%_test sleep 5", 20), ("%_test flood 1000000", 60), ("%_test big 3000000", 20),
    ("%_test progress 5", 30), ("%echo a", 3), ("", 2), ("%info", 10), ("%help", 5),
    (f"%%attention --model bert_mlm\n{TEXT}", 80), (f"%%predict --model gpt2\n{TEXT}", 40),
    (f"%%tokens --model bert_mlm --whole\n{LONG}", 200), ("%%generate --model gpt2 --max 200\nIt was", 100),
    (f"%%gradients --model letters\n{WIDE}", 150), (f"%%surprisal --model letters\n{WIDE}", 150),
    (f"%%activations --model letters\n{WIDE}", 100), ("%weights --model letters", 60),
    (f"%%embed --model bert_mlm\n{TEXT}\nThe dog\nA tree\nMany words\nNo rain today", 80),
    ("%ask Which word?", 20), ("%ask Which word? --secret", 20), (f"%show {KEPT}", 40),
    (EXTRA, 20),
]
ENDINGS = ("npy", "npz", "csv", "json", "safetensors", "png", "pdf", "svg", "html")


class Stopping:
    """One kernel, what it was given, and what became of each interrupt."""

    def __init__(self, kernel, luck, folder):
        self.kernel, self.client, self.luck, self.folder = kernel, kernel.client, luck, folder
        self.happened = collections.Counter()
        self.slowest = 0
        for line in (f"%model load {watch.MODELS}/bert_mlm --as bert_mlm",
                     f"%model load {watch.MODELS}/gpt2 --as gpt2",
                     "%model new lstm --as letters --layers 2 --hidden 200", "%set theme dark", EXTRA,
                     f"%%activations --model letters --as {KEPT}\n{WIDE}"):
            self.must(line)
        self.whole = {}
        for ending in ENDINGS:
            self.must(f"%save {KEPT} {folder}/whole.{ending}")
            self.whole[ending] = os.path.getsize(f"{folder}/whole.{ending}")
        self.worker = kernel.children()  # which has been allowed all those folders
        self.fds = [watch.kinds(pid) for pid in (kernel.process.pid, *self.worker)]

    def must(self, code, **content):
        reply, seen = self.client.run(code, **content)
        assert reply["content"]["status"] == "ok", (code, reply["content"])
        self.count = reply["content"]["execution_count"]
        return reply["content"], seen

    def interrupt(self):
        """Returns the requests, which have replies and statuses of their own."""
        by = self.luck.choice(("message", "signal", "both"))
        if by != "message":
            self.kernel.interrupt()
        return [self.client.send("interrupt_request", channel="control") for _ in range(by != "signal")]

    def cell(self):
        """A cell and how far into it an interrupt may come."""
        if self.luck.random() < 0.25:
            ending = self.luck.choice(ENDINGS)
            return f"%save {KEPT} {self.folder}/a.{ending}", 30
        return self.luck.choice(CELLS)

    def one(self):
        code, reach = self.cell()
        sent = self.client.execute(code, allow_stdin=True)
        time.sleep(self.luck.random() * reach / 1000)
        began, stops = time.monotonic(), self.interrupt()
        content, seen = self.ended(sent, stops, code, began)
        name = code.split()[0] if code else "an empty cell"
        self.happened[(name, content["status"])] += 1
        self.untouched(code, content)

    def ended(self, sent, stops, code, began):
        """Holds the cell to the rules; it is stopped again where the interrupt came before it did."""
        reply = None
        while reply is None:
            reply = self.client.read("shell", 0.5)
            if reply is None:
                began, stops = time.monotonic(), stops + self.interrupt()
        self.slowest = max(self.slowest, time.monotonic() - began)
        assert reply["parent"] == sent, "a reply to something else"
        content = reply["content"]
        for stop in stops:
            assert self.client.reply(stop, "control")["content"] == {"status": "ok"}
        seen = []
        for one in [sent, *stops]:
            while not any(m["parent"] == one and label(m) == "idle" for m in seen):
                seen.append(self.client.read("iopub"))
        self.count += 1
        own = [label(m) for m in seen if m["parent"] == sent]
        assert content["execution_count"] == self.count, (code, content, self.count)
        assert own[0] == "busy" and own[-1] == "idle" and own.count("idle") == 1, (code, own)
        assert own.count("error") == (content["status"] == "error"), (code, own, content)
        assert content["status"] == "ok" or content["ename"] == "KeyboardInterrupt", (code, content)
        return content, seen

    def untouched(self, code, ended):
        """The next cell is never hit; nothing else comes; nothing is lost or half written."""
        while (question := self.client.read("stdin", 0)) is not None:
            assert question["type"] == "input_request" and code.startswith("%ask"), question
        before = self.count
        content, seen = self.must("%echo after", user_expressions={"m": "models", "r": "results"})
        assert self.count == before + 1, (self.count, before)
        assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "idle"], (code, seen)
        assert seen[2]["content"]["text"] == "after\n", (code, seen[2])
        told = {name: one["data"]["text/plain"].split(", ") for name, one in content["user_expressions"].items()}
        if "extra" in told["m"]:
            self.must("%model unload extra")
            told["m"].remove("extra")
        assert told["m"] == MODELS and KEPT in told["r"], (code, told)
        assert self.kernel.children() == self.worker, ("the worker was ended by force", code, ended)
        for name in set(os.listdir(self.folder)) - {f"whole.{ending}" for ending in ENDINGS}:
            ending = name.rsplit(".", 1)[1]
            assert name == f"a.{ending}" and os.path.getsize(f"{self.folder}/{name}") == self.whole[ending], name
            os.remove(f"{self.folder}/{name}")


def story(args, luck):
    with tempfile.TemporaryDirectory() as folder, Kernel() as kernel:
        stopping = Stopping(kernel, luck, folder)
        for number in range(args.count):
            try:
                stopping.one()
            except BaseException:
                print(f"interrupt {number}; before it {dict(stopping.happened)}")
                print("the log ends:", *(kernel.folder / "kernel.log").read_text(errors="replace").splitlines()[-10:],
                      sep="\n  ")
                raise
        assert kernel.client.quiet() and kernel.client.read("stdin", 0.01) is None
        fds = [watch.kinds(pid) for pid in (kernel.process.pid, *stopping.worker)]
        assert fds == stopping.fds, (fds, stopping.fds)
        kernel.client.send("shutdown_request", {"restart": False}, "control")
        assert kernel.wait() == 0
        stopped = sum(n for (_, status), n in stopping.happened.items() if status == "error")
        return (f"{args.count} interrupts, {stopped} of which found a cell to stop; no worker ended by force, no "
                f"other cell touched; slowest until the reply {stopping.slowest * 1e3:.0f} ms")


if __name__ == "__main__":
    sys.exit(watch.judge("interrupts", watch.options(__doc__, 300).parse_args(), story))
