"""The derivation as one readable text, in columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from matcalc.derivations.document import Display, Prose, Stage, document
from matcalc.derivations.grid import Medium, Row, apart, rows
from matcalc.paper.lines import columns
from matcalc.paper.writing import current

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_WIDTH = 100
_LONGEST = 400  # what is longer is not written in one piece
_MARGIN, _HANGING = "   ", "     "


def text(d: Derivation, width: int = _WIDTH) -> str:
    """The whole derivation, in Unicode or ASCII, as far as it goes in lines of so many columns."""
    n = current()
    found = document(d, n)
    value = f" = {found.value}" if columns(found.value) < _LONGEST else ""
    said = f"{found.target}{value}, differentiated by {', '.join(found.by)}"
    lines = textwrap.wrap(said, width, subsequent_indent=_HANGING, break_long_words=False)
    return "\n\n".join(["\n".join(lines), *(staged(stage, width) for stage in found.stages)])


def staged(stage: Stage, width: int = _WIDTH) -> str:
    """One stage under its heading."""
    return "\n".join([f"{stage.number}  {stage.name}", *_lines(stage, width)])


def _lines(stage: Stage, width: int) -> Iterator[str]:
    medium = Medium(columns, width - len(_MARGIN))
    above: type | None = None
    for block in stage.blocks:
        if above not in (None, type(block)) or above is Prose:
            yield ""
        above = type(block)
        if isinstance(block, Display):
            for display in apart(block, medium):
                yield from _table(display, medium)
        else:
            for sentence in block.sentences:
                yield from textwrap.wrap(
                    sentence, width, initial_indent=_MARGIN, subsequent_indent=_HANGING, break_long_words=False
                )


def _table(display: Display, medium: Medium) -> list[str]:
    """Rows in columns: left side, formulas and shapes, reason. Heads that are wider than their columns narrow the rest."""
    lines, width = _set(display, medium), medium.width
    while display.heads and width > 0 and (over := max(map(columns, lines)) - len(_MARGIN) - medium.width) > 0:
        width -= over
        lines = _set(display, Medium(columns, width))
    return lines


def _set(display: Display, medium: Medium) -> list[str]:
    (found,) = rows([display], medium)
    cells = [[row.left, *(text for cell in row.cells for text in cell), row.reason] for row in found]
    if display.heads and len(cells[0]) == 2 + 2 * len(display.heads):
        heads = [text for head in display.heads for text in (head, "")]
        found, cells = [Row(""), *found], [["", *heads, ""], *cells]
    widths = [max(columns(line[k]) for line in cells if len(line) > k) for k in range(max(map(len, cells)))]
    lines = []
    for row, line in zip(found, cells, strict=True):
        first, *rest = (cell + " " * (w - columns(cell)) for cell, w in zip(line, widths, strict=False))
        shown = f"{first}   ({row.note})" if row.note else f"{first} {'  '.join(rest)}" if widths[0] else "  ".join(rest)
        lines.append(f"{_MARGIN}{shown}".rstrip())
    return lines
