#!/usr/bin/env python3
"""The worker killed at random moments, by signals from outside, by its own faults and by memory that it may
not have, while cells of many kinds run, while it comes back, and at idle.

After each: the kernel lives, the cell that ran got one error, one reply and one idle that name the cause, and
cells that waited were aborted; the next cell works, with the next number; settings, models and kept results
are back; and no descriptor, thread or process is left behind.
"""
import collections
import contextlib
import os
import signal
import sys
import tempfile
import time

import watch  # first: it says where front_end is
from front_end import PATIENCE, Kernel, label, wait_for

MEMORY = 512  # megabytes that the worker's arenas may hold
KEPT = "k1"
TEXT = "The cat sat on the mat"
SIGNALS = {"SIGSEGV": signal.SIGSEGV, "SIGABRT": signal.SIGABRT, "SIGKILL": signal.SIGKILL,
           "SIGBUS": signal.SIGBUS}
FAULTS = {"segv": "SIGSEGV", "abort": "SIGABRT", "kill": "SIGKILL", "bus": "SIGBUS", "exit 7": "exit code 7"}

# Cells, and the milliseconds within which a signal finds them at work.
CELLS = [
    ("%_test loop", 20), ("%_test spin 2", 20), ("%_test sleep 2", 20), ("%_test flood 1000000", 60),
    ("%_test alloc 300", 60), ("%_test big 3000000", 20), ("%_test progress 2", 30), ("%echo a", 3), ("", 2),
    (f"%%attention --model bert_mlm\n{TEXT}", 60), (f"%%predict --model gpt2\n{TEXT}", 20),
    (f"%%tokens --model bert_mlm\n{TEXT} 猫", 20), ("%%generate --model gpt2 --max 200\nIt was", 60),
    (f"%%gradients --model gpt2\n{TEXT}", 60), ("%info", 10), ("%help", 5),
    (f"%model load {watch.MODELS}/roberta --as extra\n%model unload extra", 20),
]


