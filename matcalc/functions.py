"""The functions that users write with: NumPy's names, on paper's shapes."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy

from matcalc.core import constructors as c
from matcalc.core import names, shapes, sizes
from matcalc.core.expression import BUILD, Expr, Operation, expr, leaf, node, topological
from matcalc.core.operations import ONE_HOT
from matcalc.errors import MatcalcError, ShapeError, UnsupportedError

__all__ = [
    "scalar",
    "vector",
    "matrix",
    "scalars",
    "vectors",
    "matrices",
    "Function",
    "function",
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
    "logsumexp",
    "norm",
    "trace",
    "det",
    "logdet",
    "inv",
    "solve",
    "diag",
    "diagonal",
    "outer",
    "kron",
    "vec",
    "concat",
    "block",
    "one_hot",
    "softmax",
    "log_softmax",
    "cross_entropy",
    "softmax_cross_entropy",
    "binary_cross_entropy",
]


# ---- leaves --------------------------------------------------------------------------------------------------------
def scalar(name: str, **assumptions: bool) -> Expr:
    """A scalar variable, shape ``()``."""
    return leaf(name, (), **assumptions)


def vector(name: str, n: Any, **assumptions: bool) -> Expr:
    """A column of n entries, shape ``(n, 1)``. ``distribution=True`` says that its entries sum to one, as labels do."""
    return leaf(name, sizes.shape(n, 1), **assumptions)


def matrix(name: str, n: Any, m: Any = None, **assumptions: bool) -> Expr:
    """A matrix of shape ``(n, m)``, square if m is left out.

    ``symmetric``, ``positive_definite``, ``diagonal`` and ``positive`` (every entry) may be declared.
    """
    return leaf(name, sizes.shape(n, n if m is None else m), **assumptions)


def _several(make: Callable[..., Expr], text: str, *shape: Any, **assumptions: bool) -> Any:
    if not isinstance(text, str):
        raise MatcalcError(f"names are given in one string, such as 'b u', but got {text!r}")
    made = tuple(make(name, *shape, **assumptions) for name in text.replace(",", " ").split())
    if not made:
        raise MatcalcError("no name is given")
    return made if len(made) > 1 or text.rstrip().endswith(",") else made[0]


def scalars(names: str, **assumptions: bool) -> Any:
    """Several scalars: ``s, t = scalars("s t")``."""
    return _several(scalar, names, **assumptions)


def vectors(names: str, n: Any, **assumptions: bool) -> Any:
    """Several columns of n entries: ``b, u = vectors("b u", n)``."""
    return _several(vector, names, n, **assumptions)


def matrices(names: str, n: Any, m: Any = None, **assumptions: bool) -> Any:
    """Several matrices of shape ``(n, m)``."""
    return _several(matrix, names, n, m, **assumptions)


# ---- elementwise functions -------------------------------------------------------------------------------------------
class Function:
    """An elementwise function f with derivatives f′, f″, ...: ``f(z)``, ``f.prime(z)``.

    Generic where no definition is given: then its values are asked for when numbers are wanted.
    """

    def __init__(self, name: str, definition: Expr | None, argument: Expr | None) -> None:
        self.name, self.definition, self.argument = names.checked(name), definition, argument

    def __call__(self, z: Any) -> Expr:
        """f(z), entry by entry, in z's shape."""
        return node(self.derivative(0), (expr(z),))

    def prime(self, z: Any) -> Expr:
        """f′(z), entry by entry, in z's shape."""
        return node(self.derivative(1), (expr(z),))

    def derivative(self, order: int) -> Operation:
        """The operation f⁽ᵏ⁾."""
        return _user_operation(self.name, order, self.definition, self.argument)

    def __repr__(self) -> str:
        known = f" = {self.definition}" if self.definition is not None else ", generic"
        return f"<function {self.name}({self.argument or '·'}){known}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and (self.name, self.definition) == (other.name, other.definition)

    def __hash__(self) -> int:
        return hash((self.name, self.definition))


_given: weakref.WeakValueDictionary[Any, Operation] = weakref.WeakValueDictionary()  # one row for one function, while it is used


def _user_operation(name: str, order: int, definition: Expr | None, argument: Expr | None) -> Operation:
    key = (name, order, definition, argument)
    return _given.get(key) or _given.setdefault(key, _new_operation(name, order, definition, argument))


def _new_operation(name: str, order: int, definition: Expr | None, argument: Expr | None) -> Operation:
    body = None
    if definition is not None and argument is not None:
        value = definition
        for _ in range(order):
            value = BUILD["derivative"](value, argument)
        body = (argument, value)
    return Operation(
        f"{name}{chr(39) * order}",
        shapes.broadcast,
        primes=(lambda y, z: node(_user_operation(name, order + 1, definition, argument), (z,)),),
        text=name,
        body=body,
        order=order,
        user=True,
        numpy=f"{names.python(name)}{_PRIMES[order] if order < len(_PRIMES) else f'_d{order}'}",
    )


_PRIMES = ("", "_prime", "_second", "_third")


