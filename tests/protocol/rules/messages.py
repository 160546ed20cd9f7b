"""Each message type on shell and control, idle and while a cell runs."""
import time

from front_end import label
from suite import PATIENCE, Broken, NotOffered, expect, labels, rule, same, short, text_of

ORDER = ("Messaging, Request-Reply: busy at once, then the reply, then idle; busy and idle “before/after handling "
         "every request” (5.0)")
CONTROL = ("Messaging, Introduction: control “is identical to Shell, but operates on a separate socket to avoid "
           "queueing behind execution requests”")
USERS = ("Users: completion, help and history are dead while a cell runs (jupyter/notebook#2480, "
         "JuliaLang/IJulia.jl#511)")
BUSY = ("Users: JupyterLab and idle cullers take the newest status for the kernel's; a running cell looks finished "
        "(jupyterlab#10701)")

# What a kernel may leave out: it then says busy and idle, or nothing at all, and no reply.
OPTIONAL = ("complete_request", "inspect_request", "is_complete_request", "history_request",
            "comm_info_request", "connect_request", "usage_request", "debug_request")
WITHOUT_REPLY = ("comm_open", "comm_msg", "comm_close", "no_such_request")
TYPES = ("kernel_info_request", *OPTIONAL, *WITHOUT_REPLY)
# Those whose status JupyterLab takes for the kernel's.
TRACKED = ("complete_request", "inspect_request", "is_complete_request", "history_request")
GOOD = {"is_complete_request": ("complete", "incomplete", "invalid", "unknown")}


def content_of(msg_type, snippets):
    code = snippets("complete")
    return {
        "complete_request": {"code": code, "cursor_pos": len(code)},
        "inspect_request": {"code": snippets("inspect"), "cursor_pos": len(snippets("inspect")),
                            "detail_level": 0},
        "is_complete_request": {"code": snippets("whole")},
        "history_request": {"hist_access_type": "tail", "n": 3, "output": False, "raw": True},
        "debug_request": {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}},
        "comm_open": {"comm_id": "c1", "target_name": "no.such.target", "data": {}},
        "comm_msg": {"comm_id": "c2", "data": {}},
        "comm_close": {"comm_id": "c3", "data": {}},
        "no_such_request": {"x": 1},
    }.get(msg_type, {})


def check_reply(reply, msg_type):
    same(reply["type"], msg_type.replace("_request", "_reply"), "the reply's type")
    status = reply["content"].get("status")
    if msg_type == "debug_request":  # of the Debug Adapter Protocol, or a refusal where there is no debugger
        expect(status == "error" or reply["content"].get("type") == "response", f"content: {short(reply['content'])}")
    elif msg_type not in ("usage_request", "connect_request"):
        expect(status in GOOD.get(msg_type, ("ok",)), f"status {status!r}: {short(reply['content'])}")


def check_iopub(seen, msg_id):
    """busy, whatever the request causes, idle; all with its header as parent."""
    mine = labels(m for m in seen if m["parent"] == msg_id)
    expect(mine[:1] == ["busy"] and mine[-1:] == ["idle"] and mine.count("busy") == 1,
           f"on iopub: {mine}, wanted busy, …, idle")


@rule("messages, idle", "{msg_type} on {channel}",
      "{msg_type} on {channel}: busy, the reply with the request's header as parent, idle", ORDER,
      whole="each message type, on shell and control: busy, its reply, idle",
      channel=("shell", "control"), msg_type=TYPES)
def idle(it, channel, msg_type):
    client = it.kernel().client
    msg_id = client.send(msg_type, content_of(msg_type, it.snippets), channel)
    if msg_type in WITHOUT_REPLY:
        no_reply(client, channel, msg_id, msg_type)
        return
    try:
        reply = client.reply(msg_id, channel, PATIENCE)
    except Broken:
        if msg_type in OPTIONAL:
            client.ask("kernel_info_request")
            raise NotOffered("no reply; this message is optional") from None
        raise
    check_reply(reply, msg_type)
    check_iopub(client.until_idle(msg_id), msg_id)


