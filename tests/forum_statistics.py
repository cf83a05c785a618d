"""Problems of statistics, optimisation and linear algebra, as people ask about them.

Each is stated with matcalc's constructors and, independently, in plain NumPy: by the names of its variables, all of them matrices
(a column is n by 1, a scalar 1 by 1). Where a gradient has a well-known form, it stands behind, in the order of the variables.
"""

import math

import numpy as np
from published import Problem

import matcalc as mc
from matcalc import exp, eye, inv, log, logdet, maximum, mean, norm, ones, sqrt, trace

N, n, m, k = mc.dims("N n m k")
X, Y, W = mc.matrix("X", N, n), mc.matrix("Y", N, m), mc.matrix("W", n, m)
x, w, mu, nu = mc.vectors("x w mu nu", n)
y, r = mc.vectors("y r", N)
b, c, rho = mc.scalars("b c rho")
s, t = mc.scalars("s t", positive=True)
A, B, C = mc.matrices("A B C", n)
S, T = mc.matrices("S T", n, positive_definite=True)
G, L, D, U = mc.matrix("G", m, n), mc.matrix("L", n, k), mc.matrix("D", N), mc.matrix("U", N, k)
z, e = mc.vectors("z e", m)
p, positive = mc.vector("p", n, positive=True), mc.matrix("P", N, n, positive=True)

inverse, erf = np.linalg.inv, np.vectorize(math.erf)


def np_logdet(a):
    return np.log(np.linalg.det(a))


def np_huber(u, t):
    return np.where(abs(u) <= t, u**2 / 2, t * (abs(u) - t / 2)).sum()


def np_gaussian_kl(mu, S, nu, T):
    return (np.trace(inverse(T) @ S) + (nu - mu).T @ inverse(T) @ (nu - mu) - len(mu) + np_logdet(T) - np_logdet(S)) / 2


