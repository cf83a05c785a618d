"""Training: epochs of steps down generated gradients, measured on the dev part; stopped and taken up at any batch."""

from __future__ import annotations

import hashlib
import math
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any, Protocol

import numpy as np

import matcalc as mc
from ner import scores, tags
from ner.checkpoint import Run, Settings, sizes
from ner.corpus import Parts, Sentence
from ner.errors import GivenError
from ner.examples import Examples, chosen, labels
from ner.gradients import ALL, gradient
from ner.learner import Learner, started
from ner.models import model_of
from ner.tagger import Tagger
from ner.updates import STEPS, begun
from ner.vocabulary import counted, vocabularies

PROBES = 1000  # entries of the parameters that the numeric check looks at


class Display(Protocol):
    """What is shown while a model learns."""

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """After a batch."""

    def epoch(self, row: dict[str, Any]) -> None:
        """After an epoch."""


def begin(settings: Settings, counts: dict[str, Counter[str]], classes: Counter[str], trained_on: str = "") -> Run:
    """A run before its first step, from what the training text holds: values of the features, and words of each class.

    Raises GivenError where there is nothing to learn.
    """
    settings = replace(settings, of=chosen(settings.model, settings.of, classes))
    if settings.model == "margin" and next(iter(counts.values())).total() == classes[settings.of]:
        raise GivenError(f"Every word of the training part is of the class {settings.of}: there are no corrupt windows.")
    words = vocabularies(counts)
    known = labels(settings.model, classes, settings.scheme, settings.of)
    theta = started(model_of(settings.shape), sizes(settings, words, known), settings.seed)
    best = {name: value.copy() for name, value in theta.items()}
    return Run(settings, words, known, trained_on, theta, begun(settings.optimizer, theta), best)


def begun_on(settings: Settings, train: Sequence[Sentence]) -> Run:
    """A run before its first step, on sentences."""
    counts = counted([s.words for s in train], settings.features)
    return begin(settings, counts, tags.classes(s.tags for s in train), fingerprint(train))


