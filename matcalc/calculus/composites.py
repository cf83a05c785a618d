"""Known functions recognised where they are written out: log(1 + exp(x)) is softplus(x), exp(z) / sum(exp(z)) is softmax(z).

    log(sum(exp(X), axis=1)) = logsumexp(X, axis=1),   exp(X) / sum(exp(X), axis=1) = softmax(X, axis=1),   sinh / cosh = tanh

Each rule is an identity, true for every value, and what it writes is shorter and does not overflow.
"""

from __future__ import annotations

from typing import Any

from matcalc.core.constructors import neg
from matcalc.core.expression import BUILD, Expr, is_one
from matcalc.core.operations import ADD, COSH, EXP, LOG, SLICE, SOFTMAX, SUM, SUM_COLUMNS, SUM_ROWS, softmax

_AXES = {SUM: None, SUM_ROWS: 0, SUM_COLUMNS: 1}


def _logistic_of(e: Expr) -> Expr | None:
    """t, of 1 + exp(t)."""
    if e.op is not ADD:
        return None
    one, other = e.args if is_one(e.args[0]) else e.args[::-1]
    return other.args[0] if is_one(one) and other.op is EXP else None


def _exponentials_of(e: Expr) -> tuple[Expr, int | None] | None:
    """exp(z) and the axis along which it is summed, None for all entries."""
    return (e.args[0], _AXES[e.op]) if e.op in _AXES and e.args[0].op is EXP else None


def of_logarithm(e: Expr) -> Expr:
    """log(1 + exp(t)) is softplus(t), log(sum(exp(z))) is logsumexp(z), along an axis too, log(softmax(z)) is log softmax(z).

    Anything else is itself.
    """
    if e.op is not LOG:
        return e
    (inside,) = e.args
    if inside.op is SOFTMAX:
        return BUILD["log_softmax"](inside.args[0], *inside.params)
    if inside.op is SLICE and inside.args[0].op is SOFTMAX:
        below, (start, shape) = inside.args[0], inside.params
        return BUILD["slice"](BUILD["log_softmax"](below.args[0], *below.params), start, shape)
    t = _logistic_of(inside)
    if t is not None and t.shape == e.shape:
        return BUILD["softplus"](t)
    summed = _exponentials_of(inside)
    return e if summed is None else BUILD["logsumexp"](summed[0].args[0], summed[1])


def of_product(exponents: dict[Expr, Any]) -> dict[Expr, Any]:
    """A product, given as the exponent of every base, with quotients of exponentials written as σ, softmax and tanh.

    1 / (1 + exp(t)) is σ(-t), and exp(t) σ(-t) is σ(t). What is left stays σ(-t) and is not written as 1 - σ(t), whose digits
    cancel: beside exp(t) nothing would be left of them.
    sinh(t) / cosh(t) is tanh(t).
    """
    found = dict(exponents)
    for base, power in exponents.items():
        t = _logistic_of(base)
        if t is not None and isinstance(power, int) and power < 0:
            _multiply(found, {base: -power, BUILD["sigmoid"](neg(t)): -power})
        elif (summed := _exponentials_of(base)) is not None:
            above, axis = summed
            _divide(found, above, base, softmax(above.args[0], axis))
        elif base.op is COSH:
            _divide(found, BUILD["sinh"](*base.args), base, BUILD["tanh"](*base.args))
    for base in [e for e in found if e.op is EXP]:
        (t,) = base.args
        p, q = BUILD["sigmoid"](t), BUILD["sigmoid"](neg(t))
        both = _shared(found, base, found.get(q, 0))
        if not both or p is q:  # exp(0) σ(0) has nothing to turn
            continue
        _multiply(found, {base: -both, q: -both, p: both})
    return found


def _shared(exponents: dict[Expr, Any], above: Expr, times: Any) -> int:
    """How often ``above`` is a factor, at most so many times."""
    power = exponents.get(above, 0)
    return max(0, min(power, times)) if isinstance(power, int) and isinstance(times, int) else 0


def _divide(found: dict[Expr, Any], above: Expr, below: Expr, quotient: Expr) -> None:
    """Writes ``above / below`` as the quotient, as often as it is a factor."""
    times = _shared(found, above, -found.get(below, 0))
    _multiply(found, {above: -times, below: times, quotient: times})


def _multiply(found: dict[Expr, Any], by: dict[Expr, Any]) -> None:
    for base, power in by.items():
        found[base] = found.get(base, 0) + power
        if found[base] == 0:
            del found[base]


def recognised(e: Expr) -> tuple[Expr, list[tuple[Expr, Expr]]]:
    """Placeholder."""
    return e, []
