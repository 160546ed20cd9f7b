"""Cells: order on iopub, counters, silent and unstored ones, expressions, output of all kinds."""
from front_end import label
from suite import NotOffered, expect, labels, rule, same, short, text_of

EXECUTE = "Messaging, Execute"
COUNTER = "Messaging, Execution counter: counts requests “made with store_history=True”"
SILENT = "Messaging, Execute: silent “will not broadcast output on the IOPUB channel, have an execute_result”"


def count(client):
    """The counter, asked for as the protocol advises: no code, silent."""
    return client.run("", silent=True)[0]["content"].get("execution_count")


def shown(seen):
    """Labels without those that a kernel may add."""
    return [one for one in labels(seen) if one != "iopub_welcome"]


@rule("cells", "a cell that prints: {what}", "busy, execute_input, stream, the ok reply, idle; the text is all there",
      EXECUTE, what=("print", "stderr"))
def prints(it, what):
    client = it.kernel().client
    reply, seen = client.run(it.snippets(what, text="猫 and 🐱"))
    kinds = shown(seen)
    expect(kinds[:2] == ["busy", "execute_input"] and kinds[-1] == "idle" and
           set(kinds[2:-1]) == {"stream"}, f"on iopub: {kinds}")
    same(text_of(seen, {"print": "stdout", "stderr": "stderr"}[what]), "猫 and 🐱\n", "text")
    same(reply["content"].get("status"), "ok", "status")
    expect(isinstance(reply["content"].get("user_expressions"), dict), f"reply: {reply['content']}")


@rule("cells", "a cell that fails",
      "one error on iopub with the same ename, evalue and traceback as the reply, which has a count",
      "Messaging, Execution errors; Request-Reply, status error")
def fails(it):
    client = it.kernel().client
    reply, seen = client.run(it.snippets("fail"))
    same([one for one in shown(seen) if one != "stream"], ["busy", "execute_input", "error", "idle"],
         "on iopub")
    content = reply["content"]
    same(content.get("status"), "error", "status")
    triple = {key: content.get(key) for key in ("ename", "evalue", "traceback")}
    expect(triple["ename"] and isinstance(triple["traceback"], list), f"reply: {short(content)}")
    error = next(m for m in seen if label(m) == "error")["content"]
    same({key: error.get(key) for key in triple}, triple, "the error on iopub")
    expect(isinstance(content.get("execution_count"), int), f"reply: {short(content)}")


@rule("cells", "execute_input", "execute_input has the code and the count of the reply",
      "Messaging, Code inputs")
def inputs(it):
    client = it.kernel().client
    code = it.snippets("comment", text="猫 🐱") + "\n" + it.snippets("print", text="a")
    reply, seen = client.run(code)
    same(seen[1]["content"], {"code": code, "execution_count": reply["content"]["execution_count"]},
         "execute_input")


@rule("cells", "the counter", "each stored cell counts one, a failed one too", COUNTER)
def counts(it):
    client = it.kernel().client
    before = count(client)
    numbers = [client.run(code)[0]["content"].get("execution_count")
               for code in (it.snippets("print", text="a"), it.snippets("fail"),
                            it.snippets("print", text="b"))]
    same(numbers, [before + 1, before + 2, before + 3] if isinstance(before, int) and numbers[0] != before
         else [before, before + 1, before + 2], "counts")


@rule("cells", "an unstored cell", "store_history false shows output and leaves the counter", COUNTER)
def unstored(it):
    client = it.kernel().client
    first = client.run(it.snippets("print", text="a"))[0]["content"]["execution_count"]
    seen = client.run(it.snippets("print", text="b"), store_history=False)[1]
    expect("stream" in labels(seen), f"on iopub: {labels(seen)}")
    last = client.run(it.snippets("print", text="c"))[0]["content"]["execution_count"]
    same(last, first + 1, f"the count after {first} and an unstored cell")


@rule("cells", "a silent cell: {what}", "silent: busy, the reply, idle and nothing else; not counted", SILENT,
      whole="a silent cell that prints, fails, has a result or displays: busy, the reply, idle and nothing else; not "
            "counted",
      what=("print", "fail", "result", "display"))
def silent(it, what):
    client = it.kernel().client
    first = client.run(it.snippets("print", text="a"))[0]["content"]["execution_count"]
    code = it.snippets(what, text="b", number=42, id="d")
    reply, seen = client.run(code, silent=True)
    same(shown(seen), ["busy", "idle"], "on iopub")
    same(reply["content"].get("status"), "error" if what == "fail" else "ok", "status")
    same(client.run(it.snippets("print", text="c"))[0]["content"]["execution_count"], first + 1,
         f"the count after {first} and a silent cell")


@rule("cells", "an empty cell", "no code, silent: ok and the current count",
      "Messaging, Execute, the note on the execution counter")
def empty(it):
    client = it.kernel().client
    reply, seen = client.run("", silent=True)
    same(shown(seen), ["busy", "idle"], "on iopub")
    same(reply["content"].get("status"), "ok", "status")
    expect(isinstance(reply["content"].get("execution_count"), int), f"reply: {reply['content']}")


