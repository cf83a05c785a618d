"""Whether a generated module may run on given arrays: parts inside their wholes, row numbers that are rows.

NumPy would cut a part off at the end of an array, count -1 from its end, and take one entry for a column of equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from matcalc.core.expression import Expr, topological
from matcalc.core.operations import SLICE
from matcalc.core.parts import row_numbers
from matcalc.core.sizes import Size
from matcalc.errors import EvaluationError


class Cache(tuple[Any, ...]):
    """What the forward pass leaves for the backward pass, the shape and type of its value, and who goes back."""

    shape: tuple[int, ...]
    dtype: Any = None
    backward: Any = None


def checked_parts(roots: Sequence[Expr], lengths: Mapping[Size, int]) -> None:
    """Raises EvaluationError for a part or a literal row number outside of an array of these lengths."""
    for e in topological(roots):
        if e.op is SLICE:
            wanted = zip(e.params[0], e.shape or (1, 1), e.args[0].shape, strict=True)
            spans = [tuple(_number(size, lengths) for size in span) for span in wanted]
            if any(isinstance(size, sympy.Basic) for span in spans for size in span):
                continue  # sizes that nobody asks for
            if any(start < 0 or length < 1 or start + length > whole for start, length, whole in spans):
                raise EvaluationError(f"there is no {e} in an array of shape {tuple(whole for *_, whole in spans)}")
        elif e.op.chooses is not None:
            literal, of = e.op.chooses(e)
            if not isinstance(literal, Expr) and max(literal) >= (rows := _number(of, lengths)):
                raise EvaluationError(f"there is no row {max(literal)} among {rows} for {e}; rows are counted from zero")


def choices(roots: Sequence[Expr], lengths: Mapping[Size, int]) -> dict[Expr, int]:
    """The variables that hold row numbers, each with the number of rows, at these lengths, from which it chooses."""
    return {e: int(min(_number(size, lengths) for size in of)) for e, of in row_numbers(roots).items()}


def whole(e: Expr, array: Any, rows: int) -> Any:
    """Row numbers as integers; EvaluationError where one is no row."""
    with np.errstate(invalid="ignore"):
        found = np.rint(array).astype(np.int64)
    wrong = (found != array) | (found < 0) | (found >= rows)
    if wrong.any():
        culprit = np.asarray(array)[wrong].item(0)
        raise EvaluationError(f"{e} holds row numbers, which are whole, from 0 to {rows - 1}, but one is {culprit:g}")
    return found if found.ndim else int(found)


def _number(size: Any, lengths: Mapping[Size, int]) -> Any:
    """A size at these lengths."""
    if not isinstance(size, sympy.Basic):
        return size
    bound = lengths.get(size, size.xreplace(lengths))
    return int(bound) if isinstance(bound, sympy.Integer) else bound
