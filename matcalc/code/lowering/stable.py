"""Forms that neither overflow nor lose digits: log(σ(t)) is -softplus(-t), log(softmax(z)) is log_softmax(z).

The rules see through names, so ``yhat = let("yhat", sigmoid(s))`` and ``log(yhat)`` are recognised as well. Every rule is an
identity, true for every value; what is not recognised stays as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy

from matcalc.calculus import composites
from matcalc.calculus.known import AXES
from matcalc.calculus.terms import parts_of
from matcalc.core.constructors import add, broadcast, mul, neg, power
from matcalc.core.expression import BUILD, Expr, Operation, const, inner, is_one, node, number, rebuilt, topological
from matcalc.core.operations import (
    ABS,
    ADD,
    COSH,
    EXP,
    GREATER,
    GREATER_EQUAL,
    LOG,
    LOG1P,
    LOG_SOFTMAX,
    MATMUL,
    MUL,
    NORM,
    ONE_HOT,
    POW,
    SIGMOID,
    SIGN,
    SINH,
    SLICE,
    SOFTMAX,
    TRANSPOSE,
    UNVEC,
)


def stable(roots: Sequence[Expr]) -> list[Expr]:
    """Equal expressions in stable forms. Names stay, on what now stands for the named value."""
    order = topological(roots)
    if not _is_read(order):
        return list(roots)
    users: dict[Expr, list[Expr]] = {}
    for x in order:
        for a in x.args:
            users.setdefault(a, []).append(x)
    done: dict[Expr, Expr] = {}
    for x in order:
        new = rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
        inside = x.op in (MUL, POW) and [user.op for user in users.get(x, [])] == [MUL]  # a product is taken as a whole
        done[x] = _RULES[new.op](new) if new.op in _RULES and not inside else new
        assert done[x].shape == x.shape, f"a stable form has another shape than {x}"
    return _one_exponential([done[x] for x in roots])


def _is_read(order: Sequence[Expr]) -> bool:
    """Whether there may be anything to recognise among the nodes: whatever overflows or cancels holds one of a few functions."""
    return any(x.op in _READ or (x.op is POW and isinstance(number(x.args[1]), Fraction)) for x in order)


def fragile(roots: Sequence[Expr]) -> bool:
    """Whether something is divided by a probability or by a sum of exponentials, which may be zero or infinite."""
    if not _is_read(topological(roots)):
        return False
    for x in topological(stable(roots)):
        t = number(x.args[1]) if x.op is POW else None
        if t is not None and not isinstance(t, sympy.Basic) and t < 0:
            base = inner(x.args[0])
            below = [base, _complement(base) or base, *map(inner, base.args)]
            if any(b.op in (SIGMOID, SOFTMAX, EXP) for b in below) or _weighted(base) is not None:
                return True
    return False


# ---- logarithms ----------------------------------------------------------------------------------------------------
def _logarithm(e: Expr) -> Expr:
    return _log(e.args[0]) or e


def _logarithm1p(e: Expr) -> Expr:
    return _log(add(1, inner(e.args[0]))) or e


def _log(of: Expr) -> Expr | None:
    """The logarithm of a product of exponentials, probabilities and sums of exponentials; None for anything else."""
    found: Expr = const(0)
    for f in parts_of(MUL, inner(of)):
        times = number(f.args[1]) if f.op is POW else None
        known = _log_of_factor(f if times is None else f.args[0])
        if known is None:
            return None
        found = add(found, known if times is None else mul(times, known))
    return found


def _log_of_factor(of: Expr) -> Expr | None:
    """The logarithm of an exponential, a probability, a sum of exponentials or a positive number; None for anything else."""
    x = inner(of)
    value = number(x)
    if value is not None:
        return BUILD["log"](value) if sympy.sympify(value).is_positive else None
    if x.op is EXP:
        return x.args[0]
    if x.op is SIGMOID:
        return neg(BUILD["softplus"](neg(x.args[0])))
    if x.op is SOFTMAX:
        return BUILD["log_softmax"](x.args[0], *x.params)
    if x.op is COSH:  # (exp(t) + exp(-t)) / 2
        (t,) = x.args
        return add(add(t, BUILD["softplus"](mul(-2, t))), neg(BUILD["log"](2)))
    if x.op in (SLICE, TRANSPOSE, UNVEC) and (inside := _log(x.args[0])) is not None:  # an entry of softmax(z)
        return rebuilt(x, (inside,))
    if x.op is MATMUL and x.args[0].op is TRANSPOSE and x.args[0].args[0].op is ONE_HOT:  # the entry that a number chooses
        inside = _log(x.args[1])
        return None if inside is None else rebuilt(x, (x.args[0], inside))
    if x.op is ADD and all(a.op is EXP for a in x.args) and neg(x.args[0].args[0]) is x.args[1].args[0]:  # 2 cosh(t)
        (t,) = x.args[0].args
        return add(t, BUILD["softplus"](mul(-2, t)))
    p = _complement(x)
    return neg(BUILD["softplus"](p.args[0])) if p is not None and p.op is SIGMOID else _summed(x)


def _summed(of: Expr) -> Expr | None:
    """log(1 + exp(t)), log(sum(exp(z))), and log(sum(p ∘ exp(z))) for probabilities p."""
    bare = node(LOG, (_unnamed(of),))
    found = composites.of_logarithm(bare)
    return _weighted(inner(of)) if found is bare else found


def _weighted(x: Expr) -> Expr | None:
    """log Σ pᵢ exp(zᵢ) is log Σ exp(zᵢ + log pᵢ)."""
    dot = x.op is MATMUL and x.shape == () and x.args[0].op is TRANSPOSE and x.args[0].args[0].shape == x.args[1].shape
    if x.op not in AXES and not dot:
        return None
    axis, inside = (None, [x.args[0].args[0], x.args[1]]) if dot else (AXES[x.op], [x.args[0]])
    factors = [f for e in inside for f in parts_of(MUL, inner(e))]
    if not all(inner(f).op in (EXP, SIGMOID, SOFTMAX) for f in factors):
        return None
    logarithms = [known for f in factors if (known := _log_of_factor(f)) is not None]
    whole = broadcast(reduce(add, logarithms), inner(inside[0]).shape)
    return BUILD["logsumexp"](whole, axis)


def _complement(x: Expr) -> Expr | None:
    """p, of 1 - p."""
    if x.op is not ADD:
        return None
    one, other = x.args if is_one(x.args[0]) else x.args[::-1]
    minus = other.op is MUL and number(other.args[0]) == -1
    return inner(other.args[1]) if is_one(one) and minus else None


# ---- products ------------------------------------------------------------------------------------------------------
def _product(e: Expr) -> Expr:
    """Quotients of exponentials as σ, softmax and tanh; of anything else, itself."""
    named: dict[Expr, Expr] = {}  # a base without names inside -> as it stands
    exponents: dict[Expr, Any] = {}
    for f in parts_of(MUL, e):
        t = number(f.args[1]) if f.op is POW else None
        base, times = (f.args[0], t) if t is not None else (f, 1)
        bare = _unnamed(base)
        named.setdefault(bare, base)
        exponents[bare] = exponents.get(bare, 0) + times
    found = composites.of_product(exponents)
    if found == exponents:
        return e
    result: Expr = const(1)
    for base, times in found.items():
        result = mul(result, power(named.get(base, base), times))
    return result if result.shape == e.shape else e


def _unnamed(x: Expr) -> Expr:
    """The expression without the names of its outermost parts: Σ e, with e = exp(z), is Σ exp(z)."""
    x = inner(x)
    if not x.args or len(x.args) > 2:
        return x
    return rebuilt(x, tuple(_bare(a) for a in x.args))


def _bare(x: Expr) -> Expr:
    below = inner(x)
    return below if below.op is EXP else x


# ---- one exponential for both ------------------------------------------------------------------------------------------
def _one_exponential(roots: list[Expr]) -> list[Expr]:
    """softmax(z) is exp(log_softmax(z)) where the latter is computed anyway."""
    order = topological(roots)
    known = {(x.args[0], x.params) for x in order if x.op is LOG_SOFTMAX}
    if not known:
        return roots
    done: dict[Expr, Expr] = {}
    for x in order:
        new = rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
        shared = x.op is SOFTMAX and (x.args[0], x.params) in known
        done[x] = BUILD["exp"](BUILD["log_softmax"](new.args[0], *new.params)) if shared else new
    return [done[x] for x in roots]


_READ = {EXP, LOG, LOG1P, SIGMOID, SOFTMAX, LOG_SOFTMAX, COSH, SINH, NORM, ABS, SIGN, GREATER, GREATER_EQUAL}
_RULES: dict[Operation, Callable[[Expr], Expr]] = {LOG: _logarithm, LOG1P: _logarithm1p, MUL: _product, POW: _product}
