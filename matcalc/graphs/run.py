"""A run: values flow forward through the graph, gradients back, each node multiplying what arrives by its local derivatives.

One pass each way, whatever the number of inputs. Nodes that do alike share their program, so a deep network is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from matcalc.core import names, sizes
from matcalc.core.expression import LEAF, Expr, zero
from matcalc.errors import EvaluationError, MatcalcError, ShapeError
from matcalc.graphs import gates
from matcalc.graphs.local import COPY, NONE, Factor, factor, jacobian, passed, placed, stand_in, whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.values import short
from matcalc.numeric.evaluate import Interpreter, public
from matcalc.numeric.given import Array, Given

if TYPE_CHECKING:
    from matcalc.graphs.flow import Flow
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.steps import Step

_LARGEST = 1 << 16  # entries of a local Jacobian that is built without being asked for by name
T = TypeVar("T")


class ByName(dict[str, Any]):
    """Arrays by the names of nodes, found by expression and node too; prints short."""

    def __missing__(self, key: Any) -> Any:
        called = getattr(key, "name", None)
        if called is None or called not in self:
            raise KeyError(f"there is {', '.join(map(names.text, self))}, and no {key}")
        return self[called]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{names.text(key)}: {_shown(value)}" for key, value in self.items()) + "}"

    __str__ = __repr__


def _shown(value: Any) -> str:
    """An array, several, or an expression, short."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return str(value) if value is None or isinstance(value, Expr) else short(value)


class ByNode(Mapping[Any, Any]):
    """What belongs to nodes, asked for by expression, name or node; its keys are the expressions."""

    def __init__(self, graph: Graph, read: Any) -> None:
        self._graph, self._read = graph, read

    def __getitem__(self, key: Any) -> Any:
        return self._read(self._graph[key])

    def __iter__(self) -> Iterator[Expr]:
        return (n.symbol for n in self._graph.nodes)

    def __len__(self) -> int:
        return len(self._graph.nodes)

    def __contains__(self, key: object) -> bool:
        return key in self._graph

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{names.text(n.name)}: {_shown(self._read(n))}" for n in self._graph.nodes) + "}"


class ByEdge(Mapping[Any, Any]):
    """What belongs to edges, asked for by edge, by (node, source), or by node, which gives a dictionary by the source's name.

    A source that enters a node twice, as in x * x, has a tuple there. The keys are the edges.
    """

    def __init__(self, graph: Graph, read: Any) -> None:
        self._graph, self._read = graph, read

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Edge):
            return self._read(key)
        if isinstance(key, tuple) and len(key) == 2:
            target, source = (self._graph[x] for x in key)
            found = [edge for edge in target.inputs if edge.source is source]
            if not found:
                raise KeyError(f"no edge leads from {names.text(source.name)} to {names.text(target.name)}")
            return self._read(found[0]) if len(found) == 1 else tuple(map(self._read, found))
        target = self._graph[key]
        return ByName({edge.source.name: self[target, edge.source] for edge in target.inputs})

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._graph.edges)

    def __len__(self) -> int:
        return len(self._graph.edges)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{edge}: {_shown(self._read(edge))}" for edge in self._graph.edges) + "}"


