"""Bytes from nobody we know: wrong signatures and broken frames get no answer and do no harm; what a good
signature covers and cannot be read, in whichever part, gets an error reply under its right parent."""
import json
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


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("bytes_", [b"", b"no JSON", b"[]", b"[" * 100_000, b'{"a":NaN}'])
def test_bad_parent_or_metadata_gets_an_error_reply(client, kernel, part, bytes_):
    msg_id, parts = parts_of(client)
    parts[part] = bytes_
    throw(client, [DELIMITER, kernel.sign(parts), *parts])
    content = client.reply(msg_id)["content"]
    assert content["status"] == "error" and content["ename"] == "BadMessage"
    name = ("header", "parent_header", "metadata")[part]
    assert content["evalue"].startswith(f"the request's {name} cannot be read: ")
    assert [label(m) for m in client.until_idle(msg_id)] == ["busy", "idle"]


# Behind msg_id, msg_type and session of a header, in place of its last bracket.
HEADERS = {
    "NaN": b',"x":NaN}', "half of it": b",", "a key twice": b',"x":1,"x":2}', "not UTF-8": b',"username":"\xffa"}',
    "huge number": b',"x":123456789012345678901234567890}', "deep": b',"x":' + b"[" * 200 + b"]" * 200 + b"}",
    "very deep": b',"x":' + b"[" * 60_000, "exponent": b',"x":1e999}', "NUL key": b',"a\\u0000b":1}',
    "too long": b',"x":"' + b"x" * 65_536 + b'"}', "tail": b"} {}", "raw NUL": b',"x":"\0"}',
}


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("msg_type", ["execute_request", "kernel_info_request", "history_request", "debug_request"])
@pytest.mark.parametrize("what", HEADERS)
def test_a_header_that_cannot_be_read_gets_an_error_reply(client, kernel, what, msg_type, channel):
    """Under a parent that has what could be read of it, and can be read by anybody."""
    msg_id = f"{what} {msg_type} {channel}"  # or it were a replay
    begin = {"msg_id": msg_id, "msg_type": msg_type, "session": "half a pair: \ud83d, 猫"}
    parts = [json.dumps(begin).encode()[:-1] + HEADERS[what], b"{}", b"{}", b'{"code":"%echo ran"}']
    throw(client, [DELIMITER, kernel.sign(parts), *parts], channel)
    reply = client.reply(msg_id, channel)
    assert reply["type"] == msg_type.replace("_request", "_reply")
    assert reply["content"]["status"] == "error" and reply["content"]["ename"] == "BadMessage"
    assert reply["content"]["evalue"].startswith("the request's header ")
    seen = client.until_idle(msg_id)
    assert [label(m) for m in seen] == ["busy", "idle"]
    mended = {**begin, "session": "half a pair: \ufffd, 猫"}
    if what == "not UTF-8":
        mended["username"] = "\ufffda"
    assert all({key: one for key, one in m["whole_parent"].items()} == mended for m in (reply, *seen))


def test_a_header_without_an_id_gets_an_error_reply(client, kernel):
    parts = [b'{"msg_type":"kernel_info_request","session":"s"}', b"{}", b"{}", b"{}"]
    throw(client, [DELIMITER, kernel.sign(parts), *parts])
    reply = client.reply(None)
    assert reply["whole_parent"] == {"msg_type": "kernel_info_request", "session": "s"}
    assert reply["content"]["evalue"] == "the request's header has no msg_id that is text"
    assert [label(m) for m in client.until_idle(None)][-2:] == ["busy", "idle"]


@pytest.mark.parametrize("header", [b"", b"[]", b"null", b'{"msg_id":"a"}', b'{"msg_id":"a","msg_type":7}', b"\xff",
                                    b'["msg_type","execute_request"]', b"[" * 1_000_000])
