"""Sizes and shapes: positive integers, SymPy symbols, and their sums and products.

A shape is ``()`` for a scalar or ``(rows, columns)``. A size is an ``int`` or an expanded SymPy expression, so two sizes are
equal exactly when they are the same polynomial. ``(1, 1)`` does not occur: it is the scalar ``()``.
"""

from __future__ import annotations

import re
from functools import cache
from operator import index
from typing import Any

import sympy

from matcalc.core.names import checked
from matcalc.errors import ShapeError

Size = Any  # int | sympy.Expr
Shape = tuple[Size, ...]


def dims(names: str) -> Any:
    """Symbolic sizes: ``n, m = dims("n m")``. One name gives one symbol, several give a tuple, and so does ``"n,"``."""
    found = names.replace(",", " ").split() if isinstance(names, str) else []
    if not found:
        raise ShapeError(f"dims takes names in one string, such as 'n m', but got {names!r}")
    made = tuple(sympy.Symbol(checked(name), positive=True, integer=True) for name in found)
    return made if len(made) > 1 or names.rstrip().endswith(",") else made[0]


@cache
def _expanded(value: sympy.Expr) -> Size:
    for symbol in value.free_symbols:
        checked(str(symbol))
    expanded = sympy.expand(value)
    if expanded.is_Integer:
        return size(int(expanded))
    if expanded.is_positive is False or expanded.is_integer is False:
        raise ShapeError(f"a size is a positive integer, but {value} is not")
    return expanded


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, of Python's or NumPy's; True and arrays are none."""
    if isinstance(value, bool) or getattr(value, "shape", ()) != ():
        return False
    try:
        index(value)
    except TypeError:
        return False
    return True


def size(value: Any) -> Size:
    """The canonical form of a size: an ``int``, or an expanded SymPy expression. Raises ShapeError for anything else."""
    if type(value) is int:
        if value < 1:
            raise ShapeError(f"a size is a positive integer, but {value} is not")
        return value
    if isinstance(value, sympy.Expr):
        return _expanded(value)
    if is_whole(value):
        return size(int(value))
    raise ShapeError(f"a size is a positive integer or a symbol made by dims(), but got {value!r}")


def same(a: Size, b: Size) -> bool:
    """Whether two canonical sizes are provably equal."""
    return a is b or a == b


def is_one(a: Size) -> bool:
    """Whether a canonical size is the number 1; no symbol is. (To ask a symbol whether it equals 1 takes SymPy long.)"""
    return type(a) is int and a == 1


def has_one(of: Shape) -> bool:
    """Whether an axis has the literal length 1: of a row or a column, not of a scalar."""
    return bool(of) and (is_one(of[1]) or is_one(of[0]))


def shape(rows: Any, columns: Any) -> Shape:
    """The canonical shape of ``rows`` by ``columns``: ``()`` when both are the number 1."""
    r, c = size(rows), size(columns)
    return () if is_one(r) and is_one(c) else (r, c)


def rows(of: Shape) -> Size:
    """The number of rows; 1 for a scalar."""
    return of[0] if of else 1


def columns(of: Shape) -> Size:
    """The number of columns; 1 for a scalar."""
    return of[1] if of else 1


def count(of: Shape) -> Size:
    """The number of entries."""
    return size(rows(of) * columns(of)) if of else 1


@cache  # SymPy takes its time to write n
def text(of: Size) -> str:
    """A size in Python's notation."""
    return str(of)


def show(of: Shape) -> str:
    """A shape as people write it in messages: ``(n, m)``, or ``scalar``."""
    return f"({text(of[0])}, {text(of[1])})" if of else "scalar"


RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = {ord(raised): digit for digit, raised in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}


def times(of: Shape) -> str:
    """A shape as people write it beside a formula: ``n×m``; ``1×1`` for a scalar."""
    return f"{_factor(rows(of))}×{_factor(columns(of))}"


def entries(of: Shape) -> str:
    """The number of entries as people write it, rows first: ``nm`` for (n, m)."""
    r, c = rows(of), columns(of)
    if isinstance(r, int) or isinstance(c, int) or r == c or _factor(c)[0].isdigit():
        return _factor(count(of))
    return _between(r, c).join((_factor(r), _factor(c)))


def _factor(value: Size) -> str:
    shown = re.sub(r"\*\*(\d+)", lambda power: power[1].translate(RAISED), text(value)).replace("*", _between(value))
    return f"({shown})" if getattr(value, "is_Add", False) else shown


def _between(*values: Size) -> str:
    """What stands between factors: nothing between letters, a dot where a name is longer."""
    names = [symbol.name for value in values for symbol in getattr(value, "free_symbols", ())]
    return "·" if any(len(name) > 1 for name in names) else ""
