"""Results as short as a person writes them.

Each pass takes arguments before users, until one finds nothing to do. Sums, Hadamard products and matrix products are each
taken as a whole (a *cluster*), so a sum of thousands of terms costs one visit. Every rewrite keeps the value and never raises
the number of leaves; what has a name (``let``) is an atom.
"""

from __future__ import annotations

from collections.abc import Iterable

from matcalc.calculus import chains, entries, nodes  # noqa: F401  (each ties its end of the knot)
from matcalc.calculus.plain import is_plain
from matcalc.calculus.short import short
from matcalc.calculus.sums import unsigned
from matcalc.calculus.terms import chained, coefficient, leaves, operands, parts_of
from matcalc.core.expression import (
    LET,
    Expr,
    expr,
    topological,
)
from matcalc.core.operations import (
    ADD,
    MATMUL,
    MUL,
    TRANSPOSE,
)

_PASSES = 8


def simplify(e: Expr) -> Expr:
    """An equal expression that is as short or shorter. Named parts are kept as they are."""
    return simplified([expr(e)])[0]


def simplified(roots: Iterable[Expr], kept: Iterable[Expr] = ()) -> list[Expr]:
    """Several expressions made short: what they share stays shared and is visited once a pass; what is ``kept`` stays."""
    found, atoms = list(roots), set(kept)
    for _ in range(_PASSES):  # the second finds nothing to do, almost always
        if not atoms and all(map(is_plain, found)):
            break
        before, found = found, _pass(found, atoms)
        if found == before:
            break
    return found


def _pass(roots: list[Expr], atoms: set[Expr]) -> list[Expr]:
    order = topological(roots, lambda x: x.op is not LET and x not in atoms)
    kept = set(roots)
    users: dict[Expr, list[Expr]] = {}
    for x in order:
        if x.op is not LET and x not in atoms:
            for a in x.args:
                users.setdefault(a, []).append(x)
    done: dict[Expr, Expr] = {}
    inside = {x for x in order if x not in kept and x not in atoms and _inside(x, users)}
    for x in order:
        if x in inside:
            continue
        if x.op is LET or not x.args or x in atoms:
            done[x] = x
        elif x.op is ADD:
            done[x] = short.total(operands(x, inside, done), x.shape)
        elif x.op is MUL:
            done[x] = short.entries(operands(x, inside, done), x.shape)
        elif x.op is MATMUL or x.op is TRANSPOSE:
            done[x] = short.chain(chained(x, inside, done))
        else:
            done[x] = short.other(x, tuple(done[a] for a in x.args))
        if all(user.op.signature is None and user.op.adjoint is None for user in users.get(x, ())):  # else the sign moves on
            done[x] = unsigned(done[x])
        assert done[x].shape == x.shape, f"simplify changed the shape of {x}"
    return [done[e] for e in roots]


def _inside(x: Expr, users: dict[Expr, list[Expr]]) -> bool:
    """Whether the node is an inner part of a larger sum, product or chain, used there and nowhere else."""
    (user, *more) = users[x]
    if more:
        return False
    if x.op in (MATMUL, TRANSPOSE):
        return user.op in (MATMUL, TRANSPOSE)
    return x.op in (ADD, MUL) and user.op is x.op


short.whole = simplified

__all__ = ["coefficient", "leaves", "parts_of", "simplify"]
