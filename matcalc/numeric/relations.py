"""What makes the numeric gradient into the claimed one, where one thing does: a factor, another arrangement, something added.

Factors are named from what was given: a length of an array, a number. Only entries that can tell are asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from matcalc.numeric.probes import Array, Probes

_NEAR = 1e-6
_TOLD = 0.02  # how far a factor may be unknown, relatively, and still be one
_BEYOND = 20  # times what the numeric gradient may be off: what is less may be its error
_LARGEST = 12  # of a whole number, or of the parts of a fraction, that is named for what it is


@dataclass(frozen=True)
class Relation:
    """A sentence without its stop, and of a factor the factor."""

    text: str
    factor: float | None = None


def relation(table: Probes, place: Array | None = None) -> Relation | None:
    """What relates the wrong entries of the claim, in a place, to the numeric ones, or array to array; None if nothing simple."""
    c, t, wrong, telling = table.claimed, table.numeric, table.wrong, table.telling
    if place is not None:
        wrong = wrong & place
    asked = wrong & telling & np.isfinite(c)
    if not asked.any() or not np.isfinite(c[wrong]).all():
        return None
    if not np.any(c) and np.any(wrong) and telling.sum() > 1:
        return Relation("the claim is zero everywhere")
    if not np.any(c[asked]):
        return Relation("the claim is zero there")
    if not np.any(abs(t[asked]) > table.slack[asked]):
        return Relation("the numeric gradient is zero there")
    tolerance = _NEAR * float(np.max(abs(c[telling]))) + table.slack
    named = Named(table.given)
    if asked.sum() == 1 < telling.sum():
        named = Named({})  # one entry of many could be anything
        return _factor(table, asked, named)
    for found in (
        _factor(table, asked, named),
        _arranged(table, tolerance, named),
        _added(table, asked, tolerance, named),
        _scaled_along(table, telling, tolerance, named),
        _summed(table, tolerance),
        _signs(table, asked, tolerance),
        _reordered(table, tolerance),
    ):
        if found is not None:
            return found
    return None


# ---- factors -------------------------------------------------------------------------------------------------------
def _ratio(c: Array, t: Array, tolerance: Array) -> float | None:
    """The number r with c = r t, or None."""
    square = float(np.sum(t * t))
    if not square > 0:
        return None
    r = float(np.sum(c * t)) / square
    if np.sum(np.broadcast_to(tolerance, t.shape) ** 2) > (_TOLD * r) ** 2 * square:
        return None  # anything would do
    return r if r and bool((abs(c - r * t) <= (1 + abs(r)) * tolerance).all()) else None


def _factor(table: Probes, asked: Array, named: Named) -> Relation | None:
    c, t, slack = table.claimed[asked], table.numeric[asked], table.slack[asked]
    tolerance = _NEAR * float(np.max(abs(c))) + slack
    r = _ratio(c, t, tolerance)
    if r is None:
        return None
    near = max(_NEAR, 3 * float(np.max(tolerance / np.maximum(abs(t), abs(c / r)))) if c.size == 1 else 1e-5)
    unknown = float(np.sqrt(np.sum(slack**2) / np.sum(t * t)))  # of the factor, relatively
    words = named.factor(r, max(near, 3 * unknown), single=c.size == 1)
    if words is not None and words[0] == "1":
        if abs(r - 1) <= 3 * (unknown + _NEAR / 100):
            return None
        words = None
    if c.size == 1 and (words is None or near > 1e-3):
        return None
    digits = 9 if abs(r - 1) < 1e-3 else 6
    shown, hint = words or (f"{r:.{max(3, min(digits, int(-np.log10(unknown + 1e-16))))}g}", "")
    if shown == "1":
        return None
    return Relation(f"claimed = {shown} × numeric" + (f": {hint}" if hint else ""), r)


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


# ---- arrangements ----------------------------------------------------------------------------------------------------
def arrangements(shape: tuple[int, ...]) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    """The ways in which entries go astray without changing the shape: transposed, reshaped, flipped, shifted."""
    axes = tuple(range(len(shape)))
    if len(shape) == 2 and shape[0] == shape[1]:
        yield "transposed", np.transpose
    for order in itertools.permutations(axes) if 2 < len(shape) <= 5 else ():
        if order != axes and tuple(shape[k] for k in order) == shape:
            yield f"its axes in the order {order}: transposed", partial(np.transpose, axes=order)
    if len(shape) >= 2:
        wanted = f"an array of shape {shape[::-1]} was reshaped where it is to be transposed"
        yield f"its entries read in another order: {wanted}", lambda t: t.T.reshape(shape)
        yield "its entries in column order, not in row order", lambda t: t.reshape(-1).reshape(shape, order="F")
    for flipped in dict.fromkeys([axes, axes[-2:], *((k,) for k in axes)]):
        if all(shape[k] > 1 for k in flipped) and flipped:
            hint = " (a convolution where a correlation belongs, or the other way round)" if len(flipped) == 2 else ""
            where = f"the axes {flipped}" if len(flipped) > 1 else f"axis {flipped[0]}"
            yield f"flipped along {where}{hint}", partial(np.flip, axis=flipped)
    for axis, by in itertools.product(axes, (1, -1)):
        if shape[axis] > 2:
            yield f"shifted by one{' back' if by < 0 else ''} along axis {axis}", partial(np.roll, shift=by, axis=axis)


def _arranged(table: Probes, tolerance: Array, named: Named) -> Relation | None:
    """Asked only where every entry was probed."""
    if not table.complete or table.claimed.size < 2:
        return None
    c, t = table.claimed, table.numeric
    for words, arrange in arrangements(table.shape):
        a = arrange(t)
        r = _ratio(c, a, tolerance + arrange(table.slack))
        if r is None or np.std(t) <= _BEYOND * float(np.sqrt(np.mean(tolerance**2))):
            continue
        factor = named.factor(r, 1e-5)
        shown = "" if factor and factor[0] == "1" else f", times {factor[0] if factor else f'{r:.6g}'}"
        if shown and factor is None:
            continue
        return Relation(f"the claim is the numeric gradient {words}{shown}")
    return None


def _reordered(table: Probes, tolerance: Array) -> Relation | None:
    if not table.complete or table.claimed.size < 3:
        return None
    c, t = np.sort(table.claimed, axis=None), np.sort(table.numeric, axis=None)
    same = bool((abs(c - t) <= 2 * float(np.max(tolerance))).all()) and np.ptp(t) > 1e3 * float(np.max(tolerance))
    return Relation("the claim has the right numbers in another order") if same else None


# ---- something added, scaled, summed ---------------------------------------------------------------------------------
def _added(table: Probes, asked: Array, tolerance: Array, named: Named) -> Relation | None:
    """A constant, or a multiple of an array that was given in this shape: a term of regularisation that is missing."""
    apart, near = (table.claimed - table.numeric)[asked], tolerance[asked]
    if apart.size < 2:
        return None
    middle = float(apart[np.argmin(near)])
    if abs(middle) > _BEYOND * float(np.max(table.slack[asked])) and bool((abs(apart - middle) <= 2 * near).all()):
        return Relation(f"claimed = numeric {'−' if middle < 0 else '+'} {abs(middle):.6g}: a constant is added")
    for name, value in {table.name: table.at, **table.given}.items():
        array = np.asarray(value)
        if array.dtype.kind != "f" or array.shape != table.shape:
            continue
        r = _ratio(apart, array[asked], 2 * near)
        if r is not None:
            numbers = (*named.by_numbers(), *named.twice())
            factor = next(((words, hint) for v, words, hint in numbers if abs(abs(r) - v) <= 1e-5 * v), None)
            shown = f"{factor[0] if factor else f'{abs(r):.6g}'} × {name}"
            why = f" ({factor[1]})" if factor else ""
            missing, twice = (", as of a regularisation", " counted twice") if factor else ("", "")
            if r < 0:
                return Relation(f"claimed = numeric − {shown}{why}: this term is missing{missing}")
            return Relation(f"claimed = numeric + {shown}{why}: this term is too much{missing}{twice}")
    return None


def _scaled_along(table: Probes, telling: Array, tolerance: Array, named: Named) -> Relation | None:
    """Every row with a factor of its own, every column, every index of an axis."""
    c, t, shape = table.claimed, table.numeric, table.shape
    for axis in range(len(shape)) if len(shape) > 1 else ():
        ratios: dict[int, float] = {}
        several = False
        for k in range(shape[axis]):
            here = np.zeros(shape, dtype=bool)
            here[(slice(None),) * axis + (k,)] = True
            here &= telling
            if not here.any():
                continue
            r = _ratio(c[here], t[here], tolerance[here]) if np.any(c[here]) else 0.0
            if r is None:
                break
            several = several or int(here.sum()) > 1
            ratios[k] = r
        else:
            off = [k for k, r in ratios.items() if abs(r - 1) > 1e-6]
            if several and len(off) > 1 and np.ptp(list(ratios.values())) <= _TOLD * max(map(abs, ratios.values())):
                return Relation(f"claimed = about {np.median(list(ratios.values())):.3g} × numeric")
            if several and len(off) > 1 and sum(int(telling.take(k, axis).sum()) > 1 for k in off) > 1:
                return Relation(_scaled(table, axis, ratios))
    return None


def _scaled(table: Probes, axis: int, ratios: Mapping[int, float]) -> str:
    word = ("row", "column")[axis] if len(table.shape) == 2 else f"index of axis {axis}"
    ks, rs = np.array(list(ratios)), np.array(list(ratios.values()))
    text = f"every {word} of the claim is a multiple of the numeric one, each with a factor of its own"
    for name, value in table.given.items():
        v = np.asarray(value)
        if v.dtype.kind not in "fiub" or v.size != table.shape[axis]:
            continue
        v = v.ravel().astype(float)[ks]
        with np.errstate(all="ignore"):
            for shown, candidate in ((name, v), (f"1/{name}", 1 / v), (f"{name}²", v * v), (f"1/{name}²", 1 / v**2)):
                if np.allclose(rs, candidate, rtol=1e-5, atol=1e-9):
                    return f"{text}: {shown}"
    return f"{text}: {', '.join(f'{r:.4g}' for r in rs[:4])}{', ...' if rs.size > 4 else ''}"


def _summed(table: Probes, tolerance: Array) -> Relation | None:
    """The sum or the mean along an axis, repeated along it."""
    if not table.complete:
        return None
    c, t = table.claimed, table.numeric
    for axis in range(c.ndim):
        n = c.shape[axis]
        for word, value in (("sum", t.sum(axis, keepdims=True)), ("mean", t.mean(axis, keepdims=True))):
            beyond = np.max(abs(value)) > _BEYOND * 2 * n * float(np.max(tolerance))
            if n > 1 and beyond and bool((abs(c - value) <= 2 * n * float(np.max(tolerance))).all()):
                return Relation(f"the claim holds the {word} of the numeric gradient along axis {axis}, again and again")
    return None


def _signs(table: Probes, asked: Array, tolerance: Array) -> Relation | None:
    c, t = table.claimed[asked], table.numeric[asked]
    if (
        c.size > 2
        and np.median(abs(t)) > _BEYOND * float(np.max(tolerance[asked]))
        and bool((abs(abs(c) - abs(t)) <= 2 * tolerance[asked]).all())
    ):
        return Relation("the right numbers with wrong signs")
    return None
