"""The time from an interrupt to the end of the cell, at moments spread over cells of every phase."""
import os
import random
import statistics
import tempfile
import time

MOMENTS = 42  # of each phase, at least: some come when its cell has ended
ASKED_MS = 100
TURNS = 2     # of a moment that came late: a busy machine is late by chance, a loop always

WORDS = "the cat sat on a mat while seven engineers wondered why rivers bend and models guess".split()


def text(count, seed=1):
    luck = random.Random(seed)
    return " ".join(luck.choice(WORDS) for _ in range(count))


def lines(count, length=6):
    """Lines that differ."""
    return "\n".join(f"{text(length, i)} {i}" for i in range(count))


class Cell:
    """What runs, and what goes before: each time, once."""

    def __init__(self, code, before="", once=""):
        self.code, self.before, self.once = code, before, once


def phases(folder):
    """Name -> its cells. Each takes some tenths of a second, so that all moments together take less than a
    minute; what a moment can meet grows with a cell's loops, not with their turns."""
    kept = f"%%attention --model minilm --as big\n{text(200)}"
    small = f"%%attention --model minilm --as small\n{text(60)}"
    solid = "".join(random.Random(2).choices("abcdefghijklmnopqrstuvwxyz", k=150_000))
    saves = [Cell(f"%save small {folder}/a.{ending}", once=small)
             for ending in ("npy", "npz", "csv", "json", "safetensors", "png", "pdf", "svg", "html")]
    return {
        "load": [Cell("%model load smollm2 --as fresh", "%model unload fresh"),
                 Cell("%model load minilm --as fresh", "%model unload fresh"),
                 Cell("%model new lstm --as fresh --layers 2 --hidden 500", "%model unload fresh")],
        "tokenise": [Cell(f"%%tokens --model minilm --whole\n{lines(3000)}"),
                     Cell(f"%%tokens --model smollm2 --whole\n{lines(3000)}"),
                     Cell(f"%%tokens --model smollm2 --whole\n{solid}")],
        "forward": [Cell(f"%%attention --model minilm\n{text(250)}"),
                    Cell(f"%%predict --model smollm2\n{text(80)}"),
                    Cell("%%generate --model smollm2 --max 20\nOnce upon a time"),
                    Cell(f"%%surprisal --model smollm2\n{text(80)}")],
        "backward": [Cell(f"%%gradients --model smollm2\n{text(8)}"),
                     Cell(f"%%gradients --model smollm2 --view all\n{text(16)}")],
        "map": [Cell(f"%%embed --model minilm --method tsne --steps 100\n{lines(120)}"),
                Cell(f"%%embed --model minilm --method umap --steps 50\n{lines(120)}"),
                Cell("%weights --model minilm")],
        "draw": [Cell("%show big", once=kept), Cell("%show big --view head --layer 0 --head 0", once=kept),
                 Cell(f"%%tokens --model minilm\n{lines(40)}")],
        "encode": saves,
        "stdin": [Cell("%ask Which word?")],
        "waiting": [Cell("%_test sleep 0.2")],
    }


class Stopping:
    """A kernel whose cells are interrupted."""

    def __init__(self, kernel):
        self.kernel, self.client = kernel, kernel.client

    def ended(self, sent):
        """The content of its reply; iopub is read up to its end."""
        while True:
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == sent:
                arrived = time.perf_counter()
                break
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") == sent and \
                    message["content"].get("execution_state") == "idle":
                return reply["content"], arrived

    def run(self, code):
        """Seconds, and what was replied."""
        begin = time.perf_counter()
        content, arrived = self.ended(self.client.execute(code, allow_stdin=False))
        return arrived - begin, content

    def must(self, code):
        spent, content = self.run(code)
        if content["status"] != "ok":
            raise RuntimeError(f"{code[:60]}: {content['evalue']}")
        return spent

    def interrupt(self):
        session, channel = self.client.session, self.client.control_channel
        channel.send(session.msg("interrupt_request", {}))

    def stop(self, code, moment):
        """Seconds from the interrupt to the reply; None: the cell had ended before."""
        sent, end = self.client.execute(code, allow_stdin=True), time.perf_counter() + moment
        while time.perf_counter() < end and not self.client.shell_channel.msg_ready():
            time.sleep(0.0005)
        late = self.client.shell_channel.msg_ready()
        begin = time.perf_counter()
        self.interrupt()
        content, arrived = self.ended(sent)
        self.client.get_control_msg(timeout=60)
        if "ended" in content.get("evalue", "") and "interrupted" not in content.get("evalue", ""):
            raise RuntimeError(f"{code[:60]}: {content['evalue']}")
        return None if late else arrived - begin

    def worker(self):
        pid = self.kernel.manager.provisioner.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read()


def moments(stopping, cell, count):
    """Seconds of so many moments of a cell, the better of a late one's turns; and those of the first turns."""
    whole = 0.2 if cell.code.startswith("%ask") else stopping.must(cell.code)
    luck, times, firsts = random.Random(3), [], []
    for i in range(count):
        moment, best = whole * (i + luck.random()) / count, None
        for turn in range(TURNS):
            if cell.before:
                stopping.run(cell.before)
            spent = stopping.stop(cell.code, moment)
            firsts += [spent] if turn == 0 and spent is not None else []
            best = spent if best is None or spent is not None and spent < best else best
            if spent is None or spent < ASKED_MS / 1e3:
                break
        times += [best] if best is not None else []
    if cell.before:
        stopping.run(cell.before)
    return times, firsts


def told(times):
    """Milliseconds: the middle, what 99 of 100 keep to, the longest."""
    last = sorted(times)
    return {"count": len(times), "p50_ms": round(statistics.median(times) * 1e3, 1),
            "p99_ms": round(last[int(len(last) * 0.99)] * 1e3, 1), "max_ms": round(last[-1] * 1e3, 1)}


def measure(kernel):
    """Seconds from interrupt to reply: all, all as they first came, and what is told of each phase."""
    stopping, every, first, of_phase = Stopping(kernel), [], [], {}
    stopping.must("%model load minilm\n%model load smollm2")
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        worker, ready = stopping.worker(), set()
        for name, cells in phases(os.path.basename(folder)).items():
            own = []
            for cell in cells:
                if cell.once and cell.once not in ready:
                    stopping.must(cell.once)
                    ready.add(cell.once)
                times, firsts = moments(stopping, cell, -(-MOMENTS // len(cells)))
                own, first = own + times, first + firsts
            every += own
            of_phase[name] = told(own)
    assert stopping.worker() == worker, "the worker was ended by force"
    return every, first, of_phase
