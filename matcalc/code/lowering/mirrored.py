"""Products that read the same from both ends, JᵀMJ: J is computed once, and where M has a root the product is a square BᵀB.

NumPy computes ``B.T @ B`` of one array B in half the time of another product (BLAS calls it syrk), exactly symmetric.

    Jᵀ diag(v) J             B = √v ∘ J              v nowhere negative
    Jᵀ (diag(p) - ppᵀ) J     B = √p ∘ (J - 1 pᵀJ)    Σ p = 1, p nowhere negative
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce

from matcalc.calculus.terms import coefficient, is_negative, parts_of
from matcalc.code.lowering import thin
from matcalc.code.lowering.signs import nonnegative, root, slopes
from matcalc.core import sizes
from matcalc.core.constructors import add, matmul, mul, neg, power, transpose
from matcalc.core.expression import Expr, is_zero, number
from matcalc.core.operations import DIAG, MATMUL, MUL, POW, TRANSPOSE

Times = Callable[[Expr, Expr], Expr]
Rule = Callable[[Expr], Expr]


def is_square(x: Expr) -> bool:
    """Whether the product is BᵀB or BBᵀ of one matrix B, which a number in front would spoil if it went inside."""
    return x.op is MATMUL and transpose(x.args[0]) is x.args[1] and 1 not in (*x.shape, sizes.columns(x.args[0].shape))


def scaled(s: Expr, x: Expr) -> Expr | None:
    """s JᵀVJ, for a product of this form: s goes to the vector of weights. None for another one."""
    if x.op is not MATMUL or x.args[1].op is not MUL or 1 in (*x.shape, sizes.columns(x.args[0].shape)):
        return None
    a, b = x.args
    if all(f.shape == b.shape for f in parts_of(MUL, b)):
        return None
    if is_square(x):
        r = root(s)
        return None if r is None else matmul(transpose(_under_root(s, r, b)), _under_root(s, r, b))
    return matmul(a, mul(s, b)) if any(f is _turned(a) for f in parts_of(MUL, b)) else None


def _under_root(s: Expr, r: Expr, b: Expr) -> Expr:
    """r ∘ b for r = √s: √(s v) ∘ J where b is √v ∘ J."""
    factors = parts_of(MUL, b)
    at = next((k for k, f in enumerate(factors) if f.op is POW and number(f.args[1]) == Fraction(1, 2)), None)
    if at is None:
        return mul(r, b)
    factors[at] = power(mul(s, factors[at].args[0]), Fraction(1, 2))
    return reduce(mul, factors)


def weighs(m: Expr | None) -> bool:
    """Whether the middle is a diagonal matrix or a thin sum, into which a number in front may go."""
    return m is not None and (m.op is DIAG or thin.parted(m) is not None)


def mirrored(j: Expr, m: Expr | None, s: Expr, times: Times, rule: Rule) -> Expr:
    """s JᵀMJ, or s JᵀJ without a middle."""
    flat = 1 in j.shape or j.shape == ()
    if m is None:
        return mul(s, times(_turned(j), j))
    if m.op is DIAG and not flat:
        v = slopes(m.args[0], complements=True)
        return _weighted(j, mul(s, v), rule)
    apart = None if flat else thin.parted(m)
    if apart is None:
        return mul(s, times(_turned(j), times(m, j)))
    p = thin.centred(apart)
    if p is not None:
        b = rule(add(j, rule(neg(times(transpose(p), j)))))
        return _weighted(b, mul(s, p), rule) if nonnegative(s) else mul(s, _weighted(b, p, rule))
    return mul(s, _summed(j, apart, m, times, rule))


def _weighted(j: Expr, v: Expr, rule: Rule) -> Expr:
    """Jᵀ diag(v) J."""
    r = root(v)
    b = rule(mul(v if r is None else r, j))
    return matmul(transpose(j if r is None else b), b)


def _summed(j: Expr, apart: thin.Thin, m: Expr, times: Times, rule: Rule) -> Expr:
    """Jᵀ (diag(d) + Σ U V) J: term by term where the first is a square and the others are thin, else Jᵀ times the rest."""
    square = not is_zero(apart.diagonal) and root(apart.diagonal) is not None and not apart.dense
    if not square or any(sizes.columns(u.shape) != 1 for u, _ in apart.products):
        return matmul(_turned(j), times(m, j))
    result = _weighted(j, apart.diagonal, rule)
    for u, v in apart.products:
        minus, column = coefficient(u)
        term = times(mul(abs(minus), times(_turned(j), column)), times(v, j))
        result = rule(add(result, neg(term) if is_negative(minus) else term))
    return result


def _turned(j: Expr) -> Expr:
    return j.args[0] if j.op is TRANSPOSE else transpose(j)
