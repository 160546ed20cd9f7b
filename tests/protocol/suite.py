"""What the rules of the conformance suite are written with: any installed kernel, started with a
connection file of ours; a client that notes what is wrong with a message instead of ending there; the
snippets of a language; and the list of rules itself."""
import collections
import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import signal
import string
import subprocess
import sys
import threading
import time
import tomllib
import traceback
import uuid

import zmq
from jupyter_client.kernelspec import KernelSpecManager

import front_end
from front_end import DELIMITER, label

PATIENCE = int(os.environ.get("CUTAWAY_PATIENCE", 10))  # seconds until a message that does not come is missed
BIRTH = 60  # seconds until a kernel that does not answer is given up
FIELDS = ("msg_id", "session", "username", "date", "msg_type", "version")
OUTSIDE = {"usage_reply", "connect_reply", "debug_reply"}  # replies whose form the protocol leaves open
RULES = []


class Broken(Exception):
    """A rule does not hold; the text is what was seen."""


class NotOffered(Exception):
    """The kernel does not claim to do this."""


def expect(holds, seen):
    if not holds:
        raise Broken(seen)


def same(seen, wanted, what):
    expect(seen == wanted, f"{what}: {short(seen)}, wanted {short(wanted)}")


def short(value, length=300):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


@dataclasses.dataclass
class Rule:
    group: str
    name: str
    text: str
    source: str
    run: object
    cases: dict
    whole: str  # what all cases of the rule say together


def rule(group, name, text, source, whole=None, **cases):
    """Adds a rule, or one for each combination of cases: {key} in name and text is replaced."""
    assert whole or "{" not in text, f"{name}: whole has to say what all cases say together"

    def add(run):
        combinations = [{}]
        for key, values in cases.items():
            combinations = [{**one, key: value} for one in combinations for value in values]
        for one in combinations:
            RULES.append(Rule(group, name.format(**one), text.format(**one), source, run, one,
                              whole or text))
        return run
    return add


class Snippets:
    """What prints, fails, asks, floods… in one language: a table of texts with $words."""

    def __init__(self, path):
        self.table = tomllib.loads(pathlib.Path(path).read_text())

    def __call__(self, name, **words):
        if name not in self.table:
            raise NotOffered(f"there is no snippet “{name}” for this kernel")
        values = {key: str(value) for key, value in words.items()}
        return string.Template(self.table[name]).substitute(values)

    def get(self, name):
        return self.table.get(name)


