"""What a node passes back along an edge: upstream times local, in the one calculus of ``calculus/local.py``.

A node is read with a stand-in for each operand, so what it passes back speaks of these, of its value and of what arrives. The
local derivative is given as the factor that the shape convention multiplies by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matcalc.calculus.local import Alias, argument_primes, matrix, pull
from matcalc.core import sizes
from matcalc.core.constructors import matmul, transpose
from matcalc.core.expression import CONST, LEAF, Expr, const, node, zero
from matcalc.core.operations import ADD, MATMUL, MUL
from matcalc.core.sizes import Shape
from matcalc.errors import NotDifferentiableError, UnsupportedError
from matcalc.graphs.nodes import Edge, Node, applied

COPY, ENTRYWISE, LEFT, RIGHT, GRADIENT, JACOBIAN, NONE = ["copy", "entrywise", "left", "right", "gradient", "jacobian", "none"]


@dataclass(frozen=True)
class Factor:
    """The local derivative as a factor, and how the upstream gradient δ meets it.

    ``copy``: δ itself, or −δ; ``entrywise``: δ ∘ factor; ``left``: factor δ; ``right``: δ factor; ``gradient``: the number δ
    times the factor, which has the shape of the source; ``jacobian``: δᵀ times the Jacobian, stacked; ``none``: nothing passes.
    With ``turned``, it is δᵀ that meets the factor. What ``returned`` says of a copy and an entrywise product comes after.
    """

    kind: str
    value: Expr | None
    turned: bool = False


def stand_in(name: str, shape: Shape) -> Expr:
    """A variable that is none of the user's."""
    return node(LEAF, (), (name, ("argument",), shape))


def placed(n: Node) -> tuple[Expr, list[Expr]]:
    """The operation of a node on stand-ins, which is the same for nodes that do alike, and the stand-ins, one for each edge."""
    operands = [stand_in(f"a_{edge.position}", edge.source.shape) for edge in n.inputs]
    return applied(n.expr, operands, n.inputs), operands


def passed(body: Expr, edge: Edge, g: Expr, alias: Alias) -> Expr | None:
    """What a node passes to a source when it receives g, in the shape of the source; None where nothing passes.

    ``body`` is the operation on any operands. Row numbers, which have no derivative, receive nothing.
    """
    if is_number_of_row(edge):
        return None
    found = pull(body, edge.position, g, alias)
    argument = body.args[edge.position]
    for _, k in edge.wrapped:
        if found is None:
            return None
        found = pull(argument, k, found, {})
        argument = argument.args[k]
    return found


def is_number_of_row(edge: Edge) -> bool:
    """Whether the edge brings whole numbers that choose rows."""
    chosen = edge.target.expr.op.chooses
    return chosen is not None and edge.target.expr.args[edge.position] is chosen(edge.target.expr)[0]


def differentiable(n: Node) -> list[Edge]:
    """The edges along which a gradient can be passed: all but those that bring numbers of rows."""
    return [edge for edge in n.inputs if not is_number_of_row(edge)]


def whole_numbers(n: Node) -> bool:
    """Whether a node holds nothing but numbers of rows, which have no gradient."""
    return bool(n.outputs) and all(map(is_number_of_row, n.outputs))


def factor(body: Expr, edge: Edge, alias: Alias) -> Factor:
    """The local derivative as the factor of the shape convention; a Jacobian where there is no shorter one."""
    k = edge.position
    if is_number_of_row(edge) or body.op.flat:
        return Factor(NONE, None)
    if body.op is ADD:
        return Factor(COPY, const(-1 if edge.negated else 1))
    if body.shape == ():
        found = passed(body, edge, const(1), alias)
        return Factor(GRADIENT, zero(edge.source.shape) if found is None else found)
    if body.op.primes is not None:
        prime = argument_primes(body, k, alias)
        return Factor(NONE, None) if prime is None else Factor(ENTRYWISE, prime)
    others = [alias.get(a, a) for j, a in enumerate(body.args) if j != k]
    if body.op is MUL:
        return Factor(ENTRYWISE, others[0])
    if body.op is MATMUL and edge.transposed:  # A = QKᵀ: K receives (Qᵀδ)ᵀ = δᵀQ
        return Factor((LEFT, RIGHT)[k], others[0], turned=True)
    if body.op is MATMUL:
        return Factor((RIGHT, LEFT)[k], transpose(others[0]))
    return Factor(JACOBIAN, jacobian(body, edge, alias))


def entrywise(n: Node) -> bool:
    """Whether the operation acts entry by entry, on operands that are repeated where their shapes need it."""
    return n.formula is not None and (n.formula.op in (ADD, MUL) or n.formula.op.primes is not None)


def repeated(edge: Edge) -> str:
    """Over what the copies of a source are summed, where an entrywise operation repeats it: "rows", "columns", "entries", ""."""
    n = edge.target
    assert n.formula is not None
    shape = n.formula.args[edge.position].shape
    if not entrywise(n) or sizes.count(shape) == sizes.count(n.shape):
        return ""
    if sizes.count(shape) == 1:
        return "entries"
    return "rows" if shape[0] == 1 else "columns"


def returned(edge: Edge) -> str:
    """What becomes of upstream times local on its way to the source of an entrywise operation, in words; mostly nothing."""
    if not entrywise(edge.target) or edge.target.shape == ():
        return ""
    said = [f"summed over {where}"] if (where := repeated(edge)) else []
    said += ["transposed"] if edge.transposed and edge.source.shape != () else []
    return ", ".join(said)


def jacobian(body: Expr, edge: Edge, alias: Alias) -> Expr | None:
    """The local Jacobian, stacked on both sides; None where it is not known or has no name in matrix notation."""
    try:
        found = matrix(body, edge.position, alias)
    except (NotDifferentiableError, UnsupportedError):
        return None
    argument = body.args[edge.position]
    for _, k in edge.wrapped:
        along = matrix(argument, k, {})
        if found is None or along is None:
            return None
        found, argument = matmul(found, along), argument.args[k]
    return zero(sizes.shape(sizes.count(body.shape), sizes.count(edge.source.shape))) if found is None else found


def constants(body: Expr) -> Sequence[Expr]:
    """The numbers within a node."""
    return [a for a in body.args if a.op is CONST]
