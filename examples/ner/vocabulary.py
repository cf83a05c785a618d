"""Tokens as numbers, one for each feature: 0, 1 and 2 are the unknown value, and what stands before and after a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

UNKNOWN, BEFORE, AFTER = "<unknown>", "<s>", "</s>"
SPECIAL = (UNKNOWN, BEFORE, AFTER)


def case(word: str) -> str:
    """How a word is written: what its look says of a name."""
    if any(c.isdigit() for c in word):
        return "number" if all(c.isdigit() or c in ".,:-/%" for c in word) else "with digits"
    if not any(c.isalpha() for c in word):
        return "mark"
    if word.islower():
        return "lower"
    if word.isupper():
        return "capital" if len(word) == 1 else "upper"
    if word[0].isupper():
        return "title" if word[1:].islower() else "mixed"
    return "mixed"


FEATURES: dict[str, Callable[[str], str]] = {
    "words": str.lower,
    "case": case,
    "suffix": lambda word: word.lower()[-3:],
}
LENGTHS = {"words": 50, "case": 8, "suffix": 20}  # of the vectors


@dataclass(frozen=True)
class Vocabulary:
    """The values of a feature by their number."""

    feature: str
    values: tuple[str, ...]
    counts: tuple[int, ...]  # how often each occurs in the training text

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of each value."""
        return {value: k for k, value in enumerate(self.values)}

    @cached_property
    def forgotten(self) -> np.ndarray:
        """How often a value is made unknown while training, 1/(1 + its count) (Kiperwasser and Goldberg 2016).

        So the vector of unknown values is learned from the rare ones.
        """
        p = 1 / (1 + np.array(self.counts))
        p[: len(SPECIAL)] = 0
        return p

    def numbers(self, words: Iterable[str]) -> np.ndarray:
        """The numbers of a sentence's words."""
        of, known = FEATURES[self.feature], self.number
        return np.array([known.get(of(word), 0) for word in words], dtype=np.int64)


def counted(sentences: Iterable[Sequence[str]], features: Sequence[str]) -> dict[str, Counter[str]]:
    """How often each value of each feature occurs in sentences of words. Counts of parts of a text add up."""
    words = Counter(word for sentence in sentences for word in sentence)
    counts: dict[str, Counter[str]] = {}
    for feature in features:
        of, found = FEATURES[feature], Counter[str]()
        for word, times in words.items():
            found[of(word)] += times
        counts[feature] = found
    return counts


def vocabularies(counts: dict[str, Counter[str]]) -> dict[str, Vocabulary]:
    """A vocabulary for each feature: the frequent values first, equal ones in the order of their letters."""
    made = {}
    for feature, found in counts.items():
        ordered = sorted((value for value in found if value not in SPECIAL), key=lambda value: (-found[value], value))
        made[feature] = Vocabulary(feature, (*SPECIAL, *ordered), (*(0,) * len(SPECIAL), *(found[value] for value in ordered)))
    return made
