"""Products entry by entry as wholes: numbers first, equal bases as powers, and what cancels gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matcalc.calculus import composites, structure
from matcalc.calculus.short import short
from matcalc.calculus.terms import (
    base_of,
    factors_of,
    leaves,
    parts_of,
    repeated,
    shape_of,
)
from matcalc.core import sizes
from matcalc.core.constructors import broadcast, diag, mul, power
from matcalc.core.expression import (
    CONST,
    ONES,
    Expr,
    const,
    is_zero,
    zero,
)
from matcalc.core.operations import (
    ADD,
    MUL,
)

EXPANDED = 64  # no more terms than this when a product of sums is tried in expanded form
FACTORS = 16  # nor more factors: a derivative far down a network gathers one from every layer


def product_of(factors: list[Expr], shape: sizes.Shape, expand: bool = True) -> Expr:
    """Numbers first, then scalars, then the rest; equal bases become powers and cancel."""
    half = structure.half_of_diagonal(factors)
    if half is not None:
        return diag(product_of(half, sizes.shape(shape[0], 1)))
    value: Any = 1
    exponents: dict[Expr, Any] = {}
    for f in factors_of(factors):
        if is_zero(f):
            return zero(shape)
        if f.op is CONST:
            value = value * f.params[1]
        elif f.op is not ONES:
            base, t = base_of(f)
            exponents[base] = exponents.get(base, 0) + t
    exponents = composites.of_product(exponents)
    powers = [power(base, const(t)) for base, t in exponents.items() if t != 0]
    powers.sort(key=lambda f: f.shape != ())  # scalars first; the order is otherwise as written
    result: Expr = const(1)
    for f in powers:
        result = mul(result, f)
    if result.shape != shape and result.op is not CONST and result.shape == ():  # a number stays outside
        return mul(const(value), broadcast(product_of(powers, (), expand), shape))
    result = mul(const(value), result)
    if expand and result.op is MUL:
        result = min([result, *_distributed(powers, value)], key=leaves)
    return repeated(result, shape)


def _distributed(powers: list[Expr], value: Any) -> Iterable[Expr]:
    """The product with one of its sums multiplied out, for each of the sums: what divides a term may cancel there."""
    sums = [f for f in powers if f.op is ADD]
    for f in sums if len(sums) <= 4 and len(powers) <= FACTORS else []:
        others = [g for g in powers if g is not f]
        summands = parts_of(ADD, f)
        if others and len(summands) <= EXPANDED:
            products = [[const(value), s, *others] for s in summands]
            shape = shape_of(powers)
            yield short.total([product_of(p, shape_of(p), expand=False) for p in products], shape, merge=False)


short.entries = product_of
