"""``matcalc demo``: the window classifier of the lecture derived, written, generated, run and checked."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from matcalc.core import names
from matcalc.derivations.derivation import Derivation
from matcalc.lecture.classifier import Case, cases
from matcalc.numeric.check import sample
from matcalc.numeric.evaluate import evaluate

_AGREE = 1e-9  # relative difference between the module and the derivation, in float64


@dataclass(frozen=True)
class Outcome:
    """What came of one case: its files, the numeric check, and how far the module is from the derivation.

    ``page`` is None where the extra ``html``, which typesets formulas, is not installed.
    """

    case: Case
    latex: Path
    module: Path
    page: Path | None
    report: Any
    difference: float

    @property
    def ok(self) -> bool:
        """Whether every gradient passed the check and the module computes them."""
        return bool(self.report.ok) and self.difference <= _AGREE


def run(case: Case, folder: Path, seed: int = 0) -> Outcome:
    """Writes the LaTeX file, the NumPy module and the page of a case, runs the module, and checks every gradient."""
    folder.mkdir(parents=True, exist_ok=True)
    latex, source = folder / f"{case.name}.tex", folder / f"{case.name}.py"
    latex.write_text(case.derivation.to_latex(standalone=True), encoding="utf-8")
    source.write_text(case.derivation.to_numpy(name=case.name).source, encoding="utf-8")
    page = folder / f"{case.name}.html" if find_spec("ziamath") else None
    if page is not None:
        case.derivation.to_html(page)
    report = case.derivation.check(seed=seed)
    return Outcome(case, latex, source, page, report, difference(case.derivation, imported(source), case.name, seed))


def imported(path: Path) -> ModuleType:
    """The written module, imported from its file as a user would."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def difference(d: Derivation, module: ModuleType, name: str, seed: int) -> float:
    """The largest relative difference between the module's gradients and the derivation's, at random values."""
    values = sample(d.target, seed=seed)
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, tuple):  # a generic function with its derivatives
            arguments |= {key + suffix: f for suffix, f in zip(("", "_prime", "_second"), value, strict=False)}
        else:
            arguments[names.python(key)] = value
    value_and_grad = getattr(module, f"{name}_value_and_grad")
    wanted = value_and_grad.__code__.co_varnames[: value_and_grad.__code__.co_argcount]
    value, gradients = value_and_grad(**{k: v for k, v in arguments.items() if k in wanted})
    pairs = [(value, evaluate(d.target, values))]
    pairs += [(gradients[names.python(str(x.name))], evaluate(g, values)) for x, g in d.gradients.items()]
    return max(_relative(np.asarray(a), np.asarray(b)) for a, b in pairs)


def _relative(a: Any, b: Any) -> float:
    if a.shape != b.shape or not np.all(np.isfinite(a)):
        return float("inf")
    scale = max(float(np.max(np.abs(b))), 1.0)
    return float(np.max(np.abs(a - b))) / scale


def all_cases() -> list[Case]:
    """The cases of the lecture, in order."""
    return list(cases())
