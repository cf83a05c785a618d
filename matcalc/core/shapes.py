"""The shape rules that the rows of the table name. Each takes the operation, its arguments and its parameters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sympy

from matcalc.core import sizes
from matcalc.core.expression import Expr, Operation
from matcalc.core.sizes import Shape, Size
from matcalc.errors import ShapeError

Args = tuple[Expr, ...]
Params = tuple[Any, ...]


def given(op: Operation, args: Args, params: Params) -> Shape:
    """The shape is the last parameter."""
    return params[-1]


def scalar(op: Operation, args: Args, params: Params) -> Shape:
    """A scalar, whatever goes in."""
    return ()


def broadcast(op: Operation, args: Args, params: Params) -> Shape:
    """NumPy's broadcasting, of scalars and of axes of literal length 1 alone."""
    shape: Shape = ()
    for arg in args:
        if arg.shape == shape or arg.shape == ():
            continue
        if shape == ():
            shape = arg.shape
            continue
        axes = []
        for a, b in zip(shape, arg.shape, strict=True):
            if not sizes.same(a, b) and a != 1 and b != 1:
                raise ShapeError(_disagree(op, args))
            axes.append(b if a == 1 else a)
        shape = (axes[0], axes[1])
    return shape


def _disagree(op: Operation, args: Args) -> str:
    a, b = args[0], next(x for x in args if x.shape not in ((), args[0].shape)) if len(args) > 1 else args[0]
    sign = {"add": "+", "mul": "*", "pow": "**", "greater": ">"}.get(op.name, op.name)
    text = f"{_brief(a)} {sign} {_brief(b)}: {_names_shape(a)} but {_names_shape(b)}"
    if a.shape == b.shape[::-1]:
        text += f"; did you mean {_brief(a)} {sign} {_brief(b, True)}?"
    elif op.name == "mul" and sizes.same(sizes.columns(a.shape), sizes.rows(b.shape)):
        text += f"; a product of matrices is {_brief(a)} @ {_brief(b)}"
    row, other = (b, a) if 1 in b.shape else (a, b)
    if op.name == "add" and 1 in row.shape and 1 not in other.shape and sizes.same(*map(sizes.count, (row.shape, other.shape))):
        text += (
            f"; a Jacobian in row form has the numbers of the gradient but not its shape: an update of {_brief(other)} needs the "
            f"shape convention, mc.grad(s, {_brief(other)}) or mc.to_shape_convention(j, {_brief(other)})"
        )
    return text


def of_matmul(op: Operation, args: Args, params: Params) -> Shape:
    """``(n, m) @ (m, k)`` is ``(n, k)``; a scalar counts as 1 by 1."""
    a, b = args
    if sizes.same(sizes.columns(a.shape), sizes.rows(b.shape)):
        return sizes.shape(sizes.rows(a.shape), sizes.columns(b.shape))
    text = f"{_brief(a)} @ {_brief(b)}: {_names_shape(a)} but {_names_shape(b)}"
    if a.shape == () or b.shape == ():
        raise ShapeError(text + "; use * to multiply by a scalar")
    fits = [
        f"{_brief(a, ta)} @ {_brief(b, tb)}"
        for ta, tb in ((True, False), (False, True), (True, True))
        if sizes.same((a.shape[::-1] if ta else a.shape)[1], (b.shape[::-1] if tb else b.shape)[0])
    ]
    if fits:
        text += f"; did you mean {' or '.join(fits[:2])}?"
    raise ShapeError(text)


def of_signature(op: Operation, args: Args, params: Params) -> Shape:
    """What the einsum signature says, for operations whose letters all have free sizes."""
    assert op.signature is not None
    bound: dict[str, Size] = {"": 1}
    for slots, arg in zip(op.signature.operands, args, strict=True):
        for slot, length in zip(slots, arg.shape or (1, 1), strict=True):
            letter = slot[0] if slot else ""
            if not sizes.same(bound.setdefault(letter, length), length):
                wanted = "a column" if slots[1] == () else f"of the form {op.signature}"
                raise ShapeError(f"{op.name} takes {wanted}, but {_names_shape(arg)}")
    r, c = (_product(bound[letter] for letter in slot) for slot in op.signature.result)
    return sizes.shape(r, c)


