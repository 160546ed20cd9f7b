"""rerun.py CUTAWAY NOTEBOOK...: runs each notebook again with `cutaway run`; its outputs are those it
holds. Times may differ, and numbers by what another machine's vector units round differently. Ends
with "N passed, N failed"."""
import base64
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NUMBER = re.compile(r'-?\d*\.\d+(?:e[+-]?\d+)?|-?\d+')
TIME = re.compile(r'\b\d+(?:\.\d+)? (?:[µm]?s|min)\b')
HASH = re.compile(r'\bcutaway-[0-9a-z]{4,}\b')
PICTURE = re.compile(r'data:image/png;base64,([A-Za-z0-9+/=]*)')
NEAR = 0.021  # numbers are shown with two places; one unit in the last, and a hair


def plain(text):
    """The text without what may differ from run to run."""
    return HASH.sub('cutaway-hash', PICTURE.sub('picture', TIME.sub('TIME', text)))


def same_text(new, old):
    """Equal but for the last digits of numbers."""
    new, old = plain(new), plain(old)
    if new == old:
        return True
    pairs = list(zip(NUMBER.findall(new), NUMBER.findall(old)))
    return (NUMBER.sub('#', new) == NUMBER.sub('#', old)
            and all(abs(float(a) - float(b)) <= NEAR for a, b in pairs))


def png_size(data):
    raw = base64.b64decode(data)
    assert raw[:8] == b'\x89PNG\r\n\x1a\n', 'not a PNG'
    return int.from_bytes(raw[16:20]), int.from_bytes(raw[20:24]), len(raw)


def same_png(new, old):
    """The same bytes; where digits differ, the same size in pixels and nearly in bytes."""
    if new == old:
        return True
    (width, height, size), (old_width, old_height, old_size) = png_size(new), png_size(old)
    return width == old_width and height == old_height and abs(size - old_size) <= old_size // 20


def same_value(new, old):
    """JSON: the same members; numbers nearly, packed arrays of the same length."""
    if isinstance(old, dict) and isinstance(new, dict):
        return new.keys() == old.keys() and all(same_value(new[key], old[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(new) == len(old) and all(map(same_value, new, old))
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return abs(new - old) <= NEAR
    if isinstance(old, str) and isinstance(new, str):
        return same_text(new, old) or (len(new) == len(old) > 64 and ' ' not in new)
    return new == old


def joined(value):
    return ''.join(value) if isinstance(value, list) and all(isinstance(s, str) for s in value) else value


def same_data(mime, new, old):
    new, old = joined(new), joined(old)
    if mime == 'image/png':
        return same_png(new.strip(), old.strip())
    if isinstance(old, str) and isinstance(new, str):
        return same_text(new, old)
    return same_value(new, old)


def difference(new, old):
    """What differs between two outputs, in words; None if nothing does."""
    if new['output_type'] != old['output_type']:
        return f'{new["output_type"]} instead of {old["output_type"]}'
    if 'text' in old:
        return None if same_text(joined(new['text']), joined(old['text'])) else \
            f'{joined(new["text"])!r} instead of {joined(old["text"])!r}'
    if new.get('data', {}).keys() != old.get('data', {}).keys():
        return f'{list(new.get("data", {}))} instead of {list(old.get("data", {}))}'
    for mime, value in old.get('data', {}).items():
        if not same_data(mime, new['data'][mime], value):
            return f'another {mime}\n{str(joined(new["data"][mime]))[:600]}\ninstead of\n{str(joined(value))[:600]}'
    return None


def differences(new, old):
    """Each difference between the outputs of two runs of one notebook."""
    if [joined(cell['source']) for cell in new['cells']] != [joined(cell['source']) for cell in old['cells']]:
        yield 'the cells themselves have changed'
        return
    for number, (now, before) in enumerate(zip(new['cells'], old['cells']), 1):
        outputs, stored = now.get('outputs', []), before.get('outputs', [])
        if len(outputs) != len(stored):
            yield f'cell {number}: {len(outputs)} outputs instead of {len(stored)}'
        for one, other in zip(outputs, stored):
            text = difference(one, other)
            if text:
                yield f'cell {number}: {text}'


def rerun(program, path):
    """What is wrong with the notebook at `path`, a list of sentences."""
    old = json.loads(path.read_text())
    if not any(cell.get('outputs') for cell in old['cells']):
        return ['it holds no outputs']
    with tempfile.TemporaryDirectory() as folder:
        copy, out = pathlib.Path(folder, path.name), pathlib.Path(folder, 'out.ipynb')
        shutil.copy(path, copy)
        run = subprocess.run([program, 'run', copy, '-o', out], capture_output=True, text=True,
                             cwd=folder, timeout=300, check=False)
        if run.returncode != 0:
            return [f'cutaway run ended with {run.returncode}: {run.stderr.strip()}']
        return list(differences(json.loads(out.read_text()), old))


def main():
    program, failed = pathlib.Path(sys.argv[1]).resolve(), 0
    paths = [pathlib.Path(name) for name in sys.argv[2:]]
    for path in paths:
        wrong = rerun(program, path)
        failed += bool(wrong)
        print(f'{"FAILED" if wrong else "ok"} {path.name}', *wrong, sep='\n  ')
        if wrong:
            print(f'  (if the new outputs are the right ones: cutaway run {path})')
    print(f'{len(paths) - failed} passed, {failed} failed')
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
