"""Birth, greeting, heartbeat, restart, end: what a kernel is to those who start and watch it."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from front_end import PATIENCE, PROGRAM, Client, Kernel, free_ports, gone, label, wait_for


def test_starting_is_said_once():
    """A subscriber that waits for the kernel is greeted, and hears the start at most once."""
    ports = free_ports(5)
    names = ("shell", "control", "stdin", "iopub", "hb")
    connection = {"transport": "tcp", "ip": "127.0.0.1", "key": "k",
                  "signature_scheme": "hmac-sha256"}
    connection |= {f"{name}_port": port for name, port in zip(names, ports)}
    with Kernel(key=b"k", connection=connection, client=False) as kernel:
        client = Client(kernel)
        seen = [client.read("iopub")]
        if label(seen[0]) == "starting":
            seen.append(client.read("iopub"))
        assert seen[-1]["type"] == "iopub_welcome" and seen[-1]["content"] == {"subscription": ""}
        seen += client.until_idle(client.execute(""))
        assert [label(m) for m in seen].count("starting") <= 1
        client.close()


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("code", [None, "%_test loop", "%_test spin"])
def test_shutdown(channel, restart, code):
    with Kernel() as kernel:
        client, worker = kernel.client, kernel.children()[0]
        if code:
            client.start(code)
        msg_id = client.send("shutdown_request", {"restart": restart}, channel)
        reply = client.reply(msg_id, channel)
        assert reply["content"] == {"status": "ok", "restart": restart}
        seen = client.until_idle(msg_id)
        assert [label(m) for m in seen] == ["busy", "shutdown_reply", "idle"]
        assert seen[1]["content"] == reply["content"]
        assert kernel.wait() == 0
        assert wait_for(lambda: gone(worker))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_that_end(number):
    with Kernel() as kernel:
        worker = kernel.children()[0]
        kernel.client.start("%_test spin")
        kernel.process.send_signal(number)
        assert kernel.wait() == 0
        assert wait_for(lambda: gone(worker))


def test_a_port_that_becomes_free_is_taken():
    with Kernel() as first:
        second = Kernel(connection=first.connection, client=False)
        time.sleep(0.2)
        assert second.process.poll() is None
        first.process.kill()
        first.wait()
        client = Client(second).settle()
        assert client.run("%echo mine")[0]["content"]["status"] == "ok"
        client.close()
        second.close()


FIRST = """
import os, subprocess, sys, time
assert os.getpid() == 1
os.environ["JPY_PARENT_PID"] = "1"
subprocess.Popen([sys.argv[1], "kernel", "-f", sys.argv[2]], stdin=subprocess.DEVNULL)
time.sleep(600)
"""


def test_it_stays_where_its_parent_is_the_first_process():
    """As in a container, whose server has the pid that orphans' parents have elsewhere."""
    with Kernel(client=False) as other:
        other.process.kill()
        other.wait()
        own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        space = subprocess.Popen(["unshare", *own, "--pid", "--fork", "--kill-child", sys.executable, "-c", FIRST,
                                  PROGRAM, str(other.file)], stderr=other.log)
        client = Client(other).settle()
        time.sleep(2.5)  # it looks for its parent each second
        assert client.run("%echo still here")[0]["content"]["status"] == "ok"
        client.close()
        space.kill()
        space.wait()


def test_the_worker_leads_a_group_of_its_own(kernel):
    worker, = kernel.children()
    assert os.getpgid(worker) == worker != os.getpgid(kernel.process.pid)


def test_ports_may_be_strings():
    with Kernel(string_ports=True) as kernel:
        assert kernel.client.run("%echo a")[0]["content"]["status"] == "ok"


@pytest.mark.parametrize("text, said", [
    (None, "cannot open"),
    ("", "no connection file"),
    ("[]", "no connection file"),
    ('{"transport":"tcp"}', '"ip"'),
    ('{"transport":"udp","ip":"127.0.0.1"}', "tcp and ipc"),
    ('{"signature_scheme":"hmac-crc","ip":"127.0.0.1"}', "hmac-sha256"),
    ('{"ip":"127.0.0.1","key":"","shell_port":70000}', "65535"),
    ('{"ip":"127.0.0.1","key":"","shell_port":[]}', "65535"),
    ('{"ip":"127.0.0.1","key":""}', "shell_port"),
])
def test_a_bad_connection_file_is_one_sentence(tmp_path, text, said):
    file = tmp_path / "connection.json"
    if text is not None:
        file.write_text(text)
    done = subprocess.run([PROGRAM, "kernel", "-f", str(file)], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 1 and done.stdout == ""
    assert said in done.stderr and str(file) in done.stderr and done.stderr.count("\n") == 1


def test_an_address_that_is_not_ours(tmp_path):
    file = tmp_path / "connection.json"
    names = ("shell", "control", "stdin", "iopub", "hb")
    file.write_text(json.dumps({"ip": "192.0.2.1", "key": "", **{f"{n}_port": 5000 + i
                                                               for i, n in enumerate(names)}}))
    os.chmod(file, 0o600)
    done = subprocess.run([PROGRAM, "kernel", "-f", str(file)], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 1 and "tcp://192.0.2.1:5000" in done.stderr


def test_a_wrong_call_says_how():
    for args in (["kernel"], ["kernel", "-f"], ["kernel", "--what"]):
        done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 2 and "kernel -f CONNECTION_FILE" in done.stderr


def test_a_key_that_others_can_read_is_logged(tmp_path):
    with Kernel(folder=tmp_path, client=False) as kernel:
        kernel.process.kill()
        kernel.wait()
        kernel.file.chmod(0o644)
        one = subprocess.Popen([PROGRAM, "kernel", "-f", str(kernel.file)], stderr=subprocess.PIPE)
        line = one.stderr.readline().decode()
        one.kill()
        one.wait()
        one.stderr.close()
        assert "chmod 600" in line and kernel.key.decode() not in line
