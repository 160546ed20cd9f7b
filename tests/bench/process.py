#!/usr/bin/env python3
"""Whole-process figures of Cutaway, side by side with what people use today.

    process.py --program build/cutaway --peers-dir ../shared/peers [--peer PYTHON --models DIR] [PATTERN...]

Prints one JSON line a figure: name, median_s, min_s, threads, isa and, where a peer's Python is given,
peer, peer_s (its minimum, measured in the same run), ratio (peer_s / our min_s) and goal. Memory rows
have peak_mb or idle_mb. Needs jupyter_client and psutil.
"""
import argparse
import glob
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time

SENTENCE = ("The quick brown fox jumps over the lazy dog while the old farmer watches quietly from "
            "the porch of his house")
GOALS = {  # what the project promised itself: seconds, megabytes, or times faster than the peer
    "first_picture.minilm": {"s": 0.15, "mb": 150, "ratio": 60},
    "first_picture.smollm2": {"s": 0.35, "mb": 250, "ratio": 100},
    "kernel_start": {"s": 0.08},
    "idle_memory": {"mb": 20},
    "execute_empty": {"s": 0.0012},
    "forward.minilm.16": {"ratio": 3.5},
    "forward.minilm.128": {"ratio": 2},
    "forward.minilm.512": {"ratio": 2.3},
    "forward.gpt2.16": {"ratio": 2.6},
    "forward.gpt2.128": {"ratio": 1.6},
    "forward.gpt2.512": {"ratio": 1.6},
    "last.gpt2.16": {"ratio": 3.5},
    "last.gpt2.128": {"ratio": 2},
    "last.gpt2.512": {"ratio": 2},
    "forward.smollm2.16": {"ratio": 3.5},
    "forward.smollm2.128": {"ratio": 1.5},
    "forward.smollm2.512": {"ratio": 1.5},
    "embed.minilm.32x128": {"ratio": 1.4},
    "decode.smollm2.32": {"tokens_per_s": 130, "ratio": 8},
    "prompt.smollm2.512": {"ratio": 1.3},
    "gradients.gpt2.128": {"ratio": 2, "mb": "half the peer's"},
    "histograms.gpt2.128": {"ratio": 3.5},
    "saliency.minilm.32": {"ratio": 3.5},
    "saliency.gpt2.32": {"ratio": 3},
    "integrated.minilm.32": {"ratio": 1.4},
    "integrated.gpt2.32": {"ratio": 2, "mb": "a quarter of the peer's"},
    "map.tsne.5000": {"ratio": 5, "s": 5.7},
    "map.tsne.30000": {"ratio": 5, "s": 30},
    "tokens.minilm.lines": {"ratio": 10},
    "tokens.minilm.whole": {"ratio": 10},
    "tokens.gpt2.lines": {"ratio": 10},
    "tokens.gpt2.whole": {"ratio": 10},
    "draw.heatmap.16": {"ratio": 30},
    "draw.heatmap.128": {"ratio": 30},
    "draw.grid.144": {"ratio": 30},
    "draw.histogram.1M": {"ratio": 30},
    "draw.scatter.30k": {"ratio": 30},
}


def isa():
    if os.environ.get("CUTAWAY_ISA"):
        return os.environ["CUTAWAY_ISA"]
    flags = open("/proc/cpuinfo").read().split("flags", 1)[-1].split("\n", 1)[0].split()
    return "avx512" if "avx512bw" in flags else "avx2" if "avx2" in flags else "generic"


def row(name, times, **extra):
    line = {"name": name}
    if times:
        line.update(median_s=round(statistics.median(times), 5), min_s=round(min(times), 5), runs=len(times))
    line.update(threads=len(os.sched_getaffinity(0)), isa=isa(), **extra)
    if name in GOALS:
        line["goal"] = GOALS[name]
    print(json.dumps(line), flush=True)


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


def peer_lines(args, script, *options):
    """What a peer's script prints, as a list of its rows."""
    argv = [args.peer, os.path.join(args.peers_dir, script), "--models", args.models, *options]
    out = subprocess.run(argv, capture_output=True, text=True, cwd=args.peers_dir)
    if out.returncode != 0:
        print(out.stderr[-2000:], file=sys.stderr)
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]