def fingerprint(sentences: Sequence[Sentence]) -> str:
    """Tells texts apart."""
    found = hashlib.sha256()
    for s in sentences:
        found.update("\n".join([*s.words, "", *s.tags, "", ""]).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


class Training:
    """A run with its text. ``go`` trains up to a number of epochs; ``tagger`` is the best so far."""

    def __init__(self, run: Run, parts: Parts) -> None:
        self.run, self.parts, s = run, parts, run.settings
        if not run.trained_on:
            raise GivenError(
                "The checkpoint is of ner_dask.py, which knows its text by parts alone: it cannot be taken up here, "
                "but --predict can use it."
            )
        if run.trained_on != fingerprint(parts.train):
            raise GivenError("The checkpoint was trained on another text than the training part of this corpus.")
        model = model_of(s.shape)
        self.now = Tagger(Learner(model, run.theta), run.vocabularies, run.labels, s.reach, run.threshold)
        self.text = self.now.text(parts.train)
        self.examples = Examples(s.shape, self.text, run.labels.numbers(parts.train), run.vocabularies)
        self.steps = math.ceil(len(self.examples.centres) / s.batch)
        self._dev = self.now.text(parts.dev)
        self.stopped = False

    @property
    def tagger(self) -> Tagger:
        """The tagger at the best parameters so far."""
        return self._decided(self.now.at(self.run.best))

    @property
    def measure(self) -> str:
        """What is measured on the dev part."""
        return "AUC" if self.run.settings.model == "margin" else "F1"

    def check(self, size: int = 8) -> Any:
        """The numeric check of every gradient on the first windows, the rows of the look-up tables that they hold included."""
        batch = next(self.examples.epoch(size, self.run.settings.seed, 0))
        tables = self.run.settings.shape.tables
        return checked(self.now.learner, batch, tables)

    def go(self, epochs: int, display: Display, save: Callable[[], None]) -> None:
        """Trains until so many epochs are done, calling ``save`` after each; stopped by Ctrl-C it ends after a batch."""
        run, s = self.run, self.run.settings
        step = STEPS[s.optimizer]
        with self._interruptible():
            while run.epoch < epochs:
                for k, batch in enumerate(self.examples.epoch(s.batch, s.seed, run.epoch)):
                    if k < run.batch:
                        continue  # done before the run was taken up
                    loss, found = self.now.learner.gradient(batch)
                    step(run.theta, found, run.state, s.rate)
                    run.batch, run.total = k + 1, run.total + loss
                    if not math.isfinite(run.total):
                        raise GivenError(f"The loss is no longer finite, in epoch {run.epoch + 1}: take a smaller --rate.")
                    display.step(run.epoch + 1, k + 1, self.steps, run.total / run.batch)
                    if self.stopped:
                        return save()
                self._measured(display)
                save()
                if self.stopped:
                    return

    def _measured(self, display: Display) -> None:
        """The end of an epoch: its row of the history, and whether it is the best."""
        run = self.run
        score = self.dev_score()
        before = [row["dev"] for row in run.history if row["dev"] is not None]
        row = {"epoch": run.epoch + 1, "loss": run.total / max(run.batch, 1), "dev": score}
        if score is None or not before or score >= max(before):
            run.best, run.best_epoch = {name: value.copy() for name, value in run.theta.items()}, run.epoch + 1
        run.epoch, run.batch, run.total = run.epoch + 1, 0, 0.0
        run.history.append(row)
        run.threshold = self.tagger.threshold
        display.epoch({**row, "best": run.best_epoch == row["epoch"]})

    def dev_score(self) -> float | None:
        """F1 of the entities of the dev part, or AUC of its words; None where it holds none."""
        gold, known = self.now.gold(self.parts.dev), self.run.labels
        if not any(gold):
            return None
        if self.measure == "AUC":
            found = scores.auc(self.now.scores(self._dev), known.numbers(self.parts.dev))
            return None if math.isnan(found) else found
        return scores.entities(gold, self.now.spans(self._dev))[scores.ALL_CLASSES].f1

    def _decided(self, tagger: Tagger) -> Tagger:
        """The margin model says yes from the score on that is best on the dev part, or else on the training part."""
        if self.run.settings.model != "margin":
            return tagger
        sentences, text = (self.parts.dev, self._dev) if any(self.now.gold(self.parts.dev)) else (self.parts.train, self.text)
        found = scores.threshold(tagger.scores(text), self.run.labels.numbers(sentences))
        return Tagger(tagger.learner, tagger.vocabularies, tagger.labels, tagger.reach, found)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C is noted, and acted on between two batches; a second one ends at once."""

        def note(number: int, frame: FrameType | None) -> None:
            self.stopped = True
            signal.signal(signal.SIGINT, before)

        try:
            before = signal.signal(signal.SIGINT, note)
        except ValueError:  # not in the main thread
            yield
            return
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def checked(learner: Learner, batch: dict[str, np.ndarray], tables: dict[str, list[str]]) -> Any:
    """Every gradient of a batch against central differences, by ``mc.check_gradient``."""
    held = {name: np.unique(np.concatenate([batch[argument].ravel() for argument in of])) for name, of in tables.items()}
    at = {name: value[held.get(name, ALL)] for name, value in learner.theta.items()}
    for name, of in tables.items():
        batch = {**batch, **{argument: np.searchsorted(held[name], batch[argument]) for argument in of}}
    learned = {str(v.name) for v in learner.model.learned}
    fixed = {name: at.pop(name) for name in list(at) if name not in learned}

    def loss(**theta: Any) -> float:
        return float(learner.model.training.forward(**theta, **fixed, **batch)[0])

    def gradients(**theta: Any) -> dict[str, Any]:
        found = gradient(learner.model.value_and_grad, {**theta, **fixed}, batch, tables)[1]
        return {name: value for name, (_, value) in found.items()}

    return mc.check_gradient(loss, gradients, at, probes=PROBES)
