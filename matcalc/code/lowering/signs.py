"""Weights that are nowhere negative, and their roots: diag(v) = diag(√v) diag(√v) is what makes Xᵀ diag(v) X a square BᵀB.

What is said here holds in floating point as well: sums and products of numbers that are not negative, and 1 - p for a p that is
computed between 0 and 1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from matcalc.calculus import structure
from matcalc.calculus.terms import base_of, parts_of, powers_of
from matcalc.core import shapes
from matcalc.core.constructors import mul, neg, power
from matcalc.core.expression import BUILD, LET, ONES, Expr, Operation, assumed, const, inner, is_one, node, number, topological
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COS,
    EXP,
    GREATER,
    GREATER_EQUAL,
    LOG_SOFTMAX,
    MUL,
    ONE_HOT,
    POW,
    SIGMOID,
    SIN,
    SOFTMAX,
    TANH,
    TRANSPOSE,
    WINNER,
)

# σ(t) σ(-t), the derivative of σ, by one exponential
SLOPE = Operation("sigmoid_slope", shapes.broadcast, numpy="sigmoid_slope", sign="positive")

_BETWEEN = (SIGMOID, SOFTMAX, GREATER, GREATER_EQUAL, WINNER, ONE_HOT, ONES)  # from 0 to 1
_WITHIN = (TANH, SIN, COS)  # from -1 to 1


def nonnegative(e: Expr) -> bool:
    """Whether every entry is provably zero or more."""
    known: dict[Expr, bool] = {}
    for x in topological([e]):
        known[x] = bool(structure.sign(x)) or (x.op in _RULES and _RULES[x.op](x, known))
    return known[e]


def _sum(x: Expr, known: dict[Expr, bool]) -> bool:
    one, other = x.args if is_one(x.args[0]) or x.args[0].op is ONES else x.args[::-1]
    if (is_one(one) or one.op is ONES) and other.op is MUL and number(other.args[0]) == -1 and at_most_one(other.args[1]):
        return True
    return all(known[a] for a in x.args)


def _product(x: Expr, known: dict[Expr, bool]) -> bool:
    value, exponents = powers_of([x])
    return _is_nonnegative(value) and all(_even(t) or known.get(base, False) for base, t in exponents.items())


def _same(x: Expr, known: dict[Expr, bool]) -> bool:
    return known[x.args[0]]


_RULES = {ADD: _sum, MUL: _product, LET: _same, BROADCAST: _same, TRANSPOSE: _same, POW: _same}


def at_most_one(x: Expr) -> bool:
    """Whether every entry is provably from 0 to 1: of a probability, a mask, tanh², and of their products."""
    for f in parts_of(MUL, inner(x)):
        base, t = base_of(inner(f))
        base = inner(base)
        if base.op is EXP and inner(base.args[0]).op is LOG_SOFTMAX:
            base = inner(base.args[0])
        elif not (base.op in _BETWEEN or assumed(base, "distribution") or (base.op in _WITHIN and _even(t))):
            return False
        if not isinstance(t, (int, Fraction)) or t <= 0:
            return False
    return True


def _even(t: Any) -> bool:
    return isinstance(t, int) and t % 2 == 0


def _is_nonnegative(value: Any) -> bool:
    return bool(structure.sign(const(value)))


# ---- roots ---------------------------------------------------------------------------------------------------------
def root(v: Expr) -> Expr | None:
    """An r with r ∘ r = v, None where v may be negative. Even powers are halved: y² has the root y, of either sign."""
    if not nonnegative(v):
        return None
    value, exponents = powers_of([v])
    outside: Expr = const(1)
    inside: Expr = const(value)
    for base, t in exponents.items():
        if _even(t):
            outside = mul(outside, power(base, t // 2))
        elif base.op is EXP and t == 1:
            outside = mul(outside, BUILD["exp"](mul(Fraction(1, 2), base.args[0])))
        else:
            inside = mul(inside, power(base, t))
    if not nonnegative(inside):
        return None
    return mul(outside, inside if is_one(inside) else power(inside, Fraction(1, 2)))


def slopes(v: Expr, complements: bool = False) -> Expr:
    """σ(t) σ(-t) as one function of t; with ``complements`` also p (1 - p) for p = σ(t), which loses digits where p is near 1."""
    if v.op is not MUL:
        return v
    left = parts_of(MUL, v)
    found: Expr = const(1)
    for f in list(left):
        p = inner(f)
        if p.op is not SIGMOID or not any(f is g for g in left):
            continue
        rest = list(left)
        rest.remove(f)
        other = next((g for g in rest if _opposite(p, inner(g)) or (complements and _complement(p, inner(g)))), None)
        if other is not None:
            rest.remove(other)
            left = rest
            found = mul(found, node(SLOPE, (_smaller(p.args[0], inner(other)),)))
    if is_one(found):
        return v
    for f in left:
        found = mul(found, f)
    return found if found.shape == v.shape else v


def _opposite(p: Expr, q: Expr) -> bool:
    """Whether q is σ(-t), of p = σ(t)."""
    return q.op is SIGMOID and p.shape == q.shape and _bare(neg(_bare(p.args[0]))) is _bare(q.args[0])


def _bare(t: Expr) -> Expr:
    """An expression and minus the expression without the names that stand around and behind the sign."""
    t = inner(t)
    return neg(inner(t.args[1])) if t.op is MUL and number(t.args[0]) == -1 else t


def _complement(p: Expr, q: Expr) -> bool:
    """Whether q is 1 - p."""
    if q.op is not ADD:
        return False
    one, other = q.args if is_one(q.args[0]) else q.args[::-1]
    return is_one(one) and other.op is MUL and number(other.args[0]) == -1 and inner(other.args[1]) is p


def _smaller(t: Expr, other: Expr) -> Expr:
    """t or -t, whichever has no sign: the slope is the same."""
    if other.op is SIGMOID and inner(t).op is MUL and number(inner(t).args[0]) == -1:
        return other.args[0]
    return t


def sums_to_one(p: Expr) -> bool:
    """Whether the entries of a column are provably a distribution."""
    p = inner(p)
    if p.op is EXP:
        p = inner(p.args[0])
        return p.op is LOG_SOFTMAX and p.params in ((), (None,), (0,))
    return assumed(p, "distribution") or (p.op is SOFTMAX and p.params in ((), (None,), (0,)))
