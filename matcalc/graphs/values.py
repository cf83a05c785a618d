"""Values as they stand in a table or beside a wire: short numbers, the entries of a small array, shape and norm of others."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # np.ndarray
_FEW = 4  # entries of a vector that are shown
_SMALL = 3  # rows and columns of a matrix that is


def number(value: Any, digits: int = 4) -> str:
    """A number in few digits: 2, −0.5726, 1.2e−05."""
    v = float(value)
    if np.isnan(v):
        return "NaN"
    if np.isinf(v):
        return "∞" if v > 0 else "−∞"
    return f"{v + 0.0:.{digits}g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")


def short(a: Array, digits: int = 4, shaped: bool = True, most: int = 9) -> str:
    """A number as it is; a few numbers in brackets, the rows of a matrix behind one another; more as [8×20, ‖·‖ 3.14].

    That is the shape and the Euclidean norm, without ``shaped`` the norm alone. Of a matrix up to 3×3, and no more than ``most``
    entries, all are shown; of a vector up to 4. A vector is a column: a row is written as its transpose.
    """
    array = np.asarray(a)
    if array.ndim == 0:
        return number(array, digits)
    if array.size <= _FEW and (array.ndim == 1 or 1 in array.shape):
        return f"[{_row(array.ravel(), digits)}]" + ("ᵀ" if array.ndim == 2 and array.shape[1] > 1 else "")
    if array.ndim == 2 and 0 < array.size <= most and max(array.shape) <= _SMALL:
        return f"[{'; '.join(_row(row, digits) for row in array)}]"
    shape = "×".join(map(str, array.shape if array.ndim == 2 else (array.size, 1)))
    return f"[{shape}, ‖·‖ {number(norm(array), digits)}]" if shaped else f"‖·‖ {number(norm(array), digits)}"


def drawn(a: Array, shaped: bool = True) -> str:
    """The same for a label beside a wire, where there is room for less."""
    return short(a, shaped=shaped, most=_FEW)


def bracketed(text: str) -> str:
    """A number as a term or a factor: a negative one in parentheses."""
    return f"({text})" if text.startswith("−") else text


def _row(entries: Array, digits: int) -> str:
    return ", ".join(number(v, min(digits, 3)) for v in entries)


def norm(a: Array) -> float:
    """The Euclidean norm, without overflow on the way."""
    array = np.asarray(a, dtype=float)
    largest = float(np.abs(array).max(initial=0))
    if not np.isfinite(largest) or largest == 0:
        return largest
    return float(largest * np.linalg.norm((array / largest).ravel()))
