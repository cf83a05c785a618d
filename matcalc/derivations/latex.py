"""The derivation in LaTeX: aligned lines with shapes and reasons, as a block or as a document.

The core is what amsmath, KaTeX and MathJax share; the document needs nothing but amsmath.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from matcalc.derivations.document import Display, Document, Stage, document
from matcalc.derivations.grid import Medium, Row, apart, rows
from matcalc.paper.lines import ems
from matcalc.paper.writing import LATEX

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_PAGE = Medium(ems, 46.0)  # of the 48.4 that 17 cm hold
_DOCUMENT = r"""\documentclass{article}
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
    """One ``align*`` block; with ``standalone`` a document with a heading and a sentence for every stage."""
    found = document(d, LATEX)
    return _DOCUMENT % "\n\n".join(_parts(found)) if standalone else _block(found)


def _block(found: Document) -> str:
    """Every equation, in common columns, under the headings of the stages."""
    blocks = [(stage, block) for stage in found.stages for block in stage.blocks]
    displays = [(stage, block) for stage, block in blocks if isinstance(block, Display) and not block.stacked]
    lines: list[str] = []
    headed: set[int] = set()
    for (stage, _), table in zip(displays, rows([block for _, block in displays], _PAGE), strict=True):
        if stage.number not in headed:
            lines.append(rf"&\textbf{{{stage.number}\ \ {stage.name}}}")
            headed.add(stage.number)
        lines += map(_row, table)
    return aligned(lines)


def _parts(found: Document) -> Iterator[str]:
    yield rf"\section*{{Derivatives of ${headline(found)}$}}"
    yield f"By {', '.join(f'${x}$' for x in found.by)}. {found.convention}"
    for stage in found.stages:
        yield "\n".join([rf"\subsection*{{{stage.number}\quad {stage.title}}}", stage.introduction, *_blocks(stage)])


def headline(found: Document) -> str:
    """What is differentiated, with its value where that is short enough for a heading."""
    whole = f"{found.target} = {found.value}"
    return whole if ems(whole) < _PAGE.width / 2 else found.target


def _blocks(stage: Stage) -> Iterator[str]:
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
