"""matcalc's operations beside SymPy's nodes: one table, read in both directions.

A row of it names an operation, SymPy's class for it, how the one is written and how the other is read. What acts entry by entry
has its SymPy meaning in the table of operations itself, a product has its signature there; neither needs more than a row there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy
from sympy.matrices import expressions as matrices

from matcalc.core.constructors import diag, diagonal, kron, power, transpose
from matcalc.core.expression import BUILD, Expr, eye, ones, zero, zeros
from matcalc.core.linear_algebra import matrix_power
from matcalc.core.operations import ADD, KRON, MATMUL, MUL
from matcalc.core.parts import concat, getitem, part
from matcalc.core.shapes import plus
from matcalc.core.sizes import Shape, columns, rows, same, show, size
from matcalc.errors import ShapeError, UnsupportedError


@dataclass(frozen=True)
class Row:
    """An operation of matcalc and a node of SymPy; None where there is only one of the two.

    ``write(e, *args)`` is SymPy's node for the matcalc node e, ``read(*parts, *sizes)`` matcalc's for SymPy's. ``parts`` and
    ``sizes`` say which of SymPy's arguments are expressions, and which are lengths, indices and exponents.
    """

    operation: str | None
    node: Any
    write: Callable[..., Any] | None = None
    read: Callable[..., Expr] | None = None
    parts: Callable[[Any], Any] = lambda node: node.args
    sizes: Callable[[Any], Any] = lambda node: ()


# ---- SymPy's matrices ------------------------------------------------------------------------------------------------
def times(factor: Any, matrix: Any) -> Any:
    """A scalar times a matrix, the scalars gathered in front."""
    if not isinstance(matrix, matrices.MatMul):
        return matrix if factor == 1 else matrices.MatMul(factor, matrix)
    inside, factors = matrix.as_coeff_matrices()
    factor = factor * inside
    return matrices.MatMul(*([] if factor == 1 else [factor]), *factors)


def spread(x: Any, of: Shape, to: Shape) -> Any:
    """A SymPy scalar or matrix of one shape repeated to another, by products with ones."""
    if of == to:
        return x
    if of == ():
        return times(x, matrices.OneMatrix(*to))
    if same(of[0], to[0]):
        return matrices.MatMul(x, matrices.OneMatrix(1, to[1]))
    return matrices.MatMul(matrices.OneMatrix(to[0], 1), x)


def product(shape: Shape, *factors: Any) -> Any:
    """The product of SymPy's matrices; a 1 by 1 matrix is a number, its trace."""
    flat = [a for f in factors for a in (f.args if isinstance(f, matrices.MatMul) else (f,))]
    made = matrices.MatMul(*(a for a in flat if not a.is_Matrix), *(a for a in flat if a.is_Matrix))
    return made if shape else matrices.Trace(made)


def _add(e: Expr, *args: Any) -> Any:
    return matrices.MatAdd(*args) if e.shape else sympy.Add(*args)


def _mul(e: Expr, *args: Any) -> Any:
    factor = sympy.Mul(*(a for a in args if not a.is_Matrix))
    whole = [a for a in args if a.is_Matrix]
    if not whole:
        return factor
    return times(factor, matrices.HadamardProduct(*whole) if len(whole) > 1 else whole[0])


def _pow(e: Expr, base: Any, exponent: Any) -> Any:
    return matrices.HadamardPower(base, exponent) if e.shape else sympy.Pow(base, exponent)


def _sum(e: Expr, a: Any) -> Any:
    r, c = e.args[0].shape
    before = [matrices.OneMatrix(1, r)] if rows(e.shape) == 1 and r != 1 else []
    return product(e.shape, *before, a, *([matrices.OneMatrix(c, 1)] if columns(e.shape) == 1 and c != 1 else []))


def _slice(e: Expr, a: Any) -> Any:
    (r, c), shape = e.params
    if shape == ():
        return matrices.matexpr.MatrixElement(a, r, c)
    return matrices.MatrixSlice(a, (r, plus(r, rows(shape))), (c, plus(c, columns(shape))))


