"""Interrupts by message and by signal: at any moment, never late, never fatal, always effective."""
import random

import pytest

from front_end import Client, Kernel, label

MOMENTS = 40


def interrupt(client, kernel, by):
    if by == "signal":
        kernel.interrupt()
        return None
    return client.send("interrupt_request", channel="control")


@pytest.mark.parametrize("by", ["message", "signal"])
@pytest.mark.parametrize("code", ["%_test loop", "%_test sleep 60"])
def test_a_cell_stops(client, kernel, code, by):
    cell = client.start(code)
    stop = interrupt(client, kernel, by)
    seen = client.until_idle(cell)
    assert [label(m) for m in seen if m["parent"] == cell][-2:] == ["error", "idle"]
    reply = client.reply(cell)["content"]
    assert reply["status"] == "error" and reply["ename"] == "KeyboardInterrupt"
    if stop:
        assert client.reply(stop, "control")["content"] == {"status": "ok"}


@pytest.mark.parametrize("by", ["message", "signal"])
def test_random_moments(client, kernel, by):
    """Some come before the cell, some within, some after: each hits this cell or none."""
    moments = random.Random(5)
    for i in range(MOMENTS):
        pause = moments.random() * 0.012
        cell = client.execute("%_test sleep 0.006")
        client.read("stdin", pause)  # waits: nothing ever comes there
        stop = interrupt(client, kernel, by)
        seen = client.until_idle(cell)
        status = client.reply(cell)["content"]
        assert status["status"] == "ok" or status["ename"] == "KeyboardInterrupt"
        errors = [m for m in seen if label(m) == "error"]
        assert len(errors) == (status["status"] == "error")
        if stop:
            client.reply(stop, "control")
            while not any(m["parent"] == stop and label(m) == "idle" for m in seen):
                seen.append(client.read("iopub"))
        reply, seen = client.run("%echo untouched")
        assert reply["content"]["status"] == "ok", f"the interrupt {i} hit the next cell"


def test_two_quick_interrupts(client, kernel):
    """They end one cell, once, and nothing else."""
    cell = client.start("%_test loop")
    stops = [interrupt(client, kernel, "message") for _ in range(2)]
    seen = client.until_idle(cell)
    assert [label(m) for m in seen if m["parent"] == cell][-2:] == ["error", "idle"]
    assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
    for stop in stops:
        assert client.reply(stop, "control")["content"] == {"status": "ok"}
        while not any(m["parent"] == stop and label(m) == "idle" for m in seen):
            seen.append(client.read("iopub"))
    assert [label(m) for m in seen].count("error") == 1
    assert client.run("%echo untouched")[0]["content"]["status"] == "ok"


@pytest.mark.parametrize("language, said", [("en", "interrupted"), ("zh", "已中断")])
def test_an_interrupt_while_the_session_comes_back(client, kernel, language, said):
    """It is for the cell that waits for that, and costs none of the session."""
    client.run(f"%set language {language}")
    texts = kernel.folder / "texts.txt"
    texts.write_text("".join(f"a line of text, number {i}\n" for i in range(400_000)))
    client.run(f"%data long {texts}")
    client.run("%model new rnn --as kept")
    for pause in (0, 0.01, 0.03, 0.1):
        client.run("%_test kill")
        cell = client.start("%_test loop")
        client.read("stdin", pause)  # waits: nothing ever comes there
        stop = interrupt(client, kernel, "message")
        seen = client.until_idle(cell)
        content = client.reply(cell)["content"]
        assert content["ename"] == "KeyboardInterrupt" and content["evalue"] == said, content
        client.reply(stop, "control")
        while not any(m["parent"] == stop and label(m) == "idle" for m in seen):
            seen.append(client.read("iopub"))
        reply, seen = client.run("%data list\n%model info kept")
        assert reply["content"]["status"] == "ok", reply["content"]
        told = "".join(m["content"].get("text", "") for m in seen)
        assert "not be loaded again" not in told, told
    client.run("%data drop long\n%model unload kept\n%set language en")