misses = X @ w - y
margins = y * (X @ w + b)
REGRESSION = [
    Problem(
        "least squares",
        lambda: (norm(misses) ** 2 / 2, [w, X, y]),
        lambda X, w, y: ((X @ w - y) ** 2).sum() / 2,
        "Xᵀ(Xw − y)",
        "(Xw − y) wᵀ",
        "y − Xw",
    ),
    Problem(
        "least squares, multiplied out",
        lambda: (w.T @ X.T @ X @ w - 2 * y.T @ X @ w + y.T @ y, [w]),
        lambda X, w, y: ((X @ w - y) ** 2).sum(),
        "2Xᵀ(Xw − y)",
    ),
    Problem(
        "ridge",
        lambda: (norm(misses) ** 2 + rho * norm(w) ** 2, [w, rho]),
        lambda X, w, y, rho: ((X @ w - y) ** 2).sum() + rho * (w**2).sum(),
    ),
    Problem(
        "lasso",
        lambda: (norm(misses) ** 2 / (2 * N) + rho * norm(w, 1), [w, rho]),
        lambda X, w, y, rho: ((X @ w - y) ** 2).mean() / 2 + rho * abs(w).sum(),
    ),
    Problem(
        "elastic net",
        lambda: (norm(misses) ** 2 + rho * norm(w, 1) + b * norm(w) ** 2, [w, b]),
        lambda X, w, y, rho, b: ((X @ w - y) ** 2).sum() + rho * abs(w).sum() + b * (w**2).sum(),
    ),
    Problem(
        "group lasso",
        lambda: (norm(X @ W - Y) ** 2 + rho * mc.sum(sqrt(mc.sum(W**2, axis=1))), [W]),
        lambda X, W, Y, rho: ((X @ W - Y) ** 2).sum() + rho * sum(np.linalg.norm(row) for row in W),
    ),
    Problem(
        "weighted least squares",
        lambda: (misses.T @ mc.diag(r) @ misses, [w, r]),
        lambda X, w, y, r: (r * (X @ w - y) ** 2).sum(),
        "2Xᵀ(r ∘ (Xw − y))",
    ),
    Problem(
        "Tikhonov",
        lambda: (norm(G @ x - z) ** 2 + rho * norm(C @ x) ** 2, [x]),
        lambda G, x, z, rho, C: ((G @ x - z) ** 2).sum() + rho * ((C @ x) ** 2).sum(),
    ),
    Problem(
        "many outputs",
        lambda: (norm(X @ W - Y) ** 2 + rho * norm(W) ** 2, [W, X]),
        lambda X, W, Y, rho: ((X @ W - Y) ** 2).sum() + rho * (W**2).sum(),
        None,
        "2(XW − Y)Wᵀ",
    ),
    Problem(
        "a precision for the errors",
        lambda: (trace((X - ones(N) @ mu.T) @ S @ (X - ones(N) @ mu.T).T), [mu, S, X]),
        lambda X, mu, S: sum((row - mu.T) @ S @ (row - mu.T).T for row in X),
    ),
    Problem(
        "logistic, labels 0 and 1",
        lambda: (mc.sum(mc.softplus(X @ w) - y * (X @ w)), [w, X]),
        lambda X, w, y: (np.log(1 + np.exp(X @ w)) - y * (X @ w)).sum(),
        "Xᵀ(σ(Xw) − y)",
        "(σ(Xw) − y) wᵀ",
    ),
    Problem(
        "logistic, labels −1 and 1",
        lambda: (mean(log(1 + exp(-margins))), [w, b]),
        lambda X, w, y, b: np.log(1 + np.exp(-y * (X @ w + b))).mean(),
    ),
    Problem(
        "Poisson",
        lambda: (mc.sum(exp(X @ w) - y * (X @ w)), [w]),
        lambda X, w, y: (np.exp(X @ w) - y * (X @ w)).sum(),
        "Xᵀ(exp(Xw) − y)",
    ),
    Problem(
        "probit",
        lambda: (-mc.sum(log((1 + mc.erf(margins / sqrt(2))) / 2)), [w, b]),
        lambda X, w, y, b: -np.log((1 + erf(y * (X @ w + b) / np.sqrt(2))) / 2).sum(),
    ),
    Problem(
        "softmax regression",
        lambda: (mc.sum(log(mc.sum(exp(X @ W), axis=1))) - mc.sum(Y * (X @ W)), [W]),
        lambda X, W, Y: sum(np.log(np.exp(row @ W).sum()) - row @ W @ label for row, label in zip(X, Y, strict=True)),
        "Xᵀ(softmax(XW, axis=1) − Y)",
    ),
    Problem(
        "pseudo-Huber",
        lambda: (t**2 * mc.sum(sqrt(1 + (misses / t) ** 2) - 1), [w, t]),
        lambda X, w, y, t: t**2 * (np.sqrt(1 + ((X @ w - y) / t) ** 2) - 1).sum(),
    ),
    Problem(
        "Huber",
        lambda: (mc.sum(mc.where(abs(misses) <= t, misses**2 / 2, t * (abs(misses) - t / 2))), [w, t]),
        lambda X, w, y, t: np_huber(X @ w - y, t),
    ),
    Problem(
        "pinball",
        lambda: (mc.sum(maximum(b * misses, (b - 1) * misses)), [w, b]),
        lambda X, w, y, b: np.maximum(b * (X @ w - y), (b - 1) * (X @ w - y)).sum(),
    ),
    Problem("log-cosh", lambda: (mean(log(mc.cosh(misses))), [w]), lambda X, w, y: np.log(np.cosh(X @ w - y)).mean()),
    Problem(
        "support vectors",
        lambda: (mean(mc.hinge(1 - margins)) + rho / 2 * norm(w) ** 2, [w, b]),
        lambda X, w, y, b, rho: np.maximum(0, 1 - y * (X @ w + b)).mean() + rho / 2 * (w**2).sum(),
    ),
    Problem(
        "squared hinge",
        lambda: (mc.sum(mc.hinge(1 - margins) ** 2), [w, b]),
        lambda X, w, y, b: (np.maximum(0, 1 - y * (X @ w + b)) ** 2).sum(),
    ),
    Problem(
        "kernel ridge",
        lambda: (norm(y - D @ r) ** 2 + rho * r.T @ D @ r, [r, D]),
        lambda y, D, r, rho: ((y - D @ r) ** 2).sum() + rho * r.T @ D @ r,
    ),
    Problem(
        "Cox",
        lambda: (-(r.T @ (X @ w - log(D**2 @ exp(X @ w)))), [w]),
        lambda X, w, r, D: -(r * (X @ w - np.log(D**2 @ np.exp(X @ w)))).sum(),
    ),
]

