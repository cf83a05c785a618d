"""Functions as people compute them, in steps: log softmax(z) as the logarithm of the softmax, so that each step can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.answers.mistake import replaced
from matcalc.core.constructors import add, power, total
from matcalc.core.expression import LET, Expr, const, let, node, rebuilt, topological
from matcalc.core.operations import TABLE


def _log(x: Expr) -> Expr:
    return node(TABLE["log"], (x,))  # as it stands: not brought to a stable form


def _summed(x: Expr, axis: int | None) -> Expr:
    return total(x) if axis is None else node(TABLE[f"sum{axis}"], (x,))


_STEPS: dict[Any, Callable[..., Expr]] = {
    TABLE["log_softmax"]: lambda z, axis: _log(node(TABLE["softmax"], (z,), (axis,))),
    TABLE["logsumexp"]: lambda z, axis: _log(_summed(node(TABLE["exp"], (z,)), axis)),
    TABLE["softplus"]: lambda z: _log(add(const(1), node(TABLE["exp"], (z,)))),
    TABLE["logdet"]: lambda a: _log(node(TABLE["det"], (a,))),
}


def unfolded(e: Expr) -> Expr:
    """The expression with such functions in steps, inside named parts too; the names stay."""
    done: dict[Expr, Expr] = {}
    for x in topological([e]):
        args = tuple(done[a] for a in x.args)
        if x.op in _STEPS:
            done[x] = _STEPS[x.op](*args, *x.params)
        else:
            done[x] = let(x.params[0], args[0]) if x.op is LET else rebuilt(x, args) if args else x
    return done[e]


def by_cosh(g: Expr) -> Expr:
    """The gradient with 1/cosh² in place of 1 − tanh², as many write it."""
    table: dict[Expr, Expr] = {}
    for e in topological([g]):
        inner = e.args[0] if e.op is LET else e
        if inner.op is TABLE["tanh"]:
            table[1 - e**2] = power(node(TABLE["cosh"], inner.args), -2)
    return replaced(g, table) if table else g
