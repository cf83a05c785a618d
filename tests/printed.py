"""What the golden file of printed results holds: sections of lines, each written in Python, in the names below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import matcalc as mc
from matcalc.core.expression import LET, Expr

n, m, k, N = mc.dims("n m k N")
LENGTHS = {n: 3, m: 4, k: 2, N: 5}
f, g = mc.function("f"), mc.function("g")
GENERIC = {f: (np.sin, np.cos, lambda z: -np.sin(z)), g: (np.tanh, lambda z: 1 - np.tanh(z) ** 2)}


def names() -> dict[str, Any]:
    """What the lines may speak of: the lecture's names, and the problems' where they are written alike."""
    W, x, b, u, y = mc.matrix("W", n, m), mc.vector("x", m), *mc.vectors("b u y", n)
    z = mc.let("z", W @ x + b)
    h = mc.let("h", f(z))
    A, B, C, X = (mc.matrix(name, m) for name in "ABCX")
    return {
        "f": f,
        "g": g,
        "n": n,
        "m": m,
        "k": k,
        "N": N,
        "W": W,
        "x": x,
        "b": b,
        "u": u,
        "y": y,
        "z": z,
        "h": h,
        "s": mc.let("s", u.T @ h),
        "s_c": mc.scalar("s_c"),
        "r": mc.scalar("s"),  # a score that is not made of anything
        "t": mc.scalar("t"),
        "q": mc.vector("y", n, distribution=True),  # labels that sum to one
        "yhat": mc.vector("yhat", n),
        "delta": mc.vector("delta", n),
        "A": A,
        "B": B,
        "C": C,
        "X": X,
        "a": mc.vector("a", m),
        "c": mc.vector("c", m),
        "x_c": mc.vector("x_c", m),
        "S": mc.matrix("Sigma", m, positive_definite=True),
        "T": mc.matrix("X", m, k),
        "K": mc.matrix("C", m * m),
        "W_1": mc.matrix("W_1", n, m),
        "W_2": mc.matrix("W_2", n, k),
        "x_1": mc.vector("x_1", m),
        "x_2": mc.vector("x_2", k),
        "U": mc.matrix("U", k, n),
        "v": mc.vector("v", k),
        "d": mc.vector("d", k),
        # a batch: an example in every row
        "D": mc.matrix("X", N, m),
        "V": mc.matrix("W", m, k),
        "P": mc.matrix("V", k, n),
        "Y": mc.matrix("Y", N, n),
        "G": mc.matrix("G", N, k),
        "e": mc.vector("b", k),
        "w": mc.vector("w", m),
        "l": mc.vector("y", N),
        "WL": mc.matrix("W^{(1)}", n, m),
        "dl": mc.vector("delta^{(1)}", n),
        "h_t": mc.vector("h_{t-1}", n),
        "museums": mc.vector("x_museums", m),
        # statistics
        "mu": mc.vector("mu", m),
        "lam": mc.scalar("lambda"),
        "alpha": mc.scalar("alpha"),
        "tau": mc.scalar("tau", positive=True),
        "std": mc.scalar("sigma", positive=True),
        "eps": mc.scalar("epsilon", positive=True),
        "p": mc.vector("p", m, positive=True),
        "o": mc.vector("q", m, positive=True),
        "M": mc.matrix("A", m, symmetric=True),
        # rows of queries, keys and values; a factorisation
        "Q": mc.matrix("Q", N, k),
        "Kn": mc.matrix("K", N, k),
        "Vn": mc.matrix("V", N, k),
        "F_1": mc.matrix("U", N, k),
        "F_2": mc.matrix("V", m, k),
        # steps of recurrent nets
        "W_h": mc.matrix("W_h", n),
        "W_x": mc.matrix("W_x", n, m),
        "U_z": mc.matrix("U_z", n),
        "U_h": mc.matrix("U_h", n),
        "c_t": mc.vector("c_{t-1}", n),
        "W_r": mc.matrix("W_r", n, m),
        "r_t": mc.let("r_t", mc.sigmoid(mc.matrix("W_r", n, m) @ x)),
        "i_t": mc.let("i_t", mc.sigmoid(mc.matrix("W_x", n, m) @ x)),
        "gamma": mc.vector("gamma", m),
        "xhat": normalised(x),
        "H_1": mc.let("H_1", mc.tanh(mc.matrix("X", N, m) @ mc.matrix("W", m, k))),
    }


def normalised(x: Expr) -> Expr:
    """x̂, of layer normalisation."""
    mu = mc.let("mu", mc.mean(x))
    v = mc.let("v", mc.mean((x - mu) ** 2))
    return mc.let("xhat", (x - mu) / mc.sqrt(v + mc.scalar("epsilon", positive=True)))


SECTIONS = """
# The lecture's score
u.T @ f(W @ x + b)
grad(s, u)
grad(s, h)
grad(s, z)
grad(s, W)
grad(s, b)
grad(s, x)
delta @ x.T
W.T @ delta
delta.T @ W
jacobian(s, u)
jacobian(s, h)
jacobian(s, b)
jacobian(s, x)
jacobian(s, W)
jacobian(h, z)
jacobian(h, x)
jacobian(z, x)
jacobian(z, b)
jacobian(z, W)
hessian(u.T @ f(z), x)