# ---- densities ------------------------------------------------------------------------------------------
centred = X - ones(N) @ mu.T
low_rank = L @ L.T + mc.diag(p)
DENSITIES = [
    Problem(
        "normal, one point",
        lambda: (logdet(S) / 2 + (x - mu).T @ inv(S) @ (x - mu) / 2, [mu, S]),
        lambda S, x, mu: (np_logdet(S) + (x - mu).T @ inverse(S) @ (x - mu)) / 2,
        "S⁻¹(μ − x)",
        "1/2 (S⁻¹ − S⁻¹(x − μ) (x − μ)ᵀS⁻¹)",
    ),
    Problem(
        "normal, a sample",
        lambda: (N / 2 * logdet(S) + trace(inv(S) @ centred.T @ centred) / 2, [mu, S]),
        lambda X, mu, S: (len(X) * np_logdet(S) + sum((row - mu.T) @ inverse(S) @ (row - mu.T).T for row in X)) / 2,
    ),
    Problem("normal, precision", lambda: (trace(T @ S) - logdet(S), [S]), lambda T, S: np.trace(T @ S) - np_logdet(S), "T − S⁻¹"),
    Problem(
        "graphical lasso",
        lambda: (trace(T @ S) - logdet(S) + rho * mc.sum(abs(S)), [S]),
        lambda T, S, rho: np.trace(T @ S) - np_logdet(S) + rho * abs(S).sum(),
    ),
    Problem(
        "normal, standard deviations",
        lambda: (mc.sum(log(p)) + mc.sum(((x - mu) / p) ** 2) / 2, [mu, p]),
        lambda p, x, mu: (np.log(p) + ((x - mu) / p) ** 2 / 2).sum(),
    ),
    Problem(
        "Mahalanobis distance",
        lambda: (sqrt((x - mu).T @ inv(S) @ (x - mu)), [x, S]),
        lambda x, mu, S: np.sqrt((x - mu).T @ inverse(S) @ (x - mu)),
    ),
    Problem(
        "Student",
        lambda: ((c + n) / 2 * log(1 + (x - mu).T @ inv(S) @ (x - mu) / t) + logdet(S) / 2, [mu, S, t]),
        lambda c, x, mu, S, t: (c + len(x)) / 2 * np.log(1 + (x - mu).T @ inverse(S) @ (x - mu) / t) + np_logdet(S) / 2,
    ),
    Problem(
        "Wishart",
        lambda: ((c - n - 1) / 2 * logdet(S) - trace(inv(T) @ S) / 2 - c / 2 * logdet(T), [S, T]),
        lambda c, S, T: (c - len(S) - 1) / 2 * np_logdet(S) - np.trace(inverse(T) @ S) / 2 - c / 2 * np_logdet(T),
    ),
    Problem(
        "inverse Wishart",
        lambda: (-(c + n + 1) / 2 * logdet(S) - trace(T @ inv(S)) / 2, [S, T]),
        lambda c, S, T: -(c + len(S) + 1) / 2 * np_logdet(S) - np.trace(T @ inverse(S)) / 2,
    ),
    Problem(
        "divergence of normals",
        lambda: ((trace(inv(T) @ S) + (nu - mu).T @ inv(T) @ (nu - mu) - n + logdet(T) - logdet(S)) / 2, [mu, S, nu, T]),
        np_gaussian_kl,
        "T⁻¹(μ − ν)",
        "1/2 (T⁻¹ − S⁻¹)",
        "T⁻¹(ν − μ)",
    ),
    Problem(
        "factor analysis",
        lambda: (logdet(low_rank) + trace(S @ inv(low_rank)), [L, p]),
        lambda L, p, S: np_logdet(L @ L.T + np.diag(p[:, 0])) + np.trace(S @ inverse(L @ L.T + np.diag(p[:, 0]))),
    ),
    Problem(
        "probabilistic principal components",
        lambda: (logdet(L @ L.T + t * eye(n)) + trace(inv(L @ L.T + t * eye(n)) @ S), [L, t]),
        lambda L, t, S: np_logdet(L @ L.T + t * np.eye(len(S))) + np.trace(inverse(L @ L.T + t * np.eye(len(S))) @ S),
    ),
    Problem(
        "Gaussian process, noise and scale",
        lambda: ((y.T @ inv(s * D @ D.T + t * eye(N)) @ y + logdet(s * D @ D.T + t * eye(N))) / 2, [s, t, y]),
        lambda D, s, t, y: (
            (y.T @ inverse(s * D @ D.T + t * np.eye(len(D))) @ y + np_logdet(s * D @ D.T + t * np.eye(len(D)))) / 2
        ),
    ),
    Problem(
        "Gaussian process, length scale",
        lambda: (y.T @ inv(exp(-(D**2) / (2 * s**2)) + 4 * eye(N)) @ y, [s, D]),
        lambda D, s, y: y.T @ inverse(np.exp(-(D**2) / (2 * s**2)) + 4 * np.eye(len(D))) @ y,
    ),
    Problem(
        "mixture of normals, one point",
        lambda: (-mc.logsumexp(mc.log_softmax(z) - mc.sum((G - x.T) ** 2, axis=1) / 2), [z, G, x]),
        lambda z, G, x: (
            -np.log(sum(np.exp(z[j]) / np.exp(z).sum() * np.exp(-((G[j] - x[:, 0]) ** 2).sum() / 2) for j in range(len(z))))
        ),
    ),
    Problem(
        "Kalman likelihood",
        lambda: ((logdet(G @ S @ G.T + eye(m)) + (z - G @ x).T @ inv(G @ S @ G.T + eye(m)) @ (z - G @ x)) / 2, [x, G, S]),
        lambda G, S, x, z: (
            (np_logdet(G @ S @ G.T + np.eye(len(G))) + (z - G @ x).T @ inverse(G @ S @ G.T + np.eye(len(G))) @ (z - G @ x)) / 2
        ),
    ),
    Problem(
        "Kalman gain",
        lambda: (trace((eye(n) - W @ G) @ S @ (eye(n) - W @ G).T + W @ W.T), [W]),
        lambda W, G, S: np.trace((np.eye(len(S)) - W @ G) @ S @ (np.eye(len(S)) - W @ G).T + W @ W.T),
    ),
    Problem(
        "hidden Markov chain, two steps",
        lambda: (-log(p.T @ mc.diag(exp(mu)) @ exp(A) @ mc.diag(exp(nu)) @ ones(n)), [A, p, mu]),
        lambda p, mu, A, nu: (
            -np.log(sum(p[i] * np.exp(mu[i]) * np.exp(A[i, j]) * np.exp(nu[j]) for i in range(len(p)) for j in range(len(p))))
        ),
    ),
    Problem(
        "forward recursion of a random field",
        lambda: (mc.logsumexp(log(exp(A).T @ exp(log(exp(A).T @ exp(x)) + mu)) + nu), [A, x, mu]),
        lambda A, x, mu, nu: np.log(np.sum(np.exp(A.T).dot(np.exp(A.T).dot(np.exp(x)) * np.exp(mu)) * np.exp(nu))),
    ),
]

