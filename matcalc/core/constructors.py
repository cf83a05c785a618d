"""The constructors of the table: what folds at sight, folds here, so that no rule above has to think of it.

Only what every reader does without a thought is folded: ``x + 0``, ``1 x``, ``0 x``, ``I A``, ``(Aᵀ)ᵀ``, numbers with numbers.
Everything else stays as the user wrote it until ``simplify`` is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from matcalc.core import sizes
from matcalc.core.expression import (
    BUILD,
    CONST,
    EYE,
    LET,
    ONES,
    REBUILD,
    SUM_TO_ONE,
    ZEROS,
    Expr,
    Operation,
    assumed,
    const,
    expr,
    eye,
    is_one,
    is_zero,
    node,
    number,
    ones,
    zero,
)
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    DIAG,
    KRON,
    MATMUL,
    MUL,
    POW,
    TABLE,
    TAKE,
    TRANSPOSE,
    UNVEC,
    VEC,
)
from matcalc.core.sizes import Shape
from matcalc.errors import MatcalcError

TRANSPOSE_FREE = (DIAG, EYE, CONST)  # their own transposes
OF_SYMMETRIC = tuple(TABLE[name] for name in ("inv", "matrix_power", "expm"))  # symmetric where their argument is


def add(a: Any, b: Any) -> Expr:
    """The sum; ``x + 0`` is x, numbers add up."""
    a, b = expr(a), expr(b)
    if is_zero(b) and (b.shape == () or b.shape == a.shape):
        return a
    if is_zero(a) and (a.shape == () or a.shape == b.shape):
        return b
    if a.op is CONST and b.op is CONST:
        return const(a.params[1] + b.params[1])
    return node(ADD, (a, b))


def mul(a: Any, b: Any) -> Expr:
    """The product entry by entry, or by a scalar; numbers come first, ``1 x`` is x, ``0 x`` is zero."""
    a, b = expr(a), expr(b)
    if b.op is CONST:
        a, b = b, a
    if a.op is CONST:
        if b.op is CONST:
            return const(a.params[1] * b.params[1])
        if is_one(a):
            return b
        if is_zero(a) or is_zero(b):
            return zero(b.shape)
        if b.op is MUL and b.args[0].op is CONST:
            return mul(const(a.params[1] * b.args[0].params[1]), b.args[1])
        return node(MUL, (a, b))
    if is_zero(a) or is_zero(b):
        return zero(node(MUL, (a, b)).shape)
    for x in (a, b):  # a number inside comes to the front
        if x.op is MUL and x.args[0].op is CONST:
            return mul(x.args[0], mul(x.args[1], b) if x is a else mul(a, x.args[1]))
    if a.op is ONES and (b.shape == a.shape or b.shape == ()):
        return b if b.shape == a.shape else node(MUL, (b, a))
    if b.op is ONES and b.shape == a.shape:
        return a
    return node(MUL, (a, b))


def neg(a: Any) -> Expr:
    """Minus the expression."""
    return mul(-1, a)


def sub(a: Any, b: Any) -> Expr:
    """The difference."""
    return add(a, neg(b))


def div(a: Any, b: Any) -> Expr:
    """The quotient entry by entry, or by a scalar."""
    b = expr(b)
    if is_zero(b):
        raise MatcalcError(f"{expr(a)} is divided by zero")
    return mul(a, power(b, -1))


_LARGEST = 14_000  # bits of a number to a power: as many digits as Python writes


def _bits(value: Any) -> int:
    return 0 if abs(value) == 1 else max(value.numerator.bit_length(), value.denominator.bit_length())


def _float_power(base: Any, exponent: Any) -> Any:
    try:
        return base**exponent
    except OverflowError:
        raise MatcalcError(f"{base} to the power {exponent} is beyond the floating-point numbers") from None


def power(x: Any, t: Any) -> Expr:
    """The power entry by entry; exact for exact numbers."""
    x, t = expr(x), expr(t)
    if is_one(t):
        return x
    exponent, base = number(t), number(x)
    if exponent == 0 and t.op is CONST:
        return ones(*x.shape) if x.shape else const(1)
    if is_one(x) and t.shape == ():
        return x
    if exponent is not None and base is not None:
        if base == 0 and exponent < 0:
            raise MatcalcError("zero is raised to a negative power")
        if isinstance(exponent, int) and isinstance(base, (int, Fraction)) and _bits(base) * abs(exponent) > _LARGEST:
            raise MatcalcError(f"a number to the power {t} has too many digits to be written")
        if isinstance(base, int) and isinstance(exponent, int):
            return const(Fraction(base) ** exponent)
        if isinstance(exponent, float) or isinstance(base, float):
            return const(_float_power(base, exponent))
        if isinstance(exponent, int):
            return const(base**exponent)
        value = sympy.sympify(base) ** sympy.sympify(exponent)
        if value.is_real is False:
            raise MatcalcError(f"{x} to the power {t} is not a real number")
        return const(value)
    if x.op is POW and isinstance(exponent, int) and isinstance(number(x.args[1]), int):
        return power(x.args[0], exponent * number(x.args[1]))
    return node(POW, (x, t))


def matmul(a: Any, b: Any) -> Expr:
    """The matrix product; ``I A`` is A."""
    a, b = expr(a), expr(b)
    made = node(MATMUL, (a, b))  # checks the shapes
    if is_zero(a) or is_zero(b):
        return zero(made.shape)
    if a.op is EYE:
        return b
    if b.op is EYE:
        return a
    if a.shape == () or b.shape == ():  # 1 by 1 next to a row or a column
        return mul(a, b)
    return made


def transpose(a: Any) -> Expr:
    """The transpose; ``(Aᵀ)ᵀ`` is A, a symmetric matrix is its own, and so are its inverse and its powers."""
    a = expr(a)
    below = a
    while below.op in OF_SYMMETRIC:
        (below,) = below.args
    symmetric = any(assumed(below, key) for key in ("symmetric", "positive_definite", "diagonal"))
    if a.shape == () or a.op in TRANSPOSE_FREE or symmetric:
        return a
    if a.op is TRANSPOSE:
        return a.args[0]
    if a.op in (ONES, ZEROS):
        return node(a.op, (), (a.shape[::-1],))
    return node(TRANSPOSE, (a,))


def broadcast(a: Any, shape: Shape) -> Expr:
    """The expression repeated along the axes where it has literal length 1, up to ``shape``."""
    a = expr(a)
    if a.shape == shape:
        return a
    if is_zero(a):
        return zero(shape)
    return mul(a, ones(*shape)) if a.op is CONST else node(BROADCAST, (a,), (shape,))


def unbroadcast(g: Expr, shape: Shape) -> Expr:
    """The transpose of ``broadcast``: the sum over the axes that were repeated."""
    if g.shape == shape:
        return g
    if shape == ():
        return BUILD["sum"](g)
    if shape[0] == 1:
        return BUILD["sum0"](g)
    return BUILD["sum1"](g)


def total(x: Any) -> Expr:
    """The sum of all entries; of a scalar, itself."""
    x = expr(x)
    if is_zero(x):
        return const(0)
    if x.op is ONES:
        return const(sizes.count(x.shape))
    return node(TABLE["sum"], (x,)) if x.shape else x


def over_rows(x: Any) -> Expr:
    """The sum over the rows, a row; of a column, the sum of its entries."""
    return _over(x, 0)


def over_columns(x: Any) -> Expr:
    """The sum over the columns, a column; of a row, the sum of its entries."""
    return _over(x, 1)


def _over(x: Any, axis: int) -> Expr:
    x = expr(x)
    if x.shape == () or x.shape[axis] == 1:
        return x
    if x.shape[1 - axis] == 1:
        return total(x)
    along = (x.shape[0], 1) if axis else (1, x.shape[1])
    if is_zero(x):
        return zero(along)
    return ones(*along) if _sums_to_one(x, axis) else node(TABLE[f"sum{axis}"], (x,))


def _sums_to_one(x: Expr, axis: int) -> bool:
    """Whether every sum along the axis is one: of a batch of distributions, of rows of the identity."""
    while x.op in (TRANSPOSE, LET):
        axis = 1 - axis if x.op is TRANSPOSE else axis
        (x,) = x.args
    return x.op is EYE or assumed(x, SUM_TO_ONE[axis]) or (x.op is TAKE and axis == 1 and x.args[0].op is EYE)


def trace(a: Any) -> Expr:
    """The trace; of an identity of size n it is n."""
    a = expr(a)
    if a.shape == ():
        return a
    made = node(TABLE["trace"], (a,))
    if is_zero(a):
        return const(0)
    return const(a.shape[0]) if a.op is EYE else made


def diag(x: Any) -> Expr:
    """The diagonal matrix of a column."""
    x = expr(x)
    if x.shape == ():
        return x
    made = node(DIAG, (x,))
    return eye(x.shape[0]) if x.op is ONES else zero(made.shape) if is_zero(x) else made


def diagonal(a: Any) -> Expr:
    """The diagonal of a square matrix, a column."""
    a = expr(a)
    if a.shape == ():
        return a
    made = node(TABLE["diagonal"], (a,))
    if a.op is DIAG:
        return a.args[0]
    return ones(a.shape[0]) if a.op is EYE else zero(made.shape) if is_zero(a) else made


def vec(a: Any) -> Expr:
    """The columns of a matrix, stacked; of a column, itself."""
    a = expr(a)
    if a.shape == () or a.shape[1] == 1:
        return a
    if a.shape[0] == 1:
        return transpose(a)
    if a.op is UNVEC:
        return a.args[0]
    if a.op is ONES:
        return ones(sizes.count(a.shape))
    return zero(sizes.shape(sizes.count(a.shape), 1)) if is_zero(a) else node(VEC, (a,))


def unvec(x: Any, shape: Shape) -> Expr:
    """The matrix of the given shape whose columns, stacked, are x."""
    x = expr(x)
    if x.shape == shape:
        return x
    if shape[0] == 1:
        return transpose(x)
    if x.op is VEC and x.args[0].shape == shape:
        return x.args[0]
    return zero(shape) if is_zero(x) else node(UNVEC, (x,), (shape,))


def kron(a: Any, b: Any) -> Expr:
    """The Kronecker product; next to a scalar, the ordinary one, and I ⊗ I is I."""
    a, b = expr(a), expr(b)
    if a.shape == () or b.shape == ():
        return mul(a, b)
    if a.op is EYE and b.op is EYE:
        return eye(a.shape[0] * b.shape[0])
    if a.op is ONES and b.op is ONES:
        return ones(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1])
    made = node(KRON, (a, b))
    return zero(made.shape) if is_zero(a) or is_zero(b) else made


def maximum(a: Any, b: Any) -> Expr:
    """The larger, entry by entry. A number comes first, so that the derivative of max(0, t) at t = 0 is 0 in either order."""
    return _extremum("maximum", a, b)


def minimum(a: Any, b: Any) -> Expr:
    """The smaller, entry by entry; a number comes first."""
    return _extremum("minimum", a, b)


def _extremum(name: str, a: Any, b: Any) -> Expr:
    a, b = expr(a), expr(b)
    if a is b:
        return a
    if a.op is CONST and b.op is CONST:
        larger = a if a.params[1] >= b.params[1] else b
        return larger if name == "maximum" else (b if larger is a else a)
    return node(TABLE[name], (b, a) if b.op is CONST else (a, b))


_SPECIAL: dict[str, Callable[..., Expr]] = {
    build.__name__: build
    for build in (add, mul, sub, neg, div, matmul, transpose, trace, diag, diagonal, vec, unvec, kron, maximum, minimum)
} | {
    "pow": power,
    "sum": total,
    "sum0": over_rows,
    "sum1": over_columns,
    "broadcast": broadcast,
    "unbroadcast": unbroadcast,
    "less": lambda a, b: BUILD["greater"](b, a),
    "less_equal": lambda a, b: BUILD["greater_equal"](b, a),
}


def _plain(row: Operation) -> Callable[..., Expr]:
    return lambda *operands: node(row, tuple(expr(e) for e in operands))


BUILD.update({row.name: _plain(row) for row in TABLE.values()} | _SPECIAL)
REBUILD.update({row: BUILD[row.name] for row in TABLE.values()})