# Its activations
grad(u.T @ sigmoid(z), b)
grad(u.T @ tanh(z), x)
grad(u.T @ relu(z), W)
grad(u.T @ let("h", sigmoid(z)), W)
grad(u.T @ let("h", tanh(z)), W)
grad(u.T @ softplus(z), b)
grad(u.T @ silu(z), b)
grad(u.T @ hard_tanh(z), b)
grad(u.T @ leaky_relu(z), b)
jacobian(sigmoid(z), z)
jacobian(tanh(W @ x), x)

# Its losses
maximum(0, 1 - r + s_c)
grad(maximum(0, 1 - r + s_c), r)
grad(maximum(0, 1 - r + s_c), s_c)
sigmoid(s)
grad(-log(sigmoid(s)), b)
grad(-log(sigmoid(r)), r)
-(y.T @ log(yhat))
grad(-(y.T @ log(yhat)), yhat)
grad(softmax_cross_entropy(z, q), z)
grad(softmax_cross_entropy(z, q), W)
grad(softmax_cross_entropy(z, y), z)
grad(cross_entropy(q, softmax(z)), b)
grad(norm(f(z) - y)**2 / 2, z)

# Scalars and several variables
t**3
grad(t**3, t)
grad(3 * t**2, t)
grad(log(t) / t, t)
grad(sqrt(1 + t**2), t)
grad(exp(-t**2 / 2), t)
grad(1 / (1 + exp(-t)), t)
jacobian(concat([r**2 * t, 5*r + sin(t)]), r)
jacobian(concat([r**2 * t, 5*r + sin(t)]), t)
(r + t) * maximum(t, s_c)
grad((r + t) * maximum(t, s_c), t)

