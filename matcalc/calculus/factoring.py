"""Terms of a sum that differ in one place, written as one: A x + B x = (A + B) x, tr(A) + tr(B) = tr(A + B).

Linear in the number of factors: terms are matched by what they share, as keys of a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from fractions import Fraction
from math import gcd
from typing import Any

from matcalc.calculus.short import Short
from matcalc.calculus.terms import (
    base_of,
    chain_of,
    coefficient,
    in_order,
    is_negative,
    leaves,
    matrix_product,
    multiplied,
    parts_of,
    powers_of,
    scalar_part,
    shape_of,
    transposed,
)
from matcalc.core.constructors import broadcast, kron, mul, neg, total, trace, transpose
from matcalc.core.expression import CONST, LET, Expr, Operation, const, eye
from matcalc.core.operations import (
    ADD,
    COMMUTATION,
    DIAG,
    DIAGONAL,
    KRON,
    MUL,
    POW,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TABLE,
    TRACE,
    TRANSPOSE,
    VEC,
)
from matcalc.core.parts import commutation
from matcalc.core.sizes import Shape, columns, rows

MATRIX_POWER = TABLE["matrix_power"]
FEW = 32  # no more terms than this when products of sums are multiplied out under a trace
Build = Callable[[Expr], Expr | None]


LINEAR = (TRACE, DIAGONAL, DIAG, SUM, SUM_ROWS, SUM_COLUMNS)


def merged(collected: dict[Expr, Any], short: Short) -> list[Expr] | None:
    """The terms with those that differ in one place only written as one, where that is shorter; None if there are none."""
    if sum(bool(rest.args) and rest.op is not LET for rest in collected) < 2:  # no view sees into a name or a number
        return None
    for view in (_over, _last, _first, _right, _left, _within, _stacked, _commuted):
        groups: dict[Hashable, list[tuple[Expr, Expr, Build]]] = {}
        for rest, c in collected.items():
            for key, inside, build in view(rest, short):
                groups.setdefault(key, []).append((rest, mul(const(c), inside), build))
        replaced: dict[Expr, Expr | None] = {}
        for members in groups.values():
            if len(members) > 1:
                made = members[0][2](short.total([inside for _, inside, _ in members], members[0][1].shape))
                before = sum(leaves(mul(const(collected[rest]), rest)) for rest, _, _ in members)
                if made is not None and leaves(made) < before + (view is _stacked):  # one vec is better than two
                    replaced |= {members[0][0]: made} | {rest: None for rest, _, _ in members[1:]}
        if replaced:
            terms = (replaced.get(rest, mul(const(c), rest)) for rest, c in collected.items())
            return [t for t in terms if t is not None]
    return None


View = Iterator[tuple[Hashable, Expr, Build]]


def _over(rest: Expr, short: Short) -> View:
    """x / s, by s."""
    factors = parts_of(MUL, rest)
    below = [f for f in factors if f.op is POW and f.shape == ()]
    above = [f for f in factors if f not in below]
    if below and above:
        inside = multiplied(above)
        yield (*below, inside.shape), inside, lambda inside: short.entries([*below, inside], inside.shape, expand=False)


def _last(rest: Expr, short: Short) -> View:
    """A x, by x; uᵀx + uᵀy stays, two scores."""
    s, factors = _scaled_chain(rest)
    if len(factors) > 1 and rest.shape != ():
        yield (tuple(factors[1:]), factors[0].shape), mul(s, factors[0]), lambda inside: short.chain([inside, *factors[1:]])


def _first(rest: Expr, short: Short) -> View:
    """A x, by A."""
    s, factors = _scaled_chain(rest)
    if len(factors) > 1 and rest.shape != ():
        yield (tuple(factors[:-1]), factors[-1].shape), mul(s, factors[-1]), lambda inside: short.chain([*factors[:-1], inside])


def _right(rest: Expr, short: Short) -> View:
    """A ⊗ B, by B."""
    if rest.op is KRON:
        a, b = rest.args
        yield (b, a.shape), a, lambda inside: kron(inside, b)


def _left(rest: Expr, short: Short) -> View:
    """A ⊗ B, by A."""
    if rest.op is KRON:
        a, b = rest.args
        yield (a, b.shape), b, lambda inside: kron(a, inside)


def _within(rest: Expr, short: Short) -> View:
    """s tr(A), and whatever else is linear in one matrix, by its name; scalars go inside."""
    return _linear(rest, short, LINEAR)


def _stacked(rest: Expr, short: Short) -> View:
    """s vec(A), or its transpose."""
    return _linear(rest, short, (VEC,))


def _linear(rest: Expr, short: Short, named: Sequence[Operation]) -> View:
    factors = parts_of(MUL, rest)
    found = [f for f in factors if _under(f).op in named]
    beside = [f for f in factors if f not in found]
    if len(found) == 1 and all(f.shape == () and base_of(f)[0].op not in named for f in beside):  # tr(A)² - tr(A²) stays
        (f,) = found
        under = _under(f)
        inside = multiplied([*beside, under.args[0]])

        def build(inside: Expr) -> Expr | None:
            s, rest = scalar_part(inside)
            if under.op is SUM and rest.op is ADD:  # the sum of A + B is that of A and that of B
                return None
            made = short.other(under, (rest,)) if under.op is not SUM else total(rest)
            made = transpose(made) if f.op is TRANSPOSE else made
            return short.entries([s, made], made.shape, expand=False)

        yield (under.op, f.op is TRANSPOSE, inside.shape), inside, build


def _commuted(rest: Expr, short: Short) -> View:
    """A ⊗ B and (B ⊗ A) K = K (A ⊗ B), by A ⊗ B."""
    factors = chain_of(rest)
    if len(factors) == 1 and rest.op is KRON:
        product, inside = rest, eye(rest.shape[0])
    elif len(factors) == 2 and factors[0].op is COMMUTATION and factors[1].op is KRON:
        inside, product = factors
    elif len(factors) == 2 and factors[0].op is KRON and factors[1].op is COMMUTATION:
        b, a = factors[0].args
        if factors[1].params != (columns(b.shape), columns(a.shape)):
            return
        product, inside = kron(a, b), commutation(rows(b.shape), rows(a.shape))
    else:
        return
    yield (product, inside.shape), inside, lambda inside: short.chain([inside, product])


def _scaled_chain(rest: Expr) -> tuple[Expr, list[Expr]]:
    """A scalar and the factors of a product of matrices; what is divided by something stays whole."""
    s, product = scalar_part(rest)
    if any(f.op is POW for f in parts_of(MUL, s)):
        return const(1), [rest]
    return s, chain_of(product)


def _under(f: Expr) -> Expr:
    return f.args[0] if f.op is TRANSPOSE else f


# ---- what all the terms share ------------------------------------------------------------------------------------------
def pulled(collected: dict[Expr, Any], shape: Shape, short: Short) -> Expr | None:
    """A + B with a common first or last factor: A x + B x = (A + B) x. Also a number or a factor that all terms share."""
    if len(collected) < 2:
        return None
    numbers = list(collected.values())
    if all(map(is_negative, numbers)):
        found = pulled({rest: -c for rest, c in collected.items()}, shape, short)
        return None if found is None else neg(found)
    size = -numbers[0] if is_negative(numbers[0]) else numbers[0]
    if size != 1 and all(c in (size, -size) for c in numbers):
        return mul(const(size), short.total([rest if c == size else neg(rest) for rest, c in collected.items()], shape))
    whole = divisor(numbers)
    if whole > 1:
        return mul(whole, short.total([mul(c // whole, rest) for rest, c in collected.items()], shape))
    shared = _shared_factors(collected, shape, short)
    if shared is not None:
        return shared
    chains = [(mul(const(c), s), factors) for c, (s, factors) in zip(numbers, map(_scaled_chain, collected), strict=True)]
    for end in (-1, 0):
        common = chains[0][1][end]
        if len(chains[0][1]) < 2 and common.shape != shape or common.op is CONST:
            continue
        if all(factors[end] is common and len(factors) > 1 for _, factors in chains):
            rests = [mul(c, matrix_product(factors[:-1] if end else factors[1:])) for c, factors in chains]
            if any(r.shape != rests[0].shape for r in rests):  # A x + A X is no A (x + X): the one is repeated, not the other
                continue
            rest = short.total(rests, rests[0].shape)
            return short.chain([rest, common] if end else [common, rest])
    return None


def divisor(numbers: Iterable[Any]) -> int:
    """The greatest common divisor of whole numbers; 1 for others."""
    numbers = list(numbers)
    return gcd(*numbers) if all(isinstance(c, int) for c in numbers) else 1


def _shared_factors(collected: dict[Expr, Any], shape: Shape, short: Short) -> Expr | None:
    """s A + s B = s (A + B), for scalars and for what is multiplied entry by entry; of powers the least, x³ + x = x (x² + 1)."""
    products = [powers_of([rest])[1] for rest in collected]  # what is repeated along an axis has the same factors
    common = {base: _least([p.get(base, 0) for p in products]) for base in products[0]}
    return _apart(collected, products, {base: t for base, t in common.items() if t != 0}, shape, short)


def over(collected: dict[Expr, Any], shape: Shape, short: Short) -> Iterator[Expr]:
    """A / s + B / s² as (A + B / s) / s, and over a common denominator, (A s + B) / s²."""
    products = [powers_of([rest])[1] for rest in collected]
    if len(products) < 2:
        return
    below = [
        base
        for base in products[0]
        if (base.args or (base.shape == () and shape != ())) and all(_is_below(p.get(base, 0)) for p in products)
    ]  # 2 / t³ + 1 / t² stays
    if below:
        for end in (max, min) if shape else (min, max):
            found = _apart(collected, products, {base: end(p[base] for p in products) for base in below}, shape, short)
            if found is not None:
                yield found


def _least(exponents: list[Any]) -> Any:
    """The power that all of some powers of a base have in common; 0 where there is none."""
    if all(t == exponents[0] for t in exponents):
        return exponents[0]
    return min(exponents) if all(isinstance(t, (int, Fraction)) and t > 0 for t in exponents) else 0


def _is_below(t: Any) -> bool:
    return isinstance(t, (int, Fraction)) and t < 0


def _apart(
    collected: dict[Expr, Any], products: list[dict[Expr, Any]], common: dict[Expr, Any], shape: Shape, short: Short
) -> Expr | None:
    """The sum with the common powers in front; None where what is left is no sum of this shape."""
    if not common:
        return None
    whole = divisor(collected.values())
    rests = [
        multiplied([const(c // whole if whole > 1 else c), *in_order({base: t - common.get(base, 0) for base, t in p.items()})])
        for c, p in zip(collected.values(), products, strict=True)
    ]
    found = short.entries([const(whole), *in_order(common), short.total(rests, shape_of(rests))], shape, expand=False)
    return found if found.shape == shape else None


# ---- traces ------------------------------------------------------------------------------------------------------------
def cycle(e: Expr) -> Hashable | None:
    """What tr(AB), tr(BA), tr(BᵀAᵀ) and sum(Aᵀ ∘ B) have in common; None for other expressions."""
    if e.op is TRACE:
        factors = chain_of(e.args[0])
    elif e.op is SUM and e.args[0].op is MUL and all(a.shape == e.args[0].shape for a in e.args[0].args):
        a, b = e.args[0].args
        factors = [*chain_of(transposed(a)), *chain_of(b)]
    else:
        return None
    return frozenset({_rotated(_powers(factors)), _rotated(_powers([transposed(f) for f in reversed(factors)]))})


def _powers(factors: Sequence[Expr]) -> list[tuple[Expr, int]]:
    """The factors of a product that goes round as powers of different neighbours: A B A² is A³ B."""
    found: list[tuple[Expr, int]] = []
    for f in factors:
        below = _under(f)
        x, k = (below.args[0], below.params[0]) if below.op is MATRIX_POWER else (below, 1)
        x = x if f is below else transpose(x)
        found.append((x, found.pop()[1] + k) if found and found[-1][0] is x else (x, k))
    if len(found) > 1 and found[0][0] is found[-1][0]:
        x, k = found.pop()
        found[0] = x, k + found[0][1]
    return found


def cycled(a: Expr, short: Short) -> Expr:
    """A matrix whose trace is taken, with the terms of one trace collected: A B + B A is 2 B A there."""
    terms = terms_of_trace(a)
    found: dict[Hashable, tuple[Any, Expr]] = {}
    for c, term in terms:
        key = cycle(trace(term)) or term
        times, other = found.get(key, (0, term))
        found[key] = times + c, min(term, other, key=leaves)
    return short.total([mul(c, term) for c, term in found.values()], a.shape) if len(found) < len(terms) else a


def terms_of_trace(a: Expr) -> list[tuple[Any, Expr]]:
    """The terms of a sum, products of sums multiplied out while there are few."""
    found: list[tuple[Any, Expr]] = []
    waiting: list[tuple[Any, Expr]] = [(1, a)]
    while waiting:
        c, x = waiting.pop()
        d, rest = coefficient(x)
        factors = chain_of(rest)
        k = next((k for k, f in enumerate(factors) if f.op is ADD), None)
        if k is None or len(found) + len(waiting) > FEW:
            found.append((c * d, rest))
        else:
            several = [broadcast(t, factors[k].shape) for t in parts_of(ADD, factors[k])[::-1]]
            waiting += [(c * d, matrix_product([*factors[:k], t, *factors[k + 1 :]])) for t in several]
    return found


def _rotated(factors: Sequence[tuple[Expr, int]]) -> tuple[tuple[Expr, int], ...]:
    """The one rotation that all rotations have in common: the least, in the order of the objects (Booth's algorithm)."""
    order = [(id(f), k) for f, k in factors] * 2
    n, i, j, k = len(factors), 0, 1, 0
    while i < n and j < n and k < n:
        a, b = order[i + k], order[j + k]
        if a == b:
            k += 1
            continue
        if a > b:
            i += k + 1
        else:
            j += k + 1
        j += i == j
        k = 0
    start = min(i, j)
    return (*factors[start:], *factors[:start])


def of_trace(a: Expr, chain: Callable[[list[Expr]], Expr]) -> Expr:
    """tr(A ⊗ B) = tr(A) tr(B); tr(x yᵀ A) = yᵀ A x."""
    factors = parts_of(KRON, a)
    if len(factors) > 1 and all(f.shape[:1] * 2 == f.shape for f in factors):
        return multiplied([of_trace(f, chain) for f in factors])
    factors = chain_of(a)
    for k in range(1, len(factors)):
        if factors[k].shape[0] == 1:
            return chain([*factors[k:], *factors[:k]])
    return trace(a)
