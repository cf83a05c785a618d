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
from matcalc.core.expression import BUILD, Expr, Operation, expr
from matcalc.core.signature import Signature, signature

TABLE: dict[str, Operation] = {}


def apply(name: str, *operands: Any) -> Expr:
    """The constructor of a row by name: what folds, folds."""
    return BUILD[name](*operands)


def _named(name: str) -> Any:
    return lambda *operands: BUILD[name](*map(expr, operands))


# The names that the rows use for one another.
exp, expm1, log, sin, cos, sinh, cosh, sign = map(_named, ["exp", "expm1", "log", "sin", "cos", "sinh", "cosh", "sign"])
sigmoid, softmax, inv, trace, winner, where, minimum, total = map(
    _named, ["sigmoid", "softmax", "inv", "trace", "winner", "where", "minimum", "sum"]
)


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
    value=lambda np, shape, params, a, b: a + b,
)
# Hadamard; a scalar or an axis of literal length 1 broadcasts
MUL = _product("mul", "ij,ij->ij", shapes.broadcast, sympy=sympy.Mul)
MATMUL = _product("matmul", "ij,jk->ik", shapes.of_matmul)
TRANSPOSE = _product("transpose", "ij->ji")
TRACE = _product("trace", "ii->11", shapes.of_square, text="tr", latex=r"\operatorname{tr}", numpy="np.trace({0})")
DIAG = _product("diag", "i1->ii", text="diag", latex=r"\operatorname{diag}", numpy="np.diag({0})")
DIAGONAL = _product("diagonal", "ii->i1", shapes.of_square, latex=r"\operatorname{diagonal}", numpy="np.diagonal({0})")
SUM = _product("sum", "ij->11", numpy="{0}.sum()", latex=r"\operatorname{sum}")
SUM_ROWS = _product("sum0", "ij->1j", numpy="{0}.sum(axis=0)")  # 1ᵀA: over the rows, a row
SUM_COLUMNS = _product("sum1", "ij->i1", numpy="{0}.sum(axis=1)")  # A1: over the columns, a column
VEC = _product("vec", "ij->(ji)1", numpy="{0}.ravel(order='F')", latex=r"\operatorname{vec}")  # column by column
KRON = _product("kron", "ij,kl->(ik)(jl)", numpy="np.kron({0}, {1})", text="⊗", latex=r"\otimes")

# ---- linear, but not products: each names its transpose. A part is given by its first row and column and its shape -----
BROADCAST = _row(
    "broadcast",
    shape=shapes.given,  # params: shape
    adjoint=lambda e, k, g: apply("unbroadcast", g, e.args[0].shape),
    value=lambda np, shape, params, a: np.broadcast_to(a, shape),
)
UNVEC = _row(
    "unvec",
    shape=shapes.given,
    adjoint=lambda e, k, g: apply("vec", g),
    latex=r"\operatorname{unvec}",
    value=lambda np, shape, params, a: a.reshape(shape, order="F"),
)
SLICE = _row(
    "slice",
    shape=shapes.given,
    adjoint=lambda e, k, g: apply("place", g, e.params[0], e.args[0].shape),
    value=lambda np, shape, params, a: a[params[0][0] :, params[0][1] :][: shape[0], : shape[1]],
)
PLACE = _row(
    "place",
    shape=shapes.given,
    adjoint=lambda e, k, g: apply("part", g, e.params[0], e.args[0].shape),
    value=lambda np, shape, params, a: np.pad(
        a, [(at, whole - at - length) for at, whole, length in zip(params[0], shape, a.shape, strict=True)]
    ),
)
CONCAT = _row(
    "concat",
    shape=shapes.of_concat,
    adjoint=lambda e, k, g: apply("part", g, shapes.offset(e, k), e.args[k].shape),
    value=lambda np, shape, params, *parts: np.concatenate(parts, axis=params[0]),
)

