"""A node opened: its rule in words, what arrives, and upstream × local = downstream in symbols with shapes, for each edge."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matcalc.core import sizes
from matcalc.core.constructors import transpose, vec
from matcalc.core.expression import Expr
from matcalc.graphs.local import differentiable, whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.rules import gathered, rule
from matcalc.graphs.table import aligned, fitted, name, partial, summed
from matcalc.paper.notation import LATEX, Notation, current
from matcalc.paper.writing import factor, written

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph

_WIDTH = 100


@dataclass(frozen=True)
class Passed:
    """One edge opened. ``row`` is the Jacobian form, δᵀ times the local Jacobian; ``gradient`` the same in the source's shape.

    Texts are Unicode; ``latex`` is the whole line in LaTeX. ``shapes`` is [1×n][n×m] = [1×m].
    """

    edge: Edge
    row: str
    gradient: str
    shapes: str
    latex: str


@dataclass(frozen=True)
class Opened:
    """A node opened: ``title`` its formula, ``rule`` in words, ``upstream`` what arrives and from where, then the edges."""

    node: Node
    title: str
    rule: str
    upstream: str
    passed: tuple[Passed, ...]

    def __str__(self) -> str:
        lines = [self.title, *_wrapped(f"{self.rule}."), f"   upstream: {self.upstream}"]
        rows = []
        for p in self.passed:
            to, shape = name(p.edge.source), sizes.times(p.edge.source.shape)
            if p.row:
                rows.append([f"to {to}", p.row, p.shapes])
            if not p.row or p.edge.source.shape != () and p.gradient != p.row:
                rows.append(["" if p.row else f"to {to}", f"{'as a gradient: ' if p.row else ''}{p.gradient}", shape])
        lines += aligned(rows, "   ")
        return fitted(lines)

    __repr__ = __str__


class Openings(tuple[Opened, ...]):
    """Nodes opened, in the order of the backward pass; prints one after the other."""

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    __repr__ = __str__


def explain(graph: Graph, x: Any = None) -> Opened | Openings:
    """A node opened, or all of them in the order of the backward pass."""
    return Openings(opened(graph, n) for n in reversed(graph.nodes)) if x is None else opened(graph, graph[x])


def opened(graph: Graph, n: Node) -> Opened:
    """The node with its rule and its edges."""
    title = f"{name(n)}{f' = {written(n.formula, current())}' if n.formula is not None else ''}   {sizes.times(n.shape)}"
    return Opened(n, title, rule(n), arrives(graph, n), tuple(_passed(graph, edge) for edge in differentiable(n)))


def arrives(graph: Graph, n: Node) -> str:
    """What arrives at a node: its name, the contributions, their sum, the shape."""
    if whole_numbers(n):
        return "none: the numbers of rows are whole"
    symbols = graph.symbolic
    total = symbols.upstream[n]
    terms = symbols.terms(n)
    sides = [partial(graph.output, n), written(total, current())]
    if len(terms) > 1:
        sides.append(summed(terms))
    if symbols.named_at(n):
        sides.append(written(total.args[0], current()))
    sentence = gathered(n, n.outputs)
    return " = ".join(dict.fromkeys(sides)) + f"   {sizes.times(n.shape)}" + (f"   ({sentence})" if sentence else "")


def _passed(graph: Graph, edge: Edge) -> Passed:
    symbols, n, source = graph.symbolic, edge.target, edge.source
    upstream, local, down = symbols.upstream[n], symbols.jacobian(edge), symbols.downstream[edge]
    gradient = written(down, current())
    latex_gradient = written(down, LATEX)
    if local is None:
        return Passed(edge, "", gradient, "", latex_gradient)
    row, result = transpose(vec(upstream)), transpose(vec(down))
    shown = f"{_times(row, local, current())} = {written(result, current())}"
    latex = f"{_times(row, local, LATEX)} = {written(result, LATEX)}"
    shapes = ""
    if n.shape or source.shape:
        rows, columns = sizes.entries(n.shape), sizes.entries(source.shape)
        shapes = f"[1×{rows}][{rows}×{columns}] = [1×{columns}]"
    return Passed(edge, shown, gradient, shapes, latex)


def _times(row: Expr, local: Expr, n: Notation) -> str:
    """Upstream times local, side by side."""
    return (r" \times " if n.latex else " × ").join((factor(row, n), factor(local, n)))


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, _WIDTH, initial_indent="   ", subsequent_indent="   ", break_long_words=False)
