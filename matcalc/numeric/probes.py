"""Probes, and the table of them: for every entry of an array what is claimed, what differences say, and how well they know it.

Verdict, worst entries, pattern, relation and picture are readings of that table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Array = Any  # np.ndarray

FINE, KINKED, WRONG = 1e-7, 1e-4, 1e-2  # CS231n: happy; usually okay where there are kinks; probably wrong
VAGUE = 0.1  # of a derivative: what is not known better is not confirmed
_ZERO = 1e-12  # a claim that is not larger is zero, but for rounding
_BY_CHANCE = 1e4  # times slack / size: the part of the entries that may lie near zero
_GAP = 100  # between the smallest entry that is told and the largest that is not: these are of another size
UNPROBED, PROBED, SKIPPED = 0, 1, 2  # the states of an entry


def relative_error(claimed: float, numeric: float, slack: float = 0.0) -> float:
    """|a - n| / max(|a|, |n|) as in CS231n; a difference within ``slack``, which the quotient cannot tell, is at most fine."""
    size, apart = max(abs(claimed), abs(numeric)), abs(claimed - numeric)
    if not np.isfinite(apart):
        return float("nan")
    if apart == 0:
        return 0.0
    return max(max(0.0, apart - slack) / size, min(apart, slack) / max(size, slack / FINE))


@dataclass(frozen=True)
class Probe:
    """One derivative, by an entry or along a direction: claimed and numeric, and how far the numeric one may be off.

    ``rounding`` is the part of ``slack`` that comes from rounding. ``skipped`` says why it is not judged: "kink", "jump" or "".
    ``slopes`` are those on the two sides of a kink or a jump, between which a claim passes over.
    """

    claimed: float
    numeric: float
    slack: float
    rounding: float
    skipped: str = ""
    slopes: tuple[float, float] | None = None

    @property
    def error(self) -> float:
        """The relative error."""
        return relative_error(self.claimed, self.numeric, self.slack)

    @property
    def measured(self) -> bool:
        """Whether the derivative rises above rounding."""
        return not max(abs(self.claimed), abs(self.numeric)) < self.rounding

    @property
    def vague(self) -> bool:
        """Whether too little is known of the derivative to confirm or to contradict the claim."""
        return self.claimed != self.numeric and self.slack > VAGUE * max(abs(self.claimed), abs(self.numeric))


@dataclass(frozen=True, eq=False)
class Probes:
    """The probes of one array: the entries by their flat index, and directions through entries that were not probed.

    ``claimed`` has the shape of the array. ``given`` are all values by name, from which what is found can be named, and
    ``others`` the probes of the other arrays, whose gradients may have been exchanged.
    """

    name: str
    at: Array
    claimed: Array
    entries: Mapping[int, Probe]
    directions: tuple[Probe, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    scatter: Array | None = None  # how far the last digits of the values scatter the claimed numbers, where that was asked
    others: Mapping[str, Probes] = field(default_factory=dict)  # those of the other arrays

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(np.shape(self.claimed))

    @property
    def judged(self) -> list[Probe]:
        """The probes that were not skipped."""
        return [p for p in (*self.entries.values(), *self.directions) if not p.skipped]

    @property
    def skipped(self) -> int:
        """How many probes were skipped at a kink or a jump."""
        return len(self.entries) + len(self.directions) - len(self.judged)

    @property
    def complete(self) -> bool:
        """Whether every entry was probed and judged."""
        return bool((self.state == PROBED).all())

    def _filled(self, start: Any, value: Any) -> Array:
        array = np.full(int(np.prod(self.shape)), start)
        for k, p in self.entries.items():
            array[k] = value(p)
        return array.reshape(self.shape)

    @cached_property
    def state(self) -> Array:
        """UNPROBED, PROBED or SKIPPED for every entry."""
        return self._filled(UNPROBED, lambda p: SKIPPED if p.skipped else PROBED)

    @cached_property
    def numeric(self) -> Array:
        """The numeric derivatives; NaN where none was taken."""
        return self._filled(np.nan, lambda p: np.nan if p.skipped else p.numeric)

    @cached_property
    def slack(self) -> Array:
        """How far the numeric derivatives may be off."""
        return self._filled(np.nan, lambda p: np.nan if p.skipped else p.slack)

    @cached_property
    def error(self) -> Array:
        """The relative errors; NaN where none is known, infinite where a number is not finite."""
        return self._filled(np.nan, lambda p: np.nan if p.skipped else np.inf if np.isnan(p.error) else p.error)

    @cached_property
    def wrong(self) -> Array:
        """Whether an entry was judged and found off."""
        return np.nan_to_num(self.error, nan=0.0, posinf=np.inf) > FINE

    @cached_property
    def telling(self) -> Array:
        """Whether an entry was judged, and an error of one per cent would show: a zero is as good as its double."""
        with np.errstate(invalid="ignore"):
            size = np.fmax(abs(self.claimed), abs(self.numeric))
            least = np.where(self.wrong, 1, 100) * np.fmax(self.slack, 1e-300)
            return (self.state == PROBED) & ~(size <= least)

    @cached_property
    def untold(self) -> dict[int, Probe]:
        """The entries of which too little is known to tell the claim from one that is a tenth off, and whose claim is not zero.

        A claim that the last digits of the values change as much as itself is a zero that was computed.
        """
        blur = np.zeros(self.claimed.size) if self.scatter is None else 4 * self.scatter.reshape(-1)
        return {k: p for k, p in self.entries.items() if not p.skipped and p.vague and abs(p.claimed) > max(_ZERO, blur[k])}

    @cached_property
    def lost(self) -> bool:
        """Whether entries are lost in rounding that are not merely the small ones of what was measured.

        Entries that spread over many sizes, as where a layer is saturated, reach below the rounding without a gap, or with one
        that is small beside their spread. If a wide gap lies between, or most are below it, they are of another size, and nothing
        is known of them, however well the others are.
        """
        measured = [p for k, p in self.entries.items() if not p.skipped and k not in self.untold and p.measured]
        told = [size for p in measured if (size := max(abs(p.claimed), abs(p.numeric))) > 0 and np.isfinite(size)]
        if not self.untold or len(self.untold) >= len(told):
            return bool(self.untold)
        slack = float(np.median([p.slack for p in self.untold.values()]))
        few = len(self.untold) <= _BY_CHANCE * slack / float(np.median(told)) * len(self.entries)
        gap = min(told) / max(abs(p.claimed) for p in self.untold.values())
        return not few and gap > max(_GAP, (max(told) / min(told)) ** 0.5)

    def index(self, k: int) -> tuple[int, ...]:
        """The index of a flat index."""
        return tuple(map(int, np.unravel_index(k, self.shape)))

    def worst(self, count: int) -> list[tuple[tuple[int, ...], Probe]]:
        """The entries with the largest errors, the largest difference first among equals."""
        judged = [(k, p) for k, p in self.entries.items() if not p.skipped]
        return [(self.index(k), p) for k, p in sorted(judged, key=lambda item: rank(item[1]), reverse=True)[:count]]


def rank(p: Probe) -> tuple[bool, float, float]:
    """By what the worst probe is found: what is not finite, the relative error, among wrong ones alike the difference."""
    return bool(np.isnan(p.error)), round(p.error, 6) if p.error > WRONG else p.error, abs(p.claimed - p.numeric)


def verdict(error: float, kinks: bool, measured: bool) -> str:
    """What CS231n says of a relative error; ``measured`` tells whether any derivative rose above rounding."""
    if np.isnan(error):
        return "not finite"
    if error <= FINE:
        return "fine" if measured else "zero to rounding"
    if error > WRONG:
        return "wrong"
    return "probably fine" if kinks and error <= KINKED else "suspicious"
