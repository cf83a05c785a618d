"""How the known functions are typed out, a rule for each: exp(z) / sum(exp(z)) is softmax(z), √(xᵀx) is ‖x‖.

There are three kinds of place. A call has a rule for its operation. A product entry by entry is given as the exponent of every
base, a sum as the coefficient of every term; a rule for them is asked of one base and says what it fuses with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

from matcalc.calculus.terms import base_of, coefficient, is_negative, parts_of
from matcalc.core.constructors import add, mul, neg, sub
from matcalc.core.expression import BUILD, ONES, Expr, Operation, const, is_one, is_zero, number, rebuilt
from matcalc.core.operations import (
    ABS,
    ADD,
    BROADCAST,
    COSH,
    DET,
    EXP,
    GREATER,
    GREATER_EQUAL,
    LOG,
    LOG1P,
    LOG_SOFTMAX,
    LOGSUMEXP,
    MATMUL,
    MUL,
    POW,
    SIGMOID,
    SIGN,
    SLICE,
    SOFTMAX,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TRACE,
    TRANSPOSE,
    WHERE,
    softmax,
)

Exponents = dict[Expr, Any]
AXES = {SUM: None, SUM_ROWS: 0, SUM_COLUMNS: 1}
_HALF = Fraction(1, 2)


class Fusion(NamedTuple):
    """Factors, or terms, that are a known function together, so many times."""

    typed: Exponents
    known: Expr
    times: Any = 1


Call = Callable[[Expr], Expr | None]
Rule = Callable[[Expr, Exponents], Iterator[Fusion]]


def multiply(found: Exponents, by: Exponents) -> None:
    """Multiplies a product by another, or adds to a sum, in place."""
    for base, t in by.items():
        found[base] = found.get(base, 0) + t
        if found[base] == 0:
            del found[base]


# ---- what is looked for ------------------------------------------------------------------------------------------------
def _exponentials(e: Expr) -> list[Expr] | None:
    """s and t, of exp(s) + exp(t), where 1 is exp(0)."""
    if e.op is not ADD or not all(t.op is EXP or is_one(t) for t in e.args):
        return None
    return [t.args[0] if t.op is EXP else const(0) for t in e.args]


def _exp(t: Expr) -> Expr:
    return const(1) if is_zero(t) else BUILD["exp"](t)


def _summed(e: Expr) -> tuple[Expr, int | None] | None:
    """z and the axis along which exp(z) is summed, None for all entries."""
    if e.op in AXES:
        inside, axis = e.args[0], AXES[e.op]
    elif e.op is MATMUL and e.args[0].op is ONES and e.args[0].shape[0] == 1:  # 1ᵀA
        inside, axis = e.args[1], 0 if e.shape else None
    elif e.op is MATMUL and e.args[1].op is ONES and e.args[1].shape[1] == 1:  # A 1
        inside, axis = e.args[0], 1 if e.shape else None
    else:
        return None
    return (inside.args[0], axis) if inside.op is EXP and inside.shape != () else None


def _unshifted(z: Expr, axis: int | None) -> tuple[Expr, list[Expr]]:
    """z without the terms that are the same all along the axis, and these terms."""
    kept: list[Expr] = []
    shift: list[Expr] = []
    for t in parts_of(ADD, z) if z.shape != () else []:
        below = t.args[0] if t.op is BROADCAST else t
        constant = below.shape == () or (axis is not None and below.shape != z.shape and below.shape[axis] == 1)
        (shift if constant else kept).append(below if constant else t)
    rest = _total(kept)
    return (rest, shift) if shift and kept and rest.shape == z.shape else (z, [])


def _total(terms: Sequence[Expr]) -> Expr:
    result: Expr = const(0)
    for t in terms:
        result = add(result, t)
    return result


def _difference(s: Expr, t: Expr) -> Expr:
    return mul(2, s) if neg(t) is s else sub(s, t)


def _squared(e: Expr) -> Expr | None:
    """x, of xᵀx, sum(x²) or tr(XᵀX), the square of its norm."""
    if e.op is SUM:
        (a,) = e.args
        if a.op is POW and number(a.args[1]) == 2:
            return a.args[0]
        return a.args[0] if a.op is MUL and a.args[0] is a.args[1] else None
    product = e.args[0] if e.op is TRACE else e
    if product.op is not MATMUL or e.shape != ():
        return None
    a, b = product.args
    if a.op is TRANSPOSE and a.args[0] is b:
        return b
    return a if b.op is TRANSPOSE and b.args[0] is a and e.op is TRACE else None


# ---- calls -------------------------------------------------------------------------------------------------------------
def _logarithm(e: Expr) -> Expr | None:
    (inside,) = e.args
    if inside.op is EXP:
        return inside.args[0]
    if inside.op is DET or (inside.op is ABS and inside.args[0].op is DET):
        return BUILD["logdet"](*(inside if inside.op is DET else inside.args[0]).args)
    exponents = _exponentials(inside)
    if exponents is not None and any(map(is_zero, exponents)):
        return BUILD["softplus"](exponents[is_zero(exponents[0])])
    summed = _summed(inside)
    return None if summed is None else BUILD["logsumexp"](*summed)


def _logarithm_of_softmax(e: Expr) -> Expr | None:
    """log(softmax(z)) is log softmax(z), an entry of it too."""
    (inside,) = e.args
    whole = inside.args[0] if inside.op is SLICE else inside
    if whole.op is not SOFTMAX:
        return _logarithm(e)
    known = BUILD["log_softmax"](whole.args[0], *whole.params)
    return known if whole is inside else rebuilt(inside, (known,))


def _logarithm1p(e: Expr) -> Expr | None:
    return BUILD["softplus"](*e.args[0].args) if e.args[0].op is EXP else None


def _exponential(e: Expr) -> Expr | None:
    """exp(log softmax(z)) is softmax(z), an entry of it too."""
    (inside,) = e.args
    if inside.op is LOG_SOFTMAX:
        return BUILD["softmax"](inside.args[0], *inside.params)
    if inside.op is SLICE and inside.args[0].op is LOG_SOFTMAX:
        return rebuilt(inside, (BUILD["softmax"](inside.args[0].args[0], *inside.args[0].params),))
    return None


def _shifted(e: Expr) -> Expr | None:
    """softmax(z - c) is softmax(z)."""
    rest, shift = _unshifted(e.args[0], e.params[0])
    return rebuilt(e, (rest,)) if shift else None


def _logarithm_of_logistic(e: Expr) -> Expr | None:
    """log(σ(t)) is -softplus(-t), log(1 - σ(t)) is -softplus(t)."""
    (inside,) = e.args
    if inside.op is SIGMOID:
        return neg(BUILD["softplus"](neg(inside.args[0])))
    one, other = inside.args if inside.op is ADD else (inside, inside)
    one, other = (one, other) if is_one(one) else (other, one)
    c, p = coefficient(other)
    return neg(BUILD["softplus"](p.args[0])) if is_one(one) and c == -1 and p.op is SIGMOID else _logarithm_of_softmax(e)


def _ramp(e: Expr) -> Expr | None:
    """t where t > 0 and 0 elsewhere is ReLU(t)."""
    mask, t, other = e.args
    return BUILD["relu"](t) if mask.op is GREATER and mask.args[0] is t and is_zero(mask.args[1]) and is_zero(other) else None


SPOKEN_CALLS: dict[Operation, Call] = {
    LOG: _logarithm,
    LOG1P: _logarithm1p,
    EXP: _exponential,
    SOFTMAX: _shifted,
    LOG_SOFTMAX: _shifted,
}
CALLS: dict[Operation, Call] = {**SPOKEN_CALLS, LOG: _logarithm_of_softmax}
TYPED_CALLS: dict[Operation, Call] = {**CALLS, LOG: _logarithm_of_logistic, WHERE: _ramp}  # a result keeps log(σ(t))


# ---- products entry by entry -------------------------------------------------------------------------------------------
def _logistic(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """exp(s) / (exp(s) + exp(t)) is σ(s - t), 1 / (1 + exp(t)) is σ(-t)."""
    exponents, left = _exponentials(base), _whole(-found.get(base, 0))
    if exponents is None or not left:
        return
    s, t = exponents
    fusions = []
    for u, v in ((s, t), (t, s)):
        above = BUILD["exp"](u)
        for numerator, known in ((sub(_exp(u), _exp(v)), "tanh"), (add(neg(_exp(v)), _exp(u)), "tanh"), (above, "sigmoid")):
            times = min(left, _whole(found.get(numerator, 0)))
            if times and (numerator is not above or not is_zero(u)):
                difference = _difference(u, v)
                argument = mul(_HALF, difference) if known == "tanh" else difference
                fusions.append(Fusion({numerator: 1, base: -1}, BUILD[known](argument), times))
                left -= times
    if left and (is_zero(s) or is_zero(t)):
        yield Fusion({base: -1}, BUILD["sigmoid"](neg(t if is_zero(s) else s)), left)
    yield from fusions


def _softmax(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """exp(z) / sum(exp(z))."""
    summed = _summed(base)
    if summed is not None:
        z, axis = summed
        above = BUILD["exp"](z)
        times = _shared(found, above, -found[base])
        if times:
            yield Fusion({above: 1, base: -1}, softmax(_unshifted(z, axis)[0], axis), times)


def _entry_of_softmax(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """exp(z[i]) / sum(exp(z)) and exp(z)[i] / sum(exp(z))."""
    part = base if base.op is SLICE else base.args[0] if base.op is EXP else base
    inside = part.args[0] if part.op is SLICE else part
    z = inside.args[0] if base.op is SLICE and inside.op is EXP else inside if base.op is EXP else None
    if part.op is not SLICE or z is None or z.shape == () or z.shape[1] != 1:
        return
    below = BUILD["sum"](BUILD["exp"](z))
    times = _shared(found, base, -found.get(below, 0))
    if times:
        yield Fusion({base: 1, below: -1}, rebuilt(part, (softmax(_unshifted(z, None)[0]),)), times)


def _tangent(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """sinh(t) / cosh(t)."""
    above = BUILD["sinh"](*base.args) if base.op is COSH else None
    times = 0 if above is None else _shared(found, above, -found[base])
    if above is not None and times:
        yield Fusion({above: 1, base: -1}, BUILD["tanh"](*base.args), times)


def _norm(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """√(xᵀx), and √(xᵀx yᵀy)."""
    t = found[base]
    if isinstance(t, Fraction) and t.denominator == 2:
        squared = [_squared(f) for f in parts_of(MUL, base)]
        norms = [BUILD["norm"](x) for x in squared if x is not None]
        if len(norms) == len(squared):
            yield Fusion({base: _HALF}, reduce(mul, norms), int(2 * t))


def _beside_norm(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """xᵀx beside ‖x‖ is its square."""
    x = _squared(base)
    norm = base if x is None else BUILD["norm"](x)
    if norm is not base and norm in found:
        yield Fusion({base: _HALF}, norm, 2 * found[base])


def _hyperbolic(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """(exp(t) + exp(-t)) / 2 and (exp(t) - exp(-t)) / 2."""
    half = next((c for c in (const(_HALF), const(0.5)) if c in found), None)
    plus = [e for e in base.args if e.op is EXP and not is_negative(coefficient(e.args[0])[0])]
    if half is None or base.op is not ADD or found[base] != 1 or not plus:
        return
    (t,) = plus[0].args
    for known, minus in (("cosh", BUILD["exp"](neg(t))), ("sinh", neg(BUILD["exp"](neg(t))))):
        if base in (add(plus[0], minus), add(minus, plus[0])):
            yield Fusion({half: 1, base: 1}, BUILD[known](t))


def _gated(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """t σ(t) is silu(t), t 1[t > 0] is ReLU(t)."""
    known = "silu" if base.op is SIGMOID else "relu" if base.op is GREATER and is_zero(base.args[1]) else None
    if known is not None and found[base] == 1:
        t = base.args[0]
        factors: Exponents = {}
        for f in parts_of(MUL, t):
            multiply(factors, dict([base_of(f)]))
        if all(found.get(f) == times for f, times in factors.items()):
            yield Fusion(factors | {base: 1}, BUILD[known](t))


def _turned(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """exp(t) σ(-t) is σ(t)."""
    if base.op is EXP:
        (t,) = base.args
        p, q = BUILD["sigmoid"](t), BUILD["sigmoid"](neg(t))
        times = _shared(found, base, found.get(q, 0))
        if times and p is not q:  # exp(0) σ(0) has nothing to turn
            yield Fusion({base: 1, q: 1}, p, times)


def _masked(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """1[t > 0] beside itself, ReLU(t) or max(0, t) says nothing new."""
    if base.op in (GREATER, GREATER_EQUAL) and _whole(found[base]):
        t, bound = base.args
        ramps = (BUILD["relu"](t), BUILD["maximum"](0, t)) if is_zero(bound) else ()
        ramp = next((e for e in ramps if _whole(found.get(e, 0))), None)
        if ramp is not None:
            yield Fusion({ramp: 1, base: found[base]}, ramp)
        elif found[base] > 1:
            yield Fusion({base: found[base]}, base)


def _signed(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """t sign(t) is |t|, |t| sign(t) is t."""
    if base.op is SIGN and found[base] == 1:
        (t,) = base.args
        size = BUILD["abs"](t)
        if _whole(found.get(size, 0)):
            yield Fusion({size: 1, base: 1}, t)
        elif _whole(found.get(t, 0)):
            yield Fusion({t: 1, base: 1}, size)


QUOTIENTS: tuple[Rule, ...] = (_logistic, _softmax, _entry_of_softmax, _tangent, _norm, _turned)
FACTORS: tuple[Rule, ...] = (*QUOTIENTS, _beside_norm, _masked, _signed)
TYPED_FACTORS: tuple[Rule, ...] = (*QUOTIENTS, _hyperbolic, _gated)  # a result keeps x σ(x) and x 1[x > 0]


def _whole(times: Any) -> int:
    """How often something is a factor."""
    return max(0, times) if isinstance(times, int) else 0


def _shared(exponents: Exponents, above: Expr, times: Any) -> int:
    """How often ``above`` is a factor, at most so many times."""
    return min(_whole(exponents.get(above, 0)), _whole(times))


# ---- sums --------------------------------------------------------------------------------------------------------------
def _logarithms(base: Expr, found: Exponents) -> Iterator[Fusion]:
    below = base.args[0] if base.op is BROADCAST else base
    c = found.get(base, 0)
    if below.op is not LOGSUMEXP or c == 0:
        return
    (z,), (axis,) = below.args, below.params
    rest, shift = _unshifted(z, axis)
    outside = {t: -d for t, d in _coefficients(shift).items()}
    if shift and all(found.get(t) == c * d for t, d in outside.items()):
        known = BUILD["logsumexp"](rest, axis)
        yield Fusion({base: 1} | outside, rebuilt(base, (known,)) if base.op is BROADCAST else known, c)
        return
    inside = {z: 1} if z in found else _coefficients(parts_of(ADD, z))
    if all(found.get(t) == -c * d for t, d in inside.items()):
        yield Fusion(inside | {base: -1}, BUILD["log_softmax"](z, axis), -c)


def _entry(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """z[i] - logsumexp(z)."""
    c, z = found.get(base, 0), base.args[0] if base.op is SLICE else base
    total = BUILD["logsumexp"](z, None) if base.op is SLICE else base
    if c != 0 and total is not base and found.get(total) == -c:
        yield Fusion({base: 1, total: -1}, rebuilt(base, (BUILD["log_softmax"](z, None),)), c)


def _tanh_of_logistic(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """2 σ(2t) - 1 is tanh(t)."""
    one, c = const(1), found.get(base, 0)
    if base.op is SIGMOID and found.get(one, 0) != 0 and c == -2 * found[one] and coefficient(base.args[0])[0] == 2:
        yield Fusion({base: 2, one: -1}, BUILD["tanh"](coefficient(base.args[0])[1]), -found[one])


def _complement(base: Expr, found: Exponents) -> Iterator[Fusion]:
    """1 - σ(-t) is σ(t), 1 - 1[a > b] is 1[b ≥ a]."""
    one, c = const(1), found.get(base, 0)
    if c != 0 and found.get(one, 0) == -c:
        other = None
        if base.op is SIGMOID and is_negative(coefficient(base.args[0])[0]):
            other = BUILD["sigmoid"](neg(base.args[0]))
        elif base.op in (GREATER, GREATER_EQUAL):
            other = BUILD["greater" if base.op is GREATER_EQUAL else "greater_equal"](*base.args[::-1])
        if other is not None:
            yield Fusion({one: 1, base: -1}, other, -c)


TYPED_TERMS: tuple[Rule, ...] = (_logarithms, _entry, _tanh_of_logistic)
TERMS: tuple[Rule, ...] = (*TYPED_TERMS, _complement)


def _coefficients(terms: Sequence[Expr]) -> Exponents:
    found: Exponents = {}
    for t in terms:
        c, rest = coefficient(t)
        found[rest] = found.get(rest, 0) + c
    return found
