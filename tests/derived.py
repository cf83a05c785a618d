"""The derivations whose text and LaTeX are kept in golden files, each with the title that a reader would give it."""

from __future__ import annotations

import matcalc as mc

n, m, k, N = mc.dims("n m k N")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")


def score():
    """The lecture's score s = uᵀf(Wx + b)."""
    return mc.derive(u.T @ f(W @ x + b), wrt=[W, b, x, u])


def margin():
    """Max-margin: a window and a corrupt one share W, b and u."""
    corrupt = mc.vector("x_c", m)
    s, s_c = (mc.let(name, u.T @ mc.tanh(W @ v + b)) for name, v in (("s", x), ("s_c", corrupt)))
    return mc.derive(mc.let("J", mc.hinge(1 - s + s_c)), wrt=[W, b, u])


def softmax():
    """Softmax regression with cross-entropy, the softmax typed out."""
    y, z = mc.vector("y", n, distribution=True), mc.let("z", W @ x + b)
    return mc.derive(-(y.T @ mc.log(mc.exp(z) / mc.sum(mc.exp(z)))), wrt=[W, b, x])


def deep():
    """A net of five layers, with superscripts."""
    weights = [mc.matrix(f"W^{{({layer})}}", n) for layer in range(1, 6)]
    biases = [mc.vector(f"b^{{({layer})}}", n) for layer in range(1, 6)]
    a = mc.vector("x", n)
    for weight, bias in zip(weights, biases, strict=True):
        a = f(weight @ a + bias)
    return mc.derive(u.T @ a, wrt=[*weights, biases[0]])


def least_squares():
    """Least squares, ½‖Ax − b‖²."""
    A, v = mc.matrix("A", n, m), mc.vector("b", n)
    return mc.derive(mc.norm(A @ x - v) ** 2 / 2, wrt=[x, A])


def logistic():
    """Logistic regression on a batch of rows."""
    X, w, y = mc.matrix("X", N, m), mc.vector("w", m), mc.vector("y", N)
    p = mc.let("p", 1 / (1 + mc.exp(-(X @ w))))
    return mc.derive(-mc.sum(y * mc.log(p) + (1 - y) * mc.log(1 - p)) / N, wrt=[w])


def batch():
    """An affine layer on a batch, squared error."""
    X, V, Y, c = mc.matrix("X", N, m), mc.matrix("W", m, k), mc.matrix("Y", N, k), mc.vector("b", k)
    return mc.derive(mc.norm(X @ V + c.T - Y) ** 2 / 2, wrt=[V, c, X])


def quadratic():
    """A quadratic form, with a square matrix."""
    A, v = mc.matrix("A", n), mc.vector("x", n)
    return mc.derive(v.T @ A @ v, wrt=[v, A])


def gaussian():
    """The negative log-likelihood of a Gaussian."""
    S, mu, y = mc.matrix("Sigma", n, positive_definite=True), mc.vector("mu", n), mc.vector("x", n)
    return mc.derive((mc.logdet(S) + (y - mu).T @ mc.inv(S) @ (y - mu)) / 2, wrt=[mu, S])


def attention():
    """Attention, with the projections of queries, keys and values."""
    X, G = mc.matrix("X", N, m), mc.matrix("G", N, k)
    Q, K, V = (mc.matrix(f"W_{letter}", m, k) for letter in "QKV")
    P = mc.let("P", mc.softmax(X @ Q @ (X @ K).T / mc.sqrt(k), axis=1))
    return mc.derive(mc.sum(G * (P @ (X @ V))), wrt=[Q, K, V])


def layernorm():
    """Layer normalisation with a gain and a shift."""
    v, gain, shift = mc.vectors("x gamma beta", n)
    sigma = mc.let("sigma", mc.sqrt(mc.var(v)))
    return mc.derive(u.T @ (gain * mc.let("xhat", (v - mc.mean(v)) / sigma) + shift), wrt=[v, gain, shift])


def cholesky():
    """Half the log-determinant and a quadratic form by way of the Cholesky factor: results too long for a line."""
    S, v = mc.matrix("Sigma", n, positive_definite=True), mc.vector("y", n)
    L = mc.let("L", mc.cholesky(S))
    return mc.derive(mc.sum(mc.log(mc.diagonal(L))) + mc.sum(mc.solve(L, v) ** 2) / 2, wrt=[S, v])


DERIVED = [score, margin, softmax, deep, least_squares, logistic, batch, quadratic, gaussian, attention, layernorm, cholesky]
