"""Sums along one axis taken apart: 1ᵀ(A + r ∘ B) is 1ᵀA + r ∘ 1ᵀB for a row r, and 1ᵀ(1 r) is N r."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.calculus.terms import factors_of, multiplied, parts_of
from matcalc.core.constructors import over_columns, over_rows
from matcalc.core.expression import ONES, Expr, const
from matcalc.core.operations import ADD, SUM_ROWS


def summands(x: Expr, a: Expr) -> Iterator[list[Expr]]:
    """The terms of the sum of a along the axis that x sums over, each as factors to be multiplied entry by entry."""
    axis = 0 if x.op is SUM_ROWS else 1
    stack: list[tuple[Expr, list[Expr]]] = [(a, [])]  # a term, and what stands before its sum already
    while stack:
        term, before = stack.pop()
        outside = list(before)
        inside: list[Expr] = []
        for f in factors_of([term]):
            if f.op is not ONES:
                (outside if f.shape == () or f.shape[axis] == 1 else inside).append(f)
        if len(inside) == 1 and inside[0].op is ADD:
            stack.extend((t, outside) for t in reversed(parts_of(ADD, inside[0])))
        elif inside:
            product = multiplied(inside)
            yield [*outside, over_columns(product) if axis else over_rows(product)]
        else:
            yield [*outside, const(a.shape[axis])]
