"""Known functions recognised where they are written out: log(1 + exp(x)) is softplus(x), exp(z) / sum(exp(z)) is softmax(z).

    log(sum(exp(X), axis=1)) = logsumexp(X, axis=1),   exp(X) / sum(exp(X), axis=1) = softmax(X, axis=1)
    exp(s) / (exp(s) + exp(t)) = σ(s - t),             (exp(s) - exp(t)) / (exp(s) + exp(t)) = tanh((s - t) / 2)
    √(xᵀx) = ‖x‖,   z - logsumexp(z) = log softmax(z),   logsumexp(z - c) + c = logsumexp(z),   softmax(z - c) = softmax(z)

Each rule is an identity, true for every value, and what it writes is shorter and does not overflow. ``simplify`` reads the
rules in results; ``recognised`` reads them, and some more, in what a person typed, and tells what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from matcalc.calculus.known import (
    CALLS,
    FACTORS,
    QUOTIENTS,
    SPOKEN_CALLS,
    TERMS,
    TYPED_CALLS,
    TYPED_FACTORS,
    TYPED_TERMS,
    Call,
    Exponents,
    Fusion,
    Rule,
    multiply,
)
from matcalc.calculus.terms import base_of, coefficient, operands
from matcalc.core.constructors import add, mul, power
from matcalc.core.expression import LET, Expr, Operation, rebuilt, topological
from matcalc.core.operations import ADD, LOG, MUL, POW


# ---- results -----------------------------------------------------------------------------------------------------------
def of_call(e: Expr, rules: Mapping[Operation, Call] | None = None) -> Expr:
    """A call that a known function says shorter, with those of ``of_logarithm`` among them. Anything else is itself."""
    rule = (rules or CALLS).get(e.op)
    found = None if rule is None else rule(e)
    return e if found is None or found.shape != e.shape else found


def of_logarithm(e: Expr) -> Expr:
    """log(1 + exp(t)) is softplus(t), log(sum(exp(z))) is logsumexp(z), along an axis too, log(softmax(z)) is log softmax(z),
    log(exp(t)) is t, log(det(A)) is log det A.

    Anything else is itself.
    """
    return of_call(e) if e.op is LOG else e


def of_product(exponents: Exponents) -> Exponents:
    """A product, given as the exponent of every base, with quotients of exponentials written as σ, softmax and tanh.

    1 / (1 + exp(t)) is σ(-t), and exp(t) σ(-t) is σ(t). What is left stays σ(-t) and is not written as 1 - σ(t), whose digits
    cancel: beside exp(t) nothing would be left of them.
    sinh(t) / cosh(t) is tanh(t), √(xᵀx) is ‖x‖.
    """
    return _fused(exponents, FACTORS)[0]


def of_sum(terms: Exponents) -> Exponents:
    """A sum, given as the coefficient of every term, with z - logsumexp(z) as log softmax(z) and logsumexp(z - c) + c as
    logsumexp(z)."""
    return _fused(terms, TERMS)[0]


def _fused(given: Exponents, rules: Sequence[Rule]) -> tuple[Exponents, list[Fusion]]:
    """What is left and what was found, one rule after the other."""
    found, fusions = dict(given), []
    for rule in rules:
        for base in list(found):
            for fusion in rule(base, found) if base in found else ():
                change = {e: -fusion.times * t for e, t in fusion.typed.items()}
                multiply(change, {fusion.known: fusion.times})  # max(0, t) beside its mask stays where it is
                multiply(found, change)
                fusions.append(fusion)
    return found, fusions


# ---- what a person typed -----------------------------------------------------------------------------------------------
def recognised(e: Expr, spoken: bool = False) -> tuple[Expr, list[tuple[Expr, Expr]]]:
    """The expression with the known functions that are typed out in it in their place, and what was found: pairs of what was
    typed and the known function, arguments first. Everything else stays as it was typed.

    What holds a known function that was found before is told with it in place: log(1 / (1 + exp(-x))) gives the pairs
    (1 / (1 + exp(-x)), σ(x)) and (log(σ(x)), -softplus(-x)). Names are not looked into and not across: they are atoms here, and
    what one stands for is asked for by itself. ``spoken``, as expressions are differentiated, leaves x σ(x), log(σ(x)) and
    log(softmax(x)), in whose words results are said.
    """
    return _read(e, _SPOKEN if spoken else _TYPED)


def _read(e: Expr, reading: _Reading) -> tuple[Expr, list[tuple[Expr, Expr]]]:
    order = topological([e], lambda x: x.op is not LET)
    users: dict[Expr, list[Expr]] = {x: [] for x in order}
    for x in order:
        for a in x.args if x.op is not LET else ():
            users[a].append(x)
    inside = {x for x in order if x.op in (ADD, MUL) and [user.op for user in users[x]] == [x.op]}
    divisors = {x for x in order if x.op is POW and [user.op for user in users[x]] == [MUL]}  # taken with their product
    done: dict[Expr, Expr] = {}
    pairs: dict[Expr, Expr] = {}
    for x in order:
        done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.op is not LET else x
        if x not in inside and x not in divisors:
            if x.op is ADD:
                done[x] = _replaced(reading.terms, done[x], operands(x, inside, done), pairs)
            elif x.op in (MUL, POW):
                done[x] = _replaced(reading.factors, done[x], operands(x, inside, done) if x.op is MUL else [done[x]], pairs)
            elif (known := of_call(done[x], reading.calls)) is not done[x]:
                pairs[done[x]] = done[x] = known
        assert done[x].shape == x.shape, f"a known function has another shape than {x}"
    return done[e], list(pairs.items())


class _Cluster(NamedTuple):
    """How a sum or a product is taken apart and put together, and what is looked for in it."""

    rules: Sequence[Rule]
    apart: Callable[[Expr], tuple[Expr, Any]]  # a term and its coefficient, a factor and its exponent
    times: Callable[[Expr, Any], Expr]
    joined: Callable[[Expr, Expr], Expr]

    def written(self, parts: Sequence[Expr]) -> Expr:
        return reduce(self.joined, parts)

    def amounts(self, parts: Sequence[Expr]) -> Exponents:
        found: Exponents = {}
        for part in parts:
            multiply(found, dict([self.apart(part)]))
        return found


class _Reading(NamedTuple):
    """What is looked for in sums, in products entry by entry and in calls."""

    terms: _Cluster
    factors: _Cluster
    calls: Mapping[Operation, Call]


_TERMS = _Cluster(TYPED_TERMS, lambda t: coefficient(t)[::-1], lambda t, c: mul(c, t), add)
_TYPED = _Reading(_TERMS, _Cluster(TYPED_FACTORS, base_of, power, mul), TYPED_CALLS)
_SPOKEN = _Reading(_TERMS, _Cluster(QUOTIENTS, base_of, power, mul), SPOKEN_CALLS)


def _replaced(cluster: _Cluster, whole: Expr, parts: list[Expr], pairs: dict[Expr, Expr]) -> Expr:
    """The sum or product of the parts with what is known in place of what is typed out; the pairs are noted."""
    while fusions := _fused(cluster.amounts(parts), cluster.rules)[1]:
        for fusion in fusions:
            pairs[cluster.written([cluster.times(e, t) for e, t in fusion.typed.items()])] = fusion.known
        parts = _exchanged(cluster, parts, fusions)
        whole = cluster.written(parts)
    return whole


def _exchanged(cluster: _Cluster, parts: list[Expr], fusions: list[Fusion]) -> list[Expr]:
    """The parts with each known function where the first of what it replaces stood, and what is left over behind it."""
    slots: list[Exponents] = []  # parts in the same place, by their bases
    places: dict[Expr, set[int]] = {}
    written = {cluster.apart(part): part for part in parts}  # the parts as they were typed

    def put(at: int, base: Expr, t: Any) -> None:
        slots[at][base] = slots[at].get(base, 0) + t
        places.setdefault(base, set()).add(at)

    for part in parts:
        slots.append({})
        put(len(slots) - 1, *cluster.apart(part))
    for fusion in fusions:
        spots = {e: places.pop(e) for e in fusion.typed}
        first = min(map(min, spots.values()))
        left = {e: sum(slots[at].pop(e) for at in spots[e]) - fusion.times * t for e, t in fusion.typed.items()}
        for base, t in {fusion.known: fusion.times, **left}.items():
            if t != 0:
                put(first, base, t)
    found = [(base, t) for slot in slots for base, t in slot.items()]
    return [written[base, t] if (base, t) in written else cluster.times(base, t) for base, t in found]  # a mask is no truth value