def _blocks(e: Expr, *args: Any) -> Any:
    parts = [a if a.is_Matrix else sympy.ImmutableDenseMatrix([[a]]) for a in args]
    if all(isinstance(a, sympy.ImmutableDenseMatrix) for a in parts):
        return sympy.ImmutableDenseMatrix(sympy.Matrix.vstack(*parts) if e.params[0] == 0 else sympy.Matrix.hstack(*parts))
    return matrices.BlockMatrix([[a] for a in parts] if e.params[0] == 0 else [parts])


# ---- matcalc's -------------------------------------------------------------------------------------------------------
def alike(*parts: Expr) -> None:
    """ShapeError unless all have one shape: SymPy does not compare symbolic sizes, and matcalc would repeat the smaller."""
    for p in parts[1:]:
        if p.shape != parts[0].shape:
            raise ShapeError(
                f"SymPy combines {parts[0]} and {p} entry by entry, but their shapes are {show(parts[0].shape)} and "
                f"{show(p.shape)}"
            )


def chain(*factors: Expr) -> Expr:
    """A product of matrices from left to right, a 1 by 1 matrix among them."""
    return reduce(lambda a, b: a @ b, factors)


def _sum_of(*terms: Expr) -> Expr:
    alike(*terms)
    return reduce(lambda a, b: a + b, terms)


def _hadamard(*factors: Expr) -> Expr:
    alike(*factors)
    return reduce(lambda a, b: a * b, factors)


def _hadamard_power(base: Expr, exponent: Expr) -> Expr:
    if base.shape and exponent.shape:
        alike(base, exponent)
    return power(base, exponent)


def _power(a: Expr, k: Any) -> Expr:
    if a.shape == ():
        return power(a, k)
    if not isinstance(k, int):
        raise UnsupportedError(f"{a} to the power {k} is a function of matrices that matcalc has for whole numbers alone")
    return matrix_power(a, k)


def _block(*given: Any) -> Expr:
    *parts, r, c = given
    return concat([concat(parts[c * k : c * (k + 1)], 1) for k in range(r)], 0)


def _explicit(*given: Any) -> Expr:
    """A matrix of given entries: the identity, ones and zeros where it is that."""
    *entries, r, c = given
    alike(*entries)
    made = _block(*given)
    units = [int(i == j) for i in range(r) for j in range(c)]
    known = [(eye(r), units)] if r == c else []
    for matrix, numbers in [*known, (ones(r, c), [1] * (r * c)), (zeros(r, c), [0] * (r * c))]:
        if [e.params[1] if not e.args and len(e.params) == 2 else None for e in entries] == numbers:
            return matrix
    return made


def _block_diagonal(*blocks: Expr) -> Expr:
    lines = [
        [b if i == j else zero((rows(a.shape), columns(b.shape))) for j, b in enumerate(blocks)] for i, a in enumerate(blocks)
    ]
    return _block(*(b for line in lines for b in line), len(blocks), len(blocks))


def _diag(x: Expr) -> Expr:
    return diag(transpose(x) if rows(x.shape) == 1 else x)


def _dot(x: Expr, y: Expr) -> Expr:
    return chain(transpose(x) if columns(x.shape) == 1 else x, y if columns(y.shape) == 1 else transpose(y))


def _sliced(a: Expr, *bounds: Any) -> Expr:
    r, r_end, r_step, c, c_end, c_step = bounds
    if (r_step, c_step) != (1, 1):
        raise UnsupportedError(f"a slice of {a} with steps has no counterpart; slices take every row and column between two")
    if a.shape == ():
        return part(a, (r, c), (size(plus(r_end, -r)), size(plus(c_end, -c))) if (r_end, c_end) != (1, 1) else ())
    return getitem(a, (slice(r, r_end), slice(c, c_end)))


def _entry(a: Expr, i: Any, j: Any) -> Expr:
    return part(a, (i, j), ()) if a.shape == () else getitem(a, (i, j))


def _first(node: Any) -> Any:
    return node.args[:1]


def _rest(node: Any) -> Any:
    return node.args[1:]


# ---- the table -------------------------------------------------------------------------------------------------------
def _unary(operation: str, node: Any) -> Row:
    """The same function of one matrix on both sides."""
    return Row(operation, node, lambda e, a: node(a), BUILD[operation], _first)


