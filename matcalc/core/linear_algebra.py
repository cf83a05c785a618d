"""The constructors of the rows that state a differential: softmax along an axis, norms, powers and functions of matrices.

A vector needs no axis, a 1 by 1 matrix is a number, and what is known of the identity and of zeros is folded.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from matcalc.core.constructors import div
from matcalc.core.expression import BUILD, EYE, REBUILD, Expr, const, expr, eye, is_zero, node, ones, zero
from matcalc.core.operations import TABLE, TRANSPOSE
from matcalc.core.sizes import is_whole
from matcalc.errors import MatcalcError, UnsupportedError

# What each of them is of a single number, where an axis has length one.
_ALONE: dict[str, Callable[[Expr], Expr]] = {
    "softmax": lambda x: ones(*x.shape) if x.shape else const(1),
    "log_softmax": lambda x: zero(x.shape),
    "logsumexp": lambda x: x,
    "max": lambda x: x,
    "winner": lambda x: ones(*x.shape) if x.shape else const(1),
}


def along(name: str) -> Callable[..., Expr]:
    """The constructor of a row that works along an axis: 0 each column, 1 each row, None all entries."""

    def build(x: Any, axis: int | None = None) -> Expr:
        x = expr(x)
        r, c = x.shape or (1, 1)
        if r == c == 1 or (axis is not None and (r, c)[axis] == 1):
            return _ALONE[name](x)
        if axis is not None and (r, c)[1 - axis] == 1:  # a vector has no other axis
            axis = None
        return node(TABLE[name], (x,), (axis,))

    build.__name__ = name
    build.__doc__ = TABLE[name].name + ", along an axis or of all entries"
    return build


def of_number(name: str, value: Callable[[Any], Any], of_identity: Callable[[Expr], Any] | None = None) -> Callable[..., Expr]:
    """The constructor of a function of square matrices, whose value is known for a number and for the identity."""

    def build(a: Any) -> Expr:
        a = expr(a)
        if a.shape == ():
            return expr(value(a))
        made = node(TABLE[name], (a,))  # checks the shape
        return expr(of_identity(a)) if of_identity is not None and a.op is EYE else made

    build.__name__ = name
    return build


def expm(a: Any) -> Expr:
    """The matrix exponential; of zeros, the identity."""
    a = expr(a)
    if a.shape == ():
        return BUILD["exp"](a)
    made = node(TABLE["expm"], (a,))
    if a.op is TRANSPOSE:
        return expm(a.args[0]).T
    return eye(a.shape[0]) if is_zero(a) else made


def frechet(a: Any, e: Any) -> Expr:
    """The derivative of the matrix exponential at A in the direction E."""
    a, e = expr(a), expr(e)
    if a.shape == e.shape == ():
        return BUILD["exp"](a) * e
    if e.op is EYE:  # I commutes with A
        return expm(a)
    made = node(TABLE["frechet"], (a, e))
    return e if is_zero(a) else zero(made.shape) if is_zero(e) else made


def sylvester(a: Any, b: Any, c: Any) -> Expr:
    """The solution X of A X + X B = C."""
    a, b, c = expr(a), expr(b), expr(c)
    if a.shape == b.shape == c.shape == ():
        return div(c, a + b)
    made = node(TABLE["sylvester"], (a, b, c))
    return zero(made.shape) if is_zero(c) else made


def matrix_power(a: Any, k: Any) -> Expr:
    """A multiplied by itself k times; for negative k the power of the inverse."""
    a = expr(a)
    if not is_whole(k):
        raise UnsupportedError(f"a matrix is raised to a whole number, but got {k!r}; entry by entry it is A**{k}")
    k = int(k)
    if a.shape == ():
        return a**k
    made = node(TABLE["matrix_power"], (a,), (abs(k),))  # checks the shape
    if k == 0 or a.op is EYE:
        return eye(a.shape[0])
    if is_zero(a) and k < 0:
        raise MatcalcError("zero is raised to a negative power")
    if k < 0:
        return matrix_power(BUILD["inv"](a), -k)
    if a.op is TABLE["matrix_power"]:
        return matrix_power(a.args[0], k * a.params[0])
    return zero(a.shape) if is_zero(a) else a if k == 1 else made


def norm(x: Any) -> Expr:
    """The Euclidean norm, of a matrix the Frobenius norm; of zeros, 0."""
    x = expr(x)
    return abs(x) if x.shape == () else const(0) if is_zero(x) else node(TABLE["norm"], (x,))


def of_singular_values(name: str) -> Callable[[Any], Expr]:
    """The constructor of a norm of singular values; a vector has one, its Euclidean norm."""

    def build(x: Any) -> Expr:
        x = expr(x)
        return norm(x) if x.shape == () or 1 in x.shape or is_zero(x) else node(TABLE[name], (x,))

    build.__name__ = name
    return build


_BUILT = {name: along(name) for name in _ALONE}
_BUILT |= {build.__name__: build for build in (expm, frechet, sylvester, matrix_power, norm)}
_BUILT |= {name: of_singular_values(name) for name in ("nuclear", "spectral")}
_BUILT |= {
    "inv": of_number("inv", lambda a: a**-1, lambda a: a),
    "det": of_number("det", lambda a: a, lambda a: 1),
    "logdet": of_number("logdet", lambda a: BUILD["log"](abs(a)), lambda a: 0),
    "cholesky": of_number("cholesky", lambda a: a ** Fraction(1, 2), lambda a: a),
}
BUILD.update(_BUILT)
REBUILD.update({TABLE[name]: build for name, build in _BUILT.items()})