class Front(front_end.Client):
    """A client that notes faults of messages and reads on."""

    def read(self, channel, patience=PATIENCE):
        end = time.monotonic() + patience
        while self.sockets[channel].poll(max(0, int((end - time.monotonic()) * 1000))):
            frames = self.sockets[channel].recv_multipart()
            message = self.take(channel, frames)
            if message:
                return message
        return None

    def reply(self, msg_id, channel="shell", patience=PATIENCE):
        """The reply to that request; others are kept for those who ask for them."""
        if (channel, msg_id) in self.kept:
            return self.kept.pop((channel, msg_id))
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0 and (message := self.read(channel, left)):
            if message["parent"] == msg_id:
                return message
            self.kept[channel, message["parent"]] = message
        self.kernel.alive()
        raise Broken(f"no reply to {self.kinds.get(msg_id)} on {channel} within {patience} s")

    def __init__(self, kernel, **more):
        self.kept, self.kinds, self.early = {}, {}, []
        self.heard = collections.defaultdict(list)  # by parent: labels on iopub
        super().__init__(kernel, **more)

    def header(self, msg_type, **more):
        """As jupyter_client's, so that what goes wrong is what a rule is about."""
        return {"msg_id": uuid.uuid4().hex, "username": "reader", "session": self.identity.decode(),
                "date": datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z"),
                "msg_type": msg_type, "version": "5.4", **more}

    def send(self, msg_type, *more, **rest):
        msg_id = super().send(msg_type, *more, **rest)
        self.kinds[msg_id] = msg_type
        return msg_id

    def until_idle(self, msg_id, patience=PATIENCE):
        """All iopub messages up to that request's idle."""
        seen, end = [], time.monotonic() + patience
        while (left := end - time.monotonic()) > 0 and (message := self.read("iopub", left)):
            seen.append(message)
            if message["parent"] == msg_id and label(message) == "idle":
                return seen
        self.kernel.alive()
        raise Broken(f"no idle after {self.kinds.get(msg_id)} within {patience} s; on iopub: "
                     f"{labels(seen)}")

    def outcome(self, msg_id):
        """A request's status and labels on iopub, also if some were read before, for another's sake."""
        status = self.reply(msg_id)["content"].get("status")
        if "idle" not in self.heard[msg_id]:
            self.until_idle(msg_id)
        return status, self.heard[msg_id]

    def start(self, code, **content):
        """Starts a cell and waits until it runs; returns its id."""
        msg_id = self.execute(code, **content)
        last = "busy" if content.get("silent") else "execute_input"
        while message := self.read("iopub"):
            if message["parent"] == msg_id and label(message) == last:
                return msg_id
        self.kernel.alive()
        raise Broken(f"no {last} for a cell within {PATIENCE} s")

    def compute(self, name="early"):
        """Starts a cell that never ends and waits until its code runs; returns its id."""
        cell = self.start(self.kernel.snippets(name, text="computing"))
        while message := self.read("iopub"):
            if message["parent"] == cell and message["type"] == "stream":
                return cell
        raise Broken(f"no text of a running cell within {PATIENCE} s")

    def run(self, code, patience=PATIENCE, **content):
        """Runs a cell: its reply and those iopub messages that are its own."""
        msg_id = self.execute(code, **content)
        seen = self.until_idle(msg_id, patience)
        return self.reply(msg_id, patience=patience), [m for m in seen if m["parent"] == msg_id]

    def ask(self, msg_type, content=None, channel="shell", **more):
        msg_id = self.send(msg_type, content, channel, **more)
        reply = self.reply(msg_id, channel)
        return reply, [label(m) for m in self.until_idle(msg_id) if m["parent"] == msg_id]

    def throw(self, frames, channel="shell"):
        self.sockets[channel].send_multipart(frames)

    def parts(self, msg_type="kernel_info_request", content=b"{}", **more):
        """A message's id and its four dictionaries as bytes, not sent yet."""
        header = self.header(msg_type, **more)
        self.sent[header["msg_id"]] = header
        self.kinds[header["msg_id"]] = msg_type
        return header["msg_id"], [json.dumps(header).encode(), b"{}", b"{}", content]

    def sign_and_throw(self, parts, channel="shell", ids=(), buffers=()):
        self.throw([*ids, DELIMITER, self.kernel.sign(parts), *parts, *buffers], channel)

    def settle(self):
        """Asks as jupyter_client does, once a second, until a reply and iopub are heard."""
        end, heard_s = time.monotonic() + BIRTH, 0.1
        while time.monotonic() < end:
            self.kernel.alive()
            msg_id = self.send("kernel_info_request")
            with contextlib.suppress(Broken):
                self.reply(msg_id, patience=1)
                heard_s *= 2  # how long its idle may take, if the subscription came in time
                self.early += self.until_idle(msg_id, heard_s)
                break
        else:
            raise Broken(f"the kernel did not answer within {BIRTH} s")
        msg_id = self.send("kernel_info_request")
        self.reply(msg_id)
        self.until_idle(msg_id)
        return self

    def ask_quietly_long(self):
        """The same of a kernel that is just being born."""
        self.reply(self.send("kernel_info_request"), patience=BIRTH)

    def ask_quietly(self, channel="shell"):
        """A request of which only the reply is waited for, iopub is left as it is."""
        self.reply(self.send("kernel_info_request", channel=channel), channel)

    def catch_up(self):
        """Waits until all is done that was sent before."""
        msg_id = self.send("kernel_info_request")
        self.reply(msg_id, patience=60)
        return self.until_idle(msg_id, 60)

    def still_works(self):
        """The kernel answers as before, and runs cells."""
        self.ask("kernel_info_request")
        text = f"works {self.kernel.count()}"
        reply, seen = self.run(self.kernel.snippets("print", text=text))
        same(reply["content"].get("status"), "ok", "a cell afterwards")
        expect(text in text_of(seen), f"a cell afterwards printed {text_of(seen)!r}")

    def silent(self, channel="shell", patience=PATIENCE):
        """Nothing has come and nothing comes on that channel but the answer to a last request."""
        msg_id = self.send("kernel_info_request", channel=channel)
        message = self.read(channel, patience)
        expect(message is not None, f"no kernel_info_reply on {channel} within {patience} s")
        same(message["parent"], msg_id, f"a {label(message)} came on {channel}; its parent")
        seen = self.until_idle(msg_id)
        strange = [label(m) for m in seen if m["parent"] != msg_id and label(m) != "iopub_welcome"]
        same(strange, [], "came on iopub without a request")

    # ---- what holds for every message ----

    def take(self, channel, frames):
        try:
            at = frames.index(DELIMITER)
            signature, *parts = frames[at + 1:at + 6]
            values = [json.loads(part.decode()) for part in parts]
            flat = len(values) == 4 and all(isinstance(value, dict) for value in values)
            self.kernel.fault("frames", None if flat else f"on {channel}: {short(frames)}")
            header, parent, metadata, content = (one if isinstance(one, dict) else {} for one in values)
        except (ValueError, UnicodeDecodeError) as reason:
            self.kernel.fault("frames", f"on {channel}: {reason}: {short(frames)}")
            return None
        what = f"{header.get('msg_type')} on {channel}"
        message = {"type": header.get("msg_type"), "parent": text_or_none(parent.get("msg_id")), "header": header,
                   "metadata": metadata, "content": content, "frames": frames[:at],
                   "buffers": frames[at + 6:], "whole_parent": parent, "at": time.monotonic(),
                   "size": sum(map(len, frames))}
        self.check(channel, message, what, signature == self.kernel.sign(parts))
        return message

    def check(self, channel, message, what, signed):
        kernel, header = self.kernel, message["header"]
        kernel.fault("signature", None if signed else what)
        bad = [name for name in FIELDS if not isinstance(header.get(name), str)]
        kernel.fault("header", f"{what}: {bad} missing or no text" if bad else None)
        kernel.fault("date", None if is_date(header.get("date")) else f"{what}: {header.get('date')!r}")
        again = (channel, header.get("msg_id")) in self.ids
        self.ids.add((channel, header.get("msg_id")))
        kernel.fault("ids", f"{what}: {header.get('msg_id')} came twice" if again else None)
        kernel.session = kernel.session or header.get("session")
        moved = header.get("session") != kernel.session
        kernel.fault("session", f"{what}: {header.get('session')!r} beside {kernel.session!r}"
                     if moved else None)
        self.check_kind(channel, message, what)

    def check_kind(self, channel, message, what):
        kernel, content, kind = self.kernel, message["content"], message["type"]
        if kind == "kernel_info_reply":
            kernel.announced = kernel.announced or content.get("protocol_version")
        if kernel.announced:
            kernel.fault("version", None if message["header"].get("version") == kernel.announced else
                         f"{what}: {message['header'].get('version')}, but kernel_info says "
                         f"{kernel.announced}")
        asked = self.sent.get(message["parent"])
        if asked:
            kernel.fault("parent", None if message["whole_parent"] == asked else
                         f"{what}: {message['whole_parent']} for {asked}")
        if channel == "iopub":
            self.heard[message["parent"]].append(label(message))
        if channel == "iopub" and kind != "iopub_welcome":
            kernel.fault("topic", None if len(message["frames"]) == 1 else
                         f"{what}: {len(message['frames'])} frames before the delimiter")
        if channel in ("shell", "control") and kind not in OUTSIDE:
            kernel.fault("status", None if isinstance(content.get("status"), str) else
                         f"{what}: {short(content)}")
        if content.get("execution_state") == "starting":
            kernel.starts.add(message["header"].get("msg_id"))
            kernel.fault("starting", "starting was said twice" if len(kernel.starts) > 1 else None)


