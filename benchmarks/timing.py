"""Contenders that take turns in one process: they agree, then they are timed, then a table says medians and ratios.

A contender is a function without arguments. What it gives may be nested in tuples, lists and dicts; in their order the arrays of
all contenders must be the same.
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Contenders = dict[str, Callable[[], Any]]
TOLERANCE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-3}


def flat(result: Any) -> list[np.ndarray]:
    """Copies of all arrays of a result, in order: the next call may overwrite them."""
    if isinstance(result, dict):
        result = result.values()
    elif not isinstance(result, (tuple, list)):
        return [np.array(result)]
    return [array for part in result for array in flat(part)]


def agree(contenders: Mapping[str, Callable[[], Any]], dtype: Any = np.float64) -> None:
    """Raises AssertionError unless all compute the same, entry by entry up to rounding errors of the largest entry."""
    (first, run), *others = contenders.items()
    wanted, rtol = flat(run()), TOLERANCE[np.dtype(dtype)]
    for name, other in others:
        for k, (a, b) in enumerate(zip(flat(other()), wanted, strict=True)):
            message = f"result {k} of {name} is not that of {first}"
            assert a.shape == b.shape, f"{message}: {a.shape} and {b.shape}"
            assert a.dtype == b.dtype or not a.shape, f"{message}: {a.dtype} and {b.dtype}"
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * float(np.max(np.abs(b), initial=0)), err_msg=message)


def timed(contenders: Mapping[str, Callable[[], Any]], rounds: int = 41, turn: float = 2e-3) -> dict[str, list[float]]:
    """Seconds of one call in each round. A contender's turn is as many calls as fill ``turn`` seconds."""
    calls = {}
    for name, run in contenders.items():
        run()
        calls[name] = max(1, round(turn / min(timeit.repeat(run, number=1, repeat=5))))
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds):
        for name, run in contenders.items() if round_ % 2 else reversed(contenders.items()):
            seen[name].append(timeit.timeit(run, number=calls[name]) / calls[name])
    return seen


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of turns of one round, so that both saw the same machine."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def shown(seconds: float) -> str:
    """With a unit, three digits or so."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.9 * size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e6:.2f} µs"


def table(columns: Mapping[str, Mapping[str, Sequence[float]]], unit: str) -> list[str]:
    """A Markdown table: a row for each contender, and for each column its median and its ratio to the contender ``unit``."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    lines = ["| | " + " | ".join(f"{column} | ratio" for column in columns) + " |", "|---|" + "---:|---:|" * len(columns)]
    for name in names:
        cells = []
        for column in columns.values():
            times = column.get(name)
            cells += [shown(statistics.median(times)), f"{ratio(times, column[unit]):.2f}"] if times else ["", ""]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
