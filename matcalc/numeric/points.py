"""Random points: a number for every size, an array for every leaf and a smooth function for every generic one.

Sizes are distinct primes, and other primes at every point, so that two shapes agree by accident nowhere, and a factor that is
a size shows as one. What is given (values as in ``evaluate``) is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from matcalc.core.expression import CONST, LEAF, Expr, topological
from matcalc.core.parts import row_numbers, rows_named
from matcalc.core.sizes import Size
from matcalc.errors import EvaluationError, MatcalcError
from matcalc.numeric.check import random_array, smooth
from matcalc.numeric.evaluate import Array, Given, Interpreter

_ORDERS = 4  # derivatives of a generic function that a point can give
_DRAWS = 4
_PARTS = 16  # into which roots are split where one of them has no value


@dataclass(frozen=True)
class Point:
    """Where expressions are evaluated: two-dimensional arrays by leaf, numbers by size, functions by name."""

    arrays: Mapping[Expr, Array]
    lengths: Mapping[Size, int]
    functions: Mapping[str, tuple[Callable[..., Any], ...]]
    random: bool = True  # whether another seed gives another point

    def __call__(self, roots: Sequence[Expr]) -> list[Array]:
        """The values of several expressions, two-dimensional."""
        with np.errstate(all="ignore"):
            run = Interpreter(roots, self.lengths, np.dtype(np.float64), self.functions, self.arrays)
            return run(self.arrays)

    def each(self, roots: Sequence[Expr]) -> list[Array | None]:
        """The same, with None for an expression that has no value here."""
        try:
            return list(self(roots))
        except (MatcalcError, ValueError, IndexError):
            if len(roots) == 1:
                return [None]
            few = -(-len(roots) // _PARTS)
            return [value for k in range(0, len(roots), few) for value in self.each(roots[k : k + few])]

    def moved(self, arrays: Mapping[Expr, Array]) -> Point:
        """The point with other arrays for some leaves."""
        return replace(self, arrays={**self.arrays, **arrays})

    def name(self, length: int) -> str:
        """The size that has this length here, else the number."""
        return next((str(s) for s, n in self.lengths.items() if n == length and getattr(s, "is_Symbol", False)), str(length))

    def length(self, size: Size) -> int:
        """The number that a size stands for here."""
        return size if isinstance(size, int) else int(self.lengths.get(size) or size.xreplace(dict(self.lengths)))


def at_random(
    roots: Sequence[Expr],
    seed: int = 0,
    values: Mapping[Any, Any] | None = None,
    least: Mapping[Size, int] | None = None,
    scale: float = 1,
) -> Point:
    """A point at which all the roots are finite; ``least`` are lower bounds of sizes, ``scale`` is how large real numbers are.

    EvaluationError if there is none among a few draws.
    """
    order = topological(roots)
    given = Given(roots, values or {}, complete=False)
    leaves = [e for e in order if e.op is LEAF and e not in given.arrays]
    numbers = row_numbers(roots)
    generic = sorted({e.op.text for e in order if e.op.user and e.op.body is None} - set(given.functions))
    lengths = _lengths(order, given.lengths, seed, {**rows_named(order), **(least or {})})
    for narrow, draw in ((narrow, draw) for narrow in (False, True) for draw in range(_DRAWS)):
        rng = np.random.default_rng([seed, draw])
        arrays = {e: a.astype(np.float64) for e, a in given.arrays.items()}
        found = Point(arrays, lengths, given.functions, bool(leaves or generic))
        drawn = {}
        for e in leaves:
            r, c = (found.length(size) for size in e.shape or (1, 1))
            drawn[e] = random_array(e, (r, c), rng, narrow, min(map(found.length, numbers.get(e, ())), default=0))
        arrays |= {e: a if narrow or e.params[1] or e in numbers else scale * a for e, a in drawn.items()}
        found = replace(found, functions={name: smooth(_ORDERS, rng, narrow) for name in generic} | dict(given.functions))
        if all(np.isfinite(a).all() for a in found(roots)):
            return found
    shown = ", ".join(str(r) for r in roots[:2])
    raise EvaluationError(f"{shown} has no finite value at random numbers; give values, or declare variables positive=True")


def _lengths(order: Sequence[Expr], known: Mapping[Size, int], seed: int, least: Mapping[Size, int]) -> dict[Size, int]:
    held = (size for e in order for size in (*e.shape, *(e.params if e.op is CONST else ())))
    symbols = {s for size in held if isinstance(size, sympy.Basic) for s in size.free_symbols}
    free = sorted(symbols - set(known), key=str)
    start = max([2, *(least.get(s, 0) - 1 for s in free)])
    primes = [p for p in sympy.primerange(start + 1, start + 30 * (len(free) + 4)) if p not in known.values()]
    shift = seed % 3
    chosen = primes[shift : shift + len(free)]
    for assigned in (chosen, chosen[::-1]) if seed % 2 == 0 else (chosen[::-1], chosen):
        lengths: dict[Size, int] = {**known, **dict(zip(free, assigned, strict=True))}
        if all(isinstance(n, int) or n in lengths or int(n.xreplace(lengths)) >= 1 for e in order for n in e.shape):
            return lengths
    raise EvaluationError(f"no sizes could be found for {', '.join(map(str, free))}; give values")
