"""Derivatives of a function that can only be called: steps of several lengths, and from each how far it may be trusted.

At a kink the differences to the right and to the left do not come together as the step shrinks. What keeps them apart counts as
uncertainty like rounding and truncation, so a claim at a kink passes over only if it lies between the two slopes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.numeric.differences import LARGER, Array, Move, along, entry
from matcalc.numeric.probes import FINE, KINKED, Probe, Probes, relative_error
from matcalc.numeric.rounding import EPS, NOISY

Value = Callable[[Array], float]

_SHRINK = (1, 64, 4096)
_CLOSER = tuple(4**k for k in range(7))  # where kinks lie between
_VAGUE = 0.1  # of the claim: what is not known better is asked again
_UNSEEN = 3  # kinks seen by a longer step, per length
_DIRECTIONS = 3  # each finds an entry where any is wrong


# ---- one derivative --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Look:
    """What steps of h and 2h say: the derivative, the parts of its uncertainty, and the slopes beyond h on either side."""

    h: float
    derivative: float
    rounding: float
    truncation: float
    kink: float  # half of what keeps the slopes of the two sides apart
    rise: float  # the largest change of the value at h
    near: tuple[float, float]  # the slopes up to h, to the right and to the left
    sides: tuple[float, float]
    bend: float  # how much further apart these slopes are for the longer step

    @property
    def slack(self) -> float:
        return self.rounding + self.truncation + self.kink


def _values(value: Value, move: Move, steps: Sequence[float]) -> tuple[list[float], list[float]]:
    """The values after the steps, and how far each led; one after the other, as a move may use the same memory again."""
    values, lengths = [], []
    for t in steps:
        array, apart = move(t)
        values.append(value(array))
        lengths.append(apart)
    return values, lengths


def _look(value: Value, move: Move, base: float, h: float, scatter: float, certain: bool = False) -> _Look | None:
    """``certain`` takes the measured scatter for what rounding is, and not a bound of it."""
    values, lengths = _values(value, move, (h, -h, 2 * h, -2 * h))
    (up, down, up2, down2), (a, b, a2, b2) = values, lengths
    if not np.isfinite(values).all() or not b2 < b < 0 < a < a2:
        return None
    largest = EPS * max(map(abs, (*values, base)))
    rounding = (8 * max(largest / 4, scatter) if certain else 10 * max(largest, scatter)) / (a - b)
    near, far = (up - down) / (a - b), (up2 - down2) / (a2 - b2)
    slopes = (up - base) / a, (down - base) / b
    gap, gap2 = slopes[0] - slopes[1], (up2 - base) / a2 - (down2 - base) / b2
    kink = max(0.0, abs(2 * gap - gap2) - 4 * rounding) / 2  # in a smooth function the gap shrinks with the step
    slope = near + (near - far) / 3 if kink <= FINE * abs(near) else near  # Richardson: the h² terms cancel
    sides = ((up2 - up) / (a2 - a), (down2 - down) / (b2 - b))
    rise = max(abs(up - base), abs(down - base))
    # The error is a third of this in a smooth function, and all of it where the second derivative jumps.
    return _Look(h, slope, rounding, abs(near - far), kink, rise, slopes, sides, abs(gap2 - gap))


def _agrees_at_once(value: Value, move: Move, claimed: float, base: float, step: float) -> Probe | None:
    (up, down), (a, b) = _values(value, move, (step, -step))
    if not (np.isfinite(up) and np.isfinite(down) and b < 0 < a):
        return None
    rounding = 10 * EPS * max(abs(up), abs(down), abs(base)) / (a - b)
    probe = Probe(claimed, (up - down) / (a - b), rounding, rounding)
    slopes = (up - base) / a, (down - base) / b
    near = abs(slopes[0] - slopes[1]) <= 1e-3 * max(map(abs, slopes)) + 8 * rounding
    return probe if near and probe.error <= FINE and rounding <= KINKED * abs(claimed) else None


def probed(
    value: Value, move: Move, claimed: float, base: float, lengths: Sequence[float], scatter: float, thorough: bool
) -> Probe:
    """One derivative, from steps of the given lengths (in units of the move), of which the surest is believed.

    A difference from the claim ends the search only where two lengths agree on it, or rounding is all that is left; if
    ``thorough``, nothing does.
    """
    looks: list[_Look] = []
    for h in lengths:
        look = _look(value, move, base, h, scatter)
        if look is None:
            continue
        looks.append(look)
        if thorough:
            continue
        probe = Probe(claimed, look.derivative, look.slack, look.rounding)
        if look.truncation + look.kink <= look.rounding:  # shorter steps know less
            break
        if probe.error <= FINE and look.slack <= KINKED * abs(claimed):
            break
        if len(looks) > 1 and _both_contradict(claimed, looks[-2], look):
            break
    if not looks:
        return _from_one_side(value, move, claimed, base, lengths, scatter)
    probe = _weighed(claimed, looks, thorough)
    settled = probe.error <= FINE and probe.slack <= _VAGUE * abs(claimed)
    if thorough or probe.skipped or probe.slopes is not None or settled or not _uneven(looks):
        return probe
    return _closer(value, move, probe, base, lengths, scatter)


def _weighed(claimed: float, looks: Sequence[_Look], thorough: bool) -> Probe:
    """The probe that the looks make, the longest first."""
    looks = _distrusted(looks)
    best, first, last = min(looks, key=lambda look: look.slack), looks[0], looks[-1]
    if thorough and any(look.kink > look.rounding for look in looks):
        # Long steps pass over kinks that rounding hides from short ones: a claim is off if every length contradicts it.
        best = min(looks, key=lambda look: (relative_error(claimed, look.derivative, look.slack), look.slack))
    if last.h < first.h / 50 and last.rise > 0.1 * first.rise and last.rise > 50 * last.rounding * last.h:
        return _at_a_jump(claimed, last)
    kinked = best.kink > best.rounding + best.truncation and best.kink > FINE * max(abs(claimed), abs(best.derivative))
    if not kinked:
        return Probe(claimed, best.derivative, best.slack, best.rounding)
    slopes = (min(best.sides), max(best.sides))
    between = abs(claimed - best.derivative) <= 1.01 * best.slack + best.bend + 4 * best.rounding
    skipped = "kink" if between else ""
    return Probe(claimed, best.derivative, best.slack, best.rounding, skipped, slopes)


def _distrusted(looks: Sequence[_Look]) -> list[_Look]:
    """The looks, the longest first; one that the next shorter contradicts is off by as much, as where kinks lie between.

    Where kinks were seen there may be more between, unseen: a difference over them is off in proportion to its length.
    """
    looks = sorted(looks, key=lambda look: -look.h)
    told = looks[-1:]
    for look in reversed(looks[:-1]):
        apart = abs(look.derivative - told[0].derivative) - told[0].slack
        told.insert(0, replace(look, truncation=max(look.truncation, apart)))
    slopes = [look.derivative for look in looks if look.rounding <= 0.5 * abs(look.derivative)]
    alike = bool(slopes) and max(slopes) - min(slopes) <= 0.6 * max(map(abs, slopes))  # else steps are longer than what happens
    if not alike or not any(look.kink > look.rounding + 1e-6 * abs(look.derivative) for look in looks):
        return told
    wary = told[:1]
    for k, look in enumerate(told[1:], 1):
        unseen = max(abs(longer.derivative - look.derivative) * look.h / longer.h for longer in told[:k])
        wary.append(replace(look, truncation=look.truncation + _UNSEEN * unseen))
    return wary


def _uneven(looks: Sequence[_Look]) -> bool:
    """Whether kinks were seen, or what they do: lengths that contradict each other."""
    pairs = zip(looks, looks[1:], strict=False)
    return any(look.kink > look.rounding for look in looks) or any(
        abs(one.derivative - other.derivative) > one.slack + other.slack for one, other in pairs
    )


def _closer(value: Value, move: Move, probe: Probe, base: float, lengths: Sequence[float], scatter: float) -> Probe:
    """A claim that is off where there are kinks, asked again at lengths between, down to those that rounding hides.

    What shorter steps contradict is off by as much. Where the surest length does not confirm the claim, a shorter one may, if it
    would have seen the difference: a kink lies within the first.
    """
    longest = min(lengths[:2])
    found = (_look(value, move, base, longest / k, scatter, certain=True) for k in _CLOSER)
    looks = [look for look in found if look is not None]
    if not looks:
        return probe
    seen = [_Seen(look.h, look.derivative, look.slack, look.rounding) for look in looks]
    told = [one.but(seen) for one in (*seen, *(side for look in looks for side in _sides(look)))]
    best = min(told, key=lambda one: one.slack)
    off = abs(probe.claimed - best.derivative)
    if off > best.slack:
        shorter = [one for one in told if one.h < best.h and one.slack < off / 2]
        best = next((one for one in shorter if abs(probe.claimed - one.derivative) <= one.slack), best)
    return Probe(probe.claimed, best.derivative, best.slack, best.rounding)


@dataclass(frozen=True)
class _Seen:
    """A derivative as steps of length h see it, and how far it may be off."""

    h: float
    derivative: float
    slack: float
    rounding: float

    def but(self, others: Sequence[_Seen]) -> _Seen:
        """The same, as far off as what shorter steps contradict in it."""
        shorter = (other for other in others if other.h < self.h)
        apart = max((abs(self.derivative - other.derivative) - other.slack for other in shorter), default=0.0)
        return replace(self, slack=self.slack + max(0.0, apart))


def _sides(look: _Look) -> list[_Seen]:
    """The slope to one side, where no kink lies on it: between 0 and h it is that between h and 2h."""
    near = [2 * look.near[k] - look.sides[k] for k in (0, 1)]  # at 0, of a parabola
    return [_Seen(look.h, near[k], 4 * look.rounding + 2 * abs(look.near[k] - look.sides[k]), 4 * look.rounding) for k in (0, 1)]


def _from_one_side(value: Value, move: Move, claimed: float, base: float, lengths: Sequence[float], scatter: float) -> Probe:
    """The slope to one side, at the edge of what the function is defined on; skipped if it does not settle, or there is none."""
    best = Probe(claimed, float("nan"), float("inf"), 0.0, "edge")
    for h in lengths:
        for side in (h, -h):
            values, apart = _values(value, move, (side, 2 * side, 4 * side))
            if not np.isfinite(values).all() or len({0.0, *apart}) < 4:
                continue
            near, middle, far = ((v - base) / a for v, a in zip(values, apart, strict=True))
            slope, longer = 2 * near - middle, 2 * middle - far
            rounding = 40 * max(EPS * max(map(abs, (*values, base))), scatter) / abs(apart[0])
            slack = rounding + 3 * abs(slope - longer)
            if slack < best.slack:
                best = Probe(claimed, slope, slack, rounding)
    if not best.slack <= 0.1 * max(abs(claimed), abs(best.numeric)) and best.slack > 1e-3:
        return replace(best, skipped="edge")
    return best


def _both_contradict(claimed: float, one: _Look, other: _Look) -> bool:
    consistent = abs(one.derivative - other.derivative) <= 3 * (one.slack + other.slack)
    return consistent and all(abs(claimed - look.derivative) > 20 * look.slack for look in (one, other))


def _at_a_jump(claimed: float, look: _Look) -> Probe:
    """At a jump there is no derivative; a claim between the slopes on its two sides is nobody's mistake."""
    low, high = min(look.sides), max(look.sides)
    slack = 2 * look.rounding + 1e-3 * max(abs(low), abs(high))
    if low - slack <= claimed <= high + slack:
        return Probe(claimed, (low + high) / 2, float("inf"), look.rounding, "jump", (low, high))
    return Probe(claimed, low if claimed < low else high, slack, look.rounding, "", (low, high))


