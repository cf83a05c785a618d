"""What makes the numeric gradient into the claimed one, where one thing does: a factor, another arrangement, something added.

Factors are named from what was given: a length of an array, a number. Only entries that can tell are asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from matcalc.numeric.factors import TOLD, Named, ratio
from matcalc.numeric.mistaken import exchanged, of_a_variance, summed, summed_elsewhere, without_labels
from matcalc.numeric.probes import Array, Probes
from matcalc.numeric.rounding import EPS

_NEAR = 1e-6
_BEYOND = 20  # times what the numeric gradient may be off: what is less may be its error


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
    zero = 64 * EPS * float(np.max(abs(t[asked])))
    if not np.any(abs(c) > zero) and np.any(wrong) and telling.sum() > 1:
        return Relation(_zeros(table))
    if not np.any(abs(c[asked]) > zero):
        return Relation("the claim is zero there" + ", to rounding" * bool(np.any(c[asked])))
    if not np.any(abs(t[asked]) > table.slack[asked]):
        return Relation("the numeric gradient is zero there")
    tolerance = _NEAR * float(np.max(abs(c[telling]))) + table.slack
    named = Named(table.given)
    if asked.sum() == 1 < telling.sum():
        named = Named({})  # one entry of many could be anything
        return _factor(table, asked, named)
    found = _factor(table, asked, named)
    if found is not None:
        return found
    for text in (
        exchanged(table, tolerance),
        _arranged(table, tolerance, named),
        summed_elsewhere(table, tolerance),
        _added(table, asked, tolerance, named),
        without_labels(table, tolerance, named),
        _scaled_along(table, telling, tolerance),
        summed(table, tolerance),
        of_a_variance(table, tolerance),
        _signs(table, asked, tolerance),
        _reordered(table, tolerance),
    ):
        if text:
            return Relation(text)
    return None


def _zeros(table: Probes) -> str:
    """The claim is zero; if it was computed, as a sum over everything may be, which is zero for a softmax."""
    if not np.any(table.claimed):
        return "the claim is zero everywhere"
    said = "the claim is zero everywhere, to rounding"
    total = table.complete and abs(float(np.sum(table.numeric))) <= 2 * float(np.sum(table.slack)) + _NEAR * float(
        np.sum(abs(table.numeric))
    )
    return (
        f"{said}, and so is the sum of all its true entries: summed over everything?"
        if total and table.claimed.size > 1
        else said
    )


# ---- factors -------------------------------------------------------------------------------------------------------
def _factor(table: Probes, asked: Array, named: Named) -> Relation | None:
    c, t, slack = table.claimed[asked], table.numeric[asked], table.slack[asked]
    tolerance = _NEAR * float(np.max(abs(c))) + slack
    r = ratio(c, t, tolerance)
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


def _arranged(table: Probes, tolerance: Array, named: Named) -> str:
    """Asked only where every entry was probed."""
    if not table.complete or table.claimed.size < 2:
        return ""
    c, t = table.claimed, table.numeric
    for words, arrange in arrangements(table.shape):
        a = arrange(t)
        r = ratio(c, a, tolerance + arrange(table.slack))
        if r is None or np.std(t) <= _BEYOND * float(np.sqrt(np.mean(tolerance**2))):
            continue
        factor = named.factor(r, 1e-5)
        shown = "" if factor and factor[0] == "1" else f", times {factor[0] if factor else f'{r:.6g}'}"
        if shown and factor is None:
            continue
        return f"the claim is the numeric gradient {words}{shown}"
    return ""


def _reordered(table: Probes, tolerance: Array) -> str:
    if not table.complete or table.claimed.size < 3:
        return ""
    c, t = np.sort(table.claimed, axis=None), np.sort(table.numeric, axis=None)
    same = bool((abs(c - t) <= 2 * float(np.max(tolerance))).all()) and np.ptp(t) > 1e3 * float(np.max(tolerance))
    return "the claim has the right numbers in another order" if same else ""


# ---- something added, scaled, summed ---------------------------------------------------------------------------------
def _added(table: Probes, asked: Array, tolerance: Array, named: Named) -> str:
    """A constant, or a multiple of an array that was given in this shape: a term of regularisation that is missing."""
    apart, near = (table.claimed - table.numeric)[asked], tolerance[asked]
    if apart.size < 2:
        return ""
    middle = float(apart[np.argmin(near)])
    if abs(middle) > _BEYOND * float(np.max(table.slack[asked])) and bool((abs(apart - middle) <= 2 * near).all()):
        return f"claimed = numeric {'−' if middle < 0 else '+'} {abs(middle):.6g}: a constant is added"
    for name, value in {table.name: table.at, **table.given}.items():
        array = np.asarray(value)
        if array.dtype.kind != "f" or array.shape != table.shape:
            continue
        r = ratio(apart, array[asked], 2 * near)
        if r is not None:
            numbers = (*named.by_numbers(), *named.twice())
            factor = next(((words, hint) for v, words, hint in numbers if abs(abs(r) - v) <= 1e-5 * v), None)
            shown = f"{factor[0] if factor else f'{abs(r):.6g}'} × {name}"
            why = f" ({factor[1]})" if factor else ""
            missing, twice = (", as of a regularisation", " counted twice") if factor else ("", "")
            if r < 0:
                return f"claimed = numeric − {shown}{why}: this term is missing{missing}"
            return f"claimed = numeric + {shown}{why}: this term is too much{missing}{twice}"
    return ""


def _scaled_along(table: Probes, telling: Array, tolerance: Array) -> str:
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
            r = ratio(c[here], t[here], tolerance[here]) if np.any(c[here]) else 0.0
            if r is None:
                break
            several = several or int(here.sum()) > 1
            ratios[k] = r
        else:
            off = [k for k, r in ratios.items() if abs(r - 1) > 1e-6]
            if several and len(off) > 1 and np.ptp(list(ratios.values())) <= TOLD * max(map(abs, ratios.values())):
                return _nearly(table, axis, np.array(list(ratios.values())))
            if several and len(off) > 1 and sum(int(telling.take(k, axis).sum()) > 1 for k in off) > 1:
                return _scaled(table, axis, ratios)
    return ""


def _nearly(table: Probes, axis: int, ratios: Array) -> str:
    """Factors that hardly differ; of those that are nearly 1, and on one side of it, that is what there is to say."""
    middle, apart = float(np.median(ratios)), abs(ratios - 1)
    if abs(middle - 1) > TOLD:
        return f"claimed = about {middle:.3g} × numeric"
    if not (np.all(ratios > 1) or np.all(ratios < 1)):
        return ""
    word = ("row", "column")[axis] if len(table.shape) == 2 else f"index of axis {axis}"
    side = "large" if middle > 1 else "small"
    return (
        f"every {word} is too {side} by a factor of its own, off by {np.min(apart):.1e} to {np.max(apart):.1e}: "
        "is a small constant left out, as an epsilon?"
    )


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


def _signs(table: Probes, asked: Array, tolerance: Array) -> str:
    c, t = table.claimed[asked], table.numeric[asked]
    if (
        c.size > 2
        and np.median(abs(t)) > _BEYOND * float(np.max(tolerance[asked]))
        and bool((abs(abs(c) - abs(t)) <= 2 * tolerance[asked]).all())
    ):
        return "the right numbers with wrong signs"
    return ""
