"""Figures of the engine's parts, which the C programs of this folder print, beside the peers' scripts: ours,
then the peer, then ours again, so that a machine that slows down slows both."""
import glob
import json
import math
import os
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from typing import NamedTuple

import peers
import rows

ENOUGH_S = 10  # a row that takes longer is not run again


class Beside(NamedTuple):
    program: str  # tests/bench/PROGRAM NAME... prints the rows of these names
    script: str  # the peer's, or ""
    options: tuple  # its options
    rows: dict  # our name: the peer's row, its peer, its parameters; None: no peer has it


def of_forward(model, theirs, only, more):
    kinds = ("forward", "last") if model != "minilm" else ("forward",)
    named = {f"{kind}.{model}.{n}": (f"C.forward.{theirs}", "transformers eager+capture", {"seq": n})
             for kind in kinds for n in (16, 128, 512)}
    named[f"first.{model}.16"] = None
    return Beside("forward", "c_forward.py", ("--peak", "0", "--only", only), {**named, **more})


def of_gradients(only, more):
    return Beside("gradients", "d_gradients.py", ("--only", only, "--repeats", "3"),
                  {name: (only, peer, {"model": model}) for name, (peer, model) in more.items()})


def of_maps(method, name, peer):
    return Beside("map", "g_embed.py", ("--methods", peer if method == "tsne" else method),
                  {f"map.{method}.{n}": (name, {"pca": "sklearn", "tsne": "openTSNE", "umap": "umap-learn"}[method],
                                         {"points": n}) for n in (5000, 30000)})


def of_tokens(name, kind):
    return Beside("text", "k_tokenise.py", ("--repeats", "3"),
                  {f"tokens.{name}.{how}": (f"K.encode_{how}", f"tokenizers {kind}", {"model": name})
                   for how in ("lines", "whole")})


LOOP = "transformers fp32 (loop)"
ALL = [
    of_forward("minilm", "minilm", "C.", {"embed.minilm.32x128": ("C.embed.minilm", "transformers sdpa", {})}),
    of_forward("gpt2", "gpt2-shape", "C.forward.gpt2-shape", {}),
    of_forward("smollm2", "smollm2", "C.forward.smollm2", {}),
    of_gradients("D.loss_backward_all", {"gradients.gpt2.128": ("torch+transformers", "gpt2-shape")}),
    of_gradients("D.backward_and_histograms", {"histograms.gpt2.128": ("torch.histogram", "gpt2-shape")}),
    of_gradients("D.saliency", {"saliency.minilm.32": ("captum", "minilm-classifier"),
                                "saliency.gpt2.32": ("captum", "gpt2-shape")}),
    of_gradients("D.integrated_gradients", {"integrated.minilm.32": ("captum", "minilm-classifier"),
                                            "integrated.gpt2.32": ("captum", "gpt2-shape")}),
    of_tokens("minilm", "WordPiece"),
    of_tokens("gpt2", "byte BPE"),
    Beside("text", "", (), {"tokens.smollm2.lines": None, "tokens.smollm2.whole": None}),
    Beside("decode", "f_decode.py", ("--repeats", "1"), {
        "load.smollm2": ("F.load", "transformers fp32 from GGUF", {}),
        "prompt.smollm2.32": ("F.prompt", LOOP, {"prompt": 32, "top_logprobs": 10}),
        "decode.smollm2.32": ("F.decode_per_token", LOOP, {"prompt": 32, "top_logprobs": 10}),
        "prompt.smollm2.512": ("F.prompt", LOOP, {"prompt": 512}),
        "decode.smollm2.512": ("F.decode_per_token", LOOP, {"prompt": 512})}),
    of_maps("pca", "G.pca", "pca"),
    of_maps("tsne", "G.tsne", "opentsne"),
    of_maps("umap", "G.umap", "umap"),
    Beside("draw", "i_render.py", (), {
        "draw.heatmap.16": ("I.png.heatmap_16_annotated", "matplotlib Agg", {}),
        "draw.heatmap.128": ("I.png.heatmap_128", "matplotlib Agg", {}),
        "draw.grid.144": ("I.png.grid_12x12_of_16", "matplotlib Agg", {}),
        "draw.histogram.1M": ("I.png.histogram_50_of_1M", "matplotlib Agg", {}),
        "draw.scatter.30k": ("I.png.scatter_30k", "matplotlib Agg", {}),
        "draw.grid.270": None}),
    Beside("bench_open", "", (), {"open.llama7b.safetensors": None, "open.llama7b.gguf": None}),
]
LLAMA = "llama.cpp Q4_1"  # a second peer of decoding, where LLAMA names a Python that has it


