"""Values on a command line: ``x=1 y=1/3 w=[1, 2] W=[[1, 2], [3, 4]]``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import matcalc as mc
from matcalc.read.caret import pointed

_NAME = re.compile(r"[\s,;]*(?P<name>[^\s=,;\[\]]+)\s*=\s*")
_NUMBER = re.compile(r"[-+]?(?:\d+/\d+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?=[\s,;]|$)")
_DIGITS = 50  # of a number; more is no measurement
_KINDS = "a value is a number, a list such as [1, 2], or a list of rows such as [[1, 2], [3, 4]]"


def values(given: Iterable[str], whole: bool = False) -> dict[str, Any]:
    """The values by name: whole numbers and fractions exact, arrays of floats for lists. ParseError with a caret.

    With ``whole``, a list of whole numbers, without a point in any, is an array of those.
    """
    found: dict[str, Any] = {}
    for line in given:
        at = 0
        while line[at:].strip(" \t\n,;"):
            name = _NAME.match(line, at)
            if name is None:
                raise pointed("a name, = and a value are expected, as in x=1", line, at)
            if name["name"] in found:
                raise pointed(f"{name['name']} is given twice", line, name.start("name"))
            found[name["name"]], at = _value(line, name.end(), whole)
    return found


def _value(line: str, at: int, whole: bool) -> tuple[Any, int]:
    number = _NUMBER.match(line, at)
    if number is not None:
        return _number(number[0], line, at), number.end()
    if line[at : at + 1] != "[":
        raise pointed(_KINDS, line, at)
    end = _closed(line, at)
    return _array(line[at:end], line, at, whole), end


def _number(text: str, line: str, at: int) -> Any:
    if len(text) > _DIGITS:
        raise pointed(f"a number has at most {_DIGITS} characters", line, at)
    if "/" in text:
        if not int(text.partition("/")[2]):
            raise pointed("this divides by zero", line, at)
        return Fraction(text)
    if text.lstrip("+-").isdecimal():
        return int(text)
    if float(text) in (float("inf"), float("-inf")):
        raise pointed("this number is too large", line, at)
    return float(text)


def _closed(line: str, at: int) -> int:
    """Where the bracket that opens here has been closed."""
    depth = 0
    for k in range(at, len(line)):
        depth += (line[k] == "[") - (line[k] == "]")
        if depth > 2:
            raise pointed(_KINDS, line, k)
        if depth == 0:
            return k + 1
    raise pointed("this bracket is not closed", line, at)


def _array(text: str, line: str, at: int, whole: bool) -> Any:
    import numpy as np

    try:
        rows = json.loads(text, parse_constant=str)
    except ValueError:
        raise pointed(_KINDS, line, at) from None
    inside = [row for row in rows if isinstance(row, list)]
    entries = [entry for row in inside for entry in row] if inside else rows
    if not entries or not all(type(entry) in (int, float) for entry in entries):
        raise pointed(_KINDS, line, at)
    if inside and (len(inside) < len(rows) or len({len(row) for row in inside}) > 1):
        raise pointed("the rows of a matrix are equally long", line, at)
    try:
        ints = whole and all(type(entry) is int for entry in entries)
        array = np.array(rows, dtype=np.int64 if ints else np.float64)
    except (ValueError, OverflowError):
        raise pointed("this holds a number that is too large", line, at) from None
    if not np.isfinite(array).all():
        raise pointed("this holds a number that is too large", line, at)
    return array


def implied(given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, mc.Expr]:
    """The variables that values declare, where they are not declared: scalars, columns and matrices of their sizes."""
    found: dict[str, mc.Expr] = {}
    for name, value in given.items():
        if name not in known:
            shape = getattr(value, "shape", ())
            found[name] = mc.matrix(name, *shape) if len(shape) == 2 else mc.vector(name, *shape) if shape else mc.scalar(name)
    return found
