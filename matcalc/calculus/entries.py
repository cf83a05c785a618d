"""Products entry by entry as wholes: numbers first, equal bases as powers, and what cancels gone."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from matcalc.calculus import composites, structure
from matcalc.calculus.short import short
from matcalc.calculus.terms import (
    base_of,
    chain_of,
    in_order,
    leaves,
    part_of,
    parts_of,
    powers_of,
    repeated,
    shape_of,
    shorter,
    transposed,
)
from matcalc.core import sizes
from matcalc.core.constructors import broadcast, diag, mul, power
from matcalc.core.expression import (
    CONST,
    Expr,
    const,
    zero,
)
from matcalc.core.operations import (
    ADD,
    DIAG,
    MUL,
    ONE_HOT,
)

EXPANDED = 64  # no more terms than this when a product of sums is tried in expanded form
FACTORS = 16  # nor more factors: a derivative far down a network gathers one from every layer


def product_of(factors: list[Expr], shape: sizes.Shape, expand: bool = True) -> Expr:
    """Numbers first, then scalars, then the rest; equal bases become powers and cancel."""
    half = structure.half_of_diagonal(factors)
    if half is not None:
        return diag(product_of(half, sizes.shape(shape[0], 1)))
    value, exponents = powers_of(factors)
    if value == 0:
        return zero(shape)
    exponents = _chosen(composites.of_product(_met(exponents)), shape)
    cleared = _cleared(exponents)
    if cleared is not None:
        return product_of([const(value), *cleared], shape, expand)
    powers = in_order(exponents)
    inside = _inwards(powers)
    if inside is not None:
        return product_of([const(value), *inside], shape, expand)
    result: Expr = const(1)
    for f in powers:
        result = mul(result, f)
    if result.shape != shape and result.op is not CONST and result.shape == ():  # a number stays outside
        return mul(const(value), broadcast(product_of(powers, (), expand), shape))
    result = mul(const(value), result)
    if expand and result.op is MUL:
        for apart in _distributed(powers, value):
            result = apart if shorter(apart, result) else result
    return repeated(result, shape)


def _met(exponents: dict[Expr, Any]) -> dict[Expr, Any]:
    """Powers of products opened where that is no longer, because their factors meet others: a / (a b)² is 1 / (a b²)."""
    if not any(base.op is MUL and isinstance(t, int) and t != 1 for base, t in exponents.items()):
        return exponents
    opened: dict[Expr, Any] = {}
    for base, t in exponents.items():
        whole = base.op is not MUL or not isinstance(t, int) or t == 1  # a product itself was too deep to be opened
        for inside, s in [(base, 1)] if whole else map(base_of, parts_of(MUL, base)):
            opened[inside] = opened.get(inside, 0) + s * t
    return opened if _length(opened) <= _length(exponents) else exponents


def _chosen(exponents: dict[Expr, Any], shape: sizes.Shape) -> dict[Expr, Any]:
    """eᵢ ∘ v is vᵢ eᵢ."""
    unit = next((f for f in exponents if f.op is ONE_HOT and not f.args and f.shape == shape), None)
    if unit is None:
        return exponents
    found: dict[Expr, Any] = {}
    for base, t in exponents.items():
        if base is not unit and base.shape == shape:
            base = part_of(base, (unit.params[1], 0), (), short.chain)
        found[base] = found.get(base, 0) + t if base is not unit else 1
    return found


def _length(exponents: dict[Expr, Any]) -> int:
    """The symbols of a product that is given by its exponents."""
    return sum(leaves(base) + (t != 1) for base, t in exponents.items() if t != 0)


def _cleared(exponents: dict[Expr, Any]) -> list[Expr] | None:
    """x (a / x + b) is a + x b: what divides a term of a sum enters it where that is no longer."""
    for base, t in exponents.items():
        terms = parts_of(ADD, base) if t == 1 else []
        if len(terms) < 2 or len(terms) > EXPANDED:
            continue
        below = {f: -s for term in terms for f, s in powers_of([term])[1].items() if isinstance(s, (int, Fraction)) and s < 0}
        entering = [power(f, min(s, exponents[f])) for f, s in below.items() if _is_above(exponents.get(f, 0))]
        if entering:
            multiplied = [short.entries([term, *entering], shape_of([term, *entering]), expand=False) for term in terms]
            opened = short.total(multiplied, shape_of([base, *entering]))
            if leaves(opened) <= leaves(base) + sum(map(leaves, entering)):
                return [opened if f is base else power(f, s) for f, s in exponents.items()] + [power(f, -1) for f in entering]
    return None


def _is_above(t: Any) -> bool:
    return isinstance(t, (int, Fraction)) and t > 0


def _inwards(factors: list[Expr]) -> list[Expr] | None:
    """s A diag(x) is A diag(s x) and s x yᵀ is x (s y)ᵀ, where that cancels."""
    scalars = [f for f in factors if f.shape == ()]
    for f in factors[len(scalars) :] if scalars else []:
        product = chain_of(f)
        for k, g in enumerate(product):
            x = g.args[0] if g.op is DIAG else transposed(g) if sizes.rows(g.shape) == 1 else g
            if sizes.columns(x.shape) == 1 and x is not f:
                scaled = product_of([*scalars, x], x.shape, expand=False)
                if leaves(scaled) < leaves(x) + sum(map(leaves, scalars)):
                    product[k] = diag(scaled) if g.op is DIAG else scaled if x is g else transposed(scaled)
                    return [short.chain(product), *(other for other in factors[len(scalars) :] if other is not f)]
    return None


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
