"""What happens to requests that wait while a cell fails."""
import time

from suite import expect, rule, same

ABORT = ("Messaging, Execute: stop_on_error “aborts the execution queue if an exception is encountered. If False, "
         "queued execute_requests will execute”")
ORDER = "Messaging, Request-Reply; Users: a cell that gets no reply stays [*]"
ENDED = ("aborted", "error", "abort")


def failing(it, **content):
    client = it.kernel().client
    client.run(it.snippets("sleep", seconds=0))
    cell = client.start(it.snippets("fail_later", seconds=3), **content)
    return client, cell


@rule("aborting", "queued cells after an error: {which}",
      "stop_on_error true: cells queued behind a failed one ({which}) get a reply, busy and idle, and do not run",
      ABORT,
      whole="stop_on_error true: cells queued behind a failed one, silent or not, get a reply, busy and idle, and do "
            "not run",
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


@rule("aborting", "a queued {what}, after an {how}",
      "{what} queued behind a cell that ends with an {how} is served, not aborted",
      "Messaging, Execute: what stop_on_error aborts is “queued execute_requests”",
      whole="complete, comm messages and kernel_info queued behind a cell that fails or is interrupted are served, "
            "not aborted",
      how=("error", "interrupt"), what=("complete_request", "comm_open", "kernel_info_request"))
def others(it, how, what):
    client = (failing(it) if how == "error" else computing(it))[0]
    code = it.snippets("complete")
    content = {"complete_request": {"code": code, "cursor_pos": len(code)},
               "comm_open": {"comm_id": "c", "target_name": "no.such", "data": {}}}.get(what, {})
    waiting, last = client.send(what, content), client.execute(it.snippets("print", text="a"))
    if how == "interrupt":
        time.sleep(1)  # until it has arrived
        client.kernel.interrupt()
    client.outcome(last)
    if "idle" not in client.heard[waiting]:
        client.until_idle(waiting)
    mine = [one for one in client.heard[waiting] if one != "stream"]
    wanted = ["busy", "comm_close", "idle"] if what == "comm_open" else ["busy", "idle"]
    same(mine, wanted, f"{what} on iopub")
    if what != "comm_open":
        same(client.reply(waiting)["content"].get("status"), "ok", "status")


def computing(it):
    client = it.kernel().client
    return client, client.compute()


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


@rule("aborting", "a failure with others waiting",
      "a cell that fails while another waits is reported as failed, on shell and iopub",
      "Messaging, Execution errors")
def reported(it):
    client, cell = failing(it, stop_on_error=False)
    waiting = client.execute(it.snippets("print", text="a"))
    status, kinds = client.outcome(cell)
    same(status, "error", "status")
    expect("error" in kinds, f"on iopub: {kinds}")
    client.outcome(waiting)


@rule("aborting", "later cells run", "a cell that is sent when the failed one is done runs", ABORT)
def later(it):
    client = it.kernel().client
    for _ in range(10):
        client.run(it.snippets("fail"))
        same(client.run(it.snippets("print", text="a"))[0]["content"].get("status"), "ok", "status")