# ---- what a node does to arrays --------------------------------------------------------------------------------------
class _Program:
    """An operation on stand-ins as a program on arrays: forward, backward, local derivatives, each built when asked for."""

    def __init__(self, body: Expr, operands: list[Expr], node: Node, given: Given) -> None:
        self.body, self.operands, self.node, self.given = body, operands, node, given
        self.value, self.arriving = stand_in("y", body.shape), stand_in("g", body.shape)
        self.alias = {body: self.value}
        self.parts: dict[Any, Any] = {}

    def interpreter(self, roots: list[Expr]) -> Interpreter:
        """The roots, as a program on the stand-ins."""
        held = [*self.operands, self.value, self.arriving]
        return Interpreter(roots, self.given.lengths, self.given.dtype, self.given.functions, held)

    def forward(self, arrays: list[Array]) -> Array:
        """The value, two-dimensional."""
        if "forward" not in self.parts:
            self.parts["forward"] = self.interpreter([self.body])
        return self.parts["forward"](dict(zip(self.operands, arrays, strict=True)))[0]

    def backward(self, arrays: list[Array], value: Array, g: Array) -> list[Array | None]:
        """What is passed to each source."""
        if "backward" not in self.parts:
            several = [passed(self.body, edge, self.arriving, self.alias) for edge in self.node.inputs]
            roots = [e for e in several if e is not None]
            self.parts["backward"] = [e is not None for e in several], self.interpreter(roots)
        some, interpreter = self.parts["backward"]
        found = iter(interpreter(self._given(arrays, value, g)))
        return [next(found) if passes else None for passes in some]

    def factor(self, k: int) -> Factor:
        """The local derivative by the k-th source, in terms of the stand-ins."""
        if ("factor", k) not in self.parts:
            self.parts["factor", k] = factor(self.body, self.node.inputs[k], self.alias)
        return self.parts["factor", k]

    def jacobian(self, k: int) -> Expr | None:
        """The local Jacobian by the k-th source, in terms of the stand-ins."""
        if ("jacobian", k) not in self.parts:
            self.parts["jacobian", k] = jacobian(self.body, self.node.inputs[k], self.alias)
        return self.parts["jacobian", k]

    def shape(self) -> tuple[int, int]:
        """The shape of the value at these sizes."""
        zeros = self.interpreter([zero(self.body.shape)])({})[0]
        return zeros.shape

    def number(self, e: Expr, arrays: list[Array], value: Array) -> Array:
        """The value of an expression in the stand-ins."""
        if e not in self.parts:
            self.parts[e] = self.interpreter([e])
        return self.parts[e](self._given(arrays, value, value))[0]

    def _given(self, arrays: list[Array], value: Array, g: Array) -> dict[Expr, Array]:
        return {**dict(zip(self.operands, arrays, strict=True)), self.value: value, self.arriving: g}


