"""Completion and help: places in code points, matches with their types beside them."""
import pytest


def complete(client, code, cursor=None):
    cursor = len(code) if cursor is None else cursor
    content = client.ask("complete_request", {"code": code, "cursor_pos": cursor})[0]["content"]
    types = content["metadata"]["_jupyter_types_experimental"]
    assert [one["text"] for one in types] == content["matches"]
    for one in types:
        assert one["start"] == content["cursor_start"] and one["end"] == content["cursor_end"]
    return content


@pytest.mark.parametrize("code, match, start", [
    ("%ech", "%echo", 0),
    ("# 猫和狗 🐱\n%ech", "%echo", 8),
    ("%echo 猫🐱 --std", "--stderr", 9),
    ("%help ech", "echo", 6),
    ("%time o", "on", 6),
])
def test_places_are_code_points(client, code, match, start):
    content = complete(client, code)
    assert match in content["matches"]
    assert content["cursor_start"] == start and content["cursor_end"] == len(code)


def test_the_cursor_may_stand_inside(client):
    content = complete(client, "%ec🐱", 3)
    assert content["matches"] == ["%echo"]
    assert (content["cursor_start"], content["cursor_end"]) == (0, 3)


@pytest.mark.parametrize("cursor", [-1, 99, 10**15])
def test_places_outside_are_clamped(client, cursor):
    content = complete(client, "%echo", cursor)
    assert 0 <= content["cursor_start"] <= content["cursor_end"] <= 5


def test_hidden_commands_stay_hidden(client):
    assert complete(client, "%_te")["matches"] == []


def test_paths(client, kernel):
    folder = kernel.folder / "温 度"
    folder.mkdir()
    (folder / "a b.txt").write_text("x")
    (folder / "under").mkdir()
    base = str(kernel.folder)
    assert complete(client, f"%model load {base}/温")["matches"] == [f"{base}/温\\ 度/"]
    assert complete(client, f"%model load {base}/温\\ 度/a")["matches"] == [
        f"{base}/温\\ 度/a\\ b.txt"]
    inside = complete(client, f"%model load '{base}/温 度/")
    assert inside["matches"] == [f"{base}/温 度/a b.txt", f"{base}/温 度/under/"]
    assert inside["cursor_start"] == len("%model load '")
    assert complete(client, "%model load /no/such/folder/")["matches"] == []


def inspect(client, code, cursor):
    return client.ask("inspect_request", {"code": code, "cursor_pos": cursor,
                                          "detail_level": 0})[0]["content"]


def test_help_on_the_command_at_the_cursor(client):
    content = inspect(client, "# 猫\n%echo 🐱 x\n%seed 3", 8)
    assert content["found"] and "%echo" in content["data"]["text/plain"]
    assert "%echo" in content["data"]["text/markdown"] and content["metadata"] == {}


def test_help_on_an_option(client):
    content = inspect(client, "%echo --stderr x", 9)
    assert content["data"]["text/plain"].startswith("--stderr")


@pytest.mark.parametrize("code", ["", "echo", "# %echo", "%nosuch"])
def test_nothing_to_say(client, code):
    assert inspect(client, code, len(code)) == {"status": "ok", "found": False, "data": {},
                                                 "metadata": {}}
