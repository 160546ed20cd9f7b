"""A front end of our own: sends signed messages over real sockets and holds every message that comes
back to the protocol (signature, version, one session, ids seen once, parents as they were sent)."""
import datetime
import hmac
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

import zmq

PROGRAM = os.environ.get("CUTAWAY", "build/cutaway")
CHANNELS = ("shell", "control", "stdin", "iopub", "hb")
PATIENCE = 60  # seconds until what does not come is missed: many times what a slow and busy machine takes
DELIMITER = b"<IDS|MSG>"

# A worker that crashes on demand shall die of the signal, also with sanitizers built in. A kernel that
# leaks does not exit with 0.
SANITIZERS = {"ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:handle_abort=0:detect_leaks=1"}


class Ports:
    """A block of ports that no other process of the tests takes from: two kernels that are given one port
    leave a client connected to the wrong one. None of them is given away by the system. The block is
    held by a datagram socket on its first number."""

    FIRST, AFTER, BLOCK = 10_000, 32_000, 400

    def __init__(self):
        self.lock = threading.Lock()
        bases = list(range(self.FIRST, self.AFTER, self.BLOCK))
        random.SystemRandom().shuffle(bases)
        self.guard = socket.socket(type=socket.SOCK_DGRAM)
        base = next(one for one in bases if self.takes(self.guard, one))
        self.turn = itertools.cycle(range(base, base + self.BLOCK))

    @staticmethod
    def takes(one, port):
        try:
            one.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False

    def free(self, port):
        """Nobody listens there. A connection that has just ended there does no harm."""
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return self.takes(one, port)

    def take(self, count):
        with self.lock:
            return list(itertools.islice(filter(self.free, self.turn), count))


PORTS = Ports()


def free_ports(count):
    """Ports that are free, all different; none comes again soon."""
    return PORTS.take(count)