# ---- models and texts that both read ----

def places(name):
    """Where a model of that name lies, of the folders that users name."""
    folders = [f for f in os.environ.get("CUTAWAY_MODELS", "").split(":") if f]
    return [os.path.join(f, name) for f in folders if os.path.exists(os.path.join(f, name))]


def add_models(args, folder):
    """Puts what the user's folders lack of the peers' models, and the classifier, into a further folder."""
    for name in ("minilm", "gpt2", "smollm2.gguf"):
        theirs = os.path.join(args.models, name)
        if args.models and not places(name) and not places(name.split(".")[0]) and os.path.exists(theirs):
            os.symlink(theirs, os.path.join(folder, name))
    os.environ["CUTAWAY_MODELS"] = os.environ.get("CUTAWAY_MODELS", "") + ":" + folder
    if places("minilm"):
        os.mkdir(os.path.join(folder, "minilm-classifier"))
        classifier_of(os.path.realpath(places("minilm")[0]), os.path.join(folder, "minilm-classifier"))


def classifier_of(minilm, folder):
    """MiniLM with a classifier of two classes: its own file, and one more with a few numbers."""
    with open(os.path.join(minilm, "model.safetensors"), "rb") as f:
        names = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    width = names["embeddings.word_embeddings.weight"]["shape"][1]
    header = json.dumps({"classifier.weight": {"dtype": "F32", "shape": [2, width], "data_offsets": [0, 8 * width]},
                         "classifier.bias": {"dtype": "F32", "shape": [2],
                                             "data_offsets": [8 * width, 8 * width + 8]}})
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


def write_text(path):
    """The text that k_tokenise.py takes: 2,000,000 characters of the Python library's own sources."""
    parts = []
    for name in sorted(glob.glob(os.path.join(sysconfig.get_path("stdlib"), "*.py"))):
        with open(name, encoding="utf-8", errors="ignore") as f:
            parts.append(f.read())
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.write("".join(parts)[:2_000_000])


def tokenizer_of(args, name):
    """A file of WordPiece, of byte-level BPE (without a model that has it the fixtures' of that kind), or a
    GGUF file, which the peers do not read; None if there is none."""
    files = [os.path.join(p, "tokenizer.json") for p in places(name)]
    if name == "gpt2":
        files.append(os.path.join(os.path.dirname(args.peers_dir), "golden/data/tokenizers/bpe_gpt2/tokenizer.json"))
    if name == "smollm2":
        files = places("smollm2") + places("smollm2.gguf")
    return next((os.path.realpath(p) for p in files if os.path.exists(p)), None)


# ---- ours ----

def run_ours(args, work, names, folder):
    """Our rows by name."""
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", work.program)
    if not os.path.exists(program):
        print(f"bench: {program} is not built", file=sys.stderr)
        return {}
    words = list(names)
    if work.program == "text":
        words = text_words(args, names[0].split(".")[1], folder)
        if not words:
            return {}
    out = subprocess.run([program, *words], stdout=subprocess.PIPE, text=True)
    lines = [json.loads(text) for text in out.stdout.splitlines()]
    if out.returncode != 0:
        print(f"bench: {work.program} ended with status {out.returncode}", file=sys.stderr)
    return {line["name"]: line for line in lines if line["name"] in names}


def text_words(args, name, folder):
    text, file = os.path.join(folder, "text"), tokenizer_of(args, name)
    if not os.path.exists(text):
        write_text(text)
    return [text, name, file] if file else []


# ---- the peers ----

SAVING = """
import os, runpy, sys
folder, script = sys.argv[1:3]
sys.path.insert(0, os.path.dirname(script))
import numpy
def saving(made, name):
    fit = getattr(made, name)
    def saved(self, x, *args, **options):
        layout = fit(self, x, *args, **options)
        numpy.asarray(layout, dtype="float32").tofile(os.path.join(folder, f"{len(x)}.f32"))
        return layout
    setattr(made, name, saved)
if "opentsne" in sys.argv:
    import openTSNE
    saving(openTSNE.TSNE, "fit")
if "umap" in sys.argv:
    import umap
    saving(umap.UMAP, "fit_transform")
sys.argv = sys.argv[2:]
runpy.run_path(script, run_name="__main__")
"""


