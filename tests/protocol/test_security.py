"""Who may speak to the kernel and who may listen: replayed messages, encryption, the handshake by which
a kernel registers itself."""
import json
import os
import signal
import stat
import subprocess
import uuid

import pytest
import zmq
from jupyter_client.manager import KernelManager

from front_end import DELIMITER, PATIENCE, PROGRAM, SANITIZERS, Client, Kernel, label, wait_for


def message(client, msg_type="kernel_info_request", content=b"{}"):
    """A signed message; its id and its frames."""
    header = client.header(msg_type)
    client.sent[header["msg_id"]] = header
    parts = [json.dumps(header).encode(), b"{}", b"{}", content]
    return header["msg_id"], [DELIMITER, client.kernel.sign(parts), *parts]


# Replay.

@pytest.mark.parametrize("again", ["shell", "control", "stdin"])
@pytest.mark.parametrize("first", ["shell", "control"])
def test_a_message_counts_once_on_all_channels(client, first, again):
    msg_id, frames = message(client)
    client.sockets[first].send_multipart(frames)
    client.reply(msg_id, first)
    client.until_idle(msg_id)
    for _ in range(3):
        client.sockets[again].send_multipart(frames)
        client.sockets[again].send_multipart([b"another identity", *frames, b"another buffer"])
    assert client.read(again, 0.05) is None
    assert client.quiet()


def test_a_replayed_cell_does_not_run(client):
    msg_id, frames = message(client, "execute_request", b'{"code": "%echo once"}')
    for _ in range(5):
        client.sockets["shell"].send_multipart(frames)
    assert [label(m) for m in client.until_idle(msg_id)] == ["busy", "execute_input", "stream", "idle"]
    client.reply(msg_id)


def test_another_client_cannot_replay(kernel, client):
    other = Client(kernel).settle()
    client.read("iopub"), client.read("iopub")
    msg_id, frames = message(client)
    client.sockets["shell"].send_multipart(frames)
    client.reply(msg_id)
    client.until_idle(msg_id)
    other.sockets["shell"].send_multipart(frames)
    assert other.read("shell", 0.05) is None
    other.close()


def test_a_refused_message_is_not_remembered(client):
    """Who sees a message before the kernel does cannot make it be refused by sending it broken."""
    msg_id, frames = message(client)
    client.sockets["shell"].send_multipart([*frames[:-1], b"{ }"])
    client.sockets["shell"].send_multipart(frames)
    client.reply(msg_id)
    client.until_idle(msg_id)


def test_without_a_key_nothing_is_remembered():
    with Kernel(key=b"") as kernel:
        client = kernel.client
        msg_id, frames = message(client)
        for _ in range(2):
            client.sockets["shell"].send_multipart(frames)
            assert client.reply(msg_id)["content"]["status"] == "ok"
            client.until_idle(msg_id)


@pytest.mark.parametrize("scheme", ["hmac-sha512", "hmac-md5"])
def test_other_digests(scheme):
    with Kernel(scheme=scheme) as kernel:
        client = kernel.client
        assert client.run("%echo 你好")[0]["content"]["status"] == "ok"
        msg_id, frames = message(client)
        client.sockets["shell"].send_multipart([frames[0], frames[1][:-1] + b"g", *frames[2:]])
        client.sockets["shell"].send_multipart([frames[0], frames[1][:-2], *frames[2:]])
        assert client.read("shell", 0.05) is None
        client.sockets["shell"].send_multipart(frames)
        client.sockets["shell"].send_multipart(frames)
        assert client.reply(msg_id)["content"]["status"] == "ok"
        client.until_idle(msg_id)
        assert client.quiet()


# CurveZMQ.

def strangers(kernel):
    """Sockets of each kind with no key, with another server's, and with half a pair."""
    other, own = zmq.curve_keypair(), zmq.curve_keypair()
    for name, kind in (("iopub", zmq.SUB), ("shell", zmq.DEALER), ("control", zmq.DEALER),
                       ("stdin", zmq.DEALER), ("hb", zmq.REQ)):
        for server in (None, other[0], own[0]):
            one = kernel.context.socket(kind)
            one.linger = 0
            if kind == zmq.SUB:
                one.subscribe(b"")
            if server:
                one.curve_publickey, one.curve_secretkey = own
                one.curve_serverkey = server
            one.connect(kernel.endpoint(name))
            yield name, one


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_encryption(transport):
    """With the key all is as always; with another or none not a byte arrives, and nobody minds."""
    with Kernel(transport=transport, curve=zmq.curve_keypair()) as kernel:
        client, poller, closing = kernel.client, zmq.Poller(), []
        for name, one in strangers(kernel):
            poller.register(one, zmq.POLLIN)
            closing.append(one)
            if name == "hb":
                one.send(b"beat")
            elif name != "iopub":
                one.send_multipart(message(client)[1])
        for _ in range(20):
            reply, seen = client.run("%echo a secret")
            assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "idle"]
        client.sockets["hb"].send(b"\0beat")
        assert client.sockets["hb"].poll(PATIENCE * 1000) and client.sockets["hb"].recv() == b"\0beat"
        client.ask("kernel_info_request", channel="control")
        assert poller.poll(300) == []
        for one in closing:
            one.close()
        assert client.quiet()


