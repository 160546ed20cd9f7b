"""Input that a cell asks for."""
from suite import PATIENCE, NotOffered, expect, rule, same, text_of

STDIN = "Messaging, Messages on the stdin channel"
ASKER = "Messaging, stdin: “the single frontend provides the response”; the same IDENTITY as the execute_reply"


def asked(it, client, snippet="ask", **content):
    """A cell that has asked: its id and the input_request."""
    cell = client.execute(it.snippets(snippet, prompt="Who"), allow_stdin=True, **content)
    request = client.read("stdin")
    if request is None:
        client.kernel.alive()
        raise NotOffered(f"no input_request; the cell: {client.reply(cell)['content'].get('evalue')}")
    same(request["type"], "input_request", "on stdin")
    return cell, request


def answer(client, value, request, channel="stdin"):
    client.send("input_reply", {"value": value, "status": "ok"}, channel)


@rule("stdin", "a question",
      "input_request has the prompt, password false and the cell as parent; the answer arrives",
      STDIN)
def question(it):
    client = it.kernel().client
    cell, request = asked(it, client)
    same(request["content"].get("prompt", "").strip(), "Who", "prompt")
    same(request["content"].get("password"), False, "password")
    same(request["whole_parent"], client.sent[cell], "parent_header")
    answer(client, "猫 🐱", request)
    seen = client.until_idle(cell)
    same(client.reply(cell)["content"].get("status"), "ok", "status")
    expect("猫 🐱" in text_of(seen), f"the cell showed {text_of(seen)!r}")


@rule("stdin", "a password", "a question for a secret has password true", STDIN)
def password(it):
    client = it.kernel().client
    cell, request = asked(it, client, "ask_secret")
    same(request["content"].get("password"), True, "password")
    answer(client, "secret", request)
    seen = client.until_idle(cell)
    same(client.reply(cell)["content"].get("status"), "ok", "status")
    expect("secret" not in text_of(seen), "the secret was shown")


@rule("stdin", "end of file", "the value \\x04 is the end of input: the cell does not take it for text",
      "jupyter_client sends it for Ctrl-D (stdin_hook_default), ipykernel raises EOFError")
def end_of_file(it):
    client = it.kernel().client
    cell, request = asked(it, client)
    answer(client, "\x04", request)
    seen = client.until_idle(cell)
    expect("\x04" not in text_of(seen), "the cell got the character as its answer")
    same(client.reply(cell)["content"].get("status"), "error", "status")


@rule("stdin", "allow_stdin false", "allow_stdin false: no input_request, and the cell fails at once",
      "Messaging, stdin: “the kernel must not send …; most likely that calls … should fail immediately”")
def not_allowed(it):
    client = it.kernel().client
    cell = client.execute(it.snippets("ask", prompt="Who"), allow_stdin=False)
    client.until_idle(cell)
    same(client.reply(cell)["content"].get("status"), "error", "status")
    expect(client.read("stdin", 0.2) is None, "an input_request came")


@rule("stdin", "the asker alone", "of four clients only the one whose cell asks gets the input_request", ASKER)
def asker_alone(it):
    kernel = it.kernel()
    others = [kernel.connect() for _ in range(3)]
    for one in others:
        one.ask_quietly()
    for one in (others[1], kernel.client, others[2]):
        cell, request = asked(it, one)
        for other in [kernel.client, *others]:
            expect(other is one or other.read("stdin", 0.05) is None, "another client was asked")
        answer(one, "me", request)
        same(one.reply(cell)["content"].get("status"), "ok", "status")


@rule("stdin", "answers of others", "an input_reply by a client that was not asked is not taken", ASKER)
def foreign_answer(it):
    kernel = it.kernel()
    client, other = kernel.client, kernel.connect()
    other.ask_quietly()
    cell, request = asked(it, client)
    answer(other, "foreign", request)
    other.ask_quietly("control")
    answer(client, "my own", request)
    seen = client.until_idle(cell)
    expect("my own" in text_of(seen) and "foreign" not in text_of(seen), f"the cell showed {text_of(seen)!r}")


@rule("stdin", "stale answers", "an input_reply that was sent before there was a question answers none",
      "Users: a late answer to the cell before; ipykernel, the reference, purges stale replies")
def stale(it):
    client = it.kernel().client
    for i in range(3):
        client.send("input_reply", {"value": f"stale {i}", "status": "ok"}, "stdin")
    client.still_works()
    cell, request = asked(it, client)
    answer(client, "fresh", request)
    seen = client.until_idle(cell)
    expect("fresh" in text_of(seen) and "stale" not in text_of(seen), f"the cell showed {text_of(seen)!r}")


@rule("stdin", "control while waiting", "control and heartbeat are answered while a cell waits for input",
      "Messaging, Introduction: control avoids “queueing behind execution requests”")
def control(it):
    client = it.kernel().client
    cell, request = asked(it, client)
    client.reply(client.send("kernel_info_request", channel="control"), "control")
    client.sockets["hb"].send(b"ping")
    expect(client.sockets["hb"].poll(PATIENCE * 1000), "no heartbeat")
    answer(client, "x", request)
    same(client.reply(cell)["content"].get("status"), "ok", "status")


@rule("stdin", "two questions", "two cells that ask, one after the other, get each its own answer", STDIN)
def twice(it):
    client = it.kernel().client
    for word in ("first", "second"):
        cell, request = asked(it, client)
        answer(client, word, request)
        seen = client.until_idle(cell)
        expect(word in text_of(seen), f"the cell showed {text_of(seen)!r}")


@rule("stdin", "shutdown while waiting", "a kernel that waits for input shuts down",
      "Messaging, Kernel shutdown")
def shutdown(it):
    kernel = it.kernel()
    client = kernel.client
    asked(it, client)
    kernel.interrupt()
    client.reply(client.send("shutdown_request", {"restart": False}, "control"), "control")
    expect(kernel.gone(), f"the process is still there after {PATIENCE} s")
