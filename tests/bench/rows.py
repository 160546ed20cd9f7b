"""The figures that `make bench` prints and README.md shows: what was asked of each, how they stand
together in the table, and what limits them."""
import json
import statistics

ASKED = {
    # ratio: times faster than the peer; s: seconds; mb: megabytes; tokens_per_s: at least so many;
    # memory: times less of it than the peer; p99_ms: milliseconds, which 99 of 100 keep to
    "first_picture.minilm": {"s": 0.15, "mb": 150, "ratio": 60},
    "first_picture.smollm2": {"s": 0.35, "mb": 250, "ratio": 100},
    "kernel_start": {"s": 0.08},
    "idle_memory": {"mb": 20},
    "execute_empty": {"s": 0.0012},
    "respawn": {"s": 0.3},
    "respawn.models": {"s": 0.3},
    "display_1MB": {"ratio": 2},
    "complete_busy": {"p99_ms": 50},
    "heartbeat_busy": {"p99_ms": 50},
    "interrupt": {"p99_ms": 100},
    "flood.lines": {"mb": 256},
    "flood.display": {"mb": 256},
    "forward.minilm.16": {"ratio": 3.5},
    "forward.minilm.128": {"ratio": 2},
    "forward.minilm.512": {"ratio": 2.3},
    "embed.minilm.32x128": {"ratio": 1.4},
    "forward.gpt2.16": {"ratio": 2.6},
    "forward.gpt2.128": {"ratio": 1.6},
    "forward.gpt2.512": {"ratio": 1.6},
    "last.gpt2.16": {"ratio": 3.5},
    "last.gpt2.128": {"ratio": 2},
    "last.gpt2.512": {"ratio": 2},
    "forward.smollm2.16": {"ratio": 3.5},
    "forward.smollm2.128": {"ratio": 1.5},
    "forward.smollm2.512": {"ratio": 1.5},
    "load.smollm2": {"s": 0.1},
    "open.llama7b.safetensors": {"s": 1},
    "open.llama7b.gguf": {"s": 1},
    "gradients.gpt2.128": {"ratio": 2, "memory": 2},
    "histograms.gpt2.128": {"ratio": 3.5},
    "saliency.minilm.32": {"ratio": 3.5},
    "saliency.gpt2.32": {"ratio": 3},
    "integrated.minilm.32": {"ratio": 1.4},
    "integrated.gpt2.32": {"ratio": 2, "memory": 4},
    "tokens.minilm.lines": {"ratio": 10},
    "tokens.minilm.whole": {"ratio": 10},
    "tokens.gpt2.lines": {"ratio": 10},
    "tokens.gpt2.whole": {"ratio": 10},
    "decode.smollm2.32": {"tokens_per_s": 130, "ratio": 8},
    "prompt.smollm2.512": {"ratio": 1.3},
    "map.tsne.5000": {"ratio": 5},
    "map.tsne.30000": {"ratio": 5},
    "map.umap.5000": {"ratio": 4},
    "map.umap.30000": {"ratio": 3},
    "draw.heatmap.16": {"ratio": 30},
    "draw.heatmap.128": {"ratio": 30},
    "draw.grid.144": {"ratio": 30},
    "draw.histogram.1M": {"ratio": 30},
    "draw.scatter.30k": {"ratio": 30},
}

GEMM = "multiplications"

