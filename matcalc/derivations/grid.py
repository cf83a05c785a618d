"""Equations set in rows that fit the width: in columns where they fit, otherwise a side to a line, and what is long is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest

from matcalc.derivations.document import Display, Equation, Side
from matcalc.paper.lines import Measure, broken

_GAP = 2.0
_REASONS = 0.42  # of the width, at most
_WORD = re.compile(r"(?:\$[^$]*\$|\S)+")  # a formula within a sentence is not broken


@dataclass(frozen=True)
class Row:
    """A line as it is set: left side, formulas with their signs and shapes, the reason; or a reason in place of the formula."""

    left: str
    cells: tuple[tuple[str, str], ...] = (("", ""),)
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Medium:
    """How wide a text is, and how wide a line may be."""

    measure: Measure
    width: float

    def widest(self, texts: Sequence[str]) -> float:
        """The width of the widest."""
        return max(map(self.measure, texts), default=0)

    def total(self, found: Sequence[Row]) -> float:
        """The width of the rows with a column for everything."""
        columns = [[r.left for r in found], [r.reason for r in found]]
        for k in range(max((len(r.cells) for r in found), default=0)):
            columns += [[r.cells[k][part] for r in found if len(r.cells) > k] for part in (0, 1)]
        widths = [self.widest(texts) for texts in columns]
        return sum(w + _GAP for w in widths if w) - _GAP


def apart(display: Display, medium: Medium) -> list[Display]:
    """The display with its longest equations in displays of their own, where they have the whole width."""
    if display.stacked:
        return [display]
    room = _Columns.of([display], medium).room
    runs = groupby(display.equations, lambda e: any(medium.measure(side.formula) > room for side in e.sides))
    return [Display(tuple(equations), wide=long, heads=display.heads) for long, equations in runs]


def rows(displays: Sequence[Display], medium: Medium) -> list[list[Row]]:
    """The rows of every display, in common columns no wider than the medium, as far as the formulas can be broken."""
    columns = _Columns.of(displays, medium)
    found = [[row for e in display.equations for row in columns.rows(e, display)] for display in displays]
    depth = max((len(row.cells) for table in found for row in table), default=0)  # so that reasons stand below each other
    return [[replace(row, cells=row.cells + (("", ""),) * (depth - len(row.cells))) for row in table] for table in found]


@dataclass(frozen=True)
class _Columns:
    """The columns that displays share: how wide formulas and reasons may be, and whether every equation fits a line."""

    medium: Medium
    room: float
    reason: float
    tight: bool

    @classmethod
    def of(cls, displays: Sequence[Display], medium: Medium) -> _Columns:
        every = [
            _whole(e) if not display.wide else replace(_whole(e), reason="") for display in displays for e in display.equations
        ]
        tight = medium.total(every) <= medium.width
        left = medium.widest([row.left for row in every])
        shape = medium.widest([text for row in every for _, text in row.cells])
        reason = medium.widest([row.reason for row in every])
        reason = reason if tight else min(reason, _REASONS * medium.width)
        return cls(medium, medium.width - left - shape - reason - 3 * _GAP, reason, tight)

    def rows(self, e: Equation, display: Display) -> list[Row]:
        row = _whole(e)
        fits = self.tight or (len(row.cells) == 1 and self.medium.measure(row.cells[0][0]) <= self.room)
        lines = [row] if not e.sides or (fits and not display.stacked) else list(self._stacked(e))
        if display.wide:
            return [*(replace(line, reason="") for line in lines), *([Row("", note=e.reason)] if e.reason else [])]
        return list(self._with_reason(lines))

    def _stacked(self, e: Equation) -> Iterator[Row]:
        """The equation with each side on a line of its own, or on several."""
        lines = [line for side in e.sides for line in self._broken(side)]
        for k, line in enumerate(lines):
            yield Row(e.left if k == 0 else "", (line,), e.reason if k == len(lines) - 1 else "")

    def _broken(self, side: Side) -> Iterator[tuple[str, str]]:
        parts = broken(side.formula, self.room, self.medium.measure)
        for k, part in enumerate(parts):
            yield f"{side.sign if k == 0 else ' ' * len(side.sign)} {part}", side.shape if k == len(parts) - 1 else ""

    def _with_reason(self, lines: list[Row]) -> Iterator[Row]:
        """The lines of an equation with its reason beside the last, in lines of its own where it is long."""
        said = wrapped(lines[-1].reason, replace(self.medium, width=self.reason))
        first = max(len(lines) - len(said), 0)
        for line, text in zip_longest(lines, [""] * first + said):
            yield replace(line or Row(""), reason=text or "")


def _whole(e: Equation) -> Row:
    """The equation on one line; sides without a shape stand together with the next that has one."""
    cells: list[tuple[str, str]] = []
    line = ""
    for side in e.sides:
        line = f"{line} {side.sign} {side.formula}".strip()
        if side.shape or side is e.sides[-1]:
            cells.append((line, side.shape))
            line = ""
    return Row(e.left, tuple(cells) or (("", e.shape),), e.reason)


def wrapped(sentence: str, medium: Medium) -> list[str]:
    """A sentence in lines; formulas in it are not broken."""
    lines: list[str] = []
    for word in _WORD.findall(sentence):
        if lines and medium.measure(f"{lines[-1]} {word}") <= medium.width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
