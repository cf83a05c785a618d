"""What every operation means, written a second time and independently of the table: NumPy, or JAX, on two-dimensional arrays.

A scalar is 1 by 1, a column n by 1. Nothing here reads the rows' own meanings, so a wrong row cannot agree with itself. An
operation that is not listed has no translation, and the tests say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special
import sympy

from matcalc.core.expression import LEAF, LET, Expr, topological

Array = Any
Arrays = Mapping[Expr, Array]


class Library:
    """NumPy, and what NumPy does not have: the same names exist for JAX."""

    xp: Any = np
    erf = staticmethod(scipy.special.erf)
    expm = staticmethod(scipy.linalg.expm)

    @staticmethod
    def scattered(a: Array, ids: Array, rows: int) -> Array:
        """Zeros, to whose rows the rows of a are added."""
        whole = np.zeros((rows, a.shape[1]))
        for k, i in enumerate(ids):
            whole[i] += a[k]
        return whole


def _exponentials(xp: Any, x: Array, axis: Any) -> Array:
    return xp.exp(x - xp.max(x, axis=axis, keepdims=True))


def _logsumexp(lib: Any, shape: Any, params: Any, x: Array) -> Array:
    top = lib.xp.max(x, axis=params[0], keepdims=True)
    return top + lib.xp.log(lib.xp.sum(lib.xp.exp(x - top), axis=params[0], keepdims=True))


def _softmax(lib: Any, shape: Any, params: Any, x: Array) -> Array:
    e = _exponentials(lib.xp, x, params[0])
    return e / lib.xp.sum(e, axis=params[0], keepdims=True)


def _winner(lib: Any, shape: Any, params: Any, x: Array) -> Array:
    (axis,), xp = params, lib.xp
    if axis is None:
        return (xp.arange(x.size) == xp.argmax(x)).reshape(x.shape) * 1.0
    lines = xp.arange(x.shape[axis]).reshape((-1, 1) if axis == 0 else (1, -1))
    return (lines == xp.argmax(x, axis=axis, keepdims=True)) * 1.0


def _ids(params: Any, given: Sequence[Array]) -> Array:
    """Row numbers: literal, or a column of them."""
    return np.array(params[0]) if not given else np.asarray(given[0])[:, 0].astype(int)


def _one_hot(lib: Any, shape: Any, params: Any, *given: Array) -> Array:
    column = np.zeros(shape)
    column[int(given[0][0, 0]) if given else params[1]] = 1
    return column


def _polar(lib: Any, shape: Any, params: Any, x: Array) -> Array:
    u, _, vt = lib.xp.linalg.svd(x, full_matrices=False)
    return u @ vt


def _leading(lib: Any, shape: Any, params: Any, x: Array) -> Array:
    u, _, vt = lib.xp.linalg.svd(x, full_matrices=False)
    return u[:, :1] @ vt[:1]


def _frechet(lib: Any, shape: Any, params: Any, a: Array, e: Array) -> Array:
    """The block beside the diagonal of expm [A E; 0 A]."""
    rows = len(a)
    return lib.expm(lib.xp.vstack([lib.xp.hstack([a, e]), lib.xp.hstack([lib.xp.zeros_like(a), a])]))[:rows, rows:]


def _sylvester(lib: Any, shape: Any, params: Any, a: Array, b: Array, c: Array) -> Array:
    """A X + X B = C as one linear system in the entries of X, row by row."""
    xp = lib.xp
    whole = xp.kron(a, xp.eye(shape[1])) + xp.kron(xp.eye(shape[0]), b.T)
    return xp.linalg.solve(whole, c.reshape(-1, 1)).reshape(shape)


def _place(lib: Any, shape: Any, params: Any, a: Array) -> Array:
    (row, column), (rows, columns) = params[0], shape
    return lib.xp.pad(a, ((row, rows - row - a.shape[0]), (column, columns - column - a.shape[1])))


def _commutation(lib: Any, shape: Any, params: Any) -> Array:
    """K vec(X) = vec(Xᵀ): entry (i, j) of X stands at i + j r in vec(X), and at j + i c in vec(Xᵀ)."""
    r, c = params[:2]
    k = np.zeros((r * c, r * c))
    for i in range(r):
        for j in range(c):
            k[j + i * c, i + j * r] = 1
    return k


Meaning = Callable[..., Array]
ENTRYWISE: dict[str, Meaning] = {  # library and arrays
    "add": lambda lib, a, b: a + b,
    "mul": lambda lib, a, b: a * b,
    "pow": lambda lib, a, b: a**b,
    "exp": lambda lib, x: lib.xp.exp(x),
    "log": lambda lib, x: lib.xp.log(x),
    "log1p": lambda lib, x: lib.xp.log1p(x),
    "expm1": lambda lib, x: lib.xp.expm1(x),
    "sin": lambda lib, x: lib.xp.sin(x),
    "cos": lambda lib, x: lib.xp.cos(x),
    "tan": lambda lib, x: lib.xp.tan(x),
    "sinh": lambda lib, x: lib.xp.sinh(x),
    "cosh": lambda lib, x: lib.xp.cosh(x),
    "tanh": lambda lib, x: lib.xp.tanh(x),
    "arcsin": lambda lib, x: lib.xp.arcsin(x),
    "arccos": lambda lib, x: lib.xp.arccos(x),
    "arctan": lambda lib, x: lib.xp.arctan(x),
    "erf": lambda lib, x: lib.erf(x),
    "abs": lambda lib, x: lib.xp.abs(x),
    "sigmoid": lambda lib, x: (1 + lib.xp.tanh(x / 2)) / 2,
    "softplus": lambda lib, x: lib.xp.logaddexp(x, 0.0),
    "silu": lambda lib, x: x * (1 + lib.xp.tanh(x / 2)) / 2,
    "gelu": lambda lib, x: x * (1 + lib.erf(x / 2**0.5)) / 2,
    "relu": lambda lib, x: lib.xp.where(x > 0, x, 0.0),
    "leaky_relu": lambda lib, x, a: lib.xp.where(x > 0, x, a * x),
    "hard_tanh": lambda lib, x: lib.xp.clip(x, -1.0, 1.0),
    "elu": lambda lib, x, a: lib.xp.where(x > 0, x, a * (lib.xp.exp(lib.xp.where(x > 0, 0.0, x)) - 1)),
    "maximum": lambda lib, a, b: lib.xp.where(a >= b, a, b),
    "minimum": lambda lib, a, b: lib.xp.where(a <= b, a, b),
    "where": lambda lib, c, a, b: lib.xp.where(c > 0, a, b),
    "sign": lambda lib, x: lib.xp.sign(x),
    "greater": lambda lib, a, b: (a > b) * 1.0,
    "greater_equal": lambda lib, a, b: (a >= b) * 1.0,
}
OTHERS: dict[str, Meaning] = {  # library, shape of the result, parameters, and arrays
    "matmul": lambda lib, shape, params, a, b: a @ b,
    "transpose": lambda lib, shape, params, a: a.T,
    "trace": lambda lib, shape, params, a: lib.xp.sum(a * lib.xp.eye(len(a))).reshape(1, 1),
    "diag": lambda lib, shape, params, a: a * lib.xp.eye(len(a)),
    "diagonal": lambda lib, shape, params, a: lib.xp.sum(a * lib.xp.eye(len(a)), axis=1, keepdims=True),
    "sum": lambda lib, shape, params, a: lib.xp.sum(a, keepdims=True),
    "sum0": lambda lib, shape, params, a: lib.xp.sum(a, axis=0, keepdims=True),
    "sum1": lambda lib, shape, params, a: lib.xp.sum(a, axis=1, keepdims=True),
    "vec": lambda lib, shape, params, a: lib.xp.concatenate([a[:, j : j + 1] for j in range(a.shape[1])]),
    "kron": lambda lib, shape, params, a, b: (a[:, None, :, None] * b[None, :, None, :]).reshape(shape),
    "broadcast": lambda lib, shape, params, a: a + lib.xp.zeros(shape),
    "unvec": lambda lib, shape, params, a: a.reshape(shape[::-1]).T,
    "slice": lambda lib, shape, params, a: a[params[0][0] : params[0][0] + shape[0], params[0][1] : params[0][1] + shape[1]],
    "place": _place,
    "concat": lambda lib, shape, params, *parts: (lib.xp.hstack if params[0] else lib.xp.vstack)(parts),
    "winner": _winner,
    "one_hot": _one_hot,
    "half_lower": lambda lib, shape, params: np.tril(np.ones(shape), -1) + np.eye(*shape) / 2,
    "take": lambda lib, shape, params, a, *given: a[_ids(params, given)],
    "scatter": lambda lib, shape, params, a, *given: lib.scattered(a, _ids(params, given), shape[0]),
    "commutation": _commutation,
    "softmax": _softmax,
    "log_softmax": lambda lib, shape, params, x: x - _logsumexp(lib, shape, params, x),
    "logsumexp": _logsumexp,
    "max": lambda lib, shape, params, x: lib.xp.max(x, axis=params[0], keepdims=True),
    "norm": lambda lib, shape, params, x: lib.xp.sqrt(lib.xp.sum(x * x, keepdims=True)),
    "inv": lambda lib, shape, params, a: lib.xp.linalg.inv(a),
    "det": lambda lib, shape, params, a: lib.xp.linalg.det(a).reshape(1, 1),
    "logdet": lambda lib, shape, params, a: lib.xp.linalg.slogdet(a)[1].reshape(1, 1),
    "nuclear": lambda lib, shape, params, a: lib.xp.sum(lib.xp.linalg.svd(a, compute_uv=False)).reshape(1, 1),
    "spectral": lambda lib, shape, params, a: lib.xp.max(lib.xp.linalg.svd(a, compute_uv=False)).reshape(1, 1),
    "polar": _polar,
    "leading": _leading,
    "matrix_power": lambda lib, shape, params, a: lib.xp.linalg.matrix_power(a, params[0]),
    "cholesky": lambda lib, shape, params, a: lib.xp.linalg.cholesky((a + a.T) / 2),
    "expm": lambda lib, shape, params, a: lib.expm(a),
    "frechet": _frechet,
    "sylvester": _sylvester,
    "let": lambda lib, shape, params, a: a,
    "eye": lambda lib, shape, params: np.eye(*shape),
    "ones": lambda lib, shape, params: np.ones(shape),
    "zeros": lambda lib, shape, params: np.zeros(shape),
    "const": lambda lib, shape, params: np.full((1, 1), float(params[1])),
}


def _gap(x: Array, axis: Any) -> Array:
    """By how much the largest entries exceed the next ones."""
    ordered = np.sort(x.reshape(-1, 1) if axis is None else x, axis=axis or 0)
    return np.diff(ordered, axis=axis or 0)[-1:] if not axis else np.diff(ordered, axis=1)[:, -1:]


# What is zero exactly where an operation has a kink, a jump or a pole of its derivative.
KINKS: dict[str, Callable[..., Array]] = {
    "abs": lambda params, x: x,
    "pow": lambda params, x, t: np.where((t == np.rint(t)) & (t >= 0), 1.0, x),
    "sign": lambda params, x: x,
    "relu": lambda params, x: x,
    "leaky_relu": lambda params, x, a: x,
    "elu": lambda params, x, a: x,
    "hard_tanh": lambda params, x: (x - 1) * (x + 1),
    "maximum": lambda params, a, b: a - b,
    "minimum": lambda params, a, b: a - b,
    "greater": lambda params, a, b: a - b,
    "greater_equal": lambda params, a, b: a - b,
    "max": lambda params, x: _gap(x, params[0]),
    "winner": lambda params, x: _gap(x, params[0]),
    "norm": lambda params, x: np.sqrt(np.sum(x * x)),
    "nuclear": lambda params, x: np.linalg.svd(x, compute_uv=False)[-1:],
    "polar": lambda params, x: np.linalg.svd(x, compute_uv=False)[-1:],
    "spectral": lambda params, x: np.diff(np.linalg.svd(x, compute_uv=False))[:1],
    "leading": lambda params, x: np.diff(np.linalg.svd(x, compute_uv=False))[:1],
}

UNSETTLED = {"polar", "leading"}  # of a matrix without full rank, or with two largest singular values, they are not determined
JUMPS = {"sign", "greater", "greater_equal", "winner", "polar", "leading"}  # where not even the value is settled at a kink


@cache
def _bound(value: sympy.Basic, lengths: tuple[tuple[Any, int], ...]) -> int | float:
    """A size, or another number in sizes, as a number."""
    bound = value.subs(dict(lengths))
    return int(bound) if bound.is_Integer else float(bound)


class Translation:
    """An expression as a function of arrays; the functions that it leaves open are sums of sines, of any order."""

    def __init__(self, e: Expr, lengths: Mapping[Any, int], waves: tuple[Array, Array, Array]) -> None:
        self.e, self.order, self.waves = e, topological([e]), waves
        self.lengths = dict(lengths)
        self.shapes = {x: (self._number(x.shape[0]), self._number(x.shape[1])) if x.shape else (1, 1) for x in self.order}
        self.params = {x: self._number(x.params) for x in self.order if x.op is not LEAF and not x.op.user}
        bodies = {x.op: x.op.body for x in self.order if x.op.body is not None}
        self.bodies = {op: (argument, Translation(value, lengths, waves)) for op, (argument, value) in bodies.items()}
        self.varies = {x for x in self.order if x.op in (LEAF, LET)}
        for x in self.order:
            if any(a in self.varies for a in x.args):
                self.varies.add(x)

    def _number(self, value: Any) -> Any:
        """A size as a number, in nested parameters too."""
        if isinstance(value, tuple):
            return tuple(map(self._number, value))
        if not isinstance(value, sympy.Basic):
            return value
        return _bound(value, tuple(self.lengths.items()))

    def __call__(self, arrays: Arrays, lib: Any = Library) -> Array:
        """The value; an array for a named part stands in its place."""
        return self.parts(arrays, lib)[self.e]

    def parts(self, arrays: Arrays, lib: Any = Library, noise: Callable[[Any], Array] | None = None) -> dict[Expr, Array]:
        """The value of every part; each varying one is multiplied with some noise, to see how far errors on the way count."""
        found: dict[Expr, Array] = {}
        for x in self.order:
            below = [found[a] for a in x.args]
            if x in arrays:
                found[x] = arrays[x]
            elif x.op.user:
                found[x] = self._user(lib, x, *below)
            elif x.op.name in ENTRYWISE:
                found[x] = ENTRYWISE[x.op.name](lib, *below)
            else:
                found[x] = OTHERS[x.op.name](lib, self.shapes[x], self.params[x], *below)
            if noise is not None and x in self.varies and x.args:
                found[x] = found[x] * noise(self.shapes[x])
            assert found[x].shape == self.shapes[x], f"{x.op.name} gives {found[x].shape}, not {self.shapes[x]}"
        return found

    def kinks(self, parts: Arrays) -> Array:
        """What is zero at a kink, for every operation that depends on a variable, or of which rounding decides."""
        there = [x for x in self.order if x.op.name in KINKS and (x in self.varies or x.op.name in UNSETTLED)]
        return np.concatenate([np.ravel(KINKS[x.op.name](self.params[x], *(parts[a] for a in x.args))) for x in there] or [[]])

    def _user(self, lib: Any, x: Expr, z: Array) -> Array:
        if x.op.body is None:
            return self.wave(x.op.order, z, lib.xp)
        argument, inside = self.bodies[x.op]
        entries = [inside({argument: z[i : i + 1, j : j + 1]}, lib) for i in range(z.shape[0]) for j in range(z.shape[1])]
        return lib.xp.concatenate(entries).reshape(z.shape)

    def wave(self, order: int, z: Array, xp: Any = np) -> Array:
        """A sum of sines, differentiated so often."""
        height, speed, phase = self.waves
        return sum(h * s**order * xp.sin(s * z + p + order * np.pi / 2) for h, s, p in zip(height, speed, phase, strict=True))
