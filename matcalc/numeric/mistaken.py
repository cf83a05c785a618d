"""What a claimed gradient is instead: that by another array, a sum along another axis, the right one without a term.

Each is found by what else is known: the other gradients, the values that were given. Only arrays of which every entry was probed
are asked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from matcalc.numeric.factors import Named, ratio
from matcalc.numeric.probes import Array, Probes

_BEYOND = 20  # times the tolerance: what is less tells nothing
_MOST = 10**7  # entries of labels times those of the array: beyond, no product of them is formed
_FEWEST = 4  # rows of which a term of the variance can be told


def exchanged(table: Probes, tolerance: Array) -> str:
    """The gradient by another array of the same shape, as where the entries of a tuple are in another order."""
    for name, other in table.others.items():
        if other.shape != table.shape or not other.complete or not table.complete:
            continue
        near = tolerance + other.slack
        if _same(table.claimed, other.numeric, near) and not _same(table.numeric, other.numeric, _BEYOND * near):
            both = _same(other.claimed, table.numeric, near)
            return f"that is the gradient by {name}" + (
                f", and the other way round: {table.name} and {name} are exchanged" * both
            )
    return ""


def summed_elsewhere(table: Probes, tolerance: Array) -> str:
    """The sum of a known array along one axis, or of all of it, where the numeric gradient is its sum along another."""
    if not table.complete or not table.shape:
        return ""
    known = {name: (np.asarray(v), 0.0) for name, v in table.given.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
    for name, other in table.others.items():
        if other.complete:
            known[f"the gradient by {name}"] = (other.numeric, float(np.max(other.slack, initial=0.0)))
    for name, (array, slack) in known.items():
        near = 2 * float(np.max(tolerance)) + array.size * slack
        axes = range(array.ndim if array.ndim > 1 else 0)
        sums = {k: _shaped(array.sum(axis=k), table.shape) for k in axes}
        right = next((k for k, s in sums.items() if s is not None and _same(table.numeric, s, near)), None)
        if right is None:
            continue
        wrong = next((k for k, s in sums.items() if k != right and s is not None and _same(table.claimed, s, near)), None)
        if wrong is not None:
            return f"the claim is {name} summed over axis {wrong} where axis {right} belongs"
        if _same(table.claimed, array.sum(), near) and np.any(abs(table.claimed - table.numeric) > _BEYOND * near):
            return f"the claim is {name} summed over everything where axis {right} belongs"
    return ""


def summed(table: Probes, tolerance: Array) -> str:
    """The sum or the mean of the numeric gradient along an axis, or of all of it, repeated."""
    if not table.complete:
        return ""
    c, t, near = table.claimed, table.numeric, float(np.max(tolerance, initial=0.0))
    for axis in (*(range(c.ndim) if c.ndim > 1 else ()), None):
        n = c.size if axis is None else c.shape[axis]
        for word, value in (("sum", t.sum(axis, keepdims=True)), ("mean", t.mean(axis, keepdims=True))):
            beyond = np.max(abs(value)) > _BEYOND * 2 * n * near
            if n > 1 and beyond and _same(c, value, 2 * n * near):
                if axis is None:
                    what = "summed" if word == "sum" else "averaged"
                    return f"every entry of the claim is the {word} of the whole numeric gradient: {what} over everything"
                return f"the claim holds the {word} of the numeric gradient along axis {axis}, again and again"
    return ""


def without_labels(table: Probes, tolerance: Array, named: Named) -> str:
    """The numeric gradient but for a term of the labels or the targets: p − y without the y."""
    if not table.complete or table.claimed.size < 2:
        return ""
    apart = table.claimed - table.numeric
    for labels, words, array in _of_labels(table):
        r = ratio(apart, array, 2 * tolerance)
        factor = None if r is None else named.factor(abs(r), 1e-5)
        if r is None or factor is None:
            continue
        shown = words if factor[0] == "1" else f"{factor[0]} × {words}"
        missing = f": the term of {labels} is missing" if factor[0] == "1" or factor[0].startswith("1/") else ""
        return f"claimed = numeric {'−' if r < 0 else '+'} {shown}{missing}"
    return ""


def _of_labels(table: Probes) -> Iterator[tuple[str, str, Array]]:
    """Terms in the shape of the array that labels or targets make: their name, words, and the term."""
    shape = table.shape
    rows = {name: v for name, v in table.given.items() if isinstance(v, (np.ndarray, list)) and np.ndim(v) and name != table.name}
    matrices = {name: np.asarray(v) for name, v in rows.items() if np.ndim(v) == 2 and np.asarray(v).dtype.kind == "f"}
    for name, value in rows.items():
        y = np.asarray(value)
        if y.size * table.claimed.size > _MOST:
            continue
        if y.dtype.kind in "iu" and y.ndim == 1 and y.size and shape and 0 <= y.min() <= y.max() < shape[-1]:
            hot = np.eye(shape[-1])[y]
            if shape == hot.shape:
                yield name, f"onehot({name})", hot
            elif len(shape) == 1:
                yield name, f"onehot({name}).sum(axis=0)", hot.sum(axis=0)
            for x, X in matrices.items():
                if len(X) == len(y) and (X.shape[1], shape[-1]) == shape:
                    yield name, f"{x}.T @ onehot({name})", X.T @ hot
        for x, X in matrices.items() if y.dtype.kind in "fiu" and y.ndim in (1, 2) else ():
            if x != name and len(X) == len(y) and (X.shape[1], *y.shape[1:]) == shape:
                yield name, f"{x}.T @ {name}", X.T @ y


def of_a_variance(table: Probes, tolerance: Array) -> str:
    """The numeric gradient, times a number, but for a multiple of x − mean(x) in each column or row: a variance's term."""
    if not table.complete or len(table.shape) != 2:
        return ""
    c, t, at, near = table.claimed, table.numeric, table.at.reshape(table.shape), 2 * float(np.max(tolerance))
    for axis in (0, 1):
        n = table.shape[axis]
        centred = at - at.mean(axis, keepdims=True)
        square = (centred**2).sum(axis, keepdims=True)
        if n < _FEWEST or not np.all(square > 0):
            continue
        rest_c, rest_t = (a - (a * centred).sum(axis, keepdims=True) / square * centred for a in (c, t))
        r = ratio(rest_c, rest_t, near * np.ones(table.shape))
        if r is None or not np.any(abs(c - r * t) > _BEYOND * near):
            continue
        who = f"{table.name} − {table.name}.mean(axis={axis})"
        each = f"a multiple of {who}, one for every {('column', 'row')[axis]}"
        for power in (0.5, 1.0, -0.5, -1.0):
            if abs(r - ((n - 1) / n) ** power) <= 1e-5:
                told = f"{n - 1} for {n}" if power > 0 else f"{n} for {n - 1}"
                return f"claimed = {r:.6g} × numeric + {each}: n or n − 1 in a variance, {told}"
        if abs(r - 1) <= 1e-5:
            return f"claimed = numeric + {each}: the term of the variance is missing or wrong"
    return ""


def _same(one: Array, other: Array, near: Array) -> bool:
    return bool((abs(one - other) <= near).all())


def _shaped(array: Array, shape: tuple[int, ...]) -> Array | None:
    """The array in a shape that has the same lengths but for ones; None if it has not."""
    bare = [n for n in array.shape if n != 1]
    return array.reshape(shape) if bare == [n for n in shape if n != 1] else None


__all__ = ["exchanged", "of_a_variance", "summed", "summed_elsewhere", "without_labels"]
