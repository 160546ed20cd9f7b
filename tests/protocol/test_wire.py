"""Bytes from nobody we know: wrong signatures and broken frames get no answer and do no harm; bad
JSON under a good signature gets an error reply under its right parent."""
import json
import random
import socket

import pytest
import zmq

from front_end import DELIMITER, Kernel, label



def parts_of(client, msg_type="kernel_info_request", content=b"{}", **more):
    header = client.header(msg_type, **more)
    client.sent[header["msg_id"]] = header
    return header["msg_id"], [json.dumps(header).encode(), b"{}", b"{}", content]


def ignored(client, channel="shell"):
    """Nothing came back for what was sent, and a good request is still answered."""
    assert client.read(channel, 0.02) is None
    assert client.quiet()
    return True


def throw(client, frames, channel="shell"):
    client.sockets[channel].send_multipart(frames)


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_wrong_signatures(client, kernel, channel):
    _, parts = parts_of(client)
    good = kernel.sign(parts)
    bad = [good[:n] for n in range(64)]
    bad += [good + good[:n] for n in (1, 2, 64, 1000)]
    bad += [good.upper(), b"0" * 64, b"\0" * 64, kernel.sign(parts, b"another key"), good[::-1]]
    for i in range(64):
        flipped = bytearray(good)
        flipped[i] ^= 1
        bad.append(bytes(flipped))
    for signature in bad:
        if signature != good:
            throw(client, [DELIMITER, signature, *parts], channel)
    assert ignored(client, channel)


def test_every_flipped_bit_is_seen(client, kernel):
    _, parts = parts_of(client)
    good, luck = kernel.sign(parts), random.Random(3)
    for _ in range(200):
        broken = [bytearray(part) for part in parts]
        part = luck.choice(broken)
        part[luck.randrange(len(part))] ^= 1 << luck.randrange(8)
        throw(client, [DELIMITER, good, *map(bytes, broken)])
    assert ignored(client)


def test_upper_case_alone_is_refused(client, kernel):
    """The digest is the same, but only one spelling of it counts."""
    while True:
        _, parts = parts_of(client)
        if kernel.sign(parts).upper() != kernel.sign(parts):
            break
    throw(client, [DELIMITER, kernel.sign(parts).upper(), *parts])
    assert ignored(client)


def test_truncated_messages(client, kernel):
    _, parts = parts_of(client)
    whole = [DELIMITER, kernel.sign(parts), *parts]
    for n in range(1, len(whole)):
        throw(client, whole[:n])
        throw(client, whole[n:])
    throw(client, [b""])
    throw(client, [DELIMITER] * 6)
    throw(client, [b"<ids|msg>", *whole[1:]])
    throw(client, [b"x"] * 1000)
    assert ignored(client)


@pytest.mark.parametrize("ids", [[], [b"one"], [b"one", b"", b"\xff\0three"]])
def test_all_identities_come_back(client, kernel, ids):
    msg_id, parts = parts_of(client)
    throw(client, [*ids, DELIMITER, kernel.sign(parts), *parts])
    assert client.reply(msg_id)["frames"] == ids
    client.until_idle(msg_id)


def test_extra_frames_are_buffers(client, kernel):
    msg_id, parts = parts_of(client)
    throw(client, [DELIMITER, kernel.sign(parts), *parts, b"buffer", b"\0" * 100000])
    assert client.reply(msg_id)["content"]["status"] == "ok"
    client.until_idle(msg_id)


def test_headers_that_cannot_be_read(client, kernel):
    good = parts_of(client)[1]
    deep = b"[" * 5000 + b"]" * 5000
    for header in (b"", b"{", b"[]", b"null", b"1", b"\xff", b"{}", b'{"msg_id":"a"}', deep,
                   b'{"msg_type":1,"msg_id":"a"}', b'{"msg_type":"kernel_info_request"}',
                   b'{"msg_type":"a","msg_id":{}}', b'{"a":' * 4000 + b"1" + b"}" * 4000,
                   b'{"msg_id":"a","msg_type":"' + b"x" * 100_000 + b'"}', good[0] + b"}",
                   good[0][:-1] + b',"msg_type":"x"}'):
        parts = [header, *good[1:]]
        throw(client, [DELIMITER, kernel.sign(parts), *parts])
    assert ignored(client)


BAD = {
    "empty": b"", "open": b'{"code": "', "list": b"[]", "not UTF-8": b'{"code":"\xff"}',
    "deep": b'{"a":' * 101 + b"1" + b"}" * 101, "very deep": b"[" * 1_000_000,
    "twice": b'{"code":"a","code":"b"}', "NaN": b'{"code":"a","x":NaN}', "tail": b"{} {}",
    "huge number": b'{"x":123456789012345678901234567890}', "NUL key": b'{"a\\u0000b":1}',
    "raw NUL": b'{"code":"a\0b"}', "Infinity": b'{"x":-Infinity}', "exponent": b'{"x":1e999}',
}