def text_or_none(value):
    return value if isinstance(value, str) else None


def is_date(text):
    try:
        return datetime.datetime.fromisoformat(text) is not None
    except (TypeError, ValueError):
        return False


def labels(seen):
    return [label(m) for m in seen]


def text_of(seen, name=None):
    """All text that a cell showed: streams and text/plain, or one stream's."""
    texts = []
    for m in seen:
        if m["type"] == "stream" and name in (None, m["content"]["name"]):
            texts.append(m["content"]["text"])
        elif name is None and isinstance(m["content"].get("data"), dict):
            texts.append(str(m["content"]["data"].get("text/plain", "")))
    return "".join(texts)


class Foreign:
    """A process that is not our child, as far as a kernel's is asked for."""

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        try:
            state = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return -1
        return -1 if state in "ZX" else None

    def kill(self):
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, _=None):
        front_end.wait_for(lambda: self.poll() is not None)


class Running(front_end.Kernel):
    """One process of the kernel under test."""

    def __init__(self, subject, encrypted=None, name="kernel.json", readonly=False, **more):
        self.subject, self.snippets, self.encrypted = subject, subject.snippets, encrypted
        self.file_name, self.readonly = name, readonly
        self.fault = subject.fault
        self.session = self.announced = None
        self.starts, self.number = set(), 0
        super().__init__(key=more.pop("key", b"a key that is secret"), **more)

    def command(self):
        return self.subject.command(self.file)

    def environment(self):
        """With folders of its own for whatever the kernel keeps, or with such that nobody can make."""
        folder = pathlib.Path("/proc/nowhere") if self.readonly else self.folder
        return self.subject.environment(folder)

    def connect(self, **more):
        return Front(self, **more)

    def prepare(self, one):
        one.sndtimeo = 1000 * PATIENCE  # a kernel that reads nothing any more must not keep the suite
        if self.encrypted:
            server, public, secret = self.encrypted
            one.curve_serverkey, one.curve_publickey, one.curve_secretkey = server, public, secret

    def said(self, length=2000):
        """The end of what the process wrote to its own output."""
        with contextlib.suppress(FileNotFoundError):  # closed by the rule itself
            return (self.folder / "kernel.log").read_text(errors="replace")[-length:]
        return ""

    def count(self):
        self.number += 1
        return self.number

    def alive(self):
        code = self.process.poll()
        expect(code is None, f"the kernel's process ended with {code}")

    def interrupt(self, client=None):
        """As a server would: by message or by signal, whichever the kernelspec names."""
        if self.subject.by_message:
            client = client or self.client
            return client.send("interrupt_request", channel="control")
        os.killpg(self.process.pid, signal.SIGINT)
        return None

    def watch(self, pid):
        """From now on the kernel is another process, that somebody else started; a client of it."""
        self.process = Foreign(pid)
        self.client = self.connect()
        return self.client.settle()

    def gone(self, patience=PATIENCE):
        return front_end.wait_for(lambda: self.process.poll() is not None, patience)

    def descendants(self):
        """Pids of all processes below the kernel's own."""
        pids, found = [self.process.pid], []
        while pids:
            pid = pids.pop()
            with contextlib.suppress(OSError):
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    pids += map(int, (task / "children").read_text().split())
                    found += pids
        return set(found)

    def close(self):
        left = self.descendants()
        super().close()
        for pid in left:  # a child that has a group of its own
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


