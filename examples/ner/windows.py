"""Windows: each position of a text with its neighbours, as rows of numbers. The text is held once; a batch is cut out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ner.vocabulary import AFTER, BEFORE, Vocabulary

Array = np.ndarray


@dataclass(frozen=True)
class Text:
    """A text as numbers: for each feature one long row, with ``reach`` paddings on both sides of every sentence.

    ``centres`` are the places of the words in these rows, sentence after sentence; ``starts`` says which words begin one.
    """

    numbers: Mapping[str, Array]
    centres: Array
    starts: Array
    reach: int

    def __len__(self) -> int:
        return len(self.centres)

    def windows(self, which: Array, numbers: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """For each feature the windows around some words, (N, 2·reach + 1), or (N,) where a window is its word alone."""
        places = self.centres[which]
        if self.reach:
            places = places[:, None] + np.arange(-self.reach, self.reach + 1)
        return {feature: row[places] for feature, row in (numbers or self.numbers).items()}

    def sentences(self, values: Array) -> list[Array]:
        """Values of the words, a piece for each sentence."""
        return np.split(values, self.starts[1:])

    def forgetful(self, vocabularies: Mapping[str, Vocabulary], rng: np.random.Generator) -> dict[str, Array]:
        """The numbers, with some of the rare ones made unknown."""
        found = {}
        for feature, row in self.numbers.items():
            found[feature] = np.where(rng.random(len(row)) < vocabularies[feature].forgotten[row], 0, row)
        return found


def text(sentences: Sequence[Sequence[str]], vocabularies: Mapping[str, Vocabulary], reach: int) -> Text:
    """The text of sentences of words."""
    lengths = np.array([len(words) for words in sentences], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    padded = np.repeat(np.arange(len(lengths)) * 2 * reach + reach, lengths)  # the paddings before a word
    numbers = {}
    for feature, vocabulary in vocabularies.items():
        before, after = (np.full(reach, vocabulary.number[mark]) for mark in (BEFORE, AFTER))
        pieces = [piece for words in sentences for piece in (before, vocabulary.numbers(words), after)]
        numbers[feature] = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
    return Text(numbers, np.arange(lengths.sum()) + padded, starts, reach)


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[Array]:
    """The numbers below ``count`` in random order, ``size`` at a time."""
    order = rng.permutation(count)
    for k in range(0, count, size):
        yield order[k : k + size]