# ---- elementwise ---------------------------------------------------------------------------------------------------
# fmt: off
POW        = _elementwise("pow", lambda y, x, t: t * x ** (t - 1), lambda y, x, t: y * log(x), numpy="{0} ** {1}", value=lambda np, shape, params, a, b: a**b, domain=("positive", "exponent"), sympy=sympy.Pow)
EXP        = _elementwise("exp", lambda y, x: y, latex=r"\exp", sympy=sympy.exp)
LOG        = _elementwise("log", lambda y, x: 1 / x, latex=r"\log", domain=("positive",), sympy=sympy.log)
LOG1P      = _elementwise("log1p", lambda y, x: 1 / (1 + x), domain=("positive",), sympy=lambda x: sympy.log(1 + x))
EXPM1      = _elementwise("expm1", lambda y, x: y + 1, sympy=lambda x: sympy.exp(x) - 1)
SIN        = _elementwise("sin", lambda y, x: cos(x), latex=r"\sin", sympy=sympy.sin)
COS        = _elementwise("cos", lambda y, x: -sin(x), latex=r"\cos", sympy=sympy.cos)
TAN        = _elementwise("tan", lambda y, x: 1 + y**2, latex=r"\tan", domain=("unit",), sympy=sympy.tan)
SINH       = _elementwise("sinh", lambda y, x: cosh(x), latex=r"\sinh", sympy=sympy.sinh)
COSH       = _elementwise("cosh", lambda y, x: sinh(x), latex=r"\cosh", sympy=sympy.cosh)
TANH       = _elementwise("tanh", lambda y, x: 1 - y**2, latex=r"\tanh", sympy=sympy.tanh)
ARCSIN     = _elementwise("arcsin", lambda y, x: (1 - x**2) ** Fraction(-1, 2), latex=r"\arcsin", domain=("unit",), sympy=sympy.asin)
ARCCOS     = _elementwise("arccos", lambda y, x: -((1 - x**2) ** Fraction(-1, 2)), latex=r"\arccos", domain=("unit",), sympy=sympy.acos)
ARCTAN     = _elementwise("arctan", lambda y, x: 1 / (1 + x**2), latex=r"\arctan", sympy=sympy.atan)
ERF        = _elementwise("erf", lambda y, x: 2 / sympy.sqrt(sympy.pi) * exp(-(x**2)), numpy="scipy.special.erf", sympy=sympy.erf)
ABS        = _elementwise("abs", lambda y, x: sign(x), text="|{0}|", latex=r"\lvert {0} \rvert", kink=lambda x: x, sympy=sympy.Abs)
SIGMOID    = _elementwise("sigmoid", lambda y, x: y * (1 - y), text="σ", latex=r"\sigma", numpy="sigmoid", sympy=lambda x: 1 / (1 + sympy.exp(-x)))
SOFTPLUS   = _elementwise("softplus", lambda y, x: sigmoid(x), numpy="softplus", sympy=lambda x: sympy.log(1 + sympy.exp(x)))
SILU       = _elementwise("silu", lambda y, x: sigmoid(x) + y * (1 - sigmoid(x)), numpy="silu", sympy=lambda x: x / (1 + sympy.exp(-x)))
GELU       = _elementwise("gelu", lambda y, x: normal_cdf(x) + x * normal_pdf(x), numpy="gelu", sympy=lambda x: x / 2 * (1 + sympy.erf(x / sympy.sqrt(2))))
RELU       = _elementwise("relu", lambda y, x: x > 0, text="ReLU", latex=r"\operatorname{ReLU}", numpy="np.maximum({0}, 0)", value=lambda np, shape, params, a: np.maximum(a, 0), kink=lambda x: x, sympy=lambda x: sympy.Max(0, x))
LEAKY_RELU = _elementwise("leaky_relu", lambda y, x, a: where(x > 0, 1, a), lambda y, x, a: where(x > 0, 0, x), numpy="leaky_relu", kink=lambda x, a: x, domain=("real", "slope"), sympy=lambda x, a: sympy.Piecewise((x, x > 0), (a * x, True)))
HARD_TANH  = _elementwise("hard_tanh", lambda y, x: (x > -1) * (x < 1), numpy="np.clip({0}, -1, 1)", value=lambda np, shape, params, a: np.clip(a, -1, 1), kink=lambda x: (x - 1) * (x + 1), sympy=lambda x: sympy.Max(-1, sympy.Min(1, x)))
ELU        = _elementwise("elu", lambda y, x, a: where(x > 0, 1, a * exp(minimum(x, 0))), lambda y, x, a: where(x > 0, 0, expm1(minimum(x, 0))), numpy="elu", kink=lambda x, a: x, domain=("real", "slope"), sympy=lambda x, a: sympy.Piecewise((x, x > 0), (a * (sympy.exp(x) - 1), True)))
MAXIMUM    = _elementwise("maximum", lambda y, a, b: a >= b, lambda y, a, b: b > a, text="max", latex=r"\max", kink=lambda a, b: a - b, domain=("real", "real"), sympy=sympy.Max)
MINIMUM    = _elementwise("minimum", lambda y, a, b: b >= a, lambda y, a, b: a > b, text="min", latex=r"\min", kink=lambda a, b: a - b, domain=("real", "real"), sympy=sympy.Min)
WHERE      = _elementwise("where", None, lambda y, c, a, b: c, lambda y, c, a, b: 1 - c, domain=("mask", "real", "real"), sympy=lambda c, a, b: sympy.Piecewise((a, c > 0), (b, True)))

