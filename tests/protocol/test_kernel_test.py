"""The Jupyter project's own tests of kernels, all thirteen of them."""
import json
import os
import tempfile
import unittest

import jupyter_kernel_test

from front_end import PATIENCE, PROGRAM

HOLDER = tempfile.TemporaryDirectory()


def setUpModule():
    """A kernelspec of the program under test, for this module alone."""
    folder = os.path.join(HOLDER.name, "jupyter/kernels/cutaway")
    os.makedirs(folder)
    argv = [os.path.abspath(PROGRAM), "kernel", "-f", "{connection_file}"]
    with open(os.path.join(folder, "kernel.json"), "w") as file:
        json.dump({"argv": argv, "display_name": "Cutaway", "language": "cutaway",
                   "interrupt_mode": "message"}, file)
    os.environ["JUPYTER_PATH"] = os.path.join(HOLDER.name, "jupyter")


def tearDownModule():
    del os.environ["JUPYTER_PATH"]
    HOLDER.cleanup()


def patient(channel):
    """The channel, whose messages may be late: those tests wait for a tenth of a second for some."""
    read = channel.get_msg
    channel.get_msg = lambda timeout=None: read(timeout=PATIENCE)


def answers(message, asked, kind):
    return message["parent_header"].get("msg_id") == asked and message["msg_type"] == kind


class TestCutaway(jupyter_kernel_test.KernelTests):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        patient(cls.kc.shell_channel)
        patient(cls.kc.iopub_channel)

    def flush_channels(self):
        """Reads all that was said so far."""
        asked = self.kc.kernel_info()
        for read, last in ((self.kc.get_shell_msg, "kernel_info_reply"), (self.kc.get_iopub_msg, "status")):
            while not (answers(message := read(), asked, last) and
                       message["content"].get("execution_state", "idle") == "idle"):
                pass

    kernel_name = "cutaway"
    language_name = "cutaway"
    file_extension = ".cut"
    code_hello_world = "%echo hello, world"
    code_stderr = "%echo --stderr hello"
    completion_samples = [
        {"text": "%ech", "matches": {"%echo"}},
        {"text": "%echo --std", "matches": {"--stderr"}},
        {"text": "# 猫\n%help ech", "matches": {"echo"}},
        {"text": "%no_such_command ", "matches": set()},
    ]
    complete_code_samples = ["%echo a", "", "# 猫"]
    incomplete_code_samples = ["%%tokens"]
    invalid_code_samples = ["%echo 'open", "no command"]
    code_page_something = "%help echo"
    code_generate_error = "%no_such_command"
    code_execute_result = [
        {"code": "%_test result one", "result": "one"},
        {"code": "%_test result 猫", "result": "猫"},
    ]
    code_display_data = [{"code": "%_test display here shown", "mime": "text/plain"}]
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "*result 猫"
    code_inspect_sample = "%echo"
    code_clear_output = "%clear"


class TestWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "cutaway"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
