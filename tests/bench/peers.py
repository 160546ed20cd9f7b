"""The usual tools, timed by the scripts in ../shared/peers: started with the models, threads and
instruction sets that Cutaway is measured with, and stopped when they have said what was asked."""
import json
import os
import subprocess
import sys
import tempfile

NEEDS = {  # modules that a script cannot do without, and models
    "a_first_picture.py": (["torch", "transformers", "matplotlib", "gguf"], ["minilm", "smollm2.gguf"]),
    "c_forward.py": (["torch", "transformers", "gguf"], ["minilm", "gpt2", "smollm2.gguf"]),
    "d_gradients.py": (["torch", "transformers", "captum"], ["minilm", "gpt2"]),
    "f_decode.py": (["torch", "transformers", "gguf"], ["smollm2.gguf"]),
    "g_embed.py": (["numpy", "safetensors", "sklearn", "openTSNE", "umap"], ["minilm"]),
    "i_render.py": (["numpy", "matplotlib", "seaborn"], []),
    "k_tokenise.py": (["tokenizers"], []),
    "kernels": (["ipykernel", "xpython_launcher"], []),
}
LIMITS = {  # what keeps PyTorch, MKL and oneDNN to an instruction set; NumPy and Numba have no such limit
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
}
FINDING = "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if not u.find_spec(m)])"


THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def environment(args):
    return {**os.environ, **dict.fromkeys(THREADS, str(args.threads)),
            **LIMITS.get(os.environ.get("CUTAWAY_ISA", ""), {})}


def lacking(args, scripts):
    """Sentences on what keeps the scripts from running; none if nothing does."""
    scripts = list(scripts)
    found = []
    for script in scripts:
        if script.endswith(".py") and not os.path.exists(os.path.join(args.peers_dir, script)):
            found.append(f"{script} is not in {args.peers_dir}; CUTAWAY_SHARED names the folder above")
    modules = sorted({module for script in scripts for module in NEEDS[script][0]})
    try:
        out = subprocess.run([args.peer, "-c", FINDING, *modules], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        return [f"PEERS={args.peer} is no Python that runs ({problem})"]
    for module in out.stdout.split():
        who = ", ".join(script for script in scripts if module in NEEDS[script][0])
        found.append(f"{args.peer} has no {module}, which {who} needs; requirements.txt beside the scripts names it")
    for model in sorted({model for script in scripts for model in NEEDS[script][1]}):
        if not os.path.exists(os.path.join(args.models, model)):
            found.append(f"the model {model} is not in {args.models}; make_models.py makes it, "
                         "PEERS_MODELS says where")
    return found


def command(args, python, script, options):
    return [python, os.path.join(args.peers_dir, script), "--models", args.models, "--threads", str(args.threads),
            *options]


def fits(line, wanted):
    name, peer, params = wanted
    return (line.get("name") == name and line.get("peer") == peer and "min_s" in line and
            all(line["params"].get(key) == value for key, value in params.items()))


def rows(args, argv, wanted):
    """The peer's rows by our names. wanted: our name -> (the row's name, its peer, its parameters). A script
    that has printed all of them is ended; one that fails, or says less, is named on stderr."""
    found = {}
    with tempfile.TemporaryFile("w+") as complaints:
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=complaints, text=True, cwd=args.peers_dir,
                                 env=environment(args))
        for text in child.stdout:
            line = json.loads(text) if text.startswith("{") else {}
            found.update({ours: line for ours, row in wanted.items() if ours not in found and fits(line, row)})
            if len(found) == len(wanted):
                child.terminate()
                break
        child.stdout.close()
        child.wait()
        missing = [ours for ours in wanted if ours not in found]
        if missing:
            complaints.seek(0)
            last = (complaints.read().strip().splitlines() or ["it said nothing"])[-1]
            script = next((os.path.basename(word) for word in argv if word.endswith(".py")), argv[0])
            print(f"bench: {script} did not time {', '.join(missing)}: {last}", file=sys.stderr)
    return found
