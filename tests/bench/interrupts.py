"""The time from an interrupt to the end of the cell, at moments spread over cells of every phase."""
import os
import random
import tempfile
import time

MOMENTS = 12  # of each phase
ASKED_MS = 100
TURNS = 2     # of a moment that came late: a busy machine is late by chance, a loop always

WORDS = "the cat sat on a mat while seven engineers wondered why rivers bend and models guess".split()


def text(count, seed=1):
    luck = random.Random(seed)
    return " ".join(luck.choice(WORDS) for _ in range(count))


def lines(count, length=6):
    """Lines that differ."""
    return "\n".join(f"{text(length, i)} {i}" for i in range(count))


def phases(folder):
    """What runs: name -> (cell, the one before each, once before all)."""
    words, short = text(500), text(120)
    kept = f"%%attention --model minilm --as big\n{words}"
    found = {
        "load": ("%model load smollm2 --as fresh", "%model unload fresh", ""),
        "birth": ("%model new lstm --as fresh --layers 4 --hidden 900", "%model unload fresh", ""),
        "tokens": (f"%%tokens --model minilm --whole\n{lines(8000)}", "", ""),
        "tokens.bpe": (f"%%tokens --model smollm2 --whole\n{lines(8000)}", "", ""),
        "attention": (f"%%attention --model minilm\n{words}", "", ""),
        "predict": (f"%%predict --model smollm2\n{words}", "", ""),
        "generate": ("%%generate --model smollm2 --max 100\nOnce upon a time", "", ""),
        "surprisal": (f"%%surprisal --model smollm2\n{words}", "", ""),
        "gradients": (f"%%gradients --model smollm2\n{short}", "", ""),
        "activations": (f"%%activations --model minilm\n{words}", "", ""),
        "weights": ("%weights --model smollm2", "", ""),
        "tsne": (f"%%embed --model minilm --method tsne\n{lines(1500)}", "", ""),
        "umap": (f"%%embed --model minilm --method umap\n{lines(1500)}", "", ""),
        "neighbours": (f"%%neighbours --model minilm\n{lines(24)}", "", ""),
        "show": ("%show big", "", kept),
        "ask": ("%ask Which word?", "", ""),
    }
    for ending in ("npy", "npz", "csv", "json", "safetensors", "png", "pdf", "svg", "html"):
        found[f"save.{ending}"] = (f"%save big {folder}/a.{ending}", "", kept)
    return found


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


def lateness(stopping):
    """Seconds that this machine takes for an interrupt where nothing is computed."""
    return max(stopping.stop("%_test sleep 60", 0.05) for _ in range(5))


def phase(stopping, cell, before):
    """Seconds of each moment, the better of its turns; those of the first turns; and of the whole cell."""
    whole = 0.5 if cell.startswith("%ask") else stopping.must(cell)
    luck, times, firsts = random.Random(3), [], []
    for i in range(MOMENTS):
        moment, best = whole * (i + luck.random()) / MOMENTS, None
        for turn in range(TURNS):
            if before:
                stopping.run(before)
            spent = stopping.stop(cell, moment)
            firsts += [spent] if turn == 0 and spent is not None else []
            best = spent if best is None or spent is not None and spent < best else best
            if spent is None or spent < ASKED_MS / 1e3:
                break
        times += [best] if best is not None else []
    if before:
        stopping.run(before)
    return times, firsts, whole


def measure(kernel, tell=None):
    """Seconds from interrupt to reply: all, all as they first came, and the worst of each phase."""
    stopping, every, first, worst = Stopping(kernel), [], [], {}
    stopping.must("%model load minilm\n%model load smollm2")
    worker = stopping.worker()
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        ready = set()
        for name, (cell, before, once) in phases(os.path.basename(folder)).items():
            if once and once not in ready:
                stopping.must(once)
                ready.add(once)
            times, firsts, whole = phase(stopping, cell, before)
            every, first = every + times, first + firsts
            worst[name] = max(times, default=0)
            if tell:
                tell(name, whole, times)
    assert stopping.worker() == worker, "the worker was ended by force"
    return every, first, worst