class Killing:
    """One kernel, what it held before the first death, and what became of each."""

    def __init__(self, kernel, luck, folder):
        self.kernel, self.client, self.luck, self.folder = kernel, kernel.client, luck, folder
        self.happened = collections.Counter()
        self.shot = []  # pids of workers
        self.slowest = 0
        self.fill()
        self.fds = watch.kinds(kernel.process.pid)
        self.threads = watch.threads(kernel.process.pid)
        self.worker_fds = watch.kinds(self.worker())
        # A sanitizer that gets no memory waits for itself while it says so.
        self.can_starve = not watch.sanitizer(self.worker())

    def fill(self):
        """What shall come back."""
        for line in (f"%model load {watch.MODELS}/bert_mlm --as bert_mlm",
                     f"%model load {watch.MODELS}/gpt2 --as gpt2",
                     "%set theme dark", f"%%predict --model gpt2 --as {KEPT}\n{TEXT}"):
            content = self.client.run(line)[0]["content"]
            assert content["status"] == "ok", content
        self.client.ask("history_request", {"hist_access_type": "tail", "n": 1})  # its thread is there now
        self.seed(1)
        self.shown = self.kept()
        assert self.shown

    def worker(self):
        """The pid of the worker that lives."""
        found = []
        assert wait_for(lambda: found.extend(self.kernel.children()) or found), "no worker came back"
        return found[0]

    def seed(self, number):
        reply = self.client.run(f"%seed {number}")[0]["content"]
        assert reply["status"] == "ok", reply
        self.wanted_seed, self.count = str(number), reply["execution_count"]

    def kept(self):
        reply, seen = self.client.run(f"%show {KEPT}")
        self.count = reply["content"]["execution_count"]
        return [m["content"]["data"].get("text/plain") for m in seen if label(m) == "display_data"]

    # ---- killing ----

    def shoot(self, name):
        """Sends the worker a signal, whoever it is at this moment."""
        for pid in self.kernel.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, SIGNALS[name])
                self.shot.append(pid)

    def idle(self):
        """Nothing runs: nobody's failure."""
        self.shoot(self.luck.choice(list(SIGNALS)))
        if self.luck.random() < 0.5:
            time.sleep(self.luck.random() * 0.05)
        return "idle"

    def within(self):
        """A signal while a cell runs, or a little before or after."""
        code, reach = self.luck.choice(CELLS)
        cell = self.client.execute(code)
        time.sleep(self.luck.random() * reach / 1000)
        name = self.luck.choice(list(SIGNALS))
        self.shoot(name)
        if "loop" in code or "spin" in code or "sleep" in code or "progress" in code:
            time.sleep(0.01)
            self.kernel.interrupt()  # in case the signal came before the cell
        self.ended(cell, (name,))
        return "within a cell"

    def waiting(self):
        """Cells that wait behind the one that dies are aborted, if it wanted that."""
        stops = self.luck.random() < 0.5
        first = self.client.start("%_test sleep 600", stop_on_error=stops)
        rest = [self.client.execute(f"%echo {i}") for i in range(self.luck.randrange(1, 5))]
        self.client.reply(self.client.send("kernel_info_request"))  # so all have arrived
        name = self.luck.choice(list(SIGNALS))
        self.shoot(name)
        assert self.ended(first, (name,)) == "WorkerDied"
        for one in rest:
            status = self.client.reply(one)["content"]["status"]
            assert status == ("aborted" if stops else "ok"), status
            self.client.until_idle(one)
            self.count += not stops
        return "with cells waiting"

    def fault(self):
        """Its own doing, with output before it, which is shown."""
        how, name = self.luck.choice(list(FAULTS.items()))
        cell = self.client.execute(f"%echo before\n%_test {how}")
        seen = self.client.until_idle(cell)
        assert "before\n" in [m["content"].get("text") for m in seen if m["parent"] == cell]
        assert self.ended(cell, (name,), seen) == "WorkerDied"
        return "by a fault of its own"

    def again(self):
        """More signals while it comes back. Who is killed twice at that comes back without models, and says so."""
        self.shoot("SIGKILL")
        for _ in range(self.luck.randrange(1, 4)):
            time.sleep(self.luck.random() * 0.03)
            self.shoot(self.luck.choice(list(SIGNALS)))
        return "while it came back"

    def greedy(self):
        """More memory than the budget: refused, or the end of the worker; never of the kernel."""
        cell = self.client.execute(f"%_test alloc {self.luck.choice((600, 2000, 100000))}")
        ename = self.ended(cell, ("memory", "SIGKILL", "MB"))
        assert ename is not None, "more than the budget was given"
        return "over budget"

    def starved(self):
        """The system gives no more memory, in the middle of whatever runs."""
        worker = self.worker()
        code, _ = self.luck.choice([one for one in CELLS if one[0].startswith(("%%", "%model", "%_test big"))])
        limit = int(watch.status(worker, "VmData") * 1024 + self.luck.random() * (8 << 20))
        with contextlib.suppress(ProcessLookupError):
            import resource
            resource.prlimit(worker, resource.RLIMIT_DATA, (limit, limit))
        self.ended(self.client.execute(code), None)
        self.shoot("SIGKILL")  # the next one has no such limit
        return "without memory"

    def ended(self, cell, causes, seen=None):
        """Holds a cell's end to the rules; returns its error's name, None if it had come to its end before."""
        seen = [m for m in seen or self.client.until_idle(cell) if m["parent"] == cell]
        labels = [label(m) for m in seen]
        reply = self.client.reply(cell)["content"]
        self.count += 1
        assert reply["execution_count"] == self.count, (reply["execution_count"], self.count)
        assert labels[-1] == "idle" and labels.count("idle") == 1 and labels[0] == "busy", labels
        assert labels.count("execute_input") <= 1
        if reply["status"] == "ok":
            assert "error" not in labels, labels
            return None
        errors = [m["content"] for m in seen if label(m) == "error"]
        assert len(errors) == 1 and labels[-2] == "error", labels
        for key in ("ename", "evalue", "traceback"):
            assert errors[0][key] == reply[key] and reply[key], reply
        if reply["ename"] == "WorkerDied" and causes:
            assert any(cause in reply["evalue"] for cause in causes), (causes, reply["evalue"])
        return reply["ename"]

    # ---- and afterwards ----

    def usable(self):
        """The next cell works, and everything is there again."""
        began = time.monotonic()
        beat = self.client.sockets["hb"]
        beat.send(b"alive")
        reply, seen = self.client.run("%echo after", user_expressions={"s": "seed", "m": "models", "r": "results"})
        self.slowest = max(self.slowest, time.monotonic() - began)
        content = reply["content"]
        self.count += 1
        assert content["status"] == "ok" and content["execution_count"] == self.count, content
        said = "".join(m["content"]["text"] for m in seen if label(m) == "stream")
        told = {name: one["data"]["text/plain"] for name, one in content["user_expressions"].items()}
        assert said.endswith("after\n") and told["s"] == self.wanted_seed, (said, told)
        assert beat.poll(PATIENCE * 1000) and beat.recv() == b"alive", "the heartbeat is lost"
        if "a new one is there without them" in said and len(self.shot) > 2:
            return self.fill()
        assert told["m"].split(", ") == ["bert_mlm", "gpt2"] and KEPT in told["r"].split(", "), (said, told)
        if self.luck.random() < 0.1:
            assert self.kept() == self.shown, "the kept result is another one"

    def clean(self):
        """Nothing is left behind."""
        pid = self.kernel.process.pid
        assert self.kernel.process.poll() is None, "the kernel died"
        assert wait_for(lambda: len(watch.living(self.kernel)) == 1), self.kernel.children()
        assert wait_for(lambda: watch.kinds(pid) == self.fds), (self.fds, watch.descriptors(pid))
        assert wait_for(lambda: watch.threads(pid) == self.threads)
        assert wait_for(lambda: watch.kinds(self.worker()) == self.worker_fds), watch.descriptors(self.worker())

    def one(self):
        self.seed(self.luck.randrange(1, 1 << 30))
        ways = {self.within: 10, self.idle: 2, self.waiting: 2, self.fault: 3, self.again: 2, self.greedy: 1,
                self.starved: self.can_starve}
        way = self.luck.choices(list(ways), list(ways.values()))[0]
        self.shot.clear()
        what = way()
        self.happened[what] += 1
        assert wait_for(lambda: not any(map(watch.alive, self.shot))), f"{self.shot} were not buried"
        self.usable()
        self.clean()


def story(args, luck):
    os.environ["CUTAWAY_MEMORY"] = str(MEMORY)
    with tempfile.TemporaryDirectory() as folder, Kernel() as kernel:
        killing = Killing(kernel, luck, folder)
        for number in range(args.count):
            try:
                killing.one()
            except BaseException:
                print(f"death {number}; before it {dict(killing.happened)}")
                print("the log ends:", *(kernel.folder / "kernel.log").read_text(errors="replace").splitlines()[-10:],
                      sep="\n  ")
                raise
        assert kernel.client.quiet() and kernel.client.read("stdin", 0.01) is None
        kernel.client.send("shutdown_request", {"restart": False}, "control")
        assert kernel.wait() == 0
        told = ", ".join(f"{count} {what}" for what, count in killing.happened.most_common())
        return f"{args.count} deaths: {told}; slowest until the next cell was done {killing.slowest * 1e3:.0f} ms"


if __name__ == "__main__":
    sys.exit(watch.judge("kills", watch.options(__doc__, 1000).parse_args(), story))