def against(peer, ours):
    if not peer:
        return {}
    return {"peer": peer["peer"], "peer_s": peer["min_s"], "peer_mb": peer.get("peak_rss_mb"),
            "ratio": round(peer["min_s"] / min(ours), 2)}


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
            rows = peer_lines(args, "a_first_picture.py", "--modes", "script", "--only", peer_name, "--repeats", "2")
            peer = rows[0] if rows else None
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


def kernels(args):
    if not any(args.wants(n) for n in ("kernel_start", "execute_empty", "display_1MB", "idle_memory")):
        return
    ours = kernel_rows([args.program, "kernel", "-f", "{connection_file}"], "%_test big 1000000")
    peers = []
    if args.peer:
        show = "from IPython.display import publish_display_data as p; p({'text/plain': 'x' * 1000000})"
        for name, module in (("ipykernel", "ipykernel_launcher"), ("xeus-python", "xpython_launcher")):
            try:
                peers.append((name, kernel_rows([args.peer, "-m", module, "-f", "{connection_file}"], show)))
            except Exception as problem:
                print(f"{name}: {problem}", file=sys.stderr)
    for i, name in enumerate(("kernel_start", "execute_empty", "display_1MB")):
        extra = {}
        for peer, rows in peers:
            extra[f"{peer}_s"] = round(min(rows[i]), 5)
            extra[f"{peer}_median_s"] = round(statistics.median(rows[i]), 5)
        if peers:
            best = min(min(rows[i]) for _, rows in peers)
            extra.update(peer_s=round(best, 5), ratio=round(best / min(ours[i]), 2))
        row(name, ours[i], **extra)
    row("idle_memory", [], idle_mb=round(ours[3], 1), **{f"{peer}_mb": round(rows[3], 1) for peer, rows in peers})


def places(name):
    """Where a model of that name lies, of the folders that users name."""
    folders = [f for f in os.environ.get("CUTAWAY_MODELS", "").split(":") if f]
    return [os.path.join(f, name) for f in folders if os.path.exists(os.path.join(f, name))]


def with_gpt2(args, extra):
    """An environment in which the peers' GPT-2 shape is found too; `extra` is an empty folder."""
    if not places("gpt2") and args.models and os.path.exists(os.path.join(args.models, "gpt2")):
        os.symlink(os.path.join(args.models, "gpt2"), os.path.join(extra, "gpt2"))
    return dict(os.environ, CUTAWAY_MODELS=os.environ.get("CUTAWAY_MODELS", "") + ":" + extra)


PEERS_FORWARD = {"minilm": "minilm", "gpt2": "gpt2-shape", "smollm2": "smollm2"}  # ours: the peer's name


def forward_peers(args, names):
    """The peers' times by our rows' names: eager attention with everything captured, and embeddings."""
    peers = {}
    for ours, theirs in PEERS_FORWARD.items():
        if not any(f".{ours}." in name for name in names):
            continue
        for line in peer_lines(args, "c_forward.py", "--peak", "0", "--only", f"C.forward.{theirs}"):
            if line.get("peer") == "transformers eager+capture":
                for kind in ("forward", "last"):
                    peers[f"{kind}.{ours}.{line['params']['seq']}"] = line
            elif line.get("name") == "C.embed.minilm" and line.get("peer") == "transformers sdpa":
                peers["embed.minilm.32x128"] = line
    return peers


