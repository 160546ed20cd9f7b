"""The kernel in one process, for debuggers and sanitizers: the same conversation."""
import signal
import subprocess

from front_end import PROGRAM, Kernel, label, wait_for

OPTION = ("--single-process",)


def test_cells_an_interrupt_and_an_end():
    with Kernel(options=OPTION) as kernel:
        client = kernel.client
        reply, seen = client.run("%echo hello")
        assert [label(m) for m in seen] == ["busy", "execute_input", "stream", "idle"]
        assert kernel.children() == []
        assert client.run("%echo a", user_expressions={"s": "seed"})[0]["content"]["status"] == "ok"
        assert client.run("%nonsense")[0]["content"]["status"] == "error"
        for turn in range(5):
            cell = client.start("%_test loop")
            if turn % 2:
                kernel.interrupt()
            else:
                client.send("interrupt_request", channel="control")
            assert client.reply(cell)["content"]["ename"] == "KeyboardInterrupt"
            client.until_idle(cell)
            assert client.run("%echo after")[0]["content"]["status"] == "ok"
        while client.read("control", 0):
            pass
        kernel.interrupt()  # when none runs
        assert client.run("%echo idle")[0]["content"]["status"] == "ok"
        client.send("shutdown_request", {"restart": False}, "control")
        assert kernel.wait() == 0


def test_an_end_while_a_cell_runs():
    for how in ("%_test loop", "%_test spin"):  # one that stops when asked to, one that never does
        with Kernel(options=OPTION) as kernel:
            kernel.client.start(how)
            kernel.process.send_signal(signal.SIGTERM)
            assert kernel.wait() == 0


def test_a_crash_ends_it():
    with Kernel(options=OPTION) as kernel:
        kernel.client.execute("%_test segv")  # what it says of it may go down with it
        assert wait_for(lambda: kernel.process.poll() is not None)
        assert kernel.process.returncode == -signal.SIGSEGV


def test_help_names_it():
    said = subprocess.run([PROGRAM, "kernel", "--help"], capture_output=True, text=True, check=True)
    assert "--single-process" in said.stdout
