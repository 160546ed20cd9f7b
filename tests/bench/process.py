#!/usr/bin/env python3
"""Whole-process figures of Cutaway, side by side with what people use today; and, by beside.py, its parts.

    process.py --program build/cutaway --peers-dir ../shared/peers [--peer PYTHON --models DIR] [PATTERN...]

Prints one JSON line a figure: name, median_s, min_s, threads, isa and, where a peer's Python is given,
peer, peer_s (its minimum, measured in the same run), ratio (peer_s / our min_s), ratio_median, and what was
asked and whether it is reached (rows.py). Memory rows have peak_mb or idle_mb. Needs jupyter_client and
psutil.
"""
import argparse
import importlib.util
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import beside
import peers
import rows

SENTENCE = ("The quick brown fox jumps over the lazy dog while the old farmer watches quietly from "
            "the porch of his house")


def isa():
    if os.environ.get("CUTAWAY_ISA"):
        return os.environ["CUTAWAY_ISA"]
    flags = open("/proc/cpuinfo").read().split("flags", 1)[-1].split("\n", 1)[0].split()
    return "avx512" if "avx512bw" in flags else "avx2" if "avx2" in flags else "generic"


def row(name, times, **extra):
    line = {"name": name}
    if times:
        line.update(median_s=round(statistics.median(times), 5), min_s=round(min(times), 5), runs=len(times))
    line.update(threads=int(os.environ["CUTAWAY_THREADS"]), isa=isa(), **extra)
    rows.show(line)


def timed(argv, **options):
    """Seconds and peak resident megabytes of one process, start to end."""
    begin = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    complaint = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(complaint.decode(errors="replace"))
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def against(peer, ours):
    if not peer:
        return {}
    return {"peer": peer["peer"], "peer_s": peer["min_s"], "peer_median_s": peer["median_s"],
            "peer_mb": peer.get("peak_rss_mb"), "ratio": round(peer["min_s"] / min(ours), 2),
            "ratio_median": round(peer["median_s"] / statistics.median(ours), 2)}


def first_picture(args):
    """New process -> model loaded -> 16 tokens -> every head drawn to PNG."""
    for name, peer_name in (("minilm", "minilm"), ("smollm2", "smollm2-gguf")):
        figure = f"first_picture.{name}"
        if not args.wants(figure):
            continue
        # 16 tokens, of which MiniLM's tokenizer adds two
        text = " ".join(SENTENCE.split()[:14 if name == "minilm" else 16])
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "first.cut")
            with open(script, "w", encoding="utf-8") as f:
                f.write(f"%model load {name}\n# %%\n%%attention\n{text}\n")
            runs = [timed([args.program, "run", script, "--out", folder]) for _ in range(1 + args.repeats)][1:]
            drawn = [f for f in os.listdir(folder) if f.endswith(".png")]
            assert drawn, "no picture was written"
        times = [t for t, _ in runs]
        peer = None
        if args.peer:
            wanted = {figure: (f"A.first_picture.{peer_name}", "transformers+matplotlib/script", {})}
            options = ["--modes", "script", "--only", peer_name, "--repeats", "1" if name == "smollm2" else "3"]
            argv = peers.command(args, args.peer, "a_first_picture.py", options)
            peer = peers.rows(args, argv, wanted).get(figure)
            args.failed |= not peer
        row(figure, times, peak_mb=round(max(m for _, m in runs), 1), **against(peer, times))


