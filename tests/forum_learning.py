"""Problems of machine learning, as people ask about them: losses, embeddings, cells, attention, normalisation.

Stated as in ``forum_statistics``: with matcalc's constructors and, independently, in plain NumPy on matrices.
"""

import math

import numpy as np
from published import Problem

import matcalc as mc
from matcalc import concat, cross_entropy, exp, log, logsumexp, maximum, mean, norm, ones, relu, sigmoid, softmax, sqrt, tanh

N, n, m, k = mc.dims("N n m k")
X, Y, Z = mc.matrix("X", N, n), mc.matrix("Y", N, m), mc.matrix("Z", N, n)
W, V, U = mc.matrix("W", m, n), mc.matrix("V", m, n), mc.matrix("U", m)
x, d, e, g = mc.vectors("x d e g", n)
z, b, h, u, o = mc.vectors("z b h u o", m)
A, D = mc.matrix("A", n), mc.matrix("D", k, m)
q = mc.vector("q", k)
y = mc.vector("y", m, distribution=True)
a, c, r = mc.scalars("a c r")
s, t = mc.scalars("s t", positive=True)


def np_sigmoid(z):
    return 1 / (1 + np.exp(-z))


def np_softmax(z):
    return np.exp(z) / np.exp(z).sum()


def np_rows(S):
    """The softmax of every row."""
    return np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)


def np_lse(z):
    return np.log(np.exp(z).sum())


