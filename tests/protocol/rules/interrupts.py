"""Interrupts, by message or by signal as the kernelspec names it: effective, never late, never fatal."""
import os
import random
import signal
import time

from front_end import label
from rules.stdin import asked
from suite import Broken, NotOffered, expect, rule, same, text_of

STOP = "Kernels, Kernel specs: interrupt_mode; Messaging, Kernel interrupt"
LATE = "Users: Stop was pressed for the cell before"
HARMLESS = ("Users: jupyter_client interrupts before each shutdown, and Stop is pressed at idle "
            "(jupyter-xeus/xeus#272)")
ABORT = "Messaging, Execute: stop_on_error “aborts the execution queue if an exception is encountered”"


def ended(client, cell):
    """The cell's reply and its iopub messages, after an interrupt."""
    seen = client.until_idle(cell)
    reply = client.reply(cell)["content"]
    same(reply.get("status"), "error", "the interrupted cell's status")
    expect("error" in [label(m) for m in seen if m["parent"] == cell], "no error on iopub")
    return reply


@rule("interrupts", "a cell that {how}", "an interrupt ends a cell that {how}, with an error", STOP,
      whole="an interrupt ends a cell that computes or waits, with an error", how=("computes", "waits"))
def stops(it, how):
    kernel = it.kernel()
    cell = kernel.client.compute({"computes": "loop", "waits": "early"}[how])
    kernel.interrupt()
    ended(kernel.client, cell)
    kernel.client.still_works()


@rule("interrupts", "what was there stays", "after an interrupt the session still has what earlier cells made",
      "Users: Stop must not cost the session (jupyter-xeus/xeus-cling#275)")
def state_stays(it):
    kernel = it.kernel()
    client = kernel.client
    client.run(it.snippets("remember", number=77))
    cell = client.compute()
    kernel.interrupt()
    ended(client, cell)
    asked = {"it": it.snippets("remembered")}
    found = client.run(it.snippets("print", text="a"), user_expressions=asked)[0]["content"]
    same(found.get("user_expressions", {}).get("it", {}).get("data", {}).get("text/plain"), "77",
         "what was remembered")


@rule("interrupts", "a flood", "an interrupt ends a cell that prints without end",
      "Users: a flood that cannot be stopped (JuliaLang/IJulia.jl#372, jupyter/notebook#2364)")
def flood(it):
    kernel = it.kernel()
    client = kernel.client
    cell = client.start(it.snippets("flood", lines=10**9))
    time.sleep(0.5)
    kernel.interrupt()
    client.until_idle(cell, 60)
    same(client.reply(cell, patience=60)["content"].get("status"), "error", "status")
    client.still_works()


@rule("interrupts", "100 at random moments",
      "each of 100 interrupts hits its cell or none, never the next (--short: 40)",
      LATE)
def moments(it):
    kernel, luck = it.kernel(), random.Random(5)
    client = kernel.client
    for i in range(it.pick(100, 40)):
        cell = client.execute(it.snippets("sleep", seconds=0.02))
        time.sleep(luck.random() * 0.04)
        asked = kernel.interrupt()
        try:
            seen = client.until_idle(cell)
            status = client.reply(cell)["content"].get("status")
        except Broken as reason:
            raise Broken(f"interrupt {i}: {reason}") from None
        errors = sum(label(m) == "error" and m["parent"] == cell for m in seen)
        expect(status == "ok" or errors == 1, f"interrupt {i}: status {status}, {errors} errors on iopub")
        if asked:
            client.reply(asked, "control")
        reply, seen = client.run(it.snippets("print", text="untouched"))
        same(reply["content"].get("status"), "ok", f"the cell after interrupt {i}")
        expect("untouched" in text_of(seen), f"the cell after interrupt {i} printed {text_of(seen)!r}")


@rule("interrupts", "100 at idle", "100 interrupts while nothing runs do no harm", HARMLESS)
def at_idle(it):
    kernel = it.kernel()
    for _ in range(100):
        kernel.interrupt()
        time.sleep(0.001)
    kernel.client.still_works()


@rule("interrupts", "SIGINT at idle", "100 SIGINT while nothing runs do no harm, whatever interrupt_mode says",
      HARMLESS)
def signals_at_idle(it):
    kernel = it.kernel()
    for _ in range(100):
        os.kill(kernel.process.pid, signal.SIGINT)
        time.sleep(0.001)
    kernel.client.still_works()


@rule("interrupts", "100 mid-cell", "100 interrupts of one cell end it and nothing else", HARMLESS)
def many(it):
    kernel = it.kernel()
    client = kernel.client
    cell = client.compute()
    for _ in range(100):
        kernel.interrupt()
    client.until_idle(cell)
    same(client.reply(cell)["content"].get("status"), "error", "the interrupted cell's status")
    client.catch_up()
    client.still_works()


@rule("interrupts", "interrupt_request", "interrupt_request on control is answered at once, and ends the cell",
      "Messaging, Kernel interrupt")
def by_message(it):
    kernel = it.kernel()
    client = kernel.client
    cell = client.compute()
    stop = client.send("interrupt_request", channel="control")
    try:
        same(client.reply(stop, "control")["content"].get("status"), "ok", "status")
        ended(client, cell)
    except Broken as reason:
        if not it.by_message:
            raise NotOffered(f"interrupt_mode is signal; {reason}") from None
        raise
    client.still_works()


@rule("interrupts", "the queue behind it",
      "cells that wait behind an interrupted one are aborted, one by one, and later ones run",
      ABORT)
def queue(it):
    kernel = it.kernel()
    client = kernel.client
    cell = client.compute()
    waiting = [client.execute(it.snippets("print", text="waited")) for _ in range(5)]
    time.sleep(1)  # until they have arrived
    kernel.interrupt()
    ended(client, cell)
    for one in waiting:
        status, kinds = client.outcome(one)
        expect(status in ("aborted", "error", "abort"), f"status of a cell that waited: {status}")
        same([k for k in kinds if k != "error"], ["busy", "idle"], "a cell that waited, on iopub")
    client.still_works()


@rule("interrupts", "stdin", "an interrupt ends a cell that waits for input",
      "Users: a lost input box leaves the kernel waiting for ever (jupyterlab#8632)")
def waiting_for_input(it):
    kernel = it.kernel()
    client = kernel.client
    cell, _ = asked(it, client)
    kernel.interrupt()
    ended(client, cell)
    client.still_works()
