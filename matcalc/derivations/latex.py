"""The derivation in LaTeX: aligned lines with shapes and reasons, as a block or as a document.

The core is what amsmath, KaTeX and MathJax share; the document needs nothing but amsmath.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from matcalc.derivations.document import Display, Document, Prose, Stage, document
from matcalc.derivations.grid import Medium, Row, apart, rows, wrapped
from matcalc.paper.lines import ems
from matcalc.paper.writing import LATEX

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_PAGE = Medium(ems, 46.0)  # of the 48.4 that 17 cm hold
_COLUMN = Medium(ems, 33.0)  # of the 34.5 of a plain article
_DOZEN = 12
DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{17cm} \setlength{\textheight}{24cm}
\setlength{\oddsidemargin}{-0.5cm} \setlength{\evensidemargin}{-0.5cm} \setlength{\topmargin}{-1.5cm}
\setlength{\parindent}{0pt} \setlength{\parskip}{4pt}
\allowdisplaybreaks
\begin{document}
\abovedisplayskip=8pt \abovedisplayshortskip=8pt \belowdisplayskip=8pt \belowdisplayshortskip=8pt
%s
\end{document}
"""


def latex(d: Derivation, standalone: bool = False) -> str:
    """One ``align*`` for each stage, to paste; with ``standalone`` a document with a heading and a sentence for every stage."""
    found = document(d, LATEX)
    return DOCUMENT % "\n\n".join(_parts(found)) if standalone else _block(found)


def _block(found: Document) -> str:
    """An ``align*`` for every stage, under its heading, and for its notes; narrow and short enough for a page of anybody's."""
    return "\n".join(aligned(lines) for stage in found.stages for lines in _bundles(stage))


def _bundles(stage: Stage) -> Iterator[list[str]]:
    """What stands together: the heading and the equations, at most a dozen at a time, then the notes."""
    displays = [block for block in stage.blocks if isinstance(block, Display) and not block.stacked]
    lines = [_row(row) for table in rows(displays, _COLUMN) for row in table]
    prose = [block for block in stage.blocks if isinstance(block, Prose) and not block.title]
    notes = [sentence for block in prose for sentence in block.sentences if not sentence.endswith(":")]
    heading = [rf"&\textbf{{{stage.number}\ \ {stage.name}}}"]
    for k in range(0, max(len(lines), 1), _DOZEN):
        yield [*(heading if k == 0 else []), *lines[k : k + _DOZEN]]
    if notes:
        yield [f"&{_said(line)}" for sentence in notes for line in wrapped(sentence, _COLUMN)]


def _parts(found: Document) -> Iterator[str]:
    yield rf"\section*{{Derivatives of ${headline(found)}$}}"
    yield found.statement(LATEX.inline)
    for stage in found.stages:
        yield "\n".join([rf"\subsection*{{{stage.number}\quad {stage.title}}}", stage.introduction, *blocks(stage)])


def headline(found: Document) -> str:
    """What is differentiated, with its value where that is short enough for a heading."""
    whole = f"{found.target} = {found.value}"
    return whole if ems(whole) < _PAGE.width / 2 else found.target


def blocks(stage: Stage) -> Iterator[str]:
    """The equations and the sentences of a stage, set."""
    for block in stage.blocks:
        if isinstance(block, Display):
            yield from displayed(block)
        else:
            title = rf"\paragraph{{{block.title}}} " if block.title else "\n"
            yield title + "\n".join(block.sentences)


def displayed(block: Display, environment: str = "align*") -> Iterator[str]:
    """A display as one environment or several."""
    for display in apart(block, _PAGE):
        (table,) = rows([display], _PAGE)
        yield aligned(map(_row, table), environment, kept=block.stacked)


def aligned(lines: Iterable[str], environment: str = "align*", kept: bool = False) -> str:
    """Lines with their columns marked, as an environment; ``kept`` on one page."""
    end = " \\\\*[3pt]\n" if kept else " \\\\[3pt]\n"
    return f"\\begin{{{environment}}}\n{end.join(lines)}\n\\end{{{environment}}}"


def _row(row: Row) -> str:
    """Left side and formula meet at the sign; shapes, further formulas and the reason have columns of their own."""
    if row.note:
        return rf"&\quad {_said(f'({row.note})')}"
    (first, shape), *others = row.cells
    begin = r"\quad " if first.startswith(" ") else ""  # a line that goes on
    cells = [f"{row.left} &{begin}{first.strip()}".strip(), shape, *(text for cell in others for text in cell)]
    return " && ".join([*cells, _said(row.reason)]).rstrip("& ")


def _said(sentence: str) -> str:
    """A sentence within a display: words as text, formulas between them."""
    parts = enumerate(sentence.split("$"))
    return " ".join(rf"\text{{{part}}}" if k % 2 == 0 else part for k, part in parts if part)