# ---- losses ------------------------------------------------------------------------------------------
p = mc.let("p", sigmoid(z))
LOSSES = [
    Problem(
        "cross-entropy of a layer",
        lambda: (mc.softmax_cross_entropy(W @ x + b, y), [W, b, x]),
        lambda W, x, b, y: -(y * np.log(np_softmax(W @ x + b))).sum(),
        "(softmax(Wx + b) − y) xᵀ",
        "softmax(Wx + b) − y",
        "Wᵀ(softmax(Wx + b) − y)",
    ),
    Problem(
        "smoothed labels",
        lambda: (cross_entropy((1 - a) * y + a / m * ones(m), softmax(z)), [z, a]),
        lambda a, y, z: -(((1 - a) * y + a / len(y)) * np.log(np_softmax(z))).sum(),
    ),
    Problem(
        "temperature",
        lambda: (mc.softmax_cross_entropy(z / t, y), [z, t]),
        lambda z, t, y: -(y * np.log(np_softmax(z / t))).sum(),
        "(softmax(z / t) − y) / t",
    ),
    Problem(
        "binary cross-entropy of many",
        lambda: (mc.sum(mc.binary_cross_entropy(h, sigmoid(z))), [z, h]),
        lambda z, h: -(h * np.log(np_sigmoid(z)) + (1 - h) * np.log(1 - np_sigmoid(z))).sum(),
        "σ(z) − h",
    ),
    Problem(
        "focal loss",
        lambda: (-mc.sum((1 - sigmoid(z)) ** 2 * log(sigmoid(z))), [z]),
        lambda z: -((1 - np_sigmoid(z)) ** 2 * np.log(np_sigmoid(z))).sum(),
    ),
    Problem(
        "focal loss, any exponent",
        lambda: (-((1 - sigmoid(a)) ** s * log(sigmoid(a))), [a, s]),
        lambda a, s: -((1 - np_sigmoid(a)) ** s * np.log(np_sigmoid(a))),
    ),
    Problem(
        "Dice",
        lambda: (1 - 2 * mc.sum(p * y) / (mc.sum(p) + mc.sum(y)), [z]),
        lambda z, y: 1 - 2 * (np_sigmoid(z) * y).sum() / (np_sigmoid(z).sum() + y.sum()),
    ),
    Problem(
        "entropy of softmax",
        lambda: (-(softmax(z).T @ log(softmax(z))), [z]),
        lambda z: -(np_softmax(z) * np.log(np_softmax(z))).sum(),
    ),
    Problem(
        "divergence of softmaxes",
        lambda: (softmax(h).T @ (mc.log_softmax(h) - mc.log_softmax(z)), [h, z]),
        lambda h, z: (np_softmax(h) * np.log(np_softmax(h) / np_softmax(z))).sum(),
        None,
        "softmax(z) − softmax(h)",
    ),
    Problem(
        "distillation",
        lambda: (mc.softmax_cross_entropy(z / t, softmax(h / t)) * t**2, [z]),
        lambda h, z, t: -(t**2) * (np_softmax(h / t) * np.log(np_softmax(z / t))).sum(),
        "t(softmax(z / t) − softmax(h / t))",
    ),
    Problem(
        "divergence from the standard normal",
        lambda: (-mc.sum(1 + h - z**2 - exp(h)) / 2, [z, h]),
        lambda z, h: -(1 + h - z**2 - np.exp(h)).sum() / 2,
        "z",
        "1/2 (exp(h) − 1)",
    ),
    Problem(
        "variational autoencoder",
        lambda: (
            mc.sum(mc.softplus(W.T @ (z + exp(h / 2) * u) + d) - e * (W.T @ (z + exp(h / 2) * u) + d))
            - mc.sum(1 + h - z**2 - exp(h)) / 2,
            [z, h, W, d],
        ),
        lambda W, z, h, u, d, e: (
            (np.log(1 + np.exp(W.T @ (z + np.exp(h / 2) * u) + d)) - e * (W.T @ (z + np.exp(h / 2) * u) + d)).sum()
            - (1 + h - z**2 - np.exp(h)).sum() / 2
        ),
    ),
    Problem(
        "margin of two scores",
        lambda: (maximum(0, 1 - u.T @ tanh(W @ x + b) + u.T @ tanh(W @ d + b)), [W, b, u, x]),
        lambda u, W, x, b, d: np.maximum(0, 1 - u.T @ np.tanh(W @ x + b) + u.T @ np.tanh(W @ d + b)),
    ),
    Problem(
        "multiclass hinge",
        lambda: (mc.sum(mc.hinge(1 + W @ x - (y.T @ W @ x))), [W, x]),
        lambda W, x, y: np.maximum(0, 1 + W @ x - y.T @ W @ x).sum(),
    ),
    Problem(
        "policy gradient",
        lambda: (-r * mc.log_softmax(D @ z)[0] - t * (-(softmax(D @ z).T @ mc.log_softmax(D @ z))), [z]),
        lambda r, D, z, t: -r * np.log(np_softmax(D @ z))[0] + t * (np_softmax(D @ z) * np.log(np_softmax(D @ z))).sum(),
    ),
    Problem(
        "clipped ratio",
        lambda: (-mc.minimum(exp(a - c) * r, mc.minimum(maximum(exp(a - c), 0.8), 1.2) * r), [a]),
        lambda a, c, r: -np.minimum(np.exp(a - c) * r, np.clip(np.exp(a - c), 0.8, 1.2) * r),
    ),
    Problem(
        "preferences",
        lambda: (-log(sigmoid(t * (x.T @ d - x.T @ e))), [x, d, t]),
        lambda t, x, d, e: -np.log(np_sigmoid(t * (x.T @ d - x.T @ e))),
    ),
    Problem(
        "energy of a restricted Boltzmann machine",
        lambda: (-(d.T @ x) - mc.sum(mc.softplus(W @ x + b)), [W, b, x]),
        lambda d, x, W, b: -d.T @ x - np.log(1 + np.exp(W @ x + b)).sum(),
        "−σ(Wx + b) xᵀ",
        "−σ(Wx + b)",
    ),
]

