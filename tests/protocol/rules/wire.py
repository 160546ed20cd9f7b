"""Bytes: signatures, frames, replay, JSON that a parser stumbles over."""
import json
import random
import socket

import zmq

from front_end import CHANNELS, DELIMITER
from suite import PATIENCE, Broken, expect, labels, rule, same, short, text_of

SIGNED = ("Messaging, The Wire Protocol: the signature authenticates; Kernels: “so that other users on the system "
          "can't send code to run”")
WIRE = "Messaging, The Wire Protocol"
SURVIVES = "Users: one broken sender must not end everyone's session"
REPLAY = ("Messaging, The Wire Protocol: jupyter_client's Session, the reference, refuses a digest it has seen; "
          "whoever recorded a cell could run it again")


def code_parts(it, client, text="it ran"):
    """A cell that would show that it ran."""
    content = {"code": it.snippets("print", text=text), "silent": False, "store_history": True,
               "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
    return client.parts("execute_request", json.dumps(content).encode())


def refused(it, client, channel="shell", patience=PATIENCE):
    """Nothing of what was sent was run or answered; the next good request is."""
    client.silent(channel, patience)
    client.still_works()


def wrong_signatures(kernel, parts):
    good = kernel.sign(parts)
    yield "shorter", [good[:n] for n in range(64)]
    yield "longer", [good + good[:n] for n in (1, 2, 64, 1000)] + [b"0" + good, good + b"\0"]
    yield "in upper case", [good.upper()]
    yield "with a changed character", [good[:i] + (b"0" if good[i:i + 1] != b"0" else b"1") + good[i + 1:]
                                       for i in range(64)]
    yield "with a flipped bit", [good[:i] + bytes([good[i] ^ 1 << i % 8]) + good[i + 1:] for i in range(64)]
    foreign = (b"another key", kernel.key[:-1], kernel.key + b"\0x")
    yield "of a foreign key", [kernel.sign(parts, key) for key in foreign]
    yield "of other bytes", [b"0" * 64, b"\0" * 64, good[::-1], b"\xff" * 64, b"x" * 100_000]


HOW = ("shorter", "longer", "in upper case", "with a changed character", "with a flipped bit",
       "of a foreign key", "of other bytes")


@rule("signatures", "a signature {how} on {channel}", "a cell with a signature {how} is not run and not answered",
      SIGNED, channel=("shell", "control"), how=HOW,
      whole="a cell is not run and not answered if its signature is shorter (0 to 63), longer, in upper case, "
            "changed in a character or a bit, of a foreign key, or of other bytes; shell and control")
def signature(it, channel, how):
    kernel = it.kernel()
    client = kernel.client
    while True:
        parts = code_parts(it, client)[1]
        good = kernel.sign(parts)
        if good.upper() != good:
            break
    for bad in dict(wrong_signatures(kernel, parts))[how]:
        client.throw([DELIMITER, bad, *parts], channel)
    refused(it, client, channel)


@rule("signatures", "a flipped bit in the message",
      "a signed cell with one bit flipped in a part is not run and not answered",
      SIGNED)
def flipped(it):
    kernel = it.kernel()
    client = kernel.client
    parts, luck = code_parts(it, client)[1], random.Random(3)
    good = kernel.sign(parts)
    for _ in range(it.pick(10_000, 500)):
        broken = [bytearray(part) for part in parts]
        part = luck.choice(broken)
        part[luck.randrange(len(part))] ^= 1 << luck.randrange(8)
        client.throw([DELIMITER, good, *map(bytes, broken)])
    refused(it, client, patience=120)


@rule("signatures", "a moved frame boundary", "a cell whose bytes are cut into frames at other places is not run",
      SIGNED)
def moved(it):
    kernel = it.kernel()
    client = kernel.client
    parts = code_parts(it, client)[1]
    good, whole = kernel.sign(parts), b"".join(parts)
    edges = [len(parts[0]), len(parts[0]) + 2, len(parts[0]) + 4]
    for i, by in ((0, -1), (0, 1), (1, 1), (1, -1), (2, 1), (2, -2), (2, 2), (0, -20)):
        places = list(edges)
        places[i] += by
        if sorted(places) == places:
            cuts = [0, *places, len(whole)]
            client.throw([DELIMITER, good, *(whole[a:b] for a, b in zip(cuts, cuts[1:]))])
    client.ask("kernel_info_request")
    text = f"after {id(parts)}"
    seen = client.run(it.snippets("print", text=text))[1]
    same(text_of(seen), text + "\n", "text of the next cell")
    client.still_works()


@rule("signatures", "replay on {channel}", "a cell that is sent again byte for byte is not run again", REPLAY,
      channel=("shell", "control"))
def replay(it, channel):
    kernel = it.kernel()
    client = kernel.client
    first = run_once(it, client)
    client.throw(first, channel)
    refused(it, client, channel)


def run_once(it, client):
    msg_id, parts = code_parts(it, client, "once")
    frames = [DELIMITER, client.kernel.sign(parts), *parts]
    client.throw(frames)
    expect("once" in text_of(client.until_idle(msg_id)), "a good cell did not run")
    client.reply(msg_id)
    return frames


@rule("signatures", "replay after many others",
      "a cell is not run again either after 20,000 other messages (--short: 2,000)",
      REPLAY)
def late_replay(it):
    client = it.kernel().client
    first = run_once(it, client)
    for _ in range(it.pick(40, 4)):
        ids = [client.send("comm_close", {"comm_id": "x", "data": {}}) for _ in range(500)]
        client.until_idle(ids[-1], 60)
    client.throw(first)
    refused(it, client)


@rule("signatures", "no key", "with an empty key messages are not signed and signatures not looked at",
      "Messaging, The Wire Protocol: “To disable authentication and signature checking, set the key field … to an "
      "empty string”")
def no_key(it):
    kernel = it.kernel(key=b"")
    client = kernel.client
    msg_id, parts = client.parts()
    client.throw([DELIMITER, b"", *parts])
    same(client.reply(msg_id)["content"].get("status"), "ok", "status")


@rule("frames", "{count} identities", "all frames before the delimiter come back on the reply",
      "Messaging, The Wire Protocol: “zero or more socket identities”", count=(0, 1, 2, 3))
def identities(it, count):
    client = it.kernel().client
    ids = [b"one", b"\xff\0two", b""][:count]
    msg_id, parts = client.parts()
    client.sign_and_throw(parts, ids=ids)
    same(client.reply(msg_id)["frames"], ids, "before the reply's delimiter")


@rule("frames", "extra frames", "frames behind the content are buffers, not an error", WIRE)
def extra(it):
    client = it.kernel().client
    msg_id, parts = client.parts()
    client.sign_and_throw(parts, buffers=[b"buffer", b"", b"\0" * 100_000])
    same(client.reply(msg_id)["content"].get("status"), "ok", "status")


@rule("frames", "truncated messages on {channel}", "messages that lack frames do no harm", SURVIVES,
      whole="messages that lack frames do no harm on shell, control and stdin",
      channel=("shell", "control", "stdin"))
def truncated(it, channel):
    kernel = it.kernel()
    client = kernel.client
    parts = client.parts()[1]
    whole = [DELIMITER, kernel.sign(parts), *parts]
    for n in range(1, len(whole)):
        client.throw(whole[:n], channel)
        client.throw(whole[n:], channel)
    for frames in ([b""], [DELIMITER] * 6, [b"<ids|msg>", *whole[1:]], [b"x"] * 1000, [b""] * 50):
        client.throw(frames, channel)
    client.still_works()


@rule("frames", "random frames", "300 messages of random frames do no harm", SURVIVES)
def noise(it):
    client, luck = it.kernel().client, random.Random(11)
    for _ in range(300):
        frames = [luck.randbytes(luck.choice((0, 1, 9, 64, 300))) for _ in range(luck.randrange(1, 9))]
        if luck.random() < 0.7:
            frames.insert(luck.randrange(len(frames) + 1), DELIMITER)
        client.throw(frames, luck.choice(("shell", "control", "stdin")))
    client.still_works()


@rule("frames", "bytes that are no ZMTP", "a scanner that speaks to the ports does no harm", SURVIVES)
def scanner(it):
    kernel, luck = it.kernel(), random.Random(12)
    for name in CHANNELS:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", kernel.connection[f"{name}_port"])) as one:
                one.sendall(luck.randbytes(200))
    kernel.client.still_works()


@rule("frames", "odd subscriptions", "topics that are no text and traffic that is no subscription do no harm",
      SURVIVES)
def odd_topics(it):
    kernel = it.kernel()
    one = kernel.context.socket(zmq.XSUB)
    one.connect(kernel.endpoint("iopub"))
    for frame in (b"", b"\1\xff\xfe", b"\2x", b"\0", b"x" * 5000, b"\1" + b"t" * 3000):
        one.send(frame)
    kernel.client.still_works()
    one.close(0)
    kernel.client.still_works()


@rule("frames", "a header that cannot be read", "signed messages with headers that are no header do no harm",
      SURVIVES)
def headers(it):
    client = it.kernel().client
    good = client.parts()[1]
    deep = b"[" * 5000 + b"]" * 5000
    for header in (b"", b"{", b"[]", b"null", b"1", b"\xff", b"{}", b'{"msg_id":"a"}', deep,
                   b'{"msg_type":1,"msg_id":"a"}', b'{"msg_type":"kernel_info_request"}',
                   b'{"msg_type":"a","msg_id":{}}', b'{"a":' * 4000 + b"1" + b"}" * 4000,
                   good[0] + b"}", good[0][:-1] + b',"msg_type":"x"}'):
        client.sign_and_throw([header, *good[1:]])
    client.sent.clear()  # whatever comes back is not a copy of the header that was made first
    client.still_works()


LEGAL = {
    "half of a surrogate pair": b'"\\ud83d"', "NUL": b'"a\\u0000b"',
    "an integer beyond 64 bits": b"123456789012345678901234567890", "1e999": b"1e999",
    "forty levels": b"[" * 40 + b"]" * 40, "a NUL in a key": b'{"a\\u0000b": 1}',
    "a key twice": b'{"a": 1, "a": 2}', "half of a pair as key": b'{"\\udc31": 1}',
}
ILLEGAL = {
    "NaN": b'{"code":"$","x":NaN}', "Infinity": b'{"code":"$","x":-Infinity}',
    "bytes that are no UTF-8": b'{"code":"$\xff"}', "half of it": b'{"code": "', "nothing": b"",
    "a list": b"[]", "more behind it": b"{} {}", "a raw NUL": b'{"code":"$\0b"}',
    "a hundred thousand levels": b"[" * 100_000,
}
LEGAL_JSON = ("RFC 8259; Messaging, Execute: “the kernel always sends a reply”; "
              "JSON.stringify and json.dumps write such")
NO_JSON = "Users: a cell without reply and idle stays busy for ever"


@rule("JSON", "{what}", "a cell's content with {what}, which is JSON, gets a reply and idle", LEGAL_JSON,
      whole="content that is JSON gets a reply and idle: " + ", ".join(LEGAL),
      what=tuple(LEGAL))
def legal(it, what):
    client = it.kernel().client
    code = json.dumps(it.snippets("print", text="legal"))
    content = b'{"code": %s, "silent": false, "x": %s}' % (code.encode(), LEGAL[what])
    answered(it, client, *client.parts("execute_request", content))


@rule("JSON", "{what} in the code", "a cell with {what} in its text gets a reply and idle", LEGAL_JSON,
      whole="code with half of a surrogate pair, or NUL, gets a reply and idle",
      what=("half of a surrogate pair", "NUL"))
def in_code(it, what):
    client = it.kernel().client
    code = it.snippets("comment", text="猫")[:-1].encode() + LEGAL[what][1:-1]
    answered(it, client, *client.parts("execute_request", b'{"code": "%s", "silent": false}' % code))


@rule("JSON", "no JSON: {what}", "a signed cell whose content is {what}: an error reply and idle, not silence",
      NO_JSON, what=tuple(ILLEGAL),
      whole="signed content that is no JSON gets an error reply and idle: " + ", ".join(ILLEGAL))
def illegal(it, what):
    client = it.kernel().client
    code = json.dumps(it.snippets("print", text="illegal"))[1:-1].encode()
    answered(it, client, *client.parts("execute_request", ILLEGAL[what].replace(b"$", code)))


# Behind a header's fields, in place of its last bracket.
HEADERS = {
    "NaN": b',"x":NaN}', "half of it missing": b',"x":', "bytes that are no UTF-8": b',"x":"\xff"}',
    "a key twice": b',"x":1,"x":2}', "an integer beyond 64 bits": b',"x":123456789012345678901234567890}',
    "two hundred levels": b',"x":' + b"[" * 200 + b"]" * 200 + b"}", "half of a surrogate pair": b',"x":"\\ud83d"}',
}


@rule("JSON", "a header with {what} on {channel}",
      "a signed request whose header has {what} besides its fields: a reply and idle, not silence", NO_JSON,
      whole="signed requests whose header cannot be read, or only by some, get a reply and idle on shell and "
            "control: "
      + ", ".join(HEADERS), channel=("shell", "control"), what=tuple(HEADERS))
def odd_header(it, channel, what):
    client = it.kernel().client
    msg_id, parts = client.parts()
    client.sent.pop(msg_id)  # what comes back need not be a copy of it
    answered(it, client, msg_id, [parts[0][:-1] + HEADERS[what], *parts[1:]], channel)


@rule("JSON", "{part} that is {what}", "a signed cell whose {part} is {what}: a reply and idle, not silence", NO_JSON,
      whole="signed cells whose parent_header or metadata is nothing, half of it, a list or NaN get a reply and idle",
      part=("parent_header", "metadata"), what=("nothing", "half of it", "a list", "NaN"))
def odd_part(it, part, what):
    client = it.kernel().client
    msg_id, parts = code_parts(it, client)
    parts[("parent_header", "metadata").index(part) + 1] = {
        "nothing": b"", "half of it": b'{"a":', "a list": b"[]", "NaN": b'{"a":NaN}'}[what]
    answered(it, client, msg_id, parts)


KINDS = {"code": 5, "silent": "x", "store_history": "x", "user_expressions": [1], "stop_on_error": {},
         "allow_stdin": "x"}


@rule("JSON", "{field} of a wrong kind",
      "a cell whose {field} is of another kind than the protocol says: an error reply and idle",
      "Messaging, Execute, names the kinds; "
      "Users: a cell that runs as if nothing had been said hides the sender's fault",
      whole="a cell with a field of another kind than the protocol says gets an error reply and idle: "
            + ", ".join(KINDS),
      field=tuple(KINDS))
def wrong_kind(it, field):
    client = it.kernel().client
    content = {"code": it.snippets("print", text="ran"), "silent": False, "store_history": True,
               "user_expressions": {}, "allow_stdin": False, "stop_on_error": False, field: KINDS[field]}
    msg_id, parts = client.parts("execute_request", json.dumps(content).encode())
    reply = answered(it, client, msg_id, parts)
    same(reply["content"].get("status"), "error", "status")


def answered(it, client, msg_id, parts, channel="shell"):
    client.sign_and_throw(parts, channel)
    try:
        reply = client.reply(msg_id, channel, PATIENCE / 2)
        seen = client.until_idle(msg_id, PATIENCE / 2)
    except Broken as reason:
        try:
            client.still_works()
        except Broken as worse:
            raise Broken(f"{reason}; then: {worse}") from None
        raise Broken(f"{reason}; later cells work") from None
    expect(reply["content"].get("status") in ("ok", "error"), f"reply: {short(reply['content'])}")
    same(labels(seen)[-1], "idle", "last on iopub")
    client.still_works()
    return reply
