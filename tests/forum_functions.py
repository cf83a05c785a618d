"""Problems with functions of matrices, with softmax along the rows of a batch, and with rows taken by their numbers."""

import numpy as np
from published import Problem

import matcalc as mc
from matcalc import cholesky, expm, inv, log, log_softmax, logsumexp, matrix_power, norm, softmax, sqrt, tanh, trace

N, n, m = mc.dims("N n m")
X, Y, Z, M = mc.matrix("X", N, n), mc.matrix("Y", N, m), mc.matrix("Z", N, n), mc.matrix("M", N, n)
W, A, B = mc.matrix("W", n, m), mc.matrix("A", n), mc.matrix("B", n)
S, D = mc.matrix("S", n, positive_definite=True), mc.matrix("D", N)
E = mc.matrix("E", 5, n)
x, w, b = mc.vector("x", n), mc.vector("w", n), mc.vector("b", m)
a, rho = mc.scalars("a rho")
t = mc.scalar("t", positive=True)
alike = X @ Z.T / t


def np_expm(a):
    result = term = np.eye(len(a))
    for k in range(1, 40):
        term = term @ a / k
        result = result + term
    return result


def np_rows(S):
    return np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)


def np_singular(a):
    return np.linalg.svd(a)[1]


PROBLEMS = [
    Problem(
        "softmax regression, along the rows",
        lambda: (-mc.sum(Y * log_softmax(X @ W + b.T, axis=1)) / N, [W, b, X]),
        lambda X, W, b, Y: -(Y * np.log(np_rows(X @ W + b.T))).sum() / len(X),
    ),
    Problem(
        "softmax regression, by log-sum-exp",
        lambda: (mc.sum(logsumexp(X @ W, axis=1)) - mc.sum(Y * (X @ W)), [W]),
        lambda X, W, Y: -(Y * (X @ W)).sum() + np.log(np.exp(X @ W).sum(axis=1)).sum(),
        "Xᵀ(softmax(XW, axis=1) − Y)",
    ),
    Problem(
        "scaled dot-product attention",
        lambda: (mc.sum(M * (softmax(X @ A @ Z.T / sqrt(n), axis=1) @ Z)), [A, X, Z]),
        lambda M, X, A, Z: (M * (np_rows(X @ A @ Z.T / np.sqrt(len(A))) @ Z)).sum(),
    ),
    Problem(
        "attention within columns",
        lambda: (mc.sum(M * (softmax(D, axis=0).T @ X)), [D, X]),
        lambda M, D, X: (M * (np_rows(D.T) @ X)).sum(),
    ),
    Problem(
        "a contrast in both directions",
        lambda: (
            mc.sum(logsumexp(X @ Z.T / t, axis=1)) + mc.sum(logsumexp(X @ Z.T / t, axis=0)) - 2 * trace(X @ Z.T) / t,
            [X, t],
        ),
        lambda X, Z, t: -np.log(np.diag(np_rows(X @ Z.T / t)) * np.diag(np_rows(Z @ X.T / t))).sum(),
    ),
    Problem(
        "responsibilities of a mixture",
        lambda: (-mc.sum(logsumexp(-mc.sum(X**2, axis=1) / 2 + X @ W - mc.sum(W**2, axis=0) / 2, axis=1)), [W]),
        lambda X, W: -np.log(np.exp(-((X[:, :, None] - W[None]) ** 2).sum(axis=1) / 2).sum(axis=1)).sum(),
    ),
    Problem(
        "entropy of every row",
        lambda: (-mc.sum(softmax(X, axis=1) * log_softmax(X, axis=1)), [X]),
        lambda X: -(np_rows(X) * np.log(np_rows(X))).sum(),
    ),
    Problem(
        "the share of all rows",
        lambda: (a * mc.sum(softmax(X, axis=1)) + mc.sum(softmax(X, axis=0) * Z), [a, X]),
        lambda a, X, Z: a * len(X) + (np_rows(X.T).T * Z).sum(),
        "N",
    ),
    Problem("largest of every row", lambda: (mc.sum(mc.max(X @ W, axis=1)), [W, X]), lambda X, W: (X @ W).max(axis=1).sum()),
    Problem(
        "a graph without cycles",
        lambda: (trace(expm(A * A)) - n, [A]),
        lambda A: np.trace(np_expm(A * A)) - len(A),
    ),
    Problem(
        "a flow", lambda: (norm(expm(t * A) @ x - w) ** 2, [A, x, t]), lambda t, A, x, w: ((np_expm(t * A) @ x - w) ** 2).sum()
    ),
    Problem(
        "a rotation", lambda: (norm(expm(A - A.T) @ B - S) ** 2, [A]), lambda A, B, S: ((np_expm(A - A.T) @ B - S) ** 2).sum()
    ),
    Problem(
        "walks of a graph",
        lambda: (x.T @ matrix_power(A, 3) @ w, [A, x]),
        lambda x, A, w: x.T @ A @ A @ A @ w,
    ),
    Problem(
        "completion with a nuclear norm",
        lambda: (norm(M * (X - Z)) ** 2 / 2 + rho * norm(X, "nuc"), [X]),
        lambda M, X, Z, rho: ((M * (X - Z)) ** 2).sum() / 2 + rho * np_singular(X).sum(),
    ),
    Problem(
        "a spectral penalty",
        lambda: (norm(X @ W - Y) ** 2 + rho * norm(W, 2) ** 2, [W]),
        lambda X, W, Y, rho: ((X @ W - Y) ** 2).sum() + rho * np_singular(W)[0] ** 2,
    ),
    Problem(
        "the largest row sum",
        lambda: (norm(X, float("inf")) + norm(X, 1), [X]),
        lambda X: abs(X).sum(axis=1).max() + abs(X).sum(axis=0).max(),
    ),
    Problem(
        "a normal density by its Cholesky factor",
        lambda: (mc.sum(log(mc.diagonal(cholesky(S)))) + norm(inv(cholesky(S)) @ x) ** 2 / 2, [S, x]),
        lambda S, x: np.log(np.linalg.det(S)) / 2 + x.T @ np.linalg.inv((S + S.T) / 2) @ x / 2,
    ),
    Problem(
        "a sample by its Cholesky factor",
        lambda: (norm(cholesky(A @ A.T + mc.eye(n)) @ x - w) ** 2, [A, x]),
        lambda A, x, w: ((np.linalg.cholesky(A @ A.T + np.eye(len(A))) @ x - w) ** 2).sum(),
    ),
    Problem(
        "embeddings of a sentence",
        lambda: (norm(tanh(mc.take(E, [3, 1, 3]) @ A)) ** 2, [E, A]),
        lambda E, A: (np.tanh(E[[3, 1, 3]] @ A) ** 2).sum(),
    ),
    Problem(
        "the mean of embeddings",
        lambda: (log_softmax(E @ mc.mean(mc.take(E, [0, 4, 4, 2]), axis=0).T)[1], [E]),
        lambda E: np.log(np_rows((E @ E[[0, 4, 4, 2]].mean(axis=0))[None]))[0, 1],
    ),
]