TABLE = [  # what it is, how the peer is called, its rows, what limits it
    ("new process → MiniLM loaded → 16 tokens → 72 heads drawn to PNG", "transformers + matplotlib",
     ["first_picture.minilm"], ""),
    ("the same for SmolLM2 (GGUF, Q4_1), 270 heads", "transformers + matplotlib", ["first_picture.smollm2"], ""),
    ("kernel start → kernel_info_reply", None, ["kernel_start"], ""),
    ("empty cell, there and back", None, ["execute_empty"], ""),
    ("kill -9 of the computing process → the next cell's reply: bare / MiniLM and SmolLM2 loaded again", None,
     ["respawn", "respawn.models"], "reading the files' heads"),
    ("cell that shows 1 MB", None, ["display_1MB"], ""),
    ("idle memory, supervisor and worker", None, ["idle_memory"], ""),
    ("completion while a cell computes on all cores (peers: when the cell of 5 s has ended)", None,
     ["complete_busy"], ""),
    ("heartbeat meanwhile", None, ["heartbeat_busy"], ""),
    ("interrupt → the cell's reply, at moments spread over cells that load, read, compute, draw, save and wait",
     None, ["interrupt"], ""),
    ("a million lines of output: time and peak memory", None, ["flood.lines"], ""),
    ("1 GB of display data: time and peak memory", None, ["flood.display"], "client"),
    ("forward keeping all attentions, hidden states and logits: MiniLM, 16 / 128 / 512 tokens", "PyTorch, eager",
     ["forward.minilm.16", "forward.minilm.128", "forward.minilm.512"], GEMM),
    ("the same, GPT-2's shape", "PyTorch, eager", ["forward.gpt2.16", "forward.gpt2.128", "forward.gpt2.512"],
     GEMM + "; 498 MB of weights at 16 tokens"),
    ("the same, logits of the last token only (PyTorch's: all)", "PyTorch, eager",
     ["last.gpt2.16", "last.gpt2.128", "last.gpt2.512"], GEMM + "; 498 MB of weights at 16 tokens"),
    ("the same, SmolLM2, ours straight from Q4_1", "PyTorch, eager, F32",
     ["forward.smollm2.16", "forward.smollm2.128", "forward.smollm2.512"], GEMM),
    ("opening SmolLM2 (GGUF, Q4_1)", "transformers", ["load.smollm2"], ""),
    ("opening a Llama of 7 billion weights: three files in F16 / GGUF in Q4_K", None,
     ["open.llama7b.safetensors", "open.llama7b.gguf"], ""),
    ("MiniLM, embeddings of 32 sentences of 128 tokens", "PyTorch, sdpa", ["embed.minilm.32x128"], GEMM),
    ("loss and the gradients of all parameters: GPT-2's shape, 128 tokens", "PyTorch", ["gradients.gpt2.128"],
     GEMM + ", then writing 498 MB"),
    ("the same, with a histogram of each gradient", "PyTorch + torch.histogram", ["histograms.gpt2.128"], GEMM),
    ("saliency of 32 tokens: MiniLM classifier / GPT-2's shape", "Captum",
     ["saliency.minilm.32", "saliency.gpt2.32"], GEMM),
    ("integrated gradients, 50 steps, the same two", "Captum", ["integrated.minilm.32", "integrated.gpt2.32"], GEMM),
    ("2 MB of text to WordPieces, by line / whole, one thread", "tokenizers",
     ["tokens.minilm.lines", "tokens.minilm.whole"], "looking up words"),
    ("2 MB of text to byte-level BPE, by line / whole, one thread", "tokenizers",
     ["tokens.gpt2.lines", "tokens.gpt2.whole"], "looking up words"),
    ("SmolLM2 (Q4_1) writes, with ten alternatives: a token", "transformers, F32", ["decode.smollm2.32"],
     "98 MB a token"),
    ("SmolLM2 reads a prompt of 512 tokens", "transformers, F32", ["prompt.smollm2.512"], GEMM),
    ("t-SNE of 5,000 / 30,000 × 384, 750 steps", "openTSNE", ["map.tsne.5000", "map.tsne.30000"],
     "pushes by a grid, pulls of 90 true neighbours"),
    ("UMAP of 5,000 / 30,000 × 384", "umap-learn", ["map.umap.5000", "map.umap.30000"],
     "true neighbours by multiplications, then random reads"),
    ("pictures: 16×16 with numbers / 128×128", "matplotlib", ["draw.heatmap.16", "draw.heatmap.128"],
     "glyphs, then PNG's compression"),
    ("pictures: 144 heads / histogram of 10⁶ / 30,000 points", "matplotlib",
     ["draw.grid.144", "draw.histogram.1M", "draw.scatter.30k"], "PNG's compression; reading 10⁶ numbers"),
]

OTHERS = [  # measured too: nothing was asked
    "first.minilm.16", "first.gpt2.16", "first.smollm2.16", "last.smollm2.16", "last.smollm2.128",
    "last.smollm2.512", "prompt.smollm2.32", "decode.smollm2.512", "map.pca.5000", "map.pca.30000", "draw.grid.270",
    "tokens.smollm2.lines", "tokens.smollm2.whole",
]

NAMES = [name for _, _, names, _ in TABLE for name in names] + OTHERS


def reached(line):
    """Whether a row is what was asked; None if that was not measured."""
    held = {"ratio": lambda least: line["ratio"] >= least, "s": lambda most: line["min_s"] <= most,
            "mb": lambda most: line.get("peak_mb", line.get("idle_mb")) <= most,
            "memory": lambda least: line["peer_mb"] / line["peak_mb"] >= least,
            "p99_ms": lambda most: line["p99_ms"] <= most and not line.get("missed"),
            "tokens_per_s": lambda least: line["tokens_per_s"] >= least}
    try:
        return all(held[what](wanted) for what, wanted in ASKED[line["name"]].items())
    except (KeyError, TypeError):
        return None


def show(line):
    """Prints a row, with what was asked of it."""
    if line["name"] in ASKED:
        line = {**line, "asked": ASKED[line["name"]], "reached": reached(line)}
    print(json.dumps(line), flush=True)


def joined(before, after):
    """One row of two turns of the same: the best of both, the middle of both."""
    if not after:
        return before
    best = min(before, after, key=lambda line: line["min_s"])
    return {**best, "median_s": round(statistics.mean((before["median_s"], after["median_s"])), 6),
            "runs": before.get("runs", 1) + after.get("runs", 1)}
