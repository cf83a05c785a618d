"""Which reductions of a graph are statistics, by name: a mean, a variance, a sum over an axis."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from matcalc.answers.diagnosis import named
from matcalc.calculus.terms import parts_of
from matcalc.core.expression import CONST, LET, ONES, Expr, number
from matcalc.core.operations import ADD, MATMUL, MUL, POW, TABLE

_SUMS = {TABLE["sum"], TABLE["sum0"], TABLE["sum1"]}


def is_reduction(e: Expr, k: int) -> bool:
    """Whether the node sums its k-th argument over an axis, or over everything."""
    return e.op in _SUMS or (e.op is MATMUL and e.args[1 - k].op is ONES)


def statistic(e: Expr, k: int, order: Sequence[Expr]) -> str:
    """What a node that reduces its k-th argument is called: the mean of X, the variance; "" if it reduces nothing."""
    if not is_reduction(e, k):
        return ""
    a = e.args[k]
    if not _is_mean(e, order):
        return f"the sum of {named(a)}"
    base = _squared(a)
    if base is not None and _is_centred(base):
        return "the variance"
    return f"the mean of {named(a)}"


def _squared(a: Expr) -> Expr | None:
    a = _inside(a)
    if a.op is POW and number(a.args[1]) == 2:
        return a.args[0]
    return a.args[0] if a.op is MUL and a.args[0] is a.args[1] else None


def _inside(e: Expr) -> Expr:
    while e.op is LET:
        e = e.args[0]
    return e


def _is_mean(e: Expr, order: Sequence[Expr]) -> bool:
    """Whether the sum is only used divided by how many were summed."""
    users = [x for x in order if e in x.args]
    return bool(users) and all(u.op is MUL and any(map(_is_share, u.args)) for u in users)


def _is_share(a: Expr) -> bool:
    """1/N, of a size or of a number."""
    if a.op is not CONST:
        return False
    value = number(a)
    return not isinstance(value, (int, float, Fraction)) or 0 < abs(float(value)) < 1


def _is_centred(e: Expr) -> bool:
    """Whether a mean is subtracted."""
    e = _inside(e)
    terms = parts_of(ADD, e) if e.op is ADD else []
    return any(map(_holds_mean, terms))


def _holds_mean(t: Expr) -> bool:
    reduced = [_inside(t)]
    for _ in range(4):  # −1, a broadcast and 1/N stand around the sum
        reduced = [inner for e in reduced for inner in (map(_inside, e.args) if e.args else [e])]
        if any(e.op in _SUMS or (e.op is MATMUL and any(a.op is ONES for a in e.args)) for e in reduced):
            return True
    return False