# Fifty-four problems, by their numbers
# P01-P10
grad(a.T @ x, x)
grad(x.T @ A @ x, x)
jacobian(A @ x, x)
grad(a.T @ X @ c, X)
grad(trace(A @ X @ B), X)
grad(trace(T.T @ A @ T), T)
grad(trace(X.T @ X), X)
grad(norm(W @ x - b)**2, x)
grad(a.T @ X.T @ X @ c, X)
hessian(x.T @ A @ x, x)
# P11-P20
grad(trace(A.T @ X) + trace(X.T @ X), X)
grad(trace(X.T @ X) + 1, X)
grad(trace(A.T @ X) * trace(X.T @ X), X)
grad(trace(X @ X @ X), X)
grad(trace(inv(X) @ A), X)
grad(a.T @ inv(X) @ c, X)
grad(det(X), X)
grad(logdet(X), X)
grad(logdet(A.T @ X @ B), X)
grad(logdet(S)/2 + x.T @ inv(S) @ x/2, S)
# P21-P30
grad(norm(X), X)
grad(norm(W @ x - b), x)
jacobian(x / norm(x), x)
grad(norm(x, 1), x)
grad(sum(A * X * X), X)
jacobian(x * a, x)
jacobian(exp(x), x)
jacobian(sigmoid(W @ x + b), x)
jacobian(f(W @ x + b), x)
grad(u.T @ f(W @ x + b), W)
# P31-P40
grad(u.T @ f(W @ x + b), b)
grad(u.T @ f(W @ x + b), x)
grad(u.T @ f(W @ x + b), u)
grad(u.T @ sigmoid(W @ x + b), W)
grad(u.T @ relu(W @ x + b), W)
grad(maximum(0, 1 - u.T @ tanh(W @ x + b) + u.T @ tanh(W @ x_c + b)), W)
grad(u.T @ f(block([[W_1, W_2]]) @ concat([x_1, x_2]) + b), x_2)
grad(v.T @ tanh(U @ tanh(W @ x + b) + d), W)
grad(norm(tanh(D @ V) @ P - Y)**2, V)
grad(sum((D @ V + e.T) * G), e)
# P41-P50
grad(logsumexp(x), x)
jacobian(softmax(x), x)
grad(-(a.T @ log(softmax(x))), x)
grad(-(b.T @ log(softmax(W @ x))), W)
grad(sum(log(1 + exp(-l * (D @ w)))), w)
hessian(sum(log(1 + exp(-l * (D @ w)))), w)
jacobian(A @ X @ B, X)
jacobian(inv(X), X)
jacobian(W @ x, W)
grad(trace(diag(x) @ A), x)
# P51-P54
grad(trace(kron(A, X) @ K), X)
grad(log_softmax(x)[1], x)

# Regression and batches
grad((W @ x - b).T @ (W @ x - b), x)
grad(sum((W @ x - b)**2), W)
hessian(norm(W @ x - b)**2, x)
grad(norm(D @ w - l)**2 / (2*N) + t/2 * norm(w)**2, w)
grad(mean((D @ w - l)**2), w)
grad(l.T @ log(sigmoid(D @ w)) + (1 - l).T @ log(1 - sigmoid(D @ w)), w)
grad(norm(H_1 @ P - Y)**2, V)
grad(norm(let("H", tanh(D @ V)) @ P - Y)**2, V)
grad(sum(D @ V + e.T), e)
grad(mean(x), x)
grad(sum((x - mean(x))**2), x)
grad(sum(exp(x)), x)
grad(log(sum(exp(x))), x)
jacobian(exp(x) / sum(exp(x)), x)

# Losses
grad(sum(abs(D @ w - l)), w)
grad(sum(log(cosh(D @ w - l))), w)
grad(sum(sqrt(1 + (x - a)**2)), x)
hessian(sum(sqrt(1 + (x - a)**2)), x)
grad(sum(where(abs(x - a) <= tau, (x - a)**2 / 2, tau * (abs(x - a) - tau/2))), x)
grad(sum(maximum(tau * (x - a), (tau - 1) * (x - a))), x)
grad(mean(maximum(0, 1 - l * (D @ w))) + lam/2 * norm(w)**2, w)
grad(sum(maximum(0, 1 - l * (D @ w))**2), w)
grad(sum(exp(-l * (D @ w))), w)
grad(maximum(0, norm(x - a)**2 - norm(x - c)**2 + t), x)
grad(-(1 - sigmoid(t))**2 * log(sigmoid(t)), t)
grad(-sum(((1 - eps) * q + eps/n) * log(softmax(z))), z)
grad(softmax_cross_entropy(z / tau, q), z)
grad(softmax_cross_entropy(z / tau, q), tau)
grad(norm(softmax(x) - a)**2 / 2, x)
grad(sum(q * log(q / softmax(z))), z)
grad(sum(p * log(p / o)), p)
grad(sum(p * log(p / o)), o)
grad(sum(p * log(p / o) - p + o), o)
grad(-sum(p * log(p)), p)
grad(-log(sigmoid(x.T @ c)) - sum(log(sigmoid(-(A @ c)))), c)
grad(-log(sigmoid(x.T @ c)) - sum(log(sigmoid(-(A @ c)))), A)
grad(-log(exp(x.T @ c) / sum(exp(A @ c))), c)
grad(-log(softmax(A @ x / tau)[0]), x)
grad(-log(sigmoid(tau * (t - r))), t)

