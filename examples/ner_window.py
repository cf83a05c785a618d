"""Named entities by the lecture's window classifiers, trained with gradients that matcalc generated.

    python examples/ner_window.py CORPUS.conll --model softmax
    python examples/ner_window.py CORPUS.conll --model margin --class LOC --save places.npz
    python examples/ner_window.py --predict places.npz < text.txt

docs/ner.md says what the options do. Exit status 0, 1 where a gradient fails its numeric check, 2 on bad input, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the products are small: threads would wait for each other
if __name__ == "__main__":  # Ctrl-C ends with its status from the first import on
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))

import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from matcalc.errors import CheckError

sys.path.insert(0, str(Path(__file__).parent))

from ner import checkpoint, pictures, report, tags
from ner.checkpoint import Run, Settings
from ner.corpus import Parts, parts
from ner.errors import GivenError
from ner.options import FILE, HELP, OF_SETTINGS, of_settings, settings
from ner.plain import tagged
from ner.progress import display, terminal
from ner.training import Training, begun_on

RESCUE = "interrupted.npz"  # where Ctrl-C saves a run that has no --save


@click.command(context_settings=HELP)
@click.argument("path", type=FILE, required=False)
@click.option("--dev", type=FILE, help="A file to choose the epoch by, in place of a tenth of PATH.")
@click.option("--test", type=FILE, help="A file to measure on, in place of the last tenth of PATH.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of the files, and of standard input.")
@of_settings
@click.option("--epochs", type=click.IntRange(0), default=10, show_default=True)
@click.option("--save", type=FILE, help="Write the run to this file after every epoch, and on Ctrl-C.")
@click.option("--resume", type=FILE, help="Take up a saved run with its settings, up to --epochs.")
@click.option("--json", "json_path", type=FILE, help="Write settings, history and scores to this file.")
@click.option("--plot", type=click.Path(file_okay=False), help="Write pictures (SVG) into this folder.")
@click.option("--predict", type=FILE, help="Tag standard input by a saved model: plain text, or a token a line.")
@click.pass_context
def main(context: click.Context, path: str | None, predict: str | None, **given: Any) -> None:
    """Finds named entities in CoNLL files by the windows around words.

    PATH is a corpus: a token a line with its tag in the last column, a blank line after a sentence.
    """
    try:
        if predict is not None:
            return tagged(checkpoint.load(predict), sys.stdin.buffer, click.echo, given["encoding"])
        if path is None:
            raise GivenError("Say which corpus to learn from: ner_window.py PATH, or --predict MODEL to tag standard input.")
        context.exit(learned(context, path, **given))
    except GivenError as error:
        raise click.UsageError(str(error), context) from error
    except CheckError as error:
        raise click.ClickException(f"The gradients could not be checked: {error}") from error
    except MemoryError as error:
        raise click.UsageError(
            "The arrays do not fit into memory: take smaller --hidden, --window or --batch.", context
        ) from error


def learned(context: click.Context, path: str, resume: str | None, epochs: int, json_path: str | None, **given: Any) -> int:
    """Trains, measures, and gives the exit status."""
    console = terminal()
    corpus = parts(path, given["dev"], given["test"], given["encoding"])
    for doubt in corpus.doubts:
        click.echo(f"Warning: {doubt}", err=True)
    wanted = settings(given)
    run = taken_up(context, resume, wanted, epochs) if resume else begun_on(wanted, corpus.train)
    training, place = Training(run, corpus), given["save"] or resume
    writable(place, json_path)
    if given["plot"]:
        made(Path(given["plot"]))
    console.print(about(run, corpus))
    checked = training.check()
    report.show_check(console, checked)
    if not checked.ok:
        return 1

    since = time.process_time()
    with display(console, f"dev {training.measure}") as shown:
        training.go(epochs, shown, lambda: None if place is None else run.save(place))
    seconds = time.process_time() - since
    if training.stopped and (run.epoch < epochs):
        place = place or free(RESCUE)
        run.save(place)
        console.print(f"Stopped in epoch {run.epoch + 1}; {place} holds the run, and --resume {place} takes it up.")
        return 130

    part = next(name for name in ("test", "dev", "train") if getattr(corpus, name))
    tagger = training.tagger
    found = report.results(part, tagger, getattr(corpus, part))
    baseline = report.looked_up(tagger, corpus.train, found.sentences)
    report.show(console, found, baseline)
    report.show_spans(console, found)
    if json_path:
        told = {
            "settings": asdict(run.settings),
            "sentences": {name: len(getattr(corpus, name)) for name in ("train", "dev", "test")},
            "check": {"ok": checked.ok, "max_relative_error": float(checked.max_relative_error)},
            "history": run.history,
            "best_epoch": run.best_epoch,
            "threshold": tagger.threshold,
            part: found.to_json(),
            "dictionary_f1": baseline,
            "seconds": round(seconds, 2),
        }
        write(json_path, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if given["plot"]:
        show_pictures(console, Path(given["plot"]), training, found)
    return 0


def taken_up(context: click.Context, path: str, wanted: Settings, epochs: int) -> Run:
    """The run of a checkpoint. An option that says otherwise is an error."""
    run = checkpoint.load(path)
    for parameter in context.command.params:
        key, option = str(parameter.name), parameter.opts[0]
        if key not in OF_SETTINGS:
            continue
        said = context.get_parameter_source(key) == ParameterSource.COMMANDLINE
        here, there = getattr(wanted, key), getattr(run.settings, key)
        if said and here != there:
            raise GivenError(f"{path} was begun with {option} {there}, not {here}: leave {option} out, or begin anew.")
    if run.epoch >= epochs and context.get_parameter_source("epochs") == ParameterSource.COMMANDLINE:
        raise GivenError(f"{path} has done {run.epoch} epochs already: say more than that as --epochs.")
    return run


def writable(*places: str | None) -> None:
    """Refuses a place for results in a folder that nothing can be written into, before the work is done."""
    for folder, place in ((Path(place).absolute().parent, place) for place in places if place):
        if not folder.is_dir():
            raise GivenError(f"{place} cannot be written: there is no folder {folder}.")
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise GivenError(f"{place} cannot be written: {error.strerror}.") from error


def made(folder: Path) -> None:
    """Makes a folder that is not there, before the work is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GivenError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    writable(str(folder / "loss.svg"))


