"""Random values: arrays as the variables are declared, smooth functions with their exact derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from matcalc.core.expression import SUM_TO_ONE, Expr, assumed

Array = Any  # np.ndarray of float64


def random_array(e: Expr, shape: tuple[int, int], rng: np.random.Generator, narrow: bool = False, rows: int = 0) -> Array:
    """Random numbers for a variable, as it is declared: of a matrix's size so that a product with it keeps its scale.

    Of a variable that holds row numbers, whole numbers below ``rows``, one of them twice: its row gets both gradients.
    """
    if rows:
        numbers = rng.integers(0, rows, shape).astype(float)
        numbers.flat[-1] = numbers.flat[0]
        return numbers
    n, m = shape
    x = rng.uniform(0.2, 0.8, shape) if narrow else rng.normal(size=shape) / (np.sqrt(m) if min(shape) > 1 else 1)
    if assumed(e, "positive"):
        x = rng.uniform(0.5, 1.5, shape)
    if assumed(e, "distribution"):
        x = rng.uniform(0.5, 1.5, shape)
        return x / x.sum()
    for axis, key in enumerate(SUM_TO_ONE):
        if assumed(e, key):
            x = rng.uniform(0.5, 1.5, shape)
            return x / x.sum(axis=axis, keepdims=True)
    if assumed(e, "symmetric"):
        x = (x + x.T) / 2
    if assumed(e, "positive_definite"):
        x = x @ x.T + np.eye(n)
    return np.diag(np.diag(x)) if assumed(e, "diagonal") else x


def smooth(order: int, rng: np.random.Generator, narrow: bool = False) -> tuple[Callable[[Array], Array], ...]:
    """A random smooth function and its derivatives up to an order: a sum of sines; between 0.2 and 0.8 if ``narrow``."""
    speed, phase = rng.uniform(0.6, 1.4, 3), rng.uniform(0, 2 * np.pi, 3)
    height = rng.uniform(0.3, 1.0, 3) * (0.1 if narrow else 1.0)
    middle = 0.5 if narrow else rng.normal()

    def derivative(k: int) -> Callable[[Array], Array]:
        def f(t: Array) -> Array:
            waves = (h * s**k * np.sin(s * t + p + k * np.pi / 2) for h, s, p in zip(height, speed, phase, strict=True))
            return sum(waves, middle if k == 0 else 0.0)

        return f

    return tuple(derivative(k) for k in range(order + 1))
