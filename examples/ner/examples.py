"""What a model is trained on: batches of windows with their labels, or of true windows with corrupt ones, drawn from a seed.

What an epoch draws depends on the seed and the number of the epoch alone, so that a run can be taken up anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ner import tags
from ner.corpus import Sentence
from ner.errors import GivenError
from ner.shapes import Shape
from ner.vocabulary import Vocabulary
from ner.windows import Text, batches

Array = np.ndarray


@dataclass(frozen=True)
class Labels:
    """What a model tells apart: the tags of a scheme, or, where ``of`` names a class, 1 for its words and 0 for all others."""

    names: tuple[str, ...]
    scheme: str = "bio"
    of: str = ""

    def numbers(self, sentences: Sequence[Sentence]) -> Array:
        """The label of every word."""
        if self.of:
            return np.array([tag.partition("-")[2] == self.of for s in sentences for tag in s.tags], dtype=np.int64)
        number = {name: k for k, name in enumerate(self.names)}
        return np.array([number[tag] for s in sentences for tag in tags.converted(s.tags, self.scheme)], dtype=np.int64)


def labels(model: str, classes: Iterable[str], scheme: str, of: str) -> Labels:
    """The labels of a model; O is the first."""
    if model != "softmax":
        return Labels((tags.OUTSIDE, f"I-{of}"), "io", of)
    return Labels((tags.OUTSIDE, *(f"{prefix}-{name}" for name in sorted(classes) for prefix in tags.PREFIXES[scheme])), scheme)


def chosen(model: str, of: str, classes: Counter[str]) -> str:
    """The class that a model of one class learns: the one asked for, else LOC, else the one with the most words.

    Raises GivenError where the training text holds no entity, or none of this class.
    """
    if not classes:
        raise GivenError("The training part holds no entity, so there is nothing to learn; does its last column hold the tags?")
    if model == "softmax":
        return ""
    if of and of not in classes:
        raise GivenError(f"No entity of the training part is of the class {of!r}; it holds {', '.join(sorted(classes))}.")
    return of or ("LOC" if "LOC" in classes else max(sorted(classes), key=lambda name: classes[name]))


@dataclass(frozen=True)
class Examples:
    """A text with its labels."""

    shape: Shape
    text: Text
    labels: Array
    vocabularies: Mapping[str, Vocabulary]
    forget: bool = True  # whether rare values are made unknown now and then

    @property
    def centres(self) -> Array:
        """The words whose windows are gone over: all, or for the margin model those of the class."""
        return np.flatnonzero(self.labels) if self.shape.model == "margin" else np.arange(len(self.text))

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[dict[str, Array]]:
        """The batches of an epoch: arguments of the generated functions by name."""
        rng = np.random.default_rng([seed, epoch])
        numbers = self.text.forgetful(self.vocabularies, rng) if self.forget else self.text.numbers
        centres = self.centres
        others = np.flatnonzero(self.labels == 0)
        if self.shape.model == "margin" and not len(others):
            return
        corrupt = rng.choice(others, (len(centres), len(self.shape.marks) - 1)) if len(self.shape.marks) > 1 else centres
        for batch in batches(len(centres), size, rng):
            yield self.batch(centres[batch], corrupt[batch], numbers)

    def batch(self, which: Array, corrupt: Array, numbers: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """The windows of some words with their labels; for the margin model with those of ``corrupt`` words, (N, K)."""
        found = {f"ids_{f}": rows for f, rows in self.text.windows(which, numbers).items()}
        if self.shape.model != "margin":
            return {**found, "y": self.labels[which]}
        for k, mark in enumerate(self.shape.marks[1:]):
            found |= {f"ids_{f}{mark}": rows for f, rows in self.text.windows(corrupt[:, k], numbers).items()}
        return found


def in_order(text: Text, size: int = 4096) -> Iterator[dict[str, Array]]:
    """All windows of a text, in order and without labels."""
    for k in range(0, len(text), size):
        yield {f"ids_{f}": rows for f, rows in text.windows(np.arange(k, min(k + size, len(text)))).items()}