# ---- embeddings and distances ------------------------------------------------------------------------------------------
pairs = X @ Z.T
EMBEDDINGS = [
    Problem(
        "negative sampling",
        lambda: (-log(sigmoid(x.T @ d)) - mc.sum(log(sigmoid(-(X @ d)))), [d, x, X]),
        lambda x, d, X: -np.log(np_sigmoid(x.T @ d)) - np.log(np_sigmoid(-X @ d)).sum(),
        None,
        "(σ(xᵀd) − 1)d",
    ),
    Problem(
        "skip-gram",
        lambda: (-(y.T @ mc.log_softmax(W @ x)), [x, W]),
        lambda y, W, x: -(y * np.log(np_softmax(W @ x))).sum(),
        "Wᵀ(softmax(Wx) − y)",
        "(softmax(Wx) − y) xᵀ",
    ),
    Problem(
        "bag of words",
        lambda: (-(y.T @ mc.log_softmax(W @ ((x + d + e) / 3))), [x, W]),
        lambda y, W, x, d, e: -(y * np.log(np_softmax(W @ (x + d + e) / 3))).sum(),
        "1/3 Wᵀ(softmax(1/3 W(x + d + e)) − y)",
    ),
    Problem(
        "cosine similarity",
        lambda: (x.T @ d / (norm(x) * norm(d)), [x, d]),
        lambda x, d: x.T @ d / np.sqrt((x**2).sum() * (d**2).sum()),
    ),
    Problem(
        "contrast of one against many",
        lambda: (logsumexp(D @ z / t) - (D @ z / t)[0], [z, D, t]),
        lambda D, z, t: np_lse(D @ z / t) - (D @ z / t)[0],
    ),
    Problem(
        "contrast of cosines",
        lambda: (logsumexp(D @ (z / norm(z)) / t) - (D @ (z / norm(z)) / t)[0], [z]),
        lambda D, z, t: np_lse(D @ z / np.sqrt((z**2).sum()) / t) - (D @ z / np.sqrt((z**2).sum()) / t)[0],
    ),
    Problem(
        "contrast within a batch",
        lambda: (mc.sum(log(mc.sum(exp(pairs / t), axis=1))) - mc.trace(pairs) / t, [X, Z, t]),
        lambda X, Z, t: -np.log(np.diag(np_rows(X @ Z.T / t))).sum(),
    ),
    Problem(
        "triplet",
        lambda: (maximum(0, norm(x - d) ** 2 - norm(x - e) ** 2 + c), [x, d, e]),
        lambda x, d, e, c: np.maximum(0, ((x - d) ** 2).sum() - ((x - e) ** 2).sum() + c),
    ),
    Problem(
        "pair",
        lambda: (a * norm(x - d) ** 2 + (1 - a) * maximum(0, 3 - norm(x - d)) ** 2, [x, d]),
        lambda a, x, d: a * ((x - d) ** 2).sum() + (1 - a) * np.maximum(0, 3 - np.sqrt(((x - d) ** 2).sum())) ** 2,
    ),
    Problem(
        "metric",
        lambda: ((x - d).T @ W.T @ W @ (x - d), [W, x]),
        lambda x, d, W: ((W @ (x - d)) ** 2).sum(),
        "2W(x − d) (x − d)ᵀ",
        "2WᵀW(x − d)",
    ),
    Problem(
        "biaffine",
        lambda: (h.T @ W @ x + concat([u, g]).T @ concat([h, x]), [W, h, x]),
        lambda h, W, x, u, g: h.T @ W @ x + u.T @ h + g.T @ x,
        "h xᵀ",
    ),
    Problem(
        "Gaussian kernel",
        lambda: (exp(-(norm(x - d) ** 2) / (2 * s**2)), [x, s]),
        lambda x, d, s: np.exp(-((x - d) ** 2).sum() / (2 * s**2)),
    ),
    Problem(
        "radial functions",
        lambda: (b.T @ exp(-mc.sum((W - x.T) ** 2, axis=1) / t), [b, W, x, t]),
        lambda b, W, x, t: sum(b[j] * np.exp(-((W[j] - x[:, 0]) ** 2).sum() / t) for j in range(len(b))),
    ),
    Problem(
        "hyperbolic distance",
        lambda: (log(c**2 + 1 + norm(x - d) ** 2 + sqrt((c**2 + 1 + norm(x - d) ** 2) ** 2 - 1)), [x, c]),
        lambda c, x, d: np.arccosh(c**2 + 1 + ((x - d) ** 2).sum()),
    ),
    Problem(
        "factorisation machine",
        lambda: ((mc.sum((W @ x) ** 2) - mc.sum(W**2 @ x**2)) / 2, [x, W]),
        lambda W, x: sum((W[:, i] @ W[:, j]) * x[i] * x[j] for i in range(len(x)) for j in range(i)) + 0 * x[0],
    ),
]

