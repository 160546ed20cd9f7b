"""headless.py NOTEBOOK DIR: runs a notebook through a real Jupyter server, over its REST interface
and its kernel's web socket as JupyterLab does, and writes output k of cell n to DIR/n-k.png."""
import base64
import contextlib
import json
import pathlib
import sys
import time
import uuid

import websocket

from lab import lab

CELL_SECONDS = 120


class Failed(Exception):
    """A cell that did not end well; the text says which and why."""


class Kernel:
    """The kernel of one session, spoken to over the server's web socket."""

    def __init__(self, server, name, path):
        self.server = server
        self.session = server.call('POST', 'sessions', {
            'path': path, 'name': path, 'type': 'notebook', 'kernel': {'name': name}})
        kernel = self.session['kernel']['id']
        self.me = uuid.uuid4().hex
        address = server.url.replace('http', 'ws', 1)
        self.socket = websocket.create_connection(
            f'{address}/api/kernels/{kernel}/channels?session_id={self.me}&token={server.token}',
            timeout=CELL_SECONDS, http_no_proxy=['*'])

    def close(self):
        self.socket.close()
        self.server.call('DELETE', f'sessions/{self.session["id"]}')

    def send(self, kind, content):
        """Sends a request on the shell channel; returns its message id."""
        number = uuid.uuid4().hex
        self.socket.send(json.dumps({
            'channel': 'shell', 'content': content, 'metadata': {}, 'parent_header': {}, 'buffers': [],
            'header': {'msg_id': number, 'msg_type': kind, 'session': self.me, 'username': '',
                       'version': '5.4', 'date': time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime())}}))
        return number

    def answers(self, number):
        """The messages that answer request `number`, until both reply and idle have come."""
        waiting = {'reply', 'idle'}
        end = time.monotonic() + CELL_SECONDS
        while waiting:
            if time.monotonic() > end:
                raise Failed(f'not done after {CELL_SECONDS} s')
            message = json.loads(self.socket.recv())
            if message['parent_header'].get('msg_id') != number:
                continue
            if message['channel'] == 'shell':
                waiting.discard('reply')
            elif message['content'].get('execution_state') == 'idle':
                waiting.discard('idle')
            yield message

    def execute(self, source):
        """Runs a cell; returns its outputs' MIME bundles. Raises Failed on an error."""
        number = self.send('execute_request', {
            'code': source, 'silent': False, 'store_history': True, 'user_expressions': {},
            'allow_stdin': False, 'stop_on_error': True})
        bundles, shown = [], {}
        for message in self.answers(number):
            kind, content = message['header']['msg_type'], message['content']
            if kind in ('display_data', 'execute_result'):
                shown[content.get('transient', {}).get('display_id')] = len(bundles)
                bundles.append(content['data'])
            elif kind == 'update_display_data':
                place = shown.get(content.get('transient', {}).get('display_id'))
                if place is not None:
                    bundles[place] = content['data']
            elif kind == 'execute_reply' and content['status'] != 'ok':
                raise Failed(f'{content.get("ename", content["status"])}: {content.get("evalue", "")}')
        return bundles


def code_cells(notebook):
    """The number (from 1, among all cells that hold code) and the source of each code cell."""
    sources = [''.join(cell['source']) for cell in notebook['cells'] if cell['cell_type'] == 'code']
    return list(enumerate(sources, 1))


def run(path, folder):
    """Runs the notebook at `path`; returns how many pictures were written to `folder`."""
    notebook = json.loads(path.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with lab(path.parent) as server, contextlib.closing(
            Kernel(server, notebook['metadata']['kernelspec']['name'], path.name)) as kernel:
        for number, source in code_cells(notebook):
            try:
                bundles = kernel.execute(source)
            except Failed as failed:
                raise Failed(f'{path.name}, code cell {number}: {failed}\n{source}') from None
            for place, data in enumerate(bundles, 1):
                if 'image/png' in data:
                    (folder / f'{number}-{place}.png').write_bytes(base64.b64decode(data['image/png']))
                    written += 1
    return written


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, folder = map(pathlib.Path, sys.argv[1:])
    started = time.monotonic()
    try:
        written = run(path, folder)
    except (Failed, RuntimeError, OSError, websocket.WebSocketException) as failed:
        sys.exit(f'cutaway: {failed}')
    if not written:
        sys.exit(f'cutaway: {path} showed no picture')
    print(f'{written} pictures of {path} are in {folder} ({time.monotonic() - started:.1f} s)')


if __name__ == '__main__':
    main()
