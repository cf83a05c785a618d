"""How good spans and scores are: precision, recall and F1 of entities, the confusion of words, the area under the ROC curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ner.tags import Span

Array = np.ndarray
ALL_CLASSES = "all"


@dataclass(frozen=True)
class Count:
    """Entities that are in the text, were found, and both: with the same first word, last word and class."""

    gold: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """The right ones among those found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The right ones among those in the text."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 2 right / (gold + found)."""
        return 2 * self.right / (self.gold + self.found) if self.right else 0.0


def entities(gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]) -> dict[str, Count]:
    """The counts of every class, and of ``all`` of them together (micro-averaged), which is the last."""
    counts: dict[str, Counter[str]] = {"gold": Counter(), "found": Counter(), "right": Counter()}
    for here, there in zip(gold, found, strict=True):
        for key, spans in (("gold", here), ("found", there), ("right", set(here) & set(there))):
            counts[key].update(of for _, _, of in spans)
    names = sorted(counts["gold"] | counts["found"])
    by_class = {of: Count(**{key: count[of] for key, count in counts.items()}) for of in names}
    return {**by_class, ALL_CLASSES: Count(**{key: count.total() for key, count in counts.items()})}


def confusion(gold: Sequence[str], found: Sequence[str]) -> tuple[list[str], Array]:
    """How many words of each class (row) were given each class (column), and the names of the classes."""
    names = sorted({*gold, *found} - {"O"})
    names.append("O")
    number = {of: k for k, of in enumerate(names)}
    table = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(table, ([number[of] for of in gold], [number[of] for of in found]), 1)
    return names, table


def auc(scores: Array, positive: Array) -> float:
    """The chance that a positive example has a higher score than a negative one, ties counting half (Mann and Whitney); NaN where
    there are none of a kind."""
    positive = np.asarray(positive, dtype=bool)
    many, others = int(positive.sum()), int((~positive).sum())
    if not many or not others:
        return float("nan")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places.ravel()]
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * others))


def threshold(scores: Array, positive: Array) -> float:
    """The score from which on to say yes so that F1 of the words is largest; 0 where nothing is positive."""
    positive = np.asarray(positive, dtype=bool)
    if not positive.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    right, said = np.cumsum(positive[order]), np.arange(1, len(order) + 1)
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    f1 = np.where(last_of_ties, 2 * right / (said + positive.sum()), -1)
    return float(scores[order[int(np.argmax(f1))]])