# Regularisers and linear models
grad(norm(D @ w - l)**2 + lam * norm(w)**2, w)
grad(norm(D @ w - l)**2 / 2 + lam * norm(w, 1), w)
grad(norm(D @ w - l)**2 / 2 + lam * (alpha * norm(w, 1) + (1 - alpha)/2 * norm(w)**2), w)
hessian(norm(D @ w - l)**2 / (2*N) + lam/2 * norm(w)**2, w)
grad(sum(exp(D @ w)) - l.T @ D @ w, w)
hessian(sum(exp(D @ w)) - l.T @ D @ w, w)
hessian(sum(log(1 + exp(D @ w))) - l.T @ D @ w, w)
grad(norm(D @ w - l)**2 / norm(w)**2, w)
grad(norm(a - S @ x)**2 + lam * x.T @ S @ x, x)
grad(mean(x)**2 + var(x), x)

# Norms, distances, similarities
hessian(norm(x), x)
grad(sqrt(x.T @ x), x)
grad(sqrt(sum(x**2) + eps), x)
grad(norm(x)**3, x)
hessian(norm(x)**4 / 4, x)
hessian(log(norm(x)), x)
grad(1 / norm(x - a), x)
grad(1 / norm(x - a)**2, x)
grad(exp(-tau * norm(x - a)**2), x)
hessian(exp(-norm(x - a)**2 / 2), x)
grad((x.T @ a + 1)**3, x)
grad(tanh(alpha * x.T @ a + t), x)
grad(x.T @ a / (norm(x) * norm(a)), x)
grad(1 - x.T @ a / sqrt((x.T @ x) * (a.T @ a)), x)
grad(norm(A @ x) / norm(x), x)
grad(norm(x / norm(x) - a)**2, x)
grad(sum(abs(x)**3), x)
grad(sqrt((x - mu).T @ inv(S) @ (x - mu)), x)

# Gaussians and mixtures
grad((x - mu).T @ inv(S) @ (x - mu) / 2, mu)
grad((x - mu).T @ inv(S) @ (x - mu) / 2, S)
grad(-logdet(S)/2 - (x - mu).T @ inv(S) @ (x - mu) / 2, S)
grad(N/2 * logdet(S) - N/2 * trace(S @ M), S)
grad(-log(std) - (t - r)**2 / (2 * std**2), std)
grad(-log(std) - (t - r)**2 / (2 * std**2), r)
grad(log(1 / (sqrt(2) * std) * exp(-(t - r)**2 / (2 * std**2))), r)
grad(-N * log(std) - norm(D @ w - l)**2 / (2 * std**2), std)
grad(sum(mu**2 + p**2 - 1 - log(p**2)) / 2, p)
grad(logsumexp(log(p) - (t - mu)**2 / 2), mu)
grad(log(sum(p * exp(-(t - mu)**2 / 2))), mu)
grad(log(t * exp(-norm(x - a)**2 / 2) + (1 - t) * exp(-norm(x - c)**2 / 2)), x)
grad(a.T @ inv(S + std**2 * eye(m)) @ a / 2 + logdet(S + std**2 * eye(m)) / 2, std)
grad((alpha - 1) * log(t) - t * r, t)

# Quadratic forms and quotients
grad(x.T @ A @ x / 2 + a.T @ x + t, x)
grad(x.T @ M @ x / 2 - a.T @ x, x)
hessian(x.T @ M @ x / 2 - a.T @ x, x)
grad((A @ x - a).T @ B @ (A @ x - a), x)
grad(x.T @ A.T @ B @ x, x)
grad((x.T @ a) * (x.T @ c), x)
hessian((x.T @ a) * (x.T @ c), x)
grad((x.T @ A @ x)**2, x)
hessian((x.T @ A @ x)**2, x)
grad(x.T @ M @ x / (x.T @ x), x)
grad(x.T @ A @ x / (x.T @ B @ x), x)
grad((a.T @ x)**2 / (x.T @ S @ x), x)
grad((a.T @ x + t) / (c.T @ x + r), x)
grad(x.T @ M @ x - lam * (x.T @ x - 1), x)
hessian(-sum(log(a - A @ x)), x)
grad(norm(A @ x + a)**2 + norm(B @ x - c)**2, x)
jacobian((x.T @ x) * x, x)
jacobian(x @ x.T, x)

