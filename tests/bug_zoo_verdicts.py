"""Two mistakes at once, what is right and looks unusual, and nonsense, for which no reason is to be made up."""

import numpy as np
from bug_zoo_row import NOT_EXPLAINED, ROW, SIGN, TRANSPOSED, Bug, draw, factor, missing

import matcalc as mc

n, m, N = mc.dims("n m N")
W, x, b, u = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.vector("u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)
net = mc.let("J", u.T @ mc.let("h", mc.tanh(mc.let("z", W @ x + b))))
y = mc.vector("y", n, distribution=True)
free = mc.vector("y", n)
J = mc.let("J", mc.softmax_cross_entropy(mc.let("scores", W @ x + b), y))
K = mc.let("J", mc.softmax_cross_entropy(mc.let("scores", W @ x + b), free))
X, V, c, Y = mc.matrix("X", N, m), mc.matrix("V", m, n), mc.vector("c", n), mc.matrix("Y", N, n)
R = mc.let("R", X @ V + c.T - Y)
mse = mc.let("J", mc.sum(R**2) / (2 * N))
A, v = mc.matrix("A", n), mc.vector("v", n)
ids = [2, 0, 2]
E = mc.matrix("E", 4, 3)


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


# ---- two at once -------------------------------------------------------------------------------------------------------
TWO = [
    Bug("two: transposed and f′ missing", s, W, "np.outer(x, u)", (TRANSPOSED, missing(r"f['′]"))),
    Bug("two: sign and 2", s, W, "-2 * np.outer(delta, x)", (SIGN, factor("2"))),
    Bug("two: sign and transposed", J, W, "np.outer(x, y - softmax(scores))", (SIGN, TRANSPOSED)),
    Bug("two: 1/N forgotten and a row", mse, c, lambda X, V, c, Y: (X @ V + c - Y).sum(axis=0, keepdims=True), (r"N|mean", ROW)),
    Bug("two: tanh′ missing and bias forgotten", net, u, "W @ x", (missing("tanh"), missing("b"))),
    Bug("two: target forgotten and 1/N forgotten", mse, V, lambda X, V, c: X.T @ (X @ V + c), (missing("Y"), r"N|mean")),
    Bug("two: transposed and 1/N twice", mse, V, lambda X, V, c, Y: (X @ V + c - Y).T @ X / len(X) ** 2, (TRANSPOSED, r"N|mean")),
    Bug(
        "two: Aᵀ forgotten and sign",
        mc.exp(-v.T @ A @ v),
        v,
        lambda v, A: np.exp(-v @ A @ v) * 2 * A @ v,
        (SIGN, "A where Aᵀ|symmetric|missing term|factor|the use of"),
    ),
    Bug(
        "two: tanh′ at h and sign",
        net,
        b,
        "-u * (1 - np.tanh(np.tanh(W @ x + b)) ** 2)",
        (SIGN, r"at h instead of z|h where z|tanh"),
    ),
]

# ---- right, written unusually ------------------------------------------------------------------------------------------


def by_einsum(W, x, b, u):
    d = u / np.cosh(W @ x + b) ** 2
    return np.einsum("i,j->ij", d, x)


def by_loops(X, V, c, Y):
    g = np.zeros_like(V)
    for i in range(len(X)):
        for j in range(V.shape[0]):
            for k in range(V.shape[1]):
                g[j, k] += X[i, j] * (X[i] @ V[:, k] + c[k] - Y[i, k]) / len(X)
    return g


def scattered(E):
    g = np.zeros_like(E)
    np.add.at(g, ids, 1 - np.tanh(E[ids]) ** 2)
    return g


def by_jacobian(W, x, b, y):
    p = softmax(W @ x + b)
    return (np.diag(p) - np.outer(p, p)).T @ (-y / p)


def ones_for_the_bias(X, V, c, Y):
    return np.ones(len(X)) @ (X @ V + c - Y) / len(X)


spd = mc.matrix("S", n, positive_definite=True)
lv = mc.vector("lv", n)
point = draw(4, v=3, A=(3, 3))
RIGHT = [
    Bug("right: 1/cosh²", net, W, by_einsum, "^right", right=True),
    Bug("right: loops", mse, V, by_loops, "^right", right=True),
    Bug("right: np.add.at", mc.sum(mc.tanh(mc.take(E, ids))), E, scattered, "^right", right=True),
    Bug("right: the whole softmax Jacobian", J, b, by_jacobian, "^right", right=True),
    Bug("right: declared labels", J, W, "np.outer(softmax(scores) - y, x)", "^right", right=True),
    Bug("right: labels not declared, sum to 1 assumed", K, b, "softmax(scores) - y", r"^right.*sum to 1", right=True),
    Bug(
        "right: labels not declared, as a function",
        K,
        b,
        lambda W, x, b, y: softmax(W @ x + b) - y,
        r"^right.*sum to 1",
        right=True,
    ),
    Bug(
        "right: labels not declared, with their sum",
        K,
        b,
        lambda W, x, b, y: y.sum() * softmax(W @ x + b) - y,
        "^right",
        right=True,
    ),
    Bug("right: ones for the bias", mse, c, ones_for_the_bias, "^right", right=True),
    Bug("right: inverse of a positive definite matrix, not transposed", mc.logdet(spd), spd, "inv(S)", "^right", right=True),
    Bug("right: 2σ(2t) − 1 for tanh", mc.sum(mc.log(mc.cosh(v))), v, "2 / (1 + np.exp(-2 * v)) - 1", "^right", right=True),
    Bug(
        "right: a form in indices",
        v.T @ A @ v,
        v,
        lambda v, A: np.array([sum((A[i, j] + A[j, i]) * v[j] for j in range(len(v))) for i in range(len(v))]),
        "^right",
        right=True,
    ),
    Bug("right: an array", v.T @ A @ v, v, point["A"] @ point["v"] + point["A"].T @ point["v"], "^right", point, right=True),
    Bug("right: expm1", mc.sum(mc.exp(lv) - lv), lv, "np.expm1(lv)", "^right", right=True),
    Bug("right: δ as a row", s, W, "(x @ delta.T).T", "^right", right=True),
    Bug("right: diag for ∘", s, x, W.T @ mc.diag(f.prime(z)) @ u, "^right", right=True),
]

# ---- nonsense ------------------------------------------------------------------------------------------------------------
NONSENSE = [
    Bug("nonsense: sines", net, W, "np.outer(np.sin(3 * u), np.cos(x) + 0.3)", NOT_EXPLAINED),
    Bug("nonsense: random numbers", net, b, lambda u: np.random.default_rng(11).normal(size=u.shape), NOT_EXPLAINED),
    Bug("nonsense: sorted", J, b, lambda W, x, b, y: np.sort(softmax(W @ x + b) - y) ** 3, NOT_EXPLAINED),
    Bug(
        "nonsense: a mixture",
        mse,
        V,
        lambda X, V, c, Y: np.tanh(V) * np.outer(X.sum(axis=0) ** 2, np.abs(c) + 0.7),
        NOT_EXPLAINED,
    ),
    Bug("nonsense: an expression", v.T @ A @ v, v, mc.exp(v) / (1 + mc.cosh(A @ mc.ones(n))) + mc.sqrt(1 + v**4), NOT_EXPLAINED),
    Bug("nonsense: a words' expression", s, x, "np.log(1 + x**2) + np.sin(W.T @ b)", NOT_EXPLAINED),
]

ROWS = [*TWO, *RIGHT, *NONSENSE]
