"""The table of operations. It reads like the textbook, and adding an operation is adding a row.

A product-like row is its einsum signature and nothing else: it is linear in each argument, so its derivative is itself with
``d`` in place. An elementwise row states its derivative, in terms of the value ``y`` where that is shorter. Any other row
states its differential on paper's terms: ``inv`` is ``-Y dX Y``. From the one statement come the JVP, the VJP and the Jacobian.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from matcalc.core import shapes
from matcalc.core.expression import BUILD, Expr, Operation, expr, eye, node, zero
from matcalc.core.signature import Signature, signature
from matcalc.errors import NotDifferentiableError

TABLE: dict[str, Operation] = {}


def apply(name: str, *operands: Any) -> Expr:
    """The constructor of a row by name: what folds, folds."""
    return BUILD[name](*operands)


def _named(name: str) -> Any:
    return lambda *operands: BUILD[name](*map(expr, operands))


# The names that the rows use for one another.
exp, expm1, log, sin, cos, sinh, cosh, sign = map(_named, ["exp", "expm1", "log", "sin", "cos", "sinh", "cosh", "sign"])
sigmoid, inv, trace, where, minimum, total = map(_named, ["sigmoid", "inv", "trace", "where", "minimum", "sum"])
polar, leading, spectral, frechet, sylvester, kron = map(_named, ["polar", "leading", "spectral", "frechet", "sylvester", "kron"])


def softmax(x: Expr, axis: int | None = None) -> Expr:
    """exp(x) / sum(exp(x)), along an axis or of all entries: those of a matrix are stacked."""
    if axis is None and x.shape and 1 not in x.shape:
        return apply("unvec", apply("softmax", apply("vec", x), None), x.shape)
    return apply("softmax", x, axis)


def winner(x: Expr, axis: int | None) -> Expr:
    """1 at the first largest entry, of all or along an axis."""
    return apply("winner", x, axis)


def matrix_power(x: Expr, k: int) -> Expr:
    """Xᵏ."""
    return apply("matrix_power", x, k)


def dots(a: Expr, b: Expr, axis: int | None) -> Expr:
    """The inner product of a and b, of all entries, or of each column (axis 0) or row (axis 1)."""
    if axis is not None:
        return apply(f"sum{axis}", a * b)
    return a.T @ b if a.shape and a.shape[1] == 1 else total(a * b)


def symmetrised(a: Expr) -> Expr:
    """½ (A + Aᵀ)."""
    return Fraction(1, 2) * (a + a.T)


def half(a: Expr) -> Expr:
    """Φ, of the shape of A."""
    return node(HALF, (), (a.shape,))


def twice(a: Expr, e: Expr) -> Expr:
    """[A E; 0 A]."""
    return apply("concat", [apply("concat", [a, e], 1), apply("concat", [zero(a.shape), a], 1)], 0)


def beside(x: Expr, f: Expr) -> Expr:
    """The block of x = [A F; 0 A] that has the place of F."""
    return apply("part", x, (0, f.shape[1]), f.shape)


def kron_matrix(a: Expr, b: Expr, k: int) -> Expr:
    """The Jacobian of A ⊗ B by A or by B: vec(A ⊗ B) = (I ⊗ K ⊗ I) (vec A ⊗ vec B)."""
    (n, m), (p, q) = a.shape, b.shape
    order = kron(kron(eye(m), apply("commutation", q, n)), eye(p))
    parts = (eye(n * m), apply("vec", b)) if k == 0 else (apply("vec", a), eye(p * q))
    return order @ kron(*parts)


def frechet_matrix(a: Expr) -> Expr:
    """∫ exp(s Aᵀ) ⊗ exp((1 - s) A) ds, s from 0 to 1: the block beside the diagonal of expm [I ⊗ A, I; 0, Aᵀ ⊗ I]."""
    one = eye(a.shape[0])
    left, right, unit = kron(one, a), kron(a.T, one), kron(one, one)
    lines = [apply("concat", [left, unit], 1), apply("concat", [zero(unit.shape), right], 1)]
    return beside(apply("expm", apply("concat", lines, 0)), unit)


def leading_changed(y: Expr, d: Expr, x: Expr) -> Expr:
    """The differential of u vᵀ, where X v = σ u and Xᵀ u = σ v for the largest singular value σ.

    dv = R (σ dXᵀ u + Xᵀ dX v) and du = L (σ dX v + X dXᵀ u), orthogonal to v and u, with R and L inverse to σ² - XᵀX and
    σ² - XXᵀ there.
    """
    s = spectral(x)
    right, left = y.T @ y, y @ y.T  # v vᵀ, u uᵀ
    across, down = eye(x.shape[1]) - right, eye(x.shape[0]) - left
    r = inv(s**2 * eye(x.shape[1]) - x.T @ x + s**2 * right)
    q = inv(s**2 * eye(x.shape[0]) - x @ x.T + s**2 * left)
    return (s * left @ d + y @ d.T @ x) @ across @ r + q @ down @ (s * d @ right + x @ d.T @ y)


def no_derivative(y: Expr, *_: Any) -> Expr:
    """Row numbers are whole: there is nothing to differentiate by."""
    raise NotDifferentiableError(f"{y.op.name} has no derivative by the numbers of the rows, which are whole: {y}")


def normal_cdf(x: Expr) -> Expr:
    """Φ(x), the distribution function of the standard normal."""
    return Fraction(1, 2) * (1 + apply("erf", x / sympy.sqrt(2)))


def normal_pdf(x: Expr) -> Expr:
    """φ(x), the density of the standard normal."""
    return 1 / sympy.sqrt(2 * sympy.pi) * exp(-(x**2) / 2)


def _row(name: str, **fields: Any) -> Operation:
    fields.setdefault("text", name)
    TABLE[name] = Operation(name, **fields)
    return TABLE[name]


def _product(name: str, sig: str, shape: Any = shapes.of_signature, **fields: Any) -> Operation:
    return _row(name, signature=signature(sig), shape=shape, **fields)


def _elementwise(name: str, *primes: Any, **fields: Any) -> Operation:
    """``primes[k](y, *args)``: the derivative of y by its k-th argument, entry by entry."""
    fields.setdefault("latex", rf"\operatorname{{{name}}}")
    fields.setdefault("numpy", f"np.{name}")
    return _row(name, primes=primes, shape=shapes.broadcast, **fields)


def _flat(name: str, **fields: Any) -> Operation:
    """Piecewise constant: its derivative is zero wherever it has one."""
    return _row(name, flat=True, shape=fields.pop("shape", shapes.broadcast), **fields)


# ---- sums and products: linear in each argument --------------------------------------------------------------------
ADD = _row(
    "add",
    sympy=sympy.Add,
    shape=shapes.broadcast,
    adjoint=lambda e, k, g: apply("unbroadcast", g, e.args[k].shape),
    matrix=lambda e, k: apply("spreading", e.args[k].shape, e.shape),
    value=lambda np, shape, params, a, b: a + b,
)
# Hadamard; a scalar or an axis of literal length 1 broadcasts
MUL = _product("mul", "ij,ij->ij", shapes.broadcast, sympy=sympy.Mul, sign="argument")
MATMUL = _product("matmul", "ij,jk->ik", shapes.of_matmul, sign="argument")
TRANSPOSE = _product("transpose", "ij->ji", sign="argument")
TRACE = _product("trace", "ii->11", shapes.of_square, text="tr", latex=r"\operatorname{tr}", numpy="np.trace", sign="argument")
DIAG = _product("diag", "i1->ii", text="diag", latex=r"\operatorname{diag}", numpy="np.diag", sign="argument or zero")
DIAGONAL = _product(
    "diagonal", "ii->i1", shapes.of_square, latex=r"\operatorname{diagonal}", numpy="np.diagonal", sign="argument"
)
SUM = _product("sum", "ij->11", numpy="{0}.sum()", latex=r"\operatorname{sum}", sign="argument")
SUM_ROWS = _product("sum0", "ij->1j", numpy="{0}.sum(axis=0)", sign="argument")  # 1ᵀA: over the rows, a row
SUM_COLUMNS = _product("sum1", "ij->i1", numpy="{0}.sum(axis=1)", sign="argument")  # A1: over the columns, a column
VEC = _product(
    "vec",
    "ij->(ji)1",
    adjoint=lambda e, k, g: apply("unvec", g, e.args[0].shape),
    matrix=lambda e, k: apply("same entries", e),
    numpy="{0}.ravel(order='F')",
    latex=r"\operatorname{vec}",
    sign="argument",
)  # column by column
KRON = _product(
    "kron",
    "ij,kl->(ik)(jl)",
    matrix=lambda e, k: kron_matrix(e.args[0], e.args[1], k),
    numpy="np.kron",
    text="⊗",
    latex=r"\otimes",
    sign="argument",
)

# ---- linear, but not products: each names its transpose and its matrix --------------------------------------------------
# A part is given by its first row and column and its shape.
BROADCAST = _row(
    "broadcast",
    shape=shapes.of_broadcast,
    adjoint=lambda e, k, g: apply("unbroadcast", g, e.args[0].shape),
    matrix=lambda e, k: apply("spreading", e.args[0].shape, e.shape),
    value=lambda np, shape, params, a: np.broadcast_to(a, shape),
    sign="argument",
)
UNVEC = _row(
    "unvec",
    shape=shapes.of_unvec,
    adjoint=lambda e, k, g: apply("vec", g),
    matrix=lambda e, k: apply("same entries", e),
    latex=r"\operatorname{unvec}",
    value=lambda np, shape, params, a: a.reshape(shape, order="F"),
    sign="argument",
)
SLICE = _row(
    "slice",
    shape=shapes.of_part,
    adjoint=lambda e, k, g: apply("place", g, e.params[0], e.args[0].shape),
    matrix=lambda e, k: apply("selecting", e.args[0].shape, e.params[0], e.shape),
    value=lambda np, shape, params, a: block(a, params[0], shape),
    sign="argument",
)
PLACE = _row(
    "place",
    shape=shapes.of_place,
    adjoint=lambda e, k, g: apply("part", g, e.params[0], e.args[0].shape),
    matrix=lambda e, k: apply("placing", e.args[0].shape, e.params[0], e.shape),
    value=lambda np, shape, params, a: np.pad(
        a, [(at, whole - at - length) for at, whole, length in zip(params[0], shape, a.shape, strict=True)]
    ),
    sign="argument or zero",
)
CONCAT = _row(
    "concat",
    shape=shapes.of_concat,
    adjoint=lambda e, k, g: apply("part", g, shapes.offset(e, k), e.args[k].shape),
    matrix=lambda e, k: apply("placing", e.args[k].shape, shapes.offset(e, k), e.shape),
    value=lambda np, shape, params, *parts: np.concatenate(parts, axis=params[0]),
    sign="argument",
)
# Rows of a matrix by their numbers; the same row may be taken twice. params: the numbers, or None where they are an argument
TAKE = _row(
    "take",
    shape=shapes.of_take,
    differentials=(None, no_derivative),
    chooses=lambda e: (ids(e), e.args[0].shape[0]),
    adjoint=lambda e, k, g: apply("scatter", g, ids(e), e.args[0].shape[0]),
    matrix=lambda e, k: apply("kron", eye(e.shape[1]), apply("take", eye(e.args[0].shape[0]), ids(e))),
    value=lambda np, shape, params, a, *given: a[numbers(np, params[0], given, len(a))],
    sign="argument",
)
SCATTER = _row(  # zeros, to whose rows the rows of the argument are added; params: the numbers or None, how many rows
    "scatter",
    shape=shapes.of_scatter,
    differentials=(None, no_derivative),
    chooses=lambda e: (ids(e), e.shape[0]),
    adjoint=lambda e, k, g: apply("take", g, ids(e)),
    matrix=lambda e, k: apply("kron", eye(e.shape[1]), apply("scatter", eye(e.args[0].shape[0]), ids(e), e.shape[0])),
    value=lambda np, shape, params, a, *given: added(np, shape, numbers(np, params[0], given, shape[0]), a),
    sign="argument or zero",
)


def block(a: Any, start: Any, shape: Any) -> Any:
    """The part of an array that begins at ``start``; ValueError where it does not lie inside."""
    if any(at < 0 or at + length > whole for at, length, whole in zip(start, shape, a.shape, strict=True)):
        raise ValueError(f"a part of shape {shape} from {start} does not lie inside an array of shape {a.shape}")
    return a[start[0] : start[0] + shape[0], start[1] : start[1] + shape[1]]


def ids(e: Expr) -> Any:
    """The row numbers of a ``take`` or ``scatter``: literal, or a column."""
    return e.args[1] if len(e.args) > 1 else e.params[0]


def numbers(np: Any, literal: Any, given: Any, rows: int) -> Any:
    """Row numbers as an integer array; ValueError where one is no row."""
    found = np.array(literal) if not given else np.rint(given[0][:, 0]).astype(int)
    if (given and (found != given[0][:, 0]).any()) or (found < 0).any() or (found >= rows).any():
        raise ValueError(f"row numbers are whole, from 0 to {rows - 1}")
    return found


def added(np: Any, shape: Any, at: Any, a: Any) -> Any:
    """Zeros of a shape, to whose rows the rows of a are added."""
    total = np.zeros(shape, a.dtype)
    np.add.at(total, at, a)
    return total


# ---- elementwise ---------------------------------------------------------------------------------------------------
# fmt: off
POW        = _elementwise("pow", lambda y, x, t: t * x ** (t - 1), lambda y, x, t: y * log(x), numpy="{0} ** {1}", value=lambda np, shape, params, a, b: a**b, domain=("positive", "exponent"), sympy=sympy.Pow)
EXP        = _elementwise("exp", lambda y, x: y, latex=r"\exp", sympy=sympy.exp, sign="positive")
LOG        = _elementwise("log", lambda y, x: 1 / x, latex=r"\log", domain=("positive",), sympy=sympy.log)
LOG1P      = _elementwise("log1p", lambda y, x: 1 / (1 + x), domain=("positive",), sympy=lambda x: sympy.log(1 + x))
EXPM1      = _elementwise("expm1", lambda y, x: y + 1, sympy=lambda x: sympy.exp(x) - 1)
SIN        = _elementwise("sin", lambda y, x: cos(x), latex=r"\sin", sympy=sympy.sin)
COS        = _elementwise("cos", lambda y, x: -sin(x), latex=r"\cos", sympy=sympy.cos)
TAN        = _elementwise("tan", lambda y, x: 1 + y**2, latex=r"\tan", domain=("unit",), sympy=sympy.tan)
SINH       = _elementwise("sinh", lambda y, x: cosh(x), latex=r"\sinh", sympy=sympy.sinh)
COSH       = _elementwise("cosh", lambda y, x: sinh(x), latex=r"\cosh", sympy=sympy.cosh, sign="positive")
TANH       = _elementwise("tanh", lambda y, x: 1 - y**2, latex=r"\tanh", sympy=sympy.tanh)
ARCSIN     = _elementwise("arcsin", lambda y, x: (1 - x**2) ** Fraction(-1, 2), latex=r"\arcsin", domain=("unit",), sympy=sympy.asin)
ARCCOS     = _elementwise("arccos", lambda y, x: -((1 - x**2) ** Fraction(-1, 2)), latex=r"\arccos", domain=("unit",), sympy=sympy.acos)
ARCTAN     = _elementwise("arctan", lambda y, x: 1 / (1 + x**2), latex=r"\arctan", sympy=sympy.atan)
ERF        = _elementwise("erf", lambda y, x: 2 / sympy.sqrt(sympy.pi) * exp(-(x**2)), numpy="scipy.special.erf", sympy=sympy.erf)
ABS        = _elementwise("abs", lambda y, x: sign(x), text="|{0}|", latex=r"\lvert {0} \rvert", kink=lambda x: x, sympy=sympy.Abs, sign="nonnegative")
SIGMOID    = _elementwise("sigmoid", lambda y, x: y * (1 - y), text="σ", latex=r"\sigma", numpy="sigmoid", sympy=lambda x: 1 / (1 + sympy.exp(-x)), sign="positive")
SOFTPLUS   = _elementwise("softplus", lambda y, x: sigmoid(x), numpy="softplus", sympy=lambda x: sympy.log(1 + sympy.exp(x)), sign="positive")
SILU       = _elementwise("silu", lambda y, x: sigmoid(x) + y * (1 - sigmoid(x)), numpy="silu", sympy=lambda x: x / (1 + sympy.exp(-x)))
GELU       = _elementwise("gelu", lambda y, x: normal_cdf(x) + x * normal_pdf(x), numpy="gelu", sympy=lambda x: x / 2 * (1 + sympy.erf(x / sympy.sqrt(2))))
RELU       = _elementwise("relu", lambda y, x: x > 0, text="ReLU", latex=r"\operatorname{ReLU}", numpy="np.maximum({0}, 0)", value=lambda np, shape, params, a: np.maximum(a, 0), kink=lambda x: x, sympy=lambda x: sympy.Max(0, x), sign="nonnegative")
LEAKY_RELU = _elementwise("leaky_relu", lambda y, x, a: where(x > 0, 1, a), lambda y, x, a: where(x > 0, 0, x), numpy="leaky_relu", kink=lambda x, a: x, convention="at 0 it is the slope", domain=("real", "slope"), sympy=lambda x, a: sympy.Piecewise((x, x > 0), (a * x, True)))
HARD_TANH  = _elementwise("hard_tanh", lambda y, x: (x > -1) * (x < 1), numpy="np.clip({0}, -1, 1)", value=lambda np, shape, params, a: np.clip(a, -1, 1), kink=lambda x: (x - 1) * (x + 1), sympy=lambda x: sympy.Max(-1, sympy.Min(1, x)))
ELU        = _elementwise("elu", lambda y, x, a: where(x > 0, 1, a * exp(minimum(x, 0))), lambda y, x, a: where(x > 0, 0, expm1(minimum(x, 0))), numpy="elu", kink=lambda x, a: x, convention="at 0 it is alpha", domain=("real", "slope"), sympy=lambda x, a: sympy.Piecewise((x, x > 0), (a * (sympy.exp(x) - 1), True)))
MAXIMUM    = _elementwise("maximum", lambda y, a, b: a >= b, lambda y, a, b: b > a, text="max", latex=r"\max", kink=lambda a, b: a - b, convention="at a tie the first argument is taken, a number never", domain=("real", "real"), sympy=sympy.Max, sign="argument")
MINIMUM    = _elementwise("minimum", lambda y, a, b: b >= a, lambda y, a, b: a > b, text="min", latex=r"\min", kink=lambda a, b: a - b, convention="at a tie the first argument is taken, a number never", domain=("real", "real"), sympy=sympy.Min, sign="argument")
WHERE      = _elementwise("where", None, lambda y, c, a, b: c, lambda y, c, a, b: 1 - c, domain=("mask", "real", "real"), sympy=lambda c, a, b: sympy.Piecewise((a, c > 0), (b, True)))

SIGN          = _flat("sign", numpy="np.sign", latex=r"\operatorname{sign}", kink=lambda x: x, sympy=sympy.sign)
GREATER       = _flat("greater", numpy="greater", kink=lambda a, b: a - b, domain=("real", "real"), sympy=lambda a, b: sympy.Heaviside(a - b, 0), sign="nonnegative")  # 1[a > b]
GREATER_EQUAL = _flat("greater_equal", numpy="greater_equal", kink=lambda a, b: a - b, domain=("real", "real"), sympy=lambda a, b: sympy.Heaviside(a - b, 1), sign="nonnegative")
# fmt: on
WINNER = _flat(  # 1 at the first largest entry, 0 elsewhere; params: axis
    "winner",
    shape=shapes.of_argument,
    keywords=("axis",),
    numpy="winner",
    latex=r"\operatorname{winner}",
    sign="nonnegative",
)
ONE_HOT = _row(  # params: length, and the place of the 1 unless it is an argument
    "one_hot",
    shape=shapes.of_one_hot,
    differentials=(no_derivative,),
    chooses=lambda e: (e.args[0] if e.args else e.params[1:], e.shape[0]),
    latex=r"\operatorname{onehot}",
    value=lambda np, shape, params, *at: np.eye(shape[0])[:, [numbers(np, params[1:], at, shape[0])[0]]],
    sign="nonnegative",
)
HALF = _flat(  # Φ: 1 below the diagonal and ½ on it, so that Φ ∘ S + (Φ ∘ S)ᵀ is S; params: shape
    "half_lower",
    shape=shapes.given,
    text="Φ",
    latex=r"\Phi",
    value=lambda np, shape, params: np.tril(np.ones(shape)) - np.eye(*shape) / 2,
    sign="nonnegative",
)
COMMUTATION = _flat(  # K vec(X) = vec(Xᵀ); params: rows, columns of X
    "commutation",
    shape=shapes.of_commutation,
    text="K",
    latex="K",
    value=lambda np, shape, params: np.eye(shape[0]).reshape(*params[::-1], -1).swapaxes(0, 1).reshape(shape),
    sign="nonnegative",
)

# ---- everything else: a differential, linear in d ------------------------------------------------------------------
# fmt: off
# Along an axis (0: each column, 1: each row), or of all entries (None).
SOFTMAX     = _row("softmax", shape=shapes.of_argument, keywords=("axis",), latex=r"\operatorname{softmax}", numpy="softmax", differentials=(lambda y, d, x, axis: y * d - y * dots(y, d, axis),), sign="positive")
LOG_SOFTMAX = _row("log_softmax", text="log softmax", shape=shapes.of_argument, keywords=("axis",), latex=r"\log\operatorname{softmax}", numpy="log_softmax", differentials=(lambda y, d, x, axis: d - dots(softmax(x, axis), d, axis),))
LOGSUMEXP   = _row("logsumexp", shape=shapes.reduced, keywords=("axis",), latex=r"\operatorname{logsumexp}", numpy="logsumexp", differentials=(lambda y, d, x, axis: dots(softmax(x, axis), d, axis),))
MAX         = _row("max", shape=shapes.reduced, keywords=("axis",), latex=r"\max", numpy="{0}.max()", value=lambda np, shape, params, a: a.max(axis=params[0], keepdims=True), differentials=(lambda y, d, x, axis: dots(winner(x, axis), d, axis),), kink=lambda x, axis: winner(x, axis), convention="at a tie it is that of the first largest entry", sign="argument")

NORM        = _row("norm", shape=shapes.scalar, text="‖{0}‖", latex=r"\lVert {0} \rVert", numpy="np.linalg.norm", differentials=(lambda y, d, x: total(x * d) / y,), kink=lambda x: x, convention="at 0 it is not defined", sign="nonnegative")
NUCLEAR     = _row("nuclear", shape=shapes.scalar, text="‖{0}‖_*", latex=r"\lVert {0} \rVert_*", numpy='np.linalg.norm({0}, "nuc")', value=lambda np, shape, params, a: np.linalg.norm(a, "nuc"), differentials=(lambda y, d, x: total(polar(x) * d),), sign="nonnegative")
SPECTRAL    = _row("spectral", shape=shapes.scalar, text="‖{0}‖₂", latex=r"\lVert {0} \rVert_2", numpy="np.linalg.norm({0}, 2)", value=lambda np, shape, params, a: np.linalg.norm(a, 2), differentials=(lambda y, d, x: total(leading(x) * d),), sign="nonnegative")
POLAR       = _row("polar", shape=shapes.of_argument, latex=r"\operatorname{polar}", numpy="polar", differentials=(lambda y, d, x: sylvester(x @ y.T, y.T @ x, d - y @ d.T @ y),))
LEADING     = _row("leading", shape=shapes.of_argument, latex=r"\operatorname{leading}", numpy="leading", differentials=(lambda y, d, x: leading_changed(y, d, x),))

INV         = _row("inv", shape=shapes.of_square, numpy="np.linalg.inv", differentials=(lambda y, d, x: -(y @ d @ y),), domain=("invertible",))
DET         = _row("det", shape=shapes.of_square_to_scalar, latex=r"\det", numpy="np.linalg.det", differentials=(lambda y, d, x: y * trace(inv(x) @ d),), domain=("invertible",))
LOGDET      = _row("logdet", shape=shapes.of_square_to_scalar, text="log det", latex=r"\log\det", numpy="np.linalg.slogdet({0})[1]", value=lambda np, shape, params, a: np.linalg.slogdet(a)[1], differentials=(lambda y, d, x: trace(inv(x) @ d),), domain=("positive definite",))
MATRIX_POWER = _row("matrix_power", shape=shapes.of_square, keywords=("",), numpy="np.linalg.matrix_power", differentials=(lambda y, d, x, k: sum(matrix_power(x, r) @ d @ matrix_power(x, k - 1 - r) for r in range(k)),), sign="argument")  # Σ Xʳ dX Xᵏ⁻¹⁻ʳ
CHOLESKY    = _row("cholesky", shape=shapes.of_square, numpy="np.linalg.cholesky", value=lambda np, shape, params, a: np.linalg.cholesky((a + a.T) / 2), differentials=(lambda y, d, x: y @ (half(y) * (inv(y) @ symmetrised(d) @ inv(y).T)),), domain=("positive definite",))  # of the symmetric part; dL = L Φ∘(L⁻¹ dA L⁻ᵀ)
EXPM        = _row("expm", shape=shapes.of_square, numpy="scipy.linalg.expm", differentials=(lambda y, d, x: frechet(x, d),), domain=("square",))
# frechet(A, E) is the derivative of expm at A in the direction E: the block beside the diagonal of expm [A E; 0 A]
FRECHET     = _row("frechet", shape=shapes.of_squares, numpy="frechet", differentials=(lambda y, d, a, e: beside(frechet(twice(a, e), twice(d, zero(d.shape))), y), None), adjoint=lambda e, k, g: frechet(e.args[0].T, g), matrix=lambda e, k: frechet_matrix(e.args[0]), domain=("square", "square"))
# sylvester(A, B, C) is the solution X of A X + X B = C
SYLVESTER   = _row("sylvester", shape=shapes.of_sylvester, numpy="sylvester", differentials=(lambda y, d, a, b, c: -sylvester(a, b, d @ y), lambda y, d, a, b, c: -sylvester(a, b, y @ d), None), adjoint=lambda e, k, g: sylvester(e.args[0].T, e.args[1].T, g), matrix=lambda e, k: inv(kron(eye(e.shape[1]), e.args[0]) + kron(e.args[1].T, eye(e.shape[0]))), domain=("positive definite", "positive definite", "square"))
# fmt: on

# ---- without a name in matrix notation: an honest einsum, correct, printable, executable --------------------------------
HOLE = Operation("hole", shapes.given, text="□")  # where d goes; params: shape


@cache
def einsum(sig: Signature) -> Operation:
    """The operation of a signature. Its nodes carry the length of every letter and the shape of the result."""
    return Operation(
        "einsum", shapes.given, signature=sig, text=f"einsum[{sig}]", latex=rf"\operatorname{{einsum}}_{{\text{{{sig}}}}}"
    )
