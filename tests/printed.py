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
        "H_1": mc.let("H_1", mc.tanh(mc.matrix("X", N, m) @ mc.matrix("W", m, k))),
    }


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
    value = rng.uniform(0.2, 1, shape) if e.name in ("yhat", "t", "y") else rng.normal(size=shape)
    if "distribution" in e.params[1]:
        value = value / value.sum()
    if "positive_definite" in e.params[1]:
        value = value @ value.T + np.eye(*shape)
    elif e.shape == (m, m):
        value = value + 3 * np.eye(*shape)
    return value