def wait_for(condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def gone(pid):
    """Whether the process has ended, buried or not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Client:
    """One client of one kernel: its own sockets, its own identity."""

    def __init__(self, kernel, identity=None, topic=b"", without=None):
        self.kernel, self.topic = kernel, topic
        self.context = kernel.context
        self.identity = identity or uuid.uuid4().hex.encode()
        self.sockets, self.ids, self.sent = {}, set(), {}
        self.session = None
        for name, kind in (("shell", zmq.DEALER), ("control", zmq.DEALER), ("stdin", zmq.DEALER),
                           ("iopub", zmq.SUB), ("hb", zmq.REQ)):
            one = self.context.socket(kind)
            one.linger = 0
            one.rcvhwm = 0
            if kind == zmq.DEALER:
                one.identity = self.identity
            if kind == zmq.SUB:
                one.subscribe(topic)
            kernel.prepare(one)
            if name != without:
                one.connect(kernel.endpoint(name))
            self.sockets[name] = one

    def close(self):
        for one in self.sockets.values():
            one.close()

    def header(self, msg_type, **more):
        return {"msg_id": uuid.uuid4().hex, "username": "猫", "session": "client", "date":
                "2026-01-01T00:00:00.000001Z", "msg_type": msg_type, "version": "5.4",
                "unknown field": [1, None], **more}

    def send(self, msg_type, content=None, channel="shell", header=None, buffers=()):
        """Sends a signed message; returns its id."""
        header = header or self.header(msg_type)
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content or {})]
        self.sent[header["msg_id"]] = header
        self.sockets[channel].send_multipart([DELIMITER, self.kernel.sign(parts), *parts, *buffers])
        return header["msg_id"]

    def read(self, channel, patience=PATIENCE):
        """The next message, checked; None if none comes."""
        if not self.sockets[channel].poll(int(patience * 1000)):
            return None
        frames = self.sockets[channel].recv_multipart()
        at = frames.index(DELIMITER)
        signature, *parts = frames[at + 1:at + 6]
        assert signature == self.kernel.sign(parts), "the kernel's signature does not hold"
        header, parent, metadata, content = map(json.loads, parts)
        assert set(header) == {"msg_id", "session", "username", "date", "msg_type", "version"}
        assert header["version"] == "5.5"
        assert (channel, header["msg_id"]) not in self.ids, "an id came twice"
        self.ids.add((channel, header["msg_id"]))
        self.session = self.session or header["session"]
        assert header["session"] == self.session, "two sessions in one process"
        if parent.get("msg_id") in self.sent:
            assert parent == self.sent[parent["msg_id"]], "the parent is not the request's header"
        if channel == "iopub" and header["msg_type"] != "iopub_welcome":
            assert at == 1 and frames[0].decode() == f"kernel.{self.session}.{header['msg_type']}"
        return {"type": header["msg_type"], "parent": parent.get("msg_id"), "header": header,
                "metadata": metadata, "content": content, "frames": frames[:at],
                "buffers": frames[at + 6:], "whole_parent": parent}

    def reply(self, msg_id, channel="shell", patience=PATIENCE):
        """The reply to that request; others are left aside."""
        while message := self.read(channel, patience):
            if message["parent"] == msg_id:
                return message
        raise AssertionError(f"no reply on {channel} within {patience} s")

    def until_idle(self, msg_id, patience=PATIENCE):
        """All iopub messages up to that request's idle."""
        seen = []
        while message := self.read("iopub", patience):
            seen.append(message)
            if message["parent"] == msg_id and label(message) == "idle":
                return seen
        raise AssertionError(f"no idle within {patience} s; seen {[label(m) for m in seen]}")

    def ask(self, msg_type, content=None, channel="shell"):
        """Sends, waits for reply and idle: the reply and the labels seen on iopub."""
        msg_id = self.send(msg_type, content, channel)
        reply = self.reply(msg_id, channel)
        seen = self.until_idle(msg_id)
        assert all(m["parent"] == msg_id for m in seen), [label(m) for m in seen]
        return reply, [label(m) for m in seen]

    def run(self, code, **content):
        """Runs a cell: its reply and its iopub messages."""
        msg_id = self.execute(code, **content)
        seen = self.until_idle(msg_id)
        assert all(m["parent"] == msg_id for m in seen), [label(m) for m in seen]
        return self.reply(msg_id), seen

    def execute(self, code, **content):
        return self.send("execute_request", {"code": code, "silent": False, "store_history": True,
                                             "user_expressions": {}, "allow_stdin": False,
                                             "stop_on_error": True, **content})

    def start(self, code, **content):
        """Starts a cell and waits until it runs; returns its id."""
        msg_id = self.execute(code, **content)
        last = "busy" if content.get("silent") else "execute_input"
        while (seen := label(self.read("iopub"))) != last:
            assert seen, f"no {last} came"
        return msg_id

    def labels(self, count):
        """The next `count` iopub messages as (label, parent)."""
        return [(label(m), m["parent"]) for m in (self.read("iopub") for _ in range(count))]

    def quiet(self, channel="iopub"):
        """Nothing is under way: a request after all others is the next thing that is heard."""
        msg_id = self.send("comm_info_request")
        self.reply(msg_id)
        return [label(m) for m in self.until_idle(msg_id)] == ["busy", "idle"]

    def catch_up(self):
        """Reads all that the kernel has said so far, to whomever."""
        msg_id = self.send("comm_info_request")
        self.reply(msg_id)
        self.until_idle(msg_id)

    def settle(self):
        """Waits until the kernel answers and this client hears iopub. It is greeted first, but for what
        the kernel was sending at the very moment: libzmq takes subscriptions also while it sends."""
        first = label(self.read("iopub"))
        if first == "starting":
            first = label(self.read("iopub"))
        assert first == "iopub_welcome", first
        msg_id = self.send("kernel_info_request")
        self.reply(msg_id)
        seen = [label(m) for m in self.until_idle(msg_id)]
        assert seen in (["busy", "idle"], ["starting", "busy", "idle"]), seen
        return self


def label(message):
    if message is None:
        return None
    state = message["content"].get("execution_state")
    return state if message["type"] == "status" else message["type"]


def sent(message):
    """When, in seconds by the kernel's clock."""
    return datetime.datetime.fromisoformat(message["header"]["date"]).timestamp()


class Kernel:
    """One kernel process with its connection file, and a first client that hears everything."""

    file_name = "kernel.json"

    def __init__(self, key=b"a key that is secret", transport="tcp", under=(), connection=None,
                 client=True, folder=None, string_ports=False, scheme="hmac-sha256", curve=None,
                 options=()):
        self.context = zmq.Context()
        self.key = key
        self.holder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # its worker may be ending
        self.folder = pathlib.Path(folder or self.holder.name)
        self.transport, self.curve = transport, curve
        self.digest = scheme.removeprefix("hmac-")
        if connection is None:
            ports = free_ports(5) if transport == "tcp" else range(1, 6)
            ip = "127.0.0.1" if transport == "tcp" else str(self.folder / "socket")
            connection = {"transport": transport, "ip": ip, "key": key.decode(),
                          "signature_scheme": scheme, "kernel_name": "cutaway"}
            if curve:
                connection |= zip(("curve_publickey", "curve_secretkey"),
                                  (key.decode() for key in curve))
            connection |= {f"{name}_port": str(port) if string_ports else port
                           for name, port in zip(CHANNELS, ports)}
        self.connection = connection
        self.file = self.folder / self.file_name
        self.file.write_text(json.dumps(connection))
        self.file.chmod(0o600)
        self.log = open(self.folder / "kernel.log", "ab")
        self.process = subprocess.Popen([*under, *self.command(), *options], env=self.environment(),
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        self.client = None
        if client:
            try:
                self.client = self.connect()
                self.client.settle()
            except BaseException:
                self.close()  # or the context would wait for its sockets for ever
                raise

    def command(self):
        return [PROGRAM, "kernel", "-f", str(self.file)]

    def environment(self):
        """Of the process: nothing that it writes is left in the user's folders."""
        environment = {**os.environ, **SANITIZERS, "XDG_DATA_HOME": str(self.folder / "data"),
                       "XDG_CACHE_HOME": str(self.folder / "cache")}
        environment.pop("JPY_PARENT_PID", None)
        return environment

    def connect(self, **more):
        """One more client of this kernel."""
        return Client(self, **more)

    def prepare(self, one):
        """What a socket needs before it connects."""
        if self.curve:
            one.curve_publickey, one.curve_secretkey = zmq.curve_keypair()
            one.curve_serverkey = self.curve[0]

    def endpoint(self, name):
        ip, port = self.connection["ip"], self.connection[f"{name}_port"]
        return f"tcp://{ip}:{port}" if self.transport == "tcp" else f"ipc://{ip}-{port}"

    def sign(self, parts, key=None):
        key = self.key if key is None else key
        return hmac.new(key, b"".join(parts), self.digest).hexdigest().encode() if key else b""

    def children(self):
        """Pids of the kernel's own children: the worker, if one lives."""
        pid = self.process.pid
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(one) for one in text.split()]

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def wait(self, patience=PATIENCE):
        return self.process.wait(patience)

    def close(self):
        if self.client:
            self.client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.context.destroy(linger=0)
        self.holder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
