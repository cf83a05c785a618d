"""A tagger that looks words up: each has the tag that it has most often. It cannot tell two of one word apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ner import tags
from ner.corpus import Sentence


@dataclass(frozen=True)
class Dictionary:
    """Words with the class that they mostly have."""

    known: Mapping[str, str]

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> Dictionary:
        """The dictionary of a text; of classes that are equally frequent the first in the text."""
        counts: dict[str, Counter[str]] = {}
        for s in sentences:
            for word, tag in zip(s.words, tags.converted(s.tags, "io"), strict=True):
                counts.setdefault(word, Counter())[tag] += 1
        return cls({word: count.most_common(1)[0][0] for word, count in counts.items()})

    def tags(self, words: Sequence[str]) -> list[str]:
        """The tags of a sentence; a word that is not known has none."""
        return [self.known.get(word, tags.OUTSIDE) for word in words]
