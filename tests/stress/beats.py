#!/usr/bin/env python3
"""Heartbeats, ten a second for --count seconds, while cells compute on all cores: none is lost, and none comes
later than Jupyter waits. Completions between them are answered too. CUTAWAY_MODELS holds smollm2.gguf."""
import sys
import time

import watch  # first: it says where front_end is
from front_end import Client, Kernel

MISSED_S = 1  # Jupyter takes a kernel for dead then
BEAT_S = 0.1
CELL = "%%generate --model smollm2 --max 4000 --temperature 1 --seed 1\nIt was"


def p99(times):
    return sorted(times)[int(len(times) * 0.99)] * 1e3


def story(args, luck):
    with Kernel() as kernel:
        client = kernel.client
        content = client.run("%model load smollm2")[0]["content"]
        assert content["status"] == "ok", content
        asker = Client(kernel).settle()
        heart, beats, answers = client.sockets["hb"], [], []
        cell, end = client.execute(CELL), time.monotonic() + args.count
        while time.monotonic() < end:
            began = time.monotonic()
            heart.send(luck.randbytes(luck.randrange(20)))
            assert heart.poll(60000), "a heartbeat was lost"
            heart.recv()
            beats.append(time.monotonic() - began)
            if client.read("shell", 0):
                cell = client.execute(CELL)
            began = time.monotonic()
            asker.reply(asker.send("complete_request", {"code": "%%attention --la", "cursor_pos": 16}))
            answers.append(time.monotonic() - began)
            for one in (client, asker):
                while one.read("iopub", 0):
                    pass
                one.ids.clear()
            time.sleep(max(0, BEAT_S - (time.monotonic() - began)))
        late = sum(one > MISSED_S for one in beats)
        assert not late, f"{late} of {len(beats)} heartbeats came after more than {MISSED_S} s"
        kernel.interrupt()
        assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
        return (f"{len(beats)} heartbeats under load, p99 {p99(beats):.1f} ms, latest {max(beats) * 1e3:.0f} ms, "
                f"none missed; completions p99 {p99(answers):.1f} ms")


if __name__ == "__main__":
    sys.exit(watch.judge("beats", watch.options(__doc__, 600).parse_args(), story))