class Subject:
    """The kernel under test: its kernelspec, what it claims, and what was wrong with its messages."""

    def __init__(self, name, path=None, language=None, brief=False):
        self.name, self.brief = name, brief
        manager = KernelSpecManager(ensure_native_kernel=False)
        if path:
            manager.kernel_dirs = [str(path), *manager.kernel_dirs]
        self.spec = manager.get_kernel_spec(name)
        here = pathlib.Path(__file__).parent / "snippets"
        self.snippets = Snippets(language or here / f"{self.spec.language}.toml")
        self.lock, self.faults, self.checked = threading.Lock(), {}, {}
        self.open = threading.local()
        self.version = self.find_version()
        self.by_message = self.spec.interrupt_mode == "message"

    def find_version(self):
        """Of the Python package that the kernelspec runs, or what `PROGRAM --version` says."""
        argv = self.spec.argv
        if "-m" in argv:
            module = argv[argv.index("-m") + 1].split(".")[0]
            name = importlib.metadata.packages_distributions()[module][0]
            return f"{name} {importlib.metadata.version(name)}"
        done = subprocess.run([argv[0], "--version"], capture_output=True, text=True, timeout=BIRTH)
        return done.stdout.strip().split("\n")[0]

    def command(self, file):
        argv = [one.replace("{connection_file}", str(file))
                .replace("{resource_dir}", str(self.spec.resource_dir)) for one in self.spec.argv]
        plain = {"python", f"python{sys.version_info[0]}", "python%i.%i" % sys.version_info[:2]}
        if argv[0] in plain:  # as jupyter_client does
            argv[0] = sys.executable
        return argv

    def environment(self, folder):
        """The user's, with folders of its own for whatever the kernel keeps."""
        environment = {**os.environ, **front_end.SANITIZERS, **self.spec.env,
                       "XDG_DATA_HOME": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache"),
                       "IPYTHONDIR": str(folder / "ipython"), "JPY_PARENT_PID": str(os.getpid())}
        return environment

    def kernel(self, **more):
        """A new process; it ends with the rule."""
        one = Running(self, client=False, **{k: v for k, v in more.items() if k != "client"})
        self.open.kernels.append(one)
        if more.get("client", True):
            one.client = one.connect()
            one.client.settle()
        return one

    def pick(self, long, brief):
        return brief if self.brief else long

    def fault(self, kind, seen):
        with self.lock:
            self.checked[kind] = self.checked.get(kind, 0) + 1
            if seen:
                self.faults.setdefault(kind, []).append(seen)

    def claims(self, version):
        """Whether the kernelspec names that protocol version or a later one."""
        said = str(getattr(self.spec, "kernel_protocol_version", "") or "")
        numbers = [int(one) for one in said.split(".") if one.isdigit()]
        return tuple(numbers[:2]) >= version

    def try_rule(self, one):
        """Runs a rule with processes of its own: (result, what was seen, the log's end)."""
        self.open.kernels = []
        result, seen, log = "pass", "", ""
        try:
            seen = one.run(self, **one.cases) or ""
        except NotOffered as reason:
            result, seen = "not offered", str(reason)
        except zmq.Again:
            result, seen = "fail", f"the kernel took no more messages for {PATIENCE} s"
        except (Broken, AssertionError) as reason:
            result, seen = "fail", str(reason)
        except Exception as reason:  # what came was not of the form that the rule reads
            result, seen, log = "fail", repr(reason), traceback.format_exc()
        for kernel in self.open.kernels:
            log += kernel.said()
            kernel.close()
        return result, short(seen, 600), log if result == "fail" else ""