# ---- layers and cells ------------------------------------------------------------------------------------------
one = tanh(U @ tanh(U @ h + W @ x + b) + W @ d + b)
reset, update = mc.let("r", sigmoid(W @ x + b)), mc.let("v", sigmoid(V @ x + b))
fresh = tanh(V @ x + U @ (reset * h))
scores = mc.let("S", X @ A @ Z.T / sqrt(n))
CELLS = [
    Problem(
        "three layers",
        lambda: (norm(tanh(D @ relu(U @ tanh(W @ x + b) + h)) - q) ** 2 / 2, [W, U, D, b]),
        lambda D, U, W, x, b, h, q: ((np.tanh(D @ np.maximum(U @ np.tanh(W @ x + b) + h, 0)) - q) ** 2).sum() / 2,
    ),
    Problem(
        "residual block",
        lambda: (norm(z + U @ relu(U @ z + b)) ** 2, [U, z]),
        lambda z, U, b: ((z + U @ np.maximum(U @ z + b, 0)) ** 2).sum(),
    ),
    Problem(
        "gate",
        lambda: (mc.sum((W @ x) * sigmoid(V @ x)), [W, V, x]),
        lambda W, x, V: (W @ x * np_sigmoid(V @ x)).sum(),
        "σ(Vx) xᵀ",
    ),
    Problem(
        "swish gate", lambda: (mc.sum((W @ x) * mc.silu(V @ x)), [V]), lambda W, x, V: (W @ x * (V @ x) * np_sigmoid(V @ x)).sum()
    ),
    Problem(
        "weights in length and direction",
        lambda: (tanh(a * (d.T @ x) / norm(d)), [d, a, x]),
        lambda a, d, x: np.tanh(a * d.T @ x / np.sqrt((d**2).sum())),
    ),
    Problem(
        "two steps of a recurrent net",
        lambda: (u.T @ one, [U, W, b, h, x]),
        lambda u, U, h, W, x, b, d: u.T @ np.tanh(U @ np.tanh(U @ h + W @ x + b) + W @ d + b),
    ),
    Problem(
        "long short-term memory",
        lambda: (
            o.T @ (sigmoid(W @ x + U @ h) * tanh(sigmoid(V @ x + b) * z + sigmoid(U @ h + b) * tanh(W @ x + b))),
            [W, U, V, b, h, z, x],
        ),
        lambda o, W, x, U, h, V, b, z: (
            o.T @ (np_sigmoid(W @ x + U @ h) * np.tanh(np_sigmoid(V @ x + b) * z + np_sigmoid(U @ h + b) * np.tanh(W @ x + b)))
        ),
    ),
    Problem(
        "gated recurrent unit",
        lambda: (o.T @ ((1 - update) * h + update * fresh), [W, V, U, b, h, x]),
        lambda o, W, x, b, V, U, h: (
            o.T @ ((1 - np_sigmoid(V @ x + b)) * h + np_sigmoid(V @ x + b) * np.tanh(V @ x + U @ (np_sigmoid(W @ x + b) * h)))
        ),
    ),
    Problem(
        "attention, one query",
        lambda: (g.T @ X.T @ softmax(X @ (A @ x) / sqrt(n)), [A, X, x]),
        lambda g, X, A, x: g.T @ X.T @ np_softmax(X @ A @ x / np.sqrt(len(x))),
    ),
    Problem(
        "attention, many queries",
        lambda: (mc.sum(X * (exp(scores) / mc.sum(exp(scores), axis=1) @ Z)), [X, A, Z]),
        lambda X, A, Z: (X * (np_rows(X @ A @ Z.T / np.sqrt(len(A))) @ Z)).sum(),
    ),
    Problem(
        "additive attention",
        lambda: (h.T @ tanh(W @ X.T) @ softmax((h.T @ tanh(W @ X.T)).T), [W, h, X]),
        lambda h, W, X: h.T @ np.tanh(W @ X.T) @ np_softmax((h.T @ np.tanh(W @ X.T)).T),
    ),
    Problem(
        "layer norm",
        lambda: (d.T @ (g * (x - mean(x)) / sqrt(mc.var(x) + t) + e), [x, g, e]),
        lambda d, g, x, t, e: d.T @ (g * (x - x.mean()) / np.sqrt(x.var() + t) + e),
        None,
        None,
        "d",
    ),
    Problem(
        "root mean square norm",
        lambda: (d.T @ (g * x / sqrt(mean(x**2) + t)), [x, g]),
        lambda d, g, x, t: d.T @ (g * x / np.sqrt((x**2).mean() + t)),
    ),
    Problem(
        "batch norm",
        lambda: (mc.sum(Z * ((X - mean(X, axis=0)) / sqrt(mc.var(X, axis=0) + t) * g.T + e.T)), [X, g, e]),
        lambda Z, X, t, g, e: (Z * ((X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + t) * g.T + e.T)).sum(),
    ),
    Problem(
        "standardised",
        lambda: (mc.sum(tanh((x - mean(x)) / sqrt(mc.var(x) + 1)) ** 2), [x]),
        lambda x: (np.tanh((x - x.mean()) / np.sqrt(x.var() + 1)) ** 2).sum(),
    ),
    Problem(
        "mixture of experts",
        lambda: (softmax(W @ x).T @ tanh(V @ x), [W, V, x]),
        lambda W, x, V: np_softmax(W @ x).T @ np.tanh(V @ x),
    ),
    Problem(
        "highway",
        lambda: (mc.sum(sigmoid(A @ x) * tanh(A.T @ x) + (1 - sigmoid(A @ x)) * x), [A, x]),
        lambda A, x: (np_sigmoid(A @ x) * np.tanh(A.T @ x) + (1 - np_sigmoid(A @ x)) * x).sum(),
    ),
    Problem(
        "two Euler steps",
        lambda: (norm(z + t * tanh(U @ z) + t * tanh(U @ (z + t * tanh(U @ z)))) ** 2, [U, z, t]),
        lambda z, t, U: ((z + t * np.tanh(U @ z) + t * np.tanh(U @ (z + t * np.tanh(U @ z)))) ** 2).sum(),
    ),
    Problem(
        "Gaussian unit layer",
        lambda: (b.T @ mc.gelu(W @ x), [W, x]),
        lambda b, W, x: b.T @ (W @ x * (1 + np.vectorize(math.erf)(W @ x / np.sqrt(2))) / 2),
    ),
    Problem(
        "bidirectional",
        lambda: (u.T @ relu(W @ x + b) + u.T @ relu(W @ d + b) + (u.T @ U @ u) * c, [u, W]),
        lambda u, W, x, b, d, U, c: u.T @ np.maximum(W @ x + b, 0) + u.T @ np.maximum(W @ d + b, 0) + u.T @ U @ u * c,
    ),
    Problem("largest of a layer", lambda: (mc.max(W @ x + b) ** 2, [W, x, b]), lambda W, x, b: np.max(W @ x + b) ** 2),
    Problem(
        "maxout", lambda: (mc.sum(maximum(W @ x + b, V @ x)), [W, V, x]), lambda W, x, b, V: np.maximum(W @ x + b, V @ x).sum()
    ),
    Problem(
        "a window of words",
        lambda: (u.T @ tanh(mc.block([[W, V, U]]) @ concat([x, d, z]) + b), [x, z, W, U]),
        lambda u, W, V, U, x, d, z, b: u.T @ np.tanh(W @ x + V @ d + U @ z + b),
    ),
    Problem(
        "two orders",
        lambda: (mc.sum(tanh(a * concat([x, d]) + c * concat([d, x]))), [x, a]),
        lambda a, x, d, c: np.tanh(a * np.concatenate([x, d]) + c * np.concatenate([d, x])).sum(),
    ),
]

PROBLEMS = LOSSES + EMBEDDINGS + CELLS
