"""The functions that users write with: NumPy's names, on paper's shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy

from matcalc.core import linear_algebra, parts, sizes  # noqa: F401  (the constructors of their rows)
from matcalc.core.expression import BUILD, Expr, expr
from matcalc.errors import MatcalcError, ShapeError, UnsupportedError

__all__ = [
    "exp",
    "log",
    "log1p",
    "expm1",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "arcsin",
    "arccos",
    "arctan",
    "abs",
    "sign",
    "erf",
    "sigmoid",
    "relu",
    "hard_tanh",
    "softplus",
    "silu",
    "gelu",
    "maximum",
    "minimum",
    "where",
    "swish",
    "sqrt",
    "leaky_relu",
    "elu",
    "hinge",
    "sum",
    "mean",
    "var",
    "max",
    "min",
    "logsumexp",
    "norm",
    "trace",
    "det",
    "logdet",
    "inv",
    "solve",
    "matrix_power",
    "cholesky",
    "expm",
    "diag",
    "diagonal",
    "outer",
    "kron",
    "vec",
    "concat",
    "block",
    "take",
    "one_hot",
    "softmax",
    "log_softmax",
    "cross_entropy",
    "softmax_cross_entropy",
    "binary_cross_entropy",
]


# ---- elementwise functions -------------------------------------------------------------------------------------------
def _elementwise(name: str, doc: str) -> Callable[..., Expr]:
    def apply(*operands: Any) -> Expr:
        return BUILD[name](*operands)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = doc
    return apply


exp = _elementwise("exp", "The exponential, entry by entry.")
log = _elementwise("log", "The natural logarithm, entry by entry.")
log1p = _elementwise("log1p", "log(1 + x), entry by entry, exact near 0.")
expm1 = _elementwise("expm1", "exp(x) - 1, entry by entry, exact near 0.")
sin = _elementwise("sin", "The sine, entry by entry.")
cos = _elementwise("cos", "The cosine, entry by entry.")
tan = _elementwise("tan", "The tangent, entry by entry.")
sinh = _elementwise("sinh", "The hyperbolic sine, entry by entry.")
cosh = _elementwise("cosh", "The hyperbolic cosine, entry by entry.")
tanh = _elementwise("tanh", "The hyperbolic tangent, entry by entry; its derivative is 1 - tanh².")
arcsin = _elementwise("arcsin", "The inverse sine, entry by entry.")
arccos = _elementwise("arccos", "The inverse cosine, entry by entry.")
arctan = _elementwise("arctan", "The inverse tangent, entry by entry.")
abs = _elementwise("abs", "The absolute value, entry by entry; its derivative at 0 is taken to be 0.")
sign = _elementwise("sign", "The sign, entry by entry; its derivative is taken to be 0.")
erf = _elementwise("erf", "The error function, entry by entry.")
sigmoid = _elementwise("sigmoid", "The logistic function 1 / (1 + exp(-x)), entry by entry; its derivative is σ(1 - σ).")
relu = _elementwise("relu", "max(0, x), entry by entry; its derivative at 0 is taken to be 0.")
hard_tanh = _elementwise("hard_tanh", "x between -1 and 1, cut off outside; its derivative at -1 and 1 is taken to be 0.")
softplus = _elementwise("softplus", "log(1 + exp(x)), entry by entry; its derivative is the logistic function.")
silu = _elementwise("silu", "x σ(x), entry by entry.")
gelu = _elementwise("gelu", "x Φ(x) with the exact normal distribution function, entry by entry.")
maximum = _elementwise(
    "maximum", "The larger, entry by entry; at a tie the first argument receives the gradient, a number never."
)
minimum = _elementwise(
    "minimum", "The smaller, entry by entry; at a tie the first argument receives the gradient, a number never."
)
where = _elementwise("where", "Entry by entry the second argument where the first is 1 (a mask such as x > 0), else the third.")
swish = silu


def sqrt(x: Any) -> Expr:
    """The square root, entry by entry."""
    return BUILD["pow"](x, Fraction(1, 2))


def leaky_relu(x: Any, slope: Any = 0.01) -> Expr:
    """x where it is positive, else ``slope * x``, entry by entry; its derivative at 0 is taken to be the slope."""
    return BUILD["leaky_relu"](x, slope)


def elu(x: Any, alpha: Any = 1) -> Expr:
    """x where it is positive, else ``alpha * (exp(x) - 1)``, entry by entry."""
    return BUILD["elu"](x, alpha)


def hinge(t: Any) -> Expr:
    """max(0, t), entry by entry; its derivative at 0 is taken to be 0."""
    return maximum(0, t)


# ---- reductions ----------------------------------------------------------------------------------------------------
def _axis(axis: int) -> int:
    if not sizes.is_whole(axis) or axis not in (0, 1, -1, -2):
        raise MatcalcError(f"an axis is 0 (over the rows, giving a row) or 1 (over the columns, giving a column), not {axis!r}")
    return axis % 2


def sum(x: Any, axis: int | None = None) -> Expr:
    """The sum of all entries; with ``axis=0`` over the rows (a row), with ``axis=1`` over the columns (a column)."""
    return BUILD["sum"](x) if axis is None else BUILD[f"sum{_axis(axis)}"](x)


def mean(x: Any, axis: int | None = None) -> Expr:
    """The mean of all entries, or along an axis as in ``sum``."""
    x = expr(x)
    count = sizes.count(x.shape) if axis is None else (x.shape or (1, 1))[_axis(axis)]
    return sum(x, axis) / count


def var(x: Any, axis: int | None = None) -> Expr:
    """The variance (divided by the number of entries, as in NumPy), of all entries or along an axis."""
    x = expr(x)
    return mean((x - mean(x, axis)) ** 2, axis)


def _along(name: str, x: Any, axis: int | None) -> Expr:
    return BUILD[name](x, None if axis is None else _axis(axis))


def max(x: Any, axis: int | None = None) -> Expr:
    """The largest entry, or along an axis as in ``sum``; the first of equal ones receives the gradient."""
    return _along("max", x, axis)


def min(x: Any, axis: int | None = None) -> Expr:
    """The smallest entry, or along an axis as in ``sum``; the first of equal ones receives the gradient."""
    return -max(-expr(x), axis)


def logsumexp(x: Any, axis: int | None = None) -> Expr:
    """log Σ exp(x) of all entries, or along an axis as in ``sum``; its gradient is softmax(x)."""
    return _along("logsumexp", x, axis)


def norm(x: Any, ord: Any = None) -> Expr:
    """A norm, a scalar; NumPy's ``ord``.

    Of a vector: Euclidean (``None``, 2), the sum of absolute values (1), the largest (``inf``). Of a matrix: Frobenius (``None``,
    ``"fro"``), nuclear (``"nuc"``, the sum of the singular values), spectral (2, the largest of them), and the largest sum of
    absolute values of a column (1) or row (``inf``).
    """
    x = expr(x)
    ord = float("inf") if ord in (sympy.oo, "inf") else ord
    known = {None: "norm", 2: "norm" if 1 in (x.shape or (1,)) else "spectral", "fro": "norm", "nuc": "nuclear"}
    if ord in known:
        return BUILD[known[ord]](x)
    if ord not in (1, float("inf")):
        raise UnsupportedError(f"norm with ord={ord!r} is not supported; there are 1, 2, inf, 'fro' and 'nuc'")
    if x.shape and 1 in x.shape:
        return sum(abs(x)) if ord == 1 else max(abs(x))
    return max(sum(abs(x), axis=0 if ord == 1 else 1))


# ---- linear algebra --------------------------------------------------------------------------------------------------
def trace(a: Any) -> Expr:
    """The trace of a square matrix."""
    return BUILD["trace"](a)


def det(a: Any) -> Expr:
    """The determinant of a square matrix."""
    return BUILD["det"](a)


def logdet(a: Any) -> Expr:
    """log det of a matrix with positive determinant."""
    return BUILD["logdet"](a)


def inv(a: Any) -> Expr:
    """The inverse of a square matrix."""
    return BUILD["inv"](a)


def solve(a: Any, b: Any) -> Expr:
    """The solution x of A x = b, written A⁻¹ b; the generated code solves and does not invert."""
    return inv(a) @ expr(b)


def matrix_power(a: Any, k: int) -> Expr:
    """The square matrix A multiplied by itself k times, for a whole number k; for a negative one the power of the inverse."""
    return BUILD["matrix_power"](a, k)


def cholesky(a: Any) -> Expr:
    """The lower triangular L with L Lᵀ = ½ (A + Aᵀ), which is A for a symmetric A; so its gradient is symmetric.

    dL = L (Φ ∘ (L⁻¹ dA L⁻ᵀ)), where Φ is 1 below the diagonal and ½ on it (Murray 2016).
    """
    return BUILD["cholesky"](a)


def expm(a: Any) -> Expr:
    """The matrix exponential Σ Aᵏ / k!, not entry by entry; values need SciPy."""
    return BUILD["expm"](a)


def diag(x: Any) -> Expr:
    """The diagonal matrix of a column."""
    return BUILD["diag"](x)


def diagonal(a: Any) -> Expr:
    """The diagonal of a square matrix, as a column."""
    return BUILD["diagonal"](a)


def outer(x: Any, y: Any) -> Expr:
    """The outer product x yᵀ of two columns."""
    x, y = expr(x), expr(y)
    if sizes.columns(x.shape) != 1 or sizes.columns(y.shape) != 1:
        raise ShapeError(f"outer takes two columns, but got shapes {sizes.show(x.shape)} and {sizes.show(y.shape)}")
    return x @ y.T


def kron(a: Any, b: Any) -> Expr:
    """The Kronecker product A ⊗ B."""
    return BUILD["kron"](a, b)


def vec(a: Any) -> Expr:
    """The columns of a matrix, stacked into one column."""
    return BUILD["vec"](a)


# ---- structure -----------------------------------------------------------------------------------------------------
def concat(columns: Sequence[Any]) -> Expr:
    """Columns (or matrices of one width) one below the other: the window vector of the lecture."""
    return parts.concat(columns, 0)


def block(lines: Sequence[Sequence[Any]]) -> Expr:
    """A matrix of blocks, given by rows: ``block([[A, B], [C, D]])``."""
    return parts.concat([parts.concat([expr(p) for p in line], 1) for line in lines], 0)


def take(a: Any, ids: Any) -> Expr:
    """The rows of A with the given numbers (embedding look-up): a matrix with a row for each, in that order.

    ``ids`` are whole numbers counted from zero, or a column whose values are. The gradient is a scatter-add: a row that is taken
    twice receives both gradients.
    """
    return BUILD["take"](a, ids)


def one_hot(i: Any, n: Any) -> Expr:
    """The column of length n with 1 at entry i (counted from zero) and 0 elsewhere; i may be a scalar variable."""
    return BUILD["one_hot"](i, n)


# ---- networks --------------------------------------------------------------------------------------------------------
def softmax(z: Any, axis: int | None = None) -> Expr:
    """exp(z) / sum(exp(z)) of a column; its Jacobian is diag(p) - p pᵀ. Of a matrix, of each column (axis 0) or row (axis 1)."""
    return _of_vectors("softmax", z, axis)


def log_softmax(z: Any, axis: int | None = None) -> Expr:
    """The logarithm of softmax, computed without overflow; of a column, or along an axis of a matrix."""
    return _of_vectors("log_softmax", z, axis)


def _of_vectors(name: str, z: Any, axis: int | None) -> Expr:
    z = expr(z)
    if z.shape == ():
        raise ShapeError(
            f"{name} of the number {z} is a constant; it takes a column: did you mean an entry of {name}(...), as {name}(f)[y]?"
        )
    if axis is None and z.shape and 1 not in z.shape:
        raise ShapeError(
            f"{name} takes a column, but {z} is {sizes.show(z.shape)}; "
            f"of every row it is {name}({z}, axis=1), of every column {name}({z}, axis=0)"
        )
    return _along(name, z, axis)


def cross_entropy(y: Any, p: Any) -> Expr:
    """- Σ y log p of labels y and probabilities p, two columns; of two matrices, over all entries."""
    y, p = expr(y), expr(p)
    return -(y.T @ log(p)) if sizes.columns(y.shape) == 1 else -sum(y * log(p))


def softmax_cross_entropy(z: Any, y: Any) -> Expr:
    """The cross-entropy of labels y with softmax(z), computed from the logits z without overflow.

    Of columns z and y (n, 1). Of matrices (N, n), an example a row, it is the sum over the examples.
    """
    z, y = expr(z), expr(y)
    if z.shape and 1 not in z.shape and z.shape == y.shape:
        return -sum(y * log_softmax(z, axis=1))
    return -(y.T @ log_softmax(z))


def binary_cross_entropy(y: Any, p: Any) -> Expr:
    """- y log p - (1 - y) log(1 - p), for the logistic classifier."""
    y, p = expr(y), expr(p)
    return -(y * log(p) + (1 - y) * log(1 - p))
