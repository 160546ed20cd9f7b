"""What happens to requests that wait while a cell fails."""
from suite import expect, rule, same

ABORT = "Messaging, Execute: stop_on_error “aborts the execution queue if an exception is encountered. If False, queued execute_requests will execute”"
ORDER = "Messaging, Request-Reply; Users: a cell that gets no reply stays [*]"
ENDED = ("aborted", "error", "abort")


def failing(it, **content):
    client = it.kernel().client
    client.run(it.snippets("sleep", seconds=0))
    cell = client.start(it.snippets("fail_later", seconds=1), **content)
    return client, cell


@rule("aborting", "queued cells after an error: {which}",
      "stop_on_error true: cells queued behind a failed one ({which}) get a reply, busy and idle, and do not run",
      ABORT, whole="stop_on_error true: cells queued behind a failed one, silent or not, get a reply, busy and idle, and do not run",
      which=("loud", "silent"))
def aborts(it, which):
    client, cell = failing(it, stop_on_error=True)
    waiting = [client.execute(it.snippets("print", text=i), silent=which == "silent") for i in range(3)]
    client.until_idle(cell)
    for one in waiting:
        status, kinds = client.outcome(one)
        expect(status in ENDED, f"status of a cell that waited: {status}")
        same([k for k in kinds if k != "error"], ["busy", "idle"], "a cell that waited, on iopub")
    client.still_works()


@rule("aborting", "queued cells, stop_on_error false", "stop_on_error false: cells queued behind a failed one run",
      ABORT)
def runs_on(it):
    client, cell = failing(it, stop_on_error=False)
    waiting = [client.execute(it.snippets("print", text=i)) for i in range(3)]
    client.until_idle(cell)
    for one in waiting:
        status, kinds = client.outcome(one)
        same(status, "ok", "status of a cell that waited")
        expect("stream" in kinds, f"a cell that waited, on iopub: {kinds}")


@rule("aborting", "queued cells after a silent error: stop_on_error {stop}",
      "a silent cell that fails, stop_on_error {stop}: each queued cell has one reply and one idle", ORDER,
      whole="a silent cell that fails: each queued cell still has its one reply and its idle",
      stop=(True, False))
def silent(it, stop):
    client, cell = failing(it, stop_on_error=stop, silent=True)
    waiting = [client.execute(it.snippets("print", text=i)) for i in range(3)]
    client.until_idle(cell)
    for one in waiting:
        status, kinds = client.outcome(one)
        expect(status == "ok" or stop and status in ENDED, f"status of a cell that waited: {status}")
        same((kinds.count("busy"), kinds.count("idle")), (1, 1), "busy and idle of a cell that waited")


@rule("aborting", "a queued {what}", "{what} queued behind a cell that fails is served, not aborted",
      "Messaging, Execute: what stop_on_error aborts is “queued execute_requests”",
      whole="complete, comm messages and kernel_info queued behind a cell that fails are served, not aborted",
      what=("complete_request", "comm_open", "kernel_info_request"))
def others(it, what):
    client, cell = failing(it, stop_on_error=True)
    code = it.snippets("complete")
    content = {"complete_request": {"code": code, "cursor_pos": len(code)},
               "comm_open": {"comm_id": "c", "target_name": "no.such", "data": {}}}.get(what, {})
    waiting, last = client.send(what, content), client.execute(it.snippets("print", text="a"))
    client.outcome(last)
    if "idle" not in client.heard[waiting]:
        client.until_idle(waiting)
    mine = client.heard[waiting]
    same(mine[:1] + mine[-1:], ["busy", "idle"], f"{what} on iopub")
    if what == "comm_open":
        expect("comm_close" in mine, f"comm_open on iopub: {mine}")
    else:
        same(client.reply(waiting)["content"].get("status"), "ok", "status")
    client.reply(cell)


@rule("aborting", "aborted cells are not counted", "a cell that was aborted takes no number",
      "Messaging, Execution counter")
def uncounted(it):
    client, cell = failing(it, stop_on_error=True)
    waiting = [client.execute(it.snippets("print", text=i)) for i in range(3)]
    first = client.reply(cell)["content"].get("execution_count")
    for one in waiting:
        client.outcome(one)
    after = client.run(it.snippets("print", text="b"))[0]["content"]["execution_count"]
    same(after, first + 1, f"the count after {first} and aborted cells")


@rule("aborting", "later cells run", "a cell that is sent when the failed one is done runs", ABORT)
def later(it):
    client = it.kernel().client
    for _ in range(10):
        client.run(it.snippets("fail"))
        same(client.run(it.snippets("print", text="a"))[0]["content"].get("status"), "ok", "status")
