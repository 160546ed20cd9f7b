"""exercises.py CUTAWAY NOTEBOOK...: what the folded answers to the notebooks' exercises say is what the program
gives when somebody does them. Ends with "N passed, N failed"."""
import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile

MINILM = '%model load minilm\n# %%\n'
SMOLLM2 = '%model load smollm2\n# %%\n'
HEAD = '%%attention --layer 3 --head 1 --as head\n'
KEEP = '\n# %%\n%save head head.csv'
WIDE = 'The {} did not cross the street because it was too {}.'
EIFFEL = 'The Eiffel Tower stands in the city of'
FOX = 'The quick brown fox jumps over the lazy dog and runs away into the dark forest.'
SUNNY = "The weather is lovely today.\nIt's so sunny outside!\nHe drove to the stadium."
ROUNDED = MINILM + '%model round minilm --bits {bits} --as {name}\n# %%\n'

# Lesson, what its answer says, how the exercise is done, and what the program then writes: a pattern in its
# texts, or (query, key, weight) of the head that was saved.
EXERCISES = [
    ('01', ['(0.24)', '(0.10)', '(0.39)'], MINILM + HEAD + WIDE.format('cat', 'wide') + KEEP,
     [('it', 'cat', '0.24'), ('it', 'street', '0.10'), ('it', '[CLS]', '0.39')]),
    ('02', ['`truck` is 0.75'], MINILM + HEAD + WIDE.format('truck', 'wide') + KEEP, [('it', 'truck', '0.75')]),
    ('02', ['64 % of what the other tokens receive is <code>The</code>'],
     f'{SMOLLM2}%%attention --view rollout --layer 0\n{EIFFEL}\n# %%\n%%attention --view rollout --layer 3\n{EIFFEL}',
     [r'keeps on average (6|7|8|9)\d% of itself', r'receive comes most from The \(64%\)']),
    ('03', ['At the first token again'],
     f'{SMOLLM2}%%activations\n' + WIDE.format('cat', 'tired').replace('The', 'A'),
     ['Massive activations .* stand at A in layers']),
    ('04', ['0.864', '0.878', '8.29e-06', '77 steps before', '<i>healthy</i>'],
     f'%model new gru --layers 1 --memory 8 --seed 1\n# %%\n%%gradients --view flow\n{FOX}',
     [r'Healthy .* by 0\.864 .* 0\.878 .* 8\.29e-06 .* 77 steps before']),
    ('05', ['<i>yellow</i> (0.437), <i>purple</i>, <i>citrus</i>, <i>red</i>, <i>fruit</i>'],
     f'{MINILM}%%neighbours\norange', [r'(?s)yellow +0\.4368.*purple.*citrus.*red.*fruit']),
    ('06', ['`it` → `cat` is 0.54', '`cross` → `street` with 0.90'],
     ROUNDED.format(bits=3, name='three') + HEAD.replace('--as', '--model three --as') + WIDE.format('cat', 'tired'),
     [r'are cross → street \(0\.90\), it → cat \(0\.54\)']),
    ('06', ['8.3 dB, hardly more than the 8.1 beside the original'],
     ROUNDED.format(bits=2, name='two') + '%model round minilm --bits 4 --as four\n# %%\n'
     '%weights --model two --vs four --view cost\n# %%\n%weights --model two --vs minilm --view cost',
     [r'8\.3 dB .* beside four', r'8\.1 dB .* beside minilm']),
    ('06', ['.6631, .1019, .1386'], ROUNDED.format(bits=8, name='eight') + '%%neighbours --model eight\n' + SUNNY,
     [r'0\.6631', r'0\.1018[5-9]|0\.1019', r'0\.1386|0\.13855']),
    ('07', ['`今`、`气`、`好`，六个字里有三个'], f'{MINILM}%%tokens\n今天天气真好。', ['(?s)(UNK.*){3}']),
    ('07', ['“中”8.2 比特，“法”12.1 比特', '整句 78.6 对 80.7'],
     f'{SMOLLM2}%%surprisal --unit word --view text\n巴黎是法国的首都。\n巴黎是中国的首都。',
     [r'法 .*12\.1\d', r'中 .*8\.2', r'80\.7', r'78\.6']),
]


def done(program, script):
    """The texts that a script's cells wrote, and the weights that it saved."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / 'script.cut').write_text(script)
        subprocess.run([program, 'run', 'script.cut', '--out', 'out'], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        texts = '\n'.join(path.read_text() for path in sorted((place / 'out').glob('*.txt')))
        weights = {}
        if (place / 'head.csv').exists():
            with open(place / 'head.csv', newline='') as file:
                weights = {(row['query_label'], row['key_label']): float(row['value'])
                           for row in csv.DictReader(file)}
        return texts, weights


def wrong(program, lesson, says, script, gives):
    """What does not hold; '' where all does."""
    missing = [words for words in says if words not in lesson]
    if missing:
        return f'the answer does not say {missing[0]!r}'
    texts, weights = done(program, script)
    for one in gives:
        if isinstance(one, tuple):
            value = f'{weights[one[:2]]:.2f}'
            if value != one[2]:
                return f'{one[0]} → {one[1]} is {value}, not {one[2]}'
        elif not re.search(one, texts):
            return f'nothing like {one!r} in {texts[:2000]!r}'
    return ''


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    lessons = {}
    for path in map(pathlib.Path, sys.argv[2:]):
        cells = json.loads(path.read_text())['cells']
        lessons[path.name[:2]] = '\n'.join(''.join(cell['source']) for cell in cells).replace('\n', ' ')
    failed = [f'{number} has exercises that nobody does here' for number in sorted(lessons)
              if lessons[number].count('<details><summary><b>') > sum(number == one[0] for one in EXERCISES)]
    passed = 0
    for number, says, script, gives in EXERCISES:
        if number not in lessons:
            continue
        why = wrong(program, lessons[number], says, script, gives)
        passed += not why
        failed += [f'{number}: {why}'] if why else []
    print(*(f'FAILED {why}' for why in failed), sep='\n', end='\n' if failed else '')
    print(f'{passed} passed, {len(failed)} failed')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