# Traces, determinants, factorisations
grad(trace(A @ X @ B @ X.T), X)
grad(trace(X.T @ A @ X @ B), X)
grad(trace(inv(X)), X)
grad(det(X)**2, X)
grad(logdet(X.T @ X + lam * eye(m)), X)
grad(logdet(eye(m) + X @ B), X)
grad(log(det(X)), X)
grad(norm(D - F_1 @ F_2.T)**2, F_1)
grad(norm(D - F_1 @ F_2.T)**2 / 2 + lam/2 * (norm(F_1)**2 + norm(F_2)**2), F_2)
grad(norm(D - D @ V @ V.T)**2, V)
grad(norm(V.T @ V - eye(k))**2, V)
grad(norm(X - x @ x.T)**2, x)
grad(norm(X - X.T)**2, X)
grad(sum(X @ B), X)
grad(sum((X @ B)**2), X)
grad(trace(kron(X, B)), X)
jacobian(X.T @ X, X)
jacobian(inv(X) @ a, X)

# Layers
grad(sum(G * relu(D @ V + e.T)), V)
grad(sum(G * sigmoid(D @ V + e.T)), e)
grad(norm(D @ V + e.T - G)**2 / 2, e)
grad(sum(logsumexp(D @ V, axis=1)) - sum(G * (D @ V)), V)
jacobian(log_softmax(x), x)
jacobian(softmax(x / tau), x)
hessian(logsumexp(A @ x), x)
grad(tau * logsumexp(x / tau), tau)
grad(a.T @ softmax(A @ x), x)
grad(sum(a * x * tanh(softplus(x))), x)
grad(sum(a * x / (1 + abs(x))), x)
grad(sum(Vn * (let("P", softmax(Q @ Kn.T / sqrt(k), axis=1)) @ G)), Q)
grad(a.T @ (gamma * xhat), x)
jacobian(xhat, x)
jacobian(x + A @ relu(B @ x), x)
grad(a.T @ (sigmoid(A @ x) * tanh(B @ x)), x)

# Steps of recurrent nets
grad(u.T @ tanh(W_h @ h_t + W_x @ x + b), W_h)
jacobian(let("h_t", tanh(W_h @ h_t + W_x @ x + b)), h_t)
jacobian(let("h_t", tanh(W_h @ h_t + W_x @ x + b)), W_h)
grad(u.T @ ((1 - let("z_t", sigmoid(U_z @ h_t))) * h_t + let("z_t", sigmoid(U_z @ h_t)) * c_t), U_z)
grad(u.T @ let("htilde", tanh(W_x @ x + U_h @ (r_t * h_t))), U_h)
grad(u.T @ let("htilde", tanh(W_x @ x + U_h @ (r_t * h_t))), h_t)
grad(u.T @ (i_t * tanh(let("c_t", r_t * c_t + i_t * b))), c_t)
grad(u.T @ (i_t * tanh(let("c_t", r_t * c_t + i_t * b))), r_t)

# Typed out, and recognised
grad(log(1 / (1 + exp(-t))), t)
grad((exp(t) - exp(-t)) / (exp(t) + exp(-t)), t)
grad(exp(t) / (exp(t) + exp(r)), t)
grad(2 / (1 + exp(-2*t)) - 1, t)
jacobian(exp(x - max(x)) / sum(exp(x - max(x))), x)
grad(log(sum(exp(x - max(x)))) + max(x), x)
grad(x[0] - log(sum(exp(x))), x)
grad(sum(B * (exp(X) / sum(exp(X), axis=1))), X)
grad(sum(x * sigmoid(x)), x)
jacobian(x / sqrt(x.T @ x), x)
hessian(log(1 + exp(a.T @ x)), x)

# Functions of one variable
grad(t * exp(-t), t)
grad(t**2 * exp(-t**2), t)
grad(t / (1 + t), t)
grad((t - 1) / (t + 1), t)
grad(t**r, r)
grad(tanh(t)**2, t)
hessian(tanh(t), t)
hessian(sigmoid(t), t)
grad(exp(-r * t) * cos(tau * t), t)
grad(1 / (1 + exp(-r * (t - tau))), t)
grad(lam * t * (1 - t / r), t)
grad((t**2 + r**2)**Fraction(3, 2), t)
grad(1 / t + 1 / t**2, t)
grad(-tau * log(t) - (1 - tau) * log(1 - t), t)

