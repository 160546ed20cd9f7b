"""What a kernel and its worker hold, as the system tells it, and the frame that both endurance tests share."""
import argparse
import collections
import os
import pathlib
import random
import re
import sys
import time
import traceback

SHARED = pathlib.Path(os.environ.get("CUTAWAY_SHARED", "../shared"))
MODELS = SHARED / "golden/data/models"  # of some 100 KB each

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "protocol"))
from front_end import gone  # noqa: E402


def descriptors(pid):
    """What a process holds open: number -> what it is."""
    found = {}
    for one in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(one.name)] = os.readlink(one)
        except FileNotFoundError:
            pass  # closed since
    return found


def kinds(pid):
    """How many descriptors of each kind a process holds. Those of the history, which SQLite opens and closes
    when it wants, are not counted."""
    held = (re.sub("[0-9]+", "N", one) for one in descriptors(pid).values() if "/data/cutaway" not in one)
    return collections.Counter(held)


def status(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def threads(pid):
    """How many there are. Pango's, which look for fonts, come and go: wait until it is as it was."""
    return status(pid, "Threads")


def resident(pid):
    """Megabytes of its own. Pages that the system may take away are not counted: those of mapped files, and
    those set free to be used again."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    told = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return (told["Anonymous"] - told["LazyFree"]) / 1024


def sanitizer(pid):
    """Which one is built in; none is ""."""
    text = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return next((one for one in ("libasan", "libtsan") if one in text), "")


def alive(pid):
    """Whether the process is there, zombies included."""
    return pathlib.Path(f"/proc/{pid}").exists()


def living(kernel):
    """The kernel's processes that have not ended. A look at files that came too late is buried by the next one."""
    return [pid for pid in kernel.children() if not gone(pid)]


def options(text, count):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    return parser


def judge(name, args, story):
    """Tells the story with its dice; prints what came of it and returns the exit status."""
    began = time.monotonic()
    try:
        told = story(args, random.Random(args.seed))
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        print(f"{name} failed: --count {args.count} --seed {args.seed}\n0 passed, 1 failed")
        return 1
    print(f"{name}: {told}; seed {args.seed}, {time.monotonic() - began:.0f} s\n1 passed, 0 failed")
    return 0
