"""Figures of a kernel under load: what it answers while a cell computes on all cores, and the memory that a
flood of output takes."""
import os
import queue
import statistics
import time

import psutil
import zmq

BUSY_S = float(os.environ.get("BUSY_S") or 20)  # as long is asked
PAUSE_S = 0.02   # between two questions
PEER_CELL_S = 5  # peers answer when the cell has ended
MISSED_S = 1     # a heartbeat later than that is a dead kernel to Jupyter
LOST_S = 60      # what has not come after as long of silence does not come
LINES = 1_000_000
DISPLAYS = 1000  # of 1 MB each

OURS = {  # figure: the cells; the first makes ready
    "busy": ("%model load smollm2",
             f"%%surprisal --window 512 --stride 256\n{'The quick brown fox jumps. ' * int(max(20, BUSY_S / 3) * 1000)}"),
    "lines": ("", f"%_test flood {LINES}"),
    "display": ("", "%_test big 1000000\n" * DISPLAYS),
}
PYTHON = {
    "busy": ("import time, numpy; a = numpy.ones((1500, 1500))",
             f"end = time.monotonic() + {PEER_CELL_S}\nwhile time.monotonic() < end: a @ a"),
    "lines": ("", f"for i in range({LINES}): print('line', i)"),
    "display": ("from IPython.display import publish_display_data as p; t = {'text/plain': 'x' * 1000000}",
                f"for _ in range({DISPLAYS}): p(t)"),
}


def processes(kernel):
    first = psutil.Process(kernel.manager.provisioner.pid)
    return [first] + first.children(recursive=True)


def worked(kernel):
    """Seconds of processor time so far."""
    return sum(sum(one.cpu_times()[:2]) for one in processes(kernel))


def peak_mb(kernel):
    """The most that each process held at once, together."""
    total = 0
    for one in processes(kernel):
        with open(f"/proc/{one.pid}/status", encoding="utf-8") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
    return total


def completion(kernel, code):
    """Seconds until it is there."""
    begin = time.perf_counter()
    sent = kernel.client.complete(code, len(code))
    while kernel.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != sent:
        pass
    return time.perf_counter() - begin


class Heart:
    """A heartbeat of its own, as Jupyter's beats once a second."""

    def __init__(self, kernel):
        self.socket = zmq.Context.instance().socket(zmq.REQ)
        self.socket.linger = 0
        info = kernel.client.get_connection_info()
        self.socket.connect(f"tcp://{info['ip']}:{info['hb_port']}")

    def beat(self):
        """Seconds; None: none came for a minute."""
        begin = time.perf_counter()
        self.socket.send(b"ping")
        if not self.socket.poll(60000):
            return None
        self.socket.recv()
        return time.perf_counter() - begin

    def close(self):
        self.socket.close()


def p99(times):
    return sorted(times)[int(len(times) * 0.99)]


def begin_busy(kernel, cells):
    kernel.run(cells[0])
    kernel.client.execute(cells[1])
    time.sleep(0.5)


def ours_busy(kernel):
    """Completions and heartbeats in turns, and how many cores computed meanwhile."""
    begin_busy(kernel, OURS["busy"])
    heart, complete, beats = Heart(kernel), [], []
    begin, before = time.perf_counter(), worked(kernel)
    while time.perf_counter() - begin < BUSY_S:
        complete.append(completion(kernel, "%%attention --la"))
        time.sleep(PAUSE_S)
        beats.append(heart.beat())
        time.sleep(PAUSE_S)
    cores = (worked(kernel) - before) / (time.perf_counter() - begin)
    heart.close()
    assert None not in beats, "a heartbeat was lost"
    return complete, beats, round(cores, 2)


def peer_busy(kernel):
    """Seconds until a completion asked in the middle of a cell of PEER_CELL_S is there; heartbeats till then."""
    begin_busy(kernel, PYTHON["busy"])
    sent, begin, beats = kernel.client.complete("time.sl", 7), time.perf_counter(), []
    heart = Heart(kernel)
    while True:
        beats.append(heart.beat())
        if kernel.client.shell_channel.msg_ready() and \
                kernel.client.get_shell_msg(timeout=1)["parent_header"].get("msg_id") == sent:
            break
        time.sleep(PAUSE_S)
    heart.close()
    return time.perf_counter() - begin, beats


def flood(kernel, cells):
    """Seconds until a front end has read it all, and the kernel's peak in MB. No seconds where the end of the cell
    never came: what goes beyond a high-water mark is lost."""
    if cells[0]:
        kernel.run(cells[0])
    begin, sent = time.perf_counter(), kernel.client.execute(cells[1])
    while True:
        try:
            message = kernel.client.get_iopub_msg(timeout=LOST_S)
        except queue.Empty:
            return None, peak_mb(kernel)
        if message["parent_header"].get("msg_id") == sent and \
                message["content"].get("execution_state") == "idle":
            break
    return time.perf_counter() - begin, peak_mb(kernel)


def busy_rows(open_kernel, peers, row):
    kernel = open_kernel(None)
    try:
        complete, beats, cores = ours_busy(kernel)
    finally:
        kernel.close()
    answers, pulses = {}, {}
    for name, argv in peers:
        kernel = open_kernel(argv)
        try:
            late, theirs = peer_busy(kernel)
        finally:
            kernel.close()
        answers[f"{name}_s"] = round(late, 3)
        pulses[f"{name}_s"] = round(statistics.median(theirs), 5)
        pulses[f"{name}_p99_ms"] = round(p99(theirs) * 1e3, 2)
    row("complete_busy", complete, p99_ms=round(p99(complete) * 1e3, 2), cores=cores, **answers)
    row("heartbeat_busy", beats, p99_ms=round(p99(beats) * 1e3, 2), cores=cores,
        missed=sum(one > MISSED_S for one in beats), **pulses)


def flood_row(figure, open_kernel, peers, row):
    what, extra = figure.split(".")[1], {}
    for name, argv in [("", None), *peers]:
        kernel = open_kernel(argv)
        try:
            spent, most = flood(kernel, (PYTHON if argv else OURS)[what])
        finally:
            kernel.close()
        if not name:
            assert spent, "output was lost"
            extra.update(times=[spent], peak_mb=round(most, 1))
        elif spent:
            extra.update({f"{name}_s": round(spent, 2), f"{name}_mb": round(most)})
        else:
            extra.update({f"{name}_lost": "the end of the cell", f"{name}_mb": round(most)})
    row(figure, **extra)
