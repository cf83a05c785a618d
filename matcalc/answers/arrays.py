"""What NumPy's functions of arrays mean for columns and matrices, with NumPy's rule for arrays of one axis.

A column variable may be one-dimensional in NumPy. What a reduction without keepdims leaves is so, ``FLAT``: without orientation,
it lies along the rows of a matrix that it meets. What keeps its axis, ``DEEP``, is a column in earnest.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from fractions import Fraction

from matcalc.core.constructors import matmul, mul, over_columns, over_rows, power, total, transpose
from matcalc.core.expression import BUILD, Expr, const
from matcalc.core.sizes import same
from matcalc.errors import ParseError, ShapeError

FLAT, DEEP = "one-dimensional", "a column of two axes"
REDUCTIONS = ("sum", "mean", "max", "min", "amax", "amin", "std", "var", "norm")
_HALF = Fraction(1, 2)
Array = tuple[Expr, str]  # what it is here, and what it is in NumPy: FLAT, DEEP, or "" for what may be read as either


def is_column(e: Expr) -> bool:
    """Whether it has one column."""
    return e.shape[1:] == (1,)


def joined(a: Array, b: Array, words: Sequence[str]) -> tuple[Expr, Expr, str, bool]:
    """Two arrays turned as NumPy broadcasts them, what comes out, and whether a missing keepdims may have been meant.

    ShapeError, which names keepdims, where they do not fit.
    """
    if FLAT not in (a[1], b[1]) or () in (a[0].shape, b[0].shape):
        return a[0], b[0], a[1] or b[1], False
    if a[1] != FLAT:
        y, x, kind, doubtful = joined(b, a, words[::-1])
        return x, y, kind, doubtful
    (x, _), (y, kind) = a, b
    if is_column(y):
        if kind == DEEP:
            raise ShapeError(
                f"{words[0]} is ({x.shape[0]},) and {words[1]} is ({y.shape[0]}, 1), which NumPy joins to a matrix: "
                "keepdims=True is missing"
            )
        return x, y, FLAT, False
    rows, columns = y.shape
    if rows != 1 and not same(x.shape[0], columns):
        hint = ": keepdims=True is missing" if same(x.shape[0], rows) else ""
        raise ShapeError(f"{words[1]} is ({rows}, {columns}) but {words[0]} is ({x.shape[0]},), which lies along the rows{hint}")
    return transpose(x), y, "", rows != 1 and same(rows, columns)


def product(a: Array, b: Array) -> Array:
    """a @ b where one of them is one-dimensional: of two the inner product, of one and a matrix one-dimensional again."""
    (x, _), (y, _) = a, b
    if is_column(x) and is_column(y):
        return matmul(transpose(x), y), ""
    if a[1] == FLAT:
        return matmul(transpose(y), x), FLAT
    if x.shape[:1] == (1,):
        return matmul(x, y), ""
    return matmul(x, y), FLAT


def dot(a: Array, b: Array) -> Array:
    """The product of one-dimensional arrays is their inner product; of one and a matrix, one again."""
    (x, _), (y, _) = a, b
    if () in (x.shape, y.shape):
        return mul(x, y), a[1] or b[1]
    if FLAT in (a[1], b[1]):
        return product(a, b)
    if is_column(x) and same(x.shape[0], y.shape[0]):
        return (matmul(transpose(x), y), "") if is_column(y) else (matmul(transpose(y), x), FLAT)
    return matmul(x, y), ""


def reduced(name: str, a: Expr, axis: object, keep: bool, ddof: int = 0) -> Array:
    """A reduction over an axis or over everything; without ``keep``, what is left of a matrix is one-dimensional."""
    if axis not in (None, 0, 1, -1, -2):
        raise ParseError(f"an array has the axes 0 and 1, not {axis}")
    rows, columns = a.shape or (1, 1)
    if axis is None or not a.shape or (columns == 1 and not (keep and axis == 1) and axis != 1):
        over, count = None, rows * columns
    else:
        over, count = (0, rows) if axis in (0, -2) else (1, columns)
    value = _reduction(name, a, over, count, ddof)
    if over is None:
        return value, ""
    if keep:
        return value, DEEP if over == 1 else ""
    return (transpose(value) if over == 0 else value), FLAT


def _reduction(name: str, a: Expr, over: int | None, count: object, ddof: int) -> Expr:
    """The reduction with the axis kept."""

    def summed(e: Expr) -> Expr:
        return total(e) if over is None else over_rows(e) if over == 0 else over_columns(e)

    if name in ("max", "min", "amax", "amin"):
        value: Expr = BUILD[name.removeprefix("a")](a, over)
        return value
    if name == "sum":
        return summed(a)
    if name == "norm":
        return power(summed(a**2), _HALF)
    mean = summed(a) / const(count)
    if name == "mean":
        return mean
    variance = summed((a - mean) ** 2) / (const(count) - ddof)
    return variance if name == "var" else power(variance, _HALF)


def einsum(e: ast.Call, args: list[Expr]) -> Expr:
    """One operand summed or turned, or a product of two; ParseError for what is neither."""
    text = e.args[0].value if e.args and isinstance(e.args[0], ast.Constant) else None
    left, arrow, out = str(text).replace(" ", "").partition("->")
    letters = left.split(",")
    plain = all(len(set(w)) == len(w) <= 2 for w in [*letters, out])
    if not arrow or len(letters) != len(args) or len(args) > 2 or not plain:
        raise ParseError(f"of einsum, products of two matrices or columns are read, as in 'ij,j->i', but not {text!r}")
    a, la = args[0], letters[0]
    if len(args) == 2:
        a, la = _contracted(a, la, args[1], letters[1], out)
    for letter in [x for x in la if x not in out]:  # what is left and not wanted is summed
        at = la.index(letter)
        a, la = (total(a) if len(la) == 1 else transpose(over_rows(a)) if at == 0 else over_columns(a)), la.replace(letter, "")
    return a if la == out else transpose(a)


def _contracted(a: Expr, la: str, b: Expr, lb: str, out: str) -> tuple[Expr, str]:
    """The product over the letters that both have, with the letters that are left."""
    if set(la) == set(lb):
        product = mul(a, b if la == lb else transpose(b))
        return product, la
    shared = [x for x in la if x in lb]
    if not shared and len(la) == len(lb) == 1:
        return matmul(a, transpose(b)), la + lb
    if len(shared) == 1 and shared[0] not in out:
        (c,) = shared
        first = transpose(a) if la.index(c) == 0 else a  # c last
        second = b if lb.index(c) == 0 else transpose(b)  # c first
        rest = la.replace(c, "") + lb.replace(c, "")
        product = matmul(first, second)
        return (transpose(product) if len(la) == 1 and len(rest) == 1 else product), rest
    if len(shared) == 1 and 1 in (len(la), len(lb)):
        wide, letters, column = (b, lb, a) if len(la) == 1 else (a, la, b)
        return mul(wide, column if letters[0] == shared[0] else transpose(column)), letters
    raise ParseError("this product of einsum has three axes; a text speaks of columns and matrices")
