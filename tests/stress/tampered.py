#!/usr/bin/env python3
"""Messages with one thing wrong each, in parts that no JSON reader would take: all refused for their signature
or their frames, so before anything is parsed; none is answered, and the kernel lives.

    a bit of the signature, of the key or of one of the four signed parts; a signature that is shorter, longer,
    in upper case or of another message; a boundary between two parts elsewhere; a part too few
"""
import collections
import json
import sys

import watch  # first: it says where front_end is
from front_end import DELIMITER, Kernel

EACH = 250  # to one kernel: its log tells of the first 256 one by one
REFUSED = ("signature", "frames")  # what the log says of those


def flipped(luck, bytes_):
    at = luck.randrange(len(bytes_))
    return bytes_[:at] + bytes([bytes_[at] ^ 1 << luck.randrange(8)]) + bytes_[at + 1:]


def tampered(luck, kernel, client):
    """Frames, and what is wrong with them."""
    code = "x" * luck.randrange(1, 200)
    parts = [json.dumps(client.header("execute_request")).encode(), b"{}", b"{}",
             json.dumps({"code": f"%echo {code}", "silent": False}).encode()]
    good = kernel.sign(parts)
    how = luck.choice(("signature", "key", "part", "short", "long", "case", "other", "boundary", "few"))
    if how == "signature":
        sign = flipped(luck, good)
    elif how == "key":
        sign = kernel.sign(parts, flipped(luck, kernel.key))
    elif how == "short":
        sign = good[:luck.randrange(64)]
    elif how == "long":
        sign = good + good[:luck.randrange(1, 64)]
    elif how == "case":
        sign = good.upper() if good.upper() != good else good[1:]
    elif how == "other":
        sign = kernel.sign([*parts[:3], b"{}"])
    else:
        sign = good
    if how == "part":
        which = luck.randrange(4)
        parts[which] = flipped(luck, parts[which])
    elif how == "boundary":  # the same bytes in all: two lengths are another message for who counts frames
        whole = b"".join(parts)
        parts = [whole[:7], whole[7:40], whole[40:]]
    elif how == "few":
        parts.pop(luck.randrange(4))
    return [DELIMITER, sign, *parts], how


def sent(count, luck, kinds):
    """Sends so many to a kernel, and looks what came of it; how many the log says were refused."""
    with Kernel() as kernel:
        client = kernel.client
        before = client.run("%echo a")[0]["content"]["execution_count"]
        for _ in range(count):
            frames, how = tampered(luck, kernel, client)
            kinds[how] += 1
            client.sockets[luck.choice(("shell", "control"))].send_multipart(frames)
        assert client.quiet(), "a message that was tampered with had an effect"
        reply, _ = client.ask("comm_info_request", channel="control")
        assert reply["content"]["status"] == "ok"
        for channel in ("shell", "control", "stdin", "iopub"):
            assert client.read(channel, 0.02) is None, f"something came on {channel}"
        assert client.run("%echo a")[0]["content"]["execution_count"] == before + 1
        log = (kernel.folder / "kernel.log").read_text().splitlines()
        return sum("ignored" in line and any(why in line for why in REFUSED) for line in log)


def story(args, luck):
    kinds, refused = collections.Counter(), 0
    for done in range(0, args.count, EACH):
        refused += sent(min(EACH, args.count - done), luck, kinds)
    assert refused == args.count, f"{refused} of {args.count} were refused for what was wrong with them"
    return (f"{args.count} messages, {refused} refused before JSON, none answered: "
            + ", ".join(f"{n} {how}" for how, n in kinds.most_common()))


if __name__ == "__main__":
    sys.exit(watch.judge("tampered", watch.options(__doc__, 10000).parse_args(), story))
