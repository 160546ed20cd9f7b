"""CurveZMQ and the handshake of JEP 66."""
import hashlib
import hmac
import json
import time
import uuid

import zmq

from front_end import CHANNELS, DELIMITER, free_ports, wait_for
from suite import PATIENCE, Broken, NotOffered, expect, rule, same

CURVE = "Security: “unauthenticated connections are silently dropped before any data is delivered”"
HANDSHAKE = "Messaging, Kernel startup handshake (5.6); JEP 66"


def curve(it):
    if "curve" not in (it.spec.metadata or {}).get("supported_encryption", ()):
        raise NotOffered("the kernelspec's supported_encryption has no curve")
    if not zmq.has("curve"):
        raise NotOffered("this Python's libzmq has no CurveZMQ")
    public, secret = zmq.curve_keypair()
    ports = dict(zip((f"{name}_port" for name in CHANNELS), free_ports(5)))
    connection = {"transport": "tcp", "ip": "127.0.0.1", "key": "a key that is secret",
                  "signature_scheme": "hmac-sha256", "kernel_name": it.name, **ports,
                  "curve_publickey": public.decode(), "curve_secretkey": secret.decode()}
    return connection, public


@rule("encryption", "the right key", "with the server's public key all works", CURVE)
def right(it):
    connection, public = curve(it)
    kernel = it.kernel(connection=connection, encrypted=(public, *zmq.curve_keypair()))
    kernel.client.still_works()


@rule("encryption", "{which} key",
      "with {which} key nothing is heard on any channel, and the kernel works on for others",
      CURVE, whole="with a wrong key or none nothing is heard on any channel, and the kernel works on for others",
      which=("a wrong", "no"))
def wrong(it, which):
    connection, public = curve(it)
    kernel = it.kernel(connection=connection, encrypted=(public, *zmq.curve_keypair()))
    good = kernel.encrypted
    kernel.encrypted = (zmq.curve_keypair()[0], *zmq.curve_keypair()) if which == "a wrong" else None
    stranger = kernel.connect()
    kernel.encrypted = good
    for channel in ("shell", "control"):
        stranger.send("kernel_info_request", channel=channel)
    stranger.sockets["hb"].send(b"ping")
    kernel.client.still_works()
    for name in CHANNELS:
        expect(not stranger.sockets[name].poll(200), f"something was heard on {name}")
    kernel.client.still_works()


class Registrar:
    """The side that a kernel registers with."""

    def __init__(self, it, key=b"a key that is secret"):
        self.it, self.key, self.context = it, key, zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.file = {"kernel_id": uuid.uuid4().hex, "transport": "tcp", "registration_ip": "127.0.0.1",
                     "registration_port": port, "signature_scheme": "hmac-sha256", "key": key.decode()}

    def sign(self, content, key=None):
        return hmac.new(key or self.key, content, hashlib.sha256).hexdigest().encode()

    def start(self):
        return self.it.kernel(connection=self.file, client=False)

    def registration(self, kernel):
        """What the kernel sends: its routing frames and its content."""
        end = time.monotonic() + PATIENCE
        while not self.socket.poll(100) and kernel.process.poll() is None and time.monotonic() < end:
            pass
        if not self.socket.poll(0):
            if not self.it.claims((5, 6)):
                raise NotOffered("the kernelspec claims no protocol 5.6, and nothing was registered")
            raise Broken("nothing was registered")
        frames = self.socket.recv_multipart()
        at = frames.index(DELIMITER)
        expect(len(frames) == at + 3, f"{len(frames) - at} frames from the delimiter on, wanted 3")
        signature, content = frames[at + 1:]
        same(signature, self.sign(content), "signature of the registration")
        return frames[:at], json.loads(content)

    def acknowledge(self, ids, key=None):
        content = b'{"status": "ok"}'
        self.socket.send_multipart([*ids, DELIMITER, self.sign(content, key), content])

    def close(self):
        self.context.destroy(linger=0)


def registrar(run):
    """A rule with a registrar that is closed when the rule ends."""
    def with_one(it):
        one = Registrar(it)
        try:
            run(it, one)
        finally:
            one.close()
    return with_one


@rule("handshake", "the registration",
      "kernel_id as given and five ports, signed; after the signed ACK the kernel serves on them",
      HANDSHAKE)
@registrar
def acknowledged(it, one):
    kernel = one.start()
    ids, content = one.registration(kernel)
    same(content.get("kernel_id"), one.file["kernel_id"], "kernel_id")
    names = {f"{name}_port" for name in CHANNELS}
    same(names - set(content), set(), "ports that are missing")
    one.acknowledge(ids)
    kernel.connection = {"ip": "127.0.0.1", **{name: int(content[name]) for name in names}}
    kernel.client = kernel.connect()
    kernel.client.settle()
    kernel.client.still_works()


@rule("handshake", "an ACK with a wrong signature", "is none: the kernel ends rather than serve somebody else",
      HANDSHAKE)
@registrar
def bad_ack(it, one):
    kernel = one.start()
    ids, _ = one.registration(kernel)
    one.acknowledge(ids, b"a foreign key")
    expect(kernel.gone(40), "still there after 40 s")


@rule("handshake", "no ACK", "a kernel that nobody acknowledges ends within 40 s",
      "JEP 66; Users: a kernel whose ports nobody knows is an orphan")
@registrar
def no_ack(it, one):
    kernel = one.start()
    one.registration(kernel)
    expect(kernel.gone(40), "still there after 40 s")


@rule("handshake", "nobody there", "a kernel whose registrar is gone ends within 40 s", "JEP 66")
@registrar
def nobody(it, one):
    kernel = one.start()
    one.registration(kernel)
    one.close()
    second = it.kernel(connection=one.file, client=False)
    expect(wait_for(lambda: second.process.poll() is not None, 40), "still there after 40 s")
