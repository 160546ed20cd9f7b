"""History: tail, range, search, unique; across sessions and with two kernels at once."""
from suite import Broken, NotOffered, expect, rule, same, short

HISTORY = "Messaging, History"
TEXTS = ("one", "two", "three", "two")


def ask(client, **query):
    content = {"output": False, "raw": True, "hist_access_type": "tail", "n": 10, **query}
    try:
        reply = client.ask("history_request", content)[0]["content"]
    except Broken:
        client.ask("kernel_info_request")
        raise NotOffered("no reply to history_request; it is optional") from None
    same(reply.get("status"), "ok", "status")
    rows = reply.get("history")
    bad = [row for row in rows if len(row) != 3]
    same(bad, [], "rows that are no triples")
    return rows


def told(it, kernel):
    """Four cells, two of them alike, of which nothing else is in the history."""
    codes = [it.snippets("print", text=text) for text in TEXTS]
    for code in codes:
        kernel.client.run(code)
    return codes


def inputs(rows):
    return [row[2].strip() for row in rows]


def whole(client, session):
    """All cells of a session, wherever the kernel begins to count."""
    rows = ask(client, hist_access_type="range", session=session, start=0, stop=100)
    return [one for one in inputs(rows) if one]


@rule("history", "tail", "the last n cells, oldest first", HISTORY)
def tail(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    same(inputs(ask(kernel.client, n=3)), codes[1:], "the last three")
    same(inputs(ask(kernel.client, n=1)), codes[3:], "the last one")


@rule("history", "tail with output",
      "with output, the third of a row is the input and its output, or null where none is kept", HISTORY)
def output(it):
    kernel = it.kernel()
    code = it.snippets("result", number=42)
    kernel.client.run(code)
    rows = ask(kernel.client, n=1, output=True)
    expect([row[2] for row in rows] in ([[code, one]] for one in ("42", None, "")), f"the last row: {short(rows)}")


@rule("history", "range", "cells 2 and 3 of this session, by its number 0", HISTORY)
def of_range(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    first = ask(kernel.client, n=4)[0][1]
    rows = ask(kernel.client, hist_access_type="range", session=0, start=first + 1, stop=first + 3)
    same(inputs(rows), codes[1:3], "the range")


@rule("history", "search", "the cells that match a glob pattern", HISTORY)
def search(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    query = {"hist_access_type": "search"}
    same(inputs(ask(kernel.client, pattern="*two*", **query)), [codes[1], codes[3]], "*two*")
    same(inputs(ask(kernel.client, pattern="*t?ree*", **query)), [codes[2]], "*t?ree*")
    same(inputs(ask(kernel.client, pattern="*no such*", **query)), [], "*no such*")
    same(inputs(ask(kernel.client, pattern="*two*", **{**query, "n": 1})), [codes[3]], "*two*, n = 1")


@rule("history", "unique", "search with unique has no cell twice", "Messaging, History: unique (4.0)")
def unique(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    rows = ask(kernel.client, hist_access_type="search", pattern="*two*", unique=True)
    same(inputs(rows), [codes[1]], "*two*, unique")


@rule("history", "what is stored", "silent and unstored cells are not in it", "Messaging, Execute: store_history")
def stored(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    kernel.client.run(it.snippets("print", text="unstored"), store_history=False)
    kernel.client.run(it.snippets("print", text="silent"), silent=True)
    same(inputs(ask(kernel.client, n=4)), codes, "the last four")


@rule("history", "the session before", "after a restart, session -1 is the one before",
      "Messaging, History: “a negative number to count back from the current session”")
def session_before(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    ask(kernel.client)
    kernel.client.send("shutdown_request", {"restart": True}, "control")
    expect(kernel.gone(), "the process did not end")
    second = it.kernel(folder=kernel.folder)
    second.client.run(it.snippets("print", text="now"))
    same(whole(second.client, -1), codes, "session -1")


@rule("history", "two kernels at once", "two kernels of one user: each has its own session whole, both work on",
      "Users: two notebooks are open")
def two(it):
    first = it.kernel()
    second = it.kernel(folder=first.folder, name="second.json")
    for i in range(10):
        for kernel, word in ((first, "one"), (second, "two")):
            same(kernel.client.run(it.snippets("print", text=f"{word} {i}"))[0]["content"].get("status"),
                 "ok", "status")
    for kernel, word in ((first, "one"), (second, "two")):
        same(whole(kernel.client, 0), [it.snippets("print", text=f"{word} {i}") for i in range(10)],
             "session 0")


@rule("history", "no place to write", "without a place for its history the kernel works",
      "Users: read-only homes of shared servers")
def nowhere(it):
    kernel = it.kernel(readonly=True)
    kernel.client.still_works()
    rows = ask(kernel.client, n=1)
    expect(isinstance(rows, list), short(rows))


@rule("history", "odd queries", "patterns and numbers that make no sense are answered and do no harm",
      "Users: a client that waits for a reply waits for ever")
def odd(it):
    kernel = it.kernel()
    codes = told(it, kernel)
    for pattern in ("'; DROP TABLE history; --", "[", "*" * 1000, "[^a-", ""):
        ask(kernel.client, hist_access_type="search", pattern=pattern)
    for n in (0, 10**6):
        ask(kernel.client, n=n)
    same(inputs(ask(kernel.client, n=4)), codes, "the last four")
