"""A cell asks its reader: who is asked, whose answer counts, and how the waiting ends."""
import json
import os
import signal
import time

import pytest

from front_end import DELIMITER, Client, Kernel, gone, label, wait_for


def ask(client, code="%ask Which word?", **content):
    """Starts a cell that asks: its id and the input_request."""
    cell = client.start(code, **{"allow_stdin": True, **content})
    request = client.read("stdin")
    assert request["type"] == "input_request" and request["parent"] == cell
    return cell, request


def answer(client, value, header=None, parent=None):
    """Sends an input_reply as JupyterLab does, with its question as parent, or none."""
    header = header or client.header("input_reply")
    parts = [json.dumps(part).encode() for part in (header, parent or {}, {}, {"value": value})]
    client.sockets["stdin"].send_multipart([DELIMITER, client.kernel.sign(parts), *parts])


def end(client, cell):
    """The cell's reply and what else it said."""
    seen = client.until_idle(cell)
    return client.reply(cell)["content"], seen


def text_of(seen):
    return [m["content"]["data"]["text/plain"] for m in seen if m["type"] == "display_data"][0]


@pytest.mark.parametrize("parent", [True, False])
def test_an_answer(client, parent):
    cell, request = ask(client, "%ask Which word comes 下一个？ --as guess")
    assert request["content"] == {"prompt": "Which word comes 下一个？", "password": False}
    answer(client, "the 猫 🐱", parent=request["header"] if parent else None)
    content, seen = end(client, cell)
    assert content["status"] == "ok"
    assert [label(m) for m in seen] == ["display_data", "idle"]
    assert "the 猫 🐱" in text_of(seen)
    assert "the 猫 🐱" in text_of(client.run("%show guess")[1])


