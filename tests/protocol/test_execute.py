"""Cells: counters, silent and unstored ones, expressions, output, floods, characters cut in two."""
from front_end import label


def labels(seen):
    return [label(m) for m in seen]


def text_of(seen, name="stdout"):
    return "".join(m["content"]["text"] for m in seen
                   if m["type"] == "stream" and m["content"]["name"] == name)


def count(client):
    """The counter, asked for without moving it."""
    return client.run("", silent=True)[0]["content"]["execution_count"]


def test_ok(client):
    before = count(client)
    reply, seen = client.run("%echo 猫 🐱")
    assert labels(seen) == ["busy", "execute_input", "stream", "idle"]
    assert seen[1]["content"] == {"code": "%echo 猫 🐱", "execution_count": before + 1}
    assert seen[2]["content"] == {"name": "stdout", "text": "猫 🐱\n"}
    assert reply["content"] == {"status": "ok", "execution_count": before + 1, "payload": [],
                                "user_expressions": {}}
    assert reply["metadata"]["started"].endswith("Z")


def test_error(client):
    before = count(client)
    reply, seen = client.run("%no_such_command")
    assert labels(seen) == ["busy", "execute_input", "error", "idle"]
    content = reply["content"]
    assert content["status"] == "error" and content["execution_count"] == before + 1
    assert content["traceback"]
    assert seen[2]["content"] == {key: content[key] for key in ("ename", "evalue", "traceback")}


def test_empty(client):
    before = count(client)
    reply, seen = client.run("")
    assert labels(seen) == ["busy", "execute_input", "idle"]
    assert reply["content"]["execution_count"] == before + 1


def test_silent(client):
    before = count(client)
    reply, seen = client.run("%echo no one hears", silent=True)
    assert labels(seen) == ["busy", "idle"] and reply["content"]["status"] == "ok"
    reply, seen = client.run("%no_such_command", silent=True)
    assert labels(seen) == ["busy", "idle"] and reply["content"]["ename"] == "UnknownCommand"
    for code in ("%_test display a b", "%_test result x", "%_test streams"):
        assert labels(client.run(code, silent=True)[1]) == ["busy", "idle"]
    slowly = "%_test streams\n%_test sleep 0.2\n%_test streams"
    assert labels(client.run(slowly, silent=True)[1]) == ["busy", "idle"]
    assert count(client) == before


def test_text_shows_while_a_cell_runs(client):
    cell = client.start("%echo early\n%_test loop")
    assert client.read("iopub")["content"] == {"name": "stdout", "text": "early\n"}
    client.kernel.interrupt()
    client.until_idle(cell)
    client.reply(cell)


def test_unstored(client):
    before = count(client)
    reply, seen = client.run("%echo a", store_history=False)
    assert labels(seen) == ["busy", "execute_input", "stream", "idle"]
    assert seen[1]["content"]["execution_count"] == reply["content"]["execution_count"] == before
    assert count(client) == before


def test_expressions(client):
    client.run("%seed 41")
    asked = {"it": "seed", "not": "no.such"}
    found = client.run("%seed 42", user_expressions=asked)[0]["content"]["user_expressions"]
    assert found["it"] == {"status": "ok", "data": {"text/plain": "42"}, "metadata": {}}
    assert found["not"]["status"] == "error" and found["not"]["ename"]
    failed = client.run("%no_such_command", user_expressions=asked)[0]["content"]
    assert failed["status"] == "error" and not failed.get("user_expressions")


def test_display_and_update(client):
    seen = client.run("%_test display here one\n%_test update here two")[1]
    assert labels(seen) == ["busy", "execute_input", "display_data", "update_display_data", "idle"]
    for message, text in zip(seen[2:4], ("one", "two")):
        assert message["content"]["data"]["text/plain"] == text
        assert message["content"]["transient"] == {"display_id": "here"}


def test_result(client):
    reply, seen = client.run("%_test result 猫")
    assert labels(seen) == ["busy", "execute_input", "execute_result", "idle"]
    assert seen[2]["content"]["execution_count"] == reply["content"]["execution_count"]
    assert seen[2]["content"]["data"]["text/plain"] == "猫"


def test_order_of_streams_and_displays(client):
    seen = client.run("%_test streams\n%_test display a b\n%_test streams")[1]
    spoken = [(m["content"].get("name"), m["content"].get("text")) for m in seen[2:-1]]
    turn = [("stdout", "out 1\n"), ("stderr", "err 1\n"), ("stdout", "out 2\n")]
    assert spoken == [*turn, (None, None), *turn]


def test_characters_are_never_split(client):
    text = "猫和狗" * 200 + "🐱🐶"
    seen = client.run(f"%_test pieces {text}")[1]
    assert text_of(seen) == text
    assert all("\ufffd" not in m["content"]["text"] for m in seen if m["type"] == "stream")


def test_a_flood_is_capped_and_said(client):
    seen = client.run("%_test flood 200000")[1]
    text = text_of(seen)
    kept, note = text.split("\n[", 1)
    assert len(kept) <= 512 * 1024 and "512 KiB" in note
    lines = kept.split("\n")
    assert lines[:-1] == [f"line {i}" for i in range(len(lines) - 1)]
    total = sum(len(f"line {i}\n") for i in range(200000))
    assert int(note.split()[0]) == total - len(kept.encode())
    assert len(seen) < 300
    reply, seen = client.run("%echo next")
    assert text_of(seen) == "next\n"


def test_a_short_flood_comes_whole(client):
    seen = client.run("%_test flood 20000")[1]
    assert text_of(seen) == "".join(f"line {i}\n" for i in range(20000))


def test_cells_wait_their_turn(client):
    ids = [client.execute(f"%_test sleep 0.01\n%echo {i}") for i in range(20)]
    for i, msg_id in enumerate(ids):
        seen = client.until_idle(msg_id)
        assert labels(seen) == ["busy", "execute_input", "stream", "idle"]
        assert {m["parent"] for m in seen} == {msg_id} and text_of(seen) == f"{i}\n"
        assert client.reply(msg_id)["content"]["status"] == "ok"


def test_a_cell_of_ten_megabytes(client):
    code = "# " + "猫" * (10 * 2**20 // 3) + "\n%echo done"
    reply, seen = client.run(code)
    assert text_of(seen) == "done\n" and seen[1]["content"]["code"] == code


def test_a_display_of_a_megabyte(client):
    text = "x" * 1_000_000
    seen = client.run(f"%_test display a {text}")[1]
    assert seen[2]["content"]["data"]["text/plain"] == text


def test_help_comes_through_the_pager(client):
    payload = client.run("%help echo")[0]["content"]["payload"]
    assert len(payload) == 1 and payload[0]["source"] == "page"
    assert "%echo" in payload[0]["data"]["text/plain"]


def test_clear(client):
    assert labels(client.run("%clear")[1]) == ["busy", "execute_input", "clear_output", "idle"]
