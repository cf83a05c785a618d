"""How much of a function's values is rounding, seen from outside, and how finely claimed numbers are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any  # np.ndarray of float64

EPS = float(np.finfo(np.float64).eps)
EPS32 = float(np.finfo(np.float32).eps)
NOISY = 1e-9  # relative scatter of the values from which on the function is not one in float64


def noise(value: Callable[[float], float]) -> float:
    """How far rounding scatters the values on a line: so far as three in four of their fourth differences.

    ``value(t)`` moves everything by about t, relatively. If the values do not change smoothly over short steps, longer ones are
    taken: a function that rounds to float32 is constant over the first. A kink or a jump disturbs four of seventeen differences.
    (Hamming's table, as in Moré and Wild's ECNoise.) If they are smooth over none, as in a softmax that is saturated,
    numbers of the size that the values have further away may have been rounded inside.
    """
    found, seen, smooth = 0.0, [], False
    for t in (1e-10 * np.pi, 1e-9, 1e-6, 1e-4):
        samples = [value(k * t) for k in range(-10, 11)]
        seen += samples
        scatter = float(np.quantile(abs(np.diff(samples, 4)), 0.75)) / (1.15 * 70**0.5)  # 70 = 1² + 4² + 6² + 4² + 1²
        if not np.isfinite(scatter):
            continue
        before, smooth = smooth, scatter < 0.1 * float(np.median(abs(np.diff(samples))))
        found = found if before and not smooth else max(found, scatter)
        if before:  # a staircase may look smooth at one length, as many digits at every step, so a second is asked
            smooth = True
            break
    seen += [value(t) for t in (1e-3, -1e-3, 1e-2, -1e-2)]
    if not smooth:
        near, least = further(value)
        found = max(found, EPS * near, least)
    elif found < EPS * max(map(abs, seen)):
        found = max(found, quantum(value))
    largest = float(np.max(np.abs(seen)))
    single = len(set(seen)) > 1 and all(float(np.float32(v)) == v for v in seen)  # each a number of float32
    return max(found, EPS32 * largest / 2) if single and np.isfinite(largest) else found


def quantum(value: Callable[[float], float]) -> float:
    """The last digit of a number that was rounded inside, if the values are whole multiples of it, far above their own; else 0.

    Values at irregular places: those of a line at regular ones are multiples of each other anyhow.
    """
    places = np.sort(np.random.default_rng(0).uniform(-1, 1, 24))
    for t in (1e-11, 1e-10, 1e-9, 1e-8):
        samples = np.unique([value(t * k) for k in places.tolist()])
        if samples.size < 4 or not np.isfinite(samples).all():
            continue
        rises = np.diff(samples)
        least = float(np.min(rises))
        even = np.max(abs(rises / least - np.round(rises / least))) < 0.02
        if even and least > 32 * EPS * float(np.max(abs(samples))):
            return least
    return 0.0


def further(value: Callable[[float], float]) -> tuple[float, float]:
    """How far the values change over moves up to the size of the arrays themselves, and the least change over longer ones, too.

    Where rounded numbers are all that is left, as in log(1 + e^-40), the least change is one digit of theirs; 0 if there is none
    so small.
    """
    base = value(0.0)
    lengths = np.geomspace(1e-3, 4, 24)
    apart = np.abs([[value(t) - base, value(-t) - base] for t in lengths.tolist()])
    apart = np.where(np.isfinite(apart), apart, 0.0)
    near, largest = float(np.max(apart[lengths <= 1])), float(np.max(apart))
    least = float(np.min(apart, where=apart > 0, initial=np.inf))
    return near, least if least <= NOISY * largest else 0.0


def grain(claim: Array, moved: Sequence[Array | None]) -> Array:
    """How finely claimed numbers are written, entry by entry, where that is less than float64.

    A number that was rounded once is as fine as its own digits. One that was computed so scatters by more: ``moved`` are the
    claims where every value was moved by its own last digit in float32. Where there are none, the largest entry counts for all.
    """
    if claim.dtype.kind != "f" or claim.dtype.itemsize >= 8:
        return np.zeros(claim.shape)
    size, eps = np.where(np.isfinite(claim), abs(claim.astype(np.float64)), 0.0), float(np.finfo(claim.dtype).eps)
    others = [other.astype(np.float64) for other in moved if other is not None and other.shape == claim.shape]
    if not others:
        return np.full(claim.shape, 8 * eps * float(np.max(size, initial=0.0)))
    apart = np.max([np.where(np.isfinite(other), abs(other - claim), 0.0) for other in others], axis=0)
    return np.asarray(8 * (eps * size + apart) + float(np.finfo(claim.dtype).tiny))
