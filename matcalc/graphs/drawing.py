"""A graph as a drawing: what stands in each box and beside each wire, with sizes, placed. SVG and the page draw it.

Above a wire stands the value, in symbols the shape; below it the gradient that arrives at its source. Where a value goes to
several nodes, each wire carries its own contribution at its end, and their sum stands at the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from matcalc.core import names, sizes
from matcalc.core.expression import Expr
from matcalc.errors import MatcalcError
from matcalc.graphs.labels import Label, Labels
from matcalc.graphs.layout import Block, Layout, laid_out
from matcalc.graphs.local import whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.values import bracketed, drawn
from matcalc.paper.notation import LATEX, UNICODE
from matcalc.paper.writing import written

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.run import Run

LARGEST = 400  # nodes that are drawn
FORMULA, LABEL, SMALL = 17.0, 13.0, 11.5  # pixels
_PAD, _STUB, _LIFT = 11.0, 6.0, 2.5
_LONGEST = 34  # characters of a formula in a box
_PORT = 16.0  # between the incoming wires of a box


@dataclass(frozen=True)
class Beside:
    """The labels of a wire, above it and below it; each may be missing."""

    above: Label | None = None
    below: Label | None = None

    @property
    def width(self) -> float:
        """The room that they take along the wire, ends included."""
        return max((label.width for label in (self.above, self.below) if label is not None), default=-_STUB) + 2 * _STUB

    def reach(self) -> tuple[float, float]:
        """How far they stand out above and below the wire."""
        up = self.above.height + _LIFT if self.above is not None else 0.0
        down = self.below.height + _LIFT if self.below is not None else 0.0
        return up, down

    def at(self, x: float, y: float) -> tuple[tuple[Label, float, float] | None, tuple[Label, float, float] | None]:
        """The labels with their corners, for a stretch of wire that begins at x."""
        up = None if self.above is None else (self.above, x + _STUB, y - _LIFT - self.above.height)
        down = None if self.below is None else (self.below, x + _STUB, y + _LIFT)
        return up, down


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn: the formula in each box, the labels behind it, those before its incoming wires, the layout."""

    graph: Graph
    labels: Labels
    formulas: dict[Node, Label]
    out: dict[Node, Beside]
    into: dict[Edge, Beside]
    layout: Layout

    @cached_property
    def _index(self) -> dict[Edge, int]:
        return {edge: k for k, edge in enumerate(self.graph.edges)}

    def block(self, n: Node) -> Block:
        """The box of a node."""
        return self.layout.blocks[n.id]

    def level(self, edge: Edge) -> float:
        """The height at which an edge enters its target."""
        b = self.block(edge.target)
        return b.y + b.ports[self.layout.ports[self._index[edge]]]

    def wire(self, edge: Edge) -> list[tuple[float, float]]:
        """The points of the wire of an edge."""
        return self.layout.wires[self._index[edge]]


def drawing(graph: Graph, run: Run | None = None, labels: Labels | None = None) -> Drawing:
    """The drawing of a graph, with the values of a run if there is one. MatcalcError for one that no page could show."""
    if len(graph.nodes) > LARGEST:
        raise MatcalcError(
            f"a graph of {len(graph.nodes)} nodes is too large to be drawn (up to {LARGEST} are); print its table, or draw a part"
        )
    labels = labels or Labels()
    formulas = {n: formula(n, labels) for n in graph.nodes}
    out = {n: _behind(n, graph, run, labels) for n in graph.nodes}
    into = {edge: _before(edge, graph, run, labels) for edge in graph.edges}
    blocks = {n.id: _block(n, formulas[n], out[n], [into[e] for e in n.inputs]) for n in graph.nodes}
    pairs = [(edge.source.id, edge.target.id) for edge in graph.edges]
    layout = laid_out([n.id for n in graph.nodes], pairs, blocks)
    return Drawing(graph, labels, formulas, out, into, layout)


