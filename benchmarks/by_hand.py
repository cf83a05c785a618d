"""The works of ``performance.py`` written by hand: as good people write them, and as fast as NumPy lets one.

What makes the fast ones fast, in the order of what it gave:

- ``W.dot(x)`` in place of ``W @ x``: the method goes straight to BLAS, the operator through the machinery of ufuncs.
- ``delta[:, None].dot(x[None])`` is δxᵀ by BLAS, at every size faster than broadcasting or ``np.outer``.
- ``h += b; tanh(h, h)``: no array for what is not kept, and the third argument by place in place of ``out=``.
- ``u − (u h) h`` in place of ``u (1 − h h)``: a Python number among arrays costs more than a product of eight entries, and an
  int more than a float. ``sign(h)`` is 1[z > 0] without a number and without an array of truth values.
- A *workspace*: arrays for all results, made once. The next call overwrites them, so the caller must be done with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import add, exp, greater, maximum, multiply, sign, subtract, tanh

try:
    from scipy.special import expit
except ImportError:
    expit = None


# ---- s = uᵀ f(Wx + b), one example: as people write it -----------------------------------------------------------------------
def logistic(z: Any) -> Any:
    """As people write it; it warns for large negative z."""
    return 1 / (1 + np.exp(-z))


# f, and its derivative from z and h = f(z)
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "tanh": (np.tanh, lambda z, h: 1 - h * h),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z, h: z > 0),
    "logistic": (logistic, lambda z, h: h * (1 - h)),
}


def straight(name: str) -> Callable[..., Any]:
    """One function, as for a homework."""
    f, df = FUNCTIONS[name]

    def value_and_grad(u: Any, W: Any, b: Any, x: Any) -> Any:
        z = W @ x + b
        h = f(z)
        s = u @ h
        delta = u * df(z, h)
        return s, {"u": h, "W": np.outer(delta, x), "b": delta, "x": W.T @ delta}

    return value_and_grad


def layered(name: str) -> Callable[..., Any]:
    """Forward and backward with a cache, as for a course that builds layers."""
    f, df = FUNCTIONS[name]

    def forward(u: Any, W: Any, b: Any, x: Any) -> Any:
        z = W @ x + b
        h = f(z)
        return u @ h, (u, W, x, z, h)

    def backward(dout: Any, cache: Any) -> Any:
        u, W, x, z, h = cache
        delta = dout * u * df(z, h)
        return dout * h, np.outer(delta, x), delta, W.T @ delta

    def value_and_grad(u: Any, W: Any, b: Any, x: Any) -> Any:
        s, cache = forward(u, W, b, x)
        du, dW, db, dx = backward(1.0, cache)
        return s, {"u": du, "W": dW, "b": db, "x": dx}

    return value_and_grad


def from_scratch(name: str) -> Callable[..., Any]:
    """Each gradient for itself, the Jacobian of f as a diagonal matrix, as the formulas are first written on the slides."""
    f, df = FUNCTIONS[name]

    def jacobian(W: Any, b: Any, x: Any) -> Any:
        z = W @ x + b
        return np.diag(1.0 * df(z, f(z)))

    def value_and_grad(u: Any, W: Any, b: Any, x: Any) -> Any:
        s = u @ f(W @ x + b)
        du = f(W @ x + b)
        dW = np.outer(u @ jacobian(W, b, x), x)
        db = u @ jacobian(W, b, x)
        dx = u @ jacobian(W, b, x) @ W
        return s, {"u": du, "W": dW, "b": db, "x": dx}

    return value_and_grad


# ---- the same as fast as it goes, the results fresh ----------------------------------------------------------------------------
def best_tanh(u: Any, W: Any, b: Any, x: Any) -> Any:
    """δ = u − u h h."""
    h = W.dot(x)
    h += b
    tanh(h, h)
    delta = u * h
    delta *= h
    subtract(u, delta, delta)
    return u.dot(h), {"u": h, "W": delta[:, None].dot(x[None]), "b": delta, "x": delta.dot(W)}


def best_relu(u: Any, W: Any, b: Any, x: Any) -> Any:
    """δ = u sign(h)."""
    h = W.dot(x)
    h += b
    maximum(h, 0.0, out=h)  # a third argument by place is deprecated for maximum and minimum
    delta = sign(h)
    delta *= u
    return u.dot(h), {"u": h, "W": delta[:, None].dot(x[None]), "b": delta, "x": delta.dot(W)}


def best_logistic(u: Any, W: Any, b: Any, x: Any) -> Any:
    """δ = u h − u h h. Without SciPy one exponential: h = 1 / (1 + exp(−max(z, −709))), and none overflows."""
    h = W.dot(x)
    h += b
    if expit is not None:
        expit(h, h)
    else:
        maximum(h, -709.0 if h.itemsize == 8 else -88.0, out=h)
        np.negative(h, h)
        exp(h, h)
        h += 1.0
        np.reciprocal(h, h)
    delta = u * h
    delta -= delta * h
    return u.dot(h), {"u": h, "W": delta[:, None].dot(x[None]), "b": delta, "x": delta.dot(W)}


def one_exponential(u: Any, W: Any, b: Any, x: Any) -> Any:
    """``best_logistic`` where there is no SciPy."""
    h = W.dot(x)
    h += b
    h = exp(-maximum(h, -709.0))
    h += 1.0
    np.reciprocal(h, h)
    delta = u * h
    delta -= delta * h
    return u.dot(h), {"u": h, "W": delta[:, None].dot(x[None]), "b": delta, "x": delta.dot(W)}


BEST = {"tanh": best_tanh, "ReLU": best_relu, "logistic": best_logistic}


# ---- the same into a workspace -------------------------------------------------------------------------------------------------
def workspace(name: str, n: int, m: int, dtype: Any) -> Callable[..., Any]:
    """All results in arrays that are made once; their methods, views and numbers are looked up once."""
    h, delta, dx, dW = np.empty(n, dtype), np.empty(n, dtype), np.empty(m, dtype), np.empty((n, m), dtype)
    zero, one = np.zeros((), dtype), np.ones((), dtype)
    lowest = np.array(-709.0 if h.itemsize == 8 else -88.0, dtype)
    by_h, by_delta, outer = h.dot, delta.dot, delta[:, None].dot
    results = {"u": h, "W": dW, "b": delta, "x": dx}

    def through_tanh(u: Any, W: Any, b: Any, x: Any) -> Any:
        W.dot(x, h)
        add(h, b, h)
        tanh(h, h)
        multiply(h, h, delta)
        subtract(one, delta, delta)
        multiply(u, delta, delta)
        outer(x[None], dW)
        by_delta(W, dx)
        return by_h(u), results

    def through_relu(u: Any, W: Any, b: Any, x: Any) -> Any:
        W.dot(x, h)
        add(h, b, h)
        maximum(h, zero, out=h)
        sign(h, delta)
        multiply(u, delta, delta)
        outer(x[None], dW)
        by_delta(W, dx)
        return by_h(u), results

    def through_logistic(u: Any, W: Any, b: Any, x: Any) -> Any:
        W.dot(x, h)
        add(h, b, h)
        if expit is not None:
            expit(h, h)
        else:
            maximum(h, lowest, out=h)
            np.negative(h, h)
            exp(h, h)
            add(h, one, h)
            np.reciprocal(h, h)
        subtract(one, h, delta)
        multiply(h, delta, delta)
        multiply(u, delta, delta)
        outer(x[None], dW)
        by_delta(W, dx)
        return by_h(u), results

    return {"tanh": through_tanh, "ReLU": through_relu, "logistic": through_logistic}[name]


# ---- Y = tanh(XWᵀ + bᵀ), a batch, with an upstream gradient --------------------------------------------------------------------
def good_layer(dout: Any, X: Any, W: Any, b: Any) -> Any:
    """As people write it."""
    Y = np.tanh(X @ W.T + b)
    delta = dout * (1 - Y * Y)
    return Y, delta @ W, delta.T @ X, delta.sum(axis=0)


def best_layer(dout: Any, X: Any, W: Any, b: Any) -> Any:
    """In place; the sum over the examples is a product with ones, on the transposed array."""
    Y = X @ W.T
    Y += b
    tanh(Y, Y)
    delta = Y * Y
    subtract(1.0, delta, delta)
    delta *= dout
    return Y, delta @ W, delta.T @ X, delta.T.dot(np.ones(len(X), delta.dtype))


def layer_workspace(N: int, n: int, m: int, dtype: Any) -> Callable[..., Any]:
    """The same into arrays that are made once."""
    Y, delta, ones = np.empty((N, n), dtype), np.empty((N, n), dtype), np.ones(N, dtype)
    dX, dW, db = np.empty((N, m), dtype), np.empty((n, m), dtype), np.empty(n, dtype)

    def run(dout: Any, X: Any, W: Any, b: Any) -> Any:
        X.dot(W.T, Y)
        add(Y, b, Y)
        tanh(Y, Y)
        multiply(Y, Y, delta)
        subtract(1.0, delta, delta)
        multiply(delta, dout, delta)
        delta.dot(W, dX)
        delta.T.dot(X, dW)
        delta.T.dot(ones, db)
        return Y, dX, dW, db

    return run


def layer_products(dout: Any, X: Any, W: Any, b: Any) -> Any:
    """The three products that nobody can leave out, with dout in place of the error signal."""
    return X @ W.T, dout @ W, dout.T @ X


# ---- a net with two hidden layers, ReLU, softmax and cross-entropy; labels are whole numbers -----------------------------------
def good_net(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
    """As for an assignment."""
    N = X.shape[0]
    h1 = np.maximum(X @ W1.T + b1, 0)
    h2 = np.maximum(h1 @ W2.T + b2, 0)
    scores = h2 @ W3.T + b3
    scores -= scores.max(axis=1, keepdims=True)
    e = np.exp(scores)
    total = e.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - scores[np.arange(N), y]).sum() / N
    d3 = e / total
    d3[np.arange(N), y] -= 1
    d3 /= N
    d2 = d3 @ W3
    d2 *= h2 > 0
    d1 = d2 @ W2
    d1 *= h1 > 0
    return loss, d1.T @ X, d1.sum(axis=0), d2.T @ h1, d2.sum(axis=0), d3.T @ h2, d3.sum(axis=0)


def best_net(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
    """In place. The scores have a column for each example: sums over ten rows of 256 are faster than over 256 rows of ten."""
    N = len(X)
    rows, ones = np.arange(N), np.ones(N, X.dtype)
    h1 = X @ W1.T
    h1 += b1
    maximum(h1, 0.0, out=h1)
    h2 = h1 @ W2.T
    h2 += b2
    maximum(h2, 0.0, out=h2)
    d3 = W3 @ h2.T
    d3 += b3[:, None]
    d3 -= d3.max(axis=0)
    picked = d3[y, rows]
    exp(d3, d3)
    total = add.reduce(d3, 0)
    loss = (np.log(total).sum() - picked.sum()) / N
    total *= N
    d3 /= total
    d3[y, rows] -= 1.0 / N
    d2 = d3.T @ W3
    d2 *= h2 > 0.0
    d1 = d2 @ W2
    d1 *= h1 > 0.0
    return loss, d1.T @ X, d1.T.dot(ones), d2.T @ h1, d2.T.dot(ones), d3 @ h2, d3.dot(ones)


def net_workspace(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Callable[..., Any]:
    """The same into arrays that are made once, for arguments of these shapes."""
    N, dtype = len(X), W1.dtype
    rows, ones, total = np.arange(N), np.ones(N, dtype), np.empty(N, dtype)
    h1, d1 = np.empty((2, N, len(b1)), dtype)
    h2, d2 = np.empty((2, N, len(b2)), dtype)
    on1, on2, d3 = np.empty(h1.shape, bool), np.empty(h2.shape, bool), np.empty((len(b3), N), dtype)
    dW1, db1, dW2, db2, dW3, db3 = (np.empty_like(p) for p in (W1, b1, W2, b2, W3, b3))

    def run(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
        X.dot(W1.T, h1)
        add(h1, b1, h1)
        maximum(h1, 0.0, out=h1)
        h1.dot(W2.T, h2)
        add(h2, b2, h2)
        maximum(h2, 0.0, out=h2)
        W3.dot(h2.T, d3)
        add(d3, b3[:, None], d3)
        maximum.reduce(d3, 0, out=total)
        subtract(d3, total, d3)
        picked = d3[y, rows]
        exp(d3, d3)
        add.reduce(d3, 0, out=total)
        loss = (np.log(total).sum() - picked.sum()) / N
        multiply(total, N, total)
        np.divide(d3, total, d3)
        d3[y, rows] -= 1.0 / N
        d3.T.dot(W3, d2)
        greater(h2, 0.0, on2)
        multiply(d2, on2, d2)
        d2.dot(W2, d1)
        greater(h1, 0.0, on1)
        multiply(d1, on1, d1)
        d1.T.dot(X, dW1)
        d1.T.dot(ones, db1)
        d2.T.dot(h1, dW2)
        d2.T.dot(ones, db2)
        d3.dot(h2, dW3)
        d3.dot(ones, db3)
        return loss, dW1, db1, dW2, db2, dW3, db3

    return run


def net_products(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Callable[[], Any]:
    """The eight products that nobody can leave out, on arrays like those of the net."""
    h1 = np.maximum(X @ W1.T, 0)
    h2 = np.maximum(h1 @ W2.T, 0)
    d3, d2, d1 = h2 @ W3.T, h2.copy(), h1.copy()
    return lambda: (X @ W1.T, h1 @ W2.T, h2 @ W3.T, d3.T @ h2, d3 @ W3, d2.T @ h1, d2 @ W2, d1.T @ X)