def function(name: str, definition: Any = None) -> Function:
    """An elementwise function.

    ``function("f")`` is generic. A definition may be a Python function of one expression (``lambda z: z * sigmoid(z)``),
    a SymPy expression in one symbol, or LaTeX (``r"\\frac{1}{1+e^{-z}}"``, read by latex2sympy2).
    """
    if definition is None:
        return Function(name, None, None)
    argument = leaf("t", ())
    if isinstance(definition, str):
        definition = BUILD["read_activation"](definition)
    if isinstance(definition, sympy.Expr):
        value = BUILD["from_sympy_scalar"](definition, argument)
    elif callable(definition):
        value = expr(definition(argument))
    else:
        raise MatcalcError(f"a function is defined by a Python function, a SymPy expression or LaTeX, but got {definition!r}")
    if value.shape != ():
        raise ShapeError(
            f"the definition of {name} must be elementwise, but for a scalar it gives shape {sizes.show(value.shape)}"
        )
    others = [x.name for x in topological([value]) if x.name is not None and x is not argument]
    if others:
        raise MatcalcError(f"the definition of {name} speaks of {', '.join(map(str, others))}; it may only use its argument")
    return Function(name, value, argument)


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
    if axis not in (0, 1, -1, -2):
        raise MatcalcError(f"an axis is 0 (over the rows, giving a row) or 1 (over the columns, giving a column), not {axis!r}")
    return axis % 2


def sum(x: Any, axis: int | None = None) -> Expr:
    """The sum of all entries; with ``axis=0`` over the rows (a row), with ``axis=1`` over the columns (a column)."""
    return c.total(x) if axis is None else BUILD[f"sum{_axis(axis)}"](x)


def mean(x: Any, axis: int | None = None) -> Expr:
    """The mean of all entries, or along an axis as in ``sum``."""
    x = expr(x)
    count = sizes.count(x.shape) if axis is None else (x.shape or (1, 1))[_axis(axis)]
    return sum(x, axis) / count


def var(x: Any, axis: int | None = None) -> Expr:
    """The variance (divided by the number of entries, as in NumPy), of all entries or along an axis."""
    x = expr(x)
    return mean((x - mean(x, axis)) ** 2, axis)


def max(x: Any) -> Expr:
    """The largest entry; the first of equal ones receives the gradient."""
    x = expr(x)
    return BUILD["max"](x) if x.shape else x


def logsumexp(x: Any) -> Expr:
    """log Σ exp(xᵢ) of a column; its gradient is softmax(x)."""
    return BUILD["logsumexp"](x)


def norm(x: Any, ord: Any = 2) -> Expr:
    """The Euclidean norm of a vector, the Frobenius norm of a matrix; of a vector also ``1`` and ``inf``."""
    x = expr(x)
    vectorial = x.shape == () or 1 in x.shape
    if ord == 2 and vectorial or ord == "fro" or ord == 2:
        return BUILD["norm"](x) if x.shape else abs(x)
    if not vectorial:
        raise UnsupportedError(f"norm of a matrix with ord={ord!r} is not supported; the Frobenius norm is norm(A)")
    if ord == 1:
        return sum(abs(x))
    if ord == float("inf") or ord == sympy.oo or ord == "inf":
        return max(abs(x))
    raise UnsupportedError(f"norm with ord={ord!r} is not supported; there are 1, 2 and inf")


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
    a = expr(a)
    return a**-1 if a.shape == () else BUILD["inv"](a)


def solve(a: Any, b: Any) -> Expr:
    """The solution x of A x = b, written A⁻¹ b; the generated code solves and does not invert."""
    return inv(a) @ expr(b)


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
def concat(parts: Sequence[Any]) -> Expr:
    """Columns (or matrices of one width) one below the other: the window vector of the lecture."""
    return c.concat([expr(p) for p in parts], 0)


def block(parts: Sequence[Sequence[Any]]) -> Expr:
    """A matrix of blocks, given by rows: ``block([[A, B], [C, D]])``."""
    return c.concat([c.concat([expr(p) for p in line], 1) for line in parts], 0)


def one_hot(i: int, n: Any) -> Expr:
    """The column of length n with 1 at entry i (counted from zero) and 0 elsewhere."""
    if not isinstance(i, int) or isinstance(i, bool):
        raise UnsupportedError(f"one_hot takes a whole number, but got {i!r}")
    length = sizes.size(n)
    if i < 0 or (isinstance(length, int) and i >= length):
        raise ShapeError(f"a column of length {length} has no entry {i}")
    return node(ONE_HOT, (), (length, i))


# ---- networks --------------------------------------------------------------------------------------------------------
def softmax(z: Any) -> Expr:
    """exp(z) / sum(exp(z)) of a column; its Jacobian is diag(p) - p pᵀ."""
    return BUILD["softmax"](z)


def log_softmax(z: Any) -> Expr:
    """The logarithm of softmax of a column, computed without overflow."""
    return BUILD["log_softmax"](z)


def cross_entropy(y: Any, p: Any) -> Expr:
    """- Σ yᵢ log pᵢ of labels y and probabilities p, two columns."""
    return -(expr(y).T @ log(p))


def softmax_cross_entropy(z: Any, y: Any) -> Expr:
    """The cross-entropy of labels y with softmax(z), computed from the logits z without overflow."""
    return -(expr(y).T @ log_softmax(z))


def binary_cross_entropy(y: Any, p: Any) -> Expr:
    """- y log p - (1 - y) log(1 - p), for the logistic classifier."""
    y, p = expr(y), expr(p)
    return -(y * log(p) + (1 - y) * log(1 - p))
