"""The computation graph of an expression, and what can be asked of it: a run, an explanation, a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matcalc.core import names
from matcalc.core.expression import Expr, checked_names, expr
from matcalc.errors import MatcalcError
from matcalc.graphs.nodes import Edge, Node, built
from matcalc.graphs.run import Run

if TYPE_CHECKING:
    from matcalc.graphs.costs import Cost
    from matcalc.graphs.steps import Step
    from matcalc.graphs.symbolic import Symbolic
    from matcalc.numeric.report import Report


class Graph:
    """An expression as a graph. ``nodes`` come in the order of the forward pass, ``edges`` lead from operand to operation.

    ``g[x]`` is the node of an expression, of a name as it was typed or as it is printed, or of an id. ``signals`` are names for
    what arrives at some of its expressions; elsewhere it is named after the node, δ_z.
    """

    def __init__(self, expression: Expr, signals: Mapping[Expr, str] | None = None) -> None:
        self.expression = expression
        self.signals = signals or {}
        nodes, edges, self._known = built(expression)
        self.nodes: tuple[Node, ...] = tuple(nodes)
        self.edges: tuple[Edge, ...] = tuple(edges)
        self._called = {n.name: n for n in nodes}
        self._called = {names.text(n.name): n for n in nodes} | {n.id: n for n in nodes} | self._called
        self._called |= {str(e.name): n for e, n in self._known.items() if e.name is not None and e.name not in self._called}
        self.output: Node = self._known[expression]

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The source nodes, in order of appearance."""
        return tuple(n for n in self.nodes if n.is_input)

    def __getitem__(self, key: Any) -> Node:
        if isinstance(key, Node):
            return key
        found = self._called.get(key) if isinstance(key, str) else self._known.get(key) if isinstance(key, Expr) else None
        if found is None:
            known = ", ".join(names.text(n.name) for n in self.nodes[:20]) + (", ..." if len(self.nodes) > 20 else "")
            raise KeyError(f"the graph has no node {key}; it has {known}")
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._known or key in self._called if isinstance(key, (Expr, str)) else key in self.nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def edge(self, target: Any, source: Any = None) -> Edge:
        """The edge into a node from a source. An edge is itself; MatcalcError where there is none, or more than one."""
        if isinstance(target, Edge):
            return target
        n, of = self[target], self[source]
        found = [edge for edge in n.inputs if edge.source is of]
        if len(found) != 1:
            many = f"{len(found)} edges lead" if found else "no edge leads"
            raise MatcalcError(f"{many} from {names.text(of.name)} to {names.text(n.name)}; give one of graph.edges")
        return found[0]

    # ---- runs ------------------------------------------------------------------------------------------------------------
    def run(self, at: Mapping[Any, Any] | None = None, upstream: Any = None, **values: Any) -> Run:
        """Values forward and gradients back, at these values of the inputs: by expression or name, as ``mc.evaluate`` takes them.

        ``upstream`` is the gradient that arrives at the output, in its shape; 1 for a scalar. Of an output that is no scalar the
        gradients are asked for only with it.
        """
        return Run(self, {**(at or {}), **values}, upstream)

    def check(self, seed: int = 0, upstream: Any = None, **options: Any) -> Report:
        """The gradients of a run by every input against central differences, as ``d.check``, also through nodes of your own.

        Of an output that is no scalar, the entries are weighed with ``upstream``, in its shape, else with random numbers.
        ``values`` and ``sizes`` fix what is else chosen at random.
        """
        from matcalc.graphs.checking import check

        return check(self, upstream, seed, **options)

    @cached_property
    def symbolic(self) -> Symbolic:
        """The backward pass in symbols."""
        from matcalc.graphs.symbolic import Symbolic

        return Symbolic(self)

    def explain(self, x: Any = None) -> Any:
        """A node opened: its rule in words, and upstream × local = downstream in symbols with shapes. Without x, every node."""
        from matcalc.graphs.explain import explain

        return explain(self, x)

    def steps(self, run: Run | None = None) -> list[Step]:
        """The passes step by step, as data that a page can play; with a run in numbers, else in symbols."""
        from matcalc.graphs.steps import steps

        return steps(self, run)

    @property
    def cost(self) -> Cost:
        """Operations of the forward pass, of the backward pass, and of one pass for every parameter instead."""
        from matcalc.graphs.costs import cost

        return cost(self)

    # ---- readings --------------------------------------------------------------------------------------------------------
    def __str__(self) -> str:
        from matcalc.graphs.table import symbolic_table

        return symbolic_table(self)

    __repr__ = __str__

    def to_svg(self, path: str | Path | None = None, run: Run | None = None, **options: Any) -> str:
        """The drawing as SVG, for light and dark; written to ``path`` too where one is given.

        With a run, forward values stand in green above the wires and gradients in red below. ``typeset=False`` writes formulas
        as plain Unicode text; so it is, too, where the extra ``html`` is not installed.
        """
        from matcalc.graphs.svg import svg

        return _written(svg(self, run, **options), path)

    def to_dot(self, path: str | Path | None = None, run: Run | None = None) -> str:
        """The graph in the DOT language of Graphviz."""
        from matcalc.graphs.formats import dot

        return _written(dot(self, run), path)

    def to_mermaid(self, path: str | Path | None = None, run: Run | None = None) -> str:
        """The graph as a Mermaid flowchart, as GitHub shows it."""
        from matcalc.graphs.formats import mermaid

        return _written(mermaid(self, run), path)

    def to_tikz(self, path: str | Path | None = None, run: Run | None = None, standalone: bool = False) -> str:
        """A TikZ picture; with ``standalone=True`` a document that pdflatex compiles."""
        from matcalc.graphs.tikz import tikz

        return _written(tikz(self, run, standalone), path)

    def drawn(self, run: Run | None = None) -> str | None:
        """The drawing for a notebook; None, which leaves it to the table, where the graph is too large to be drawn."""
        try:
            return self.to_svg(run=run)
        except MatcalcError:
            return None

    def _repr_svg_(self) -> str | None:
        return self.drawn()


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def graph(s: Any) -> Graph:
    """The computation graph of an expression of any shape: a source node for every input, a node for every operation."""
    s = expr(s)
    checked_names([s])
    return Graph(s)