def test_a_header_that_names_no_type_is_said_on_the_log(client, kernel, header):
    """Nobody can tell what the reply would be called."""
    before = (kernel.folder / "kernel.log").read_text().count("has no msg_type")
    parts = [header, b"{}", b"{}", b"{}"]
    throw(client, [DELIMITER, kernel.sign(parts), *parts])
    assert ignored(client)
    log = (kernel.folder / "kernel.log").read_text()
    assert log.count("has no msg_type") == before + 1, log


def test_the_log_has_room_for_more_than_strangers(tmp_path):
    """After 256 lines one stands for as many as all before."""
    with Kernel() as kernel:
        client = kernel.client
        for _ in range(3000):
            throw(client, [DELIMITER, b"no signature", b"{}", b"{}", b"{}", b"{}"])
        assert ignored(client)
        lines = (kernel.folder / "kernel.log").read_text().splitlines()
        assert sum("ignored a message" in line for line in lines) == 256
        assert [line for line in lines if "so far" in line] == [
            f"[cutaway] ignored {count} messages so far, the last of them a message whose signature does not match "
            "the key"
            for count in (512, 1024, 2048)]


@pytest.mark.parametrize("msg_type, content, said", [
    ("execute_request", {"code": 7}, '"code" of this execute_request is a number; a text is wanted'),
    ("execute_request", {"code": "%echo ran", "silent": "yes"}, '"silent" of this execute_request is a text;'),
    ("execute_request", {"code": "%echo ran", "user_expressions": [1]}, '"user_expressions"'),
    ("execute_request", {"code": "%echo ran", "user_expressions": {"a": 1}}, '"a" in "user_expressions"'),
    ("complete_request", {"code": "%", "cursor_pos": "x"}, '"cursor_pos"'),
    ("inspect_request", {"code": [], "cursor_pos": 1}, '"code"'),
    ("is_complete_request", {"code": False}, '"code" of this is_complete_request is false'),
    ("history_request", {"hist_access_type": "tail", "n": "3"}, '"n"'),
    ("comm_info_request", {"target_name": 7}, '"target_name"'),
    ("shutdown_request", {"restart": "no"}, '"restart"'),
])
def test_fields_of_a_wrong_kind_get_an_error_reply(client, msg_type, content, said):
    """And nothing is done, as if nothing had been said."""
    reply, labels = client.ask(msg_type, content)
    assert reply["type"] == msg_type.replace("_request", "_reply")
    assert reply["content"]["status"] == "error" and reply["content"]["ename"] == "BadMessage"
    assert reply["content"]["evalue"].startswith(said)
    assert labels == ["busy", "idle"]


def test_null_and_what_is_unknown_are_absent(client):
    """Clients write null for what their language calls None or nil."""
    msg_id = client.send("execute_request", {"code": "%echo a", "silent": None, "stop_on_error": None,
                                             "user_expressions": None, "new": {"field": []}})
    assert [label(m) for m in client.until_idle(msg_id)] == ["busy", "execute_input", "stream", "idle"]
    assert client.reply(msg_id)["content"]["status"] == "ok"
    for content in ({"code": None, "cursor_pos": None}, {"cursor_pos": 1e300}, {}):
        assert client.ask("complete_request", content)[0]["content"]["status"] == "ok"
        assert client.ask("inspect_request", content)[0]["content"]["found"] is False


def test_an_answer_on_stdin_that_cannot_be_read(client, kernel):
    """It answers nothing; the reader is still asked."""
    cell = client.start("%ask name", allow_stdin=True)
    asked = client.read("stdin")
    for bad in ((2, b"["), (1, b"["), (3, b"["), (0, None)):
        msg_id, parts = parts_of(client, "input_reply", b'{"value":"wrong"}')
        parts[bad[0]] = bad[1] if bad[1] else parts[0][:-1] + b',"x":NaN}'
        throw(client, [DELIMITER, kernel.sign(parts), *parts], "stdin")
    client.send("input_reply", {"value": "right"}, "stdin")
    seen = client.until_idle(cell)
    assert asked["type"] == "input_request" and client.reply(cell)["content"]["status"] == "ok"
    assert not any("wrong" in str(m["content"]) for m in seen)


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