def _filled(operation: str, node: Any, read: Callable[..., Expr]) -> Row:
    return Row(operation, node, lambda e: node(*e.shape), read, lambda node: (), lambda node: node.args)


# fmt: off
ROWS = (
    Row("add", matrices.MatAdd, _add, _sum_of),
    Row("mul", matrices.HadamardProduct, _mul, _hadamard),
    Row("matmul", matrices.MatMul, lambda e, *args: product(e.shape, *args)),  # read with the scalars apart
    Row("pow", matrices.HadamardPower, _pow, _hadamard_power),
    Row("kron", matrices.KroneckerProduct, lambda e, *args: matrices.KroneckerProduct(*args), lambda *args: reduce(kron, args)),
    _unary("transpose", matrices.Transpose),
    _unary("inv", matrices.Inverse),
    _unary("trace", matrices.Trace),
    _unary("det", matrices.Determinant),
    Row("matrix_power", matrices.MatPow, lambda e, a: matrices.MatPow(a, e.params[0]), _power, _first, _rest),
    Row("diag", matrices.DiagMatrix, lambda e, a: matrices.DiagMatrix(a), _diag),
    Row("diagonal", matrices.DiagonalOf, lambda e, a: matrices.DiagonalOf(a), diagonal),
    Row("concat", matrices.BlockMatrix, _blocks, _block, lambda node: tuple(node.blocks), lambda node: node.blocks.shape),
    Row("slice", matrices.MatrixSlice, _slice, _sliced, _first, lambda node: (*node.args[1], *node.args[2])),
    Row("broadcast", None, lambda e, a: spread(a, e.args[0].shape, e.shape)),
    Row("sum", None, _sum), Row("sum0", None, _sum), Row("sum1", None, _sum),
    Row("eye", matrices.Identity, lambda e: matrices.Identity(e.shape[0]), eye, lambda node: (), lambda node: node.args),
    _filled("ones", matrices.OneMatrix, ones),
    _filled("zeros", matrices.ZeroMatrix, zeros),
    Row("logdet", None, lambda e, a: sympy.log(matrices.Determinant(a))),
    # what is read only
    Row(None, matrices.Adjoint, read=transpose),  # everything is real
    Row(None, matrices.DiagonalMatrix, read=lambda a: diag(diagonal(a))),
    Row(None, matrices.BlockDiagMatrix, read=_block_diagonal),
    Row(None, matrices.DotProduct, read=_dot),
    Row(None, matrices.matexpr.MatrixElement, None, _entry, _first, _rest),
    Row(None, sympy.ImmutableDenseMatrix, None, _explicit, lambda node: tuple(node), lambda node: node.shape),
    Row(None, sympy.ImmutableSparseMatrix, None, _explicit, lambda node: tuple(node), lambda node: node.shape),
)
# fmt: on
WRITTEN = {row.operation: row for row in ROWS if row.write is not None}
READ = {row.node: row for row in ROWS if row.read is not None}
CHAINED = (ADD, MUL, MATMUL, KRON)  # associative: a chain of them is one node of SymPy's
SPREAD = ("add", "mul", "pow")  # SymPy does not repeat along an axis: the arguments take the shape of the whole


def _rows_at(a: Expr, at: Any) -> Expr:
    """Rows of a matrix one below the other: SymPy has blocks and slices."""
    return concat([part(a, (i, 0), (1, a.shape[1])) for i in at], 0)


# Operations that SymPy lacks, by those that it has: of the arguments and the parameters.
_exp, _log, _sum_along = BUILD["exp"], BUILD["log"], {None: BUILD["sum"], 0: BUILD["sum0"], 1: BUILD["sum1"]}
DEFINED: dict[str, Callable[..., Expr]] = {
    "one_hot": lambda n, i: part(eye(n), (0, i), (n, 1)),  # a column of the identity
    "take": _rows_at,
    "softmax": lambda x, axis: _exp(x) / _sum_along[axis](_exp(x)),
    "log_softmax": lambda x, axis: x - _log(_sum_along[axis](_exp(x))),
    "logsumexp": lambda x, axis: _log(_sum_along[axis](_exp(x))),
    "norm": lambda x: (transpose(x) @ x if x.shape[1] == 1 else BUILD["trace"](transpose(x) @ x)) ** sympy.Rational(1, 2),
}
