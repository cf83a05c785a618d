"""An expression as nodes and edges: a source node for every input, one node for every operation, shared parts once.

What is no computation rides along: a transpose and a summand's minus sign on an edge, a number within its node. Every inner
node has a name, the user's own or an invented one, so that its formula is short: a = x + y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matcalc.core import names, sizes
from matcalc.core.expression import LEAF, LET, Expr, Names, const, inner, let, node, topological
from matcalc.core.operations import ADD, MUL, TRANSPOSE
from matcalc.core.sizes import Shape
from matcalc.derivations.breakup import broken_up

_LETTERS = ["a", "b", "c", "d", "g", "h", "k", "p", "q", "r", "v", "w", "t"]


@dataclass(eq=False, repr=False)
class Node:
    """A value of the graph: an input, or an operation on the values that its edges bring.

    ``expr`` is the expression that it stands for, ``symbol`` its name as an expression, ``formula`` the operation in the names
    of its sources (None for an input), ``given`` whether the user chose the name. ``id`` is the same in every drawing.
    """

    id: str
    expr: Expr
    symbol: Expr
    given: bool
    inputs: list[Edge] = field(default_factory=list)
    outputs: list[Edge] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name, as it was written."""
        return str(self.symbol.name)

    @property
    def shape(self) -> Shape:
        """The shape of the value, and of its gradient."""
        return self.symbol.shape

    @property
    def is_input(self) -> bool:
        """Whether the value is given and not computed."""
        return self.symbol.op is LEAF

    @property
    def formula(self) -> Expr | None:
        """The operation, in the names of the sources; None for an input."""
        return None if self.is_input else self.symbol.args[0]

    @property
    def operation(self) -> str:
        """The name of the row of the table; "input" for an input."""
        return "input" if self.formula is None else self.formula.op.name

    def __repr__(self) -> str:
        return names.text(self.name) if self.formula is None else f"{names.text(self.name)} = {self.formula}"


@dataclass(eq=False, repr=False)
class Edge:
    """The way of a value from ``source`` into argument ``position`` of ``target``; its gradient takes the way back.

    ``wrapped`` are the transpose and the minus sign that it meets, the one next to the target first, as (operation, argument).
    """

    id: str
    source: Node
    target: Node
    position: int
    wrapped: tuple[tuple[Expr, int], ...] = ()

    @property
    def transposed(self) -> bool:
        """Whether the target takes the transpose."""
        return sum(e.op is TRANSPOSE for e, _ in self.wrapped) % 2 == 1

    @property
    def negated(self) -> bool:
        """Whether the target takes it with a minus sign."""
        return sum(e.op is MUL for e, _ in self.wrapped) % 2 == 1

    def __repr__(self) -> str:
        return f"{names.text(self.source.name)} → {names.text(self.target.name)}"


def applied(body: Expr, operands: Sequence[Expr], edges: Sequence[Edge]) -> Expr:
    """The operation of a node on other operands, one for each edge, as it stands: nothing folds."""
    args = list(body.args)
    for edge, operand in zip(edges, operands, strict=True):
        for e, k in reversed(edge.wrapped):
            operand = node(e.op, (*e.args[:k], operand, *e.args[k + 1 :]), e.params)
        args[edge.position] = operand
    return node(body.op, tuple(args), body.params)


def is_constant(e: Expr) -> bool:
    """Whether a node holds the same numbers at any inputs, and no operation: 2, I, a vector of ones."""
    return not e.args and e.op is not LEAF


def built(output: Expr) -> tuple[list[Node], list[Edge], dict[Expr, Node]]:
    """The nodes in the order of the forward pass, the edges, and the node that each expression is."""
    order = topological([output])
    own: dict[Expr, str] = {}
    for e in order:
        if e.op is LET:
            own.setdefault(inner(e), str(e.name))
    sources = _sources(output, own)
    kept = sorted((e for e in order if e in sources), key=lambda e: e.op is not LEAF)  # inputs first, each in its order
    called = _names(output, kept, own)
    nodes: dict[Expr, Node] = {}
    edges: list[Edge] = []
    for e in kept:
        if e.op is LEAF:
            nodes[e] = Node(f"n{len(nodes)}", e, e, True)
            continue
        found = [Edge("", nodes[source], None, k, wrapped) for k, source, wrapped in sources[e]]  # type: ignore[arg-type]
        symbol = let(called[e], applied(e, [edge.source.symbol for edge in found], found))
        made = nodes[e] = Node(f"n{len(nodes)}", e, symbol, e in own, found)
        for edge in found:
            edge.id, edge.target = f"e{len(edges)}", made
            edge.source.outputs.append(edge)
            edges.append(edge)
    known = {e: nodes[inner(e)] for e in order if inner(e) in nodes}
    return list(nodes.values()), edges, known | {n.symbol: n for n in nodes.values()}


_Source = tuple[int, Expr, tuple[tuple[Expr, int], ...]]  # which argument, what it holds, the signs on the way


def _sources(output: Expr, own: dict[Expr, str]) -> dict[Expr, list[_Source]]:
    """What each operation is made of, operations and inputs alone."""
    found: dict[Expr, list[_Source]] = {}
    waiting = [inner(output)]
    while waiting:
        e = waiting.pop()
        if e in found:
            continue
        found[e] = []
        for k, argument in enumerate(e.args):
            source, wrapped = _unwrapped(argument, e, own)
            if not is_constant(source):
                found[e].append((k, source, wrapped))
                waiting.append(source)
    return found


def _unwrapped(argument: Expr, user: Expr, own: dict[Expr, str]) -> tuple[Expr, tuple[tuple[Expr, int], ...]]:
    wrapped: list[tuple[Expr, int]] = []
    while argument.op is not LET and argument not in own:
        if argument.op is TRANSPOSE:
            wrapped.append((argument, 0))
        elif argument.op is MUL and argument.args[0] is const(-1) and user.op is ADD:
            wrapped.append((argument, 1))
        else:
            break
        user, argument = argument, argument.args[wrapped[-1][1]]
    return inner(argument), tuple(wrapped)


# ---- names -----------------------------------------------------------------------------------------------------------
def _names(output: Expr, kept: Sequence[Expr], own: dict[Expr, str]) -> dict[Expr, str]:
    """A name for every operation: the user's, then z, h and s where the lecture has them, then letters in their order."""
    inner_most = [e for e in kept if e.op is not LEAF]
    symbols = {s.name for e in kept for size in e.shape for s in getattr(size, "free_symbols", ())}
    functions = {e.op.text for e in kept if e.op.user}
    taken = Names({str(e.name) for e in kept if e.op is LEAF} | {*own.values()} | symbols | functions)
    found = {e: own[e] for e in inner_most if e in own}
    if any(e.shape for e in kept):
        top, became = broken_up(output)
        said = {e: str(became[e].name) for e in inner_most if became[e].op is LET} | {inner(output): str(top.name)}
    else:
        said = {inner(output): taken_or(taken, "f", "s")}
    for e in inner_most:
        if e in said and e not in found:
            found[e] = taken.take(said[e])
    bases = {names.parts(name)[0] for name in taken.used}
    letters = [x for x in _LETTERS if x not in bases and x.upper() not in bases] or ["t"]
    for e in inner_most:
        if e not in found:
            matrix = e.shape and not sizes.has_one(e.shape)
            found[e] = taken.take(*(x.upper() if matrix else x for x in letters))
    return found


def taken_or(taken: Names, *candidates: str) -> str:
    """The first candidate that is free, or the last."""
    return next((name for name in candidates if name not in taken.used), candidates[-1])
