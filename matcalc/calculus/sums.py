"""Sums as wholes: like terms collected, what is common pulled out, products multiplied out where that is shorter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import reduce
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
    scalar_part,
    shorter,
    stacked,
    transposed,
    turns,
)
from matcalc.core import sizes
from matcalc.core.constructors import add, mul, neg, transpose
from matcalc.core.expression import (
    CONST,
    EYE,
    LET,
    ONES,
    Expr,
    const,
    is_one,
    is_zero,
    number,
)
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    MATMUL,
    MUL,
    TRANSPOSE,
)


def sum_of(terms: list[Expr], shape: sizes.Shape, merge: bool = True) -> Expr:
    """Like terms collected, common factors of matrix products pulled out, products multiplied out where that is shorter."""
    collected = structure.halves(_met(_like(term for t in terms for term in parts_of(ADD, _opened(t)))))
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
    if len(collected) > 1 and all(c == -1 for c in collected.values()):  # -(x - y) s - (x - z) t as (y - x) s + (z - x) t
        turned = [unsigned(neg(rest)) for rest in collected]
        if not any(is_negative(coefficient(t)[0]) for t in turned):
            return sum_of(turned, shape, merge=False)
    expanded = _multiplied_out(collected, shape)
    if expanded is not None and shorter(expanded, plain):
        return expanded
    best = plain
    pulled = factoring.pulled(collected, shape, short)
    if pulled is not None and shorter(pulled, best):
        best = pulled
    for k, quotient in enumerate(factoring.over(collected, shape, short)):
        alike = k == 0 and shape != () and leaves(quotient) == leaves(best)  # (A - B / s) / s rather than A / s - B / s²
        if alike or shorter(quotient, best):
            best = quotient
    return best


def _opened(term: Expr) -> Expr:
    """(A + B)ᵀ as the sum of Aᵀ and Bᵀ, so that they meet like terms; -(A - B) as B - A."""
    c, rest = coefficient(term)
    if c == -1 and any(is_negative(coefficient(t)[0]) for t in parts_of(ADD, rest)):
        return reduce(add, (neg(t) for t in parts_of(ADD, rest)))
    if rest.op is not TRANSPOSE or rest.args[0].op is not ADD:
        return term
    turned = [short.chain(chain_of(transposed(t))) for t in parts_of(ADD, rest.args[0])]
    result: Expr = const(0)
    for t in turned:
        result = add(result, mul(const(c), t))
    return result


def _met(collected: dict[Expr, Any]) -> dict[Expr, Any]:
    """Multiples of sums opened where they hold a term that stands beside them as well: 2 (x - y) + y is 2 x - y."""
    meeting = [rest for rest in collected if rest.op is ADD and any(coefficient(t)[1] in collected for t in parts_of(ADD, rest))]
    if not meeting:
        return collected
    opened = (mul(const(c), t) for rest, c in collected.items() for t in (parts_of(ADD, rest) if rest in meeting else [rest]))
    return _like(opened)


def _like(terms: Iterable[Expr]) -> dict[Expr, Any]:
    found: dict[Expr, Any] = {}
    commuting: dict[Any, Expr] = {}
    spread: dict[Expr, Expr] = {}
    written: dict[Expr, Expr] = {}  # of A ∘ X and X ∘ A, the first in the alphabet
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
        one = _repeats(rest)
        spread[one] = rest = one if one in found else spread.get(one, rest)  # t 1 beside t is t
        if rest.op is MUL:  # A ∘ B is B ∘ A
            key = frozenset(Counter(parts_of(MUL, rest)).items())
            first = commuting.setdefault(key, rest)
            if rest is not first:
                written[first] = min(written.get(first, first), rest, key=_alphabet)
            rest = first
        elif (cycle := factoring.cycle(rest)) is not None:  # tr(AB) is tr(BA)
            rest = commuting.setdefault(cycle, rest)
        found[rest] = found.get(rest, 0) + c
    return {written.get(rest, rest): c for rest, c in found.items() if c != 0}


def _repeats(x: Expr) -> Expr:
    """t, of t 1 and its like; anything else itself."""
    if x.op not in (BROADCAST, MUL):
        return x
    s, rest = scalar_part(x)
    return s if rest.op is ONES else x


def _added(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr:
    """The sum, a positive term first."""
    items = [mul(const(c), rest) for rest, c in collected.items()]
    for k in range(len(items) - 1):
        if _in_turn(items[k], items[k + 1]):
            items[k], items[k + 1] = items[k + 1], items[k]
    negative = [coefficient(t)[0] for t in items]
    first = next((k for k, c in enumerate(negative) if not is_negative(c) and items[k].op is not CONST), None)
    if first is None:
        first = next((k for k, c in enumerate(negative) if not is_negative(c)), 0)
    if items and is_negative(negative[0]):
        items.insert(0, items.pop(first))
    items.sort(key=lambda t: t.shape == () and (is_negative(number(t)) if t.op is CONST else shape != ()))  # x - xᵀy - 1
    result: Expr = const(0)
    for item in items:
        result = add(result, item)
    return repeated(result, shape)


def _in_turn(a: Expr, b: Expr) -> bool:
    """Whether b comes before a: A + Aᵀ, AᵀB + BᵀA and I + K."""
    if a.op is COMMUTATION and b.op is EYE:
        return True
    (c, x), (d, y) = coefficient(a), coefficient(b)
    left, right = chain_of(x), chain_of(y)
    if c != d or [transposed(f) for f in reversed(left)] != right:
        return False
    return (turns([y]), *map(_alphabet, right)) < (turns([x]), *map(_alphabet, left))


def _alphabet(x: Expr) -> str:
    """By what name an expression is sorted: that of its first leaf."""
    while x.args and x.op is not LET:
        x = x.args[0]
    return x.name or "~"


def _multiplied_out(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """Every Hadamard product of sums multiplied out and collected again, if that stays small; None if there is none."""
    if not any(f.op is ADD for rest in collected for f in parts_of(MUL, rest)):
        return None
    terms: list[Expr] = []
    for rest, c in collected.items():
        factors = parts_of(MUL, rest)
        if len(factors) > FACTORS:
            return None
        products = [const(c)]
        for f in factors:
            products = [mul(p, s) for p in products for s in parts_of(ADD, f)]
            if len(products) + len(terms) > EXPANDED:
                return None
        terms.extend(short.entries(parts_of(MUL, p), p.shape, expand=False) for p in products)
    return _added(_like(term for t in terms for term in parts_of(ADD, t)), shape)


def unsigned(x: Expr) -> Expr:
    """-(a - b) is b - a, also where it is one factor of a product: -(y - p) xᵀ is (p - y) xᵀ.

    What stands twice in a product, (a - b) (a - b)ᵀ, is left alone.
    """
    c, rest = coefficient(x)
    if c != -1 or isinstance(c, float):
        return x
    factors = [parts_of(MATMUL, f) for f in parts_of(MUL, rest)]
    met = Counter(g for chain in factors for f in chain for g in {f, transposed(f)})
    found = None  # (1 - t) (x - y) is turned at x - y
    for chain in factors:
        for k, f in enumerate(chain):
            terms = parts_of(ADD, f)
            if met[f] == 1 and any(is_negative(coefficient(t)[0]) for t in terms):
                found = (chain, k) if found is None or not any(map(is_one, terms)) else found
    if found is None:
        return x
    chain, k = found
    chain[k] = _added(_like(neg(t) for t in parts_of(ADD, chain[k])), chain[k].shape)
    return multiplied([matrix_product(chain) for chain in factors])


short.total = sum_of
