"""From scores to tags to spans: what a trained model says of sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ner import tags
from ner.corpus import Sentence
from ner.examples import Labels, in_order
from ner.gradients import Parameters
from ner.learner import Learner
from ner.tags import Span
from ner.vocabulary import Vocabulary
from ner.windows import Text, text

Array = np.ndarray


@dataclass(frozen=True)
class Tagger:
    """A learner with what its numbers mean. Models of one class say yes from the score ``threshold`` on."""

    learner: Learner
    vocabularies: Mapping[str, Vocabulary]
    labels: Labels
    reach: int
    threshold: float = 0.0

    def at(self, theta: Parameters) -> Tagger:
        """The same tagger at other parameters."""
        return replace(self, learner=replace(self.learner, theta=theta))

    def text(self, sentences: Sequence[Sentence]) -> Text:
        """Sentences as numbers."""
        return text([s.words for s in sentences], self.vocabularies, self.reach)

    def scores(self, of: Text) -> Array:
        """The scores of every word."""
        return self.learner.scores(in_order(of))

    def tags(self, of: Text, scores: Array | None = None) -> list[list[str]]:
        """The tags of every sentence, in the scheme of the labels."""
        if not len(of):
            return [[] for _ in of.starts]
        scores = self.scores(of) if scores is None else scores
        best = scores.argmax(axis=1) if scores.ndim == 2 else (scores >= self.threshold).astype(np.int64)
        return [[self.labels.names[k] for k in piece] for piece in of.sentences(best)]

    def spans(self, of: Text, scores: Array | None = None) -> list[list[Span]]:
        """The entities of every sentence."""
        return [tags.spans(sentence) for sentence in self.tags(of, scores)]

    def gold(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        """The entities that a model of these labels is to find."""
        return [[span for span in tags.spans(s.tags) if self.labels.of in ("", span[2])] for s in sentences]
