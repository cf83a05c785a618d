"""The gradient over a corpus as a sum over its parts: what a worker does with a part of a file, and how two such sums become one.

A worker needs NumPy, this package and the text of the generated module, not matcalc. Of the file it holds its part alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ner import corpus, tags
from ner.errors import GivenError
from ner.examples import Examples, Labels
from ner.gradients import Buffer, Gradient, Parameters, added, by_name, gradient
from ner.shapes import Shape
from ner.vocabulary import Vocabulary, counted
from ner.windows import text


@dataclass(frozen=True)
class Part:
    """Some whole sentences of a file, from byte ``start`` to ``end``; ``number`` counts the parts."""

    path: str
    number: int
    start: int
    end: int
    encoding: str = "utf-8"

    def sentences(self) -> list[corpus.Sentence]:
        """The sentences, read anew."""
        return list(corpus.read(self.path, self.encoding, self.start, self.end))


def parts(path: str, size: int, encoding: str = "utf-8") -> list[Part]:
    """A file in parts of about ``size`` bytes. Raises GivenError for an empty one."""
    found = [Part(path, k, start, end, encoding) for k, (start, end) in enumerate(corpus.cuts(path, size))]
    if not found:
        raise GivenError(f"{path} is empty.")
    return found


# ---- the first pass: what the text holds -----------------------------------------------------------------------------------
@dataclass
class Counts:
    """How often the values of the features occur, the words of each class, and how many sentences there are."""

    features: dict[str, Counter[str]]
    classes: Counter[str]
    sentences: int


def counts(part: Part, features: tuple[str, ...]) -> Counts:
    """The counts of a part."""
    found = part.sentences()
    return Counts(counted([s.words for s in found], features), tags.classes(s.tags for s in found), len(found))


def counted_together(one: Counts, other: Counts) -> Counts:
    """The counts of two parts."""
    features = {feature: count + other.features[feature] for feature, count in one.features.items()}
    return Counts(features, one.classes + other.classes, one.sentences + other.sentences)


# ---- a step ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Kit:
    """What every worker has from the beginning: the generated module, the numbers of words and tags, and how batches are cut."""

    name: str
    source: str
    tables: Mapping[str, list[str]]
    shape: Shape
    vocabularies: Mapping[str, Vocabulary]
    labels: Labels
    reach: int
    batch: int = 512
    seed: int = 0
    forget: bool = True


@dataclass
class Total:
    """The sum of the losses of so many windows, and of their gradients; None where there are none."""

    loss: float = 0.0
    windows: int = 0
    gradient: Gradient | None = None

    def mean(self) -> tuple[float, Gradient]:
        """The mean loss with its gradient."""
        if self.gradient is None:
            raise GivenError("No window of these parts is of the class that is learned.")
        return self.loss / self.windows, {name: (rows, g / self.windows) for name, (rows, g) in self.gradient.items()}


def total(part: Part, kit: Kit, theta: Parameters, epoch: int) -> Total:
    """The sums over the windows of a part, a batch after the other."""
    sentences = part.sentences()
    numbers = text([s.words for s in sentences], kit.vocabularies, kit.reach)
    examples = Examples(kit.shape, numbers, kit.labels.numbers(sentences), kit.vocabularies, kit.forget)
    run, found = compiled(kit.name, kit.source), Total()
    # 0 is the unknown value, which rare ones become
    buffer = Buffer({f"L_{feature}": np.append(row, 0) for feature, row in numbers.numbers.items()})
    for batch in examples.epoch(kit.batch, kit.seed + part.number, epoch):
        loss, here = gradient(run, theta, batch, kit.tables)
        buffer.add(here)
        found.loss, found.windows = found.loss + loss, found.windows + len(next(iter(batch.values())))
    if found.windows:
        found.gradient = buffer.gradient()
    return found


def together(one: Total, other: Total) -> Total:
    """The sums over both."""
    if one.gradient is None or other.gradient is None:
        return other if one.gradient is None else one
    return Total(one.loss + other.loss, one.windows + other.windows, added(one.gradient, other.gradient))


@lru_cache(maxsize=8)
def compiled(name: str, source: str) -> Callable[..., Any]:
    """The function of a generated module that gives the value and the gradients."""
    module: dict[str, Any] = {"__name__": name}
    exec(compile(source, f"<generated {name}>", "exec"), module)
    return by_name(module[f"{name}_value_and_grad"])
