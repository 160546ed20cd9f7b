"""Bytes from nobody we know: wrong signatures and broken frames get no answer and do no harm; bad
JSON under a good signature gets an error reply under its right parent."""
import json
import socket

import pytest
import zmq

from front_end import DELIMITER, label



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