def free(place: str) -> str:
    """A name like this one that no file has."""
    path = Path(place)
    names = (path.with_stem(f"{path.stem}-{k}") for k in count(2))
    return place if not path.exists() else str(next(name for name in names if not name.exists()))


def write(path: str, text: str) -> None:
    """Writes a file."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise GivenError(f"{path} cannot be written: {error.strerror}.") from error


def about(run: Run, corpus: Parts) -> str:
    """What is learned from what."""
    told = [f"{len(part):,} {name}" for name, part in (("train", corpus.train), ("dev", corpus.dev), ("test", corpus.test))]
    scheme = tags.named(s.tags for s in corpus.train)
    counts = Counter(span[2] for s in corpus.train for span in tags.spans(s.tags))
    entities = ", ".join(f"{many:,} {of}" for of, many in sorted(counts.items()))
    tables = ", ".join(f"{len(v):,} {name}" for name, v in run.vocabularies.items())
    learned = sum(value.size for value in run.theta.values())
    of = f" for {run.labels.of}" if run.labels.of else ""
    lines = [
        f"{', '.join(told)} sentences, tags in {scheme.upper()}; in the training part {entities}",
        f"model {run.settings.model}{of}, tables of {tables}, {learned:,} parameters",
    ]
    return "\n".join(lines)


def show_pictures(console: Console, folder: Path, training: Training, found: report.Results) -> None:
    """Writes the pictures that there is something for."""
    run = training.run
    drawings = {"confusion": pictures.confusion(found.names, found.confusion)}
    if run.history:
        drawings["loss"] = pictures.losses(run.history, training.measure, run.best_epoch)
    if "words" in run.vocabularies:
        drawings["words"] = pictures.word_map(run.vocabularies["words"], run.best["L_words"], training.parts.train)
    console.print("\n" + "\n".join(f"wrote {path}" for path in pictures.written(folder, **drawings)))


if __name__ == "__main__":
    main()
