"""What a computation costs, in multiplications, as a polynomial in the sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from matcalc import sizes
from matcalc.expression import CONST, Expr, number, topological
from matcalc.local import letter_sizes
from matcalc.operations import MUL, POW


def multiplications(roots: Iterable[Expr], given: Iterable[Expr] = ()) -> Any:
    """The scalar multiplications and divisions to compute the roots, each shared part once; ``given`` nodes are free."""
    known = set(topological(list(given)))
    total: Any = sympy.Integer(0)
    for e in topological(list(roots), lambda x: x not in known):
        if e not in known:
            total += _of(e)
    return sympy.expand(total)


def _of(e: Expr) -> Any:
    if e.op is MUL:
        a, b = e.args
        free = any(x.op is CONST and x.params[1] in (1, -1) for x in (a, b))
        return 0 if free else sizes.count(e.shape)
    if e.op is POW:
        t = number(e.args[1])
        times = abs(t) - 1 + (1 if t < 0 else 0) if isinstance(t, int) else 1
        return times * sizes.count(e.shape)
    if e.op.signature is not None and len(e.args) > 1:
        result: Any = sympy.Integer(1)
        for length in letter_sizes(e).values():
            result *= length
        return result
    return 0