def _product(lengths: Any) -> Size:
    result: Size = 1
    for length in lengths:
        result = length if sizes.is_one(result) else result * length
    return result


def of_square(op: Operation, args: Args, params: Params) -> Shape:
    """A square matrix in, what the signature says (or the same shape) out."""
    (a,) = args
    if not sizes.same(sizes.rows(a.shape), sizes.columns(a.shape)):
        raise ShapeError(f"{op.name} takes a square matrix, but {_names_shape(a)}")
    return of_signature(op, args, params) if op.signature else a.shape


def of_square_to_scalar(op: Operation, args: Args, params: Params) -> Shape:
    """A square matrix in, a scalar out."""
    of_square(op, args, params)
    return ()


def of_argument(op: Operation, args: Args, params: Params) -> Shape:
    """The shape of what goes in."""
    return args[0].shape


def of_part(op: Operation, args: Args, params: Params) -> Shape:
    """The block of shape ``params[1]`` that begins at ``params[0]``."""
    start, shape = params
    _fits(args[0].shape, start, shape)
    return shape


def of_place(op: Operation, args: Args, params: Params) -> Shape:
    """Zeros of shape ``params[1]``, with the argument at ``params[0]``."""
    start, shape = params
    _fits(shape, start, args[0].shape)
    return shape


def _fits(whole: Shape, start: tuple[Size, Size], piece: Shape) -> None:
    for n, at, length in zip(whole or (1, 1), start, piece or (1, 1), strict=True):
        if below_zero(plus(n, -at, -length)) or (n == 1 and length != 1):
            raise ShapeError(f"a part of shape {sizes.show(piece)} at {start} does not fit into shape {sizes.show(whole)}")


def of_broadcast(op: Operation, args: Args, params: Params) -> Shape:
    """``params[0]``, to which axes of literal length 1 are repeated."""
    (shape,) = params
    for a, n in zip(args[0].shape or (1, 1), shape or (1, 1), strict=True):
        if a != 1 and not sizes.same(a, n):
            raise ShapeError(f"{_names_shape(args[0])}, which does not broadcast to {sizes.show(shape)}")
    return shape


def of_unvec(op: Operation, args: Args, params: Params) -> Shape:
    """``params[0]``, with as many entries as the column."""
    (shape,) = params
    if sizes.columns(args[0].shape) != 1 or not sizes.same(sizes.rows(args[0].shape), sizes.count(shape)):
        raise ShapeError(f"{_names_shape(args[0])}, whose entries do not fill the shape {sizes.show(shape)}")
    return shape


def reduced(op: Operation, args: Args, params: Params) -> Shape:
    """A scalar, or along the axis in ``params[0]`` a row (axis 0) or a column (axis 1)."""
    r, c = args[0].shape or (1, 1)
    return () if params[0] is None else sizes.shape(1, c) if params[0] == 0 else sizes.shape(r, 1)


def of_take(op: Operation, args: Args, params: Params) -> Shape:
    """A row for every number in ``params[0]``, or in the second argument."""
    return sizes.shape(_how_many(args, params), sizes.columns(args[0].shape))


def of_scatter(op: Operation, args: Args, params: Params) -> Shape:
    """As many rows as ``params[1]`` says, for an argument with a row for every number."""
    if not sizes.same(sizes.rows(args[0].shape), _how_many(args, params)):
        raise ShapeError(f"scatter takes a row for each of {_how_many(args, params)} numbers, but {_names_shape(args[0])}")
    return sizes.shape(params[1], sizes.columns(args[0].shape))


def _how_many(args: Args, params: Params) -> Size:
    if len(args) == 1:
        return len(params[0])
    if sizes.columns(args[1].shape) != 1:
        raise ShapeError(f"row numbers are a column, but {_names_shape(args[1])}")
    return sizes.rows(args[1].shape)


