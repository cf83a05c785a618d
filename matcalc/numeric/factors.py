"""Factors between two arrays, and the words for them: a sign, a length of an array, a number that was given."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from matcalc.numeric.probes import Array

TOLD = 0.02  # how far a factor may be unknown, relatively, and still be one
_LARGEST = 12  # of a whole number, or of the parts of a fraction, that is named for what it is


def ratio(c: Array, t: Array, tolerance: Array) -> float | None:
    """The number r with c = r t, or None."""
    square = float(np.sum(t * t))
    if not square > 0:
        return None
    r = float(np.sum(c * t)) / square
    if np.sum(np.broadcast_to(tolerance, t.shape) ** 2) > (TOLD * r) ** 2 * square:
        return None  # anything would do
    return r if r and bool((abs(c - r * t) <= (1 + abs(r)) * tolerance).all()) else None


@dataclass(frozen=True)
class Named:
    """Numbers that were given, by the words for them: lengths of arrays, single numbers."""

    given: Mapping[str, Any]

    def lengths(self) -> dict[int, str]:
        """Every length greater than one, and whose it is: N = 10 of X.shape[0], y.shape[0]."""
        found: dict[int, list[str]] = {}
        for name, value in self.given.items():
            array = np.asarray(value) if isinstance(value, (np.ndarray, list, tuple)) else np.zeros(())
            for axis, n in enumerate(array.shape):
                if n > 1:
                    found.setdefault(int(n), []).append(f"{name}.shape[{axis}]")
            if array.ndim > 1 and array.size > 1:
                found.setdefault(int(array.size), []).append(f"{name}.size")
        return {n: " = ".join(names[:3]) for n, names in found.items()}

    def numbers(self) -> dict[float, str]:
        """The single numbers."""
        found: dict[float, str] = {}
        for name, value in self.given.items():
            array = np.asarray(value) if isinstance(value, (int, float, np.generic, np.ndarray)) else np.zeros(3)
            if array.ndim == 0 and array.dtype.kind in "fiu" and np.isfinite(array) and float(array) not in (0, 1):
                found.setdefault(float(array), name)
        return found

    def factor(self, r: float, near: float, single: bool = False) -> tuple[str, str] | None:
        """A factor in words, and what it may come from; None if it is no number that has a name."""
        sign, size = "−" if r < 0 else "", abs(r)

        def is_(value: float) -> bool:
            return abs(size - value) <= near * value

        if is_(1):
            return ("−1", "the sign is wrong") if r < 0 else ("1", "")
        if is_(2) or is_(0.5):
            fitting = [who for n, who in self.lengths().items() if n == 2]
            return f"{sign}{'2' if is_(2) else '1/2'}", f"or the length {fitting[0]}" if fitting else ""
        simple = [*self.by_numbers(), *self._by_lengths()]
        for most, named in ((1, simple), (4, [*self._made_of_lengths(), *(() if single else self.twice())]), (_LARGEST, [])):
            q = Fraction(size).limit_denominator(most)
            if most > 1 and not single and near <= 1e-4 and is_(float(q)) and 0 < q.numerator <= most:
                return f"{sign}{q}", ""
            for value, words, hint in named if near <= 1e-4 else ():
                if is_(value):
                    return f"{sign}{words}", hint
        return None

    def by_numbers(self) -> Iterator[tuple[float, str, str]]:
        """What the single numbers make: value, words, and what the words stand for."""
        for v, name in self.numbers().items():
            yield abs(v), f"{name}", f"{name} = {v:g}"
            yield 1 / abs(v), f"1/{name}", f"{name} = {v:g}"
            if 0 < v < 1:
                yield 1 - v, f"(1 − {name})", f"{name} = {v:g}"
                yield 1 / (1 - v), f"1/(1 − {name})", f"{name} = {v:g}"

    def twice(self) -> Iterator[tuple[float, str, str]]:
        """Twice the single numbers."""
        for v, name in self.numbers().items():
            yield 2 * abs(v), f"2 {name}", f"{name} = {v:g}"

    def _by_lengths(self) -> Iterator[tuple[float, str, str]]:
        lengths = self.lengths()
        for n, who in lengths.items():
            yield n, f"{n}", f"{n} = {who}; a mean is differentiated as a sum"
            yield 1 / n, f"1/{n}", f"{n} = {who}; a sum is differentiated as a mean, or divided by {n} twice"

    def _made_of_lengths(self) -> Iterator[tuple[float, str, str]]:
        lengths = self.lengths()
        for n, who in lengths.items():
            yield 2 * n, f"2·{n}", f"{n} = {who}"
            yield 2 / n, *_quotient(2, n, f"{n} = {who}")
            yield n / 2, *_quotient(n, 2, f"{n} = {who}")
            yield n**0.5, f"√{n}", f"{n} = {who}"
            yield n**-0.5, f"1/√{n}", f"{n} = {who}"
            yield n / (n - 1), f"{n}/{n - 1}", f"{n} = {who}; n or n − 1 in a variance"
            yield (n - 1) / n, f"{n - 1}/{n}", f"{n} = {who}; n or n − 1 in a variance"
            yield (n / (n - 1)) ** 0.5, f"√({n}/{n - 1})", f"{n} = {who}; n or n − 1 in a variance"
            yield ((n - 1) / n) ** 0.5, f"√({n - 1}/{n})", f"{n} = {who}; n or n − 1 in a variance"
        for (n, a), (m, b) in itertools.combinations_with_replacement(lengths.items(), 2):
            yield n * m, f"{n}·{m}", f"{n} = {a}, {m} = {b}" if n != m else f"{n} = {a}"
            yield 1 / (n * m), f"1/({n}·{m})", f"{n} = {a}, {m} = {b}" if n != m else f"{n} = {a}"
            if n != m:
                yield n / m, *_quotient(n, m, f"{n} = {a}, {m} = {b}")
                yield m / n, *_quotient(m, n, f"{n} = {a}, {m} = {b}")


def _quotient(n: int, m: int, hint: str) -> tuple[str, str]:
    """A quotient in lowest terms, and where it comes from."""
    q = Fraction(n, m)
    return (f"{n}/{m}", hint) if q.denominator == m else (str(q), f"{n}/{m} with {hint}")