def no_reply(client, channel, msg_id, msg_type):
    """Comm messages and unknown ones: no reply, but the kernel goes on; busy is followed by idle."""
    fence = client.send("kernel_info_request", channel=channel)
    message = client.read(channel)
    expect(message is not None, f"no answer to anything after {msg_type} within {PATIENCE} s")
    same(message["parent"], fence, f"{message['type']} came on {channel}; its parent")
    mine = labels(m for m in client.until_idle(fence) if m["parent"] == msg_id)
    if msg_type != "no_such_request":
        expect(mine[:1] == ["busy"] and mine[-1:] == ["idle"], f"on iopub: {mine}")
    same(mine.count("busy"), mine.count("idle"), "busy without idle")


@rule("control, mid-cell", "{msg_type} on control, mid-cell",
      "{msg_type} on control is answered while a cell runs", CONTROL,
      whole="each message type on control is answered while a cell runs",
      msg_type=tuple(t for t in TYPES if t != "no_such_request"))
def control_mid_cell(it, msg_type):
    mid_cell(it, "control", msg_type)


@rule("shell, mid-cell", "{msg_type} on shell, mid-cell",
      "{msg_type} on shell is answered while a cell runs", USERS,
      whole="each message type on shell is answered while a cell runs",
      msg_type=tuple(t for t in TYPES if t != "no_such_request"))
def shell_mid_cell(it, msg_type):
    mid_cell(it, "shell", msg_type)


def mid_cell(it, channel, msg_type):
    kernel = it.kernel()
    client = kernel.client
    content = content_of(msg_type, it.snippets)
    if msg_type in OPTIONAL:
        offered(client, msg_type, content, channel)
    client.compute()
    msg_id = client.send(msg_type, content, channel)
    if msg_type not in WITHOUT_REPLY:
        check_reply(client.reply(msg_id, channel, PATIENCE / 2), msg_type)
    check_iopub(client.until_idle(msg_id, PATIENCE / 2), msg_id)


def offered(client, msg_type, content, channel):
    try:
        client.reply(client.send(msg_type, content, channel), channel)
    except Broken:
        client.ask("kernel_info_request")
        raise NotOffered("no reply when idle either; this message is optional") from None


@rule("control, mid-cell", "busy again after a request on {channel}",
      "after another request was answered mid-cell, busy is said again for the running cell", BUSY,
      channel=("shell", "control"))
def busy_again(it, channel):
    kernel = it.kernel()
    client = kernel.client
    cell = client.compute()
    for msg_type in TRACKED:
        msg_id = client.send(msg_type, content_of(msg_type, it.snippets), channel)
        try:
            client.until_idle(msg_id, PATIENCE / 2)
        except Broken:
            raise NotOffered(f"{msg_type} on {channel} is not answered mid-cell") from None
        message = client.read("iopub")
        expect(message and (label(message), message["parent"]) == ("busy", cell),
               f"after {msg_type} the newest status is idle while the cell runs")


@rule("control, mid-cell", "heartbeat", "a heartbeat comes back byte for byte while a cell computes",
      "Messaging, Heartbeat: bytestrings “are echoed right back”; clients ping every second")
def heartbeat(it):
    kernel = it.kernel()
    client = kernel.client
    client.compute("loop")
    for beat in (b"ping", b"", b"\0\xff" * 500, "猫".encode(), *[b"%d" % i for i in range(50)]):
        client.sockets["hb"].send(beat)
        expect(client.sockets["hb"].poll(PATIENCE * 1000), f"no echo within {PATIENCE} s")
        same(client.sockets["hb"].recv(), beat, "the echo")


@rule("messages, idle", "kernel_info content", "kernel_info_reply has all fields that are not optional",
      "Messaging, Kernel info")
def kernel_info(it):
    content = it.kernel().client.ask("kernel_info_request")[0]["content"]
    language = content.get("language_info", {})
    for where, names in ((content, ("protocol_version", "implementation", "implementation_version",
                                    "banner")),
                         (language, ("name", "version", "mimetype", "file_extension"))):
        missing = [name for name in names if not isinstance(where.get(name), str)]
        same(missing, [], "missing")
    expect(language["file_extension"].startswith("."), f"extension {language['file_extension']!r}")


