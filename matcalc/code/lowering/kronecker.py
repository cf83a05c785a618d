"""Kronecker products, which are large: their factors apart, and as blocks where one factor is an identity or thin.

C ⊗ I     C[i, j] along the diagonal of the block (i, j)
I ⊗ A     A in every block on the diagonal
(uvᵀ) ⊗ A  u times rows of the length of the whole
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matcalc.calculus.terms import parts_of, scalar_part
from matcalc.core import sizes
from matcalc.core.constructors import add, mul, transpose
from matcalc.core.expression import EYE, Expr, Operation, const, eye, inner, node, rebuilt, topological
from matcalc.core.operations import ADD, KRON, MATMUL
from matcalc.core.sizes import Shape


def _left(op: Operation, args: tuple[Expr, ...], params: tuple[Any, ...]) -> Shape:
    a, n = args[0], params[0]
    return sizes.shape(sizes.size(a.shape[0] * n), sizes.size(a.shape[1] * n))


def _outer(op: Operation, args: tuple[Expr, ...], params: tuple[Any, ...]) -> Shape:
    u, v, a = args
    return sizes.shape(sizes.size(u.shape[0] * a.shape[0]), sizes.size(v.shape[0] * a.shape[1]))


KRON_EYE = Operation("kron_eye", _left, numpy="kron_eye")  # C ⊗ I; params: the size of I
EYE_KRON = Operation("eye_kron", _left, numpy="eye_kron")  # I ⊗ A; params: the size of I
OUTER_KRON = Operation("outer_kron", _outer, numpy="outer_kron")  # (uvᵀ) ⊗ A, of columns u and v


def kronecker_factors(e: Expr) -> tuple[Expr, Expr, Expr] | None:
    """(s, A, B) of s (A ⊗ B), such as a Hessian by a matrix is; None for what is no such product."""
    s, rest = scalar_part(inner(e))
    rest = inner(rest)
    if rest.op is ADD:
        return _of_sum(s, rest)
    if rest.op is not KRON:
        return None
    scalars, factors = s, []
    for x in rest.args:
        s, inside = scalar_part(x)
        scalars = mul(scalars, s)
        factors.append(inside)
    return scalars, factors[0], factors[1]


def _of_sum(s: Expr, e: Expr) -> tuple[Expr, Expr, Expr] | None:
    """The factors of a sum of products with one identity: A ⊗ I + λI is (A + λI) ⊗ I."""
    found = [(c, kronecker_factors(x)) for c, x in map(scalar_part, parts_of(ADD, e))]
    sides = [k for k in (1, 2) if any(f is not None and f[k].op is EYE for _, f in found)]
    for k in sides:
        one = next(f[k] for _, f in found if f is not None and f[k].op is EYE)
        others = [f[3 - k] for _, f in found if f is not None and f[k] is one]
        if any(x.shape != others[0].shape for x in others) or others[0].shape[0] != others[0].shape[1]:
            continue
        core: Expr = const(0)
        for (c, f), x in zip(found, parts_of(ADD, e), strict=True):
            if f is not None and f[k] is one:
                core = add(core, mul(mul(c, f[0]), f[3 - k]))
            elif scalar_part(x)[1].op is EYE:
                core = add(core, mul(c, eye(others[0].shape[0])))
            else:
                return None
        return (s, core, one) if k == 2 else (s, one, core)
    return None


def blocks(roots: Sequence[Expr]) -> list[Expr]:
    """The expressions with their Kronecker products written as blocks."""
    order = topological(roots)
    if not any(x.op is KRON for x in order):
        return list(roots)
    done: dict[Expr, Expr] = {}
    for x in order:
        new = rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
        done[x] = _blocks(new) if new.op is KRON else new
    return [done[x] for x in roots]


def _blocks(x: Expr) -> Expr:
    a, b = x.args
    if 1 in x.shape:
        return x
    if b.op is EYE:
        return node(KRON_EYE, (a,), (b.shape[0],))
    if a.op is EYE:
        return node(EYE_KRON, (b,), (a.shape[0],))
    if a.op is MATMUL and a.args[0].shape[1] == 1 and 1 not in b.shape:
        u, v = a.args
        return node(OUTER_KRON, (u, transpose(v), b))
    return x


__all__ = ["EYE_KRON", "KRON_EYE", "OUTER_KRON", "blocks", "kronecker_factors"]
