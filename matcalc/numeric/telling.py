"""Points that tell expressions apart: where the truth is not zero, and on both sides of every kink.

Where a hinge is off everything agrees, and where it is never off its mask is not seen. A few draws see most; what they do not see
is looked for at many scales of the variables, and what is not found even then is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from matcalc.calculus.structure import sign
from matcalc.core.constructors import mul
from matcalc.core.expression import Expr, topological, variables
from matcalc.core.parts import row_numbers
from matcalc.errors import EvaluationError
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point, at_random

_TRIES, _SCALES = 30, (1, 1, 1, 3, 10)
_WITH_KINKS = 10  # points where there are kinks
_SEARCH, _DECADES = 400, 2.5  # points looked at for what was not seen, each variable scaled by up to so many decades
_CROSSED, _LINES, _HALVINGS = 4, 12, 9  # kinks that are crossed, lines that are tried, how near the two points are

Side = tuple[Expr, int]  # a kink, and the sign that it has on one side


class Telling(NamedTuple):
    """The points, those first where what is watched is not zero, and the sides of kinks on which none of them lies."""

    points: list[Point]
    unseen: list[Side]


def telling(
    roots: Sequence[Expr], watched: Expr, seed: int = 0, values: Mapping[Any, Any] | None = None, count: int = 3
) -> Telling:
    """``count`` points where ``watched`` is not zero, if there are such, and points on both sides of every kink of the roots."""
    found = _Found(roots, watched)
    for k in range(_TRIES):
        try:
            point = at_random([*roots, *found.kinks], seed + k, values, scale=_SCALES[k % len(_SCALES)])
        except EvaluationError:
            if k < count:
                raise
            continue
        found.look(point, count, keep=k < _WITH_KINKS and bool(found.kinks))
        if not point.random or (found.complete(count) and k + 1 >= _WITH_KINKS * bool(found.kinks)):
            break
    for point in _astride([*found.live][:1], found.kinks, seed) if not values else ():
        found.look(point, count, keep=True)
    given = bool(values)
    if not given and not found.complete(1) and (found.live or found.dead):
        for point in _scaled((found.live or found.dead)[0], roots, found, seed):
            found.look(point, count)
            if found.complete(1):
                break
    points = found.live + found.dead or [at_random(roots, seed, values)]
    return Telling(points, [] if given else [(found.kinks[i], side) for i, side in found.lacking])


class _Found:
    """The points found so far, and what has been seen at them."""

    def __init__(self, roots: Sequence[Expr], watched: Expr) -> None:
        kinks = dict.fromkeys(x.op.kink(*x.args, *x.params) for x in topological(roots) if x.op.kink is not None)
        self.kinks = [e for e in kinks if isinstance(e, Expr)]
        self.watched = watched
        self.live: list[Point] = []
        self.dead: list[Point] = []
        self.seen: set[tuple[int, int]] = set()
        # What is never negative has one side only.
        self.sides = {(i, side) for i, e in enumerate(self.kinks) for side in (-1, 1) if not sign(mul(-side, e))}

    def look(self, point: Point, count: int, keep: bool = False) -> None:
        """Keeps the point if something is seen there that was not seen before, or if more points are wanted."""
        value, *sides = point([self.watched, *self.kinks])
        new = {(i, int(s)) for i, side in enumerate(sides) for s in np.unique(np.sign(side)) if s} - self.seen
        alive = bool(np.any(value))
        if new or (alive and len(self.live) < count) or keep:
            (self.live if alive else self.dead).append(point)
            self.seen |= new

    @property
    def lacking(self) -> list[tuple[int, int]]:
        """The sides that there may be and that were not seen; without any point where something is to be seen, all."""
        return sorted(self.sides - self.seen if self.live else self.sides)

    def complete(self, count: int) -> bool:
        """Whether there are points enough."""
        return len(self.live) >= count and not self.lacking


def _scaled(start: Point, roots: Sequence[Expr], found: _Found, seed: int) -> Iterator[Point]:
    """The point with its variables made larger and smaller by up to some decades, and turned round, each on its own."""
    rng = np.random.default_rng([seed, _SEARCH])
    numbers = row_numbers(roots)
    free = [e for e in variables([*roots, *found.kinks]) if e in start.arrays and e not in numbers]
    for _ in range(_SEARCH):
        point = start.moved({e: _at_scale(e, start.arrays[e], rng) for e in free})
        if all(np.isfinite(a).all() for a in point([*roots, *found.kinks])):
            yield point


def _astride(starts: Sequence[Point], kinks: Sequence[Expr], seed: int) -> Iterator[Point]:
    """Points a little before and behind a kink, where masks differ that are alike elsewhere: a margin that was left out."""
    rng = np.random.default_rng([seed, _CROSSED])
    for start in starts:
        for kink in kinks[:_CROSSED]:
            free = [e for e in variables([kink]) if e in start.arrays and set(e.params[1]) <= {"positive"}]
            if crossing := _crossing(start, kink, [e for e in free if e not in row_numbers([kink])], rng):
                yield from crossing


def _crossing(start: Point, kink: Expr, free: Sequence[Expr], rng: np.random.Generator) -> tuple[Point, Point] | None:
    """Two near points with the first entry of the kink on either side, on a line from the start; None if no line crosses it."""

    def side(point: Point) -> float:
        value = point.each([kink])[0]
        return np.nan if value is None or not value.size else float(np.sign(value.flat[0]))

    here = side(start)
    for _ in range(_LINES):
        ends = {e: rng.normal(size=start.arrays[e].shape) for e in free}
        ends = {e: np.abs(a) if e.params[1] else a for e, a in ends.items()}

        def at(t: float, ends: Mapping[Expr, Array] = ends) -> Point:
            return start.moved({e: (1 - t) * start.arrays[e] + t * a for e, a in ends.items()})

        if here * side(at(1.0)) != -1:
            continue
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if side(at(middle)) == here else (low, middle)
        return at(low), at(high)
    return None


def _at_scale(e: Expr, array: Array, rng: np.random.Generator) -> Array:
    """The array at another scale, as far as what is assumed of the variable allows: a positive one stays positive."""
    factor = 10 ** rng.uniform(-_DECADES, _DECADES)
    held = e.params[1]
    if not held:
        return array * (factor if rng.random() < 0.5 else -factor)
    return array * factor if set(held) <= {"positive", "positive_definite", "symmetric", "diagonal"} else array