@rule("cells", "expressions", "each expression has its own result or its own error", EXECUTE)
def expressions(it):
    client = it.kernel().client
    asked = {"good": it.snippets("remembered"), "bad": it.snippets("unknown")}
    content = client.run(it.snippets("remember", number=42), user_expressions=asked)[0]["content"]
    same(content.get("status"), "ok", "status")
    found = content.get("user_expressions", {})
    same(found.get("good", {}).get("data", {}).get("text/plain"), "42", "the good one")
    bad = found.get("bad", {})
    expect(bad.get("status") == "error" and bad.get("ename"), f"the bad one: {short(bad)}")


@rule("cells", "a result", "execute_result has text/plain and the count of the reply",
      "Messaging, Execution results")
def results(it):
    reply, seen = it.kernel().client.run(it.snippets("result", number=42))
    same(shown(seen), ["busy", "execute_input", "execute_result", "idle"], "on iopub")
    content = seen[2]["content"]
    same(content["data"].get("text/plain"), "42", "text/plain")
    same(content.get("execution_count"), reply["content"]["execution_count"], "count")


@rule("cells", "display and update", "a display with an id, and its update with the same id",
      "Messaging, Update Display Data: “must contain a transient field with a display_id”")
def displays(it):
    client = it.kernel().client
    seen = client.run(it.snippets("display", id="here", text="one"))[1]
    seen += client.run(it.snippets("update", id="here", text="two"))[1]
    told = [(m["type"], m["content"]["data"].get("text/plain"), m["content"].get("transient"))
            for m in seen if m["type"] in ("display_data", "update_display_data")]
    wanted = {"display_id": "here"}
    same(told, [("display_data", "one", wanted), ("update_display_data", "two", wanted)], "displays")


@rule("cells", "clear_output", "clear_output has wait", "Messaging, Clear output")
def clears(it):
    seen = it.kernel().client.run(it.snippets("clear"))[1]
    waits = [m["content"].get("wait") for m in seen if m["type"] == "clear_output"]
    expect(len(waits) == 1 and isinstance(waits[0], bool), f"clear_output: {waits}")


@rule("cells", "text while a cell runs", "text that was printed is seen before the cell ends",
      "Users: long cells show how far they are")
def early(it):
    it.kernel().client.compute()


@rule("cells", "output before idle", "fifty cells sent at once: each one's text comes between its busy and its idle",
      "Messaging, Kernel status: “outputs … shall generally arrive between the busy and idle”")
def before_idle(it):
    client = it.kernel().client
    ids = fifty(it, client)
    seen = client.until_idle(ids[-1])
    for i, msg_id in enumerate(ids):
        mine = [m for m in seen if m["parent"] == msg_id]
        kinds = [one for n, one in enumerate(labels(mine)) if n == 0 or one != "stream"]
        same(kinds[:2] + kinds[-1:], ["busy", "execute_input", "idle"], f"cell {i} on iopub")
        same(text_of(mine), f"number {i}\n", f"text of cell {i}")


@rule("cells", "one after the other",
      "fifty cells sent at once run in their order, none before the one ahead is done",
      "Messaging, Execution counter; Users: a cell uses what the one above it made")
def in_order(it):
    client = it.kernel().client
    ids = fifty(it, client)
    seen = [m for m in client.until_idle(ids[-1]) if m["parent"] in ids]
    numbers = [client.reply(one)["content"].get("execution_count") for one in ids]
    same(numbers, list(range(numbers[0], numbers[0] + len(ids))), "counts")
    order = [ids.index(m["parent"]) for m in seen]
    same(order, sorted(order), "whose message came on iopub")


def fifty(it, client):
    return [client.execute(it.snippets("print", text=f"number {i}")) for i in range(50)]


@rule("cells", "characters cut in two", "UTF-8 that a program writes byte by byte arrives as characters",
      "Users: Chinese text becomes question marks where a kernel decodes what a pipe gave at once")
def pieces(it):
    client = it.kernel().client
    text = "猫和狗" * 20 + "🐱🐶"
    seen = client.run(it.snippets("pieces", text=text), 60)[1]
    if not text_of(seen):
        raise NotOffered("what a program writes to its standard output is not shown")
    same(text_of(seen).strip(), text, "text")


@rule("cells", "a cell of 10 MiB", "a cell of 10 MiB runs and comes back in execute_input",
      "Users: notebooks with data in cells")
def large(it):
    client = it.kernel().client
    code = it.snippets("comment", text="x" * (10 << 20)) + "\n" + it.snippets("print", text="done")
    reply, seen = client.run(code, 60)
    same(reply["content"].get("status"), "ok", "status")
    expect(seen[1]["content"].get("code") == code, "execute_input has another code")
    same(text_of(seen, "stdout"), "done\n", "text")


@rule("cells", "a display of 1 MB", "a display of 1 MB arrives whole", "Messaging, Display data")
def large_display(it):
    seen = it.kernel().client.run(it.snippets("display_big", size=1_000_000), 60)[1]
    texts = [m["content"]["data"].get("text/plain") for m in seen if m["type"] == "display_data"]
    expect(texts == ["x" * 1_000_000], f"displays of {[len(one or '') for one in texts]} characters")
