"""The backward pass in symbols: what arrives at each node, the local derivative along each edge, what is passed along it.

What arrives at a node is named after it, δ_z, where it is more than a symbol, so every formula speaks of its neighbours alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from matcalc.calculus.simplify import simplify
from matcalc.calculus.terms import is_symbol
from matcalc.core import names
from matcalc.core.constructors import add
from matcalc.core.expression import Expr, Names, checked_names, const, leaf, let, zero
from matcalc.errors import NotDifferentiableError
from matcalc.graphs import gates
from matcalc.graphs.local import Factor, factor, jacobian, passed, whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.run import ByEdge, ByName, ByNode

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph


class Symbolic:
    """The passes as expressions, by the same keys as a run.

    ``forward[z]`` is the operation of a node, ``upstream[z]`` what arrives there, ``local[z, x]`` the local Jacobian (of a
    matrix, stacked; None where it has no formula), ``downstream[z, x]`` what is passed on, in the shape of x.
    A vector output starts from an upstream gradient of its shape, ``seed``.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._given = {graph[e]: name for e, name in graph.signals.items() if e in graph}
        self._taken = Names({*checked_names([graph.output.symbol]), *self._given.values()})
        out = graph.output
        self.seed: Expr = const(1) if out.shape == () else leaf(self._delta(out), out.shape)
        self._arriving: dict[Node, Expr] = {}
        self._terms: dict[Node, list[Expr]] = {}
        self._along: dict[Edge, Expr] = {}
        self._named: dict[Expr, Node] = {}
        self._sweep()
        self.forward: Mapping[Any, Any] = ByNode(graph, lambda n: n.symbol if n.formula is None else n.formula)
        self.upstream: Mapping[Any, Any] = ByNode(graph, self._arriving.__getitem__)
        self.downstream: Mapping[Any, Any] = ByEdge(graph, self._along.__getitem__)
        self.local: Mapping[Any, Any] = ByEdge(graph, self.jacobian)

    def _sweep(self) -> None:
        for n in reversed(self.graph.nodes):
            terms = ([self.seed] if n is self.graph.output else []) + [self._along[edge] for edge in n.outputs]
            self._terms[n] = terms
            total = simplify(reduce(add, terms)) if terms else zero(n.shape)
            if not n.is_input and total.args and not is_symbol(total):
                total = let(self._delta(n), total)
                self._named[total] = n
            self._arriving[n] = total
            for edge in n.inputs:
                self._along[edge] = self._passed(n, edge, total)

    def _delta(self, n: Node) -> str:
        """The name that was given to what arrives there, or δ with the name of the node as its index."""
        if (given := self._given.get(n)) is not None:
            return given
        base, accent, low, high = names.parts(n.name)
        index = base + accent + ("" if low.isdecimal() or not low else ",") + low
        shown = f"delta_{{{index}}}" if "," in index else f"delta_{index}"
        try:
            return self._taken.take(names.checked(shown + (f"^{{{high}}}" if high else "")))
        except Exception:  # a name that cannot stand in an index
            return self._taken.take("delta")

    def _passed(self, n: Node, edge: Edge, g: Expr) -> Expr:
        assert n.formula is not None
        try:
            found = passed(n.formula, edge, g, {n.formula: n.symbol})
        except NotDifferentiableError:
            found = None
        return zero(edge.source.shape) if found is None else simplify(found)

    # ---- readings --------------------------------------------------------------------------------------------------------
    def terms(self, n: Node) -> list[Expr]:
        """What arrives at a node along each of its outgoing edges; for the output, the upstream gradient it starts from."""
        return self._terms[n]

    def named_at(self, n: Node) -> bool:
        """Whether what arrives at the node got its name there: δ_z at z, and not where it is passed on."""
        return self._arriving[n] in self._named and self._named[self._arriving[n]] is n

    def factor(self, edge: Edge) -> Factor:
        """The local derivative as the factor of the shape convention."""
        n = edge.target
        assert n.formula is not None
        if gates.of(n.expr) is not None:
            return Factor("gate", None)
        found = factor(n.formula, edge, {n.formula: n.symbol})
        return found if found.value is None else replace(found, value=simplify(found.value))

    def jacobian(self, edge: Edge) -> Expr | None:
        """The local Jacobian: a row for every entry of the node, a column for every entry of the source."""
        n = edge.target
        assert n.formula is not None
        if gates.of(n.expr) is not None:
            return None
        found = jacobian(n.formula, edge, {n.formula: n.symbol})
        return None if found is None else simplify(found)

    @property
    def gradients(self) -> dict[str, Expr]:
        """The gradients of the output by the inputs, by name, in the names of the graph."""
        return ByName({n.name: self._arriving[n] for n in self.graph.inputs if not whole_numbers(n)})
