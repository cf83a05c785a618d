"""A run in one file: parameters, the best so far, the optimizer's state, and what they mean. Written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ner.errors import GivenError
from ner.examples import Labels
from ner.gradients import Parameters
from ner.learner import shapes
from ner.models import model_of
from ner.shapes import Shape
from ner.updates import begun
from ner.vocabulary import LENGTHS, Vocabulary

FORMAT = "matcalc named entities, 1"


@dataclass
class Settings:
    """What a run depends on, beside its text."""

    model: str = "softmax"
    reach: int = 2
    features: tuple[str, ...] = ("words", "case", "suffix")
    average: bool = False
    hidden: int = 100
    frozen: bool = False
    corrupt: int = 5
    of: str = ""
    scheme: str = "bio"
    optimizer: str = "sgd"
    rate: float = 0.1
    batch: int = 32
    seed: int = 0

    @property
    def shape(self) -> Shape:
        """What of it the expression of the model depends on."""
        words = 2 * self.reach + 1
        return Shape(self.model, words, tuple(self.features), self.average, self.hidden > 0, self.corrupt, self.frozen)


def sizes(settings: Settings, vocabularies: Mapping[str, Vocabulary], labels: Labels) -> dict[str, int]:
    """The sizes of the model by name."""
    found = {"C": len(labels.names), "H": settings.hidden}
    for feature, vocabulary in vocabularies.items():
        found |= {f"V_{feature}": len(vocabulary), f"d_{feature}": LENGTHS[feature]}
    return found


@dataclass
class Run:
    """Where a run stands: ``batch`` steps of epoch ``epoch`` are done, with the sum ``total`` of their losses."""

    settings: Settings
    vocabularies: dict[str, Vocabulary]
    labels: Labels
    trained_on: str  # a fingerprint of the training text
    theta: Parameters
    state: Parameters
    best: Parameters
    best_epoch: int = 0
    epoch: int = 0
    batch: int = 0
    total: float = 0.0
    threshold: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    def save(self, path: str | Path) -> None:
        """Writes the file beside its place and moves it there, so that it is never half written."""
        path = Path(path)
        words = {f: {"values": v.values, "counts": v.counts} for f, v in self.vocabularies.items()}
        about = {"format": FORMAT, "settings": asdict(self.settings), "labels": asdict(self.labels), "vocabularies": words}
        about |= {key: getattr(self, key) for key in NUMBERS}
        arrays = {f"{group}.{name}": a for group in GROUPS for name, a in getattr(self, group).items()}
        text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass"), dtype=np.uint8)
        try:
            beside = path.with_name(f"{path.name}.{os.getpid()}.part")
            try:
                with open(beside, "wb") as file:
                    np.savez(file, about=text, **arrays)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise GivenError(f"{path} cannot be written: {error.strerror}.") from error


GROUPS = ("theta", "state", "best")
NUMBERS = ("trained_on", "best_epoch", "epoch", "batch", "total", "threshold", "history")


def load(path: str | Path) -> Run:
    """The run of a file. Raises GivenError where it is none, or not whole."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes().decode("utf-8", "surrogatepass"))
        if about["format"] != FORMAT:
            raise GivenError(f"{path} is of the format {about['format']!r}, not {FORMAT!r}.")
        settings = Settings(**{**about["settings"], "features": tuple(about["settings"]["features"])})
        labels = Labels(tuple(about["labels"]["names"]), about["labels"]["scheme"], about["labels"]["of"])
        words = {f: Vocabulary(f, tuple(v["values"]), tuple(v["counts"])) for f, v in about["vocabularies"].items()}
        groups: dict[str, Parameters] = {group: {} for group in GROUPS}
        for name, array in arrays.items():
            group, _, of = name.partition(".")
            groups[group][of] = array
        run = Run(settings, words, labels, **groups, **{key: about[key] for key in NUMBERS})
        _fitting(run, path)
        return run
    except OSError as error:
        raise GivenError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise GivenError(f"{path} is no model that --save wrote, or not all of it.") from error


def _fitting(run: Run, path: str | Path) -> None:
    """Refuses arrays that are not those of the settings and the vocabularies."""
    due = shapes(model_of(run.settings.shape), sizes(run.settings, run.vocabularies, run.labels))
    for group in GROUPS:
        held: Parameters = getattr(run, group)
        wanted = due if group != "state" else {name: due[name] for name in begun(run.settings.optimizer, run.theta)}
        for name in wanted.keys() | held.keys():
            if name not in held:
                wrong = "is missing"
            elif name not in wanted:
                wrong = f"is none of {', '.join(wanted) or 'its arrays'}"
            elif held[name].dtype.kind != "f":
                wrong = "holds no numbers"
            elif held[name].shape != wanted[name]:
                wrong = f"is {_by(held[name].shape)}, not {_by(wanted[name])}"
            else:
                continue
            raise GivenError(f"{path} does not fit together: {group}.{name} {wrong}. Take a file that --save wrote, as it is.")


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
