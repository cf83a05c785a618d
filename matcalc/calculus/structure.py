"""What declared structure allows: |x| is x where x is positive, log|det D| is Σ log|dᵢ| for a diagonal D, L Lᵀ is A.

Each rule is an identity in the table's meanings, for every value that the declarations allow.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

from matcalc.calculus.terms import coefficient, is_symmetric, leaves
from matcalc.core.constructors import diag, diagonal, power, total, trace
from matcalc.core.expression import (
    BUILD,
    CONST,
    EYE,
    LEAF,
    LET,
    ONES,
    ZEROS,
    Expr,
    Operation,
    assumed,
    const,
    eye,
    number,
    ones,
    topological,
)
from matcalc.core.operations import (
    ABS,
    ADD,
    CHOLESKY,
    DET,
    DIAG,
    HALF,
    INV,
    LOGDET,
    MATMUL,
    MATRIX_POWER,
    MUL,
    NORM,
    NUCLEAR,
    POLAR,
    POW,
    RELU,
    SIGN,
    SPECTRAL,
    TRACE,
    TRANSPOSE,
)

UNKNOWN, NONNEGATIVE, POSITIVE = 0, 1, 2


def sign(e: Expr) -> int:
    """What is known of the sign of every entry: POSITIVE, NONNEGATIVE or UNKNOWN."""
    for x in topological([e], lambda x: x not in _signs):
        if x not in _signs:
            _signs[x] = _sign(x)
    return _signs[e]


_signs: WeakKeyDictionary[Expr, int] = WeakKeyDictionary()


def _sign(x: Expr) -> int:
    op, below = x.op, [_signs[a] for a in x.args]
    if op is LEAF:
        return POSITIVE if assumed(x, "positive") else NONNEGATIVE if assumed(x, "distribution") else UNKNOWN
    if op is CONST:
        return _of_number(x.params[1])
    if op in (ONES, EYE, ZEROS):
        return POSITIVE if op is ONES else NONNEGATIVE
    if op in (DET, TRACE) and is_positive_definite(x.args[0]):
        return POSITIVE
    if op is ADD:
        return max(below) if min(below) >= NONNEGATIVE else UNKNOWN
    if op is POW:
        t = number(x.args[1])
        even = isinstance(t, int) and t % 2 == 0
        return POSITIVE if below[0] == POSITIVE else NONNEGATIVE if even or below[0] == NONNEGATIVE else UNKNOWN
    if op in (MUL, MATMUL) and _is_square(x):
        return max(min(below), NONNEGATIVE)
    return _stated(op.sign, below)


def _stated(stated: str, below: list[int]) -> int:
    """What the row of the table states, for these signs of the arguments."""
    if stated in ("positive", "nonnegative"):
        return POSITIVE if stated == "positive" else NONNEGATIVE
    known = min(below, default=UNKNOWN) if stated else UNKNOWN
    return min(known, NONNEGATIVE) if stated == "argument or zero" else known


def _of_number(value: Any) -> int:
    try:
        return POSITIVE if value > 0 else NONNEGATIVE if value == 0 else UNKNOWN
    except TypeError:  # a size, or a number made of sizes
        return POSITIVE if getattr(value, "is_positive", False) else UNKNOWN


def _is_square(x: Expr) -> bool:
    """x ∘ x; xᵀx and xᵀAx with a positive definite A."""
    row, column = x.args
    if x.op is MUL or x.shape != ():
        return x.op is MUL and row is column
    if row.op is MATMUL and is_positive_definite(row.args[1]):
        row = row.args[0]
    elif column.op is MATMUL and is_positive_definite(column.args[0]):
        column = column.args[1]
    return row.op is TRANSPOSE and row.args[0] is column


def is_positive_definite(x: Expr) -> bool:
    """Whether the matrix was declared so, or is the inverse of one that was."""
    while x.op in (INV, LET):
        (x,) = x.args
    return assumed(x, "positive_definite") or x.op is EYE


def entries_of_diagonal(x: Expr) -> Expr | None:
    """The diagonal of a matrix that is known to be diagonal."""
    if x.op is DIAG:
        return x.args[0]
    return diagonal(x) if assumed(x, "diagonal") else None


# ---- rewriting -----------------------------------------------------------------------------------------------------
def shortened(x: Expr) -> Expr:
    """The node in the form that the structure of its arguments allows; itself where there is none."""
    rule = _RULES.get(x.op)
    found = rule(x) if rule is not None else None
    return x if found is None or leaves(found) > leaves(x) else found


def _same_if_nonnegative(x: Expr) -> Expr | None:
    return x.args[0] if sign(x.args[0]) else None


def _sign_of(x: Expr) -> Expr | None:
    return (ones(*x.shape) if x.shape else const(1)) if sign(x.args[0]) == POSITIVE else None


def _power_of_power(x: Expr) -> Expr | None:
    """(xˢ)ᵗ is xˢᵗ for positive x; √(x²) is |x|."""
    base, t = x.args[0], number(x.args[1])
    s = number(base.args[1]) if base.op is POW else None
    if not isinstance(s, (int, Fraction)) or not isinstance(t, (int, Fraction)):
        return None
    if sign(base.args[0]) == POSITIVE or (sign(base.args[0]) and s > 0 and t > 0):
        return power(base.args[0], s * t)
    return abs(base.args[0]) if (s, t) == (2, Fraction(1, 2)) else None


def _log_determinant(x: Expr) -> Expr | None:
    """log|det D| is Σ log|dᵢ|, log|det A⁻¹| is -log|det A|."""
    (a,) = x.args
    d = entries_of_diagonal(a)
    if d is not None:
        return total(BUILD["log"](d if sign(d) or is_positive_definite(a) else abs(d)))
    return -BUILD["logdet"](a.args[0]) if a.op is INV else None


def _norm(x: Expr) -> Expr | None:
    """The norm of a diagonal matrix is one of its diagonal; the nuclear norm of a positive definite one is its trace."""
    (a,) = x.args
    d = entries_of_diagonal(a)
    if d is None:
        return trace(a) if x.op is NUCLEAR and is_positive_definite(a) else None
    if x.op is NORM:
        return BUILD["norm"](d)
    size = d if sign(d) or is_positive_definite(a) else abs(d)
    return total(size) if x.op is NUCLEAR else BUILD["max"](size)


def _inverse(x: Expr) -> Expr | None:
    (a,) = x.args
    return diag(power(a.args[0], -1)) if a.op is DIAG else None


def _polar(x: Expr) -> Expr | None:
    return eye(x.shape[0]) if is_positive_definite(x.args[0]) else None


_RULES: dict[Operation, Callable[[Expr], Expr | None]] = {
    ABS: _same_if_nonnegative,
    RELU: _same_if_nonnegative,
    SIGN: _sign_of,
    POW: _power_of_power,
    LOGDET: _log_determinant,
    INV: _inverse,
    POLAR: _polar,
    NORM: _norm,
    NUCLEAR: _norm,
    SPECTRAL: _norm,
}


# ---- triangular factors --------------------------------------------------------------------------------------------
def pair(a: Expr, b: Expr) -> Expr | None:
    """L Lᵀ is A and L⁻ᵀ L⁻¹ is A⁻¹, for the Cholesky factor L of a symmetric A; Xʲ Xᵏ is Xʲ⁺ᵏ."""
    if a.op is CHOLESKY and b.op is TRANSPOSE and b.args[0] is a:
        return _factored(a)
    if b.op is INV and a.op is TRANSPOSE and a.args[0] is b and b.args[0].op is CHOLESKY:
        of = _factored(b.args[0])
        return None if of is None else BUILD["inv"](of)
    return _powers(a, b)


def _factored(factor: Expr) -> Expr | None:
    (a,) = factor.args
    return a if is_positive_definite(a) or assumed(a, "symmetric") else None


def _powers(a: Expr, b: Expr) -> Expr | None:
    turned = a.op is TRANSPOSE and b.op is TRANSPOSE
    (x, j), (y, k) = (_power(f.args[0] if turned else f) for f in (a, b))
    if x is not y or j + k == 2:  # X X stays as it is written
        return None
    result: Expr = BUILD["matrix_power"](x, j + k)
    return result.T if turned else result


def squared(x: Expr) -> Expr | None:
    """X², of X X."""
    if x.op is not MATMUL or x.args[0] is not x.args[1]:
        return None
    (a, _) = x.args
    return BUILD["matrix_power"](a.args[0], 2).T if a.op is TRANSPOSE else BUILD["matrix_power"](a, 2)


def _power(x: Expr) -> tuple[Expr, int]:
    return (x.args[0], x.params[0]) if x.op is MATRIX_POWER else (x, 1)


def half_of_diagonal(factors: list[Expr]) -> list[Expr] | None:
    """Φ ∘ U is half the diagonal of U, where U = Lᵀ or Lᵀ diag(v) is upper triangular: the factors of that diagonal."""
    parts = [coefficient(f) for f in factors]
    rest = [inside for _, inside in parts if inside.op is not CONST]
    if len(rest) != 2 or HALF not in (rest[0].op, rest[1].op):
        return None
    numbers = [const(Fraction(1, 2)), *(const(c) for c, _ in parts)]
    upper = rest[1] if rest[0].op is HALF else rest[0]
    left, right = upper.args if upper.op is MATMUL else (upper, None)
    if left.op is not TRANSPOSE or left.args[0].op is not CHOLESKY or (right is not None and right.op is not DIAG):
        return None
    return [*numbers, diagonal(left.args[0]), *([] if right is None else right.args)]


def halves(terms: dict[Expr, Any]) -> dict[Expr, Any]:
    """The terms of a sum, given with their coefficients, with Φ ∘ S + (Φ ∘ S)ᵀ written as S, for a symmetric S."""
    found = dict(terms)
    for turned, c in terms.items():
        product = turned.args[0] if turned.op is TRANSPOSE else turned
        if product.op is not MUL or product is turned or found.get(product) != c:
            continue
        for phi, s in (product.args, product.args[::-1]):
            if phi.op is HALF and s.shape == phi.shape and is_symmetric(s):
                del found[turned], found[product]
                found[s] = found.get(s, 0) + c
    return {e: c for e, c in found.items() if c != 0}


__all__ = ["half_of_diagonal", "halves", "is_positive_definite", "pair", "shortened", "sign", "squared"]