def run_peer(args, work, names, folder):
    """The peer's rows by our names."""
    wanted = {name: work.rows[name] for name in names if work.rows[name]}
    if not args.peer or not work.script or not wanted:
        return {}
    options = list(work.options)
    if work.program == "map":  # UMAP's first layout compiles: 30,000 come after 5,000
        sizes = [n for n in ("5000", "30000")
                 if work.options[1] == "umap" or f"map.{names[0].split('.')[1]}.{n}" in names]
        options += ["--sizes", ",".join(sizes)]
    if work.program == "text":
        name = names[0].split(".")[1]
        os.makedirs(os.path.join(folder, "tokenizers", name))
        os.symlink(tokenizer_of(args, name), os.path.join(folder, "tokenizers", name, "tokenizer.json"))
        options += ["--models", os.path.join(folder, "tokenizers"), "--text", os.path.join(folder, "text")]
    argv = peers.command(args, args.peer, work.script, options)
    if work.program == "map":
        argv[1:1] = ["-c", SAVING, folder]
    found = peers.rows(args, argv, wanted)
    args.failed |= len(found) < len(wanted)
    return found


def run_llama(args, names):
    """llama.cpp's seconds for a prompt and a token."""
    work = next(work for work in ALL if work.program == "decode")
    wanted = {name: (work.rows[name][0], LLAMA, work.rows[name][2]) for name in names if "load" not in name}
    if not args.llama or not wanted:
        return {}
    argv = peers.command(args, args.llama, work.script, ["--engine", "llama", "--repeats", "3"])
    return peers.rows(args, argv, wanted)


def judged(args, name, folder):
    """What a peer's map keeps, by our measures. The KL that openTSNE prints is against neighbours that it
    searches by random trees, of which a tenth are true ones at 384 dimensions."""
    _, method, points = name.split(".")
    layout = os.path.join(folder, f"{points}.f32")
    if not os.path.exists(layout):
        return {}
    program = os.path.join(os.path.dirname(args.program), "tests", "bench", "map")
    out = subprocess.run([program, "--judge", str(points), layout], stdout=subprocess.PIPE, text=True)
    return {f"peer_{what}": number for what, number in json.loads(out.stdout or "{}").items()
            if what != "kl" or method == "tsne"}


def together(ours, peer):
    """Our row with the peer's numbers."""
    if not peer:
        return ours
    line = {**ours, "peer": peer["peer"], "peer_s": peer["min_s"], "peer_median_s": peer["median_s"],
            "ratio": round(peer["min_s"] / ours["min_s"], 2),
            "ratio_median": round(peer["median_s"] / ours["median_s"], 2)}
    if "peak_mb" in ours:
        line["peer_mb"] = peer["peak_rss_mb"]
    if "kl" in peer:
        line["peer_kl_as_printed"] = peer["kl"]
    if "tokens_per_s" in ours and "tokens_per_s" in peer:
        line["peer_tokens_per_s"] = peer["tokens_per_s"]
    return line


def compare(args, work, names):
    with tempfile.TemporaryDirectory() as folder:
        before = run_ours(args, work, names, folder)
        args.failed |= bool(args.peer) and len(before) < len(names)
        peer = run_peer(args, work, [name for name in names if name in before], folder)
        llama = run_llama(args, list(before)) if work.program == "decode" else {}
        short = [name for name in peer if before[name]["min_s"] < ENOUGH_S]
        after = run_ours(args, work, short, folder) if short else {}
        for name, line in before.items():
            line = together(rows.joined(line, after.get(name)), peer.get(name))
            if name in llama:
                line["llama_cpp_s"] = llama[name]["min_s"]
            if name.startswith(("map.tsne", "map.umap")):
                line.update(judged(args, name, folder))
            rows.show(line)


def all_rows(args):
    for work in ALL:
        names = [name for name in work.rows if args.wants(name)]
        if names:
            begin = time.perf_counter()
            compare(args, work, names)
            print(f"bench: {time.perf_counter() - begin:.0f} s for {work.program} {work.script} "
                  f"{' '.join(work.options)}", file=sys.stderr)


def scripts(args):
    """The peers' scripts that the wanted rows need."""
    return {work.script for work in ALL if work.script and any(work.rows[n] and args.wants(n) for n in work.rows)}