def of_squares(op: Operation, args: Args, params: Params) -> Shape:
    """Square matrices of one size."""
    for a in args:
        if not (sizes.same(*(a.shape or (1, 1))) and sizes.same(sizes.rows(a.shape), sizes.rows(args[0].shape))):
            raise ShapeError(f"{op.name} takes square matrices of one size, but {', '.join(map(_names_shape, args))}")
    return args[0].shape


def of_sylvester(op: Operation, args: Args, params: Params) -> Shape:
    """Square matrices on the left and on the right of a matrix."""
    a, b, c = args
    for side, length in ((a, sizes.rows(c.shape)), (b, sizes.columns(c.shape))):
        if not (sizes.same(*(side.shape or (1, 1))) and sizes.same(sizes.rows(side.shape), length)):
            raise ShapeError(f"sylvester solves A X + X B = C, but {', '.join(map(_names_shape, args))}")
    return c.shape


def of_concat(op: Operation, args: Args, params: Params) -> Shape:
    """Stacked along the axis in ``params[0]``; the other axis must agree."""
    (axis,) = params
    across = 1 - axis
    total: Size = 0
    for arg in args:
        if not sizes.same((arg.shape or (1, 1))[across], (args[0].shape or (1, 1))[across]):
            shapes = ", ".join(_names_shape(a) for a in args)
            raise ShapeError(f"concat along axis {axis} needs the same number of {'columns' if across else 'rows'}, but {shapes}")
        total = total + (arg.shape or (1, 1))[axis]
    other = (args[0].shape or (1, 1))[across]
    return sizes.shape(other, total) if axis else sizes.shape(total, other)


def offset(e: Expr, k: int) -> tuple[Any, Any]:
    """Where the k-th argument of a concat begins: row and column."""
    (axis,) = e.params
    start = plus(*((arg.shape or (1, 1))[axis] for arg in e.args[:k]))
    return (0, start) if axis else (start, 0)


def of_one_hot(op: Operation, args: Args, params: Params) -> Shape:
    """A column as long as ``params[0]``."""
    return sizes.shape(params[0], 1)


def of_commutation(op: Operation, args: Args, params: Params) -> Shape:
    """Square, of the number of entries of the matrix it transposes."""
    return sizes.shape(params[0] * params[1], params[0] * params[1])


def plus(*lengths: Any) -> Any:
    """The sum of sizes, zero allowed, in canonical form."""
    total = sympy.Integer(0)
    for length in lengths:
        total = total + length
    total = sympy.expand(total)
    return int(total) if total.is_Integer else total


@cache
def below_zero(size: Any) -> bool:
    """Whether a difference of sizes is negative whatever they are; every size is at least 1."""
    if isinstance(size, int):
        return size < 0
    more = {s: 1 + sympy.Symbol(f"{s.name} - 1", integer=True, nonnegative=True) for s in size.free_symbols}
    return sympy.expand(size.xreplace(more)).is_negative is True


def _names_shape(e: Expr) -> str:
    return f"{_brief(e)} is {'a scalar' if e.shape == () else sizes.show(e.shape)}"


_search = threading.local()


@contextmanager
def without_words() -> Iterator[None]:
    """Errors of shapes that nobody reads: a search that tries thousands of products does not write out each that does not fit."""
    before, _search.quiet = getattr(_search, "quiet", False), True
    try:
        yield
    finally:
        _search.quiet = before


def _brief(e: Expr, transposed: bool = False) -> str:
    """The expression as the user would type it, or what kind it is where that is long."""
    if getattr(_search, "quiet", False):
        return "..."
    text = e.name or (f"{e.args[0].name}.T" if e.op.name == "transpose" and e.args[0].name else None)
    if text is None:
        text = str(e)
        text = f"({text})" if len(text) <= 40 else "(...)"
    if transposed:
        return text.removesuffix(".T") if text.endswith(".T") else f"{text}.T"
    return text
