"""The inner functions of a scalar formula, named, so that a derivation takes the chain and product rules one by one."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.core.expression import Expr, Names, let, number, rebuilt, topological, variables
from matcalc.core.operations import MUL, POW

_LETTERS = ("p", "q", "r", "v", "w", "g")


def inner_named(s: Expr, x: Expr) -> Expr:
    """The same scalar with names for its scalar parts in x: arguments of functions, bases of powers and factors of products."""
    order = topological([s])
    depending = {x}
    for e in order:
        if any(a in depending for a in e.args):
            depending.add(e)
    wanted = {part for e in order if e in depending for part in _inner(e, depending)}
    names = Names({str(e.name) for e in variables([s])} | {e.op.text for e in order if e.op.user})
    done: dict[Expr, Expr] = {}
    for e in order:
        new = rebuilt(e, tuple(done[a] for a in e.args)) if e.args else e
        done[e] = let(names.take(*_LETTERS), new) if e in wanted else new
    return done[s]


def _inner(e: Expr, depending: set[Expr]) -> Iterator[Expr]:
    """The parts of a scalar operation that deserve a name."""
    parts = [a for a in e.args if a in depending and a.shape == () and a.args and not _reciprocal(a)]
    function = e.op.primes is not None and len(e.args) == 1
    if e.shape == () and (function or e.op is POW or (e.op is MUL and sum(a in depending for a in e.args) > 1)):
        yield from parts


def _reciprocal(e: Expr) -> bool:
    """Whether it is the lower half of a quotient, which is named without the bar."""
    exponent = number(e.args[1]) if e.op is POW else None
    return isinstance(exponent, int) and exponent < 0