# ---- the run ---------------------------------------------------------------------------------------------------------
class Run:
    """The values of every node, and the gradients of the output by every node and along every edge.

    ``forward[x]`` is a value and ``upstream[x]`` the gradient that arrives, in the shape of x: of an input, its whole gradient.
    ``local[f, x]`` is the local derivative along an edge, as the factor of the shape convention, and ``downstream[f, x]`` what
    is passed along it: upstream times local. ``print(run)`` shows the passes, ``run.to_svg()`` draws them.
    """

    def __init__(self, graph: Graph, at: Mapping[Any, Any], upstream: Any = None) -> None:
        self.graph = graph
        given = self._given = Given([graph.expression], {_own(graph, key): value for key, value in at.items()})
        for e in given.arrays:
            if e.op is not LEAF:
                raise EvaluationError(f"{names.text(str(e.name))} is computed by the graph; values are for its inputs")
        self._programs: dict[Expr, _Program] = {}
        self._by_node: dict[Node, _Program] = {}
        self._values: dict[Node, Array] = {}
        self._caches: dict[Node, Any] = {}
        with np.errstate(all="ignore"):
            for n in graph.nodes:
                self._values[n] = given.arrays[n.symbol] if n.is_input else self._computed(n)
        self._seed = None if upstream is None else self._checked_seed(upstream)
        self.forward: Mapping[Any, Any] = ByNode(graph, lambda n: public(self._values[n], n.shape))
        self.upstream: Mapping[Any, Any] = ByNode(graph, self._upstream)
        self.local: Mapping[Any, Any] = ByEdge(graph, self._local)
        self.downstream: Mapping[Any, Any] = ByEdge(graph, self._downstream)

    # ---- forward ---------------------------------------------------------------------------------------------------------
    def _computed(self, n: Node) -> Array:
        body, operands = placed(n)
        if body not in self._programs:
            self._programs[body] = _Program(body, operands, n, self._given)
        program = self._by_node[n] = self._programs[body]
        gate = gates.of(n.expr)
        with _named(n, body):
            if gate is not None:
                value, self._caches[n] = gate.forward_on(self._arguments(n), n.expr, program.shape())
                return value.astype(self._given.dtype)
            return program.forward(self._arrays(n))

    def _arrays(self, n: Node) -> list[Array]:
        return [self._values[edge.source] for edge in n.inputs]

    def _arguments(self, n: Node) -> list[Array]:
        """The arrays that a gate of the user's own is called with, numbers and transposes in their places."""
        program = self._by_node[n]
        return [program.number(a, self._arrays(n), np.zeros((1, 1))) for a in program.body.args]

    # ---- backward --------------------------------------------------------------------------------------------------------
    def _checked_seed(self, upstream: Any) -> Array:
        out = self.graph.output
        array = np.asarray(upstream, dtype=self._given.dtype)
        wanted = self._values[out].shape
        if array.shape not in (wanted, public(self._values[out], out.shape).shape):
            shape = public(self._values[out], out.shape).shape
            raise ShapeError(f"the upstream gradient has the shape of {out.symbol}, {shape}, but its shape is {array.shape}")
        return array.reshape(wanted)

    @property
    def has_gradients(self) -> bool:
        """Whether there is an upstream gradient to start from: 1 for a scalar, else the one that was given."""
        return self._seed is not None or self.graph.output.shape == ()

    @cached_property
    def _back(self) -> tuple[dict[Node, Array], dict[Edge, Array | None]]:
        out = self.graph.output
        if not self.has_gradients:
            shape = sizes.show(out.shape)
            raise MatcalcError(
                f"the output {out.symbol} has shape {shape}: give the upstream gradient that arrives at it, "
                "g.run(at, upstream=...), or make it a scalar"
            )
        seed = self._seed if self._seed is not None else np.ones((1, 1), self._given.dtype)
        arriving: dict[Node, Array] = {}
        along: dict[Edge, Array | None] = {}
        with np.errstate(all="ignore"):
            for n in reversed(self.graph.nodes):
                several = [along[edge] for edge in n.outputs]
                terms = ([seed] if n is out else []) + [a for a in several if a is not None]
                arriving[n] = sum(terms[1:], start=terms[0]) if terms else np.zeros_like(self._values[n])
                if n.inputs:
                    along |= zip(n.inputs, self._passed(n, arriving[n]), strict=True)
        return arriving, along

    def _passed(self, n: Node, g: Array) -> list[Array | None]:
        program, gate = self._by_node[n], gates.of(n.expr)
        with _named(n, program.body):
            if gate is None:
                return program.backward(self._arrays(n), self._values[n], g)
            found = gate.backward_on(g, self._caches[n], n.expr, [a.shape for a in self._arguments(n)])
            return [found[edge.position].T if edge.transposed else found[edge.position] for edge in n.inputs]

    def _upstream(self, n: Node) -> Array:
        arriving, _ = self._back
        if whole_numbers(n):
            raise MatcalcError(f"{names.text(n.name)} holds the numbers of rows, which are whole: it has no gradient")
        return public(arriving[n], n.shape)

    def _downstream(self, edge: Edge) -> Array:
        found = self._back[1][edge]
        return public(np.zeros_like(self._values[edge.source]) if found is None else found, edge.source.shape)

    def factor(self, edge: Edge) -> Factor:
        """The local derivative along an edge as a factor, in terms of stand-ins: how the upstream gradient meets it."""
        if gates.of(edge.target.expr) is not None:
            return Factor(NONE, None)
        return self._by_node[edge.target].factor(edge.target.inputs.index(edge))

    def _local(self, edge: Edge) -> Array:
        n = edge.target
        program = self._by_node[n]
        k = n.inputs.index(edge)
        if gates.of(n.expr) is not None:
            if n.shape != ():
                raise MatcalcError(f"{n.operation} states what it passes back and not its local derivative: ask for downstream")
            one = self._passed(n, np.ones((1, 1), self._given.dtype))[k]
            return public(one, edge.source.shape)
        found = program.factor(k)
        if found.kind == NONE:
            return np.zeros_like(public(self._values[edge.source], edge.source.shape))
        if found.value is None:
            return self.jacobian(edge)
        if found.kind == COPY:
            return self._given.dtype.type(found.value.params[1])
        if found.kind == "jacobian" and self._values[n].size * self._values[edge.source].size > _LARGEST:
            return self.jacobian(edge, largest=_LARGEST)
        with np.errstate(all="ignore"), _named(n, program.body):
            return public(program.number(found.value, self._arrays(n), self._values[n]), found.value.shape)

    def jacobian(self, target: Any, source: Any = None, largest: int = 1 << 22) -> Array:
        """The local Jacobian along an edge, given as the edge or as node and source: a row for every entry of the node.

        MatcalcError where it would have more than ``largest`` entries.
        """
        edge = self.graph.edge(target, source)
        n, program = edge.target, self._by_node[edge.target]
        rows, columns = self._values[n].size, self._values[edge.source].size
        if rows * columns > largest:
            raise MatcalcError(
                f"the local Jacobian of {names.text(n.name)} by {names.text(edge.source.name)} would be {rows}×{columns}; "
                "ask for it with run.jacobian(edge, largest=...)"
            )
        k = n.inputs.index(edge)
        found = program.jacobian(k)
        with np.errstate(all="ignore"), _named(n, program.body):
            if found is not None:
                return program.number(found, self._arrays(n), self._values[n]).reshape(rows, columns)
            lines = []  # a row for each entry: what it passes back when a 1 arrives there
            for j in range(rows):
                one = np.zeros(rows, self._given.dtype)
                one[j] = 1
                got = self._passed(n, one.reshape(self._values[n].shape, order="F"))[k]
                lines.append(np.zeros(columns) if got is None else got.ravel(order="F"))
            return np.array(lines)

    # ---- readings --------------------------------------------------------------------------------------------------------
    @property
    def value(self) -> Array:
        """The value of the output."""
        return self.forward[self.graph.output]

    @property
    def gradients(self) -> dict[str, Array]:
        """The gradients of the output by the inputs, by name."""
        found = [n for n in self.graph.inputs if not whole_numbers(n)]
        return ByName({n.name: self._upstream(n) for n in found})

    def contributions(self, x: Any) -> list[tuple[Edge, Array]]:
        """What arrives at a node along each of its outgoing edges; their sum is its upstream gradient."""
        return [(edge, self._downstream(edge)) for edge in self.graph[x].outputs]

    def flow(self, threshold: float = 0.01) -> Flow:
        """How the gradient flows: its size layer by layer, saturated and dead units, the first NaN or infinity.

        A unit is saturated where the derivative of its function is smaller than ``threshold``, and not zero.
        """
        from matcalc.graphs.flow import flow

        return flow(self, threshold)

    def __str__(self) -> str:
        from matcalc.graphs.table import table

        return table(self)

    __repr__ = __str__

    @property
    def steps(self) -> list[Step]:
        """The passes step by step, with their numbers, as data that a page can play."""
        return self.graph.steps(self)

    def to_dot(self, path: Any = None) -> str:
        """The graph with its values in the DOT language of Graphviz."""
        return self.graph.to_dot(path, run=self)

    def to_mermaid(self, path: Any = None) -> str:
        """The graph with its values as a Mermaid flowchart."""
        return self.graph.to_mermaid(path, run=self)

    def to_tikz(self, path: Any = None, standalone: bool = False) -> str:
        """The graph with its values as a TikZ picture, or a whole document."""
        return self.graph.to_tikz(path, run=self, standalone=standalone)

    def to_svg(self, path: Any = None, **options: Any) -> str:
        """The drawing with values in green above the wires and gradients in red below; see ``Graph.to_svg``."""
        return self.graph.to_svg(path, run=self, **options)

    def _repr_svg_(self) -> str | None:
        return self.graph.drawn(self)


def _own(graph: Graph, key: Any) -> Any:
    """A key of the values, in the graph's own terms."""
    return graph[key].symbol if isinstance(key, (Node,)) else key


class _named:
    """Errors speak of the node, and not of stand-ins."""

    def __init__(self, n: Node, body: Expr) -> None:
        self.n, self.body = n, body

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, EvaluationError):
            said = str(error).replace(str(self.body), str(self.n.formula))
            raise EvaluationError(f"at {self.n!r}: {said}") from error