@pytest.mark.parametrize("msg_type", ["execute_request", "complete_request", "history_request"])
@pytest.mark.parametrize("what", BAD)
def test_bad_content_gets_an_error_reply(client, kernel, what, msg_type):
    msg_id, parts = parts_of(client, msg_type, BAD[what])
    throw(client, [DELIMITER, kernel.sign(parts), *parts])
    reply = client.reply(msg_id)
    assert reply["type"] == msg_type.replace("_request", "_reply")
    assert reply["content"]["status"] == "error" and reply["content"]["ename"] == "BadMessage"
    assert [label(m) for m in client.until_idle(msg_id)] == ["busy", "idle"]


@pytest.mark.parametrize("content, shown", [
    (b'{"code":"%echo a\\ud83d b"}', "a\ufffd b\n"),
    (b'{"code":"%echo \\udc31\\ud83d\\udc31"}', "\ufffd🐱\n"),
    (b'{"code":"%echo \\ud83d\\ud83d\\udc31"}', "\ufffd🐱\n"),
])
def test_half_characters_become_replacement_marks(client, kernel, content, shown):
    msg_id, parts = parts_of(client, "execute_request", content)
    throw(client, [DELIMITER, kernel.sign(parts), *parts])
    seen = client.until_idle(msg_id)
    assert seen[2]["content"] == {"name": "stdout", "text": shown}
    client.reply(msg_id)


def test_a_nul_in_a_cell(client):
    reply, seen = client.run("%echo a\0b")
    assert reply["content"]["status"] in ("ok", "error")


def test_odd_fields_are_ignored(client):
    msg_id = client.send("execute_request", {"code": 7, "silent": "yes", "user_expressions": [1],
                                             "stop_on_error": None, "new": {"field": []}})
    assert [label(m) for m in client.until_idle(msg_id)] == ["busy", "execute_input", "idle"]
    assert client.reply(msg_id)["content"]["status"] == "ok"
    for content in ({"code": None, "cursor_pos": "x"}, {"cursor_pos": 1e300}, {}):
        assert client.ask("complete_request", content)[0]["content"]["status"] == "ok"
        assert client.ask("inspect_request", content)[0]["content"]["found"] is False


def test_parent_and_metadata_of_a_request_are_not_read(client, kernel):
    msg_id, parts = parts_of(client)
    parts[1], parts[2] = b"no JSON", b"[" * 100_000
    throw(client, [DELIMITER, kernel.sign(parts), *parts])
    assert client.reply(msg_id)["content"]["status"] == "ok"
    client.until_idle(msg_id)


def test_a_frame_larger_than_any_message(kernel, client):
    """The sender loses its connection; others do not notice."""
    with zmq.Context() as context:
        one = context.socket(zmq.DEALER)
        one.linger = 0
        one.connect(kernel.endpoint("shell"))
        one.send_multipart([DELIMITER, b"x" * (65 << 20)])
        one.poll(300)
        one.close()
    assert ignored(client)


def test_random_frames(client, kernel):
    luck = random.Random(11)
    for _ in range(300):
        frames = [luck.randbytes(luck.choice((0, 1, 9, 64, 300))) for _ in range(luck.randrange(1, 9))]
        if luck.random() < 0.7:
            frames.insert(luck.randrange(len(frames) + 1), DELIMITER)
        throw(client, frames, luck.choice(("shell", "control", "stdin")))
    assert ignored(client)


def test_bytes_that_are_no_zmtp(client, kernel):
    luck = random.Random(12)
    for name in ("shell", "control", "iopub", "hb"):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", kernel.connection[f"{name}_port"])) as one:
                one.sendall(luck.randbytes(200))
    while message := client.read("iopub", 0.2):  # some bytes pass for an old subscriber's
        assert label(message) == "iopub_welcome"
    assert ignored(client)


def test_odd_subscriptions(client, kernel):
    """Topics that are no text, and traffic that is no subscription, are passed over."""
    with zmq.Context() as context:
        one = context.socket(zmq.XSUB)
        one.linger = 0
        one.connect(kernel.endpoint("iopub"))
        for bytes_ in (b"", b"\1\xff\xfe", b"\2x", b"\0", b"x" * 5000, b"\1" + b"t" * 3000):
            one.send(bytes_)
        one.poll(100)
        one.close()
    assert ignored(client)


def test_no_key_means_no_signatures():
    with Kernel(key=b"") as kernel:
        client = kernel.client
        msg_id, parts = parts_of(client)
        throw(client, [DELIMITER, b"anything", *parts])
        assert client.reply(msg_id)["content"]["status"] == "ok"