def refused(tmp_path, connection):
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(connection))
    file.chmod(0o600)
    done = subprocess.run([PROGRAM, "kernel", "-f", str(file)], capture_output=True, text=True,
                          timeout=PATIENCE, env={**os.environ, **SANITIZERS})
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("change, said", [
    ({"curve_secretkey": ""}, "has 40 characters and \"curve_secretkey\" 0"),
    ({"curve_publickey": ""}, "has 0 characters"),
    ({"curve_publickey": "x" * 39}, "has 39 characters"),
    ({"curve_publickey": 7}, "\"curve_publickey\" is no string"),
    ({"curve_secretkey": None}, "\"curve_secretkey\" is no string"),
    ({"curve_publickey": "x" * 40}, "does not belong"),
    ({"curve_secretkey": "~" * 40}, "does not belong"),
])
def test_broken_keys_are_one_sentence(tmp_path, change, said):
    ports = {f"{name}_port": 50001 + i for i, name in enumerate(
        ("shell", "control", "stdin", "iopub", "hb"))}
    public, secret = (key.decode() for key in zmq.curve_keypair())
    assert said in refused(tmp_path, {"ip": "127.0.0.1", "key": "k", **ports, "curve_publickey": public,
                                      "curve_secretkey": secret, **change})


def test_jupyter_client_requires_encryption(tmp_path, monkeypatch):
    """As a server does that is told to accept no kernel without it."""
    subprocess.run([PROGRAM, "install", "--prefix", str(tmp_path)], check=True, capture_output=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share/jupyter"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one = KernelManager(kernel_name="cutaway", transport_encryption="required")
    one.start_kernel()
    try:
        assert "curve_secretkey" in json.loads(open(one.connection_file).read())
        client = one.client()
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        assert client.execute_interactive("%echo hello", timeout=PATIENCE,
                                          output_hook=lambda _: None)["content"]["status"] == "ok"
        assert client.hb_channel.is_beating()
        client.stop_channels()
    finally:
        one.shutdown_kernel(now=True)


# The handshake.

class Service:
    """A registration service that one kernel is started for."""

    def __init__(self, folder, transport="tcp", key=b"registration key", **more):
        self.context, self.key, self.folder = zmq.Context(), key, folder
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        ip = "127.0.0.1" if transport == "tcp" else str(folder / "socket")
        if transport == "tcp":
            port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        else:
            port = 9
            self.socket.bind(f"ipc://{ip}-{port}")
        self.file = folder / "registration.json"
        self.file.write_text(json.dumps({
            "kernel_id": "a-kernel_1", "transport": transport, "registration_ip": ip,
            "registration_port": port, "key": key.decode(), "signature_scheme": "hmac-sha256", **more}))
        self.file.chmod(0o600)
        self.runtime = folder / "run" / "time"
        self.written = self.runtime / "kernel-a-kernel_1.json"
        self.environment = {**os.environ, **SANITIZERS, "JUPYTER_RUNTIME_DIR": str(self.runtime),
                            "XDG_DATA_HOME": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache")}
        self.process = subprocess.Popen([PROGRAM, "kernel", "-f", str(self.file)], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=self.environment)

    def sign(self, content):
        import hashlib
        import hmac
        return hmac.new(self.key, content, hashlib.sha256).hexdigest().encode()

    def read(self):
        assert self.socket.poll(PATIENCE * 1000)
        frames = self.socket.recv_multipart()
        at = frames.index(DELIMITER)
        signature, content = frames[at + 1:]
        assert not self.key or signature == self.sign(content)
        return frames[:at], json.loads(content)

    def said(self):
        """What a kernel that gives up says."""
        assert self.process.wait(PATIENCE) == 1
        return self.process.stderr.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.context.destroy(linger=0)


class Registered(Kernel):
    """A kernel that was started by someone else and wrote its own connection file."""

    def __init__(self, service):
        self.context = zmq.Context()
        self.connection = json.loads(service.written.read_text())
        self.transport, self.key = self.connection["transport"], service.key
        self.digest, self.process = "sha256", service.process
        keys = [self.connection.get(f"curve_{one}key") for one in ("public", "secret")]
        self.curve = [key.encode() for key in keys] if keys[0] else None


def use(service):
    """Runs a cell in the kernel that registered itself, then ends it."""
    kernel = Registered(service)
    client = Client(kernel).settle()
    assert client.run("%echo hello")[0]["content"]["status"] == "ok"
    client.send("shutdown_request", {"restart": False}, "control")
    assert service.process.wait(PATIENCE) == 0
    client.close()
    kernel.context.destroy(linger=0)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_a_kernel_registers_itself(tmp_path, transport):
    with Service(tmp_path, transport) as service:
        ids, content = service.read()
        assert content.pop("kernel_id") == "a-kernel_1"
        assert sorted(content) == ["control_port", "hb_port", "iopub_port", "shell_port", "stdin_port"]
        assert all(isinstance(port, str) and 1 <= int(port) <= 65535 for port in content.values())
        assert len(set(content.values())) == 5
        service.socket.send_multipart([*ids, DELIMITER, service.sign(b"ACK"), b"ACK"])
        assert wait_for(service.written.exists)
        connection = json.loads(service.written.read_text())
        assert {name: str(port) for name, port in connection.items() if name.endswith("port")
                and name != "transport"} == content
        assert connection["key"] == "registration key" and connection["transport"] == transport
        assert stat.S_IMODE(service.written.stat().st_mode) == 0o600
        assert stat.S_IMODE(service.runtime.stat().st_mode) == 0o700
        use(service)
        assert list(service.runtime.iterdir()) == []


def test_registration_with_encryption(tmp_path):
    public, secret = (key.decode() for key in zmq.curve_keypair())
    with Service(tmp_path, curve_publickey=public, curve_secretkey=secret) as service:
        ids, _ = service.read()
        service.socket.send_multipart([*ids, DELIMITER, service.sign(b"{}"), b"{}"])
        assert wait_for(service.written.exists)
        use(service)


def test_registration_where_nothing_can_be_written(tmp_path):
    (tmp_path / "run").write_text("no folder")
    with Service(tmp_path) as service:
        ids, content = service.read()
        service.socket.send_multipart([*ids, DELIMITER, service.sign(b"ACK"), b"ACK"])
        assert "others cannot find this kernel" in service.process.stderr.readline()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("answer", [
    [DELIMITER, b"0" * 64, b"ACK"], [DELIMITER, b"", b"ACK"], [DELIMITER], [b"ACK"], [b""],
    [DELIMITER, b"0" * 64, b"ACK", b"more"], [b"0" * 9, b"0" * 64, b"ACK"],
])
def test_an_answer_that_is_not_signed(tmp_path, answer):
    with Service(tmp_path) as service:
        ids, _ = service.read()
        service.socket.send_multipart([*ids, *answer])
        assert "not signed with the key" in service.said()
        assert not service.written.exists()


@pytest.mark.parametrize("answer", [None, b"x" * (64 * 1024 + 1)])
def test_no_answer(tmp_path, answer):
    """Or one that is signed but larger than any answer: it is not even taken into memory."""
    with Service(tmp_path) as service:
        ids, _ = service.read()
        if answer:
            service.socket.send_multipart([*ids, DELIMITER, service.sign(answer), answer])
        assert "did not answer within 5 s" in service.said()
        assert not service.written.exists()


@pytest.mark.parametrize("change, said", [
    ({"kernel_id": "../x"}, "\"kernel_id\" is \"../x\""), ({"kernel_id": ""}, "\"kernel_id\" is \"\""),
    ({"kernel_id": "x" * 201}, "\"kernel_id\""), ({"kernel_id": 7}, "\"kernel_id\" is no string"),
    ({"registration_ip": ""}, "\"registration_ip\" is empty"), ({"ip": ""}, "\"ip\" is empty"),
    ({"registration_port": 0}, "\"registration_port\" is 0"),
    ({"registration_ip": "no such host"}, "cannot reach"),
])
def test_broken_registration_files_are_one_sentence(tmp_path, change, said):
    good = {"kernel_id": "k", "transport": "tcp", "registration_ip": "127.0.0.1", "ip": "127.0.0.1",
            "registration_port": 50001, "key": "k", "signature_scheme": "hmac-sha256"}
    assert said in refused(tmp_path, {**good, **change})


# Keys.

def copies(pid, key):
    """How often those bytes lie in a process's memory."""
    found = 0
    with open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, mode = line.split()[:2]
            begin, end = (int(one, 16) for one in span.split("-"))
            if mode.startswith("rw") and end - begin < 1 << 30:  # sanitizers map more than any machine has
                memory.seek(begin)
                found += memory.read(end - begin).count(key)
    return found


def test_keys_are_where_they_are_needed_alone():
    """OpenSSL has the one copy of the key, and libzmq its own form of the other; the worker has none."""
    key, curve = uuid.uuid4().hex.encode(), zmq.curve_keypair()
    with Kernel(key=key, curve=curve) as kernel:
        kernel.client.run("%echo hello")
        [worker] = kernel.children()
        assert copies(kernel.process.pid, key) == 1 and copies(worker, key) == 0
        assert copies(kernel.process.pid, curve[1]) == 0 and copies(worker, curve[1]) == 0