class Kernel:
    """A kernel and its client, started and timed as a notebook server starts one."""

    def __init__(self, argv):
        from jupyter_client import KernelManager
        self.manager = KernelManager()
        self.manager.kernel_spec.argv = argv
        begin = time.perf_counter()
        self.manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.hb_channel.unpause()
        while True:  # asked again each 20 ms, as the sockets connect late
            self.client.kernel_info()
            try:
                if self.client.get_shell_msg(timeout=0.02)["msg_type"] == "kernel_info_reply":
                    break
            except Exception:
                pass
        self.start_s = time.perf_counter() - begin
        time.sleep(0.3)
        for channel in (self.client.shell_channel, self.client.iopub_channel):
            while channel.msg_ready():
                channel.get_msg(timeout=1)

    def rss(self):
        import psutil
        first = psutil.Process(self.manager.provisioner.pid)
        return sum(p.memory_info().rss for p in [first] + first.children(recursive=True)) / 2**20

    def run(self, code):
        """One cell, until both the reply and the idle status are in."""
        begin, self.shown = time.perf_counter(), 0
        sent = self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=30)
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "display_data":
                self.shown = len(message["content"]["data"]["text/plain"])
            if message["msg_type"] == "error":
                raise RuntimeError(message["content"]["evalue"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        while self.client.get_shell_msg(timeout=30)["parent_header"].get("msg_id") != sent:
            pass
        return time.perf_counter() - begin

    def respawn(self):
        """Seconds from the death of the computing process until a cell that needs the next one is answered."""
        first = f"/proc/{self.manager.provisioner.pid}/task/{self.manager.provisioner.pid}/children"
        worker = open(first).read()
        begin = time.perf_counter()
        os.kill(int(worker), signal.SIGKILL)
        while open(first).read() == worker:
            time.sleep(0.0002)
        self.run("%seed")
        return time.perf_counter() - begin

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def kernel_rows(argv, megabyte):
    """start, empty cell and 1 MB display times, and idle memory, of one kernel."""
    starts, memory = [], 0
    for _ in range(11):
        kernel = Kernel(argv)
        starts.append(kernel.start_s)
        memory = kernel.rss()
        kernel.close()
    kernel = Kernel(argv)
    try:
        for _ in range(20):
            kernel.run("")
        empty = [kernel.run("") for _ in range(500)]
        display = [kernel.run(megabyte) for _ in range(30)]
        assert kernel.shown >= 1000000, f"{argv[0]} showed {kernel.shown} bytes"
    finally:
        kernel.close()
    return starts[1:], empty, display, memory


def respawns(args):
    """A killed worker, bare and with the default models to load again."""
    for name, load in (("respawn", ""), ("respawn.models", "%model load minilm\n%model load smollm2")):
        if args.wants(name):
            kernel = Kernel([args.program, "kernel", "-f", "{connection_file}"])
            try:
                kernel.run(load)
                times = [kernel.respawn() for _ in range(21)][1:]
            finally:
                kernel.close()
            row(name, times)


def interrupted(args):
    """Cells stopped at moments spread over all that they do."""
    if args.wants("interrupt"):
        import interrupts
        kernel = Kernel([args.program, "kernel", "-f", "{connection_file}"])
        try:
            times, firsts, phases = interrupts.measure(kernel)
        finally:
            kernel.close()
        whole, first = interrupts.told(times), interrupts.told(firsts)
        row("interrupt", times, p99_ms=whole["p99_ms"], max_ms=whole["max_ms"], p99_first_ms=first["p99_ms"],
            max_first_ms=first["max_ms"], repeated=sum(one >= interrupts.ASKED_MS / 1e3 for one in firsts),
            phases=phases)


IDLE = ("kernel_start", "execute_empty", "display_1MB", "idle_memory")
BUSY = ("complete_busy", "heartbeat_busy")
FLOODS = ("flood.lines", "flood.display")
KERNELS = IDLE + BUSY + FLOODS


def peer_kernels(args):
    """Names of the other kernels, and how they are started."""
    modules = (("ipykernel", "ipykernel_launcher"), ("xeus-python", "xpython_launcher")) if args.peer else ()
    return [(name, [args.peer, "-m", module, "-f", "{connection_file}"]) for name, module in modules]


def kernels(args):
    if not any(map(args.wants, KERNELS)):
        return
    missing = [name for name in ("jupyter_client", "psutil") if not importlib.util.find_spec(name)]
    if missing:
        print(f"bench: kernels were not timed: {sys.executable} has no {missing[0]}", file=sys.stderr)
        args.failed = True
        return
    import under_load  # needs those

    peers_of = peer_kernels(args)
    ours = [args.program, "kernel", "-f", "{connection_file}"]
    if any(map(args.wants, IDLE)):
        idle_rows(args, ours, peers_of)
    if any(map(args.wants, BUSY)):
        under_load.busy_rows(lambda argv: Kernel(argv or ours), peers_of, row)
    for figure in filter(args.wants, FLOODS):
        under_load.flood_row(figure, lambda argv: Kernel(argv or ours), peers_of, row)


def idle_rows(args, argv, peers_of):
    ours, others = kernel_rows(argv, "%_test big 1000000"), []
    show = "from IPython.display import publish_display_data as p; p({'text/plain': 'x' * 1000000})"
    for name, their_argv in peers_of:
        try:
            others.append((name, kernel_rows(their_argv, show)))
        except Exception as problem:
            print(f"bench: {name} was not timed: {problem}", file=sys.stderr)
            args.failed = True
    for i, name in enumerate(("kernel_start", "execute_empty", "display_1MB")):
        extra = {}
        for peer, theirs in others:
            extra[f"{peer}_s"] = round(min(theirs[i]), 5)
            extra[f"{peer}_median_s"] = round(statistics.median(theirs[i]), 5)
        if others:
            best = min(min(theirs[i]) for _, theirs in others)
            extra.update(peer_s=round(best, 5), ratio=round(best / min(ours[i]), 2))
        row(name, ours[i], **extra)
    row("idle_memory", [], idle_mb=round(ours[3], 1),
        **{f"{peer}_mb": round(theirs[3], 1) for peer, theirs in others})


def check_peers(args):
    """Ends, with what is missing, before anything is timed."""
    scripts = beside.scripts(args)
    if any(args.wants(f"first_picture.{name}") for name in ("minilm", "smollm2")):
        scripts.add("a_first_picture.py")
    if any(map(args.wants, KERNELS)):
        scripts.add("kernels")
    problems = peers.lacking(args, sorted(scripts)) if args.peer else []
    for problem in problems:
        print(f"bench: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--peers-dir", required=True)
    parser.add_argument("--peer", default="", help="a Python that has the peers' packages")
    parser.add_argument("--llama", default="", help="a Python that has llama-cpp-python")
    parser.add_argument("--models", default="", help="the models folder that the peers read")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("patterns", nargs="*", help="figures whose name contains one of these; all if none")
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    args.peers_dir = os.path.abspath(args.peers_dir)
    args.models = os.path.abspath(args.models) if args.models else ""
    args.wants = lambda name: not args.patterns or any(p in name for p in args.patterns)
    args.threads = int(os.environ.setdefault("CUTAWAY_THREADS", str(len(os.sched_getaffinity(0)))))
    args.failed = False
    return args


def main():
    args = parsed()
    unknown = [p for p in args.patterns if not any(p in name for name in rows.NAMES)]
    if unknown:
        sys.exit(f"bench: no figure has {unknown[0]} in its name; there are {', '.join(rows.NAMES)}")
    check_peers(args)
    with tempfile.TemporaryDirectory() as folder:
        beside.add_models(args, folder)
        first_picture(args)
        kernels(args)
        respawns(args)
        interrupted(args)
        beside.all_rows(args)
    sys.exit(1 if args.failed else 0)


if __name__ == "__main__":
    main()
