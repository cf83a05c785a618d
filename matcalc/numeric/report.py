"""The outcome of a gradient check, a row for every variable: as a table, in words and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from matcalc.numeric.patterns import pattern
from matcalc.numeric.probes import FINE, KINKED, WRONG, Probes, rank, relative_error, verdict
from matcalc.numeric.relations import relation
from matcalc.paper import writing as paper

_WORST = 5
_ASCII = str.maketrans({"×": "*", "−": "-", "²": "^2", "√": "sqrt ", "·": "*", "─": "-", "→": "->", "←": "<-", "≤": "<="})


LOST = "lost in rounding"


@dataclass(frozen=True)
class Row:
    """One variable: how far its claimed gradient is from the numeric one, where, and the verdict in words.

    ``table`` holds the probes. ``pattern`` says where the gradient is wrong, ``relation`` what makes one into the other; "" where
    nothing is wrong or nothing simple can be said.
    """

    name: str
    shape: tuple[int, ...]
    max_relative_error: float
    worst: tuple[int, ...] | None  # the entry with the largest error; None for a random direction
    claimed: float
    numeric: float
    probes: int
    kinks: int  # probes skipped because they cross a kink or a jump
    verdict: str
    table: Probes | None = field(default=None, repr=False, compare=False)
    pattern: str = ""
    relation: str = ""
    lost: int = 0  # entries that are lost in rounding, of those that were probed

    @property
    def ok(self) -> bool:
        """Whether the claimed gradient stands."""
        return self.verdict in ("fine", "probably fine", "zero to rounding")

    @classmethod
    def of(cls, table: Probes, kinks: bool) -> Row:
        """The row that a table of probes makes; with ``kinks`` the function has some, which makes the verdict milder."""
        judged, nan = table.judged, float("nan")
        if not judged:
            return cls(table.name, table.shape, nan, None, nan, nan, 0, table.skipped, "not probed", table)
        # a direction speaks where the entries are silent: in a sum of many, a difference can be of any relative size
        off = [p for p in table.entries.values() if not p.skipped and not p.error <= FINE]
        p = max(off or judged, key=rank)
        measured = any(q.measured for q in judged)
        said = verdict(p.error, kinks, measured)
        if not off and table.lost:  # what was not measured is not confirmed, whatever was
            said, p = LOST, max(table.untold.values(), key=lambda q: abs(q.claimed))
        elif said == "zero to rounding" and any(q.skipped and any(q.slopes or ()) for q in table.entries.values()):
            said = "not probed"  # all that is not zero lies on kinks
        where = next((table.index(k) for k, q in table.entries.items() if q is p), None)
        row = cls(
            table.name, table.shape, p.error, where, p.claimed, p.numeric, len(judged), table.skipped, said, table,
            lost=len(table.untold) if table.lost else 0,
        )  # fmt: skip
        if said in (LOST, "not probed") or row.ok:
            return row
        where_off, mask = pattern(table)
        related = relation(table, mask)
        place = where_off or "none of the entries that were probed, but along random directions through the others"
        return replace(row, pattern=place, relation=related.text if related else "")


@dataclass(frozen=True)
class Report:
    """The outcome of a gradient check. ``ok`` is true only if every variable was probed and every gradient stands.

    Verdicts follow CS231n: a relative error up to 1e-7 is "fine", above 1e-2 "wrong", between them "suspicious", except that up
    to 1e-4 it is "probably fine" where the function has kinks. "zero to rounding" says that neither gradient rises above the
    rounding error of the function; "lost in rounding", that claims which are not zero do not either, so that they are
    not confirmed. ``notes`` are sentences about the function and the point.
    """

    rows: tuple[Row, ...]
    step: float
    notes: tuple[str, ...] = ()
    name: str = ""

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
        text = "\n".join(self._lines())
        return text.translate(_ASCII) if paper.current().kind == "ascii" else text

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        plain = paper.current().kind == "ascii"
        of = f" of {self.name}" if self.name else ""
        times = "*max(1, |x|)" if plain else "·max(1, |x|)"
        yield f"gradient check{of} by central differences in float64, step {self.step:.1e}{times}"
        yield from self.notes
        yield ""
        yield from aligned([_HEAD, *(_cells(row, plain) for row in self.rows)])
        for row in self.rows:
            if row.pattern:
                yield ""
                yield from _explained(row)
        yield ""
        yield self._last()

    def _last(self) -> str:
        if self.ok:
            return f"ok: every gradient agrees; the largest relative error is {self.max_relative_error:.1e}"
        bad = [paper.current().name(row.name) for row in self.rows if not row.ok and row.verdict != LOST]
        lost = [_unknown(row) for row in self.rows if row.verdict == LOST]
        said = [*([f"look at {', '.join(bad)}"] if bad else ()), *([f"nothing is known of {', '.join(lost)}"] if lost else ())]
        return f"NOT OK: {'; '.join(said) or 'nothing was probed'}"

    # ---- picture -----------------------------------------------------------------------------------------------------
    def to_svg(self, path: str | Path | None = None) -> str:
        """The relative errors as a picture, a map for every array; written to a file if a path is given."""
        from matcalc.numeric.picture import picture

        svg = picture(self.rows, self.name)
        if path is not None:
            Path(path).write_text(svg, encoding="utf-8")
        return svg

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>\n{self.to_svg()}"


def _unknown(row: Row) -> str:
    name = paper.current().name(row.name)
    return name if row.lost == row.probes else f"{row.lost} of the {row.probes} entries of {name} that were probed"


_HEAD = ("variable", "shape", "relative error", "worst entry", "claimed", "numeric", "probes", "kinks", "verdict")


def aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, its head underlined."""
    width = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    for k, line in enumerate(table):
        yield "  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip()
        if k == 0:
            yield "  ".join("─" * w for w in width).rstrip()


def _cells(row: Row, plain: bool) -> tuple[str, ...]:
    times = "x" if plain else "×"
    shape = times.join(map(str, row.shape)) or "scalar"
    where = "a direction" if row.worst is None else str(list(row.worst)) if row.worst else ""
    mark = ("ok " if row.ok else "!! ") if plain else ("✓ " if row.ok else "✗ ")
    numbers = (f"{row.max_relative_error:.1e}", where, f"{row.claimed:.6g}", f"{row.numeric:.6g}")
    name = paper.current().name(row.name)
    return (name, shape, *(numbers if row.probes else ("", "", "", "")), str(row.probes), str(row.kinks), mark + row.verdict)


def _explained(row: Row) -> Iterator[str]:
    """Where a gradient is wrong, what relates it to the right one, and its worst entries."""
    yield f"{paper.current().name(row.name)}: off in {row.pattern}"
    if row.relation:
        yield f"   {row.relation}"
    worst = [item for item in row.table.worst(_WORST) if not item[1].error <= FINE] if row.table is not None else []
    if len(worst) < 2:
        return
    yield ""
    head = ("entry", "claimed", "numeric", "relative error")
    cells = [(str(list(where)), f"{p.claimed:.8g}", f"{p.numeric:.8g}", f"{p.error:.1e}") for where, p in worst]
    yield from ("   " + line for line in aligned([head, *cells]))


__all__ = ["FINE", "KINKED", "WRONG", "Report", "Row", "aligned", "relative_error", "verdict"]
