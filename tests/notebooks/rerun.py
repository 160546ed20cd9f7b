"""rerun.py CUTAWAY NOTEBOOK...: runs each notebook again with `cutaway run`; its outputs are those it
holds. Times, places of files and numbers by what another machine's vector units round differently may
differ; a map by t-SNE or UMAP may be another one, but as good. Ends with "N passed, N failed"."""
import base64
import json
import math
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

NUMBER = re.compile(r'-?(?:\d{1,3}(?:,\d{3})+|\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?')
TIME = re.compile(r'\b\d+(?:\.\d+)? (?:[µm]?s|min|a second)\b')
PLACE = re.compile(r'(?<![\w<:/.])~?(?:/[\w.+-]+){2,}…?')
RESIDENT = re.compile(r'[\d.]+ [kMG]?B of them in memory')
RESULT = re.compile(r'[0-9a-f]{16}')  # what a figure's numbers are found by: other digits, another one
HASH = re.compile(r'\bcutaway-[0-9a-z]{4,}\b')
PICTURE = re.compile(r'data:image/png;base64,([A-Za-z0-9+/=]*)')
MAP = re.compile(r'(?:t-SNE|UMAP) of \d+ ')
NEAR = 0.021  # of JSON's numbers
UNITS = 2.1  # of the last place shown
SHARE = 0.01  # of a number, where a long computation has carried rounding that far
COUNTS = 1e-5  # of a count
MAP_SHARE = 0.15  # of how many neighbours a map keeps, its trustworthiness and its KL


def plain(text):
    """The text without what may differ from run to run; columns may be wider or narrower."""
    for pattern, word in ((TIME, 'TIME'), (PICTURE, 'picture'), (HASH, 'cutaway-hash'),
                          (RESIDENT, 'SIZE of them in memory'), (PLACE, 'PLACE'),
                          (re.compile(' {2,}'), '  ')):
        text = pattern.sub(word, text)
    return text


def place(number):
    """What one unit in the last digit of the number is worth."""
    digits, _, power = number.partition('e')
    return 10.0 ** (int(power or 0) - len(digits.partition('.')[2]))


def same_number(new, old, share):
    """Whole numbers are equal, but for counts of thousands, some of which fall on the other side of a
    bin's edge; others differ in the last place, or by a small share."""
    a, b = float(new.replace(',', '')), float(old.replace(',', ''))
    if '.' not in new + old and 'e' not in new + old:
        return abs(a - b) <= (COUNTS * b if ',' in old else 0)
    return abs(a - b) <= max(UNITS * max(place(new), place(old)), share * max(abs(a), abs(b)))


def same_text(new, old):
    """Equal but for the last digits of numbers."""
    new, old = plain(new), plain(old)
    return new == old or (NUMBER.sub('#', new) == NUMBER.sub('#', old) and all(
        same_number(a, b, SHARE) for a, b in zip(NUMBER.findall(new), NUMBER.findall(old))))


def words(text):
    """The text without its numbers, in whichever form they are: 0.02 or 2×10⁻²."""
    return re.sub('#×#[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*', '#', NUMBER.sub('#', plain(text)))


def same_map(new, old):
    """Two layouts by a method that carries the last digit to all points: the same points with the same
    words, and of like quality."""
    if new.keys() != old.keys():
        return False
    new_lines, old_lines = (joined(data['text/plain']).splitlines() for data in (new, old))
    pairs = zip(NUMBER.findall(new_lines[0]), NUMBER.findall(old_lines[0]))
    return (all(abs(float(a) - float(b)) <= MAP_SHARE * float(b) for a, b in pairs)
            and all(words(joined(new[mime])) == words(joined(old[mime]))
                    for mime in ('text/plain', 'text/html')))


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


def same_floats(new, old):
    """Packed arrays of floats: nearly the same numbers, measured by the largest."""
    if new['shape'] != old['shape']:
        return False
    ours, theirs = (struct.unpack(f'<{len(raw) // 4}f', raw) for raw in
                    (base64.b64decode(new['base64']), base64.b64decode(old['base64'])))
    largest = max((abs(b) for b in theirs if math.isfinite(b)), default=0)
    return len(ours) == len(theirs) and all(
        math.isclose(a, b, rel_tol=SHARE, abs_tol=SHARE * largest) or str(a) == str(b)
        for a, b in zip(ours, theirs))


def same_value(new, old):
    """JSON: the same members; numbers nearly, colours packed in bytes as many."""
    if isinstance(old, dict) and isinstance(new, dict) and old.get('encoding') == new.get('encoding') == 'f32':
        return same_floats(new, old)
    if isinstance(old, dict) and isinstance(new, dict):
        return new.keys() == old.keys() and all(
            same_value(new[key], old[key]) or (key == 'result' and is_id(new[key]) and is_id(old[key]))
            for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(new) == len(old) and all(map(same_value, new, old))
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return abs(new - old) <= NEAR
    if isinstance(old, str) and isinstance(new, str):
        return same_text(new, old) or (len(new) == len(old) > 64 and ' ' not in new)
    return new == old


def is_id(value):
    return isinstance(value, str) and RESULT.fullmatch(value) is not None


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
    if MAP.match(joined(old.get('data', {}).get('text/plain', ''))):
        return None if same_map(new['data'], old['data']) else \
            f'another map: {joined(new["data"]["text/plain"])[:200]}'
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
                             cwd=folder, timeout=900, check=False)
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
