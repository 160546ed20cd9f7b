"""A JupyterLab server for one run: on loopback, with a token, apart from the user's own settings."""
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


class Server:
    """Where the server listens (`url`), its `token`, and its `root` folder of notebooks."""

    def __init__(self, url, token, root):
        self.url, self.token, self.root = url, token, root

    def call(self, method, path, body=None):
        """One request to the server's REST interface; returns the answer's JSON, None if empty."""
        request = urllib.request.Request(
            f'{self.url}/api/{path}', method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={'Authorization': f'token {self.token}', 'Content-Type': 'application/json'})
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def wait_for(process, runtime, log, seconds):
    """The address that the server wrote into its runtime folder, once it listens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for note in runtime.glob('jpserver-*.json'):
            with contextlib.suppress(ValueError, KeyError):
                return json.loads(note.read_text())['url'].rstrip('/')
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f'JupyterLab did not start:\n{log.read_text()[-3000:]}')


def interrupted(number, _frame):
    sys.exit(128 + number)


def switch_off(extension, config):
    """Writes what JupyterLab reads there, so that it starts without the extension."""
    page = config / 'labconfig' / 'page_config.json'
    page.parent.mkdir(parents=True)
    page.write_text(json.dumps({'disabledExtensions': {extension: True}}))


@contextlib.contextmanager
def lab(notebooks, seconds=120, without=()):
    """Runs `jupyter lab` of this Python's environment on a copy of the folder `notebooks`, with all its
    extensions but those `without` which it shall be."""
    home = pathlib.Path(tempfile.mkdtemp(prefix='cutaway-lab-'))
    root, runtime, log = home / 'notebooks', home / 'runtime', home / 'log'
    shutil.copytree(notebooks, root, ignore=shutil.ignore_patterns('.ipynb_checkpoints'))
    token = secrets.token_hex(16)
    settings = {f'JUPYTER_{name}_DIR': str(home / name.lower()) for name in ('CONFIG', 'DATA', 'RUNTIME')}
    settings |= {f'JUPYTERLAB_{name}_DIR': str(home / name.lower()) for name in ('SETTINGS', 'WORKSPACES')}
    settings |= {'JUPYTER_TOKEN': token}
    for extension in without:
        switch_off(extension, home / 'config')
    command = [sys.executable, '-m', 'jupyterlab', '--no-browser', '--ip=127.0.0.1', '--port=0',
               f'--ServerApp.root_dir={root}', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
               '--LabApp.news_url=']
    if os.geteuid() == 0:
        command.append('--allow-root')
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    with open(log, 'wb') as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                   env=os.environ | settings, cwd=home)
    try:
        yield Server(wait_for(process, runtime, log, seconds), token, root)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)
