"""What a model is trained on: batches of windows with their labels, or of true windows with corrupt ones, drawn from a seed.

What an epoch draws depends on the seed and the number of the epoch alone, so that a run can be taken up anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ner import tags
from ner.corpus import Sentence
from ner.models import Shape
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


def labels(model: str, sentences: Sequence[Sentence], scheme: str, of: str) -> Labels:
    """The labels that occur in sentences; O is the first."""
    if model != "softmax":
        return Labels((tags.OUTSIDE, f"I-{of}"), "io", of)
    written = {tag for s in sentences for tag in tags.converted(s.tags, scheme)} - {tags.OUTSIDE}
    return Labels((tags.OUTSIDE, *sorted(written, key=lambda tag: tag.partition("-")[::-1])), scheme)


@dataclass(frozen=True)
class Examples:
    """A text with its labels."""

    shape: Shape
    text: Text
    labels: Array
    vocabularies: Mapping[str, Vocabulary]

    @property
    def centres(self) -> Array:
        """The words whose windows are gone over: all, or for the margin model those of the class."""
        return np.flatnonzero(self.labels) if self.shape.model == "margin" else np.arange(len(self.text))

    def epoch(self, size: int, seed: int, epoch: int) -> Iterator[dict[str, Array]]:
        """The batches of an epoch: arguments of the generated functions by name."""
        rng = np.random.default_rng([seed, epoch])
        numbers, centres = self.text.forgetful(self.vocabularies, rng), self.centres
        others = np.flatnonzero(self.labels == 0)
        corrupt = rng.choice(others, (len(centres), len(self.shape.marks) - 1)) if len(others) else None
        for batch in batches(len(centres), size, rng):
            yield self.batch(centres[batch], None if corrupt is None else corrupt[batch], numbers)

    def batch(self, which: Array, corrupt: Array | None = None, numbers: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """The windows of some words with their labels, or with those of corrupt ones, (N, K)."""
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