# ---- factorisations and subspaces ------------------------------------------------------------------------------------------
V = mc.matrix("V", m, k)
M = mc.matrix("M", N, m)
Z = mc.matrix("Z", N, m, positive=True)
H, F = mc.matrix("H", N, k, positive=True), mc.matrix("F", k, m, positive=True)
FACTORS = [
    Problem(
        "principal components, reconstruction",
        lambda: (norm(X - X @ W @ W.T) ** 2, [W, X]),
        lambda X, W: ((X - X @ W @ W.T) ** 2).sum(),
    ),
    Problem("Rayleigh quotient", lambda: (w.T @ A @ w / (w.T @ w), [w, A]), lambda w, A: w.T @ A @ w / (w.T @ w)),
    Problem("Fisher ratio", lambda: (w.T @ S @ w / (w.T @ T @ w), [w]), lambda w, S, T: w.T @ S @ w / (w.T @ T @ w)),
    Problem(
        "trace ratio",
        lambda: (trace(inv(W.T @ S @ W + eye(m)) @ (W.T @ T @ W)), [W]),
        lambda W, S, T: np.trace(inverse(W.T @ S @ W + np.eye(W.shape[1])) @ (W.T @ T @ W)),
    ),
    Problem(
        "canonical correlation",
        lambda: (x.T @ A @ w / sqrt((x.T @ S @ x) * (w.T @ T @ w)), [x, w]),
        lambda x, A, w, S, T: x.T @ A @ w / np.sqrt(x.T @ S @ x * (w.T @ T @ w)),
    ),
    Problem(
        "tied autoencoder",
        lambda: (norm(X - mc.sigmoid(X @ W) @ W.T) ** 2, [W]),
        lambda X, W: ((X - 1 / (1 + np.exp(-X @ W)) @ W.T) ** 2).sum(),
    ),
    Problem(
        "factorisation",
        lambda: (norm(Y - U @ V.T) ** 2, [U, V]),
        lambda Y, U, V: ((Y - U @ V.T) ** 2).sum(),
        "−2(Y − UVᵀ)V",
        "−2(Y − UVᵀ)ᵀU",
    ),
    Problem(
        "factorisation of what is observed",
        lambda: (mc.sum(M * (Y - U @ V.T) ** 2) + rho * (norm(U) ** 2 + norm(V) ** 2), [U, V]),
        lambda M, Y, U, V, rho: (M * (Y - U @ V.T) ** 2).sum() + rho * ((U**2).sum() + (V**2).sum()),
    ),
    Problem(
        "one rating",
        lambda: ((c - x.T @ w - b) ** 2 + rho * (norm(x) ** 2 + norm(w) ** 2), [x, w, b]),
        lambda c, x, w, b, rho: (c - x.T @ w - b) ** 2 + rho * ((x**2).sum() + (w**2).sum()),
    ),
    Problem(
        "nonnegative factors, divergence",
        lambda: (mc.sum(H @ F - Z * log(H @ F)), [H, F]),
        lambda H, F, Z: (H @ F - Z * np.log(H @ F)).sum(),
    ),
    Problem(
        "word vectors of co-occurrences",
        lambda: (mc.sum(Z * (U @ V.T + y + z.T - log(Z)) ** 2), [U, V, y, z]),
        lambda Z, U, V, y, z: (Z * (U @ V.T + y + z.T - np.log(Z)) ** 2).sum(),
    ),
    Problem(
        "independent components",
        lambda: (mc.sum(log(mc.cosh(A @ x))) - logdet(A), [A]),
        lambda A, x: np.log(np.cosh(A @ x)).sum() - np_logdet(A),
    ),
    Problem(
        "sparse coding",
        lambda: (norm(z - G @ x) ** 2 / 2 + rho * norm(x, 1), [G, x]),
        lambda z, G, x, rho: ((z - G @ x) ** 2).sum() / 2 + rho * abs(x).sum(),
        "(Gx − z) xᵀ",
    ),
    Problem("Procrustes", lambda: (norm(X @ A - positive) ** 2, [A]), lambda X, A, P: ((X @ A - P) ** 2).sum(), "2Xᵀ(XA − P)"),
    Problem(
        "Laplacian",
        lambda: (trace(X.T @ (mc.diag(mc.sum(D, axis=1)) - D) @ X), [X, D]),
        lambda X, D: np.trace(X.T @ (np.diag(D.sum(axis=1)) - D) @ X),
    ),
    Problem(
        "distances",
        lambda: (mc.sum((D - mc.sum(X**2, axis=1) - mc.sum(X**2, axis=1).T + 2 * X @ X.T) ** 2), [X]),
        lambda D, X: ((D - ((X[:, None] - X[None]) ** 2).sum(axis=2)) ** 2).sum(),
    ),
    Problem(
        "neighbour embedding",
        lambda: (log(mc.sum(1 / (1 + mc.sum(X**2, axis=1) + mc.sum(X**2, axis=1).T - 2 * X @ X.T))), [X]),
        lambda X: np.log((1 / (1 + ((X[:, None] - X[None]) ** 2).sum(axis=2))).sum()),
    ),
    Problem(
        "independence criterion",
        lambda: (trace(X @ X.T @ (eye(N) - ones(N, N) / N) @ D), [X, D]),
        lambda X, D: np.trace(X @ X.T @ (np.eye(len(D)) - 1 / len(D)) @ D),
    ),
]

