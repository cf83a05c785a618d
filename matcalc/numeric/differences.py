"""Central differences, and how much they know.

A difference quotient has an error of its own: rounding, which grows as the step shrinks, and truncation, which grows with it.
Where it does not agree with the claimed derivative at once, it is taken again with two larger steps and extrapolated
(Richardson), and what it cannot know is not held against the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcalc.errors import CheckError
from matcalc.numeric.probes import FINE, KINKED, Probe, Probes
from matcalc.numeric.rounding import EPS

Array = Any  # np.ndarray of float64
STEP = EPS ** (1 / 3)  # balances rounding and truncation of a central difference
LARGER = 1e-4  # the step of the second look
_NOISIEST = 1e-12

Sample = tuple[float, bytes]  # a value, and on which side of every kink it was taken
Value = Callable[[Array], Sample]
Move = Callable[[float], tuple[Array, float]]  # the point moved by so much, and by how much exactly


@dataclass(frozen=True)
class Quotient:
    """A central difference: the numeric derivative, how much of it is rounding, and whether a kink lies between."""

    derivative: float
    rounding: float
    kink: bool


def _quotient(value: Value, move: Move, h: float, noise: float) -> Quotient:
    (right, a), (left, b) = move(h), move(-h)
    (up, side), (down, other) = value(right), value(left)
    return Quotient((up - down) / (a - b), 10 * max(EPS * max(abs(up), abs(down)), noise) / (a - b), side != other)


def _noise(value: Value, at: Array, rng: np.random.Generator) -> float:
    """How far rounding scatters the value: what fourth differences see at steps so small that the function is a line.

    It may be more than the value's own last digit, where large numbers cancel. (Hamming's table, as in Moré and Wild's ECNoise.)
    A jump or a kink between the steps is not noise, so the answer is bounded, and 0 where a kink is known.
    """
    direction = 1e-9 * rng.uniform(0.5, 1.0, at.shape) * np.maximum(1, abs(at))
    samples, sides = zip(*(value(at + k * direction) for k in range(-4, 5)), strict=True)
    fourth = np.diff(samples, 4)
    if len(set(sides)) > 1 or not np.isfinite(fourth).all():
        return 0.0
    scatter = float(np.sqrt(np.mean(fourth**2) / 70))  # 70 = 1² + 4² + 6² + 4² + 1²
    return min(scatter, _NOISIEST * max(1.0, abs(samples[4])))


def entry(at: Array, k: int) -> Move:
    """One entry moved, in units of max(1, |x|)."""
    scale = max(1.0, abs(float(at.flat[k])))

    def move(t: float) -> tuple[Array, float]:
        moved = at.copy()
        moved.flat[k] += t * scale
        return moved, float(moved.flat[k]) - float(at.flat[k])

    return move


def along(at: Array, direction: Array) -> Move:
    """All entries moved at once."""
    return lambda t: (at + t * direction, t)


def _probe(value: Value, move: Move, claimed: float, step: float, noise: float) -> Probe:
    first = _quotient(value, move, step, noise)
    if first.kink:
        return Probe(claimed, first.derivative, np.inf, first.rounding, "kink")
    probe = Probe(claimed, first.derivative, first.rounding, first.rounding)
    if probe.error <= FINE and first.rounding <= KINKED * abs(claimed):
        return probe
    near, far = (_quotient(value, move, h, noise) for h in (max(step, LARGER), 2 * max(step, LARGER)))
    if near.kink or far.kink or not np.isfinite(near.derivative + far.derivative):
        return probe
    numeric = near.derivative + (near.derivative - far.derivative) / 3  # the h² terms cancel
    slack = near.rounding + abs(near.derivative - far.derivative) / 3
    return Probe(claimed, numeric, slack, near.rounding)


def compared(
    name: str, shape: tuple[int, ...], value: Value, at: Array, claim: Array, step: float, entries: Sequence[int],
    rng: np.random.Generator,
) -> Probes:  # fmt: skip
    """Probes the given entries of one variable; if they are not all, a random direction through all of them too."""
    noise = _noise(value, at, rng)
    directions: tuple[Probe, ...] = ()
    if len(entries) < at.size:
        direction = rng.choice([-1.0, 1.0], at.shape) * np.maximum(1, abs(at))
        directions = (_probe(value, along(at, direction), float(np.sum(claim * direction)), step, noise),)
    found = {k: _probe(value, entry(at, k), float(claim.flat[k]), step, noise) for k in entries}
    return Probes(name, at.reshape(shape), claim.reshape(shape), found, directions)


def chosen(counts: Sequence[int], budget: int, rng: np.random.Generator) -> list[list[int]]:
    """Which entries of each variable are probed: all within the budget, else a sample that leaves out no variable."""
    if sum(counts) <= budget:
        return [list(range(n)) for n in counts]
    share = max(1, budget // len(counts))
    return [list(range(n)) if n <= share else sorted(rng.choice(n, share, replace=False).tolist()) for n in counts]


def checked_count(name: str, value: int, least: int) -> int:
    """A whole number of at least so much; CheckError for anything else."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise CheckError(f"{name} is a whole number, at least {least}, but got {value!r}")
    return int(value)


def checked_step(step: float | None) -> float:
    """The step, or the default for None; CheckError for what is no step."""
    if step is None:
        return STEP
    if isinstance(step, bool) or not isinstance(step, (int, float, np.floating)) or not 1e-12 < step < 1:
        raise CheckError(f"a step is a small positive number such as 1e-4, but got {step!r}")
    return float(step)
