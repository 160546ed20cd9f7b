"""peers_pages.py WORDS.json FOLDER: each word as a token in the HTML of bertviz, Captum and CircuitsVis, as
FOLDER/PEER-NUMBER.html. A peer that is not installed is left out."""
import json
import pathlib
import sys

import numpy
import torch


def bertviz():
    from bertviz import head_view

    attention = [torch.full((1, 1, 3, 3), 1 / 3)]
    return lambda word: head_view(attention, ['the', word, 'cat'], html_action='return').data


def captum():
    from captum.attr import visualization

    def page(word):
        record = visualization.VisualizationDataRecord(
            numpy.array([0.1, 0.5, -0.2]), 0.9, 'a', 'b', 'c', 0.4, ['the', word, 'cat'], 0.0)
        return visualization.visualize_text([record]).data
    return page


def circuitsvis():
    from circuitsvis.tokens import colored_tokens

    return lambda word: colored_tokens(['the', word, 'cat'], [0.1, 0.5, 0.9]).local_src


words, folder = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
for make in (bertviz, captum, circuitsvis):
    try:
        page = make()
    except ImportError as error:
        print(f'{make.__name__}: {error}', file=sys.stderr)
        continue
    for i, word in enumerate(words):
        html = ('<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title>'
                f'<body>{page(word)}</body></html>')
        (folder / f'{make.__name__}-{i}.html').write_text(html, errors='replace')
