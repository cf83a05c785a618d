"""Numbers that know nothing of matcalc's derivatives: random values for a leaf, and central differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

from matcalc.core.expression import Expr, assumed

Array = np.ndarray[Any, Any]


def actual(e: Expr, lengths: Mapping[Any, int]) -> tuple[int, int]:
    """Rows and columns as numbers."""
    r, c = (int(sympy.sympify(size).subs(lengths)) for size in e.shape or (1, 1))
    return r, c


def drawn(x: Expr, lengths: Mapping[Any, int], rng: np.random.Generator) -> Array:
    """Random numbers for a leaf, with both axes: what is declared so is so, a square matrix has a positive determinant."""
    r, c = actual(x, lengths)
    a = rng.uniform(0.4, 1.3, (r, c)) * rng.choice([-1, 1], (r, c))
    if x.shape == ():
        a = a / 4  # so that A + tB has an inverse, too
    if assumed(x, "distribution"):
        return np.exp(a) / np.exp(a).sum()
    if assumed(x, "positive"):
        return abs(a)
    if x.shape and r == c:
        a = a / (2 * r) + np.eye(r)  # by Gershgorin, every eigenvalue has a positive real part
    if assumed(x, "diagonal"):
        return np.diag(np.diagonal(a))
    if assumed(x, "positive_definite"):
        return a @ a.T
    return (a + a.T) / 2 if assumed(x, "symmetric") else a


def as_users_see(array: Array, e: Expr) -> Any:
    """A number for a scalar, one axis for a column."""
    return array[0, 0] if e.shape == () else array[:, 0] if e.shape[1] == 1 else array


def as_matrix(array: Any, e: Expr) -> Array:
    """A value as users see it, with both axes again."""
    array = np.asarray(array)
    return array.reshape(1, 1) if e.shape == () else array.reshape(-1, 1) if array.ndim == 1 else array


def stacked(array: Any) -> Array:
    """vec."""
    return np.asarray(array, dtype=float).reshape(-1, order="F")


def differences(f: Callable[[Any], Any], at: Any, h: float) -> Array:
    """Central differences of the fourth order: a row for every entry of f, a column for every entry of x, column by column."""
    at = np.asarray(at, dtype=float)
    lines = []
    for flat in range(at.size):
        nudge = np.zeros(at.size)
        nudge[flat] = h
        nudge = nudge.reshape(at.shape, order="F")
        one, two = ((stacked(f(at + t * nudge)) - stacked(f(at - t * nudge))) / (2 * t * h) for t in (1, 2))
        lines.append((4 * one - two) / 3)
    return np.stack(lines, axis=1)