def test_a_password_is_shown_nowhere(client):
    cell, request = ask(client, "%ask Your secret? --secret --as secret")
    assert request["content"] == {"prompt": "Your secret?", "password": True}
    answer(client, "sesame 芝麻", parent=request["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and "9 characters" in text_of(seen)
    seen += client.run("%show secret")[1]
    assert not any("sesame" in json.dumps(m["content"]) for m in seen)


def test_end_of_file(client):
    cell, request = ask(client)
    answer(client, "\x04", parent=request["header"])
    content, _ = end(client, cell)
    assert content["status"] == "error" and "ended the input" in content["evalue"]


@pytest.mark.parametrize("value, shown", [
    ("", ""), ("a\0b", "a\ufffdb"), ("\ud83d and", "\ufffd and"), ("two\nlines", "two"),
    ("\x04 is not alone", "is not alone"), ("猫" * 1000, "猫猫猫"), ("<b>&", "<b>&")])
def test_odd_answers(client, value, shown):
    cell, request = ask(client, "%ask Odd? --as odd")
    answer(client, value, parent=request["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and shown in text_of(seen)
    assert f"{len(value)}" in text_of(seen)


@pytest.mark.parametrize("size, status", [(1 << 20, "ok"), ((1 << 20) + 1, "error"),
                                          (8 << 20, "error")])
def test_huge_answers(client, size, status):
    cell, request = ask(client, "%ask Much? --as much")
    answer(client, "x" * size, parent=request["header"])
    content, _ = end(client, cell)
    assert content["status"] == status
    assert status == "ok" or f"{size} bytes" in content["evalue"]


def test_two_questions_in_a_cell(client):
    """What was written before a question stands above it."""
    cell, first = ask(client, "%echo before\n%ask One?\n%echo between\n%ask Two?")
    assert client.labels(1) == [("stream", cell)]
    answer(client, "1", parent=first["header"])
    second = client.read("stdin")
    assert second["content"]["prompt"] == "Two?"
    assert client.labels(2) == [("display_data", cell), ("stream", cell)]
    answer(client, "too late", parent=first["header"])
    answer(client, "2", parent=second["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and "2" in text_of(seen)


@pytest.mark.parametrize("content", [{"allow_stdin": False}, {"allow_stdin": None}])
def test_who_cannot_be_asked(client, content):
    cell = client.start("%ask Anyone?", **content)
    content, seen = end(client, cell)
    assert content["ename"] == "NotSupported" and "allow_stdin" in content["evalue"]
    assert client.read("stdin", 0.05) is None


def test_a_silent_cell_may_ask(client):
    cell, request = ask(client, silent=True)
    answer(client, "yes", parent=request["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and [label(m) for m in seen] == ["idle"]


def test_only_the_asker_is_asked(kernel, client):
    other = Client(kernel).settle()
    client.catch_up()
    cell, request = ask(client)
    assert other.read("stdin", 0.1) is None
    for parent in (request["header"], None):
        answer(other, "not mine", parent=parent)
    assert client.read("shell", 0.1) is None
    answer(client, "mine", parent=request["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and "mine" in text_of(seen)
    assert "not mine" not in text_of(seen)
    other.close()


def test_before_it_was_asked(client):
    """What is read before the question answers none. It goes by another way than the cell, so once in a
    while it comes after the question and is its answer: a later cell then shows that none was kept."""
    for _ in range(20):
        answer(client, "before it was asked")
        cell, request = ask(client)
        answer(client, "right", parent=request["header"])
        content, seen = end(client, cell)
        assert content["status"] == "ok"
        if "right" in text_of(seen):
            return
        assert "before it was asked" in text_of(seen)
    raise AssertionError("each question was answered by what had been sent before it")


def raw(client, parts, signature=None):
    client.sockets["stdin"].send_multipart(
        [DELIMITER, client.kernel.sign(parts) if signature is None else signature, *parts])


def test_what_is_no_answer(client):
    """The question stands until one comes that can be read."""
    cell, request = ask(client)
    head = json.dumps(client.header("input_reply")).encode()
    question = json.dumps(request["header"]).encode()
    good = b'{"value": "wrong"}'
    raw(client, [head, question, b"{}", good], b"0" * 64)
    raw(client, [head, question, b"{}", good], b"")
    raw(client, [head, b"not JSON", b"{}", good])
    raw(client, [head, b'{"msg_id": "another"}', b"{}", good])
    raw(client, [json.dumps(client.sent[cell]).encode(), question, b"{}", good])
    for content in (b"", b"{", b"[]", b"{}", b'{"value": 1}', b'{"value": null}', b'{"value": ["a"]}',
                    b'{"value": "\xff"}', b'{"value": "a", "value": "b"}'):
        raw(client, [json.dumps(client.header("input_reply")).encode(), question, b"{}", content])
    assert client.read("shell", 0.2) is None
    answer(client, "right", parent=request["header"])
    answer(client, "and again", parent=request["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and "right" in text_of(seen)


@pytest.mark.parametrize("by", ["message", "signal"])
def test_an_interrupt_while_it_waits(kernel, client, by):
    for _ in range(5):
        worker = kernel.children()
        cell, request = ask(client)
        stop = client.send("interrupt_request", channel="control") if by == "message" else None
        if not stop:
            kernel.interrupt()
        seen = client.until_idle(cell)
        assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
        if stop:
            client.reply(stop, "control")
            while not any(m["parent"] == stop and label(m) == "idle" for m in seen):
                seen.append(client.read("iopub"))
        assert kernel.children() == worker, "the worker was ended by force"
        answer(client, "too late", parent=request["header"])
        reply, seen = client.run("%echo untouched")
        assert reply["content"]["status"] == "ok"
        cell, request = ask(client)
        answer(client, "in time", parent=request["header"])
        content, seen = end(client, cell)
        assert "in time" in text_of(seen)


def test_an_answer_and_an_interrupt_at_once(kernel, client):
    for i in range(20):
        cell, request = ask(client)
        if i % 2:
            kernel.interrupt()
        answer(client, "a", parent=request["header"])
        if not i % 2:
            kernel.interrupt()
        content, _ = end(client, cell)
        assert content["status"] == "ok" or content["ename"] == "KeyboardInterrupt"
        assert client.run("%echo untouched")[0]["content"]["status"] == "ok"


def test_requests_are_answered_while_it_waits(client):
    cell, request = ask(client)
    for msg_type, content in (("kernel_info_request", {}), ("usage_request", {}),
                              ("complete_request", {"code": "%ech", "cursor_pos": 4})):
        msg_id = client.send(msg_type, content)
        assert client.labels(3) == [("busy", msg_id), ("idle", msg_id), ("busy", cell)]
        client.reply(msg_id)
    queued = client.execute("%echo next")
    answer(client, "a", parent=request["header"])
    assert end(client, cell)[0]["status"] == "ok"
    client.until_idle(queued)
    assert client.reply(queued)["content"]["status"] == "ok"


def test_settings_wait_with_it(client):
    """What a front end sets and asks of the worker meanwhile is done when the cell is."""
    client.send("comm_open", {"comm_id": "c", "target_name": "cutaway", "data": {}})
    client.catch_up()
    cell, request = ask(client)
    for i, data in enumerate(({"ask": "set", "name": "seed", "value": "41"},
                              {"ask": "set", "name": "seed", "value": "42"},
                              {"ask": "tile", "result": "0" * 16, "series": "a", "at": []})):
        last = client.send("comm_msg", {"comm_id": "c", "data": {"id": i, **data}})
    answer(client, "a", parent=request["header"])
    client.until_idle(cell)
    client.until_idle(last)
    assert client.reply(cell)["content"]["status"] == "ok"
    client.send("comm_close", {"comm_id": "c", "data": {}})
    client.catch_up()
    reply, _ = client.run("%echo a", user_expressions={"s": "seed"})
    assert reply["content"]["user_expressions"]["s"]["data"]["text/plain"] == "42"
    client.run("%seed 0")


def test_a_death_while_it_waits(kernel, client):
    cell, request = ask(client)
    os.kill(kernel.children()[0], signal.SIGKILL)
    content, _ = end(client, cell)
    assert content["ename"] == "WorkerDied"
    answer(client, "too late", parent=request["header"])
    cell, request = ask(client)
    answer(client, "in time", parent=request["header"])
    content, seen = end(client, cell)
    assert content["status"] == "ok" and "in time" in text_of(seen)


@pytest.mark.parametrize("by", ["message", "signal"])
def test_shutdown_while_it_waits(by):
    with Kernel() as kernel:
        worker = kernel.children()[0]
        ask(kernel.client)
        if by == "message":
            kernel.client.send("shutdown_request", {"restart": False}, "control")
        else:
            kernel.process.send_signal(signal.SIGTERM)
        assert kernel.wait() == 0
        assert wait_for(lambda: gone(worker))


def test_a_client_that_leaves_holds_up_nobody(kernel, client):
    other = Client(kernel).settle()
    cell = other.send("execute_request", {"code": "%ask Anyone?", "allow_stdin": True})
    assert other.read("stdin")["parent"] == cell
    other.close()
    msg_id = client.send("interrupt_request", channel="control")
    client.reply(msg_id, "control")
    client.until_idle(cell)
    reply = client.execute("%echo free")
    client.until_idle(reply)
    assert client.reply(reply)["content"]["status"] == "ok"


def test_a_client_without_stdin(client):
    """It is not asked for ever; the cell says why."""
    other = Client(client.kernel, without="stdin").settle()
    cell = other.execute("%ask Anyone?", allow_stdin=True)
    content = other.reply(cell)["content"]
    assert content["ename"] == "NotSupported" and "stdin" in content["evalue"]
    other.close()
    client.catch_up()


def test_a_client_whose_stdin_comes_late(client):
    other = Client(client.kernel, without="stdin").settle()
    cell = other.execute("%ask Anyone?", allow_stdin=True)
    time.sleep(0.5)
    other.sockets["stdin"].connect(client.kernel.endpoint("stdin"))
    answer(other, "late", parent=other.read("stdin")["header"])
    assert other.reply(cell)["content"]["status"] == "ok"
    other.close()
    client.catch_up()
