"""Inverses in short form: (X⁻¹)⁻¹ is X, B (AB)⁻¹ is A⁻¹, (Xᵀ)⁻¹ is X⁻ᵀ.

Each rule is an identity wherever its left side has a value: a product of square matrices has an inverse only if each of them has.
"""

from __future__ import annotations

from matcalc.calculus.terms import INV, chain_of, coefficient, matrix_product, parts_of, transposed
from matcalc.core import sizes
from matcalc.core.constructors import kron, mul, power
from matcalc.core.expression import EYE, Expr, const, eye, node
from matcalc.core.operations import COMMUTATION, KRON, TRANSPOSE


def of_inverse(a: Expr) -> Expr:
    """The inverse of a matrix that is itself short."""
    c, rest = coefficient(a)
    if isinstance(c, float):
        c, rest = 1, a
    if rest.op is TRANSPOSE:
        inverse = transposed(_inverse(rest.args[0]))
    else:
        factors = parts_of(KRON, rest)
        if not all(is_square(f) for f in factors):
            factors = [rest]
        inverse, *others = [_inverse(f) for f in factors]  # (A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹
        for f in others:
            inverse = kron(inverse, f)
    return inverse if c == 1 else mul(power(const(c), -1), inverse)


def _inverse(a: Expr) -> Expr:
    if a.op is INV:
        return a.args[0]
    if a.op is COMMUTATION:
        return transposed(a)
    return a if a.op is EYE else node(INV, (a,))


def is_square(x: Expr) -> bool:
    """Whether the shape is known to be square."""
    return sizes.same(sizes.rows(x.shape), sizes.columns(x.shape))


def cancelled(factors: list[Expr]) -> list[Expr]:
    """A product of matrices in which no inverse stands beside its own last factors, or before its own first ones."""
    if not any(map(_is_inverse, factors)):
        return factors
    left = _met(factors)
    return _met(left[::-1], backwards=True)[::-1] or [eye(factors[0].shape[0])]


def _met(factors: list[Expr], backwards: bool = False) -> list[Expr]:
    """B (AB)⁻¹ = A⁻¹: every inverse with what comes before it; the factors may come in backwards."""
    before: list[Expr] = []
    for f in factors:
        if not _is_inverse(f):
            before.append(f)
            continue
        inside = _inside(f)[:: -1 if backwards else 1]
        whole = len(inside)
        while times := _matching(before, inside, backwards):
            del before[-times:], inside[-times:]
        if len(inside) == whole:
            before.append(f)
        elif inside:
            before.append(_inverse_of(inside[:: -1 if backwards else 1], f.op is TRANSPOSE))
    return before


def _is_inverse(f: Expr) -> bool:
    return f.op is INV or (f.op is TRANSPOSE and f.args[0].op is INV)


def _inside(f: Expr) -> list[Expr]:
    """A and B, of (AB)⁻¹; Bᵀ and Aᵀ, of (AB)⁻ᵀ."""
    if f.op is INV:
        return chain_of(f.args[0])
    return [transposed(g) for g in reversed(chain_of(f.args[0].args[0]))]


def _inverse_of(factors: list[Expr], turned: bool) -> Expr:
    if turned:
        return transposed(of_inverse(matrix_product([transposed(g) for g in reversed(factors)])))
    return of_inverse(matrix_product(factors))


def _matching(before: list[Expr], inside: list[Expr], backwards: bool) -> int:
    """How many factors at the end of both are the same, the fewest whose product is square; 0 if there are none."""
    for times in range(1, min(len(before), len(inside)) + 1):
        if before[-times] is not inside[-times]:
            return 0
        first, last = (inside[-times], inside[-1])[:: -1 if backwards else 1]
        if sizes.same(sizes.rows(first.shape), sizes.columns(last.shape)):
            return times
    return 0
