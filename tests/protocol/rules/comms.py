"""Comms: opening, closing, messages both ways with buffers."""
import json
import uuid

from front_end import label
from suite import NotOffered, expect, rule, same

COMMS = "Messaging, Custom Messages"


def opened(it, client, name="c1"):
    """A comm on a target of the kernel that sends back what it hears."""
    client.run(it.snippets("comm_echo"))
    target = it.snippets("comm_target")
    msg_id = client.send("comm_open", {"comm_id": name, "target_name": target, "data": {}})
    kinds = [label(m) for m in client.until_idle(msg_id) if m["parent"] == msg_id]
    if "comm_close" in kinds:
        raise NotOffered("there is no target that sends back what it hears")
    return target


def echo(it, client, name="c1", buffers=()):
    data = json.loads(it.snippets.get("comm_data") or '{"hello": "猫"}')
    msg_id = client.send("comm_msg", {"comm_id": name, "data": data}, buffers=buffers)
    seen = [m for m in client.until_idle(msg_id) if m["parent"] == msg_id]
    return seen, [m for m in seen if m["type"] == "comm_msg"]


@rule("comms", "an unknown target", "a comm that is opened on a target nobody has is closed at once",
      "Messaging, Opening a Comm: “should immediately reply with a comm_close”")
def unknown(it):
    client = it.kernel().client
    name = uuid.uuid4().hex
    content = {"comm_id": name, "target_name": "no.such.target", "data": {}}
    msg_id = client.send("comm_open", content, buffers=[b"x" * 1000])
    seen = [m for m in client.until_idle(msg_id) if m["parent"] == msg_id]
    kinds = [k for k in map(label, seen) if k != "stream"]
    same(kinds, ["busy", "comm_close", "idle"], "on iopub")
    same(next(m for m in seen if label(m) == "comm_close")["content"].get("comm_id"), name, "comm_id")


@rule("comms", "a comm that is not open", "comm_msg and comm_close for a comm that nobody opened do no harm",
      COMMS)
def not_open(it):
    client = it.kernel().client
    for msg_type in ("comm_msg", "comm_close"):
        client.until_idle(client.send(msg_type, {"comm_id": "none", "data": {"x": 1}}))
    client.still_works()


@rule("comms", "an answer", "an answer has the comm's id and the comm_msg as parent, between busy and idle",
      "Messaging, Output Side Effects: “set the parent header and publish status busy / idle”")
def answer(it):
    client = it.kernel().client
    opened(it, client)
    seen, answers = echo(it, client)
    same([label(m) for m in seen], ["busy", "comm_msg", "idle"], "on iopub")
    same(answers[0]["content"].get("comm_id"), "c1", "comm_id")


@rule("comms", "buffers both ways", "buffers of any bytes and sizes arrive there and back",
      "Messaging, The Wire Protocol: “zero to many raw data buffers”")
def buffers(it):
    client = it.kernel().client
    opened(it, client)
    for sent in ([b"one"], [b"", b"\0\xff" * 100, b"<IDS|MSG>"], [bytes(1_000_000)], [b"x"] * 50):
        answers = echo(it, client, buffers=sent)[1]
        expect(answers and answers[0]["buffers"] == sent,
               f"{[len(b) for b in answers[0]['buffers']] if answers else None} bytes, "
               f"sent {[len(b) for b in sent]}")


@rule("comms", "comm_info", "comm_info lists open comms, also by target, and not closed ones",
      "Messaging, Comm info")
def info(it):
    client = it.kernel().client
    target = opened(it, client)

    def listed(**content):
        return client.ask("comm_info_request", content)[0]["content"].get("comms")
    same(listed(), {"c1": {"target_name": target}}, "comms")
    same(listed(target_name=target), {"c1": {"target_name": target}}, "comms of the target")
    same(listed(target_name="another"), {}, "comms of another target")
    client.until_idle(client.send("comm_close", {"comm_id": "c1", "data": {}}))
    same(listed(), {}, "comms when it is closed")


@rule("comms", "several comms", "three comms on one target are told apart", COMMS)
def several(it):
    client = it.kernel().client
    for name in ("a", "b", "c"):
        opened(it, client, name)
    for name in ("c", "a", "b", "a"):
        answers = echo(it, client, name)[1]
        same([m["content"].get("comm_id") for m in answers], [name], "who answered")