# ---- matrices ------------------------------------------------------------------------------------------
small = mc.matrix("R", m, positive_definite=True)
MATRICES = [
    Problem("Sylvester", lambda: (norm(A @ B + B @ C - S) ** 2, [B]), lambda A, B, C, S: ((A @ B + B @ C - S) ** 2).sum()),
    Problem(
        "Riccati",
        lambda: (norm(A.T @ B + B @ A - B @ C @ C.T @ B + S) ** 2 / 2, [B]),
        lambda A, B, C, S: ((A.T @ B + B @ A - B @ C @ C.T @ B + S) ** 2).sum() / 2,
    ),
    Problem(
        "regulator",
        lambda: (x.T @ (S + W @ small @ W.T + (A - C @ A).T @ T @ (A - C @ A)) @ x, [W, C, x]),
        lambda x, S, W, R, A, C, T: x.T @ (S + W @ R @ W.T + (A - C @ A).T @ T @ (A - C @ A)) @ x,
    ),
    Problem(
        "D-optimal design",
        lambda: (logdet(X.T @ mc.diag(y**2) @ X + eye(n)), [y, X]),
        lambda X, y: np_logdet(X.T @ np.diag(y[:, 0] ** 2) @ X + np.eye(X.shape[1])),
    ),
    Problem(
        "A-optimal design",
        lambda: (trace(inv(X.T @ mc.diag(y**2) @ X + eye(n))), [y]),
        lambda X, y: np.trace(inverse(X.T @ np.diag(y[:, 0] ** 2) @ X + np.eye(X.shape[1]))),
    ),
    Problem(
        "capacity",
        lambda: (logdet(eye(m) + G @ S @ G.T / t), [G, S, t]),
        lambda G, S, t: np_logdet(np.eye(len(G)) + G @ S @ G.T / t),
    ),
    Problem(
        "determinantal process",
        lambda: (logdet(S) - logdet(S + eye(n)), [S]),
        lambda S: np_logdet(S) - np_logdet(S + np.eye(len(S))),
    ),
    Problem("a solution's norm", lambda: (norm(inv(A) @ x) ** 2, [A, x]), lambda A, x: (np.linalg.solve(A, x) ** 2).sum()),
    Problem("trace of a fourth power", lambda: (trace(A @ A @ A @ A), [A]), lambda A: np.trace(A @ A @ A @ A), "4AᵀAᵀAᵀ"),
    Problem("trace of AXBXᵀC", lambda: (trace(A @ X.T @ D @ X @ C), [X]), lambda A, X, D, C: np.trace(A @ X.T @ D @ X @ C)),
    Problem(
        "Hadamard square between vectors",
        lambda: (x.T @ (A * A) @ w, [A, x]),
        lambda x, A, w: x.T @ A**2 @ w,
        "2(x wᵀ) ∘ A",
        "A^∘2 w",
    ),
    Problem(
        "diagonal between",
        lambda: (trace(A @ mc.diag(x) @ B @ mc.diag(x)), [x]),
        lambda A, x, B: np.trace(A @ np.diag(x[:, 0]) @ B @ np.diag(x[:, 0])),
    ),
    Problem("Kronecker product", lambda: (norm(mc.kron(A, x.T)) ** 2, [A, x]), lambda A, x: (np.kron(A, x) ** 2).sum()),
    Problem("vec", lambda: (mc.vec(A).T @ mc.vec(B @ A @ C), [A]), lambda A, B, C: np.trace(A.T @ B @ A @ C)),
    Problem("exponential kernel", lambda: (ones(N).T @ exp(X @ W) @ z, [X, W, z]), lambda X, W, z: (np.exp(X @ W) @ z).sum()),
    Problem("polynomial kernel", lambda: (y.T @ (X @ X.T + 1) ** 3 @ y, [X, y]), lambda X, y: y.T @ (X @ X.T + 1) ** 3 @ y),
    Problem(
        "unit vector into a form", lambda: ((x / norm(x)).T @ A @ (x / norm(x)), [x]), lambda x, A: x.T @ A @ x / (x**2).sum()
    ),
    Problem(
        "barrier", lambda: (w.T @ x - mc.sum(log(10 - A @ x)), [x]), lambda w, x, A: (w * x).sum() - np.log(10 - A @ x).sum()
    ),
    Problem(
        "augmented Lagrangian",
        lambda: (norm(x) ** 2 / 2 + e.T @ (G @ x - z) + rho / 2 * norm(G @ x - z) ** 2, [x, e, rho]),
        lambda x, e, G, z, rho: (x**2).sum() / 2 + e.T @ (G @ x - z) + rho / 2 * ((G @ x - z) ** 2).sum(),
    ),
    Problem("Sharpe ratio", lambda: (w.T @ mu / sqrt(w.T @ S @ w), [w, mu]), lambda w, mu, S: w.T @ mu / np.sqrt(w.T @ S @ w)),
    Problem(
        "cycles of a graph",
        lambda: (trace((eye(n) + A * A / 3) @ (eye(n) + A * A / 3) @ (eye(n) + A * A / 3)), [A]),
        lambda A: np.trace(np.linalg.matrix_power(np.eye(len(A)) + A * A / 3, 3)),
    ),
]

PROBLEMS = REGRESSION + DENSITIES + FACTORS + MATRICES