def forward(args):
    """The engine's own figures beside PyTorch's: bench_forward prints them, the peer runs after it."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "forward")
    kinds = ("forward.", "last.", "embed.", "first.")
    patterns = [p for p in args.patterns if p.startswith(kinds) or f"{p}." in kinds]
    if (args.patterns and not patterns) or not os.path.exists(program):
        return
    with tempfile.TemporaryDirectory() as extra:
        out = subprocess.run([program, *patterns], capture_output=True, text=True, env=with_gpt2(args, extra))
    print(out.stderr, end="", file=sys.stderr)
    lines = [json.loads(text) for text in out.stdout.splitlines()]
    peers = forward_peers(args, [line["name"] for line in lines]) if args.peer else {}
    for line in lines:
        peer = peers.get(line["name"])
        if peer:
            line.update(peer=peer["peer"], peer_s=peer["min_s"], ratio=round(peer["min_s"] / line["min_s"], 2))
        if line["name"] in GOALS:
            line["goal"] = GOALS[line["name"]]
        print(json.dumps(line), flush=True)


def decode(args):
    """Prompts and further tokens of SmolLM2 beside transformers' own loop, ten alternatives told at each token."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "decode")
    kinds = ("prompt.", "decode.")
    patterns = [p for p in args.patterns if p.startswith(kinds) or f"{p}." in kinds]
    if (args.patterns and not patterns) or not os.path.exists(program):
        return
    out = subprocess.run([program, *patterns], capture_output=True, text=True)
    print(out.stderr, end="", file=sys.stderr)
    lines = [json.loads(text) for text in out.stdout.splitlines()]
    peers = {}
    for line in peer_lines(args, "f_decode.py") if args.peer and lines else []:
        kind = {"F.prompt": "prompt", "F.decode_per_token": "decode"}.get(line["name"])
        if kind and line["params"]["top_logprobs"] == 10:
            peers[f"{kind}.smollm2.{line['params']['prompt']}"] = line
    for line in lines:
        peer = peers.get(line["name"])
        if peer:
            line.update(peer=peer["peer"], peer_s=peer["min_s"], ratio=round(peer["min_s"] / line["min_s"], 2))
        if line["name"] in GOALS:
            line["goal"] = GOALS[line["name"]]
        print(json.dumps(line), flush=True)


PEERS_GRADIENTS = {  # our row: what d_gradients.py calls the same
    "gradients.gpt2.128": ("D.loss_backward_all", "gpt2-shape"),
    "histograms.gpt2.128": ("D.backward_and_histograms", "gpt2-shape"),
    "saliency.minilm.32": ("D.saliency", "minilm-classifier"),
    "saliency.gpt2.32": ("D.saliency", "gpt2-shape"),
    "integrated.minilm.32": ("D.integrated_gradients", "minilm-classifier"),
    "integrated.gpt2.32": ("D.integrated_gradients", "gpt2-shape"),
}


