"""Sums as wholes: like terms collected, what is common pulled out, products multiplied out where that is shorter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from matcalc.calculus import composites, factoring, structure
from matcalc.calculus.entries import EXPANDED, FACTORS
from matcalc.calculus.short import short
from matcalc.calculus.terms import (
    beside,
    chain_of,
    coefficient,
    is_negative,
    leaves,
    matrix_product,
    multiplied,
    parts_of,
    repeated,
    stacked,
    transposed,
)
from matcalc.core import sizes
from matcalc.core.constructors import add, mul, neg, transpose
from matcalc.core.expression import (
    CONST,
    Expr,
    const,
    is_zero,
)
from matcalc.core.operations import (
    ADD,
    MATMUL,
    MUL,
    TRANSPOSE,
)


def sum_of(terms: list[Expr], shape: sizes.Shape, merge: bool = True) -> Expr:
    """Like terms collected, common factors of matrix products pulled out, products multiplied out where that is shorter."""
    collected = structure.halves(_like(term for t in terms for term in parts_of(ADD, _opened(t))))
    while merge and (fewer := factoring.merged(collected, short)) is not None:
        collected = _like(term for t in fewer for term in parts_of(ADD, t))
    collected = composites.of_sum(collected)
    column = stacked(collected, shape)
    if column is not None:
        return column
    plain = _added(collected, shape)
    block = beside(collected, shape)
    if block is not None and leaves(block) <= leaves(plain):
        return block
    expanded = _multiplied_out(collected, shape)
    if expanded is not None and leaves(expanded) < leaves(plain):
        return expanded
    pulled = factoring.pulled(collected, shape, short)
    return pulled if pulled is not None and leaves(pulled) < leaves(plain) else plain


def _opened(term: Expr) -> Expr:
    """(A + B)ᵀ as the sum of Aᵀ and Bᵀ, so that they meet like terms."""
    c, rest = coefficient(term)
    if rest.op is not TRANSPOSE or rest.args[0].op is not ADD:
        return term
    turned = [short.chain(chain_of(transposed(t))) for t in parts_of(ADD, rest.args[0])]
    result: Expr = const(0)
    for t in turned:
        result = add(result, mul(const(c), t))
    return result


def _like(terms: Iterable[Expr]) -> dict[Expr, Any]:
    found: dict[Expr, Any] = {}
    commuting: dict[Any, Expr] = {}
    for term in terms:
        c, rest = coefficient(term)
        if is_zero(rest):
            continue
        if rest not in found and rest.shape == () and rest.op is MATMUL:  # xᵀy is yᵀx
            other = short.chain([transpose(f) for f in reversed(chain_of(rest))])
            rest = other if other in found else rest
        squared = structure.squared(rest)  # X X beside X² is X²
        if squared is not None and squared in found:
            rest = squared
        if rest.op is MUL:  # A ∘ B is B ∘ A
            rest = commuting.setdefault(frozenset(Counter(parts_of(MUL, rest)).items()), rest)
        elif (cycle := factoring.cycle(rest)) is not None:  # tr(AB) is tr(BA)
            rest = commuting.setdefault(cycle, rest)
        found[rest] = found.get(rest, 0) + c
    return {rest: c for rest, c in found.items() if c != 0}


def _added(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr:
    """The sum, a positive term first."""
    items = [mul(const(c), rest) for rest, c in collected.items()]
    for k in range(len(items) - 1):  # A + Aᵀ rather than Aᵀ + A
        if items[k].op is TRANSPOSE and items[k].args[0] is items[k + 1]:
            items[k], items[k + 1] = items[k + 1], items[k]
    negative = [coefficient(t)[0] for t in items]
    first = next((k for k, c in enumerate(negative) if not is_negative(c) and items[k].op is not CONST), None)
    if first is None:
        first = next((k for k, c in enumerate(negative) if not is_negative(c)), 0)
    if items and is_negative(negative[0]):
        items.insert(0, items.pop(first))
    result: Expr = const(0)
    for item in items:
        result = add(result, item)
    return repeated(result, shape)


def _multiplied_out(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """Every Hadamard product of sums multiplied out and collected again, if that stays small."""
    terms: list[Expr] = []
    opened = False
    for rest, c in collected.items():
        factors = parts_of(MUL, rest)
        if len(factors) > FACTORS:
            return None
        products = [const(c)]
        for f in factors:
            summands = parts_of(ADD, f)
            opened = opened or len(summands) > 1
            products = [mul(p, s) for p in products for s in summands]
            if len(products) + len(terms) > EXPANDED:
                return None
        terms.extend(short.entries(parts_of(MUL, p), p.shape, expand=False) for p in products)
    return _added(_like(term for t in terms for term in parts_of(ADD, t)), shape) if opened else None


def unsigned(x: Expr) -> Expr:
    """-(a - b) is b - a, also where it is one factor of a product: -(y - p) xᵀ is (p - y) xᵀ."""
    c, rest = coefficient(x)
    if c != -1 or isinstance(c, float):
        return x
    for op in (MUL, MATMUL):
        factors = parts_of(op, rest)
        for k, f in enumerate(factors):
            signs = [is_negative(coefficient(t)[0]) for t in parts_of(ADD, f)]
            if any(signs):
                factors[k] = _added(_like(neg(t) for t in parts_of(ADD, f)), f.shape)
                return matrix_product(factors) if op is MATMUL else multiplied(factors)
    return x


short.total = sum_of
