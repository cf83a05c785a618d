"""The passes as steps that a page can play: each says which boxes and wires it lights up, and what happens there, in words.

Ids are those of the drawing. A step of the backward pass is one node: what arrives there, summed where a value goes to several
nodes, and what is passed on along each incoming wire.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from matcalc.core import names, sizes
from matcalc.graphs.explain import opened
from matcalc.graphs.local import differentiable, is_number_of_row, whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.rules import gathered
from matcalc.graphs.table import local_value, partial, sum_of
from matcalc.graphs.values import bracketed, short
from matcalc.paper.notation import LATEX, UNICODE
from matcalc.paper.writing import written

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.run import Run


@dataclass(frozen=True)
class Step:
    """One step: ``direction`` is forward or backward, ``node`` the box it is at, ``edges`` the wires along which something moves.

    ``shows`` are the boxes and wires whose values, or gradients, are known from then on. ``title`` is its formula, ``latex`` the
    same in LaTeX, ``lines`` what is computed, ``words`` the rule in a sentence.
    """

    direction: str
    number: int
    node: str
    edges: tuple[str, ...]
    shows: tuple[str, ...]
    title: str
    latex: str
    lines: tuple[str, ...]
    words: str

    def data(self) -> dict[str, Any]:
        """The step as plain data, for JSON."""
        return asdict(self)


def steps(graph: Graph, run: Run | None = None) -> list[Step]:
    """The forward pass, operation by operation, and the backward pass, node by node."""
    found: list[Step] = []
    for n in graph.nodes:
        if not n.is_input:
            found.append(_forward(n, run, len(found) + 1))
    if run is not None and not run.has_gradients:
        return found
    done: set[Node] = set()
    for k, n in enumerate(reversed(graph.nodes), 1):
        done.add(n)
        if not whole_numbers(n):
            found.append(_backward(graph, n, run, k, done))
    return found


def _known(n: Node, done: set[Node]) -> tuple[str, ...]:
    """What is known once a node has passed its gradients on: those along its wires, and of sources that have all of theirs."""
    edges = differentiable(n)
    sources = [
        edge.source.id for edge in edges if all(is_number_of_row(out) or out.target in done for out in edge.source.outputs)
    ]
    return (*([] if n.outputs else [n.id]), *(edge.id for edge in edges), *dict.fromkeys(sources))


def _forward(n: Node, run: Run | None, number: int) -> Step:
    assert n.formula is not None
    name, formula = names.text(n.name), written(n.formula, UNICODE)
    value = sizes.times(n.shape) if run is None else short(run.forward[n])
    latex = f"{LATEX.name(n.name)} = {written(n.formula, LATEX)}"
    line = f"{name} = {formula}   {value}" if run is None else f"{name} = {formula} = {value}"
    return Step("forward", number, n.id, tuple(e.id for e in n.inputs), (n.id,), f"{name} = {formula}", latex, (line,), "")


def _backward(graph: Graph, n: Node, run: Run | None, number: int, done: set[Node]) -> Step:
    out = graph.output
    title = partial(out, n)
    latex = rf"\frac{{\partial {LATEX.name(out.name)}}}{{\partial {LATEX.name(n.name)}}}"
    detail = opened(graph, n)
    if run is None:
        lines = [detail.upstream, *(f"to {names.text(p.edge.source.name)}: {p.row or p.gradient}" for p in detail.passed)]
    else:
        lines = [f"{title} = {sum_of(run, n)}", *(_product(run, edge) for edge in differentiable(n))]
    words = ". ".join(filter(None, [gathered(n, n.outputs), detail.rule]))
    edges = tuple(edge.id for edge in differentiable(n))
    return Step("backward", number, n.id, edges, _known(n, done), title, latex, tuple(lines), words)


def _product(run: Run, edge: Edge) -> str:
    upstream, local = bracketed(short(run.upstream[edge.target])), local_value(run, edge, factor=True)
    return f"to {names.text(edge.source.name)}: {upstream} × {local} = {short(run.downstream[edge])}"