SIGN          = _flat("sign", numpy="np.sign({0})", value=lambda np, shape, params, a: np.sign(a), latex=r"\operatorname{sign}", kink=lambda x: x, sympy=sympy.sign)
GREATER       = _flat("greater", numpy="greater", kink=lambda a, b: a - b, domain=("real", "real"), sympy=lambda a, b: sympy.Heaviside(a - b, 0))  # 1[a > b]
GREATER_EQUAL = _flat("greater_equal", numpy="greater_equal", kink=lambda a, b: a - b, domain=("real", "real"), sympy=lambda a, b: sympy.Heaviside(a - b, 1))
# fmt: on
WINNER = _flat("winner", numpy="winner", latex=r"\operatorname{winner}")  # 1 at the first largest entry, 0 elsewhere
ONE_HOT = _flat(
    "one_hot",
    shape=shapes.of_one_hot,
    latex=r"\operatorname{onehot}",
    value=lambda np, shape, params: np.eye(shape[0], 1, -params[1]),
)

COMMUTATION = _flat(  # K vec(X) = vec(Xᵀ); params: rows, columns of X
    "commutation",
    shape=shapes.of_commutation,
    text="K",
    latex="K",
    value=lambda np, shape, params: np.eye(shape[0]).reshape(*params[::-1], -1).swapaxes(0, 1).reshape(shape),
)

# ---- everything else: a differential, linear in d ------------------------------------------------------------------
# fmt: off
SOFTMAX     = _row("softmax", shape=shapes.of_column, latex=r"\operatorname{softmax}", numpy="softmax", differentials=(lambda y, d, x: y * d - y * (y.T @ d),), domain=("column",))
LOG_SOFTMAX = _row("log_softmax", text="log softmax", shape=shapes.of_column, latex=r"\log\operatorname{softmax}", numpy="log_softmax", differentials=(lambda y, d, x: d - softmax(x).T @ d,), domain=("column",))
LOGSUMEXP   = _row("logsumexp", shape=shapes.of_column_to_scalar, latex=r"\operatorname{logsumexp}", numpy="logsumexp", differentials=(lambda y, d, x: softmax(x).T @ d,), domain=("column",))
MAX         = _row("max", shape=shapes.scalar, latex=r"\max", numpy="{0}.max()", value=lambda np, shape, params, a: a.max(), differentials=(lambda y, d, x: total(winner(x) * d),), kink=lambda x: winner(x))
NORM        = _row("norm", shape=shapes.scalar, text="‖{0}‖", latex=r"\lVert {0} \rVert", numpy="np.linalg.norm({0})", value=lambda np, shape, params, a: np.linalg.norm(a), differentials=(lambda y, d, x: total(x * d) / y,), kink=lambda x: x)
INV         = _row("inv", shape=shapes.of_square, numpy="np.linalg.inv({0})", value=lambda np, shape, params, a: np.linalg.inv(a), differentials=(lambda y, d, x: -(y @ d @ y),), domain=("invertible",))
DET         = _row("det", shape=shapes.of_square_to_scalar, latex=r"\det", numpy="np.linalg.det({0})", value=lambda np, shape, params, a: np.linalg.det(a), differentials=(lambda y, d, x: y * trace(inv(x) @ d),), domain=("invertible",))
LOGDET      = _row("logdet", shape=shapes.of_square_to_scalar, text="log det", latex=r"\log\det", numpy="np.linalg.slogdet({0})[1]", value=lambda np, shape, params, a: np.linalg.slogdet(a)[1], differentials=(lambda y, d, x: trace(inv(x) @ d),), domain=("positive definite",))
# fmt: on

# ---- without a name in matrix notation: an honest einsum, correct, printable, executable --------------------------------
HOLE = Operation("hole", shapes.given, text="□")  # where d goes; params: shape


@cache
def einsum(sig: Signature) -> Operation:
    """The operation of a signature. Its nodes carry the length of every letter and the shape of the result."""
    return Operation(
        "einsum", shapes.given, signature=sig, text=f"einsum[{sig}]", latex=rf"\operatorname{{einsum}}_{{\text{{{sig}}}}}"
    )