# Signs that have to be told apart
A * B @ C
(A * B) @ C
A @ B @ C
A @ (B + C)
2 * (A * B)
(A @ B).T
(A + B).T
inv(A @ B).T
inv(A).T
-(A - B)
A - (B - C)
A - B * -2
X**2
x**2
t**2
x**-1
x / a
x / t
A / (2 * t)
(A * B) / t
t**-2
(-t)**2
sqrt(t)
1 / sqrt(t)
(r + t) / (r - t)
x.T @ a * A
(x.T @ a)**2
kron(A, B) @ kron(A, C)
ones(n).T @ b
2 * ones(n)
Fraction(2, 3) * x
0.5 * x
1e-5 * x
n * x
x / (2 * n)
tanh(x)**2
sigmoid(x)**2
f(x)**2
abs(x)
x[0]
x[0:2]
W[1, 2]
W[0]
jacobian(grad(sum(f(x)), x), x)

# Less common forms
sum(D, axis=0)
sum(D, axis=1)
D + w.T
grad(norm(x, 1)**2 / 2, x)
grad(norm(x, float("inf")), x)
grad(max(x), x)
grad(sum(gelu(x)), x)
grad(sum(elu(x)), x)
leaky_relu(x)
hard_tanh(x)
log_softmax(x)
where(x > 0, x, a)
x >= a
grad(x[0] * x[1], x)
grad(sum(x[1:3] * x[1:3]), x)
jacobian(x[0:2], x)
jacobian(A.T, A)
jacobian(A * B, A)
jacobian(trace(A @ A), A)
hessian(logdet(X), X)
jacobian(A @ x @ x.T, x)
vjp(W @ x, W, delta)
jvp(W @ x, x, a)
block([[A, B], [C, X]])
outer(x, a) @ A
log(t)**2
2**t
x**t
t**Fraction(3, 2)
function("swish", lambda z: z * sigmoid(z)).prime(x)
function("f^{(1)}").prime(x)
g(f(x))
norm(A, 2) + norm(A, "nuc")
matrix_power(A, 3) + A**3
softmax(A, axis=1)
max(A, axis=1)**2
grad(A[1, 2], A)
grad(sum(log(diagonal(cholesky(S)))), S)
take(D, [1, 0, 1])
grad(sum(take(D, [1, 0, 1])**2), D)

# Names
WL.T @ dl
h_t.T @ dl
museums.T @ x
yhat - y
dl * dl
"""


def namespace() -> dict[str, Any]:
    """The names of the lines, with everything that matcalc offers."""
    from fractions import Fraction

    return {**vars(mc), **names(), "Fraction": Fraction}


def lines() -> Iterator[str]:
    """The lines of the sections, titles and empty lines among them."""
    yield from SECTIONS.strip().split("\n")


def is_title(line: str) -> bool:
    """Whether the line is empty or a title."""
    return not line or line.startswith("#")


def values(seed: int) -> dict[str, Any]:
    """Random values of every leaf, by node; matrices well away from singular ones."""
    rng = np.random.default_rng(seed)
    return {e: _value(e, rng) for e in namespace().values() if isinstance(e, Expr) and e.op is not LET}


def _value(e: Expr, rng: Any) -> Any:
    shape = tuple({1: 1, m**2: LENGTHS[m] ** 2, **LENGTHS}[a] for a in e.shape)
    within = e.name in ("yhat", "t", "y") or "positive" in e.params[1]
    value = rng.uniform(0.2, 0.9, shape) if within else rng.normal(size=shape)
    if "distribution" in e.params[1]:
        value = value / value.sum()
    if "positive_definite" in e.params[1]:
        value = value @ value.T + np.eye(*shape)
    elif "symmetric" in e.params[1]:
        value = value + value.T
    elif e.shape == (m, m):
        value = value + 3 * np.eye(*shape)
    return value