def test_what_never_looks_is_ended_by_force(client, kernel):
    """The process goes; settings come back with the next one."""
    client.run("%seed 77")
    worker = kernel.children()
    cell = client.start("%_test spin")
    stop = interrupt(client, kernel, "message")
    client.reply(stop, "control")
    seen = client.until_idle(cell)
    content = client.reply(cell)["content"]
    assert content["ename"] == "KeyboardInterrupt" and "ended" in content["evalue"]
    assert [label(m) for m in seen][-2:] == ["error", "idle"]
    reply = client.run("%echo next", user_expressions={"s": "seed"})[0]["content"]
    assert reply["user_expressions"]["s"]["data"]["text/plain"] == "77"
    assert kernel.children() != worker


@pytest.mark.parametrize("by", ["message", "signal"])
def test_what_a_model_wrote_stays(client, kernel, by):
    """An interrupt ends the writing; the picture of what is there comes, and is kept."""
    client.run("%model new lstm")
    cell = client.start("%%generate --max 100000 --temperature 1 --as kept\nIt was")
    seen = []
    while not any(label(m) == "stream" for m in seen):
        seen.append(client.read("iopub"))
    stop = interrupt(client, kernel, by)
    seen += client.until_idle(cell)
    assert [label(m) for m in seen if m["parent"] == cell][-3:] == ["display_data", "error", "idle"]
    told = client.reply(cell)["content"]
    assert told["ename"] == "KeyboardInterrupt" and "they are kept" in told["evalue"]
    if stop:
        client.reply(stop, "control")
        while not any(m["parent"] == stop and label(m) == "idle" for m in seen):
            seen.append(client.read("iopub"))
    reply, seen = client.run("%show kept")
    assert reply["content"]["status"] == "ok"


def test_an_interrupt_at_birth():
    """The worker may not be there yet; the first cell is stopped all the same."""
    for _ in range(10):
        with Kernel(client=False) as kernel:
            client = Client(kernel)
            cell = client.execute("%_test loop")
            stop = client.send("interrupt_request", channel="control")
            client.reply(stop, "control")
            kernel.interrupt()
            while (status := client.read("shell", 0.05)) is None:
                kernel.interrupt()  # the first may have come before the cell
            assert status["content"]["ename"] == "KeyboardInterrupt" and status["parent"] == cell
            client.close()


WORDS = "the cat sat on a mat while seven engineers wondered 猫 坐在 垫子 上 ".split()
TEXT = " ".join(WORDS[i * 7 % len(WORDS)] for i in range(400))
LINES = "\n".join(" ".join(WORDS[(i + k * 5) % len(WORDS)] for k in range(6)) for i in range(300))


@pytest.mark.parametrize("code", [
    "%model new lstm --as fresh --layers 4 --hidden 700",
    "%%tokens --whole\n" + LINES,
    "%%gradients\n" + TEXT,
    "%%surprisal --whole\n" + LINES,
    "%weights",
    "%%activations\n" + TEXT,
], ids=lambda code: code.split()[0].strip("%"))
def test_every_phase_is_soft(kernel, client, code):
    """At whatever moment: the process stays, and the next cell is untouched."""
    client.run("%model new lstm --as small --layers 2 --hidden 300")
    moments, worker = random.Random(11), kernel.children()
    for i in range(4):
        cell = client.start(code)
        client.read("stdin", moments.random() * 0.15)  # waits: nothing ever comes there
        stop = client.send("interrupt_request", channel="control")
        seen = client.until_idle(cell)
        content = client.reply(cell)["content"]
        assert content["status"] == "ok" or content["ename"] == "KeyboardInterrupt", content
        client.reply(stop, "control")
        while not any(m["parent"] == stop and label(m) == "idle" for m in seen):
            seen.append(client.read("iopub"))
        assert client.run("%echo untouched")[0]["content"]["status"] == "ok"
        client.run("%model unload fresh")
    assert kernel.children() == worker, "the worker was ended by force"
    client.run("%model unload small")
