"""The graph as a TikZ picture, with the places of the SVG: formulas in LaTeX, values in green, gradients in red."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.core import sizes
from matcalc.graphs.drawing import Beside, Drawing, along, arriving, drawing, shows_gradient
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.values import drawn
from matcalc.paper.notation import LATEX
from matcalc.paper.writing import written

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.run import Run

_SCALE = 0.62  # points to a pixel
_SIGNS = {"−": "$-$", "×": r"$\times$", "‖·‖": r"$\|\cdot\|$", "∞": r"$\infty$", "Σ": r"$\Sigma$", "ᵀ": r"$^\top$"}


def tikz(graph: Graph, run: Run | None = None, standalone: bool = False) -> str:
    """A ``tikzpicture``, or a document around it that pdflatex compiles."""
    d = drawing(graph, run)
    lines = [r"\begin{tikzpicture}[x=1pt, y=-1pt, line width=0.5pt,"]
    lines.append(
        r"  operation/.style={draw=black!50, rounded corners=2pt, fill=white}, input/.style={rounded corners=6pt, fill=black!6},"
    )
    lines.append(r"  output/.style={operation, draw=black, line width=1pt}, wire/.style={draw=black!60}, >=latex,")
    lines.append(r"  forward/.style={text=forward, font=\scriptsize}, backward/.style={text=backward, font=\scriptsize},")
    lines.append(r"  extent/.style={text=black!60, font=\scriptsize}, every node/.style={inner sep=0pt}]")
    lines.append(r"  \definecolor{forward}{HTML}{00725C}\definecolor{backward}{HTML}{C93400}")
    lines += [line for edge in graph.edges for line in _wire(d, edge, run)]
    lines += [line for n in graph.nodes for line in _box(d, n, run)]
    lines.append(r"\end{tikzpicture}")
    picture = "\n".join(lines) + "\n"
    if not standalone:
        return picture
    return _document(picture, d.layout.width * _SCALE + 30, d.layout.height * _SCALE + 30)


def _document(picture: str, width: float, height: float) -> str:
    """A document whose one page is as large as the picture, from packages that every installation has."""
    return (
        "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n\\usepackage{tikz}\n\\pagestyle{empty}\\parindent0pt\n"
        f"\\paperwidth={width:.0f}pt \\paperheight={height:.0f}pt \\textwidth=\\paperwidth \\textheight=\\paperheight\n"
        "\\pdfpagewidth=\\paperwidth \\pdfpageheight=\\paperheight\n"
        "\\oddsidemargin=0pt \\topmargin=0pt \\headheight=0pt \\headsep=0pt \\topskip=0pt\n"
        "\\hoffset=-1in \\advance\\hoffset by 12pt \\voffset=-1in \\advance\\voffset by 12pt\n"
        f"\\begin{{document}}\n{picture}\\end{{document}}\n"
    )


def _point(x: float, y: float) -> str:
    return f"({x * _SCALE:.1f},{y * _SCALE:.1f})"


def _box(d: Drawing, n: Node, run: Run | None) -> list[str]:
    b = d.block(n)
    kind = "input" if n.is_input else "output" if n is d.graph.output else "operation"
    name = LATEX.name(n.name)
    inside = name if n.formula is None else f"{name} = {written(n.formula, LATEX)}"
    size = f"minimum width={b.width * _SCALE:.1f}pt, minimum height={b.height * _SCALE:.1f}pt"
    lines = [rf"  \node[{kind}, {size}] ({n.id}) at {_point(b.x + b.width / 2, b.centre)} {{${inside}$}};"]
    x = b.x + b.width
    if not n.outputs:
        lines.append(rf"  \draw[wire] {_point(x, b.centre)} -- {_point(x + b.right, b.centre)};")
    above = _text(drawn(run.forward[n])) if run is not None else f"${LATEX.shape(sizes.times(n.shape))[1:-1]}$" if n.shape else ""
    below = ""
    if shows_gradient(n, run):
        below = f"${arriving(d.graph, n)[1]}$" if run is None else _text(drawn(run.upstream[n], shaped=False))
    return lines + _beside(d.out[n], x, b.centre, above, below, run)


def _wire(d: Drawing, edge: Edge, run: Run | None) -> list[str]:
    points = d.wire(edge)
    line = _point(*points[0])
    x, y = points[0]
    for k, (to, level) in enumerate(points[1:]):
        bend = f" .. controls {_point((x + to) / 2, y)} and {_point((x + to) / 2, level)} .. " if k % 2 else " -- "
        line += bend + _point(to, level)
        x, y = to, level
    b = d.block(edge.target)
    lines = [rf"  \draw[wire, ->] {line};"]
    if d.into[edge].below is None:
        return lines
    below = f"${along(d.graph, edge)[1]}$" if run is None else _text(drawn(run.downstream[edge], shaped=False))
    return lines + _beside(d.into[edge], b.x - b.left, d.level(edge), "", below, run)


def _beside(room: Beside, x: float, y: float, above: str, below: str, run: Run | None) -> list[str]:
    lines = []
    if above and room.above is not None:
        style = "extent" if run is None else "forward"
        lines.append(rf"  \node[{style}, anchor=south west] at {_point(x + 5, y - 3)} {{{above}}};")
    if below and room.below is not None:
        lines.append(rf"  \node[backward, anchor=north west] at {_point(x + 5, y + 3)} {{{below}}};")
    return lines


def _text(value: str) -> str:
    for sign, said in _SIGNS.items():
        value = value.replace(sign, said)
    return value
