"""Parts of matrices and matrices put together: concat, blocks, entries, rows taken by number; and where each entry goes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from matcalc.core import sizes
from matcalc.core.constructors import broadcast, kron, matmul, over_rows, transpose
from matcalc.core.expression import (
    BUILD,
    LEAF,
    ONES,
    REBUILD,
    Expr,
    const,
    expr,
    eye,
    inner,
    is_zero,
    node,
    ones,
    topological,
    variables,
    zero,
)
from matcalc.core.operations import COMMUTATION, CONCAT, ONE_HOT, PLACE, SCATTER, SLICE, TAKE, TRANSPOSE, VEC
from matcalc.core.shapes import below_zero, offset, plus
from matcalc.core.sizes import Shape, Size
from matcalc.errors import MatcalcError, ShapeError, UnsupportedError


def concat(parts: Any, axis: int = 0) -> Expr:
    """The parts one below the other (axis 0) or side by side (axis 1)."""
    if not isinstance(parts, Iterable) or isinstance(parts, Expr) or getattr(parts, "shape", None) == ():
        raise ShapeError(f"concat takes a list of expressions, but got {parts!r}")
    parts = tuple(expr(p) for p in parts)
    if not parts:
        raise ShapeError("concat needs at least one part")
    made = node(CONCAT, parts, (axis,)) if len(parts) > 1 else parts[0]
    return zero(made.shape) if all(is_zero(p) for p in parts) else made


def part(a: Expr, start: tuple[Any, Any], shape: Shape) -> Expr:
    """The block of the given shape whose first entry stands at ``start``."""
    if a.shape == shape:
        return a
    if is_zero(a):
        return zero(shape)
    if a.op in (ONES,):
        return node(ONES, (), (shape,)) if shape else const(1)
    if a.op is CONCAT:  # one of the parts that were put together
        for k, argument in enumerate(a.args):
            row, column = offset(a, k)
            if argument.shape == shape and row == start[0] and column == start[1]:
                return argument
    return node(SLICE, (a,), (start, shape))


def place(a: Expr, start: tuple[Any, Any], shape: Shape) -> Expr:
    """The transpose of ``part``: zeros of the given shape with ``a`` at ``start``."""
    if a.shape == shape:
        return a
    return zero(shape) if is_zero(a) else node(PLACE, (a,), (start, shape))


def getitem(a: Expr, key: Any) -> Expr:
    """``x[i]`` and ``A[i, j]`` are scalars, ``x[i:j]`` a column, ``A[i]`` a row; indices count from zero."""
    if a.shape == ():
        raise ShapeError(f"{a} is a scalar and has no entries")
    if not isinstance(key, tuple):
        key = (key, 0) if a.shape[1] == 1 else (0, key) if a.shape[0] == 1 else (key, slice(None))
    if len(key) != 2:
        raise ShapeError(f"{a} has two axes, but {len(key)} indices are given")
    (row, height), (column, width) = (_span(a, k, n) for k, n in zip(key, a.shape, strict=True))
    return part(a, (row, column), sizes.shape(height, width))


def _span(a: Expr, key: Any, n: Any) -> tuple[Any, Any]:
    """First index and length of one axis of a slice, checked where it can be."""
    if isinstance(key, slice):
        if key.step not in (None, 1):
            raise UnsupportedError("slices with a step are not supported")
        start = 0 if key.start is None else _index(key.start, n)
        stop = n if key.stop is None else _index(key.stop, n)
        length = plus(stop, -start)
        outside = getattr(length, "is_positive", None) is False or (isinstance(length, int) and length <= 0)
        if outside or _beyond(stop, n):
            raise ShapeError(f"{a} has length {n} along this axis, which has no part {start}:{stop}")
        return start, length
    start = _index(key, n)
    if _beyond(plus(start, 1), n):
        raise ShapeError(f"{a} has length {n} along this axis, so there is no entry {key}")
    return start, 1


def _index(key: Any, n: Any) -> Any:
    if isinstance(key, Expr) or not (sizes.is_whole(key) or isinstance(key, sympy.Expr)):
        raise UnsupportedError(f"an index is an integer or a size, but got {key!r}; use take or one_hot for integer variables")
    key = plus(key)
    return plus(n, key) if below_zero(key) else key


def _beyond(stop: Any, n: Any) -> bool:
    return below_zero(plus(n, -stop))


# ---- rows by number ------------------------------------------------------------------------------------------------
def take(a: Any, ids: Any) -> Expr:
    """The rows of a matrix with the given numbers, counted from zero, in that order: an embedding look-up.

    ``ids`` are literal (a whole number, a list, a NumPy array) or a column whose values are whole numbers. The gradient is a
    scatter-add: rows taken twice receive both gradients.
    """
    a = expr(a)
    if a.shape == ():
        raise ShapeError(f"{a} is a scalar and has no rows to take")
    if isinstance(ids, Expr):
        if chosen(ids).shape == ():  # one row
            return matmul(transpose(one_hot(ids, a.shape[0])), a)
        if a.shape[0] == 1:
            return broadcast(a, (ids.shape[0], a.shape[1]))
        return zero((ids.shape[0], a.shape[1])) if is_zero(a) else node(TAKE, (a, ids), (None,))
    literal = checked_ids(ids if hasattr(ids, "__iter__") and getattr(ids, "shape", None) != () else [ids], a.shape[0])
    if len(literal) == 1:
        return part(a, (literal[0], 0), sizes.shape(1, a.shape[1]))
    if a.shape[0] == 1:
        return broadcast(a, (len(literal), a.shape[1]))
    return zero(sizes.shape(len(literal), a.shape[1])) if is_zero(a) else node(TAKE, (a,), (literal,))


def scatter(g: Expr, ids: Any, rows: Size) -> Expr:
    """The transpose of ``take``: zeros, to whose rows the rows of g are added."""
    if is_zero(g):
        return zero(sizes.shape(rows, sizes.columns(g.shape)))
    if rows == 1:
        return over_rows(g)
    if isinstance(ids, Expr):
        return node(SCATTER, (g, ids), (None, rows))
    return node(SCATTER, (g,), (ids, rows)) if len(ids) > 1 else place(g, (ids[0], 0), sizes.shape(rows, sizes.columns(g.shape)))


def chosen(ids: Expr) -> Expr:
    """The variable, whose values are whole numbers; what is computed from variables is refused."""
    found = inner(ids)
    while found.op in (VEC, TRANSPOSE):  # a matrix of row numbers, in a batch
        found = inner(found.args[0])
    if found.op is not LEAF:
        raise UnsupportedError(f"rows are chosen by whole numbers or by a variable that holds them, but got {ids}")
    return ids if found is not inner(ids) else found


def row_numbers(roots: Iterable[Expr]) -> dict[Expr, list[Size]]:
    """The variables that hold row numbers, each with the numbers of rows that it chooses from."""
    found: dict[Expr, list[Size]] = {}
    for e in topological(roots):
        numbers, rows = e.op.chooses(e) if e.op.chooses is not None else (None, 0)
        if isinstance(numbers, Expr):
            found.setdefault(variables([numbers])[0], []).append(rows)
    return found


def rows_named(order: Iterable[Expr]) -> dict[Size, int]:
    """How many rows there are at least, where rows are looked up by numbers that are written out."""
    found: dict[Size, int] = {}
    for e in order:
        ids, rows = e.op.chooses(e) if e.op.chooses is not None else (None, 0)
        if isinstance(ids, (int, tuple)) and not isinstance(rows, int):
            most = max(ids, default=0) if isinstance(ids, tuple) else ids
            found |= {s: max(found.get(s, 0), most + 1) for s in rows.free_symbols}
    return found


def checked_ids(ids: Any, rows: Size) -> tuple[int, ...]:
    """Literal row numbers as a tuple; ShapeError for a number that is no row."""
    found = ids.tolist() if hasattr(ids, "tolist") else list(ids) if isinstance(ids, (list, tuple, range)) else [ids]
    if not found or any(not sizes.is_whole(i) for i in found):
        raise MatcalcError(f"rows are taken by whole numbers, or by a column of them, but got {ids!r}")
    for i in found:
        if i < 0 or (isinstance(rows, int) and i >= rows):
            raise ShapeError(f"there is no row {i} among {rows}; rows are counted from zero")
    return tuple(map(int, found))


def one_hot(i: Any, n: Any) -> Expr:
    """The column of length n with 1 at entry i (counted from zero) and 0 elsewhere; i is a whole number or a scalar variable."""
    length = sizes.size(n)
    if isinstance(i, Expr):
        if i.shape != ():
            raise ShapeError(f"one_hot takes a whole number or a scalar, but {i} has shape {sizes.show(i.shape)}")
        return node(ONE_HOT, (chosen(i),), (length,))
    if not sizes.is_whole(i):
        raise UnsupportedError(f"one_hot takes a whole number or a scalar variable, but got {i!r}")
    if i < 0 or (isinstance(length, int) and i >= length):
        raise ShapeError(f"a column of length {length} has no entry {i}")
    return node(ONE_HOT, (), (length, int(i))) if length != 1 else const(1)


# ---- the Jacobians of the rows above: where each entry goes --------------------------------------------------------------
def spreading(small: Shape, large: Shape) -> Expr:
    """The Jacobian of broadcasting from one shape to another: ones where an axis is repeated, identity where not."""
    return kron(*(eye(b) if sizes.same(a, b) else ones(b) for a, b in _axes(small, large)))


def selecting(whole: Shape, start: tuple[Any, Any], piece: Shape) -> Expr:
    """The Jacobian of ``part``: rows of the identity."""
    return kron(*(part(eye(n), (at, 0), sizes.shape(p, n)) for (n, p), at in zip(_axes(whole, piece), start[::-1], strict=True)))


def placing(piece: Shape, start: tuple[Any, Any], whole: Shape) -> Expr:
    """The Jacobian of ``place``: columns of the identity."""
    return kron(*(place(eye(p), (at, 0), sizes.shape(n, p)) for (p, n), at in zip(_axes(piece, whole), start[::-1], strict=True)))


def commutation(n: Size, m: Size) -> Expr:
    """K with K vec(X) = vec(Xᵀ) for X of shape (n, m)."""
    return eye(n * m) if n == 1 or m == 1 else node(COMMUTATION, (), (n, m))


def _axes(a: Shape, b: Shape) -> list[tuple[Size, Size]]:
    """The lengths of both shapes, columns first, as vec stacks them."""
    return [(sizes.columns(a), sizes.columns(b)), (sizes.rows(a), sizes.rows(b))]


_BUILT = (getitem, part, place, concat, take, scatter, one_hot, spreading, selecting, placing, commutation)
BUILD.update({build.__name__: build for build in _BUILT})
BUILD.update({"slice": part, "same entries": lambda e: eye(sizes.count(e.shape))})
REBUILD.update({row: BUILD[row.name] for row in (SLICE, PLACE)})
REBUILD[CONCAT] = lambda *given: concat(given[:-1], given[-1])
REBUILD[TAKE] = lambda a, *rest: take(a, rest[0] if isinstance(rest[0], Expr) else rest[-1])
REBUILD[SCATTER] = lambda g, *rest: scatter(g, rest[0] if isinstance(rest[0], Expr) else rest[-2], rest[-1])
REBUILD[ONE_HOT] = lambda *given: one_hot(given[0], given[1]) if isinstance(given[0], Expr) else one_hot(given[1], given[0])
