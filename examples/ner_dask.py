"""The named-entity models trained past one machine: the generated gradient mapped over the parts of a file by Dask, and added up.

    python examples/ner_dask.py CORPUS.conll
    python examples/ner_dask.py CORPUS.conll --address tcp://scheduler:8786 --blocksize 64MB --together 16

A part is read when it is its turn, so the text need not fit into memory. docs/ner.md says what a large corpus needs.
"""

from __future__ import annotations

import os
import signal
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if __name__ == "__main__":  # Ctrl-C ends with its status from the first import on
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))

import re
from pathlib import Path
from typing import Any

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from ner import report, scores
from ner.checkpoint import Settings
from ner.chunks import Counts, Kit, Part, Total, counted_together, counts, parts, together, total
from ner.corpus import Sentence
from ner.engine import Engine, Held
from ner.errors import GivenError
from ner.models import model_of
from ner.options import FILE, HELP, of_settings, settings
from ner.plain import tagger_of
from ner.progress import Plain, terminal
from ner.tagger import Tagger
from ner.training import begin
from ner.updates import STEPS

UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


class Session:
    """A run whose gradients are sums over the parts of a file."""

    def __init__(self, engine: Engine, train: list[Part], settings: Settings, forget: bool = True) -> None:
        self.engine, self.train = engine, train
        found: Counts = engine.total(counts, train, counted_together, settings.features)
        self.run, self.sentences = begin(settings, found.features, found.classes), found.sentences
        s, run = self.run.settings, self.run
        source = model_of(s.shape).generated("sum").source
        about = (s.model, source, s.shape.tables, s.shape, run.vocabularies, run.labels, s.reach)
        self.kit = Kit(*about, batch=s.batch, seed=s.seed, forget=forget)
        self.held = Held(self.kit)

    def gradient(self, some: list[Part], epoch: int) -> Total:
        """The sums over some parts, at the parameters as they are."""
        return self.engine.total(total, some, together, self.held, self.run.theta, epoch)

    def epoch(self, at_once: int) -> float:
        """An epoch of steps, each down the mean gradient of ``at_once`` parts; the mean loss."""
        run, s, losses, windows = self.run, self.run.settings, 0.0, 0
        order = np.random.default_rng([s.seed, run.epoch]).permutation(len(self.train))
        for k in range(0, len(order), at_once):
            found = self.gradient([self.train[part] for part in order[k : k + at_once]], run.epoch)
            if found.gradient is None:
                continue  # the margin model, and no window of the class
            STEPS[s.optimizer](run.theta, found.mean()[1], run.state, s.rate)
            losses, windows = losses + found.loss, windows + found.windows
        run.epoch += 1
        return losses / max(windows, 1)


def decided(session: Session) -> Tagger:
    """The tagger at the parameters as they are. The margin model says yes from the score on that is best on the first part."""
    run = session.run
    run.best, run.best_epoch = run.theta, run.epoch
    tagger = tagger_of(run)
    if run.settings.model == "margin":
        sentences: list[Sentence] = session.train[0].sentences()
        run.threshold = scores.threshold(tagger.scores(tagger.text(sentences)), run.labels.numbers(sentences))
    return tagger_of(run)


def size(text: str) -> int:
    """Bytes of a text such as 64MB. Raises GivenError for what is none."""
    found = re.fullmatch(r"\s*(\d+)\s*([kmg]?b)?\s*", text.lower())
    if not found or not int(found[1]):
        raise GivenError(f"--blocksize is a number of bytes such as 64MB, but not {text!r}.")
    return int(found[1]) * UNITS[found[2] or "b"]


@click.command(context_settings=HELP | {"default_map": {"batch": 512}})
@click.argument("path", type=FILE)
@click.option("--address", help="Of a Dask scheduler; without it the threads of this process. Workers read PATH themselves.")
@click.option("--blocksize", default="8kB", show_default=True, help="Bytes of the parts of PATH.")
@click.option("--together", "at_once", type=click.IntRange(1), default=1, show_default=True, help="Parts in a step.")
@click.option("--encoding", default="utf-8", show_default=True)
@of_settings
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True)
@click.option("--save", type=FILE, help="Write the model to this file after every epoch.")
@click.pass_context
def main(context: click.Context, **given: Any) -> None:
    """Trains on PATH, but for its last tenth, which is measured on; the other options are those of ner_window.py."""
    try:
        trained(**given)
    except GivenError as error:
        raise click.UsageError(str(error), context) from error


def trained(path: str, address: str | None, blocksize: str, at_once: int, epochs: int, save: str | None, **given: Any) -> None:
    """Trains epoch by epoch, and measures after each on the last parts, which are no training text."""
    console = terminal()
    several = parts(str(Path(path).absolute()), size(blocksize), given["encoding"])
    held = len(several) // 10 or (len(several) > 1)
    wanted = settings(given)
    session = Session(Engine(address), several[: len(several) - held], wanted)
    measured_on = [s for part in several[len(several) - held :] for s in part.sentences()]
    console.print(
        f"{session.sentences:,} sentences in {len(session.train)} parts to learn from, {len(measured_on):,} to measure on; "
        f"{-(-len(session.train) // at_once)} steps an epoch"
    )
    shown = Plain(console, "test F1")
    for epoch in range(epochs):
        loss = session.epoch(at_once)
        tagger = decided(session)
        found = report.results("test", tagger, measured_on)
        shown.epoch({"epoch": epoch + 1, "loss": loss, "dev": found.f1, "best": False})
        if save:
            session.run.save(save)
    report.show(console, found)


if __name__ == "__main__":
    main()