@rule("messages, idle", "is_complete: {what}", "code that is {what} is told from other code",
      "Messaging, Code completeness", whole="whole, unfinished and wrong code are told apart",
      what=("whole", "unfinished", "wrong"))
def is_complete(it, what):
    client = it.kernel().client
    content = {"code": it.snippets(what)}
    offered(client, "is_complete_request", content, "shell")
    status = client.ask("is_complete_request", content)[0]["content"].get("status")
    if status == "unknown":
        raise NotOffered("the kernel answers “unknown”")
    same(status, {"whole": "complete", "unfinished": "incomplete", "wrong": "invalid"}[what], "status")


@rule("messages, idle", "cursor_pos counts code points",
      "completion behind characters outside the BMP: positions are counted in code points",
      "Messaging, Completion: cursor_pos “in unicode characters” (5.2)")
def astral(it):
    client = it.kernel().client
    code = it.snippets("complete_after_astral")
    offered(client, "complete_request", {"code": code, "cursor_pos": len(code)}, "shell")
    content = client.ask("complete_request", {"code": code, "cursor_pos": len(code)})[0]["content"]
    expect(it.snippets("complete_match") in content.get("matches", []),
           f"{it.snippets('complete_match')} is not among {short(content.get('matches'))}")
    same((content["cursor_start"], content["cursor_end"]),
         (len(code) - len(it.snippets("complete")), len(code)), "what is replaced")


@rule("messages, idle", "cursor_pos outside of the code",
      "a cursor_pos of -1, 99 or 10^15 is answered, never met with silence",
      "Users: a client that waits for a reply waits for ever")
def cursor_outside(it):
    client = it.kernel().client
    code = it.snippets("complete")
    offered(client, "complete_request", {"code": code, "cursor_pos": len(code)}, "shell")
    for place in (-1, 99, 10**15):
        client.ask("complete_request", {"code": code, "cursor_pos": place})
    client.still_works()


@rule("messages, idle", "subshells",
      "subshell requests of a kernel that has none get no reply; others make and list one",
      "Messaging, Kernel subshells: “In a kernel that does not support subshells an error is logged and no reply is "
      "sent”")
def subshells(it):
    client = it.kernel().client
    features = client.ask("kernel_info_request")[0]["content"].get("supported_features") or []
    msg_id = client.send("create_subshell_request", {}, "control")
    if "kernel subshells" in features:
        name = client.reply(msg_id, "control")["content"].get("subshell_id")
        listed = client.ask("list_subshell_request", {}, "control")[0]["content"].get("subshell_id")
        same(listed, [name], "subshells")
    else:
        no_reply(client, "control", msg_id, "no_such_request")


@rule("messages, idle", "requests before birth",
      "fifty kernel_info_requests that were sent before the kernel was up are all answered",
      "Users: servers ask every half second until a kernel answers; lost requests hang the start")
def before_birth(it):
    kernel = it.kernel(client=False)
    client = kernel.connect()
    ids = {client.send("kernel_info_request") for _ in range(50)}
    end = time.monotonic() + 60
    while ids and (message := client.read("shell", max(0, end - time.monotonic()))):
        ids.discard(message["parent"])
    same(len(ids), 0, "requests without a reply")
    client.close()


@rule("messages, idle", "an unknown header field: {what}",
      "a header with a field that nobody knows works as without, and comes back in parent_header",
      "Messaging, Compatibility: “allow … extra fields in known message types”; Parent header: “a copy of the "
      "header”",
      what=("a text", "a list"))
def unknown_field(it, what):
    client = it.kernel().client
    content = {"code": it.snippets("print", text="hi"), "silent": False, "store_history": True,
               "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
    header = client.header("execute_request", unknown={"a text": "猫", "a list": [1, None]}[what])
    msg_id = client.send("execute_request", content, header=header)
    reply = client.reply(msg_id)
    same(reply["content"].get("status"), "ok", "status")
    same(reply["whole_parent"], header, "parent_header")
    same(text_of(client.until_idle(msg_id)), "hi\n", "text")
