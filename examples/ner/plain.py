"""Standard input, tagged: plain text with a sentence a line, or a token a line with a blank line after a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from ner.checkpoint import Run
from ner.corpus import DOCUMENT, Sentence, cells, decoded
from ner.learner import Learner
from ner.models import model_of
from ner.tagger import Tagger
from ner.tags import TAG

TOKEN = re.compile(r"\w+(?:[-.,'’]\w+)*|'\w+|[^\w\s]")
TOGETHER = 256  # sentences that are tagged at once


def tagger_of(run: Run) -> Tagger:
    """The tagger of a saved run, at its best parameters."""
    return Tagger(
        Learner(model_of(run.settings.shape), run.best), run.vocabularies, run.labels, run.settings.reach, run.threshold
    )


def tagged(run: Run, lines: Iterable[bytes], say: Callable[[str], object], encoding: str = "utf-8") -> None:
    """Says each word with its tag, a blank line after each sentence."""
    tagger, waiting = tagger_of(run), list[Sentence]()

    def out() -> None:
        for s, found in zip(waiting, tagger.tags(tagger.text(waiting)), strict=True):
            say("\n".join(f"{word} {tag}" for word, tag in zip(s.words, found, strict=True)) + "\n")
        waiting.clear()

    for words in sentences(lines, encoding):
        waiting.append(Sentence(words, ("O",) * len(words)))
        if len(waiting) == TOGETHER:
            out()
    out()


def sentences(lines: Iterable[bytes], encoding: str = "utf-8") -> Iterator[tuple[str, ...]]:
    """The sentences of standard input: a token a line where every line is one word, or ends in a tag; else a sentence a line."""
    text = [decoded(raw, k, "standard input", encoding) for k, raw in enumerate(lines, 1)]
    text[:1] = [line.removeprefix("\ufeff") for line in text[:1]]
    rows = [cells(line) for line in text]
    rows = [[] if row and row[0] == DOCUMENT else row for row in rows]
    filled = [row for row in rows if row]
    if all(len(row) == 1 for row in filled) or all(len(row) > 1 and TAG.fullmatch(row[-1]) for row in filled):
        for blank, sentence in groupby(rows, key=lambda row: not row):
            if not blank:
                yield tuple(row[0] for row in sentence)
    else:
        yield from (tuple(found) for line in text if (found := TOKEN.findall(line)))
