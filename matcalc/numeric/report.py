"""The outcome of a gradient check, a row for every variable, as a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matcalc.paper import writing as paper

FINE, KINKED, WRONG = 1e-7, 1e-4, 1e-2  # CS231n: happy; usually okay where there are kinks; probably wrong


@dataclass(frozen=True)
class Row:
    """One variable: how far its claimed gradient is from the numeric one, where, and the verdict in words."""

    name: str
    shape: tuple[int, ...]
    max_relative_error: float
    worst: tuple[int, ...] | None  # the entry with the largest error; None for a random direction
    claimed: float
    numeric: float
    probes: int
    kinks: int  # probes skipped because they cross a kink
    verdict: str

    @property
    def ok(self) -> bool:
        """Whether the claimed gradient stands."""
        return self.verdict in ("fine", "probably fine", "zero to rounding")


@dataclass(frozen=True)
class Report:
    """The outcome of a gradient check. ``ok`` is true only if every variable was probed and every gradient stands.

    Verdicts follow CS231n: a relative error up to 1e-7 is "fine", above 1e-2 "wrong", between them "suspicious", except that up
    to 1e-4 it is "probably fine" where the function has kinks. "zero to rounding" says that neither gradient rises above the
    rounding error of the function.
    """

    rows: tuple[Row, ...]
    step: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether every gradient stands; false when nothing was probed."""
        return bool(self.rows) and all(row.ok for row in self.rows)

    @property
    def max_relative_error(self) -> float:
        """The largest relative error of all; NaN if some number was not finite or nothing was probed."""
        errors = [row.max_relative_error for row in self.rows]
        return float(np.max(errors)) if errors else float("nan")

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        plain = paper.current().kind == "ascii"
        head = ("variable", "shape", "relative error", "worst entry", "claimed", "numeric", "probes", "kinks", "verdict")
        table = [head, *(_cells(row, plain) for row in self.rows)]
        width = [max(len(line[k]) for line in table) for k in range(len(head))]
        rule = "  ".join(("-" if plain else "─") * w for w in width)
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip() for line in table]
        times = "*max(1, |x|)" if plain else "·max(1, |x|)"
        title = f"gradient check by central differences in float64, step {self.step:.1e}{times}"
        bad = [row.name for row in self.rows if not row.ok]
        if self.ok:
            last = f"ok: every gradient agrees; the largest relative error is {self.max_relative_error:.1e}"
        elif bad:
            last = f"NOT OK: look at {', '.join(map(paper.current().name, bad))}"
        else:
            last = "NOT OK: nothing was probed"
        return "\n".join([title, *([self.note] if self.note else []), "", lines[0], rule, *lines[1:], "", last])

    __repr__ = __str__


def _cells(row: Row, plain: bool) -> tuple[str, ...]:
    times = "x" if plain else "×"
    shape = times.join(map(str, row.shape)) or "scalar"
    where = "a direction" if row.worst is None else str(list(row.worst)) if row.worst else ""
    mark = ("ok " if row.ok else "!! ") if plain else ("✓ " if row.ok else "✗ ")
    numbers = (f"{row.max_relative_error:.1e}", where, f"{row.claimed:.6g}", f"{row.numeric:.6g}")
    name = paper.current().name(row.name)
    return (name, shape, *(numbers if row.probes else ("", "", "", "")), str(row.probes), str(row.kinks), mark + row.verdict)


def verdict(error: float, kinks: bool, measured: bool) -> str:
    """What CS231n says of a relative error; ``measured`` tells whether any derivative rose above rounding."""
    if np.isnan(error):
        return "not finite"
    if error <= FINE:
        return "fine" if measured else "zero to rounding"
    if error > WRONG:
        return "wrong"
    return "probably fine" if kinks and error <= KINKED else "suspicious"
