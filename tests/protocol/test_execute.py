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


def test_expressions(client):
    client.run("%seed 41")
    asked = {"it": "seed", "not": "no.such"}
    found = client.run("%seed 42", user_expressions=asked)[0]["content"]["user_expressions"]
    assert found["it"] == {"status": "ok", "data": {"text/plain": "42"}, "metadata": {}}
    assert found["not"]["status"] == "error" and found["not"]["ename"]
    failed = client.run("%no_such_command", user_expressions=asked)[0]["content"]
    assert failed["status"] == "error" and not failed.get("user_expressions")


def test_order_of_streams_and_displays(client):
    seen = client.run("%_test streams\n%_test display a b\n%_test streams")[1]
    spoken = [(m["content"].get("name"), m["content"].get("text")) for m in seen[2:-1]]
    turn = [("stdout", "out 1\n"), ("stderr", "err 1\n"), ("stdout", "out 2\n")]
    assert spoken == [*turn, (None, None), *turn]


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


def test_help_comes_through_the_pager(client):
    payload = client.run("%help echo")[0]["content"]["payload"]
    assert len(payload) == 1 and payload[0]["source"] == "page"
    assert "%echo" in payload[0]["data"]["text/plain"]
