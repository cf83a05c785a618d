"""What a computation costs, in multiplications, as a polynomial in the sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sympy

from matcalc.calculus.local import letter_sizes
from matcalc.core.expression import CONST, Expr, number, topological
from matcalc.core.operations import MUL, POW


def multiplications(roots: Iterable[Expr], given: Iterable[Expr] = ()) -> Any:
    """The scalar multiplications and divisions to compute the roots, each shared part once; ``given`` nodes are free."""
    known = set(topological(list(given)))
    counted = Counter(_of(e) for e in topological(list(roots), lambda x: x not in known) if e not in known)
    return sympy.expand(sympy.Add(*(times * sympy.Mul(*lengths) for lengths, times in counted.items())))


def _of(e: Expr) -> tuple[Any, ...]:
    """The lengths whose product is the number of multiplications of one node."""
    if e.op is MUL:
        free = any(x.op is CONST and x.params[1] in (1, -1) for x in e.args)
        return (0,) if free else e.shape
    if e.op is POW:
        t = number(e.args[1])
        times = abs(t) - 1 + (1 if t < 0 else 0) if isinstance(t, int) else 1
        return (times, *e.shape)
    if e.op.signature is not None and len(e.args) > 1:
        return tuple(letter_sizes(e).values())
    return (0,)