def _block(n: Node, label: Label, out: Beside, into: list[Beside]) -> Block:
    """The box of a node, tall enough for its incoming wires, with the room for labels beside it."""
    up, down = max((b.reach()[0] for b in into), default=0.0), max((b.reach()[1] for b in into), default=0.0)
    between = max(_PORT, up + down + 3)
    heights = [between * k for k in range(max(len(into), 1))]
    height = max(label.height + 2 * _PAD * 0.8, heights[-1] + _PORT, 30.0)
    ports = [height / 2 - heights[-1] / 2 + y for y in heights][: len(into)]
    above = max([out.reach()[0] - height / 2, *(up - y for y in ports[:1])])
    below = max([out.reach()[1] - height / 2, *(down - (height - y) for y in ports[-1:])])
    left = max((beside.width for beside in into), default=0.0)
    return Block(max(label.width + 2 * _PAD, 34.0), height, max(left, 0.0), out.width, max(above, 0.0), max(below, 0.0), ports)


# ---- labels ----------------------------------------------------------------------------------------------------------
def formula(n: Node, labels: Labels) -> Label:
    """The name of an input; name = operation of any other node."""
    name = LATEX.name(n.name)
    if n.formula is None:
        return labels.formula(name, names.text(n.name), FORMULA)
    said = written(n.formula, UNICODE)
    if len(said) > _LONGEST:
        said = f"{n.formula.op.text.replace('{0}', '·')}(…)"
        word = said.removesuffix("(…)")
        return labels.formula(rf"{name} = \text{{{word}}}(\ldots)", f"{names.text(n.name)} = {said}", FORMULA)
    latex = written(n.formula, LATEX)
    latex = f"{{{latex}}}" if latex.startswith("-") else latex  # a sign, not a difference
    return labels.formula(f"{name} = {latex}", f"{names.text(n.name)} = {said}", FORMULA)


def _behind(n: Node, graph: Graph, run: Run | None, labels: Labels) -> Beside:
    """Value or shape above the outgoing wire, the gradient below it."""
    if run is None:
        shape = labels.text(sizes.times(n.shape), SMALL, "mcg-shape") if n.shape else None
        return Beside(shape, None if whole_numbers(n) else _symbol(arriving(graph, n), labels))
    value = labels.text(drawn(run.forward[n]), LABEL, "mcg-value")
    if not run.has_gradients or whole_numbers(n):
        return Beside(value)
    total = drawn(run.upstream[n], shaped=False)
    if len(n.outputs) > 1:
        terms = [drawn(a) for _, a in run.contributions(n)]
        if n.shape == () and len(terms) <= 4:
            total = " + ".join(map(bracketed, terms)) + f" = {total}"
        else:
            total = f"Σ {total}"
    return Beside(value, labels.text(total, LABEL, "mcg-gradient"))


def shows_gradient(n: Node, run: Run | None) -> bool:
    """Whether there is a gradient to stand below the wire of a node."""
    return not whole_numbers(n) and (run is None or run.has_gradients)


def arriving(graph: Graph, n: Node) -> tuple[str, str]:
    """The gradient at a node in symbols, as it is read and in LaTeX; where it gets its name, with what that stands for."""
    symbols = graph.symbolic
    g = symbols.upstream[n]
    if symbols.named_at(n):
        body = written(g.args[0], UNICODE)
        if len(body) <= _LONGEST - 6:
            return f"{written(g, UNICODE)} = {body}", f"{written(g, LATEX)} = {written(g.args[0], LATEX)}"
    return _short(g, n, graph.output)


def along(graph: Graph, edge: Edge) -> tuple[str, str]:
    """What is passed back along an edge in symbols, as it is read and in LaTeX."""
    return _short(graph.symbolic.downstream[edge], edge.source, graph.output)


def _short(g: Expr, n: Node, out: Node) -> tuple[str, str]:
    """A gradient in symbols; ∂s/∂x where it is long."""
    said = written(g, UNICODE)
    if len(said) > _LONGEST:
        partial = rf"\partial {LATEX.name(out.name)} / \partial {LATEX.name(n.name)}"
        return f"∂{names.text(out.name)}/∂{names.text(n.name)}", partial
    return said, written(g, LATEX)


def _symbol(shown: tuple[str, str], labels: Labels) -> Label:
    said, latex = shown
    return labels.formula(latex, said, LABEL + 1)


def _before(edge: Edge, graph: Graph, run: Run | None, labels: Labels) -> Beside:
    """What is passed back along a wire, where its source has several."""
    if len(edge.source.outputs) < 2 or whole_numbers(edge.source):
        return Beside()
    if run is None:
        return Beside(None, _symbol(along(graph, edge), labels))
    if not run.has_gradients:
        return Beside()
    return Beside(None, labels.text(drawn(run.downstream[edge], shaped=False), SMALL, "mcg-gradient"))
