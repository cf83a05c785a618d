"""Pictures of a run: loss and dev score by epoch, the confusion of words, and the word vectors in the plane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np

from ner.corpus import Sentence
from ner.svg import COLOURS, INK, PALE, Drawing, Frame, ticks
from ner.vocabulary import FEATURES, SPECIAL, Vocabulary

Array = np.ndarray


def losses(history: Sequence[Mapping[str, Any]], measure: str, best: int) -> Drawing:
    """The mean loss of every epoch and, beside it, the score on the dev part with the epoch that was kept."""
    drawing = Drawing(720, 300)
    epochs = [row["epoch"] for row in history]
    below = [e for e in ticks(1, max(epochs[-1], 2), 6) if e == int(e) and e >= 1] or [1]
    span = (1, max(epochs[-1], 2))
    loss = [row["loss"] for row in history]
    high = max(loss) * 1.05 or 1.0
    left = Frame(drawing, (60, 40, 270, 200), span, (0, high))
    left.axes("loss, mean of an epoch", "epoch", below, ticks(0, high))
    _curve(left, epochs, loss, COLOURS[0])
    measured = [(row["epoch"], row["dev"]) for row in history if row["dev"] is not None]
    marks = around([score for _, score in measured])
    right = Frame(drawing, (420, 40, 270, 200), span, (marks[0], marks[-1]))
    right.axes(f"{measure} on the dev part", "epoch", below, marks)
    if measured:
        _curve(right, [e for e, _ in measured], [score for _, score in measured], COLOURS[1])
        for epoch, score in measured:
            if epoch == best:
                x, y = right.at(epoch, score)
                drawing.circle(x, y, 5, "none", INK)
                drawing.text(x, y - 10, f"{score:.3f}", INK, 11, "middle" if epoch > 1 else "start")
    else:
        drawing.text(555, 140, "it holds no entity", PALE, 12, "middle")
    return drawing


def around(scores: Sequence[float], least: float = 0.02) -> list[float]:
    """Round numbers from 0 to 1 that enclose scores, so that they fill the axis; ``least`` is how far they span."""
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    spare = max(least - (high - low), 0.0) / 2
    low, high = max(low - spare, 0.0), min(high + spare, 1.0)
    unit = ticks(low, high)
    step = unit[1] - unit[0]
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [k * step for k in range(first, last + 1)]


def _curve(frame: Frame, x: Sequence[float], y: Sequence[float], colour: str) -> None:
    points = [frame.at(*pair) for pair in zip(x, y, strict=True)]
    frame.on.line(points, colour, 1.8)
    for point in points:
        frame.on.circle(*point, 2.2, colour)


def confusion(names: Sequence[str], table: Array) -> Drawing:
    """A row for each class in the text, a column for each class found; the shade is the part of the row."""
    side, left, top = 62, 40 + 8 * max(len(name) for name in names), 74
    width = left + side * len(names) + 30
    drawing = Drawing(max(width, 330), top + side * len(names) + 24)
    drawing.text(16, 24, "words by class: row in the text, column found", size=13)
    for k, name in enumerate(names):
        middle = side * (k + 0.5)
        drawing.text(left + middle, top - 10, name, PALE, 12, "middle")
        drawing.text(left - 10, top + middle + 4, name, PALE, 12, "end")
        whole = max(int(table[k].sum()), 1)
        for j in range(len(names)):
            share = table[k, j] / whole
            x, y = left + side * j, top + side * k
            drawing.rectangle(x, y, side - 2, side - 2, _shade(share))
            ink = "#ffffff" if share > 0.4 else INK
            drawing.text(x + side / 2 - 1, y + side / 2 + 1, f"{table[k, j]:,}", ink, 12, "middle")
            drawing.text(x + side / 2 - 1, y + side / 2 + 15, f"{share:.0%}", ink if share > 0.4 else PALE, 10, "middle")
    return drawing


def _shade(share: float) -> str:
    """From nearly white to dark blue."""
    light, dark = np.array([243, 246, 250]), np.array([0, 84, 147])
    return "#" + "".join(f"{int(round(v)):02x}" for v in light + (dark - light) * share**0.6)


def plane(vectors: Array) -> Array:
    """The rows as points (N, 2): their two directions of greatest variance."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2] * np.where(directions[:2].sum(axis=1, keepdims=True) < 0, -1, 1)  # a sign that repeats
    points = centred @ directions.T
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def word_map(vocabulary: Vocabulary, vectors: Array, sentences: Sequence[Sentence], most: int = 160) -> Drawing:
    """The vectors of the most frequent words of each class in the plane, coloured by the class that they mostly have."""
    mostly: dict[int, Counter[str]] = {}
    of = FEATURES[vocabulary.feature]
    for s in sentences:
        for word, tag in zip(s.words, s.tags, strict=True):
            mostly.setdefault(vocabulary.number.get(of(word), 0), Counter())[tag.partition("-")[2] or "O"] += 1
    found = {k: count.most_common(1)[0][0] for k, count in mostly.items() if k >= len(SPECIAL)}
    names = sorted(set(found.values()), key=lambda name: (name == "O", name))
    share = max(most // max(len(names), 1), 1)
    shown = [k for name in names for k in sorted(k for k in found if found[k] == name)[:share]]
    if not shown:
        return Drawing(320, 80)
    drawing = Drawing(900, 680)
    drawing.text(24, 26, f"vectors of {len(shown)} frequent words, their two directions of greatest variance", size=13)
    colours = {name: "#9a9a9a" if name == "O" else COLOURS[k % len(COLOURS)] for k, name in enumerate(names)}
    for k, name in enumerate(names):
        x = 24 + sum(26 + 8 * len(other) for other in names[:k])
        drawing.circle(x + 5, 46, 4.5, colours[name])
        drawing.text(x + 14, 50, name, PALE, 12)
    points = plane(vectors[shown])
    spread = [(float(p.min()), float(p.max()) + 1e-9) for p in points.T]
    frame = Frame(drawing, (30, 74, 800, 580), *spread)
    taken: list[tuple[float, float, float]] = []
    for k, point in sorted(zip(shown, points, strict=True), key=lambda pair: (found[pair[0]] == "O", pair[0])):
        x, y = frame.at(*point)
        drawing.circle(x, y, 2.6, colours[found[k]])
        word = vocabulary.values[k]
        width = 5.6 * len(word)
        if all(abs(y - row) > 10 or x + 5 > end or x + 5 + width < begin for begin, end, row in taken):
            drawing.text(x + 5, y + 3.5, word, colours[found[k]] if found[k] != "O" else PALE, 10)
            taken.append((x + 5, x + 5 + width, y))
    return drawing


def written(folder: Path, **drawings: Drawing) -> list[Path]:
    """Writes each drawing as an SVG file of its name."""
    return [drawing.write(folder / f"{name}.svg") for name, drawing in drawings.items()]
