"""Values as they stand in a table or beside a wire: short numbers; a large array by its shape and its norm."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # np.ndarray
_FEW = 4  # entries that are shown


def number(value: Any, digits: int = 4) -> str:
    """A number in few digits: 2, −0.5726, 1.2e−05."""
    v = float(value)
    if np.isnan(v):
        return "NaN"
    if np.isinf(v):
        return "∞" if v > 0 else "−∞"
    return f"{v + 0.0:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def short(a: Array, digits: int = 4, shaped: bool = True) -> str:
    """A number as it is, a few numbers in brackets, more as shape and Euclidean norm: 8×20 ‖·‖ 3.14."""
    array = np.asarray(a)
    if array.ndim == 0:
        return number(array, digits)
    if array.ndim == 1 and array.size <= _FEW:
        return "[" + ", ".join(number(v, min(digits, 3)) for v in array) + "]"
    shape = "×".join(map(str, array.shape if array.ndim == 2 else (array.size, 1)))
    return f"{shape} ‖·‖ {number(norm(array), digits)}" if shaped else f"‖·‖ {number(norm(array), digits)}"


def norm(a: Array) -> float:
    """The Euclidean norm, without overflow on the way."""
    array = np.asarray(a, dtype=float)
    largest = float(np.abs(array).max(initial=0))
    if not np.isfinite(largest) or largest == 0:
        return largest
    return float(largest * np.linalg.norm((array / largest).ravel()))