# ---- one array -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Outside:
    """A function of one array that can only be called, and what is known of it: its value here and how that scatters."""

    value: Value
    at: Array
    base: float
    scatter: float
    size: float  # of the values, or of their changes where they are near zero
    step: float
    grain: Array  # how finely the claimed numbers are written, entry by entry: more than 0 if they were rounded to float32
    nearby: Callable[[], Iterable[tuple[Value, Array]]] = tuple  # the function and the array beside the point, here and there

    @cached_property
    def _work(self) -> Array:
        """A copy in which one entry after the other is moved: a copy for each would cost more than many functions."""
        return self.at.copy()

    @property
    def unspoiled(self) -> bool:
        """Whether the function left alone what it was handed."""
        return np.array_equal(self._work, self.at)

    def _entry(self, k: int) -> Move:
        """One entry moved, in units of max(1, |x|); the array is the same at every move."""
        work, x = self._work.reshape(-1), float(self.at.flat[k])
        scale = max(1.0, abs(x))

        def move(t: float) -> tuple[Array, float]:
            work[k] = x + t * scale
            return self._work, float(work[k]) - x

        return move

    def _lengths(self, scale: float, x: float) -> list[float]:
        """Steps to try, in units of the scale: longer ones where rounding is large, shorter ones for small and large entries."""
        relative = self.scatter / max(self.size, 1e-300)
        if relative > NOISY:
            longest = max(min(relative, 0.1) ** 0.2, self.step)
            return [longest / 3**k for k in range(7)]
        found = [max(self.step, LARGER), *(self.step / k for k in _SHRINK)]
        found += [self.step * small / scale for small in (abs(x), 1.0) if 0 < 8 * small < scale]
        return list(dict.fromkeys(found))

    def _probe(self, move: Move, claimed: float, scale: float, x: float) -> Probe:
        noisy = self.scatter > NOISY * self.size
        if not noisy:
            quick = _agrees_at_once(self.value, move, claimed, self.base, self.step)
            if quick is not None:
                return quick
        return probed(self.value, move, claimed, self.base, self._lengths(scale, x), self.scatter, noisy)

    def by_entry(self, k: int, claim: Array) -> Probe:
        """The derivative by one entry."""
        x = float(self.at.flat[k])
        probe = self._probe(self._entry(k), float(claim.flat[k]), max(1.0, abs(x)), x)
        self._work.reshape(-1)[k] = x
        probe = replace(probe, slack=probe.slack + float(self.grain.flat[k]))
        return self._by_convention(probe, k) if probe.slopes is not None and not probe.skipped else probe

    def _by_convention(self, probe: Probe, k: int) -> Probe:
        """Where several kinks meet, a claim may also be a slope beside the point: of relu at 0 all rows active, or none."""
        slopes, rounding = list(probe.slopes or ()), 0.0
        for value, at in self.nearby():
            (right, a), (left, b) = (entry(at, k)(t) for t in (1e-7, -1e-7))
            up, down = value(right), value(left)
            if np.isfinite(up) and np.isfinite(down):
                slopes.append((up - down) / (a - b))
                rounding = 10 * max(EPS * max(abs(up), abs(down)), self.scatter) / (a - b)
        low, high = min(slopes), max(slopes)
        near = 1e-3 * (high - low) + rounding
        return replace(probe, skipped="kink") if low - near <= probe.claimed <= high + near else probe

    def along(self, direction: Array, claim: Array) -> Probe:
        """The derivative along a direction."""
        probe = self._probe(along(self.at, direction), float(np.sum(claim * direction)), 1.0, 1.0)
        return replace(probe, slack=probe.slack + float(np.sum(self.grain * abs(direction))))