def classifier_of(minilm, folder):
    """MiniLM with a classifier of two classes: its own file, and one more with a few numbers."""
    with open(os.path.join(minilm, "model.safetensors"), "rb") as f:
        names = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    width = names["embeddings.word_embeddings.weight"]["shape"][1]
    header = json.dumps({"classifier.weight": {"dtype": "F32", "shape": [2, width], "data_offsets": [0, 8 * width]},
                         "classifier.bias": {"dtype": "F32", "shape": [2], "data_offsets": [8 * width, 8 * width + 8]}})
    header += " " * (-len(header) % 8)
    numbers = [0.02 * math.sin(i) for i in range(2 * width + 2)]
    with open(os.path.join(folder, "head.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header.encode() + struct.pack(f"<{len(numbers)}f", *numbers))
    os.symlink(os.path.join(minilm, "model.safetensors"), os.path.join(folder, "body.safetensors"))
    table = {name: "body.safetensors" for name in names if name != "__metadata__"}
    table.update({"classifier.weight": "head.safetensors", "classifier.bias": "head.safetensors"})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as f:
        json.dump({"weight_map": table}, f)
    with open(os.path.join(minilm, "config.json")) as f:
        config = json.load(f)
    config.update(architectures=["BertForSequenceClassification"], num_labels=2)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f)


def gradients(args):
    """Gradients beside PyTorch's and Captum's."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "gradients")
    wanted = [name for name in PEERS_GRADIENTS if args.wants(name)]
    if not wanted:
        return
    with tempfile.TemporaryDirectory() as extra:
        if places("minilm"):
            os.mkdir(os.path.join(extra, "minilm-classifier"))
            classifier_of(os.path.realpath(places("minilm")[0]), os.path.join(extra, "minilm-classifier"))
        out = subprocess.run([program, *wanted], capture_output=True, text=True, env=with_gpt2(args, extra))
    print(out.stderr, end="", file=sys.stderr)
    peers = peer_lines(args, "d_gradients.py") if args.peer else []
    for text in out.stdout.splitlines():
        line = json.loads(text)
        name, model = PEERS_GRADIENTS[line["name"]]
        peer = next((p for p in peers if p["name"] == name and p["params"]["model"] == model), None)
        if peer:
            line.update(peer=peer["peer"], peer_s=peer["min_s"], peer_mb=peer.get("peak_rss_mb"),
                        ratio=round(peer["min_s"] / line["min_s"], 2))
        if line["name"] in GOALS:
            line["goal"] = GOALS[line["name"]]
        print(json.dumps(line), flush=True)


def write_text(path):
    """The text that k_tokenise.py takes: 2,000,000 characters of the Python library's own sources."""
    parts = []
    for name in sorted(glob.glob(os.path.join(sysconfig.get_path("stdlib"), "*.py"))):
        with open(name, encoding="utf-8", errors="ignore") as f:
            parts.append(f.read())
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.write("".join(parts)[:2_000_000])


def tokenizers(args):
    """name: file of WordPiece, of byte-level BPE (without a model that has it the fixtures' of that kind),
    and of a GGUF file, which the peers do not read."""
    minilm, smollm2 = places("minilm"), places("smollm2") + places("smollm2.gguf")
    gpt2 = [os.path.join(p, "tokenizer.json") for p in places("gpt2")]
    fixtures = os.path.join(os.path.dirname(args.peers_dir), "golden", "data", "tokenizers", "bpe_gpt2", "tokenizer.json")
    files = {"minilm": [os.path.join(p, "tokenizer.json") for p in minilm], "gpt2": gpt2 + [fixtures],
             "smollm2": smollm2}
    found = {name: [os.path.realpath(p) for p in paths if os.path.exists(p)] for name, paths in files.items()}
    return {name: paths[0] for name, paths in found.items() if paths}


def tokens(args):
    """Text to tokens in one thread, beside the tokenizers library: the same text, the same files."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "text")
    files = {name: path for name, path in tokenizers(args).items()
             if any(args.wants(f"tokens.{name}.{how}") for how in ("lines", "whole"))}
    if not files:
        return
    with tempfile.TemporaryDirectory() as folder:
        text = os.path.join(folder, "text")
        write_text(text)
        out = subprocess.run([program, text, *[word for item in files.items() for word in item]],
                             capture_output=True, text=True)
        for name, path in files.items():
            if path.endswith(".json"):
                os.mkdir(os.path.join(folder, name))
                os.symlink(path, os.path.join(folder, name, "tokenizer.json"))
        peers = peer_lines(args, "k_tokenise.py", "--models", folder, "--text", text) if args.peer else []
    print(out.stderr, end="", file=sys.stderr)
    peers = {f"tokens.{p['params']['model']}.{p['name'].removeprefix('K.encode_')}": p for p in peers}
    for line in out.stdout.splitlines():
        line = json.loads(line)
        peer = peers.get(line["name"])
        if peer:
            line.update(peer=peer["peer"], peer_s=peer["min_s"], ratio=round(peer["min_s"] / line["min_s"], 2))
        if line["name"] in GOALS:
            line["goal"] = GOALS[line["name"]]
        if args.wants(line["name"]):
            print(json.dumps(line), flush=True)


PEERS_DRAW = {  # our row: what i_render.py calls the same
    "draw.heatmap.16": "I.png.heatmap_16_annotated",
    "draw.heatmap.128": "I.png.heatmap_128",
    "draw.grid.144": "I.png.grid_12x12_of_16",
    "draw.histogram.1M": "I.png.histogram_50_of_1M",
    "draw.scatter.30k": "I.png.scatter_30k",
}


def pictures(args):
    """From numbers to the bytes of a PNG, beside matplotlib's."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "draw")
    patterns = [p for p in args.patterns if p.startswith("draw.") or f"{p}." == "draw."]
    if args.patterns and not patterns:
        return
    out = subprocess.run([program, *patterns], capture_output=True, text=True)
    print(out.stderr, end="", file=sys.stderr)
    lines = [json.loads(text) for text in out.stdout.splitlines()]
    peers = {}
    for line in lines if args.peer else []:
        name = PEERS_DRAW.get(line["name"])
        for row in peer_lines(args, "i_render.py", "--only", name.removeprefix("I.png.")) if name else []:
            if row["peer"] == "matplotlib Agg" and "min_s" in row:
                peers[line["name"]] = row
    for line in lines:
        peer = peers.get(line["name"])
        if peer:
            line.update(peer=peer["peer"], peer_s=peer["min_s"], ratio=round(peer["min_s"] / line["min_s"], 2))
        if line["name"] in GOALS:
            line["goal"] = GOALS[line["name"]]
        print(json.dumps(line), flush=True)


SAVING = """
import os, runpy, sys
folder, script = sys.argv[1:3]
sys.path.insert(0, os.path.dirname(script))
import numpy, openTSNE
fit = openTSNE.TSNE.fit
def saving(self, x, *args, **options):
    layout = fit(self, x, *args, **options)
    numpy.asarray(layout, dtype="float32").tofile(os.path.join(folder, f"{len(x)}.f32"))
    return layout
openTSNE.TSNE.fit = saving
sys.argv = sys.argv[2:]
runpy.run_path(script, run_name="__main__")
"""
PEERS_MAPS = {"pca": ("G.pca", "sklearn"), "tsne": ("G.tsne", "openTSNE")}  # ours: what g_embed.py calls it


def judged(program, env, layout, points):
    """What somebody's layout keeps, by our measures."""
    if not os.path.exists(layout):
        return {}
    out = subprocess.run([program, "--judge", str(points), layout], capture_output=True, text=True, env=env)
    return json.loads(out.stdout) if out.returncode == 0 else {}


def map_peer(args, env, method, points, folder, program):
    """The peer's time and quality. The KL that openTSNE prints is against neighbours that it searches by
    random trees, of which a tenth are true ones at 384 dimensions; so its layout is judged by ours."""
    name, library = PEERS_MAPS[method]
    script = os.path.join(args.peers_dir, "g_embed.py")
    options = ["--models", args.models, "--sizes", str(points), "--methods", library.lower() if method == "tsne" else method]
    out = subprocess.run([args.peer, "-c", SAVING, folder, script, *options], capture_output=True, text=True,
                         cwd=args.peers_dir, env=dict(env, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2",
                                                      NUMBA_NUM_THREADS="2"))
    rows = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    peer = next((row for row in rows if row["name"] == name and row["peer"] == library), None)
    if not peer:
        print(out.stderr[-2000:], file=sys.stderr)
        return {}
    layout = judged(program, env, os.path.join(folder, f"{points}.f32"), points) if method == "tsne" else {}
    line = {"peer": library, "peer_s": peer["min_s"], "peer_nn10_kept": peer["nn10_kept"],
            "peer_trustworthiness": peer["trustworthiness"]}
    if method == "tsne":
        line.update(peer_kl=layout.get("kl"), peer_kl_as_printed=peer["kl"])
    return line


def maps(args):
    """PCA and t-SNE beside scikit-learn and openTSNE, with what the maps keep."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "map")
    names = [f"map.{method}.{points}" for method in PEERS_MAPS for points in (5000, 30000)]
    for name in filter(args.wants, names):
        _, method, points = name.split(".")
        with tempfile.TemporaryDirectory() as folder:
            env = with_gpt2(args, folder)
            out = subprocess.run([program, name], capture_output=True, text=True, env=env)
            print(out.stderr, end="", file=sys.stderr)
            for text in out.stdout.splitlines():
                line = json.loads(text)
                if args.peer:
                    line.update(map_peer(args, env, method, int(points), folder, program))
                if "peer_s" in line:
                    line["ratio"] = round(line["peer_s"] / line["min_s"], 2)
                if name in GOALS:
                    line["goal"] = GOALS[name]
                print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--peers-dir", required=True)
    parser.add_argument("--peer", default="", help="a Python that has the peers' packages")
    parser.add_argument("--models", default="", help="the models folder that the peers read")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("patterns", nargs="*", help="figures whose name contains one of these; all if none")
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    args.peers_dir = os.path.abspath(args.peers_dir)
    args.models = os.path.abspath(args.models) if args.models else ""
    args.wants = lambda name: not args.patterns or any(p in name for p in args.patterns)
    first_picture(args)
    kernels(args)
    forward(args)
    decode(args)
    gradients(args)
    tokens(args)
    pictures(args)
    maps(args)


if __name__ == "__main__":
    main()