def looked_over(
    name: str, outside: Outside, claim: Array, entries: Sequence[int], rng: np.random.Generator, given: Mapping[str, Any]
) -> Probes:
    """Probes the given entries; through those that are left, random directions, of which a wrong one is halved to an entry."""
    at = outside.at
    found = {k: outside.by_entry(k, claim) for k in entries}
    left = np.ones(at.size, dtype=bool)
    left[list(entries)] = False
    rest = np.flatnonzero(left)
    directions = []
    for _ in range(_DIRECTIONS if rest.size else 0):
        signs = rng.choice([-1.0, 1.0], at.shape) * np.maximum(1, abs(at))

        def through(members: Array, signs: Array = signs) -> Probe:
            mask = np.zeros(at.size)
            mask[members] = 1
            return outside.along(signs * mask.reshape(at.shape), claim)

        probe = through(rest)
        directions.append(probe)
        if not (probe.skipped or probe.error <= FINE or _any_off(found)):
            k = _halved(rng.permutation(rest), through)
            found[k] = outside.by_entry(k, claim)
    return Probes(name, at, claim, dict(sorted(found.items())), tuple(directions), given)


def _any_off(found: Mapping[int, Probe]) -> bool:
    return any(not (p.skipped or p.error <= FINE) for p in found.values())


def _halved(members: Array, through: Callable[[Array], Probe]) -> int:
    """An entry that a wrong direction goes through: the half that is wrong, and half of that, until one is left."""
    while members.size > 1:
        half = members[: members.size // 2]
        probe = through(half)
        members = half if not probe.skipped and not probe.error <= FINE else members[members.size // 2 :]
    return int(members[0])
